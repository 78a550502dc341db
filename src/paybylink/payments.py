"""
Money that came, went back, is contested, was kept by the provider, or reached the bank.

A payment is named by its provider and the provider's id, so that the same money told twice is one payment. All
legal moves stand in the tables below. A vendor's status that we do not know becomes `unknown` and is kept
verbatim beside it; it is never taken for `succeeded`.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from attrs import Factory, frozen

from .errors import IllegalMove
from .links import Mode
from .money import Money


class PaymentFlag(StrEnum):
    """Why a payment needs a person's eye."""

    LATE = "late"  #: it came after the link had expired or was cancelled or replaced
    EXCESS = "excess"  #: it is more than was asked for, or a second one
    MISMATCH = "mismatch"  #: its amount or currency is not what was asked for


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PROCESSING = "processing"  #: a delayed method has begun; days may pass
    AUTHORISED = "authorised"  #: reserved on the card, not captured yet
    SUCCEEDED = "succeeded"  #: the money is ours, but for refunds and disputes
    FAILED = "failed"  #: no money came
    CANCELLED = "cancelled"  #: authorised and then given up
    UNKNOWN = "unknown"  #: the vendor says something we do not know


PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.UNKNOWN: frozenset(set(PaymentStatus) - {PaymentStatus.UNKNOWN}),
    PaymentStatus.PROCESSING: frozenset(
        {PaymentStatus.AUTHORISED, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELLED}
    ),
    PaymentStatus.AUTHORISED: frozenset(
        {PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELLED}
    ),
    # A failed attempt may be tried again under the same vendor id (a Stripe PaymentIntent is), so money still wins.
    PaymentStatus.FAILED: frozenset(
        {PaymentStatus.PROCESSING, PaymentStatus.AUTHORISED, PaymentStatus.SUCCEEDED}
    ),
    PaymentStatus.CANCELLED: frozenset({PaymentStatus.SUCCEEDED}),
    PaymentStatus.SUCCEEDED: frozenset(),
}


class RefundStatus(StrEnum):
    """Where a refund stands."""

    PENDING = "pending"  #: asked for; the answer, or the money, is not there yet
    SUCCEEDED = "succeeded"  #: the money went back
    FAILED = "failed"  #: the money came back to us, or never left
    CANCELLED = "cancelled"  #: given up before it left


REFUND_MOVES: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.CANCELLED}),
    # A bank may send the money back days after "succeeded" (Stripe `refund.failed`).
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(),
    RefundStatus.CANCELLED: frozenset(),
}


class DisputeStatus(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"  #: the payer contests the payment
    WON = "won"  #: the money stays, or came back
    LOST = "lost"  #: the money is gone


DISPUTE_MOVES: dict[DisputeStatus, frozenset[DisputeStatus]] = {
    DisputeStatus.OPEN: frozenset({DisputeStatus.WON, DisputeStatus.LOST}),
    DisputeStatus.WON: frozenset({DisputeStatus.LOST}),
    DisputeStatus.LOST: frozenset({DisputeStatus.WON}),
}


def payment_moved(before: PaymentStatus, after: PaymentStatus) -> PaymentStatus:
    """
    `after` if the table has the move, and `before` if it does not: late news never undo what is certain.
    """
    return after if after in PAYMENT_MOVES[before] else before


def refund_moved(before: RefundStatus, after: RefundStatus) -> RefundStatus:
    """`after` if the table has the move, and `before` if it does not."""
    return after if after in REFUND_MOVES[before] else before


def dispute_moved(before: DisputeStatus, after: DisputeStatus) -> DisputeStatus:
    """
    `after`, if a dispute may go there; staying is always allowed.

    Raises:
        IllegalMove: the table has no such move.
    """
    if before is not after and after not in DISPUTE_MOVES[before]:
        raise IllegalMove("dispute", before, after)
    return after


def _nothing_refunded(payment: Payment) -> Money:
    return Money.read(0, payment.amount.currency)


@frozen(kw_only=True)
class Payment:
    """
    Money that came, or tried to.

    Attributes:
        id: our row.
        provider, vendor_id: who says so, and under which id (Stripe: the PaymentIntent).
        amount: what the payer paid, in the currency of the order.
        status: where it stands.
        mode: test or live.
        at: when it happened, as the provider says; aware UTC.
        link_id: the link it came by; None for a payment that no link of ours explains.
        reference, part: the order's; empty without a link.
        method: our word or the vendor's: ``card``, ``sepa_debit``, …; empty when not told.
        flags: why a person should look at it.
        refunded: what has been sent back or is on its way.
        vendor_status: the vendor's own word.
        version: rises with every change.
    """

    id: str
    provider: str
    vendor_id: str
    amount: Money
    status: PaymentStatus
    mode: Mode
    at: dt.datetime
    link_id: str | None = None
    reference: str = ""
    part: str = ""
    tenant: str = ""
    method: str = ""
    flags: frozenset[PaymentFlag] = frozenset()
    refunded: Money = Factory(_nothing_refunded, takes_self=True)
    vendor_status: str = ""
    version: int = 1

    @property
    def refundable(self) -> Money:
        """What can still be sent back; zero unless the payment succeeded."""
        if self.status is not PaymentStatus.SUCCEEDED:
            return Money.read(0, self.amount.currency)
        return self.amount - self.refunded


@frozen(kw_only=True)
class Refund:
    """
    Money that goes back to the payer.

    Attributes:
        id: our row.
        payment_id: what it gives back.
        reference: the host's own name for it, e.g. the credit note; empty for the one refund of everything.
        amount: in the payment's currency.
        status: where it stands.
        requested_at: aware UTC.
        vendor_id: the provider's id; None until it answered.
        reason: the merchant's word for it.
        version: rises with every change.
    """

    id: str
    payment_id: str
    provider: str
    amount: Money
    status: RefundStatus
    requested_at: dt.datetime
    reference: str = ""
    tenant: str = ""
    vendor_id: str | None = None
    reason: str = ""
    vendor_status: str = ""
    version: int = 1


@frozen(kw_only=True)
class Dispute:
    """
    A payment that the payer contests.

    Attributes:
        id: our row; empty before it is stored.
        provider, vendor_id: who says so, and under which id.
        payment_vendor_id: the payment at the provider.
        amount: what is contested.
        status: where it stands.
        reason: the vendor's word.
        respond_by: until when evidence is taken; None when not told.
        at: when it was opened; aware UTC.
    """

    id: str
    provider: str
    vendor_id: str
    payment_vendor_id: str
    amount: Money
    status: DisputeStatus
    at: dt.datetime
    reason: str = ""
    respond_by: dt.datetime | None = None
    tenant: str = ""


@frozen(kw_only=True)
class Fee:
    """
    What the provider keeps of one payment.

    Attributes:
        provider, payment_vendor_id: of which payment.
        amount: in the currency of the settlement, which may differ from the order's.
        vat: the part of it that is VAT; None when the provider does not tell.
    """

    provider: str
    payment_vendor_id: str
    amount: Money
    vat: Money | None = None


@frozen(kw_only=True)
class Payout:
    """
    What the provider pays to the bank.

    Attributes:
        provider, vendor_id: who says so, and under which id.
        amount: what reaches the bank.
        at: when it was sent; aware UTC.
        arrives_on: the day it is promised for; None when not told.
        reference: what stands on the bank statement.
    """

    provider: str
    vendor_id: str
    amount: Money
    at: dt.datetime
    arrives_on: dt.date | None = None
    reference: str = ""
