"""Whose rows a `Store` means, and how its steps and reads are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from paybylink.flow import Flow, Statement, Step
from paybylink.flow import read as read_step
from paybylink.store.rows._columns import Row


@frozen(kw_only=True)
class Scope:
    """
    What every record has in common.

    Attributes:
        tenant: the merchant; every statement carries it.
        public_url: our own address in front of the providers' links; None without one.
    """

    tenant: str = ""
    public_url: str | None = None

    def _step(self, statement: Statement, expect: int | None = None, **parameters: Any) -> Step:
        return Step(statement, {"tenant": self.tenant, **parameters}, expect)

    def _read(self, statement: Statement, **parameters: Any) -> Flow[Sequence[Row]]:
        return (yield from read_step(Step(statement, {"tenant": self.tenant, **parameters})))

    def _first(self, statement: Statement, **parameters: Any) -> Flow[Row | None]:
        rows = yield from self._read(statement, **parameters)
        return rows[0] if rows else None
