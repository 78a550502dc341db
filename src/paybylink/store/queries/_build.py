"""The few shapes from which the statements of the store are built, so that each states only what is its own."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Insert,
    LargeBinary,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from paybylink.flow import Statement

#: A SELECT; SQLAlchemy 2.0 and 2.1 count the types of its columns differently.
Query: TypeAlias = Any


def value(column: ColumnElement[Any], name: str | None = None) -> BindParameter[Any]:
    """A parameter for `column`, without its collation, which would be written into every statement."""
    kind = column.type
    plain = (
        LargeBinary() if isinstance(kind, LargeBinary) else Text() if isinstance(kind, Text) else BigInteger()
    )
    return bindparam(name or column.key, type_=plain)


def integer(name: str) -> BindParameter[int]:
    """A parameter that is a number."""
    return bindparam(name, type_=BigInteger())


def words(name: str) -> BindParameter[str]:
    """A parameter that is text."""
    return bindparam(name, type_=Text())


def same(table: Table, *columns: str, **others: str) -> ColumnElement[bool]:
    """The columns, and `tenant` before them, equal parameters of their names; `others` name parameters otherwise."""
    named = {"tenant": "tenant", **{column: column for column in columns}, **others}
    return and_(*(table.c[column] == value(table.c[column], name) for column, name in named.items()))


def all_columns(table: Table) -> Insert:
    """An insert that fills every column from a parameter of its name."""
    return insert(table).values({column.key: value(column) for column in table.c})


def all_columns_where(table: Table, condition: Query) -> Insert:
    """The same, but only while `condition` finds a row."""
    given = select(*(value(column).label(column.key) for column in table.c)).where(exists(condition))
    return insert(table).from_select([column.key for column in table.c], given)


def set_columns(table: Table, *columns: str) -> Update:
    """An update that sets `columns` from parameters of their names; the caller adds the guard."""
    return update(table).values({column: value(table.c[column]) for column in columns})


def reads(name: str, sql: object) -> Statement:
    """A named query."""
    return Statement(name, sql, writes=False)


def writes(name: str, sql: object) -> Statement:
    """A named change."""
    return Statement(name, sql)
