"""
What a database's refusal means in our tree.

A taken unique key, a deadlock and a failed serialisation are a `Conflict`: somebody else was first, and reading
again helps. Everything else is a `StoreError` with a remedy. No message repeats what the driver said, since that
may hold the values of a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from paybylink.errors import Conflict, StoreError

#: SQLite's extended result codes: a unique index, a primary key, a rowid (sqlite.org/rescode.html).
_SQLITE_TAKEN = {2067, 1555, 2579}
#: PostgreSQL appendix A: unique_violation; serialization_failure; deadlock_detected.
_CONFLICTS = {"23505", "40001", "40P01"}

_SQLITE = {
    5: "is locked by another writer for too long; keep transactions short, or use PostgreSQL for several machines",
    6: "is locked by another part of this program; commit its transaction first",
    8: "cannot be written; check the permissions of the file and of its folder",
    10: "cannot be read or written; check the disk",
    11: "is damaged; restore a backup",
    13: "has no room; free space on the disk",
    14: "cannot be opened; check that the folder exists and may be written",
    19: "refuses values that break one of its rules",
    26: "is not a SQLite file; check the path in the store setting",
}
_POSTGRESQL = {
    "08": "is away; check that the server runs and that the address in the store setting is right",
    "22": "refuses a value it cannot hold",
    "23": "refuses values that break one of its rules",
    "25": "is in a transaction that has failed or may not write; roll back and begin again",
    "28": "refuses the user or the password in the store setting",
    "3D": "does not exist on that server; create it first",
    "42": "lacks a table or a right; run `paybylink db upgrade`, and check what the user may do",
    "53": "has no room or no connections left",
    "57": "was stopped by its administrator or ran out of time; try again",
}
_AWAY = "is away or has closed the connection; try again"


def told(error: BaseException, statement: str) -> StoreError:
    """Our error for one of a driver's, of SQLAlchemy's or of Django's."""
    for each in _behind(error):
        code = getattr(each, "sqlite_errorcode", None)
        if isinstance(code, int):
            if code in _SQLITE_TAKEN:
                return Conflict(statement)
            return _refusal(
                statement, f"SQLite {getattr(each, 'sqlite_errorname', code)}", _SQLITE.get(code & 255)
            )
        state = getattr(each, "sqlstate", None) or getattr(each, "pgcode", None)
        if isinstance(state, str):
            if state in _CONFLICTS:
                return Conflict(statement)
            return _refusal(statement, f"SQLSTATE {state}", _POSTGRESQL.get(state[:2]))
    return _refusal(statement, type(error).__name__, _AWAY)


def is_gone(error: StoreError) -> bool:
    """
    Whether the connection turned out to be dead before anything could be committed, so that a new one may be tried.

    A pool cannot know that the server was restarted meanwhile, and asking before each batch costs a round trip.
    """
    return bool(getattr(error.__context__, "connection_invalidated", False)) and "at commit" not in str(error)


def is_ours(error: BaseException) -> bool:
    """Whether an error of a bare cursor comes from a database at all; anything else passes by untouched."""
    modules = ("sqlite3", "psycopg", "psycopg2", "django.db", "sqlalchemy")
    return any(
        kind.__module__ == module or kind.__module__.startswith(f"{module}.")
        for kind in type(error).__mro__
        for module in modules
    )


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "orig", None) or seen.__cause__


def _refusal(statement: str, code: str, remedy: str | None) -> StoreError:
    return StoreError(
        f"the database {remedy or 'refused'} ({code} at {statement}); nothing of the batch was written"
    )
