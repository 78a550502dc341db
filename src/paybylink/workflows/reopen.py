"""
Opening a link again that was used up by money that never came.

A provider may count a delayed payment (SEPA, a voucher) when its payer is done, and take no other one on a link for
one payment, although the money fails to come days later. The link is then `pending` until its provider has let it
take one more.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import Conflict, OutcomeUnknown, ProviderError
from paybylink.flow import Flow, write
from paybylink.kinds import InvoiceBound
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.providers.base import Provider, VendorLinkStatus
from paybylink.store import StoredLink

from .close import ask_for_money, load
from .merchant import Merchant


def reopen(
    merchant: Merchant, stored: StoredLink, behind: ProviderLink, *, now: dt.datetime
) -> Flow[StoredLink]:
    """
    The link, payable again; or as it is, where it has ended meanwhile and nothing is to be opened.

    Raises:
        OutcomeUnknown: the provider did not answer; calling again asks again.
        Conflict: another writer was first; the caller reads again.
    """
    if stored.link.status is LinkStatus.PENDING:
        # Another payer may have been at the page when it was used up; one more would be one too many.
        _ = yield from ask_for_money(merchant, behind.provider, behind.vendor_id or "", now=now)
        stored = yield from load(merchant, stored.link.id)
    store, link = merchant.store, stored.link
    if link.status is not LinkStatus.PENDING:
        # Paid otherwise, cancelled or expired. It may have been opened by a request whose answer was lost.
        closing = evolve(behind, status=ProviderLinkStatus.CLOSING)
        return (yield from _given_up(merchant, link, closing))
    assert behind.vendor_id is not None, "what was used up has an id"
    provider = merchant.provider(behind.provider)
    try:
        answer = yield from provider.reopen_link(behind.vendor_id, key=stored.close_keys[behind.id], now=now)
    except ProviderError as error:
        if not error.certain:
            raise
        # It is gone for good: another one takes its place behind the same public URL.
        return (yield from _given_up(merchant, link, evolve(behind, status=ProviderLinkStatus.CLOSED)))
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), who=error.who, subject=link) from error
    if answer.status is not VendorLinkStatus.OPEN:
        raise OutcomeUnknown(
            f"{behind.provider} took the request to open the link again but does not call it open; call again",
            who=behind.provider,
            subject=link,
        )
    partly = isinstance(link.kind, InvoiceBound) and link.paid_amount.minor
    opened = evolve(link, status=LinkStatus.PART_PAID if partly else LinkStatus.OPEN)
    try:
        _ = yield from write(
            store.update_link(opened, version=link.version),
            store.update_provider_link(
                link.id, evolve(behind, status=ProviderLinkStatus.OPEN), was=ProviderLinkStatus.REOPENING
            ),
        )
    except Conflict:
        yield from _closed_anew(merchant, provider, link.id, behind, now=now)
        raise
    return (yield from load(merchant, link.id))


def _closed_anew(
    merchant: Merchant, provider: Provider, link_id: str, behind: ProviderLink, *, now: dt.datetime
) -> Flow[None]:
    """Close what somebody else has closed, or is closing, while we were opening it."""
    link = (yield from load(merchant, link_id)).link
    now_is = next(each for each in link.provider_links if each.id == behind.id)
    if now_is.status not in (ProviderLinkStatus.CLOSING, ProviderLinkStatus.CLOSED):
        return
    assert now_is.vendor_id is not None
    key, closing = merchant.identifiers.key(), evolve(now_is, status=ProviderLinkStatus.CLOSING)
    # A cut from here on is healed by the next pass, as that of any other closing.
    _ = yield from write(
        merchant.store.update_provider_link(link_id, closing, was=now_is.status, close_key=key), fence=True
    )
    _ = yield from provider.close_link(now_is.vendor_id, key=key, now=now)
    if now_is.status is ProviderLinkStatus.CLOSED:
        _ = yield from write(
            merchant.store.update_provider_link(link_id, now_is, was=ProviderLinkStatus.CLOSING)
        )


def _given_up(merchant: Merchant, link: PaymentLink, behind: ProviderLink) -> Flow[StoredLink]:
    """The link, with what was to be opened again written as `behind`."""
    _ = yield from write(
        merchant.store.update_provider_link(
            link.id, behind, was=ProviderLinkStatus.REOPENING, close_key=merchant.identifiers.key()
        )
    )
    return (yield from load(merchant, link.id))
