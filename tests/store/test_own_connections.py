"""Vaults on connections of our own: writers take turns, threads and forks are safe, and errors name a remedy."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import QueuePool, event

import paybylink.store
from paybylink.drivers.doors import Doors
from paybylink.drivers.run import run
from paybylink.errors import Conflict, MissingExtra, PaybylinkError, SettingsError, StoreError
from paybylink.flow import Batch, write
from paybylink.money import Money
from paybylink.store import AsyncVault, Store, SyncVault

from .store_given import NOW, entry, paid, payment
from .store_places import Place

STORE = Store()


def statements_of(vault: SyncVault) -> list[str]:
    """What the vault sends to its database from now on."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, sql: str, *rest: Any) -> None:
        del connection, cursor, rest
        sent.append(sql)

    event.listen(vault._engine, "before_cursor_execute", note)
    return sent


def test_change_begins_immediate_and_reading_does_not(sqlite_place: Place) -> None:
    """A writer waits for its turn before it reads; a reader waits for nobody."""
    vault = SyncVault(sqlite_place.url)
    doors = Doors(vault=vault)
    _ = run(STORE.payments(), doors)
    sent = statements_of(vault)

    _ = run(STORE.payments(), doors)
    _ = run(write(STORE.insert_payment(payment())), doors)

    assert [sql for sql in sent if sql.startswith("BEGIN")] == ["BEGIN", "BEGIN IMMEDIATE"]
    vault.close()


def test_sqlite_is_durable_and_shared(sqlite_place: Place) -> None:
    """WAL, full synchronisation and foreign keys, on every connection."""
    vault = SyncVault(sqlite_place.url)
    _ = run(STORE.payments(), Doors(vault=vault))
    with vault._engine.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    vault.close()

    # 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def add_up(vault: SyncVault, times: int) -> int:
    """Raise the refunded amount of one payment by a cent, so many times, reading again after each conflict."""
    doors, conflicts = Doors(vault=vault), 0
    for _ in range(times):
        while True:
            known = run(STORE.payment("PAY1"), doors)
            assert known is not None
            more = evolve(known, refunded=known.refunded + Money(1, "EUR"))
            try:
                _ = run(write(STORE.update_payment(more, version=known.version)), doors)
            except Conflict:
                conflicts += 1
            else:
                break
    return conflicts


def test_threads_lose_no_update(place: Place) -> None:
    """Four threads on one vault: each change counts, and nobody is told that the database is locked."""
    vault = SyncVault(place.url)
    _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))

    with ThreadPoolExecutor(4) as pool:
        _ = [done.result() for done in [pool.submit(add_up, vault, 25) for _ in range(4)]]

    known = run(STORE.payment("PAY1"), Doors(vault=vault))
    assert known is not None
    assert (known.refunded, known.version) == (Money(100, "EUR"), 101)
    vault.close()


def test_two_writers_on_one_file_are_never_told_that_it_is_locked(sqlite_place: Place) -> None:
    """Batches that read before they write, from two vaults at once: all of them land."""
    first, second = SyncVault(sqlite_place.url), SyncVault(sqlite_place.url)
    start = threading.Barrier(2)

    def book_many(vault: SyncVault, name: str) -> None:
        _ = start.wait(timeout=30)
        for number in range(60):
            reading = next(STORE.payments())
            assert isinstance(reading, Batch)
            steps = (*reading.steps, STORE.insert_payment(payment(f"{name}{number:03}")))
            _ = vault.perform(Batch(steps))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(book_many, vault, name) for vault, name in ((first, "A"), (second, "B"))]
        for each in running:
            each.result()

    assert sqlite_place.query("SELECT count(*) FROM paybylink_payments") == [(120,)]
    first.close()
    second.close()


def test_two_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """The second waits and finds the tables made."""
    code = (
        "import sys\n"
        "from paybylink.store import Store, SyncVault\n"
        "from paybylink.drivers.doors import Doors\n"
        "from paybylink.drivers.run import run\n"
        "vault = SyncVault(sys.argv[1])\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.readline()\n"
        "assert run(Store().payments(), Doors(vault=vault)) == ()\n"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'shop.db'}"]
    running = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        _ = each.stdin.write("go\n")
        each.stdin.flush()
    ends = [each.communicate(timeout=60) for each in running]

    assert [each.returncode for each in running] == [0, 0, 0], ends


def test_new_file_that_others_are_switching_to_wal_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says "busy" to that one change without any waiting; whoever comes second tries again."""
    busy = ["database is locked"] * 2

    class Contested(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[override]
            if busy and "journal_mode" in sql:
                error = sqlite3.OperationalError(busy.pop())
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return super().execute(sql, *values)

    class Connection(sqlite3.Connection):
        def cursor(self, *_: object) -> Contested:  # type: ignore[override]
            return Contested(self)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3.dbapi2, "connect", lambda *given, **named: connect(*given, factory=Connection, **named)
    )
    vault = SyncVault(f"sqlite:///{tmp_path / 'shop.db'}")

    assert run(STORE.payments(), Doors(vault=vault)) == ()
    assert busy == []
    vault.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_vault_goes_on_in_a_fork_and_in_its_parent(place: Place) -> None:
    """The child opens connections of its own and leaves the parent's alone."""
    vault = SyncVault(place.url)
    doors = Doors(vault=vault)
    _ = run(write(STORE.insert_payment(payment("PARENT"))), doors)

    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        status = 1
        try:
            for number in range(5):
                _ = run(write(STORE.insert_payment(payment(f"CHILD{number}"))), doors)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    for number in range(5):
        _ = run(write(STORE.insert_payment(payment(f"PARENT{number}"))), doors)
    _, ended = os.waitpid(child, 0)

    assert ended == 0
    assert len(run(STORE.payments(), doors)) == 11
    vault.close()


