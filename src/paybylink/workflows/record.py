"""
Writing down what a provider tells: a payment, a refund, a dispute.

One notice becomes one batch: the money, the link it moves, the booking and the event for the host, all or
nothing. The keys are the effects' own (the payment at its provider, the refund, the dispute and its outcome), so
news told twice, by webhook and when asked, act once; and the state tables see to it that late news undo nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import evolve, field, frozen

from paybylink.accounting.booking import Claim, book_payment, book_refund, book_refund_failed
from paybylink.accounting.entries import entry_key
from paybylink.errors import Conflict
from paybylink.events import (
    DisputeClosed,
    DisputeOpened,
    Event,
    LinkPaid,
    PaymentFailed,
    PaymentProcessing,
    PaymentReceived,
    RefundFailed,
    RefundSettled,
)
from paybylink.flow import Flow, Step, write
from paybylink.kinds import Reusable
from paybylink.links import PAYABLE, LinkStatus, PaymentLink
from paybylink.money import Money
from paybylink.payments import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentFlag,
    PaymentStatus,
    Refund,
    RefundStatus,
    payment_moved,
    refund_moved,
)
from paybylink.providers.base import (
    DisputeNotice,
    ForeignNotice,
    LinkNotice,
    Notice,
    PaymentNotice,
    Provider,
    RefundNotice,
    UnknownNotice,
)
from paybylink.standing import after_attempt, after_payment

from .merchant import Merchant

#: How often a notice is planned anew when another writer was first.
ROUNDS = 20


@frozen(kw_only=True)
class Effects:
    """
    What a notice changes.

    Attributes:
        steps: to be written in one batch.
        events: what they mean to the host; their steps are among `steps`.
        state: what the inbox says afterwards: processed, foreign, parked, or waiting for something that has
            not been told yet.
        reason: why it is parked or waiting.
    """

    steps: tuple[Step, ...] = ()
    events: tuple[Event, ...] = ()
    state: str = "processed"
    reason: str = field(default="")


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
        case LinkNotice():
            # Money and our own closing tell the same; `refresh` sees what was changed by hand.
            return Effects()
    if notice.mode is not provider.mode:
        return Effects(state="parked", reason=f"a {notice.mode} event reached a {provider.mode} account")
    match notice:
        case PaymentNotice():
            return (yield from _payment(merchant, provider, notice, now=now))
        case RefundNotice():
            return (yield from _refund(merchant, provider, notice, now=now))
    return (yield from _dispute(merchant, provider, notice, now=now))


def _link_of(merchant: Merchant, provider: Provider, notice: PaymentNotice) -> Flow[PaymentLink | None]:
    """The link that a payment came by: by our own mark, else by the provider's link."""
    if notice.link_id:
        stored = yield from merchant.store.link(notice.link_id)
        if stored is not None:
            return stored.link
    if notice.link_vendor_id:
        stored = yield from merchant.store.link_of_vendor(provider.name, notice.link_vendor_id)
        if stored is not None:
            return stored.link
    return None


