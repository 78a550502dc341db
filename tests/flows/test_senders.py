"""
Promises about what carries requests, over real sockets: the same bytes by every way, once, and the truth about
whether they may have arrived.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from paybylink.drivers import AsyncDoors, Doors, Patience, arun, run
from paybylink.drivers.senders import AsyncSender, AsyncStraight, Straight, open_async_sender, open_sender
from paybylink.errors import NotSent, OutcomeUnknown, PaybylinkError
from paybylink.flow import Call, Retry, Sending

from .driving import KEY, deaf_server, make_certificate, one, tiny_server
from .wire import CLOSE, OK, RESET, SILENCE, Wire, wire

#: Every way by which a request can leave without a client of the host's: the sync one, and the two awaited ones.
WAYS = ("straight", "httpx", "aiohttp")
every_way = pytest.mark.parametrize("way", WAYS)
#: No second attempt.
ONCE = Patience(attempts=1)
#: And no long wait: for an answer that never comes, or for a connection either.
IMPATIENT = Patience(attempts=1, reply_seconds=0.3)
HASTY = Patience(attempts=1, connect_seconds=0.2, reply_seconds=0.2)


def async_sender(way: str, patience: Patience) -> AsyncSender:
    """One of the awaited ways."""
    if way == "httpx":
        return AsyncStraight(patience)
    _ = pytest.importorskip("aiohttp")
    from paybylink.drivers.over_aiohttp import OverAiohttp

    return OverAiohttp(patience)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def server_side(certificate: Path) -> ssl.SSLContext:
    """TLS as a server speaks it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def carry(way: str, *calls: Call[Any], patience: Patience | None = None) -> list[Any]:
    """What `calls` return one after the other, each by the same connections."""
    patience = patience or Patience()
    if way == "straight":
        straight = Doors(vault=None, patience=patience)
        assert isinstance(straight._sender(), Straight)
        try:
            return [run(call, straight) for call in calls]
        finally:
            straight.close()

    async def awaited() -> list[Any]:
        sender = async_sender(way, patience)
        doors = AsyncDoors(vault=None, http=sender, patience=patience)
        try:
            return [await arun(call, doors) for call in calls]
        finally:
            await sender.aclose()

    return asyncio.run(awaited())


def to(
    url: str, *, method: str = "POST", body: bytes = b"note=MARKED", retry: Retry = Retry.NEVER
) -> httpx.Request:
    """A request with secrets in it, to be sent once."""
    return httpx.Request(
        method,
        url,
        content=body or None,
        headers={
            "Authorization": "Bearer MARKED",
            "Idempotency-Key": KEY,
            "Accept-Encoding": "gzip, deflate",
        },
        extensions={"paybylink": Sending(who="vendor", retry=retry)},
    )


def whole(request: httpx.Request) -> Call[httpx.Response]:
    """The answer to a request."""
    return (yield request)


def texts(error: BaseException | None) -> Iterator[str]:
    """Everything that an error and what lies behind it would print."""
    while error is not None:
        yield f"{error!s} {error!r} {vars(error)!r}"
        error = error.__cause__ or error.__context__


class TestLostAnswers:
    """It left, and nobody knows what became of it."""

    @every_way
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(RESET, id="reset"),
            pytest.param(CLOSE, id="closed"),
            pytest.param(SILENCE, id="silence"),
            pytest.param(b"NONSENSE\r\n\r\n", id="nonsense"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n", id="head that stops"),
            pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", CLOSE), id="body cut"),
            pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", RESET), id="body reset"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", id="body that stops"),
            pytest.param(
                (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", CLOSE), id="chunk cut"
            ),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="chunk that is none"
            ),
            pytest.param((b"HTTP/1.1 103 Early Hints\r\n\r\n", CLOSE), id="hint without an answer"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
                id="gzip that is none",
            ),
        ],
    )
    def test_are_unknown_and_sent_once(self, way: str, answer: Any) -> None:
        """Whatever goes wrong once the request has left, it may have been done; nothing is sent a second time."""
        with wire(answer) as server, pytest.raises(OutcomeUnknown) as caught:
            _ = carry(way, one(to(server.url)), patience=IMPATIENT)

        assert len(server.requests) == 1
        assert not any("MARKED" in text for text in texts(caught.value))
        assert not any("aiohttp" in text for text in texts(caught.value))

    @every_way
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
    @pytest.mark.parametrize("end", [RESET, CLOSE])
    def test_on_a_kept_connection_are_not_asked_for_again(self, way: str, method: str, end: str) -> None:
        """Also where HTTP would allow a client to repeat by itself: whether to repeat is the driver's to say."""
        with wire(OK, end) as server, pytest.raises(OutcomeUnknown):
            _ = carry(
                way,
                one(to(server.url)),
                one(to(server.url, method=method, body=b"")),
                patience=ONCE,
            )

        assert [number for number, _ in server.requests] == [0, 0]

    @every_way
    def test_are_asked_for_again_by_the_driver_where_that_is_safe(self, way: str) -> None:
        """A reading whose connection broke is repeated, by the driver's rules."""
        patience = Patience(first_wait_seconds=0)
        with wire(RESET, CLOSE) as server:
            told = carry(
                way, one(to(server.url, method="GET", body=b"", retry=Retry.SAFE)), patience=patience
            )

        assert told == [200]
        assert len(server.requests) == 3

    @every_way
    def test_of_a_server_that_does_not_read_are_unknown_in_time(self, way: str) -> None:
        """A request that does not fit into the pipe is given up, and a part of it has left."""
        with deaf_server() as url, pytest.raises(OutcomeUnknown):
            _ = carry(way, one(to(url, body=b"x" * 900_000)), patience=HASTY)


