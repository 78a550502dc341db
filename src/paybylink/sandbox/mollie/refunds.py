"""
Refunds: all or part of a payment goes back; together never more than came.

A refund waits (``pending``, and before that an hour ``queued`` where the balance does not cover it) and can be
cancelled until an hour has passed; then the bank has it (``processing``), and a day later it is ``refunded``, all by
the sandbox's clock. It moves the balance when it is refunded. `settle` brings one there at once; `fail` lets it fail,
also after it was refunded, when the money returns to the balance. With the fault ``hold`` time does not move it, with
``refuse`` the bank refuses it. Two equal refunds of a payment within a minute are taken for a mistake.
Source: Mollie's OpenAPI document, "Refunds API". The lengths of time are the sandbox's.
"""

from __future__ import annotations

from itertools import pairwise

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie import balances, events, payments
from paybylink.sandbox.mollie.amounts import HOME, amount, share_in_euros, units
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import Metadata, Money, Record, Text, Unsimulated
from paybylink.sandbox.mollie.wire import Problem, documentation, hal, missing, moment

_MINUTE = 60
_WAITS = {"queued": 3600, "pending": 3600, "processing": 24 * 3600}
_STEPS = ("queued", "pending", "processing", "refunded")
#: What Mollie keeps of each refund, in cents.
_KEPT = 25

_CREATE = Record(
    {
        "amount": Money(),
        "description": Text(255),
        "metadata": Metadata(),
        "externalReference": Unsimulated(),
        "reverseRouting": Unsimulated(),
        "routingReversals": Unsimulated(),
    },
    required=("amount",),
    nullable=("description", "metadata", "reverseRouting", "routingReversals"),
)
_WAITING = _STEPS[:2]


def create(call: Call) -> Document:
    """POST /v2/payments/{payment}/refunds."""
    engine, payment = call.engine, call.subject("mollie.payment", "payment")
    values = call.values(_CREATE)
    if payment["status"] != "paid":
        raise Problem("Only a payment that is paid can be refunded.")
    if values["amount"]["currency"] != payment["amount"]["currency"]:
        raise Problem("The refund should have the currency of the payment.", field="amount")
    minor = units(values["amount"])
    for earlier in engine.find("mollie.refund", ("paymentId", "=", payment["id"]), limit=20):
        same = earlier["amount"] == values["amount"] and earlier["status"] not in {"canceled", "failed"}
        if same and engine.timestamp() - earlier["_created"] < _MINUTE:
            raise Problem("An equal refund of this payment was made a moment ago.", status=409)
    if minor > payments.remaining(payment):
        raise Problem("The amount is higher than what remains to be refunded.", field="amount")
    worth = _worth(payment, payment["_refunded"], minor)
    fault = faults.take(engine, faults.CHANGE, "mollie.refunds")
    refund = engine.put(
        "mollie.refund",
        {
            "id": engine.new_id("re_", 22),
            "description": values.get("description") or payment["description"],
            "amount": values["amount"],
            "metadata": values.get("metadata"),
            "paymentId": payment["id"],
            "status": "queued",
            "createdAt": moment(engine.now()),
            "_created": engine.timestamp(),
            "_due": None,
            "_fault": None if fault is None else fault["kind"],
            "_worth": worth,
            "_settlement": None,
        },
    )
    payment["_refunded"] += minor
    _ = engine.put("mollie.payment", payment)
    covered = balances.total(engine, before_fees=True) >= _promised(engine)
    return view(engine, _become(engine, refund, "pending" if covered else "queued"))


def fetch(call: Call) -> Document:
    """GET /v2/payments/{payment}/refunds/{refund}."""
    _ = call.queried(Record({"embed": Text()}))
    return view(call.engine, _subject(call))


def index(call: Call) -> Document:
    """GET /v2/refunds, newest first."""
    values = call.queried(with_paging({"embed": Text()}, ordered=True))
    return page(call, SHELF, values, topic="list-all-refunds")


def index_of_payment(call: Call) -> Document:
    """GET /v2/payments/{payment}/refunds, newest first."""
    payment = call.subject("mollie.payment", "payment")
    values = call.queried(with_paging({"embed": Text()}))
    return page(call, SHELF, values, ("paymentId", "=", payment["id"]), topic="list-refunds")


