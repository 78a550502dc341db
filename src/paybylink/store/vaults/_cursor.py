"""
A store on a bare DB-API connection: Python's own `sqlite3`, psycopg 3, or Django's connection wrapper.

Statements are compiled once for the driver and run on a cursor of the host's connection. There is no engine in
between: one over it would commit or roll back the host's work when it gives the connection back. The rules are
those of a lent connection (see `_lent`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

from attrs import frozen
from sqlalchemy.engine.interfaces import Dialect

from paybylink.errors import Fault, SettingsError, StoreError
from paybylink.flow import Batch, Rows, Statement
from paybylink.store.schema import check
from paybylink.store.tables import DEFAULT_PREFIX

from ._compiled import Bound, compiler_for
from ._faults import is_ours, told
from ._lent import NO_TRANSACTION, commits_by_itself, in_postgresql_transaction
from ._perform import perform_steps

_SAVEPOINT = "paybylink"


class DbApiConnection(Protocol):
    """What we ask of a bare connection."""

    def cursor(self) -> Any: ...


class CursorVault:
    """
    Performs batches on cursors of a connection that the host commits.

    Args:
        connection: of `sqlite3`, of psycopg 3, or Django's ``connections[alias]``.
        prefix, schema: how the tables are named.

    Raises:
        SettingsError: it is none of these.
    """

    lent = True

    def __init__(
        self, connection: DbApiConnection, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None
    ) -> None:
        self._driver = _driver(connection)
        self._compiler = compiler_for(self._driver.dialect(), prefix, schema)
        self._checked = False

    def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """
        What each step of the batch answered; it becomes true when the host commits.

        Raises:
            Conflict: another writer was first; our steps were undone, the host's were not.
            StoreError: the database refused, or there is no transaction to be part of.
            SchemaOutdated: the database needs `paybylink db upgrade`.
        """
        name = batch.steps[0].statement.name if batch.steps else "empty"
        try:
            with closing(self._driver.cursor()) as cursor:
                if not self._driver.join_transaction(cursor, writes=batch.writes):
                    return self._steps(cursor, batch)
                cursor.execute(f"SAVEPOINT {_SAVEPOINT}")
                try:
                    answers = self._steps(cursor, batch)
                except Exception:
                    cursor.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                    cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
                    raise
                cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
                return answers
        except Exception as error:
            if is_ours(error):
                raise told(error, name) from None
            raise

    def close(self) -> None:
        """Nothing: the connection is the host's."""

    def _steps(self, cursor: Any, batch: Batch) -> tuple[Rows, ...]:
        if not self._checked:
            check(self._version(cursor))
            self._checked = True

        def execute(
            statement: Statement, sql: str, values: Bound | list[Bound]
        ) -> tuple[Sequence[Mapping[str, Any]], int]:
            try:
                if isinstance(values, list):
                    cursor.executemany(sql, values)
                    return (), cursor.rowcount
                cursor.execute(sql, values)
                if cursor.description is None:
                    return (), cursor.rowcount
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]
            except Exception as error:
                if is_ours(error):
                    raise told(error, statement.name) from None
                raise
            return rows, len(rows)

        return perform_steps(batch, self._compiler, execute)

    def _version(self, cursor: Any) -> str | None:
        compiler = self._compiler
        if self._driver.vendor == "sqlite":
            within = f'"{compiler.schema}".' if compiler.schema else ""
            name = f"{compiler.prefix}alembic_version"
            # The names are of our own table, as the settings have it.
            cursor.execute(f"SELECT count(*) FROM {within}sqlite_master WHERE name = '{name}'")  # noqa: S608 - our own table's name
        else:
            name = compiler.named("paybylink_alembic_version")
            cursor.execute(f"SELECT to_regclass('{name}') IS NOT NULL")
        there = bool(cursor.fetchone()[0])
        if not there:
            return None
        cursor.execute(compiler.named("SELECT version_num FROM paybylink_alembic_version"))
        row = cursor.fetchone()
        return None if row is None else str(row[0])


class _Driver(Protocol):
    """What differs between the kinds of bare connections."""

    @property
    def vendor(self) -> str: ...

    def dialect(self) -> Dialect: ...

    def cursor(self) -> Any: ...

    def join_transaction(self, cursor: Any, *, writes: bool) -> bool:
        """As `_lent.join_transaction`."""
        ...


@frozen
class _Sqlite:
    connection: Any
    vendor: str = "sqlite"

    def dialect(self) -> Dialect:
        from sqlalchemy.dialects.sqlite import pysqlite

        return pysqlite.dialect(paramstyle="qmark")

    def cursor(self) -> Any:
        cursor = self.connection.cursor()
        # A row factory of the host's would give rows that are no sequences.
        cursor.row_factory = None
        return cursor

    def join_transaction(self, cursor: Any, *, writes: bool) -> bool:
        return _join_sqlite(self.connection, cursor, writes=writes)


@frozen
class _Psycopg:
    connection: Any
    vendor: str = "postgresql"

    def dialect(self) -> Dialect:
        from sqlalchemy.dialects.postgresql import psycopg

        make: Callable[..., Dialect] = psycopg.dialect
        return make()

    def cursor(self) -> Any:
        from psycopg.rows import tuple_row

        return self.connection.cursor(row_factory=tuple_row)

    def join_transaction(self, cursor: Any, *, writes: bool) -> bool:
        del cursor
        if self.connection.autocommit and not in_postgresql_transaction(self.connection):
            if writes:
                raise StoreError(NO_TRANSACTION)
            return False
        return True


@frozen
class _Django:
    """Django's wrapper: its cursors take ``%s`` for every database, and `atomic` says where transactions begin."""

    connection: Any

    @property
    def vendor(self) -> str:
        return str(self.connection.vendor)

    def dialect(self) -> Dialect:
        if self.vendor == "sqlite":
            from sqlalchemy.dialects.sqlite import pysqlite

            return pysqlite.dialect(paramstyle="format")
        from sqlalchemy.dialects.postgresql import psycopg

        make: Callable[..., Dialect] = psycopg.dialect
        return make(paramstyle="format")

    def cursor(self) -> Any:
        return self.connection.cursor()

    def join_transaction(self, cursor: Any, *, writes: bool) -> bool:
        if self.connection.get_autocommit() and not self.connection.in_atomic_block:
            if writes:
                raise StoreError(f"{NO_TRANSACTION}, in Django by transaction.atomic()")
            return False
        if self.vendor == "sqlite":
            return _join_sqlite(self.connection.connection, cursor, writes=writes)
        return True


def _join_sqlite(driver: Any, cursor: Any, *, writes: bool) -> bool:
    if driver.in_transaction:
        return True
    if not writes:
        return False
    if commits_by_itself(driver):
        raise StoreError(NO_TRANSACTION)
    cursor.execute("BEGIN")
    return True


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _driver(connection: Any) -> _Driver:
    if getattr(connection, "vendor", None) in ("sqlite", "postgresql") and hasattr(
        connection, "get_autocommit"
    ):
        return _Django(connection)
    homes = {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}
    if "sqlite3" in homes:
        return _Sqlite(connection)
    if "psycopg" in homes and not type(connection).__name__.startswith("Async"):
        return _Psycopg(connection)
    raise SettingsError(
        [
            Fault(
                "store",
                f"is a {type(connection).__module__}.{type(connection).__qualname__}, which cannot be used here",
                "give a connection of sqlite3, psycopg 3, Django or SQLAlchemy, or an address",
            )
        ]
    )
