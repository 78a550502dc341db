"""News in any order and of any amount are taken once, and never refused for ever."""

from __future__ import annotations

import json

import pytest

from paybylink import LinkStatus
from paybylink.accounting.reports import is_balanced
from paybylink.payments import PaymentFlag, PaymentStatus

from .world import World

COMPLETED = "checkout.session.completed"


def test_a_delayed_payment_that_is_told_backwards_does_not_stay_under_way(world: World) -> None:
    """The failure overtook the beginning, as webhooks do: nobody is told for ever that his money is on its way."""
    with world.shop("backwards") as pay:
        link = pay.create_link(world.order("BACKWARDS"))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url, how="delayed")
        begun = world.told(since)
        since = len(world.receiver.calls)
        _ = world.sandbox.control.settle(link.url, succeeded=False)
        failed = world.told(since)
        for call in (*failed, *begun):
            assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200

        (payment,) = pay.payments()
        assert payment.status is PaymentStatus.FAILED
        stands = pay.link("BACKWARDS")
        assert stands is not None
        assert stands.status is LinkStatus.OPEN


def test_a_payment_that_is_tried_again_under_its_id_is_under_way_again(world: World) -> None:
    """News that are younger than the failure count."""
    with world.shop("tried-again") as pay:
        link = pay.create_link(world.order("TRIED-AGAIN"))
        session = world.session(link.url, "TRIED-AGAIN", payment_status="unpaid")
        failed = world.event("checkout.session.async_payment_failed", session)
        later = json.loads(world.event(COMPLETED, session).body)
        later["created"] += 60
        for call in (failed, world.signed(json.dumps(later).encode())):
            assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200

        assert [payment.status for payment in pay.payments()] == [PaymentStatus.PROCESSING]


@pytest.mark.parametrize("intent", [None, "pi_nothing"], ids=["nothing-charged", "with-an-intent"])
def test_a_payment_of_nothing_is_kept_and_books_nothing(world: World, intent: str | None) -> None:
    """A code for 100 % that the merchant allowed in the dashboard: answered, listed, and the link can be closed."""
    reference = f"NOTHING-{intent}"
    with world.shop(reference) as pay:
        link = pay.create_link(world.order(reference))
        session = world.session(
            link.url, reference, amount_total=0, payment_intent=intent, payment_status="no_payment_required"
        )
        call = world.event(COMPLETED, session)
        assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200

        (payment,) = pay.payments()
        assert (payment.status, payment.amount.minor) == (PaymentStatus.SUCCEEDED, 0)
        assert payment.flags == {PaymentFlag.MISMATCH}
        assert list(pay.exceptions()) == [payment]
        assert is_balanced(pay.balance())


def test_where_nothing_was_charged_nobody_is_asked_for_refunds(world: World) -> None:
    """A session without a payment intent has none, and the provider would refuse the question."""
    asked = world.provider().refunds_of("cs_test_1")
    with pytest.raises(StopIteration) as answer:
        _ = next(asked)

    assert answer.value.value == []
