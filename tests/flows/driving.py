"""
What the tests of the drivers start from: a flow through either driver, and a vendor that answers as told.

Every promise about sending is kept by both drivers, so most tests are run twice, `way` being ``sync`` or ``async``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from attrs import define, field

from paybylink.drivers import AsyncDoors, Doors, Patience, arun, run
from paybylink.flow import Batch, Call, Flow, Retry, Rows, Sending
from paybylink.testing import Clock

T = TypeVar("T")

WAYS = ("sync", "async")
KEY = "0123456789abcdef0123456789abcdef"
ROWS = (Rows(({"one": 1},), 1),)


@define
class Vendor:
    """
    Answers each request with the next of `answers`, raises it if it is an error, and then with 200.

    Attributes:
        answers: a status, a response, or the class of an error of httpx.
        seen: every request that arrived, as it was.
        before: called before each answer, e.g. to let time pass.
    """

    answers: list[int | httpx.Response | type[httpx.RequestError]] = field(factory=list)
    seen: list[httpx.Request] = field(factory=list)
    before: Callable[[], None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        self.before()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, type):
            # What httpx tells of an error may hold the whole address.
            raise answer(f"trouble at {request.url}", request=request)
        return (
            answer if isinstance(answer, httpx.Response) else httpx.Response(answer, json={"status": answer})
        )


@define
class RecordingVault:
    """Keeps the batches it was given and answers one row each; also the asynchronous one of `AsyncRecordingVault`."""

    lent: bool = False
    performed: list[Batch] = field(factory=list)
    failure: BaseException | None = None
    closed: int = 0

    def perform(self, batch: Batch) -> tuple[Rows, ...]:
        self.performed.append(batch)
        if self.failure is not None:
            raise self.failure
        return ROWS * len(batch.steps)

    def close(self) -> None:
        self.closed += 1


@define
class AsyncRecordingVault:
    """The same, awaited."""

    inner: RecordingVault

    @property
    def lent(self) -> bool:
        return self.inner.lent

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        await asyncio.sleep(0)
        return self.inner.perform(batch)

    async def aclose(self) -> None:
        self.inner.close()


def drive(
    way: str,
    flow: Flow[T],
    vendor: Callable[[httpx.Request], httpx.Response],
    *,
    vault: RecordingVault | None = None,
    clock: Clock | None = None,
    patience: Patience | None = None,
    jitter: float = 0.0,
    sleep: Callable[[float], None] | None = None,
    follow_redirects: bool = False,
) -> T:
    """The result of `flow`, run or awaited, with `vendor` at the other end and no real waiting."""
    clock = clock or Clock()
    sleep = sleep or clock.sleep
    transport = httpx.MockTransport(vendor)
    if way == "sync":
        with httpx.Client(transport=transport, follow_redirects=follow_redirects) as client:
            doors = Doors(
                vault=vault,
                http=client,
                patience=patience,
                clock=clock,
                monotonic=clock.monotonic,
                sleep=sleep,
                jitter=lambda: jitter,
            )
            return run(flow, doors)

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    async def awaited() -> T:
        async with httpx.AsyncClient(transport=transport, follow_redirects=follow_redirects) as client:
            doors = AsyncDoors(
                vault=None if vault is None else AsyncRecordingVault(vault),
                http=client,
                patience=patience,
                clock=clock,
                monotonic=clock.monotonic,
                sleep=asleep,
                jitter=lambda: jitter,
            )
            return await arun(flow, doors)

    return asyncio.run(awaited())


def request_of(
    retry: Retry | None = Retry.KEYED,
    *,
    now: dt.datetime | None = None,
    lives: float = 3600.0,
    url: str = "https://api.vendor.example/v1/links?email=MARKED@example.com",
    fresh: bool = False,
    statuses: frozenset[int] | None = None,
    header: str = "",
) -> httpx.Request:
    """A request with marked secrets; `lives` is how many seconds its key lives; `retry` None leaves it unmarked."""
    request = httpx.Request(
        "POST",
        url,
        content=b"amount=4990&note=MARKED",
        headers={"Authorization": "Bearer MARKED", "Idempotency-Key": KEY},
    )
    if retry is not None:
        until = (now or Clock()()) + dt.timedelta(seconds=lives) if retry is Retry.KEYED else None
        more = {} if statuses is None else {"retry_statuses": statuses}
        request.extensions["paybylink"] = Sending(
            who="vendor", retry=retry, key_until=until, fresh=fresh, retry_header=header, **more
        )
    return request


def one(request: httpx.Request) -> Call[int]:
    """A flow that sends `request` and returns the status of the answer."""
    response = yield request
    return response.status_code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        _ = self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


@contextmanager
def tiny_server() -> Iterator[str]:
    """A server on this machine that answers with the number of the connection, its client's port; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    # Closing does not wait for connections that clients keep open.
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def deaf_server() -> Iterator[str]:
    """A server that takes connections, and neither reads nor writes; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Small, so that what does not fit stays with the client.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def make_certificate(folder: Path) -> Path:
    """A certificate for localhost with its key in one file, made for this run; without openssl a skipped test."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    key, public, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    _ = subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(public)),
        ],
        check=True,
        capture_output=True,
    )
    _ = both.write_text(key.read_text() + public.read_text())
    return both
