"""
Payment links: made, read, changed, archived, deleted.

A link has no status. What it is follows from `paidAt`, `archived` and `expiresAt`, and from its payments. `paidAt` is
the moment of the first success; Mollie does not say what it means on a reusable link, so here it is set there too,
although the link goes on: whoever calls such a link paid will be found out.

Two payers can be at the checkout of one link at once, and Mollie does not promise that the second is turned away:
here a link is closed once money is certain, not while a transfer is under way.
Source: Mollie's OpenAPI document, "Payment links API".
"""

from __future__ import annotations

from datetime import datetime

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie import payments
from paybylink.sandbox.mollie.amounts import HOME
from paybylink.sandbox.mollie.call import PROFILE, Call
from paybylink.sandbox.mollie.link_parameters import CREATE, UPDATE, check
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import Record
from paybylink.sandbox.mollie.wire import Problem, hal, moment, text

#: Fields that are not shown when they hold nothing.
_OPTIONAL = ("lines", "billingAddress", "shippingAddress")


def create(call: Call) -> Document:
    """POST /v2/payment-links."""
    values = call.values(CREATE)
    link: Document = {
        "id": call.engine.new_id("pl_", 22),
        "description": values["description"],
        "amount": values.get("amount"),
        "minimumAmount": values.get("minimumAmount"),
        "archived": False,
        "redirectUrl": values.get("redirectUrl"),
        "webhookUrl": values.get("webhookUrl"),
        "lines": values.get("lines"),
        "billingAddress": values.get("billingAddress"),
        "shippingAddress": values.get("shippingAddress"),
        "profileId": PROFILE,
        "reusable": values.get("reusable") or False,
        "createdAt": moment(call.engine.now()),
        "paidAt": None,
        "expiresAt": values.get("expiresAt"),
        "allowedMethods": values.get("allowedMethods") or None,
        "sequenceType": values.get("sequenceType") or "oneoff",
        "customerId": None,
    }
    check(link)
    return view(call.engine, call.engine.put("mollie.link", link))


def fetch(call: Call) -> Document:
    """GET /v2/payment-links/{link}."""
    _ = call.queried(Record({}))
    return view(call.engine, call.subject("mollie.link", "link"))


def index(call: Call) -> Document:
    """GET /v2/payment-links, newest first; nothing to filter by."""
    return page(call, SHELF, call.queried(with_paging({})), topic="list-payment-links")


def update(call: Call) -> Document:
    """PATCH /v2/payment-links/{link}; amount, expiry, addresses of the merchant and `reusable` stay what they are."""
    link = call.subject("mollie.link", "link")
    values = call.values(UPDATE)
    if not values:
        raise Problem("The request holds nothing to change.")
    link |= values
    link["allowedMethods"] = link["allowedMethods"] or None
    check(link)
    return view(call.engine, call.engine.put("mollie.link", link))


def delete(call: Call) -> Document:
    """DELETE /v2/payment-links/{link}: only before anybody opened it."""
    link = call.subject("mollie.link", "link")
    _ = call.values(Record({}))
    # Whether anybody opened it, the log of requests knows.
    opened = call.engine.find("request", ("path", "=", f"/pay/{link['id']}"), limit=1)
    if opened or call.engine.find("mollie.payment", ("_link", "=", link["id"]), limit=1):
        raise Problem("A payment link that was opened or has payments cannot be deleted.")
    call.engine.remove("mollie.link", link["id"])
    return {}


def index_payments(call: Call) -> Document:
    """GET /v2/payment-links/{link}/payments."""
    link = call.subject("mollie.link", "link")
    values = call.queried(with_paging({}, ordered=True))
    return page(call, payments.SHELF, values, ("_link", "=", link["id"]), topic="get-payment-link-payments")


def view(engine: Engine, link: Document) -> Document:
    """The link as it goes over the wire."""
    plain = {name: value for name, value in shown(link).items() if name not in _OPTIONAL or value is not None}
    return {
        "resource": "payment-link",
        "mode": "test",
        **plain,
        "_links": {
            "self": hal(engine.base_url, f"/v2/payment-links/{link['id']}"),
            "paymentLink": text(f"{engine.base_url}/pay/{link['id']}"),
        },
    }


SHELF = Shelf("mollie.link", "payment_links", view)


def closed(engine: Engine, link: Document) -> str | None:
    """Why a link can no longer be paid, in words for the payer; None when it can."""
    if link["paidAt"] is not None and not link["reusable"]:
        return "This payment link has been paid."
    if link["archived"]:
        return "This payment link is no longer available."
    if link["expiresAt"] is not None and datetime.fromisoformat(link["expiresAt"]) <= engine.now():
        return "This payment link has expired."
    return None


def state(engine: Engine, link: Document) -> str:
    """The same in one word: ``open``, ``paid``, ``closed`` or ``expired``."""
    if closed(engine, link) is None:
        return "open"
    if link["paidAt"] is not None and not link["reusable"]:
        return "paid"
    return "closed" if link["archived"] else "expired"


def currency_of(link: Document) -> str:
    """The currency that a link is paid in; that of the account where the payer chooses freely."""
    given = link["amount"] or link["minimumAmount"]
    return str(given["currency"]) if given else HOME
