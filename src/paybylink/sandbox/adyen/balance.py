"""
The balance: one movement for each amount that came, went back or was kept, and payouts that take them along.

A movement is the net of one row of the settlement report: its gross amount, below zero where money went, less the
fees. A payout closes a batch per merchant account and currency: the movements since the last one, one row of fees
per payment, and the row that pays the rest to the merchant, so that the rows of a batch add up to nothing.
Source: docs.adyen.com, "Settlement details report".
"""

from __future__ import annotations

from paybylink.sandbox.adyen import events, report
from paybylink.sandbox.adyen.amounts import Fees, processing_fee
from paybylink.sandbox.engine import Condition, Document, Engine, shown
from paybylink.sandbox.vendor import Refused

KIND, BATCH = "adyen.movement", "adyen.batch"


def book(
    engine: Engine,
    payment: Document,
    kind: str,
    gross: int,
    *,
    fees: Fees | None = None,
    change: str = "",
    reference: str = "",
) -> Document:
    """
    The movement, now on the balance.

    Args:
        kind: the type of the row: ``Settled``, ``Refunded``, …
        gross: what moved, below zero when it left the merchant.
        change: the pspReference of the capture, refund or dispute.
        reference: the merchant's own reference of that change.
    """
    kept = fees or Fees()
    number = engine.next_number("adyen_movement")
    return engine.put(
        KIND,
        {
            "id": f"{number:08d}",
            "type": kind,
            "payment": payment["id"],
            "account": payment["merchantAccount"],
            "reference": payment["reference"],
            "method": payment["method"],
            "variant": payment["told"],
            "at": engine.now().isoformat(),
            "change": change,
            "change_reference": reference,
            "currency": payment["amount"]["currency"],
            "gross": gross,
            "commission": kept.commission,
            "markup": kept.markup,
            "scheme": kept.scheme,
            "interchange": kept.interchange,
            "net": gross - kept.total,
            "batch": None,
        },
    )


def balances(engine: Engine) -> dict[str, int]:
    """What the merchant has, by currency, in Adyen's minor units; fees taken, payouts gone."""
    held: dict[str, int] = {}
    for movement in engine.find(KIND, newest_first=False):
        held[movement["currency"]] = held.get(movement["currency"], 0) + movement["net"]
    return held


def payout(engine: Engine, currency: str | None) -> Document:
    """
    The batch that is now paid out; `currency` None takes that of the oldest movement that waits.

    Raises:
        Refused: nothing waits, or less than nothing.
    """
    tests: list[Condition] = [("batch", "=", None)]
    if currency is not None:
        tests.append(("currency", "=", currency.upper()))
    with engine.transaction():
        waiting = engine.find(KIND, *tests, newest_first=False)
        if not waiting:
            raise Refused("Nothing waits to be paid out.")
        first = waiting[0]
        account, held_in = str(first["account"]), str(first["currency"])
        mine = [one for one in waiting if one["account"] == account and one["currency"] == held_in]
        number = engine.next_number(f"adyen_batch_{account}")
        settled = sum(one["type"] == "Settled" for one in mine)
        if settled:
            mine.append(
                _row_of_batch(engine, first, "Fee", -processing_fee(held_in, settled), "Transaction fees")
            )
        total = sum(one["net"] for one in mine)
        if total <= 0:
            raise Refused(
                f"The balance of {account} is {total} in minor units of {held_in}; nothing is paid out."
            )
        mine.append(_row_of_batch(engine, first, "MerchantPayout", -total, f"TX{number:08d}XT, {account}"))
        for movement in mine:
            _ = engine.put(KIND, {**movement, "batch": number})
        return shown(_closed(engine, account, held_in, number, total, mine))


def _row_of_batch(engine: Engine, like: Document, kind: str, net: int, change: str) -> Document:
    blank = dict.fromkeys(("payment", "reference", "method", "variant", "change_reference"), "")
    # A fee has no gross amount: its whole is what Adyen keeps. A payout is the merchant's own money.
    number = engine.next_number("adyen_movement")
    amounts = {"gross": 0, "commission": 0, "markup": 0, "scheme": 0, "interchange": 0, "net": net}
    now = engine.now().isoformat()
    return {**like, **blank, **amounts, "id": f"{number:08d}", "type": kind, "change": change, "at": now}


def _closed(
    engine: Engine, account: str, currency: str, number: int, total: int, rows: list[Document]
) -> Document:
    name = f"settlement_detail_report_batch_{number}.csv"
    address = f"{engine.base_url}/adyen/reports/download/MerchantAccount/{account}/{name}"
    now = engine.now()
    batch = engine.put(
        BATCH,
        {
            "id": f"{account}/{name}",
            "batch": number,
            "merchantAccount": account,
            "amount": {"currency": currency, "value": total},
            "created": now.isoformat(),
            "fileName": name,
            "url": address,
        },
        content=report.written(rows, number=number),
    )
    _ = events.tell(
        engine,
        "REPORT_AVAILABLE",
        psp=name,
        account=account,
        reference="",
        amount={"currency": currency, "value": 0},
        reason=address,
    )
    return batch
