"""The real adapter before the sandbox's Mollie, over real HTTP: what only both together can show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.drivers import Doors, run
from paybylink.flow import Call
from paybylink.kinds import Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import (
    BalanceItem,
    BalanceKind,
    Bell,
    LinkRequest,
    ProviderEvent,
    RefundRequest,
    VendorLink,
    VendorLinkStatus,
)
from paybylink.providers.mollie import MollieProvider
from paybylink.sandbox import Sandbox, SandboxError
from sandbox.mollie_given import Bell as Door
from sandbox.mollie_given import ringing

from .mollie_given import (
    ATTEMPT_ID,
    CUSTOMER,
    KEY,
    LINK_ID,
    ORDER,
    REFUND_ID,
    SECRET,
    account,
    asked,
    invoice_asked,
    organisation,
)

Ask = Callable[[Call[Any]], Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox; each test makes links of its own."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """The driver."""
    doors = Doors(vault=None)
    yield lambda call: run(call, doors)
    doors.close()


@pytest.fixture
def provider(sandbox: Sandbox) -> MollieProvider:
    """An account opened with a key."""
    return account(base_url=sandbox.mollie_url)


@pytest.fixture
def token(sandbox: Sandbox) -> MollieProvider:
    """The same, opened with an organisation's token."""
    return organisation(base_url=sandbox.mollie_url, profile_id="pfl_SandboxPBL")


@pytest.fixture
def door() -> Iterator[Door]:
    """Where news is told."""
    with ringing() as opened:
        yield opened


def request_at(sandbox: Sandbox, place: str, **content: Any) -> LinkRequest:
    """A request whose attempt is `place`, so that the tests' links can be told apart."""
    return asked(
        **{
            "attempt_id": place,
            "expires_at": sandbox.control.now() + dt.timedelta(days=7),
            "notify_url": f"http://127.0.0.1:9/hook?link={LINK_ID}&attempt={place}",
            **content,
        }
    )


def made(
    ask: Ask, sandbox: Sandbox, provider: MollieProvider, request: LinkRequest, key: str = ""
) -> VendorLink:
    """A fresh link."""
    written = provider.write_link(request, key=key or f"{KEY}{request.attempt_id}", now=sandbox.control.now())
    link: VendorLink = ask(provider.create_link(request, written=written))
    return link


@pytest.mark.parametrize("opened_with", ["provider", "token"])
def test_a_link_is_made_once_paid_and_then_closed(
    opened_with: str, sandbox: Sandbox, ask: Ask, request: pytest.FixtureRequest
) -> None:
    """With a key and with a token; the same bytes under the same key make the same link."""
    opened: MollieProvider = request.getfixturevalue(opened_with)
    wanted = request_at(sandbox, f"ONCE{opened_with}")

    first, again = (made(ask, sandbox, opened, wanted) for _ in range(2))
    assert first == again
    assert first.status is VendorLinkStatus.OPEN
    found = ask(opened.find_link(wanted, since=sandbox.control.now(), now=sandbox.control.now()))
    assert found == first

    paid = sandbox.control.pay(first.url)
    (payment,) = ask(opened.payments_of(first.vendor_id))
    assert (payment.vendor_id, payment.status, payment.amount) == (
        paid.payment,
        PaymentStatus.SUCCEEDED,
        ORDER.amount,
    )
    assert ask(opened.fetch_payment(paid.payment)).method == "card"
    assert ask(opened.fetch_link(first.vendor_id)).status is VendorLinkStatus.CLOSED
    with pytest.raises(SandboxError):
        _ = sandbox.control.pay(first.url)


def test_a_closed_link_cannot_be_paid(sandbox: Sandbox, ask: Ask, provider: MollieProvider) -> None:
    """Closing it twice is no error."""
    link = made(ask, sandbox, provider, request_at(sandbox, "CLOSED"))

    for _ in range(2):
        closed = ask(provider.close_link(link.vendor_id, key=KEY, now=sandbox.control.now()))
        assert closed.status is VendorLinkStatus.CLOSED
    with pytest.raises(SandboxError):
        _ = sandbox.control.pay(link.url)


