"""
The journeys without a store: create, fetch, cancel.

Nothing is remembered, so the idempotency key is computed from the reference instead of drawn. A retry of a script
therefore finds the link that the first run made, for as long as the provider keeps the key (24 hours at Stripe, a
week at Adyen, an hour at Mollie) and not longer; and a link that was cancelled meanwhile is shown as the first run
saw it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from attrs import evolve

from paybylink.checks import is_future
from paybylink.errors import (
    AlreadyPaid,
    IntegrityBreach,
    InvalidInput,
    OutcomeUnknown,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.flow import Call, Written
from paybylink.kinds import Reusable
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.payments import Payment, PaymentStatus
from paybylink.providers.base import (
    Feature,
    LinkRequest,
    PaymentNotice,
    Provider,
    Support,
    VendorLink,
    VendorLinkStatus,
)
from paybylink.standing import after_attempt, after_payment

from .wish import ROUNDING, LinkWish

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def issue_stateless(
    provider: Provider, asked: LinkWish, *, explicit_expiry: bool, now: dt.datetime
) -> Call[PaymentLink]:
    """
    The link of the order.

    Raises:
        UnsupportedCapability: an expiry was asked for that somebody would have to remember.
        InvalidInput: the reference was used with other content while the provider still keeps its key.
    """
    _ = is_future(asked.expires_at, now=now, path="expires_at")
    order, kind = asked.order, asked.kind
    if isinstance(kind, Reusable) and kind.max_payments is not None:
        can = provider.capabilities[Feature.MAX_PAYMENTS]
        if can.support is not Support.NATIVE:
            raise _forgotten(
                provider, "a maximum of payments", "somebody has to count them and close the link"
            )
    steady, ends = _steady(asked, now=now)
    digest = hashlib.sha256(
        "\x1f".join((provider.mode, provider.name, order.tenant, order.reference, order.part)).encode()
    ).hexdigest()
    request = LinkRequest(
        link_id=digest[:26],
        attempt_id=digest[26:52],
        order=order,
        kind=kind,
        expires_at=ends,
        locale=order.checkout.language or (order.customer.language if order.customer else None),
    )
    told = provider.ends_at(request, now=steady)
    if told is None:
        if explicit_expiry:
            raise _forgotten(provider, "an expiry", "somebody has to close the link in time")
        request = evolve(request, expires_at=None)
    elif told < ends - ROUNDING:
        raise _forgotten(
            provider,
            f"a link until {ends:%Y-%m-%d}",
            f"its own end on {told:%Y-%m-%d} at the latest and somebody has to put a new one in its place",
        )
    pending = PaymentLink(
        id=request.link_id,
        token="",
        order=order,
        kind=asked.kind,
        status=LinkStatus.PENDING,
        mode=provider.mode,
        provider=provider.name,
        created_at=now,
        expires_at=request.expires_at,
        expires_in=asked.expires_in,
    )
    written = provider.write_link(request, key=digest[:32], now=steady)
    # The key is as old as the first call, whenever that was; the provider knows.
    written = evolve(written, key_until=now + (written.key_until - steady))
    try:
        made = yield from _made(provider, request, written, now=now)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), who=error.who, subject=pending) from error
    behind = ProviderLink(
        id=request.attempt_id,
        provider=provider.name,
        status=ProviderLinkStatus.OPEN,
        asked_at=now,
        vendor_id=made.vendor_id,
        url=made.url,
    )
    status = LinkStatus.OPEN if made.status is VendorLinkStatus.OPEN else LinkStatus.CANCELLED
    return evolve(pending, status=status, url=made.url, provider_links=(behind,))


def _made(
    provider: Provider, request: LinkRequest, written: Written, *, now: dt.datetime
) -> Call[VendorLink]:
    try:
        return (yield from provider.create_link(request, written=written))
    except ProviderError as error:
        # Mollie says of a key that was used with other content no more than that the request is wrong.
        if error.standard_code not in ("idempotency_conflict", "invalid_request"):
            raise
        conflict = error
    # The same reference with other bytes: those of the day before, or of another order. The provider may tell.
    try:
        found = yield from provider.find_link(request, since=now - dt.timedelta(days=2), now=now)
    except (IntegrityBreach, OutcomeUnknown, ProviderError):
        found = None
    if found is not None:
        return found
    if conflict.standard_code != "idempotency_conflict":
        raise conflict
    raise InvalidInput.single(
        "order.reference",
        "was used with other content, and without a store the two cannot be told apart",
        "use another reference or part, or give a store",
    ) from conflict


def _steady(asked: LinkWish, *, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """
    A moment of asking and an end that are the same for every retry of the day, so that it writes the same bytes; of
    the hour, where the link is to live for two days at the most.
    """
    short = asked.expires_at - now <= dt.timedelta(days=2)
    grain = dt.timedelta(hours=1) if short else dt.timedelta(days=1)
    steady = now - (now - _EPOCH) % grain
    if asked.given_end:
        return steady, asked.expires_at
    return steady, asked.expires_at + (_EPOCH - asked.expires_at) % grain


def _forgotten(provider: Provider, what: str, why: str) -> UnsupportedCapability:
    return UnsupportedCapability(f"{provider.name} with store=None", what, f"{why}; give a store")


def fetch_stateless(provider: Provider, link: PaymentLink) -> Call[PaymentLink]:
    """The link as its provider and its payments describe it now."""
    vendor_id = _vendor_id(link)
    found = yield from provider.fetch_link(vendor_id)
    payments: Sequence[PaymentNotice] = ()
    shows = provider.capabilities[Feature.PAYMENTS_OF_LINK].support is not Support.UNSUPPORTED
    if shows:
        payments = yield from provider.payments_of(vendor_id)
    fresh = evolve(link, status=LinkStatus.OPEN, paid_amount=link.paid_amount * 0, payments=0)
    for told in payments:
        if told.status is PaymentStatus.SUCCEEDED:
            payment = Payment(
                id=told.vendor_id,
                provider=provider.name,
                vendor_id=told.vendor_id,
                amount=told.amount,
                status=told.status,
                mode=told.mode,
                at=told.at,
            )
            fresh = after_payment(fresh, payment).link
        elif told.status is PaymentStatus.PROCESSING:
            fresh = after_attempt(fresh, failed=False)
    if not shows and found.completed and not isinstance(link.kind, Reusable):
        # Its provider says that it was paid, and does not show the payment.
        fresh = evolve(fresh, status=LinkStatus.PAID, paid_amount=link.order.amount, payments=found.completed)
    if fresh.status is LinkStatus.OPEN and found.status is VendorLinkStatus.CLOSED:
        fresh = evolve(fresh, status=LinkStatus.CANCELLED)
    return fresh


def cancel_stateless(provider: Provider, link: PaymentLink, *, now: dt.datetime) -> Call[PaymentLink]:
    """
    The link after its provider has closed it.

    Raises:
        AlreadyPaid: money has come; refund it instead.
    """
    vendor_id = _vendor_id(link)
    key = hashlib.sha256(f"close\x1f{vendor_id}".encode()).hexdigest()[:32]
    _ = yield from provider.close_link(vendor_id, key=key, now=now)
    closed = yield from fetch_stateless(provider, link)
    if closed.status is LinkStatus.PAID:
        raise AlreadyPaid(closed)
    return closed


def _vendor_id(link: PaymentLink) -> str:
    current = link.current
    if current is None or current.vendor_id is None:
        raise InvalidInput.single(
            "link", "has nothing behind it yet", "call create_link with the same order again"
        )
    return current.vendor_id
