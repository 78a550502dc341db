"""
What a payment link is made from and what of it can be changed, with the arithmetic of its lines.

There is no metadata, no locale and no reference on Mollie's payment links: such a field is unknown, as any other.
Source: Mollie's OpenAPI document, `create-payment-link` and `update-payment-link`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from paybylink.sandbox.engine import Document
from paybylink.sandbox.mollie.amounts import units
from paybylink.sandbox.mollie.methods import check_most
from paybylink.sandbox.mollie.parameters import (
    ADDRESS,
    WEB,
    Field,
    Flag,
    Many,
    Moment,
    Money,
    Record,
    Text,
    Unsimulated,
    Whole,
)
from paybylink.sandbox.mollie.wire import Problem

_RATE = Text(8, pattern=r"[0-9]{1,3}(\.[0-9]{1,4})?")
_BELOW_ZERO = frozenset({"discount", "store_credit", "gift_card"})

_LINE = Record(
    {
        "type": Text(
            choices=(
                "physical",
                "digital",
                "shipping_fee",
                "discount",
                "store_credit",
                "gift_card",
                "surcharge",
                "tip",
            )
        ),
        "description": Text(255),
        "quantity": Whole(1),
        "quantityUnit": Text(50),
        "unitPrice": Money(signed=True),
        "discountAmount": Money(zero=True),
        "totalAmount": Money(signed=True),
        "vatRate": _RATE,
        "vatAmount": Money(signed=True),
        "sku": Text(64),
        "categories": Many(Text(choices=("eco", "gift", "meal", "sport_culture", "additional", "consume"))),
        "imageUrl": WEB,
        "productUrl": WEB,
    },
    required=("description", "quantity", "unitPrice", "totalAmount"),
)

_CHANGEABLE: Mapping[str, Field] = {
    "description": Text(255),
    "minimumAmount": Money(),
    "allowedMethods": Many(Text(50, pattern="[a-z0-9]+")),
    "lines": Many(_LINE),
    "billingAddress": ADDRESS,
    "shippingAddress": ADDRESS,
}
_NULLABLE = ("allowedMethods", "lines")

CREATE = Record(
    {
        **_CHANGEABLE,
        "amount": Money(),
        "redirectUrl": Text(2048, pattern=r"[A-Za-z][A-Za-z0-9+.-]*://\S+"),
        "webhookUrl": WEB,
        "reusable": Flag(),
        "expiresAt": Moment(),
        "applicationFee": Unsimulated(),
        "sequenceType": Text(choices=("oneoff", "first")),
        "customerId": Unsimulated(),
    },
    required=("description",),
    nullable=(
        *_NULLABLE,
        "amount",
        "minimumAmount",
        "redirectUrl",
        "webhookUrl",
        "reusable",
        "expiresAt",
        "customerId",
    ),
)

UPDATE = Record({**_CHANGEABLE, "archived": Flag()}, nullable=_NULLABLE)


def check(link: Document) -> None:
    """
    Nothing, when what a link would hold fits together.

    Raises:
        Problem: an amount and a minimum at once, an amount that no method takes, or lines that do not add up.
    """
    if link["amount"] is not None and link["minimumAmount"] is not None:
        raise Problem("A minimum amount is only for a link without an amount.", field="minimumAmount")
    if link["sequenceType"] == "first":
        _ = Unsimulated().read("first", "sequenceType")
    for name in ("amount", "minimumAmount"):
        if link[name] is not None:
            check_most(link[name])
    for name in ("billingAddress", "shippingAddress"):
        _check_address(link[name], name)
    for place, line in enumerate(link["lines"] or []):
        _check_line(line, f"lines.{place}", (link["amount"] or line["totalAmount"])["currency"])
    if link["lines"]:
        # What the payer types cannot be the sum of lines that are there before.
        total = sum(units(line["totalAmount"]) for line in link["lines"])
        if link["amount"] is None or total != units(link["amount"]):
            raise Problem("The totals of the lines do not add up to the amount.", field="lines")


def _check_address(address: Document | None, name: str) -> None:
    postal = {"streetAndNumber", "postalCode", "city", "country"}
    if address is not None and "email" not in address and not postal <= set(address):
        raise Problem(f"The field '{name}' needs an email or a complete postal address.", field=name)


def _check_line(line: Document, path: str, currency: str) -> None:
    for name in ("unitPrice", "discountAmount", "totalAmount", "vatAmount"):
        if name in line and line[name]["currency"] != currency:
            raise Problem("All lines should have the currency of the amount.", field=f"{path}.{name}")
    each, total = units(line["unitPrice"]), units(line["totalAmount"])
    if (each > 0) if line.get("type") in _BELOW_ZERO else (each < 0):
        raise Problem(
            "The sign of the unit price does not suit the type of the line.", field=f"{path}.unitPrice"
        )
    taken = units(line["discountAmount"]) if "discountAmount" in line else 0
    if total != each * line["quantity"] - taken:
        raise Problem(
            "The total is not unit price times quantity less discount.", field=f"{path}.totalAmount"
        )
    if ("vatRate" in line) != ("vatAmount" in line):
        raise Problem("A VAT rate and a VAT amount come together.", field=f"{path}.vatRate")
    if "vatRate" in line:
        rate = Fraction(line["vatRate"])
        if units(line["vatAmount"]) != half_up(total * rate / (100 + rate)):
            raise Problem("The VAT amount does not follow from total and rate.", field=f"{path}.vatAmount")


def half_up(exact: Fraction) -> int:
    """The nearest whole number; of two, the one away from zero."""
    return floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
