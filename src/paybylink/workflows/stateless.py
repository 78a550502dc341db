"""
The journeys without a store: create, fetch, cancel.

Nothing is remembered, so the idempotency key is computed from the reference instead of drawn. A retry of a script
therefore finds the link that the first run made, for as long as the provider keeps the key (24 hours at Stripe)
and not longer; and a link that was cancelled meanwhile is shown as the first run saw it.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from attrs import evolve

from paybylink.checks import is_future
from paybylink.errors import AlreadyPaid, InvalidInput, OutcomeUnknown, ProviderError, UnsupportedCapability
from paybylink.flow import Call
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.payments import Payment, PaymentStatus
from paybylink.providers.base import Feature, LinkRequest, Provider, Support, VendorLinkStatus
from paybylink.standing import after_attempt, after_payment

from .wish import LinkWish

_ALWAYS = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


def issue_stateless(
    provider: Provider, asked: LinkWish, *, explicit_expiry: bool, now: dt.datetime
) -> Call[PaymentLink]:
    """
    The link of the order.

    Raises:
        UnsupportedCapability: an expiry was asked for that somebody would have to remember.
        InvalidInput: the reference was used with other content while the provider still keeps its key.
    """
    native = provider.capabilities[Feature.EXPIRY].support is Support.NATIVE
    if explicit_expiry and not native:
        raise UnsupportedCapability(
            f"{provider.name} with store=None",
            "an expiry",
            "somebody has to close the link in time; give a store",
        )
    _ = is_future(asked.expires_at, now=now, path="expires_at")
    order = asked.order
    digest = hashlib.sha256(
        "\x1f".join((provider.mode, provider.name, order.tenant, order.reference, order.part)).encode()
    ).hexdigest()
    request = LinkRequest(
        link_id=digest[:26],
        attempt_id=digest[26:52],
        order=order,
        kind=asked.kind,
        expires_at=asked.expires_at if native else None,
        locale=order.customer.language if order.customer else None,
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
    # A moment that never changes, so that a retry writes the same bytes. It lies far ahead, so that nobody who
    # searches the provider's links takes this one for an old one.
    written = provider.write_link(request, key=digest[:32], now=_ALWAYS)
    written = evolve(written, key_until=now + (written.key_until - _ALWAYS))
    try:
        made = yield from provider.create_link(request, written=written)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), who=error.who, subject=pending) from error
    except ProviderError as error:
        if error.standard_code != "idempotency_conflict":
            raise
        raise InvalidInput.single(
            "order.reference",
            "was used with other content, and without a store the two cannot be told apart",
            "use another reference or part, or give a store",
        ) from error
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


def fetch_stateless(provider: Provider, link: PaymentLink) -> Call[PaymentLink]:
    """The link as its provider and its payments describe it now."""
    vendor_id = _vendor_id(link)
    found = yield from provider.fetch_link(vendor_id)
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
