"""`refund`: money goes back once for each (payment, reference), and never more than came."""

from __future__ import annotations

import json
import sqlite3

import pytest
from attrs import evolve

from paybylink import InvalidInput, Money, NotFound, OutcomeUnknown, PayByLink, Payment, ProviderError, Refund
from paybylink.errors import Conflict
from paybylink.payments import RefundStatus

from .world import QUICK, Clock, World, meanwhile

REFUNDS = "/stripe/v1/refunds"
TEN = Money.of("10.00", "EUR")
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def paid(world: World, pay: PayByLink, reference: str) -> Payment:
    """A payment of a fresh link."""
    return world.paid(pay, pay.create_link(world.order(reference)).url)


def amounts(world: World, reference: str) -> list[int]:
    """What has gone back at the provider, in cents."""
    return [refund["amount"] for refund in world.refunds(reference)]


def left(pay: PayByLink) -> Money:
    """What can still be refunded of the only payment."""
    (payment,) = pay.payments()
    return payment.refundable


def test_without_a_reference_the_whole_payment_goes_back_once(world: World) -> None:
    """The same call again returns the same refund; its webhooks change nothing more."""
    with world.shop("whole") as pay:
        payment = paid(world, pay, "WHOLE")
        since = len(world.receiver.calls)
        refund = pay.refund(payment, reason="returned")
        again = pay.refund(payment)
        _ = world.hear(pay, since)

        assert (refund.amount, refund.status, refund.reason) == (
            payment.amount,
            RefundStatus.SUCCEEDED,
            "returned",
        )
        assert again == refund
        assert pay.refunds(payment) == (refund,)
        assert amounts(world, "WHOLE") == [4990]
        assert {sums.minor for sums in pay.balance()} == {0}


def test_parts_have_references_and_the_same_one_goes_back_once(world: World) -> None:
    """Two credit notes, and the rest under a third; a retry of any of them finds it."""
    with world.shop("parts") as pay:
        payment = paid(world, pay, "PARTS")
        first = pay.refund(payment, amount=TEN, reference="AV-1")
        second = pay.refund(payment, amount=TEN, reference="AV-2")
        rest = pay.refund(payment, reference="AV-3")

        assert pay.refund(payment, amount=TEN, reference="AV-1") == first
        assert pay.refund(payment, reference="AV-1") == first
        assert pay.refund(payment, reference="AV-3") == rest
        assert pay.refunds(payment) == (first, second, rest)
        assert amounts(world, "PARTS") == [1000, 1000, 2990]
        assert left(pay).minor == 0


def test_a_refund_that_cannot_be_is_refused_before_anything_is_sent(world: World) -> None:
    """Every fault names the field, and what to do."""
    with world.shop("cannot") as pay, world.shop("cannot-else") as other:
        payment = paid(world, pay, "CANNOT")
        _ = pay.refund(payment, amount=TEN, reference="AV-1")
        faults = [
            ({"amount": TEN}, "reference: is missing for a part"),
            ({"amount": Money.of("11.00", "EUR"), "reference": "AV-1"}, "use another reference"),
            ({"amount": Money.of("39.91", "EUR"), "reference": "AV-2"}, "refund at most 39.90 EUR"),
            ({"amount": Money.of("10.00", "USD"), "reference": "AV-2"}, "refund in EUR"),
            ({"amount": Money.of("0.00", "EUR"), "reference": "AV-2"}, "refund at most 39.90 EUR"),
            ({}, "a part was refunded already"),
        ]
        for given, told in faults:
            with pytest.raises(InvalidInput, match=told):
                _ = pay.refund(payment, **given)  # type: ignore[arg-type]
        with pytest.raises(NotFound, match="no payment"):
            _ = other.refund(payment)

        assert amounts(world, "CANNOT") == [1000]
        assert left(pay) == Money.of("39.90", "EUR")


def test_only_money_that_has_come_goes_back(world: World) -> None:
    """A delayed payment may still fail."""
    with world.shop("not-yet") as pay:
        link = pay.create_link(world.order("NOT-YET"))
        payment = world.paid(pay, link.url, how="delayed")
        with pytest.raises(InvalidInput, match="only money that has come"):
            _ = pay.refund(payment)


