"""
Payment links: their kinds, their states, and what money does to them.

The states of a link and every legal move stand in `LINK_MOVES` and nowhere else.

Rule 1: money wins. A payment that covers the amount moves a link in any state to `paid`; if the state said that no
        payment could come any more, the payment is kept and flagged `late`.
Rule 2: a payment is never dropped because it does not fit: what is too much is `excess`, what is the wrong amount
        or currency is `mismatch`, and a person decides.
Rule 3: a reusable link stays as it is and counts; one with a maximum is `paid` once the maximum is reached.
Rule 4: a refund never re-opens a link.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from attrs import Factory, evolve, field, frozen

from .errors import Faults, IllegalMove, InvalidInput
from .money import Money
from .orders import Order, VatGroup, as_member, check_member, check_text, order_fingerprint

if TYPE_CHECKING:
    from .payments import Payment


class Mode(StrEnum):
    """Whether real money moves."""

    TEST = "test"  #: nothing is charged; messages say TEST
    LIVE = "live"  #: real money


class LinkStatus(StrEnum):
    """Where a link stands."""

    PENDING = "pending"  #: asked for; the provider's answer is not known yet
    OPEN = "open"  #: can be paid
    PROCESSING = "processing"  #: the payer is done, the money is not certain yet
    PART_PAID = "part_paid"  #: an invoice of which a part was paid
    PAID = "paid"  #: nothing is left to pay
    EXPIRED = "expired"  #: its time has passed; `renew` opens it again
    CANCELLED = "cancelled"  #: the merchant closed it
    REPLACED = "replaced"  #: another link took its place


#: Every legal move of a link. `paid` is reached from everywhere (rule 1) and left never.
LINK_MOVES: dict[LinkStatus, frozenset[LinkStatus]] = {
    LinkStatus.PENDING: frozenset(
        {
            LinkStatus.OPEN,
            LinkStatus.PART_PAID,
            LinkStatus.PROCESSING,
            LinkStatus.PAID,
            LinkStatus.EXPIRED,
            LinkStatus.CANCELLED,
            LinkStatus.REPLACED,
        }
    ),
    LinkStatus.OPEN: frozenset(
        {
            LinkStatus.PROCESSING,
            LinkStatus.PART_PAID,
            LinkStatus.PAID,
            LinkStatus.EXPIRED,
            LinkStatus.CANCELLED,
            LinkStatus.REPLACED,
            LinkStatus.PENDING,
        }
    ),
    LinkStatus.PROCESSING: frozenset(
        {
            LinkStatus.OPEN,
            LinkStatus.PART_PAID,
            LinkStatus.PAID,
            LinkStatus.EXPIRED,
            LinkStatus.CANCELLED,
            LinkStatus.REPLACED,
        }
    ),
    LinkStatus.PART_PAID: frozenset(
        {
            LinkStatus.PROCESSING,
            LinkStatus.PAID,
            LinkStatus.EXPIRED,
            LinkStatus.CANCELLED,
            LinkStatus.REPLACED,
            LinkStatus.PENDING,
        }
    ),
    LinkStatus.PAID: frozenset(),
    LinkStatus.EXPIRED: frozenset(
        {
            LinkStatus.PENDING,
            LinkStatus.OPEN,
            LinkStatus.PAID,
            LinkStatus.CANCELLED,
            LinkStatus.REPLACED,
        }
    ),
    LinkStatus.CANCELLED: frozenset({LinkStatus.PAID, LinkStatus.REPLACED}),
    LinkStatus.REPLACED: frozenset({LinkStatus.PAID}),
}

#: States in which a customer can go and pay.
PAYABLE = frozenset({LinkStatus.OPEN, LinkStatus.PART_PAID})
#: States in which a link has ended without money.
CLOSED = frozenset({LinkStatus.EXPIRED, LinkStatus.CANCELLED, LinkStatus.REPLACED})


def moved(before: LinkStatus, after: LinkStatus) -> LinkStatus:
    """
    `after`, if a link may go there from `before`; staying is always allowed.

    Raises:
        IllegalMove: the table has no such move.
    """
    if before is not after and after not in LINK_MOVES[before]:
        raise IllegalMove("link", before, after)
    return after


class InvoiceType(StrEnum):
    """What kind of document asks for the money."""

    INVOICE = "invoice"  #: an ordinary invoice
    DEPOSIT = "deposit"  #: an invoice for a part in advance
    QUOTE = "quote"  #: an offer, paid to accept it


def _invoice_type(given: InvoiceType | str) -> InvoiceType:
    return as_member(InvoiceType, given)


@frozen(kw_only=True)
class Invoice:
    """
    An invoice or quote that invoicing software made.

    Attributes:
        number: as printed on it.
        open_amount: what is left to pay.
        type: what it is.
        issued_on: its date; None when not known.
        due_on: when it is due; the link then lives until 30 days later, unless told otherwise.
        vat_groups: its VAT by rate, as printed.
    """

    number: str
    open_amount: Money
    type: InvoiceType = field(default=InvoiceType.INVOICE, converter=_invoice_type)
    issued_on: dt.date | None = None
    due_on: dt.date | None = None
    vat_groups: tuple[VatGroup, ...] = ()

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "number", self.number, limit=80, required=True)
        check_member(faults, "type", self.type, InvoiceType)
        if not isinstance(self.open_amount, Money):
            fault = f"is {type(self.open_amount).__name__}"
            faults.add("open_amount", fault, 'write Money.of("49.90", "EUR")')
        elif self.open_amount.minor <= 0:
            faults.add("open_amount", f"is {self.open_amount}", "nothing is left to pay; make no link")
        if self.issued_on and self.due_on and self.due_on < self.issued_on:
            faults.add("due_on", "lies before issued_on", "correct one of the dates")
        faults.raise_any()


@frozen
class SingleUse:
    """A link for one person and one successful payment."""

    name: str = field(default="single_use", init=False)


@frozen(kw_only=True)
class Reusable:
    """
    A link that many may pay and that is tied to nobody.

    Attributes:
        max_payments: how many payments it takes; None for any number.
    """

    max_payments: int | None = None
    name: str = field(default="reusable", init=False)

    def __attrs_post_init__(self) -> None:
        if self.max_payments is not None and (type(self.max_payments) is not int or self.max_payments < 1):
            fault = "is not a whole number above zero"
            raise InvalidInput.single("kind.max_payments", fault, "leave it out for any number")


@frozen
class InvoiceBound:
    """
    A link tied to an invoice or quote, which may be paid in parts.

    Attributes:
        invoice: the document.
    """

    invoice: Invoice
    name: str = field(default="invoice", init=False)


LinkKind: TypeAlias = SingleUse | Reusable | InvoiceBound


def as_kind(given: LinkKind | str, order: Order) -> LinkKind:
    """
    The kind that a short name means; ``invoice`` takes the order's reference as the invoice's number.

    Raises:
        InvalidInput: no such kind, or the invoice asks for something else than the order.
    """
    if given == "single_use":
        return SingleUse()
    if given == "reusable":
        return Reusable()
    if given == "invoice":
        return InvoiceBound(
            Invoice(number=order.reference, open_amount=order.amount, vat_groups=order.vat_groups)
        )
    if not isinstance(given, SingleUse | Reusable | InvoiceBound):
        told = repr(given[:20]) if isinstance(given, str) else type(given).__name__
        raise InvalidInput.single(
            "kind", f"{told} is no kind of link", 'use "single_use", "reusable" or "invoice"'
        )
    if isinstance(given, InvoiceBound) and given.invoice.open_amount != order.amount:
        raise InvalidInput.single(
            "kind.invoice.open_amount",
            f"is {given.invoice.open_amount}, the order asks for {order.amount}",
            "make them equal",
        )
    return given


class ProviderLinkStatus(StrEnum):
    """What we know of one link at a provider."""

    ASKED = "asked"  #: the request was written and may have been sent
    OPEN = "open"  #: it exists and can be paid
    CLOSING = "closing"  #: it was asked to close, and the answer is not known
    CLOSED = "closed"  #: it can no longer be paid
    REFUSED = "refused"  #: the provider said no; it never existed


@frozen(kw_only=True)
class ProviderLink:
    """
    One link at a provider, behind ours.

    Attributes:
        id: our row.
        provider: the provider's name.
        status: what is known of it.
        vendor_id: the provider's id; None until it answered.
        url: the provider's address; a secret of sorts, since its holder can pay.
        asked_at: when the request was written.
    """

    id: str
    provider: str
    status: ProviderLinkStatus
    asked_at: dt.datetime
    vendor_id: str | None = None
    url: str | None = field(default=None, repr=False)


def _nothing_paid(link: PaymentLink) -> Money:
    return Money.read(0, link.order.amount.currency)


@frozen(kw_only=True)
class PaymentLink:
    """
    Our link.

    Attributes:
        id: our row; sorts by time of creation.
        token: the last part of the public URL; nobody may guess it.
        order, kind: what is asked for, and how.
        status: where it stands.
        mode: test or live.
        provider: the name of the provider chosen for it.
        created_at: aware UTC.
        expires_at: aware UTC; None only for a link made without a store at a provider that has no expiry.
        expires_in: the span as it was asked for, if it was a span; part of the content.
        url: what a customer opens: our public URL if one is set, else the provider's; empty while `pending`
            without a public URL.
        provider_links: what stands behind it, newest last.
        paid_amount: the sum of the payments that count for it.
        payments: how many payments succeeded.
        version: rises with every change; guards writes.
        generation: 1 for the first link of a reference, 2 for the one that replaced it, …
        renewals: how often it was renewed.
    """

    id: str
    token: str = field(repr=False)
    order: Order
    kind: LinkKind
    status: LinkStatus
    mode: Mode
    provider: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    expires_in: dt.timedelta | None = None
    url: str = field(default="", repr=False)
    provider_links: tuple[ProviderLink, ...] = ()
    paid_amount: Money = Factory(_nothing_paid, takes_self=True)
    payments: int = 0
    version: int = 1
    generation: int = 1
    renewals: int = 0

    @property
    def payable(self) -> bool:
        """Whether a customer can pay it now, as far as we know; sends and reminders ask this."""
        return self.status in PAYABLE and bool(self.url)

    @property
    def open_amount(self) -> Money:
        """What is left to pay, never below zero; the whole amount for each payer of a reusable link."""
        if isinstance(self.kind, Reusable):
            return self.order.amount
        left = self.order.amount.minor - self.paid_amount.minor
        return Money.read(max(left, 0), self.order.amount.currency)

    @property
    def current(self) -> ProviderLink | None:
        """The newest link at a provider that exists or may exist, and is not closed for certain."""
        for behind in reversed(self.provider_links):
            if behind.status not in (ProviderLinkStatus.REFUSED, ProviderLinkStatus.CLOSED):
                return behind
        return None


@frozen(kw_only=True)
class PendingLink:
    """
    A link that a lent connection has reserved: it comes into being after the host's commit.

    Attributes:
        id, token, order, kind, expires_at: as on `PaymentLink`.
        url: the public URL, already valid; empty where no public URL is set.
    """

    id: str
    token: str = field(repr=False)
    order: Order
    kind: LinkKind
    expires_at: dt.datetime
    url: str = field(default="", repr=False)
    status: LinkStatus = field(default=LinkStatus.PENDING, init=False)


class PaymentFlag(StrEnum):
    """Why a payment needs a person's eye."""

    LATE = "late"  #: it came after the link had expired or was cancelled or replaced
    EXCESS = "excess"  #: it is more than was asked for, or a second one
    MISMATCH = "mismatch"  #: its amount or currency is not what was asked for


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
        if came != asked:
            flags.add(PaymentFlag.MISMATCH)
        return Standing(evolve(paid, status=LinkStatus.PAID) if full else paid, frozenset(flags))
    if link.status is LinkStatus.PAID or paid.paid_amount > asked:
        flags.add(PaymentFlag.EXCESS)
    if isinstance(link.kind, SingleUse) and came != asked:
        flags.add(PaymentFlag.MISMATCH)
    if paid.paid_amount >= asked:
        status = moved(link.status, LinkStatus.PAID)
    elif isinstance(link.kind, InvoiceBound) and link.status not in {*CLOSED, LinkStatus.PAID}:
        # A part that comes late opens nothing again: it is flagged, and a person decides.
        status = moved(link.status, LinkStatus.PART_PAID)
    else:
        status = link.status
    return Standing(evolve(paid, status=status), frozenset(flags))


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


def link_content(
    order: Order, kind: LinkKind, *, expires_in: dt.timedelta | None, expires_at: dt.datetime | None
) -> dict[str, str]:
    """The content of a link by field, for comparison with what an earlier call asked for."""
    content = order_fingerprint(order)
    content["kind"] = kind.name
    if isinstance(kind, Reusable):
        content["kind.max_payments"] = str(kind.max_payments or "")
    elif isinstance(kind, InvoiceBound):
        content["kind.invoice"] = f"{kind.invoice.type} {kind.invoice.number} {kind.invoice.due_on or ''}"
    content["expires"] = (
        f"in {int(expires_in.total_seconds())} s"
        if expires_in is not None
        else f"at {expires_at.isoformat()}"
        if expires_at
        else ""
    )
    return content
