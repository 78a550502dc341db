"""
What happened, in our words: the events that a host's handlers receive.

An event is written into the outbox in the same batch as its effect, and handed out after the commit, at least
once. Its `id` is the same each time, so a handler that keeps the ids it has seen acts once.

Amounts and ids only: no name, address or number, since events are logged and queued.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

from attrs import asdict, fields, frozen

from .money import Money
from .payments import PaymentFlag


@frozen(kw_only=True)
class LinkOpened:
    """The provider made the link; it can be paid."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class LinkPaid:
    """
    Money came by a link and what was asked for is covered.

    For a reusable link, one event for each payment.
    """

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    payment_id: str
    amount: Money
    flags: frozenset[PaymentFlag] = frozenset()
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class PaymentReceived:
    """Money came that does not cover a link: a part, a wrong currency, or no link of ours explains it."""

    id: str
    at: dt.datetime
    payment_id: str
    amount: Money
    link_id: str = ""
    reference: str = ""
    flags: frozenset[PaymentFlag] = frozenset()
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class PaymentProcessing:
    """The payer is done; the money is not certain yet."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    payment_id: str
    amount: Money
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class PaymentFailed:
    """A delayed payment failed; the link can be paid again."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    payment_id: str
    amount: Money
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class PaymentAuthorised:
    """The money is reserved and waits for `capture`."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    payment_id: str
    amount: Money
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class LinkExpired:
    """The link's time has passed and its provider link is closed."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class LinkCancelled:
    """The merchant closed the link."""

    id: str
    at: dt.datetime
    link_id: str
    reference: str
    part: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class RefundSettled:
    """Money went back to the payer."""

    id: str
    at: dt.datetime
    refund_id: str
    payment_id: str
    amount: Money
    reference: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class RefundFailed:
    """A refund did not reach the payer; the money is ours again."""

    id: str
    at: dt.datetime
    refund_id: str
    payment_id: str
    amount: Money
    reference: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class DisputeOpened:
    """A payer contests a payment."""

    id: str
    at: dt.datetime
    dispute_id: str
    amount: Money
    payment_id: str = ""
    reason: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class DisputeClosed:
    """A dispute was decided."""

    id: str
    at: dt.datetime
    dispute_id: str
    amount: Money
    won: bool
    payment_id: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class DeliveryUpdated:
    """A message moved on: accepted, delivered, read, refused."""

    id: str
    at: dt.datetime
    delivery_id: str
    link_id: str
    outcome: str
    tenant: str = ""


Event: TypeAlias = (
    LinkOpened
    | LinkPaid
    | PaymentReceived
    | PaymentProcessing
    | PaymentAuthorised
    | PaymentFailed
    | LinkExpired
    | LinkCancelled
    | RefundSettled
    | RefundFailed
    | DisputeOpened
    | DisputeClosed
    | DeliveryUpdated
)

EVENT_TYPES: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        LinkOpened,
        LinkPaid,
        PaymentReceived,
        PaymentProcessing,
        PaymentAuthorised,
        PaymentFailed,
        LinkExpired,
        LinkCancelled,
        RefundSettled,
        RefundFailed,
        DisputeOpened,
        DisputeClosed,
        DeliveryUpdated,
    )
}


def event_to_json(event: Event) -> dict[str, object]:
    """A dictionary of JSON values that `event_from_json` reads back to an equal event."""
    written: dict[str, object] = {"type": type(event).__name__}
    for name, value in asdict(event, recurse=False).items():
        if isinstance(value, Money):
            value = {"minor": value.minor, "currency": value.currency}
        elif isinstance(value, dt.datetime):
            value = value.isoformat()
        elif isinstance(value, frozenset):
            value = sorted(str(flag) for flag in value)
        written[name] = value
    return written


def event_from_json(written: dict[str, object]) -> Event:
    """The event that `event_to_json` wrote; fields unknown to this version are ignored."""
    kind = EVENT_TYPES[str(written["type"])]
    values: dict[str, object] = {}
    for attribute in fields(kind):
        if attribute.name not in written:
            continue
        value = written[attribute.name]
        if attribute.name == "amount" and isinstance(value, dict):
            value = Money.read(int(value["minor"]), str(value["currency"]))
        elif attribute.name == "at":
            value = dt.datetime.fromisoformat(str(value))
        elif attribute.name == "flags" and isinstance(value, list):
            value = frozenset(PaymentFlag(flag) for flag in value)
        values[attribute.name] = value
    return kind(**values)  # type: ignore[arg-type]  # read by name just above
