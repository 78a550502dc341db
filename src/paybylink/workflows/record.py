"""
Writing down what a provider tells: a payment, a refund, a dispute.

One notice becomes one batch: the money, the link it moves, the booking and the event for the host, all or
nothing. The keys are the effects' own (the payment at its provider, the refund, the dispute and its outcome), so
news told twice, by webhook and when asked, act once; and the state tables see to it that late news undo nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from paybylink.errors import Conflict
from paybylink.events import Event
from paybylink.flow import Flow, write
from paybylink.providers.base import (
    Bell,
    ForeignNotice,
    LinkNotice,
    Notice,
    PaymentNotice,
    Provider,
    RefundNotice,
    UnknownNotice,
)

from .dispute_news import dispute_effects
from .effects import Effects
from .merchant import Merchant
from .payment_news import payment_effects
from .refund_news import refund_effects

#: How often a notice is planned anew when another writer was first.
ROUNDS = 20


def record_all(
    merchant: Merchant, provider: Provider, notices: Sequence[Notice], *, now: dt.datetime
) -> Flow[tuple[Event, ...]]:
    """Record each notice in a batch of its own, and return the events that came of them."""
    events: tuple[Event, ...] = ()
    for notice in notices:
        for _ in range(ROUNDS):
            effects = yield from effects_of(merchant, provider, notice, now=now)
            if not effects.steps:
                break
            try:
                _ = yield from write(*effects.steps)
            except Conflict:
                continue
            events += effects.events
            break
        else:
            raise Conflict("record")
    return events


def effects_of(merchant: Merchant, provider: Provider, notice: Notice, *, now: dt.datetime) -> Flow[Effects]:
    """What `notice` changes, given what is stored now. Reads only."""
    match notice:
        case ForeignNotice():
            return Effects(state="foreign", reason=notice.reason)
        case UnknownNotice():
            return Effects(state="parked", reason=notice.reason)
        case LinkNotice() | Bell():
            # Money and our own closing tell the same; `refresh` sees what was changed by hand. A bell says nothing,
            # and is answered by asking; see `receive`.
            return Effects()
    if notice.mode is not provider.mode:
        return Effects(state="parked", reason=f"a {notice.mode} event reached a {provider.mode} account")
    match notice:
        case PaymentNotice():
            return (yield from payment_effects(merchant, provider, notice, now=now))
        case RefundNotice():
            return (yield from refund_effects(merchant, provider, notice, now=now))
    return (yield from dispute_effects(merchant, provider, notice, now=now))
