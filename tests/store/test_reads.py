"""Who finds what: pages by key, what is due, tenants apart, and the one look-up that knows no tenant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from attrs import evolve

from paybylink.errors import Conflict
from paybylink.flow import Step, write
from paybylink.links import LinkStatus, PaymentLink, ProviderLinkStatus
from paybylink.messages import Medium, Outcome, Purpose
from paybylink.payments import PaymentFlag, RefundStatus
from paybylink.store import Store

from .store_given import (
    DAY,
    NOW,
    attempt,
    content_of,
    delivery,
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
ELSE = Store(tenant="b")


def inserted(given_link: PaymentLink, store: Store = STORE) -> tuple[Step, ...]:
    """The steps that write a link."""
    return store.insert_link(given_link, content_of(given_link))


def numbered(count: int, **content: Any) -> list[PaymentLink]:
    """Links with ids that sort, and references of their own."""
    return [link(f"L{number:02}", reference=f"INV-{number}", **content) for number in range(count)]


def test_links_are_paged_newest_first_without_gap_or_repetition(do: Do) -> None:
    """Pages by key join to the whole list, also when a link comes in between."""
    for each in numbered(7):
        _ = do(write(*inserted(each)))

    first = do(STORE.links(limit=3))
    _ = do(write(*inserted(link("L99", reference="new"))))
    second = do(STORE.links(after=first[-1].id, limit=3))
    third = do(STORE.links(after=second[-1].id, limit=3))

    assert [each.id for each in (*first, *second, *third)] == [f"L0{number}" for number in range(6, -1, -1)]


def test_page_counts_links_and_not_what_stands_behind_them(do: Do) -> None:
    """A link with three requests behind it is one of the page."""
    for number, each in enumerate(numbered(3)):
        behind = [
            STORE.insert_provider_link(each.id, attempt(f"P{number}{place}"), written()) for place in range(3)
        ]
        _ = do(write(*inserted(each), *behind))

    page = do(STORE.links(limit=2))

    assert [(each.id, len(each.provider_links)) for each in page] == [("L02", 3), ("L01", 3)]


def test_links_of_one_status_are_paged(do: Do) -> None:
    """Only links that stand there, newest first."""
    for number, each in enumerate(numbered(6)):
        status = LinkStatus.OPEN if number % 2 else LinkStatus.PAID
        _ = do(write(*inserted(evolve(each, status=status))))

    first = do(STORE.links(status="open", limit=2))
    second = do(STORE.links(status=LinkStatus.OPEN, after=first[-1].id, limit=2))

    assert [each.id for each in (*first, *second)] == ["L05", "L03", "L01"]


def test_newest_generation_answers_for_a_reference(do: Do) -> None:
    """A replaced link stays, and its successor is found."""
    old = link("L1", status=LinkStatus.REPLACED)
    _ = do(write(*inserted(old), *inserted(link("L2", generation=2))))

    assert do(STORE.link_by_reference("INV-1", "")).link.id == "L2"
    assert do(STORE.link_by_reference("INV-1", "deposit")) is None


def test_token_finds_its_link_for_any_tenant(do: Do) -> None:
    """A public page knows the token alone; the order then names the tenant."""
    theirs = link(order=order(tenant="b"))
    _ = do(write(*inserted(theirs, ELSE)))

    found = do(STORE.link_by_token("token-L1"))

    assert found.link == theirs
    assert found.link.order.tenant == "b"
    assert do(STORE.link_by_token("token-L2")) is None


def test_tenants_do_not_see_each_other(do: Do) -> None:
    """The same keys live side by side, and nobody finds what is another's."""
    for store in (STORE, ELSE):
        given_link = link(status=LinkStatus.OPEN, expires_at=NOW, order=order(tenant=store.tenant))
        given_link = evolve(given_link, token=f"token-{store.tenant}")
        closing = attempt(status=ProviderLinkStatus.CLOSING, vendor_id="v")
        _ = do(
            write(
                *inserted(given_link, store),
                store.insert_provider_link("L1", closing, written()),
                store.insert_payment(payment(link_id=None)),
                store.insert_refund(refund(), None),
                store.insert_delivery(delivery(outcome=Outcome.PREPARED), message(), guard_payable=False),
                store.receive_event("stripe", "evt", "k", "waiting", NOW, b""),
                store.emit(paid(), now=NOW),
                *store.book(entry()),
                store.passed("run_due", NOW),
            )
        )

    for store in (STORE, ELSE):
        assert do(store.link("L1")).link.order.tenant == store.tenant
        assert do(store.payment("PAY1")).tenant == store.tenant
        for page in (
            store.links(),
            store.links("open"),
            store.links_in_work(),
            store.links_due(NOW),
            store.payments(),
            store.exceptions(),
            store.refunds_in_work(),
            store.deliveries_due(NOW),
            store.inbox_waiting(),
            store.outbox_due(NOW),
        ):
            assert len(do(page)) == 1
        assert len(do(store.balance())) == 2
    nobody = Store(tenant="c")
    for found in (
        nobody.link("L1"),
        nobody.link_by_reference("INV-1", ""),
        nobody.link_of_vendor("stripe", "v"),
        nobody.payment("PAY1"),
        nobody.payment_of_vendor("stripe", "pi_PAY1"),
        nobody.refund("R1"),
        nobody.refund_of("PAY1", "AV-R1"),
        nobody.delivery("DEL1"),
        nobody.inbox_state("stripe", "evt"),
        nobody.entry_of_key(entry().key),
        nobody.pass_at("run_due"),
    ):
        assert do(found) is None
    with pytest.raises(Conflict):
        _ = do(write(nobody.update_payment(payment(), version=1)))


