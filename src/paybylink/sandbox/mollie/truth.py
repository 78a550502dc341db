"""
Everything on Mollie's side in the words that all vendors share: what `Vendor.truth` promises.

An issued invoice counts as a link, since a payer sees it as one; a draft does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.iso import iso_units
from paybylink.sandbox.mollie import balances, links
from paybylink.sandbox.mollie.amounts import HOME, decimals, units

_PAYMENTS: Mapping[str, str] = {
    "authorized": "authorised",
    "canceled": "cancelled",
    "expired": "cancelled",
    "failed": "failed",
    "open": "open",
    "paid": "paid",
    "pending": "processing",
}
_REFUNDS: Mapping[str, str] = {"canceled": "failed", "failed": "failed", "refunded": "succeeded"}
_INVOICES: Mapping[str, str] = {"issued": "open", "paid": "paid", "cancelled": "closed"}


def truth(engine: Engine) -> Document:
    """Links, payments, refunds, disputes and balance; amounts in ISO 4217 minor units."""
    payments = engine.find("mollie.payment", newest_first=False)
    of_link: dict[str, list[Document]] = {}
    for payment in payments:
        of_link.setdefault(payment["_link"], []).append(payment)
    return {
        "links": [
            *(
                _link(engine, link, of_link.get(link["id"], []))
                for link in engine.find("mollie.link", newest_first=False)
            ),
            *(
                _invoice(invoice, of_link.get(invoice["id"], []))
                for invoice in engine.find("mollie.invoice", newest_first=False)
                if invoice["status"] in _INVOICES
            ),
        ],
        "payments": [
            {**_thing(payment), "link": payment["_link"], "status": _PAYMENTS[payment["status"]]}
            for payment in payments
        ],
        "refunds": [
            {
                **_thing(refund),
                "payment": refund["paymentId"],
                "status": _REFUNDS.get(refund["status"], "pending"),
            }
            for refund in engine.find("mollie.refund", newest_first=False)
        ],
        "disputes": [
            {**_thing(chargeback), "payment": chargeback["paymentId"], "status": chargeback["_outcome"]}
            for chargeback in engine.find("mollie.chargeback", newest_first=False)
        ],
        "balance": {HOME: balances.total(engine)} if engine.find("mollie.entry", limit=1) else {},
    }


def _link(engine: Engine, link: Document, attempts: list[Document]) -> Document:
    status, currency = links.state(engine, link), links.currency_of(link)
    if status == "open" and not link["reusable"] and any(one["status"] == "pending" for one in attempts):
        status = "processing"
    return {
        "provider": "mollie",
        "id": link["id"],
        "status": status,
        "amount": None if link["amount"] is None else _iso(link["amount"]),
        "currency": currency,
        "reusable": link["reusable"],
        "payments": [one["id"] for one in attempts],
    }


def _invoice(invoice: Document, attempts: list[Document]) -> Document:
    return {
        "provider": "mollie",
        "id": invoice["id"],
        "status": _INVOICES[invoice["status"]],
        "amount": _iso(invoice["totalAmount"]),
        "currency": invoice["totalAmount"]["currency"],
        "reusable": False,
        "payments": [one["id"] for one in attempts],
    }


def _thing(document: Document) -> Document:
    given = document["amount"]
    return {"provider": "mollie", "id": document["id"], "amount": _iso(given), "currency": given["currency"]}


def _iso(given: Document) -> int:
    return iso_units(units(given), given["currency"], decimals=decimals(given["currency"]))
