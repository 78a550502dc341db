"""
Stripe's balance transactions, read as movements of the account's balance. Pure.

Amounts are in the currency of the balance. Where the payer paid in another one, the source (the charge, the refund)
says so, and `original` is its amount; Stripe's exchange rate is a rounded JSON number and is never used. A fee of its
own is an amount below zero with no fee on it, as it stands in the balance.

Source: Stripe API reference, `balance_transaction`; docs.stripe.com, "Reporting categories".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.money import Money
from paybylink.providers.base import BalanceItem, BalanceKind

from ._notices import id_of, moment, money, named_id

Json: TypeAlias = dict[str, Any]

_BY_CATEGORY: Final[Mapping[str, BalanceKind]] = MappingProxyType(
    {
        "charge": BalanceKind.PAYMENT,
        # A delayed payment that failed after it was booked, and the part of an authorisation that was not taken.
        "charge_failure": BalanceKind.ADJUSTMENT,
        "partial_capture_reversal": BalanceKind.ADJUSTMENT,
        "refund": BalanceKind.REFUND,
        "refund_failure": BalanceKind.REFUND_FAILED,
        "dispute": BalanceKind.DISPUTE,
        "dispute_reversal": BalanceKind.DISPUTE_REVERSED,
        "fee": BalanceKind.FEE,
        "network_cost": BalanceKind.FEE,
        "tax": BalanceKind.FEE,
        "payout": BalanceKind.PAYOUT,
        "payout_reversal": BalanceKind.PAYOUT_FAILED,
        "payout_minimum_balance_hold": BalanceKind.RESERVE,
        "payout_minimum_balance_release": BalanceKind.RESERVE,
        "risk_reserved_funds": BalanceKind.RESERVE,
        "connect_reserved_funds": BalanceKind.RESERVE,
        "other_adjustment": BalanceKind.ADJUSTMENT,
    }
)
#: Where the category is none of those; ``adjustment`` is left out, since it may be anything.
_BY_TYPE: Final[Mapping[str, BalanceKind]] = MappingProxyType(
    {
        "charge": BalanceKind.PAYMENT,
        "payment": BalanceKind.PAYMENT,
        "refund": BalanceKind.REFUND,
        "payment_refund": BalanceKind.REFUND,
        "refund_failure": BalanceKind.REFUND_FAILED,
        "stripe_fee": BalanceKind.FEE,
        "stripe_fx_fee": BalanceKind.FEE,
        "tax_fee": BalanceKind.FEE,
        "payout": BalanceKind.PAYOUT,
        "payout_failure": BalanceKind.PAYOUT_FAILED,
        "payout_cancel": BalanceKind.PAYOUT_FAILED,
        "reserve_hold": BalanceKind.RESERVE,
        "reserve_release": BalanceKind.RESERVE,
        "reserve_transaction": BalanceKind.RESERVE,
        "reserved_funds": BalanceKind.RESERVE,
        "payment_network_reserve_hold": BalanceKind.RESERVE,
        "payment_network_reserve_release": BalanceKind.RESERVE,
    }
)

#: What an id that was not expanded begins with → what it is.
_PREFIX: Final[Mapping[str, str]] = MappingProxyType(
    {"re": "refund", "pyr": "refund", "dp": "dispute", "du": "dispute", "po": "payout"}
)


def balance_item(movement: Json, *, provider: str) -> BalanceItem:
    """
    One movement of the balance, with its source expanded or not.

    Raises:
        KeyError, TypeError, ValueError: it is misshapen, or does not add up.
    """
    currency = movement["currency"]
    said, kind = str(movement["type"]), _kind(movement)
    gross = money(movement["amount"], currency)
    source = movement.get("source")
    thing: Mapping[str, Any] = source if isinstance(source, Mapping) else {}
    name = id_of(source)
    about = str(thing.get("object") or _PREFIX.get(name.partition("_")[0], ""))
    return BalanceItem(
        provider=provider,
        vendor_id=named_id(movement),
        kind=kind,
        vendor_kind=str(movement.get("reporting_category") or said),
        gross=gross,
        fee=money(movement["fee"], currency),
        net=money(movement["net"], currency),
        at=moment(movement["created"]),
        payment_vendor_id=id_of(thing.get("payment_intent")),
        refund_vendor_id=name if about == "refund" else "",
        dispute_vendor_id=name if about == "dispute" else "",
        payout_vendor_id=name if about == "payout" else "",
        original=_original(thing, gross),
    )


def _kind(movement: Json) -> BalanceKind:
    category, said = movement.get("reporting_category"), movement["type"]
    found = _BY_CATEGORY.get(category) if isinstance(category, str) else None
    return found or _BY_TYPE.get(said, BalanceKind.UNKNOWN)


def _original(source: Mapping[str, Any], gross: Money) -> Money | None:
    """What was paid or sent back, where that is another currency than the balance's; signed as the balance is."""
    if source.get("object") not in ("charge", "refund", "dispute"):
        return None
    found = money(source["amount"], source["currency"])
    if found.currency == gross.currency:
        return None
    return -found if gross.minor < 0 else found
