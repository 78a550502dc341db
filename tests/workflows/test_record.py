"""What money does here: a payment is never lost, never booked twice, and the books balance at every moment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paybylink import Invoice, InvoiceBound, LinkStatus, Money, PayByLink, Payment, PaymentLink, Reusable
from paybylink.accounting.reports import is_balanced
from paybylink.events import (
    DisputeClosed,
    DisputeOpened,
    Event,
    LinkPaid,
    PaymentFailed,
    PaymentProcessing,
    PaymentReceived,
    RefundFailed,
    RefundSettled,
)
from paybylink.payments import PaymentFlag, PaymentStatus, RefundStatus

from .receiver import Call
from .world import World

COMPLETED = "checkout.session.completed"


def hear(pay: PayByLink, call: Call) -> list[Event]:
    """What one call meant; the books balance afterwards."""
    reply = pay.receive("stripe", headers=call.headers, body=call.body)
    assert reply.status == 200, reply.reason
    assert is_balanced(pay.balance())
    return list(reply.events)


def accounts(pay: PayByLink) -> dict[str, int]:
    """The balance of each account, in minor units."""
    return {sums.account: sums.minor for sums in pay.balance()}


def stands(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    """The link as it stands now."""
    found = pay.link(link.order.reference)
    assert found is not None
    return found


def refund_of(payment: Payment, **changes: Any) -> dict[str, Any]:
    """A refund as the provider tells it."""
    return {
        "id": f"re_{payment.vendor_id}",
        "object": "refund",
        "amount": 1000,
        "created": 1_790_000_000,
        "currency": "eur",
        "payment_intent": payment.vendor_id,
        "status": "succeeded",
    } | changes


# Payments


def test_a_payment_pays_its_link_and_is_booked_gross(world: World) -> None:
    """One payment, one entry, one event."""
    with world.shop("pays") as pay:
        told: list[Event] = []
        _ = pay.on(LinkPaid)(told.append)
        link = pay.create_link(world.order("PAYS"))
        payment = world.paid(pay, link.url)

        assert stands(pay, link).status is LinkStatus.PAID
        assert (payment.amount, payment.flags) == (link.order.amount, frozenset())
        assert (payment.reference, payment.link_id) == ("PAYS", link.id)
        assert [event.id for event in told] == [f"{payment.id}.succeeded"]
        assert accounts(pay) == {"51151": 4990, "471": -4990}


@pytest.mark.parametrize("succeeded", [True, False], ids=["comes", "fails"])
def test_a_delayed_payment_is_processing_until_it_comes_or_fails(world: World, succeeded: bool) -> None:
    """Nothing is booked before the money is certain, and a failure opens the link again."""
    reference = f"DELAYED-{succeeded}"
    with world.shop(reference) as pay:
        link = pay.create_link(world.order(reference))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url, how="delayed")
        begun = world.hear(pay, since)
        assert (stands(pay, link).status, stands(pay, link).payable) == (LinkStatus.PROCESSING, False)
        assert pay.balance() == ()
        since = len(world.receiver.calls)
        _ = world.sandbox.control.settle(link.url, succeeded=succeeded)
        ended = world.hear(pay, since)

        (payment,) = pay.payments()
        assert [type(event) for event in begun] == [PaymentProcessing]
        assert [type(event) for event in ended] == [LinkPaid if succeeded else PaymentFailed]
        assert payment.status is (PaymentStatus.SUCCEEDED if succeeded else PaymentStatus.FAILED)
        assert stands(pay, link).status is (LinkStatus.PAID if succeeded else LinkStatus.OPEN)
        assert accounts(pay) == ({"51151": 4990, "471": -4990} if succeeded else {})


def test_a_declined_card_changes_nothing(world: World) -> None:
    """The payer may try again; one attempt is not an event for the books."""
    with world.shop("declined") as pay:
        link = pay.create_link(world.order("DECLINED"))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url, how="declined")

        assert world.hear(pay, since) == []
        assert stands(pay, link) == link
        assert world.paid(pay, link.url).status is PaymentStatus.SUCCEEDED


def test_a_second_payment_of_a_single_use_link_is_excess(world: World) -> None:
    """It is kept and booked, and a person decides what becomes of it."""
    with world.shop("excess") as pay:
        link = pay.create_link(world.order("EXCESS"))
        first = world.paid(pay, link.url)
        second = world.paid(pay, link.url, although_closed=True)

        assert first.flags == frozenset()
        assert second.flags == {PaymentFlag.EXCESS}
        assert (stands(pay, link).status, stands(pay, link).payments) == (LinkStatus.PAID, 2)
        assert list(pay.exceptions()) == [second]
        assert accounts(pay) == {"51151": 9980, "471": -9980}


@pytest.mark.parametrize(
    ("changes", "amount", "status"),
    [
        pytest.param({"amount_total": 4900}, Money.of("49.00", "EUR"), LinkStatus.OPEN, id="less"),
        pytest.param({"amount_total": 5900}, Money.of("59.00", "EUR"), LinkStatus.PAID, id="more"),
        pytest.param({"currency": "usd"}, Money.of("49.90", "USD"), LinkStatus.OPEN, id="other-currency"),
        pytest.param(
            {"currency": "jpy", "amount_total": 4990}, Money.of("4990", "JPY"), LinkStatus.OPEN, id="no-cents"
        ),
    ],
)
def test_what_was_not_asked_for_is_a_mismatch(
    world: World, changes: dict[str, Any], amount: Money, status: LinkStatus
) -> None:
    """It is kept and booked in its own currency; only what covers the amount pays the link."""
    reference = f"MISMATCH-{amount.currency}-{amount.minor}"
    with world.shop(reference) as pay:
        link = pay.create_link(world.order(reference))
        events = hear(pay, world.event(COMPLETED, world.session(link.url, reference, **changes)))

        (payment,) = pay.payments()
        assert (payment.amount, stands(pay, link).status) == (amount, status)
        assert PaymentFlag.MISMATCH in payment.flags
        assert list(pay.exceptions()) == [payment]
        assert [type(event) for event in events] == [
            LinkPaid if status is LinkStatus.PAID else PaymentReceived
        ]
        assert {(sums.currency, sums.minor) for sums in pay.balance()} == {
            (amount.currency, amount.minor),
            (amount.currency, -amount.minor),
        }


def test_an_invoice_is_paid_in_parts(world: World) -> None:
    """`part_paid` counts what came; the last part pays it, and it goes to the customer's account."""
    with world.shop("part") as pay:
        order = world.order("PART")
        invoice = Invoice(number="F2026-0042", open_amount=order.amount)
        link = pay.create_link(order, kind=InvoiceBound(invoice))
        first = hear(pay, world.event(COMPLETED, world.session(link.url, "PART", amount_total=1990)))
        partly = stands(pay, link)
        second = hear(pay, world.event(COMPLETED, world.session(link.url, "PART", amount_total=3000)))

        assert (partly.status, partly.open_amount) == (LinkStatus.PART_PAID, Money.of("30.00", "EUR"))
        assert stands(pay, link).status is LinkStatus.PAID
        assert [type(event) for event in first + second] == [PaymentReceived, LinkPaid]
        assert accounts(pay) == {"51151": 4990, "411": -4990}
        assert list(pay.exceptions()) == []


