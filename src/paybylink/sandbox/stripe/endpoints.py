"""
Every endpoint of Stripe's API that the sandbox has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from paybylink.sandbox.engine import Document
from paybylink.sandbox.stripe import (
    captures,
    catalogue,
    charges,
    customers,
    disputes,
    events,
    invoice_items,
    invoice_payments,
    invoices,
    links,
    payouts,
    refunds,
    sessions,
)
from paybylink.sandbox.stripe.call import ACCOUNT, Call
from paybylink.sandbox.stripe.parameters import Record

Action: TypeAlias = Callable[[Call], Document]


def _account(call: Call) -> Document:
    _ = call.values(Record({}))
    return {
        "id": ACCOUNT,
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "FR",
        "created": 1735689600,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


#: Every endpoint: the name that faults go by, the method, the path and the action.
ENDPOINTS: tuple[tuple[str, str, str, Action], ...] = (
    ("account.fetch", "GET", "/v1/account", _account),
    ("products.create", "POST", "/v1/products", catalogue.create_product),
    ("products.fetch", "GET", "/v1/products/{id}", catalogue.fetch_product),
    ("prices.create", "POST", "/v1/prices", catalogue.create_price),
    ("prices.list", "GET", "/v1/prices", catalogue.list_prices),
    ("prices.fetch", "GET", "/v1/prices/{price}", catalogue.fetch_price),
    ("payment_links.create", "POST", "/v1/payment_links", links.create),
    ("payment_links.list", "GET", "/v1/payment_links", links.index),
    ("payment_links.fetch", "GET", "/v1/payment_links/{payment_link}", links.fetch),
    ("payment_links.update", "POST", "/v1/payment_links/{payment_link}", links.update),
    ("payment_links.line_items", "GET", "/v1/payment_links/{payment_link}/line_items", links.fetch_items),
    ("sessions.create", "POST", "/v1/checkout/sessions", sessions.create),
    ("sessions.list", "GET", "/v1/checkout/sessions", sessions.index),
    ("sessions.fetch", "GET", "/v1/checkout/sessions/{session}", sessions.fetch),
    ("sessions.update", "POST", "/v1/checkout/sessions/{session}", sessions.update),
    ("sessions.expire", "POST", "/v1/checkout/sessions/{session}/expire", sessions.expire),
    ("sessions.line_items", "GET", "/v1/checkout/sessions/{session}/line_items", sessions.fetch_items),
    ("payment_intents.list", "GET", "/v1/payment_intents", charges.index),
    ("payment_intents.fetch", "GET", "/v1/payment_intents/{intent}", charges.fetch),
    ("payment_intents.update", "POST", "/v1/payment_intents/{intent}", charges.update),
    ("payment_intents.capture", "POST", "/v1/payment_intents/{intent}/capture", captures.capture),
    ("payment_intents.cancel", "POST", "/v1/payment_intents/{intent}/cancel", captures.cancel),
    ("charges.list", "GET", "/v1/charges", charges.list_charges),
    ("charges.fetch", "GET", "/v1/charges/{charge}", charges.fetch_charge),
    ("balance_transactions.list", "GET", "/v1/balance_transactions", charges.list_balance_transactions),
    (
        "balance_transactions.fetch",
        "GET",
        "/v1/balance_transactions/{id}",
        charges.fetch_balance_transaction,
    ),
    ("refunds.create", "POST", "/v1/refunds", refunds.create),
    ("refunds.list", "GET", "/v1/refunds", refunds.index),
    ("refunds.fetch", "GET", "/v1/refunds/{refund}", refunds.fetch),
    ("refunds.update", "POST", "/v1/refunds/{refund}", refunds.update),
    ("disputes.list", "GET", "/v1/disputes", disputes.index),
    ("disputes.fetch", "GET", "/v1/disputes/{dispute}", disputes.fetch),
    ("payouts.list", "GET", "/v1/payouts", payouts.index),
    ("payouts.fetch", "GET", "/v1/payouts/{payout}", payouts.fetch),
    ("customers.create", "POST", "/v1/customers", customers.create),
    ("customers.list", "GET", "/v1/customers", customers.index),
    ("customers.fetch", "GET", "/v1/customers/{customer}", customers.fetch),
    ("invoices.create", "POST", "/v1/invoices", invoices.create),
    ("invoices.list", "GET", "/v1/invoices", invoices.index),
    ("invoices.fetch", "GET", "/v1/invoices/{invoice}", invoices.fetch),
    ("invoices.delete", "DELETE", "/v1/invoices/{invoice}", invoices.delete),
    ("invoices.lines", "GET", "/v1/invoices/{invoice}/lines", invoices.lines),
    ("invoices.finalize", "POST", "/v1/invoices/{invoice}/finalize", invoices.finalize),
    ("invoices.void", "POST", "/v1/invoices/{invoice}/void", invoices.void),
    ("invoices.pay", "POST", "/v1/invoices/{invoice}/pay", invoices.pay_outside),
    ("invoices.write_off", "POST", "/v1/invoices/{invoice}/mark_uncollectible", invoices.write_off),
    ("invoice_items.create", "POST", "/v1/invoiceitems", invoice_items.create),
    ("invoice_items.fetch", "GET", "/v1/invoiceitems/{invoiceitem}", invoice_items.fetch),
    ("invoice_payments.list", "GET", "/v1/invoice_payments", invoice_payments.index),
    ("invoice_payments.fetch", "GET", "/v1/invoice_payments/{invoice_payment}", invoice_payments.fetch),
    ("webhook_endpoints.create", "POST", "/v1/webhook_endpoints", events.create_endpoint),
    ("webhook_endpoints.list", "GET", "/v1/webhook_endpoints", events.list_endpoints),
    ("webhook_endpoints.fetch", "GET", "/v1/webhook_endpoints/{webhook_endpoint}", events.fetch_endpoint),
    ("webhook_endpoints.update", "POST", "/v1/webhook_endpoints/{webhook_endpoint}", events.update_endpoint),
    (
        "webhook_endpoints.delete",
        "DELETE",
        "/v1/webhook_endpoints/{webhook_endpoint}",
        events.delete_endpoint,
    ),
    ("events.list", "GET", "/v1/events", events.list_events),
    ("events.fetch", "GET", "/v1/events/{id}", events.fetch_event),
)
