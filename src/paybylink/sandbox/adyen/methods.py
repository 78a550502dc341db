"""
How a payer can pay at Adyen, in the sandbox: a few methods of each sort, by currency and country.

Cards, wallets and bank redirects pay at once; a bank transfer leaves the payment pending until the money arrives.
What the bank moves at once is captured at once, also on a link with manual capture.
Source: docs.adyen.com, "Payment methods"; names as in `PaymentMethod.type`.
"""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from paybylink.sandbox.engine import Document


@frozen
class Way:
    """
    A payment method.

    Attributes:
        type: Adyen's name, as in ``allowedPaymentMethods``.
        name: the name for people.
        currencies: where it is offered; empty is everywhere.
        countries: likewise; a payer without a country is offered all.
        delayed: whether the money comes later.
        captured: whether the money moves with the payment, whatever the capture settings.
        told: its name in webhooks, where that differs.
    """

    type: str
    name: str
    currencies: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    delayed: bool = False
    captured: bool = False
    told: str = ""


_EUR = frozenset({"EUR"})

WAYS = (
    Way("scheme", "Cards", told="visa"),
    Way("paypal", "PayPal"),
    Way("ideal", "iDEAL", _EUR, frozenset({"NL"}), captured=True),
    Way("bcmc", "Bancontact", _EUR, frozenset({"BE"})),
    Way("eps", "EPS", _EUR, frozenset({"AT"}), captured=True),
    Way("klarna", "Klarna", frozenset({"EUR", "GBP", "USD", "SEK", "NOK", "DKK", "CHF"})),
    Way("twint", "TWINT", frozenset({"CHF"}), frozenset({"CH"})),
    Way("bankTransfer_IBAN", "Bank transfer", _EUR, delayed=True, captured=True),
    Way("boletobancario", "Boleto", frozenset({"BRL"}), frozenset({"BR"}), delayed=True, captured=True),
    Way("ach", "ACH Direct Debit", frozenset({"USD"}), frozenset({"US"}), delayed=True, captured=True),
    Way("directdebit_GB", "BACS Direct Debit", frozenset({"GBP"}), frozenset({"GB"}), delayed=True),
    Way("trustly", "Trustly", frozenset({"SEK", "NOK", "DKK"}), delayed=True, captured=True),
)


def offered(
    currency: str | None,
    country: str | None,
    allowed: Collection[str] | None,
    blocked: Collection[str] | None,
) -> tuple[Way, ...]:
    """The methods for a payer, in the order of the page."""
    return tuple(
        way
        for way in WAYS
        if (not way.currencies or currency is None or currency in way.currencies)
        and (not way.countries or country is None or country in way.countries)
        and (not allowed or way.type in allowed)
        and way.type not in (blocked or ())
    )


def of_link(link: Document) -> tuple[Way, ...]:
    """The methods on a link's page."""
    return offered(
        link["amount"]["currency"],
        link.get("countryCode"),
        link.get("allowedPaymentMethods"),
        link.get("blockedPaymentMethods"),
    )


def shown(way: Way) -> Document:
    """A method as `/paymentMethods` lists it."""
    entry: Document = {"name": way.name, "type": way.type}
    return {**entry, "brands": ["visa", "mc", "amex"]} if way.type == "scheme" else entry
