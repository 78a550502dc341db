"""
Everything at Adyen in the words that all vendors share, in ISO minor units; see `Vendor.truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paybylink.sandbox.adyen import balance, disputes, links, modifications, payments
from paybylink.sandbox.adyen.amounts import decimals
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.iso import iso_units

_LINK = {"active": "open", "paymentPending": "processing", "completed": "paid", "expired": "expired"}
_PAYMENT = {
    "pending": "processing",
    "authorised": "authorised",
    "captured": "paid",
    "refused": "failed",
    "cancelled": "cancelled",
    "expired": "cancelled",
}
_REFUND = {"received": "pending", "done": "succeeded", "failed": "failed", "returned": "failed"}
_DISPUTE = {"notified": "open", "open": "open", "won": "won", "lost": "lost"}


def told(engine: Engine) -> Document:
    """The lists and the balance."""
    paid = engine.find(payments.KIND, newest_first=False)
    by_link: dict[str, list[str]] = {}
    for payment in paid:
        by_link.setdefault(payment["link"], []).append(payment["id"])
    return {
        "links": [
            _common(link, "closed" if link["_closed"] else _LINK[link["status"]])
            | {"reusable": link.get("reusable", False), "payments": by_link.get(link["id"], [])}
            for link in engine.find(links.KIND, newest_first=False)
        ],
        "payments": [_payment(one) for one in paid],
        "refunds": [
            _common(change, _REFUND[change["status"]]) | {"payment": change["payment"]}
            for change in engine.find(modifications.KIND, newest_first=False)
            if change["path"] == "refunds" or change.get("_refunded")
        ],
        "disputes": [
            _common(one, _DISPUTE[one["status"]]) | {"payment": one["payment"]}
            for one in engine.find(disputes.KIND, newest_first=False)
        ],
        "balance": {
            currency: iso_units(held, currency, decimals=decimals(currency))
            for currency, held in balance.balances(engine).items()
        },
    }


def _payment(payment: Document) -> Document:
    amount = payment["amount"]
    if payment["status"] == "captured":
        amount = {**amount, "value": payment["captured"]}
    return _common({**payment, "amount": amount}, _PAYMENT[payment["status"]]) | {"link": payment["link"]}


def _common(document: Mapping[str, Any], status: str) -> Document:
    currency, value = document["amount"]["currency"], document["amount"]["value"]
    return {
        "provider": "adyen",
        "id": document["id"],
        "status": status,
        "amount": iso_units(value, currency, decimals=decimals(currency)),
        "currency": currency,
    }
