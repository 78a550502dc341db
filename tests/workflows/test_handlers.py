"""`@pay.on`: a host's handlers are called after the commit, at least once, in the order of each link."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from paybylink import AsyncPayByLink, LinkStatus, PayByLink, SettingsError
from paybylink.events import Event, LinkCancelled, LinkOpened, LinkPaid
from paybylink.flow import Flow
from paybylink.store import OutboxRow

from .world import Clock, World, meanwhile


def outbox(world: World, name: str) -> list[str]:
    """The states of everything in the outbox."""
    with sqlite3.connect(f"{world.folder}/{name}.db") as database:
        return [state for (state,) in database.execute("SELECT state FROM paybylink_outbox ORDER BY id")]


def note(pay: PayByLink | AsyncPayByLink, *kinds: type[Event]) -> list[Event]:
    """What a handler of those kinds hears."""
    told: list[Event] = []
    _ = pay.on(*kinds)(told.append)
    return told


def test_a_handler_is_called_after_the_commit(world: World) -> None:
    """Whoever looks from elsewhere sees what the event tells of."""
    store = world.database("committed")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        seen: list[LinkStatus] = []

        @pay.on(LinkPaid)
        def paid(event: LinkPaid) -> None:
            link = other.link(event.reference)
            assert link is not None
            seen.append(link.status)

        _ = world.paid(pay, pay.create_link(world.order("COMMITTED")).url)

        assert seen == [LinkStatus.PAID]


def test_a_handler_hears_only_what_it_asked_for(world: World) -> None:
    """Each event goes to every handler of its kind, once."""
    with world.shop("kinds") as pay:
        opened, both = note(pay, LinkOpened), note(pay, LinkOpened, LinkPaid)
        cancelled = note(pay, LinkCancelled)
        _ = world.paid(pay, pay.create_link(world.order("KINDS")).url)
        _ = pay.run_due()

        assert [type(event) for event in opened] == [LinkOpened]
        assert [type(event) for event in both] == [LinkOpened, LinkPaid]
        assert cancelled == []


def test_a_handler_that_fails_is_called_again_and_parked_after_ten_times(world: World) -> None:
    """With growing waits; what comes after on the same link waits for it, other links do not."""
    clock = Clock()
    with world.shop("fails", clock=clock) as pay:
        heard: list[str] = []
        broken = True

        @pay.on(LinkOpened, LinkCancelled)
        def fail(event: LinkOpened | LinkCancelled) -> None:
            heard.append(f"{event.reference}.{type(event).__name__}")
            if event.reference == "FAILS" and isinstance(event, LinkOpened) and broken:
                raise RuntimeError("zoe@example.com")

        _ = pay.cancel(pay.create_link(world.order("FAILS")))
        _ = pay.create_link(world.order("FINE"))
        _ = pay.run_due()
        assert heard == ["FAILS.LinkOpened", "FINE.LinkOpened"]
        for _ in range(20):
            clock.move(hours=2)
            _ = pay.run_due()

        assert heard.count("FAILS.LinkOpened") == 10
        assert heard[-1] == "FAILS.LinkCancelled"
        assert sorted(outbox(world, "fails")) == ["done", "done", "parked"]


def test_what_a_handler_raised_is_named_without_its_text(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A host's error may hold personal data; its type does not."""
    with world.shop("named") as pay:

        @pay.on(LinkOpened)
        def fail(event: LinkOpened) -> None:
            raise RuntimeError("zoe@example.com")

        _ = pay.create_link(world.order("NAMED"))
        with caplog.at_level("INFO"):
            _ = pay.run_due()
        with sqlite3.connect(f"{world.folder}/named.db") as database:
            ((error,),) = database.execute("SELECT error FROM paybylink_outbox").fetchall()

        assert error == "RuntimeError"
        assert "RuntimeError" in caplog.text
        assert "zoe@" not in caplog.text


def test_a_process_that_dies_in_a_handler_calls_it_again_later(world: World) -> None:
    """At least once, with the same id, so that a host that keeps the ids acts once."""
    clock = Clock()
    store = world.database("dies")
    with world.pay_by_link(store, clock=clock) as pay:
        first: list[str] = []

        @pay.on(LinkOpened)
        def die(event: LinkOpened) -> None:
            first.append(event.id)
            raise KeyboardInterrupt

        _ = pay.create_link(world.order("DIES"))
        with pytest.raises(KeyboardInterrupt):
            _ = pay.run_due()
    with world.pay_by_link(store, clock=clock) as pay:
        told = note(pay, LinkOpened)
        _ = pay.run_due()
        assert told == []
        clock.move(minutes=6)
        _ = pay.run_due()

        assert [event.id for event in told] == first


