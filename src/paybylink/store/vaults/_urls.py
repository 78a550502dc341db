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
    url = _parsed(given)
    if url is None:
        raise SettingsError([Fault("store", "is no address of a database", _REMEDY)])
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    raise SettingsError([Fault("store", f"names {backend}, which is not supported", _REMEDY)])


def _parsed(given: str) -> URL | None:
    try:
        return make_url(given)
    except (ArgumentError, ValueError):
        # A port that is no number: the error repeats what may be the end of a password, so it is let go here.
        return None


def shown_url(given: str) -> str:
    """
    The address as it may be shown: no password, and no parameters, which may hold one as well.

    Raises:
        SettingsError: it is no address of either database.
    """
    return sync_url(given).set(query={}).render_as_string(hide_password=True)


def is_memory(url: URL) -> bool:
    """Whether it is a SQLite database that lives in this process only."""
    return url.get_backend_name() == "sqlite" and (
        not url.database or url.database == ":memory:" or "mode=memory" in url.database
    )
