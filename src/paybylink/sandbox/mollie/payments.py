"""
Payments: how they look, and how they are read. What happens to them is in `paying`.

A payment exists once a payer starts to pay, and it does not say which link it belongs to: no field, no address does.
Its `webhookUrl` is an address of Mollie's own that passes calls on, as has been seen on the payments of real links.
Source: Mollie's OpenAPI document, "Payments API".
"""

from __future__ import annotations

from datetime import timedelta

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie.amounts import HOME, amount, units
from paybylink.sandbox.mollie.call import ORGANISATION, PROFILE, Call
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import Record, Text
from paybylink.sandbox.mollie.wire import documentation, hal, moment, text

#: How long a payer may take before an attempt expires.
PATIENCE = timedelta(minutes=15)


def fetch(call: Call) -> Document:
    """GET /v2/payments/{payment}."""
    _ = call.queried(Record({"embed": Text(), "include": Text()}))
    return view(call.engine, call.subject("mollie.payment", "payment"))


def index(call: Call) -> Document:
    """GET /v2/payments, newest first."""
    return page(call, SHELF, call.queried(with_paging({}, ordered=True)), topic="list-payments")


def new(engine: Engine, subject: Document, minor: int, currency: str, method: str) -> Document:
    """The payment of one attempt at a link or invoice, written and open."""
    now = engine.now()
    return engine.put(
        "mollie.payment",
        {
            "id": engine.new_id("tr_", 22),
            "createdAt": moment(now),
            "amount": amount(minor, currency),
            "description": subject["description"],
            "method": method,
            "metadata": None,
            "status": "open",
            "isCancelable": False,
            "expiresAt": moment(now + PATIENCE),
            "details": None,
            "profileId": PROFILE,
            "sequenceType": "oneoff",
            "redirectUrl": subject["redirectUrl"],
            "webhookUrl": f"{engine.base_url}/mollie/relay/{engine.new_id('', 12)}"
            if subject["webhookUrl"]
            else None,
            "_link": subject["id"],
            "_bell": subject["webhookUrl"],
            "_expires": int((now + PATIENCE).timestamp()),
            "_refunded": 0,
            "_charged_back": 0,
            "_worth": 0,
            "_settlement": None,
        },
    )


def view(engine: Engine, payment: Document) -> Document:
    """The payment as it goes over the wire."""
    currency = payment["amount"]["currency"]
    path = f"/v2/payments/{payment['id']}"
    plain = shown(payment)
    links: Document = {
        "self": hal(engine.base_url, path),
        "dashboard": text(f"{engine.base_url}/?{ORGANISATION}#{payment['id']}"),
        "documentation": documentation("get-payment"),
    }
    if payment["status"] == "open":
        links["checkout"] = text(f"{engine.base_url}/pay/{payment['_link']}")
    if payment["status"] == "paid":
        plain["amountRefunded"] = amount(payment["_refunded"], currency)
        plain["amountRemaining"] = amount(remaining(payment), currency)
        plain["settlementAmount"] = amount(payment["_worth"], HOME)
        if payment["_charged_back"]:
            plain["amountChargedBack"] = amount(payment["_charged_back"], currency)
            links["chargebacks"] = hal(engine.base_url, f"{path}/chargebacks")
        if payment["_refunded"]:
            links["refunds"] = hal(engine.base_url, f"{path}/refunds")
        if payment["_settlement"]:
            plain["settlementId"] = payment["_settlement"]
            links["settlement"] = hal(engine.base_url, f"/v2/settlements/{payment['_settlement']}")
    return {"resource": "payment", "mode": "test", **plain, "_links": links}


def remaining(payment: Document) -> int:
    """What can still be refunded, in minor units."""
    return max(0, int(units(payment["amount"]) - payment["_refunded"] - payment["_charged_back"]))


SHELF = Shelf("mollie.payment", "payments", view)
