"""A connection that the host lends: what is reserved on it becomes true with the host's own work, or never was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from paybylink import (
    AsyncPayByLink,
    LinkStatus,
    Money,
    Outcome,
    PayByLink,
    PaymentLink,
    PendingLink,
    ReferenceConflict,
    UnsupportedCapability,
)
from paybylink.client import LentPayByLink
from paybylink.drivers import run
from paybylink.kinds import SingleUse
from paybylink.payments import RefundStatus

from .world import World

PUBLIC = "http://127.0.0.1:9"
TEN = Money.of("10.00", "EUR")


def connection(store: str) -> Iterator[tuple[Any, Callable[[str], object]]]:
    """SQLAlchemy's `Connection`, and a way to run the host's own SQL on it."""
    engine = create_engine(store)
    with engine.connect() as lent:
        yield lent, lent.exec_driver_sql
    engine.dispose()


def session(store: str) -> Iterator[tuple[Any, Callable[[str], object]]]:
    """SQLAlchemy's `Session`."""
    engine = create_engine(store)
    with Session(engine) as lent:
        yield lent, lambda sql: lent.execute(text(sql))
    engine.dispose()


def dbapi(store: str) -> Iterator[tuple[Any, Callable[[str], object]]]:
    """Python's own `sqlite3`, as Django has underneath."""
    lent = sqlite3.connect(store.removeprefix("sqlite:///"))
    yield lent, lent.execute
    lent.close()


LENDINGS = [contextmanager(connection), contextmanager(session), contextmanager(dbapi)]
KINDS = pytest.mark.parametrize("lending", LENDINGS, ids=["connection", "session", "sqlite3"])


def shop(world: World, name: str) -> tuple[str, PayByLink]:
    """A database with a table of the host's in it, and a `PayByLink` on it."""
    store = world.database(name)
    with sqlite3.connect(store.removeprefix("sqlite:///")) as database:
        _ = database.execute("CREATE TABLE host (what TEXT)")
    return store, world.pay_by_link(store, public_url=PUBLIC)


def hosts_rows(store: str) -> list[str]:
    """What the host has committed."""
    with sqlite3.connect(store.removeprefix("sqlite:///")) as database:
        return [what for (what,) in database.execute("SELECT what FROM host")]


def reference_of(lending: Any, name: str) -> str:
    """A reference of its own for each kind of connection."""
    return f"{name}-{lending.__wrapped__.__name__}".upper()


@KINDS
def test_rolled_back_means_that_nothing_happened_anywhere(world: World, lending: Any) -> None:
    """Neither a link here, nor one at the provider, nor a mail."""
    reference = reference_of(lending, "ROLLBACK")
    store, pay = shop(world, reference)
    with pay, lending(store) as (lent, execute):
        since = len(world.sandbox.control.requests())
        _ = execute("INSERT INTO host VALUES ('order 1')")
        link = pay.using(lent).create_link(world.order(reference))
        _ = pay.using(lent).send(link, via="email")
        lent.rollback()
        _ = pay.run_due(only=link)
        _ = pay.run_due()

        assert isinstance(link, PendingLink)
        assert pay.link(reference) is None
        assert hosts_rows(store) == []
        assert world.sandbox.control.requests()[since:] == []
        assert world.mails(reference) == 0


@KINDS
def test_after_the_hosts_commit_the_pass_makes_and_sends_the_link(world: World, lending: Any) -> None:
    """The host's uncommitted row survives our statements, and everything becomes true with his commit."""
    reference = reference_of(lending, "COMMIT")
    store, pay = shop(world, reference)
    with pay, lending(store) as (lent, execute):
        _ = execute("INSERT INTO host VALUES ('order 1')")
        lent_pay = pay.using(lent)
        link = lent_pay.create_link(world.order(reference))
        delivery = lent_pay.send(link, via="email")
        assert lent_pay.create_link(world.order(reference)) == link
        assert lent_pay.send(link, via="email") == delivery
        assert (link.status, delivery.outcome) == (LinkStatus.PENDING, Outcome.PREPARED)
        assert link.url.startswith(f"{PUBLIC}/p/")
        assert world.links(reference) == []
        lent.commit()
        done = pay.run_due(only=link)
        made = pay.link(reference)

        assert (done.completed, done.delivered, done.failed) == (1, 1, ())
        assert made is not None
        assert (made.id, made.status, made.url) == (link.id, LinkStatus.OPEN, link.url)
        assert hosts_rows(store) == ["order 1"]
        assert len(world.links(reference)) == 1
        assert [one.outcome for one in pay.deliveries(made)] == [Outcome.ACCEPTED]
        assert world.mails(reference) == 1


