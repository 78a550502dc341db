"""
Payment methods: what is offered, for which currencies, from what to what amount, and how its money comes.

Bounds are in euros; in another currency the sandbox has none. A method that pays later for the payer (Klarna) needs
lines and a billing address, authorises first, and is captured when the sandbox settles it.
Source: docs.mollie.com, "Payment methods", for the bounds of iDEAL and cards; the other bounds are the sandbox's.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie.amounts import HOME, RATES, amount
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.lists import whole
from paybylink.sandbox.mollie.parameters import Money, Record, Text
from paybylink.sandbox.mollie.wire import Problem, documentation, hal, missing


@frozen
class Method:
    """
    Attributes:
        name: for people.
        currencies: those that it takes.
        maximum: in cents of euros; None without one.
        later: whether its money comes days after the payer is done.
        authorises: whether the payer's yes only reserves the money.
    """

    name: str
    currencies: frozenset[str]
    maximum: int | None
    later: bool = False
    authorises: bool = False


_EURO = frozenset({HOME})

METHODS: Mapping[str, Method] = {
    "creditcard": Method("Card", frozenset(RATES), 1_000_000),
    "ideal": Method("iDEAL", _EURO, 5_000_000),
    "bancontact": Method("Bancontact", _EURO, 5_000_000),
    "banktransfer": Method("Bank transfer", _EURO, 100_000_000, later=True),
    "eps": Method("eps", _EURO, 5_000_000),
    "klarna": Method("Klarna", _EURO, 500_000, authorises=True),
    "trustly": Method(
        "Trustly",
        frozenset({"CZK", "DKK", HOME, "GBP", "HUF", "NOK", "PLN", "RON", "SEK"}),
        1_000_000,
        later=True,
    ),
    "twint": Method("TWINT", frozenset({"CHF"}), None),
}

_MOST = max(method.maximum or 0 for method in METHODS.values())

_INDEX = Record(
    {
        "amount[currency]": Text(3),
        "amount[value]": Text(20),
        "billingCountry": Text(2),
        "include": Text(choices=("issuers",)),
        "includeWallets": Text(),
        "locale": Text(5),
        "orderLineCategories": Text(),
        "resource": Text(choices=("payments", "orders")),
        "sequenceType": Text(choices=("oneoff", "first", "recurring")),
    }
)


def index(call: Call) -> Document:
    """GET /v2/methods: those that take the amount asked about; those that take euros without one."""
    values = call.queried(_INDEX)
    currency, minor = HOME, None
    if "amount[currency]" in values or "amount[value]" in values:
        asked = {"currency": values.get("amount[currency]"), "value": values.get("amount[value]")}
        try:
            currency = Money(zero=True).read(asked, "amount")["currency"]
        except Problem as problem:
            raise Problem(problem.detail, status=400, field="amount") from None
        minor = int(str(asked["value"]).replace(".", ""))
    shown = [
        _view(call.engine, name, currency)
        for name, method in METHODS.items()
        if fits(method, minor, currency)
    ]
    return whole(call, "methods", shown, topic="list-methods")


def fetch(call: Call) -> Document:
    """GET /v2/methods/{method}."""
    _ = call.queried(
        Record({"currency": Text(3), "locale": Text(5), "include": Text(), "sequenceType": Text()})
    )
    if call.names["method"] not in METHODS:
        raise missing(call.names["method"])
    return _view(call.engine, call.names["method"], HOME)


def fits(method: Method, minor: int | None, currency: str) -> bool:
    """Whether a method takes a currency, and the amount where there is one."""
    if currency not in method.currencies:
        return False
    return minor is None or currency != HOME or method.maximum is None or minor <= method.maximum


def check_most(asked: Document) -> None:
    """
    Nothing, when at least one method takes an amount so high.

    Raises:
        Problem: none does.
    """
    if asked["currency"] == HOME and int(asked["value"].replace(".", "")) > _MOST:
        raise Problem("The amount is higher than the maximum.", field="amount")


def offered(subject: Document, minor: int | None, currency: str) -> list[str]:
    """The methods that a payer of a link or invoice can choose from."""
    wanted = subject.get("allowedMethods") or list(METHODS)
    complete = bool(subject.get("lines")) and "country" in (subject.get("billingAddress") or {})
    return [
        name
        for name, method in METHODS.items()
        if name in wanted and fits(method, minor, currency) and (complete or not method.authorises)
    ]


def delayed(currency: str) -> str:
    """The method whose money comes later in this currency: a card under review where there is no other."""
    later = [name for name, method in METHODS.items() if method.later and currency in method.currencies]
    return later[0] if later else "creditcard"


def _view(engine: Engine, name: str, currency: str) -> Document:
    method = METHODS[name]
    own = currency if currency in method.currencies else min(method.currencies)
    bounded = own == HOME and method.maximum is not None
    picture = f"{engine.base_url}/mollie/icons/{name}"
    return {
        "resource": "method",
        "id": name,
        "description": method.name,
        "minimumAmount": amount(1, own),
        "maximumAmount": amount(method.maximum or 0, own) if bounded else None,
        "image": {"size1x": f"{picture}.png", "size2x": f"{picture}%402x.png", "svg": f"{picture}.svg"},
        "status": "activated",
        "_links": {
            "self": hal(engine.base_url, f"/v2/methods/{name}"),
            "documentation": documentation("get-method"),
        },
    }
