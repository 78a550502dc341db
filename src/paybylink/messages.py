"""
What is said to whom, and what became of it.

A `Message` is what a channel composed. A `Delivery` is one attempt to bring one message to one recipient, and is
written down before anything is sent: its outcome is `unknown` from that moment until the other side answers.

The legal moves of an outcome stand in `DELIVERY_MOVES`; reports of a carrier come late, twice and out of order,
so a move that the table does not have is ignored and never an error.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from attrs import field, frozen


class Medium(StrEnum):
    """By what a message travels."""

    EMAIL = "email"  #: a mail
    SMS = "sms"  #: a text message; costs credits
    WHATSAPP = "whatsapp"  #: a WhatsApp message, from the back office
    SHARE = "share"  #: handed over by the merchant's own hand: a URL, a QR code, wa.me


class Purpose(StrEnum):
    """Why a message is sent; one purpose is never sent twice to the same person for the same link."""

    REQUEST = "request"  #: please pay
    REMINDER = "reminder"  #: please pay, it is due
    RECEIPT = "receipt"  #: thank you, it was paid
    EXPIRED = "expired"  #: the link has ended
    REFUND = "refund"  #: money is on its way back


class Outcome(StrEnum):
    """What became of a message."""

    PREPARED = "prepared"  #: ready; a person or an app sends it, or our own commit has to come first
    UNKNOWN = "unknown"  #: it may have been sent; ask, never send again
    ACCEPTED = "accepted"  #: the other side took it over
    DEFERRED = "deferred"  #: clearly not taken now; may be sent again
    REFUSED = "refused"  #: clearly not taken, and never will be
    DELIVERED = "delivered"  #: it reached the device or mailbox
    READ = "read"  #: the recipient opened it, where the medium tells


DELIVERY_MOVES: dict[Outcome, frozenset[Outcome]] = {
    Outcome.PREPARED: frozenset({Outcome.UNKNOWN}),
    Outcome.UNKNOWN: frozenset(
        {Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.DELIVERED, Outcome.READ}
    ),
    Outcome.DEFERRED: frozenset(
        {Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DELIVERED, Outcome.READ}
    ),
    # A carrier may accept and later bounce; a device may report "failed" and another one "read".
    Outcome.ACCEPTED: frozenset({Outcome.REFUSED, Outcome.DELIVERED, Outcome.READ}),
    Outcome.REFUSED: frozenset({Outcome.DELIVERED, Outcome.READ}),
    Outcome.DELIVERED: frozenset({Outcome.READ}),
    Outcome.READ: frozenset(),
}


def outcome_moved(before: Outcome, after: Outcome) -> Outcome:
    """`after` if the table has the move, and `before` if it does not."""
    return after if after in DELIVERY_MOVES[before] else before


@frozen(kw_only=True)
class Message:
    """
    What a channel composed, ready to be sent.

    Attributes:
        medium: by what it travels.
        recipient: as the channel writes it: an A-label address, an E.164 number.
        content: the exact bytes that leave, kept so that a later attempt sends the same.
        language: in which it was written.
        subject: for a mail; empty otherwise.
        text: the plain text, for previews.
        warnings: what was changed or is unusual, in words for the merchant.
        needs_utf8: the transport must announce SMTPUTF8.
    """

    medium: Medium
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    language: str = "en"
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    warnings: tuple[str, ...] = ()
    needs_utf8: bool = False


@frozen(kw_only=True)
class Delivery:
    """
    One attempt to bring one message to one recipient.

    Attributes:
        id: our row; also the local part of a mail's ``Message-ID``.
        link_id: which link is handed over.
        channel: the channel's name.
        medium, purpose: by what, and why.
        recipient: where to; personal data, erased by `forget`.
        outcome: what became of it.
        reserved_at: when it was written down; aware UTC.
        key: empty for the first message of its purpose, else the key given to `resend`.
        vendor_id: the message service's id; None until it answered, or where there is none.
        attempts: how often it was handed to the other side.
        detail: the other side's answer, scrubbed.
        version: rises with every change.
    """

    id: str
    link_id: str
    channel: str
    medium: Medium
    purpose: Purpose
    recipient: str = field(repr=False)
    outcome: Outcome
    reserved_at: dt.datetime
    key: str = ""
    tenant: str = ""
    vendor_id: str | None = None
    attempts: int = 0
    detail: str = field(default="", repr=False)
    retry_at: dt.datetime | None = None
    version: int = 1
