"""
Stripe as the frame sees it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.stripe import (
    captures,
    carriage,
    disputes,
    events,
    invoice_paying,
    invoices,
    paying,
    payments,
    payouts,
    refunds,
    sessions,
    truth,
)
from paybylink.sandbox.stripe.amounts import display
from paybylink.sandbox.stripe.lists import expanded
from paybylink.sandbox.stripe.routes import stripe_routes
from paybylink.sandbox.stripe.wire import Problem
from paybylink.sandbox.vendor import (
    Act,
    Attempted,
    Carriage,
    Confirmation,
    FalseReply,
    LinkRow,
    Listed,
    Payable,
    PaymentRow,
    Refused,
    Registration,
    Rows,
)

_KINDS: dict[Listed, str] = {"links": "payment_link", "payments": "payment_intent", "refunds": "refund"}
_PHRASES = {
    401: ("invalid_request_error", None, "Invalid API Key provided."),
    409: (
        "idempotency_error",
        "idempotency_key_in_use",
        "Another request with this idempotency key is in progress.",
    ),
    429: ("invalid_request_error", "rate_limit", "Too many requests hit the API too quickly."),
}


class StripeVendor:
    """Stripe; see `paybylink.sandbox.vendor.Vendor` for what each method promises."""

    name = "stripe"
    title = "Stripe"
    key_hint = "any sk_test_ key"
    batches = False

    def routes(self, engine: Engine) -> list[Route]:
        return stripe_routes(engine)

    def false_reply(self, engine: Engine, status: int) -> FalseReply:
        kind, code, message = _PHRASES.get(
            status, ("api_error", None, "Something went wrong on the sandbox's end.")
        )
        error: Document = {"type": kind, "message": message}
        if code:
            error["code"] = code
        limited = {"stripe-rate-limited-reason": "global-rate"} if status == 429 else {}
        return FalseReply({"error": error}, {"request-id": engine.new_id("req_", 14), **limited})

    def expire_due(self, engine: Engine) -> None:
        sessions.expire_due(engine)
        captures.lapse_due(engine)
        invoices.remind_due(engine)

    def find(self, engine: Engine, identifier: str, act: Act) -> Payable | None:
        invoice = invoice_paying.find(engine, identifier)
        if invoice is not None:
            return invoice_paying.shown_page(engine, invoice, act)
        visited = paying.visit(engine, identifier, act.session)
        return None if visited is None else paying.shown_page(visited, act)

    def pay(self, engine: Engine, identifier: str, act: Act) -> Attempted:
        invoice = invoice_paying.find(engine, identifier)
        if invoice is not None:
            return invoice_paying.attempt(engine, invoice, act)
        visited = paying.visit(engine, identifier, act.session)
        if visited is None:
            raise LookupError(f"{identifier} is gone")
        session = paying.attempt(engine, visited, act)
        complete = session["status"] == "complete"
        return Attempted(
            payment=session["payment_intent"],
            session=session["id"],
            status=session["status"],
            payment_status=session["payment_status"],
            next_url=paying.after_payment(engine, session) if complete else None,
        )

    def confirmation(self, engine: Engine, identifier: str) -> Confirmation | None:
        return invoice_paying.confirmation(engine, identifier) or paying.confirmation(engine, identifier)

    def settle(self, engine: Engine, target: str, *, succeeded: bool) -> list[str]:
        named = urlsplit(target).path.rstrip("/").rpartition("/")[2]
        waiting = [
            intent
            for intent in engine.find("payment_intent", ("status", "=", "processing"), newest_first=False)
            if _concerns(engine, intent, named)
        ]
        for intent in waiting:
            let = invoice_paying if intent.get("_invoice") else payments
            _ = let.settle(engine, intent, succeeded=succeeded)
        return [intent["id"] for intent in waiting]

    def finish(self, engine: Engine, identifier: str, *, succeeded: bool) -> Document | None:
        found = engine.get("refund", identifier)
        if found is None or found["status"] != "pending":
            return None
        return shown(refunds.finish(engine, found, succeeded=succeeded))

    def fail_refund(self, engine: Engine, refund: str) -> Document | None:
        found = engine.get("refund", refund)
        if found is None or found["status"] != "succeeded":
            return None
        return shown(refunds.fail(engine, found))

    def dispute(self, engine: Engine, payment: str, *, reason: str, amount: int | None) -> Document | None:
        intent = engine.get("payment_intent", payment)
        charge = engine.get("charge", payment if intent is None else intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            return None
        return shown(disputes.opened(engine, charge, reason=reason, amount=amount))

    def close_dispute(self, engine: Engine, dispute: str, *, won: bool) -> Document | None:
        found = engine.get("dispute", dispute)
        return None if found is None else shown(disputes.closed(engine, found, won=won))

    def payout(self, engine: Engine, *, currency: str | None) -> Document:
        return shown(payouts.paid_out(engine, currency))

    def truth(self, engine: Engine) -> Document:
        return truth.told(engine)

    def register(self, engine: Engine, registration: Registration) -> Document:
        place = registration.place
        try:
            endpoint = events.register(
                engine,
                registration.url,
                events=list(registration.events),
                secret=registration.secret,
                identifier=None if place is None else f"we_sandbox_{place}",
            )
        except Problem as problem:
            raise Refused(problem.message) from None
        if registration.api_version:
            _ = engine.put("webhook_endpoint", {**endpoint, "api_version": registration.api_version})
        return {"id": endpoint["id"], "secret": endpoint["_secret"]}

    def carriage(self, engine: Engine, events: list[str], endpoint: str) -> Carriage | None:
        return carriage.carriage(engine, events[0], endpoint)

    def accepts(self, status: int) -> bool:
        return 200 <= status < 300

    def listing(self, engine: Engine, what: Listed) -> list[Document]:
        paths = ["latest_charge"] if what == "payments" else []
        found = engine.find(_KINDS[what], newest_first=False)
        return [expanded(engine, shown(document), paths) for document in found]

    def rows(self, engine: Engine) -> Rows:
        links = [_link_row(link) for link in engine.find("payment_link", limit=100)]
        invoiced = engine.find("invoice", ("hosted_invoice_url", ">", ""), limit=100)
        return Rows(
            (*links, *(_invoice_row(invoice) for invoice in invoiced)),
            tuple(
                PaymentRow(
                    id=intent["id"],
                    amount=display(intent["amount"], intent["currency"]),
                    state=intent["status"].replace("_", " "),
                    waiting=intent["status"] == "processing",
                )
                for intent in engine.find("payment_intent", ("latest_charge", ">", ""), limit=100)
            ),
        )


def _concerns(engine: Engine, intent: Document, named: str) -> bool:
    if intent.get("_invoice"):
        return named in {intent["id"], intent["_invoice"]}
    session = engine.find("checkout.session", ("payment_intent", "=", intent["id"]))[0]
    return named in {intent["id"], session["id"], session["payment_link"]}


def _link_row(link: Document) -> LinkRow:
    items = link["_line_items"]
    fixed = items[0]["price"]["custom_unit_amount"] is None
    total = sum(item["amount_total"] for item in items)
    state = "active" if link["active"] else "inactive"
    if link["restrictions"]:
        completed = link["restrictions"]["completed_sessions"]
        state += f", {completed['count']} of {completed['limit']} paid"
    return LinkRow(
        id=link["id"],
        url=link["url"],
        text=", ".join(str(item["description"]) for item in items),
        amount=display(total, link["currency"]) if fixed else "chosen by the payer",
        state=state,
    )


def _invoice_row(invoice: Document) -> LinkRow:
    return LinkRow(
        id=invoice["id"],
        url=invoice["hosted_invoice_url"],
        text=f"invoice {invoice['number']}",
        amount=display(invoice["total"], invoice["currency"]),
        state=invoice["status"],
    )
