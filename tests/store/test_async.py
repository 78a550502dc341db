"""The awaited vaults: the same answers and errors, on connections of our own and on lent ones."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from paybylink.drivers.doors import AsyncDoors, AsyncVault
from paybylink.drivers.run import arun
from paybylink.errors import Conflict, SchemaOutdated, SettingsError
from paybylink.flow import write
from paybylink.store import Store, SyncVault, open_async_vault, open_vault

from .store_given import NOW, content_of, entry, link, paid, payment
from .store_places import Place, fresh_place, make_tables_in

pytestmark = pytest.mark.anyio
STORE = Store()
HOST_ROW = "INSERT INTO host (what) VALUES ('mine')"
Do: TypeAlias = Callable[[Any], Any]


@pytest.fixture
def anyio_backend() -> str:
    """The one loop that SQLAlchemy knows."""
    return "asyncio"


@asynccontextmanager
async def engine_at(place: Place) -> AsyncIterator[AsyncEngine]:
    """The host's own asynchronous engine, as SQLAlchemy sets it up by default."""
    driver = "sqlite+aiosqlite" if place.database == "sqlite" else "postgresql+psycopg"
    engine = create_async_engine(place.engine.url.set(drivername=driver))
    try:
        yield engine
    finally:
        await engine.dispose()


async def book_all(vault: AsyncVault) -> None:
    """One of each: several statements, grouped ones, a query, a conflict that leaves nothing."""
    doors, given_link = AsyncDoors(vault=vault), link()
    _ = await arun(
        write(
            *STORE.insert_link(given_link, content_of(given_link)),
            STORE.insert_payment(payment()),
            STORE.emit(paid(), now=NOW),
            *STORE.book(entry()),
        ),
        doors,
    )
    stored = await arun(STORE.link("L1"), doors)
    assert stored is not None
    assert stored.link == given_link
    with pytest.raises(Conflict):
        _ = await arun(write(STORE.insert_payment(payment("PAY2")), STORE.insert_payment(payment())), doors)
    assert [each.id for each in await arun(STORE.payments(), doors)] == ["PAY1"]
    assert await arun(STORE.entry_of_key(entry().key), doors) == entry()


async def test_own_vault_commits(place: Place) -> None:
    """Committed when the await ends, and closed with the vault."""
    vault = open_async_vault(place.url)
    assert not vault.lent
    await book_all(vault)
    await vault.aclose()

    assert place.query("SELECT id FROM paybylink_links") == [("L1",)]


async def test_own_vault_may_be_used_again_after_it_was_closed(place: Place) -> None:
    """Closing gives up the pool, not the address."""
    vault = open_async_vault(place.url)
    await book_all(vault)
    await vault.aclose()
    assert len(await arun(STORE.payments(), AsyncDoors(vault=vault))) == 1
    await vault.aclose()


async def test_lent_connection_is_committed_by_its_owner(place: Place) -> None:
    """Nothing is there before, both rows are there afterwards."""
    async with engine_at(place) as engine, engine.connect() as connection:
        _ = await connection.exec_driver_sql(HOST_ROW)
        vault = open_async_vault(connection)
        assert vault.lent
        await book_all(vault)
        await vault.aclose()
        assert place.query("SELECT what FROM host") == []
        await connection.commit()

    assert place.query("SELECT what FROM host") == [("mine",)]
    assert place.query("SELECT id FROM paybylink_links") == [("L1",)]


@pytest.mark.parametrize("first", ["host", "ours"])
async def test_lent_connection_rolled_back_leaves_nothing(place: Place, first: str) -> None:
    """Whoever's statement was the first."""
    async with engine_at(place) as engine, engine.connect() as connection:
        if first == "host":
            _ = await connection.exec_driver_sql(HOST_ROW)
        await book_all(open_async_vault(connection))
        await connection.rollback()

    assert place.query("SELECT id FROM paybylink_links") == place.query("SELECT what FROM host") == []


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_lent_session_is_ended_by_its_owner(place: Place, end: str) -> None:
    """An `AsyncSession` is used within its own transaction."""
    async with engine_at(place) as engine, AsyncSession(engine) as session:
        _ = await session.execute(text(HOST_ROW))
        await book_all(open_async_vault(session))
        await (session.commit() if end == "commit" else session.rollback())

    kept = [("L1",)] if end == "commit" else []
    assert place.query("SELECT id FROM paybylink_links") == kept
    assert len(place.query("SELECT what FROM host")) == len(kept)


