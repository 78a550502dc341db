"""
Stripe's money: whole minor units, lower-case currency, limits, and the fee of the sandbox.

Everything is integer arithmetic. Minimum and maximum are those of a settlement in the same currency; a real
account also converts, and then its own minimum counts.
Source: docs.stripe.com/currencies ("Supported currencies", "Zero-decimal", "Special cases", "Minimum and maximum
charge amounts"), as of late 2026. The fee is a plain European card rate, 1.5 % and a fixed part.
"""

from __future__ import annotations

import re
from decimal import Decimal

from paybylink.sandbox.stripe.wire import Problem

_SUPPORTED = """
    aed afn all amd aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop
    crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd
    jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn
    nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd
    std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_SUPPORTED.split())
_WITHOUT_DECIMALS = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
#: Sent with two decimals although no coin is left: the amount must be whole.
_WHOLE_ONLY = frozenset({"isk", "ugx"})
_MINIMUM = {
    "usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "chf": 50, "nzd": 50, "sgd": 50, "brl": 50, "inr": 50,
    "jpy": 50, "aed": 200, "czk": 1500, "dkk": 250, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200, "nok": 300,
    "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
_MAXIMUM = {"inr": 999_999_999, "idr": 999_999_999_999}
_MAXIMUM_ELSEWHERE = 99_999_999
_FIXED_FEE = {"gbp": 20, "usd": 30, "jpy": 30, "chf": 30, "dkk": 180, "sek": 180, "nok": 200}
_FIXED_FEE_ELSEWHERE = 25


def decimals(currency: str) -> int:
    """How many decimals Stripe writes for a currency: 0, 2 or 3."""
    return 0 if currency in _WITHOUT_DECIMALS else 3 if currency in _THREE_DECIMALS else 2


def display(minor: int, currency: str) -> str:
    """An amount for people, e.g. ``49.90 EUR``."""
    return f"{Decimal(minor).scaleb(-decimals(currency)):,.{decimals(currency)}f} {currency.upper()}"


def typeable(minor: int, currency: str) -> str:
    """The bare number of an amount, as it is typed into a field: ``1234.50``."""
    return f"{Decimal(minor).scaleb(-decimals(currency)):.{decimals(currency)}f}"


def minor_units(typed: str, currency: str) -> int | None:
    """What a payer typed (``49,90`` or ``49.9``) in minor units; None when it is no amount of this currency."""
    found = re.fullmatch(rf"([0-9]{{1,13}})(?:[.,]([0-9]{{0,{decimals(currency)}}}))?", typed.strip())
    if found is None:
        return None
    return int(found[1] + (found[2] or "").ljust(decimals(currency), "0")) or None


def check_currency(currency: str, *, param: str) -> None:
    """
    Nothing, when Stripe takes the currency.

    Raises:
        Problem: it does not.
    """
    if currency.lower() not in CURRENCIES:
        listed = ", ".join(sorted(CURRENCIES))
        raise Problem(
            f"Invalid currency: {currency[:20]}. Stripe currently supports these currencies: {listed}",
            param=param,
        )


def check_total(amount: int, currency: str, *, param: str) -> None:
    """
    Nothing, when an amount can be charged.

    Raises:
        Problem: `amount_too_small` or `amount_too_large`, or an amount that the currency has no coin for.
    """
    if currency in _THREE_DECIMALS and amount % 10:
        raise Problem(f"Invalid amount: the last digit must be 0 in {currency.upper()}.", param=param)
    if currency in _WHOLE_ONLY and amount % 100:
        raise Problem(
            f"Invalid amount: {currency.upper()} has no decimals; it must divide by 100.", param=param
        )
    least, most = _MINIMUM.get(currency, 1), _MAXIMUM.get(currency, _MAXIMUM_ELSEWHERE)
    if amount < least:
        raise Problem(
            f"The total amount due must add up to at least {display(least, currency)}.",
            code="amount_too_small",
            param=param,
        )
    if amount > most:
        raise Problem(
            f"The total amount due must be no more than {display(most, currency)}.",
            code="amount_too_large",
            param=param,
        )


def fee(amount: int, currency: str) -> int:
    """What the sandbox keeps of a payment, in minor units of its currency; never more than the payment."""
    return min(amount, (amount * 15 + 500) // 1000 + _FIXED_FEE.get(currency, _FIXED_FEE_ELSEWHERE))
