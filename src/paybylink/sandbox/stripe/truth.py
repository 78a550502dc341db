"""
Everything at Stripe in the words that all vendors share, in ISO minor units; see `Vendor.truth`.

A session that was made by the API and not by a link counts as a link of its own, and so does a finalised invoice. A
payment intent that no payer has tried yet is no payment.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.iso import iso_units
from paybylink.sandbox.stripe.amounts import decimals
from paybylink.sandbox.stripe.links import used_up
from paybylink.sandbox.stripe.payouts import balances

_PAYMENT = {
    "requires_payment_method": "open",
    "processing": "processing",
    "requires_capture": "authorised",
    "canceled": "cancelled",
    "succeeded": "paid",
}
_DISPUTE = {"won": "won", "lost": "lost"}


def told(engine: Engine) -> Document:
    """The lists and the balance."""
    sessions = engine.find("checkout.session", newest_first=False)
    intents = engine.find("payment_intent", ("latest_charge", ">", ""), newest_first=False)
    owner = {one["payment_intent"]: one["payment_link"] or one["id"] for one in sessions}
    owner |= {one["id"]: one["_invoice"] for one in intents if one.get("_invoice")}
    of: dict[str, list[Document]] = {}
    for session in sessions:
        if session["payment_intent"] is not None:
            of.setdefault(owner[session["payment_intent"]], []).append(session)
    return {
        "links": [
            *(
                _link(link, of.get(link["id"], []))
                for link in engine.find("payment_link", newest_first=False)
            ),
            *(_session(one) for one in sessions if one["payment_link"] is None),
            *(
                _invoice(one, [intent for intent in intents if intent.get("_invoice") == one["id"]])
                for one in engine.find("invoice", newest_first=False)
                if one["status"] != "draft"
            ),
        ],
        "payments": [
            _common(intent, _paid(intent), intent["amount_received"] or intent["amount"])
            | {"link": owner.get(intent["id"])}
            for intent in intents
        ],
        "refunds": [
            _common(one, one["status"], one["amount"]) | {"payment": one["payment_intent"]}
            for one in engine.find("refund", newest_first=False)
        ],
        "disputes": [
            _common(one, _DISPUTE.get(one["status"], "open"), one["amount"])
            | {"payment": one["payment_intent"]}
            for one in engine.find("dispute", newest_first=False)
        ],
        "balance": {currency.upper(): _iso(held, currency) for currency, held in balances(engine).items()},
    }


def _paid(intent: Document) -> str:
    if intent["status"] == "requires_payment_method" and intent["last_payment_error"]:
        return "failed"
    return _PAYMENT[intent["status"]]


def _link(link: Document, sessions: list[Document]) -> Document:
    complete = [session for session in sessions if session["status"] == "complete"]
    if link["active"]:
        status = "open"
    elif not used_up(link):
        status = "closed"
    else:
        status = "paid" if all(one["payment_status"] == "paid" for one in complete) else "processing"
    items = link["_line_items"]
    fixed = items[0]["price"]["custom_unit_amount"] is None
    amount = sum(item["amount_total"] for item in items) if fixed else None
    payments = [session["payment_intent"] for session in sessions]
    return _common(link, status, amount) | {"reusable": link["restrictions"] is None, "payments": payments}


def _session(session: Document) -> Document:
    status = {"open": "open", "expired": "expired"}.get(session["status"])
    if status is None:
        status = "paid" if session["payment_status"] == "paid" else "processing"
    intent = session["payment_intent"]
    return _common(session, status, session["amount_total"]) | {
        "reusable": False,
        "payments": [] if intent is None else [intent],
    }


def _invoice(invoice: Document, intents: list[Document]) -> Document:
    status = {"paid": "paid", "void": "closed"}.get(invoice["status"])
    if status is None:
        under_way = any(intent["status"] == "processing" for intent in intents)
        status = "processing" if under_way else "open"
    return _common(invoice, status, invoice["total"]) | {
        "reusable": False,
        "payments": [intent["id"] for intent in intents],
    }


def _common(document: Document, status: str, amount: int | None) -> Document:
    return {
        "provider": "stripe",
        "id": document["id"],
        "status": status,
        "amount": None if amount is None else _iso(amount, document["currency"]),
        "currency": document["currency"].upper(),
    }


def _iso(minor: int, currency: str) -> int:
    return iso_units(minor, currency.upper(), decimals=decimals(currency))
