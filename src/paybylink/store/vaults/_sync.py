"""A store on connections of our own: one transaction for each batch."""

from __future__ import annotations

import os
import threading

from sqlalchemy import Connection, Engine, Pool
from sqlalchemy.exc import SQLAlchemyError

from paybylink.errors import StoreError
from paybylink.flow import Batch, Rows
from paybylink.store.schema import check, create, is_new, version_of
from paybylink.store.tables import DEFAULT_PREFIX

from ._compiled import Compiler
from ._engines import own_engine
from ._faults import is_gone, told
from ._perform import on_connection, perform_steps
from ._urls import sync_url

#: Pools of a parent process. They are kept and never closed here: to SQLite, closing a copy of a connection in
#: the child could end the parent's (sqlite.org/howtocorrupt.html, section 2.6).
_inherited: list[Pool] = []


class SyncVault:
    """
    Performs batches on its own connections to one database. Safe for threads; rebuilds its pool after a fork.

    Args:
        url: ``sqlite:///shop.db`` or ``postgresql+psycopg://user@host/database``.
        prefix, schema: how the tables are named.
    """

    lent = False

    def __init__(self, url: str, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> None:
        self._engine: Engine = own_engine(sync_url(url))
        self._prefix, self._schema = prefix, schema
        self._compiler = Compiler(self._engine.dialect, prefix, schema)
        self._sqlite = self._engine.dialect.name == "sqlite"
        self._process = os.getpid()
        self._checking = threading.Lock()
        self._checked = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._engine.url.render_as_string(hide_password=True)}>"

    def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """
        What each step of the batch answered, after all of it was committed.

        Raises:
            Conflict: another writer was first; nothing was written.
            StoreError: the database refused or is away; nothing was written, unless the connection broke while
                the commit was under way.
            SchemaOutdated: the database needs `paybylink db upgrade`.
        """
        self._settle_in()
        try:
            return self._once(batch)
        except StoreError as error:
            if not is_gone(error):
                raise
        return self._once(batch)

    def close(self) -> None:
        """Close the pool. The vault may be used again and then opens a new one."""
        self._engine.dispose()

    def _once(self, batch: Batch) -> tuple[Rows, ...]:
        name = batch.steps[0].statement.name if batch.steps else "empty"
        try:
            with self._engine.connect() as connection:
                if self._sqlite:
                    _ = connection.exec_driver_sql("BEGIN IMMEDIATE" if batch.writes else "BEGIN")
                answers = perform_steps(batch, self._compiler, on_connection(connection))
                if batch.writes:
                    name = "commit"
                    connection.commit()
                return answers
        except SQLAlchemyError as error:
            raise told(error, name) from None

    def _settle_in(self) -> None:
        if os.getpid() != self._process:
            _inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._checking = threading.Lock()
            self._process = os.getpid()
        if not self._checked:
            with self._checking:
                if not self._checked:
                    self._check()
                    self._checked = True

    def _check(self) -> None:
        try:
            with self._engine.connect() as connection:
                version = self._version(connection)
        except SQLAlchemyError as error:
            raise told(error, "schema_version") from None
        check(version)

    def _version(self, connection: Connection) -> str | None:
        if self._sqlite:
            # Two processes may open a new file at once: the second waits here and finds the tables made.
            _ = connection.exec_driver_sql("BEGIN IMMEDIATE")
            if is_new(connection):
                create(connection, prefix=self._prefix, schema=self._schema)
                connection.commit()
        return version_of(connection, prefix=self._prefix, schema=self._schema)
