"""Promises about one HTTP request: repeated only where that is safe, in time, and with nothing secret in the logs."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from email.utils import format_datetime

import httpx
import pytest
import respx

from paybylink.drivers import AsyncDoors, Doors, Patience, arun, run
from paybylink.drivers.senders import AsyncStraight
from paybylink.errors import NotSent, OutcomeUnknown
from paybylink.flow import Call, Retry, Sending
from paybylink.testing import Clock

from .driving import KEY, WAYS, Vendor, drive, one, request_of, tiny_server
from .wire import wire

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
LOST = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
)
MARKS = (Retry.SAFE, Retry.KEYED, Retry.NEVER, None)

both_ways = pytest.mark.parametrize("way", WAYS)


def retry_after(value: str, status: int = 429) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": value})


@both_ways
class TestSurelyNotSent:
    @pytest.mark.parametrize("retry", MARKS)
    @pytest.mark.parametrize("error", NOT_SENT)
    def test_is_tried_again_whatever_it_is(
        self, way: str, error: type[httpx.RequestError], retry: Retry | None
    ) -> None:
        """No connection, no harm: any request is repeated, also one without a mark."""
        vendor = Vendor([error, error])

        assert drive(way, one(request_of(retry)), vendor) == 200
        assert len(vendor.seen) == 3

    @pytest.mark.parametrize("retry", MARKS)
    def test_thrice_is_told_as_not_sent(self, way: str, retry: Retry | None) -> None:
        """The error names who, where and what to check, and nothing that was in the request."""
        vendor = Vendor([httpx.ConnectError] * 3)

        with pytest.raises(NotSent) as caught:
            _ = drive(way, one(request_of(retry)), vendor)
        assert len(vendor.seen) == 3
        assert caught.value.who == ("vendor" if retry else "http")
        assert "api.vendor.example could not be asked (ConnectError); nothing was done" in str(caught.value)
        assert "Check the address" in str(caught.value)
        assert "MARKED" not in f"{caught.value!r}{vars(caught.value)}"
        assert isinstance(caught.value.__cause__, httpx.ConnectError)


@both_ways
class TestLostAnswers:
    @pytest.mark.parametrize("retry", [Retry.SAFE, Retry.KEYED])
    @pytest.mark.parametrize("error", LOST)
    def test_are_asked_for_again_with_the_same_bytes_and_key(
        self, way: str, error: type[httpx.RequestError], retry: Retry
    ) -> None:
        """A safe request, or one whose key lives, is repeated to the letter."""
        vendor = Vendor([error, error])

        assert drive(way, one(request_of(retry)), vendor) == 200
        first, second, third = (
            (request.method, str(request.url), request.headers.raw, request.content)
            for request in vendor.seen
        )
        assert first == second == third
        assert vendor.seen[0].headers["Idempotency-Key"] == KEY

    @pytest.mark.parametrize(
        "request_",
        [
            pytest.param(request_of(Retry.NEVER), id="never"),
            pytest.param(request_of(None), id="unmarked"),
            pytest.param(request_of(Retry.KEYED, lives=0), id="dead key"),
            pytest.param(request_of(Retry.KEYED, lives=0.1), id="key that dies while waiting"),
        ],
    )
    @pytest.mark.parametrize("error", LOST)
    def test_without_a_live_key_are_unknown_at_once(
        self, way: str, error: type[httpx.RequestError], request_: httpx.Request
    ) -> None:
        """What may have been done is never sent twice."""
        vendor = Vendor([error])

        with pytest.raises(OutcomeUnknown, match="may or may not have been done; call the same method again"):
            _ = drive(way, one(request_), vendor)
        assert len(vendor.seen) == 1

    def test_of_a_keyed_request_without_a_known_end_are_unknown(self, way: str) -> None:
        """A key of which nobody knows how long it lives does not count as live."""
        request = request_of(None)
        request.extensions["paybylink"] = Sending(who="vendor", retry=Retry.KEYED)
        vendor = Vendor([httpx.ReadTimeout])

        with pytest.raises(OutcomeUnknown):
            _ = drive(way, one(request), vendor)
        assert len(vendor.seen) == 1

    @pytest.mark.parametrize(
        ("retry", "told"), [(Retry.SAFE, NotSent), (Retry.KEYED, OutcomeUnknown)], ids=["safe", "keyed"]
    )
    def test_thrice_are_unknown_unless_nothing_can_have_changed(
        self, way: str, retry: Retry, told: type[Exception]
    ) -> None:
        """After the last attempt a keyed request is unknown; a safe one has done nothing."""
        vendor = Vendor([httpx.ReadTimeout] * 3)

        with pytest.raises(told, match="ReadTimeout") as caught:
            _ = drive(way, one(request_of(retry)), vendor)
        assert len(vendor.seen) == 3
        assert "MARKED" not in str(caught.value)

    @pytest.mark.parametrize("second", [httpx.ConnectError, 429], ids=["not sent", "429"])
    def test_stay_unknown_when_the_key_dies_before_a_harmless_attempt_is_repeated(
        self, way: str, second: type[httpx.RequestError] | int
    ) -> None:
        """The second attempt did nothing, but the first may have: without a live key there is no third."""
        clock = Clock()
        vendor = Vendor([httpx.ReadTimeout, second])
        vendor.before = lambda: clock.advance(seconds=20)
        request = request_of(Retry.KEYED, lives=40.1)

        with pytest.raises(OutcomeUnknown):
            _ = drive(way, one(request), vendor, clock=clock)
        assert len(vendor.seen) == 2

    @pytest.mark.parametrize("first", [httpx.ReadTimeout, 500], ids=["lost", "500"])
    def test_are_not_forgotten_over_a_429(self, way: str, first: type[httpx.RequestError] | int) -> None:
        """A 429 says that its own attempt did nothing; it is no answer for the one before."""
        vendor = Vendor([first, 429, 429])

        with pytest.raises(OutcomeUnknown, match="429 after an attempt without an answer"):
            _ = drive(way, one(request_of(Retry.KEYED)), vendor)
        assert len(vendor.seen) == 3

    def test_of_a_safe_request_do_not_hide_a_429(self, way: str) -> None:
        """What changes nothing has no unknown outcome."""
        assert drive(way, one(request_of(Retry.SAFE)), Vendor([httpx.ReadTimeout, 429, 429])) == 429


@both_ways
class TestAnswers:
    @pytest.mark.parametrize("retry", MARKS)
    @pytest.mark.parametrize("status", [200, 303, 400, 401, 402, 404, 409])
    def test_that_are_clear_are_handed_over_at_once(self, way: str, status: int, retry: Retry | None) -> None:
        """The flow knows what the vendor means."""
        vendor = Vendor([status])

        assert drive(way, one(request_of(retry)), vendor) == status
        assert len(vendor.seen) == 1

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_of_5xx_are_asked_for_again_only_where_that_is_safe(self, way: str, status: int) -> None:
        """It may have been done half-way: repeated if safe or keyed, else handed over."""
        for retry in MARKS:
            vendor = Vendor([status])
            safe = retry in (Retry.SAFE, Retry.KEYED)

            assert drive(way, one(request_of(retry)), vendor) == (200 if safe else status)
            assert len(vendor.seen) == (2 if safe else 1)

    @pytest.mark.parametrize("retry", MARKS)
    def test_of_429_are_asked_for_again_always(self, way: str, retry: Retry | None) -> None:
        """Nothing was done, so any request may wait and come again."""
        vendor = Vendor([429, 429])

        assert drive(way, one(request_of(retry)), vendor) == 200
        assert len(vendor.seen) == 3

    @pytest.mark.parametrize("status", [429, 503])
    def test_that_never_become_clear_are_handed_over(self, way: str, status: int) -> None:
        """The last answer reaches the flow."""
        vendor = Vendor([status] * 5)

        assert drive(way, one(request_of(Retry.KEYED)), vendor) == status
        assert len(vendor.seen) == 3

    def test_that_the_vendor_wants_repeated_are_its_own_to_name(self, way: str) -> None:
        """A vendor's list of statuses takes the place of ours."""
        statuses = frozenset({409})

        assert drive(way, one(request_of(Retry.KEYED, statuses=statuses)), Vendor([409])) == 200
        assert drive(way, one(request_of(Retry.KEYED, statuses=statuses)), Vendor([503])) == 503

    @pytest.mark.parametrize("told", [None, "false", "yes"])
    def test_that_have_to_say_so_are_not_asked_for_again_without(self, way: str, told: str | None) -> None:
        """Where the vendor says in a header whether to repeat, the status alone does not decide."""
        headers = {} if told is None else {"transient-error": told}
        vendor = Vendor([httpx.Response(503, headers=headers)])
        request = request_of(Retry.KEYED, header="transient-error")

        assert drive(way, one(request), vendor) == 503
        assert len(vendor.seen) == 1

    def test_that_have_to_say_so_are_asked_for_again_with(self, way: str) -> None:
        """The header says true, in any case of letters."""
        vendor = Vendor([httpx.Response(503, headers={"transient-error": told}) for told in ("true", "True")])
        request = request_of(Retry.KEYED, header="transient-error")

        assert drive(way, one(request), vendor) == 200
        assert len(vendor.seen) == 3

    def test_that_lead_elsewhere_are_not_followed(self, way: str) -> None:
        """A redirect is an answer, also where the host's own client follows them: money goes nowhere else."""
        elsewhere = httpx.Response(307, headers={"Location": "https://elsewhere.example/"})
        vendor = Vendor([elsewhere])

        assert drive(way, one(request_of()), vendor, follow_redirects=True) == 307
        assert [request.url.host for request in vendor.seen] == ["api.vendor.example"]


