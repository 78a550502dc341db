"""
Chargebacks: money that the payer's bank took back, and that may come again.

A chargeback takes all that was not refunded, and a fee that stays gone when it is reversed. `reason` is only said
for SEPA direct debit, which no link offers, so here it is always null.
Source: Mollie's OpenAPI document, "Chargebacks API". The fee is the sandbox's.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie import balances, events, payments
from paybylink.sandbox.mollie.amounts import HOME, amount, share_in_euros, units
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import Record, Text
from paybylink.sandbox.mollie.wire import documentation, hal, missing, moment
from paybylink.sandbox.values import Refused

_KEPT = 1500


def fetch(call: Call) -> Document:
    """GET /v2/payments/{payment}/chargebacks/{chargeback}."""
    _ = call.queried(Record({"embed": Text()}))
    chargeback = call.subject("mollie.chargeback", "chargeback")
    if chargeback["paymentId"] != call.names["payment"]:
        raise missing(chargeback["id"])
    return view(call.engine, chargeback)


def index(call: Call) -> Document:
    """GET /v2/chargebacks, newest first."""
    values = call.queried(with_paging({"embed": Text()}, ordered=True))
    return page(call, SHELF, values, topic="list-all-chargebacks")


def index_of_payment(call: Call) -> Document:
    """GET /v2/payments/{payment}/chargebacks, newest first."""
    payment = call.subject("mollie.payment", "payment")
    values = call.queried(with_paging({"embed": Text()}))
    return page(call, SHELF, values, ("paymentId", "=", payment["id"]), topic="list-chargebacks")


def receive(engine: Engine, payment: Document, *, reason: str, minor: int | None) -> Document:
    """
    The chargeback of what is left of a paid payment.

    Args:
        reason: kept with it, never shown.
        minor: how much of it; all when None.

    Raises:
        Refused: so much is not left.
    """
    remaining = payments.remaining(payment)
    left = remaining if minor is None else minor
    if not 0 < left <= remaining:
        raise Refused(f"{payment['id']} holds no such amount that a bank could take back.")
    with engine.transaction():
        whole = units(payment["amount"])
        before = payment["_refunded"] + payment["_charged_back"]
        worth = share_in_euros(before + left, whole, payment["_worth"])
        worth -= share_in_euros(before, whole, payment["_worth"])
        chargeback = engine.put(
            "mollie.chargeback",
            {
                "id": engine.new_id("chb_", 22),
                "amount": amount(left, payment["amount"]["currency"]),
                "settlementAmount": amount(-worth, HOME),
                "reason": None,
                "paymentId": payment["id"],
                "createdAt": moment(engine.now()),
                "reversedAt": None,
                "_outcome": "open",
                "_reason": reason,
                "_worth": worth,
                "_settlement": None,
            },
        )
        payment["_charged_back"] += left
        _ = engine.put("mollie.payment", payment)
        _ = balances.book(engine, "chargeback", -worth, kept=_KEPT, context=_context(chargeback))
        _tell(engine, chargeback, payment, "received")
    return chargeback


def close(engine: Engine, chargeback: Document, *, won: bool) -> Document:
    """The chargeback after it was decided: reversed when the merchant won; a lost one stays as it is, untold."""
    payment = engine.get("mollie.payment", chargeback["paymentId"])
    if payment is None:
        raise LookupError(f"the payment of {chargeback['id']} is gone")
    with engine.transaction():
        chargeback["_outcome"] = "won" if won else "lost"
        if not won:
            return engine.put("mollie.chargeback", chargeback)
        chargeback["reversedAt"] = moment(engine.now())
        payment["_charged_back"] -= units(chargeback["amount"])
        _ = engine.put("mollie.payment", payment)
        _ = engine.put("mollie.chargeback", chargeback)
        _ = balances.book(engine, "chargeback-reversal", chargeback["_worth"], context=_context(chargeback))
        _tell(engine, chargeback, payment, "reversed")
    return chargeback


def view(engine: Engine, chargeback: Document) -> Document:
    """The chargeback as it goes over the wire."""
    path = f"/v2/payments/{chargeback['paymentId']}"
    plain = shown(chargeback)
    links: Document = {
        "self": hal(engine.base_url, f"{path}/chargebacks/{chargeback['id']}"),
        "payment": hal(engine.base_url, path),
        "documentation": documentation("get-chargeback"),
    }
    if chargeback["_settlement"]:
        plain["settlementId"] = chargeback["_settlement"]
        links["settlement"] = hal(engine.base_url, f"/v2/settlements/{chargeback['_settlement']}")
    return {"resource": "chargeback", **plain, "_links": links}


SHELF = Shelf("mollie.chargeback", "chargebacks", view)


def _context(chargeback: Document) -> Document:
    return {"paymentId": chargeback["paymentId"], "chargebackId": chargeback["id"]}


def _tell(engine: Engine, chargeback: Document, payment: Document, what: str) -> None:
    events.tell(engine, f"chargeback.{what}", view(engine, chargeback))
    events.ring(engine, payment, "chargeback")
