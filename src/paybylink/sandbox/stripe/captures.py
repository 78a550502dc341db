"""
Money that is only reserved: captured by hand, let go, or lapsed after a week.

With ``capture_method=manual`` a card payment completes its session unpaid and its intent waits as
``requires_capture``. One capture, of all or a part, makes it money; the rest is let go. Only an intent that waits so
can be captured or cancelled here: all others belong to a session, which is expired instead.
Source: Stripe API reference, "Capture a PaymentIntent", "Cancel a PaymentIntent"; docs.stripe.com/payments, "Place a
hold on a payment method".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe.call import NOBODY, Call, Origin
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.parameters import Flag, Labels, Record, Text, Unsimulated, Whole, merged
from paybylink.sandbox.stripe.payments import let_succeed
from paybylink.sandbox.stripe.wire import Problem

_WEEK = 7 * 86400
_CAPTURE = Record(
    {
        "amount_details": Unsimulated(),
        "amount_to_capture": Whole(1),
        "application_fee_amount": Unsimulated(),
        "final_capture": Flag(),
        "metadata": Labels(),
        "statement_descriptor": Text(22),
        "statement_descriptor_suffix": Text(22),
        "transfer_data": Unsimulated(),
    }
)
_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_CANCEL = Record({"cancellation_reason": Text(choices=_REASONS)})


def capture(call: Call) -> Document:
    """POST /v1/payment_intents/{intent}/capture."""
    intent = call.subject("payment_intent", "intent")
    values = call.values(_CAPTURE)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "captured")
    amount = values.get("amount_to_capture") or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise Problem(
            f"You cannot capture more than {intent['amount_capturable']}.",
            code="amount_too_large",
            param="amount_to_capture",
            executed=True,
        )
    engine, charge = call.engine, call.engine.get("charge", intent["latest_charge"])
    assert charge is not None
    if values.get("metadata") is not None:
        intent["metadata"] = merged(intent["metadata"], values["metadata"])
    let_succeed(engine, intent, charge, amount)
    _ = engine.put("payment_intent", intent)
    _ = engine.put("charge", charge)
    for session in engine.find("checkout.session", ("payment_intent", "=", intent["id"])):
        _ = engine.put("checkout.session", {**session, "payment_status": "paid"})
    _ = emit(engine, "charge.captured", charge, origin=call.origin)
    _ = emit(engine, "payment_intent.succeeded", intent, origin=call.origin)
    return intent


def cancel(call: Call) -> Document:
    """POST /v1/payment_intents/{intent}/cancel."""
    intent = call.subject("payment_intent", "intent")
    values = call.values(_CANCEL)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "canceled")
    return _cancelled(call.engine, intent, values.get("cancellation_reason"), call.origin)


def lapse_due(engine: Engine) -> None:
    """Let go of what was reserved a week ago and not captured."""
    old = engine.timestamp() - _WEEK
    waiting = engine.find("payment_intent", ("status", "=", "requires_capture"), newest_first=False)
    for intent in waiting:
        if intent["created"] <= old:
            _ = _cancelled(engine, intent, "automatic", NOBODY)


def _unexpected(intent: Document, done: str) -> Problem:
    return Problem(
        f"This PaymentIntent could not be {done} because it has a status of {intent['status']}. Only a PaymentIntent"
        " with one of the following statuses may be: requires_capture.",
        code="payment_intent_unexpected_state",
        param="intent",
        executed=True,
    )


def _cancelled(engine: Engine, intent: Document, reason: str | None, origin: Origin) -> Document:
    intent |= {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": engine.timestamp(),
        "cancellation_reason": reason,
    }
    _ = emit(engine, "payment_intent.canceled", intent, origin=origin)
    return engine.put("payment_intent", intent)
