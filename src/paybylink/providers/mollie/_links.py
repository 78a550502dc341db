"""
Mollie's payment links, read and compared with what was asked. Pure.

A link has no status; it follows from what is told of it. A reusable link is never closed by having been paid.

An answer is believed only when its mode, address, amount, currency, description, expiry, methods, mark, and whether
it can be paid more than once are what was asked for. Otherwise `IntegrityBreach` names what differs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from paybylink.errors import IntegrityBreach
from paybylink.kinds import Reusable
from paybylink.providers.accounts import leads_to
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus

from . import _marks
from ._account import Account
from ._amounts import MISSHAPEN, moment, money
from ._mapping import least_amount, title
from ._methods import METHODS

Json: TypeAlias = dict[str, Any]

#: Hosts of Mollie's own pages: links of today, of 2021 to 2024, the oldest ones, and checkouts.
#: Source: Mollie's OpenAPI document; docs.mollie.com, "Payment links"; its older documentation.
HOSTS: Final = ("payment-links.mollie.com", "paymentlink.mollie.com", "useplink.com", "www.mollie.com")

_LINK_ID: Final = re.compile(r"pl_[A-Za-z0-9]{1,97}")
#: Older notes say that Mollie kept only the day of an expiry. Earlier than asked for is no harm; later is.
_ROUNDED: Final = dt.timedelta(days=1)


def read_link(reply: Json, account: Account, *, now: dt.datetime | None = None) -> VendorLink:
    """
    The link that `reply` describes.

    Args:
        now: for its expiry; None where that is nobody's question, since our own row knows it too.

    Raises:
        IntegrityBreach: it is no payment link, of the other mode, or leads to somebody else's host.
    """
    vendor_id = reply.get("id")
    if not isinstance(vendor_id, str) or not _LINK_ID.fullmatch(vendor_id):
        raise IntegrityBreach(account.who, {"id": "is no payment link's"})
    wrong = mode_wrong(reply, account)
    url = page_address(reply, "paymentLink")
    if url is None or not leads_home(url, account):
        wrong["_links.paymentLink"] = (
            "is not an https address on one of Mollie's hosts; add your own payment domain to allowed_hosts"
        )
    if wrong:
        raise IntegrityBreach(account.who, wrong)
    assert url is not None
    marks = _marks.of_addresses(reply.get("webhookUrl"), reply.get("redirectUrl"))
    return VendorLink(
        vendor_id=vendor_id,
        url=url,
        status=_status(reply, now),
        mode=account.mode,
        link_id=marks.link_id,
        attempt_id=marks.attempt_id,
    )


def read_asked_link(
    reply: Json, account: Account, *, request: LinkRequest, now: dt.datetime | None = None
) -> VendorLink:
    """
    The link that `reply` describes, if it is what `request` asked for.

    Raises:
        IntegrityBreach: as `read_link`, or anything differs from the request.
    """
    link = read_link(reply, account, now=now)
    wrong = _amount_wrong(reply, request)
    if link.attempt_id and link.attempt_id != request.attempt_id:
        wrong["webhookUrl"] = "is another attempt's"
    if link.link_id and link.link_id != request.link_id:
        wrong["webhookUrl"] = "is another link's"
    if bool(reply.get("reusable")) is not isinstance(request.kind, Reusable):
        wrong["reusable"] = f"is {reply.get('reusable')!s:.10}"
    if reply.get("description") != title(request):
        wrong["description"] = "is another one"
    if request.expires_at is not None and not _ends_in_time(reply, request.expires_at):
        wrong["expiresAt"] = f"is not {request.expires_at:%Y-%m-%d %H:%M} UTC"
    wanted = {METHODS.to_vendor(word) for word in request.order.checkout.methods}
    if wanted and not _offers_only(reply, wanted):
        wrong["allowedMethods"] = "are other ones"
    if wrong:
        raise IntegrityBreach(account.who, wrong)
    return link


def mode_wrong(reply: Json, account: Account) -> dict[str, str]:
    """What is wrong with an answer's mode; nothing where it is the account's."""
    return {} if reply.get("mode") == account.mode else {"mode": f"is not {account.mode}"}


def page_address(reply: Json, name: str) -> str | None:
    """The address of a page for payers in an answer; None without one."""
    links = reply.get("_links")
    link = links.get(name) if isinstance(links, Mapping) else None
    href = link.get("href") if isinstance(link, Mapping) else None
    return href if isinstance(href, str) else None


def leads_home(url: str, account: Account) -> bool:
    """Whether an address leads to a known host, or to any of Mollie's, which have changed twice."""
    if leads_to(url, account.hosts, loopback=account.loopback):
        return True
    host = host_of(url)
    return host.endswith(".mollie.com") and leads_to(url, {host}, loopback=False)


def host_of(url: str) -> str:
    """The host of an address; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _status(reply: Json, now: dt.datetime | None) -> VendorLinkStatus:
    if reply.get("archived") is True:
        return VendorLinkStatus.CLOSED
    if reply.get("paidAt") and not reply.get("reusable"):
        return VendorLinkStatus.CLOSED
    if reply.get("archived") is not False:
        return VendorLinkStatus.UNKNOWN
    try:
        if now is not None and reply.get("expiresAt") and moment(reply["expiresAt"]) <= now:
            return VendorLinkStatus.CLOSED
    except MISSHAPEN:
        return VendorLinkStatus.UNKNOWN
    return VendorLinkStatus.OPEN


def _amount_wrong(reply: Json, request: LinkRequest) -> dict[str, str]:
    """What is wrong with the amounts; a lost one would let the payer type any."""
    least, wrong = least_amount(request), {}
    fixed = request.order.amount if least is None else None
    for name, asked in (("amount", fixed), ("minimumAmount", least)):
        told = reply.get(name)
        try:
            found = None if told is None else money(told)
        except MISSHAPEN:
            wrong[name] = "cannot be read"
            continue
        if found != asked:
            wrong[name] = f"is {found or 'missing'}, not {asked or 'missing'}"
    return wrong


def _ends_in_time(reply: Json, asked: dt.datetime) -> bool:
    try:
        return asked - _ROUNDED <= moment(reply.get("expiresAt")) <= asked
    except MISSHAPEN:
        return False


def _offers_only(reply: Json, wanted: set[str]) -> bool:
    told = reply.get("allowedMethods")
    return isinstance(told, list) and bool(told) and all(word in wanted for word in told)