class TestWhatNeverLeft:
    """Surely not sent, so that anything may be tried again."""

    @every_way
    def test_is_told_of_a_port_where_nobody_listens(self, way: str) -> None:
        """Refused."""
        with tiny_server() as url:
            gone = url

        with pytest.raises(NotSent, match="ConnectError"):
            _ = carry(way, one(to(gone)), patience=ONCE)

    @every_way
    def test_is_told_of_a_server_whose_certificate_is_not_trusted(self, way: str, certificate: Path) -> None:
        """No TLS, no request."""
        with wire(context=server_side(certificate)) as server, pytest.raises(NotSent, match="ConnectError"):
            _ = carry(way, one(to(f"https://localhost:{server.port}/")), patience=ONCE)

        assert not server.requests

    @every_way
    def test_is_told_of_a_certificate_for_another_name(
        self, way: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A trusted certificate for localhost is none for its number."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with wire(context=server_side(certificate)) as server, pytest.raises(NotSent, match="ConnectError"):
            _ = carry(way, one(to(f"https://127.0.0.1:{server.port}/")), patience=ONCE)

        assert not server.requests

    @every_way
    def test_is_told_of_a_server_that_speaks_no_tls(self, way: str) -> None:
        """A handshake that is answered by nothing is given up in time."""
        with deaf_server() as url, pytest.raises(NotSent, match="ConnectTimeout"):
            _ = carry(way, one(to(url.replace("http://", "https://"))), patience=HASTY)

    @every_way
    @pytest.mark.parametrize("url", ["ftp://vendor.example/", "https:///path"], ids=["scheme", "no host"])
    def test_is_told_of_an_address_that_is_none(self, way: str, url: str) -> None:
        """Nobody can be asked there."""
        with pytest.raises(NotSent):
            _ = carry(way, one(to(url)), patience=ONCE)


class TestRequests:
    @every_way
    def test_leave_as_they_were_written(self, way: str) -> None:
        """Method, address, headers and body, to the letter and nothing beside them."""
        with wire() as server:
            odd = server.url + "/a%2Fb%7Ec?q=%C3%A9+x%20y&z=%2B"
            expected = to(odd)
            _ = carry(way, one(expected))
        ((_, sent),) = server.requests
        head, _, body = sent.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")

        assert first == b"POST " + expected.url.raw_path + b" HTTP/1.1"
        assert b"/a%2Fb%7Ec?q=%C3%A9+x%20y&z=%2B" in first
        assert sorted(lines) == sorted(name + b": " + value for name, value in expected.headers.raw)
        assert body == b"note=MARKED"

    @every_way
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_without_a_body_have_none(self, way: str, method: str) -> None:
        """No byte beyond the head; an empty POST says its length, a DELETE may."""
        with wire() as server:
            request = to(server.url, method=method, body=b"")
            _ = carry(way, one(request))
        ((_, sent),) = server.requests
        lines = {*sent.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
        expected = {name + b": " + value for name, value in request.headers.raw}

        assert sent.endswith(b"\r\n\r\n")
        assert expected <= lines
        assert lines - expected <= ({b"Content-Length: 0"} if method == "DELETE" else set())

    @every_way
    def test_bring_no_cookies_back(self, way: str) -> None:
        """What one answer sets is not told with the next request."""
        marked = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
        with wire(marked) as server:
            _ = carry(way, one(to(server.url)), one(to(server.url)))

        assert [number for number, _ in server.requests] == [0, 0]
        assert b"cookie" not in server.requests[1][1].lower()

    @every_way
    def test_are_not_sent_elsewhere(self, way: str) -> None:
        """A redirect is an answer."""
        with (
            wire() as other,
            wire(
                b"HTTP/1.1 307 Away\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % other.url.encode()
            ) as server,
        ):
            assert carry(way, one(to(server.url))) == [307]
        assert not other.requests

    @every_way
    def test_with_a_header_that_cannot_be_one_are_an_error_of_ours(self, way: str) -> None:
        """No line of a header can smuggle another one in, and what is raised is of our tree."""
        request = httpx.Request("POST", "http://127.0.0.1:1/", headers={"X-Note": "a\r\nX-Other: b"})
        with wire() as server:
            request.url = httpx.URL(server.url)
            with pytest.raises(PaybylinkError):
                _ = carry(way, one(request), patience=ONCE)

        assert not server.requests

    @every_way
    def test_go_over_tls(self, way: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """By a certificate that the environment's bundle vouches for, as httpx has it; over as many as are needed."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
        with wire(OK, last, context=server_side(certificate)) as server:
            url = f"https://localhost:{server.port}/"
            assert carry(way, *(one(to(url)) for _ in range(3))) == [200, 200, 200]
        assert [number for number, _ in server.requests] == [0, 0, 1]


class TestAnswers:
    @every_way
    def test_come_whole(self, way: str) -> None:
        """Status, headers in their order, and the body as it was before it was packed."""
        packed = gzip.compress(b'{"amount": 4990}')
        answer = (
            b"HTTP/1.1 402 Refused\r\nRequest-Id: req_7\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: %d\r\n\r\n" % len(packed)
        ) + packed
        with wire(answer) as server:
            request = to(server.url)
            (told,) = carry(way, whole(request))

        assert (told.status_code, told.json()) == (402, {"amount": 4990})
        assert (told.headers["request-id"], told.headers.get_list("x-two")) == ("req_7", ["1", "2"])
        assert told.request is request

    @every_way
    def test_in_chunks_and_without_a_body_come_too(self, way: str) -> None:
        """Both over one connection, which is kept."""
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        with wire(chunked, b"HTTP/1.1 204 Gone\r\n\r\n") as server:
            first, second = carry(way, whole(to(server.url)), whole(to(server.url)))

        assert (first.content, second.status_code, second.content) == (b"ok", 204, b"")
        assert [number for number, _ in server.requests] == [0, 0]


class TestCancelling:
    @pytest.mark.anyio
    @pytest.mark.parametrize("way", WAYS[1:])
    @pytest.mark.parametrize(
        "answer", [SILENCE, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"], ids=["head", "body"]
    )
    async def test_closes_the_connection_and_leaves_the_pool_whole(
        self, way: str, answer: bytes | str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A request that is given up frees its place at once, and its answer is never taken for another's."""
        sender = async_sender(way, Patience())
        if way == "aiohttp":
            monkeypatch.setattr("paybylink.drivers.over_aiohttp._MOST", 1)
        with wire(answer) as server:
            doors = AsyncDoors(vault=None, http=sender)
            task = asyncio.create_task(arun(one(to(server.url)), doors))
            assert await arrived(server)
            _ = task.cancel()
            with pytest.raises(asyncio.CancelledError):
                _ = await task
            assert await asyncio.to_thread(server.closed.acquire, timeout=10)
            assert await arun(one(to(server.url)), doors) == 200
            await sender.aclose()

        assert [number for number, _ in server.requests] == [0, 1]


class TestOurOwnSenders:
    def test_go_through_the_proxy_that_the_environment_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sync and async alike; without one they go straight."""
        with wire(OK, OK) as proxy:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            straight, awaited = Doors(vault=None), AsyncDoors(vault=None)
            assert run(one(to("http://vendor.example/v1/links")), straight) == 200
            straight.close()

            async def ask() -> int:
                try:
                    return await arun(one(to("http://vendor.example/v1/links")), awaited)
                finally:
                    await awaited.aclose()

            assert asyncio.run(ask()) == 200
        assert [request.split(b"\r\n")[0] for _, request in proxy.requests] == [
            b"POST http://vendor.example/v1/links HTTP/1.1"
        ] * 2

    def test_are_the_quickest_that_is_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """aiohttp where it is there, else httpx's own pool."""
        assert isinstance(open_sender(Patience()), Straight)
        monkeypatch.setitem(sys.modules, "aiohttp", None)
        monkeypatch.delitem(sys.modules, "paybylink.drivers.over_aiohttp", raising=False)
        assert isinstance(open_async_sender(Patience()), AsyncStraight)
        monkeypatch.undo()
        _ = pytest.importorskip("aiohttp")
        from paybylink.drivers.over_aiohttp import OverAiohttp

        assert isinstance(open_async_sender(Patience()), OverAiohttp)

    @pytest.mark.anyio
    @pytest.mark.parametrize("way", WAYS[1:])
    async def test_can_be_closed_before_they_were_used(self, way: str) -> None:
        """Nothing was opened, and nothing is left behind."""
        await async_sender(way, Patience()).aclose()

    @pytest.mark.anyio
    @pytest.mark.parametrize("way", WAYS[1:])
    async def test_carry_many_at_once(self, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """More requests than connections all get their own answers."""
        sender = async_sender(way, Patience())
        if way == "aiohttp":
            monkeypatch.setattr("paybylink.drivers.over_aiohttp._MOST", 4)
        with tiny_server() as url:
            doors = AsyncDoors(vault=None, http=sender)
            told = await asyncio.gather(
                *(arun(whole(to(url, method="GET", body=b"")), doors) for _ in range(24))
            )
        await sender.aclose()

        assert [answer.status_code for answer in told] == [200] * 24
        if way == "aiohttp":
            assert len({answer.text for answer in told}) <= 4


async def arrived(server: Wire) -> bool:
    """Whether a request has come to the server."""
    waiting: Callable[..., Awaitable[bool]] = asyncio.to_thread
    return await waiting(server.arrived.acquire, timeout=10)
