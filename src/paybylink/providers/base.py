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
from typing import Protocol

from attrs import field, frozen

from paybylink.errors import NotFound
from paybylink.flow import Call, Written
from paybylink.kinds import LinkKind
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order

from .capabilities import (
    Capabilities,
    Capability,
    Feature,
    Support,
    emulated,
    native,
    need,
    unsupported,
)
from .notices import (
    Bell,
    DisputeNotice,
    ForeignNotice,
    LinkNotice,
    Notice,
    Payer,
    PaymentNotice,
    ProviderEvent,
    RefundNotice,
    UnknownNotice,
    VendorLink,
    VendorLinkStatus,
)
from .settlement import BalanceItem, BalanceKind, BalancePage

#: What an adapter needs, so that it imports from one place.
__all__ = [
    "BalanceItem",
    "BalanceKind",
    "BalancePage",
    "Bell",
    "Capabilities",
    "Capability",
    "DisputeNotice",
    "emulated",
    "Feature",
    "ForeignNotice",
    "LinkNotice",
    "LinkRequest",
    "MethodOffer",
    "native",
    "need",
    "Notice",
    "Payer",
    "PaymentNotice",
    "Provider",
    "provider_named",
    "ProviderEvent",
    "RefundNotice",
    "RefundRequest",
    "Support",
    "UnknownNotice",
    "unsupported",
    "VendorLink",
    "VendorLinkStatus",
]


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
        notify_url: where the provider shall tell news of this very link, for those that are told so by link; None
            where we have no address that it could reach.
    """

    link_id: str
    attempt_id: str
    order: Order
    kind: LinkKind
    expires_at: dt.datetime | None
    locale: str | None = None
    notify_url: str | None = field(default=None, repr=False)


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


@frozen(kw_only=True)
class MethodOffer:
    """
    A payment method that the payer would be offered.

    Attributes:
        method: our word for it, or the vendor's where we have none.
        vendor_method: the vendor's word.
        name: as shown to people.
        minimum, maximum: what it takes; None for no bound, or where none is told.
    """

    method: str
    vendor_method: str
    name: str = ""
    minimum: Money | None = None
    maximum: Money | None = None


class Provider(Protocol):
    """
    An account at a payment service provider.

    A new one is a folder with a few files; see ``docs/contributing``. Every verb that sends raises `ProviderError`
    (the answer was no), `OutcomeUnknown` (sent, no usable answer), `NotSent` (surely not sent) or
    `IntegrityBreach` (the answer is not what was asked for). A verb of a feature that is unsupported raises
    `UnsupportedCapability` before anything is sent.
    """

    @property
    def name(self) -> str:
        """Unique among the providers of one `PayByLink`, e.g. ``stripe-fr``."""
        ...

    @property
    def mode(self) -> Mode:
        """Test or live, as the key or the platform says."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; every `Feature` has its row."""
        ...

    # Links

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of this provider; every fault at once.
            UnsupportedCapability: the kind, or something in the order's checkout, cannot be had here.
        """
        ...

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """Carry `written` and return the link, after comparing the answer with `request`."""
        ...

    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        """
        When the provider itself ends the link that `write_link` asks for; None when it never does.

        Later than `request.expires_at` never; earlier where the provider's links do not live that long.
        """
        ...

    def find_link(
        self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime
    ) -> Call[VendorLink | None]:
        """
        The link that an earlier, unanswered request has made; None if it surely made none that can still be paid.

        Raises:
            OutcomeUnknown: the provider cannot tell.
        """
        ...

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now."""
        ...

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Close the link, so that it cannot be paid; closing a closed one is no error."""
        ...

    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Let the link take one more payment, after one that used it up has failed; doing it twice is no error."""
        ...

    def methods_for(self, order: Order) -> Call[Sequence[MethodOffer]]:
        """The payment methods that a payer of this order would be offered."""
        ...

    # Payments

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of a link that has begun or succeeded, oldest first."""
        ...

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        ...

    def capture(self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """
        Take `amount` of an authorised payment; what is left of it is given up.

        The payment is returned as the provider then describes it: still authorised where the outcome is told later.
        """
        ...

    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Give an authorised payment up; returned as by `capture`."""
        ...

    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[DisputeNotice]]:
        """Every dispute of a payment; none where the provider tells them by webhook only."""
        ...

    # Refunds

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """The exact request that sends money back. Pure: nothing is sent."""
        ...

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, after comparing the answer with `request`."""
        ...

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """
        The refund that an earlier, unanswered request has made; None if it surely made none.

        Raises:
            OutcomeUnknown: the provider cannot tell.
        """
        ...

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """
        Every refund of a payment, oldest first; also those made in the provider's dashboard.

        None where the provider tells them by webhook only.
        """
        ...

    # Settlements

    def settlements(self, *, since: dt.datetime, until: dt.datetime, after: str = "") -> Call[BalancePage]:
        """
        What moved the balance from `since` on and before `until`, a page at a time.

        Args:
            after: what the page before said.
        """
        ...

    # Webhooks

    @property
    def acknowledgement(self) -> bytes:
        """The body with which the provider wants a message answered; empty where any will do."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if `body` may be read: it was signed by the provider, lately, or is a mere bell.

        Raises:
            WebhookRejected: it may not.
        """
        ...

    def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
        """
        The events in a verified body.

        Args:
            query: of the address that was called, without its question mark.

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
