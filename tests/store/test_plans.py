"""What a pass looks for is found by an index on SQLite, whatever lies beside it; a pass runs every minute."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import sqlite

from paybylink.flow import Statement
from paybylink.store.queries import events, links
from paybylink.store.schema import create


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(
            links.LINKS_IN_WORK, "provider_links_work (tenant=? AND status=? AND asked_at<?)", id="in-work"
        ),
        pytest.param(
            links.LINKS_OUTLIVING,
            "provider_links_ending (tenant=? AND status=? AND expires_at<?)",
            id="ending",
        ),
        pytest.param(links.LINKS_DUE, "links_due (tenant=? AND status=? AND expires_at<?)", id="due"),
        pytest.param(events.INBOX_WAITING, "inbox_state (tenant=? AND state=?)", id="waiting"),
    ],
)
def test_a_queue_is_read_by_its_index(tmp_path: Path, statement: Statement, index: str) -> None:
    """By all of its columns, so that what is not due costs nothing."""
    engine = create_engine(f"sqlite:///{tmp_path / 'plans.db'}")
    compiled = statement.sql.compile(dialect=sqlite.dialect(paramstyle="named"))  # type: ignore[attr-defined]  # SQL
    with engine.begin() as connection:
        create(connection)
        asked = text(f"EXPLAIN QUERY PLAN {compiled}").bindparams(**dict.fromkeys(compiled.params, 0))
        plan = [str(row[3]) for row in connection.execute(asked)]
    engine.dispose()

    assert any(f"INDEX ix_paybylink_{index}" in step for step in plan), plan
    # Nothing but what was chosen so far is read from end to end.
    assert {step.partition(" ")[2] for step in plan if step.startswith("SCAN")} <= {"chosen", "unanswered"}
