"""
Opening a link again that was used up by money that never came.

A provider may count a delayed payment (SEPA, a voucher) when its payer is done, and take no other one on a link for
one payment, although the money fails to come days later. The link is then `pending` until its provider has let it
take one more.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import OutcomeUnknown, ProviderError
from paybylink.flow import Flow, write
from paybylink.kinds import InvoiceBound
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.providers.base import VendorLinkStatus
from paybylink.store import StoredLink

from .close import load
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
    store, link = merchant.store, stored.link
    if link.status is not LinkStatus.PENDING:
        # Paid otherwise, cancelled or expired: it stays used up.
        return (yield from _given_up(merchant, link, behind))
    assert behind.vendor_id is not None, "what was used up has an id"
    provider = merchant.provider(behind.provider)
    try:
        answer = yield from provider.reopen_link(behind.vendor_id, key=stored.close_keys[behind.id], now=now)
    except ProviderError as error:
        if not error.certain:
            raise
        # It is gone for good: another one takes its place behind the same public URL.
        return (yield from _given_up(merchant, link, behind))
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
    _ = yield from write(
        store.update_link(opened, version=link.version),
        store.update_provider_link(
            link.id, evolve(behind, status=ProviderLinkStatus.OPEN), was=ProviderLinkStatus.REOPENING
        ),
    )
    return (yield from load(merchant, link.id))


def _given_up(merchant: Merchant, link: PaymentLink, behind: ProviderLink) -> Flow[StoredLink]:
    closed = evolve(behind, status=ProviderLinkStatus.CLOSED)
    _ = yield from write(
        merchant.store.update_provider_link(link.id, closed, was=ProviderLinkStatus.REOPENING)
    )
    return (yield from load(merchant, link.id))
