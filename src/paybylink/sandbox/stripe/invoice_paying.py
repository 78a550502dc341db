"""
The payer at the page of an invoice (invoice.stripe.com), and what comes of it.

    card      charge.succeeded, payment_intent.succeeded, invoice_payment.paid, invoice.paid,
              invoice.payment_succeeded
    delayed   charge.pending, payment_intent.processing; then the same, or as declined
    declined  charge.failed, payment_intent.payment_failed, invoice.payment_failed

The page has no way back to the shop.
Source: docs.stripe.com/invoicing/hosted-invoice-page; Stripe API reference, "Types of events".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe import invoice_payments
from paybylink.sandbox.stripe.amounts import display
from paybylink.sandbox.stripe.call import NOBODY
from paybylink.sandbox.stripe.charges import new_charge
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.payments import let_fail, let_succeed
from paybylink.sandbox.stripe.sessions import delayed_method
from paybylink.sandbox.vendor import Act, Attempted, Button, Confirmation, Line, NotPayable, Payable

_SENTENCES = {"paid": "This invoice has been paid.", "void": "This invoice is void; nothing is to be paid."}


def find(engine: Engine, identifier: str) -> Document | None:
    """A finalised invoice; a draft has no page yet."""
    invoice = engine.get("invoice", identifier)
    return None if invoice is None or invoice["status"] == "draft" else invoice


def shown_page(engine: Engine, invoice: Document, act: Act) -> Payable:
    """What the page shows."""
    total, currency = display(invoice["amount_due"], invoice["currency"]), invoice["currency"]
    types = intent_of(engine, invoice)["payment_method_types"]
    delayed = [name for name in types if name != "card"][:1] or [delayed_method(currency)]
    later = delayed[0].replace("_", " ").replace("sepa", "SEPA")
    return Payable(
        vendor="Stripe",
        closed=_closed(engine, invoice),
        currency=currency.upper(),
        amount=total,
        lines=tuple(
            Line(str(one["description"]), display(one["amount"], currency)) for one in invoice["_lines"]
        ),
        buttons=(
            Button("card", f"Pay {total} by card"),
            Button("delayed", f"Pay by {later}, money later"),
            Button("declined", "Pay by a card that is declined"),
        ),
        note=f"Invoice {invoice['number']}",
        email=act.email or invoice["customer_email"] or "",
        email_locked=True,
    )


def attempt(engine: Engine, invoice: Document, act: Act) -> Attempted:
    """
    What became of a payer's act.

    Raises:
        NotPayable: the invoice is paid or void, or a payment is under way.
    """
    with engine.transaction():
        closed = _closed(engine, invoice)
        if closed is not None:
            raise NotPayable(closed, closed=True)
        intent = intent_of(engine, invoice)
        payer = {"email": invoice["customer_email"], "name": act.name or invoice["customer_name"]}
        charge = new_charge(engine, payer, intent, act.how)
        intent["latest_charge"] = charge["id"]
        intent["payment_method"] = charge["payment_method"]
        invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
        if act.how == "declined":
            _failed(engine, invoice, intent, charge, declined=True)
        elif act.how == "delayed":
            intent["status"], charge["status"] = "processing", "pending"
            _write(engine, invoice, intent, charge)
            _ = emit(engine, "charge.pending", charge, origin=NOBODY)
            _ = emit(engine, "payment_intent.processing", intent, origin=NOBODY)
        else:
            _paid(engine, invoice, intent, charge)
    return Attempted(
        payment=intent["id"],
        session=invoice["id"],
        status="open" if act.how == "declined" else "complete",
        payment_status="paid" if act.how == "card" else "unpaid",
        next_url=None if act.how == "declined" else f"{engine.base_url}/pay/{invoice['id']}/done",
    )


def settle(engine: Engine, intent: Document, *, succeeded: bool) -> Document:
    """The payment intent of a delayed payment of an invoice, after its money came or did not."""
    with engine.transaction():
        invoice, charge = (
            engine.get("invoice", intent["_invoice"]),
            engine.get("charge", intent["latest_charge"]),
        )
        if invoice is None or charge is None:
            raise LookupError(f"the invoice or charge of {intent['id']} is gone")
        if succeeded:
            _paid(engine, invoice, intent, charge)
        else:
            _failed(engine, invoice, intent, charge, declined=False)
    return intent


def confirmation(engine: Engine, identifier: str) -> Confirmation | None:
    """The page that confirms a payment of an invoice, certain or under way."""
    invoice = find(engine, identifier)
    if invoice is None or not invoice["attempted"]:
        return None
    amount = display(invoice["total"], invoice["currency"])
    return Confirmation(paid=invoice["status"] == "paid", amount=amount)


def intent_of(engine: Engine, invoice: Document) -> Document:
    """The payment intent of a finalised invoice."""
    name = invoice_payments.of_invoice(engine, invoice)["payment"]["payment_intent"]
    intent = engine.get("payment_intent", name)
    if intent is None:
        raise LookupError(f"the payment intent of {invoice['id']} is gone")
    return intent


def _closed(engine: Engine, invoice: Document) -> str | None:
    if invoice["status"] in _SENTENCES:
        return _SENTENCES[invoice["status"]]
    under_way = intent_of(engine, invoice)["status"] == "processing"
    return "A payment of this invoice is under way." if under_way else None


def _paid(engine: Engine, invoice: Document, intent: Document, charge: Document) -> None:
    let_succeed(engine, intent, charge, charge["amount"])
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice["status_transitions"]["paid_at"] = engine.timestamp()
    _write(engine, invoice, intent, charge)
    payment = invoice_payments.ended(engine, invoice, "paid")
    _ = emit(engine, "charge.succeeded", charge, origin=NOBODY)
    _ = emit(engine, "payment_intent.succeeded", intent, origin=NOBODY)
    _ = emit(engine, "invoice_payment.paid", payment, origin=NOBODY)
    _ = emit(engine, "invoice.paid", invoice, origin=NOBODY)
    _ = emit(engine, "invoice.payment_succeeded", invoice, origin=NOBODY)


def _failed(engine: Engine, invoice: Document, intent: Document, charge: Document, *, declined: bool) -> None:
    let_fail(engine, intent, charge, declined=declined)
    _ = engine.put("invoice", invoice)
    _ = emit(engine, "charge.failed", charge, origin=NOBODY)
    _ = emit(engine, "payment_intent.payment_failed", intent, origin=NOBODY)
    _ = emit(engine, "invoice.payment_failed", invoice, origin=NOBODY)


def _write(engine: Engine, invoice: Document, intent: Document, charge: Document) -> None:
    _ = engine.put("invoice", invoice)
    _ = engine.put("payment_intent", intent)
    _ = engine.put("charge", charge)
