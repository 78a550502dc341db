"""
Orders and kinds of links as JSON.

An order is written without its customer, who has a row of his own that can be erased, and without the words that
have columns (`reference`, `part`, `tenant`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from attrs import asdict

from paybylink.address import Address
from paybylink.checkout import Checkout
from paybylink.kinds import (
    HostedInvoice,
    Invoice,
    InvoiceBound,
    InvoiceType,
    LinkKind,
    Reusable,
    SingleUse,
)
from paybylink.lines import LineItem, VatGroup
from paybylink.money import Money
from paybylink.orders import Customer, Order

from ._columns import Parameters, Row, dump, load

_Json: TypeAlias = Mapping[str, Any]


def order_json(order: Order) -> str:
    """The order's content, but for its customer."""
    return dump(
        {
            "amount": _money(order.amount),
            "description": order.description,
            "lines": [
                {
                    "description": line.description,
                    "unit_price": _money(line.unit_price),
                    "quantity": str(line.quantity),
                    "vat_rate": _decimal(line.vat_rate),
                    "vat_included": line.vat_included,
                }
                for line in order.lines
            ],
            "return_url": order.return_url,
            "metadata": dict(order.metadata),
            "tags": list(order.tags),
            **({} if order.checkout == Checkout() else {"checkout": _checkout(order.checkout)}),
        }
    )


def order_from_json(text: str, *, reference: str, part: str, tenant: str, customer: Customer | None) -> Order:
    """The order that `order_json` wrote. Its limits are not checked again: they held when it was written."""
    read: _Json = load(text)
    order = object.__new__(Order)
    order.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]  # made by attrs
        reference=reference,
        amount=_money_from(read["amount"]),
        description=read["description"],
        lines=tuple(
            LineItem(
                description=line["description"],
                unit_price=_money_from(line["unit_price"]),
                quantity=line["quantity"],
                vat_rate=line["vat_rate"],
                vat_included=line["vat_included"],
            )
            for line in read["lines"]
        ),
        customer=customer,
        part=part,
        tenant=tenant,
        return_url=read["return_url"],
        metadata=read["metadata"],
        tags=tuple(read["tags"]),
        checkout=_checkout_from(read.get("checkout")),
    )
    return order


def _checkout(checkout: Checkout) -> dict[str, object]:
    delay = checkout.capture_after
    return {
        "methods": list(checkout.methods),
        "blocked_methods": list(checkout.blocked_methods),
        "language": checkout.language,
        "statement": checkout.statement,
        "capture": str(checkout.capture),
        "capture_after": None if delay is None else delay // dt.timedelta(seconds=1),
        "prefill": checkout.prefill,
        "extra": {vendor: dict(fields) for vendor, fields in checkout.extra.items()},
    }


def _checkout_from(read: _Json | None) -> Checkout:
    if read is None:
        return Checkout()
    delay = read["capture_after"]
    return Checkout(
        methods=tuple(read["methods"]),
        blocked_methods=tuple(read["blocked_methods"]),
        language=read["language"],
        statement=read["statement"],
        capture=read["capture"],
        capture_after=None if delay is None else dt.timedelta(seconds=delay),
        prefill=read["prefill"],
        extra=read["extra"],
    )


def kind_json(kind: LinkKind) -> str:
    """What the name of the kind does not say."""
    if isinstance(kind, Reusable):
        return dump(
            {
                "max_payments": kind.max_payments,
                "payer_chooses": kind.payer_chooses,
                "minimum": None if kind.minimum is None else _money(kind.minimum),
            }
        )
    if isinstance(kind, HostedInvoice):
        return dump({"due_in_days": kind.due_in_days})
    if isinstance(kind, InvoiceBound):
        invoice = kind.invoice
        return dump(
            {
                "number": invoice.number,
                "open_amount": _money(invoice.open_amount),
                "type": str(invoice.type),
                "issued_on": _day(invoice.issued_on),
                "due_on": _day(invoice.due_on),
                "vat_groups": [
                    {
                        "rate": _decimal(group.rate),
                        "net": _money(group.net),
                        "vat": _money(group.vat),
                        "gross": _money(group.gross),
                    }
                    for group in invoice.vat_groups
                ],
            }
        )
    return "{}"


def kind_from_json(name: str, text: str) -> LinkKind:
    """The kind that `kind_json` wrote."""
    read: _Json = load(text)
    if name == "single_use":
        return SingleUse()
    if name == "reusable":
        minimum = read.get("minimum")
        return Reusable(
            max_payments=read["max_payments"],
            payer_chooses=read.get("payer_chooses", False),
            minimum=None if minimum is None else _money_from(minimum),
        )
    if name == "hosted_invoice":
        return HostedInvoice(due_in_days=read["due_in_days"])
    return InvoiceBound(
        Invoice(
            number=read["number"],
            open_amount=_money_from(read["open_amount"]),
            type=InvoiceType(read["type"]),
            issued_on=_day_from(read["issued_on"]),
            due_on=_day_from(read["due_on"]),
            vat_groups=tuple(
                VatGroup(
                    rate=None if group["rate"] is None else Decimal(group["rate"]),
                    net=_money_from(group["net"]),
                    vat=_money_from(group["vat"]),
                    gross=_money_from(group["gross"]),
                )
                for group in read["vat_groups"]
            ),
        )
    )


def customer_row(customer: Customer, *, tenant: str, link_id: str) -> Parameters:
    """The customer of one link, under the link's id."""
    return {
        "tenant": tenant,
        "id": link_id,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
        "code": customer.code,
        "country": customer.country,
        "address_json": _address_json(customer),
    }


def customer_from_row(row: Row, *, prefix: str = "") -> Customer | None:
    """The customer, or None where there was none or he was forgotten; `prefix` stands before each column."""
    if row[f"{prefix}id"] is None:
        return None
    return Customer(
        name=row[f"{prefix}name"],
        email=row[f"{prefix}email"],
        phone=row[f"{prefix}phone"],
        language=row[f"{prefix}language"],
        code=row[f"{prefix}code"],
        country=row[f"{prefix}country"],
        **_address_from(row[f"{prefix}address_json"]),
    )


def _address_json(customer: Customer) -> str | None:
    """What a billing address needs beside the columns; None where nothing of it is known."""
    if not (customer.address or customer.organisation or customer.vat_number):
        return None
    return dump(
        {
            "address": asdict(customer.address) if customer.address else None,
            "organisation": customer.organisation,
            "vat_number": customer.vat_number,
        }
    )


def _address_from(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    read: _Json = load(text)
    address = read["address"]
    return {
        "address": None if address is None else Address(**address),
        "organisation": read["organisation"],
        "vat_number": read["vat_number"],
    }


def _money(money: Money) -> list[object]:
    return [money.minor, money.currency]


def _money_from(read: list[Any]) -> Money:
    return Money.read(read[0], read[1])


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day_from(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