def test_a_delayed_part_that_fails_leaves_the_invoice_part_paid(world: World) -> None:
    """It falls back to where it can be paid."""
    with world.shop("part-fails") as pay:
        order = world.order("PART-FAILS")
        link = pay.create_link(order, kind=InvoiceBound(Invoice(number="F1", open_amount=order.amount)))
        delayed = world.session(link.url, "PART-FAILS", amount_total=3000, payment_status="unpaid")
        _ = hear(pay, world.event(COMPLETED, world.session(link.url, "PART-FAILS", amount_total=1990)))
        _ = hear(pay, world.event(COMPLETED, delayed))
        assert stands(pay, link).status is LinkStatus.PROCESSING
        _ = hear(pay, world.event("checkout.session.async_payment_failed", delayed))

        assert stands(pay, link).status is LinkStatus.PART_PAID


def test_a_reusable_link_stays_open_and_counts(world: World) -> None:
    """One event and one entry for each payer; with a maximum, the last payment pays it."""
    with world.shop("reusable") as pay:
        told: list[Event] = []
        _ = pay.on(LinkPaid)(told.append)
        link = pay.create_link(world.order("REUSABLE"), kind="reusable")
        two = pay.create_link(world.order("REUSABLE-TWO"), kind=Reusable(max_payments=2))
        for _ in range(3):
            assert world.paid(pay, link.url).flags == frozenset()
        assert world.paid(pay, link.url, how="delayed").status is PaymentStatus.PROCESSING
        for _ in range(2):
            _ = world.paid(pay, two.url)
        third = world.paid(pay, two.url, although_closed=True)

        assert (stands(pay, link).status, stands(pay, link).payments) == (LinkStatus.OPEN, 3)
        assert stands(pay, link).payable
        assert stands(pay, two).status is LinkStatus.PAID
        assert third.flags == {PaymentFlag.EXCESS}
        assert len(told) == 6
        assert accounts(pay) == {"51151": 6 * 4990, "471": -6 * 4990}


