"""
Stripe's payment links and Checkout Sessions, read and compared with what was asked. Pure.

An answer is believed only when its mode, address and metadata, the limit on its use, its currency and (where it
shows the line items) its amount are what was asked for. Otherwise `IntegrityBreach` names what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from attrs import evolve, frozen

from paybylink.currencies import STRIPE
from paybylink.errors import IntegrityBreach
from paybylink.kinds import Reusable
from paybylink.links import Mode
from paybylink.money import to_wire
from paybylink.providers.accounts import leads_to
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus

from ._checkout import page_url
from ._marks import ATTEMPT, LINK, completed_limit
from ._notices import mark

Json: TypeAlias = dict[str, Any]

#: Hosts of Stripe's own pages: payment links (buy, donate, book), sessions, invoices, receipts.
#: Source: docs.stripe.com, "Share a payment link"; API reference, `payment_link.submit_type`.
HOSTS: Final = (
    "buy.stripe.com",
    "donate.stripe.com",
    "book.stripe.com",
    "checkout.stripe.com",
    "invoice.stripe.com",
    "pay.stripe.com",
)


@frozen(kw_only=True)
class Expected:
    """
    What every answer of one account has to be.

    Attributes:
        who: the provider's name.
        mode: of the key.
        hosts: where a link may lead to, over https.
        loopback: whether it may lead to this machine; only where the base address does too.
    """

    who: str
    mode: Mode
    hosts: frozenset[str]
    loopback: bool

    def differing(self, reply: Json, *, url: object, named: str = "url") -> dict[str, str]:
        """What of a reply's mode and address is not this account's."""
        wrong: dict[str, str] = {}
        if reply.get("livemode") is not (self.mode is Mode.LIVE):
            wrong["livemode"] = f"is not that of a {self.mode} key"
        if not isinstance(url, str) or not leads_to(url, self.hosts, loopback=self.loopback):
            wrong[named] = (
                "is not an https address on an allowed host; add your own payment domain to allowed_hosts"
            )
        return wrong


def read_link(reply: Json, expected: Expected) -> VendorLink:
    """
    The link that `reply` describes.

    Raises:
        IntegrityBreach: it is no payment link, of the other mode, or leads to somebody else's host.
    """
    vendor_id, url = reply.get("id"), reply.get("url")
    if reply.get("object") != "payment_link" or not isinstance(vendor_id, str) or not vendor_id:
        raise IntegrityBreach(expected.who, {"object": "is no payment link"})
    wrong = expected.differing(reply, url=url)
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    assert isinstance(url, str)
    count, limit = completed(reply)
    active = reply.get("active")
    if active is False or (count is not None and limit is not None and count >= limit):
        status = VendorLinkStatus.CLOSED
    else:
        status = VendorLinkStatus.OPEN if active is True else VendorLinkStatus.UNKNOWN
    return VendorLink(
        vendor_id=vendor_id,
        url=url,
        status=status,
        mode=expected.mode,
        completed=count,
        link_id=mark(reply, LINK),
        attempt_id=mark(reply, ATTEMPT),
    )


def read_asked_link(reply: Json, expected: Expected, *, request: LinkRequest) -> VendorLink:
    """
    The link that `reply` describes, if it is what `request` asked for; its address has the page's language.

    Raises:
        IntegrityBreach: as `read_link`, or anything differs from the request.
    """
    link = read_link(reply, expected)
    wrong = marks_wrong(link, request)
    if str(reply.get("currency", "")).upper() != request.order.amount.currency:
        wrong["currency"] = f"is not {request.order.amount.currency}"
    if completed(reply)[1] != completed_limit(request):
        wrong["restrictions"] = "limit another number of payments"
    wrong.update(_items_wrong(reply, request))
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return evolve(link, url=page_url(link.url, request))


def read_session(reply: Json, expected: Expected) -> VendorLink:
    """
    The link that a Checkout Session is; Stripe takes its address away once it is over, which is then empty.

    Raises:
        IntegrityBreach: it is no session, of the other mode, or leads to somebody else's host.
    """
    vendor_id, said, url = reply.get("id"), reply.get("status"), reply.get("url")
    if reply.get("object") != "checkout.session" or not isinstance(vendor_id, str) or not vendor_id:
        raise IntegrityBreach(expected.who, {"object": "is no checkout session"})
    over = said in ("complete", "expired")
    wrong = expected.differing(reply, url=url)
    if over and url is None:
        del wrong["url"]
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    status = VendorLinkStatus.OPEN if said == "open" else VendorLinkStatus.UNKNOWN
    return VendorLink(
        vendor_id=vendor_id,
        url=url or "",
        status=VendorLinkStatus.CLOSED if over else status,
        mode=expected.mode,
        completed=1 if said == "complete" else 0,
        link_id=mark(reply, LINK),
        attempt_id=mark(reply, ATTEMPT),
    )


def read_asked_session(reply: Json, expected: Expected, *, request: LinkRequest) -> VendorLink:
    """
    The link that a Checkout Session is, if it is what `request` asked for.

    Raises:
        IntegrityBreach: as `read_session`, or anything differs from the request.
    """
    link = read_session(reply, expected)
    amount, wrong = request.order.amount, marks_wrong(link, request)
    if str(reply.get("currency", "")).upper() != amount.currency:
        wrong["currency"] = f"is not {amount.currency}"
    asked = to_wire(amount, STRIPE)
    if reply.get("amount_total") != asked:
        wrong["amount_total"] = f"is not {asked}, in Stripe's units of {amount.currency}"
    if reply.get("mode") != "payment":
        wrong["mode"] = "is not payment"
    if reply.get("client_reference_id") != request.attempt_id:
        wrong["client_reference_id"] = "is another attempt's"
    until, ends = request.expires_at, reply.get("expires_at")
    if until is None or type(ends) is not int or ends > until.timestamp():
        wrong["expires_at"] = "is later than asked for"
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return link


def marks_wrong(link: VendorLink, request: LinkRequest) -> dict[str, str]:
    """What of a link's marks is not that of `request`."""
    wrong = {}
    if link.link_id != request.link_id:
        wrong[f"metadata.{LINK}"] = "is another link's"
    if link.attempt_id != request.attempt_id:
        wrong[f"metadata.{ATTEMPT}"] = "is another attempt's"
    return wrong