@KINDS
def test_a_crash_between_the_hosts_commit_and_our_send_heals(world: World, lending: Any) -> None:
    """Any later pass of any process does what the dead one would have done."""
    reference = reference_of(lending, "CRASH")
    store, pay = shop(world, reference)
    with pay, lending(store) as (lent, _):
        link = pay.using(lent).create_link(world.order(reference))
        _ = pay.using(lent).send(link, via="email")
        lent.commit()
    with world.pay_by_link(store, public_url=PUBLIC) as pay:
        done = pay.run_due()

        assert (done.completed, done.delivered) == (1, 1)
        assert len(world.links(reference)) == world.mails(reference) == 1
        assert pay.run_due().completed == 0


@KINDS
def test_a_refund_reserved_on_a_lent_connection_goes_out_after_the_commit(world: World, lending: Any) -> None:
    """Rolled back it never was; committed it is sent once."""
    reference = reference_of(lending, "REFUND")
    store, pay = shop(world, reference)
    with pay, lending(store) as (lent, _):
        link = pay.create_link(world.order(reference))
        payment = world.paid(pay, world.links(reference)[0]["url"])
        _ = pay.using(lent).refund(payment)
        lent.rollback()
        assert pay.refunds(payment) == ()
        refund = pay.using(lent).refund(payment, amount=TEN, reference="AV-1")
        lent.commit()
        assert refund.status is RefundStatus.PENDING
        assert world.refunds(reference) == []
        done = pay.run_due(only=link)

        assert (done.refunded, done.failed) == (1, ())
        assert [one["amount"] for one in world.refunds(reference)] == [1000]
        assert [one.status for one in pay.refunds(payment)] == [RefundStatus.SUCCEEDED]


@KINDS
def test_a_webhook_received_on_a_lent_connection_counts_with_the_commit(world: World, lending: Any) -> None:
    """The answer to it may be sent only afterwards; after a rollback the provider tells it again."""
    reference = reference_of(lending, "WEBHOOK")
    store, pay = shop(world, reference)
    with pay, lending(store) as (lent, _):
        _ = pay.create_link(world.order(reference))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(world.links(reference)[0]["url"])
        calls = world.told(since)
        for ending in (lent.rollback, lent.commit):
            replies = [pay.using(lent).receive("stripe", headers=one.headers, body=one.body) for one in calls]
            assert sum(len(reply.events) for reply in replies) == 1
            ending()

        assert len(list(pay.payments())) == 1


def test_a_link_that_is_there_already_is_returned_as_it_is(world: World) -> None:
    """Open, with its address; other content is a conflict as anywhere."""
    store, pay = shop(world, "there")
    with pay, contextmanager(connection)(store) as (lent, _):
        link = pay.create_link(world.order("THERE"))
        found = pay.using(lent).create_link(world.order("THERE"))

        assert isinstance(found, PaymentLink)
        assert found == link
        with pytest.raises(ReferenceConflict):
            _ = pay.using(lent).create_link("1.00 EUR", reference="THERE")


def test_without_a_public_url_a_reserved_link_has_no_address_to_send(world: World) -> None:
    """Refused with the remedy; after the commit it can be sent."""
    store = world.database("address")
    with world.pay_by_link(store) as pay, contextmanager(connection)(store) as (lent, _):
        link = pay.using(lent).create_link(world.order("ADDRESS"))
        assert link.url == ""
        with pytest.raises(UnsupportedCapability, match="set public_url"):
            _ = pay.using(lent).send(link, via="email")
        lent.commit()
        _ = pay.run_due(only=link)
        made = pay.link("ADDRESS")
        assert made is not None
        assert pay.using(lent).send(made, via="email").outcome is Outcome.PREPARED
        lent.commit()
        _ = pay.run_due(only=made)

        assert world.mails("ADDRESS") == 1