async def test_batch_is_tried_again_when_its_connection_had_died(postgres: Any, tmp_path: Path) -> None:
    """A server that was restarted meanwhile costs nothing: the pool's dead connections are replaced."""
    with fresh_place("postgresql", tmp_path, postgres) as place:
        make_tables_in(place)
        vault = open_async_vault(place.url)
        doors = AsyncDoors(vault=vault)
        _ = await arun(STORE.payments(), doors)
        async with vault._inner._engine.connect() as connection:  # type: ignore[union-attr]
            number = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
        _ = place.query(f"SELECT pg_terminate_backend({number})")

        _ = await arun(write(STORE.insert_payment(payment())), doors)

        assert len(await arun(STORE.payments(), doors)) == 1
        await vault.aclose()


async def test_process_that_inherits_a_vault_opens_its_own_pool(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fork neither the parent's connections nor its threads are used."""
    vault = open_async_vault(place.url)
    doors = AsyncDoors(vault=vault)
    _ = await arun(write(STORE.insert_payment(payment())), doors)
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        _ = await arun(write(STORE.insert_payment(payment("PAY2"))), doors)
        await vault.aclose()

    assert len(place.query("SELECT id FROM paybylink_payments")) == 2


async def test_concurrent_batches_all_land(place: Place) -> None:
    """Many tasks on one vault neither lose nor double a row."""
    vault = open_async_vault(place.url)
    doors = AsyncDoors(vault=vault)
    _ = await asyncio.gather(
        *(arun(write(STORE.insert_payment(payment(f"PAY{number:02}"))), doors) for number in range(40))
    )
    assert len(await arun(STORE.payments(), doors)) == 40
    await vault.aclose()


async def test_cancelled_batch_is_written_whole_or_not_at_all(place: Place) -> None:
    """A task that is given up leaves no half of a batch, and a vault that still works."""
    vault = open_async_vault(place.url)
    doors = AsyncDoors(vault=vault)
    for number in range(10):
        steps = write(
            STORE.insert_payment(payment(f"A{number}")), STORE.insert_payment(payment(f"B{number}"))
        )
        task = asyncio.ensure_future(arun(steps, doors))
        for _ in range(number):
            await asyncio.sleep(0)
        _ = task.cancel()
        _ = await asyncio.gather(task, return_exceptions=True)
    _ = await arun(write(STORE.insert_payment(payment("last"))), doors)
    await vault.aclose()

    found = {str(row[0]) for row in place.query("SELECT id FROM paybylink_payments")}
    assert "last" in found
    assert {name[1:] for name in found if name[0] == "A"} == {name[1:] for name in found if name[0] == "B"}


async def test_new_sqlite_file_gets_its_tables_and_other_databases_are_named(empty_place: Place) -> None:
    """As with the synchronous vault."""
    vault = open_async_vault(empty_place.url)
    if empty_place.database == "sqlite":
        assert await arun(STORE.payments(), AsyncDoors(vault=vault)) == ()
    else:
        with pytest.raises(SchemaOutdated, match="paybylink db upgrade"):
            _ = await arun(STORE.payments(), AsyncDoors(vault=vault))
    await vault.aclose()


async def test_vault_shows_no_password() -> None:
    """Neither kind of vault prints what is secret in its address."""
    address = "postgresql+psycopg://shop:hunter2@db.example/shop"
    own, awaited = SyncVault(address), open_async_vault(address)

    assert "hunter2" not in repr(own) + repr(awaited)
    assert "db.example" in repr(own)
    own.close()
    await awaited.aclose()


async def test_asynchronous_connection_is_refused_by_the_synchronous_door(place: Place) -> None:
    """The error names what takes it."""
    async with engine_at(place) as engine, engine.connect() as connection:
        with pytest.raises(SettingsError, match="AsyncPayByLink"):
            _ = open_vault(connection)  # type: ignore[arg-type]