@both_ways
class TestRetryAfter:
    @pytest.mark.parametrize("retry", MARKS)
    @pytest.mark.parametrize("status", [429, 503])
    def test_is_honoured(self, way: str, status: int, retry: Retry | None) -> None:
        """The next attempt comes no sooner than asked."""
        clock = Clock()
        vendor = Vendor([retry_after("3", status)])
        expected = [] if status == 503 and retry in (Retry.NEVER, None) else [3.0]

        assert drive(way, one(request_of(retry)), vendor, clock=clock) == (200 if expected else 503)
        assert clock.waits == expected

    def test_may_be_a_date(self, way: str) -> None:
        """A moment means the seconds until then."""
        clock = Clock()
        told = format_datetime(clock() + dt.timedelta(seconds=5), usegmt=True)

        assert drive(way, one(request_of()), Vendor([retry_after(told)]), clock=clock) == 200
        assert clock.waits == [5.0]

    @pytest.mark.parametrize(
        "told",
        [
            pytest.param("0", id="zero"),
            pytest.param("soon", id="a word"),
            pytest.param("-3", id="negative"),
            pytest.param("1.5", id="decimals"),
            pytest.param("Thu, 01 Jan 2026 00:00:05 -0000", id="date without a zone"),
            pytest.param("Thu, 01 Jan 2015 00:00:00 GMT", id="date long past"),
        ],
    )
    def test_that_asks_for_nothing_leaves_our_own_wait(self, way: str, told: str) -> None:
        """Unreadable or past: the usual wait."""
        clock = Clock()

        assert drive(way, one(request_of()), Vendor([retry_after(told)]), clock=clock) == 200
        assert clock.waits == [0.25]

    @pytest.mark.parametrize("told", ["9", "86400", "9" * 400])
    def test_that_is_too_long_hands_the_answer_over(self, way: str, told: str) -> None:
        """Nobody waits longer than the longest wait; the flow is told instead."""
        clock = Clock()
        vendor = Vendor([retry_after(told)])

        assert drive(way, one(request_of()), vendor, clock=clock) == 429
        assert (len(vendor.seen), clock.waits) == (1, [])


