"""Stripe's invoices in the sandbox: drafted, finalised, paid on their page, voided, overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError

from .sandbox_given import Listener


def drafted(client: stripe.StripeClient, *amounts: int, **changes: Any) -> stripe.Invoice:
    """A draft for Zoé with a line for each amount in cents."""
    customer = client.v1.customers.create({"name": "Zoé Martin", "email": "zoe@example.com"})
    params: Any = {
        "customer": customer.id,
        "collection_method": "send_invoice",
        "days_until_due": 30,
        "currency": "eur",
        "pending_invoice_items_behavior": "exclude",
        "metadata": {"order": "INV-31"},
        **changes,
    }
    invoice = client.v1.invoices.create(params)
    assert invoice.id is not None
    for place, amount in enumerate(amounts):
        _ = client.v1.invoice_items.create(
            {
                "customer": customer.id,
                "invoice": invoice.id,
                "description": f"Position {place}",
                "amount": amount,
                "currency": "eur",
            }
        )
    return client.v1.invoices.retrieve(invoice.id)


def opened(client: stripe.StripeClient, *amounts: int) -> Any:
    """A finalised invoice."""
    return client.v1.invoices.finalize_invoice(drafted(client, *(amounts or (4990,))).id or "")


def test_a_draft_becomes_an_invoice(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """Before it has no number, page and payment; after it has all, and its lines stand fast."""
    draft = drafted(client, 5000, -10)
    before = (draft.status, draft.number, draft.hosted_invoice_url, sandbox.control.truth()["links"])
    invoice = client.v1.invoices.finalize_invoice(draft.id or "")
    payments = client.v1.invoice_payments.list({"invoice": invoice.id or ""}).data

    assert before == ("draft", None, None, [])
    assert (invoice.status, invoice.total, invoice.amount_due) == ("open", 4990, 4990)
    assert invoice.number is not None
    assert invoice.hosted_invoice_url is not None
    assert invoice.due_date == (invoice.status_transitions.finalized_at or 0) + 30 * 86400
    assert [line.amount for line in invoice.lines.data] == [5000, -10]
    assert [(payment.status, payment.amount_requested) for payment in payments] == [("open", 4990)]
    assert sandbox.control.truth()["links"][0]["status"] == "open"
    assert sandbox.control.truth()["payments"] == []
    with pytest.raises(stripe.InvalidRequestError) as fast:
        _ = client.v1.invoice_items.create(
            {"customer": str(invoice.customer), "invoice": invoice.id or "", "amount": 1, "currency": "eur"}
        )
    assert fast.value.code == "invoice_not_editable"


@pytest.mark.parametrize(
    ("how", "settled", "told", "status"),
    [
        (
            "card",
            None,
            [
                "charge.succeeded",
                "payment_intent.succeeded",
                "invoice_payment.paid",
                "invoice.paid",
                "invoice.payment_succeeded",
            ],
            "paid",
        ),
        (
            "declined",
            None,
            ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"],
            "open",
        ),
        ("delayed", None, ["charge.pending", "payment_intent.processing"], "processing"),
        (
            "delayed",
            True,
            [
                "charge.pending",
                "payment_intent.processing",
                "charge.succeeded",
                "payment_intent.succeeded",
                "invoice_payment.paid",
                "invoice.paid",
                "invoice.payment_succeeded",
            ],
            "paid",
        ),
        (
            "delayed",
            False,
            [
                "charge.pending",
                "payment_intent.processing",
                "charge.failed",
                "payment_intent.payment_failed",
                "invoice.payment_failed",
            ],
            "open",
        ),
    ],
    ids=["card", "declined", "under way", "came", "did not come"],
)
def test_a_payer_pays_an_invoice(
    sandbox: Sandbox,
    client: stripe.StripeClient,
    listener: Listener,
    how: Any,
    settled: bool | None,
    told: list[str],
    status: str,
) -> None:
    """On its page, at once, later or not, with the events in order; one payment intent through all tries."""
    invoice = opened(client)
    _ = sandbox.control.register_webhook(listener.url)
    attempt = sandbox.control.pay(invoice.hosted_invoice_url, how=how)
    if settled is not None:
        assert sandbox.control.settle(invoice.id, succeeded=settled) == [attempt.payment]
    _ = sandbox.control.flush_webhooks()

    payment = client.v1.invoice_payments.list({"invoice": invoice.id}).data[0]
    assert listener.types == told
    assert payment.payment.payment_intent == attempt.payment
    assert payment.status == ("paid" if status == "paid" else "open")
    link = sandbox.control.truth()["links"][0]
    assert (link["id"], link["status"], link["payments"]) == (invoice.id, status, [attempt.payment])
    assert client.v1.invoices.retrieve(invoice.id).amount_paid == (4990 if status == "paid" else 0)


def test_the_page_of_an_invoice(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """It shows number and lines, leads nowhere else, and closes with the invoice; a draft has none."""
    invoice, draft = opened(client, 4000, 990), drafted(client, 100)
    with httpx.Client() as browser:
        page = browser.get(invoice.hosted_invoice_url)
        declined = browser.post(invoice.hosted_invoice_url, data={"how": "declined"})
        done = browser.post(invoice.hosted_invoice_url, data={"how": "card"}, follow_redirects=True)
        closed = browser.get(invoice.hosted_invoice_url)
        none = browser.get(f"{sandbox.url}/pay/{draft.id}")
        front = browser.get(sandbox.url)

    assert invoice.number in page.text
    assert "Position 1" in page.text
    assert "Back to the shop" not in page.text
    assert declined.status_code == 402
    assert "Thank you for your payment" in done.text
    assert (closed.status_code, none.status_code) == (410, 404)
    assert invoice.hosted_invoice_url in front.text


def test_an_invoice_is_voided(sandbox: Sandbox, client: stripe.StripeClient, listener: Listener) -> None:
    """Void cannot be paid any more; paid cannot be voided; nor can one whose payment is under way."""
    _ = sandbox.control.register_webhook(listener.url, events=("invoice.voided", "payment_intent.canceled"))
    first, paid, waiting = opened(client), opened(client), opened(client)
    _ = sandbox.control.pay(paid.hosted_invoice_url)
    _ = sandbox.control.pay(waiting.hosted_invoice_url, how="delayed")
    voided = client.v1.invoices.void_invoice(first.id)
    for other in (paid, waiting, first):
        with pytest.raises(stripe.InvalidRequestError):
            _ = client.v1.invoices.void_invoice(other.id)
    with pytest.raises(SandboxError, match="void"):
        _ = sandbox.control.pay(first.hosted_invoice_url)
    _ = sandbox.control.flush_webhooks()

    assert voided.status == "void"
    assert listener.types == ["payment_intent.canceled", "invoice.voided"]
    assert [one["status"] for one in sandbox.control.truth()["links"]] == ["closed", "paid", "processing"]


def test_an_invoice_paid_elsewhere_or_written_off(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """Money from outside makes it paid without a payment; what is written off can still be paid."""
    outside, lost = opened(client), opened(client)
    paid = client.v1.invoices.pay(outside.id, {"paid_out_of_band": True})
    written = client.v1.invoices.mark_uncollectible(lost.id)
    _ = sandbox.control.pay(lost.hosted_invoice_url)

    assert (paid.status, paid.amount_paid_off_stripe, written.status) == ("paid", 4990, "uncollectible")
    assert client.v1.invoices.retrieve(lost.id).status == "paid"
    assert len(sandbox.control.truth()["payments"]) == 1


def test_a_due_date_is_told_once_and_stops_nobody(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """invoice.overdue comes once; the page still takes money."""
    _ = sandbox.control.register_webhook(listener.url, events=("invoice.overdue", "invoice.paid"))
    invoice = opened(client)
    _ = sandbox.control.move_clock(timedelta(days=31))
    _ = sandbox.control.move_clock(timedelta(days=1))
    _ = sandbox.control.pay(invoice.hosted_invoice_url)
    _ = sandbox.control.flush_webhooks()

    assert listener.types == ["invoice.overdue", "invoice.paid"]


def test_only_a_draft_is_deleted(client: stripe.StripeClient) -> None:
    """Deleted is gone; a finalised one keeps its number."""
    draft, invoice = drafted(client, 100), opened(client)
    deleted = client.v1.invoices.delete(draft.id or "")
    with pytest.raises(stripe.InvalidRequestError, match="draft"):
        _ = client.v1.invoices.delete(invoice.id)

    assert deleted.deleted is True
    assert [one.id for one in client.v1.invoices.list().data] == [invoice.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": "cus_none"},
        {"customer": None},
        {"collection_method": "charge_automatically"},
        {"due_date": 1900000000},
        {"days_until_due": None},
        {"currency": "zzz"},
        {"colour": "red"},
        {"discounts": [{"coupon": "x"}]},
    ],
    ids=[
        "no such customer",
        "no customer",
        "charged",
        "two due dates",
        "no due date",
        "currency",
        "unknown",
        "unsimulated",
    ],
)
def test_invoices_that_are_refused(client: stripe.StripeClient, changes: dict[str, Any]) -> None:
    """Each is a 400, and no invoice is made."""
    customer = client.v1.customers.create({"name": "Zoé Martin"})
    params = {"customer": customer.id, "collection_method": "send_invoice", "days_until_due": 30, **changes}
    given: Any = {name: value for name, value in params.items() if value is not None}

    with pytest.raises(stripe.InvalidRequestError):
        _ = client.v1.invoices.create(given)
    assert client.v1.invoices.list().data == []


def test_items_and_totals_that_are_refused(client: stripe.StripeClient) -> None:
    """A line in another currency, of another customer, without an amount; a total that cannot be charged."""
    draft, other = drafted(client, 10), client.v1.customers.create({"name": "Ada"})
    wrong: list[Any] = [
        {"amount": 100, "currency": "usd"},
        {"amount": 100, "currency": "eur", "customer": other.id},
        {"currency": "eur"},
        {"quantity": 2, "price_data": {"currency": "eur", "product": "prod_none", "unit_amount": 1}},
        {"amount": 100, "currency": "eur", "invoice": "in_none"},
    ]
    for changes in wrong:
        given: Any = {"customer": str(draft.customer), "invoice": draft.id, **changes}
        with pytest.raises(stripe.InvalidRequestError):
            _ = client.v1.invoice_items.create(given)
    with pytest.raises(stripe.InvalidRequestError) as small:
        _ = client.v1.invoices.finalize_invoice(draft.id or "")

    assert small.value.code == "amount_too_small"
    assert client.v1.invoices.retrieve(draft.id or "").total == 10