def test_two_workers_hand_an_event_out_once(world: World) -> None:
    """The one who was second finds it leased."""
    store = world.database("two-workers")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        mine, theirs = note(pay, LinkOpened), note(other, LinkOpened)
        _ = pay.create_link(world.order("TWO-WORKERS"))
        _ = meanwhile(pay, "lease_event", other.hand_out)

        assert pay.hand_out() == 0
        assert (len(mine), len(theirs)) == (0, 1)


def test_a_web_process_may_leave_events_to_a_worker(world: World) -> None:
    """`handlers="worker"` keeps them out of `receive` and `run_due`; `hand_out` is what the worker calls."""
    with world.shop("worker", handlers="worker") as pay:
        told = note(pay, LinkPaid)
        _ = world.paid(pay, pay.create_link(world.order("WORKER")).url)
        _ = pay.run_due()
        assert told == []
        handed = pay.hand_out()

        assert (handed, len(told)) == (2, 1)
        assert pay.hand_out() == 0


def test_handing_out_stops_when_its_time_is_over(world: World) -> None:
    """The rest waits for the next pass, so that a webhook is answered in time."""
    with world.shop("time", handlers="worker") as pay:
        told = note(pay, LinkOpened)
        for number in range(3):
            _ = pay.create_link(world.order(f"TIME-{number}"))

        assert pay.hand_out(seconds=0) == 0
        assert pay.hand_out(seconds=60) == 3
        assert len(told) == 3


def test_without_handlers_events_wait(world: World) -> None:
    """A process that registers none does not swallow what another one waits for."""
    store = world.database("nobody-hears")
    with world.pay_by_link(store) as pay:
        _ = pay.create_link(world.order("NOBODY-HEARS"))
        _ = pay.run_due()
        assert pay.hand_out() == 0
    with world.pay_by_link(store) as pay:
        told = note(pay, LinkOpened)

        assert (pay.hand_out(), len(told)) == (1, 1)


@pytest.mark.anyio
async def test_handlers_are_awaited(world: World) -> None:
    """Coroutines and plain functions alike; one that fails is called again."""
    clock = Clock()
    async with world.async_pay_by_link(world.database("awaited-handlers"), clock=clock) as pay:
        plain = note(pay, LinkOpened)
        heard: list[str] = []

        @pay.on(LinkOpened)
        async def fail_once(event: LinkOpened) -> None:
            await asyncio.sleep(0)
            heard.append(event.id)
            if len(heard) == 1:
                raise RuntimeError

        @pay.on(LinkPaid)
        async def never(event: LinkPaid) -> None:
            raise AssertionError(event)

        _ = await pay.create_link(world.order("AWAITED-HANDLERS"))
        _ = await pay.run_due()
        assert (len(heard), len(plain)) == (1, 1)
        clock.move(minutes=1)
        _ = await pay.run_due()

        assert (heard[0], len(heard), len(plain)) == (heard[1], 2, 2)
        assert await pay.hand_out() == 0


@pytest.mark.anyio
async def test_handing_out_awaited_stops_and_leaves_like_its_twin(world: World) -> None:
    """Time, workers, and nobody who hears."""
    store = world.database("awaited-out")
    async with (
        world.async_pay_by_link(store, handlers="worker") as pay,
        world.async_pay_by_link(store, handlers="worker") as other,
    ):
        since = len(world.receiver.calls)
        link = await pay.create_link(world.order("AWAITED-OUT"))
        _ = await asyncio.to_thread(world.sandbox.control.pay, link.url)
        for call in await asyncio.to_thread(world.told, since):
            _ = await pay.receive("stripe", headers=call.headers, body=call.body)
        _ = await pay.run_due()
        assert await pay.hand_out() == 0
        told = note(pay, LinkOpened, LinkPaid)
        _ = note(other, LinkOpened, LinkPaid)
        assert await pay.hand_out(seconds=0) == 0
        handed = await asyncio.gather(pay.hand_out(seconds=60), other.hand_out())

        assert sum(handed) == 2
        assert len(told) == handed[0]


