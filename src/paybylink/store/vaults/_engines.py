"""
Engines of our own, set up so that a commit is a commit.

SQLite: WAL, so that readers and the one writer do not wait for each other; `synchronous=FULL`, since with less a
webhook answered 200 could be forgotten when the power fails; and every transaction is begun by us. A change begins
with `BEGIN IMMEDIATE`: it waits for its turn before it reads anything, so it never finds in the middle that another
was first ("database is locked").
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Engine, QueuePool, create_engine, event

from paybylink.errors import MissingExtra, StoreError

from ._urls import is_memory

#: How long a writer waits for its turn.
BUSY_SECONDS = 30
#: STRICT tables came with 3.37 (sqlite.org/stricttables.html).
_OLDEST_SQLITE = (3, 37)
# Pages kept by each connection, in KiB as a negative number: growth of the indexes then costs less reading.
_CACHE = -32_000


def own_engine(url: URL) -> Engine:
    """
    An engine for our own connections.

    Raises:
        MissingExtra: psycopg is not installed.
        StoreError: SQLite is older than 3.37.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    try:
        return create_engine(url, hide_parameters=True)
    except ModuleNotFoundError:
        raise MissingExtra("postgres", "a store on PostgreSQL") from None


def _sqlite_engine(url: URL) -> Engine:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or newer is needed, or PostgreSQL"
        )
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}}
    if is_memory(url):
        # One connection is the database; threads take turns on it.
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    engine = create_engine(url, hide_parameters=True, **options)
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, record: object) -> None:
    del record
    # None: the driver begins nothing by itself, and leaves BEGIN to us.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    _to_wal(cursor)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size={_CACHE}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _to_wal(cursor: sqlite3.Cursor) -> None:
    """Switch a new file to WAL: where several do at once, SQLite says "busy" to some of them without any waiting."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            _ = cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 255 != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return
