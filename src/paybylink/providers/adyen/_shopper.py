"""
What Adyen's page may be told of the customer: the language, the country, and, when asked for, who he is. Pure.

Rule 1: name, email, phone and address are handed over only with `prefill`: whoever has the link can read them.
Rule 2: a link for many is never filled in with one customer's data.
Rule 3: what Adyen would refuse is a fault. What it would ignore (a phone without country code), or cannot take in
        halves (a name of one word), is left out; the payer then types it.

Source: API reference, `PaymentLinkRequest`; docs.adyen.com, "Upgrade to Checkout API v72".
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.address import Address
from paybylink.errors import Faults
from paybylink.kinds import Reusable
from paybylink.orders import Customer
from paybylink.providers.base import LinkRequest

Json: TypeAlias = dict[str, Any]

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.][^@\s]*")
_PHONE: Final = re.compile(r"\+[0-9]{5,18}")
_NUMBER_FIRST: Final = re.compile(r"([0-9]+ ?(?:bis|ter|quater|[A-Za-z])?),? +(\S.*)")
_NUMBER_LAST: Final = re.compile(r"(.*\S),? +([0-9]+ ?[A-Za-z]?(?:[-/][0-9]+)?)")
#: Countries whose addresses need a state, of two letters.
_WITH_STATES: Final = frozenset({"US", "CA"})

#: The country that goes with a language where its own two letters do not name one, or another one is meant.
_REGION: Final = MappingProxyType(
    {
        "ar": "AE", "ca": "ES", "cs": "CZ", "da": "DK", "el": "GR", "en": "US", "et": "EE", "ja": "JP",
        "ko": "KR", "nb": "NO", "no": "NO", "sl": "SI", "sv": "SE", "uk": "UA", "zh": "CN",
    }
)  # fmt: skip
_LOCALE: Final = re.compile(r"([a-z]{2})(?:-[A-Za-z]{4})?(?:-([A-Z]{2}))?")


def shopper_locale(language: str) -> str:
    """
    A language as Adyen wants it, with a country: ``fr`` → ``fr-FR``; what is no language is passed through.

    Which locales the page knows only Adyen's documentation says; for any other it falls back by itself.
    """
    given = language.replace("_", "-")
    found = _LOCALE.fullmatch(given)
    if not found:
        return given
    return f"{found[1]}-{found[2] or _REGION.get(found[1], found[1].upper())}"


def country_of(customer: Customer | None) -> str | None:
    """The customer's country, by which Adyen chooses the methods; None when it is not known."""
    if customer is None:
        return None
    return customer.country or (customer.address.country if customer.address else None)


def shopper_fields(faults: Faults, request: LinkRequest) -> Json:
    """The fields of a link request that are about the customer; what Adyen would refuse goes to `faults`."""
    order, customer = request.order, request.order.customer
    fields: Json = {}
    language = order.checkout.language or request.locale
    if language:
        locale = shopper_locale(language)
        if len(locale) > 32:
            faults.add("order.checkout.language", "is longer than Adyen takes", "write it as fr or fr-FR")
        fields["shopperLocale"] = locale
    for_many = isinstance(request.kind, Reusable)
    country = country_of(customer)
    if country and not for_many:
        fields["countryCode"] = country
    if not order.checkout.prefill or customer is None:
        return fields
    if for_many:
        faults.add(
            "order.checkout.prefill",
            "would show one customer's data to all who pay a reusable link",
            "leave it out, or make a single-use link for the customer",
        )
        return fields
    return fields | _person(faults, customer)


def _person(faults: Faults, customer: Customer) -> Json:
    fields: Json = {}
    if customer.email:
        if len(customer.email) > 256 or not _EMAIL.fullmatch(customer.email):
            faults.add(
                "order.customer.email", "is no address that Adyen takes", "correct it, or leave prefill out"
            )
        fields["shopperEmail"] = customer.email
    first, _, last = customer.name.strip().rpartition(" ")
    if first.strip() and len(first) <= 80 and len(last) <= 80:
        fields["shopperName"] = {"firstName": first.strip(), "lastName": last}
    phone = re.sub(r"[ ().\-/]", "", customer.phone or "")
    if _PHONE.fullmatch(phone):
        fields["telephoneNumber"] = phone
    if customer.address is not None:
        fields["billingAddress"] = _address(faults, customer.address)
    return fields


def _address(faults: Faults, address: Address) -> Json:
    street, number = address.street, address.house_number
    if not number:
        if found := _NUMBER_FIRST.fullmatch(street):
            number, street = found[1], found[2]
        elif found := _NUMBER_LAST.fullmatch(street):
            street, number = found[1].rstrip(","), found[2]
    fields = {
        "street": street,
        # Required, and "or name": a house without a number is called by the name of its place.
        "houseNumberOrName": number or street,
        "city": address.city,
        "postalCode": address.postal_code,
        "country": address.country,
    }
    if address.country in _WITH_STATES:
        if not re.fullmatch(r"[A-Z]{2}", address.region):
            faults.add(
                "order.customer.address.region",
                "is no state or province of two capital letters",
                "write it as NY or ON",
            )
        fields["stateOrProvince"] = address.region
    return fields
