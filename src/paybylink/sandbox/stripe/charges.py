"""
Payment intents, charges and balance transactions: how they look, and how they are read.

What happens to them is in `payments` and `refunds`.
Source: Stripe API reference, "PaymentIntents", "Charges", "Balance Transactions".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.call import Call
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Labels, Record, Text, merged
from paybylink.sandbox.stripe.sessions import delayed_method
from paybylink.sandbox.vendor import How


def fetch(call: Call) -> Document:
    """GET /v1/payment_intents/{intent}."""
    _ = call.values(Record({"client_secret": Text()}))
    return call.subject("payment_intent", "intent")


def index(call: Call) -> Document:
    """GET /v1/payment_intents, newest first."""
    values = call.values(Record({**PAGING, "created": CREATED, "customer": Text()}))
    return page(call.engine, "payment_intent", values, url="/v1/payment_intents")


def update(call: Call) -> Document:
    """POST /v1/payment_intents/{intent}: its description and metadata."""
    intent = call.subject("payment_intent", "intent")
    values = call.values(Record({"description": Text(1000), "metadata": Labels()}))
    if "metadata" in values:
        intent["metadata"] = merged(intent["metadata"], values["metadata"])
    if "description" in values:
        intent["description"] = values["description"]
    return call.engine.put("payment_intent", intent)


def fetch_charge(call: Call) -> Document:
    """GET /v1/charges/{charge}."""
    _ = call.values(Record({}))
    return call.subject("charge", "charge")


def list_charges(call: Call) -> Document:
    """GET /v1/charges, newest first, all or those of one payment intent."""
    values = call.values(Record({**PAGING, "created": CREATED, "payment_intent": Text()}))
    intent = values.get("payment_intent")
    tests: list[Condition] = [] if intent is None else [("payment_intent", "=", intent)]
    return page(call.engine, "charge", values, *tests, url="/v1/charges")


def fetch_balance_transaction(call: Call) -> Document:
    """GET /v1/balance_transactions/{id}."""
    _ = call.values(Record({}))
    return call.subject("balance_transaction", "id", spoken="balance transaction")


def list_balance_transactions(call: Call) -> Document:
    """GET /v1/balance_transactions, newest first, all or those of one payout."""
    filters = {"currency": Text(), "source": Text(), "type": Text()}
    values = call.values(Record({**PAGING, **filters, "created": CREATED, "payout": Text()}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    if values.get("payout") is not None:
        tests.append(("_payout", "=", values["payout"]))
    return page(call.engine, "balance_transaction", values, *tests, url="/v1/balance_transactions")


def book(
    engine: Engine,
    source: Document,
    amount: int,
    *,
    kept: int,
    kind: str,
    category: str,
    description: str | None,
    fee_for: str = "Stripe processing fees",
) -> Document:
    """
    The balance transaction of a charge, refund, dispute or payout.

    Args:
        amount: what moves the balance, below zero when it goes.
        kept: Stripe's fee, taken from it besides.
        kind, category: its `type` and `reporting_category`.
        fee_for: what the fee is called.
    """
    now = engine.timestamp()
    fees = [
        {
            "amount": kept,
            "application": None,
            "currency": source["currency"],
            "description": fee_for,
            "type": "stripe_fee",
        }
    ]
    return engine.put(
        "balance_transaction",
        {
            "id": engine.new_id("txn_3"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + 3 * 86400,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": description,
            "exchange_rate": None,
            "fee": kept,
            "fee_details": fees if kept else [],
            "net": amount - kept,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": kind,
            "_payout": None,
        },
    )


def intent_of(engine: Engine, session: Document) -> Document:
    """The payment intent of a session: that of an earlier try, else a new one."""
    if session["payment_intent"] is not None:
        earlier = engine.get("payment_intent", session["payment_intent"])
        if earlier is not None:
            return earlier
    return new_intent(
        engine,
        session["amount_total"],
        session["currency"],
        session["_intent"],
        types=session["payment_method_types"],
    )


def new_intent(
    engine: Engine,
    amount: int,
    currency: str,
    data: Document,
    *,
    types: list[str],
    customer: str | None = None,
) -> Document:
    """A payment intent that waits for a payer; `data` is what was asked for as ``payment_intent_data``."""
    identifier = engine.new_id("pi_3")
    return engine.put(
        "payment_intent",
        {
            "id": identifier,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": data.get("capture_method") or "automatic_async",
            "client_secret": f"{identifier}_secret_{engine.new_id('', 25)}",
            "confirmation_method": "automatic",
            "created": engine.timestamp(),
            "currency": currency,
            "customer": customer,
            "customer_account": None,
            "description": data.get("description"),
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": merged({}, data.get("metadata") or {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": types,
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": data.get("setup_future_usage"),
            "shipping": None,
            "statement_descriptor": data.get("statement_descriptor"),
            "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": data.get("transfer_group"),
        },
    )


def new_charge(engine: Engine, payer: Document, intent: Document, how: How) -> Document:
    """The charge of one try, not yet written, neither succeeded nor failed; `payer` has `email` and `name`."""
    card = {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "FR",
        "exp_month": 12,
        "exp_year": engine.now().year + 3,
        "funding": "credit",
        "last4": "0002" if how == "declined" else "4242",
        "network": "visa",
        "three_d_secure": None,
        "wallet": None,
    }
    delayed = delayed_method(intent["currency"])
    details: Document = {"type": delayed, delayed: {}} if how == "delayed" else {"type": "card", "card": card}
    return {
        "id": engine.new_id("ch_3" if how != "delayed" else "py_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": None,
            "email": payer["email"],
            "name": payer["name"],
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "PAYBYLINK SANDBOX" if how != "delayed" else None,
        "captured": False,
        "created": engine.timestamp(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": engine.new_id("pm_1"),
        "payment_method_details": details,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }
