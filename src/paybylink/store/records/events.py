"""What came in by webhook, and what goes out to the host's handlers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from paybylink.events import Event, event_from_json, event_to_json
from paybylink.flow import Flow, Statement, Step, write
from paybylink.store.queries import events as sql
from paybylink.store.rows._columns import (
    Row,
    digest,
    dump,
    load,
    micros,
    micros_or_none,
    moment,
    moment_or_none,
)

from ._scope import Scope

_TURN = "turn."


@frozen(kw_only=True)
class InboxRow:
    """
    One message of a provider.

    Attributes:
        provider, event_id: whose, and under which id; processed once.
        kind: the provider's word.
        state: processed, waiting (for news that have to come first), parked (a person looks) or foreign.
        received_at, processed_at: aware UTC; the second is None until it was processed.
        body: as it came; empty when foreign.
        error: why it waits or is parked.
        at: when it happened, as the provider says; None where it was not kept.
        query: of the address that was called.
    """

    provider: str
    event_id: str
    kind: str
    state: str
    received_at: dt.datetime
    processed_at: dt.datetime | None
    body: bytes = field(repr=False)
    error: str = ""
    at: dt.datetime | None = None
    query: str = field(default="", repr=False)


@frozen(kw_only=True)
class OutboxRow:
    """
    One event for the host's handlers.

    Attributes:
        id: our row; sorts by time.
        link_id: whose events stay in order; empty where there is no link.
        event: what happened.
        state: waiting, done or parked.
        attempts: how often handlers have failed on it.
        created_at, due_at: aware UTC.
        error: the last failure.
    """

    id: str
    link_id: str
    event: Event
    state: str
    attempts: int
    created_at: dt.datetime
    due_at: dt.datetime
    error: str = ""


class EventRecords(Scope):
    """What a `Store` knows of events. Reads are flows, writes are steps."""

    __slots__ = ()

    def inbox_state(self, provider: str, event_id: str) -> Flow[str | None]:
        """What became of a message of a provider; None if it never came."""
        row = yield from self._first(sql.INBOX_STATE, provider=provider, event_id=event_id)
        return None if row is None else str(row["state"])

    def inbox_moment(self, provider: str, event_id: str) -> Flow[dt.datetime | None]:
        """When the message that is kept under that id happened; None where none is kept, or none was told."""
        row = yield from self._first(sql.INBOX_STATE, provider=provider, event_id=event_id)
        return None if row is None else moment_or_none(row["at"])

    def ring(
        self, provider: str, event_id: str, kind: str, at: dt.datetime, body: bytes, query: str
    ) -> Flow[InboxRow]:
        """Keep a ring of a bell, merged with one that still waits, and return its row."""
        rung = self._inbox_step(
            sql.RING, None, provider, event_id, kind, "waiting", at, body, "", None, query
        )
        look = self._step(sql.INBOX_ROW, provider=provider, event_id=event_id)
        _, found = yield from write(rung, look)
        return _inbox(found.rows[0])

    def answer_bell(self, row: InboxRow, state: str, at: dt.datetime, error: str = "") -> Step:
        """What became of a ring; a `Conflict` if it has rung again meanwhile."""
        return self._step(
            sql.ANSWER_BELL,
            1,
            provider=row.provider,
            event_id=row.event_id,
            was_received_at=micros(row.received_at),
            state=state,
            processed_at=micros(at) if state == "processed" else None,
            error=error,
        )

    def newer_event(
        self,
        provider: str,
        event_id: str,
        state: str,
        at: dt.datetime,
        body: bytes,
        happened_at: dt.datetime,
        error: str = "",
    ) -> Step:
        """The same message with newer details; a `Conflict` if what is kept is as new."""
        return self._step(
            sql.NEWER_EVENT,
            1,
            provider=provider,
            event_id=event_id,
            state=state,
            processed_at=micros(at) if state == "processed" else None,
            error=error,
            body=body,
            at=micros(happened_at),
        )

    def inbox_waiting(self, limit: int = 200, *, skip: int = 0) -> Flow[Sequence[InboxRow]]:
        """Messages that wait for news that have to come first, the oldest first, after `skip` of them."""
        found = yield from self._read(sql.INBOX_WAITING, limit=limit, skip=skip)
        return tuple(_inbox(row) for row in found)

    def inbox_parked(self, limit: int = 200) -> Flow[Sequence[InboxRow]]:
        """Messages that a person has to look at, the oldest first."""
        found = yield from self._read(sql.INBOX_PARKED, limit=limit)
        return tuple(_inbox(row) for row in found)

    def receive_event(
        self,
        provider: str,
        event_id: str,
        kind: str,
        state: str,
        at: dt.datetime,
        body: bytes,
        error: str = "",
        *,
        happened_at: dt.datetime | None = None,
        query: str = "",
    ) -> Step:
        """A message of a provider; a `Conflict` if it came before."""
        return self._inbox_step(
            sql.RECEIVE_EVENT, 1, provider, event_id, kind, state, at, body, error, happened_at, query
        )

    def _inbox_step(
        self,
        statement: Statement,
        expect: int | None,
        provider: str,
        event_id: str,
        kind: str,
        state: str,
        received_at: dt.datetime,
        body: bytes,
        error: str,
        happened_at: dt.datetime | None,
        query: str,
    ) -> Step:
        return self._step(
            statement,
            expect,
            provider=provider,
            event_id=event_id,
            kind=kind,
            state=state,
            received_at=micros(received_at),
            processed_at=micros(received_at) if state == "processed" else None,
            body=body,
            error=error,
            at=micros_or_none(happened_at),
            query=query,
        )

    def settle_event(
        self, provider: str, event_id: str, state: str, at: dt.datetime, error: str = ""
    ) -> Step:
        """What became of a message that waited or was parked; a `Conflict` if it was processed meanwhile."""
        return self._step(
            sql.SETTLE_EVENT,
            1,
            provider=provider,
            event_id=event_id,
            state=state,
            processed_at=micros(at) if state == "processed" else None,
            error=error,
        )

    def blank_event(self, provider: str, event_id: str) -> Step:
        """Forget what a message said; its id and kind stay."""
        return self._step(sql.BLANK_EVENT, 1, provider=provider, event_id=event_id, body=b"")

    def outbox_due(self, now: dt.datetime, limit: int = 200) -> Flow[Sequence[OutboxRow]]:
        """Events to hand out now: of each link only the oldest that waits, and none that is leased."""
        found = yield from self._read(sql.OUTBOX_DUE, now=micros(now), limit=limit)
        return tuple(_outbox(row) for row in found)

    def outbox_parked(self, limit: int = 200) -> Flow[Sequence[OutboxRow]]:
        """Events that handlers have failed on too often."""
        found = yield from self._read(sql.OUTBOX_PARKED, limit=limit)
        return tuple(_outbox(row) for row in found)

    def emit(self, event: Event, *, now: dt.datetime, place: int = 0) -> Step:
        """
        An event for the host's handlers; one with an id that is known already is dropped.

        Args:
            event: what happened.
            now: when it is written down.
            place: its place among events of one link that are written at the same moment.
        """
        at = micros(now)
        return self._step(
            sql.EMIT,
            # Sorts by time and place; the hash keeps apart what falls on one microsecond.
            id=f"{at:017d}{place:03d}{digest(event.id)[:20]}",
            link_id=getattr(event, "link_id", "") or None,
            event_id=event.id,
            event_json=dump(event_to_json(event)),
            state="waiting",
            attempts=0,
            created_at=at,
            due_at=at,
            leased_until=None,
            error="",
        )

    def lease_event(self, row: OutboxRow, until: dt.datetime, now: dt.datetime) -> Step:
        """The event, kept from other workers `until` then; a `Conflict` if another has it."""
        return self._step(
            sql.LEASE_EVENT,
            1,
            id=row.id,
            was_attempts=row.attempts,
            leased_until=micros(until),
            now=micros(now),
        )

    def event_done(self, row: OutboxRow) -> Step:
        """Every handler has taken the event."""
        return self._settle(row, "done", row.attempts, micros(row.due_at), "")

    def event_failed(
        self, row: OutboxRow, due_at: dt.datetime, attempts: int, error: str, parked: bool = False
    ) -> Step:
        """A handler failed: the event is due again then, or is parked until a person replays it."""
        return self._settle(row, "parked" if parked else "waiting", attempts, micros(due_at), error)

    def replay_event(self, row: OutboxRow, now: dt.datetime) -> Step:
        """A parked event, due again; a `Conflict` if it is not parked."""
        return self._step(sql.REPLAY_OUTBOX, 1, id=row.id, attempts=0, due_at=micros(now))

    def pass_at(self, name: str) -> Flow[dt.datetime | None]:
        """When the pass of that name last ended; None if it never ran."""
        row = yield from self._first(sql.PASS_AT, name=name)
        return None if row is None else moment(row["at"])

    def passed(self, name: str, at: dt.datetime) -> Step:
        """The pass of that name has ended."""
        return self._step(sql.PASSED, name=name, at=micros(at))

    def turns(self) -> Flow[Mapping[str, int]]:
        """Of each sort of work, how many pieces the next pass leaves to the one after it; 0 where none is told."""
        found = yield from self._read(sql.TURNS)
        return {row["name"].removeprefix(_TURN): row["at"] for row in found}

    def turned(self, sort: str, skip: int) -> Step:
        """The next pass leaves the first `skip` pieces of that sort to the one after it."""
        return self._step(sql.PASSED, name=_TURN + sort, at=skip)

    def _settle(self, row: OutboxRow, state: str, attempts: int, due_at: int, error: str) -> Step:
        return self._step(
            sql.SETTLE_OUTBOX, id=row.id, state=state, attempts=attempts, due_at=due_at, error=error
        )


def _inbox(row: Row) -> InboxRow:
    return InboxRow(
        provider=row["provider"],
        event_id=row["event_id"],
        kind=row["kind"],
        state=row["state"],
        received_at=moment(row["received_at"]),
        processed_at=moment_or_none(row["processed_at"]),
        body=row["body"],
        error=row["error"],
        at=moment_or_none(row["at"]),
        query=row["query"] or "",
    )


def _outbox(row: Row) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        link_id=row["link_id"] or "",
        event=event_from_json(load(row["event_json"])),
        state=row["state"],
        attempts=row["attempts"],
        created_at=moment(row["created_at"]),
        due_at=moment(row["due_at"]),
        error=row["error"],
    )