def test_another_amount_by_a_reusable_link_is_a_mismatch(world: World) -> None:
    """The link counts it, and a person looks."""
    with world.shop("reusable-odd") as pay:
        link = pay.create_link(world.order("REUSABLE-ODD"), kind="reusable")
        events = hear(pay, world.event(COMPLETED, world.session(link.url, "REUSABLE-ODD", amount_total=1)))

        assert [type(event) for event in events] == [PaymentReceived]
        assert [payment.flags for payment in pay.exceptions()] == [{PaymentFlag.MISMATCH}]


def test_a_payment_of_a_link_that_nobody_knows_is_kept_and_listed(world: World) -> None:
    """Our mark is on it, but the link is in no book of ours: the money is booked all the same."""
    with world.shop("nobodys") as pay, world.shop("elsewhere") as other:
        link = other.create_link(world.order("ELSEWHERE"))
        session = world.session(link.url, "ELSEWHERE")
        events = hear(pay, world.event(COMPLETED, session))
        # The same without the provider's word for the link.
        events += hear(
            pay, world.event(COMPLETED, session | {"payment_link": None, "payment_intent": "pi_2"})
        )

        assert [type(event) for event in events] == [PaymentReceived, PaymentReceived]
        assert [(payment.link_id, payment.reference) for payment in pay.exceptions()] == [(None, "")] * 2
        assert accounts(pay) == {"51151": 9980, "471": -9980}


def test_a_delayed_payment_of_a_link_that_nobody_knows_is_kept(world: World) -> None:
    """It is booked when it comes."""
    with world.shop("nobodys-delayed") as pay, world.shop("elsewhere-delayed") as other:
        link = other.create_link(world.order("ELSEWHERE-DELAYED"))
        session = world.session(link.url, "ELSEWHERE-DELAYED", payment_status="unpaid")
        assert hear(pay, world.event(COMPLETED, session)) == []
        assert [payment.status for payment in pay.payments()] == [PaymentStatus.PROCESSING]
        paid = world.event("checkout.session.async_payment_succeeded", session | {"payment_status": "paid"})

        assert [type(event) for event in hear(pay, paid)] == [PaymentReceived]
        assert accounts(pay) == {"51151": 4990, "471": -4990}


def test_a_payment_is_found_by_the_providers_link_where_our_mark_is_unknown(world: World) -> None:
    """Metadata that somebody has changed in the dashboard does not lose the money."""
    with world.shop("mark") as pay:
        link = pay.create_link(world.order("MARK"))
        session = world.session(link.url, "MARK")
        session["metadata"] = {**session["metadata"], "paybylink_link": "changed"}
        _ = hear(pay, world.event(COMPLETED, session))

        assert stands(pay, link).status is LinkStatus.PAID


