"""
The promise of the README: whatever is cut, and wherever, running it again ends in the same state.

The journey is order → link → mail → payment → refund → books, against a real database, a real mail server and the
sandbox over real HTTP. The cuts are derived from what the journey yields: each effect, before and after.

One place cannot heal by itself, and must not: between the fence of a mail and the mail server's answer nobody can
know whether the mail has left. There the delivery stays `unknown`, and at most one mail was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve

from paybylink import (
    AsyncPayByLink,
    LinkStatus,
    Money,
    NotSent,
    Order,
    Outcome,
    OutcomeUnknown,
    PayByLink,
    PaymentLink,
)
from paybylink.accounting.reports import is_balanced
from paybylink.payments import Payment, RefundStatus

from .cutting import Cut, Knife, put_in_front
from .world import QUICK, World, running_world

#: How many effects the journey has. Fewer means fewer cuts; say so in the changelog before lowering it.
EFFECTS = 48

TEN = Money.of("10.00", "EUR")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sandbox for each test: what it lists is compared after every cut, so it has to stay short."""
    with running_world(tmp_path) as made:
        yield made


def journey(pay: PayByLink, world: World, order: Order, since: int) -> None:
    """The whole journey, which may have been cut anywhere before."""
    link = pay.create_link(order)
    _ = pay.send(link, via="email")
    world.customer_pays(link.url, order.reference)
    for call in world.told(since):
        assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
    payment = next(pay.payments(link=link))
    _ = pay.refund(payment, amount=TEN, reference=f"AV-{order.reference}")
    for call in world.told(since):
        assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200


async def async_journey(pay: AsyncPayByLink, world: World, order: Order, since: int) -> None:
    """The same, awaited."""
    link = await pay.create_link(order)
    _ = await pay.send(link, via="email")
    await asyncio.to_thread(world.customer_pays, link.url, order.reference)
    for call in await asyncio.to_thread(world.told, since):
        assert (await pay.receive("stripe", headers=call.headers, body=call.body)).status == 200
    payment = await first(pay.payments(link=link))
    _ = await pay.refund(payment, amount=TEN, reference=f"AV-{order.reference}")
    for call in await asyncio.to_thread(world.told, since):
        assert (await pay.receive("stripe", headers=call.headers, body=call.body)).status == 200


async def first(payments: AsyncIterator[Payment]) -> Payment:
    """The first of them."""
    return await anext(payments)


def check(store: str, world: World, order: Order, *, may_be_unknown: bool, where: str) -> None:
    """One link, one mail, one payment, one refund, balanced books."""
    reference = order.reference
    with world.pay_by_link(store) as pay:
        link = pay.link(reference)
        assert isinstance(link, PaymentLink), where
        (delivery,) = pay.deliveries(link)
        (payment,) = list(pay.payments())
        (refund,) = pay.refunds(payment)

        assert link.status is LinkStatus.PAID, where
        assert [link["active"] for link in world.links(reference)] in ([True], [False]), where
        assert len(world.intents(reference)) == 1, where
        assert [refund["amount"] for refund in world.refunds(reference)] == [1000], where
        assert refund.status is RefundStatus.SUCCEEDED, where
        assert payment.refunded == TEN, where
        if may_be_unknown and delivery.outcome is Outcome.UNKNOWN:
            assert world.mails(reference) <= 1, where
        else:
            assert delivery.outcome is Outcome.ACCEPTED, where
            assert world.mails(reference) == 1, where
        balance = pay.balance()
        assert is_balanced(balance), where
        assert {sums.account: sums.minor for sums in balance} == {"51151": 3990, "471": -3990}, where


def in_the_dark(knife: Knife) -> bool:
    """Whether the cut falls where nobody can know if the mail has left: after its fence, before its outcome."""
    done = "+".join(knife.passed[: (knife.at or 0) + knife.after])
    return "insert_delivery" in done and "update_delivery" not in done


def uncut(world: World, store: str, order: Order) -> list[str]:
    """The transcript of a journey that nobody cuts."""
    knife = Knife()
    with world.pay_by_link(store) as pay:
        put_in_front(pay, knife)
        journey(pay, world, order, len(world.receiver.calls))
    return knife.passed


