"""
What a provider tells, in our words: by webhook, or when it is asked.

Unknown words of a vendor become `unknown` (payments), `pending` (refunds), `open` (disputes), are kept verbatim in
`vendor_status`, and never become money.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus


class VendorLinkStatus(StrEnum):
    """What a provider says of its link."""

    OPEN = "open"  #: can be paid
    CLOSED = "closed"  #: cannot be paid any more, for whatever reason
    UNKNOWN = "unknown"  #: a word we do not know


@frozen(kw_only=True)
class VendorLink:
    """
    A link as its provider describes it, after it was compared with what was asked.

    Attributes:
        vendor_id: the provider's id.
        url: where the customer pays; https on one of the provider's hosts.
        status: whether it can be paid.
        mode: test or live.
        completed: how often it was paid, where the provider counts; None otherwise.
        link_id, attempt_id: ours, read back from it; empty when it carries none.
    """

    vendor_id: str
    url: str = field(repr=False)
    status: VendorLinkStatus
    mode: Mode
    completed: int | None = None
    link_id: str = ""
    attempt_id: str = ""


@frozen(kw_only=True)
class Payer:
    """Who paid, as the provider tells it; each empty where it does not."""

    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    country: str = ""


@frozen(kw_only=True)
class PaymentNotice:
    """
    One payment, as its provider tells it: by webhook or when asked.

    Attributes:
        vendor_id: the payment; stable over all news of it.
        link_vendor_id: the provider's link; empty when it does not tell.
        link_id, attempt_id: ours, from what travels with the payment; empty when it carries none.
        amount, status, vendor_status, method, at, mode: as on `Payment`.
        payer: who paid; None when not told. Not stored by us.
        uses_up: a failed payment after which the provider takes no other one on the same link.
        payment_event: the id of the event that tells the payment itself and whose it is; given by providers that
            cannot be asked, with news such as a capture, which do not say it.
        refused: ``capture`` or ``cancel``, where the news are that this was asked for and refused; the payment is as
            it was then.
    """

    vendor_id: str
    amount: Money
    status: PaymentStatus
    at: dt.datetime
    mode: Mode
    link_vendor_id: str = ""
    link_id: str = ""
    attempt_id: str = ""
    method: str = ""
    vendor_status: str = ""
    payer: Payer | None = None
    uses_up: bool = False
    payment_event: str = ""
    refused: str = ""


@frozen(kw_only=True)
class RefundNotice:
    """
    One refund, as its provider tells it.

    Attributes:
        vendor_id: the refund.
        payment_vendor_id: what it gives back.
        refund_id: ours, from what travels with it; empty for one made elsewhere, e.g. in the provider's dashboard.
        payment_event: as on `PaymentNotice`.
    """

    vendor_id: str
    payment_vendor_id: str
    amount: Money
    status: RefundStatus
    at: dt.datetime
    mode: Mode
    refund_id: str = ""
    reason: str = ""
    vendor_status: str = ""
    payment_event: str = ""


@frozen(kw_only=True)
class DisputeNotice:
    """
    One dispute, as its provider tells it: the payer, his bank or the card scheme takes money back, or may.

    Attributes:
        vendor_id: the dispute; stable over all news of it.
        payment_vendor_id: what is contested; empty for later news that name the dispute alone.
        payment_event: as on `PaymentNotice`.
    """

    vendor_id: str
    payment_vendor_id: str
    amount: Money
    status: DisputeStatus
    at: dt.datetime
    mode: Mode
    reason: str = ""
    respond_by: dt.datetime | None = None
    payment_event: str = ""


@frozen(kw_only=True)
class LinkNotice:
    """A link was changed at the provider, perhaps by hand in its dashboard."""

    vendor_id: str
    status: VendorLinkStatus
    mode: Mode
    link_id: str = ""


@frozen(kw_only=True)
class Bell:
    """
    Something happened to a payment or a link, and the message does not say what: it has to be asked for.

    Such a message is not signed, so nothing in it is believed. It is merged with one that still waits, and never
    with one that was answered before, because the next ring may mean the refund.

    Attributes:
        payment_vendor_id: the payment that rang; empty when a link did.
        link_vendor_id: the provider's link, where that is told.
        link_id, attempt_id: ours, from the address that was called; a hint that is checked against our own rows.
        mode: of the account.
    """

    mode: Mode
    payment_vendor_id: str = ""
    link_vendor_id: str = ""
    link_id: str = ""
    attempt_id: str = ""


@frozen(kw_only=True)
class ForeignNotice:
    """Something about the account that no link of ours has made: answered, counted, not kept."""

    reason: str = ""


@frozen(kw_only=True)
class UnknownNotice:
    """A kind of event that this version does not know; kept and replayable."""

    reason: str = ""


Notice: TypeAlias = (
    PaymentNotice | RefundNotice | DisputeNotice | LinkNotice | Bell | ForeignNotice | UnknownNotice
)


@frozen(kw_only=True)
class ProviderEvent:
    """
    One verified message of a provider.

    Attributes:
        event_id: the provider's id of the message, by which it is processed once.
        kind: the provider's word for it.
        at: when it happened; aware UTC.
        mode: test or live, as the message says.
        notice: what it means.
        newest_wins: the provider tells the same event again with newer details; the one with the later `at` counts.
    """

    event_id: str
    kind: str
    at: dt.datetime
    mode: Mode
    notice: Notice
    newest_wins: bool = False