def test_a_payment_without_our_mark_is_found_by_asking(world: World) -> None:
    """Somebody has removed the mark in the dashboard, so its webhook looks foreign; the link's own list does not."""
    with world.shop("no-mark") as pay:
        link = pay.create_link(world.order("NO-MARK"))
        path = f"payment_links/{link.provider_links[0].vendor_id}"
        _ = world.by_hand(path, **{"metadata[paybylink_link]": "", "payment_intent_data[metadata][x]": "y"})
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url)
        assert world.hear(pay, since) == []

        assert pay.refresh(link).status is LinkStatus.PAID
        assert [payment.link_id for payment in pay.payments()] == [link.id]


def test_what_was_waived_as_a_whole_is_kept_and_not_booked(world: World) -> None:
    """A promotion code may leave nothing to pay: no money moved, so the books say nothing."""
    with world.shop("waived") as pay:
        link = pay.create_link(world.order("WAIVED"))
        session = world.session(
            link.url, "WAIVED", amount_total=0, payment_intent=None, payment_status="no_payment_required"
        )
        _ = hear(pay, world.event(COMPLETED, session))

        assert [payment.amount.minor for payment in pay.exceptions()] == [0]
        assert pay.balance() == ()


def test_a_word_that_nobody_knows_is_never_taken_for_money(world: World) -> None:
    """Kept verbatim, and settled by later news."""
    with world.shop("odd-word") as pay:
        link = pay.create_link(world.order("ODD-WORD"))
        session = world.session(link.url, "ODD-WORD", payment_status="promised")
        assert hear(pay, world.event(COMPLETED, session)) == []
        (payment,) = pay.payments()
        assert (payment.status, payment.vendor_status) == (PaymentStatus.UNKNOWN, "promised")
        assert not stands(pay, link).payable
        assert pay.balance() == ()
        _ = hear(pay, world.event(COMPLETED, session | {"payment_status": "paid"}))

        assert stands(pay, link).status is LinkStatus.PAID


# Refunds made elsewhere


def test_a_refund_made_in_the_dashboard_is_booked_once(world: World) -> None:
    """Told by several events, and by asking: one refund, one entry, one event."""
    with world.shop("dashboard") as pay:
        told: list[Event] = []
        _ = pay.on(RefundSettled)(told.append)
        link = pay.create_link(world.order("DASHBOARD"))
        payment = world.paid(pay, link.url)
        since = len(world.receiver.calls)
        made = world.by_hand("refunds", payment_intent=payment.vendor_id, amount="1000")
        _ = world.hear(pay, since)
        _ = pay.refresh(link)

        (refund,) = pay.refunds(payment)
        (payment,) = pay.payments()
        assert (refund.vendor_id, refund.reference) == (made["id"], f"stripe:{made['id']}")
        assert (payment.refunded, payment.refundable) == (Money.of("10.00", "EUR"), Money.of("39.90", "EUR"))
        assert len(told) == 1
        assert stands(pay, link).status is LinkStatus.PAID
        assert accounts(pay) == {"51151": 3990, "471": -3990}


def test_a_refund_that_fails_later_frees_its_amount_and_is_reversed(world: World) -> None:
    """The bank sent the money back: the entry is reversed, not deleted, and the host is told."""
    with world.shop("failed-later") as pay:
        told: list[Event] = []
        _ = pay.on(RefundFailed)(told.append)
        payment = world.paid(pay, pay.create_link(world.order("FAILED-LATER")).url)
        refund = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        assert accounts(pay) == {"51151": 3990, "471": -3990}
        since = len(world.receiver.calls)
        _ = world.sandbox.control.fail_refund(str(refund.vendor_id))
        _ = world.hear(pay, since)

        (payment,) = pay.payments()
        assert [one.status for one in pay.refunds(payment)] == [RefundStatus.FAILED]
        assert payment.refunded.minor == 0
        assert len(told) == 1
        assert accounts(pay) == {"51151": 4990, "471": -4990}


