"""
The kinds of link: for one person, for many, or tied to an invoice.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from .checks import as_member, check_member, check_text
from .errors import Faults, InvalidInput
from .lines import VatGroup
from .money import Money
from .orders import Order


class InvoiceType(StrEnum):
    """What kind of document asks for the money."""

    INVOICE = "invoice"  #: an ordinary invoice
    DEPOSIT = "deposit"  #: an invoice for a part in advance
    QUOTE = "quote"  #: an offer, paid to accept it


def _invoice_type(given: InvoiceType | str) -> InvoiceType:
    return as_member(InvoiceType, given)


@frozen(kw_only=True)
class Invoice:
    """
    An invoice or quote that invoicing software made.

    Attributes:
        number: as printed on it.
        open_amount: what is left to pay.
        type: what it is.
        issued_on: its date; None when not known.
        due_on: when it is due; the link then lives until 30 days later, unless told otherwise.
        vat_groups: its VAT by rate, as printed.
    """

    number: str
    open_amount: Money
    type: InvoiceType = field(default=InvoiceType.INVOICE, converter=_invoice_type)
    issued_on: dt.date | None = None
    due_on: dt.date | None = None
    vat_groups: tuple[VatGroup, ...] = ()

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "number", self.number, limit=80, required=True)
        check_member(faults, "type", self.type, InvoiceType)
        if not isinstance(self.open_amount, Money):
            fault = f"is {type(self.open_amount).__name__}"
            faults.add("open_amount", fault, 'write Money.of("49.90", "EUR")')
        elif self.open_amount.minor <= 0:
            faults.add("open_amount", f"is {self.open_amount}", "nothing is left to pay; make no link")
        if self.issued_on and self.due_on and self.due_on < self.issued_on:
            faults.add("due_on", "lies before issued_on", "correct one of the dates")
        faults.raise_any()


@frozen
class SingleUse:
    """A link for one person and one successful payment."""

    name: str = field(default="single_use", init=False)


@frozen(kw_only=True)
class Reusable:
    """
    A link that many may pay and that is tied to nobody.

    Attributes:
        max_payments: how many payments it takes; None for any number.
    """

    max_payments: int | None = None
    name: str = field(default="reusable", init=False)

    def __attrs_post_init__(self) -> None:
        if self.max_payments is not None and (type(self.max_payments) is not int or self.max_payments < 1):
            fault = "is not a whole number above zero"
            raise InvalidInput.single("kind.max_payments", fault, "leave it out for any number")


@frozen
class InvoiceBound:
    """
    A link tied to an invoice or quote, which may be paid in parts.

    Attributes:
        invoice: the document.
    """

    invoice: Invoice
    name: str = field(default="invoice", init=False)


LinkKind: TypeAlias = SingleUse | Reusable | InvoiceBound


def as_kind(given: LinkKind | str, order: Order) -> LinkKind:
    """
    The kind that a short name means; ``invoice`` takes the order's reference as the invoice's number.

    Raises:
        InvalidInput: no such kind, or the invoice asks for something else than the order.
    """
    if given == "single_use":
        return SingleUse()
    if given == "reusable":
        return Reusable()
    if given == "invoice":
        return InvoiceBound(
            Invoice(number=order.reference, open_amount=order.amount, vat_groups=order.vat_groups)
        )
    if not isinstance(given, SingleUse | Reusable | InvoiceBound):
        told = repr(given[:20]) if isinstance(given, str) else type(given).__name__
        raise InvalidInput.single(
            "kind", f"{told} is no kind of link", 'use "single_use", "reusable" or "invoice"'
        )
    if isinstance(given, InvoiceBound) and given.invoice.open_amount != order.amount:
        raise InvalidInput.single(
            "kind.invoice.open_amount",
            f"is {given.invoice.open_amount}, the order asks for {order.amount}",
            "make them equal",
        )
    return given
