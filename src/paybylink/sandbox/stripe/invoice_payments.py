"""
Which payment intent is to pay, or has paid, which invoice.

Source: Stripe API reference, "Invoice Payment".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.call import Call
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Record, Text, Unsimulated

KIND = "invoice_payment"


def opened(engine: Engine, invoice: Document, intent: Document) -> Document:
    """The invoice payment that waits, made when the invoice is finalised."""
    return engine.put(
        KIND,
        {
            "id": engine.new_id("inpay_1"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["total"],
            "created": engine.timestamp(),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def of_invoice(engine: Engine, invoice: Document) -> Document:
    """The one of a finalised invoice."""
    return engine.find(KIND, ("invoice", "=", invoice["id"]))[0]


def ended(engine: Engine, invoice: Document, status: str) -> Document:
    """The one of an invoice, now ``paid`` or ``canceled``."""
    payment = of_invoice(engine, invoice)
    payment["status"] = status
    payment["status_transitions"][f"{status}_at"] = engine.timestamp()
    if status == "paid":
        payment["amount_paid"] = payment["amount_requested"]
    return engine.put(KIND, payment)


def fetch(call: Call) -> Document:
    """GET /v1/invoice_payments/{invoice_payment}."""
    _ = call.values(Record({}))
    return call.subject(KIND, "invoice_payment", spoken="invoice payment")


def index(call: Call) -> Document:
    """GET /v1/invoice_payments, newest first, all or those of one invoice."""
    filters = {"invoice": Text(), "status": Text(choices=("canceled", "open", "paid"))}
    values = call.values(Record({**PAGING, **filters, "created": CREATED, "payment": Unsimulated()}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    return page(call.engine, KIND, values, *tests, url="/v1/invoice_payments")
