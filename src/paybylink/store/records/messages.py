"""Deliveries and the exact messages that go out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import frozen

from paybylink.flow import Flow, Step
from paybylink.messages import Delivery, Message, Purpose
from paybylink.store.queries import messages as sql
from paybylink.store.rows import messages as rows
from paybylink.store.rows._columns import Row, digest, micros, micros_or_none

from ._scope import Scope


@frozen(kw_only=True)
class StoredDelivery:
    """
    A delivery with what is needed to go on with it.

    Attributes:
        delivery: the value.
        message: what goes out; its preview text and warnings are only there when it was composed just now.
        fresh: this very call has reserved it.
    """

    delivery: Delivery
    message: Message
    fresh: bool = False


class MessageRecords(Scope):
    """What a `Store` knows of deliveries. Reads are flows, writes are steps."""

    __slots__ = ()

    def delivery(self, delivery_id: str) -> Flow[StoredDelivery | None]:
        """The delivery with that id."""
        return _stored((yield from self._first(sql.DELIVERY, id=delivery_id)))

    def delivery_of(
        self, link_id: str, channel: str, recipient: str, purpose: Purpose, key: str = ""
    ) -> Flow[StoredDelivery | None]:
        """The one delivery of that purpose to that recipient; also after he was forgotten."""
        row = yield from self._first(
            sql.DELIVERY_OF,
            link_id=link_id,
            channel=channel,
            recipient_hash=digest(recipient),
            purpose=str(purpose),
            key=key,
        )
        return _stored(row)

    def delivery_of_vendor(self, channel: str, vendor_id: str) -> Flow[StoredDelivery | None]:
        """The delivery that a message service means."""
        return _stored((yield from self._first(sql.DELIVERY_OF_VENDOR, channel=channel, vendor_id=vendor_id)))

    def deliveries(self, link_id: str) -> Flow[Sequence[Delivery]]:
        """Every delivery of a link, the oldest first."""
        found = yield from self._read(sql.DELIVERIES, link_id=link_id)
        return tuple(rows.delivery_from_row(row) for row in found)

    def deliveries_due(
        self, now: dt.datetime, limit: int = 200, *, skip: int = 0
    ) -> Flow[Sequence[StoredDelivery]]:
        """
        What is prepared and was not handed over yet, and what was deferred until now; oldest first, after `skip`.

        What asks for money is due only while its link can be paid.
        """
        found = yield from self._read(sql.DELIVERIES_DUE, now=micros(now), limit=limit, skip=skip)
        return tuple(_stored_row(row) for row in found)

    def insert_delivery(self, delivery: Delivery, message: Message, *, guard_payable: bool) -> Step:
        """
        The reserved row; a `Conflict` if there is one already.

        Args:
            delivery: what is reserved.
            message: what will be sent.
            guard_payable: also a `Conflict` if the link cannot be paid at this moment.
        """
        row = rows.delivery_row(delivery, message, tenant=self.tenant)
        statement = sql.INSERT_DELIVERY_WHILE_PAYABLE if guard_payable else sql.INSERT_DELIVERY
        return Step(statement, row, 1)

    def update_delivery(
        self, delivery: Delivery, *, version: int, sent_at: dt.datetime | None = None
    ) -> Step:
        """What became of a message, if its version is still `version`; the stored version rises by one."""
        return self._step(
            sql.UPDATE_DELIVERY,
            1,
            id=delivery.id,
            was_version=version,
            outcome=str(delivery.outcome),
            vendor_id=delivery.vendor_id,
            attempts=delivery.attempts,
            detail=delivery.detail,
            retry_at=micros_or_none(delivery.retry_at),
            sent_at=micros_or_none(sent_at),
        )

    def keep_message(self, delivery_id: str, message: Message) -> Step:
        """Another message in place of one that was prepared and not sent; else a `Conflict`."""
        return self._step(sql.KEEP_MESSAGE, 1, id=delivery_id, **rows.message_columns(message))


def _stored(row: Row | None) -> StoredDelivery | None:
    return None if row is None else _stored_row(row)


def _stored_row(row: Row) -> StoredDelivery:
    return StoredDelivery(delivery=rows.delivery_from_row(row), message=rows.message_from_row(row))
