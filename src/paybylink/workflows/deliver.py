"""
Handing a link to a person, at most once for each (link, channel, recipient, purpose).

Rule 1: the delivery is written down as `unknown` before anything is sent, and only while the link can be paid.
        One guarded statement does both. A payment that commits after it can still cross one message.
Rule 2: `unknown` is resolved by asking, where the medium can be asked, and never by sending again. A mail server
        cannot be asked, so a process that dies between the reservation and the answer leaves an `unknown` for a
        person, who looks and may `resend` with a key of its own.
Rule 3: a clear "not now" (`deferred`) may be tried again with the same bytes; everything else may not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import evolve

from paybylink.channels.base import Channel, Occasion, Sent
from paybylink.errors import (
    Conflict,
    InvalidInput,
    LinkClosed,
    MissingExtra,
    NotFound,
    NotSent,
    UnsupportedCapability,
)
from paybylink.events import DeliveryUpdated
from paybylink.flow import Flow, Step, write
from paybylink.links import LinkStatus, PaymentLink
from paybylink.messages import Delivery, Medium, Outcome, Purpose, outcome_moved
from paybylink.orders import Customer, Document
from paybylink.store import StoredDelivery

from .close import load
from .merchant import Merchant

#: Messages that ask for money, and so go out only while there is a way to pay.
ASKING = frozenset({Purpose.REQUEST, Purpose.REMINDER})
#: After so many clear "not now" a message counts as refused.
ATTEMPTS = 8
#: Greylisting wants minutes, not seconds (450 and 451 of RFC 5321).
FIRST_WAIT = dt.timedelta(minutes=5)


def deliver(
    merchant: Merchant,
    link_id: str,
    *,
    via: str,
    to: str | None,
    purpose: Purpose,
    attach: Sequence[Document],
    key: str,
    now: dt.datetime,
) -> Flow[Delivery]:
    """
    The delivery of the link's message, made and sent if there is none yet.

    Raises:
        LinkClosed: the link cannot be paid (any more).
        InvalidInput: there is no recipient, or it is no address of this medium.
    """
    store = merchant.store
    stored = yield from load(merchant, link_id)
    link = stored.link
    channel = merchant.channel(via)
    customer = link.order.customer or Customer()
    recipient = _recipient(channel, customer, to)
    known = yield from store.delivery_of(link_id, channel.name, recipient, purpose, key)
    if known is None:
        if not link.url and merchant.lent:
            raise UnsupportedCapability(
                "a lent connection",
                "sending a link that has no address yet",
                "set public_url, whose address is known before the provider answers, or send after your commit",
            )
        waits = merchant.lent and link.status is LinkStatus.PENDING
        if not (link.payable or waits or purpose not in ASKING):
            raise LinkClosed(link)
        known = yield from _reserve(
            merchant, channel, link, customer, recipient, purpose=purpose, attach=attach, key=key, now=now
        )
        if known.delivery.outcome is Outcome.UNKNOWN and known.delivery.attempts == 0 and known.fresh:
            return (yield from _hand_over(merchant, channel, known, now=now))
    if merchant.lent:
        return known.delivery
    return (yield from go_on(merchant, known, now=now))


def go_on(merchant: Merchant, stored: StoredDelivery, *, now: dt.datetime) -> Flow[Delivery]:
    """
    The delivery after whatever may be done about it now: send what is prepared or was clearly not taken, ask
    about what is unknown, leave the rest.
    """
    delivery = stored.delivery
    channel = merchant.channel(delivery.channel)
    if delivery.outcome in (Outcome.PREPARED, Outcome.DEFERRED):
        stands = yield from load(merchant, delivery.link_id)
        if not stands.link.payable and delivery.purpose in ASKING:
            return delivery
        begun = evolve(delivery, outcome=Outcome.UNKNOWN)
        try:
            _ = yield from write(merchant.store.update_delivery(begun, version=delivery.version), fence=True)
        except Conflict:
            # Another worker took it.
            return (yield from reload(merchant, delivery.id)).delivery
        begun = evolve(begun, version=delivery.version + 1)
        return (yield from _hand_over(merchant, channel, evolve(stored, delivery=begun), now=now))
    if delivery.outcome is Outcome.UNKNOWN:
        found = yield from channel.find(delivery)
        if found is not None:
            return (yield from _settle(merchant, delivery, found, attempts=delivery.attempts, now=now))
    return delivery


def reload(merchant: Merchant, delivery_id: str) -> Flow[StoredDelivery]:
    """
    The stored delivery.

    Raises:
        NotFound: there is none with that id.
    """
    stored = yield from merchant.store.delivery(delivery_id)
    if stored is None:
        raise NotFound("no delivery with that id; it may belong to another tenant or store")
    return stored


def _recipient(channel: Channel, customer: Customer, to: str | None) -> str:
    given = to if to is not None else channel.address_of(customer)
    if given is None:
        raise InvalidInput.single(
            "to", f"is missing, and the order's customer has nothing for {channel.medium}", "pass to=…"
        )
    try:
        return channel.normalise(given)
    except InvalidInput as error:
        if to is not None:
            raise
        # The caller gave no `to`, but a customer.
        path = "customer.email" if channel.medium is Medium.EMAIL else "customer.phone"
        faults = [evolve(fault, path=path) for fault in error.faults]
    raise InvalidInput(faults)


def _reserve(
    merchant: Merchant,
    channel: Channel,
    link: PaymentLink,
    customer: Customer,
    recipient: str,
    *,
    purpose: Purpose,
    attach: Sequence[Document],
    key: str,
    now: dt.datetime,
) -> Flow[StoredDelivery]:
    """The reserved row with the exact message, or the row that another call has reserved first."""
    store = merchant.store
    occasion = Occasion(
        link=link,
        purpose=purpose,
        recipient=recipient,
        delivery_id=merchant.identifiers.row(now),
        at=now,
        customer=customer,
        language=customer.language or merchant.language,
        attach=tuple(attach),
    )
    delivery = Delivery(
        id=occasion.delivery_id,
        link_id=link.id,
        channel=channel.name,
        medium=channel.medium,
        purpose=purpose,
        recipient=recipient,
        outcome=Outcome.PREPARED if merchant.lent else Outcome.UNKNOWN,
        reserved_at=now,
        key=key,
        tenant=store.tenant,
    )
    message = channel.compose(occasion)
    step = store.insert_delivery(delivery, message, guard_payable=purpose in ASKING and not merchant.lent)
    try:
        _ = yield from write(step, fence=True)
    except Conflict:
        known = yield from store.delivery_of(link.id, channel.name, recipient, purpose, key)
        if known is None:
            raise LinkClosed((yield from load(merchant, link.id)).link) from None
        return known
    return StoredDelivery(delivery=delivery, message=message, fresh=True)


def _hand_over(
    merchant: Merchant, channel: Channel, stored: StoredDelivery, *, now: dt.datetime
) -> Flow[Delivery]:
    """Send a message whose row already says `unknown`, and write down what came back."""
    attempts = stored.delivery.attempts + 1
    try:
        sent = yield from channel.send(stored.message, delivery_id=stored.delivery.id)
    except (MissingExtra, NotSent) as error:
        # Surely not sent, so it is not unknown: it may go out once that is mended.
        unsent = Sent(outcome=Outcome.DEFERRED, detail=str(error), configuration=True)
        _ = yield from _settle(merchant, stored.delivery, unsent, attempts=attempts, now=now)
        raise
    return (yield from _settle(merchant, stored.delivery, sent, attempts=attempts, now=now))


def _settle(
    merchant: Merchant, delivery: Delivery, sent: Sent, *, attempts: int, now: dt.datetime
) -> Flow[Delivery]:
    outcome = outcome_moved(delivery.outcome, sent.outcome)
    if outcome is Outcome.DEFERRED and attempts >= ATTEMPTS:
        outcome = Outcome.REFUSED
    settled = evolve(
        delivery,
        outcome=outcome,
        vendor_id=sent.vendor_id or delivery.vendor_id,
        attempts=attempts,
        detail=sent.detail,
        retry_at=now + FIRST_WAIT * 2 ** (attempts - 1) if outcome is Outcome.DEFERRED else None,
    )
    steps: list[Step] = [merchant.store.update_delivery(settled, version=delivery.version)]
    if outcome is not delivery.outcome:
        event = DeliveryUpdated(
            id=f"{delivery.id}.{outcome}.{attempts}",
            at=now,
            delivery_id=delivery.id,
            link_id=delivery.link_id,
            outcome=outcome,
            tenant=delivery.tenant,
        )
        steps.append(merchant.store.emit(event, now=now))
    try:
        _ = yield from write(*steps)
    except Conflict:
        # A report of the carrier was quicker than its own answer; the tables keep the better news.
        return (yield from reload(merchant, delivery.id)).delivery
    return evolve(settled, version=delivery.version + 1)