def cancel(call: Call) -> Document:
    """DELETE /v2/payments/{payment}/refunds/{refund}, while it waits."""
    refund = _subject(call)
    _ = call.values(Record({}))
    if refund["status"] not in _WAITING:
        raise Problem("The refund is no longer waiting and cannot be cancelled.")
    _ = _become(call.engine, refund, "canceled")
    return {}


def settle(engine: Engine, refund: Document) -> Document:
    """A refund that is on its way, now with the payer."""
    with engine.transaction():
        for following in _STEPS[_STEPS.index(refund["status"]) + 1 :]:
            refund = _become(engine, refund, following)
    return refund


def fail(engine: Engine, refund: Document) -> Document:
    """A refund that the bank could not bring to the payer; the payment counts as that much less refunded."""
    with engine.transaction():
        return _become(engine, refund, "failed")


def advance(engine: Engine) -> None:
    """Let every refund be where the sandbox's clock wants it."""
    with engine.transaction():
        for status, following in pairwise(_STEPS):
            due = engine.find(
                "mollie.refund",
                ("status", "=", status),
                ("_due", "<=", engine.timestamp()),
                newest_first=False,
            )
            for refund in due:
                refused = following == "refunded" and refund["_fault"] == "refuse"
                _ = _become(engine, refund, "failed" if refused else following)


def _become(engine: Engine, refund: Document, status: str) -> Document:
    earlier, refund["status"] = refund["status"], status
    wait = _WAITS.get(status)
    # From the moment when it was due, so that a clock moved by a week leaves nothing half done.
    held = refund["_fault"] == "hold"
    refund["_due"] = None if wait is None or held else (refund["_due"] or engine.timestamp()) + wait
    payment = engine.get("mollie.payment", refund["paymentId"])
    if payment is None:
        raise LookupError(f"the payment of {refund['id']} is gone")
    context = {"paymentId": payment["id"], "refundId": refund["id"]}
    if status == "refunded":
        _ = balances.book(engine, "refund", -refund["_worth"], kept=_KEPT, context=context)
    if status in {"canceled", "failed"}:
        payment["_refunded"] -= units(refund["amount"])
        _ = engine.put("mollie.payment", payment)
        if earlier == "refunded":
            _ = balances.book(engine, "returned-refund", refund["_worth"], context=context)
    _ = engine.put("mollie.refund", refund)
    events.tell(engine, f"refund.{status}", view(engine, refund))
    if status in {"processing", "refunded", "failed"}:
        events.ring(engine, payment, "refund")
    return refund


def view(engine: Engine, refund: Document) -> Document:
    """The refund as it goes over the wire."""
    path = f"/v2/payments/{refund['paymentId']}"
    plain = shown(refund)
    links: Document = {
        "self": hal(engine.base_url, f"{path}/refunds/{refund['id']}"),
        "payment": hal(engine.base_url, path),
        "documentation": documentation("get-refund"),
    }
    if refund["status"] == "refunded":
        plain["settlementAmount"] = amount(-refund["_worth"], HOME)
    if refund["_settlement"]:
        plain["settlementId"] = refund["_settlement"]
        links["settlement"] = hal(engine.base_url, f"/v2/settlements/{refund['_settlement']}")
    return {"resource": "refund", "mode": "test", **plain, "_links": links}


SHELF = Shelf("mollie.refund", "refunds", view)


def _subject(call: Call) -> Document:
    refund = call.subject("mollie.refund", "refund")
    if refund["paymentId"] != call.names["payment"]:
        raise missing(refund["id"])
    return refund


def _promised(engine: Engine) -> int:
    return sum(
        refund["_worth"]
        for status in _STEPS[:-1]
        for refund in engine.find("mollie.refund", ("status", "=", status))
    )


def _worth(payment: Document, before: int, minor: int) -> int:
    whole, worth = units(payment["amount"]), payment["_worth"]
    return share_in_euros(before + minor, whole, worth) - share_in_euros(before, whole, worth)
