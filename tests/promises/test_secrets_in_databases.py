"""
The promise: no secret is ever printed, and nobody's address, number, name or payment page either, whatever fails,
here: the database, whose driver knows a password and every row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from paybylink import AsyncPayByLink, PaybylinkError
from paybylink.errors import StoreError
from paybylink.store.vaults import _engines
from workflows.world import World

from .marked_shop import HASTY, fails, order_of, provider_of, shop
from .marks import API_KEY, DATABASE_PASSWORD, NAME, Watch
from .shop import closed_port


def gone(folder: Path, prepare: Callable[[str], None]) -> str:
    return f"sqlite:///{folder / 'nowhere' / 'shop.db'}"


def no_database(folder: Path, prepare: Callable[[str], None]) -> str:
    _ = (folder / "letter.db").write_bytes(f"Dear {NAME}, your key is {API_KEY}. ".encode() * 200)
    return f"sqlite:///{folder / 'letter.db'}"


def damaged(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "damaged.db"
    prepare(f"sqlite:///{path}")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    _ = path.write_bytes(content)
    return f"sqlite:///{path}"


def without_tables(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "bare.db"
    prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        _ = connection.execute("DROP TABLE paybylink_customers")
    connection.close()
    return f"sqlite:///{path}"


def with_another_rule(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "ruled.db"
    prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        _ = connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON paybylink_customers BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    connection.close()
    return f"sqlite:///{path}"


def away(folder: Path, prepare: Callable[[str], None]) -> str:
    return f"postgresql+psycopg://clerk:{DATABASE_PASSWORD}@127.0.0.1:{closed_port()}/shop"


DATABASES = [gone, no_database, damaged, without_tables, with_another_rule, away]


@pytest.mark.parametrize("database", DATABASES)
def test_a_database_that_fails_tells_nothing(
    watch: Watch, world: World, tmp_path: Path, reference: str, database: Callable[..., str]
) -> None:
    """Gone, damaged, of another kind, without a table, refusing: no row, no statement's values, no password."""

    def prepare(url: str) -> None:
        with shop(world, url) as pay:
            assert pay.link("nothing") is None
        # Whatever stands in the log of SQLite goes into the file.
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    url = database(tmp_path, prepare)
    with shop(world, url) as pay:
        error = fails(watch, lambda: pay.create_link(order_of(reference)))
        watch.check(pay)

    assert isinstance(error, StoreError) or error.code == "schema_outdated"
    assert world.links(reference) == []


@pytest.mark.anyio
@pytest.mark.parametrize("database", [gone, no_database, without_tables, with_another_rule, away])
async def test_a_database_that_fails_tells_nothing_when_awaited(
    watch: Watch, world: World, tmp_path: Path, reference: str, database: Callable[..., str]
) -> None:
    """The same through aiosqlite and psycopg's own coroutines."""

    def prepare(url: str) -> None:
        with shop(world, url) as pay:
            assert pay.link("nothing") is None

    store = database(tmp_path, prepare)
    async with AsyncPayByLink(providers=[provider_of(world)], store=store, patience=HASTY) as pay:
        with pytest.raises(PaybylinkError) as caught:
            _ = await pay.create_link(order_of(reference))
        watch.check(caught.value, pay)


def test_a_locked_database_tells_nothing(
    watch: Watch, world: World, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer who waits in vain is told of the lock and of nothing that he wanted to write."""
    monkeypatch.setattr(_engines, "BUSY_SECONDS", 0.05)
    url = world.database(reference)
    rival = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    _ = rival.execute("BEGIN EXCLUSIVE")
    with shop(world, url) as pay:
        error = fails(watch, lambda: pay.create_link(order_of(reference)))
    rival.close()

    assert isinstance(error, StoreError)
    assert "locked" in str(error)
