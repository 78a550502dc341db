"""
The customer, as Mollie's address fields take him. Pure.

Only what Mollie would accept is handed over: a name has two letters at least and not only digits, a phone number is
in E.164, a domain is in ASCII. What does not fit is left out, for nothing here is a promise; the payer types it.

Source: Mollie's OpenAPI document, `payment-address`.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

from paybylink.orders import Customer

Json: TypeAlias = dict[str, Any]

_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,255}")


def names(customer: Customer) -> dict[str, str]:
    """Given name and family name, split at the first space; those that Mollie would refuse are left out."""
    given, _, family = customer.name.strip().partition(" ")
    if not family:
        given, family = "", given
    pairs = (("givenName", given.strip()), ("familyName", family.strip()))
    return {field: name for field, name in pairs if len(name) >= 2 and not name.isdigit()}


def email(customer: Customer) -> str:
    """The email address with its domain in ASCII (RFC 3492); empty when there is none that Mollie would take."""
    mailbox, _, domain = (customer.email or "").strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    address = f"{mailbox}@{domain}"
    return address if _EMAIL.fullmatch(address) else ""


def phone(customer: Customer) -> str:
    """The phone number in E.164, however it was spaced; empty when it is not written so."""
    typed = re.sub(r"[\s().-]", "", customer.phone or "")
    return typed if _PHONE.fullmatch(typed) else ""


def postal(customer: Customer) -> dict[str, str]:
    """The postal address; empty without one."""
    address = customer.address
    if address is None:
        return {}
    found = {
        "streetAndNumber": address.street_and_number,
        "streetAdditional": address.extra,
        "postalCode": address.postal_code,
        "city": address.city,
        "region": address.region,
        "country": address.country,
    }
    return {field: value for field, value in found.items() if value.strip()}


def billing_address(customer: Customer | None) -> Json:
    """The address of a payment link; empty where there is neither an email nor a postal address, as Mollie wants."""
    if customer is None:
        return {}
    where, mail = postal(customer), email(customer)
    if not where and not mail:
        return {}
    told = {
        **names(customer),
        "organizationName": customer.organisation.strip(),
        **where,
        "email": mail,
        "phone": phone(customer),
    }
    return {field: value for field, value in told.items() if value}
