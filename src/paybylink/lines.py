"""
The lines of an order, and the VAT in them.

VAT is computed per rate and not per line (EN 16931, BR-CO-17), so that the groups add up to what an invoice prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import cast

from attrs import converters, field, frozen

from .checks import check_text
from .errors import Faults
from .money import Money

DESCRIPTION_LIMIT = 250
#: More of one thing than anybody sells; it keeps ``1E+9999`` out.
QUANTITY_LIMIT = 1_000_000_000
# Wide enough for every sum here, whatever the host has made of its own decimal context.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), context=EXACT))


def _decimal(given: Decimal | int | str) -> Decimal:
    """An exact decimal; whatever cannot be one stays as it is, for the check that names it."""
    if isinstance(given, str):
        try:
            return Decimal(given)
        except InvalidOperation:
            return Decimal("NaN")
    if isinstance(given, int) and not isinstance(given, bool):
        return Decimal(given)
    return cast("Decimal", given)


@frozen(kw_only=True)
class LineItem:
    """
    One line of an order.

    Attributes:
        description: what is sold.
        unit_price: for one, with or without VAT as `vat_included` says.
        quantity: a whole number or an exact decimal; three decimals at most, more than zero.
        vat_rate: in percent, e.g. ``Decimal("20")``; None when no VAT is shown.
        vat_included: whether `unit_price` contains the VAT.
    """

    description: str
    unit_price: Money
    quantity: Decimal = field(
        default=Decimal(1),
        converter=_decimal,
    )
    vat_rate: Decimal | None = field(
        default=None,
        converter=converters.optional(_decimal),
    )
    vat_included: bool = True

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "description", self.description, limit=DESCRIPTION_LIMIT, required=True)
        if not isinstance(self.quantity, Decimal):
            faults.add(
                "quantity",
                f"is {type(self.quantity).__name__}",
                'write it as an int or a string such as "1.5"',
            )
        elif not self.quantity.is_finite() or self.quantity <= 0:
            faults.add("quantity", "is not more than zero", "write how many are sold")
        elif self.quantity > QUANTITY_LIMIT:
            faults.add("quantity", f"is more than {QUANTITY_LIMIT}", "sell it in several lines")
        elif self.quantity != self.quantity.quantize(Decimal("0.001"), context=EXACT):
            faults.add("quantity", "has more than three decimals", "round it before")
        if self.vat_rate is not None:
            if not isinstance(self.vat_rate, Decimal):
                faults.add(
                    "vat_rate",
                    f"is {type(self.vat_rate).__name__}",
                    'write it as an int or a string such as "5.5"',
                )
            elif not self.vat_rate.is_finite() or not 0 <= self.vat_rate <= 100:
                faults.add("vat_rate", "is not between 0 and 100", "write the rate in percent, e.g. 20")
        if not isinstance(self.unit_price, Money):
            faults.add("unit_price", f"is {type(self.unit_price).__name__}", 'write Money.of("49.90", "EUR")')
        faults.raise_any()

    @property
    def total(self) -> Money:
        """Quantity times unit price, rounded half up to the minor unit; with VAT only if the price has it."""
        return Money.read(
            _round(EXACT.multiply(self.quantity, Decimal(self.unit_price.minor))), self.unit_price.currency
        )


@frozen(kw_only=True)
class VatGroup:
    """
    What one VAT rate contributes to an order.

    Attributes:
        rate: in percent; None for lines without VAT.
        net, vat, gross: minor units of one currency; ``net + vat == gross``.
    """

    rate: Decimal | None
    net: Money
    vat: Money
    gross: Money


def vat_groups(lines: Iterable[LineItem]) -> tuple[VatGroup, ...]:
    """The VAT of `lines` by rate, highest rate first; lines priced with and without VAT may be mixed."""
    totals: dict[tuple[Decimal | None, bool], Money] = {}
    for line in lines:
        place = (line.vat_rate, line.vat_included)
        totals[place] = totals[place] + line.total if place in totals else line.total
    groups: dict[Decimal | None, VatGroup] = {}
    for (rate, included), total in totals.items():
        percent = rate or Decimal(0)
        hundredfold = EXACT.multiply(Decimal(total.minor), percent)
        if included:
            vat = Money.read(
                _round(EXACT.divide(hundredfold, EXACT.add(Decimal(100), percent))), total.currency
            )
            part = VatGroup(rate=rate, net=total - vat, vat=vat, gross=total)
        else:
            vat = Money.read(_round(EXACT.divide(hundredfold, Decimal(100))), total.currency)
            part = VatGroup(rate=rate, net=total, vat=vat, gross=total + vat)
        seen = groups.get(rate)
        groups[rate] = (
            part
            if seen is None
            else VatGroup(
                rate=rate, net=seen.net + part.net, vat=seen.vat + part.vat, gross=seen.gross + part.gross
            )
        )
    return tuple(
        sorted(groups.values(), key=lambda group: -1 if group.rate is None else group.rate, reverse=True)
    )
