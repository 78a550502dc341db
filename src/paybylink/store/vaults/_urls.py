"""Store addresses: which databases there are, and which driver each is reached by."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from paybylink.errors import Fault, SettingsError

_REMEDY = "write sqlite:///shop.db or postgresql+psycopg://user@host/database"


def sync_url(given: str) -> URL:
    """
    The address with the driver that we use: SQLite's own, or psycopg 3.

    Raises:
        SettingsError: it is no address of either database. The address itself is never repeated.
    """
    try:
        url = make_url(given)
    except ArgumentError:
        raise SettingsError([Fault("store", "is no address of a database", _REMEDY)]) from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    raise SettingsError([Fault("store", f"names {backend}, which is not supported", _REMEDY)])


def is_memory(url: URL) -> bool:
    """Whether it is a SQLite database that lives in this process only."""
    return url.get_backend_name() == "sqlite" and (
        not url.database or url.database == ":memory:" or "mode=memory" in url.database
    )
