"""What is written is what is read back, on every database and in every way of reaching it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.accounting.entries import Entry
from paybylink.flow import Written, write
from paybylink.kinds import Reusable
from paybylink.links import LinkStatus, PaymentLink, ProviderLinkStatus
from paybylink.messages import Delivery, Outcome, Purpose
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import Dispute, DisputeStatus, Payment, Refund, RefundStatus
from paybylink.store import ExportBatch, Store
from paybylink.store.queries.links import BEHIND, CUSTOMER
from paybylink.store.rows import books, links, messages, money, orders

from .store_given import (
    DAY,
    DELIVERIES,
    DISPUTES,
    LINKS,
    NOW,
    PAYMENTS,
    REFUNDS,
    WRITTEN,
    attempt,
    content_of,
    delivery,
    dispute,
    entry,
    link,
    message,
    order,
    paid,
    payment,
    refund,
    written,
)

Do: TypeAlias = Callable[[Any], Any]
STORE = Store()


def joined(given: PaymentLink) -> dict[str, Any]:
    """The row that the join of a link with its customer gives."""
    row = links.link_row(given, content_of(given), tenant="", public_url=None)
    customer = given.order.customer
    columns = ("id", "name", "email", "phone", "language", "code", "country", "address_json")
    told: dict[str, Any] = (
        orders.customer_row(customer, tenant="", link_id=given.id) if customer else dict.fromkeys(columns)
    )
    return row | {f"{CUSTOMER}row_{name}": told[name] for name in columns}


@given(LINKS)
def test_any_link_comes_back_equal(given_link: PaymentLink) -> None:
    """Order, kind, lines, customer, provider links and sums of any link survive their rows."""
    currency = {"currency": given_link.order.amount.currency}
    behind = [
        {
            f"{BEHIND}{name}": value
            for name, value in links.provider_link_row(given_link.id, each, written(), tenant="").items()
        }
        | currency
        for each in given_link.provider_links
    ]

    read = links.link_from_row(
        joined(given_link), [links.provider_link_from_row(row) for row in behind], public_url=None
    )

    assert read == given_link


@given(LINKS)
def test_any_content_comes_back_as_it_was_asked(given_link: PaymentLink) -> None:
    """A second, equal call finds no difference, for any order and kind."""
    assert links.content_from_row(joined(given_link)) == content_of(given_link)


@given(LINKS)
def test_no_name_stands_in_a_link_row(given_link: PaymentLink) -> None:
    """The row of a link keeps the customer's fingerprint only."""
    row = links.link_row(given_link, content_of(given_link), tenant="", public_url=None)

    customer = given_link.order.customer
    if customer is not None and customer.email is not None:
        assert customer.email not in row["order_json"] + row["content_json"]


@given(PAYMENTS)
def test_any_payment_comes_back_equal(given_payment: Payment) -> None:
    """Flags, withdrawn currencies and 18 digits survive."""
    assert money.payment_from_row(money.payment_row(given_payment, tenant="")) == given_payment


@given(REFUNDS, st.none() | WRITTEN)
def test_any_refund_comes_back_equal(given_refund: Refund, request: Written | None) -> None:
    """A refund survives, and so do the bytes of its request."""
    row = money.refund_row(given_refund, request, tenant="")

    assert money.refund_from_row(row) == given_refund
    assert (row["written_json"] and links.written_from_json(row["written_json"])) == request


@given(DISPUTES)
def test_any_dispute_comes_back_equal(given_dispute: Dispute) -> None:
    """A dispute survives."""
    row = money.dispute_row(given_dispute, tenant="", payment_id=None)

    assert money.dispute_from_row(row) == given_dispute


@given(DELIVERIES, st.binary(max_size=50))
def test_any_delivery_comes_back_equal_with_the_bytes_to_send(
    given_delivery: Delivery, content: bytes
) -> None:
    """A delivery survives, and the message's bytes do exactly."""
    said = evolve(
        message(given_delivery.recipient, given_delivery.medium), content=content, text="", warnings=()
    )
    row = messages.delivery_row(given_delivery, said, tenant="")

    assert messages.delivery_from_row(row) == given_delivery
    assert messages.message_from_row(row) == said


@given(WRITTEN)
def test_any_written_request_comes_back_byte_for_byte(request: Written) -> None:
    """The same bytes can go out again, text or not."""
    assert links.written_from_json(links.written_json(request)) == request


def test_entry_comes_back_equal() -> None:
    """An entry survives its rows."""
    given_entry = entry()
    rows = [
        books.entry_row(given_entry, tenant="")
        | {f"line_{name}": value for name, value in books.line_row(given_entry, no, line, tenant="").items()}
        for no, line in enumerate(given_entry.lines)
    ]

    assert books.entry_from_rows(rows) == given_entry


