"""`run_due`: one pass heals whatever was cut, and one piece of work never stops the others."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from attrs import evolve

from paybylink import LinkStatus, Money, Outcome, OutcomeUnknown, PayByLink, PaymentLink
from paybylink.accounting.reports import is_balanced
from paybylink.events import Event, LinkOpened
from paybylink.workflows.due import Pass

from .world import QUICK, Clock, World, meanwhile

LINKS = "/stripe/v1/payment_links"
REFUNDS = "/stripe/v1/refunds"
WEEK = dt.timedelta(days=7)
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def lost(world: World, pay: PayByLink, reference: str) -> PaymentLink:
    """A link whose making was not answered."""
    _ = world.sandbox.control.fault("reset_after", LINKS)
    with pytest.raises(OutcomeUnknown) as caught:
        _ = pay.create_link(world.order(reference))
    assert caught.value.link is not None
    return caught.value.link


def test_one_pass_heals_everything_at_once(world: World) -> None:
    """A lost link, a lost close, a deferred mail, an end that has come, a lost refund, an event that waits."""
    clock = Clock()
    with world.shop("everything", patience=IMPATIENT, clock=clock) as pay:
        control = world.sandbox.control
        payment = world.paid(pay, pay.create_link(world.order("EV-REFUND"), expires_in=2 * WEEK).url)
        waiting = pay.create_link(world.order("EV-WAITING"), expires_in=2 * WEEK)
        since = len(world.receiver.calls)
        attempt = control.pay(waiting.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent)
        for call in reversed(world.told(since)):
            assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
        _ = control.fault("reset_after", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
        made = lost(world, pay, "EV-LOST")
        closing = pay.create_link(world.order("EV-CLOSING"), expires_in=2 * WEEK)
        _ = control.fault("reset_after", f"{LINKS}/", method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.cancel(closing)
        mailed = pay.create_link(world.order("EV-MAIL"), expires_in=2 * WEEK)
        _ = control.fault("mail_refuse_rcpt", status=451)
        _ = pay.send(mailed, via="email")
        over = pay.create_link(world.order("EV-OVER"), expires_in=dt.timedelta(minutes=5))
        clock.move(minutes=10)

        done = pay.run_due()
        again = pay.run_due()

        # The refund of the waiting payment was told by two events.
        assert done == Pass(completed=2, expired=1, delivered=1, refunded=1, told=2)
        assert again == Pass()
        stands = {link.id: link.status for link in pay.links()}
        assert stands[made.id] is LinkStatus.OPEN
        assert stands[closing.id] is stands[over.id] is LinkStatus.EXPIRED
        assert [delivery.outcome for delivery in pay.deliveries(mailed)] == [Outcome.ACCEPTED]
        assert [one["amount"] for one in world.refunds("EV-REFUND")] == [1000]
        assert is_balanced(pay.balance())


def test_one_piece_that_fails_does_not_stop_the_others(world: World) -> None:
    """It is counted by its code, and the next pass tries again."""
    with world.shop("one-fails", patience=IMPATIENT) as pay:
        first, second = lost(world, pay, "FAILS-1"), lost(world, pay, "FAILS-2")
        _ = world.sandbox.control.fault("reset_before", LINKS)
        done = pay.run_due()
        assert (done.completed, done.failed) == (1, ("outcome_unknown",))
        assert {link.id: link.status for link in pay.links()} == {
            first.id: LinkStatus.PENDING,
            second.id: LinkStatus.OPEN,
        }
        done = pay.run_due()

        assert (done.completed, done.failed) == (1, ())
        assert len(world.links("FAILS-1")) == len(world.links("FAILS-2")) == 1


def test_with_only_one_link_nothing_else_is_touched(world: World) -> None:
    """What a host calls after its own commit: that link, its messages and its refunds, named by value or by id."""
    clock = Clock()
    with world.shop("only", patience=IMPATIENT, clock=clock) as pay:
        mine, other = lost(world, pay, "ONLY-MINE"), lost(world, pay, "ONLY-OTHER")
        assert pay.run_due(only=mine) == Pass(completed=1)
        assert {link.id: link.status for link in pay.links()}[other.id] is LinkStatus.PENDING
        assert pay.run_due(only="nobody") == Pass()
        _ = world.sandbox.control.fault("mail_refuse_rcpt", status=451)
        _ = pay.send(mine, via="email")
        payment = world.paid(pay, world.links("ONLY-MINE")[0]["url"])
        assert pay.run_due(only=mine) == Pass()
        _ = world.sandbox.control.fault("reset_after", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment)
        clock.move(minutes=10)
        done = pay.run_due(only=mine.id)

        assert (done.refunded, done.failed) == (1, ())
        # It was paid meanwhile, so the deferred request stays where it is.
        assert [delivery.outcome for delivery in pay.deliveries(mine)] == [Outcome.DEFERRED]
        assert pay.run_due(only=mine).refunded == 0
        assert pay.run_due(only=other) == Pass(completed=1)


def test_with_only_one_link_a_close_is_left_to_the_ordinary_pass(world: World) -> None:
    """It is not what a host's own commit leaves behind."""
    with world.shop("only-close", patience=IMPATIENT) as pay:
        link = pay.create_link(world.order("ONLY-CLOSE"))
        _ = world.sandbox.control.fault("reset_after", f"{LINKS}/", method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.cancel(link)

        assert pay.run_due(only=link) == Pass()
        assert pay.run_due() == Pass(completed=1)


def test_two_passes_at_once_do_everything_once(world: World) -> None:
    """Two workers on one database."""
    store = world.database("workers")
    with (
        world.pay_by_link(store, patience=IMPATIENT) as pay,
        world.pay_by_link(store, patience=IMPATIENT) as other,
    ):
        _ = lost(world, pay, "WORKERS")
        _ = meanwhile(pay, f"POST {LINKS}", lambda: other.run_due())

        assert pay.run_due().failed == ()
        assert len(world.links("WORKERS")) == 1


def test_a_pass_hands_out_events(world: World) -> None:
    """What earlier processes left in the outbox."""
    store = world.database("hands-out")
    with world.pay_by_link(store) as pay:
        link = pay.create_link(world.order("HANDS-OUT"))
    with world.pay_by_link(store) as pay:
        told: list[Event] = []
        _ = pay.on(LinkOpened)(told.append)
        _ = pay.run_due()

        assert [event.link_id for event in told if isinstance(event, LinkOpened)] == [link.id]


@pytest.mark.anyio
async def test_everything_can_be_awaited(world: World) -> None:
    """The twin's every method, once around: the same promises by the other driver."""
    clock = Clock()
    async with world.async_pay_by_link(world.database("awaited"), clock=clock) as pay:
        told: list[Event] = []
        _ = pay.on(LinkOpened)(told.append)
        link = await pay.create_link(world.order("AW-1"), expires_in=WEEK)
        renewed = await pay.renew(link, expires_in=WEEK)
        other = await pay.cancel(await pay.create_link(world.order("AW-2")))
        since = len(world.receiver.calls)
        _ = await asyncio.to_thread(world.sandbox.control.pay, renewed.url)
        calls = await asyncio.to_thread(world.told, since)
        for call in calls:
            assert pay.verify("stripe", headers=call.headers, body=call.body)
        refreshed = await pay.refresh(link)
        for call in calls:
            assert (await pay.receive("stripe", headers=call.headers, body=call.body)).status == 200
        (payment,) = [payment async for payment in pay.payments(link=link)]
        refund = await pay.refund(payment)
        late = world.event("checkout.session.completed", world.session(other.url, "AW-2"))
        assert (await pay.receive("stripe", headers=late.headers, body=late.body)).status == 200
        clock.move(days=1)
        done = await pay.run_due()

        assert refreshed.status is LinkStatus.PAID
        assert done == Pass()
        assert {event.link_id for event in told if isinstance(event, LinkOpened)} == {link.id, other.id}
        assert await pay.link("AW-2") == await pay.link_by_token(other.token)
        assert await pay.link_by_token("nobody") is await pay.link("nobody") is None
        assert [one.id async for one in pay.links()] == [other.id, link.id]
        assert [one.id async for one in pay.links(status="paid")] == [other.id, link.id]
        assert [one.link_id async for one in pay.exceptions()] == [other.id]
        assert await pay.refunds(payment) == (refund,)
        assert [one async for one in pay.payments(since=payment.at + WEEK)] == []
        assert is_balanced(await pay.balance())


def test_lists_are_read_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing once, in order, however long the list is."""
    monkeypatch.setattr("paybylink.journeys.PAGE", 2)
    with world.shop("pages") as pay:
        made = [pay.create_link(world.order(f"PAGES-{number}"), kind="reusable") for number in range(5)]
        paid = [world.paid(pay, made[0].url) for _ in range(3)]
        odd = [
            world.event(
                "checkout.session.completed",
                world.session(made[1].url, "PAGES-1", amount_total=number),
            )
            for number in (1, 2, 3)
        ]
        for call in odd:
            _ = pay.receive("stripe", headers=call.headers, body=call.body)

        assert [link.id for link in pay.links()] == [link.id for link in reversed(made)]
        assert [payment.id for payment in pay.payments(link=made[0])] == [payment.id for payment in paid]
        assert len({payment.id for payment in pay.payments()}) == 6
        assert len({payment.id for payment in pay.exceptions()}) == 3
