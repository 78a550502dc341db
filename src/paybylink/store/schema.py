"""
Which shape the database has, and how it gets the one this version needs.

A new SQLite file is made at the newest shape when it is first used. Every other database is brought there by
`upgrade`, which is what ``paybylink db upgrade`` calls; until then each use raises `SchemaOutdated`. Alembic is
loaded by `upgrade` and by nothing else here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from paybylink.errors import SchemaOutdated

from .tables import DEFAULT_PREFIX, TABLES, make_tables

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest migration in `migrations/versions`; a test compares the two.
HEAD = "0002"


def head() -> str:
    """The newest migration that this version of the library knows."""
    return HEAD


def create(connection: Connection, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> None:
    """Make all tables at the newest shape on a database that has none of them; the caller commits."""
    tables = TABLES if (prefix, schema) == (DEFAULT_PREFIX, None) else make_tables(prefix, schema)
    tables.metadata.create_all(connection, checkfirst=False)
    tables.version.create(connection, checkfirst=False)
    _ = connection.execute(tables.version.insert(), {"version_num": HEAD})


def is_new(connection: Connection) -> bool:
    """Whether a SQLite database holds nothing at all."""
    return bool(connection.execute(text("SELECT count(*) = 0 FROM sqlite_master")).scalar_one())


def version_of(
    connection: Connection, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None
) -> str | None:
    """The migration that the database stands at; None if it holds none of our tables."""
    tables = TABLES if (prefix, schema) == (DEFAULT_PREFIX, None) else make_tables(prefix, schema)
    if not inspect(connection).has_table(tables.version.name, schema=schema):
        return None
    return connection.execute(tables.version.select()).scalars().one_or_none()


def check(version: str | None) -> None:
    """
    Return if the database stands where this version of the library needs it.

    Raises:
        SchemaOutdated: it does not.
    """
    if version == HEAD:
        return
    if version is None:
        raise SchemaOutdated(
            "the database has no paybylink tables; run `paybylink db upgrade`, which makes them"
        )
    if version > HEAD:
        raise SchemaOutdated(
            f"the database stands at {version}, which is newer than this paybylink knows ({HEAD}); "
            "install the newer paybylink"
        )
    raise SchemaOutdated(f"the database stands at {version} and {HEAD} is needed; run `paybylink db upgrade`")


def upgrade(url: str, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> None:
    """
    Bring the database at `url` to the newest shape; one that stands there already is left as it is.

    Raises:
        SettingsError: `url` is no address of a database.
        StoreError: the database is away, locked or damaged.
    """
    from alembic import command

    with _connected(url) as connection:
        if connection.dialect.name == "sqlite":
            _ = connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(_config(connection, prefix=prefix, schema=schema), "head")
        connection.commit()


def current(url: str, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> str | None:
    """
    The migration that the database at `url` stands at; None if it holds none of our tables.

    Raises:
        SettingsError: `url` is no address of a database.
        StoreError: the database is away, locked or damaged.
    """
    with _connected(url) as connection:
        return version_of(connection, prefix=prefix, schema=schema)


def include_object(
    subject: object, name: str | None, kind: str, reflected: bool, compare_to: object | None
) -> bool:
    """
    For a host's own Alembic: False for what belongs to paybylink, so that autogenerate leaves it alone.

    Give it as ``context.configure(include_object=paybylink.store.include_object)``.
    """
    del reflected, compare_to
    table = name if kind == "table" else getattr(getattr(subject, "table", None), "name", None)
    return not (table or "").startswith(DEFAULT_PREFIX)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """A connection of its own to `url`; whatever the driver says goes into our words."""
    from sqlalchemy.exc import SQLAlchemyError

    from .vaults._engines import own_engine
    from .vaults._faults import told
    from .vaults._urls import sync_url

    engine = own_engine(sync_url(url))
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise told(error, "schema") from error
    finally:
        engine.dispose()


def _config(connection: Connection, *, prefix: str, schema: str | None) -> Config:
    from pathlib import Path

    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes.update(connection=connection, prefix=prefix, schema=schema)
    return config