def test_link_is_stored_and_found_with_all_that_stands_behind_it(do: Do) -> None:
    """Link, customer, provider link, request and close key come back through the database."""
    reserved = link(expires_in=7 * DAY)
    _ = do(
        write(
            *STORE.insert_link(reserved, content_of(reserved)),
            STORE.insert_provider_link("L1", attempt(), written()),
        )
    )
    opened = attempt(status=ProviderLinkStatus.OPEN, vendor_id="plink_1", url="https://buy.example/1")
    whole = evolve(reserved, status=LinkStatus.OPEN, url="https://buy.example/1", provider_links=(opened,))
    _ = do(
        write(
            STORE.update_link(whole, version=1),
            STORE.update_provider_link("L1", opened, was=ProviderLinkStatus.ASKED, close_key="ck"),
        )
    )

    stored = do(STORE.link("L1"))

    assert stored.link == evolve(whole, version=2)
    assert stored.content == content_of(reserved)
    assert stored.written == {"P1": written()}
    assert stored.close_keys == {"P1": "ck"}
    for again in (
        do(STORE.link_by_reference("INV-1", "")),
        do(STORE.link_by_token("token-L1")),
        do(STORE.link_of_vendor("stripe", "plink_1")),
    ):
        assert again == stored
    assert do(STORE.links()) == (stored.link,)


def test_links_behind_a_link_keep_the_order_in_which_they_were_asked_for(do: Do) -> None:
    """Two requests of the same moment whose ids sort the other way come back as they were made."""
    first, second = attempt("Z", status=ProviderLinkStatus.REFUSED), attempt("A")
    reserved = link()
    _ = do(write(*STORE.insert_link(reserved, content_of(reserved))))
    _ = do(write(STORE.insert_provider_link("L1", first, written())))
    _ = do(write(STORE.insert_provider_link("L1", second, written())))

    assert do(STORE.link("L1")).link.provider_links == (first, second)


def test_link_without_a_customer_has_none(do: Do) -> None:
    """A reusable link for anybody comes back without a customer."""
    given_link = link(order=order(customer=None), kind=Reusable(max_payments=3))
    _ = do(write(*STORE.insert_link(given_link, content_of(given_link))))

    assert do(STORE.link("L1")).link == given_link


def test_public_address_stands_in_front_of_the_providers(do: Do) -> None:
    """With a public URL links show ours; without one, the same row shows the provider's."""
    public = Store(public_url="https://pay.example/")
    behind = attempt(status=ProviderLinkStatus.OPEN, vendor_id="plink_1", url="https://buy.example/1")
    given_link = link(url=public.public_address("token-L1"), provider_links=(behind,), status=LinkStatus.OPEN)
    _ = do(write(*public.insert_link(given_link, content_of(given_link))))

    assert do(public.link("L1")).link.url == "https://pay.example/p/token-L1"
    assert do(STORE.link("L1")).link.url == "https://buy.example/1"


def test_rewritten_link_has_other_content_and_another_customer(do: Do) -> None:
    """A refused request may be corrected: the row takes the new order, kind and customer."""
    first = link()
    _ = do(write(*STORE.insert_link(first, content_of(first))))
    other = evolve(first, order=order(amount=Money.of("12.00", "EUR"), customer=None), kind=Reusable())
    _ = do(write(*STORE.rewrite_link(other, content_of(other), version=1)))

    stored = do(STORE.link("L1"))

    assert stored.link == evolve(other, version=2)
    assert stored.content == content_of(other)


def test_money_is_stored_and_found(do: Do) -> None:
    """Payments, refunds and disputes come back by our id and by the provider's."""
    came, back, contested = payment(link_id="L1"), refund(), dispute()
    _ = do(
        write(
            STORE.insert_payment(came),
            STORE.insert_refund(back, written(b"\xff\x00")),
            STORE.insert_dispute(contested, payment_id="PAY1"),
        )
    )
    moved = evolve(came, refunded=Money.of("10.00", "EUR"))
    settled = evolve(back, status=RefundStatus.SUCCEEDED, vendor_id="re_1")
    won = evolve(contested, status=DisputeStatus.WON)
    _ = do(
        write(
            STORE.update_payment(moved, version=1),
            STORE.update_refund(settled, version=1),
            STORE.update_dispute(won, was=DisputeStatus.OPEN),
        )
    )

    assert do(STORE.payment("PAY1")) == evolve(moved, version=2)
    assert do(STORE.payment_of_vendor("stripe", "pi_PAY1")) == evolve(moved, version=2)
    stored = do(STORE.refund("R1"))
    assert (stored.refund, stored.written) == (evolve(settled, version=2), written(b"\xff\x00"))
    assert do(STORE.refund_of("PAY1", "AV-R1")) == stored
    assert do(STORE.refund_of_vendor("stripe", "re_1")) == stored
    assert do(STORE.refunds("PAY1")) == (stored.refund,)
    assert do(STORE.dispute_of_vendor("stripe", "dp_1")) == won


