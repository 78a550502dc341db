"""
The arithmetic of a sales invoice: lines, discounts, VAT, and the totals that follow.

VAT is reckoned per rate on what is left after all discounts, and rounded half up there; a discount on the whole
invoice is spread over the rates in proportion.
Source: Mollie's OpenAPI document, `entity-sales-invoice`, for the meaning of each total. How Mollie rounds is not
documented; this is the usual way.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from paybylink.sandbox.engine import Document
from paybylink.sandbox.mollie.amounts import amount, decimals, units
from paybylink.sandbox.mollie.link_parameters import half_up


def totals(lines: list[Document], discount: Document | None, *, inclusive: bool) -> Document:
    """
    The four totals of an invoice, as amounts.

    Args:
        lines: checked, all in one currency, at least one.
        discount: on the whole invoice; None without one.
        inclusive: whether the unit prices hold VAT already.
    """
    currency = str(lines[0]["unitPrice"]["currency"])
    before, after, net_before = Fraction(0), Fraction(0), Fraction(0)
    by_rate: dict[Fraction, Fraction] = {}
    for line in lines:
        rate, whole = Fraction(line["vatRate"]), Fraction(units(line["unitPrice"]) * line["quantity"])
        left = whole - _taken(whole, line.get("discount"), currency)
        by_rate[rate] = by_rate.get(rate, Fraction(0)) + left
        before, after = before + whole, after + left
        net_before += whole * 100 / (100 + rate) if inclusive else whole
    kept = after - _taken(after, discount, currency)
    share = kept / after if after else Fraction(1)
    if inclusive:
        vat = sum(half_up(left * share * rate / (100 + rate)) for rate, left in by_rate.items())
        total = half_up(kept)
        net = total - vat
    else:
        vat = sum(half_up(left * share * rate / 100) for rate, left in by_rate.items())
        net = half_up(kept)
        total = net + vat
    return {
        "subtotalAmount": amount(half_up(net_before), currency),
        "discountedSubtotalAmount": amount(net, currency),
        "totalVatAmount": amount(vat, currency),
        "totalAmount": amount(total, currency),
    }


def _taken(whole: Fraction, discount: Mapping[str, str] | None, currency: str) -> Fraction:
    if discount is None:
        return Fraction(0)
    if discount["type"] == "percentage":
        return whole * Fraction(discount["value"]) / 100
    return min(whole, Fraction(discount["value"]) * Fraction(10 ** decimals(currency)))