def test_links_in_work_are_those_asked_for_or_closing(do: Do) -> None:
    """Longest waiting first; answered ones, and what was asked just now, are left alone."""
    stands = {
        "asked": (LinkStatus.PENDING, ProviderLinkStatus.ASKED, NOW - DAY),
        "closing": (LinkStatus.OPEN, ProviderLinkStatus.CLOSING, NOW - 2 * DAY),
        "new": (LinkStatus.PENDING, ProviderLinkStatus.ASKED, NOW),
        "open": (LinkStatus.OPEN, ProviderLinkStatus.OPEN, NOW - DAY),
        "refused": (LinkStatus.PENDING, ProviderLinkStatus.REFUSED, NOW - DAY),
    }
    for name, (status, behind, asked_at) in stands.items():
        _ = do(
            write(
                *inserted(link(name, reference=name, status=status)),
                STORE.insert_provider_link(name, attempt(name, status=behind, asked_at=asked_at), written()),
            )
        )

    before = do(STORE.links_in_work(before=NOW - dt.timedelta(minutes=1)))

    assert [stored.link.id for stored in before] == ["closing", "asked"]
    assert [stored.link.id for stored in do(STORE.links_in_work(2))] == ["closing", "asked"]
    assert [stored.link.id for stored in do(STORE.links_in_work())] == ["closing", "asked", "new"]


@pytest.mark.parametrize("status", LinkStatus)
def test_link_is_due_once_its_time_has_passed_and_it_can_still_be_paid(do: Do, status: LinkStatus) -> None:
    """Open and part-paid links only, from the very moment on."""
    _ = do(write(*inserted(link(status=status, expires_at=NOW))))

    due = [stored.link.id for stored in do(STORE.links_due(NOW))]

    assert due == (["L1"] if status in (LinkStatus.OPEN, LinkStatus.PART_PAID) else [])
    assert do(STORE.links_due(NOW - dt.timedelta(microseconds=1))) == ()


def test_payments_are_paged_oldest_first(do: Do) -> None:
    """By moment and id; pages join to the whole, also within one moment and by link."""
    moments = [NOW, NOW - DAY, NOW, NOW + DAY, NOW]
    for number, at in enumerate(moments):
        came = payment(f"PAY{number}", at=at, link_id="L1" if number % 2 == 0 else None)
        _ = do(write(STORE.insert_payment(came)))

    first = do(STORE.payments(limit=2))
    second = do(STORE.payments(after=first[-1].id, limit=2))
    third = do(STORE.payments(after=second[-1].id, limit=2))

    assert [each.id for each in (*first, *second, *third)] == ["PAY1", "PAY0", "PAY2", "PAY4", "PAY3"]
    assert [each.id for each in do(STORE.payments(since=NOW))] == ["PAY0", "PAY2", "PAY4", "PAY3"]
    of_link = do(STORE.payments(link_id="L1", limit=2))
    assert [each.id for each in of_link] == ["PAY0", "PAY2"]
    assert [each.id for each in do(STORE.payments(link_id="L1", after="PAY2"))] == ["PAY4"]


