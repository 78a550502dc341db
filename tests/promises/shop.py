"""
Hands for the promises: a terminal to type in, a port where nobody listens, and a count of what has left.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import field, frozen
from typer.testing import CliRunner

from paybylink.cli.program import program
from workflows.world import World

API_KEY = "sk_test_promises"
SENDER = "Atelier <pay@atelier.example>"


@frozen
class Typed:
    """
    What one command printed, and how it ended.

    Attributes:
        code: its exit code.
        out, err: what it printed.
        defect: an exception that nobody caught, which a person would see as a traceback; None as it should be.
    """

    code: int
    out: str
    err: str
    defect: BaseException | None = None

    @property
    def error(self) -> Any:  # JSON
        """The error that a command with ``--json`` has told."""
        return json.loads(self.out)["error"]


@frozen
class Terminal:
    """A person in a shop's folder."""

    monkeypatch: pytest.MonkeyPatch = field(repr=False)

    def set(self, **variables: str) -> None:
        """Set variables of ours, without their prefix."""
        for name, value in variables.items():
            self.monkeypatch.setenv(f"PAYBYLINK_{name}", value)

    def type(self, *words: str) -> Typed:
        """Run one command in this process."""
        result = CliRunner().invoke(program, list(words))
        defect = None if isinstance(result.exception, SystemExit) else result.exception
        return Typed(result.exit_code, result.stdout, result.stderr, defect)


def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def forget_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name be unknown, as on a machine without DNS; numbers still lead to their address."""
    known = socket.getaddrinfo

    def asked(host: Any, *args: Any, **options: Any) -> Any:  # the signature of the original is wide
        name = host.decode() if isinstance(host, bytes) else host
        if name in ("127.0.0.1", "localhost", None):
            return known(host, *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", asked)


@contextmanager
def quiet(world: World) -> Iterator[None]:
    """Inside, nothing reaches the provider or the mail server."""
    before = _reached(world)
    yield

    assert _reached(world) == before


def _reached(world: World) -> tuple[int, int, int]:
    control = world.sandbox.control
    asked = [request for request in control.requests() if request.path.startswith("/stripe/")]
    return len(asked), len(control.links()), len(control.mails())
