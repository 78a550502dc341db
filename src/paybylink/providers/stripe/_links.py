"""
Stripe's payment links, read and compared with what was asked. Pure.

An answer is believed only when its mode, address and metadata, the limit on its use, its currency and (where it
shows the line items) its amount are what was asked for. Otherwise `IntegrityBreach` names what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen

from paybylink.currencies import STRIPE
from paybylink.errors import IntegrityBreach
from paybylink.links import Mode
from paybylink.money import to_wire
from paybylink.providers.accounts import leads_to
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus

from ._mapping import ATTEMPT, LINK, completed_limit

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


def read_link(reply: Json, expected: Expected) -> VendorLink:
    """
    The link that `reply` describes.

    Raises:
        IntegrityBreach: it is no payment link, of the other mode, or leads to somebody else's host.
    """
    wrong: dict[str, str] = {}
    vendor_id, url, metadata = reply.get("id"), reply.get("url"), reply.get("metadata")
    if reply.get("object") != "payment_link" or not isinstance(vendor_id, str) or not vendor_id:
        raise IntegrityBreach(expected.who, {"object": "is no payment link"})
    if reply.get("livemode") is not (expected.mode is Mode.LIVE):
        wrong["livemode"] = f"is not that of a {expected.mode} key"
    if not isinstance(url, str) or not leads_to(url, expected.hosts, loopback=expected.loopback):
        wrong["url"] = (
            "is not an https address on an allowed host; add your own payment domain to allowed_hosts"
        )
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    assert isinstance(url, str)
    metadata = metadata if isinstance(metadata, Mapping) else {}
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
        link_id=str(metadata.get(LINK, "")),
        attempt_id=str(metadata.get(ATTEMPT, "")),
    )


def read_asked_link(reply: Json, expected: Expected, *, request: LinkRequest) -> VendorLink:
    """
    The link that `reply` describes, if it is what `request` asked for.

    Raises:
        IntegrityBreach: as `read_link`, or anything differs from the request.
    """
    link = read_link(reply, expected)
    order, wrong = request.order, {}
    if link.link_id != request.link_id:
        wrong[f"metadata.{LINK}"] = "is another link's"
    if link.attempt_id != request.attempt_id:
        wrong[f"metadata.{ATTEMPT}"] = "is another attempt's"
    if str(reply.get("currency", "")).upper() != order.amount.currency:
        wrong["currency"] = f"is not {order.amount.currency}"
    if completed(reply)[1] != completed_limit(request):
        wrong["restrictions"] = "limit another number of payments"
    wrong.update(_items_wrong(reply, request))
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return link


def _items_wrong(reply: Json, request: LinkRequest) -> dict[str, str]:
    """What is wrong with the line items, where the reply shows them."""
    items = reply.get("line_items")
    if items is None:
        return {}
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