def test_what_the_provider_refuses_is_freed(world: World) -> None:
    """It never happened; the amount can be refunded again, under the same reference."""
    with world.shop("refuses") as pay:
        payment = paid(world, pay, "REFUSES")
        _ = world.sandbox.control.fault("status", REFUNDS, status=402)
        with pytest.raises(ProviderError):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        assert left(pay) == payment.amount
        assert [refund.status for refund in pay.refunds(payment)] == [RefundStatus.FAILED]

        again = pay.refund(payment, amount=Money.of("12.00", "EUR"), reference="AV-1")

        assert again.status is RefundStatus.SUCCEEDED
        assert amounts(world, "REFUSES") == [1200]
        assert left(pay) == Money.of("37.90", "EUR")


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
@pytest.mark.parametrize("healer", ["call", "pass"])
def test_an_unknown_outcome_heals_without_a_second_refund(world: World, fault: str, healer: str) -> None:
    """The same bytes under the same key, by the same call or by the next pass."""
    reference = f"UNKNOWN-{fault}-{healer}"
    with world.shop(reference, patience=IMPATIENT) as pay:
        payment = paid(world, pay, reference)
        since = len(world.sandbox.control.requests())
        _ = world.sandbox.control.fault(fault, REFUNDS)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        unknown = caught.value.subject
        assert isinstance(unknown, Refund)
        assert (unknown.status, left(pay)) == (RefundStatus.PENDING, Money.of("39.90", "EUR"))
        if healer == "call":
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        else:
            done = pay.run_due()
            assert (done.refunded, done.failed) == (1, ())

        (refund,) = pay.refunds(payment)
        assert (refund.id, refund.status) == (unknown.id, RefundStatus.SUCCEEDED)
        assert amounts(world, reference) == [1000]
        assert len({request.idempotency_key for request in world.requests("POST", REFUNDS, since)}) == 1
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 3990, "471": -3990}


