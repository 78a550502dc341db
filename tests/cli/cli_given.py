"""What the tests of the command line start from: a sandbox, a shop whose settings lead to it, and a way to type."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen
from typer.testing import CliRunner

from paybylink.cli.program import program
from paybylink.sandbox import Sandbox, SandboxControl

#: Parts of every secret in the tests; none of them may ever be printed.
MARK = "marked7Zq"
API_KEY = f"sk_test_{MARK}"
WEBHOOK_SECRET = f"whsec_{MARK}"
SMTP_PASSWORD = f"{MARK}-password"


@frozen
class Typed:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return self.json["error"]


@define
class Terminal:
    """A person, or a program, in the shop's folder."""

    folder: Path
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch
    everything: list[str] = field(factory=list)

    @property
    def control(self) -> SandboxControl:
        return self.sandbox.control

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(f"PAYBYLINK_{name}", value)

    def type(self, *words: str) -> Typed:
        """Run one command; a traceback is a failure of the test, a secret on the screen too."""
        result = CliRunner().invoke(program, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.everything += [result.stdout, result.stderr]
        assert MARK not in result.output
        return Typed(result.exit_code, result.stdout, result.stderr)


def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine."""
    for name in list(os.environ):
        if name.upper().startswith("PAYBYLINK_"):
            monkeypatch.delenv(name)


@contextmanager
def terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A shop beside a sandbox."""
    clean(monkeypatch)
    monkeypatch.chdir(folder)
    with Sandbox() as sandbox:
        made = Terminal(folder, sandbox, monkeypatch)
        made.set(
            STRIPE_API_KEY=API_KEY,
            STRIPE_WEBHOOK_SECRETS=WEBHOOK_SECRET,
            STRIPE_BASE_URL=sandbox.stripe_url,
            STORE=f"sqlite:///{folder / 'shop.db'}",
            SMTP_HOST=sandbox.smtp_host,
            SMTP_PORT=str(sandbox.smtp_port),
            SMTP_SECURITY="none",
            SMTP_SENDER="Atelier <pay@atelier.example>",
        )
        yield made
