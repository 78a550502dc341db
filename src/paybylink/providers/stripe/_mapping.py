"""
Our orders, written as Stripe's payment links and refunds. Pure.

A payment link shows line items, whose sum is what the payer is asked for. An order's lines are priced per VAT rate
and may have quantities such as 1.5, which Stripe cannot say. So:

Rule 1: every line is sent with VAT. Where its amount is no whole multiple of a whole quantity, the quantity moves
        into the name ("1.5 × …") and the line is sent once, at its exact amount.
Rule 2: where the lines do not add up to the order's amount, because VAT is rounded per rate and not per line, one
        line with the order's description is sent instead. The amount is never touched.
Rule 3: what is too long is refused, but for product names, which are visibly shortened ("…").
Rule 4: no payment methods are named: the merchant's Dashboard settings decide, and stay decisive.

Metadata goes on the link, from where Stripe copies it to its sessions, and on the payment intent, where it does not.

Source: docs.stripe.com, API reference "Create a payment link", "Create a refund", "Metadata"; "Supported currencies".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.currencies import STRIPE
from paybylink.errors import Faults, InvalidInput
from paybylink.kinds import InvoiceBound, Reusable
from paybylink.lines import LineItem
from paybylink.money import Money, to_wire
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest, RefundRequest

Json: TypeAlias = dict[str, Any]

#: Names of our metadata. Their values are ids, the host's reference and part, and an invoice's number.
LINK: Final = "paybylink_link"
ATTEMPT: Final = "paybylink_attempt"
REFERENCE: Final = "paybylink_reference"
PART: Final = "paybylink_part"
INVOICE: Final = "paybylink_invoice"
ASKED: Final = "paybylink_asked"
REFUND: Final = "paybylink_refund"
REASON: Final = "paybylink_reason"

MOST_LINES: Final = 20
#: The schema says 5,000, what the pages show is less; 250 is cautious.
NAME_LIMIT: Final = 250
_METADATA_VALUE: Final = 500
_MOST_QUANTITY: Final = 999_999

#: The most that can be asked for, in Stripe's minor units: 8 digits, and where more is known, more. In COP, HUF,
#: JPY and LBP cards allow more than 8 digits, how many differs; there Stripe decides.
#: Source: docs.stripe.com, "Supported currencies", "Minimum and maximum charge amounts".
_MOST: Final = 99_999_999
_MOST_IN: Final[Mapping[str, int]] = MappingProxyType(
    {"INR": 999_999_999, "IDR": 999_999_999_999} | dict.fromkeys(("COP", "HUF", "JPY", "LBP"), 10**12 - 1)
)

#: Stripe's own words for why money goes back; any other word of the merchant's travels as metadata.
_REFUND_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})

_INACTIVE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "de": "Dieser Zahlungslink ist nicht mehr gültig. Bitte wenden Sie sich an den Händler.",
        "en": "This payment link is no longer active. Please contact the merchant.",
        "es": "Este enlace de pago ya no está activo. Póngase en contacto con el comercio.",
        "fr": "Ce lien de paiement n’est plus actif. Veuillez contacter le marchand.",
        "it": "Questo link di pagamento non è più attivo. Contatti l’esercente.",
        "nl": "Deze betaallink is niet meer actief. Neem contact op met de verkoper.",
    }
)


def link_form(request: LinkRequest, *, now: dt.datetime) -> Json:
    """
    The form of ``POST /v1/payment_links``.

    Raises:
        InvalidInput: the order breaks a limit of Stripe; every fault at once.
    """
    order = request.order
    faults = Faults()
    amount = 0
    with faults.at("order"):
        amount = to_wire(order.amount, STRIPE)
    most = _MOST_IN.get(order.amount.currency, _MOST)
    if amount > most:
        faults.add(
            "order.amount",
            f"is {order.amount}, more than Stripe takes in one payment",
            "split the order in parts, each with a link of its own",
        )
    if len(order.lines) > MOST_LINES:
        faults.add(
            "order.lines",
            f"are {len(order.lines)}, Stripe shows {MOST_LINES} at most",
            "join some of them, or leave lines out and give the amount",
        )
    faults.raise_any()
    metadata = _metadata(request, now=now)
    form: Json = {
        "line_items": _items(order, amount),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": _title(order)},
        "inactive_message": _inactive_message(request),
        # The reply then shows what the payer will be asked for, and can be compared.
        "expand": ["line_items"],
    }
    limit = completed_limit(request)
    if limit is not None:
        form["restrictions"] = {"completed_sessions": {"limit": limit}}
    if order.return_url is not None:
        form["after_completion"] = {"type": "redirect", "redirect": {"url": order.return_url}}
    return form


def refund_form(request: RefundRequest) -> Json:
    """
    The form of ``POST /v1/refunds``.

    Raises:
        InvalidInput: the payment has nothing to refund at Stripe, or the amount cannot be said there.
    """
    if not request.payment_vendor_id.startswith("pi_"):
        raise InvalidInput.single(
            "payment", "has no payment intent at Stripe, as nothing was charged", "there is nothing to refund"
        )
    metadata = {REFUND: request.refund_id}
    form: Json = {
        "payment_intent": request.payment_vendor_id,
        "amount": to_wire(request.amount, STRIPE),
        "metadata": metadata,
    }
    if request.reason in _REFUND_REASONS:
        form["reason"] = request.reason
    elif request.reason:
        metadata[REASON] = shortened(request.reason, _METADATA_VALUE)
    return form


def completed_limit(request: LinkRequest) -> int | None:
    """How many payments the link takes; None for any number."""
    return request.kind.max_payments if isinstance(request.kind, Reusable) else 1


def shortened(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _metadata(request: LinkRequest, *, now: dt.datetime) -> dict[str, str]:
    # Orders keep within Stripe's limits (50 keys of 40 characters, values of 500), so nothing is checked again.
    order = request.order
    ours = {
        LINK: request.link_id,
        ATTEMPT: request.attempt_id,
        ASKED: str(int(now.timestamp())),
        REFERENCE: order.reference,
        PART: order.part,
    }
    if isinstance(request.kind, InvoiceBound):
        ours[INVOICE] = request.kind.invoice.number
    # An empty value means "remove this key" to Stripe.
    return {name: value for name, value in (*order.metadata.items(), *ours.items()) if value}


def _items(order: Order, amount: int) -> list[Json]:
    """The line items, which add up to `amount` in Stripe's minor units (rules 1 and 2)."""
    whole = [_item(_title(order), order.amount.currency, 1, amount)]
    if not order.lines:
        return whole
    try:
        priced = [(line, to_wire(_gross(line), STRIPE)) for line in order.lines]
    except InvalidInput:
        return whole
    if sum(gross for _, gross in priced) != amount or any(gross < 0 for _, gross in priced):
        return whole
    return [_line(line, gross) for line, gross in priced]


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


def _gross(line: LineItem) -> Money:
    total = line.total
    if line.vat_included or not line.vat_rate:
        return total
    return total + total.percentage(line.vat_rate)


def _title(order: Order) -> str:
    return order.description.strip() or order.reference


def _plain(quantity: Decimal) -> str:
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _inactive_message(request: LinkRequest) -> str:
    customer = request.order.customer
    language = request.locale or (customer.language if customer else None) or "en"
    return _INACTIVE.get(language[:2].lower(), _INACTIVE["en"])