def test_rewritten_refund_has_a_new_request(do: Do) -> None:
    """After a refund has failed, its reference may be used again."""
    _ = do(write(STORE.insert_refund(refund(status=RefundStatus.FAILED), written())))
    again = refund(amount=Money.of("12.00", "EUR"))
    _ = do(write(STORE.rewrite_refund(again, written(b"new"), version=1)))

    stored = do(STORE.refund("R1"))

    assert (stored.refund, stored.written) == (evolve(again, version=2), written(b"new"))


def test_delivery_is_stored_and_found(do: Do) -> None:
    """A delivery comes back with its bytes, by id, by its recipient and by the service's id."""
    given_link = link(status=LinkStatus.OPEN)
    _ = do(write(*STORE.insert_link(given_link, content_of(given_link))))
    _ = do(write(STORE.insert_delivery(delivery(), message(), guard_payable=True)))
    sent = evolve(delivery(), outcome=Outcome.ACCEPTED, vendor_id="m-1", attempts=1, detail="250 ok")
    _ = do(write(STORE.update_delivery(sent, version=1, sent_at=NOW)))

    stored = do(STORE.delivery("DEL1"))

    assert stored.delivery == evolve(sent, version=2)
    assert stored.message == message()
    assert do(STORE.delivery_of("L1", "smtp", "zoe@example.com", Purpose.REQUEST)) == stored
    assert do(STORE.delivery_of_vendor("smtp", "m-1")) == stored
    assert do(STORE.deliveries("L1")) == (stored.delivery,)


def test_prepared_message_may_be_composed_anew(do: Do) -> None:
    """What was not sent yet takes another message; what was, does not (see the guards)."""
    _ = do(write(STORE.insert_delivery(delivery(outcome=Outcome.PREPARED), message(), guard_payable=False)))
    other = evolve(message(), content=b"other", subject="autre", needs_utf8=False)
    _ = do(write(STORE.keep_message("DEL1", other)))

    assert do(STORE.delivery("DEL1")).message == other


def test_events_are_stored_and_found(do: Do) -> None:
    """Inbox and outbox give back what they took."""
    _ = do(
        write(
            STORE.receive_event(
                "stripe", "evt_1", "charge.x", "waiting", NOW, b"{}\x00\xff", "payment first"
            ),
            STORE.emit(paid(), now=NOW),
        )
    )

    (waiting,) = do(STORE.inbox_waiting())
    (due,) = do(STORE.outbox_due(NOW))

    assert (waiting.event_id, waiting.body, waiting.error) == ("evt_1", b"{}\x00\xff", "payment first")
    assert (waiting.received_at, waiting.processed_at) == (NOW, None)
    assert (due.event, due.link_id, due.attempts, due.due_at) == (paid(), "L1", 0, NOW)
    assert do(STORE.inbox_state("stripe", "evt_1")) == "waiting"
    assert do(STORE.inbox_state("stripe", "evt_2")) is None


def test_entry_is_booked_and_found_by_its_key(do: Do) -> None:
    """An entry comes back with its lines, dates and foreign amounts."""
    given_entry: Entry = entry()
    _ = do(write(*STORE.book(given_entry)))

    assert do(STORE.entry_of_key(given_entry.key)) == given_entry
    assert do(STORE.entry_of_key("stripe|pi_none|payment")) is None


def test_passes_and_exports_are_remembered(do: Do) -> None:
    """The last pass is the newest, and each file that was made is listed."""
    made = ExportBatch(
        id="X1",
        format="fec",
        since=dt.date(2026, 1, 1),
        until=dt.date(2026, 12, 31),
        made_at=NOW,
        lines=12,
        sha256="ab" * 32,
        name="123456789FEC20261231.txt",
    )
    _ = do(write(STORE.passed("run_due", NOW), STORE.exported(made)))
    _ = do(write(STORE.passed("run_due", NOW + DAY)))

    assert do(STORE.pass_at("run_due")) == NOW + DAY
    assert do(STORE.pass_at("other")) is None
    assert do(STORE.exports()) == (made,)


@pytest.mark.parametrize("text", ["O'Brien; DROP TABLE x", "50 % de remise %s", "naïve 😀", "a:b :tenant ?"])
def test_no_text_is_taken_for_sql(do: Do, text: str) -> None:
    """Quotes, percent signs and colons of what people type are values, for every driver."""
    given_link = link(
        order=Order(reference=text, amount=Money.of("1.00", "EUR"), description=text, part=text[:40])
    )
    _ = do(write(*STORE.insert_link(given_link, content_of(given_link))))

    assert do(STORE.link_by_reference(text, text[:40])).link == given_link
