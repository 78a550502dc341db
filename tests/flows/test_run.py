"""Promises about the drivers: same journey, same transcript; cancellation closes, and a lent vault sends nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from paybylink.drivers import AsyncDoors, Doors, arun, run
from paybylink.errors import Conflict, NotSent, PaybylinkError, StoreError, UnsupportedCapability
from paybylink.flow import (
    Batch,
    Envelope,
    Flow,
    MailReply,
    MailServer,
    Retry,
    Rows,
    Statement,
    Step,
    post,
    read,
    write,
)
from paybylink.messages import Outcome
from paybylink.testing import name_of

from .driving import WAYS, AsyncRecordingVault, RecordingVault, Vendor, drive, one, request_of

READ = Step(Statement("find_link", "SELECT 1", writes=False), {})
RESERVE = Step(Statement("reserve_link", "INSERT"), {})
OPEN = Step(Statement("open_link", "UPDATE"), {}, expect=1)

both_ways = pytest.mark.parametrize("way", WAYS)


class Journey:
    """Reads, reserves behind a fence, sends, writes down the outcome, and remembers how it ended."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.ended = ""

    def __call__(self) -> Flow[int]:
        try:
            rows = yield from read(READ)
            assert rows == ({"one": 1},)
            _ = yield from write(RESERVE, fence=True)
            request = request_of()
            self.effects.append(name_of(request))
            response: httpx.Response = yield request
            _ = yield from write(OPEN, READ)
            self.ended = "returned"
        except GeneratorExit:
            self.ended = "closed"
            raise
        return response.status_code


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def envelope() -> Envelope:
    server = MailServer(host="127.0.0.1", port=closed_port(), security="none", timeout_seconds=5)
    return Envelope(
        who="smtp", server=server, sender="a@atelier.example", recipient="b@example.com", content=b""
    )


class TestJourneys:
    def test_are_the_same_through_both_drivers(self) -> None:
        """Both perform the same effects in the same order and return the same."""
        told = []
        for way in WAYS:
            vault, vendor = RecordingVault(), Vendor([201])
            result = drive(way, Journey()(), vendor, vault=vault)
            told.append(
                (
                    result,
                    [name_of(batch) for batch in vault.performed],
                    [(request.method, request.url, request.content) for request in vendor.seen],
                )
            )

        assert told[0] == told[1]
        assert told[0][1] == ["batch find_link", "fence reserve_link", "batch open_link + find_link"]

    @both_ways
    def test_hand_mails_to_their_server(self, way: str) -> None:
        """An envelope always gets a reply; a server that is not there has surely taken nothing."""
        reply: MailReply = drive(way, post(envelope()), Vendor())

        assert (reply.outcome, reply.phase) == (Outcome.DEFERRED, "connect")

    @both_ways
    def test_without_a_store_are_refused_what_must_be_remembered(self, way: str) -> None:
        """``store=None`` says what to pass, and the flow may act on it."""
        with pytest.raises(UnsupportedCapability, match=r"sqlite:///shop\.db"):
            _ = drive(way, read(READ), Vendor())

    @both_ways
    def test_that_yield_nothing_return_at_once(self, way: str) -> None:
        """A flow without effects is a flow too."""

        def nothing() -> Flow[str]:
            yield from ()
            return "done"

        assert drive(way, nothing(), Vendor()) == "done"


