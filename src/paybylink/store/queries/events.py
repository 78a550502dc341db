"""
Statements about what came in by webhook (inbox), what goes out to the host's handlers (outbox), and passes.

The outbox hands out only the oldest waiting event of each link, so that two workers cannot turn the events of one
link around; a parked event does not hold up the ones behind it.
"""

from __future__ import annotations

from sqlalchemy import and_, case, exists, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or

from paybylink.store.tables import TABLES

from ._build import Query, all_columns, integer, reads, same, set_columns, value, words, writes

_I, _O, _P = TABLES.inbox, TABLES.outbox, TABLES.passes

INBOX_STATE = reads("inbox_state", select(_I.c.state, _I.c.at).where(same(_I, "provider", "event_id")))
INBOX_ROW = reads("inbox_row", select(_I).where(same(_I, "provider", "event_id")))


def _in_state(state: str) -> Query:
    return (
        select(_I)
        .where(_I.c.tenant == words("tenant"), _I.c.state == state)
        .order_by(_I.c.received_at, _I.c.provider, _I.c.event_id)
        .limit(integer("limit"))
    )


INBOX_WAITING = reads("inbox_waiting", _in_state("waiting").offset(integer("skip")))
INBOX_PARKED = reads("inbox_parked", _in_state("parked"))
RECEIVE_EVENT = writes("receive_event", all_columns(_I))
SETTLE_EVENT = writes(
    "settle_event",
    set_columns(_I, "state", "processed_at", "error").where(
        same(_I, "provider", "event_id"), _I.c.state != "processed"
    ),
)
#: What is told again with newer details; guarded, so that the newest wins whoever is last.
NEWER_EVENT = writes(
    "newer_event",
    set_columns(_I, "state", "processed_at", "error", "body", "at").where(
        same(_I, "provider", "event_id"), or_(_I.c.at.is_(None), _I.c.at < integer("at"))
    ),
)
_ring = insert_or(_I).values({column.key: value(column) for column in _I.c})
#: A bell rings: waiting, whatever became of the ring before. Each ring has a moment of its own, later than the last.
RING = writes(
    "ring",
    _ring.on_conflict_do_update(
        index_elements=["tenant", "provider", "event_id"],
        set_={
            "state": "waiting",
            "received_at": case(
                (_ring.excluded.received_at > _I.c.received_at, _ring.excluded.received_at),
                else_=_I.c.received_at + 1,
            ),
            "processed_at": None,
            "body": _ring.excluded.body,
            "query": _ring.excluded.query,
            "error": "",
        },
    ),
)
#: Answered, unless it has rung again meanwhile.
ANSWER_BELL = writes(
    "answer_bell",
    set_columns(_I, "state", "processed_at", "error").where(
        same(_I, "provider", "event_id", received_at="was_received_at")
    ),
)

BLANK_EVENT = writes("blank_event", set_columns(_I, "body").where(same(_I, "provider", "event_id")))

_older = _O.alias("older")
OUTBOX_DUE = reads(
    "outbox_due",
    select(_O)
    .where(
        _O.c.tenant == words("tenant"),
        _O.c.state == "waiting",
        _O.c.due_at <= integer("now"),
        or_(_O.c.leased_until.is_(None), _O.c.leased_until <= integer("now")),
        ~exists().where(
            and_(
                _older.c.tenant == _O.c.tenant,
                _older.c.link_id == _O.c.link_id,
                _older.c.state == "waiting",
                _older.c.id < _O.c.id,
            )
        ),
    )
    .order_by(_O.c.due_at, _O.c.id)
    .limit(integer("limit")),
)
OUTBOX_PARKED = reads(
    "outbox_parked",
    select(_O)
    .where(_O.c.tenant == words("tenant"), _O.c.state == "parked")
    .order_by(_O.c.due_at, _O.c.id)
    .limit(integer("limit")),
)
# PostgreSQL's ON CONFLICT is compiled for SQLite as well, which has taken it over word for word.
EMIT = writes(
    "emit",
    insert_or(_O)
    .values({column.key: value(column) for column in _O.c})
    .on_conflict_do_nothing(index_elements=["tenant", "event_id"]),
)
LEASE_EVENT = writes(
    "lease_event",
    set_columns(_O, "leased_until").where(
        same(_O, "id", attempts="was_attempts"),
        _O.c.state == "waiting",
        or_(_O.c.leased_until.is_(None), _O.c.leased_until <= integer("now")),
    ),
)
SETTLE_OUTBOX = writes(
    "settle_outbox",
    set_columns(_O, "state", "attempts", "due_at", "error")
    .values(leased_until=None)
    .where(same(_O, "id"), _O.c.state == "waiting"),
)
REPLAY_OUTBOX = writes(
    "replay_outbox",
    set_columns(_O, "attempts", "due_at")
    .values(state="waiting", leased_until=None, error="")
    .where(same(_O, "id"), _O.c.state == "parked"),
)

PASS_AT = reads("pass_at", select(_P.c.at).where(same(_P, "name")))
#: How many pieces of each sort the next pass leaves to the one after it; kept beside the passes themselves.
TURNS = reads(
    "turns", select(_P.c.name, _P.c.at).where(_P.c.tenant == words("tenant"), _P.c.name.like("turn.%"))
)
_pass = insert_or(_P).values({column.key: value(column) for column in _P.c})
PASSED = writes(
    "passed", _pass.on_conflict_do_update(index_elements=["tenant", "name"], set_={"at": _pass.excluded.at})
)
