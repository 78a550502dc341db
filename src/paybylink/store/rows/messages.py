"""
Deliveries as rows, each with the exact message that goes out.

The message's preview text and its warnings are for the moment of composing and are not kept; the bytes are.
"""

from __future__ import annotations

from paybylink.messages import Delivery, Medium, Message, Outcome, Purpose

from ._columns import Parameters, Row, digest, micros, micros_or_none, moment, moment_or_none


def delivery_row(delivery: Delivery, message: Message, *, tenant: str) -> Parameters:
    """Every column of a delivery that was not sent yet."""
    return {
        **message_columns(message),
        "tenant": tenant,
        "id": delivery.id,
        "link_id": delivery.link_id,
        "channel": delivery.channel,
        "medium": str(delivery.medium),
        "purpose": str(delivery.purpose),
        "recipient": delivery.recipient,
        "recipient_hash": digest(delivery.recipient),
        "key": delivery.key,
        "outcome": str(delivery.outcome),
        "vendor_id": delivery.vendor_id,
        "attempts": delivery.attempts,
        "detail": delivery.detail,
        "reserved_at": micros(delivery.reserved_at),
        "sent_at": None,
        "retry_at": micros_or_none(delivery.retry_at),
        "version": delivery.version,
    }


def message_columns(message: Message) -> Parameters:
    """The columns that hold the message."""
    return {
        "content": message.content,
        "subject": message.subject,
        "language": message.language,
        "needs_utf8": int(message.needs_utf8),
    }


def delivery_from_row(row: Row) -> Delivery:
    """The delivery that `delivery_row` wrote."""
    return Delivery(
        id=row["id"],
        link_id=row["link_id"],
        channel=row["channel"],
        medium=Medium(row["medium"]),
        purpose=Purpose(row["purpose"]),
        recipient=row["recipient"],
        outcome=Outcome(row["outcome"]),
        reserved_at=moment(row["reserved_at"]),
        key=row["key"],
        tenant=row["tenant"],
        vendor_id=row["vendor_id"],
        attempts=row["attempts"],
        detail=row["detail"],
        retry_at=moment_or_none(row["retry_at"]),
        version=row["version"],
    )


def message_from_row(row: Row) -> Message:
    """What `delivery_row` kept of the message: everything that is sent."""
    return Message(
        medium=Medium(row["medium"]),
        recipient=row["recipient"],
        content=row["content"],
        language=row["language"],
        subject=row["subject"],
        needs_utf8=bool(row["needs_utf8"]),
    )
