"""
Sales invoices: drafted, issued, paid on a hosted page, cancelled.

The address of that page is there once the invoice is issued. A cancelled invoice says ``cancelled`` and its event
``sales-invoice.canceled``, as at Mollie. The sandbox writes no PDF and sends no mail.
Source: Mollie's OpenAPI document, "Sales invoices API".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie import events
from paybylink.sandbox.mollie.amounts import amount, units
from paybylink.sandbox.mollie.call import PROFILE, Call
from paybylink.sandbox.mollie.invoice_totals import totals
from paybylink.sandbox.mollie.lists import Shelf, page, with_paging
from paybylink.sandbox.mollie.parameters import (
    Field,
    Flag,
    Many,
    Metadata,
    Money,
    Record,
    Text,
    Unsimulated,
    Whole,
)
from paybylink.sandbox.mollie.wire import Problem, documentation, hal, moment, text

_DISCOUNT = Record(
    {"type": Text(choices=("amount", "percentage")), "value": Text(12, pattern=r"[0-9]{1,9}(\.[0-9]{1,2})?")},
    required=("type", "value"),
)
_LINE = Record(
    {
        "description": Text(100),
        "quantity": Whole(1),
        "vatRate": Text(8, pattern=r"[0-9]{1,3}(\.[0-9]{1,4})?"),
        "unitPrice": Money(signed=True),
        "discount": _DISCOUNT,
    },
    required=("description", "quantity", "vatRate", "unitPrice"),
    nullable=("discount",),
)
_RECIPIENT = Record(
    {
        "type": Text(choices=("consumer", "business")),
        "title": Text(100),
        "givenName": Text(255, pattern=r"(?s).{2,}"),
        "familyName": Text(255, pattern=r"(?s).{2,}"),
        "organizationName": Text(255),
        "organizationNumber": Text(50),
        "vatNumber": Text(30),
        "email": Text(320, pattern=r"[^@\s]{1,64}@[^@\s]{1,255}"),
        "phone": Text(20),
        "streetAndNumber": Text(255),
        "streetAdditional": Text(255),
        "postalCode": Text(50),
        "city": Text(255),
        "region": Text(255),
        "country": Text(2, pattern=r"[A-Z]{2}"),
        "locale": Text(
            choices=("en_US", "en_GB", "nl_NL", "nl_BE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_BE")
        ),
    },
    required=("type", "email", "streetAndNumber", "postalCode", "city", "country", "locale"),
    nullable=(
        "title",
        "givenName",
        "familyName",
        "organizationName",
        "organizationNumber",
        "vatNumber",
        "phone",
        "streetAdditional",
        "region",
    ),
)
_PAID_BY = Record(
    {"source": Text(choices=("manual", "payment-link", "payment")), "sourceReference": Text(64)},
    required=("source",),
    nullable=("sourceReference",),
)
_CONTENT: Mapping[str, Field] = {
    "memo": Text(2000),
    "paymentTerm": Text(pattern=r"(7|14|30|45|60|90|120) days"),
    "emailDetails": Record({"subject": Text(255), "body": Text()}, required=("subject", "body")),
    "recipientIdentifier": Text(255),
    "recipient": _RECIPIENT,
    "lines": Many(_LINE),
    "discount": _DISCOUNT,
    "isEInvoice": Flag(),
}
_NULLABLE = ("memo", "paymentTerm", "emailDetails", "discount")
_CREATE = Record(
    {
        **_CONTENT,
        "status": Text(choices=("draft", "issued", "paid")),
        "vatScheme": Text(choices=("standard", "one-stop-shop")),
        "vatMode": Text(choices=("exclusive", "inclusive")),
        "metadata": Metadata(mapping=True),
        "paymentDetails": _PAID_BY,
        "customerId": Unsimulated(),
        "mandateId": Unsimulated(),
    },
    required=("status", "recipientIdentifier", "recipient", "lines"),
    nullable=(*_NULLABLE, "metadata", "paymentDetails"),
)
_UPDATE = Record(
    {
        **_CONTENT,
        "status": Text(choices=("draft", "issued", "paid", "cancelled")),
        "paymentDetails": _PAID_BY,
    },
    nullable=(*_NULLABLE, "paymentDetails"),
)
#: What each status can become.
_MOVES = {"draft": ("draft", "issued", "paid", "cancelled"), "issued": ("issued", "paid", "cancelled")}


def create(call: Call) -> Document:
    """POST /v2/sales-invoices."""
    values, engine = call.values(_CREATE), call.engine
    wanted = values.pop("status")
    invoice: Document = {
        "id": engine.new_id("invoice_", 22),
        "profileId": PROFILE,
        "invoiceNumber": None,
        "status": "draft",
        "vatScheme": "standard",
        "vatMode": "exclusive",
        "memo": None,
        "metadata": None,
        "paymentTerm": "30 days",
        "emailDetails": None,
        "discount": None,
        "isEInvoice": False,
        "createdAt": moment(engine.now()),
        "issuedAt": None,
        "paidAt": None,
        "dueAt": None,
        **values,
    }
    _reckon(invoice)
    _ = engine.put("mollie.invoice", invoice)
    events.tell(engine, "sales-invoice.created", view(engine, invoice))
    return view(engine, _move(engine, invoice, wanted))


def fetch(call: Call) -> Document:
    """GET /v2/sales-invoices/{invoice}."""
    _ = call.queried(Record({}))
    return view(call.engine, call.subject("mollie.invoice", "invoice"))


def index(call: Call) -> Document:
    """GET /v2/sales-invoices, newest first."""
    return page(call, SHELF, call.queried(with_paging({})), topic="list-sales-invoices")


def update(call: Call) -> Document:
    """PATCH /v2/sales-invoices/{invoice}: what it holds while it is a draft, and its status."""
    invoice = call.subject("mollie.invoice", "invoice")
    values = call.values(_UPDATE)
    if not values:
        raise Problem("The request holds nothing to change.")
    wanted = values.pop("status", invoice["status"])
    if invoice["status"] != "draft" and set(values) - {"paymentDetails", "emailDetails"}:
        raise Problem("Only a draft can be changed.", field=next(iter(values)))
    invoice |= values
    _reckon(invoice)
    return view(call.engine, _move(call.engine, invoice, wanted))


def delete(call: Call) -> Document:
    """DELETE /v2/sales-invoices/{invoice}, while it is a draft."""
    invoice = call.subject("mollie.invoice", "invoice")
    _ = call.values(Record({}))
    if invoice["status"] != "draft":
        raise Problem("Only a draft can be deleted.")
    call.engine.remove("mollie.invoice", invoice["id"])
    return {}


def paid(engine: Engine, invoice: Document, payment: Document) -> None:
    """Mark an invoice as paid by a payment on its page; a second payment changes nothing."""
    if invoice["status"] == "issued":
        invoice["paymentDetails"] = {"source": "payment", "sourceReference": payment["id"]}
        _ = _move(engine, invoice, "paid")


def payer_subject(invoice: Document) -> Document:
    """What `payments.new` needs to know of an invoice: who is called and where the payer goes."""
    return {
        **invoice,
        "description": f"Invoice {invoice['invoiceNumber']}",
        "redirectUrl": None,
        "webhookUrl": None,
    }


def closed(invoice: Document) -> str | None:
    """Why an issued invoice can no longer be paid, in words for the payer; None when it can."""
    words = {"paid": "has been paid", "cancelled": "has been cancelled"}
    word = words.get(invoice["status"])
    return None if word is None else f"This invoice {word}."


def view(engine: Engine, invoice: Document) -> Document:
    """The invoice as it goes over the wire."""
    done = invoice["status"] in {"paid", "cancelled"}
    currency = invoice["totalAmount"]["currency"]
    plain = shown(invoice)
    paid_by = plain.pop("paymentDetails", None)
    links = {"self": hal(engine.base_url, f"/v2/sales-invoices/{invoice['id']}")}
    if invoice["issuedAt"] is not None:
        links["invoicePayment"] = text(f"{engine.base_url}/pay/{invoice['id']}")
    return {
        "resource": "sales-invoice",
        "mode": "test",
        **plain,
        # An array in answers, although an object in requests.
        **({} if paid_by is None else {"paymentDetails": [paid_by]}),
        "amountDue": amount(0, currency) if done else invoice["totalAmount"],
        "_links": {**links, "pdfLink": None, "documentation": documentation("get-sales-invoice")},
    }


SHELF = Shelf("mollie.invoice", "sales_invoices", view)


def _reckon(invoice: Document) -> None:
    lines, recipient = invoice["lines"], invoice["recipient"]
    if not lines:
        raise Problem("An invoice needs at least one line.", field="lines")
    if len({line["unitPrice"]["currency"] for line in lines}) > 1:
        raise Problem("All lines of an invoice should have one currency.", field="lines")
    if recipient["type"] == "consumer" and not (recipient.get("givenName") and recipient.get("familyName")):
        raise Problem("A consumer needs a given name and a family name.", field="recipient")
    numbered = recipient.get("vatNumber") or recipient.get("organizationNumber")
    if recipient["type"] == "business" and not (recipient.get("organizationName") and numbered):
        raise Problem("A business needs a name and a VAT or organisation number.", field="recipient")
    if invoice["isEInvoice"]:
        _ = Unsimulated().read(True, "isEInvoice")
    invoice |= totals(lines, invoice["discount"], inclusive=invoice["vatMode"] == "inclusive")
    if units(invoice["totalAmount"]) <= 0:
        raise Problem("The total of the lines should be above zero.", field="lines")


def _move(engine: Engine, invoice: Document, wanted: str) -> Document:
    earlier = invoice["status"]
    if wanted not in _MOVES.get(earlier, (earlier,)):
        raise Problem(f"A {earlier} invoice cannot become {wanted}.", field="status")
    by = invoice.get("paymentDetails")
    if wanted == "paid" and by is None:
        raise Problem("A paid invoice needs its payment details.", field="paymentDetails")
    if by is not None and by["source"] != "manual" and not by.get("sourceReference"):
        raise Problem("This source needs a reference.", field="paymentDetails.sourceReference")
    now = engine.now()
    if wanted in {"issued", "paid"} and invoice["issuedAt"] is None:
        days = int((invoice["paymentTerm"] or "30 days").split()[0])
        invoice |= {
            "invoiceNumber": f"INV-{engine.next_number('mollie_invoice'):07}",
            "issuedAt": moment(now),
            "dueAt": moment(now + timedelta(days=days)),
        }
    if wanted == "paid" and earlier != "paid":
        invoice["paidAt"] = moment(now)
    invoice["status"] = wanted
    _ = engine.put("mollie.invoice", invoice)
    if wanted != earlier:
        # The event has one l where the status has two.
        events.tell(engine, f"sales-invoice.{wanted.replace('cancelled', 'canceled')}", view(engine, invoice))
    return invoice
