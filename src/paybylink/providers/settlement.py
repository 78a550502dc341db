"""
What moved a provider's balance: payments, refunds, disputes, fees and payouts, normalised.

Rule 1: ``gross - fee == net`` in one currency, that of the balance; an item that does not add up is not made.
Rule 2: a kind we do not know is `unknown` and is handed on, since a sum without it would be wrong.
Rule 3: signs are those of the balance: a payment is positive, a refund and a payout are negative; a fee that is kept
        is positive.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from attrs import frozen

from paybylink.errors import Faults
from paybylink.money import Money


class BalanceKind(StrEnum):
    """Why a balance moved."""

    PAYMENT = "payment"  #: money that came
    REFUND = "refund"  #: money that went back
    REFUND_FAILED = "refund_failed"  #: a refund that came back
    DISPUTE = "dispute"  #: money taken for a contested payment
    DISPUTE_REVERSED = "dispute_reversed"  #: a contested payment that was won
    FEE = "fee"  #: a fee of its own, not on one payment
    PAYOUT = "payout"  #: money on its way to the bank
    PAYOUT_FAILED = "payout_failed"  #: a payout that came back
    RESERVE = "reserve"  #: money held back, or released
    ADJUSTMENT = "adjustment"  #: a correction by the provider
    UNKNOWN = "unknown"  #: a word we do not know; kept in `vendor_kind`


@frozen(kw_only=True)
class BalanceItem:
    """
    One movement of a provider's balance.

    Attributes:
        provider: the account's name.
        vendor_id: the movement; unique at the provider.
        kind, vendor_kind: ours, and the vendor's own word.
        gross, fee, net: in the currency of the balance; see the rules.
        at: when it was booked there; aware UTC.
        payment_vendor_id, refund_vendor_id, dispute_vendor_id: what it is about; empty where it is not.
        payout_vendor_id: the payout that paid it out; empty while it was not, or where that is not told.
        original: what was paid, where the order's currency is another one; None otherwise.
    """

    provider: str
    vendor_id: str
    kind: BalanceKind
    gross: Money
    fee: Money
    net: Money
    at: dt.datetime
    vendor_kind: str = ""
    payment_vendor_id: str = ""
    refund_vendor_id: str = ""
    dispute_vendor_id: str = ""
    payout_vendor_id: str = ""
    original: Money | None = None

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        currencies = {self.gross.currency, self.fee.currency, self.net.currency}
        if len(currencies) > 1:
            faults.add("net", f"mixes {', '.join(sorted(currencies))}", "give all three in one currency")
        elif self.gross - self.fee != self.net:
            faults.add(
                "net", f"is {self.net}, but {self.gross} less {self.fee} is not", "read the report again"
            )
        faults.raise_any()


@frozen(kw_only=True)
class BalancePage:
    """
    A part of what moved a balance.

    Attributes:
        items: oldest or newest first, as the provider lists them.
        after: where the next page begins, to be given back as it is; empty on the last one.
    """

    items: Sequence[BalanceItem]
    after: str = ""