def test_late_news_of_a_failed_refund_do_not_touch_the_one_that_took_its_place(world: World) -> None:
    """The same reference is refunded again after a failure; what is told of the first attempt stays the first's."""
    with world.shop("again") as pay:
        payment = world.paid(pay, pay.create_link(world.order("AGAIN")).url)
        first = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        since = len(world.receiver.calls)
        failed = world.sandbox.control.fail_refund(str(first.vendor_id))
        _ = world.hear(pay, since)
        second = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        assert (second.id, second.status) == (first.id, RefundStatus.SUCCEEDED)
        assert second.vendor_id != first.vendor_id
        for kind, status in (("refund.failed", "failed"), ("refund.updated", "succeeded")):
            assert hear(pay, world.event(kind, {**failed, "status": status})) == []

        assert pay.refunds(payment) == (second,)
        assert accounts(pay) == {"51151": 3990, "471": -3990}
        assert len(world.refunds("AGAIN")) == 2


def test_news_of_an_attempt_given_up_that_moved_money_all_the_same_are_booked(world: World) -> None:
    """The provider is right about its own money: a refund that we took for failed is one more refund."""
    with world.shop("given-up") as pay:
        payment = world.paid(pay, pay.create_link(world.order("GIVEN-UP")).url)
        first = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        since = len(world.receiver.calls)
        _ = world.sandbox.control.fail_refund(str(first.vendor_id))
        _ = world.hear(pay, since)
        _ = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        ghost = refund_of(payment, metadata={"paybylink_refund": first.id}, amount=500)
        events = hear(pay, world.event("refund.updated", ghost))

        (payment,) = pay.payments()
        assert [type(event) for event in events] == [RefundSettled]
        assert payment.refunded == Money.of("15.00", "EUR")
        assert accounts(pay) == {"51151": 3490, "471": -3490}


def test_a_pending_refund_is_booked_when_it_settles_and_freed_when_it_fails(world: World) -> None:
    """Its amount is taken from what can be refunded from the first news on."""
    with world.shop("pending-refund") as pay:
        payment = world.paid(pay, pay.create_link(world.order("PENDING-REFUND")).url)
        before = accounts(pay)
        for place, (status, kind) in enumerate((("succeeded", RefundSettled), ("failed", RefundFailed))):
            refund = refund_of(payment, id=f"re_{place}", status="pending")
            assert hear(pay, world.event("refund.created", refund)) == []
            (payment,) = pay.payments()
            assert payment.refunded == Money.of(f"{10 * (place + 1)}.00", "EUR")
            events = hear(pay, world.event("refund.updated", refund | {"status": status}))
            assert [type(event) for event in events] == [kind]

        (payment,) = pay.payments()
        assert payment.refunded == Money.of("10.00", "EUR")
        assert accounts(pay) == {"51151": before["51151"] - 1000, "471": before["471"] + 1000}


def test_a_refund_told_as_failed_at_once_takes_nothing(world: World) -> None:
    """It is listed, and nothing is booked."""
    with world.shop("failed-first") as pay:
        payment = world.paid(pay, pay.create_link(world.order("FAILED-FIRST")).url)
        assert hear(pay, world.event("refund.failed", refund_of(payment, status="failed"))) == []

        assert [refund.status for refund in pay.refunds(payment)] == [RefundStatus.FAILED]
        assert [one.refunded.minor for one in pay.payments()] == [0]


def test_refunds_beyond_the_payment_are_booked_and_leave_nothing_to_refund(world: World) -> None:
    """The provider is right about its own money; what is left never falls below zero."""
    with world.shop("beyond") as pay:
        payment = world.paid(pay, pay.create_link(world.order("BEYOND")).url)
        _ = hear(pay, world.event("refund.created", refund_of(payment, amount=9990)))

        assert [one.refundable.minor for one in pay.payments()] == [0]
        assert accounts(pay) == {"51151": -5000, "471": 5000}


