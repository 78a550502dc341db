"""
Disputes: the payer's bank takes a charge back, with a fee, and gives it back when the merchant wins.

    opened   charge.dispute.created, charge.dispute.funds_withdrawn
    won      charge.dispute.funds_reinstated, charge.dispute.closed
    lost     charge.dispute.closed

The balance transactions are of the type ``adjustment`` and the category ``dispute`` or ``dispute_reversal``; the fee
is not given back. A disputed charge cannot be refunded.
Source: Stripe API reference, "Disputes", "Types of events"; docs.stripe.com/disputes.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.amounts import decimals
from paybylink.sandbox.stripe.call import NOBODY, Call
from paybylink.sandbox.stripe.charges import book
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Record, Text
from paybylink.sandbox.vendor import Refused

_REASONS = (
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
_UNITS = {0: 1, 2: 100, 3: 1000}
_WRITTEN = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def fetch(call: Call) -> Document:
    """GET /v1/disputes/{dispute}."""
    _ = call.values(Record({}))
    return call.subject("dispute", "dispute")


def index(call: Call) -> Document:
    """GET /v1/disputes, newest first, all or those of one payment."""
    filters = {"charge": Text(), "payment_intent": Text()}
    values = call.values(Record({**PAGING, **filters, "created": CREATED}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    return page(call.engine, "dispute", values, *tests, url="/v1/disputes")


def opened(engine: Engine, charge: Document, *, reason: str, amount: int | None) -> Document:
    """
    The dispute of a charge.

    Raises:
        Refused: it is disputed already, there is not so much left of it, or the reason is none of Stripe's.
    """
    left = charge["amount_captured"] - charge["amount_refunded"]
    value = left if amount is None else amount
    if charge["disputed"] or not 0 < value <= left:
        raise Refused(f"{charge['id']} is disputed already, or not so much of it can be disputed.")
    if reason and reason not in _REASONS:
        raise Refused(f"{reason!r} is no reason of Stripe's: {', '.join(_REASONS)}.")
    now = engine.timestamp()
    with engine.transaction():
        dispute: Document = {
            "id": engine.new_id("du_1"),
            "object": "dispute",
            "amount": value,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(_WRITTEN), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": now + 9 * 86400,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason or "fraudulent",
            "status": "needs_response",
        }
        if charge["payment_method_details"]["type"] == "card":
            dispute["payment_method_details"] = {
                "type": "card",
                "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            }
        fee = _UNITS[decimals(charge["currency"])] * 20
        _book(engine, dispute, -value, kept=fee, category="dispute", text="Chargeback withdrawal")
        charge["disputed"] = True
        _ = engine.put("charge", charge)
        _ = emit(engine, "charge.dispute.created", dispute, origin=NOBODY)
        _ = emit(engine, "charge.dispute.funds_withdrawn", dispute, origin=NOBODY)
    return dispute


def closed(engine: Engine, dispute: Document, *, won: bool) -> Document:
    """
    The dispute, won by the merchant or lost.

    Raises:
        Refused: it is closed already.
    """
    if dispute["status"] in {"won", "lost"}:
        raise Refused(f"The dispute {dispute['id']} is {dispute['status']}.")
    with engine.transaction():
        dispute["status"] = "won" if won else "lost"
        if won:
            _book(
                engine,
                dispute,
                dispute["amount"],
                kept=0,
                category="dispute_reversal",
                text="Chargeback reversal",
            )
            _ = emit(engine, "charge.dispute.funds_reinstated", dispute, origin=NOBODY)
        _ = emit(engine, "charge.dispute.closed", dispute, origin=NOBODY)
        return engine.put("dispute", dispute)


def _book(engine: Engine, dispute: Document, amount: int, *, kept: int, category: str, text: str) -> None:
    entry = book(
        engine,
        dispute,
        amount,
        kept=kept,
        kind="adjustment",
        category=category,
        description=f"{text} for {dispute['charge']}",
        fee_for="Dispute fee",
    )
    public = {name: value for name, value in entry.items() if not name.startswith("_")}
    dispute["balance_transactions"] = [*dispute["balance_transactions"], public]
    _ = engine.put("dispute", dispute)
