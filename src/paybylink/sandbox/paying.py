"""
An attempt to pay: what may be paid, by whom, and what comes of it.

The same act for the hosted page and for the control routes, so a test that pays without a browser pays in exactly
the way a payer does.
Source: docs.stripe.com/payment-links/customize, "URL parameters", for what the address may carry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe import sessions
from paybylink.sandbox.stripe.amounts import display, minor_units
from paybylink.sandbox.stripe.charges import How
from paybylink.sandbox.stripe.payments import pay

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


class NotPayable(Exception):
    """
    A payment that cannot be begun.

    Args:
        message: the sentence for the payer.
        closed: whether the link or session itself is at an end, rather than the payer's input at fault.
    """

    def __init__(self, message: str, *, closed: bool) -> None:
        super().__init__(message)
        self.message = message
        self.closed = closed


@frozen
class Payable:
    """
    What a payer sees of a link or session.

    Attributes:
        link: the payment link, also that of the session; None for a session without one.
        session: the session; None while a link has none for this payer.
    """

    link: Document | None
    session: Document | None

    @property
    def subject(self) -> Document:
        """The session where there is one, else the link."""
        subject = self.session or self.link
        assert subject is not None
        return subject

    @property
    def chosen_by_payer(self) -> Document | None:
        """The bounds of an amount that the payer chooses; None where the amount is fixed."""
        bounds: Document | None = self.subject["_line_items"][0]["price"]["custom_unit_amount"]
        return bounds

    @property
    def closed(self) -> str | None:
        """Why it can no longer be paid, in words for the payer; None when it can."""
        if self.session is not None and self.session["status"] == "expired":
            return "This payment page has expired."
        if self.session is not None and self.session["status"] == "complete":
            return "This payment is already complete."
        if self.link is not None and not self.link["active"]:
            return str(self.link["inactive_message"] or "This link is no longer active.")
        return None

    def amount(self, typed: str) -> int | None:
        """
        What the payer typed, in minor units; None where the amount is fixed.

        Raises:
            NotPayable: no amount, or one outside the bounds.
        """
        bounds, currency = self.chosen_by_payer, self.subject["currency"]
        if bounds is None or self.session is not None:
            return None
        amount = minor_units(typed, currency)
        least, most = bounds["minimum"] or 1, bounds["maximum"] or 99_999_999
        if amount is None or not least <= amount <= most:
            raise NotPayable(
                f"Enter an amount between {display(least, currency)} and {display(most, currency)}.",
                closed=False,
            )
        return amount


def find(engine: Engine, identifier: str) -> Payable | None:
    """The link or session of that id; None when there is none."""
    link = engine.get("payment_link", identifier)
    if link is not None:
        return Payable(link, None)
    session = engine.get("checkout.session", identifier)
    if session is None:
        return None
    # A session of a link that was closed meanwhile can no longer be finished (docs.stripe.com/payment-links/share).
    return Payable(engine.get("payment_link", session["payment_link"] or ""), session)


def attempt(
    engine: Engine,
    payable: Payable,
    *,
    how: How,
    typed: str = "",
    email: str | None = None,
    name: str | None = None,
    query: Mapping[str, str] | None = None,
    although_closed: bool = False,
) -> Document:
    """
    The session after the payer's attempt.

    Args:
        typed: the amount, for links that let the payer choose.
        query: what the address of the page carried.
        although_closed: let the payment through on a link that is used up or switched off, as when the payer was
            already at the bank.

    Raises:
        NotPayable: the link or session is at an end, or the input is wrong.
    """
    given = query or {}
    reference = given.get("client_reference_id", "")
    address = given.get("locked_prefilled_email") or email or given.get("prefilled_email") or None
    with engine.transaction():
        closed = payable.closed
        late_link = although_closed and (payable.session is None or payable.session["status"] == "open")
        if closed is not None and not late_link:
            raise NotPayable(closed, closed=True)
        if address is not None and not _EMAIL.fullmatch(address):
            raise NotPayable("Enter a valid e-mail address.", closed=False)
        amount = payable.amount(typed)
        session = payable.session
        if session is None and payable.link is not None:
            session = sessions.open_for(
                engine,
                payable.link,
                chosen=amount,
                # Stripe drops a reference of another form without a word.
                client_reference_id=reference if _REFERENCE.fullmatch(reference) else None,
                email=given.get("locked_prefilled_email") or given.get("prefilled_email") or None,
                locale=given.get("locale"),
            )
        assert session is not None
        return pay(engine, session, how, email=address, name=name)


def after_payment(engine: Engine, session: Document) -> str:
    """Where the payer goes next."""
    target: str | None = session["success_url"]
    if target:
        return target.replace("{CHECKOUT_SESSION_ID}", session["id"])
    return f"{engine.base_url}/pay/{session['id']}/done"
