"""
The payer at Adyen's page: what may be paid there, and what comes of it.

`/pay/{id}` stands for test.adyen.link. A payer chooses among the methods of the link that pay at once; the button
for later money takes the first of the others, if the link has one. After a payment the page itself confirms it, and
the merchant's ``returnUrl`` is a button there: nobody is sent on by itself.
Source: docs.adyen.com, "Pay by Link".
"""

from __future__ import annotations

from paybylink.sandbox.adyen import links, payments
from paybylink.sandbox.adyen.amounts import display
from paybylink.sandbox.adyen.methods import Way, of_link
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import Act, Attempted, Button, Confirmation, Line, Method, NotPayable, Payable


def shown_page(link: Document, act: Act) -> Payable:
    """What the page shows."""
    amount, ways = link["amount"], of_link(link)
    total = display(amount["value"], amount["currency"])
    at_once = [way for way in ways if not way.delayed]
    later = [way for way in ways if way.delayed]
    buttons = [Button("card", f"Pay {total}"), Button("declined", "Pay, and be declined")] if at_once else []
    buttons[1:1] = [Button("delayed", f"Pay by {way.name}, money later") for way in later[:1]]
    lines = tuple(
        Line(
            f"{item.get('description') or item.get('id') or 'Item'}"
            + (f" × {item['quantity']}" if item.get("quantity", 1) > 1 else ""),
            display(item["amountIncludingTax"] * item.get("quantity", 1), amount["currency"])
            if "amountIncludingTax" in item
            else "",
        )
        for item in link.get("lineItems", [])
    )
    return Payable(
        vendor="Adyen",
        closed=links.closed(link),
        currency=amount["currency"],
        amount=total,
        lines=lines or (Line(link.get("description") or link["reference"], total),),
        buttons=tuple(buttons),
        methods=tuple(Method(way.type, way.name) for way in at_once),
        email=act.email or link.get("shopperEmail", ""),
    )


def attempt(engine: Engine, link: Document, act: Act) -> Attempted:
    """
    What became of a payer's act.

    Raises:
        NotPayable: the link is at an end, or does not take the method.
    """
    with engine.transaction():
        closed = links.closed(link)
        if closed is not None and not act.although_closed:
            raise NotPayable(closed, closed=True)
        payment = payments.pay(engine, link, _way(link, act), act)
    refused = payment["status"] == "refused"
    return Attempted(
        payment=payment["id"],
        session=link["id"],
        status="open" if refused else "complete",
        payment_status="paid" if payment["status"] in {"authorised", "captured"} else "unpaid",
        next_url=None if refused else f"{engine.base_url}/pay/{payment['id']}/done",
    )


def confirmation(engine: Engine, identifier: str) -> Confirmation | None:
    """The page after a payment; None when there is no such payment, or it was refused."""
    payment = engine.get(payments.KIND, identifier)
    if payment is None or payment["status"] == "refused":
        return None
    link = engine.get(links.KIND, payment["link"]) or {}
    return Confirmation(
        paid=payment["status"] != "pending",
        amount=display(payment["amount"]["value"], payment["amount"]["currency"]),
        next_url=link.get("returnUrl"),
    )


def _way(link: Document, act: Act) -> Way:
    ways = of_link(link)
    if act.method and act.method not in {way.type for way in ways}:
        raise NotPayable(f"This link does not take {act.method}.", closed=False)
    fitting = [way for way in ways if way.delayed == (act.how == "delayed")]
    if not fitting:
        raise NotPayable("This link takes no method of that kind.", closed=False)
    return next((way for way in fitting if way.type == act.method), fitting[0])