@both_ways
class TestTime:
    @pytest.mark.parametrize(
        ("jitter", "waits"), [(0.0, [0.25, 0.5, 1.0, 2.0, 4.0, 4.0]), (1.0, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0])]
    )
    def test_between_attempts_doubles_up_to_the_longest(
        self, way: str, jitter: float, waits: list[float]
    ) -> None:
        """Waits double, chance takes up to half off, and none is longer than the longest."""
        clock = Clock()
        vendor = Vendor([503] * 6)

        assert (
            drive(way, one(request_of()), vendor, clock=clock, patience=Patience(attempts=7), jitter=jitter)
            == 200
        )
        assert clock.waits == waits

    def test_that_is_over_before_the_first_attempt_sends_nothing(self, way: str) -> None:
        """No time left: surely not sent."""
        vendor = Vendor()

        with pytest.raises(NotSent, match="the time for the whole journey is over"):
            _ = drive(way, one(request_of()), vendor, patience=Patience(journey_seconds=0))
        assert not vendor.seen

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            pytest.param(httpx.ConnectError, NotSent, id="not sent"),
            pytest.param(httpx.ReadTimeout, OutcomeUnknown, id="lost"),
        ],
    )
    def test_that_a_wait_would_use_up_ends_the_attempts(
        self, way: str, answer: type[httpx.RequestError], told: type[Exception]
    ) -> None:
        """Nobody waits for an attempt that cannot come."""
        clock = Clock()
        vendor = Vendor([answer])
        vendor.before = lambda: clock.advance(seconds=119.8)

        with pytest.raises(told):
            _ = drive(way, one(request_of()), vendor, clock=clock)
        assert (len(vendor.seen), clock.waits) == (1, [])

    def test_that_passes_in_a_wait_leaves_the_outcome_unknown(self, way: str) -> None:
        """A machine that slept longer than asked finds the journey over, and what was sent may have been done."""
        clock = Clock()
        vendor = Vendor([httpx.ReadTimeout])

        with pytest.raises(OutcomeUnknown, match="the time for the whole journey is over"):
            _ = drive(way, one(request_of()), vendor, clock=clock, sleep=lambda _: clock.advance(minutes=5))
        assert len(vendor.seen) == 1

    def test_is_one_for_the_whole_journey(self, way: str) -> None:
        """The second request finds only what the first has left."""
        clock = Clock()
        vendor = Vendor()
        vendor.before = lambda: clock.advance(seconds=60)

        def two() -> Call[str]:
            _ = yield request_of()
            try:
                _ = yield request_of()
                _ = yield request_of()
            except NotSent:
                return "over"
            return "no end"

        assert drive(way, two(), vendor, clock=clock) == "over"
        assert len(vendor.seen) == 2

    def test_for_one_attempt_is_told_to_our_own_client(self, way: str) -> None:
        """Connecting and each reply have limits of their own."""
        timeout = Patience(connect_seconds=1, reply_seconds=2).timeout()

        assert way in WAYS
        assert timeout == httpx.Timeout(connect=1, read=2, write=2, pool=1)


