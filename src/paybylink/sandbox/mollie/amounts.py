"""
Mollie's money: a currency and a text with exactly that currency's decimals.

Inside the sandbox an amount is a whole number of minor units; `units` and `amount` go between the two. Mollie keeps
one balance in euros here, so what comes in another currency is converted at a fixed rate of the sandbox's own, to
the cent and in one place, and whatever goes back of it goes back at the same rate.
Source: docs.mollie.com, "Multicurrency", as of late 2026. Rates and fees are the sandbox's invention; fees have the
usual form of a fixed part and a share.
"""

from __future__ import annotations

import re
from decimal import Decimal

from paybylink.sandbox.engine import Document

#: The currency of the balance.
HOME = "EUR"

#: What one unit of each currency that Mollie takes is worth in euros, in the sandbox.
RATES = {
    "AED": "0.24", "AUD": "0.57", "BRL": "0.16", "CAD": "0.63", "CHF": "1.06", "CZK": "0.041", "DKK": "0.134",
    "EUR": "1", "GBP": "1.15", "HKD": "0.11", "HUF": "0.0026", "ILS": "0.26", "ISK": "0.0070", "JPY": "0.0058",
    "MXN": "0.047", "MYR": "0.21", "NOK": "0.085", "NZD": "0.50", "PHP": "0.015", "PLN": "0.235", "RON": "0.197",
    "SEK": "0.091", "SGD": "0.67", "THB": "0.027", "TWD": "0.028", "USD": "0.86", "ZAR": "0.050",
}  # fmt: skip

_WITHOUT_DECIMALS = frozenset({"ISK", "JPY"})

#: Fixed part in cents and share in thousandths of what Mollie keeps, by method.
_FEES = {
    "bancontact": (39, 0),
    "banktransfer": (25, 0),
    "creditcard": (25, 18),
    "eps": (30, 15),
    "ideal": (32, 0),
    "klarna": (35, 29),
    "trustly": (30, 12),
    "twint": (30, 12),
}


def decimals(currency: str) -> int:
    """How many decimals Mollie writes for a currency."""
    return 0 if currency in _WITHOUT_DECIMALS else 2


def amount(minor: int, currency: str) -> Document:
    """An amount as it goes over the wire."""
    return {
        "currency": currency,
        "value": f"{Decimal(minor).scaleb(-decimals(currency)):.{decimals(currency)}f}",
    }


def display(minor: int, currency: str) -> str:
    """An amount for people, e.g. ``1,249.90 EUR``."""
    return f"{Decimal(minor).scaleb(-decimals(currency)):,.{decimals(currency)}f} {currency}"


def units(given: Document) -> int:
    """The minor units of an amount that is well formed."""
    return int(str(given["value"]).replace(".", ""))


def well_formed(value: str, currency: str, *, signed: bool = False) -> bool:
    """Whether a text is an amount of that currency, with neither more nor fewer decimals."""
    sign, places = "-?" if signed else "", decimals(currency)
    return (
        re.fullmatch(rf"{sign}[0-9]{{1,11}}" + (rf"\.[0-9]{{{places}}}" if places else ""), value) is not None
    )


def typed(given: str, currency: str) -> int | None:
    """What a payer typed (``49,90`` or ``49.9``) in minor units; None when it is no amount of this currency."""
    found = re.fullmatch(rf"([0-9]{{1,11}})(?:[.,]([0-9]{{0,{decimals(currency)}}}))?", given.strip())
    if found is None:
        return None
    return int(found[1] + (found[2] or "").ljust(decimals(currency), "0")) or None


def in_euros(minor: int, currency: str) -> int:
    """What an amount is worth in cents of the balance, rounded half up."""
    worth = Decimal(minor).scaleb(-decimals(currency)) * Decimal(RATES[currency]) * 100
    return int(worth + Decimal("0.5"))


def share_in_euros(part: int, whole: int, worth: int) -> int:
    """The cents of `part` of a `whole` that came in as `worth` cents; the parts of a whole add up when cumulated."""
    return (2 * part * worth + whole) // (2 * whole)


def fee(worth: int, method: str) -> int:
    """What Mollie keeps of a payment that is worth so many cents; never more than the payment."""
    fixed, share = _FEES.get(method, (25, 10))
    return min(worth, fixed + (worth * share + 500) // 1000)