@pytest.mark.anyio
async def test_an_event_that_another_worker_took_meanwhile_is_left_to_him(world: World) -> None:
    """Both have read the same page of the outbox."""
    store = world.database("awaited-lease")
    async with (
        world.async_pay_by_link(store, handlers="worker") as pay,
        world.async_pay_by_link(store, handlers="worker") as other,
    ):
        for number in range(2):
            _ = await pay.create_link(world.order(f"AWAITED-LEASE-{number}"))
        theirs = note(other, LinkOpened)

        @pay.on(LinkOpened)
        async def wait_for_the_other(event: LinkOpened) -> None:
            _ = await other.hand_out()

        assert await pay.hand_out() == 1
        assert len(theirs) == 1


@pytest.mark.anyio
async def test_an_event_that_is_always_leased_elsewhere_is_left_when_the_time_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for another worker for ever."""

    def leased_elsewhere(row: OutboxRow, *, now: dt.datetime) -> Flow[bool]:
        yield from ()
        return False

    async with world.async_pay_by_link(world.database("leased"), handlers="worker") as pay:
        told = note(pay, LinkOpened)
        _ = await pay.create_link(world.order("LEASED"))
        monkeypatch.setattr(pay.journeys, "lease_event", leased_elsewhere)

        assert await pay.hand_out(seconds=0.05) == 0
        assert told == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param({"handlers": "later"}, "handlers: ", id="handlers"),
        pytest.param(
            {"default_expiry": dt.timedelta(0)}, "default_expiry: is not more than zero", id="expiry"
        ),
        pytest.param({"public_url": "http://pay.example"}, "public_url: is not an https address", id="http"),
        pytest.param(
            {"public_url": "http://localhost.pay.example"},
            "public_url: is not an https",
            id="nearly-this-machine",
        ),
        pytest.param(
            {"public_url": "https://me:pw@pay.example"}, "public_url: holds a user name", id="login"
        ),
    ],
)
def test_a_set_up_that_contradicts_itself_is_refused(
    world: World, settings: dict[str, str], told: str
) -> None:
    """When the object is made, in either twin, with the name of the setting."""
    makers: list[Callable[..., object]] = [world.pay_by_link, world.async_pay_by_link]
    for make in makers:
        with pytest.raises(SettingsError, match=told):
            _ = make("sqlite:///never.db", **settings)


def test_names_that_are_used_twice_and_mixed_modes_are_refused(world: World) -> None:
    """Every fault at once."""
    from paybylink.providers.stripe import StripeProvider

    live = StripeProvider("sk_live_" + "0" * 24)
    with pytest.raises(SettingsError) as caught:
        _ = world.pay_by_link(
            "sqlite:///never.db",
            providers=[world.provider(), live],
            channels=[world.channel(), world.channel()],
            public_url="http://localhost:8000",
        )

    assert [fault.path for fault in caught.value.faults] == [
        "providers",
        "channels",
        "providers",
        "public_url",
    ]


@pytest.mark.anyio
async def test_settings_make_either_twin_and_nothing_is_opened_before_it_is_needed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment or from a file; an object that was never used has nothing to close."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAYBYLINK_STORE", f"sqlite:///{tmp_path}/never.db")
    monkeypatch.setenv("PAYBYLINK_PUBLIC_URL", "https://pay.example")
    file = tmp_path / "shop.toml"
    _ = file.write_text('[[providers]]\ntype = "stripe"\napi_key = "sk_test_file"\n')
    monkeypatch.setenv("PAYBYLINK_STRIPE_API_KEY", "sk_test_env")
    with PayByLink.from_env() as pay:
        assert pay.journeys.public_url == "https://pay.example"
    async with AsyncPayByLink.from_env() as twin:
        assert twin.journeys.public_url == "https://pay.example"
    monkeypatch.delenv("PAYBYLINK_STRIPE_API_KEY")
    with PayByLink.from_file(file) as pay:
        assert [provider.name for provider in pay.journeys.providers] == ["stripe"]
    async with AsyncPayByLink.from_file(file) as twin:
        assert [provider.name for provider in twin.journeys.providers] == ["stripe"]

    assert not (tmp_path / "never.db").exists()
