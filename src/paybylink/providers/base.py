"""
What every payment service provider can be asked, in our words.

A provider is an account at a payment service provider, with a unique name. Its verbs are calls: generators that
yield HTTP requests and nothing else. What it cannot do it says in its `Capabilities`, and is never asked for.

Creating a link or a refund happens in two steps, because an answer may be lost. `write_link` is pure: it
returns the exact request as a `Written`, which the workflow stores with the reserved row. `create_link` carries
that very request and reads the answer; after a lost answer it carries the same bytes under the same key again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from attrs import field, frozen

from paybylink.errors import NotFound
from paybylink.flow import Call, Written
from paybylink.kinds import LinkKind
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus


class Support(StrEnum):
    """How far a provider supports a feature."""

    NATIVE = "native"  #: the provider does it itself
    EMULATED = "emulated"  #: we do it, with the same meaning
    UNSUPPORTED = "unsupported"  #: it cannot be had; asking raises `UnsupportedCapability`


class Feature(StrEnum):
    """What a provider may or may not be able to do."""

    SINGLE_USE = "single_use"  #: a link that takes one payment
    REUSABLE = "reusable"  #: a link that takes many
    MAX_PAYMENTS = "max_payments"  #: a reusable link that takes at most so many
    INVOICE_BOUND = "invoice_bound"  #: a link that carries an invoice's number
    EXPIRY = "expiry"  #: a link that ends by itself
    CANCEL = "cancel"  #: closing a link
    REOPEN = "reopen"  #: opening a closed link again
    LINE_ITEMS = "line_items"  #: showing what is sold, line by line
    FIND_LINK = "find_link"  #: asking whether a link was made, after an answer was lost
    PAYMENTS_OF_LINK = "payments_of_link"  #: asking for the payments of a link
    REFUND = "refund"  #: sending money back
    PARTIAL_REFUND = "partial_refund"  #: sending a part of it back
    WEBHOOKS = "webhooks"  #: being told, signed


@frozen
class Capability:
    """
    How one feature is supported.

    Attributes:
        support: native, emulated or not at all.
        how: how it is emulated, or why it cannot be had; empty when native.
    """

    support: Support
    how: str = ""


Capabilities: TypeAlias = Mapping[Feature, Capability]


@frozen(kw_only=True)
class LinkRequest:
    """
    What a provider is asked to make.

    Attributes:
        link_id: our link; travels as metadata and comes back in webhooks.
        attempt_id: our row for this very link at the provider; tells renewals apart.
        order, kind: what is asked for, and how.
        expires_at: when it must end; None only without a store.
        locale: the language of the hosted page; None lets the provider choose.
    """

    link_id: str
    attempt_id: str
    order: Order
    kind: LinkKind
    expires_at: dt.datetime | None
    locale: str | None = None


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
class PaymentNotice:
    """
    One payment, as its provider tells it: by webhook or when asked.

    Attributes:
        vendor_id: the payment; stable over all news of it.
        link_vendor_id: the provider's link; empty when it does not tell.
        link_id: ours, from metadata; empty when it carries none.
        amount, status, vendor_status, method, at, mode: as on `Payment`.
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


@frozen(kw_only=True)
class RefundNotice:
    """
    One refund, as its provider tells it.

    Attributes:
        vendor_id: the refund.
        payment_vendor_id: what it gives back.
        refund_id: ours, from metadata; empty for one made elsewhere, e.g. in the provider's dashboard.
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


@frozen(kw_only=True)
class DisputeNotice:
    """One dispute, as its provider tells it."""

    vendor_id: str
    payment_vendor_id: str
    amount: Money
    status: DisputeStatus
    at: dt.datetime
    mode: Mode
    reason: str = ""
    respond_by: dt.datetime | None = None


@frozen(kw_only=True)
class LinkNotice:
    """A link was changed at the provider, perhaps by hand in its dashboard."""

    vendor_id: str
    status: VendorLinkStatus
    mode: Mode
    link_id: str = ""


@frozen(kw_only=True)
class ForeignNotice:
    """Something about the account that no link of ours has made: answered, counted, not kept."""

    reason: str = ""


@frozen(kw_only=True)
class UnknownNotice:
    """A kind of event that this version does not know; kept and replayable."""

    reason: str = ""


Notice: TypeAlias = PaymentNotice | RefundNotice | DisputeNotice | LinkNotice | ForeignNotice | UnknownNotice


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
    """

    event_id: str
    kind: str
    at: dt.datetime
    mode: Mode
    notice: Notice


@frozen(kw_only=True)
class RefundRequest:
    """
    What a provider is asked to send back.

    Attributes:
        refund_id: our row; travels as metadata and comes back in webhooks.
        payment_vendor_id: the payment at the provider.
        amount: in the payment's currency.
        reason: the merchant's word; kept as metadata where the vendor takes only its own words.
    """

    refund_id: str
    payment_vendor_id: str
    amount: Money
    reason: str = ""


class Provider(Protocol):
    """
    An account at a payment service provider.

    A new one is a folder with four files; see ``docs/contributing``. Every verb that sends raises `ProviderError`
    (the answer was no), `OutcomeUnknown` (sent, no usable answer), `NotSent` (surely not sent) or
    `IntegrityBreach` (the answer is not what was asked for).
    """

    @property
    def name(self) -> str:
        """Unique among the providers of one `PayByLink`, e.g. ``stripe-fr``."""
        ...

    @property
    def mode(self) -> Mode:
        """Test or live, as the key says."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of this provider.
            UnsupportedCapability: the kind cannot be had here.
        """
        ...

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """Carry `written` and return the link, after comparing the answer with `request`."""
        ...

    def find_link(self, request: LinkRequest, *, since: dt.datetime) -> Call[VendorLink | None]:
        """The link that an earlier, unanswered request has made; None if it surely made none."""
        ...

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now."""
        ...

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Close the link, so that it cannot be paid; closing a closed one is no error."""
        ...

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of a link that has begun or succeeded, oldest first."""
        ...

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        ...

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """The exact request that sends money back. Pure: nothing is sent."""
        ...

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, after comparing the answer with `request`."""
        ...

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """The refund that an earlier, unanswered request has made; None if it surely made none."""
        ...

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """Every refund of a payment, oldest first; also those made in the provider's dashboard."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if `body` was signed by the provider, lately.

        Raises:
            WebhookRejected: it was not.
        """
        ...

    def read(self, body: bytes) -> Sequence[ProviderEvent]:
        """
        The events in a verified body.

        Raises:
            WebhookRejected: it cannot be read.
        """
        ...


def provider_named(providers: Sequence[Provider], name: str | None) -> Provider:
    """
    The provider called `name`, or the first of them.

    Raises:
        NotFound: there is none.
    """
    for provider in providers:
        if name is None or provider.name == name:
            return provider
    known = ", ".join(provider.name for provider in providers) or "none is configured"
    # The name is not repeated: what was written there by mistake may be a key or an address.
    raise NotFound(f"no provider has that name; known: {known}" if name else "no provider is configured")
