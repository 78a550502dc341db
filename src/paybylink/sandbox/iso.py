"""
ISO 4217's decimals, for the one place where amounts of all vendors stand side by side: `Vendor.truth`.

Each vendor has a table of its own for its wire, since they differ from this one and from each other.
Source: ISO 4217, list one, as of 2026.
"""

from __future__ import annotations

from decimal import Decimal

_NAMES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITHOUT = frozenset(_NAMES.split())
_THREE = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
_FOUR = frozenset({"CLF", "UYW"})


def iso_decimals(currency: str) -> int:
    """How many decimals a currency (upper case) has by the standard."""
    return 0 if currency in _WITHOUT else 3 if currency in _THREE else 4 if currency in _FOUR else 2


def iso_units(minor: int, currency: str, *, decimals: int) -> int:
    """
    ISO minor units of a vendor's, which has `decimals` for this currency.

    Raises:
        ValueError: an amount finer than the currency's smallest unit.
    """
    exact = Decimal(minor).scaleb(iso_decimals(currency) - decimals)
    if exact != exact.to_integral_value():
        raise ValueError(f"{minor} with {decimals} decimals is no whole amount of {currency}")
    return int(exact)
