from __future__ import annotations

from collections.abc import Iterator

import pytest

from .world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The sandbox and a receiver of its webhooks, for one file of tests."""
    with running_world(tmp_path_factory.mktemp("stores")) as made:
        yield made


@pytest.fixture(autouse=True)
def no_faults_left(world: World) -> Iterator[None]:
    """Switch the sandbox's faults off after each test."""
    yield
    world.sandbox.control.clear_faults()
