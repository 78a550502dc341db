"""
What is asked of Mollie about payment links and sales invoices, and their payments.

The two are one thing to the rest of the library, a link; their ids tell them apart.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from attrs import evolve

from paybylink.errors import IntegrityBreach, OutcomeUnknown, ProviderError
from paybylink.flow import Call
from paybylink.kinds import HostedInvoice
from paybylink.providers.base import LinkRequest, PaymentNotice, VendorLink, VendorLinkStatus

from . import _invoices, _marks
from ._account import Account, checked
from ._amounts import MISSHAPEN, moment
from ._capabilities import MOST_FIND_PAGES
from ._links import host_of, read_asked_link, read_link
from ._notices import NOT_YET, payment_notice

Json: TypeAlias = dict[str, Any]

LINKS: Final = "/v2/payment-links"
PAYMENTS: Final = "/v2/payments"
#: Links are listed by the moment they were made at Mollie's clock, which may lie before ours.
_MARGIN: Final = dt.timedelta(days=1)

log = logging.getLogger("paybylink.providers.mollie")


def read_new(account: Account, reply: Json, request: LinkRequest) -> Call[VendorLink]:
    """
    The link in the answer to its making, compared with what was asked.

    Raises:
        OutcomeUnknown: an invoice was made whose page is not there yet.
    """
    if not isinstance(request.kind, HostedInvoice):
        return _noted(account, read_asked_link(reply, account, request=request))
    invoice = _invoices.read_asked_invoice(reply, account, request=request)
    if not invoice.url:
        # Whether the page is there at once is not documented, so it is looked for once more.
        reply = yield from account.get(_path(invoice.vendor_id))
        invoice = _invoices.read_asked_invoice(reply, account, request=request)
    if not invoice.url and invoice.status is not VendorLinkStatus.CLOSED:
        raise OutcomeUnknown(
            f"{account.who} made the invoice and shows no page for it yet; call the same method again: it asks, and "
            "does nothing twice",
            who=account.who,
        )
    return _noted(account, invoice)


def find(
    account: Account, request: LinkRequest, *, marked: bool, since: dt.datetime, now: dt.datetime
) -> Call[VendorLink | None]:
    """
    The link that an earlier request has made; None if it surely made none that can still be paid.

    Args:
        marked: whether the request carries our mark, without which there is nothing to compare.

    Raises:
        OutcomeUnknown: without a mark, or too many were made since.
    """
    invoiced = isinstance(request.kind, HostedInvoice)
    if not marked:
        ended = request.expires_at is not None and request.expires_at + _MARGIN <= now
        if ended:
            return None
        raise _untold(
            account, "it carries no mark of ours, for it had neither an address for news nor a return address"
        )
    path, name = (_invoices.PATH, "sales_invoices") if invoiced else (LINKS, "payment_links")
    after, alike, over = "", False, False
    for _ in range(MOST_FIND_PAGES):
        things, after = yield from account.page(path, name, after=after)
        for listed in things:
            attempt = _attempt(listed, invoiced=invoiced)
            if attempt == request.attempt_id:
                if invoiced:
                    return (yield from read_new(account, listed, request))
                return _noted(account, read_asked_link(listed, account, request=request, now=now))
            over = _is_older(listed, since - _MARGIN)
            if over:
                break
            alike = alike or (not (attempt or invoiced) and _is_alike(listed, account, request))
        if over or not after:
            if alike:
                raise _untold(account, "there is one like it that carries no mark of ours")
            return None
    raise _untold(account, f"it is not among the newest {MOST_FIND_PAGES * 250:,}")


def fetch(account: Account, vendor_id: str) -> Call[VendorLink]:
    """The link as it stands now."""
    reply = yield from account.get(_path(vendor_id))
    return _told(account, reply, vendor_id)


def close(account: Account, vendor_id: str, *, key: str, key_until: dt.datetime) -> Call[VendorLink]:
    """
    The link, closed: archived, or the invoice cancelled; closing a closed one changes nothing.

    Raises:
        IntegrityBreach: Mollie says that it is not.
    """
    path = _path(vendor_id)
    invoiced = vendor_id.startswith(_invoices.PREFIX)
    change = {"status": "cancelled"} if invoiced else {"archived": True}
    try:
        reply = yield from account.patch(path, change, key=key, key_until=key_until)
    except ProviderError as error:
        # What was paid or closed before may not be closed anew, and is closed already.
        if error.status != 422:
            raise
        refused = error
    else:
        link = _told(account, reply, vendor_id)
        if link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(
                account.who, {"status" if invoiced else "archived": "is as before the closing"}
            )
        return link
    link = yield from fetch(account, vendor_id)
    if link.status is not VendorLinkStatus.CLOSED:
        raise refused
    return link


def payments_of(account: Account, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
    """Every payment of a link that has begun or succeeded, oldest first."""
    if vendor_id.startswith(_invoices.PREFIX):
        return (yield from _payments_of_invoice(account, vendor_id))
    listed = yield from account.pages(f"{_path(vendor_id)}/payments", "payments")
    notices = [read_payment(account, payment, link=vendor_id) for payment in listed]
    # A payer who has only opened the checkout is no payment yet.
    return sorted((one for one in notices if one.vendor_status != NOT_YET), key=lambda one: one.at)


def fetch_payment(account: Account, vendor_id: str) -> Call[PaymentNotice]:
    """One payment as it stands now; an invoice that was paid otherwise stands for itself."""
    if vendor_id.startswith(_invoices.PREFIX):
        invoice = yield from account.get(_path(vendor_id))
        notice = _read_invoice_payment(account, invoice)
        if notice is None or notice.vendor_id != vendor_id:
            raise IntegrityBreach(account.who, {"status": "is not paid"})
        return notice
    payment = yield from account.get(f"{PAYMENTS}/{checked(vendor_id, 'tr_')}")
    notice = read_payment(account, payment)
    if notice.vendor_id != vendor_id:
        raise IntegrityBreach(account.who, {"id": "is another payment's"})
    return notice


def read_payment(account: Account, payment: Json, *, link: str = "") -> PaymentNotice:
    """
    One payment of an answer.

    Raises:
        IntegrityBreach: it cannot be read, or is of the other mode.
    """
    try:
        notice = payment_notice(payment, link_vendor_id=link)
    except MISSHAPEN as error:
        raise IntegrityBreach(account.who, {"payment": f"cannot be read ({type(error).__name__})"}) from None
    if notice.mode is not account.mode:
        raise IntegrityBreach(account.who, {"mode": f"is not {account.mode}"})
    return notice


def _payments_of_invoice(account: Account, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
    invoice = yield from account.get(_path(vendor_id))
    own = _read_invoice_payment(account, invoice)
    if own is None:
        return []
    found: list[PaymentNotice] = []
    for reference in _invoices.paid_by(invoice):
        if reference.startswith("pl_"):
            # What was paid is the invoice: by its id, and by its marks, they are known here.
            others = yield from payments_of(account, reference)
            found.extend(
                evolve(one, link_vendor_id=vendor_id, link_id=own.link_id, attempt_id=own.attempt_id)
                for one in others
            )
        elif reference.startswith("tr_"):
            payment = yield from account.get(f"{PAYMENTS}/{checked(reference, 'tr_')}")
            found.append(read_payment(account, payment, link=vendor_id))
    return found or [own]


def _read_invoice_payment(account: Account, invoice: Json) -> PaymentNotice | None:
    _ = _invoices.read_invoice(invoice, account)
    try:
        return _invoices.invoice_payment(invoice, account)
    except MISSHAPEN as error:
        raise IntegrityBreach(account.who, {"invoice": f"cannot be read ({type(error).__name__})"}) from None


def _told(account: Account, reply: Json, vendor_id: str) -> VendorLink:
    """The link in an answer, which must be the one that was asked for."""
    invoiced = vendor_id.startswith(_invoices.PREFIX)
    link = _invoices.read_invoice(reply, account) if invoiced else read_link(reply, account)
    if link.vendor_id != vendor_id:
        raise IntegrityBreach(account.who, {"id": "is another link's"})
    return _noted(account, link)


def _path(vendor_id: str) -> str:
    known = checked(vendor_id, "pl_", _invoices.PREFIX)
    return f"{_invoices.PATH if known.startswith(_invoices.PREFIX) else LINKS}/{known}"


def _attempt(listed: Json, *, invoiced: bool) -> str:
    if invoiced:
        return _invoices.mark(listed, _invoices.ATTEMPT)
    return _marks.of_addresses(listed.get("webhookUrl"), listed.get("redirectUrl")).attempt_id


def _is_alike(listed: Json, account: Account, request: LinkRequest) -> bool:
    """
    Whether a link without a mark may be the one that was asked for.

    It was made so where neither address was set then, though one is now; or Mollie shows an address of its own.
    """
    try:
        _ = read_asked_link(listed, account, request=request)
    except IntegrityBreach:
        return False
    return True


def _is_older(listed: Json, than: dt.datetime) -> bool:
    try:
        return moment(listed.get("createdAt")) < than
    except MISSHAPEN:
        return False


def _noted(account: Account, link: VendorLink) -> VendorLink:
    """The link; a host of Mollie's that we do not know is worth a line, since it has changed before."""
    host = host_of(link.url)
    if host and host not in account.hosts and not account.loopback:
        log.warning(
            "%s: links lead to %s, a host of Mollie's that this version does not know", account.who, host
        )
    return link


def _untold(account: Account, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{account.who} cannot tell whether the link exists: {why}; look for the order's description in the "
        "dashboard (Payment links)",
        who=account.who,
    )
