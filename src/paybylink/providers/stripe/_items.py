"""
An order's lines, written as what Stripe's pages list. Pure.

A payment link shows line items, whose sum is what the payer is asked for. An order's lines are priced per VAT rate
and may have quantities such as 1.5, which Stripe cannot say. So:

Rule 1: every line is sent with VAT. Where its amount is no whole multiple of a whole quantity, the quantity moves
        into the name ("1.5 × …") and the line is sent once, at its exact amount.
Rule 2: where the lines do not add up to the order's amount, because VAT is rounded per rate and not per line, one
        line with the order's description is sent instead. The amount is never touched.
Rule 3: a name that is too long is visibly shortened ("…").

Source: docs.stripe.com, API reference "Create a payment link", "Create an invoice item".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.currencies import STRIPE
from paybylink.errors import Faults, InvalidInput
from paybylink.kinds import InvoiceBound
from paybylink.lines import LineItem
from paybylink.money import Money, to_wire
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest

Json: TypeAlias = dict[str, Any]

MOST_LINES: Final = 20
#: The schema says 5,000, what the pages show is less; 250 is cautious.
NAME_LIMIT: Final = 250
_MOST_QUANTITY: Final = 999_999

_WITH_VAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "de": "inkl. {} % MwSt.",
        "en": "incl. {} % VAT",
        "es": "{} % de IVA incl.",
        "fr": "TVA {} % incluse",
        "it": "IVA {} % incl.",
        "nl": "incl. {} % btw",
    }
)


def check_lines(faults: Faults, order: Order) -> None:
    """Add a fault when there are more lines than Stripe shows."""
    if len(order.lines) > MOST_LINES:
        faults.add(
            "order.lines",
            f"are {len(order.lines)}, Stripe shows {MOST_LINES} at most",
            "join some of them, or leave lines out and give the amount",
        )


def title(request: LinkRequest) -> str:
    """What the payer reads; an invoice's number stands in front, unless the text has it."""
    order, kind = request.order, request.kind
    text = order.description.strip() or order.reference
    if isinstance(kind, InvoiceBound) and kind.invoice.number not in text:
        text = f"{kind.invoice.number}: {text}"
    return text


def shortened(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def line_items(request: LinkRequest, amount: int) -> list[Json]:
    """The line items, which add up to `amount` in Stripe's minor units (rules 1 and 2)."""
    priced = _priced(request.order, amount)
    if not priced or any(gross < 0 for _, gross in priced):
        return [_item(title(request), request.order.amount.currency, 1, amount)]
    return [_line(line, gross) for line, gross in priced]


def invoice_lines(request: LinkRequest, amount: int, *, language: str) -> list[tuple[str, int]]:
    """The text and the amount of each line of an invoice, which may also take something off."""
    priced = _priced(request.order, amount)
    if not priced:
        return [(title(request), amount)]
    return [(_said(line, language), gross) for line, gross in priced]


def _priced(order: Order, amount: int) -> list[tuple[LineItem, int]]:
    """Each line with its amount and VAT; none where they do not add up to `amount`."""
    try:
        priced = [(line, to_wire(_gross(line), STRIPE)) for line in order.lines]
    except InvalidInput:
        return []
    return priced if sum(gross for _, gross in priced) == amount else []


def _line(line: LineItem, gross: int) -> Json:
    quantity, currency = line.quantity, line.unit_price.currency
    if quantity == 1:
        return _item(line.description, currency, 1, gross)
    if quantity == int(quantity) and quantity <= _MOST_QUANTITY:
        unit, rest = divmod(gross, int(quantity))
        if not rest and unit % STRIPE.steps.get(currency, 1) == 0:
            return _item(line.description, currency, int(quantity), unit)
    return _item(f"{_plain(quantity)} × {line.description}", currency, 1, gross)


def _item(name: str, currency: str, quantity: int, unit_amount: int) -> Json:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": currency.lower(),
            "unit_amount": unit_amount,
            "product_data": {"name": shortened(name, NAME_LIMIT)},
        },
    }


def _said(line: LineItem, language: str) -> str:
    """A line of an invoice in words; its VAT is in the amount and is named."""
    text = line.description if line.quantity == 1 else f"{_plain(line.quantity)} × {line.description}"
    if line.vat_rate is None:
        return text
    with_vat = _WITH_VAT.get(language[:2].lower(), _WITH_VAT["en"])
    return f"{text} ({with_vat.format(_plain(line.vat_rate))})"


def _gross(line: LineItem) -> Money:
    total = line.total
    if line.vat_included or not line.vat_rate:
        return total
    return total + total.percentage(line.vat_rate)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
