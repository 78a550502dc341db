"""
What news of a payment change: the money, the link that it moves, the booking, and what the host is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from attrs import evolve

from paybylink.accounting.booking import Claim, book_payment
from paybylink.events import (
    Event,
    LinkPaid,
    PaymentAuthorised,
    PaymentFailed,
    PaymentProcessing,
    PaymentReceived,
)
from paybylink.flow import Flow, Step
from paybylink.kinds import Reusable
from paybylink.links import PAYABLE, LinkStatus, PaymentLink, ProviderLinkStatus
from paybylink.payments import Payment, PaymentFlag, PaymentStatus, payment_moved
from paybylink.providers.base import PaymentNotice, Provider
from paybylink.standing import after_attempt, after_payment

from .asked import Asked
from .behind import behind_of, closings, named
from .effects import Effects, of_unknown_payment
from .merchant import Merchant

#: A payment of which no money comes.
_OVER = (PaymentStatus.FAILED, PaymentStatus.CANCELLED)


def payment_effects(
    merchant: Merchant, provider: Provider, notice: PaymentNotice, *, now: dt.datetime
) -> Flow[Effects]:
    """What `notice` changes, given what is stored now. Reads only."""
    store = merchant.store
    known = yield from store.payment_of_vendor(provider.name, notice.vendor_id)
    if known is None and notice.payment_event:
        return (
            yield from of_unknown_payment(
                merchant,
                provider,
                notice.payment_event,
                waiting_for="the payment itself has not been told yet",
            )
        )
    before = known.status if known else None
    after = payment_moved(before, notice.status) if before else notice.status
    if known is not None and before is after:
        return _better_told(merchant, known, notice)
    if known is not None and _overtaken(known, notice):
        return Effects()
    link = yield from _link_of(merchant, provider, notice, known)
    payment = _payment(merchant, provider, notice, known, link, after, now=now)
    steps: list[Step] = []
    behind_steps: tuple[Step, ...] = ()
    event: Event | None
    if after is PaymentStatus.SUCCEEDED:
        payment, moved_link, event = _succeeded(payment, link, now=now)
        # Where everything was waived, e.g. by a promotion code, no money moved and nothing is booked.
        if not payment.amount.is_zero:
            entry = book_payment(
                payment,
                claim=Claim.of(link),
                accounts=merchant.accounts,
                entry_id=merchant.identifiers.row(now),
                created_at=now,
            )
            steps += store.book(entry)
        if link is not None and moved_link is not None:
            behind_steps = closings(merchant, moved_link, behind_of(link, notice))
    else:
        moved_link = None
        if link is not None and (yield from _others_under_way(merchant, link, notice, after)):
            # Written as it is, so that of two that fail at the same moment the second one reads again.
            steps.append(store.update_link(link, version=link.version))
        elif link is not None:
            moved_link, behind_steps = _not_money(merchant, link, notice, before, after)
        event = _told(payment, link, after, tenant=store.tenant, now=now)
    if link is not None:
        # What is named now was not answered: its making is to be finished before more is told of it.
        full = moved_link is not None and moved_link.status is LinkStatus.PAID
        behind_steps += yield from named(merchant, link, notice, full=full)
    steps += behind_steps
    steps.append(
        store.update_payment(payment, version=known.version) if known else store.insert_payment(payment)
    )
    # A pending link is written also as it is, so that whoever opens it sees that money may be under way.
    if link and moved_link and (moved_link != link or link.status is LinkStatus.PENDING):
        steps.append(store.update_link(moved_link, version=link.version))
    events = () if event is None else (event,)
    steps += [store.emit(each, now=now) for each in events]
    return Effects(
        steps=tuple(steps), events=events, behind=link.id if link is not None and behind_steps else ""
    )


def _link_of(
    merchant: Merchant, provider: Provider, notice: PaymentNotice, known: Payment | None
) -> Flow[PaymentLink | None]:
    """The link that a payment came by: the one we know, else by our own mark, else by the provider's link."""
    ours = (known.link_id if known else None) or notice.link_id
    if ours:
        stored = yield from merchant.store.link(ours)
        if stored is not None:
            return stored.link
    if notice.link_vendor_id:
        stored = yield from merchant.store.link_of_vendor(provider.name, notice.link_vendor_id)
        if stored is not None:
            return stored.link
    return None


def _payment(
    merchant: Merchant,
    provider: Provider,
    notice: PaymentNotice,
    known: Payment | None,
    link: PaymentLink | None,
    after: PaymentStatus,
    *,
    now: dt.datetime,
) -> Payment:
    """The payment as it is written."""
    # News of a modification may speak of its own amount; only what was taken is the payment's.
    keeps = known is not None and bool(notice.payment_event) and after is not PaymentStatus.SUCCEEDED
    return evolve(
        known
        or Payment(
            id=merchant.identifiers.row(now),
            provider=provider.name,
            vendor_id=notice.vendor_id,
            amount=notice.amount,
            status=after,
            mode=notice.mode,
            at=notice.at,
            link_id=link.id if link else None,
            reference=link.order.reference if link else "",
            part=link.order.part if link else "",
            tenant=merchant.store.tenant,
        ),
        amount=known.amount if known and keeps else notice.amount,
        status=after,
        at=notice.at,
        method=notice.method or (known.method if known else ""),
        vendor_status=notice.vendor_status,
    )


