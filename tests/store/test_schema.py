"""The shape of the database: made at head for a new file, brought there by migrations, named when it is outdated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, inspect

import paybylink.store
from paybylink.drivers.doors import Doors
from paybylink.drivers.run import run
from paybylink.errors import SchemaOutdated
from paybylink.flow import write
from paybylink.store import Store, SyncVault, current, head, include_object, make_tables, upgrade
from paybylink.store.schema import create
from paybylink.store.tables import NAMES, TABLES

from .store_given import content_of, link, payment
from .store_places import Place, make_tables_in

STORE = Store()
MIGRATIONS = Path(paybylink.store.__file__).parent / "migrations"


def described(place: Place) -> dict[str, Any]:
    """All that the database says of our tables: columns, keys, rules, indexes and triggers."""
    looked = inspect(place.engine)
    tables: dict[str, Any] = {}
    for name in NAMES:
        table = f"paybylink_{name}"
        tables[name] = {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in looked.get_columns(table)
            ],
            "key": looked.get_pk_constraint(table),
            "foreign": looked.get_foreign_keys(table),
            "rules": sorted(
                (str(rule["name"]), str(rule["sqltext"])) for rule in looked.get_check_constraints(table)
            ),
            "unique": sorted(
                (str(unique["name"]), unique["column_names"])
                for unique in looked.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (str(index["name"]), tuple(map(str, index["column_names"])), bool(index["unique"]))
                for index in looked.get_indexes(table)
            ),
        }
    if place.database == "sqlite":
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        strict = "SELECT name, strict FROM pragma_table_list WHERE name LIKE 'paybylink%' ORDER BY name"
        tables["strict"] = [row for row in place.query(strict) if not str(row[0]).endswith("version")]
    else:
        triggers = (
            "SELECT tgname, replace(pg_get_triggerdef(t.oid), current_schema() || '.', '') FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal "
            "AND relnamespace = current_schema()::regnamespace ORDER BY tgname"
        )
        collations = (
            "SELECT table_name, column_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'text' AND table_name <> 'host' ORDER BY 1, 2"
        )
        tables["collations"] = place.query(collations)
    tables["triggers"] = place.query(triggers)
    return tables


def test_migrations_make_what_the_tables_say(empty_place: Place) -> None:
    """Autogenerate finds nothing to do, on either database."""
    upgrade(empty_place.url)

    with empty_place.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "paybylink_alembic_version", "compare_type": True}
        )
        assert compare_metadata(context, TABLES.metadata) == []


def test_migrations_and_a_fresh_start_make_the_same_database(empty_place: Place) -> None:
    """Also what autogenerate does not look at: rules, triggers, strictness and collations."""
    upgrade(empty_place.url)
    migrated = described(empty_place)
    TABLES.metadata.drop_all(empty_place.engine)
    with empty_place.engine.begin() as connection:
        _ = connection.exec_driver_sql("DROP TABLE paybylink_alembic_version")
    make_tables_in(empty_place)

    assert described(empty_place) == migrated
    assert len(migrated["triggers"]) == 4


def test_head_is_the_newest_migration() -> None:
    """The constant that spares loading Alembic says the truth."""
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == head()


def test_upgrade_may_be_run_again(empty_place: Place) -> None:
    """A second upgrade changes nothing, and data stays."""
    assert current(empty_place.url) is None
    upgrade(empty_place.url)
    vault = SyncVault(empty_place.url)
    _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))
    upgrade(empty_place.url)

    assert current(empty_place.url) == head()
    assert len(run(STORE.payments(), Doors(vault=vault))) == 1
    vault.close()


def test_new_sqlite_file_is_made_at_head_on_first_use(tmp_path: Path) -> None:
    """Not when the vault is made: only once something is asked of it."""
    file = tmp_path / "shop.db"
    vault = SyncVault(f"sqlite:///{file}")
    assert not file.exists()

    assert run(STORE.payments(), Doors(vault=vault)) == ()

    vault.close()
    assert current(f"sqlite:///{file}") == head()


def test_database_in_memory_is_one_for_all_threads() -> None:
    """A store in memory keeps what was written."""
    vault = SyncVault("sqlite://")
    _ = run(write(STORE.insert_payment(payment())), Doors(vault=vault))

    assert len(run(STORE.payments(), Doors(vault=vault))) == 1
    vault.close()


def test_database_that_holds_other_things_is_not_touched(empty_place: Place) -> None:
    """A host's own database gets our tables by `paybylink db upgrade` only, which the error names."""
    with empty_place.engine.begin() as connection:
        _ = connection.exec_driver_sql("CREATE TABLE host (what TEXT)")
    vault = SyncVault(empty_place.url)

    with pytest.raises(SchemaOutdated, match="paybylink db upgrade"):
        _ = run(STORE.payments(), Doors(vault=vault))

    assert inspect(empty_place.engine).get_table_names() == ["host"]
    upgrade(empty_place.url)
    assert run(STORE.payments(), Doors(vault=vault)) == ()
    vault.close()


