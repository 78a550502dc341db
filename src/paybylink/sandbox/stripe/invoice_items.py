"""
The positions of an invoice, added one by one while it is a draft.

Source: Stripe API reference, "Create an invoice item": by amount, or by quantity and price; a price given in place
needs a product that is there.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe import invoices
from paybylink.sandbox.stripe.amounts import check_currency
from paybylink.sandbox.stripe.call import Call
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.parameters import Flag, Labels, Record, Text, Unsimulated, Whole
from paybylink.sandbox.stripe.wire import Problem, missing

_MOST = 10**12
_CREATE = Record(
    {
        "amount": Whole(-_MOST, _MOST),
        "currency": Text(20),
        "customer": Text(),
        "description": Text(),
        "discountable": Flag(),
        "invoice": Text(),
        "metadata": Labels(),
        "price_data": Record(
            {
                "currency": Text(20),
                "product": Text(),
                "tax_behavior": Text(choices=("exclusive", "inclusive", "unspecified")),
                "unit_amount": Whole(-_MOST, _MOST),
            },
            required=("currency", "product"),
        ),
        "quantity": Whole(0, 999_999),
        **dict.fromkeys(
            (
                "customer_account",
                "discounts",
                "period",
                "pricing",
                "quantity_decimal",
                "subscription",
                "tax_behavior",
                "tax_code",
                "tax_rates",
                "unit_amount_decimal",
            ),
            Unsimulated(),
        ),
    },
    required=("customer",),
)


def create(call: Call) -> Document:
    """POST /v1/invoiceitems."""
    engine, values = call.engine, call.values(_CREATE)
    if engine.get("customer", values["customer"]) is None:
        raise missing("customer", values["customer"], param="customer", status=400)
    if values.get("invoice") is None:
        raise Problem(
            "An item without an invoice is not simulated.", code="sandbox_unsimulated", param="invoice"
        )
    invoice = engine.get("invoice", values["invoice"])
    if invoice is None or invoice["customer"] != values["customer"]:
        raise missing("invoice", values["invoice"], param="invoice", status=400)
    if invoice["status"] != "draft":
        raise Problem(
            "You can only add invoice items to a draft invoice.",
            code="invoice_not_editable",
            param="invoice",
            executed=True,
        )
    amount, currency, quantity = _amount(engine, values)
    check_currency(currency, param="currency")
    if currency != invoice["currency"]:
        raise Problem(
            f"The currency of the item ({currency}) is not that of the invoice ({invoice['currency']}).",
            param="currency",
        )
    now = engine.timestamp()
    item = engine.put(
        "invoiceitem",
        {
            "id": engine.new_id("ii_1"),
            "object": "invoiceitem",
            "amount": amount,
            "currency": currency,
            "customer": values["customer"],
            "customer_account": None,
            "date": now,
            "description": values.get("description"),
            "discountable": values.get("discountable", amount >= 0),
            "discounts": [],
            "invoice": invoice["id"],
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "net_amount": amount,
            "parent": None,
            "period": {"end": now, "start": now},
            "pricing": None,
            "proration": False,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            "test_clock": None,
        },
    )
    invoices.add_line(engine, invoice, item)
    _ = emit(engine, "invoiceitem.created", item, origin=call.origin)
    return item


def fetch(call: Call) -> Document:
    """GET /v1/invoiceitems/{invoiceitem}."""
    _ = call.values(Record({}))
    return call.subject("invoiceitem", "invoiceitem", spoken="invoiceitem")


def _amount(engine: Engine, values: Document) -> tuple[int, str, int]:
    quantity: int = values.get("quantity", 1)
    price = values.get("price_data")
    if (values.get("amount") is None) == (price is None):
        raise Problem(
            "You must specify exactly one of amount and price_data.", code="parameter_missing", param="amount"
        )
    if price is None:
        if "quantity" in values or values.get("currency") is None:
            raise Problem("An amount needs a currency, and takes no quantity.", param="amount")
        return values["amount"], values["currency"].lower(), 1
    if engine.get("product", price["product"]) is None:
        raise missing("product", price["product"], param="price_data[product]", status=400)
    if price.get("unit_amount") is None:
        raise Problem(
            "Missing required param: price_data[unit_amount].",
            code="parameter_missing",
            param="price_data[unit_amount]",
        )
    return price["unit_amount"] * quantity, price["currency"].lower(), quantity
