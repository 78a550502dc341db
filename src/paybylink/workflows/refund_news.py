"""
What news of a refund change: the refund, what is left of its payment, the booking, and what the host is told.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.accounting.booking import Claim, book_refund, book_refund_failed
from paybylink.accounting.entries import entry_key
from paybylink.events import Event, RefundFailed, RefundSettled
from paybylink.flow import Flow, Step
from paybylink.money import Money
from paybylink.payments import Payment, Refund, RefundStatus, refund_moved
from paybylink.providers.base import Provider, RefundNotice

from .effects import Effects, of_unknown_payment
from .merchant import Merchant


def refund_effects(
    merchant: Merchant, provider: Provider, notice: RefundNotice, *, now: dt.datetime
) -> Flow[Effects]:
    """What `notice` changes, given what is stored now. Reads only."""
    store = merchant.store
    stored = yield from store.refund_of_vendor(provider.name, notice.vendor_id)
    if stored is None and notice.refund_id:
        stored = yield from store.refund(notice.refund_id.partition(".")[0])
        if stored is not None and (stored.refund.vendor_id or refund_mark(stored.refund) != notice.refund_id):
            # News of an attempt that had ended before this one was made under the same reference.
            key = entry_key(provider.name, notice.vendor_id, "refund")
            if notice.status is not RefundStatus.SUCCEEDED or (yield from store.entry_of_key(key)):
                return Effects()
            stored = None
    payment = yield from store.payment_of_vendor(provider.name, notice.payment_vendor_id)
    if payment is None:
        return (
            yield from of_unknown_payment(
                merchant,
                provider,
                notice.payment_event,
                waiting_for="the payment that it gives back has not been told yet",
            )
        )
    if stored is None and not notice.refund_id and (yield from _unanswered(merchant, payment, notice)):
        return Effects(state="waiting", reason="it may be a refund of ours that was not answered yet")
    if stored is None:
        # Made in the provider's dashboard: its own id is the reference that keeps it single.
        before: RefundStatus | None = None
        refund = Refund(
            id=merchant.identifiers.row(now),
            payment_id=payment.id,
            provider=provider.name,
            amount=notice.amount,
            status=notice.status,
            requested_at=notice.at,
            reference=f"{provider.name}:{notice.vendor_id}",
            tenant=store.tenant,
            vendor_id=notice.vendor_id,
            reason=notice.reason,
            vendor_status=notice.vendor_status,
        )
        version = 0
    else:
        before, version = stored.refund.status, stored.refund.version
        refund = evolve(
            stored.refund,
            status=refund_moved(before, notice.status),
            vendor_id=notice.vendor_id,
            vendor_status=notice.vendor_status,
        )
        if refund == stored.refund:
            return Effects()
    steps, events = yield from _moved(merchant, payment, refund, before, now=now)
    steps = (
        store.insert_refund(refund, None) if before is None else store.update_refund(refund, version=version),
        *steps,
        *(store.emit(event, now=now) for event in events),
    )
    return Effects(steps=steps, events=events)


def _unanswered(merchant: Merchant, payment: Payment, notice: RefundNotice) -> Flow[bool]:
    """Whether a refund of ours over the same amount has no answer yet, so this may be it."""
    refunds = yield from merchant.store.refunds(payment.id)
    return any(
        refund.status is RefundStatus.PENDING and refund.vendor_id is None and refund.amount == notice.amount
        for refund in refunds
    )


def refund_mark(refund: Refund) -> str:
    """What travels to the provider with a refund: its row, and which attempt of it this is."""
    return refund.id if refund.version == 1 else f"{refund.id}.{refund.version}"


def _moved(
    merchant: Merchant, payment: Payment, refund: Refund, before: RefundStatus | None, *, now: dt.datetime
) -> Flow[tuple[tuple[Step, ...], tuple[Event, ...]]]:
    """What a refund that went from `before` to its status does to its payment, the books and the host."""
    store, after = merchant.store, refund.status
    steps: list[Step] = []
    happened: type[RefundSettled | RefundFailed] | None = None
    taken = before in (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    takes = after in (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    if taken is not takes:
        refunded = payment.refunded + refund.amount if takes else payment.refunded - refund.amount
        # The provider is right about its own money: never more than the payment, never below zero.
        refunded = min(max(refunded, Money.read(0, payment.amount.currency)), payment.amount)
        steps.append(store.update_payment(evolve(payment, refunded=refunded), version=payment.version))
    if after is RefundStatus.SUCCEEDED and before is not RefundStatus.SUCCEEDED:
        stored = (yield from store.link(payment.link_id)) if payment.link_id else None
        entry = book_refund(
            refund,
            payment,
            claim=Claim.of(stored.link if stored else None),
            accounts=merchant.accounts,
            entry_id=merchant.identifiers.row(now),
            created_at=now,
        )
        steps += store.book(entry)
        happened = RefundSettled
    if taken and not takes:
        if before is RefundStatus.SUCCEEDED:
            booked = yield from store.entry_of_key(
                entry_key(refund.provider, refund.vendor_id or "", "refund")
            )
            # What has succeeded was booked in the same batch.
            assert booked is not None
            steps += store.book(
                book_refund_failed(
                    booked,
                    refund,
                    accounts=merchant.accounts,
                    entry_id=merchant.identifiers.row(now),
                    created_at=now,
                )
            )
        happened = RefundFailed
    if happened is None:
        return tuple(steps), ()
    event = happened(
        id=f"{refund.id}.{after}",
        at=now,
        refund_id=refund.id,
        payment_id=payment.id,
        amount=refund.amount,
        reference=refund.reference,
        tenant=store.tenant,
    )
    return tuple(steps), (event,)
