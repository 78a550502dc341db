"""
Invoices: a draft gets its lines, is finalised (number, address, payment intent), and is then paid, voided or written
off.

Only ``send_invoice`` is simulated, and nothing is ever mailed. A total that Stripe would not charge would be carried
over to the customer's balance; the sandbox refuses to finalise it instead. The due date does not stop a payment; when
it has passed, invoice.overdue is told once.
Source: Stripe API reference, "Invoices"; docs.stripe.com/invoicing.
"""

from __future__ import annotations

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe import invoice_payments
from paybylink.sandbox.stripe.amounts import check_currency, check_total
from paybylink.sandbox.stripe.call import NOBODY, Call
from paybylink.sandbox.stripe.charges import new_intent
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.invoice_form import CREATE, blank, line
from paybylink.sandbox.stripe.lists import CREATED, PAGING, envelope, page
from paybylink.sandbox.stripe.parameters import Flag, Record, Text, Unsimulated
from paybylink.sandbox.stripe.sessions import delayed_method
from paybylink.sandbox.stripe.wire import Problem, missing

_DAY = 86400
_SHOWN_LINES = 10


def create(call: Call) -> Document:
    """POST /v1/invoices, a draft without lines."""
    engine, values = call.engine, call.values(CREATE)
    if values.get("customer") is None:
        raise Problem("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = engine.get("customer", values["customer"])
    if customer is None:
        raise missing("customer", values["customer"], param="customer", status=400)
    if values.get("collection_method") != "send_invoice":
        raise Problem(
            "The sandbox simulates collection_method=send_invoice only.",
            code="sandbox_unsimulated",
            param="collection_method",
        )
    if (values.get("days_until_due") is None) == (values.get("due_date") is None):
        raise Problem(
            "You must pass exactly one of `days_until_due` and `due_date` if `collection_method` is `send_invoice`.",
            param="days_until_due",
        )
    currency = (values.get("currency") or "eur").lower()
    check_currency(currency, param="currency")
    invoice = blank(engine.new_id("in_1"), customer, values, currency, now=engine.timestamp())
    _ = engine.put("invoice", invoice)
    _ = emit(engine, "invoice.created", invoice, origin=call.origin)
    return invoice


def add_line(engine: Engine, invoice: Document, item: Document) -> None:
    """One more position of a draft, and the total that comes of it."""
    invoice["_lines"].append(line(engine.new_id("il_1"), invoice, item))
    total = sum(one["amount"] for one in invoice["_lines"])
    invoice |= {
        **dict.fromkeys(("amount_due", "amount_remaining"), max(total, 0)),
        **dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total),
        "lines": _first_lines(invoice),
    }
    _ = engine.put("invoice", invoice)


def _first_lines(invoice: Document) -> Document:
    shown = invoice["_lines"][:_SHOWN_LINES]
    return envelope(
        shown, url=f"/v1/invoices/{invoice['id']}/lines", has_more=len(invoice["_lines"]) > _SHOWN_LINES
    )


def fetch(call: Call) -> Document:
    """GET /v1/invoices/{invoice}."""
    _ = call.values(Record({}))
    return call.subject("invoice", "invoice")


def lines(call: Call) -> Document:
    """GET /v1/invoices/{invoice}/lines."""
    invoice = call.subject("invoice", "invoice")
    values = call.values(Record(PAGING))
    names = [one["id"] for one in invoice["_lines"]]
    start = names.index(values["starting_after"]) + 1 if values.get("starting_after") in names else 0
    limit = values.get("limit") or 10
    left = invoice["_lines"][start:]
    return envelope(left[:limit], url=f"/v1/invoices/{invoice['id']}/lines", has_more=len(left) > limit)


def index(call: Call) -> Document:
    """GET /v1/invoices, newest first."""
    filters = {"customer": Text(), "status": Text(choices=("draft", "open", "paid", "uncollectible", "void"))}
    values = call.values(
        Record(
            {
                **PAGING,
                **filters,
                "created": CREATED,
                "due_date": Unsimulated(),
                "subscription": Unsimulated(),
            }
        )
    )
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    return page(call.engine, "invoice", values, *tests, url="/v1/invoices")


def delete(call: Call) -> Document:
    """DELETE /v1/invoices/{invoice}, while it is a draft."""
    invoice = call.subject("invoice", "invoice")
    if invoice["status"] != "draft":
        raise Problem("You can only delete draft invoices.", code="invoice_not_editable", param="invoice")
    call.engine.remove("invoice", invoice["id"])
    _ = emit(call.engine, "invoice.deleted", invoice, origin=call.origin)
    return {"id": invoice["id"], "object": "invoice", "deleted": True}