def test_the_number_of_cuts_does_not_fall(world: World) -> None:
    """A journey that yields less is cut in fewer places; that must not happen unseen."""
    transcript = uncut(world, world.database("count"), world.order("COUNT"))

    assert len(transcript) >= EFFECTS, "\n".join(transcript)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_journey_that_is_cut_anywhere_and_run_again_ends_the_same(world: World, after: bool) -> None:
    """One link, one mail, one payment, one refund, balanced books, wherever the process had died."""
    at = 0
    while True:
        side = "after" if after else "before"
        order = world.order(f"CUT-{side}-{at}")
        store = world.database(order.reference)
        since = len(world.receiver.calls)
        knife = Knife(at=at, after=after)
        with world.pay_by_link(store) as pay:
            put_in_front(pay, knife)
            try:
                journey(pay, world, order, since)
            except Cut:
                pass
            else:
                break
        with world.pay_by_link(store) as pay:
            journey(pay, world, order, since)
        check(
            store, world, order, may_be_unknown=in_the_dark(knife), where=f"{side} {at}: {knife.passed[-1]}"
        )
        at += 1

    assert at >= EFFECTS


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("how", ["before", "after", "cancelled"])
async def test_the_same_holds_when_it_is_awaited_and_cut_or_cancelled(world: World, how: str) -> None:
    """The asynchronous driver heals in the same places, also when the awaiting task is cancelled there."""
    at = 0
    while True:
        order = world.order(f"ACUT-{how}-{at}")
        store = world.database(order.reference)
        since = len(world.receiver.calls)
        knife = Knife(at=at, after=how == "after")
        cancel = asyncio.Event() if how == "cancelled" else None
        ended = False
        async with world.async_pay_by_link(store) as pay:
            put_in_front(pay, knife, cancel=cancel)
            task = asyncio.create_task(async_journey(pay, world, order, since))
            if cancel is not None:
                waiting = asyncio.create_task(cancel.wait())
                _ = await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
                ended = task.done()
                _ = task.cancel()
                _ = waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            else:
                _ = await asyncio.wait({task})
                ended = not isinstance(task.exception(), Cut)
                if ended:
                    await task
        if ended:
            break
        async with world.async_pay_by_link(store) as pay:
            await async_journey(pay, world, order, since)
        await asyncio.to_thread(
            check,
            store,
            world,
            order,
            may_be_unknown=in_the_dark(knife),
            where=f"{how} {at}: {knife.passed[-1]}",
        )
        at += 1

    assert at >= EFFECTS


@pytest.mark.anyio
async def test_both_drivers_have_the_same_transcript(world: World) -> None:
    """What leaves the process does not depend on who drives."""
    order = world.order("SAME-SYNC")
    blocking = await asyncio.to_thread(uncut, world, world.database("same-sync"), order)
    knife = Knife()
    async with world.async_pay_by_link(world.database("same-async")) as pay:
        put_in_front(pay, knife)
        await async_journey(pay, world, world.order("SAME-ASYNC"), len(world.receiver.calls))

    assert knife.passed == blocking


FAULTS = [
    pytest.param("timeout_after", "/stripe/v1/payment_links", id="link-made-answer-lost"),
    pytest.param("timeout_before", "/stripe/v1/payment_links", id="link-not-made-no-answer"),
    pytest.param("reset_after", "/stripe/v1/payment_links", id="link-made-connection-reset"),
    pytest.param("reset_before", "/stripe/v1/payment_links", id="link-not-made-connection-reset"),
    pytest.param("reset_after", "/stripe/v1/refunds", id="refund-made-connection-reset"),
    pytest.param("timeout_after", "/stripe/v1/refunds", id="refund-made-answer-lost"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "path"), FAULTS)
def test_lost_answers_end_in_one_of_each(
    world: World, kind: str, path: str, request: pytest.FixtureRequest
) -> None:
    """The provider's answers are lost as often as the driver tries; calling again heals, without a second one."""
    reference = f"FAULT-{request.node.callspec.id}"
    order, store = world.order(reference), world.database(reference)
    since = len(world.receiver.calls)
    _ = world.sandbox.control.fault(kind, path, times=4, seconds=3)
    impatient = evolve(QUICK, attempts=2, reply_seconds=0.5)
    for _ in range(6):
        try:
            with world.pay_by_link(store, patience=impatient) as pay:
                journey(pay, world, order, since)
        except (OutcomeUnknown, NotSent):
            continue
        break
    else:
        pytest.fail("it did not heal")
    check(store, world, order, may_be_unknown=False, where=reference)
