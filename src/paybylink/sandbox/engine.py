"""
The state of the sandbox: every object as one JSON document, in one small SQLite file.

Payment links, sessions, payments, refunds, webhook endpoints, events and their deliveries, remembered replies,
faults, mails and the log of requests all live in a single table, told apart by `kind` and found again by fields
of their JSON. That is slow for a shop and right for a sandbox: nothing to migrate, everything to look at.

Rule 1: whatever one request changes is one transaction, and it is committed before the reply leaves. A process
        killed after a reply has lost nothing of it.
Rule 2: there is one connection and one lock. Inside `transaction()` nobody else reads or writes.
Rule 3: a key beginning with an underscore is private to the sandbox and is never shown on the wire.

It shares no code and no file with the library's own store: a fault in one must not hide a fault in the other.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from os import PathLike, fspath
from typing import Any, Literal, Self, TypeAlias

from paybylink.sandbox.clock import Clock, real_time

#: A JSON object. Its values are whatever JSON can hold, which is what `Any` says here.
Document: TypeAlias = dict[str, Any]

#: One test on a field: its path, the comparison, the value. ``=`` also compares with None.
Condition: TypeAlias = tuple[str, Literal["=", "<", ">", "<=", ">="], str | int | float | bool | None]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    content BLOB,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS document_queue ON document (
    kind, json_extract(body, '$.status'), json_extract(body, '$._due'), json_extract(body, '$._rank')
);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

#: NORMAL loses nothing when the process is killed, only (the last answers) when the machine is. One process holds
#: the file: two sandboxes over one state would each move their own clock.
_PRAGMAS = (
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
)

_FIELD = re.compile(r"[A-Za-z_]+(\.[A-Za-z_]+)*")
_ALPHABET = string.ascii_letters + string.digits


def shown(document: Mapping[str, Any]) -> Document:
    """The document as it goes over the wire: without what is private to the sandbox."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


