"""
Refunds: all or part of a charge goes back; together never more than came.

A refund succeeds at once; `fail` lets it fail days later, when the money returns to the balance. The fault ``hold``
(``stripe.refunds``) leaves it pending until `finish`, the fault ``refuse`` lets it fail in the next moment. The
processing fee stays with Stripe, so the balance transaction of a refund has no fee of its own.
Source: Stripe API reference, "Refunds"; docs.stripe.com/refunds.
"""

from __future__ import annotations

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.amounts import display
from paybylink.sandbox.stripe.call import NOBODY, Call
from paybylink.sandbox.stripe.charges import book
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Flag, Labels, Record, Text, Unsimulated, Whole, merged
from paybylink.sandbox.stripe.wire import Problem, missing

_CREATE = Record(
    {
        "amount": Whole(1),
        "charge": Text(),
        "currency": Text(20),
        "customer": Unsimulated(),
        "instructions_email": Text(),
        "metadata": Labels(),
        "origin": Unsimulated(),
        "payment_intent": Text(),
        "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
        "refund_application_fee": Flag(),
        "reverse_transfer": Flag(),
    }
)


def create(call: Call) -> Document:
    """POST /v1/refunds, by payment intent or by charge."""
    values = call.values(_CREATE)
    charge = _charge_of(call.engine, values)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise Problem(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            executed=True,
        )
    if charge["refunded"] or left == 0:
        raise Problem(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", executed=True
        )
    amount = values.get("amount") or left
    if amount > left:
        shown_amount, shown_left = display(amount, charge["currency"]), display(left, charge["currency"])
        # Stripe gives no code here; callers have to go by the parameter and the sentence.
        raise Problem(
            f"Refund amount ({shown_amount}) is greater than unrefunded amount on charge ({shown_left})",
            param="amount",
            executed=True,
        )
    fault = faults.take(call.engine, faults.CHANGE, "stripe.refunds")
    refund = _new(call.engine, charge, amount, values, held=fault is not None)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    _ = call.engine.put("charge", charge)
    _ = emit(call.engine, "refund.created", refund, origin=call.origin)
    _ = emit(call.engine, "refund.updated", refund, origin=call.origin, previous={})
    _ = emit(
        call.engine,
        "charge.refunded",
        charge,
        origin=call.origin,
        previous={"amount_refunded": charge["amount_refunded"] - amount, "refunded": False},
    )
    # Refused, it is answered as pending; that it failed is told afterwards.
    answer = dict(refund)
    if fault is not None and fault["kind"] == "refuse":
        _ = fail(call.engine, refund)
    return answer


def fetch(call: Call) -> Document:
    """GET /v1/refunds/{refund}."""
    _ = call.values(Record({}))
    return call.subject("refund", "refund")


def index(call: Call) -> Document:
    """GET /v1/refunds, newest first, all or those of one payment."""
    filters = {"charge": Text(), "payment_intent": Text()}
    values = call.values(Record({**PAGING, **filters, "created": CREATED}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    return page(call.engine, "refund", values, *tests, url="/v1/refunds")


def update(call: Call) -> Document:
    """POST /v1/refunds/{refund}: its metadata."""
    refund = call.subject("refund", "refund")
    values = call.values(Record({"metadata": Labels()}))
    if "metadata" in values:
        refund["metadata"] = merged(refund["metadata"] or {}, values["metadata"])
    _ = call.engine.put("refund", refund)
    _ = emit(call.engine, "refund.updated", refund, origin=call.origin, previous={})
    return refund


def finish(engine: Engine, refund: Document, *, succeeded: bool) -> Document:
    """A refund that was pending, now with the payer, or failed."""
    if not succeeded:
        return fail(engine, refund)
    with engine.transaction():
        refund["status"] = "succeeded"
        _ = emit(engine, "refund.updated", refund, origin=NOBODY, previous={"status": "pending"})
        return engine.put("refund", refund)


def fail(engine: Engine, refund: Document) -> Document:
    """The refund after the bank could not take it back; its charge counts as that much less refunded."""
    with engine.transaction():
        charge = engine.get("charge", refund["charge"])
        if charge is None:
            raise LookupError(f"the charge of {refund['id']} is gone")
        before = refund["status"]
        entry = book(
            engine,
            refund,
            refund["amount"],
            kept=0,
            kind="refund_failure",
            category="refund_failure",
            description="REFUND FAILURE",
        )
        refund |= {
            "status": "failed",
            "failure_reason": "expired_or_canceled_card",
            "failure_balance_transaction": entry["id"],
        }
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        _ = engine.put("refund", refund)
        _ = engine.put("charge", charge)
        _ = emit(engine, "refund.failed", refund, origin=NOBODY)
        _ = emit(engine, "refund.updated", refund, origin=NOBODY, previous={"status": before})
    return refund


def _charge_of(engine: Engine, values: Document) -> Document:
    if (values.get("charge") is None) == (values.get("payment_intent") is None):
        raise Problem(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    if values.get("charge") is not None:
        charge = engine.get("charge", values["charge"])
        if charge is None:
            raise missing("charge", values["charge"], param="charge", status=404)
    else:
        intent = engine.get("payment_intent", values["payment_intent"])
        if intent is None:
            raise missing("payment_intent", values["payment_intent"], param="payment_intent", status=404)
        charge = engine.get("charge", intent["latest_charge"] or "")
        if intent["status"] != "succeeded" or charge is None:
            raise Problem(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
                executed=True,
            )
    if charge["status"] != "succeeded":
        raise Problem(
            f"Charge {charge['id']} is not successful and cannot be refunded.", param="charge", executed=True
        )
    return charge


def _new(engine: Engine, charge: Document, amount: int, values: Document, *, held: bool) -> Document:
    refund: Document = {
        "id": engine.new_id("re_3" if charge["id"].startswith("ch_") else "pyr_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": engine.timestamp(),
        "currency": charge["currency"],
        "metadata": merged({}, values.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": values.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if held else "succeeded",
        "transfer_reversal": None,
    }
    kind = charge["payment_method_details"]["type"]
    if kind == "card":
        refund["destination_details"] = {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        }
    entry = book(
        engine,
        refund,
        -amount,
        kept=0,
        kind="refund" if kind == "card" else "payment_refund",
        category="refund",
        description="REFUND FOR CHARGE",
    )
    refund["balance_transaction"] = entry["id"]
    return engine.put("refund", refund)