def _items_wrong(reply: Json, request: LinkRequest) -> dict[str, str]:
    """What is wrong with the line items, where the reply shows them."""
    items = reply.get("line_items")
    if items is None:
        return {}
    if isinstance(request.kind, Reusable) and request.kind.payer_chooses:
        return _choice_wrong(items, request, request.kind)
    amount = request.order.amount
    try:
        lines = items["data"]
        total = sum(line["amount_total"] for line in lines)
        currencies = {line["currency"].upper() for line in lines}
        more = items["has_more"] is True
    except (KeyError, TypeError, AttributeError):
        return {"line_items": "cannot be read"}
    asked = to_wire(amount, STRIPE)
    wrong = {}
    if currencies != {amount.currency}:
        wrong["line_items.currency"] = f"is not {amount.currency}"
    # Stripe embeds the first ten lines only; what is left of the amount is then in the others.
    if total != asked if not more else total > asked:
        wrong["line_items.amount_total"] = (
            f"adds up to {total}, not {asked}, in Stripe's units of {amount.currency}"
        )
    return wrong


def completed(reply: Json) -> tuple[int | None, int | None]:
    """How often the link was paid, and how often it can be; None where it does not say."""
    restrictions = reply.get("restrictions")
    completed = restrictions.get("completed_sessions") if isinstance(restrictions, Mapping) else None
    if not isinstance(completed, Mapping):
        return None, None
    count, limit = completed.get("count"), completed.get("limit")
    return (count if type(count) is int else None), (limit if type(limit) is int else None)


def _choice_wrong(items: Any, request: LinkRequest, kind: Reusable) -> dict[str, str]:
    """What is wrong with the price of a link on which the payer types the amount; its total is the payer's."""
    currency = request.order.amount.currency
    try:
        (line,) = items["data"]
        chosen, found = line["price"]["custom_unit_amount"], line["currency"].upper()
        least, suggested = chosen["minimum"], chosen["preset"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return {"line_items": "do not let the payer choose the amount"}
    wrong = {}
    if found != currency:
        wrong["line_items.currency"] = f"is not {currency}"
    if suggested != to_wire(request.order.amount, STRIPE):
        wrong["line_items.price.preset"] = "suggests another amount"
    if kind.minimum is not None and least != to_wire(kind.minimum, STRIPE):
        wrong["line_items.price.minimum"] = f"is not {kind.minimum}"
    return wrong