@both_ways
class TestLogs:
    def test_at_info_hold_host_and_path_and_nothing_else(
        self, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No logger, httpx's own included, tells the query, a header, the key or the body."""
        caplog.set_level(logging.INFO)
        named = httpx.Response(200, headers={"Request-Id": "req_7"}, text="MARKED")

        assert drive(way, one(request_of()), Vendor([httpx.ReadTimeout, 503, named])) == 200
        assert [record.name for record in caplog.records] == ["paybylink.http"] * 3
        assert caplog.messages == [
            "POST api.vendor.example/v1/links: ReadTimeout",
            "POST api.vendor.example/v1/links: 503 in 0 ms (no request id)",
            "POST api.vendor.example/v1/links: 200 in 0 ms (req_7)",
        ]
        assert not any(secret in caplog.text for secret in ("MARKED", KEY, "?", "@"))

    def test_of_the_host_about_its_own_requests_stay(
        self, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """httpx keeps quiet about our requests only."""
        caplog.set_level(logging.INFO)
        _ = drive(way, one(request_of()), Vendor())
        with httpx.Client(transport=httpx.MockTransport(Vendor())) as client:
            _ = client.get("https://host.example/own")

        assert "https://host.example/own" in caplog.messages[-1]


def asked(url: str, *, fresh: bool = False) -> Call[str]:
    """The number of the connection by which one request came."""
    request = httpx.Request("GET", url, extensions={"paybylink": Sending(who="tiny", fresh=fresh)})
    response = yield request
    return response.text


@pytest.fixture
def url() -> Iterator[str]:
    with tiny_server() as address:
        yield address


class TestConnections:
    def test_are_kept_and_fresh_ones_are_new(self, url: str) -> None:
        """One connection serves request after request; a request marked fresh comes by one of its own."""
        doors = Doors(vault=None)
        kept = [run(asked(url), doors) for _ in range(3)]
        fresh = [run(asked(url, fresh=True), doors) for _ in range(2)]
        again = run(asked(url), doors)
        doors.close()

        assert {*kept, again} == {kept[0]}
        assert len({kept[0], *fresh}) == 3

    @pytest.mark.anyio
    @pytest.mark.parametrize("over_aiohttp", [True, False], ids=["aiohttp", "httpx"])
    async def test_are_kept_and_fresh_ones_are_new_when_awaited(
        self, url: str, over_aiohttp: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same for the asynchronous doors."""
        if not over_aiohttp:
            monkeypatch.setattr("paybylink.drivers.doors.open_async_sender", AsyncStraight)
        doors = AsyncDoors(vault=None)
        kept = [await arun(asked(url), doors) for _ in range(3)]
        fresh = [await arun(asked(url, fresh=True), doors) for _ in range(2)]
        again = await arun(asked(url), doors)
        await doors.aclose()

        assert {*kept, again} == {kept[0]}
        assert len({kept[0], *fresh}) == 3

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_are_made_anew_after_a_fork(self, url: str) -> None:
        """A child never speaks on its parent's connection, and closing there does not disturb the parent."""
        doors = Doors(vault=None)
        before = run(asked(url), doors)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Newer Pythons warn of forking beside a thread; ours is the little server, which holds no lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _ = signal.alarm(20)
            try:
                told = run(asked(url), doors)
                doors.close()
                _ = os.write(writing, told.encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            in_child = pipe.read()
        _ = os.waitpid(child, 0)
        after = run(asked(url), doors)
        doors.close()

        assert in_child.isdigit()
        assert in_child != before
        assert after == before

    @pytest.mark.anyio
    async def test_of_the_asynchronous_doors_are_made_anew_after_a_fork(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another process id means another pool; the parent's is left alone."""
        doors = AsyncDoors(vault=None)
        before = await arun(asked(url), doors)
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            theirs = AsyncDoors(vault=None)
            theirs._made = doors._made
            in_child = await arun(asked(url), theirs)
            await theirs.aclose()
        after = await arun(asked(url), doors)
        await doors.aclose()

        assert in_child != before
        assert after == before

    def test_serve_many_threads(self, url: str) -> None:
        """One `Doors` is shared by threads that all get their answers."""
        doors = Doors(vault=None)
        told: list[str] = []
        threads = [threading.Thread(target=lambda: told.append(run(asked(url), doors))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        doors.close()

        assert len(told) == 8

    def test_are_one_pool_also_where_two_threads_begin_at_once(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of two pools made at the same moment one is kept, and the other is closed before it was used."""
        doors = Doors(vault=None)
        made: list[httpx.Client] = []
        told: list[str] = []

        def client(patience: Patience) -> httpx.Client:
            made.append(httpx.Client(timeout=patience.timeout()))
            if len(made) == 1:
                # The other thread comes first while this one is still making its own.
                told.append(run(asked(url), doors))
                return made[0]
            return made[-1]

        monkeypatch.setattr("paybylink.drivers.doors.open_sender", client)
        told.append(run(asked(url), doors))

        assert told[0] == told[1]
        assert [one.is_closed for one in made] == [True, False]
        doors.close()
        assert made[1].is_closed

    def test_of_a_refusing_port_are_told_as_not_sent(self) -> None:
        """A real refusal is surely not sent, and says where."""
        with tiny_server() as address:
            gone = address
        clock = Clock()
        doors = Doors(vault=None, clock=clock, monotonic=clock.monotonic, sleep=clock.sleep)

        with pytest.raises(NotSent, match=r"tiny at 127\.0\.0\.1 could not be asked"):
            _ = run(asked(gone), doors)
        doors.close()
        assert len(clock.waits) == 2


class TestOurOwnClients:
    @pytest.mark.parametrize("fresh", [False, True])
    def test_send_what_was_asked(self, fresh: bool) -> None:
        """Body and headers leave as the flow wrote them, also over a connection made for one request."""
        doors = Doors(vault=None)
        with wire(b"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n") as server:
            assert run(one(request_of(Retry.NEVER, url=server.url, fresh=fresh)), doors) == 201
            doors.close()
        ((_, sent),) = server.requests

        assert sent.endswith(b"\r\n\r\namount=4990&note=MARKED")
        assert b"\r\nIdempotency-Key: " + KEY.encode() in sent

    @pytest.mark.parametrize("fresh", [False, True])
    def test_send_what_was_asked_when_awaited(
        self, fresh: bool, respx_mock: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same for the asynchronous doors, over httpx's transport; `test_senders` has the others."""
        monkeypatch.setattr("paybylink.drivers.doors.open_async_sender", AsyncStraight)
        route = respx_mock.post("https://api.vendor.example/v1/links").respond(201)

        async def awaited() -> int:
            doors = AsyncDoors(vault=None)
            status = await arun(one(request_of(Retry.NEVER, fresh=fresh)), doors)
            await doors.aclose()
            return status

        assert asyncio.run(awaited()) == 201
        assert route.calls.last.request.content == b"amount=4990&note=MARKED"
