"""What every test starts from: asyncio, a fixed moment, and properties that take the time they need."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from hypothesis import settings

# The machine's speed is no property of the code. In CI the same examples come each time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of every test marked `anyio`."""
    return "asyncio"


@pytest.fixture(scope="session")
def moment() -> dt.datetime:
    """The moment at which a test plays; aware UTC."""
    return dt.datetime(2026, 1, 1, 9, 30, tzinfo=dt.UTC)