@pytest.mark.parametrize("made", [True, False], ids=["made", "not-made"])
def test_after_the_keys_life_the_provider_is_asked(world: World, made: bool) -> None:
    """Found, it is booked; surely not made, its amount is free again."""
    reference = f"KEY-{made}"
    clock = Clock()
    with world.shop(reference, patience=IMPATIENT, clock=clock) as pay:
        payment = paid(world, pay, reference)
        _ = world.sandbox.control.fault("reset_after" if made else "reset_before", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        clock.move(hours=30)
        since = len(world.sandbox.control.requests())
        refund = pay.refund(payment, amount=TEN, reference="AV-1")

        assert world.requests("POST", REFUNDS, since) == []
        assert refund.status is (RefundStatus.SUCCEEDED if made else RefundStatus.FAILED)
        assert left(pay) == Money.of("39.90" if made else "49.90", "EUR")
        assert amounts(world, reference) == ([1000] if made else [])
        if not made:
            assert pay.refund(payment, amount=TEN, reference="AV-1").status is RefundStatus.SUCCEEDED


def test_a_provider_in_trouble_frees_nothing(world: World) -> None:
    """A 503, or an API key that is wrong for a while, says nothing about what was done before, also when asked."""
    clock = Clock()
    with world.shop("refund-trouble", patience=IMPATIENT, clock=clock) as pay:
        payment = paid(world, pay, "REFUND-TROUBLE")
        _ = world.sandbox.control.fault("status", REFUNDS, status=503, work=True)
        with pytest.raises((ProviderError, OutcomeUnknown)):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        _ = world.sandbox.control.fault("status", REFUNDS, status=401)
        with pytest.raises(ProviderError):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        assert left(pay) == Money.of("39.90", "EUR")
        clock.move(hours=30)
        _ = world.sandbox.control.fault("status", REFUNDS, status=403)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        assert left(pay) == Money.of("39.90", "EUR")

        assert pay.refund(payment, amount=TEN, reference="AV-1").status is RefundStatus.SUCCEEDED
        assert amounts(world, "REFUND-TROUBLE") == [1000]


def test_a_key_that_is_known_with_other_bytes_asks_instead_of_asking_anew(world: World) -> None:
    """Something was made under that key, so a refusal of it is no "no"."""
    text = json.dumps({"error": {"type": "idempotency_error", "message": "Keys for idempotent requests …"}})
    with world.shop("refund-conflict") as pay:
        payment = paid(world, pay, "REFUND-CONFLICT")
        _ = world.sandbox.control.fault("status", REFUNDS, status=400, text=text, work=True, method="POST")
        refund = pay.refund(payment, amount=TEN, reference="AV-1")

        assert refund.status is RefundStatus.SUCCEEDED
        assert amounts(world, "REFUND-CONFLICT") == [1000]


def test_a_refund_that_only_waits_for_the_bank_is_not_asked_for_again(world: World) -> None:
    """The provider has taken it; news of it come by webhook."""
    with world.shop("bank", patience=IMPATIENT) as pay:
        payment = paid(world, pay, "BANK")
        _ = world.sandbox.control.fault("reset_before", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        (asked,) = pay.refunds(payment)
        told = world.event(
            "refund.created",
            {
                "id": "re_bank",
                "amount": 1000,
                "created": 1_790_000_000,
                "currency": "eur",
                "metadata": {"paybylink_refund": asked.id},
                "payment_intent": payment.vendor_id,
                "status": "pending",
            },
        )
        assert pay.receive("stripe", headers=told.headers, body=told.body).status == 200
        since = len(world.sandbox.control.requests())
        refund = pay.refund(payment, amount=TEN, reference="AV-1")

        assert (refund.status, refund.vendor_id) == (RefundStatus.PENDING, "re_bank")
        assert pay.run_due().refunded == 0
        assert pay.run_due(only=str(payment.link_id)).failed == ()
        assert world.requests("POST", REFUNDS, since) == []


def test_two_who_refund_at_once_refund_once(world: World) -> None:
    """The one who was second reads again, and finds it."""
    store = world.database("refund-two")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        payment = paid(world, pay, "REFUND-TWO")
        _ = meanwhile(pay, "insert_refund", lambda: other.refund(payment))

        assert pay.refund(payment).status is RefundStatus.SUCCEEDED
        assert amounts(world, "REFUND-TWO") == [4990]


def test_a_store_where_somebody_else_is_always_first_ends_in_a_conflict(world: World) -> None:
    """Before anything was sent, and after a refusal, where the row stays for the next pass."""

    def somebody_is_first() -> None:
        raise Conflict("refund")

    store = world.database("refund-contested")
    with world.pay_by_link(store) as pay:
        payment = paid(world, pay, "REFUND-CONTESTED")
        _ = meanwhile(pay, "insert_refund", somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = pay.refund(payment)
    with world.pay_by_link(store) as pay:
        _ = world.sandbox.control.fault("status", REFUNDS, status=402, times=2)
        _ = meanwhile(pay, "update_refund", somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = pay.refund(payment)
    with world.pay_by_link(store) as pay:
        _ = meanwhile(pay, "update_refund", somebody_is_first, times=1)
        with pytest.raises(ProviderError):
            _ = pay.refund(payment)

        assert [refund.status for refund in pay.refunds(payment)] == [RefundStatus.FAILED]
        assert left(pay) == payment.amount
        assert amounts(world, "REFUND-CONTESTED") == []


def test_a_refusal_that_another_worker_has_written_down_frees_the_amount_once(world: World) -> None:
    """Two calls at once: both are told, and the money is not freed twice."""
    store = world.database("refused-twice")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        payment = paid(world, pay, "REFUSED-TWICE")
        _ = pay.refund(payment, amount=TEN, reference="AV-1")
        _ = world.sandbox.control.fault("status", REFUNDS, status=402, times=2)

        def the_other_is_first() -> None:
            with pytest.raises(ProviderError):
                _ = other.refund(payment, amount=TEN, reference="AV-2")

        _ = meanwhile(pay, f"POST {REFUNDS}", the_other_is_first, after=True)
        with pytest.raises(ProviderError):
            _ = pay.refund(payment, amount=TEN, reference="AV-2")

        assert left(pay) == Money.of("39.90", "EUR")


def test_a_refund_whose_payment_is_gone_from_the_database_is_left_alone(world: World) -> None:
    """Somebody has deleted rows by hand: counted as a failure, and no money moves."""
    with world.shop("deleted", patience=IMPATIENT) as pay:
        payment = paid(world, pay, "DELETED")
        _ = world.sandbox.control.fault("reset_before", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment)
        with sqlite3.connect(f"{world.folder}/deleted.db") as database:
            _ = database.execute("DELETE FROM paybylink_payments")

        assert pay.run_due().failed == ("not_found",)
        assert amounts(world, "DELETED") == []
