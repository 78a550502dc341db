from __future__ import annotations

from collections.abc import Iterator

import pytest

from paybylink.sandbox import Sandbox

from .receiver import Receiver
from .world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sandbox and a receiver of its webhooks, for one file of tests."""
    with Receiver() as receiver, Sandbox() as sandbox:
        secret = sandbox.control.register_webhook(receiver.url)
        yield World(
            sandbox=sandbox, receiver=receiver, secret=secret, folder=tmp_path_factory.mktemp("stores")
        )


@pytest.fixture(autouse=True)
def no_faults_left(world: World) -> Iterator[None]:
    """Switch the sandbox's faults off after each test."""
    yield
    world.sandbox.control.clear_faults()