def _better_told(merchant: Merchant, known: Payment, notice: PaymentNotice) -> Effects:
    """Nothing has moved, but the method is told for the first time, or told anew by a younger message, or a no is."""
    asked = Asked.on(known)
    if asked is not None and asked.verb == notice.refused:
        return Effects(steps=(merchant.store.update_payment(asked.refused(known), version=known.version),))
    younger = notice.at > known.at or not known.method
    if not notice.method or notice.method == known.method or not younger:
        return Effects()
    told = evolve(known, method=notice.method)
    return Effects(steps=(merchant.store.update_payment(told, version=known.version),))


def _others_under_way(
    merchant: Merchant, link: PaymentLink, notice: PaymentNotice, after: PaymentStatus
) -> Flow[bool]:
    """Whether an attempt has failed beside another one whose money may still come."""
    if after not in _OVER or link.status is not LinkStatus.PROCESSING:
        return False
    payments = yield from merchant.store.payments(link_id=link.id)
    return any(
        each.vendor_id != notice.vendor_id
        and each.status in (PaymentStatus.PROCESSING, PaymentStatus.AUTHORISED)
        for each in payments
    )


def _not_money(
    merchant: Merchant,
    link: PaymentLink,
    notice: PaymentNotice,
    before: PaymentStatus | None,
    after: PaymentStatus,
) -> tuple[PaymentLink, tuple[Step, ...]]:
    """The link after a payment that is under way, has failed or was given up, and what is done behind it."""
    failed = after in _OVER
    moved_link = after_attempt(link, failed=failed)
    behind = behind_of(link, notice)
    given_up = after is PaymentStatus.CANCELLED and before is PaymentStatus.AUTHORISED
    if failed and behind is not None and moved_link.status in PAYABLE:
        if given_up and not isinstance(link.kind, Reusable):
            # An authorisation has used the provider's link up, and that it was given up was somebody's wish.
            gone = evolve(behind, status=ProviderLinkStatus.CLOSED)
            moved_link = evolve(moved_link, status=LinkStatus.EXPIRED)
            return moved_link, (
                merchant.store.update_provider_link(link.id, gone, was=ProviderLinkStatus.OPEN),
            )
        if notice.uses_up:
            again = evolve(behind, status=ProviderLinkStatus.REOPENING)
            moved_link = evolve(moved_link, status=LinkStatus.PENDING)
            return moved_link, (
                merchant.store.update_provider_link(
                    link.id, again, was=ProviderLinkStatus.OPEN, close_key=merchant.identifiers.key()
                ),
            )
    if moved_link.status in PAYABLE and moved_link.current is None:
        # It was closed while the money was under way, so nothing is left that could be paid.
        moved_link = evolve(moved_link, status=LinkStatus.EXPIRED)
    return moved_link, ()


def _told(
    payment: Payment, link: PaymentLink | None, after: PaymentStatus, *, tenant: str, now: dt.datetime
) -> Event | None:
    """What the host is told of a payment that is no money (yet)."""
    happened = _HAPPENED.get(after)
    if link is None or happened is None:
        return None
    return happened(
        id=f"{payment.id}.{after}",
        at=now,
        link_id=link.id,
        reference=link.order.reference,
        payment_id=payment.id,
        amount=payment.amount,
        part=link.order.part,
        tenant=tenant,
    )


_HAPPENED: Mapping[PaymentStatus, type[PaymentFailed | PaymentProcessing | PaymentAuthorised]] = {
    PaymentStatus.FAILED: PaymentFailed,
    PaymentStatus.PROCESSING: PaymentProcessing,
    PaymentStatus.AUTHORISED: PaymentAuthorised,
}


def _overtaken(known: Payment, notice: PaymentNotice) -> bool:
    """Whether it was told later that the attempt of `notice` began than that it failed; only a younger one counts."""
    over = known.status in _OVER
    return over and notice.status is not PaymentStatus.SUCCEEDED and notice.at <= known.at


def _succeeded(
    payment: Payment, link: PaymentLink | None, *, now: dt.datetime
) -> tuple[Payment, PaymentLink | None, Event]:
    """The payment with its flags, the link it moves, and what the host is told."""
    if link is None:
        told = PaymentReceived(
            id=f"{payment.id}.succeeded",
            at=now,
            payment_id=payment.id,
            amount=payment.amount,
            tenant=payment.tenant,
        )
        return payment, None, told
    standing = after_payment(link, payment)
    payment = evolve(payment, flags=standing.flags)
    fits = PaymentFlag.MISMATCH not in standing.flags
    if standing.link.status is LinkStatus.PAID or (isinstance(link.kind, Reusable) and fits):
        return (
            payment,
            standing.link,
            LinkPaid(
                id=f"{payment.id}.succeeded",
                at=now,
                link_id=link.id,
                reference=link.order.reference,
                payment_id=payment.id,
                amount=payment.amount,
                flags=standing.flags,
                part=link.order.part,
                tenant=payment.tenant,
            ),
        )
    return (
        payment,
        standing.link,
        PaymentReceived(
            id=f"{payment.id}.succeeded",
            at=now,
            payment_id=payment.id,
            amount=payment.amount,
            link_id=link.id,
            reference=link.order.reference,
            flags=standing.flags,
            part=link.order.part,
            tenant=payment.tenant,
        ),
    )
