"""
Changes of a payment: captures, cancels, refunds and reversals.

Each is answered with 201, ``received`` and a pspReference of its own, whatever will come of it; the outcome is told
by a webhook and can be learned in no other way. Here it comes in the same transaction, so in the next moment, unless
the fault ``hold`` keeps it until `finish`; the fault ``refuse`` lets it fail. Only a payment that is not there, or
not of this merchant account, is refused at once.
Source: Adyen's OpenAPI document of Checkout v72, "Modifications"; webhooks v1.
"""

from __future__ import annotations

from collections.abc import Callable

from paybylink.sandbox import faults
from paybylink.sandbox.adyen import balance, payments
from paybylink.sandbox.adyen.call import Call
from paybylink.sandbox.adyen.shapes import CHANGES
from paybylink.sandbox.adyen.wire import Problem, psp_reference
from paybylink.sandbox.engine import Document, Engine

KIND = "adyen.modification"

_SHOWN = ("amount", "capturePspReference", "lineItems", "merchantRefundReason", "store")
_CODES = {
    "captures": "CAPTURE",
    "cancels": "CANCELLATION",
    "refunds": "REFUND",
    "reversals": "CANCEL_OR_REFUND",
}


def asking(path: str) -> Callable[[Call], Document]:
    """The action of POST /payments/{paymentPspReference}/captures, cancels, refunds or reversals."""

    def action(call: Call) -> Document:
        return _received(call, path)

    return action


def _received(call: Call, path: str) -> Document:
    engine, values = call.engine, call.values(CHANGES[path])
    payment = engine.get(payments.KIND, call.names["payment"])
    if payment is None or payment["merchantAccount"] != values["merchantAccount"]:
        raise Problem("Original pspReference required for this operation", code="167")
    if "amount" in values and values["amount"]["currency"] != payment["amount"]["currency"]:
        raise Problem("Currency of the modification differs from that of the payment", code="138")
    change: Document = engine.put(
        KIND,
        {
            "id": psp_reference(engine),
            "path": path,
            "payment": payment["id"],
            "merchantAccount": payment["merchantAccount"],
            # A change that can only be whole takes the amount of the payment.
            "amount": values.get("amount") or payment["amount"],
            "reference": values.get("reference"),
            "status": "received",
            "_shown": {name: values[name] for name in _SHOWN if name in values},
        },
    )
    fault = faults.take(engine, faults.CHANGE, f"adyen.{path}")
    if fault is None or fault["kind"] == "refuse":
        _ = done(engine, change, succeeded=fault is None)
    reply = {
        "merchantAccount": change["merchantAccount"],
        "paymentPspReference": payment["id"],
        "pspReference": change["id"],
        "status": "received",
        **change["_shown"],
    }
    return reply if change["reference"] is None else {**reply, "reference": change["reference"]}


def finish(engine: Engine, identifier: str, *, succeeded: bool) -> Document | None:
    """A change that was held, now done or refused; also a capture that had been done and now fails."""
    change = engine.get(KIND, identifier)
    if change is None:
        return None
    if change["status"] == "received":
        with engine.transaction():
            return done(engine, change, succeeded=succeeded)
    if change["status"] == "done" and change["path"] == "captures" and not succeeded:
        with engine.transaction():
            return _capture_failed(engine, change)
    return None


def done(engine: Engine, change: Document, *, succeeded: bool) -> Document:
    """The change, done if it can be, and told of."""
    payment = engine.get(payments.KIND, change["payment"])
    if payment is None:
        raise LookupError(f"the payment of {change['id']} is gone")
    does = {"captures": _capture, "cancels": _cancel, "refunds": _refund, "reversals": _reverse}
    # What `does` says is why it could not be done, and what goes with the event.
    reason, extra = (
        does[change["path"]](engine, payment, change) if succeeded else ("Refused by the sandbox", {})
    )
    change["status"] = "done" if reason is None else "failed"
    _ = engine.put(KIND, change)
    payments.told(
        engine,
        payment,
        _CODES[change["path"]],
        psp=change["id"],
        value=change["amount"]["value"],
        success=reason is None,
        reason=reason,
        reference=change["reference"],
        extra=extra,
    )
    return change


def fail_refund(engine: Engine, identifier: str) -> Document | None:
    """A refund that was done and now came back; None when there is none such."""
    change = engine.get(KIND, identifier)
    if change is None or change["status"] != "done" or not change.get("_refunded"):
        return None
    payment = engine.get(payments.KIND, change["payment"])
    if payment is None:
        raise LookupError(f"the payment of {change['id']} is gone")
    with engine.transaction():
        value = change["_refunded"]
        payment["refunded"] -= value
        change["status"] = "returned"
        _ = engine.put(payments.KIND, payment)
        _ = engine.put(KIND, change)
        _ = balance.book(engine, payment, "RefundedReversed", value, change=change["id"])
        payments.told(
            engine,
            payment,
            "REFUND_FAILED",
            psp=change["id"],
            value=value,
            reason="The shopper's bank returned the money",
            reference=change["reference"],
        )
    return change


def _capture(engine: Engine, payment: Document, change: Document) -> tuple[str | None, dict[str, str]]:
    value = change["amount"]["value"]
    if payment["status"] not in {"authorised", "captured"}:
        return "Transaction is not authorised", {}
    if value > payment["amount"]["value"] - payment["captured"]:
        return "Insufficient balance on payment", {}
    _ = payments.captured(engine, payment, value, change=change["id"], reference=change["reference"] or "")
    return None, {}


def _cancel(engine: Engine, payment: Document, _: Document) -> tuple[str | None, dict[str, str]]:
    if payment["status"] != "authorised":
        return "Transaction cannot be cancelled", {}
    payment |= {"status": "cancelled", "_capture_at": None}
    _ = engine.put(payments.KIND, payment)
    return None, {}


def _refund(engine: Engine, payment: Document, change: Document) -> tuple[str | None, dict[str, str]]:
    value = change["amount"]["value"]
    if value > payment["captured"] - payment["refunded"] - payment["disputed"]:
        return "Insufficient balance on payment", {}
    payment["refunded"] += value
    change["_refunded"] = value
    _ = engine.put(payments.KIND, payment)
    _ = balance.book(
        engine, payment, "Refunded", -value, change=change["id"], reference=change["reference"] or ""
    )
    return None, {}


def _reverse(engine: Engine, payment: Document, change: Document) -> tuple[str | None, dict[str, str]]:
    extra = {"originalMerchantReference": payment["reference"]}
    if payment["status"] == "authorised":
        return _cancel(engine, payment, change)[0], {**extra, "modification.action": "cancel"}
    reason: str | None = "Insufficient balance on payment"
    if payment["captured"] == payment["amount"]["value"] and not payment["refunded"]:
        reason = _refund(engine, payment, change)[0]
    return reason, {**extra, "modification.action": "refund"}


def _capture_failed(engine: Engine, change: Document) -> Document:
    payment = engine.get(payments.KIND, change["payment"])
    if payment is None:
        raise LookupError(f"the payment of {change['id']} is gone")
    value = change["amount"]["value"]
    payment["captured"] -= value
    payment["status"] = "captured" if payment["captured"] else "refused"
    change["status"] = "failed"
    _ = engine.put(payments.KIND, payment)
    _ = engine.put(KIND, change)
    _ = balance.book(engine, payment, "CaptureFailed", -value, change=change["id"])
    payments.told(
        engine,
        payment,
        "CAPTURE_FAILED",
        psp=change["id"],
        value=value,
        reason="Capture Failed",
        reference=change["reference"],
    )
    return change
