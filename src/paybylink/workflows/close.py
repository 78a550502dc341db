"""
Closing a link, and seeing what money came meanwhile.

Nothing counts as closed before the provider has said so and its payments were read afterwards: a payer may have
paid between our question and the answer, and money wins.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import AlreadyPaid, Conflict, NotFound, OutcomeUnknown
from paybylink.events import Event, LinkCancelled, LinkExpired
from paybylink.flow import Flow, write
from paybylink.links import CLOSED, LinkStatus, PaymentLink, ProviderLinkStatus, moved
from paybylink.providers.base import Feature, Support, VendorLinkStatus
from paybylink.store import StoredLink

from .merchant import Merchant
from .record import ROUNDS, record_all


def close_behind(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[StoredLink]:
    """
    The link as it stands once everything behind it is closed for certain and its payments were read.

    The link's own status is changed by money only; the caller decides what to call it otherwise.

    Raises:
        OutcomeUnknown: the provider did not answer; calling again asks again.
    """
    stored = yield from load(merchant, link_id)
    for behind in stored.link.provider_links:
        if behind.vendor_id is None or behind.status not in (
            ProviderLinkStatus.OPEN,
            ProviderLinkStatus.CLOSING,
        ):
            continue
        provider = merchant.provider(behind.provider)
        key = stored.close_keys.get(behind.id) or merchant.identifiers.key()
        if behind.status is ProviderLinkStatus.OPEN:
            closing = evolve(behind, status=ProviderLinkStatus.CLOSING)
            _ = yield from write(
                merchant.store.update_provider_link(
                    link_id, closing, was=ProviderLinkStatus.OPEN, close_key=key
                ),
                fence=True,
            )
        try:
            answer = yield from provider.close_link(behind.vendor_id, key=key, now=now)
        except OutcomeUnknown as error:
            raise OutcomeUnknown(str(error), who=error.who, subject=stored.link) from error
        if answer.status is not VendorLinkStatus.CLOSED:
            raise OutcomeUnknown(
                f"{behind.provider} took the request to close the link but does not call it closed; call again",
                who=behind.provider,
                subject=stored.link,
            )
        yield from ask_for_money(merchant, behind.provider, behind.vendor_id, now=now)
        closed = evolve(behind, status=ProviderLinkStatus.CLOSED)
        _ = yield from write(
            merchant.store.update_provider_link(link_id, closed, was=ProviderLinkStatus.CLOSING)
        )
    return (yield from load(merchant, link_id))


def ask_for_money(merchant: Merchant, provider_name: str, vendor_id: str, *, now: dt.datetime) -> Flow[None]:
    """Read the payments of a link from its provider, with their refunds, and record what is new."""
    provider = merchant.provider(provider_name)
    if provider.capabilities[Feature.PAYMENTS_OF_LINK].support is Support.UNSUPPORTED:
        return
    payments = yield from provider.payments_of(vendor_id)
    for payment in payments:
        yield from record_all(merchant, provider, (payment,), now=now)
        refunds = yield from provider.refunds_of(payment.vendor_id)
        yield from record_all(merchant, provider, refunds, now=now)


def cancel(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[PaymentLink]:
    """
    The link, closed by the merchant; cancelling a cancelled one changes nothing.

    Raises:
        AlreadyPaid: money has come; refund it instead.
    """
    stored = yield from load(merchant, link_id)
    if stored.link.status is LinkStatus.CANCELLED:
        return stored.link
    if stored.link.status is LinkStatus.PENDING and stored.link.current is not None:
        raise OutcomeUnknown(
            "whether the provider made this link is not known yet; call create_link again, then cancel",
            who=stored.link.provider,
            subject=stored.link,
        )
    return (yield from _end(merchant, link_id, LinkStatus.CANCELLED, now=now))


def expire(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[PaymentLink]:
    """The link, closed because its time has passed; one that was paid meanwhile stays paid."""
    try:
        return (yield from _end(merchant, link_id, LinkStatus.EXPIRED, now=now))
    except AlreadyPaid as error:
        return error.link


def _end(merchant: Merchant, link_id: str, status: LinkStatus, *, now: dt.datetime) -> Flow[PaymentLink]:
    for _ in range(ROUNDS):
        try:
            return (yield from _end_once(merchant, link_id, status, now=now))
        except Conflict:
            continue
    raise Conflict("end_link")


def _end_once(merchant: Merchant, link_id: str, status: LinkStatus, *, now: dt.datetime) -> Flow[PaymentLink]:
    store = merchant.store
    closed = yield from close_behind(merchant, link_id, now=now)
    link = closed.link
    if link.status is LinkStatus.PAID:
        raise AlreadyPaid(link)
    if link.status is status or (status is LinkStatus.EXPIRED and link.status in CLOSED):
        return link
    ended = evolve(link, status=moved(link.status, status))
    about = {
        "link_id": link.id,
        "reference": link.order.reference,
        "part": link.order.part,
        "tenant": link.order.tenant,
    }
    event: Event
    if status is LinkStatus.CANCELLED:
        event = LinkCancelled(id=f"{link.id}.cancelled", at=now, **about)
    else:
        event = LinkExpired(id=f"{link.id}.expired.{link.renewals}", at=now, **about)
    _ = yield from write(store.update_link(ended, version=link.version), store.emit(event, now=now))
    return evolve(ended, version=link.version + 1)


def load(merchant: Merchant, link_id: str) -> Flow[StoredLink]:
    """
    The stored link.

    Raises:
        NotFound: there is none with that id.
    """
    stored = yield from merchant.store.link(link_id)
    if stored is None:
        raise NotFound("no link with that id; it may belong to another tenant or store")
    return stored


def refresh(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[PaymentLink]:
    """The link after its provider was asked for its payments and their refunds."""
    stored = yield from load(merchant, link_id)
    for behind in stored.link.provider_links:
        if behind.vendor_id is None:
            continue
        yield from ask_for_money(merchant, behind.provider, behind.vendor_id, now=now)
        if behind.status is not ProviderLinkStatus.OPEN:
            continue
        answer = yield from merchant.provider(behind.provider).fetch_link(behind.vendor_id)
        if answer.status is VendorLinkStatus.CLOSED:
            closed = evolve(behind, status=ProviderLinkStatus.CLOSED)
            try:
                _ = yield from write(
                    merchant.store.update_provider_link(link_id, closed, was=ProviderLinkStatus.OPEN)
                )
            except Conflict:
                # Somebody else is closing it, and will write what became of it.
                continue
    now_stands = yield from load(merchant, link_id)
    link = now_stands.link
    if link.status is LinkStatus.OPEN and link.current is None:
        # Closed by hand in the provider's dashboard, and nobody has paid.
        cancelled = evolve(link, status=LinkStatus.CANCELLED)
        _ = yield from write(merchant.store.update_link(cancelled, version=link.version))
        return evolve(cancelled, version=link.version + 1)
    return link