@both_ways
class TestErrors:
    def test_of_our_tree_go_into_the_flow(self, way: str) -> None:
        """A flow that meets a conflict reads again and goes on."""
        vault = RecordingVault(failure=Conflict("open_link"))

        def patient() -> Flow[str]:
            try:
                _ = yield from write(OPEN)
            except Conflict as conflict:
                vault.failure = None
                rows = yield from read(READ)
                return f"{conflict.statement} {rows[0]['one']}"
            return "no conflict"

        assert drive(way, patient(), Vendor(), vault=vault) == "open_link 1"

    def test_that_a_flow_does_not_know_come_out(self, way: str) -> None:
        """Untranslated, an error reaches the caller as it is."""
        failure = Conflict("open_link")

        with pytest.raises(Conflict) as caught:
            _ = drive(way, write(OPEN), Vendor(), vault=RecordingVault(failure=failure))
        assert caught.value is failure

    def test_of_sending_go_into_the_flow(self, way: str) -> None:
        """What the door of HTTP says is thrown where the request was yielded."""

        def careful() -> Flow[str]:
            try:
                _ = yield request_of()
            except NotSent as error:
                return error.who
            return "sent"

        assert drive(way, careful(), Vendor([httpx.ConnectError] * 3)) == "vendor"

    @pytest.mark.parametrize("foreign", [ZeroDivisionError, KeyboardInterrupt, MemoryError])
    def test_that_are_foreign_close_the_flow_and_pass_by(
        self, way: str, foreign: type[BaseException]
    ) -> None:
        """The flow cannot catch what is not of our tree, and nothing is performed after it."""
        vault, vendor, journey = RecordingVault(), Vendor(), Journey()

        def fail() -> None:
            raise foreign

        vendor.before = fail
        with pytest.raises(foreign):
            _ = drive(way, journey(), vendor, vault=vault)
        assert journey.ended == "closed"
        assert [name_of(batch) for batch in vault.performed] == ["batch find_link", "fence reserve_link"]

    def test_of_the_flow_itself_come_out(self, way: str) -> None:
        """What a flow raises is what the caller meets."""

        def refusing() -> Flow[None]:
            _ = yield from read(READ)
            raise PaybylinkError("as the flow says")

        with pytest.raises(PaybylinkError, match="as the flow says"):
            drive(way, refusing(), Vendor(), vault=RecordingVault())


@both_ways
class TestFences:
    def test_on_a_lent_connection_forbid_sending(self, way: str) -> None:
        """Its owner commits later, so nothing leaves, and the text says what to do."""
        vault, vendor = RecordingVault(lent=True), Vendor()

        with pytest.raises(StoreError, match=r"commit first, then call run_due\(\)"):
            _ = drive(way, Journey()(), vendor, vault=vault)
        assert not vendor.seen
        assert len(vault.performed) == 2

    def test_on_a_lent_connection_forbid_mails_too(self, way: str) -> None:
        """A mail leaves the process as well; a later batch without a fence does not lift the rule."""

        def mailing() -> Flow[MailReply]:
            _ = yield from write(RESERVE, fence=True)
            _ = yield from read(READ)
            return (yield from post(envelope()))

        with pytest.raises(StoreError):
            _ = drive(way, mailing(), Vendor(), vault=RecordingVault(lent=True))

    def test_that_failed_still_forbid_sending(self, way: str) -> None:
        """A flow that goes on after its fence was refused sends nothing either."""
        vault, vendor = RecordingVault(lent=True, failure=StoreError("full")), Vendor()

        def careless() -> Flow[int]:
            try:
                _ = yield from write(RESERVE, fence=True)
            except StoreError:
                vault.failure = None
            response: httpx.Response = yield request_of()
            return response.status_code

        with pytest.raises(StoreError, match="nothing may be sent"):
            _ = drive(way, careless(), vendor, vault=vault)
        assert not vendor.seen

    def test_are_only_for_what_relies_on_them(self, way: str) -> None:
        """On a lent connection, a flow without a fence may ask: nothing of it waits for a commit."""

        def asking() -> Flow[int]:
            _ = yield from write(OPEN)
            response: httpx.Response = yield request_of(Retry.SAFE)
            return response.status_code

        assert drive(way, asking(), Vendor(), vault=RecordingVault(lent=True)) == 200

    def test_on_our_own_connection_let_sending_begin(self, way: str) -> None:
        """Our vault has committed when it answers."""
        assert drive(way, Journey()(), Vendor([201]), vault=RecordingVault()) == 201


