"""
Sending money back, once for each (payment, reference).

The row is reserved, and the amount taken from what can still be refunded, in one guarded batch before anything
is sent. After a lost answer the same bytes go out under the same key, or the provider is asked.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import Conflict, InvalidInput, NotFound, OutcomeUnknown, ProviderError
from paybylink.flow import Call, Flow, Written, write
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus, Refund, RefundStatus
from paybylink.providers.base import Provider, RefundNotice, RefundRequest
from paybylink.store import StoredRefund

from .merchant import Merchant
from .record import ROUNDS, record_all
from .refund_news import refund_mark


def refund(
    merchant: Merchant,
    payment_id: str,
    *,
    amount: Money | None,
    reference: str,
    reason: str,
    now: dt.datetime,
) -> Flow[Refund]:
    """
    The refund of that reference, made if there is none; without a reference, the one refund of everything.

    Raises:
        InvalidInput: more than is left, another amount under the same reference, or a part without a reference.
        OutcomeUnknown: no answer came; the refund is on the error, and calling again asks.
    """
    if amount is not None and not reference:
        raise InvalidInput.single(
            "reference", "is missing for a part", "name the refund, e.g. by the number of its credit note"
        )
    store = merchant.store
    for _ in range(ROUNDS):
        payment = yield from store.payment(payment_id)
        if payment is None:
            raise NotFound("no payment with that id; it may belong to another tenant or store")
        known = yield from store.refund_of(payment_id, reference)
        try:
            if known is None or _ended(known.refund):
                known = yield from _reserve(merchant, payment, known, amount, reference, reason, now=now)
            elif amount is not None and known.refund.amount != amount:
                raise InvalidInput.single(
                    "amount",
                    f"is {amount}, but the refund of that reference is over {known.refund.amount}",
                    "use another reference for another refund",
                )
        except Conflict:
            continue
        if merchant.lent:
            return known.refund
        return (yield from complete_refund(merchant, known, now=now))
    raise Conflict("refund")


def complete_refund(merchant: Merchant, stored: StoredRefund, *, now: dt.datetime) -> Flow[Refund]:
    """The refund after its provider was asked, if it was not before; any other is returned as it is."""
    known = stored.refund
    if known.status is not RefundStatus.PENDING or known.vendor_id is not None or stored.written is None:
        return known
    payment = yield from merchant.store.payment(known.payment_id)
    if payment is None:
        raise NotFound("the payment of this refund is gone from the store")
    provider = merchant.provider(known.provider)
    request = _request(known, payment)
    try:
        told = yield from _make_or_find(provider, request, stored.written, now=now)
    except ProviderError as error:
        if error.certain:
            yield from _give_back(merchant, known, now=now)
        raise
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), who=error.who, subject=known) from error
    if told is None:
        # Asked after the key's life, and the provider has none: it never happened.
        yield from _give_back(merchant, known, now=now)
    else:
        _ = yield from record_all(merchant, provider, (told,), now=now)
    again = yield from merchant.store.refund(known.id)
    return again.refund if again else known


def _make_or_find(
    provider: Provider, request: RefundRequest, written: Written, *, now: dt.datetime
) -> Call[RefundNotice | None]:
    if now < written.key_until:
        try:
            return (yield from provider.refund(request, written=written))
        except ProviderError as error:
            # The key is known with other bytes, so something was made under it: that is no "no".
            if error.standard_code != "idempotency_conflict":
                raise
    try:
        return (yield from provider.find_refund(request))
    except ProviderError as error:
        # That we may not look is no word about what is there.
        raise OutcomeUnknown(f"whether it went back is still unknown; {error}", who=error.who) from error


def _request(asked: Refund, payment: Payment) -> RefundRequest:
    return RefundRequest(
        refund_id=refund_mark(asked),
        payment_vendor_id=payment.vendor_id,
        amount=asked.amount,
        reason=asked.reason,
    )


def _ended(known: Refund) -> bool:
    """Whether a refund has ended without money going back, so that its reference may be used again."""
    return known.status in (RefundStatus.FAILED, RefundStatus.CANCELLED)


def _reserve(
    merchant: Merchant,
    payment: Payment,
    ended: StoredRefund | None,
    amount: Money | None,
    reference: str,
    reason: str,
    *,
    now: dt.datetime,
) -> Flow[StoredRefund]:
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise InvalidInput.single(
            "payment", f"is {payment.status}", "only money that has come can be sent back"
        )
    wanted = payment.refundable if amount is None else amount
    if wanted.currency != payment.amount.currency:
        raise InvalidInput.single(
            "amount", f"is in {wanted.currency}", f"refund in {payment.amount.currency}"
        )
    if amount is None and not reference and payment.refunded.minor:
        raise InvalidInput.single(
            "reference", "is missing, and a part was refunded already", "name the refund of the rest"
        )
    if not 0 < wanted.minor <= payment.refundable.minor:
        raise InvalidInput.single("amount", f"is {wanted}", f"refund at most {payment.refundable}")
    provider = merchant.provider(payment.provider)
    ids, store = merchant.identifiers, merchant.store
    asked = Refund(
        id=ended.refund.id if ended else ids.row(now),
        version=ended.refund.version + 1 if ended else 1,
        payment_id=payment.id,
        provider=payment.provider,
        amount=wanted,
        status=RefundStatus.PENDING,
        requested_at=now,
        reference=reference,
        tenant=store.tenant,
        reason=reason,
    )
    written = provider.write_refund(_request(asked, payment), key=ids.key(), now=now)
    taken = evolve(payment, refunded=payment.refunded + wanted)
    row = (
        store.rewrite_refund(asked, written, version=ended.refund.version)
        if ended
        else store.insert_refund(asked, written)
    )
    _ = yield from write(row, store.update_payment(taken, version=payment.version), fence=True)
    return StoredRefund(refund=asked, written=written)


def _give_back(merchant: Merchant, refused: Refund, *, now: dt.datetime) -> Flow[None]:
    """Write down that a refund surely did not happen, and free its amount."""
    store = merchant.store
    for _ in range(ROUNDS):
        stored = yield from store.refund(refused.id)
        payment = yield from store.payment(refused.payment_id)
        if stored is None or payment is None or stored.refund.status is not RefundStatus.PENDING:
            return
        ended = evolve(stored.refund, status=RefundStatus.FAILED)
        freed = evolve(payment, refunded=payment.refunded - refused.amount)
        try:
            _ = yield from write(
                store.update_refund(ended, version=stored.refund.version),
                store.update_payment(freed, version=payment.version),
            )
        except Conflict:
            continue
        return
    raise Conflict("give_back")
