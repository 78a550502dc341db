"""
Settlements: what was paid out to the bank, and which payments, refunds and chargebacks it was made of.

`payout` closes one over everything on the balance since the last. A settlement lists its objects, and its periods
sum up revenue and costs by month; revenue less costs is its amount.

Mollie knows settlements in live mode only. The sandbox pays out test money, and says ``live`` on what a settlement
lists, since the API does.
Source: Mollie's OpenAPI document, "Settlements API". API keys have no right to it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from paybylink.sandbox.engine import Condition, Document, Engine, shown
from paybylink.sandbox.mollie import balances, chargebacks, payments, refunds
from paybylink.sandbox.mollie.amounts import HOME, amount
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.methods import METHODS
from paybylink.sandbox.mollie.parameters import Record, Text
from paybylink.sandbox.mollie.wire import documentation, hal, moment

#: The kinds of the documents that a settlement lists, by the context field that names them.
_LISTED = {"refundId": "mollie.refund", "chargebackId": "mollie.chargeback", "paymentId": "mollie.payment"}


def payout(engine: Engine) -> Document | None:
    """The settlement of all that is on the balance; None when there is nothing to pay out."""
    with engine.transaction():
        entries = engine.find("mollie.entry", ("_settlement", "=", None), newest_first=False)
        total = sum(entry["_result"] for entry in entries)
        if total <= 0:
            return None
        now = engine.now()
        settlement = engine.put(
            "mollie.settlement",
            {
                "id": engine.new_id("stl_", 10),
                "reference": f"1000001.{now:%y%m}.{engine.next_number('mollie_settlement'):02}",
                "createdAt": moment(now),
                "settledAt": moment(now),
                "status": "paidout",
                "amount": amount(total, HOME),
                "balanceId": balances.BALANCE,
                "invoiceId": None,
                "periods": _periods(engine, entries),
                "_total": total,
            },
        )
        context = {"transferId": engine.new_id("trf_", 10), "settlementId": settlement["id"]}
        entries.append(balances.book(engine, "outgoing-transfer", -total, context=context))
        for entry in entries:
            _ = engine.put("mollie.entry", {**entry, "_settlement": settlement["id"]})
            _mark(engine, entry, settlement["id"])
    return settlement


def index(call: Call) -> Document:
    """GET /v2/settlements, newest first."""
    values = call.queried(
        with_paging({"balanceId": Text(), "currencies": Text(), "month": Text(), "year": Text()})
    )
    tests: list[Condition] = [] if "balanceId" not in values else [("balanceId", "=", values["balanceId"])]
    return page(
        call, Shelf("mollie.settlement", "settlements", view), values, *tests, topic="list-settlements"
    )


def fetch(call: Call) -> Document:
    """GET /v2/settlements/{settlement}."""
    _ = call.queried(Record({}))
    return view(call.engine, call.subject("mollie.settlement", "settlement"))


def index_payments(call: Call) -> Document:
    """GET /v2/settlements/{settlement}/payments."""
    return _listed(call, payments.SHELF, topic="list-settlement-payments")


def index_refunds(call: Call) -> Document:
    """GET /v2/settlements/{settlement}/refunds."""
    return _listed(call, refunds.SHELF, topic="list-settlement-refunds")


def index_chargebacks(call: Call) -> Document:
    """GET /v2/settlements/{settlement}/chargebacks."""
    return _listed(call, chargebacks.SHELF, topic="list-settlement-chargebacks")


def view(engine: Engine, settlement: Document) -> Document:
    """The settlement as it goes over the wire."""
    path = f"/v2/settlements/{settlement['id']}"
    return {
        "resource": "settlement",
        **shown(settlement),
        "_links": {
            "self": hal(engine.base_url, path),
            **{
                name: hal(engine.base_url, f"{path}/{name}")
                for name in ("payments", "refunds", "chargebacks")
            },
            "documentation": documentation("get-settlement"),
        },
    }


def _listed(call: Call, shelf: Shelf, *, topic: str) -> Document:
    settlement = call.subject("mollie.settlement", "settlement")
    values = call.queried(with_paging({"embed": Text()}, ordered=True))
    live = Shelf(shelf.kind, shelf.name, _in_live_mode(shelf.view))
    return page(call, live, values, ("_settlement", "=", settlement["id"]), topic=topic)


def _in_live_mode(view_one: Callable[[Engine, Document], Document]) -> Callable[[Engine, Document], Document]:
    def viewed(engine: Engine, document: Document) -> Document:
        seen = view_one(engine, document)
        return {**seen, "mode": "live"} if "mode" in seen else seen

    return viewed


def _mark(engine: Engine, entry: Document, settlement: str) -> None:
    field = next((name for name in _LISTED if name in entry["context"]), None)
    # What comes back of a refund or chargeback belongs to the settlement that its object is in already.
    if field is None or entry["type"] in {"returned-refund", "chargeback-reversal"}:
        return
    document = engine.get(_LISTED[field], entry["context"][field])
    if document is not None:
        _ = engine.put(_LISTED[field], {**document, "_settlement": settlement})


def _periods(engine: Engine, entries: list[Document]) -> Document:
    periods: Document = {}
    for entry in entries:
        year, month = entry["createdAt"][:4], entry["createdAt"][5:7]
        period = periods.setdefault(year, {}).setdefault(
            month, {"revenue": [], "costs": [], "invoiceId": None, "invoiceReference": None}
        )
        payment = engine.get("mollie.payment", entry["context"]["paymentId"])
        paid_by = (payment or {}).get("method", "creditcard")
        name = METHODS[paid_by].name
        # Payments stand under their own method, what went back under a word of its own.
        kind = (
            paid_by
            if entry["type"] == "payment"
            else "chargeback"
            if "chargeback" in entry["type"]
            else "refund"
        )
        label = name if kind == paid_by else f"{kind.capitalize()}s {name}"
        _add(period["revenue"], label, kind, entry["_initial"])
        if entry["_kept"]:
            _add(period["costs"], label, kind, entry["_kept"], {"rate": {}})
    return periods


def _add(lines: list[Document], label: str, method: str, cents: int, more: Document | None = None) -> None:
    line = next((one for one in lines if one["description"] == label), None)
    if line is None:
        line = {"description": label, "method": method, "count": 0, **(more or {}), "amountVat": None}
        line |= {"amountNet": _four(0), "amountGross": _four(0)}
        lines.append(line)
    line["count"] += 1
    total = Decimal(line["amountNet"]["value"]) + Decimal(cents) / 100
    line |= {"amountNet": _four(total), "amountGross": _four(total)}


def _four(euros: Decimal | int) -> Document:
    return {"currency": HOME, "value": f"{euros:.4f}"}
