"""
Taking reserved money, or giving it up.

What was asked is written on the payment before it is sent. A retry repeats the same request under the same key, which
is made of the payment's own id; once a provider that tells the outcome later has answered, nothing is sent again.
"""

from __future__ import annotations

import datetime as dt

from attrs import evolve

from paybylink.errors import Conflict, InvalidInput, NotFound, ProviderError
from paybylink.flow import Call, Flow, write
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus
from paybylink.providers.base import Feature, PaymentNotice, Provider, Support, need

from .merchant import Merchant
from .record import ROUNDS, record_all

#: What `vendor_status` begins with from our question on, and from the provider's "received" on.
_ASKED, _RECEIVED = "asked: ", "received: "


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
    before = payment.vendor_status
    if before == f"{_RECEIVED}{what}":
        return payment
    if before.startswith((_ASKED, _RECEIVED)) and before != f"{_ASKED}{what}":
        was = before.partition(": ")[2]
        raise InvalidInput.single("payment", f"was asked to {was} before", "wait for what comes of it")
    if before != f"{_ASKED}{what}":
        asked = evolve(payment, vendor_status=f"{_ASKED}{what}")
        _ = yield from write(merchant.store.update_payment(asked, version=payment.version), fence=True)
    try:
        notice = yield from _send(provider, payment, what, amount, now=now)
    except ProviderError as error:
        notice = yield from _look(provider, payment, error)
    if notice.status is PaymentStatus.AUTHORISED:
        yield from _received(merchant, payment.id, what)
    else:
        _ = yield from record_all(merchant, provider, (notice,), now=now)
    return (yield from _load(merchant, payment.id))


def _send(
    provider: Provider, payment: Payment, what: str, amount: Money | None, *, now: dt.datetime
) -> Call[PaymentNotice]:
    key = f"{payment.id}-{what.partition(' ')[0]}"
    if amount is None:
        return (yield from provider.cancel_payment(payment.vendor_id, key=key, now=now))
    return (yield from provider.capture(payment.vendor_id, amount, key=key, now=now))


def _look(provider: Provider, payment: Payment, error: ProviderError) -> Call[PaymentNotice]:
    """The payment as it stands, after a "no" that may only mean that it was done before."""
    if provider.capabilities[Feature.FETCH_PAYMENT].support is Support.UNSUPPORTED:
        raise error
    notice = yield from provider.fetch_payment(payment.vendor_id)
    if notice.status is PaymentStatus.AUTHORISED:
        raise error
    return notice


def _received(merchant: Merchant, payment_id: str, what: str) -> Flow[None]:
    """Write down that the provider has taken the request; the outcome may have been told already."""
    payment = yield from _load(merchant, payment_id)
    if payment.status is PaymentStatus.AUTHORISED:
        received = evolve(payment, vendor_status=f"{_RECEIVED}{what}")
        _ = yield from write(merchant.store.update_payment(received, version=payment.version))


def _load(merchant: Merchant, payment_id: str) -> Flow[Payment]:
    payment = yield from merchant.store.payment(payment_id)
    if payment is None:
        raise NotFound("no payment with that id; it may belong to another tenant or store")
    return payment
