"""
Invoices that Stripe itself makes: the requests that make one, and what its answers say. Pure.

An invoice needs a customer; it is written as a draft, its lines are added one by one, and then it is finalised, by
which it gets its number, its address and its due date. That is a request for each, so all are stored together, and
after a cut the same bytes are repeated under the same keys. Nothing can be paid before the last of them.

Rule 1: Stripe sends no email: `auto_advance` is off and `send` is never called.
Rule 2: what the customer's other invoices left over is not taken along, and each invoice gets a customer of its own,
        so no balance of an earlier one changes what is due.
Rule 3: amounts include VAT, which the text of each line names; Stripe computes no tax.
Rule 4: a total below what Stripe charges is refused, since it would be carried over silently.

Source: docs.stripe.com, "Hosted Invoice Page", API reference "Create an invoice", "Create an invoice item".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.currencies import STRIPE
from paybylink.errors import Faults, IntegrityBreach
from paybylink.flow import answer_slot
from paybylink.kinds import HostedInvoice
from paybylink.money import to_wire
from paybylink.orders import Customer
from paybylink.payments import PaymentStatus
from paybylink.providers.base import LinkRequest, Payer, PaymentNotice, VendorLink, VendorLinkStatus

from ._checkout import asked_language, methods, page_locale, with_extra
from ._items import invoice_lines, shortened, title
from ._limits import check_least
from ._links import Expected, marks_wrong
from ._marks import ATTEMPT, LINK
from ._notices import charge_method, id_of, mark, mode_of, moment, money

Json: TypeAlias = dict[str, Any]

CUSTOMERS: Final = "/v1/customers"
INVOICES: Final = "/v1/invoices"
ITEMS: Final = "/v1/invoiceitems"

_MEMO_LIMIT: Final = 1500
#: An invoice written off can still be paid, and still be voided; a draft cannot be paid yet.
_STATUS: Final[Mapping[str, VendorLinkStatus]] = MappingProxyType(
    {
        "open": VendorLinkStatus.OPEN,
        "uncollectible": VendorLinkStatus.OPEN,
        "draft": VendorLinkStatus.CLOSED,
        "paid": VendorLinkStatus.CLOSED,
        "void": VendorLinkStatus.CLOSED,
    }
)


def invoice_steps(
    faults: Faults, request: LinkRequest, kind: HostedInvoice, amount: int, metadata: Mapping[str, str]
) -> Iterator[tuple[str, Json]]:
    """The path and the form of each request that makes an invoice, in order."""
    order = request.order
    check_least(faults, "order.amount", order.amount, amount)
    customer = order.customer or Customer()
    for name, found in (("name", customer.organisation or customer.name), ("email", customer.email)):
        if not (found or "").strip():
            faults.add(
                f"order.customer.{name}", "is missing", "an invoice needs it; write it, or make another kind"
            )
    yield CUSTOMERS, _customer(customer, request, metadata)
    form: Json = {
        "customer": answer_slot(0),
        "collection_method": "send_invoice",
        "days_until_due": kind.due_in_days,
        "currency": order.amount.currency.lower(),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "description": shortened(title(request), _MEMO_LIMIT),
        "metadata": metadata,
    }
    if customer.vat_number:
        # In words: as a tax id Stripe would check it, and refuse what it cannot check.
        form["custom_fields"] = [{"name": "VAT number", "value": customer.vat_number}]
    if order.checkout.statement:
        form["statement_descriptor"] = order.checkout.statement
    if order.checkout.methods:
        form["payment_settings"] = {"payment_method_types": methods(order.checkout.methods)}
    yield INVOICES, with_extra(faults, form, order)
    for text, gross in invoice_lines(request, amount, language=asked_language(request)):
        yield (
            ITEMS,
            {
                "customer": answer_slot(0),
                "invoice": answer_slot(1),
                "description": text,
                "amount": gross,
                "currency": order.amount.currency.lower(),
            },
        )
    yield f"{INVOICES}/{answer_slot(1)}/finalize", {}


def _customer(customer: Customer, request: LinkRequest, metadata: Mapping[str, str]) -> Json:
    form: Json = {
        "name": customer.organisation or customer.name,
        "email": customer.email,
        "metadata": {name: metadata[name] for name in (LINK, ATTEMPT)},
    }
    if locale := page_locale(request):
        form["preferred_locales"] = [locale]
    place = customer.address
    if place is not None:
        parts = {
            "line1": place.street_and_number,
            "line2": place.extra,
            "city": place.city,
            "postal_code": place.postal_code,
            "state": place.region,
            "country": place.country,
        }
        form["address"] = {name: part for name, part in parts.items() if part}
    elif customer.country:
        form["address"] = {"country": customer.country}
    return form


def read_invoice(reply: Json, expected: Expected) -> VendorLink:
    """
    The link that an invoice is; its address is empty while it has none.

    Raises:
        IntegrityBreach: it is no invoice, of the other mode, or leads to somebody else's host.
    """
    vendor_id, said, url = reply.get("id"), reply.get("status"), reply.get("hosted_invoice_url")
    if reply.get("object") != "invoice" or not isinstance(vendor_id, str) or not vendor_id:
        raise IntegrityBreach(expected.who, {"object": "is no invoice"})
    status = (
        _STATUS.get(said, VendorLinkStatus.UNKNOWN) if isinstance(said, str) else VendorLinkStatus.UNKNOWN
    )
    wrong = expected.differing(reply, url=url, named="hosted_invoice_url")
    if url is None and status is VendorLinkStatus.CLOSED:
        del wrong["hosted_invoice_url"]
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return VendorLink(
        vendor_id=vendor_id,
        url=url or "",
        status=status,
        mode=expected.mode,
        completed=1 if said == "paid" else 0,
        link_id=mark(reply, LINK),
        attempt_id=mark(reply, ATTEMPT),
    )


def read_asked_invoice(reply: Json, expected: Expected, *, request: LinkRequest) -> VendorLink:
    """
    The link that an invoice is, if it is what `request` asked for.

    Raises:
        IntegrityBreach: as `read_invoice`, or anything differs from the request.
    """
    link = read_invoice(reply, expected)
    amount, wrong = request.order.amount, marks_wrong(link, request)
    asked = to_wire(amount, STRIPE)
    if str(reply.get("currency", "")).upper() != amount.currency:
        wrong["currency"] = f"is not {amount.currency}"
    for name in ("total",) if link.completed else ("total", "amount_due"):
        # `amount_due` is less where Stripe would carry the invoice over, or take it from a balance.
        if reply.get(name) != asked:
            wrong[name] = f"is not {asked}, in Stripe's units of {amount.currency}"
    if reply.get("collection_method") != "send_invoice":
        wrong["collection_method"] = "charges by itself"
    if wrong:
        raise IntegrityBreach(expected.who, wrong)
    return link


def invoice_payment(invoice: Json, payment: Json) -> PaymentNotice | None:
    """
    One payment of an invoice; None for what has not begun, or did not come through Stripe.

    An invoice has a payment intent from the start, which waits for a payer and is no attempt; a failed one has left
    a charge behind, and the invoice can be paid again.
    """
    told = payment["payment"]
    intent = told.get("payment_intent")
    if told["type"] != "payment_intent" or not id_of(intent):
        return None
    details: Mapping[str, Any] = intent if isinstance(intent, Mapping) else {}
    charge = details.get("latest_charge")
    status = _payment_status(str(payment["status"]), str(details.get("status")), begun=bool(charge))
    if status is None:
        return None
    charge = charge if isinstance(charge, Mapping) else {}
    paid = payment["amount_paid"] if status is PaymentStatus.SUCCEEDED else payment["amount_requested"]
    when = payment["status_transitions"].get("paid_at") or charge.get("created") or payment["created"]
    payer = {"name": invoice.get("customer_name"), "email": invoice.get("customer_email")}
    return PaymentNotice(
        vendor_id=id_of(intent),
        amount=money(paid, payment["currency"]),
        status=status,
        at=moment(when),
        mode=mode_of(payment),
        link_vendor_id=id_of(payment["invoice"]),
        link_id=mark(invoice, LINK),
        attempt_id=mark(invoice, ATTEMPT),
        method=charge_method(charge, details.get("payment_method_types")),
        vendor_status=str(payment["status"]),
        payer=Payer(**{name: text for name, text in payer.items() if isinstance(text, str)}),
    )


def _payment_status(said: str, intent: str, *, begun: bool) -> PaymentStatus | None:
    if said == "paid":
        return PaymentStatus.SUCCEEDED
    if intent == "processing":
        return PaymentStatus.PROCESSING
    if said == "open" and intent == "requires_payment_method" and begun:
        return PaymentStatus.FAILED
    return None
