"""
The payer at Stripe's page: what may be paid there, by whom, and what comes of it.

`/pay/{id}` stands for buy.stripe.com and checkout.stripe.com at once: `id` is a payment link or a session.
Source: docs.stripe.com/payment-links/customize, "URL parameters", for what the address may carry.
"""

from __future__ import annotations

import re

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe import sessions
from paybylink.sandbox.stripe.amounts import display, minor_units, typeable
from paybylink.sandbox.stripe.payments import pay
from paybylink.sandbox.vendor import Act, Button, Confirmation, Line, NotPayable, Payable

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


@frozen
class Visit:
    """
    What a payer stands before.

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
        """The bounds of an amount that the payer chooses; None where the amount is fixed, or chosen already."""
        bounds: Document | None = self.subject["_line_items"][0]["price"]["custom_unit_amount"]
        return bounds if self.session is None else None

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
        if bounds is None:
            return None
        amount = minor_units(typed, currency)
        least, most = bounds["minimum"] or 1, bounds["maximum"] or 99_999_999
        if amount is None or not least <= amount <= most:
            raise NotPayable(
                f"Enter an amount between {display(least, currency)} and {display(most, currency)}.",
                closed=False,
            )
        return amount


def visit(engine: Engine, identifier: str, earlier: str = "") -> Visit | None:
    """
    The link or session of that id; None when there is none.

    Args:
        earlier: the session of an earlier try at the link, which is taken up again while it is open.
    """
    link = engine.get("payment_link", identifier)
    if link is not None:
        session = engine.get("checkout.session", earlier)
        ours = session is not None and session["payment_link"] == link["id"] and session["status"] == "open"
        return Visit(link, session if ours else None)
    session = engine.get("checkout.session", identifier)
    if session is None:
        return None
    # A session of a link that was closed meanwhile can no longer be finished (docs.stripe.com/payment-links/share).
    return Visit(engine.get("payment_link", session["payment_link"] or ""), session)


def shown_page(visited: Visit, act: Act) -> Payable:
    """What the page shows to a payer who has typed so much already."""
    subject, query = visited.subject, act.query
    currency, items, bounds = subject["currency"], subject["_line_items"], visited.chosen_by_payer
    total = None if bounds else display(sum(item["amount_total"] for item in items), currency)
    locked = query.get("locked_prefilled_email")
    preset = typeable(bounds["preset"], currency) if bounds and bounds["preset"] else ""
    delayed = sessions.delayed_method(currency).replace("_", " ").replace("sepa", "SEPA")
    note = (subject.get("custom_text") or {}).get("submit")
    return Payable(
        vendor="Stripe",
        closed=visited.closed,
        currency=currency.upper(),
        amount=total,
        preset=(act.typed or preset) if bounds else None,
        lines=tuple(
            Line(
                str(item["description"]) + (f" × {item['quantity']}" if item["quantity"] > 1 else ""),
                "amount of your choice" if bounds else display(item["amount_total"], currency),
            )
            for item in items
        ),
        buttons=(
            Button("card", f"Pay {total} by card" if total else "Pay by card"),
            *(() if _by_hand(visited) else (Button("delayed", f"Pay by {delayed}, money later"),)),
            Button("declined", "Pay by a card that is declined"),
        ),
        note=note and note["message"],
        email=locked or act.email or query.get("prefilled_email") or subject.get("customer_email") or "",
        email_locked=bool(locked),
        cancel_url=subject.get("cancel_url"),
        session=visited.session["id"] if visited.link and visited.session else "",
    )


def attempt(engine: Engine, visited: Visit, act: Act) -> Document:
    """
    The session after the payer's attempt.

    Raises:
        NotPayable: the link or session is at an end, or the input is wrong.
    """
    given = act.query
    reference = given.get("client_reference_id", "")
    address = given.get("locked_prefilled_email") or act.email or given.get("prefilled_email") or None
    with engine.transaction():
        closed, session = visited.closed, visited.session
        late_link = act.although_closed and (session is None or session["status"] == "open")
        if closed is not None and not late_link:
            raise NotPayable(closed, closed=True)
        if act.how == "delayed" and _by_hand(visited):
            # Money that is under way cannot be held back, so Stripe does not offer such a method here.
            raise NotPayable("Choose a card; this payment is captured by hand.", closed=False)
        if address is not None and not _EMAIL.fullmatch(address):
            raise NotPayable("Enter a valid e-mail address.", closed=False)
        amount = visited.amount(act.typed)
        if session is None and visited.link is not None:
            session = sessions.open_for(
                engine,
                visited.link,
                chosen=amount,
                # Stripe drops a reference of another form without a word.
                client_reference_id=reference if _REFERENCE.fullmatch(reference) else None,
                email=given.get("locked_prefilled_email") or given.get("prefilled_email") or None,
                locale=given.get("locale"),
            )
        assert session is not None
        return pay(engine, session, act.how, email=address, name=act.name)


def after_payment(engine: Engine, session: Document) -> str:
    """Where the payer goes next."""
    target: str | None = session["success_url"]
    if target:
        return target.replace("{CHECKOUT_SESSION_ID}", session["id"])
    return f"{engine.base_url}/pay/{session['id']}/done"


def confirmation(engine: Engine, identifier: str) -> Confirmation | None:
    """The page that confirms a complete session; None when there is none such."""
    session = engine.get("checkout.session", identifier)
    if session is None or session["status"] != "complete":
        return None
    link = engine.get("payment_link", session["payment_link"] or "")
    after = (link or {}).get("after_completion", {})
    return Confirmation(
        paid=session["payment_status"] == "paid",
        amount=display(session["amount_total"], session["currency"]),
        message=(after.get("hosted_confirmation") or {}).get("custom_message"),
    )


def _by_hand(visited: Visit) -> bool:
    subject = visited.subject
    asked = (subject["_intent"] if visited.session else subject["payment_intent_data"]) or {}
    return asked.get("capture_method") == "manual"