def test_a_link_ends_when_it_was_asked_to(ask: Ask) -> None:
    """Mollie ends it by itself, to the second; looked for later, it is closed."""
    with Sandbox() as sandbox:
        provider = account(base_url=sandbox.mollie_url)
        wanted = request_at(sandbox, "ENDS")
        asked_at = sandbox.control.now()
        link = made(ask, sandbox, provider, wanted)
        _ = sandbox.control.move_clock(dt.timedelta(days=7, seconds=1))

        with pytest.raises(SandboxError):
            _ = sandbox.control.pay(link.url)
        found = ask(provider.find_link(wanted, since=asked_at, now=sandbox.control.now()))
        assert found.status is VendorLinkStatus.CLOSED


def test_a_payer_chooses_from_the_least_on(sandbox: Sandbox, ask: Ask, provider: MollieProvider) -> None:
    """And any number of payers do."""
    kind = Reusable(payer_chooses=True, minimum=Money(500, "EUR"))
    link = made(ask, sandbox, provider, request_at(sandbox, "CHOOSES", kind=kind))

    with pytest.raises(SandboxError):
        _ = sandbox.control.pay(link.url, amount="4.99")
    for amount in ("5.00", "70.00"):
        _ = sandbox.control.pay(link.url, amount=amount)

    payments = ask(provider.payments_of(link.vendor_id))
    assert sorted(one.amount.minor for one in payments) == [500, 7000]
    assert ask(provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.OPEN


def test_lines_and_an_address_open_the_methods_that_need_them(
    sandbox: Sandbox, ask: Ask, provider: MollieProvider
) -> None:
    """Klarna wants both, and reserves before it is settled."""
    order = evolve(
        ORDER,
        lines=(LineItem(description="Logo", unit_price=Money(2495, "EUR"), quantity=2, vat_rate=20),),
        customer=CUSTOMER,
        checkout=Checkout(prefill=True, methods=["klarna", "card"]),
    )
    link = made(ask, sandbox, provider, request_at(sandbox, "KLARNA", order=order))

    _ = sandbox.control.pay(link.url, method="klarna")

    (payment,) = ask(provider.payments_of(link.vendor_id))
    assert (payment.status, payment.method) == (PaymentStatus.AUTHORISED, "klarna")
    _ = sandbox.control.settle(link.vendor_id)
    assert ask(provider.fetch_payment(payment.vendor_id)).status is PaymentStatus.SUCCEEDED


def test_a_delayed_payment_that_fails_leaves_the_link_payable(
    sandbox: Sandbox, ask: Ask, provider: MollieProvider
) -> None:
    """So that opening it again is never needed."""
    link = made(ask, sandbox, provider, request_at(sandbox, "DELAYED"))
    _ = sandbox.control.pay(link.url, how="delayed")
    assert ask(provider.payments_of(link.vendor_id))[0].status is PaymentStatus.PROCESSING

    _ = sandbox.control.settle(link.vendor_id, succeeded=False)
    _ = sandbox.control.pay(link.url)

    assert [one.status for one in ask(provider.payments_of(link.vendor_id))] == [
        PaymentStatus.FAILED,
        PaymentStatus.SUCCEEDED,
    ]


def test_the_links_own_address_rings_and_says_for_which_link(ask: Ask, door: Door) -> None:
    """A classic call, which is verified, read, and asked after."""
    with Sandbox() as sandbox:
        provider = account(base_url=sandbox.mollie_url)
        own = f"{door.url}?link={LINK_ID}&attempt={ATTEMPT_ID}"
        link = made(ask, sandbox, provider, request_at(sandbox, ATTEMPT_ID, notify_url=own))

        paid = sandbox.control.pay(link.url)
        _ = sandbox.control.flush_webhooks()

        (heard,) = door.heard
        provider.verify(heard.headers, heard.body, now=sandbox.control.now())
        (event,) = provider.read(heard.body, query=urlsplit(heard.path).query)
        assert event.notice == Bell(
            mode=provider.mode, payment_vendor_id=paid.payment, link_id=LINK_ID, attempt_id=ATTEMPT_ID
        )
        assert ask(provider.fetch_payment(paid.payment)).status is PaymentStatus.SUCCEEDED


def test_signed_events_of_a_whole_journey_are_believed(ask: Ask, door: Door) -> None:
    """Every event the sandbox signs is verified and read; each rings for the payment or the link."""
    with Sandbox() as sandbox:
        provider = account(base_url=sandbox.mollie_url)
        secret = sandbox.control.register_webhook(
            door.url, provider="mollie", secret=f"{SECRET},an-older-secret"
        )
        assert SECRET in secret
        link = made(ask, sandbox, provider, request_at(sandbox, "SIGNED", notify_url=None))
        paid = sandbox.control.pay(link.url)
        refund = RefundRequest(refund_id=REFUND_ID, payment_vendor_id=paid.payment, amount=Money(100, "EUR"))
        written = provider.write_refund(refund, key=KEY, now=sandbox.control.now())
        given = ask(provider.refund(refund, written=written))
        _ = sandbox.control.finish(given.vendor_id)
        _ = sandbox.control.close_dispute(sandbox.control.dispute(paid.payment)["id"], won=True)
        _ = sandbox.control.flush_webhooks()

        told: list[ProviderEvent] = []
        for heard in door.heard:
            provider.verify(heard.headers, heard.body, now=sandbox.control.now())
            told += provider.read(heard.body)

    assert {event.kind for event in told} >= {
        "payment.paid",
        "payment-link.paid",
        "refund.refunded",
        "chargeback.received",
        "chargeback.reversed",
    }
    for event in told:
        assert isinstance(event.notice, Bell)
        rung = event.notice.payment_vendor_id or event.notice.link_vendor_id
        assert rung == (link.vendor_id if event.kind.startswith("payment-link") else paid.payment)
    assert len({event.event_id for event in told}) == len(told)


def test_a_refund_is_given_once_found_and_told(sandbox: Sandbox, ask: Ask, provider: MollieProvider) -> None:
    """And a chargeback beside it."""
    link = made(ask, sandbox, provider, request_at(sandbox, "REFUND"))
    paid = sandbox.control.pay(link.url)
    wanted = RefundRequest(
        refund_id=REFUND_ID, payment_vendor_id=paid.payment, amount=Money(1000, "EUR"), reason="returned"
    )
    assert ask(provider.find_refund(wanted)) is None
    written = provider.write_refund(wanted, key=f"{KEY}-refund", now=sandbox.control.now())

    given, again = (ask(provider.refund(wanted, written=written)) for _ in range(2))

    assert given == again == ask(provider.find_refund(wanted))
    assert (given.status, given.reason) == (RefundStatus.PENDING, "returned")
    _ = sandbox.control.finish(given.vendor_id)
    (told,) = ask(provider.refunds_of(paid.payment))
    assert told.status is RefundStatus.SUCCEEDED
    chargeback = sandbox.control.dispute(paid.payment)
    assert ask(provider.disputes_of(paid.payment))[0].status is DisputeStatus.OPEN
    _ = sandbox.control.close_dispute(chargeback["id"], won=True)
    (dispute,) = ask(provider.disputes_of(paid.payment))
    assert (dispute.vendor_id, dispute.status) == (chargeback["id"], DisputeStatus.WON)


def test_the_methods_for_an_order_are_told_with_their_bounds(
    sandbox: Sandbox, ask: Ask, provider: MollieProvider, token: MollieProvider
) -> None:
    """By key and by token; above a bound a method is missing."""
    small, large = (
        ask(provider.methods_for(ORDER)),
        ask(token.methods_for(evolve(ORDER, amount=Money(2_000_000, "EUR")))),
    )

    assert {"card", "ideal", "bank_transfer"} <= {one.method for one in small}
    assert "card" not in {one.method for one in large}
    assert next(one for one in small if one.method == "ideal").maximum == Money(5_000_000, "EUR")


def test_the_balances_movements_add_up_to_what_the_sandbox_knows(ask: Ask) -> None:
    """Payments, refunds, chargebacks, fees and a payout; nothing is lost or told twice, page by page."""
    with Sandbox() as sandbox:
        token = organisation(base_url=sandbox.mollie_url, profile_id="pfl_SandboxPBL")
        # Mollie tells whole seconds.
        begin = sandbox.control.now() - dt.timedelta(seconds=1)
        link = made(ask, sandbox, token, request_at(sandbox, "SETTLED", kind=Reusable()))
        payments = [sandbox.control.pay(link.url).payment for _ in range(3)]
        wanted = RefundRequest(refund_id=REFUND_ID, payment_vendor_id=payments[0], amount=Money(1000, "EUR"))
        written = token.write_refund(wanted, key=KEY, now=sandbox.control.now())
        _ = sandbox.control.finish(ask(token.refund(wanted, written=written)).vendor_id)
        _ = sandbox.control.dispute(payments[1])
        payout = sandbox.control.payout("mollie")
        _ = sandbox.control.pay(link.url)
        until = sandbox.control.now() + dt.timedelta(seconds=1)
        known = sandbox.control.truth()["balance"]["mollie"]["EUR"]

        items: list[BalanceItem] = []
        after = ""
        for _ in range(10):
            page = ask(token.settlements(since=begin, until=until, after=after))
            items += page.items
            after = page.after
            if not after:
                break

    assert sum(item.net.minor for item in items) == known
    kinds = [item.kind for item in items]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        BalanceKind.PAYMENT: 4,
        BalanceKind.REFUND: 1,
        BalanceKind.DISPUTE: 1,
        BalanceKind.PAYOUT: 1,
    }
    assert all(item.fee.minor > 0 for item in items if item.kind is BalanceKind.PAYMENT)
    assert len({item.vendor_id for item in items}) == len(items)
    paid_out = next(item for item in items if item.kind is BalanceKind.PAYOUT)
    assert paid_out.payout_vendor_id == payout["id"]


