"""
A link that lives longer than its provider's links do: a new one is put behind the same public URL in time.

The old one is closed for certain before, and the link is `pending` from the same commit on in which that is written
down, so a cut leaves nothing that only a person would find.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import Conflict
from paybylink.flow import Flow
from paybylink.links import PAYABLE, LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus

from .close import close_one, load
from .issue import ask, complete
from .merchant import Merchant
from .record import ROUNDS

#: How long before its end a provider's link is replaced.
MARGIN = dt.timedelta(days=1)


def ending_early(link: PaymentLink) -> ProviderLink | None:
    """What stands behind a payable link and ends before it does; None where nothing does."""
    behind = link.current
    if link.status not in PAYABLE or behind is None or behind.ends_at is None or link.expires_at is None:
        return None
    standing = behind.status in (ProviderLinkStatus.OPEN, ProviderLinkStatus.ENDING)
    return behind if standing and behind.ends_at < link.expires_at else None


def _due(behind: ProviderLink, *, now: dt.datetime) -> bool:
    """Whether its time has almost come, or was taken for that before a cut."""
    assert behind.ends_at is not None
    return behind.status is ProviderLinkStatus.ENDING or behind.ends_at <= now + MARGIN


def to_prolong(link: PaymentLink) -> bool:
    """Whether putting a new link behind it was begun and cut."""
    behind = ending_early(link)
    return behind is not None and behind.status is ProviderLinkStatus.ENDING


def prolong(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[PaymentLink]:
    """
    The link with a new link at its provider; one that was paid or ended meanwhile is returned as it is.

    Raises:
        OutcomeUnknown: the provider did not answer; the next pass asks again.
    """
    for _ in range(ROUNDS):
        stored = yield from load(merchant, link_id)
        behind = ending_early(stored.link)
        if behind is None or not _due(behind, now=now):
            return (yield from complete(merchant, stored, now=now))
        try:
            ending = yield from close_one(
                merchant, stored, behind, now=now, meanwhile=ProviderLinkStatus.ENDING
            )
            # Money may have come while it was closed.
            stored = yield from load(merchant, link_id)
            if ending_early(stored.link) is None:
                continue
            gone = merchant.store.update_provider_link(
                link_id, evolve(ending, status=ProviderLinkStatus.CLOSED), was=ProviderLinkStatus.ENDING
            )
            waiting = evolve(stored.link, status=LinkStatus.PENDING)
            stored = yield from ask(merchant, stored, waiting, now=now, beside=(gone,))
        except Conflict:
            continue
        return (yield from complete(merchant, stored, now=now))
    raise Conflict("prolong")