def test_batch_is_tried_again_when_its_connection_had_died(tmp_path: Path, postgres: Any) -> None:
    """A server that was restarted meanwhile costs nothing: the pool's dead connections are replaced."""
    from .store_places import fresh_place, make_tables_in

    with fresh_place("postgresql", tmp_path, postgres) as place:
        make_tables_in(place)
        vault = SyncVault(place.url)
        doors = Doors(vault=vault)
        with vault._engine.connect() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        _ = run(STORE.payments(), doors)
        _ = place.query(f"SELECT pg_terminate_backend({number})")

        _ = run(write(STORE.insert_payment(payment())), doors)

        assert len(run(STORE.payments(), doors)) == 1
        vault.close()


def test_process_that_inherits_a_vault_opens_its_own_pool(
    sqlite_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool of the parent is put aside, neither used nor closed."""
    vault = SyncVault(sqlite_place.url)
    doors = Doors(vault=vault)
    _ = run(write(STORE.insert_payment(payment())), doors)
    parents = vault._engine.pool

    monkeypatch.setattr(os, "getpid", lambda: -1)
    _ = run(write(STORE.insert_payment(payment("PAY2"))), doors)

    assert vault._engine.pool is not parents
    assert isinstance(parents, QueuePool)
    assert parents.checkedin() == 1
    assert len(run(STORE.payments(), doors)) == 2
    vault.close()
    parents.dispose()


def test_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the error says what to install, for both kinds of vault."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    for kind in (SyncVault, AsyncVault):
        with pytest.raises(MissingExtra, match=r"paybylink\[postgres\]"):
            _ = kind("postgresql://shop@localhost/shop")


def test_sqlite_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """STRICT tables need 3.37."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    with pytest.raises(StoreError, match=r"3\.37 or newer"):
        _ = SyncVault("sqlite://")


def test_public_names_are_sorted_and_all_there() -> None:
    """What the room promises can be imported, and nothing else is pretended."""
    assert paybylink.store.__all__ == sorted(paybylink.store.__all__, key=str.casefold)
    for name in paybylink.store.__all__:
        assert getattr(paybylink.store, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = paybylink.store.nothing


def test_closed_vault_may_be_used_again(place: Place) -> None:
    """Closing gives up the pool, not the address."""
    vault = SyncVault(place.url)
    assert not vault.lent
    _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))
    vault.close()

    assert len(run(STORE.payments(), Doors(vault=vault))) == 1
    vault.close()


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("sqlite:////nowhere/at/all/shop.db", "folder exists"),
        ("postgresql+psycopg://secretuser:secretword@127.0.0.1:1/none", "is away"),
    ],
    ids=["no-folder", "no-server"],
)
def test_database_that_cannot_be_reached_is_named_without_its_address(url: str, remedy: str) -> None:
    """The remedy is in the text; user, password and path are not."""
    vault = SyncVault(url)

    with pytest.raises(StoreError, match=remedy) as caught:
        _ = run(STORE.payments(), Doors(vault=vault))

    assert "secret" not in str(caught.value)
    assert not isinstance(caught.value, Conflict)
    vault.close()


@pytest.mark.parametrize("url", ["mysql://root@localhost/shop", "shop.db", "redis://localhost"])
def test_address_of_no_known_database_is_a_settings_error(url: str) -> None:
    """The error shows how an address is written."""
    with pytest.raises(SettingsError, match=r"sqlite:///shop\.db"):
        _ = SyncVault(url)


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A wrong path is told as such."""
    file = tmp_path / "shop.db"
    _ = file.write_bytes(b"This is a letter and no database at all. " * 50)
    vault = SyncVault(f"sqlite:///{file}")

    with pytest.raises(StoreError, match="not a SQLite file"):
        _ = run(STORE.payments(), Doors(vault=vault))
    vault.close()


def test_writer_that_waited_too_long_is_told_so(sqlite_place: Place) -> None:
    """A host that keeps a transaction open for ever is named as the reason."""
    vault = SyncVault(sqlite_place.url)
    _ = run(STORE.payments(), Doors(vault=vault))
    event.listen(vault._engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=20") and None)
    blocking = sqlite_place.raw()
    _ = blocking.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked by another writer"):
        _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))

    blocking.rollback()
    blocking.close()
    _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))
    vault.close()


def test_same_batch_runs_again_without_harm(place: Place) -> None:
    """Keys are unique, so a batch that is repeated after a lost answer is a conflict and not a second booking."""
    vault = SyncVault(place.url)
    doors = Doors(vault=vault)
    steps = (STORE.insert_payment(payment()), *STORE.book(entry()), STORE.emit(paid(), now=NOW))
    _ = run(write(*steps), doors)

    with pytest.raises(PaybylinkError, match="another writer was first"):
        _ = run(write(*steps), doors)

    assert [balance.debit_minor for balance in run(STORE.balance("51151"), doors)] == [4990]
    vault.close()
