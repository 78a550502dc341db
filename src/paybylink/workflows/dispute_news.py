"""
What news of a dispute change: the dispute, and what the host is told. Its booking belongs to the settlement.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.events import DisputeClosed, DisputeOpened, Event
from paybylink.flow import Flow
from paybylink.payments import Dispute, DisputeStatus
from paybylink.providers.base import DisputeNotice, Provider

from .effects import Effects, of_unknown_payment
from .merchant import Merchant


def dispute_effects(
    merchant: Merchant, provider: Provider, notice: DisputeNotice, *, now: dt.datetime
) -> Flow[Effects]:
    """What `notice` changes, given what is stored now. Reads only."""
    store = merchant.store
    known = yield from store.dispute_of_vendor(provider.name, notice.vendor_id)
    contested = notice.payment_vendor_id or (known.payment_vendor_id if known else "")
    payment = yield from store.payment_of_vendor(provider.name, contested)
    if known is not None and (known.status is notice.status or notice.status is DisputeStatus.OPEN):
        return Effects()
    if payment is None:
        return (
            yield from of_unknown_payment(
                merchant,
                provider,
                notice.payment_event,
                waiting_for="the payment that it contests has not been told yet",
            )
        )
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
