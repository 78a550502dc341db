"""
Triggers that keep the books: an entry and its lines are added, never changed, never deleted.

They stand in the database and not in our code alone, so that a hand with a SQL prompt meets them too. What was
booked wrong is put right by a reversing entry.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import DDL, MetaData, Table, event

#: What the database says to whoever tries; the reason is part of it.
REFUSAL = "the books are append-only: book a reversing entry"


def guard_appends(metadata: MetaData, *tables: Table, prefix: str) -> None:
    """Let `create_all` put the triggers on `tables` after it has made them."""
    schema = f"{metadata.schema}." if metadata.schema else ""
    # One function serves all tables; it is made when the whole of the metadata is.
    _after(metadata, "before_create", "postgresql", function_ddl(schema=schema, prefix=prefix))
    for table in tables:
        for statement in sqlite_ddl(table.name, schema=schema):
            _after(table, "after_create", "sqlite", statement)
        for statement in postgresql_ddl(table.name, schema=schema, prefix=prefix):
            _after(table, "after_create", "postgresql", statement)


def sqlite_ddl(table: str, *, schema: str = "") -> tuple[str, ...]:
    """The triggers of one table for SQLite."""
    return tuple(
        f"CREATE TRIGGER {schema}{table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    )


def function_ddl(*, schema: str, prefix: str) -> str:
    """The function that PostgreSQL's triggers call."""
    return (
        f"CREATE OR REPLACE FUNCTION {schema}{prefix}append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$body$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $body$"
    )


def postgresql_ddl(table: str, *, schema: str, prefix: str) -> tuple[str, ...]:
    """The triggers of one table for PostgreSQL; TRUNCATE empties a table without a row trigger, so it has its own."""
    on, run = f"ON {schema}{table}", f"EXECUTE FUNCTION {schema}{prefix}append_only()"
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE {on} FOR EACH ROW {run}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE {on} FOR EACH STATEMENT {run}",
    )


def _after(target: MetaData | Table, moment: str, dialect: str, statement: str) -> None:
    make: Callable[[str], DDL] = DDL
    event.listen(target, moment, make(statement.replace("%", "%%")).execute_if(dialect=dialect))
