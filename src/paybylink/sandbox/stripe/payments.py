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
    by hand   checkout.session.completed, payment_intent.amount_capturable_updated, charge.succeeded; the money is
              only reserved, and what follows is in `captures`

Source: docs.stripe.com/checkout/fulfillment; Stripe API reference, "Types of events".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe.amounts import fee
from paybylink.sandbox.stripe.call import NOBODY
from paybylink.sandbox.stripe.charges import book, intent_of, new_charge
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.links import count_completed
from paybylink.sandbox.vendor import How

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
        intent = intent_of(engine, session)
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
        charge = new_charge(engine, session["customer_details"], intent, how)
        intent["latest_charge"] = charge["id"]
        intent["payment_method"] = charge["payment_method"]
        if how == "declined":
            let_fail(engine, intent, charge, declined=True)
            _ = engine.put("checkout.session", session)
            _ = emit(engine, "payment_intent.payment_failed", intent, origin=NOBODY)
            _ = emit(engine, "charge.failed", charge, origin=NOBODY)
            return session
        by_hand = intent["capture_method"] == "manual"
        session |= {
            "status": "complete",
            "payment_status": "paid" if how == "card" and not by_hand else "unpaid",
            "url": None,
        }
        if by_hand:
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            charge |= {"status": "succeeded", "paid": True}
        elif how == "card":
            let_succeed(engine, intent, charge, charge["amount"])
        else:
            intent["status"], charge["status"] = "processing", "pending"
        _write(engine, session, intent, charge)
        _ = emit(engine, "checkout.session.completed", session, origin=NOBODY)
        words = ("succeeded", "succeeded") if how == "card" else ("processing", "pending")
        if by_hand:
            words = ("amount_capturable_updated", "succeeded")
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
            let_succeed(engine, intent, charge, charge["amount"])
            session["payment_status"] = "paid"
        else:
            let_fail(engine, intent, charge, declined=False)
        _write(engine, session, intent, charge)
        outcome, charged = ("succeeded", "succeeded") if succeeded else ("failed", "failed")
        _ = emit(engine, f"checkout.session.async_payment_{outcome}", session, origin=NOBODY)
        intended = "succeeded" if succeeded else "payment_failed"
        _ = emit(engine, f"payment_intent.{intended}", intent, origin=NOBODY)
        _ = emit(engine, f"charge.{charged}", charge, origin=NOBODY)
    return intent


def _write(engine: Engine, session: Document, intent: Document, charge: Document) -> None:
    _ = engine.put("checkout.session", session)
    _ = engine.put("payment_intent", intent)
    _ = engine.put("charge", charge)


def let_succeed(engine: Engine, intent: Document, charge: Document, amount: int) -> None:
    """Let `amount` of a charge be the merchant's; neither document is written."""
    kept = fee(amount, charge["currency"])
    entry = book(
        engine,
        charge,
        amount,
        kept=kept,
        kind="charge" if charge["payment_method_details"]["type"] == "card" else "payment",
        category="charge",
        description=charge["description"],
    )
    intent |= {
        "status": "succeeded",
        "amount_capturable": 0,
        "amount_received": amount,
        "last_payment_error": None,
    }
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": entry["id"],
    }


def let_fail(engine: Engine, intent: Document, charge: Document, *, declined: bool) -> None:
    """Let a try fail, because the card was declined or the bank sent nothing; both documents are written."""
    fault = _DECLINED if declined else _RETURNED
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
