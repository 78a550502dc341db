"""
A store on a connection that the host has lent: the host commits, or rolls back and nothing has happened.

Rule 1: we never commit, roll back or close what is not ours. Each batch has a savepoint of its own, so that a
        conflict undoes our steps and leaves the host's uncommitted rows alone.
Rule 2: where nothing would be left for the host to commit (autocommit, and no transaction begun) a change is
        refused, since it could not be taken back with the host's work.
Rule 3: Python's driver for SQLite begins a transaction only before the first change, and a savepoint outside of
        one would commit when it is released; so there we begin it, and the host's commit ends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from paybylink.errors import StoreError
from paybylink.flow import Batch, Rows
from paybylink.store.schema import check, version_of
from paybylink.store.tables import DEFAULT_PREFIX

from ._compiled import Compiler, compiler_for
from ._faults import told
from ._perform import on_connection, perform_steps

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

NO_TRANSACTION = (
    "the lent connection is in autocommit mode and in no transaction, so this could not be undone with your own "
    "work; begin a transaction first and commit it afterwards"
)


class LentVault:
    """
    Performs batches inside the transaction of a SQLAlchemy connection or session.

    Args:
        connection: the host's; it is used by one thread at a time, as SQLAlchemy asks.
        prefix, schema: how the tables are named.
    """

    lent = True

    def __init__(
        self,
        connection: Connection | Session | scoped_session[Session],
        *,
        prefix: str = DEFAULT_PREFIX,
        schema: str | None = None,
    ) -> None:
        self._lent = connection
        self._guest = _Guest(prefix, schema)

    def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """
        What each step of the batch answered; it becomes true when the host commits.

        Raises:
            Conflict: another writer was first; our steps were undone, the host's were not.
            StoreError: the database refused, or there is no transaction to be part of.
            SchemaOutdated: the database needs `paybylink db upgrade`.
        """
        lent = self._lent
        connection = lent if isinstance(lent, Connection) else lent.connection()
        return self._guest.perform(connection, batch)

    def close(self) -> None:
        """Nothing: the connection is the host's."""


class AsyncLentVault:
    """
    The same inside the transaction of an `AsyncConnection` or `AsyncSession`.

    Args:
        connection: the host's.
        prefix, schema: how the tables are named.
    """

    lent = True

    def __init__(
        self,
        connection: AsyncConnection | AsyncSession | async_scoped_session[AsyncSession],
        *,
        prefix: str = DEFAULT_PREFIX,
        schema: str | None = None,
    ) -> None:
        from sqlalchemy.ext.asyncio import AsyncConnection

        if isinstance(connection, AsyncConnection):
            found = connection

            async def itself() -> AsyncConnection:
                return found

            self._connection: Callable[[], Awaitable[AsyncConnection]] = itself
        else:
            self._connection = connection.connection
        self._guest = _Guest(prefix, schema)

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """What each step of the batch answered; errors as on `LentVault.perform`."""
        connection = await self._connection()
        return await connection.run_sync(self._guest.perform, batch)

    async def aclose(self) -> None:
        """Nothing: the connection is the host's."""


class _Guest:
    """Performs batches on whatever connection it is given, inside the transaction that is under way there."""

    def __init__(self, prefix: str, schema: str | None) -> None:
        self._prefix, self._schema = prefix, schema
        self._checked = False

    def perform(self, connection: Connection, batch: Batch) -> tuple[Rows, ...]:
        compiler = compiler_for(connection.dialect, self._prefix, self._schema)
        name = batch.steps[0].statement.name if batch.steps else "empty"
        try:
            if not join_transaction(connection, writes=batch.writes):
                return self._steps(connection, batch, compiler)
            with connection.begin_nested():
                return self._steps(connection, batch, compiler)
        except SQLAlchemyError as error:
            raise told(error, name) from None

    def _steps(self, connection: Connection, batch: Batch, compiler: Compiler) -> tuple[Rows, ...]:
        if not self._checked:
            check(version_of(connection, prefix=self._prefix, schema=self._schema))
            self._checked = True
        return perform_steps(batch, compiler, on_connection(connection))


def join_transaction(connection: Connection, *, writes: bool) -> bool:
    """
    Whether a transaction is under way that a savepoint can be part of; one is begun for a change (rules 2, 3).

    Raises:
        StoreError: a change was asked for, and the connection commits by itself.
    """
    if not connection.in_transaction():
        # What SQLAlchemy does by itself at the first statement; the host's commit() ends it all the same.
        _ = connection.begin()
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        if driver is None or driver.in_transaction:
            return True
        if not writes:
            return False
        if commits_by_itself(driver):
            raise StoreError(NO_TRANSACTION)
        _ = connection.exec_driver_sql("BEGIN")
        return True
    if getattr(driver, "autocommit", False) and not in_postgresql_transaction(driver):
        if writes:
            raise StoreError(NO_TRANSACTION)
        return False
    return True


def commits_by_itself(driver: object) -> bool:
    """Whether a connection of Python's `sqlite3` (or aiosqlite's) is in autocommit mode."""
    # Since Python 3.12 `autocommit` rules, unless it is -1, which means: as before, by `isolation_level`.
    autocommit = getattr(driver, "autocommit", -1)
    if autocommit in (True, False):
        return bool(autocommit)
    return getattr(driver, "isolation_level", "") is None


def in_postgresql_transaction(driver: object) -> bool:
    """Whether a psycopg connection has a transaction under way."""
    # libpq, PQtransactionStatus: 0 is PQTRANS_IDLE.
    status: int = getattr(getattr(driver, "info", None), "transaction_status", 0)
    return status != 0
