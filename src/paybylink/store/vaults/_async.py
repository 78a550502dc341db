"""
A store on connections of our own, awaited.

PostgreSQL is spoken to by psycopg's own asynchronous connections. SQLite is a file and has nothing to await: there
a whole batch goes to a thread and comes back once, where a driver that awaits each statement would cross threads
for every one of them. A batch whose task is cancelled meanwhile ends whole, committed or undone.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Pool
from sqlalchemy.exc import SQLAlchemyError

from paybylink.errors import MissingExtra, StoreError
from paybylink.flow import Batch, Rows
from paybylink.store.schema import check, version_of
from paybylink.store.tables import DEFAULT_PREFIX

from ._compiled import Compiler
from ._faults import is_gone, told
from ._perform import on_connection, perform_steps
from ._sync import SyncVault
from ._urls import sync_url

#: SQLite has one writer; the other threads read.
_THREADS = 4
_inherited: list[Pool] = []


class AsyncVault:
    """
    Performs batches on its own connections to one database, for one event loop.

    Args:
        url: ``sqlite:///shop.db`` or ``postgresql+psycopg://user@host/database``.
        prefix, schema: how the tables are named.
    """

    lent = False

    def __init__(self, url: str, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> None:
        kind = _OnThreads if sync_url(url).get_backend_name() == "sqlite" else _OnLoop
        self._inner: _OnThreads | _OnLoop = kind(url, prefix=prefix, schema=schema)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._inner.shown}>"

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """What each step of the batch answered; errors as on `SyncVault.perform`."""
        return await self._inner.perform(batch)

    async def aclose(self) -> None:
        """Close the pool. The vault may be used again and then opens a new one."""
        await self._inner.aclose()


class _OnThreads:
    def __init__(self, url: str, *, prefix: str, schema: str | None) -> None:
        self._vault = SyncVault(url, prefix=prefix, schema=schema)
        self._threads: tuple[int, ThreadPoolExecutor] | None = None
        self.shown = repr(self._vault)

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        if self._threads is None or self._threads[0] != os.getpid():
            # The threads of a parent do not live on in a fork.
            self._threads = os.getpid(), ThreadPoolExecutor(_THREADS, thread_name_prefix="paybylink-store")
        return await asyncio.get_running_loop().run_in_executor(self._threads[1], self._vault.perform, batch)

    async def aclose(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None and threads[0] == os.getpid():
            # Off the loop, since a batch may still be under way.
            await asyncio.to_thread(threads[1].shutdown)
        self._vault.close()


class _OnLoop:
    def __init__(self, url: str, *, prefix: str, schema: str | None) -> None:
        try:
            from sqlalchemy.ext.asyncio import create_async_engine

            self._engine = create_async_engine(sync_url(url), hide_parameters=True)
        except ImportError:
            raise MissingExtra("postgres", "an asynchronous store on PostgreSQL") from None
        self._prefix, self._schema = prefix, schema
        self._compiler = Compiler(self._engine.dialect, prefix, schema)
        self._process = os.getpid()
        self._checked = False
        self.shown = self._engine.url.render_as_string(hide_password=True)

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        if os.getpid() != self._process:
            _inherited.append(self._engine.sync_engine.pool)
            self._engine.sync_engine.dispose(close=False)
            self._process = os.getpid()
        try:
            return await self._once(batch)
        except StoreError as error:
            if not is_gone(error):
                raise
        return await self._once(batch)

    async def _once(self, batch: Batch) -> tuple[Rows, ...]:
        name = batch.steps[0].statement.name if batch.steps else "empty"
        try:
            async with self._engine.connect() as connection:
                answers = await connection.run_sync(self._steps, batch)
        except SQLAlchemyError as error:
            raise told(error, name) from None
        return answers

    def _steps(self, connection: Connection, batch: Batch) -> tuple[Rows, ...]:
        if not self._checked:
            check(version_of(connection, prefix=self._prefix, schema=self._schema))
            self._checked = True
        answers = perform_steps(batch, self._compiler, on_connection(connection))
        if batch.writes:
            try:
                connection.commit()
            except SQLAlchemyError as error:
                raise told(error, "commit") from None
        return answers

    async def aclose(self) -> None:
        await self._engine.dispose()
