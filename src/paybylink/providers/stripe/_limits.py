"""
Which amounts Stripe takes, in its own minor units. Pure.

Source: docs.stripe.com, "Supported currencies", "Minimum and maximum charge amounts".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paybylink.currencies import STRIPE
from paybylink.errors import Faults
from paybylink.money import Money, from_wire, to_wire

#: The most that can be asked for: 8 digits, and where more is known, more. In COP, HUF, JPY and LBP cards allow more
#: than 8 digits, how many differs; there Stripe decides.
_MOST: Final = 99_999_999
_MOST_IN: Final[Mapping[str, int]] = MappingProxyType(
    {"INR": 999_999_999, "IDR": 999_999_999_999} | dict.fromkeys(("COP", "HUF", "JPY", "LBP"), 10**12 - 1)
)

#: The least that is charged. It depends on the currency in which the account is paid out, so for a link Stripe is
#: left to say no; an invoice below it would be carried over to the customer's next one instead.
_LEAST_IN: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(("USD", "EUR", "AUD", "CAD", "CHF", "NZD", "SGD", "BRL", "INR", "JPY"), 50)
    | dict.fromkeys(("AED", "MYR", "PLN", "RON"), 200)
    | {"GBP": 30, "CZK": 1500, "DKK": 250, "HKD": 400, "HUF": 17500, "MXN": 1000, "NOK": 300, "SEK": 300}
    | {"THB": 1000}
)


def wire_amount(faults: Faults, path: str, amount: Money) -> int:
    """
    `amount` in Stripe's minor units, or 0 with a fault.

    Args:
        path: where the amount stands, without its last word.
    """
    asked = 0
    with faults.at(path):
        asked = to_wire(amount, STRIPE)
    if asked > _MOST_IN.get(amount.currency, _MOST):
        faults.add(
            f"{path}.amount",
            f"is {amount}, more than Stripe takes in one payment",
            "split the order in parts, each with a link of its own",
        )
    return asked


def check_least(faults: Faults, path: str, amount: Money, asked: int) -> None:
    """Add a fault when so little is not charged."""
    least = _LEAST_IN.get(amount.currency, 0)
    if 0 < asked < least:
        faults.add(
            path,
            f"is {amount}, less than Stripe charges",
            f"ask for {from_wire(least, amount.currency, STRIPE)} at least",
        )
