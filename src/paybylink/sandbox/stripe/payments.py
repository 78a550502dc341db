"""
Payments: what becomes of a session when its payer presses a button, and what becomes of the money later.

Three endings, as on Stripe's page. A card succeeds at once. A declined card leaves the session open for another
try. A delayed method completes the session with nothing paid (`payment_status` stays ``unpaid``), and days later
`settle` says whether the money came. Each tells its events in the order in which Stripe tells them:

    card      checkout.session.completed, payment_intent.succeeded, charge.succeeded
    delayed   checkout.session.completed, payment_intent.processing, charge.pending;
              then checkout.session.async_payment_succeeded, payment_intent.succeeded, charge.succeeded
              or checkout.session.async_payment_failed, payment_intent.payment_failed, charge.failed
    declined  payment_intent.payment_failed, charge.failed

Source: docs.stripe.com/checkout/fulfillment; Stripe API reference, "PaymentIntents", "Charges", "Balance
Transactions".
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.amounts import fee
from paybylink.sandbox.stripe.call import NOBODY, Call
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.links import count_completed
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Labels, Record, Text, merged
from paybylink.sandbox.stripe.sessions import delayed_method

#: How a payer pays: at once, later, or not.
How: TypeAlias = Literal["card", "delayed", "declined"]

_DECLINED = {"code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined."}
_RETURNED = {"code": "payment_intent_payment_attempt_failed", "message": "The bank returned the payment."}


def pay(
    engine: Engine, session: Document, how: How, *, email: str | None = None, name: str | None = None
) -> Document:
    """
    The session after its payer pressed a button, complete or (when the card was declined) still open.

    Args:
        session: an open session; checked by the caller, who may let a late payment through on purpose.
        email: the payer's address; that of the session when None.
    """
    with engine.transaction():
        intent = _intent_of(engine, session)
        session["payment_intent"] = intent["id"]
        session["customer_details"] = {
            "address": None,
            "business_name": None,
            "email": email or session["customer_email"],
            "individual_name": None,
            "name": name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        }
        charge = _charge(engine, session, intent, how)
        intent["latest_charge"] = charge["id"]
        intent["payment_method"] = charge["payment_method"]
        if how == "declined":
            _failed(engine, intent, charge, _DECLINED)
            _ = engine.put("checkout.session", session)
            _ = emit(engine, "payment_intent.payment_failed", intent, origin=NOBODY)
            _ = emit(engine, "charge.failed", charge, origin=NOBODY)
            return session
        session |= {
            "status": "complete",
            "payment_status": "paid" if how == "card" else "unpaid",
            "url": None,
        }
        if how == "card":
            _succeeded(engine, intent, charge)
        else:
            intent["status"], charge["status"] = "processing", "pending"
        _write(engine, session, intent, charge)
        _ = emit(engine, "checkout.session.completed", session, origin=NOBODY)
        words = ("succeeded", "succeeded") if how == "card" else ("processing", "pending")
        _ = emit(engine, f"payment_intent.{words[0]}", intent, origin=NOBODY)
        _ = emit(engine, f"charge.{words[1]}", charge, origin=NOBODY)
        if session["payment_link"] is not None:
            link = engine.get("payment_link", session["payment_link"])
            if link is not None:
                count_completed(engine, link, origin=NOBODY)
    return session


def settle(engine: Engine, intent: Document, *, succeeded: bool) -> Document:
    """The payment intent of a delayed payment after its money came, or was known not to come."""
    with engine.transaction():
        session = engine.find("checkout.session", ("payment_intent", "=", intent["id"]))[0]
        charge = engine.get("charge", intent["latest_charge"])
        if charge is None:
            raise LookupError(f"the charge of {intent['id']} is gone")
        if succeeded:
            _succeeded(engine, intent, charge)
            session["payment_status"] = "paid"
        else:
            _failed(engine, intent, charge, _RETURNED)
        _write(engine, session, intent, charge)
        outcome, charged = ("succeeded", "succeeded") if succeeded else ("failed", "failed")
        _ = emit(engine, f"checkout.session.async_payment_{outcome}", session, origin=NOBODY)
        intended = "succeeded" if succeeded else "payment_failed"
        _ = emit(engine, f"payment_intent.{intended}", intent, origin=NOBODY)
        _ = emit(engine, f"charge.{charged}", charge, origin=NOBODY)
    return intent


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
    """GET /v1/balance_transactions, newest first."""
    filters = {"currency": Text(), "source": Text(), "type": Text()}
    values = call.values(Record({**PAGING, **filters, "created": CREATED}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
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
) -> Document:
    """The balance transaction of a charge or refund: `amount` moves the balance, `kept` is Stripe's fee in it."""
    now = engine.timestamp()
    fees = [
        {
            "amount": kept,
            "application": None,
            "currency": source["currency"],
            "description": "Stripe processing fees",
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
        },
    )


def _write(engine: Engine, session: Document, intent: Document, charge: Document) -> None:
    _ = engine.put("checkout.session", session)
    _ = engine.put("payment_intent", intent)
    _ = engine.put("charge", charge)


def _succeeded(engine: Engine, intent: Document, charge: Document) -> None:
    kept = fee(charge["amount"], charge["currency"])
    entry = book(
        engine,
        charge,
        charge["amount"],
        kept=kept,
        kind="charge" if charge["payment_method_details"]["type"] == "card" else "payment",
        category="charge",
        description=charge["description"],
    )
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": charge["amount"],
        "balance_transaction": entry["id"],
    }


def _failed(engine: Engine, intent: Document, charge: Document, fault: dict[str, str]) -> None:
    kind = "card_error" if "decline_code" in fault else "invalid_request_error"
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {"type": kind, **fault, "charge": charge["id"]},
    }
    charge |= {
        "status": "failed",
        "paid": False,
        "failure_code": fault["code"],
        "failure_message": fault["message"],
    }
    if charge["outcome"] and "decline_code" in fault:
        charge["outcome"] |= {"network_status": "declined_by_network", "reason": fault["decline_code"]}
        charge["outcome"] |= {"seller_message": "The bank did not say why.", "type": "issuer_declined"}
    _ = engine.put("payment_intent", intent)
    _ = engine.put("charge", charge)


def _intent_of(engine: Engine, session: Document) -> Document:
    if session["payment_intent"] is not None:
        earlier = engine.get("payment_intent", session["payment_intent"])
        if earlier is not None:
            return earlier
    data = session["_intent"]
    identifier = engine.new_id("pi_3")
    return engine.put(
        "payment_intent",
        {
            "id": identifier,
            "object": "payment_intent",
            "amount": session["amount_total"],
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
            "currency": session["currency"],
            "customer": None,
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
            "payment_method_types": session["payment_method_types"],
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


def _charge(engine: Engine, session: Document, intent: Document, how: How) -> Document:
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
    payer = session["customer_details"]
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
        "customer": None,
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
