"""
The balance: one, in euros, and every movement on it with what Mollie deducted.

A movement's result is its initial amount and its deductions, which are below zero; the balance is the sum of all
results, and a payout takes out what is there. What a movement is about stands flat in its `context`, as in Mollie's
examples.
Source: Mollie's OpenAPI document, "Balances API". API keys have no right to it.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie.amounts import HOME, amount
from paybylink.sandbox.mollie.call import PROFILE_CREATED, Call
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import Record, Text
from paybylink.sandbox.mollie.wire import Problem, documentation, hal, missing, moment

#: The only balance there is.
BALANCE = "bal_SandboxPayByLinkEUR"


def book(engine: Engine, kind: str, initial: int, *, kept: int = 0, context: Document) -> Document:
    """
    One movement, written.

    Args:
        kind: Mollie's word, e.g. ``payment`` or ``returned-refund``.
        initial: cents, below zero where money leaves.
        kept: cents that Mollie deducts besides.
        context: the ids that it is about.
    """
    return engine.put(
        "mollie.entry",
        {
            "id": engine.new_id("baltr_", 22),
            "type": kind,
            "resultAmount": amount(initial - kept, HOME),
            "initialAmount": amount(initial, HOME),
            "deductions": amount(-kept, HOME) if kept else None,
            "deductionDetails": {"fees": amount(-kept, HOME)} if kept else None,
            "context": context,
            "createdAt": moment(engine.now()),
            "_result": initial - kept,
            "_initial": initial,
            "_kept": kept,
            "_settlement": None,
        },
    )


def total(engine: Engine, *, before_fees: bool = False) -> int:
    """The balance in cents; or what it would be without any deduction."""
    return sum(entry["_initial" if before_fees else "_result"] for entry in engine.find("mollie.entry"))


def index(call: Call) -> Document:
    """GET /v2/balances."""
    values = call.queried(with_paging({"currency": Text(3)}))
    if values.get("from") not in {None, BALANCE}:
        raise Problem("The cursor names nothing in this list.", status=400, field="from")
    shown_balances = [_view(call.engine)] if values.get("currency") in {None, HOME} else []
    return {
        "count": len(shown_balances),
        "_embedded": {"balances": shown_balances},
        "_links": {
            "self": hal(call.engine.base_url, "/v2/balances"),
            "previous": None,
            "next": None,
            "documentation": documentation("list-balances"),
        },
    }


def fetch(call: Call) -> Document:
    """GET /v2/balances/{balance}, also by the name ``primary``."""
    _ = call.queried(Record({}))
    _check_name(call)
    return _view(call.engine)


def index_entries(call: Call) -> Document:
    """GET /v2/balances/{balance}/transactions, newest first."""
    _check_name(call)
    return page(call, _SHELF, call.queried(with_paging({})), topic="list-balance-transactions")


def _check_name(call: Call) -> None:
    if call.names["balance"] not in {BALANCE, "primary"}:
        raise missing(call.names["balance"])


def _view(engine: Engine) -> Document:
    return {
        "resource": "balance",
        "id": BALANCE,
        "mode": "test",
        "createdAt": PROFILE_CREATED,
        "currency": HOME,
        "description": "Primary balance",
        "status": "active",
        "availableAmount": amount(total(engine), HOME),
        "pendingAmount": amount(0, HOME),
        "transferFrequency": "daily",
        "transferThreshold": amount(0, HOME),
        "transferReference": None,
        "transferDestination": {
            "type": "bank-account",
            "beneficiaryName": "Sandbox",
            "bankAccount": "FR7630006000011234567890189",
        },
        "_links": {
            "self": hal(engine.base_url, f"/v2/balances/{BALANCE}"),
            "documentation": documentation("get-balance"),
        },
    }


def _view_entry(_: Engine, entry: Document) -> Document:
    return {"resource": "balance-transaction", **shown(entry)}


_SHELF = Shelf("mollie.entry", "balance_transactions", _view_entry)