def _payment(
    merchant: Merchant, provider: Provider, notice: PaymentNotice, *, now: dt.datetime
) -> Flow[Effects]:
    store = merchant.store
    known = yield from store.payment_of_vendor(provider.name, notice.vendor_id)
    before = known.status if known else None
    after = payment_moved(before, notice.status) if before else notice.status
    if before is after or (known is not None and _overtaken(known, notice)):
        return Effects()
    link = yield from _link_of(merchant, provider, notice)
    payment = evolve(
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
            tenant=store.tenant,
        ),
        amount=notice.amount,
        status=after,
        at=notice.at,
        method=notice.method or (known.method if known else ""),
        vendor_status=notice.vendor_status,
    )
    steps: list[Step] = []
    events: list[Event] = []
    if after is PaymentStatus.SUCCEEDED:
        payment, moved_link, event = _succeeded(payment, link, now=now)
        events.append(event)
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
    else:
        failed = after in (PaymentStatus.FAILED, PaymentStatus.CANCELLED)
        moved_link = after_attempt(link, failed=failed) if link else None
        if moved_link is not None and moved_link.status in PAYABLE and moved_link.current is None:
            # It was closed while the money was under way, so nothing is left that could be paid.
            moved_link = evolve(moved_link, status=LinkStatus.EXPIRED)
        if link and after in (PaymentStatus.FAILED, PaymentStatus.PROCESSING):
            happened = PaymentFailed if failed else PaymentProcessing
            events.append(
                happened(
                    id=f"{payment.id}.{after}",
                    at=now,
                    link_id=link.id,
                    reference=link.order.reference,
                    payment_id=payment.id,
                    amount=payment.amount,
                    part=link.order.part,
                    tenant=store.tenant,
                )
            )
    steps.append(
        store.update_payment(payment, version=known.version) if known else store.insert_payment(payment)
    )
    if link is not None and moved_link is not None and moved_link != link:
        steps.append(store.update_link(moved_link, version=link.version))
    steps += [store.emit(event, now=now) for event in events]
    return Effects(steps=tuple(steps), events=tuple(events))


def _overtaken(known: Payment, notice: PaymentNotice) -> bool:
    """Whether it was told later that the attempt of `notice` began than that it failed; only a younger one counts."""
    over = known.status in (PaymentStatus.FAILED, PaymentStatus.CANCELLED)
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


def _refund(
    merchant: Merchant, provider: Provider, notice: RefundNotice, *, now: dt.datetime
) -> Flow[Effects]:
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
        return Effects(state="waiting", reason="the payment that it gives back has not been told yet")
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
    steps, events = yield from _refund_effects(merchant, payment, refund, before, now=now)
    steps = (
        store.insert_refund(refund, None) if before is None else store.update_refund(refund, version=version),
        *steps,
        *(store.emit(event, now=now) for event in events),
    )
    return Effects(steps=steps, events=events)


def refund_mark(refund: Refund) -> str:
    """What travels to the provider with a refund: its row, and which attempt of it this is."""
    return refund.id if refund.version == 1 else f"{refund.id}.{refund.version}"


def _refund_effects(
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


def _dispute(
    merchant: Merchant, provider: Provider, notice: DisputeNotice, *, now: dt.datetime
) -> Flow[Effects]:
    store = merchant.store
    known = yield from store.dispute_of_vendor(provider.name, notice.vendor_id)
    payment = yield from store.payment_of_vendor(provider.name, notice.payment_vendor_id)
    if known is not None and (known.status is notice.status or notice.status is DisputeStatus.OPEN):
        return Effects()
    if payment is None:
        return Effects(state="waiting", reason="the payment that it contests has not been told yet")
    dispute = evolve(
        known
        or Dispute(
            id=merchant.identifiers.row(now),
            provider=provider.name,
            vendor_id=notice.vendor_id,
            payment_vendor_id=notice.payment_vendor_id,
            amount=notice.amount,
            status=notice.status,
            at=notice.at,
            tenant=store.tenant,
        ),
        status=notice.status,
        reason=notice.reason,
        respond_by=notice.respond_by,
    )
    payment_id = payment.id
    event: Event
    if dispute.status is DisputeStatus.OPEN:
        event = DisputeOpened(
            id=f"{dispute.id}.open",
            at=now,
            dispute_id=dispute.id,
            amount=dispute.amount,
            payment_id=payment_id,
            reason=dispute.reason,
            tenant=store.tenant,
        )
    else:
        event = DisputeClosed(
            id=f"{dispute.id}.{dispute.status}",
            at=now,
            dispute_id=dispute.id,
            amount=dispute.amount,
            won=dispute.status is DisputeStatus.WON,
            payment_id=payment_id,
            tenant=store.tenant,
        )
    step = (
        store.update_dispute(dispute, was=known.status)
        if known
        else store.insert_dispute(dispute, payment_id=payment_id)
    )
    return Effects(steps=(step, store.emit(event, now=now)), events=(event,))