def test_a_hosted_invoice_is_issued_found_paid_and_told(
    sandbox: Sandbox, ask: Ask, provider: MollieProvider
) -> None:
    """Its payment is a payment of Mollie's, which can be refunded as any other."""
    wanted = invoice_asked(attempt_id="INVOICED", notify_url=None)

    invoice = made(ask, sandbox, provider, wanted)

    assert invoice.status is VendorLinkStatus.OPEN
    now = sandbox.control.now()
    assert ask(provider.find_link(wanted, since=now, now=now)) == invoice
    assert ask(provider.payments_of(invoice.vendor_id)) == []
    paid = sandbox.control.pay(invoice.url)
    (payment,) = ask(provider.payments_of(invoice.vendor_id))
    assert (payment.vendor_id, payment.link_vendor_id) == (paid.payment, invoice.vendor_id)
    assert payment.amount == wanted.order.amount
    closed = ask(provider.close_link(invoice.vendor_id, key=KEY, now=now))
    assert closed.status is VendorLinkStatus.CLOSED


def test_a_hosted_invoice_is_cancelled(sandbox: Sandbox, ask: Ask, token: MollieProvider) -> None:
    """Then it cannot be paid; with prices that hold the VAT the total is the same."""
    order = evolve(
        invoice_asked().order,
        lines=(LineItem(description="Logo", unit_price=Money(4990, "EUR"), vat_rate=20),),
        amount=Money(4990, "EUR"),
    )
    invoice = made(ask, sandbox, token, invoice_asked(order, attempt_id="CANCELLED", notify_url=None))

    for _ in range(2):
        closed = ask(token.close_link(invoice.vendor_id, key=KEY, now=sandbox.control.now()))
        assert closed.status is VendorLinkStatus.CLOSED
    with pytest.raises(SandboxError):
        _ = sandbox.control.pay(invoice.url)
