"""
From an order to a link that can be paid, exactly once.

Rule 1: a reference (with its part) has one row at a time that may be payable; the unique key of the table says so.
Rule 2: the exact request is stored with the reserved row before it is sent. After a lost answer the same bytes go
        out under the same key while that lives; then the provider is asked whether the link exists; only a
        certain "no" leads to a new request.
Rule 3: a request that was refused for certain leaves the link `pending` without anything behind it, so that a
        corrected order may take its place, unless a part was paid before. A wrong API key refuses nothing: the
        request stays asked.
Rule 4: replacing closes first, and makes the new link only when the close is certain and no money came meanwhile.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.checks import is_future
from paybylink.errors import (
    AlreadyPaid,
    Conflict,
    LinkClosed,
    ReferenceConflict,
    UnsupportedCapability,
)
from paybylink.events import LinkOpened
from paybylink.flow import Flow, Step, write
from paybylink.kinds import InvoiceBound, Reusable
from paybylink.links import LinkStatus, PaymentLink, PendingLink, ProviderLink, ProviderLinkStatus
from paybylink.providers.base import VendorLink
from paybylink.store import StoredLink

from .attempt import make, provider_of, write_attempt
from .behind import money_under_way
from .close import close_behind, load
from .merchant import Merchant
from .reopen import reopen
from .wish import LinkWish, check_span

#: How often a journey reads again when another writer was first. Each round somebody else has moved on.
ROUNDS = 20


def issue(
    merchant: Merchant, asked: LinkWish, *, replace: bool, now: dt.datetime
) -> Flow[PaymentLink | PendingLink]:
    """
    The one link of the order, made if there is none.

    Raises:
        ReferenceConflict: the reference has a link with other content, and `replace` is False.
        AlreadyPaid: it was paid, so it cannot be replaced.
        OutcomeUnknown: the provider was asked and did not answer; the link is on the error.
        ProviderError, NotSent, IntegrityBreach: see `Provider`.
    """
    store = merchant.store
    for _ in range(ROUNDS):
        stored = yield from store.link_by_reference(asked.order.reference, asked.order.part)
        try:
            if stored is None:
                stored = yield from _reserve(merchant, asked, generation=1, now=now)
            elif differences := _differences(merchant, stored, asked):
                stored = yield from _differing(merchant, stored, asked, differences, replace=replace, now=now)
            elif merchant.lent and stored.link.status is LinkStatus.PENDING and stored.link.current is None:
                stored = yield from ask(merchant, stored, stored.link, now=now)
        except Conflict:
            continue
        if merchant.lent:
            return stored.link if stored.link.status is not LinkStatus.PENDING else _pending(stored.link)
        return (yield from complete(merchant, stored, now=now))
    raise Conflict("link_by_reference")


def complete(merchant: Merchant, stored: StoredLink, *, now: dt.datetime) -> Flow[PaymentLink]:
    """
    The link, brought from `pending` to `open` by asking its provider; any other link is returned as it is.

    Raises:
        OutcomeUnknown: no answer came; the link is on the error.
        ProviderError: the provider refused; the link stays `pending` with nothing behind it.
    """
    for _ in range(ROUNDS):
        link = stored.link
        attempt = link.current
        try:
            if attempt is None and link.status is LinkStatus.PENDING:
                stored = yield from ask(merchant, stored, link, now=now)
                continue
            if attempt is not None and attempt.status is ProviderLinkStatus.REOPENING:
                stored = yield from reopen(merchant, stored, attempt, now=now)
                continue
            if attempt is None or attempt.status is not ProviderLinkStatus.ASKED:
                return link
            provider = provider_of(merchant, link, attempt.provider)
            made = yield from make(merchant, provider, stored, attempt, now=now)
            if made is not None:
                return (yield from _open(merchant, stored, attempt, made, now=now))
        except Conflict:
            pass
        stored = yield from load(merchant, link.id)
    raise Conflict("open_link")


def renew(
    merchant: Merchant, link_id: str, *, expires_in: dt.timedelta, now: dt.datetime
) -> Flow[PaymentLink]:
    """
    The link with a new end and a new link at the provider; its id, token and public URL stay.

    The old one is closed for certain first. After a cut the same call goes on where it was; until then the link is
    `expired`, or `pending` and finished by the next pass.

    Raises:
        AlreadyPaid: nothing is left to pay, or a payment is under way.
        LinkClosed: it was cancelled or replaced, which renewal does not undo.
    """
    if merchant.lent:
        raise UnsupportedCapability(
            "a lent connection",
            "renew",
            "closing the old link cannot wait for your commit; renew it without one",
        )
    check_span(expires_in, now=now)
    for _ in range(ROUNDS):
        stored = yield from load(merchant, link_id)
        if stored.link.status is LinkStatus.PENDING:
            return (yield from complete(merchant, stored, now=now))
        try:
            renewed = yield from _renewed(merchant, stored.link, expires_in=expires_in, now=now)
        except Conflict:
            continue
        return (yield from complete(merchant, renewed, now=now))
    raise Conflict("renew_link")


def _renewed(
    merchant: Merchant, link: PaymentLink, *, expires_in: dt.timedelta, now: dt.datetime
) -> Flow[StoredLink]:
    """The link with nothing behind it but a new request."""
    _check_renewable(link)
    _ = provider_of(merchant, link, link.provider)
    closed = yield from close_behind(merchant, link.id, now=now)
    # Money may have come, or somebody may have cancelled, while the old one was closed.
    _check_renewable(closed.link)
    renewed = evolve(
        closed.link,
        status=LinkStatus.PENDING,
        expires_at=now + expires_in,
        renewals=closed.link.renewals + 1,
    )
    return (yield from ask(merchant, closed, renewed, now=now))


def _check_renewable(link: PaymentLink) -> None:
    if link.status in (LinkStatus.PAID, LinkStatus.PROCESSING):
        raise AlreadyPaid(link)
    if link.status in (LinkStatus.CANCELLED, LinkStatus.REPLACED):
        raise LinkClosed(link)


def _pending(link: PaymentLink) -> PendingLink:
    assert link.expires_at is not None
    return PendingLink(
        id=link.id,
        token=link.token,
        order=link.order,
        kind=link.kind,
        expires_at=link.expires_at,
        url=link.url,
    )


def _differences(merchant: Merchant, stored: StoredLink, asked: LinkWish) -> tuple[str, ...]:
    """The fields that differ. A provider that the caller left out never does; an expiry is compared as given."""
    names = dict.fromkeys((*stored.content, *asked.content))
    differing = [
        name
        for name in names
        if stored.content.get(name, "") != asked.content.get(name, "")
        and not (name == "provider" and asked.content.get(name) in (None, stored.link.provider))
    ]
    if stored.link.mode is not merchant.provider(asked.provider).mode:
        # A link made with a test key is not handed to somebody who means real money.
        differing.append("mode")
    return tuple(differing)


def _differing(
    merchant: Merchant,
    stored: StoredLink,
    asked: LinkWish,
    differences: tuple[str, ...],
    *,
    replace: bool,
    now: dt.datetime,
) -> Flow[StoredLink]:
    """What becomes of a wish whose reference has a link with other content."""
    link = stored.link
    if link.status is LinkStatus.PENDING and link.current is None and not link.payments:
        return (yield from _rewrite(merchant, stored, asked, now=now))
    if not replace:
        raise ReferenceConflict(link.order.reference, differences, link)
    if merchant.lent:
        raise UnsupportedCapability(
            "a lent connection",
            "replace",
            "closing the old link cannot wait for your commit; replace it without one",
        )
    if link.status is LinkStatus.PENDING and link.current is not None:
        # Whether the old one exists is not known: find out first.
        link = yield from complete(merchant, stored, now=now)
    _check_replaceable(link)
    closed = yield from close_behind(merchant, link.id, now=now)
    _check_replaceable(closed.link)
    gone = evolve(closed.link, status=LinkStatus.REPLACED)
    farewell = merchant.store.update_link(gone, version=closed.link.version)
    return (yield from _reserve(merchant, asked, generation=link.generation + 1, now=now, beside=(farewell,)))


def _check_replaceable(link: PaymentLink) -> None:
    """Money that came, or is under way, was meant for this link; a reusable one may change after any number."""
    settled = link.status in (LinkStatus.PAID, LinkStatus.PROCESSING)
    if settled or (link.paid_amount.minor and not isinstance(link.kind, Reusable)):
        raise AlreadyPaid(link)


def _reserve(
    merchant: Merchant, asked: LinkWish, *, generation: int, now: dt.datetime, beside: tuple[Step, ...] = ()
) -> Flow[StoredLink]:
    """The reserved row, with the exact request that will be sent; written before anything is."""
    _ = is_future(asked.expires_at, now=now, path="expires_at")
    store, ids = merchant.store, merchant.identifiers
    provider = merchant.provider(asked.provider)
    token = ids.token()
    link = PaymentLink(
        id=ids.row(now),
        token=token,
        order=asked.order,
        kind=asked.kind,
        status=LinkStatus.PENDING,
        mode=provider.mode,
        provider=provider.name,
        created_at=now,
        expires_at=asked.expires_at,
        expires_in=asked.expires_in,
        url=store.public_address(token),
        generation=generation,
    )
    attempt, written = write_attempt(merchant, provider, link, now=now)
    link = evolve(link, provider_links=(attempt,))
    _ = yield from write(
        *beside,
        *store.insert_link(link, asked.content),
        store.insert_provider_link(link.id, attempt, written),
        fence=True,
    )
    return StoredLink(link=link, content=asked.content, written={attempt.id: written}, close_keys={})


def _rewrite(
    merchant: Merchant, stored: StoredLink, asked: LinkWish, *, now: dt.datetime
) -> Flow[StoredLink]:
    """The same row with corrected content, after a request that was refused (rule 3)."""
    _ = is_future(asked.expires_at, now=now, path="expires_at")
    provider = merchant.provider(asked.provider)
    link = evolve(
        stored.link,
        order=asked.order,
        kind=asked.kind,
        mode=provider.mode,
        provider=provider.name,
        expires_at=asked.expires_at,
        expires_in=asked.expires_in,
    )
    attempt, written = write_attempt(merchant, provider, link, now=now)
    _ = yield from write(
        *merchant.store.rewrite_link(link, asked.content, version=stored.link.version),
        merchant.store.insert_provider_link(link.id, attempt, written),
        fence=True,
    )
    link = evolve(link, provider_links=(*link.provider_links, attempt), version=link.version + 1)
    return StoredLink(link=link, content=asked.content, written={attempt.id: written}, close_keys={})


def ask(
    merchant: Merchant,
    stored: StoredLink,
    link: PaymentLink,
    *,
    now: dt.datetime,
    beside: tuple[Step, ...] = (),
) -> Flow[StoredLink]:
    """
    A new request for `link`, a pending one behind which nothing exists (any more).

    Args:
        beside: what is written in the same batch.
    """
    attempt, written = write_attempt(merchant, provider_of(merchant, link, link.provider), link, now=now)
    _ = yield from write(
        merchant.store.update_link(link, version=link.version),
        *beside,
        merchant.store.insert_provider_link(link.id, attempt, written),
        fence=True,
    )
    link = evolve(link, provider_links=(*link.provider_links, attempt), version=link.version + 1)
    return evolve(stored, link=link, written={**stored.written, attempt.id: written})


def _open(
    merchant: Merchant, stored: StoredLink, attempt: ProviderLink, made: VendorLink, *, now: dt.datetime
) -> Flow[PaymentLink]:
    """The open link, written down with its event."""
    store, link = merchant.store, stored.link
    behind = evolve(attempt, status=ProviderLinkStatus.OPEN, vendor_id=made.vendor_id, url=made.url)
    # A payment may have been told before the answer to our own request was; money wins.
    status = link.status
    if status is LinkStatus.PENDING:
        partly = isinstance(link.kind, InvoiceBound) and link.paid_amount.minor
        status = LinkStatus.PART_PAID if partly else LinkStatus.OPEN
        # At version 1 nobody has told anything of it.
        if link.version > 1 and not isinstance(link.kind, Reusable):
            under_way = yield from money_under_way(merchant, link)
            status = LinkStatus.PROCESSING if under_way else status
    opened = evolve(
        link,
        status=status,
        url=store.public_address(link.token) or made.url,
        provider_links=tuple(behind if each.id == attempt.id else each for each in link.provider_links),
    )
    event = LinkOpened(
        id=f"{link.id}.opened.{attempt.id}",
        at=now,
        link_id=link.id,
        reference=link.order.reference,
        part=link.order.part,
        tenant=link.order.tenant,
    )
    _ = yield from write(
        store.update_link(opened, version=link.version),
        store.update_provider_link(link.id, behind, was=ProviderLinkStatus.ASKED),
        store.emit(event, now=now),
    )
    return evolve(opened, version=link.version + 1)
