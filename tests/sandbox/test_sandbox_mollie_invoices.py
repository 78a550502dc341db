"""Sales invoices of the sandbox's Mollie half: totals, statuses, the page that pays them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .mollie_given import PROFILE, calling, euros, fault_of, ringing

CONSUMER = {
    "type": "consumer",
    "givenName": "Zoé",
    "familyName": "Martin",
    "email": "zoe@example.com",
    "streetAndNumber": "1 rue du Bac",
    "postalCode": "75007",
    "city": "Paris",
    "country": "FR",
    "locale": "fr_FR",
}


def line(unit: str, quantity: int = 1, rate: str = "20.00", **more: Any) -> dict[str, Any]:
    """One line."""
    return {"description": "Logo", "quantity": quantity, "vatRate": rate, "unitPrice": euros(unit), **more}


def invoice_body(**changes: Any) -> dict[str, Any]:
    """A draft over 89.00 EUR before VAT."""
    return {
        "status": "draft",
        "recipientIdentifier": "c-1",
        "recipient": CONSUMER,
        "lines": [line("89.00")],
        **changes,
    }


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


def made(api: httpx.Client, **changes: Any) -> Any:
    """A fresh invoice."""
    reply = api.post("sales-invoices", json=invoice_body(**changes))
    assert reply.status_code == 201, reply.text
    return reply.json()


def test_an_invoice_is_drafted_issued_and_paid(sandbox: Sandbox, api: httpx.Client) -> None:
    """The page is there once it is issued; a payer pays it and the invoice says by what."""
    draft = made(api, metadata={"order": "1"}, paymentTerm="14 days")
    path = f"sales-invoices/{draft['id']}"
    with pytest.raises(SandboxError, match="no payment link"):
        _ = sandbox.control.pay(draft["id"], although_closed=True)

    issued = api.patch(path, json={"status": "issued"}).json()
    page = httpx.get(issued["_links"]["invoicePayment"]["href"]).text
    attempt = sandbox.control.pay(issued["_links"]["invoicePayment"]["href"])

    paid = api.get(path).json()
    assert "invoicePayment" not in draft["_links"]
    assert (draft["invoiceNumber"], draft["dueAt"], draft["metadata"]) == (None, None, {"order": "1"})
    assert issued["invoiceNumber"] == "INV-0000001"
    assert issued["dueAt"] > issued["issuedAt"]
    assert "106.80 EUR" in page
    assert (issued["amountDue"], paid["amountDue"]) == (euros("106.80"), euros("0.00"))
    assert paid["status"] == "paid"
    assert paid["paymentDetails"] == [{"source": "payment", "sourceReference": attempt.payment}]
    assert api.get(f"payments/{attempt.payment}").json()["description"] == "Invoice INV-0000001"
    assert sandbox.control.truth()["links"] == [
        {
            "provider": "mollie",
            "id": draft["id"],
            "status": "paid",
            "amount": 10680,
            "currency": "EUR",
            "reusable": False,
            "payments": [attempt.payment],
        }
    ]
    with pytest.raises(SandboxError, match="been paid"):
        _ = sandbox.control.pay(draft["id"])


@pytest.mark.parametrize(
    ("changes", "subtotal", "discounted", "vat", "total"),
    [
        pytest.param({}, "89.00", "89.00", "17.80", "106.80", id="exclusive"),
        pytest.param({"vatMode": "inclusive"}, "74.17", "74.17", "14.83", "89.00", id="inclusive"),
        pytest.param(
            {"lines": [line("10.00", 3), line("1.01", rate="5.5")]},
            "31.01",
            "31.01",
            "6.06",
            "37.07",
            id="two-rates",
        ),
        pytest.param(
            {"lines": [line("100.00", discount={"type": "percentage", "value": "10"})]},
            "100.00",
            "90.00",
            "18.00",
            "108.00",
            id="line-discount",
        ),
        pytest.param(
            {
                "lines": [line("60.00"), line("40.00", rate="10")],
                "discount": {"type": "amount", "value": "10.00"},
            },
            "100.00",
            "90.00",
            "14.40",
            "104.40",
            id="discount-spread",
        ),
    ],
)
def test_totals_follow_from_the_lines(
    api: httpx.Client, changes: dict[str, Any], subtotal: str, discounted: str, vat: str, total: str
) -> None:
    """Worked out by hand; what is after discounts and VAT make the total."""
    invoice = made(api, **changes)

    assert invoice["subtotalAmount"] == euros(subtotal)
    assert invoice["discountedSubtotalAmount"] == euros(discounted)
    assert invoice["totalVatAmount"] == euros(vat)
    assert invoice["totalAmount"] == invoice["amountDue"] == euros(total)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"status": None}, "status", id="no-status"),
        pytest.param({"status": "sent"}, "status", id="status"),
        pytest.param({"status": "paid"}, "paymentDetails", id="paid-by-nothing"),
        pytest.param(
            {"status": "paid", "paymentDetails": {"source": "payment"}},
            "paymentDetails.sourceReference",
            id="paid-without-reference",
        ),
        pytest.param({"lines": []}, "lines", id="no-lines"),
        pytest.param(
            {"lines": [line("1.00"), {**line("1.00"), "unitPrice": {"currency": "USD", "value": "1.00"}}]},
            "lines",
            id="two-currencies",
        ),
        pytest.param(
            {"lines": [{**line("1.00"), "description": "x" * 101}]}, "lines.0.description", id="long"
        ),
        pytest.param({"lines": [{**line("1.00"), "vatRate": 20}]}, "lines.0.vatRate", id="rate-number"),
        pytest.param({"recipient": {**CONSUMER, "familyName": "M"}}, "recipient.familyName", id="short-name"),
        pytest.param({"recipient": {**CONSUMER, "type": "business"}}, "recipient", id="business-unnamed"),
        pytest.param({"recipient": {**CONSUMER, "givenName": None}}, "recipient", id="nobody"),
        pytest.param({"lines": [line("0.00")]}, "lines", id="nothing-to-pay"),
        pytest.param({"lines": {"description": "x"}}, "lines", id="lines-no-array"),
        pytest.param({"paymentTerm": "10 days"}, "paymentTerm", id="term"),
        pytest.param({"metadata": "x"}, "metadata", id="metadata-text"),
        pytest.param({"isEInvoice": True}, "isEInvoice", id="e-invoice"),
        pytest.param({"customerId": "cst_1"}, "customerId", id="customer"),
        pytest.param({"webhookUrl": "https://shop.example"}, "webhookUrl", id="unknown"),
    ],
)
def test_a_wrong_invoice_is_refused(api: httpx.Client, changes: dict[str, Any], field: str) -> None:
    """The field is named, and nothing is made."""
    assert fault_of(api.post("sales-invoices", json=invoice_body(**changes))) == (422, field)
    assert api.get("sales-invoices").json()["count"] == 0


def test_statuses_only_go_forward(api: httpx.Client) -> None:
    """An issued invoice is fixed and can be paid by other means or cancelled; then it is over."""
    draft = made(api)
    path = f"sales-invoices/{draft['id']}"
    longer = api.patch(path, json={"lines": [line("100.00")], "memo": "Thanks"}).json()
    _ = api.patch(path, json={"status": "issued"})

    assert longer["totalAmount"] == euros("120.00")
    assert fault_of(api.patch(path, json={"memo": "Other"})) == (422, "memo")
    assert fault_of(api.patch(path, json={"status": "draft"})) == (422, "status")
    assert fault_of(api.patch(path, json={})) == (422, None)
    assert fault_of(api.delete(path)) == (422, None)
    by_hand = api.patch(path, json={"status": "paid", "paymentDetails": {"source": "manual"}}).json()
    assert (by_hand["status"], by_hand["amountDue"]) == ("paid", euros("0.00"))
    assert fault_of(api.patch(path, json={"status": "cancelled"})) == (422, "status")


def test_a_cancelled_invoice_takes_no_money_but_loses_none(sandbox: Sandbox, api: httpx.Client) -> None:
    """The status has two l, its event one; a late payment is there and changes nothing."""
    with ringing() as bell:
        _ = sandbox.control.register_webhook(bell.url, provider="mollie")
        invoice = made(api, status="issued")
        over = api.patch(f"sales-invoices/{invoice['id']}", json={"status": "cancelled"}).json()
        with pytest.raises(SandboxError, match="cancelled"):
            _ = sandbox.control.pay(invoice["id"])
        late = sandbox.control.pay(invoice["id"], although_closed=True)
        _ = sandbox.control.flush_webhooks()

    assert over["status"] == "cancelled"
    assert late.payment_status == "paid"
    assert api.get(f"sales-invoices/{invoice['id']}").json()["status"] == "cancelled"
    assert bell.types == [
        "sales-invoice.created",
        "sales-invoice.issued",
        "sales-invoice.canceled",
        "payment.paid",
    ]


def test_an_invoice_can_be_paid_from_the_start(api: httpx.Client) -> None:
    """By other means: it has a number and nothing is due."""
    paid = made(api, status="paid", paymentDetails={"source": "manual"})

    assert (paid["status"], paid["amountDue"]) == ("paid", euros("0.00"))
    assert paid["invoiceNumber"]
    assert paid["paidAt"]


def test_a_draft_can_be_deleted(api: httpx.Client) -> None:
    """And is gone."""
    draft = made(api)

    assert api.delete(f"sales-invoices/{draft['id']}").status_code == 204
    assert api.get(f"sales-invoices/{draft['id']}").status_code == 404


def test_a_token_says_whose_invoice_it_is(sandbox: Sandbox) -> None:
    """As with links."""
    with calling(sandbox, "access_sandbox") as organisation:
        refused = organisation.post("sales-invoices", json=invoice_body(testmode=True))
        taken = organisation.post("sales-invoices", json=invoice_body(testmode=True, profileId=PROFILE))

    assert fault_of(refused) == (422, "profileId")
    assert taken.status_code == 201