def test_exceptions_are_flagged_payments_and_payments_without_a_link(do: Do) -> None:
    """What a person has to look at, by id."""
    cases = [
        payment("A", link_id="L1"),
        payment("B", link_id=None),
        payment("C", link_id="L1", flags=frozenset({PaymentFlag.LATE, PaymentFlag.EXCESS})),
        payment("D", link_id=None),
    ]
    _ = do(write(*(STORE.insert_payment(each) for each in cases)))

    assert [each.id for each in do(STORE.exceptions(limit=2))] == ["B", "C"]
    assert [each.id for each in do(STORE.exceptions(after="C", limit=2))] == ["D"]


def test_refund_that_was_answered_is_not_in_work(do: Do) -> None:
    """Only what was asked for and not answered; one with the vendor's id waits for the bank."""
    cases = [
        refund("R1"),
        refund("R2", vendor_id="re_2"),
        refund("R3", status=RefundStatus.SUCCEEDED),
        refund("R4"),
    ]
    _ = do(write(*(STORE.insert_refund(each, written()) for each in cases)))

    assert [stored.refund.id for stored in do(STORE.refunds_in_work())] == ["R1", "R4"]
    assert [stored.refund.id for stored in do(STORE.refunds_in_work(1))] == ["R1"]


def test_delivery_is_due_when_prepared_or_deferred_until_now(do: Do) -> None:
    """What is unknown is never due, what is shared by hand is not ours to send, and a deferral has its time."""
    cases = [
        delivery("A", key="a", outcome=Outcome.PREPARED),
        delivery("B", key="b", outcome=Outcome.DEFERRED, retry_at=NOW),
        delivery("C", key="c", outcome=Outcome.DEFERRED, retry_at=NOW + DAY),
        delivery("D", key="d", outcome=Outcome.UNKNOWN),
        delivery("E", key="e", outcome=Outcome.PREPARED, medium=Medium.SHARE),
    ]
    _ = do(write(*inserted(link("L1", status=LinkStatus.OPEN))))
    _ = do(write(*(STORE.insert_delivery(each, message(), guard_payable=False) for each in cases)))

    assert [stored.delivery.id for stored in do(STORE.deliveries_due(NOW))] == ["A", "B"]
    assert [stored.delivery.id for stored in do(STORE.deliveries_due(NOW, 1, skip=1))] == ["B"]


@pytest.mark.parametrize("status", LinkStatus)
def test_delivery_that_asks_for_money_is_due_while_its_link_can_be_paid(do: Do, status: LinkStatus) -> None:
    """It waits, and takes nobody's place in the queue; a receipt is due in any state."""
    _ = do(write(*inserted(link("L1", status=status))))
    for name, purpose in (("A", Purpose.REQUEST), ("B", Purpose.REMINDER), ("C", Purpose.RECEIPT)):
        asked = evolve(delivery(name, outcome=Outcome.PREPARED), purpose=purpose)
        _ = do(write(STORE.insert_delivery(asked, message(), guard_payable=False)))

    due = [stored.delivery.id for stored in do(STORE.deliveries_due(NOW))]

    assert due == (["A", "B", "C"] if status in (LinkStatus.OPEN, LinkStatus.PART_PAID) else ["C"])


def test_turns_are_kept_by_sort_and_tenant(do: Do) -> None:
    """How many pieces a pass leaves to the next one; the passes themselves are not among them."""
    _ = do(write(STORE.turned("refunds", 200), STORE.passed("run_due", NOW)))
    _ = do(write(STORE.turned("refunds", 400)))

    assert do(STORE.turns()) == {"refunds": 400}
    assert do(Store(tenant="other").turns()) == {}


