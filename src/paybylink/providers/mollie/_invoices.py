"""
Sales invoices: an order written as an invoice that Mollie makes, and read back. Pure.

An invoice that is issued is a legal document, so all that could make its total another one than ours is refused
before:

Rule 1: every line has a VAT rate, and all prices are with VAT or all without, which is said (`vatMode`).
Rule 2: how Mollie rounds VAT is not documented. Where rounding per line, per rate and over all do not agree, the
        order is refused.
Rule 3: it is not sent by Mollie (no `emailDetails`), for the link goes out by our channels, once.

Our marks travel as metadata, which invoices have, other than links. An invoice cannot be cancelled once it is paid.

Source: Mollie's OpenAPI document, "Sales invoices API".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.errors import Faults, IntegrityBreach
from paybylink.kinds import HostedInvoice
from paybylink.lines import EXACT, LineItem
from paybylink.orders import Customer, Order
from paybylink.payments import PaymentStatus
from paybylink.providers.base import LinkRequest, PaymentNotice, VendorLink, VendorLinkStatus

from ._account import Account
from ._amounts import MISSHAPEN, amount, moment, money
from ._lines import counted, rate_text, shortened
from ._links import leads_home, mode_wrong, page_address
from ._mapping import check_invoice_checkout, raw_fields
from ._payer import email, names, phone, postal

Json: TypeAlias = dict[str, Any]

#: Names of our metadata.
LINK: Final = "paybylink_link"
ATTEMPT: Final = "paybylink_attempt"
REFERENCE: Final = "paybylink_reference"

PATH: Final = "/v2/sales-invoices"
PREFIX: Final = "invoice_"
TERMS: Final = (7, 14, 30, 45, 60, 90, 120)
_LINE_TEXT: Final = 100
_IDENTIFIER: Final = re.compile(r"invoice_[A-Za-z0-9]{1,92}")
#: Language (and country, where it matters) → Mollie's locale; English is left for every other.
_LOCALES: Final[Mapping[str, str]] = MappingProxyType(
    {"nl": "nl_NL", "nl-be": "nl_BE", "de": "de_DE", "de-at": "de_AT", "de-ch": "de_CH"}
    | {"fr": "fr_FR", "fr-be": "fr_BE", "en": "en_GB", "en-us": "en_US"}
)
_OURS: Final = frozenset(
    {
        "_links",
        "customerId",
        "discount",
        "emailDetails",
        "id",
        "lines",
        "mandateId",
        "metadata",
        "mode",
        "paymentDetails",
        "paymentTerm",
        "profileId",
        "recipient",
        "recipientIdentifier",
        "resource",
        "status",
        "testmode",
        "vatMode",
    }
)
_STATUS: Final[Mapping[str, VendorLinkStatus]] = MappingProxyType(
    {
        "issued": VendorLinkStatus.OPEN,
        "paid": VendorLinkStatus.CLOSED,
        # Mollie writes its events with one l and its statuses with two.
        "cancelled": VendorLinkStatus.CLOSED,
        "canceled": VendorLinkStatus.CLOSED,
    }
)


def invoice_body(request: LinkRequest, kind: HostedInvoice, *, profile_id: str | None, who: str) -> Json:
    """
    The body of ``POST /v2/sales-invoices``.

    Args:
        profile_id: with a token, the profile that is meant.
        who: the provider's name.

    Raises:
        UnsupportedCapability: the checkout asks for what Mollie does not have.
        InvalidInput: what an invoice needs is missing, or its total could be another one; every fault at once.
    """
    order = request.order
    check_invoice_checkout(order, who=who)
    faults = Faults()
    extra: Json = {}
    with faults.at(""):
        extra = raw_fields(order.checkout, _OURS)
    if kind.due_in_days not in TERMS:
        days = ", ".join(str(term) for term in TERMS)
        faults.add(
            "kind.due_in_days", f"is {kind.due_in_days}, which Mollie does not know", f"use one of {days}"
        )
    _check_lines(faults, order)
    recipient = _recipient(faults, order.customer, request.locale)
    faults.raise_any()
    assert order.customer is not None
    body: Json = {
        "status": "issued",
        "recipientIdentifier": order.customer.code or email(order.customer),
        "recipient": recipient,
        "lines": [_line(line) for line in order.lines],
        "vatMode": "inclusive" if order.lines[0].vat_included else "exclusive",
        "paymentTerm": f"{kind.due_in_days} days",
        "metadata": {LINK: request.link_id, ATTEMPT: request.attempt_id, REFERENCE: order.reference},
    }
    if order.description.strip():
        body["memo"] = order.description.strip()
    if profile_id is not None:
        body["profileId"] = profile_id
    return body | extra


def read_invoice(reply: Json, account: Account) -> VendorLink:
    """
    The invoice that `reply` describes, as a link.

    Its address is empty where it has none, as before it is issued and after it was paid.

    Raises:
        IntegrityBreach: it is no sales invoice, of the other mode, or leads to somebody else's host.
    """
    vendor_id = reply.get("id")
    if not isinstance(vendor_id, str) or not _IDENTIFIER.fullmatch(vendor_id):
        raise IntegrityBreach(account.who, {"id": "is no sales invoice's"})
    wrong = mode_wrong(reply, account)
    url = page_address(reply, "invoicePayment") or ""
    if url and not leads_home(url, account):
        wrong["_links.invoicePayment"] = "is not an https address on one of Mollie's hosts"
    if wrong:
        raise IntegrityBreach(account.who, wrong)
    return VendorLink(
        vendor_id=vendor_id,
        url=url,
        status=_STATUS.get(str(reply.get("status")), VendorLinkStatus.UNKNOWN),
        mode=account.mode,
        link_id=mark(reply, LINK),
        attempt_id=mark(reply, ATTEMPT),
    )


def read_asked_invoice(reply: Json, account: Account, *, request: LinkRequest) -> VendorLink:
    """
    The invoice that `reply` describes, if it is what `request` asked for.

    Raises:
        IntegrityBreach: as `read_invoice`, or it is over another total or another link's.
    """
    link, wrong = read_invoice(reply, account), {}
    if link.link_id != request.link_id:
        wrong[f"metadata.{LINK}"] = "is another link's"
    if link.attempt_id != request.attempt_id:
        wrong[f"metadata.{ATTEMPT}"] = "is another attempt's"
    try:
        total = money(reply["totalAmount"])
        if total != request.order.amount:
            wrong["totalAmount"] = f"is {total}, not {request.order.amount}"
    except MISSHAPEN:
        wrong["totalAmount"] = "cannot be read"
    if wrong:
        raise IntegrityBreach(account.who, wrong)
    return link


def mark(invoice: Json, name: str) -> str:
    """One of our marks in the metadata; empty when it is not there."""
    metadata = invoice.get("metadata")
    found = metadata.get(name) if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) else ""


def paid_by(invoice: Json) -> list[str]:
    """The ids of payments or payment links by which an invoice was paid; none where it does not say."""
    details = invoice.get("paymentDetails")
    # Described as an object, and seen as a list.
    told = details if isinstance(details, list) else [details]
    found = (one.get("sourceReference") for one in told if isinstance(one, Mapping))
    return [reference for reference in found if isinstance(reference, str) and reference]


def invoice_payment(invoice: Json, account: Account) -> PaymentNotice | None:
    """
    The payment of an invoice that says no other, under the invoice's own id; None while it is not paid.

    Raises:
        one of MISSHAPEN: it cannot be read.
    """
    if invoice.get("status") != "paid":
        return None
    vendor_id = invoice["id"]
    return PaymentNotice(
        vendor_id=vendor_id,
        amount=money(invoice["totalAmount"]),
        status=PaymentStatus.SUCCEEDED,
        at=moment(invoice["paidAt"]),
        mode=account.mode,
        link_vendor_id=vendor_id,
        link_id=mark(invoice, LINK),
        attempt_id=mark(invoice, ATTEMPT),
        vendor_status="paid",
    )


def _line(line: LineItem) -> Json:
    description, quantity, each = counted(line, line.total)
    return {
        "description": shortened(description, _LINE_TEXT),
        "quantity": quantity,
        "vatRate": rate_text(line.vat_rate or Decimal(0)),
        "unitPrice": amount(each),
    }


def _check_lines(faults: Faults, order: Order) -> None:
    """Add a fault for whatever could make the invoice's total another one than the order's (rules 1 and 2)."""
    if not order.lines:
        faults.add(
            "order.lines",
            "are missing",
            "write what is sold, each line with its VAT rate, for a legal invoice",
        )
        return
    for place, line in enumerate(order.lines):
        if line.vat_rate is None:
            faults.add(
                f"order.lines[{place}].vat_rate", "is missing", "write the rate, or 0 where there is no VAT"
            )
    if len({line.vat_included for line in order.lines}) > 1:
        faults.add(
            "order.lines",
            "mix prices with and without VAT",
            "write all of them one way, as the invoice shows them",
        )
    elif not order.lines[0].vat_included and not _rounds_alike(order):
        faults.add(
            "order.lines",
            "have VAT that is another one when it is rounded per line",
            "write the prices with VAT included, whose sum is the same however it is rounded",
        )


def _rounds_alike(order: Order) -> bool:
    """Whether VAT on net prices is the same rounded per line, per rate, and once over all."""
    exact = [
        EXACT.divide(EXACT.multiply(Decimal(line.total.minor), line.vat_rate or Decimal(0)), Decimal(100))
        for line in order.lines
    ]
    per_line = sum(int(vat.quantize(Decimal(1), context=EXACT)) for vat in exact)
    together = Decimal(0)
    for vat in exact:
        together = EXACT.add(together, vat)
    at_once = int(together.quantize(Decimal(1), context=EXACT))
    per_rate = sum(group.vat.minor for group in order.vat_groups)
    return per_line == per_rate == at_once


def _recipient(faults: Faults, customer: Customer | None, locale: str | None) -> Json:
    """Who is invoiced; what is missing becomes faults."""
    path = "order.customer"
    if customer is None:
        faults.add(path, "is missing", "write who is invoiced: name, email and address")
        return {}
    business = bool(customer.organisation.strip())
    told: Json = {"type": "business" if business else "consumer", **names(customer)}
    if business:
        told["organizationName"] = customer.organisation.strip()
        if customer.vat_number.strip():
            told["vatNumber"] = customer.vat_number.strip()
        else:
            faults.add(
                f"{path}.vat_number", "is missing", "Mollie invoices no company without its VAT number"
            )
    elif not {"givenName", "familyName"} <= told.keys():
        faults.add(
            f"{path}.name", "is not a given and a family name", "write both, with two letters at least"
        )
    told |= {field: value for field, value in postal(customer).items() if value.strip()}
    if customer.address is None:
        faults.add(f"{path}.address", "is missing", "an invoice needs the postal address")
    told["email"] = email(customer)
    if not told["email"]:
        faults.add(f"{path}.email", "is missing or not one that Mollie takes", "write name@example.com")
    if number := phone(customer):
        told["phone"] = number
    language = (locale or customer.language or "").lower()
    told["locale"] = _LOCALES.get(language[:5]) or _LOCALES.get(language[:2], "en_GB")
    return told
