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
from paybylink.flow import Flow, Step, write
from paybylink.kinds import Reusable
from paybylink.links import (
    CLOSED,
    PAYABLE,
    LinkStatus,
    PaymentLink,
    ProviderLink,
    ProviderLinkStatus,
    moved,
)
from paybylink.providers.base import Feature, Provider, Support, VendorLink, VendorLinkStatus
from paybylink.store import StoredLink

from .behind import money_under_way
from .merchant import Merchant
from .record import ROUNDS, record_all

#: What nobody has asked to close. What is to be opened again may be open: only the answer may be missing.
_UNASKED = (ProviderLinkStatus.OPEN, ProviderLinkStatus.REOPENING)
#: What exists at a provider and is not closed for certain.
_STANDING = (*_UNASKED, ProviderLinkStatus.CLOSING, ProviderLinkStatus.ENDING)


def close_behind(
    merchant: Merchant, link_id: str, *, called: LinkStatus | None = None, now: dt.datetime
) -> Flow[StoredLink]:
    """
    The link as it stands once everything behind it is closed for certain and its payments were read.

    What is closed and was not paid is no longer called payable, from the same commit on.

    Args:
        called: what it is called then, `cancelled` or `expired`, and the host is told. Left out, something else
            follows, a renewal or a replacement; until then it is `expired`, without a word.

    Raises:
        OutcomeUnknown: the provider did not answer; calling again asks again.
        Conflict: another writer was first; the caller reads again.
    """
    stored = yield from load(merchant, link_id)
    for behind in stored.link.provider_links:
        if behind.vendor_id is None or behind.status not in _STANDING:
            continue
        closing = yield from close_one(merchant, stored, behind, now=now)
        closed = evolve(closing, status=ProviderLinkStatus.CLOSED)
        link = (yield from load(merchant, link_id)).link
        _ = yield from write(
            merchant.store.update_provider_link(link_id, closed, was=closing.status),
            *(_ending(merchant, link, called, now=now) if link.status in PAYABLE else ()),
        )
    closed_behind = yield from load(merchant, link_id)
    if closed_behind.link.status is LinkStatus.PENDING and closed_behind.link.current is not None:
        # Somebody renews it, and the new link behind it may exist already.
        raise Conflict("close_behind")
    return closed_behind


