"""Only a certain "no" frees a request: an answer that says nothing of an earlier sending makes nothing anew."""

from __future__ import annotations

import pytest
from attrs import evolve

from paybylink import Money, OutcomeUnknown, PayByLink, PaybylinkError, Payment
from paybylink.payments import RefundStatus

from .world import QUICK, Clock, World

LINKS = "/stripe/v1/payment_links"
REFUNDS = "/stripe/v1/refunds"
TEN = Money.of("10.00", "EUR")
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def paid(world: World, pay: PayByLink, reference: str) -> Payment:
    """A payment that has come."""
    return world.paid(pay, pay.create_link(world.order(reference)).url)


@pytest.mark.parametrize("status", [401, 403, 404], ids=["wrong-key", "key-without-right", "not-stripe"])
@pytest.mark.parametrize("late", [False, True], ids=["key-lives", "key-died"])
def test_a_refusal_to_listen_is_no_word_about_a_link_that_was_asked_for_before(
    world: World, status: int, late: bool
) -> None:
    """The answer was lost, then the API key was wrong for a while: still one link, by call and by pass."""
    reference = f"UNHEARD-{status}-{late}"
    text = "<html>not here</html>" if status == 404 else ""
    clock = Clock()
    with world.shop(reference, patience=IMPATIENT, clock=clock) as pay:
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order(reference))
        clock.move(hours=30 if late else 1)
        _ = world.sandbox.control.fault("status", "/stripe/v1/", times=None, status=status, text=text)
        with pytest.raises(PaybylinkError):
            _ = pay.create_link(world.order(reference))
        _ = pay.run_due()
        world.sandbox.control.clear_faults()

        assert pay.create_link(world.order(reference)).payable
        assert len(world.links(reference)) == 1


@pytest.mark.parametrize("status", [401, 403, 404], ids=["wrong-key", "key-without-right", "not-stripe"])
@pytest.mark.parametrize("late", [False, True], ids=["key-lives", "key-died"])
def test_a_refusal_to_listen_is_no_word_about_a_refund_that_was_asked_for_before(
    world: World, status: int, late: bool
) -> None:
    """The same for money that goes back: it is sent once, and its amount stays taken meanwhile."""
    reference = f"UNHEARD-REFUND-{status}-{late}"
    text = "<html>not here</html>" if status == 404 else ""
    clock = Clock()
    with world.shop(reference, patience=IMPATIENT, clock=clock) as pay:
        payment = paid(world, pay, reference)
        _ = world.sandbox.control.fault("reset_after", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        clock.move(hours=30 if late else 1)
        _ = world.sandbox.control.fault("status", "/stripe/v1/", times=None, status=status, text=text)
        with pytest.raises(PaybylinkError):
            _ = pay.refund(payment, amount=TEN, reference="AV-1")
        _ = pay.run_due()
        world.sandbox.control.clear_faults()

        assert pay.refund(payment, amount=TEN, reference="AV-1").status is RefundStatus.SUCCEEDED
        assert [refund["amount"] for refund in world.refunds(reference)] == [1000]
