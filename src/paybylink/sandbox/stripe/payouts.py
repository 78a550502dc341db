"""
Payouts: what is on the balance goes to the bank, and the balance transactions say in which payout.

`paid_out` is what Stripe does by itself every day: it takes everything in one currency that waits. A payout is told
by payout.created, payout.paid and, when its transactions can be listed by it, payout.reconciliation_completed.
Source: Stripe API reference, "Payouts"; docs.stripe.com/payouts, "Payout reconciliation".
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe.call import NOBODY, Call
from paybylink.sandbox.stripe.charges import book
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Field, Record, Text
from paybylink.sandbox.vendor import Refused

_STATUSES = ("canceled", "failed", "in_transit", "paid", "pending")


def fetch(call: Call) -> Document:
    """GET /v1/payouts/{payout}."""
    _ = call.values(Record({}))
    return call.subject("payout", "payout")


def index(call: Call) -> Document:
    """GET /v1/payouts, newest first."""
    times: Mapping[str, Field] = {"arrival_date": CREATED, "created": CREATED}
    texts: Mapping[str, Field] = {"destination": Text(), "status": Text(choices=_STATUSES)}
    values = call.values(Record({**PAGING, **times, **texts}))
    tests: list[Condition] = [(name, "=", values[name]) for name in texts if values.get(name) is not None]
    bounds: dict[str, int] = values.get("arrival_date") or {}

    def arrives(payout: Document) -> bool:
        day = int(payout["arrival_date"])
        return bounds.get("gt", day - 1) < day < bounds.get("lt", day + 1) and bounds.get(
            "gte", day
        ) <= day <= bounds.get("lte", day)

    return page(call.engine, "payout", values, *tests, url="/v1/payouts", keep=arrives if bounds else None)


def balances(engine: Engine) -> dict[str, int]:
    """What the merchant has, by currency (lower case), in Stripe's minor units."""
    held: dict[str, int] = {}
    for entry in engine.find("balance_transaction", newest_first=False):
        held[entry["currency"]] = held.get(entry["currency"], 0) + entry["net"]
    return held


def paid_out(engine: Engine, currency: str | None) -> Document:
    """
    The payout of all that waits in a currency; None takes that of the oldest transaction.

    Raises:
        Refused: nothing waits, or less than nothing.
    """
    tests: list[Condition] = [("_payout", "=", None)]
    if currency is not None:
        tests.append(("currency", "=", currency.lower()))
    with engine.transaction():
        waiting = engine.find("balance_transaction", *tests, newest_first=False)
        if not waiting:
            raise Refused("Nothing waits to be paid out.")
        held_in = waiting[0]["currency"]
        mine = [entry for entry in waiting if entry["currency"] == held_in]
        total = sum(entry["net"] for entry in mine)
        if total <= 0:
            raise Refused(f"The balance is {total} in minor units of {held_in}; nothing is paid out.")
        payout = _new(engine, total, held_in)
        own = book(
            engine, payout, -total, kept=0, kind="payout", category="payout", description="STRIPE PAYOUT"
        )
        for entry in [*mine, own]:
            _ = engine.put("balance_transaction", {**entry, "status": "available", "_payout": payout["id"]})
        payout["balance_transaction"] = own["id"]
        _ = engine.put("payout", payout)
        _ = emit(engine, "payout.created", payout, origin=NOBODY)
        payout |= {"status": "paid", "reconciliation_status": "completed"}
        _ = engine.put("payout", payout)
        _ = emit(engine, "payout.paid", payout, origin=NOBODY)
        _ = emit(engine, "payout.reconciliation_completed", payout, origin=NOBODY)
    return payout


def _new(engine: Engine, amount: int, currency: str) -> Document:
    now = engine.timestamp()
    return {
        "id": engine.new_id("po_1"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now + 2 * 86400,
        "automatic": True,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": engine.new_id("ba_1"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
