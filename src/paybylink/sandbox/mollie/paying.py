"""
What becomes of an attempt to pay, at once and later.

    card       paid
    delayed    pending; `settle` says whether the money came: paid or failed
    declined   failed
    Klarna     authorized; `settle` captures it: paid, or canceled
    canceled   canceled
    abandoned  open; expired after a quarter of an hour of the sandbox's clock

A failed attempt is over: the payer's next one is a payment of its own. Money that comes is booked with its fee and
marks the link or invoice. Signed events tell of every change; the merchant's own address is called for paid, failed,
canceled and expired, not for open, pending and authorized.
Source: docs.mollie.com, "Status change"; Mollie's OpenAPI document, `payment-status`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie import balances, events, invoices, links, payments
from paybylink.sandbox.mollie.amounts import fee, in_euros, units
from paybylink.sandbox.mollie.methods import METHODS
from paybylink.sandbox.mollie.wire import moment

#: How a payer's visit ends.
Ending: TypeAlias = Literal["card", "delayed", "declined", "abandoned", "canceled"]

#: The field that holds the moment of a status.
_MOMENTS = {
    "authorized": "authorizedAt",
    "canceled": "canceledAt",
    "expired": "expiredAt",
    "failed": "failedAt",
    "paid": "paidAt",
}
_CARD = {
    "cardLabel": "Visa",
    "cardNumber": "4242",
    "cardAudience": "consumer",
    "cardCountryCode": "FR",
    "cardFunding": "credit",
    "cardSecurity": "3dsecure",
    "feeRegion": "intra-eu",
}


def attempt(
    engine: Engine, subject: Document, ending: Ending, *, minor: int, currency: str, method: str
) -> Document:
    """
    The payment after a payer's attempt at a link or invoice that the caller has checked.

    Args:
        method: Mollie's name of the method.
    """
    with engine.transaction():
        payment = payments.new(engine, subject, minor, currency, method)
        if ending == "abandoned":
            return payment
        if method == "creditcard":
            payment["details"] = dict(_CARD)
        if ending == "declined":
            if payment["details"]:
                payment["details"] |= {"cardNumber": "0002", "failureReason": "card_declined"}
            return _become(engine, payment, "failed")
        if ending == "canceled":
            return _become(engine, payment, "canceled")
        if ending == "delayed":
            return _become(engine, payment, "pending")
        return _become(engine, payment, "authorized" if METHODS[method].authorises else "paid")


def settle(engine: Engine, payment: Document, *, succeeded: bool) -> Document:
    """A pending or authorised payment after its money came, or was known not to come."""
    with engine.transaction():
        lost = "canceled" if payment["status"] == "authorized" else "failed"
        return _become(engine, payment, "paid" if succeeded else lost)


def expire_due(engine: Engine) -> None:
    """Expire every attempt whose payer has left."""
    now = engine.timestamp()
    with engine.transaction():
        due = engine.find(
            "mollie.payment", ("status", "=", "open"), ("_expires", "<=", now), newest_first=False
        )
        for payment in due:
            _ = _become(engine, payment, "expired")


def _become(engine: Engine, payment: Document, status: str) -> Document:
    payment["status"] = status
    _ = payment.pop("expiresAt", None)
    if status in _MOMENTS:
        payment[_MOMENTS[status]] = moment(engine.now())
    if status == "paid":
        _book(engine, payment)
    _ = engine.put("mollie.payment", payment)
    shown = payments.view(engine, payment)
    events.tell(engine, f"payment.{status}", shown)
    if status not in {"pending", "authorized"}:
        events.ring(engine, payment, status)
    if status == "paid":
        _mark(engine, payment)
    return payment


def _book(engine: Engine, payment: Document) -> None:
    worth = in_euros(units(payment["amount"]), payment["amount"]["currency"])
    payment["_worth"] = worth
    kept, context = fee(worth, payment["method"]), {"paymentId": payment["id"]}
    _ = balances.book(engine, "payment", worth, kept=kept, context=context)


def _mark(engine: Engine, payment: Document) -> None:
    link = engine.get("mollie.link", payment["_link"])
    if link is not None and link["paidAt"] is None:
        link["paidAt"] = payment["paidAt"]
        _ = engine.put("mollie.link", link)
        # Whether a reusable link tells of its later payments too is not documented: here it does not.
        events.tell(engine, "payment-link.paid", links.view(engine, link))
    invoice = engine.get("mollie.invoice", payment["_link"])
    if invoice is not None:
        invoices.paid(engine, invoice, payment)
