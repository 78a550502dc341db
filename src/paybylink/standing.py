"""
What money does to a link.

Rule 1: money wins. A payment that covers the amount moves a link in any state to `paid`; if the state said that no
        payment could come any more, the payment is kept and flagged `late`.
Rule 2: a payment is never dropped because it does not fit: what is too much is `excess`, what is the wrong amount
        or currency is `mismatch`, and a person decides.
Rule 3: a reusable link stays as it is and counts; one with a maximum is `paid` once the maximum is reached.
Rule 4: a refund never re-opens a link.
"""

from __future__ import annotations

from attrs import evolve, frozen

from .kinds import HostedInvoice, InvoiceBound, Reusable, SingleUse
from .links import CLOSED, PAYABLE, LinkStatus, PaymentLink, moved
from .money import Money
from .payments import Payment, PaymentFlag


@frozen
class Standing:
    """
    What a payment does to its link.

    Attributes:
        link: the link afterwards.
        flags: why the payment needs a person, if it does.
    """

    link: PaymentLink
    flags: frozenset[PaymentFlag]


def after_payment(link: PaymentLink, payment: Payment) -> Standing:
    """The link after `payment` succeeded, and the payment's flags (rules 1 to 3)."""
    asked, came = link.order.amount, payment.amount
    flags: set[PaymentFlag] = set()
    if link.status in CLOSED:
        flags.add(PaymentFlag.LATE)
    if came.currency != asked.currency:
        return Standing(link, frozenset(flags | {PaymentFlag.MISMATCH}))
    paid = evolve(link, paid_amount=link.paid_amount + came, payments=link.payments + 1)
    if isinstance(link.kind, Reusable):
        full = link.kind.max_payments is not None and paid.payments >= link.kind.max_payments
        if link.kind.max_payments is not None and paid.payments > link.kind.max_payments:
            flags.add(PaymentFlag.EXCESS)
        if not _fits(link.kind, came, asked):
            flags.add(PaymentFlag.MISMATCH)
        return Standing(evolve(paid, status=LinkStatus.PAID) if full else paid, frozenset(flags))
    if link.status is LinkStatus.PAID or paid.paid_amount > asked:
        flags.add(PaymentFlag.EXCESS)
    if isinstance(link.kind, SingleUse | HostedInvoice) and came != asked:
        flags.add(PaymentFlag.MISMATCH)
    if paid.paid_amount >= asked:
        status = moved(link.status, LinkStatus.PAID)
    elif isinstance(link.kind, InvoiceBound) and link.status not in {*CLOSED, LinkStatus.PAID}:
        # A part that comes late opens nothing again: it is flagged, and a person decides.
        status = moved(link.status, LinkStatus.PART_PAID)
    else:
        status = link.status
    return Standing(evolve(paid, status=status), frozenset(flags))


def _fits(kind: Reusable, came: Money, asked: Money) -> bool:
    """Whether a payment is what a reusable link asks for: the amount, or at least the minimum."""
    if kind.payer_chooses:
        return kind.minimum is None or came >= kind.minimum
    return came == asked


def after_attempt(link: PaymentLink, *, failed: bool) -> PaymentLink:
    """The link after a delayed method has begun (`processing`) or has failed (back to where it can be paid)."""
    if isinstance(link.kind, Reusable):
        return link
    if not failed and link.status in PAYABLE:
        return evolve(link, status=LinkStatus.PROCESSING)
    if failed and link.status is LinkStatus.PROCESSING:
        partly = isinstance(link.kind, InvoiceBound) and link.paid_amount.minor
        back = LinkStatus.PART_PAID if partly else LinkStatus.OPEN
        return evolve(link, status=moved(link.status, back))
    return link
