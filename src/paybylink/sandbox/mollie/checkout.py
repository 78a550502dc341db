"""
The payer's page of a link or an invoice: what it shows, what may be paid, and where the payer goes afterwards.

A payer chooses a method; where none is named, the first that is paid at once is taken, or for ``delayed`` the usual
one of the currency. A failed attempt shows the page again, and the next one is a payment of its own.

Two ways to leave the page have no button: ``?sandbox=abandoned`` on its address leaves the attempt open, and
``?sandbox=canceled`` cancels it.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie import invoices, links, paying
from paybylink.sandbox.mollie.amounts import display, typed, units
from paybylink.sandbox.mollie.methods import METHODS, delayed, offered
from paybylink.sandbox.values import Act, Attempted, Button, Confirmation, Line, Method, NotPayable, Payable

_LEAVING: Mapping[str, paying.Ending] = {"abandoned": "abandoned", "canceled": "canceled"}


@frozen
class Checkout:
    """
    What stands behind a payer's page.

    Attributes:
        subject: the link, or the invoice in a link's form.
        closed: why it cannot be paid; None when it can.
        currency: of what is paid.
        minor: what is to be paid; None where the payer chooses.
        minimum: the least that the payer may choose.
    """

    subject: Document
    closed: str | None
    currency: str
    minor: int | None
    minimum: int

    @classmethod
    def of(cls, engine: Engine, identifier: str) -> Checkout | None:
        """The page of a link or an issued invoice; None when there is none of that id."""
        link = engine.get("mollie.link", identifier)
        if link is not None:
            return cls(
                subject=link,
                closed=links.closed(engine, link),
                currency=links.currency_of(link),
                minor=None if link["amount"] is None else units(link["amount"]),
                minimum=1 if link["minimumAmount"] is None else units(link["minimumAmount"]),
            )
        invoice = engine.get("mollie.invoice", identifier)
        if invoice is None or invoice["issuedAt"] is None:
            return None
        total = invoice["totalAmount"]
        return cls(
            invoices.payer_subject(invoice), invoices.closed(invoice), total["currency"], units(total), 1
        )

    def methods(self) -> list[str]:
        """The methods that can be chosen here."""
        return offered(self.subject, self.minor, self.currency)

    def amount(self, given: str) -> int:
        """
        What is to be paid, in minor units: fixed, or as the payer typed it.

        Raises:
            NotPayable: no amount, or less than the minimum.
        """
        if self.minor is not None:
            return self.minor
        chosen = typed(given, self.currency)
        if chosen is None or chosen < self.minimum:
            raise NotPayable(
                f"Enter an amount of at least {display(self.minimum, self.currency)}.", closed=False
            )
        return chosen

    def shown(self, act: Act) -> Payable:
        """The page in the frame's words."""
        total = None if self.minor is None else display(self.minor, self.currency)
        later = METHODS[delayed(self.currency)].name
        lines = [
            Line(
                f"{line['description']} × {line['quantity']}",
                display(units(line["totalAmount"]), self.currency),
            )
            for line in self.subject.get("lines") or []
            if "totalAmount" in line
        ]
        return Payable(
            vendor="Mollie",
            closed=self.closed,
            currency=self.currency,
            amount=total,
            preset=None if total else act.typed,
            lines=tuple(lines) or (Line(self.subject["description"], total or "amount of your choice"),),
            buttons=(
                Button("card", f"Pay {total}" if total else "Pay"),
                Button("delayed", f"Pay by {later}, money later"),
                Button("declined", "Pay by a card that is declined"),
            ),
            methods=tuple(Method(name, METHODS[name].name) for name in self.methods()),
            email=act.email or "",
        )


def pay(engine: Engine, identifier: str, act: Act) -> Attempted:
    """
    What became of a payer's act on a page that is there.

    Raises:
        NotPayable: it is closed, or the input is wrong.
    """
    with engine.transaction():
        checkout = Checkout.of(engine, identifier)
        if checkout is None:
            raise LookupError(f"{identifier} is gone")
        if checkout.closed is not None and not act.although_closed:
            raise NotPayable(checkout.closed, closed=True)
        minor = checkout.amount(act.typed)
        method = _method(checkout, act)
        ending: paying.Ending = "delayed" if METHODS[method].later and act.how == "card" else act.how
        payment = paying.attempt(
            engine,
            checkout.subject,
            _LEAVING.get(act.query.get("sandbox", ""), ending),
            minor=minor,
            currency=checkout.currency,
            method=method,
        )
    done = payment["status"] in {"paid", "pending", "authorized"}
    return Attempted(
        payment=payment["id"],
        session=payment["id"],
        status="complete" if done else "open",
        payment_status="paid" if payment["status"] == "paid" else "unpaid",
        next_url=(payment["redirectUrl"] or f"{engine.base_url}/pay/{payment['id']}/done") if done else None,
    )


def confirmation(engine: Engine, identifier: str) -> Confirmation | None:
    """The page after a payment; None when there is no such payment."""
    payment = engine.get("mollie.payment", identifier)
    if payment is None or payment["status"] not in {"paid", "pending", "authorized"}:
        return None
    shown = display(units(payment["amount"]), payment["amount"]["currency"])
    return Confirmation(paid=payment["status"] == "paid", amount=shown)


def _method(checkout: Checkout, act: Act) -> str:
    there = checkout.methods()
    if act.method and act.method not in there:
        raise NotPayable(f"There is no payment method {act.method[:40]} here.", closed=False)
    if act.method:
        return act.method
    if act.how == "delayed":
        return delayed(checkout.currency)
    at_once = [name for name in there if not METHODS[name].later and not METHODS[name].authorises]
    if not (at_once or there):
        raise NotPayable("There is no payment method for this amount.", closed=False)
    return (at_once or there)[0]
