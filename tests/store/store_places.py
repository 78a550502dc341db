"""
The places where one suite is run: each way of performing batches, on each database.

A `Place` is one fresh database (SQLite file or PostgreSQL schema) with our tables in it, and a way to a vault on it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import Engine, create_engine

from paybylink.drivers.doors import Vault
from paybylink.store import SyncVault, open_vault
from paybylink.store.schema import create
from paybylink.store.vaults._engines import own_engine
from paybylink.store.vaults._urls import sync_url

DEFAULT_POSTGRES = "postgresql+psycopg://root@127.0.0.1:5432/test"


class DjangoLike:
    """
    As much of Django's connection wrapper as a vault may use: cursors that take ``%s``, and its words for
    transactions. A stand-in, since Django itself is no dependency of the tests.
    """

    def __init__(self, connection: Any, vendor: str) -> None:
        self.connection, self.vendor = connection, vendor
        self.in_atomic_block = False

    def cursor(self) -> DjangoLikeCursor:
        return DjangoLikeCursor(self.connection.cursor(), self.vendor)

    def get_autocommit(self) -> bool:
        return not self.in_atomic_block

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Commits at the end, or rolls back on an error; as `transaction.atomic` does at the outermost level."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN")
            self.in_atomic_block = True
            try:
                yield
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            else:
                cursor.execute("COMMIT")
            finally:
                self.in_atomic_block = False


class DatabaseError(Exception):
    """What Django raises in place of a driver's error, which it keeps as the cause."""

    __module__ = "django.db.utils"


class DjangoLikeCursor:
    """Rewrites ``%s`` for SQLite, and raises errors of its own from the driver's."""

    def __init__(self, cursor: Any, vendor: str) -> None:
        self._cursor, self._vendor = cursor, vendor

    def _sql(self, sql: str) -> str:
        return sql.replace("%s", "?").replace("%%", "%") if self._vendor == "sqlite" else sql

    def execute(self, sql: str, values: Any = None) -> Any:
        try:
            return (
                self._cursor.execute(sql) if values is None else self._cursor.execute(self._sql(sql), values)
            )
        except (sqlite3.Error, psycopg.Error) as error:
            raise DatabaseError from error

    def executemany(self, sql: str, values: Any) -> Any:
        try:
            return self._cursor.executemany(self._sql(sql), values)
        except (sqlite3.Error, psycopg.Error) as error:
            raise DatabaseError from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self._cursor.close()


@frozen(kw_only=True)
class Place:
    """
    One fresh database.

    Attributes:
        url: its address; every connection made with it lands in this test's own tables.
        database: ``sqlite`` or ``postgresql``.
        engine: the host's own, set up as SQLAlchemy does it by default.
    """

    url: str
    database: str
    engine: Engine

    def raw(self) -> Any:
        """A connection of the bare driver, as a host would open it."""
        url = sync_url(self.url)
        if self.database == "sqlite":
            return sqlite3.connect(str(url.database), timeout=30)
        given: dict[str, Any] = url.translate_connect_args(username="user", database="dbname") | dict(
            url.query
        )
        return psycopg.connect(**given)

    def django(self) -> DjangoLike:
        """A connection wrapped as Django wraps it: in autocommit mode outside of `atomic`."""
        connection = self.raw()
        if self.database == "sqlite":
            connection.isolation_level = None
        else:
            connection.autocommit = True
        return DjangoLike(connection, self.database)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What a third party sees, i.e. what was committed."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@contextmanager
def fresh_place(database: str, folder: Path, postgres_url: Callable[[], str]) -> Iterator[Place]:
    """A place of its own, and nothing left of it afterwards."""
    with ExitStack() as leaving:
        if database == "sqlite":
            url = f"sqlite:///{folder / 'shop.db'}"
        else:
            schema = f"t_{uuid.uuid4().hex}"
            base = postgres_url()
            admin = create_engine(base)
            with admin.begin() as connection:
                _ = connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            url = f"{base}{'&' if '?' in base else '?'}options=-csearch_path%3D{schema}"

            def drop() -> None:
                with admin.begin() as connection:
                    _ = connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
                admin.dispose()

            _ = leaving.callback(drop)
        engine = create_engine(sync_url(url))
        _ = leaving.callback(engine.dispose)
        yield Place(url=url, database=database, engine=engine)


