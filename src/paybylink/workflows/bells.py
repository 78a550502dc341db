"""
Bells: messages that say that something happened, and not what. The answer is to ask, each time.

Nothing in a bell is believed: anybody may ring. It names a payment, and perhaps the link of ours by which it came;
the provider is asked for the payments of that very link, so a payment of another link cannot be smuggled in.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import Conflict, ProviderError
from paybylink.events import Event
from paybylink.flow import Flow, write
from paybylink.links import LinkStatus, ProviderLink, ProviderLinkStatus
from paybylink.providers.base import Bell, Provider
from paybylink.store import InboxRow, StoredLink

from .attempt import link_request
from .close import ask_for_money, ask_what_became, close_one, load
from .issue import complete
from .merchant import Merchant
from .record import record_all

#: How long after a ring an answer of "not found" is not taken for good.
SETTLING = dt.timedelta(hours=1)


def is_ours(merchant: Merchant, provider: Provider, bell: Bell) -> Flow[bool]:
    """Whether a payment that we know, or a link of ours, has rung."""
    if bell.payment_vendor_id:
        known = yield from merchant.store.payment_of_vendor(provider.name, bell.payment_vendor_id)
        if known is not None:
            return True
    _, behind = yield from _behind(merchant, provider, bell)
    return behind is not None


def answer_bell(
    merchant: Merchant, provider: Provider, bell: Bell, row: InboxRow, *, now: dt.datetime
) -> Flow[tuple[Event, ...]]:
    """
    What rang, asked for and recorded; the ring is then `processed`, or `foreign` where nothing of ours rang.

    Raises:
        PaybylinkError: it could not be asked for; the ring waits for the next pass.
    """
    state, reason = "processed", ""
    events: tuple[Event, ...] = ()
    if bell.mode is not provider.mode:
        state, reason = "parked", f"a {bell.mode} event reached a {provider.mode} account"
    else:
        try:
            asked = yield from _ask(merchant, provider, bell, now=now)
        except ProviderError as error:
            # A payment that was just made may be unknown for a moment; one of the other mode is unknown for ever.
            if not error.certain or now < row.received_at + SETTLING:
                raise
            state, reason = "parked", f"what rang cannot be read: {error.standard_code}"
        else:
            if asked is None:
                state, reason = "foreign", "no link of ours has rung"
            else:
                events = asked
    done = [merchant.store.answer_bell(row, state, at=now, error=reason)]
    if state == "foreign":
        done.append(merchant.store.blank_event(row.provider, row.event_id))
    try:
        _ = yield from write(*done)
    except Conflict:
        # It has rung again meanwhile, and whoever heard it asks again.
        return events
    return events


def _ask(
    merchant: Merchant, provider: Provider, bell: Bell, *, now: dt.datetime
) -> Flow[tuple[Event, ...] | None]:
    """What the provider says of what rang, recorded; None where nothing of ours rang."""
    if bell.payment_vendor_id:
        known = yield from merchant.store.payment_of_vendor(provider.name, bell.payment_vendor_id)
        if known is not None:
            payment = yield from provider.fetch_payment(known.vendor_id)
            events = yield from record_all(merchant, provider, (payment,), now=now)
            return events + (yield from ask_what_became(merchant, provider, known.vendor_id, now=now))
    stored, behind = yield from _behind(merchant, provider, bell)
    if stored is None or behind is None:
        return None
    if behind.status is ProviderLinkStatus.REFUSED:
        stored = yield from _made_after_all(merchant, provider, stored, behind, now=now)
        if stored is None:
            return ()
        behind = next(each for each in stored.link.provider_links if each.id == behind.id)
    if behind.status is ProviderLinkStatus.ASKED:
        # It was paid before we heard that it was made: its making has to be answered first.
        link = yield from complete(merchant, stored, now=now)
        behind = next(each for each in link.provider_links if each.id == behind.id)
    if behind.vendor_id is None:
        return None
    return (
        yield from ask_for_money(
            merchant, provider.name, behind.vendor_id, now=now, rang=bell.payment_vendor_id
        )
    )


def _made_after_all(
    merchant: Merchant, provider: Provider, stored: StoredLink, behind: ProviderLink, *, now: dt.datetime
) -> Flow[StoredLink | None]:
    """
    The link behind which something has rung that was taken for never made; None if it was not.

    A ring proves nothing, so it is looked for and nothing is made. If it is there, it takes its place again; where
    another one has that by now, it is closed.
    """
    link = stored.link
    found = yield from provider.find_link(
        link_request(merchant, link, behind), since=behind.asked_at, now=now
    )
    if found is None:
        return None
    missing = link.status is LinkStatus.PENDING and link.current is None
    status = ProviderLinkStatus.ASKED if missing else ProviderLinkStatus.CLOSING
    there = evolve(behind, vendor_id=found.vendor_id, status=status)
    _ = yield from write(
        merchant.store.update_provider_link(
            link.id, there, was=ProviderLinkStatus.REFUSED, close_key=merchant.identifiers.key()
        ),
        fence=True,
    )
    stored = yield from load(merchant, link.id)
    if not missing:
        closed = evolve(
            (yield from close_one(merchant, stored, there, now=now)), status=ProviderLinkStatus.CLOSED
        )
        _ = yield from write(
            merchant.store.update_provider_link(link.id, closed, was=ProviderLinkStatus.CLOSING)
        )
        stored = yield from load(merchant, link.id)
    return stored


def _behind(
    merchant: Merchant, provider: Provider, bell: Bell
) -> Flow[tuple[StoredLink | None, ProviderLink | None]]:
    """The link that rang, and what stands behind it at this provider; by the provider's id, else by our own."""
    stored = None
    if bell.link_vendor_id:
        stored = yield from merchant.store.link_of_vendor(provider.name, bell.link_vendor_id)
    if stored is None and bell.link_id:
        stored = yield from merchant.store.link(bell.link_id)
    if stored is None:
        return None, None
    for behind in stored.link.provider_links:
        named = behind.vendor_id == (bell.link_vendor_id or None) if not bell.attempt_id else False
        if behind.provider == provider.name and (behind.id == bell.attempt_id or named):
            return stored, behind
    return stored, None
