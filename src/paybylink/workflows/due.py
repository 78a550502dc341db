"""
One pass of whatever is due: finish what was cut, expire, send what waits, ask about what is unknown.

Each piece of work is one of the ordinary journeys. One that fails is counted and left for a later pass; it never
stops the others. Nor do many: where more waits than a pass takes on, the next one goes on behind it, and begins again
at the end, so that what cannot be done keeps nothing waiting.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from attrs import field, frozen

from paybylink.errors import PaybylinkError
from paybylink.flow import Flow, write
from paybylink.links import LinkStatus, ProviderLinkStatus
from paybylink.messages import Outcome
from paybylink.payments import RefundStatus
from paybylink.store import Store, StoredDelivery, StoredRefund

from .close import expire
from .deliver import go_on, reload
from .issue import complete
from .merchant import Merchant
from .prolong import MARGIN, prolong, to_prolong
from .receive import take_up
from .refund import complete_refund

Piece = TypeVar("Piece", covariant=True)

log = logging.getLogger("paybylink.due")

#: How many pieces of one sort a pass takes on; the next pass takes the rest.
PIECES = 200


@frozen(kw_only=True)
class Pass:
    """
    What one pass did.

    Attributes:
        completed: links and closings that were finished.
        expired: links whose time had passed.
        delivered: messages that were sent or asked about.
        refunded: refunds that were finished.
        told: events that had waited and were processed.
        failed: what could not be done now, as error codes; the next pass tries again.
    """

    completed: int = 0
    expired: int = 0
    delivered: int = 0
    refunded: int = 0
    told: int = 0
    failed: tuple[str, ...] = field(default=())


def run_due(merchant: Merchant, *, only: str | None, now: dt.datetime) -> Flow[Pass]:
    """
    One pass; with `only`, for that link alone, which is what a host calls after its own commit.
    """
    store = merchant.store
    done = {"completed": 0, "expired": 0, "delivered": 0, "refunded": 0, "told": 0}
    failed: list[str] = []

    def attempt(kind: str, journey: Callable[[], Flow[object]]) -> Flow[None]:
        try:
            _ = yield from journey()
        except PaybylinkError as error:
            log.warning("%s could not be done now: %s", kind, error.code)
            failed.append(error.code)
        else:
            done[kind] += 1

    if only is None:
        turns = yield from store.turns()
        in_work = yield from _next(store, "in_work", turns, store.links_in_work)
    else:
        turns = {}
        stored = yield from store.link(only)
        in_work = (stored,) if stored else ()
    for link in in_work:
        current = link.link.current
        closing = current is not None and current.status is ProviderLinkStatus.CLOSING
        if link.link.status is LinkStatus.PENDING and not closing:
            yield from attempt("completed", partial(complete, merchant, link, now=now))
        elif only is None and to_prolong(link.link):
            yield from attempt("completed", partial(prolong, merchant, link.link.id, now=now))
        elif only is None:
            # A close that was cut: finished as `expired`, from where it can be cancelled, replaced or renewed.
            yield from attempt("completed", partial(expire, merchant, link.link.id, now=now))
    if only is None:
        for link in (yield from _next(store, "links_due", turns, partial(store.links_due, now))):
            yield from attempt("expired", partial(expire, merchant, link.link.id, now=now))
        outliving = partial(store.links_outliving, now + MARGIN)
        for link in (yield from _next(store, "links_outliving", turns, outliving)):
            yield from attempt("completed", partial(prolong, merchant, link.link.id, now=now))
        for row in (yield from _next(store, "inbox", turns, store.inbox_waiting)):
            yield from attempt("told", partial(take_up, merchant, row, now=now))
        deliveries = yield from _next(store, "deliveries", turns, partial(store.deliveries_due, now))
        refunds = yield from _next(store, "refunds", turns, store.refunds_in_work)
    else:
        deliveries = yield from _deliveries_of(merchant, only, now=now)
        refunds = yield from _refunds_of(merchant, only)
    for delivery in deliveries:
        yield from attempt("delivered", partial(go_on, merchant, delivery, now=now))
    for refund in refunds:
        yield from attempt("refunded", partial(complete_refund, merchant, refund, now=now))
    if only is None:
        _ = yield from write(store.passed("run_due", now))
    return Pass(failed=tuple(failed), **done)


class _Read(Protocol[Piece]):
    """Reads at most `limit` pieces of a sort, after the first `skip` of them."""

    def __call__(self, limit: int, *, skip: int) -> Flow[Sequence[Piece]]: ...


def _next(store: Store, sort: str, turns: Mapping[str, int], read: _Read[Piece]) -> Flow[Sequence[Piece]]:
    """The pieces of a sort whose turn it is."""
    turn = start = turns.get(sort, 0)
    found = yield from read(PIECES, skip=start)
    if start and not found:
        # So many were done that the queue is shorter now: begin again.
        start = 0
        found = yield from read(PIECES, skip=start)
    after = start + PIECES if len(found) >= PIECES else 0
    if after != turn:
        _ = yield from write(store.turned(sort, after))
    return found


def _deliveries_of(merchant: Merchant, link_id: str, *, now: dt.datetime) -> Flow[Sequence[StoredDelivery]]:
    """What is due of one link, however much waits elsewhere."""
    due: list[StoredDelivery] = []
    for delivery in (yield from merchant.store.deliveries(link_id)):
        waits = delivery.outcome is Outcome.DEFERRED and (delivery.retry_at or now) <= now
        if waits or delivery.outcome is Outcome.PREPARED:
            due.append((yield from reload(merchant, delivery.id)))
    return due


def _refunds_of(merchant: Merchant, link_id: str) -> Flow[Sequence[StoredRefund]]:
    """The refunds of one link's payments that may be unanswered."""
    found: list[StoredRefund] = []
    for payment in (yield from merchant.store.payments(link_id=link_id)):
        for refund in (yield from merchant.store.refunds(payment.id)):
            stored = yield from merchant.store.refund(refund.id)
            if stored is not None and refund.status is RefundStatus.PENDING:
                found.append(stored)
    return found
