"""
Payment methods at Adyen: their words for ours, and the methods that a payer would be offered.

Source: docs.adyen.com, "Payment method types" and "Payment method variants"; API reference, `POST /paymentMethods`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.errors import IntegrityBreach
from paybylink.providers.base import MethodOffer
from paybylink.providers.methods import MethodNames

Json: TypeAlias = dict[str, Any]

#: Brands of cards, as webhooks tell them in `paymentMethod`.
_BRANDS: Final = """
accel amex bijcard cartebancaire cirrus codensa cup dankort diners discover elo hiper hipercard jcb karenmillen laser
maestro maestrouk mc mcalphabankbonus mir naranja nyce oasis pulse solo star troy uatp visa visaalphabankbonus
visadankort
"""

METHODS: Final = MethodNames(
    differing=MappingProxyType(
        {
            "apple_pay": "applepay",
            "bacs_debit": "directdebit_GB",
            "bancontact": "bcmc",
            "bank_transfer": "bankTransfer_IBAN",
            "card": "scheme",
            "gift_card": "giftcard",
            "google_pay": "googlepay",
            "mb_way": "mbway",
            "pay_by_bank": "paybybank",
            "przelewy24": "onlineBanking_PL",
            "sepa_debit": "sepadirectdebit",
        }
    ),
    variants=MappingProxyType(
        dict.fromkeys(_BRANDS.split(), "card")
        | {
            "bcmc_mobile": "bancontact",
            "klarna_account": "klarna",
            "klarna_b2b": "klarna",
            "klarna_paynow": "klarna",
            "paywithgoogle": "google_pay",
        }
    ),
)


def read_offers(reply: Json, *, who: str) -> Sequence[MethodOffer]:
    """
    The methods in an answer, each once.

    Raises:
        IntegrityBreach: it is no list of methods.
    """
    listed = reply.get("paymentMethods")
    if not isinstance(listed, list):
        raise IntegrityBreach(who, {"paymentMethods": "is no list"})
    found: dict[str, MethodOffer] = {}
    for told in listed:
        word = told.get("type") if isinstance(told, Mapping) else None
        if not isinstance(word, str) or not word:
            raise IntegrityBreach(who, {"paymentMethods": "has a method without a type"})
        name = told.get("name")
        if word not in found:
            found[word] = MethodOffer(
                method=METHODS.from_vendor(word),
                vendor_method=word,
                name=name if isinstance(name, str) else "",
            )
    return tuple(found.values())
