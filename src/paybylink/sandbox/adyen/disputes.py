"""
Disputes: a payer's bank takes money back, and may have to give it back again.

`opened` tells NOTIFICATION_OF_CHARGEBACK and then, when the money is taken, CHARGEBACK with the same pspReference;
the fault ``hold`` (``adyen.chargebacks``) keeps the second one until `taken`. Won, CHARGEBACK_REVERSED brings the
money back. Lost without that, only the end of the time to defend is told; lost after it, SECOND_CHARGEBACK takes it
for good. None of these events names the link.
Source: webhooks v1, "Dispute"; docs.adyen.com, "Dispute flow".
"""

from __future__ import annotations

from datetime import timedelta

from paybylink.sandbox import faults
from paybylink.sandbox.adyen import balance, payments
from paybylink.sandbox.adyen.amounts import Fees, dispute_fee
from paybylink.sandbox.adyen.events import dated
from paybylink.sandbox.adyen.wire import psp_reference
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import Refused

KIND = "adyen.dispute"


def opened(engine: Engine, payment: Document, *, reason: str, amount: int | None) -> Document:
    """
    The dispute about a payment.

    Raises:
        Refused: there is nothing left of the payment to take back, or not so much.
    """
    with engine.transaction():
        left = payment["captured"] - payment["refunded"] - payment["disputed"]
        value = left if amount is None else amount
        if not 0 < value <= left:
            raise Refused(f"Only {left} of {payment['id']} can be disputed.")
        dispute = engine.put(
            KIND,
            {
                "id": psp_reference(engine),
                "payment": payment["id"],
                "amount": {"currency": payment["amount"]["currency"], "value": value},
                "reason": reason or "10.4 Other Fraud-Card Absent Environment",
                "status": "notified",
            },
        )
        _tell(engine, payment, dispute, "NOTIFICATION_OF_CHARGEBACK", "Undefended")
        fault = faults.take(engine, faults.CHANGE, "adyen.chargebacks")
        return dispute if fault is not None else taken(engine, dispute)


def taken(engine: Engine, dispute: Document) -> Document:
    """The dispute, its money now taken."""
    with engine.transaction():
        payment = _payment(engine, dispute)
        _take(engine, payment, dispute, "Chargeback", "CHARGEBACK")
        dispute["status"] = "open"
        return engine.put(KIND, dispute)


def finish(engine: Engine, identifier: str) -> Document | None:
    """A dispute that was only announced, its money now taken; None when there is none such."""
    dispute = engine.get(KIND, identifier)
    return taken(engine, dispute) if dispute is not None and dispute["status"] == "notified" else None


def closed(engine: Engine, dispute: Document, *, won: bool) -> Document:
    """
    The dispute, now won by the merchant or lost; one that was won can still be lost.

    Raises:
        Refused: it is closed already, or its money was not taken yet.
    """
    with engine.transaction():
        payment = _payment(engine, dispute)
        value = dispute["amount"]["value"]
        if dispute["status"] == "open" and won:
            payment["disputed"] -= value
            _ = engine.put(payments.KIND, payment)
            _ = balance.book(engine, payment, "ChargebackReversed", value, change=dispute["id"])
            _tell(engine, payment, dispute, "CHARGEBACK_REVERSED", "Pending")
        elif dispute["status"] == "open":
            _tell(engine, payment, dispute, "DISPUTE_DEFENSE_PERIOD_ENDED", "Lost")
        elif dispute["status"] == "won" and not won:
            _take(engine, payment, dispute, "SecondChargeback", "SECOND_CHARGEBACK")
        else:
            raise Refused(f"The dispute {dispute['id']} is {dispute['status']}.")
        dispute["status"] = "won" if won else "lost"
        return engine.put(KIND, dispute)


def _payment(engine: Engine, dispute: Document) -> Document:
    payment = engine.get(payments.KIND, dispute["payment"])
    if payment is None:
        raise LookupError(f"the payment of {dispute['id']} is gone")
    return payment


def _take(engine: Engine, payment: Document, dispute: Document, row: str, code: str) -> None:
    value = dispute["amount"]["value"]
    payment["disputed"] += value
    _ = engine.put(payments.KIND, payment)
    kept = Fees(commission=dispute_fee(payment["amount"]["currency"])) if row == "Chargeback" else None
    _ = balance.book(engine, payment, row, -value, fees=kept, change=dispute["id"])
    _tell(engine, payment, dispute, code, "Undefended" if code == "CHARGEBACK" else "Lost")


def _tell(engine: Engine, payment: Document, dispute: Document, code: str, status: str) -> None:
    prefix = "nof" if code.startswith("NOTIFICATION") else "chargeback"
    payments.told(
        engine,
        payment,
        code,
        psp=dispute["id"],
        value=dispute["amount"]["value"],
        reason=dispute["reason"],
        extra={
            f"{prefix}ReasonCode": dispute["reason"].partition(" ")[0],
            f"{prefix}SchemeCode": payment["told"],
            "defendable": "true",
            "defensePeriodEndsAt": dated(engine.now() + timedelta(days=18)),
            "disputeStatus": status,
        },
    )
