"""
Statements as text for one database, compiled once and bound many times.

Building or compiling a statement for each event costs more than running it, so a vault asks for the text once per
statement and from then on only puts values in place. The same text runs through SQLAlchemy's connections and on a
bare cursor, since all columns are text, integers and bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import field, frozen
from sqlalchemy import ClauseElement
from sqlalchemy.engine.interfaces import Dialect

from paybylink.flow import Statement
from paybylink.store.tables import DEFAULT_PREFIX, NAMES

Bound: TypeAlias = "tuple[Any, ...] | dict[str, Any]"

_TABLE = re.compile(rf"\b{DEFAULT_PREFIX}({'|'.join((*NAMES, 'alembic_version'))})\b")


@frozen
class Text:
    """
    One statement as text.

    Attributes:
        sql: in the parameter style of its driver.
        names: of the parameters, in order.
        by_name: whether the driver takes them by name and not by place.
        constants: the values that the statement itself carries, by name.
    """

    sql: str
    names: tuple[str, ...]
    by_name: bool
    constants: Mapping[str, Any]

    def bind(self, parameters: Mapping[str, Any]) -> Bound:
        """The values for the driver; a parameter that is missing is a `KeyError`."""
        values = {**self.constants, **parameters} if self.constants else parameters
        if self.by_name:
            return {name: values[name] for name in self.names}
        return tuple(values[name] for name in self.names)


@frozen
class Compiler:
    """
    The texts of all statements for one dialect and one naming of the tables.

    Attributes:
        dialect: SQLAlchemy's, with the parameter style of the driver.
        prefix, schema: how the tables are named in the database.
    """

    dialect: Dialect
    prefix: str = DEFAULT_PREFIX
    schema: str | None = None
    _texts: dict[int, tuple[Statement, Text]] = field(factory=dict, init=False, repr=False, eq=False)

    def text(self, statement: Statement) -> Text:
        """The statement's text. Two threads may both compile it; they come to the same."""
        known = self._texts.get(id(statement))
        if known is None:
            # The statement is kept beside its text, so that its id is not given to another one.
            known = self._texts[id(statement)] = statement, self._compile(statement)
        return known[1]

    def named(self, sql: str) -> str:
        """`sql` with the tables named as they are here."""
        if self.prefix == DEFAULT_PREFIX and self.schema is None:
            return sql
        quote = self.dialect.identifier_preparer.quote
        schema = f"{quote(self.schema)}." if self.schema else ""
        return _TABLE.sub(lambda found: schema + quote(self.prefix + found[1]), sql)

    def _compile(self, statement: Statement) -> Text:
        assert isinstance(statement.sql, ClauseElement)
        compiled: Any = statement.sql.compile(dialect=self.dialect)
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        by_name = compiled.positiontup is None
        names = tuple(compiled.binds) if by_name else tuple(compiled.positiontup)
        return Text(self.named(str(compiled)), names, by_name, constants)


_compilers: dict[tuple[str, str, str, str, str | None], Compiler] = {}


def compiler_for(dialect: Dialect, prefix: str, schema: str | None) -> Compiler:
    """The compiler of a kind of connection: kept, since a host lends a new connection for each of its requests."""
    kind = (dialect.name, dialect.driver, dialect.paramstyle, prefix, schema)
    return _compilers.setdefault(kind, Compiler(dialect, prefix, schema))
