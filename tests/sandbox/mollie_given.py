"""What the tests of the sandbox's Mollie half have in common: callers, amounts, and an endpoint that listens."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
from attrs import define, field

from paybylink.sandbox import Sandbox

PROFILE = "pfl_SandboxPBL"


def euros(value: str) -> dict[str, str]:
    """An amount in euros."""
    return {"currency": "EUR", "value": value}


def link_body(**changes: Any) -> dict[str, Any]:
    """The body of a link over 49.90 EUR, usable once; `Any`, since it also goes wrong on purpose."""
    return {"description": "Logo design", "amount": euros("49.90"), **changes}


@contextmanager
def calling(sandbox: Sandbox, secret: str = "test_sandbox") -> Iterator[httpx.Client]:  # noqa: S107  # opens nothing
    """A client of the API with a key, or with an ``access_`` token."""
    with httpx.Client(
        base_url=f"{sandbox.mollie_url}/v2/", headers={"Authorization": f"Bearer {secret}"}
    ) as client:
        yield client


def made(caller: httpx.Client, **changes: Any) -> Any:
    """A fresh link as the API answers it."""
    reply = caller.post("payment-links", json=link_body(**changes))
    assert reply.status_code == 201, reply.text
    return reply.json()


def address(link: Mapping[str, Any]) -> str:
    """Where a payer goes."""
    return str(link["_links"]["paymentLink"]["href"])


def reading(sandbox: Sandbox, path: str, **query: str) -> Any:
    """What an organisation token reads in test mode."""
    with calling(sandbox, "access_sandbox") as caller:
        reply = caller.get(path, params={"testmode": "true", **query})
    assert reply.status_code == 200, reply.text
    return reply.json()


def fault_of(reply: httpx.Response) -> tuple[int, str | None]:
    """Status and field of a refusal, whose body must say the same status."""
    said = reply.json()
    assert said["status"] == reply.status_code
    assert said["title"]
    assert said["detail"]
    return reply.status_code, said.get("field")


@define
class Heard:
    """One call: its path, its headers and its raw body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def payment(self) -> str:
        """The id in a classic call."""
        return parse_qs(self.body.decode())["id"][0]

    def signed_by(self, secret: str) -> bool:
        """Whether one of its signatures was made with this secret."""
        expected = "sha256=" + hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return expected in self.headers["x-mollie-signature"].split(",")


@define
class Bell:
    """
    An endpoint on this machine that keeps what it is told.

    Attributes:
        url: its address.
        heard: each call, in order.
        answers: statuses to answer with, first to last; 200 when none is left.
    """

    url: str
    heard: list[Heard] = field(factory=list)
    answers: list[int] = field(factory=list)

    @property
    def types(self) -> list[str]:
        """The types of the events it was told."""
        return [heard.event["type"] for heard in self.heard]


@contextmanager
def ringing() -> Iterator[Bell]:
    """A `Bell` that listens for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bell.heard.append(
                Heard(self.path, {name.lower(): said for name, said in self.headers.items()}, body)
            )
            self.send_response(bell.answers.pop(0) if bell.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bell = Bell(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bell
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