def test_events_of_one_link_are_handed_out_one_after_the_other(do: Do) -> None:
    """The oldest waits in front; once it is done the next one comes; a parked one holds up nobody."""
    for number, (event, where) in enumerate((("E1", "L1"), ("E2", "L1"), ("E3", "L2"), ("E4", "L1"))):
        _ = do(write(STORE.emit(paid(event, where), now=NOW + number * dt.timedelta(seconds=1))))
    later = NOW + DAY

    first = do(STORE.outbox_due(later))
    _ = do(write(STORE.event_done(first[0])))
    second = do(STORE.outbox_due(later))
    _ = do(write(STORE.event_failed(second[1], later, 10, "handler", parked=True)))

    assert [row.event.id for row in first] == ["E1", "E3"]
    assert [row.event.id for row in second] == ["E2", "E3"] or [row.event.id for row in second] == [
        "E3",
        "E2",
    ]
    (parked,) = do(STORE.outbox_parked())
    assert (parked.attempts, parked.error) == (10, "handler")
    _ = do(write(STORE.replay_event(parked, later)))
    assert do(STORE.outbox_parked()) == ()


def test_events_of_one_moment_keep_their_place(do: Do) -> None:
    """Two events of one batch come out as they were put in."""
    _ = do(write(STORE.emit(paid("Z"), now=NOW, place=0), STORE.emit(paid("A"), now=NOW, place=1)))

    (first,) = do(STORE.outbox_due(NOW))
    _ = do(write(STORE.event_done(first)))

    assert first.event.id == "Z"
    assert [row.event.id for row in do(STORE.outbox_due(NOW))] == ["A"]


def test_leased_event_is_another_workers_until_the_lease_ends(do: Do) -> None:
    """Two workers do not hand out one event; a worker that died gives it back in time."""
    _ = do(write(STORE.emit(paid(), now=NOW)))
    (row,) = do(STORE.outbox_due(NOW))
    _ = do(write(STORE.lease_event(row, NOW + DAY, NOW)))

    assert do(STORE.outbox_due(NOW)) == ()
    with pytest.raises(Conflict):
        _ = do(write(STORE.lease_event(row, NOW + DAY, NOW)))
    assert do(STORE.outbox_due(NOW + DAY)) == (row,)
    _ = do(write(STORE.event_failed(row, NOW + 2 * DAY, 1, "handler")))
    assert do(STORE.outbox_due(NOW + DAY)) == ()
    assert [again.attempts for again in do(STORE.outbox_due(NOW + 2 * DAY))] == [1]


def test_waiting_webhooks_come_oldest_first_and_leave_when_settled(do: Do) -> None:
    """A message that waited is processed once; a parked one is listed for a person."""
    _ = do(
        write(
            STORE.receive_event("stripe", "b", "k", "waiting", NOW, b"b"),
            STORE.receive_event("stripe", "a", "k", "waiting", NOW - DAY, b"a"),
            STORE.receive_event("stripe", "c", "k", "foreign", NOW, b""),
            STORE.receive_event("stripe", "d", "k", "parked", NOW, b"d", "unknown kind"),
        )
    )

    assert [row.event_id for row in do(STORE.inbox_waiting())] == ["a", "b"]
    assert [row.error for row in do(STORE.inbox_parked())] == ["unknown kind"]
    _ = do(write(STORE.settle_event("stripe", "a", "processed", NOW)))
    assert [row.event_id for row in do(STORE.inbox_waiting())] == ["b"]
    assert do(STORE.inbox_state("stripe", "a")) == "processed"


def test_forgotten_customer_leaves_money_and_no_name(do: Do) -> None:
    """His row, his addresses and the messages are gone; the link, and the key against a second message, stay."""
    given_link = link(status=LinkStatus.OPEN)
    _ = do(
        write(
            *inserted(given_link),
            STORE.insert_provider_link(
                "L1",
                attempt(status=ProviderLinkStatus.OPEN),
                written(b"email=zoe@example.com"),
            ),
            STORE.insert_delivery(delivery(), message(), guard_payable=True),
            *STORE.book(entry()),
        )
    )

    _ = do(write(*STORE.forget("L1")))

    stored = do(STORE.link("L1"))
    assert stored.link.order == order(customer=None)
    assert stored.content == content_of(given_link)
    assert stored.written == {}
    reserved = do(STORE.delivery_of("L1", "smtp", "zoe@example.com", Purpose.REQUEST))
    assert (reserved.delivery.recipient, reserved.message.content, reserved.message.subject) == ("", b"", "")
    page = do(STORE.entries_page(dt.date(2026, 1, 1), dt.date(2026, 12, 31)))
    assert [line.aux_label for line in page.lines] == ["", ""]