@pytest.mark.parametrize(
    ("version", "remedy"), [("0000", "paybylink db upgrade"), ("9999", "install the newer paybylink")]
)
def test_database_of_another_version_is_named_with_its_remedy(
    place: Place, version: str, remedy: str
) -> None:
    """Older: upgrade the database. Newer: upgrade the library."""
    with place.engine.begin() as connection:
        _ = connection.exec_driver_sql(f"UPDATE paybylink_alembic_version SET version_num = '{version}'")
    vault = SyncVault(place.url)

    with pytest.raises(SchemaOutdated, match=remedy):
        _ = run(STORE.payments(), Doors(vault=vault))
    vault.close()


def test_prefix_and_schema_name_other_tables(empty_place: Place) -> None:
    """Two sets of tables live side by side; each vault and each upgrade sees its own."""
    other = {"prefix": "pbl_"}
    if empty_place.database == "postgresql":
        schema = str(empty_place.query("SELECT current_schema()")[0][0])
        other["schema"] = schema
    upgrade(empty_place.url)
    upgrade(empty_place.url, **other)
    vault, usual = SyncVault(empty_place.url, **other), SyncVault(empty_place.url)
    given_link = link()
    _ = run(write(*STORE.insert_link(given_link, content_of(given_link))), Doors(vault=vault))

    assert run(STORE.links(), Doors(vault=vault)) == (given_link,)
    assert run(STORE.links(), Doors(vault=usual)) == ()
    assert empty_place.query("SELECT id FROM pbl_links") == [("L1",)]
    vault.close()
    usual.close()


def test_fresh_tables_may_have_another_prefix(empty_place: Place) -> None:
    """`create` takes the names as well."""
    with empty_place.engine.begin() as connection:
        create(connection, prefix="pbl_")

    assert {f"pbl_{name}" for name in NAMES} < set(inspect(empty_place.engine).get_table_names())


def test_every_table_and_unique_key_begins_with_the_tenant() -> None:
    """But for the token of a public page, which knows no tenant."""
    tables = make_tables()
    for table in tables.metadata.sorted_tables:
        assert next(iter(table.primary_key.columns)).name == "tenant"
        for index in table.indexes:
            assert next(iter(index.columns)).name == "tenant" or index.name == "ix_paybylink_links_token"
    kinds = {
        type(column.type).__name__ for table in tables.metadata.sorted_tables for column in table.columns
    }
    assert kinds == {"Text", "BigInteger", "LargeBinary"}


def test_host_keeps_our_tables_out_of_his_autogenerate(place: Place) -> None:
    """With `include_object`, his Alembic neither drops nor changes what is ours."""
    theirs = MetaData()
    _ = Table("host_new", theirs, Column("id", Integer, primary_key=True))
    with place.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include_object})
        found = compare_metadata(context, theirs)

    assert {(change[0], change[1].name) for change in found} == {
        ("add_table", "host_new"),
        ("remove_table", "host"),
    }
