"""A lent connection: the host commits; rolled back means that nothing happened, and the host's own rows are safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import frozen
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from paybylink.drivers.doors import Doors, Vault
from paybylink.drivers.run import run
from paybylink.errors import Conflict, SchemaOutdated, SettingsError, StoreError
from paybylink.flow import Batch, Step, write
from paybylink.links import LinkStatus
from paybylink.store import AsyncLentVault, CursorVault, LentVault, Store, open_async_vault, open_vault

from .store_given import NOW, content_of, link, paid, payment
from .store_places import Place, fresh_place, make_tables_in

STORE = Store()
HOST_ROW = "INSERT INTO host (what) VALUES ('mine')"


@frozen(kw_only=True)
class Lent:
    """
    A connection of a host's.

    Attributes:
        given: what he hands to us.
        execute: runs a statement of his own on it.
        commit, rollback: his, and nobody else's.
    """

    given: Any
    execute: Callable[[str], object]
    commit: Callable[[], None]
    rollback: Callable[[], None]


Lending: TypeAlias = Callable[[Place], Any]


@contextmanager
def connection(place: Place) -> Iterator[Lent]:
    """SQLAlchemy's `Connection`."""
    with place.engine.connect() as lent:
        yield Lent(given=lent, execute=lent.exec_driver_sql, commit=lent.commit, rollback=lent.rollback)


@contextmanager
def session(place: Place) -> Iterator[Lent]:
    """SQLAlchemy's `Session`."""
    with Session(place.engine) as lent:
        yield Lent(
            given=lent,
            execute=lambda sql: lent.execute(text(sql)),
            commit=lent.commit,
            rollback=lent.rollback,
        )


@contextmanager
def scoped(place: Place) -> Iterator[Lent]:
    """A session as web frameworks hand it around."""
    lent = scoped_session(sessionmaker(place.engine))
    try:
        yield Lent(
            given=lent,
            execute=lambda sql: lent.execute(text(sql)),
            commit=lent.commit,
            rollback=lent.rollback,
        )
    finally:
        lent.remove()


@contextmanager
def bare(place: Place) -> Iterator[Lent]:
    """The driver's own connection: `sqlite3` or psycopg."""
    lent = place.raw()
    try:
        yield Lent(given=lent, execute=lent.execute, commit=lent.commit, rollback=lent.rollback)
    finally:
        lent.close()


@contextmanager
def bare_with_rows(place: Place) -> Iterator[Lent]:
    """The same with a row factory of the host's, whose rows are dictionaries."""
    lent = place.raw()
    if place.database == "sqlite":
        lent.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
    else:
        from psycopg.rows import dict_row

        lent.row_factory = dict_row
    try:
        yield Lent(given=lent, execute=lent.execute, commit=lent.commit, rollback=lent.rollback)
    finally:
        lent.close()


@contextmanager
def django(place: Place) -> Iterator[Lent]:
    """Django's wrapper, inside `atomic`."""
    lent = place.django()
    with lent.cursor() as cursor:
        cursor.execute("BEGIN")
        lent.in_atomic_block = True
        yield Lent(
            given=lent,
            execute=cursor.execute,
            commit=lambda: cursor.execute("COMMIT"),
            rollback=lambda: cursor.execute("ROLLBACK"),
        )
    lent.connection.close()


@contextmanager
def always_in_transaction(place: Place) -> Iterator[Lent]:
    """The transaction control that Python 3.12 has added to `sqlite3`; psycopg has no other."""
    if place.database != "sqlite":
        lent = place.raw()
    else:
        options: dict[str, Any] = {"autocommit": False}
        lent = sqlite3.connect(str(place.engine.url.database), **options)
    try:
        yield Lent(given=lent, execute=lent.execute, commit=lent.commit, rollback=lent.rollback)
    finally:
        lent.close()


LENDINGS = [connection, session, scoped, bare, bare_with_rows, django]
if hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL"):
    LENDINGS.append(always_in_transaction)


@pytest.fixture(params=LENDINGS, ids=lambda lending: lending.__name__)
def lent(request: pytest.FixtureRequest, place: Place) -> Iterator[Lent]:
    """Each kind of connection that a host may lend, on each database."""
    with request.param(place) as given:
        yield given


def reserve(vault: Vault) -> None:
    """Something of ours: a link, read back and changed."""
    doors, given_link = Doors(vault=vault), link()
    _ = run(write(*STORE.insert_link(given_link, content_of(given_link)), fence=True), doors)
    stored = run(STORE.link("L1"), doors)
    assert stored is not None
    _ = run(
        write(STORE.update_link(link(status=LinkStatus.OPEN), version=1), STORE.emit(paid(), now=NOW)), doors
    )


def ours(place: Place) -> list[tuple[Any, ...]]:
    """Our rows that are committed."""
    return place.query("SELECT id FROM paybylink_links")


def theirs(place: Place) -> list[tuple[Any, ...]]:
    """The host's rows that are committed."""
    return place.query("SELECT what FROM host")


def test_host_commits_his_row_and_ours_together(place: Place, lent: Lent) -> None:
    """Nothing of either is there before his commit, and both are afterwards."""
    _ = lent.execute(HOST_ROW)
    reserve(open_vault(lent.given))
    assert ours(place) == theirs(place) == []

    lent.commit()

    assert (ours(place), theirs(place)) == ([("L1",)], [("mine",)])


def test_rolled_back_means_that_nothing_happened(place: Place, lent: Lent) -> None:
    """His rollback takes our rows with his own."""
    _ = lent.execute(HOST_ROW)
    reserve(open_vault(lent.given))

    lent.rollback()

    assert ours(place) == theirs(place) == []


