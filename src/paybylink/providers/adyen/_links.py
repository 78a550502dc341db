"""
Adyen's payment links, read and compared with what was asked for, before any of it is believed. Pure.

Adyen's answer does not say test or live; the host of the link does. Nor does it tell payments: `completed` says that
a single-use link was paid, of a reusable one nothing follows from its status.

Source: API reference, `PaymentLinkResponse`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from attrs import frozen

from paybylink.currencies import ADYEN
from paybylink.errors import IntegrityBreach
from paybylink.links import Mode
from paybylink.money import to_wire
from paybylink.providers.accounts import leads_to
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus

from ._marks import read_link_mark

Json: TypeAlias = dict[str, Any]

#: Where links of test accounts lead, and below which domain those of live ones do, by region.
TEST_HOST: Final = "test.adyen.link"
LIVE_DOMAIN: Final = ".adyen.link"

#: `paid` is in Adyen's list and explained nowhere. While a delayed method is under way the link is not over.
_STATUS: Final = MappingProxyType(
    {
        "active": VendorLinkStatus.OPEN,
        "paymentPending": VendorLinkStatus.OPEN,
        "completed": VendorLinkStatus.CLOSED,
        "paid": VendorLinkStatus.CLOSED,
        "expired": VendorLinkStatus.CLOSED,
    }
)
_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
#: Adyen answers with whole seconds.
_SLACK: Final = dt.timedelta(seconds=60)


@frozen(kw_only=True)
class Expected:
    """
    What every answer of one account has to be.

    Attributes:
        who: the provider's name.
        mode: of the platform.
        account: the merchant account.
        hosts: further hosts where a link may lead to, over https.
        loopback: whether it may lead to this machine; only where the base address does too.
    """

    who: str
    mode: Mode
    account: str
    hosts: frozenset[str]
    loopback: bool


def read_link(reply: Json, expected: Expected) -> VendorLink:
    """
    The link that `reply` describes.

    Raises:
        IntegrityBreach: it is no link, another account's, or leads to somebody else's host.
    """
    wrong: dict[str, str] = {}
    vendor_id, url, status = reply.get("id"), reply.get("url"), reply.get("status")
    if not isinstance(vendor_id, str) or not _ID.fullmatch(vendor_id):
        raise IntegrityBreach(expected.who, {"id": "is no payment link's"})
    if reply.get("merchantAccount") != expected.account:
        wrong["merchantAccount"] = "is another one's"
    if not isinstance(url, str) or not _is_page(url, expected):
        wrong["url"] = (
            f"is not an https address of a {expected.mode} page; add a domain of your own to allowed_hosts"
        )
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    assert isinstance(url, str)
    mark = read_link_mark(reply.get("reference"))
    paid = status in ("completed", "paid") and reply.get("reusable") is not True
    return VendorLink(
        vendor_id=vendor_id,
        url=url,
        status=_STATUS.get(status, VendorLinkStatus.UNKNOWN)
        if isinstance(status, str)
        else VendorLinkStatus.UNKNOWN,
        mode=expected.mode,
        completed=1 if paid else None,
        link_id=mark.link_id if mark else "",
        attempt_id=mark.attempt_id if mark else "",
    )


def read_asked_link(reply: Json, expected: Expected, *, request: LinkRequest, sent: Json) -> VendorLink:
    """
    The link that `reply` describes, if it is what was asked for.

    Args:
        request: what is asked for now.
        sent: the body that went out, perhaps by an earlier version.

    Raises:
        IntegrityBreach: as `read_link`, or anything differs.
    """
    link = read_link(reply, expected)
    amount, wrong = request.order.amount, {}
    if (link.link_id, link.attempt_id) != (request.link_id, request.attempt_id):
        wrong["reference"] = "is another link's"
    elif reply.get("reference") != sent.get("reference"):
        wrong["reference"] = "says otherwise when the money is taken"
    told = reply.get("amount")
    told = told if isinstance(told, Mapping) else {}
    if told.get("currency") != amount.currency:
        wrong["amount.currency"] = f"is not {amount.currency}"
    if type(told.get("value")) is not int or told["value"] != to_wire(amount, ADYEN):
        wrong["amount.value"] = f"is not {amount} in Adyen's units"
    # Adyen repeats what was asked for, but need not repeat all of it.
    for name, absent in (("reusable", False), ("manualCapture", False), ("captureDelayHours", 0)):
        if reply.get(name, None) not in (None, sent.get(name, absent)):
            wrong[name] = "is not as asked for"
    for name in ("allowedPaymentMethods", "blockedPaymentMethods"):
        methods = reply.get(name)
        if methods is not None and _sorted(methods) != _sorted(sent.get(name, [])):
            wrong[name] = "are not those asked for"
    wrong.update(_expiry_wrong(reply.get("expiresAt"), sent.get("expiresAt")))
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return link


def _sorted(methods: object) -> list[str]:
    return sorted(str(method) for method in methods) if isinstance(methods, list) else ["?"]


def _expiry_wrong(told: object, asked: object) -> dict[str, str]:
    """What is wrong with the end of the link, where the reply tells it."""
    if told is None:
        return {}
    try:
        difference = _moment(told) - _moment(asked)
    except (TypeError, ValueError):
        return {"expiresAt": "cannot be read"}
    return {"expiresAt": "is not the moment asked for"} if abs(difference) > _SLACK else {}


def _moment(text: object) -> dt.datetime:
    if not isinstance(text, str):
        raise TypeError("expiresAt")
    return dt.datetime.fromisoformat(text)


def _is_page(url: str, expected: Expected) -> bool:
    hosts = {*expected.hosts}
    if expected.mode is Mode.TEST:
        hosts.add(TEST_HOST)
    else:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        # A live link never leads to the test page, whose name ends alike.
        if host.endswith(LIVE_DOMAIN) and host != TEST_HOST:
            hosts.add(host)
    return leads_to(url, hosts, loopback=expected.loopback)
