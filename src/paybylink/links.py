"""
Payment links and their states.

The states of a link and every legal move stand in `LINK_MOVES` and nowhere else.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from .errors import IllegalMove
from .kinds import HostedInvoice, InvoiceBound, LinkKind, Reusable
from .money import Money
from .orders import Order, order_fingerprint

if TYPE_CHECKING:
    pass


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
            # The money never came, and the provider's link has to be opened again first.
            LinkStatus.PENDING,
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


class ProviderLinkStatus(StrEnum):
    """What we know of one link at a provider."""

    ASKED = "asked"  #: the request was written and may have been sent
    OPEN = "open"  #: it exists and can be paid
    CLOSING = "closing"  #: it was asked to close, and the answer is not known
    ENDING = "ending"  #: it ends before ours does and was asked to close, and another one will take its place
    REOPENING = "reopening"  #: it was used up by money that never came, and is to be opened again
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
        asks: what a payer is asked for there, the rest of an invoice after a part; None for the order's amount.
        max_payments: how many payments it takes; None where the kind says it.
        ends_at: when it ends, by the provider's hand or by ours; None where that is not known.
    """

    id: str
    provider: str
    status: ProviderLinkStatus
    asked_at: dt.datetime
    vendor_id: str | None = None
    url: str | None = field(default=None, repr=False)
    asks: Money | None = None
    max_payments: int | None = None
    ends_at: dt.datetime | None = None


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


def link_content(
    order: Order, kind: LinkKind, *, expires_in: dt.timedelta | None, expires_at: dt.datetime | None
) -> dict[str, str]:
    """The content of a link by field, for comparison with what an earlier call asked for."""
    content = order_fingerprint(order)
    content["kind"] = kind.name
    if isinstance(kind, Reusable):
        content["kind.max_payments"] = str(kind.max_payments or "")
        if kind.payer_chooses:
            content["kind.payer_chooses"] = f"from {kind.minimum or 'any'}"
    elif isinstance(kind, HostedInvoice):
        content["kind.due_in_days"] = str(kind.due_in_days)
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
