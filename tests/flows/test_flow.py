"""Promises about flows and the kit that tests them: no server is needed, and a script says what does not fit."""

from __future__ import annotations

import asyncio
import datetime as dt

import httpx
import pytest
from hypothesis import given

from paybylink.errors import Conflict, InvalidInput, NotSent
from paybylink.flow import (
    Batch,
    Call,
    Envelope,
    Flow,
    MailReply,
    MailServer,
    Rows,
    Statement,
    Step,
    post,
    read,
    write,
)
from paybylink.messages import Outcome
from paybylink.orders import Order
from paybylink.testing import Clock, name_of, script, strategies

from .driving import RecordingVault, Vendor, drive, request_of

FIND = Step(Statement("find_link", "SELECT 1", writes=False), {"id": "MARKED"})
OPEN = Step(Statement("open_link", "UPDATE"), {"id": "MARKED"}, expect=1)
ROWS = (Rows(({"one": 1},), 1),)
MAIL = Envelope(
    who="smtp",
    server=MailServer(host="mail.example", port=465),
    sender="pay@atelier.example",
    recipient="MARKED@example.com",
    content=b"",
)
ACCEPTED = MailReply(outcome=Outcome.ACCEPTED, phase="content")


def journey() -> Flow[str]:
    """One effect of each kind."""
    rows = yield from read(FIND)
    _ = yield from write(OPEN, FIND, fence=True)
    response: httpx.Response = yield request_of()
    reply = yield from post(MAIL)
    return f"{len(rows)} {response.status_code} {reply.outcome}"


class TestSteps:
    def test_are_batches_in_order(self) -> None:
        """`write` makes one batch of its steps and gives the rows of each; `read` gives the rows of its one."""
        played = script(write(OPEN, FIND, fence=True), [ROWS * 2])

        assert played.effects == (Batch((OPEN, FIND), fence=True),)
        assert played.result == ROWS * 2
        assert script(read(FIND), [ROWS]).result == ({"one": 1},)

    @pytest.mark.parametrize(
        ("steps", "writes"),
        [((), False), ((FIND,), False), ((FIND, OPEN), True)],
        ids=["none", "a query", "a write"],
    )
    def test_make_a_batch_write_if_one_of_them_does(self, steps: tuple[Step, ...], writes: bool) -> None:
        """A batch of queries needs no write lock."""
        assert Batch(steps).writes is writes


class TestScript:
    def test_drives_a_flow_by_hand(self) -> None:
        """Each effect meets its reply; the transcript names them, without a query, an address or a parameter."""
        played = script(journey(), [ROWS, ROWS * 2, httpx.Response(201), ACCEPTED])

        assert played.result == "1 201 accepted"
        assert played.transcript == (
            "batch find_link",
            "fence open_link + find_link",
            "POST api.vendor.example/v1/links",
            "mail smtp",
        )
        assert "MARKED" not in f"{played!r}{played.transcript}"

    def test_answers_by_looking_at_the_effect(self) -> None:
        """A function makes the reply from the effect."""

        def echo() -> Call[bytes]:
            response = yield request_of()
            return response.content

        def same(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=request.content)

        assert script(echo(), [same]).result == b"amount=4990&note=MARKED"

    def test_throws_errors_into_the_flow(self) -> None:
        """An error of our tree is thrown where the effect was yielded; the flow may go on."""

        def patient() -> Flow[int]:
            try:
                _ = yield from write(OPEN)
            except Conflict:
                return len((yield from read(FIND)))
            return 0

        assert script(patient(), [Conflict("open_link"), ROWS]).result == 1
        with pytest.raises(NotSent):
            _ = script(journey(), [lambda _: NotSent("no address")])

    @pytest.mark.parametrize(
        ("replies", "told"),
        [
            pytest.param([], "effect 1 is 'batch find_link', but only 0 replies were given", id="none"),
            pytest.param(
                [ROWS], "effect 2 is 'fence open_link . find_link', but only 1 replies", id="too few"
            ),
            pytest.param(
                [ROWS, ROWS * 2, httpx.Response(200), ACCEPTED, ROWS],
                "ended after 4 effects, and 1 of 5 replies were not asked for",
                id="too many",
            ),
        ],
    )
    def test_that_does_not_fit_fails_and_says_where(
        self, replies: list[httpx.Response | MailReply | tuple[Rows, ...]], told: str
    ) -> None:
        """A flow that asks for more or less than expected fails the test by name."""
        with pytest.raises(AssertionError, match=told):
            _ = script(journey(), replies)

    def test_closes_a_flow_that_it_leaves(self) -> None:
        """Too few replies leave no flow half-way."""
        ended = []

        def noting() -> Flow[None]:
            try:
                _ = yield from read(FIND)
            finally:
                ended.append(True)

        with pytest.raises(AssertionError):
            _ = script(noting(), [])
        assert ended == [True]

    @pytest.mark.parametrize("way", ["sync", "async"])
    def test_and_drivers_see_the_same_effects(self, way: str) -> None:
        """What the script calls the transcript is what a driver performs."""

        def short() -> Flow[int]:
            _ = yield from write(OPEN, FIND, fence=True)
            response: httpx.Response = yield request_of()
            return response.status_code

        vault, vendor = RecordingVault(), Vendor([201])
        played = script(short(), [ROWS * 2, httpx.Response(201)])

        assert drive(way, short(), vendor, vault=vault) == played.result
        performed = [name_of(batch) for batch in vault.performed] + [name_of(sent) for sent in vendor.seen]
        assert tuple(performed) == played.transcript


class TestClock:
    def test_stands_still_until_it_is_moved(self, moment: dt.datetime) -> None:
        """Time passes only when a test says so, on both of its faces."""
        clock = Clock(moment)
        assert (clock(), clock.monotonic()) == (moment, 0)

        clock.advance(days=1, hours=1, minutes=1, seconds=1)

        assert clock() == moment + dt.timedelta(days=1, hours=1, minutes=1, seconds=1)
        assert clock.monotonic() == 90061

    def test_waits_in_no_time(self) -> None:
        """A sleep moves the clock at once and is noted."""
        clock = Clock()
        clock.sleep(1.5)
        asyncio.run(clock.asleep(2))

        assert (clock.waits, clock.monotonic()) == ([1.5, 2], 3.5)

    def test_can_be_set_back_and_monotonic_does_not_notice(self, moment: dt.datetime) -> None:
        """The wall clock of a machine may jump; what is measured with `monotonic` may not."""
        clock = Clock(moment)
        clock.move_to((moment - dt.timedelta(hours=1)).astimezone(dt.timezone(dt.timedelta(hours=2))))

        assert clock() == moment - dt.timedelta(hours=1)
        assert clock().tzinfo is dt.UTC
        assert clock.monotonic() == 0

    def test_refuses_what_no_clock_does(self) -> None:
        """No naive moment, and no step back by mistake."""
        with pytest.raises(InvalidInput, match="now: has no time zone"):
            _ = Clock(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - refused for it
        with pytest.raises(InvalidInput, match=r"use move_to\(\)"):
            Clock().advance(seconds=-1)


@given(strategies.orders(references=["INV-7"]))
def test_orders_of_the_shared_strategies_are_legal(order: Order) -> None:
    """Everything drawn can be asked for; a property needs no filter."""
    assert order.reference == "INV-7"
    assert 0 < order.amount.minor < 10**12
