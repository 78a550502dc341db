"""Run the steps of one batch, inside a transaction that the caller has opened and will end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from paybylink.errors import Conflict
from paybylink.flow import Batch, Rows, Statement, Step

from ._compiled import Bound, Compiler
from ._faults import told


class Executing(Protocol):
    """Runs one text once or, for a list of values, many times, and says what it answered."""

    def __call__(
        self, statement: Statement, sql: str, values: Bound | list[Bound]
    ) -> tuple[Sequence[Mapping[str, Any]], int]: ...


def perform_steps(batch: Batch, compiler: Compiler, execute: Executing) -> tuple[Rows, ...]:
    """
    What each step answered, in order.

    Neighbours with the same statement and the same expectation go to the driver in one call, which sends them to
    a server in one round trip.

    Raises:
        Conflict: a step touched another number of rows than it expects; the caller undoes the batch.
    """
    answers: list[Rows] = []
    for (statement, expect), run in _runs(batch.steps):
        text = compiler.text(statement)
        if len(run) > 1:
            _, count = execute(statement, text.sql, [text.bind(step.parameters) for step in run])
            assert expect is not None
            if count != expect * len(run):
                raise Conflict(statement.name)
            answers.extend(Rows((), expect) for _ in run)
            continue
        rows, count = execute(statement, text.sql, text.bind(run[0].parameters))
        if expect is not None and count != expect:
            raise Conflict(statement.name)
        answers.append(Rows(rows, count))
    return tuple(answers)


def _runs(steps: Sequence[Step]) -> Iterator[tuple[tuple[Statement, int | None], list[Step]]]:
    """Steps that go to the driver together; without an expectation nobody could tell their counts apart."""
    for _, group in groupby(enumerate(steps), key=_kind):
        run = [step for _, step in group]
        yield (run[0].statement, run[0].expect), run


def _kind(numbered: tuple[int, Step]) -> tuple[int, int | None, int | None]:
    number, step = numbered
    alone = None if step.statement.writes and step.expect is not None else number
    return id(step.statement), step.expect, alone


def on_connection(connection: Connection) -> Executing:
    """Runs texts on a connection of SQLAlchemy's."""

    def execute(
        statement: Statement, sql: str, values: Bound | list[Bound]
    ) -> tuple[Sequence[Mapping[str, Any]], int]:
        try:
            result = connection.exec_driver_sql(sql, values)
            if not result.returns_rows:
                return (), result.rowcount
            names = tuple(result.keys())
            rows = [dict(zip(names, row, strict=True)) for row in result]
        except SQLAlchemyError as error:
            raise told(error, statement.name) from None
        return rows, len(rows)

    return execute