def finalize(call: Call) -> Document:
    """POST /v1/invoices/{invoice}/finalize."""
    engine, invoice = call.engine, call.subject("invoice", "invoice")
    _ = call.values(Record({"auto_advance": Flag()}))
    if invoice["status"] != "draft":
        raise Problem("This invoice is already finalized.", code="invoice_not_editable", executed=True)
    check_total(invoice["total"], invoice["currency"], param="invoice")
    now = engine.timestamp()
    number = engine.next_number("stripe_invoice")
    page_address = f"{engine.base_url}/pay/{invoice['id']}?s=sandbox"
    invoice |= {
        "status": "open",
        "number": invoice["number"] or f"SANDBOX-{number:04d}",
        "due_date": now + invoice["_days"] * _DAY if invoice["_days"] is not None else invoice["due_date"],
        "effective_at": now,
        "ending_balance": 0,
        "hosted_invoice_url": page_address,
        "invoice_pdf": page_address,
    }
    invoice["status_transitions"]["finalized_at"] = now
    intent = new_intent(
        engine,
        invoice["total"],
        invoice["currency"],
        {"description": invoice["description"]},
        types=invoice["payment_settings"]["payment_method_types"]
        or ["card", delayed_method(invoice["currency"])],
        customer=invoice["customer"],
    )
    _ = engine.put("payment_intent", {**intent, "_invoice": invoice["id"]})
    _ = invoice_payments.opened(engine, invoice, intent)
    _ = engine.put("invoice", invoice)
    _ = emit(engine, "invoice.finalized", invoice, origin=call.origin)
    return invoice


def void(call: Call) -> Document:
    """POST /v1/invoices/{invoice}/void; not when it is paid, or a payment of it is under way."""
    invoice, intent = _unpaid(call, ("open", "uncollectible"), "void")
    if intent["status"] == "processing":
        raise Problem("This invoice has a payment that is processing.", param="invoice", executed=True)
    _let_go(call, invoice, intent)
    return _ended(call, invoice, "void", "voided_at", "invoice.voided")


def write_off(call: Call) -> Document:
    """POST /v1/invoices/{invoice}/mark_uncollectible; it can still be paid."""
    invoice, _ = _unpaid(call, ("open",), "mark as uncollectible")
    return _ended(call, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def pay_outside(call: Call) -> Document:
    """POST /v1/invoices/{invoice}/pay, when the money came by another way."""
    invoice, intent = _unpaid(call, ("open", "uncollectible"), "pay")
    if call.values(Record({"paid_out_of_band": Flag()})).get("paid_out_of_band") is not True:
        raise Problem(
            "The sandbox simulates paid_out_of_band=true only.",
            code="sandbox_unsimulated",
            param="paid_out_of_band",
        )
    _let_go(call, invoice, intent)
    invoice |= {
        "amount_paid_off_stripe": invoice["total"],
        "amount_paid": invoice["total"],
        "amount_remaining": 0,
    }
    return _ended(call, invoice, "paid", "paid_at", "invoice.paid")


def remind_due(engine: Engine) -> None:
    """Tell of every open invoice whose due date has passed, once."""
    tests: tuple[Condition, ...] = (("status", "=", "open"), ("_overdue", "=", False))
    for invoice in engine.find("invoice", *tests, ("due_date", "<=", engine.timestamp()), newest_first=False):
        _ = engine.put("invoice", {**invoice, "_overdue": True})
        _ = emit(engine, "invoice.overdue", invoice, origin=NOBODY)


def _unpaid(call: Call, statuses: tuple[str, ...], verb: str) -> tuple[Document, Document]:
    invoice = call.subject("invoice", "invoice")
    if invoice["status"] not in statuses:
        raise Problem(
            f"You can only {verb} an invoice that is {' or '.join(statuses)}. This invoice is {invoice['status']}.",
            code="invoice_not_editable",
            param="invoice",
            executed=True,
        )
    name = invoice_payments.of_invoice(call.engine, invoice)["payment"]["payment_intent"]
    intent = call.engine.get("payment_intent", name)
    assert intent is not None
    return invoice, intent


def _let_go(call: Call, invoice: Document, intent: Document) -> None:
    engine = call.engine
    now = engine.timestamp()
    intent |= {"status": "canceled", "canceled_at": now, "cancellation_reason": "void_invoice"}
    _ = engine.put("payment_intent", intent)
    _ = invoice_payments.ended(engine, invoice, "canceled")
    _ = emit(engine, "payment_intent.canceled", intent, origin=call.origin)


def _ended(call: Call, invoice: Document, status: str, moment: str, event: str) -> Document:
    invoice["status"] = status
    invoice["status_transitions"][moment] = call.engine.timestamp()
    _ = call.engine.put("invoice", invoice)
    _ = emit(call.engine, event, invoice, origin=call.origin)
    return invoice