def test_a_refund_of_a_payment_without_a_link_is_booked(world: World) -> None:
    """Where its payment was booked."""
    with world.shop("nobodys-refund") as pay, world.shop("elsewhere-refund") as other:
        link = other.create_link(world.order("ELSEWHERE-REFUND"))
        _ = hear(pay, world.event(COMPLETED, world.session(link.url, "ELSEWHERE-REFUND")))
        (payment,) = pay.payments()
        events = hear(pay, world.event("refund.created", refund_of(payment)))

        assert [type(event) for event in events] == [RefundSettled]
        assert accounts(pay) == {"51151": 3990, "471": -3990}


# Disputes


def test_a_dispute_is_opened_and_closed_once(world: World) -> None:
    """News told twice or late act once, and each end is told."""
    with world.shop("dispute") as pay:
        payment = world.paid(pay, pay.create_link(world.order("DISPUTE")).url)
        dispute = {
            "id": "dp_1",
            "object": "dispute",
            "amount": 4990,
            "created": 1_790_000_000,
            "currency": "eur",
            "livemode": False,
            "payment_intent": payment.vendor_id,
            "reason": "fraudulent",
            "status": "needs_response",
        }
        kinds = [
            ("charge.dispute.created", "needs_response"),
            ("charge.dispute.updated", "under_review"),
            ("charge.dispute.closed", "won"),
            ("charge.dispute.updated", "under_review"),
            ("charge.dispute.closed", "won"),
            ("charge.dispute.closed", "lost"),
        ]
        events = [
            event
            for kind, status in kinds
            for event in hear(pay, world.event(kind, dispute | {"status": status}))
        ]
        opened, won, lost = events

        assert isinstance(opened, DisputeOpened)
        assert (opened.payment_id, opened.reason) == (payment.id, "fraudulent")
        assert isinstance(won, DisputeClosed)
        assert isinstance(lost, DisputeClosed)
        assert (won.won, lost.won) == (True, False)


def test_a_dispute_of_a_payment_that_nobody_knows_is_kept(world: World) -> None:
    """It waits for the payment; if the provider knows none either, it is parked with all it said."""
    with world.shop("dispute-nobodys") as pay:
        dispute = {
            "id": "dp_2",
            "amount": 100,
            "created": 1_790_000_000,
            "currency": "eur",
            "livemode": False,
            "payment_intent": "pi_nobody",
            "status": "lost",
        }
        assert hear(pay, world.event("charge.dispute.closed", dispute)) == []
        assert pay.run_due().told == 1
        assert pay.run_due().told == 0


def test_a_dispute_whose_payment_was_never_told_finds_it(world: World) -> None:
    """The payment's webhook was lost, and the provider is asked; the host learns of both."""
    with world.shop("dispute-lost-webhook") as pay:
        told: list[Event] = []
        _ = pay.on(LinkPaid, DisputeOpened)(told.append)
        link = pay.create_link(world.order("DISPUTE-LOST"))
        attempt = world.sandbox.control.pay(link.url)
        dispute = {
            "id": "dp_3",
            "amount": 4990,
            "created": 1_790_000_000,
            "currency": "eur",
            "livemode": False,
            "payment_intent": attempt.payment_intent,
            "status": "needs_response",
        }
        assert hear(pay, world.event("charge.dispute.created", dispute)) == []
        _ = pay.run_due()

        (payment,) = pay.payments()
        assert {type(event) for event in told} == {LinkPaid, DisputeOpened}
        assert {event.payment_id for event in told if isinstance(event, DisputeOpened)} == {payment.id}


def test_events_hold_no_name_and_no_address(world: World) -> None:
    """They are logged and queued by hosts."""
    with world.shop("plain-events") as pay:
        told: list[Event] = []
        _ = pay.on(LinkPaid, PaymentReceived, RefundSettled)(told.append)
        payment = world.paid(pay, pay.create_link(world.order("PLAIN-EVENTS")).url)
        _ = pay.refund(payment)
        _ = pay.run_due()

        written = json.dumps([str(event) for event in told])
        assert len(told) == 2
        assert "@" not in written
        assert "Zo" not in written
