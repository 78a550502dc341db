"""
What moved a Mollie balance, read as our items. Pure.

Mollie gives each movement an initial amount, what it deducted (below zero), and the result. Most deductions are fees;
but a rolling reserve is our own money held back, and a repayment pays a loan. Those become items of their own, so
that a fee is a fee and every sum is still the balance's.

Mollie knows more than forty words for why a balance moved and adds others; one that we do not know is handed on as
`unknown`, with its amounts.

Source: Mollie's OpenAPI document, `entity-balance-transaction`, `balance-transaction-type`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.money import Money
from paybylink.providers.base import BalanceItem, BalanceKind

from ._amounts import moment, money

Json: TypeAlias = dict[str, Any]

_WORDS: Final = {
    BalanceKind.PAYMENT: "payment capture",
    BalanceKind.REFUND: "refund platform-payment-refund",
    BalanceKind.REFUND_FAILED: "returned-refund returned-platform-payment-refund",
    BalanceKind.DISPUTE: "chargeback platform-payment-chargeback unauthorized-direct-debit",
    BalanceKind.DISPUTE_REVERSED: "chargeback-reversal reversed-platform-payment-chargeback",
    BalanceKind.FEE: "payment-fee balance-charge-fee fee-prepayment capture-commission",
    BalanceKind.PAYOUT: "outgoing-transfer outgoing-custom-amount-transfer",
    BalanceKind.PAYOUT_FAILED: "canceled-outgoing-transfer canceled-transfer returned-transfer",
    BalanceKind.RESERVE: (
        "balance-reserve balance-reserve-return held-rolling-reserve pending-rolling-reserve "
        "released-rolling-reserve to-be-released-rolling-reserve rolling-reserve-hold rolling-reserve-release "
        "capture-rolling-reserve-release cash-collateral-issuance cash-collateral-release"
    ),
    BalanceKind.ADJUSTMENT: (
        "balance-correction invoice-compensation invoice-rounding-compensation chargeback-compensation "
        "reversed-chargeback-compensation refund-compensation returned-refund-compensation failed-payment "
        "failed-split-payment-compensation application-fee loan repayment"
    ),
}
KINDS: Final[Mapping[str, BalanceKind]] = MappingProxyType(
    {word: kind for kind, words in _WORDS.items() for word in words.split()}
)
#: What a movement may be about.
_IDS: Final = ("paymentId", "refundId", "chargebackId", "settlementId", "transferId")
#: Deductions that are no fees → what they are.
_NO_FEES: Final[Mapping[str, BalanceKind]] = MappingProxyType(
    {"reservations": BalanceKind.RESERVE, "repayments": BalanceKind.ADJUSTMENT}
)


def balance_items(entry: Json, *, provider: str) -> Iterator[BalanceItem]:
    """
    The items that one movement is: itself, and one for each deduction that is no fee.

    Raises:
        KeyError, TypeError, ValueError: it cannot be read, or does not add up.
    """
    vendor_id, word = entry["id"], entry["type"]
    if not isinstance(vendor_id, str) or not vendor_id or not isinstance(word, str):
        raise TypeError("id")
    gross, net, at = money(entry["initialAmount"]), money(entry["resultAmount"]), moment(entry["createdAt"])
    deducted = _money_or_none(entry.get("deductions"))
    fee = gross - net if deducted is None else -deducted
    apart = _apart(entry.get("deductionDetails"), deducted)
    for amount in apart.values():
        # Both are below zero: what was held back is not in the fee, and comes back into the movement's own net.
        fee, net = fee + amount, net - amount
    about = _about(entry, word)
    kind = KINDS.get(word, BalanceKind.UNKNOWN)
    yield BalanceItem(
        provider=provider,
        vendor_id=vendor_id,
        kind=kind,
        vendor_kind=word,
        gross=gross,
        fee=fee,
        net=net,
        at=at,
        payment_vendor_id=about["paymentId"],
        refund_vendor_id=about["refundId"],
        dispute_vendor_id=about["chargebackId"],
        # The settlement's reference is what stands on the bank line.
        payout_vendor_id=about["settlementId"] or about["transferId"],
    )
    for name, amount in apart.items():
        yield BalanceItem(
            provider=provider,
            vendor_id=f"{vendor_id}-{name}",
            kind=_NO_FEES[name],
            vendor_kind=name,
            gross=amount,
            fee=Money.read(0, amount.currency),
            net=amount,
            at=at,
            payment_vendor_id=about["paymentId"],
        )


def _apart(details: object, deducted: Money | None) -> dict[str, Money]:
    """The deductions that are no fees, where the details add up to what was deducted."""
    if not isinstance(details, Mapping) or deducted is None:
        return {}
    told = {name: found for name, given in details.items() if (found := _money_or_none(given)) is not None}
    total = Money.read(0, deducted.currency)
    for amount in told.values():
        total = total + amount
    if total != deducted:
        return {}
    return {name: told[name] for name in _NO_FEES if name in told and not told[name].is_zero}


def _about(entry: Json, word: str) -> dict[str, str]:
    """What a movement is about. Mollie describes the ids below the type, and shows them without it."""
    context = entry.get("context")
    context = context if isinstance(context, Mapping) else {}
    nested = context.get(word)
    named = nested if isinstance(nested, Mapping) else context
    return {name: found if isinstance(found := named.get(name), str) else "" for name in _IDS}


def _money_or_none(given: object) -> Money | None:
    return money(given) if isinstance(given, Mapping) else None