def test_a_message_prepared_for_a_link_that_was_closed_meanwhile_is_not_sent(world: World) -> None:
    """The pass looks again before it hands anything over."""
    store, pay = shop(world, "closed-meanwhile")
    with pay, contextmanager(connection)(store) as (lent, _):
        link = pay.create_link(world.order("CLOSED-MEANWHILE"))
        _ = pay.using(lent).send(link, via="email")
        lent.commit()
        _ = pay.cancel(link)
        _ = pay.run_due()

        assert world.mails("CLOSED-MEANWHILE") == 0


def test_replacing_and_renewing_cannot_wait_for_a_commit(world: World) -> None:
    """They close something at the provider first, so a lent connection refuses them."""
    store, pay = shop(world, "cannot-wait")
    now = pay._clock()
    with pay, contextmanager(connection)(store) as (lent, _):
        link = pay.create_link(world.order("CANNOT-WAIT"))
        lent_pay = pay.using(lent)
        assert isinstance(lent_pay, LentPayByLink)
        assert not hasattr(lent_pay, "renew")
        replacing = pay.journeys.create_link(
            "1.00 EUR",
            reference="CANNOT-WAIT",
            description="",
            kind=SingleUse(),
            provider=None,
            expires_in=None,
            expires_at=None,
            replace=True,
            now=now,
            lent=True,
        )
        with pytest.raises(UnsupportedCapability, match="replace it without one"):
            _ = run(replacing, lent_pay._doors)
        from paybylink.workflows.issue import renew

        renewing = renew(
            pay.journeys.lent_merchant, link.id, expires_in=pay.journeys._default_expiry, now=now
        )
        with pytest.raises(UnsupportedCapability, match="renew it without one"):
            _ = run(renewing, lent_pay._doors)

        assert pay.link("CANNOT-WAIT") == link


def test_without_a_store_of_our_own_nothing_can_be_completed(world: World) -> None:
    """A stateless object refuses a lent connection, in either twin, instead of sending before the commit."""
    store = world.database("no-own")
    with (
        PayByLink(providers=[world.provider()], store=None) as pay,
        contextmanager(connection)(store) as (lent, _),
    ):
        with pytest.raises(UnsupportedCapability, match="give its database as store="):
            _ = pay.using(lent)
        with pytest.raises(UnsupportedCapability, match="give its database as store="):
            _ = AsyncPayByLink(providers=[world.provider()], store=None).using(lent)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["session", "connection"])
async def test_the_same_holds_awaited(world: World, kind: str) -> None:
    """On an `AsyncSession` or an `AsyncConnection`: all four methods, rolled back and committed."""
    reference = f"ASYNC-{kind.upper()}"
    store, closed = shop(world, reference)
    closed.close()
    engine = create_async_engine(store.replace("sqlite:", "sqlite+aiosqlite:"))
    async with (
        world.async_pay_by_link(store, public_url=PUBLIC) as pay,
        AsyncSession(engine) if kind == "session" else engine.connect() as lent,
    ):
        for end in (lent.rollback, lent.commit):
            _ = await lent.execute(text("INSERT INTO host VALUES ('order 1')"))
            link = await pay.using(lent).create_link(world.order(reference))
            delivery = await pay.using(lent).send(link, via="email")
            assert (link.status, delivery.outcome) == (LinkStatus.PENDING, Outcome.PREPARED)
            await end()
            done = await pay.run_due(only=link)
            assert (done.completed, done.delivered) == ((1, 1) if end == lent.commit else (0, 0))
        assert hosts_rows(store) == ["order 1"]
        assert (len(world.links(reference)), world.mails(reference)) == (1, 1)
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(world.links(reference)[0]["url"])
        for call in world.told(since):
            _ = await pay.using(lent).receive("stripe", headers=call.headers, body=call.body)
        await lent.commit()
        (payment,) = [payment async for payment in pay.payments()]
        _ = await pay.using(lent).refund(payment)
        await lent.commit()
        done = await pay.run_due(only=str(payment.link_id))

        assert done.refunded == 1
        assert [one["amount"] for one in world.refunds(reference)] == [4990]
    await engine.dispose()
