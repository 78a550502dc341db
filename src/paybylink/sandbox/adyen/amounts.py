"""
Adyen's money: whole minor units by Adyen's own table of decimals, and the fees of the sandbox.

Four currencies differ from ISO 4217: CLP and ISK have two decimals here, CVE and IDR none. A currency that is not in
the table is not taken. Fees are integers in the payment's own currency and never more than the payment: a card is
charged as interchange, scheme fee and markup, any other method as one commission.
Source: docs.adyen.com, "Currency codes". The rates are the sandbox's invention.
"""

from __future__ import annotations

import re
from decimal import Decimal

from attrs import frozen

_WITHOUT = "CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = """
    AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNH CNY COP CRC CUP CZK
    DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF ILS INR ISK JMD KES KGS KHR KYD KZT
    LAK LKR MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
    RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TOP TRY TTD TWD TZS UAH USD UYU UZS VEF WST XCD
    XCG YER ZAR ZMW
"""
_DECIMALS = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_WITHOUT.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}

_UNITS = {0: 1, 2: 100, 3: 1000}

#: The currencies that Adyen takes.
CURRENCIES = frozenset(_DECIMALS)


@frozen
class Fees:
    """What Adyen keeps of one movement, by column of the settlement report."""

    commission: int = 0
    markup: int = 0
    scheme: int = 0
    interchange: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.commission + self.markup + self.scheme + self.interchange


def decimals(currency: str) -> int:
    """How many decimals Adyen writes for a currency."""
    return _DECIMALS[currency]


def display(value: int, currency: str) -> str:
    """An amount for people, e.g. ``49.90 EUR``."""
    return f"{Decimal(value).scaleb(-decimals(currency)):,.{decimals(currency)}f} {currency}"


def plain(value: int, currency: str) -> str:
    """The bare number of an amount, as reports write it: ``1234.50``."""
    return f"{Decimal(value).scaleb(-decimals(currency)):.{decimals(currency)}f}"


def fees(value: int, currency: str, method: str) -> Fees:
    """What Adyen keeps of a payment."""
    unit = _UNITS[decimals(currency)]
    if method != "scheme":
        return Fees(commission=min(value, unit * 22 // 100 + 1))
    interchange = (value * 3 + 500) // 1000
    scheme = min(value - interchange, (value + 500) // 1000)
    markup = min(value - interchange - scheme, (value * 6 + 500) // 1000 + unit * 11 // 100)
    return Fees(markup=markup, scheme=scheme, interchange=interchange)


def processing_fee(currency: str, payments: int) -> int:
    """The sum of the fees per payment, which a report gives in one row of its own."""
    return payments * (_UNITS[decimals(currency)] // 10)


def dispute_fee(currency: str) -> int:
    """What a chargeback costs besides its amount."""
    return _UNITS[decimals(currency)] * 15 // 2


def merchant_account(name: str) -> bool:
    """Whether there is a merchant account of that name: any plain one, unless it says that it is wrong."""
    return re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) is not None and "wrong" not in name.lower()
