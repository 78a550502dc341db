"""
Customers, as far as an invoice needs one.

Source: Stripe API reference, "Customers".
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Condition, Document
from paybylink.sandbox.stripe.call import Call
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Field, Labels, Many, Record, Text, Unsimulated

_ADDRESS: Mapping[str, Field] = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state"), Text()
)
_EMAIL = Text(512, pattern=r"[^@\s]+@[^@\s]+")
_CREATE = Record(
    {
        "address": Record(_ADDRESS),
        "business_name": Text(150),
        "description": Text(),
        "email": _EMAIL,
        "individual_name": Text(150),
        "metadata": Labels(),
        "name": Text(256),
        "phone": Text(20),
        "preferred_locales": Many(Text(), maximum=20),
        "tax_exempt": Text(choices=("exempt", "none", "reverse")),
        **dict.fromkeys(
            (
                "balance",
                "cash_balance",
                "invoice_prefix",
                "invoice_settings",
                "next_invoice_sequence",
                "payment_method",
                "shipping",
                "source",
                "tax",
                "tax_id_data",
                "test_clock",
            ),
            Unsimulated(),
        ),
    }
)


def create(call: Call) -> Document:
    """POST /v1/customers."""
    values = call.values(_CREATE)
    address = values.get("address")
    customer: Document = {
        "id": call.engine.new_id("cus_", 14),
        "object": "customer",
        "address": None if address is None else {name: address.get(name) for name in _ADDRESS},
        "balance": 0,
        "created": call.engine.timestamp(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": values.get("description"),
        "discount": None,
        "email": values.get("email"),
        "invoice_prefix": call.engine.new_id("", 8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": values.get("metadata") or {},
        "name": values.get("name"),
        "next_invoice_sequence": 1,
        "phone": values.get("phone"),
        "preferred_locales": values.get("preferred_locales") or [],
        "shipping": None,
        "tax_exempt": values.get("tax_exempt") or "none",
        "test_clock": None,
    }
    customer |= {
        name: values[name] for name in ("business_name", "individual_name") if values.get(name) is not None
    }
    _ = call.engine.put("customer", customer)
    _ = emit(call.engine, "customer.created", customer, origin=call.origin)
    return customer


def fetch(call: Call) -> Document:
    """GET /v1/customers/{customer}."""
    _ = call.values(Record({}))
    return call.subject("customer", "customer")


def index(call: Call) -> Document:
    """GET /v1/customers, newest first, all or those of one address."""
    values = call.values(Record({**PAGING, "created": CREATED, "email": _EMAIL}))
    tests: list[Condition] = [] if values.get("email") is None else [("email", "=", values["email"])]
    return page(call.engine, "customer", values, *tests, url="/v1/customers")
