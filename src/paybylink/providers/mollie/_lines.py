"""
What is sold, line by line, as Mollie's payment links take it. Pure.

Rule 1: every price is sent with VAT. Where a line's total is no whole multiple of a whole quantity, the quantity
        moves into the description ("1.5 × …") and the line is sent once, at its exact total.
Rule 2: Mollie refuses lines that do not add up to the amount. VAT is rounded per rate and not per line, so that may
        happen; then no lines are sent. The amount is never touched.
Rule 3: a line below zero is a discount, which is a type of its own.

Source: Mollie's OpenAPI document, `payment-line-item`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeAlias

from paybylink.errors import InvalidInput
from paybylink.lines import EXACT, LineItem
from paybylink.money import Money
from paybylink.orders import Order

from ._amounts import amount

Json: TypeAlias = dict[str, Any]

_DESCRIPTION: Final = 255
_MOST_QUANTITY: Final = 999_999
_CENT: Final = Decimal("0.01")


def shortened(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def plain(number: Decimal) -> str:
    """A decimal without exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_text(rate: Decimal) -> str:
    """A VAT rate in percent, with two decimals or as many as it has."""
    return f"{rate:.2f}" if rate == rate.quantize(_CENT, context=EXACT) else plain(rate)


def counted(line: LineItem, total: Money) -> tuple[str, int, Money]:
    """How a line is told (rule 1): description, whole quantity and the price of one, whose product is `total`."""
    quantity = line.quantity
    if quantity == 1:
        return line.description, 1, total
    if quantity == int(quantity) and quantity <= _MOST_QUANTITY:
        each, rest = divmod(total.minor, int(quantity))
        if not rest:
            return line.description, int(quantity), Money.read(each, total.currency)
    return f"{plain(quantity)} × {line.description}", 1, total


def payment_lines(order: Order) -> list[Json]:
    """The order's lines; none where it has none, or where they do not add up to its amount (rule 2)."""
    try:
        priced = [(line, _gross(line)) for line in order.lines]
        total = sum((gross.minor for _, gross in priced), 0)
    except InvalidInput:
        return []
    if total != order.amount.minor:
        return []
    return [_line(line, gross) for line, gross in priced]


def _line(line: LineItem, gross: Money) -> Json:
    description, quantity, each = counted(line, gross)
    told: Json = {
        "description": shortened(description, _DESCRIPTION),
        "quantity": quantity,
        "unitPrice": amount(each),
        "totalAmount": amount(gross),
    }
    if gross.minor < 0:
        told["type"] = "discount"
    if line.vat_rate is not None:
        told["vatRate"] = rate_text(line.vat_rate)
        told["vatAmount"] = amount(_vat_within(gross, line.vat_rate))
    return told


def _gross(line: LineItem) -> Money:
    total = line.total
    if line.vat_included or not line.vat_rate:
        return total
    return total + total.percentage(line.vat_rate)


def _vat_within(gross: Money, rate: Decimal) -> Money:
    """The VAT in `gross`, by the formula that Mollie checks: total × rate / (100 + rate)."""
    exact = EXACT.divide(EXACT.multiply(Decimal(gross.minor), rate), EXACT.add(Decimal(100), rate))
    return Money.read(int(exact.quantize(Decimal(1), context=EXACT)), gross.currency)