class Engine:
    """
    The documents of one sandbox and its clock.

    Args:
        path: the SQLite file, made when absent; ``":memory:"`` keeps the state in this process only.
        base_url: what the addresses in documents begin with; the one kept in the file when None. A file that
            was written under another base is rewritten, so links made before a restart lead to the new port.
        clock: where real time comes from.
        patience: how long to wait for another sandbox that still has the file.

    Raises:
        RuntimeError: another sandbox has the file open.
    """

    def __init__(
        self,
        path: str | PathLike[str] = ":memory:",
        *,
        base_url: str | None = None,
        clock: Callable[[], datetime] | None = None,
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._listeners: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(
            fspath(path), timeout=patience.total_seconds(), check_same_thread=False, isolation_level=None
        )
        try:
            for statement in _PRAGMAS:
                _ = self._connection.execute(statement)
            _ = self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as fault:
            self._connection.close()
            if "locked" not in str(fault):
                raise
            message = f"{fspath(path)} is in use by another sandbox; close that one, or name another file"
            raise RuntimeError(message) from fault
        offset = timedelta(seconds=float(self.setting("clock_offset") or 0))
        self.clock = Clock(clock or real_time, offset)
        self.base_url = self.setting("base_url") or base_url or "http://127.0.0.1"
        self.move_to(base_url or self.base_url)

    def close(self) -> None:
        """Close the file. The engine cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # time and settings

    def now(self) -> datetime:
        """The sandbox's present moment, aware, in UTC."""
        return self.clock.now()

    def timestamp(self) -> int:
        """The same in whole seconds since 1970, as Stripe writes moments."""
        return int(self.now().timestamp())

    def move_clock(self, by: timedelta) -> datetime:
        """The new present moment; the offset is kept with the state."""
        now = self.clock.move(by)
        self.keep_setting("clock_offset", str(self.clock.offset.total_seconds()))
        return now

    def move_to(self, base_url: str) -> None:
        """Let every address in the state begin with `base_url`."""
        with self.transaction():
            if base_url != self.base_url:
                _ = self._connection.execute(
                    "UPDATE document SET body = replace(body, ?, ?)", (f"{self.base_url}/", f"{base_url}/")
                )
            self.base_url = base_url
            self.keep_setting("base_url", base_url)

    def setting(self, name: str) -> str | None:
        """One remembered setting; None when it was never kept."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def keep_setting(self, name: str, value: str) -> None:
        """Remember one setting across restarts."""
        with self.transaction():
            _ = self._connection.execute(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def next_number(self, name: str) -> int:
        """The next number of a counter that starts at 1 and survives restarts."""
        with self.transaction():
            number = int(self.setting(f"counter_{name}") or 0) + 1
            self.keep_setting(f"counter_{name}", str(number))
        return number

    def new_id(self, prefix: str, length: int = 24) -> str:
        """A fresh identifier in Stripe's manner: ``plink_`` and letters and digits."""
        return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))

    # documents

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen together or not at all; nested blocks join the outer one."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                _ = self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    _ = self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                _ = self._connection.execute("COMMIT")
        if outermost:
            for listener in self._listeners:
                listener()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit, in the thread that committed."""
        self._listeners.append(listener)

    def put(self, kind: str, document: Document, *, content: bytes | None = None) -> Document:
        """The document, written under its ``id``; an earlier one is replaced and keeps its place."""
        with self.transaction():
            _ = self._connection.execute(
                "INSERT INTO document (kind, id, body, content) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, document["id"], json.dumps(document, separators=(",", ":")), content),
            )
        return document

    def get(self, kind: str, identifier: str) -> Document | None:
        """A fresh copy of one document; None when there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def content(self, kind: str, identifier: str) -> bytes | None:
        """The raw bytes kept beside a document; None when there are none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT content FROM document WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return None if row is None else row[0]

    def place(self, kind: str, identifier: str) -> int | None:
        """Where a document stands in the order of creation; None when there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT seq FROM document WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return None if row is None else int(row[0])

    def remove(self, kind: str, identifier: str | None = None) -> None:
        """Forget one document, or all of a kind."""
        with self.transaction():
            _ = self._connection.execute(
                "DELETE FROM document WHERE kind = ?1 AND (?2 IS NULL OR id = ?2)", (kind, identifier)
            )

    def find(
        self,
        kind: str,
        *conditions: Condition,
        before: int | None = None,
        after: int | None = None,
        limit: int = -1,
        newest_first: bool = True,
        by_due: bool = False,
    ) -> list[Document]:
        """
        Fresh copies of the documents that meet every condition.

        Args:
            before: only those created before this place (see `place`).
            after: only those created after it.
            limit: at most so many; all when negative.
            newest_first: the order of creation, backwards; otherwise forwards.
            by_due: the order of the delivery queue instead.
        """
        terms = ["kind = ?"]
        arguments: list[str | int | float | bool | None] = [kind]
        for field, comparison, value in conditions:
            if not _FIELD.fullmatch(field):
                raise ValueError(f"{field!r} is not the name of a field")
            terms.append(f"json_extract(body, '$.{field}') {'IS' if comparison == '=' else comparison} ?")
            arguments.append(value)
        for comparison, place in (("<", before), (">", after)):
            if place is not None:
                terms.append(f"seq {comparison} ?")
                arguments.append(place)
        order = f"seq {'DESC' if newest_first else 'ASC'}"
        if by_due:
            order = "json_extract(body, '$._due'), json_extract(body, '$._rank')"
        # Only field names that matched the pattern above enter the text; every value is a parameter.
        statement = f"SELECT body FROM document WHERE {' AND '.join(terms)} ORDER BY {order} LIMIT ?"  # noqa: S608 - our words
        with self._lock:
            rows = self._connection.execute(statement, (*arguments, limit)).fetchall()
        return [json.loads(body) for (body,) in rows]