class TestCancellation:
    @pytest.mark.anyio
    @pytest.mark.parametrize("where", ["store", "http"])
    async def test_closes_the_flow_and_sends_nothing_after(self, where: str) -> None:
        """A task that is cancelled in an effect performs no further one, and its flow is closed."""
        begun, journey, inner = asyncio.Event(), Journey(), RecordingVault()
        sent: list[httpx.Request] = []

        async def hang() -> None:
            begun.set()
            _ = await asyncio.Event().wait()

        class HangingVault(AsyncRecordingVault):
            async def perform(self, batch: Batch) -> tuple[Rows, ...]:
                if batch.fence and where == "store":
                    await hang()
                return await super().perform(batch)

        async def vendor(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            await hang()
            return httpx.Response(200)

        async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
            task = asyncio.create_task(arun(journey(), AsyncDoors(vault=HangingVault(inner), http=client)))
            _ = await begun.wait()
            _ = task.cancel()
            with pytest.raises(asyncio.CancelledError):
                _ = await task

        assert journey.ended == "closed"
        assert len(sent) == (1 if where == "http" else 0)
        assert len(inner.performed) == (2 if where == "http" else 1)


class TestDoors:
    def test_close_what_they_opened_and_nothing_else(self) -> None:
        """Our client and the vault are closed, the host's client is not; closing twice does no harm."""
        vault = RecordingVault()
        with httpx.Client(transport=httpx.MockTransport(Vendor())) as hosts:
            doors = Doors(vault=vault, http=hosts)
            assert run(one(request_of()), doors) == 200
            doors.close()
            doors.close()

            assert not hosts.is_closed
        assert vault.closed == 2
        Doors(vault=None).close()

    @pytest.mark.anyio
    async def test_close_what_they_opened_and_nothing_else_when_awaited(self) -> None:
        """The same for the asynchronous doors."""
        vault = RecordingVault()
        async with httpx.AsyncClient(transport=httpx.MockTransport(Vendor())) as hosts:
            doors = AsyncDoors(vault=AsyncRecordingVault(vault), http=hosts)
            assert await arun(one(request_of()), doors) == 200
            await doors.aclose()
            await doors.aclose()

            assert not hosts.is_closed
        assert vault.closed == 2
        await AsyncDoors(vault=None).aclose()

    def test_beside_others_share_everything_but_the_store(self) -> None:
        """A lent connection sends through the same client, by the same clock."""
        theirs = RecordingVault(lent=True)
        with httpx.Client(transport=httpx.MockTransport(Vendor())) as hosts:
            doors = Doors(vault=RecordingVault(), http=hosts)
            beside = doors.beside(theirs)

            assert run(one(request_of()), beside) == 200
        assert (doors.lent, beside.lent) == (False, True)
        assert (beside.clock, beside.patience) == (doors.clock, doors.patience)
        assert run(read(READ), beside) == ({"one": 1},)
        assert len(theirs.performed) == 1

    @pytest.mark.anyio
    async def test_beside_others_share_everything_but_the_store_when_awaited(self) -> None:
        """The same for the asynchronous doors."""
        theirs = RecordingVault(lent=True)
        async with httpx.AsyncClient(transport=httpx.MockTransport(Vendor())) as hosts:
            doors = AsyncDoors(vault=AsyncRecordingVault(RecordingVault()), http=hosts)
            beside = doors.beside(AsyncRecordingVault(theirs))

            assert await arun(one(request_of()), beside) == 200
        assert (doors.lent, beside.lent) == (False, True)
        assert await arun(read(READ), beside) == ({"one": 1},)

    @pytest.mark.parametrize("doors", [Doors, AsyncDoors])
    def test_without_a_store_are_not_lent_and_tell_the_time(self, doors: Callable[..., Any]) -> None:
        """The clock is aware and in UTC unless another one is given."""
        made = doors(vault=None)

        assert not made.lent
        assert made.clock().utcoffset() == dt.timedelta(0)
