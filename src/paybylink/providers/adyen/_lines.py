"""
What is sold, as Adyen's line items. Pure.

They are for methods that print them on a bill of their own (Klarna, Riverty, …); what the payer is asked for is the
amount of the link and nothing else.

Rule 1: amounts are per item and with VAT. Where a line is no whole multiple of a whole quantity, the quantity moves
        into the description ("1.5 × …") and the line is sent once.
Rule 2: where the lines do not add up to the order's amount, because VAT is rounded per rate and not per line, or
        where one of them is negative, one line with the order's description is sent instead.
Rule 3: the VAT of an item is computed back from its price with VAT, so that the two parts add up to it.

Source: API reference, `PaymentLinkRequest.lineItems`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from paybylink.currencies import ADYEN
from paybylink.errors import InvalidInput
from paybylink.lines import LineItem
from paybylink.money import to_wire
from paybylink.orders import Order

Json: TypeAlias = dict[str, Any]


def line_items(order: Order, amount: int, *, title: str) -> list[Json]:
    """The line items of an order that has lines; they add up to `amount` in Adyen's units."""
    whole = [{"id": "1", "description": title, "quantity": 1, "amountIncludingTax": amount}]
    try:
        priced = [(line, _gross(line)) for line in order.lines]
    except InvalidInput:
        # A line that is finer than Adyen counts, in an order whose sum is not.
        return whole
    if sum(gross for _, gross in priced) != amount or any(gross < 0 for _, gross in priced):
        return whole
    return [_item(place, line, gross) for place, (line, gross) in enumerate(priced, 1)]


def _gross(line: LineItem) -> int:
    total = line.total
    if not line.vat_included and line.vat_rate:
        total = total + total.percentage(line.vat_rate)
    return to_wire(total, ADYEN)


def _item(place: int, line: LineItem, gross: int) -> Json:
    quantity, description, unit = 1, line.description, gross
    if line.quantity == int(line.quantity) and gross % int(line.quantity) == 0:
        quantity = int(line.quantity)
        unit = gross // quantity
    else:
        description = f"{_plain(line.quantity)} × {description}"
    item: Json = {
        "id": str(place),
        "description": description,
        "quantity": quantity,
        "amountIncludingTax": unit,
    }
    rate = line.vat_rate
    # Adyen takes the rate in hundredths of a percent; a finer one is not told rather than rounded.
    if rate is not None and rate * 100 == int(rate * 100):
        points = int(rate * 100)
        excluding = (2 * unit * 10_000 + 10_000 + points) // (2 * (10_000 + points))
        item |= {
            "amountExcludingTax": excluding,
            "taxAmount": unit - excluding,
            "taxPercentage": points,
        }
    return item


def _plain(quantity: Decimal) -> str:
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
