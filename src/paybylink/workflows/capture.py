"""
Taking reserved money, or giving it up.

What was asked is written on the payment before it is sent. A retry repeats the same request under the same key, which
is made of the payment's own id; once a provider that tells the outcome later has answered, nothing is sent again.
What was refused for certain, at once or later, may be asked anew, or something else instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from attrs import evolve

from paybylink.errors import Conflict, InvalidInput, NotFound, ProviderError
from paybylink.flow import Call, Flow, write
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus
from paybylink.providers.base import Feature, PaymentNotice, Provider, Support, need

from .asked import Asked
from .merchant import Merchant
from .record import ROUNDS, record_all


def capture(merchant: Merchant, payment_id: str, *, amount: Money | None, now: dt.datetime) -> Flow[Payment]:
    """
    The payment after its money, or `amount` of it, was taken; one that was captured before is returned as it is.

    At a provider that tells the outcome later it is still `authorised`, until the webhook.

    Raises:
        InvalidInput: the payment is not authorised, more is asked for than is reserved, or another amount than
            before.
        UnsupportedCapability: the provider cannot.
        OutcomeUnknown: no answer came; calling again asks again.
    """
    for _ in range(ROUNDS):
        payment = yield from _load(merchant, payment_id)
        if payment.status is PaymentStatus.SUCCEEDED:
            return payment
        wanted = _wanted(payment, amount)
        try:
            return (yield from _ask(merchant, payment, f"capture {wanted}", wanted, now=now))
        except Conflict:
            continue
    raise Conflict("capture")


def _wanted(payment: Payment, amount: Money | None) -> Money:
    wanted = amount or payment.amount
    if wanted.currency != payment.amount.currency:
        raise InvalidInput.single(
            "amount", f"is in {wanted.currency}", f"capture in {payment.amount.currency}"
        )
    if not 0 < wanted.minor <= payment.amount.minor:
        raise InvalidInput.single("amount", f"is {wanted}", f"capture at most {payment.amount}")
    return wanted


def cancel_payment(merchant: Merchant, payment_id: str, *, now: dt.datetime) -> Flow[Payment]:
    """
    The payment after it was given up; one that was given up before is returned as it is.

    Raises:
        InvalidInput: the payment is not authorised; what was captured is refunded instead.
        UnsupportedCapability, OutcomeUnknown: as by `capture`.
    """
    for _ in range(ROUNDS):
        payment = yield from _load(merchant, payment_id)
        if payment.status is PaymentStatus.CANCELLED:
            return payment
        try:
            return (yield from _ask(merchant, payment, "cancel", None, now=now))
        except Conflict:
            continue
    raise Conflict("cancel_payment")


def _ask(
    merchant: Merchant, payment: Payment, what: str, amount: Money | None, *, now: dt.datetime
) -> Flow[Payment]:
    provider = merchant.provider(payment.provider)
    need(provider.capabilities, Feature.MANUAL_CAPTURE, who=provider.name)
    if payment.status is not PaymentStatus.AUTHORISED:
        raise InvalidInput.single(
            "payment", f"is {payment.status}", "only reserved money can be captured or given up"
        )
    asked = Asked.on(payment)
    if asked is None:
        asked = Asked(what, payment.version)
        _ = yield from write(
            merchant.store.update_payment(asked.written(payment), version=payment.version), fence=True
        )
    elif asked.what != what:
        raise InvalidInput.single("payment", f"was asked to {asked.what} before", "wait for what comes of it")
    elif asked.received:
        return payment
    try:
        notice = yield from _send(provider, payment, asked, amount, now=now)
    except ProviderError as error:
        told = yield from _look(provider, payment)
        if told is None or told.status is PaymentStatus.AUTHORISED:
            yield from _refused(merchant, payment.id, asked, error)
            raise
        notice = told
    if notice.status is PaymentStatus.AUTHORISED:
        yield from _now(merchant, payment.id, asked, evolve(asked, received=True).written)
    else:
        _ = yield from record_all(merchant, provider, (notice,), now=now)
    return (yield from _load(merchant, payment.id))


def _send(
    provider: Provider, payment: Payment, asked: Asked, amount: Money | None, *, now: dt.datetime
) -> Call[PaymentNotice]:
    key = asked.key(payment)
    if amount is None:
        return (yield from provider.cancel_payment(payment.vendor_id, key=key, now=now))
    return (yield from provider.capture(payment.vendor_id, amount, key=key, now=now))


def _look(provider: Provider, payment: Payment) -> Call[PaymentNotice | None]:
    """The payment as it stands, after a "no" that may only mean that it was done before; None where nobody tells."""
    if provider.capabilities[Feature.FETCH_PAYMENT].support is Support.UNSUPPORTED:
        return None
    return (yield from provider.fetch_payment(payment.vendor_id))


def _refused(merchant: Merchant, payment_id: str, asked: Asked, error: ProviderError) -> Flow[None]:
    """After a certain "no" something else may be asked; any other one may have been of a repetition only."""
    if not error.certain or error.standard_code == "idempotency_conflict":
        return
    try:
        yield from _now(merchant, payment_id, asked, asked.refused)
    except Conflict:
        # Its outcome, or another wish, was written meanwhile, and counts.
        return


def _now(merchant: Merchant, payment_id: str, asked: Asked, said: Callable[[Payment], Payment]) -> Flow[None]:
    """Write down what became of the question, unless the outcome has been told already."""
    payment = yield from _load(merchant, payment_id)
    if payment.status is PaymentStatus.AUTHORISED and Asked.on(payment) == asked:
        _ = yield from write(merchant.store.update_payment(said(payment), version=payment.version))


def _load(merchant: Merchant, payment_id: str) -> Flow[Payment]:
    payment = yield from merchant.store.payment(payment_id)
    if payment is None:
        raise NotFound("no payment with that id; it may belong to another tenant or store")
    return payment
