"""
One attempt to make a link at its provider: what is asked, the exact bytes, and whether it exists.

What an attempt asks for is stored beside its bytes, so that the answer is compared with what was asked then, and not
with how the link stands now.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import (
    Conflict,
    IntegrityBreach,
    InvalidInput,
    OutcomeUnknown,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.flow import Call, Flow, Written, write
from paybylink.kinds import InvoiceBound, Reusable
from paybylink.links import PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest, Provider, VendorLink
from paybylink.store import StoredLink

from .merchant import Merchant
from .wish import ROUNDING


def provider_of(merchant: Merchant, link: PaymentLink, name: str) -> Provider:
    """
    The provider by which `link` is made.

    Raises:
        InvalidInput: its key is of the other mode by now; what was asked for in test never asks for real money.
    """
    provider = merchant.provider(name)
    if provider.mode is not link.mode:
        raise InvalidInput.single(
            "link", f"is a {link.mode} link, and the key of {name} is {provider.mode}", "make one of its own"
        )
    return provider


def link_request(merchant: Merchant, link: PaymentLink, attempt: ProviderLink) -> LinkRequest:
    """
    What the provider was asked for, from what is stored beside the request.

    Not from how the link stands now: a part that was paid meanwhile does not change what was asked.
    """
    order, kind = link.order, link.kind
    if attempt.asks is not None and attempt.asks != order.amount:
        order = _order_over(order, attempt.asks)
    if isinstance(kind, Reusable) and attempt.max_payments is not None:
        kind = evolve(kind, max_payments=attempt.max_payments)
    customer = order.customer
    return LinkRequest(
        link_id=link.id,
        attempt_id=attempt.id,
        order=order,
        kind=kind,
        expires_at=attempt.ends_at,
        locale=order.checkout.language or (customer.language if customer else None),
        notify_url=merchant.notify_url(attempt.provider, link.id, attempt.id),
    )


def _asked(link: PaymentLink, provider: str, *, row: str, now: dt.datetime) -> ProviderLink:
    """What is to be asked for now: the rest of an invoice or of a number of payments, where a part has come."""
    kind = link.kind
    most = kind.max_payments if isinstance(kind, Reusable) else None
    return ProviderLink(
        id=row,
        provider=provider,
        status=ProviderLinkStatus.ASKED,
        asked_at=now,
        asks=link.open_amount if isinstance(kind, InvoiceBound) else None,
        max_payments=None if most is None else max(most - link.payments, 1),
        ends_at=link.expires_at,
    )


def _order_over(order: Order, amount: Money) -> Order:
    """The order for a part of what it is over, without its lines, which add up to the whole."""
    return Order(
        reference=order.reference,
        amount=amount,
        description=order.description,
        customer=order.customer,
        part=order.part,
        tenant=order.tenant,
        return_url=order.return_url,
        metadata=order.metadata,
        tags=order.tags,
        checkout=order.checkout,
    )


def write_attempt(
    merchant: Merchant, provider: Provider, link: PaymentLink, *, now: dt.datetime
) -> tuple[ProviderLink, Written]:
    """The exact request, and the row that says what it asks for."""
    attempt = _asked(link, provider.name, row=merchant.identifiers.row(now), now=now)
    request = link_request(merchant, link, attempt)
    ends = provider.ends_at(request, now=now)
    assert link.expires_at is not None
    if ends is not None and ends < link.expires_at - ROUNDING:
        if not merchant.store.public_url:
            raise UnsupportedCapability(
                provider.name,
                f"a link until {link.expires_at:%Y-%m-%d}",
                f"its own end on {ends:%Y-%m-%d} at the latest; set public_url, behind which run_due puts a new "
                "one in time, or let it expire earlier",
            )
        attempt = evolve(attempt, ends_at=ends)
        request = evolve(request, expires_at=ends)
    return attempt, provider.write_link(request, key=merchant.identifiers.key(), now=now)


def make(
    merchant: Merchant, provider: Provider, stored: StoredLink, attempt: ProviderLink, *, now: dt.datetime
) -> Flow[VendorLink | None]:
    """The link at the provider; None if it surely does not exist and the row now says so."""
    link, written = stored.link, stored.written[attempt.id]
    request = link_request(merchant, link, attempt)
    try:
        made = yield from _named(provider, attempt)
        if made is None:
            made = yield from _make_or_find(provider, request, written, attempt, now=now)
    except ProviderError as error:
        if error.certain:
            yield from _refused(merchant, link, attempt)
        raise
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), who=error.who, subject=link) from error
    if made is None:
        yield from _refused(merchant, link, attempt)
    return made


def _named(provider: Provider, attempt: ProviderLink) -> Call[VendorLink | None]:
    """
    The link whose id a payment has told before the answer to our request came; None if that is not ours.

    The id may stand in a field that nobody signed, so it is a hint, and that it leads nowhere says nothing of ours.
    """
    if attempt.vendor_id is None:
        return None
    try:
        told = yield from provider.fetch_link(attempt.vendor_id)
    except (IntegrityBreach, ProviderError) as error:
        if isinstance(error, ProviderError) and not error.certain:
            raise
        return None
    return told if told.attempt_id == attempt.id else None


def _make_or_find(
    provider: Provider, request: LinkRequest, written: Written, attempt: ProviderLink, *, now: dt.datetime
) -> Call[VendorLink | None]:
    if now < written.key_until:
        try:
            return (yield from provider.create_link(request, written=written))
        except ProviderError as error:
            # The key is known with other bytes, so something was made under it: that is no "no".
            if error.standard_code != "idempotency_conflict":
                raise
    try:
        return (yield from provider.find_link(request, since=attempt.asked_at, now=now))
    except ProviderError as error:
        # That we may not look is no word about what is there.
        raise OutcomeUnknown(f"whether the link exists is still unknown; {error}", who=error.who) from error


def _refused(merchant: Merchant, link: PaymentLink, attempt: ProviderLink) -> Flow[None]:
    refused = evolve(attempt, status=ProviderLinkStatus.REFUSED)
    try:
        _ = yield from write(
            merchant.store.update_provider_link(link.id, refused, was=ProviderLinkStatus.ASKED)
        )
    except Conflict:
        # Another worker has already written what became of it, and the next read will say so.
        return
