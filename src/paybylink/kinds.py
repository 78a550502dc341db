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
        payer_chooses: whether the payer types the amount; the order's is then a suggestion, shown where the
            provider can, and says the currency.
        minimum: the least that the payer may type; None for the provider's own least.
    """

    max_payments: int | None = None
    payer_chooses: bool = False
    minimum: Money | None = None
    name: str = field(default="reusable", init=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        if self.max_payments is not None and (type(self.max_payments) is not int or self.max_payments < 1):
            fault = "is not a whole number above zero"
            faults.add("kind.max_payments", fault, "leave it out for any number")
        if not isinstance(self.payer_chooses, bool):
            faults.add("kind.payer_chooses", f"is {type(self.payer_chooses).__name__}", "write True or False")
        if self.minimum is not None:
            if not isinstance(self.minimum, Money):
                fault = f"is {type(self.minimum).__name__}"
                faults.add("kind.minimum", fault, 'write Money.of("5.00", "EUR")')
            elif self.minimum.minor <= 0:
                faults.add("kind.minimum", f"is {self.minimum}", "leave it out for any amount")
            if not self.payer_chooses:
                faults.add(
                    "kind.minimum", "is given for a fixed amount", "write payer_chooses=True beside it"
                )
        faults.raise_any()


@frozen
class InvoiceBound:
    """
    A link tied to an invoice or quote, which may be paid in parts.

    Attributes:
        invoice: the document.
    """

    invoice: Invoice
    name: str = field(default="invoice", init=False)


@frozen(kw_only=True)
class HostedInvoice:
    """
    A link to an invoice that the provider itself makes, numbers and shows.

    Only for a merchant who has no invoicing software: beside an invoice of one's own it would be a second legal
    invoice for the same sale, which is why `InvoiceBound` is another kind.

    Attributes:
        due_in_days: when it is due, counted from its issue.
    """

    due_in_days: int = 30
    name: str = field(default="hosted_invoice", init=False)

    def __attrs_post_init__(self) -> None:
        if type(self.due_in_days) is not int or not 1 <= self.due_in_days <= 365:
            fault = "is not a whole number from 1 to 365"
            raise InvalidInput.single("kind.due_in_days", fault, "write 30 for a month")


LinkKind: TypeAlias = SingleUse | Reusable | InvoiceBound | HostedInvoice


def as_kind(given: LinkKind | str, order: Order) -> LinkKind:
    """
    The kind that a short name means; ``invoice`` takes the order's reference as the invoice's number.

    Raises:
        InvalidInput: no such kind, or it asks for something else than the order.
    """
    if given == "single_use":
        return SingleUse()
    if given == "reusable":
        return Reusable()
    if given == "hosted_invoice":
        return HostedInvoice()
    if given == "invoice":
        return InvoiceBound(
            Invoice(number=order.reference, open_amount=order.amount, vat_groups=order.vat_groups)
        )
    if not isinstance(given, SingleUse | Reusable | InvoiceBound | HostedInvoice):
        told = repr(given[:20]) if isinstance(given, str) else type(given).__name__
        raise InvalidInput.single(
            "kind",
            f"{told} is no kind of link",
            'use "single_use", "reusable", "invoice" or "hosted_invoice"',
        )
    if isinstance(given, InvoiceBound) and given.invoice.open_amount != order.amount:
        raise InvalidInput.single(
            "kind.invoice.open_amount",
            f"is {given.invoice.open_amount}, the order asks for {order.amount}",
            "make them equal",
        )
    if isinstance(given, Reusable) and given.minimum is not None:
        _check_minimum(given.minimum, order)
    return given


def _check_minimum(minimum: Money, order: Order) -> None:
    if minimum.currency != order.amount.currency:
        raise InvalidInput.single(
            "kind.minimum",
            f"is in {minimum.currency}",
            f"write it in {order.amount.currency}, as the order is",
        )
    if minimum.minor > order.amount.minor:
        raise InvalidInput.single(
            "kind.minimum",
            f"is {minimum}, more than the {order.amount} suggested",
            "suggest at least as much",
        )
