"""
Webhooks: verified, stored, and their effects written once.

The event and what it changes are one batch, so a process that dies leaves either both or neither, and the
provider tells it again. An event that cannot be understood, or does not belong here, is kept or counted and
answered with 2xx, so that the provider does not tell it for days. Only a forged or stale one is refused.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping

from attrs import frozen

from paybylink.errors import Conflict, ProviderError, WebhookRejected
from paybylink.events import Event
from paybylink.flow import Flow, write
from paybylink.providers.base import (
    DisputeNotice,
    ForeignNotice,
    Provider,
    ProviderEvent,
    RefundNotice,
    UnknownNotice,
)
from paybylink.store import InboxRow

from .merchant import Merchant
from .record import ROUNDS, Effects, effects_of, record_all

log = logging.getLogger("paybylink.webhooks")


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
    merchant: Merchant, provider: Provider, *, headers: Mapping[str, str], body: bytes, now: dt.datetime
) -> Flow[WebhookReply]:
    """The answer to one webhook call, after everything it means was committed."""
    try:
        provider.verify(headers, body, now=now)
        told = provider.read(body)
    except WebhookRejected as error:
        log.warning("%s: webhook refused: %s", provider.name, error)
        return WebhookReply(status=error.status, body=b"refused", reason=str(error))
    events: tuple[Event, ...] = ()
    for event in told:
        events += yield from take_in(merchant, provider, event, body=body, now=now)
    return WebhookReply(body=b"ok", events=events)


def take_in(
    merchant: Merchant, provider: Provider, event: ProviderEvent, *, body: bytes, now: dt.datetime
) -> Flow[tuple[Event, ...]]:
    """Write one event and its effects, once; a repetition changes nothing."""
    store = merchant.store
    for _ in range(ROUNDS):
        if (yield from store.inbox_state(provider.name, event.event_id)) is not None:
            return ()
        effects = yield from effects_of(merchant, provider, event.notice, now=now)
        arrival = store.receive_event(
            provider.name,
            event.event_id,
            event.kind,
            effects.state,
            at=now,
            # Of what does not concern us, only the id and the kind are kept.
            body=b"" if isinstance(event.notice, ForeignNotice) else body,
            error=effects.reason,
        )
        try:
            _ = yield from write(arrival, *effects.steps)
        except Conflict:
            continue
        if isinstance(event.notice, UnknownNotice):
            log.warning("%s: event of unknown kind %s parked", provider.name, event.kind)
        return effects.events
    raise Conflict("receive_event")


def take_up(merchant: Merchant, row: InboxRow, *, now: dt.datetime) -> Flow[tuple[Event, ...]]:
    """
    Try an event again that waited for something that had not been told yet.

    A refund or dispute waits for its payment. If that was still not told, its provider is asked for it: a payment
    without our mark is foreign, and so is what follows from it; one with our mark is recorded first.
    """
    provider = merchant.provider(row.provider)
    store = merchant.store
    for event in provider.read(row.body):
        if event.event_id != row.event_id:
            continue
        effects = yield from effects_of(merchant, provider, event.notice, now=now)
        if effects.state == "waiting" and isinstance(event.notice, RefundNotice | DisputeNotice):
            effects = yield from _with_payment(merchant, provider, event.notice, now=now)
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
