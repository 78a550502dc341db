"""
Where batches are performed: on connections of our own, or on one that the host has lent.

Each vault gives the same answers and raises the same errors; they differ in who commits. What is common to all is
below: `_compiled` (statements as text), `_perform` (the steps of a batch), `_faults` (a driver's errors in our
words), `_engines` (connections of our own).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from paybylink.errors import Fault, SettingsError
from paybylink.store.tables import DEFAULT_PREFIX

from ._async import AsyncVault
from ._cursor import CursorVault, DbApiConnection
from ._lent import AsyncLentVault, LentVault
from ._sync import SyncVault
from ._urls import shown_url

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

    Lendable: TypeAlias = Connection | Session | scoped_session[Session] | DbApiConnection
    AsyncLendable: TypeAlias = AsyncConnection | AsyncSession | async_scoped_session[AsyncSession]

__all__ = [
    "AsyncLentVault",
    "AsyncVault",
    "CursorVault",
    "LentVault",
    "open_async_vault",
    "open_vault",
    "shown_url",
    "SyncVault",
]


def open_vault(
    store: str | Lendable, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None
) -> SyncVault | LentVault | CursorVault:
    """
    What performs batches there.

    Args:
        store: an address, or the host's connection: of SQLAlchemy (also a session), sqlite3, psycopg 3 or Django.
        prefix, schema: how the tables are named.

    Raises:
        SettingsError: the address or connection cannot be used.
    """
    if isinstance(store, str):
        return SyncVault(store, prefix=prefix, schema=schema)
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session, scoped_session

    if isinstance(store, Connection | Session | scoped_session):
        return LentVault(store, prefix=prefix, schema=schema)
    if _is_async(store):
        raise _refused(store, "use AsyncPayByLink with it")
    return CursorVault(store, prefix=prefix, schema=schema)


def open_async_vault(
    store: str | AsyncLendable, *, prefix: str = DEFAULT_PREFIX, schema: str | None = None
) -> AsyncVault | AsyncLentVault:
    """
    What performs batches there, awaited.

    Args:
        store: an address, or the host's `AsyncConnection` or `AsyncSession`.
        prefix, schema: how the tables are named.

    Raises:
        SettingsError: the address or connection cannot be used.
    """
    if isinstance(store, str):
        return AsyncVault(store, prefix=prefix, schema=schema)
    if _is_async(store):
        return AsyncLentVault(store, prefix=prefix, schema=schema)
    raise _refused(store, "use PayByLink with it, or lend an AsyncConnection or AsyncSession of SQLAlchemy")


def _is_async(store: object) -> bool:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session

    return isinstance(store, AsyncConnection | AsyncSession | async_scoped_session)


def _refused(store: object, remedy: str) -> SettingsError:
    return SettingsError(
        [Fault("store", f"is a {type(store).__qualname__}, which cannot be used here", remedy)]
    )