def test_rolled_back_also_when_ours_were_the_first_statements(place: Place, lent: Lent) -> None:
    """A driver that begins late does not let our rows slip out before the host commits."""
    reserve(open_vault(lent.given))
    _ = lent.execute(HOST_ROW)

    lent.rollback()

    assert ours(place) == theirs(place) == []


def test_rolled_back_also_after_the_host_has_only_read(place: Place, lent: Lent) -> None:
    """A query of his begins no transaction with Python's SQLite driver; ours is begun all the same."""
    _ = lent.execute("SELECT what FROM host")
    reserve(open_vault(lent.given))

    lent.rollback()

    assert ours(place) == []


def test_commit_holds_also_when_ours_were_the_only_statements(place: Place, lent: Lent) -> None:
    """The host's commit ends the transaction that our statement began."""
    reserve(open_vault(lent.given))

    lent.commit()

    assert ours(place) == [("L1",)]


def test_conflict_undoes_our_steps_and_leaves_the_hosts_row(place: Place, lent: Lent) -> None:
    """His uncommitted row survives, and so does what of ours came before."""
    _ = lent.execute(HOST_ROW)
    vault = open_vault(lent.given)
    doors = Doors(vault=vault)
    _ = run(write(STORE.insert_payment(payment())), doors)

    with pytest.raises(Conflict):
        _ = run(write(STORE.insert_payment(payment("PAY2")), STORE.insert_payment(payment())), doors)
    lent.commit()

    assert theirs(place) == [("mine",)]
    assert place.query("SELECT id FROM paybylink_payments") == [("PAY1",)]


def test_closing_the_vault_leaves_the_connection_to_its_owner(place: Place, lent: Lent) -> None:
    """It is neither closed nor committed."""
    vault = open_vault(lent.given)
    assert vault.lent
    reserve(vault)
    vault.close()
    assert ours(place) == []

    _ = lent.execute(HOST_ROW)
    lent.commit()

    assert theirs(place) == [("mine",)]


def test_database_without_our_tables_is_named(empty_place: Place) -> None:
    """A lent connection makes no tables; the remedy is in the text, and the host's transaction goes on."""
    for lending in (connection, bare, django):
        with lending(empty_place) as given:
            with pytest.raises(SchemaOutdated, match="paybylink db upgrade"):
                reserve(open_vault(given.given))
            _ = given.execute("SELECT 1")
            given.rollback()


@pytest.mark.parametrize("lending", LENDINGS, ids=lambda lending: lending.__name__)
def test_transaction_that_the_host_has_broken_is_named(
    tmp_path: Path, postgres: Callable[[], str], lending: Lending
) -> None:
    """After an error of his own PostgreSQL takes nothing more, and the text says to roll back."""
    with fresh_place("postgresql", tmp_path, postgres) as place:
        make_tables_in(place)
        with lending(place) as given:
            with pytest.raises(Exception, match=r"nowhere|^$"):
                _ = given.execute("SELECT * FROM nowhere")
            with pytest.raises(StoreError, match="roll back and begin again"):
                reserve(open_vault(given.given))
            given.rollback()


def test_error_that_is_no_databases_passes_by(place: Place) -> None:
    """A statement without one of its values is a mistake in the program, and the host's transaction goes on."""
    with bare(place) as given:
        vault = open_vault(given.given)
        step = STORE.insert_payment(payment())
        with pytest.raises(KeyError):
            _ = vault.perform(Batch((Step(step.statement, {}, 1),)))
        reserve(vault)
        given.commit()

    assert ours(place) == [("L1",)]


def test_autocommit_connection_is_refused_for_changes_only(place: Place) -> None:
    """What could not be undone with the host's work is not written; reading needs no transaction."""
    raw = place.raw()
    if place.database == "sqlite":
        raw.isolation_level = None
    else:
        raw.autocommit = True
    wrapper = place.django()
    with place.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as automatic:
        for given in (raw, wrapper, automatic):
            vault = open_vault(given)
            assert run(STORE.payments(), Doors(vault=vault)) == ()
            with pytest.raises(StoreError, match="begin a transaction"):
                _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))
    raw.close()
    wrapper.connection.close()

    assert place.query("SELECT id FROM paybylink_payments") == []


def test_autocommit_connection_with_a_transaction_under_way_is_taken(place: Place) -> None:
    """A host who writes BEGIN himself is a host with a transaction."""
    raw = place.raw()
    if place.database == "sqlite":
        raw.isolation_level = None
    else:
        raw.autocommit = True
    _ = raw.execute("BEGIN")
    reserve(open_vault(raw))
    assert ours(place) == []

    _ = raw.execute("ROLLBACK")
    raw.close()

    assert ours(place) == []


def test_what_cannot_be_lent_is_named() -> None:
    """Neither a file nor a connection of another driver; no vault is made."""
    with pytest.raises(SettingsError, match="sqlite3, psycopg 3, Django or SQLAlchemy"):
        _ = open_vault(object())  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="use PayByLink with it"):
        _ = open_async_vault(sqlite3.connect(":memory:"))  # type: ignore[arg-type]


def test_each_connection_gets_its_vault(sqlite_place: Place) -> None:
    """What is lent decides how it is used."""
    with connection(sqlite_place) as given:
        assert isinstance(open_vault(given.given), LentVault)
    with bare(sqlite_place) as given:
        assert isinstance(open_vault(given.given), CursorVault)
    assert AsyncLentVault.lent