#: A SQLite file with the tables in it, once one was made: copying is quicker than making.
_template: list[bytes] = []


def make_tables_in(place: Place) -> None:
    """Our tables at the newest shape, and a table of the host's."""
    file = Path(str(place.engine.url.database))
    if place.database == "sqlite" and _template and not file.exists():
        _ = file.write_bytes(_template[0])
        return
    new = place.database == "sqlite" and not file.exists()
    engine = own_engine(sync_url(place.url))
    with engine.connect() as connection:
        create(connection)
        _ = connection.exec_driver_sql("CREATE TABLE host (what TEXT NOT NULL)")
        connection.commit()
    engine.dispose()
    if new:
        _template[:] = [file.read_bytes()]


@contextmanager
def vault_in(place: Place, way: str) -> Iterator[Vault]:
    """A vault on `place`: our own connections, or one that a host has opened and will commit."""
    with ExitStack() as leaving:
        if way == "own":
            own = SyncVault(place.url)
            _ = leaving.callback(own.close)
            yield own
        elif way == "lent":
            yield open_vault(leaving.enter_context(place.engine.begin()))
        elif way == "cursor":
            connection = place.raw()
            _ = leaving.callback(connection.close)
            yield open_vault(connection)
            connection.commit()
        else:
            wrapper = place.django()
            _ = leaving.callback(wrapper.connection.close)
            with wrapper.atomic():
                yield open_vault(wrapper)


#: Every way on every database.
WAYS = [
    f"{database}-{way}"
    for database in ("sqlite", "postgresql")
    for way in ("own", "lent", "cursor", "django")
]


def find_postgres(folder: Path) -> tuple[str, Callable[[], None]]:
    """
    The address of a server, and how to stop it if it is ours: the one of the environment, the one of this machine,
    or one that is started here from the installed binaries.
    """
    given = os.environ.get("PAYBYLINK_TEST_POSTGRES_URL")
    if given:
        return given, lambda: None
    if _answers(DEFAULT_POSTGRES):
        return DEFAULT_POSTGRES, lambda: None
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) if os.name == "posix" else []
    found = binaries[-1].parent if binaries else None
    on_path = shutil.which("initdb")
    if found is None and on_path:
        found = Path(on_path).parent
    if found is None:
        reason = "no PostgreSQL: set PAYBYLINK_TEST_POSTGRES_URL, or install the server's binaries"
        if os.environ.get("PAYBYLINK_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return _start(found, folder)


def _answers(url: str) -> bool:
    engine = create_engine(url, connect_args={"connect_timeout": 3})
    try:
        with engine.connect():
            return True
    except Exception:
        # Whatever the reason, there is none to be used.
        return False
    finally:
        engine.dispose()


def _start(binaries: Path, folder: Path) -> tuple[str, Callable[[], None]]:
    """A server in `folder`, on a socket there; PostgreSQL refuses to run as root, so root steps down."""
    user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    socket = Path(f"/tmp/pbl-{uuid.uuid4().hex[:8]}")  # noqa: S108  a socket's path may have 107 bytes only
    socket.mkdir(mode=0o700)
    data = socket / "data"
    if os.geteuid() == 0:
        os.chown(socket, user.pw_uid, user.pw_gid)

    def as_user(*command: str) -> None:
        who = SimpleNamespace(user=user.pw_uid, group=user.pw_gid) if os.geteuid() == 0 else None
        _ = subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=socket,
            **({} if who is None else {"user": who.user, "group": who.group, "extra_groups": []}),
        )

    as_user(
        str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "paybylink", "--no-sync", "-E", "UTF8"
    )
    options = f"-k {socket} -c listen_addresses='' -c fsync=off"
    as_user(
        str(binaries / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(socket / "log"), "start"
    )

    def stop() -> None:
        as_user(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(socket)

    del folder
    return f"postgresql+psycopg://paybylink@/postgres?host={socket}", stop
