"""What the promises are tested against: the sandbox over real HTTP and SMTP, and a shop's own settings."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from paybylink import PayByLink
from paybylink.sandbox import Sandbox
from workflows.receiver import Receiver
from workflows.world import World

from .marks import Watch, watched
from .parrot import Parrot, parrot
from .shop import API_KEY, SENDER, Terminal


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sandbox and a receiver of its webhooks, for one file of tests."""
    with Receiver() as receiver, Sandbox() as sandbox:
        secret = sandbox.control.register_webhook(receiver.url)
        yield World(
            sandbox=sandbox, receiver=receiver, secret=secret, folder=tmp_path_factory.mktemp("stores")
        )


@pytest.fixture
def world(outside: World) -> Iterator[World]:
    """The same, without a fault that an earlier test has left."""
    yield outside
    outside.sandbox.control.clear_faults()


@pytest.fixture
def terminal(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A person in a shop's folder, whose settings in the environment lead to the sandbox."""
    for name in list(os.environ):
        if name.upper().startswith("PAYBYLINK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Terminal(monkeypatch)
    made.set(
        STRIPE_API_KEY=API_KEY,
        STRIPE_WEBHOOK_SECRETS=world.secret,
        STRIPE_BASE_URL=world.sandbox.stripe_url,
        STORE=f"sqlite:///{tmp_path / 'shop.db'}",
        SMTP_HOST=world.sandbox.smtp_host,
        SMTP_PORT=str(world.sandbox.smtp_port),
        SMTP_SECURITY="none",
        SMTP_SENDER=SENDER,
    )
    return made


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    """A reference that no other test uses."""
    return f"p-{zlib.crc32(request.node.nodeid.encode()):08x}"


@pytest.fixture
def pay(world: World, reference: str) -> Iterator[PayByLink]:
    """A shop with a fresh database, Stripe and a mail server."""
    with world.pay_by_link(world.database(reference)) as made:
        yield made


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Every logger, watched for marks until the test has ended."""
    with watched() as made:
        yield made


@pytest.fixture(scope="module")
def bird() -> Iterator[Parrot]:
    """A mail server that repeats what it hears."""
    with parrot() as made:
        yield made
