"""
Webhooks: verified, stored, and their effects written once.

The event and what it changes are one batch, so a process that dies leaves either both or neither, and the
provider tells it again. An event that cannot be understood, or does not belong here, is kept or counted and
answered with 2xx, so that the provider does not tell it for days. Only a forged or stale one is refused.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

from attrs import frozen

from paybylink.errors import Conflict, PaybylinkError, ProviderError, WebhookRejected
from paybylink.events import Event, LinkPaid, PaymentFailed
from paybylink.flow import Flow, write
from paybylink.links import LinkStatus, ProviderLinkStatus
from paybylink.providers.base import (
    Bell,
    DisputeNotice,
    Feature,
    Notice,
    Provider,
    ProviderEvent,
    RefundNotice,
    Support,
    UnknownNotice,
)
from paybylink.store import InboxRow

from .bells import answer_bell, is_ours
from .close import expire, load
from .effects import Effects
from .issue import complete
from .merchant import Merchant
from .record import ROUNDS, effects_of, record_all

log = logging.getLogger("paybylink.webhooks")

#: How long news wait for a payment that cannot be asked for. Adyen tells an event again for 30 days.
LONGEST_WAIT = dt.timedelta(days=35)


@frozen(kw_only=True)
class WebhookReply:
    """
    What to answer the provider.

    Attributes:
        status: 200 when it was taken or is of no concern here, 400 when it is not believed.
        body: what to send back; some providers want a certain word.
        events: what it meant to the host; empty for a repetition.
        reason: why it was refused, for the log; empty otherwise.
    """

    status: int = 200
    body: bytes = b""
    events: tuple[Event, ...] = ()
    reason: str = ""


def receive(
    merchant: Merchant,
    provider: Provider,
    *,
    headers: Mapping[str, str],
    body: bytes,
    query: str = "",
    now: dt.datetime,
) -> Flow[WebhookReply]:
    """The answer to one webhook call, after everything it means was committed."""
    try:
        provider.verify(headers, body, now=now)
        told = provider.read(body, query=query)
    except WebhookRejected as error:
        log.warning("%s: webhook refused: %s", provider.name, error)
        return WebhookReply(status=error.status, body=b"refused", reason=str(error))
    events: tuple[Event, ...] = ()
    behind: set[str] = set()
    for event in told:
        if isinstance(event.notice, Bell):
            meant = yield from _rung(merchant, provider, event, event.notice, body, query, now=now)
            behind |= {each.link_id for each in meant if isinstance(each, LinkPaid | PaymentFailed)}
            events += meant
        else:
            effects = yield from take_in(merchant, provider, event, body=body, query=query, now=now)
            behind |= {effects.behind} - {""}
            events += effects.events
    if not merchant.lent:
        yield from _finish_behind(merchant, sorted(behind), now=now)
    return WebhookReply(body=provider.acknowledgement or b"ok", events=events)


def take_in(
    merchant: Merchant,
    provider: Provider,
    event: ProviderEvent,
    *,
    body: bytes,
    query: str = "",
    now: dt.datetime,
) -> Flow[Effects]:
    """Write one event and its effects, once; a repetition changes nothing, but for one with newer details."""
    store = merchant.store
    for _ in range(ROUNDS):
        state = yield from store.inbox_state(provider.name, event.event_id)
        if state is not None and not (yield from _newer(merchant, provider, event)):
            return Effects()
        effects = yield from effects_of(merchant, provider, event.notice, now=now)
        # Of what does not concern us, only the id and the kind are kept.
        kept = b"" if effects.state == "foreign" else body
        if state is None:
            arrival = store.receive_event(
                provider.name,
                event.event_id,
                event.kind,
                effects.state,
                at=now,
                body=kept,
                error=effects.reason,
                happened_at=event.at,
                query=query,
            )
        else:
            arrival = store.newer_event(
                provider.name,
                event.event_id,
                effects.state,
                at=now,
                body=kept,
                happened_at=event.at,
                error=effects.reason,
            )
        try:
            _ = yield from write(arrival, *effects.steps)
        except Conflict:
            continue
        if isinstance(event.notice, UnknownNotice):
            log.warning("%s: event of unknown kind %s parked", provider.name, event.kind)
        return effects
    raise Conflict("receive_event")


def _newer(merchant: Merchant, provider: Provider, event: ProviderEvent) -> Flow[bool]:
    """Whether an event that came before is told again with newer details."""
    if not event.newest_wins:
        return False
    kept = yield from merchant.store.inbox_moment(provider.name, event.event_id)
    return kept is None or event.at > kept


def _rung(
    merchant: Merchant,
    provider: Provider,
    event: ProviderEvent,
    bell: Bell,
    body: bytes,
    query: str,
    *,
    now: dt.datetime,
) -> Flow[tuple[Event, ...]]:
    """
    What a bell meant, after asking; where its provider cannot be asked now, the next pass does it.

    The ring is kept first, so that it is not lost with this process; but for one that nothing of ours has rung, of
    which anybody could make any number.
    """
    if not (yield from is_ours(merchant, provider, bell)):
        log.info("%s: a bell that no link of ours has rung", provider.name)
        return ()
    row = yield from merchant.store.ring(
        provider.name, event.event_id, event.kind, at=now, body=body, query=query
    )
    if merchant.lent:
        return ()
    try:
        return (yield from answer_bell(merchant, provider, bell, row, now=now))
    except PaybylinkError as error:
        log.warning("%s: what rang could not be asked for now: %s", provider.name, error.code)
        return ()


def _finish_behind(merchant: Merchant, link_ids: Sequence[str], *, now: dt.datetime) -> Flow[None]:
    """
    Close at once what could still be paid behind links that are paid, and open again what a failed payment has used
    up; what fails is left to the next pass.
    """
    for link_id in link_ids:
        stored = yield from load(merchant, link_id)
        try:
            if stored.link.status is LinkStatus.PENDING:
                _ = yield from complete(merchant, stored, now=now)
            elif any(each.status is ProviderLinkStatus.CLOSING for each in stored.link.provider_links):
                _ = yield from expire(merchant, link_id, now=now)
        except PaybylinkError as error:
            log.warning("what is left to do behind a link could not be done now: %s", error.code)


def take_up(merchant: Merchant, row: InboxRow, *, now: dt.datetime) -> Flow[tuple[Event, ...]]:
    """
    Try an event again that waited for something that had not been told yet, or a bell that was not answered.

    News of a payment wait for it. If that was still not told, its provider is asked for it, where it can be: a
    payment without our mark is foreign, and so is what follows from it; one with our mark is recorded first. Where
    it cannot be asked, what was not told in `LONGEST_WAIT` is foreign.
    """
    provider = merchant.provider(row.provider)
    store = merchant.store
    for event in provider.read(row.body, query=row.query):
        if event.event_id != row.event_id:
            continue
        if isinstance(event.notice, Bell):
            return (yield from answer_bell(merchant, provider, event.notice, row, now=now))
        effects = yield from effects_of(merchant, provider, event.notice, now=now)
        if effects.state == "waiting":
            effects = yield from _still_waiting(merchant, provider, event.notice, effects, row, now=now)
        if effects.state == "waiting":
            return ()
        done = [store.settle_event(row.provider, row.event_id, effects.state, at=now, error=effects.reason)]
        if effects.state == "foreign":
            done.append(store.blank_event(row.provider, row.event_id))
        try:
            _ = yield from write(*done, *effects.steps)
        except Conflict:
            # Somebody else was first; the next pass sees what is left to do.
            return ()
        return effects.events
    return ()


def _still_waiting(
    merchant: Merchant,
    provider: Provider,
    notice: Notice,
    effects: Effects,
    row: InboxRow,
    *,
    now: dt.datetime,
) -> Flow[Effects]:
    known = None
    if isinstance(notice, RefundNotice | DisputeNotice):
        known = yield from merchant.store.payment_of_vendor(provider.name, notice.payment_vendor_id)
        if known is None and provider.capabilities[Feature.FETCH_PAYMENT].support is not Support.UNSUPPORTED:
            return (yield from _with_payment(merchant, provider, notice, now=now))
    if row.received_at > now - LONGEST_WAIT:
        return effects
    if known is not None:
        # It may be a refund of ours that was never answered, or somebody else's: a person can tell.
        return Effects(state="parked", reason=effects.reason)
    return Effects(state="foreign", reason="the payment it is about was never told")


def _with_payment(
    merchant: Merchant, provider: Provider, notice: RefundNotice | DisputeNotice, *, now: dt.datetime
) -> Flow[Effects]:
    """What a refund or dispute changes once its payment was fetched."""
    try:
        payment = yield from provider.fetch_payment(notice.payment_vendor_id)
    except ProviderError as error:
        if not error.certain:
            raise
        return Effects(state="parked", reason=f"its payment cannot be read: {error.standard_code}")
    if not payment.link_id:
        return Effects(state="foreign", reason="it is about a payment that no link of ours has made")
    _ = yield from record_all(merchant, provider, (payment,), now=now)
    return (yield from effects_of(merchant, provider, notice, now=now))
