"""
What an invoice is asked for with, and how it and its lines look at first.

Source: Stripe API reference, "Create an invoice", "The Invoice object", "The Invoice Line Item object".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document
from paybylink.sandbox.stripe.parameters import Flag, Labels, Many, Record, Text, Unsimulated, Whole

_DAY = 86400
_CUSTOM_FIELD = Record({"name": Text(40), "value": Text(140)}, required=("name", "value"))

#: What `POST /v1/invoices` takes.
CREATE = Record(
    {
        "auto_advance": Flag(),
        "collection_method": Text(choices=("charge_automatically", "send_invoice")),
        "currency": Text(20),
        "custom_fields": Many(_CUSTOM_FIELD, maximum=4),
        "customer": Text(),
        "days_until_due": Whole(0, 10_000),
        "description": Text(1500),
        "due_date": Whole(),
        "footer": Text(5000),
        "metadata": Labels(),
        "number": Text(26),
        "payment_settings": Record({"payment_method_types": Many(Text(), maximum=50)}),
        "pending_invoice_items_behavior": Text(choices=("exclude", "include")),
        "statement_descriptor": Text(22),
        **dict.fromkeys(
            (
                "account_tax_ids",
                "application_fee_amount",
                "automatic_tax",
                "automatically_finalizes_at",
                "customer_account",
                "default_payment_method",
                "default_source",
                "default_tax_rates",
                "discounts",
                "effective_at",
                "from_invoice",
                "issuer",
                "on_behalf_of",
                "rendering",
                "shipping_cost",
                "shipping_details",
                "subscription",
                "transfer_data",
            ),
            Unsimulated(),
        ),
    }
)


def blank(identifier: str, customer: Document, values: Document, currency: str, *, now: int) -> Document:
    """A draft without lines."""
    days = values.get("days_until_due")
    address = f"/v1/invoices/{identifier}/lines"
    return {
        "id": identifier,
        "object": "invoice",
        "account_country": "FR",
        "account_name": "PayByLink sandbox",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": values.get("auto_advance", False),
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "send_invoice",
        "created": now,
        "currency": currency,
        "custom_fields": values.get("custom_fields"),
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": values.get("description"),
        "discounts": [],
        "due_date": values.get("due_date") if days is None else now + days * _DAY,
        "effective_at": None,
        "ending_balance": None,
        "footer": values.get("footer"),
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": address},
        "livemode": False,
        "metadata": values.get("metadata") or {},
        "next_payment_attempt": None,
        "number": values.get("number"),
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": (values.get("payment_settings") or {}).get("payment_method_types"),
        },
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": values.get("statement_descriptor"),
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
        "_days": days,
        "_lines": [],
        "_overdue": False,
    }


def line(identifier: str, invoice: Document, item: Document) -> Document:
    """One line, made of an invoice item."""
    return {
        "id": identifier,
        "object": "line_item",
        "amount": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": item["discountable"],
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": item["metadata"],
        "parent": {
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": False,
                "proration_details": None,
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "period": item["period"],
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": item["quantity"],
        "quantity_decimal": item["quantity_decimal"],
        "subscription": None,
        "subtotal": item["amount"],
        "taxes": [],
    }