def close_one(
    merchant: Merchant,
    stored: StoredLink,
    behind: ProviderLink,
    *,
    now: dt.datetime,
    meanwhile: ProviderLinkStatus = ProviderLinkStatus.CLOSING,
) -> Flow[ProviderLink]:
    """
    One link at a provider, closed there for certain and its payments read.

    Args:
        meanwhile: what its row says until the caller writes what follows; it says what was meant, after a cut.

    Raises:
        AlreadyPaid: it was paid, and the webhook that tells it has not come yet.
        OutcomeUnknown: the provider did not answer; calling again asks again.
        Conflict: another writer was first; the caller reads again.
    """
    assert behind.vendor_id is not None, "what is open has an id"
    provider = merchant.provider(behind.provider)
    key, closing = stored.close_keys.get(behind.id), behind
    if key is None or behind.status in _UNASKED:
        # A key that is known already was that of opening it again.
        key = merchant.identifiers.key()
    if behind.status in _UNASKED:
        closing = evolve(behind, status=meanwhile)
        _ = yield from write(
            merchant.store.update_provider_link(stored.link.id, closing, was=behind.status, close_key=key),
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
    _ = yield from ask_for_money(merchant, behind.provider, behind.vendor_id, now=now)
    if _untold(provider, stored.link, answer):
        # Nothing may take its place, or the customer could pay twice.
        raise AlreadyPaid(stored.link)
    return closing


def ask_for_money(
    merchant: Merchant, provider_name: str, vendor_id: str, *, now: dt.datetime, rang: str | None = None
) -> Flow[tuple[Event, ...]]:
    """
    Read the payments of a link from its provider, with what became of them, and record what is new.

    Args:
        rang: the provider's id of the one payment of which refunds and disputes are read; empty for those that are
            news, since anybody may ring for a link with any number of payments; None for all.

    Returns:
        What it meant to the host.
    """
    provider = merchant.provider(provider_name)
    if provider.capabilities[Feature.PAYMENTS_OF_LINK].support is Support.UNSUPPORTED:
        return ()
    events: tuple[Event, ...] = ()
    payments = yield from provider.payments_of(vendor_id)
    for payment in payments:
        news = yield from record_all(merchant, provider, (payment,), now=now)
        events += news
        if rang is None or payment.vendor_id == rang or (news and not rang):
            events += yield from ask_what_became(merchant, provider, payment.vendor_id, now=now)
    return events


def ask_what_became(
    merchant: Merchant, provider: Provider, payment_vendor_id: str, *, now: dt.datetime
) -> Flow[tuple[Event, ...]]:
    """Read the refunds and disputes of a payment from its provider, and record what is new."""
    refunds = yield from provider.refunds_of(payment_vendor_id)
    disputes = yield from provider.disputes_of(payment_vendor_id)
    return (yield from record_all(merchant, provider, (*refunds, *disputes), now=now))


def cancel(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[PaymentLink]:
    """
    The link, closed by the merchant; cancelling a cancelled one changes nothing.

    Raises:
        AlreadyPaid: money has come; refund it instead.
    """
    stored = yield from load(merchant, link_id)
    if stored.link.status is LinkStatus.CANCELLED:
        return stored.link
    asked = stored.link.current
    if (
        asked is not None
        and asked.status is ProviderLinkStatus.ASKED
        and stored.link.status is LinkStatus.PENDING
    ):
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
    closed = yield from close_behind(merchant, link_id, called=status, now=now)
    link = closed.link
    if link.status is LinkStatus.PAID:
        raise AlreadyPaid(link)
    # A link does not expire while money is under way; should it fail, there is nothing behind the link any more.
    over = CLOSED | {LinkStatus.PROCESSING} if status is LinkStatus.EXPIRED else {status}
    if link.status in over:
        return link
    _ = yield from write(*_ending(merchant, link, status, now=now))
    return (yield from load(merchant, link_id)).link


def _ending(
    merchant: Merchant, link: PaymentLink, called: LinkStatus | None, *, now: dt.datetime
) -> tuple[Step, ...]:
    """The link under its new name, and the event that says so; none where `called` is left out."""
    store = merchant.store
    ended = evolve(link, status=moved(link.status, called or LinkStatus.EXPIRED))
    step = store.update_link(ended, version=link.version)
    if called is None:
        return (step,)
    about = {
        "link_id": link.id,
        "reference": link.order.reference,
        "part": link.order.part,
        "tenant": link.order.tenant,
    }
    event: Event
    if called is LinkStatus.CANCELLED:
        event = LinkCancelled(id=f"{link.id}.cancelled", at=now, **about)
    else:
        event = LinkExpired(id=f"{link.id}.expired.{link.renewals}", at=now, **about)
    return (step, store.emit(event, now=now))


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
    """
    The link after its provider was asked for its payments and their refunds.

    One that was closed by hand in the provider's dashboard is `cancelled`; one that is used up without money, by a
    delayed payment that failed, is `expired` and can be renewed.
    """
    for _ in range(ROUNDS):
        try:
            yield from _look(merchant, (yield from load(merchant, link_id)), now=now)
        except Conflict:
            continue
        return (yield from load(merchant, link_id)).link
    raise Conflict("refresh_link")


def _look(merchant: Merchant, stored: StoredLink, *, now: dt.datetime) -> Flow[None]:
    """Read everything behind the link from its provider, and write down what is news."""
    link_id = stored.link.id
    for behind in stored.link.provider_links:
        if behind.vendor_id is None:
            continue
        _ = yield from ask_for_money(merchant, behind.provider, behind.vendor_id, now=now)
        if behind.status is not ProviderLinkStatus.OPEN:
            continue
        provider = merchant.provider(behind.provider)
        answer = yield from provider.fetch_link(behind.vendor_id)
        link = (yield from load(merchant, link_id)).link
        if answer.status is not VendorLinkStatus.CLOSED or _untold(provider, link, answer):
            continue
        used_up = _used_up(link, behind, answer)
        if used_up and (yield from money_under_way(merchant, link)):
            # Whoever has begun last has closed it there; what becomes of it, his money says.
            continue
        closed = evolve(behind, status=ProviderLinkStatus.CLOSED)
        over = behind.ends_at is not None and behind.ends_at <= now
        called = LinkStatus.EXPIRED if over or used_up else LinkStatus.CANCELLED
        _ = yield from write(
            merchant.store.update_provider_link(link_id, closed, was=ProviderLinkStatus.OPEN),
            *(_ending(merchant, link, called, now=now) if link.status in PAYABLE else ()),
        )


def _untold(provider: Provider, link: PaymentLink, answer: VendorLink) -> bool:
    """Whether a link was paid at a provider that tells payments by webhook only, and has not told this one yet."""
    asked = provider.capabilities[Feature.PAYMENTS_OF_LINK].support is not Support.UNSUPPORTED
    return not asked and bool(answer.completed) and link.status is LinkStatus.OPEN and not link.payments


def _used_up(link: PaymentLink, behind: ProviderLink, answer: VendorLink) -> bool:
    """Whether a link that is closed at its provider was paid there as often as it may be, perhaps without money."""
    most = behind.max_payments if isinstance(link.kind, Reusable) else 1
    return most is not None and (answer.completed or 0) >= most
