"""
Which currencies there are, and with how many decimals: in ISO 4217, and at each provider.

A currency's *exponent* is the number of its decimals: 2 for EUR, 0 for JPY, 3 for KWD, 4 for CLF. `CURRENT`
holds the codes in which money can be asked for. `HISTORIC` holds withdrawn codes in which stored money, or
a provider's late report, may still be: they can be read, and nothing new can be asked for in them. Metals,
bond units and the test codes (XAU, XBA, XTS, …) have no minor unit and are unknown here.

A provider may count otherwise than ISO 4217 does; its `WireExponents` says where, and `to_wire` and
`from_wire` of `paybylink.money` translate. Digits for display are a matter of locale and do not live here:
CLDR shows fewer decimals than ISO 4217 counts for some currencies, so its table must never be used to
convert.

Source: ISO 4217 List One (current) and List Three (historic), up to amendment 180 (BGN withdrawn on
2026-01-01). List One as published on 2026-09-17 has the same 165 codes with a minor unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from .errors import InvalidInput

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG
YER ZAR ZMW ZWG
""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# Written out, not derived: a code new in ISO 4217 is not for that reason listed by Adyen.
_ADYEN = """
AED ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR
ILS INR IQD ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LKR LYD MAD MDL MKD MMK MNT MOP MRU MUR MVR
MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK
SGD SHP SLE SOS SRD STN SVC SZL THB TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VND VUV WST XAF XCD XCG
XOF XPF YER ZAR ZMW
"""

#: Currency code → exponent, for every code in which money can be asked for.
CURRENT: Final[Mapping[str, int]] = MappingProxyType(
    {code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()}
)

#: Withdrawn code → (exponent it had, code that took its place).
HISTORIC: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "ANG": (2, "XCG"),
        "BGN": (2, "EUR"),
        "BYR": (0, "BYN"),
        "CUC": (2, "CUP"),
        "CYP": (2, "EUR"),
        "EEK": (2, "EUR"),
        "HRK": (2, "EUR"),
        "LTL": (2, "EUR"),
        "LVL": (2, "EUR"),
        "MRO": (2, "MRU"),
        "MTL": (2, "EUR"),
        "SKK": (2, "EUR"),
        "SLL": (2, "SLE"),
        "STD": (2, "STN"),
        "TMM": (2, "TMT"),
        "VEF": (2, "VES"),
        "ZMK": (2, "ZMW"),
        "ZWL": (2, "ZWG"),
    }
)


def known_code(code: object) -> str:
    """
    The code in capitals, for a current or a withdrawn currency.

    Raises:
        InvalidInput: not three ASCII letters, or not a currency with a minor unit in ISO 4217.
    """
    # ASCII first: "ıSK" and "ſEK" have capitals that look like a currency.
    if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha():
        known = code.upper()
        if known in CURRENT or known in HISTORIC:
            return known
        fault = f"{known} is not a currency of ISO 4217 that can be paid in"
    else:
        fault = "is not three letters"
    raise InvalidInput.single("currency", fault, "write the ISO 4217 code, e.g. EUR")


def current_code(code: object) -> str:
    """
    The code in capitals, for a currency in which money can be asked for.

    Raises:
        InvalidInput: the code is unknown, or withdrawn; then the text names its successor.
    """
    known = known_code(code)
    if known in CURRENT:
        return known
    raise InvalidInput.single(
        "currency",
        f"{known} was withdrawn from ISO 4217",
        f"convert the amount and ask in {HISTORIC[known][1]}; Money.read() takes withdrawn codes",
    )


def iso_exponent(code: object) -> int:
    """
    The number of decimals of a current or withdrawn currency.

    Raises:
        InvalidInput: the code is unknown.
    """
    known = known_code(code)
    return CURRENT[known] if known in CURRENT else HISTORIC[known][0]


def _no_differences() -> Mapping[str, int]:
    return MappingProxyType({})


@frozen(kw_only=True, eq=False)
class WireExponents:
    """
    How one provider counts minor units.

    Attributes:
        provider: whose table it is, for error texts.
        differing: currency code → exponent, only where it is not that of ISO 4217.
        listed: the only codes the provider counts in; None when the provider decides case by case.
        steps: currency code → the amount sent must be a multiple of this many of the provider's units.
    """

    provider: str
    differing: Mapping[str, int] = field(factory=_no_differences)
    listed: frozenset[str] | None = None
    steps: Mapping[str, int] = field(factory=_no_differences)

    def exponent(self, code: str) -> int:
        """
        The exponent of `code` on this provider's wire.

        Raises:
            InvalidInput: the code is unknown, or not listed by the provider; two decimals are never guessed.
        """
        known = known_code(code)
        if self.listed is not None and known not in self.listed:
            raise InvalidInput.single(
                "currency",
                f"{known} is not listed by {self.provider}",
                "use another currency or another provider",
            )
        found = self.differing.get(known)
        return iso_exponent(known) if found is None else found


#: Source: docs.stripe.com, "Supported currencies", sections on zero-decimal, three-decimal and special-case
#: currencies. Older copies of that page want three-decimal amounts to end in 0; newer ones are silent on
#: it, so the rule is kept.
STRIPE: Final = WireExponents(
    provider="Stripe",
    differing=MappingProxyType({"ISK": 2, "UGX": 2, "MGA": 0}),
    steps=MappingProxyType(dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10)),
)

#: Source: docs.adyen.com, "Currency codes", whose decimals Adyen declares leading. CNH, which it lists too,
#: is not in ISO 4217. ANG, BGN and HRK have left the list; late refunds and reports may still name them.
ADYEN: Final = WireExponents(
    provider="Adyen",
    differing=MappingProxyType({"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}),
    listed=frozenset(_ADYEN.split()),
)

#: Source: docs.mollie.com, "Multicurrency". Amounts are decimal text with the currency's decimals, which
#: are those of ISO 4217; the list of currencies depends on the method and the account, so Mollie decides.
MOLLIE: Final = WireExponents(provider="Mollie")
