"""Sales invoices at Mollie: what an invoice needs, how it is read, found, closed and paid."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.errors import (
    IntegrityBreach,
    InvalidInput,
    OutcomeUnknown,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.kinds import HostedInvoice
from paybylink.lines import LineItem
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import PaymentStatus
from paybylink.providers.base import LinkRequest, VendorLinkStatus

from .mollie_given import (
    ATTEMPT_ID,
    CUSTOMER,
    INVOICE,
    INVOICED,
    KEY,
    LINK_ID,
    NOW,
    PAYMENT,
    PROFILE,
    account,
    create,
    drive,
    invoice_asked,
    invoiced_to,
    organisation,
    recorded,
    reply,
)


def written(request: LinkRequest | None = None) -> dict[str, Any]:
    """The JSON that is sent."""
    found: dict[str, Any] = json.loads(
        account().write_link(request or invoice_asked(), key=KEY, now=NOW).body
    )
    return found


def faults_of(request: LinkRequest) -> set[str]:
    """What is named as wrong."""
    with pytest.raises(InvalidInput) as caught:
        _ = written(request)
    assert "Marked" not in str(caught.value)
    return {fault.path for fault in caught.value.faults}


def line(minor: int, rate: str | None = "20", *, included: bool = False, quantity: str = "1") -> LineItem:
    return LineItem(
        description="Logo",
        unit_price=Money(minor, "EUR"),
        quantity=Decimal(quantity),
        vat_rate=None if rate is None else Decimal(rate),
        vat_included=included,
    )


def of_lines(*lines: LineItem, **content: Any) -> Order:
    return Order(**{"reference": "R", "lines": lines, "customer": CUSTOMER, **content})


def test_a_hosted_invoice_is_a_sales_invoice_that_is_issued_and_not_sent() -> None:
    """Lines with their rates, prices with or without VAT said, our marks as metadata, and no mail of Mollie's."""
    body = written()

    assert body == {
        "status": "issued",
        "recipientIdentifier": "C-17",
        "recipient": {
            "type": "consumer",
            "givenName": "Marked",
            "familyName": "Martin",
            "streetAndNumber": "rue du Bac 1",
            "postalCode": "75007",
            "city": "Paris",
            "country": "FR",
            "email": "marked-payer@example.com",
            "phone": "+33639981234",
            "locale": "fr_FR",
        },
        "lines": [
            {
                "description": "Logo design",
                "quantity": 1,
                "vatRate": "20.00",
                "unitPrice": {"currency": "EUR", "value": "41.58"},
            }
        ],
        "vatMode": "exclusive",
        "paymentTerm": "30 days",
        "metadata": {
            "paybylink_link": LINK_ID,
            "paybylink_attempt": ATTEMPT_ID,
            "paybylink_reference": "INV-2026-031",
        },
        "memo": "Logo design",
    }


def test_the_invoices_page_is_the_link() -> None:
    """One POST, compared with what was asked."""
    link, (request,) = drive(create(account(), invoice_asked()), recorded("invoice_issued"))

    assert request.url.path == "/v2/sales-invoices"
    assert (link.vendor_id, link.status, link.mode) == (INVOICE, VendorLinkStatus.OPEN, Mode.TEST)
    assert link.url == "https://www.mollie.com/checkout/invoice/4PbLHosted"
    assert (link.link_id, link.attempt_id) == (LINK_ID, ATTEMPT_ID)


def test_mollie_never_ends_an_invoice() -> None:
    """It is due one day, and can be paid after it; whoever wants it gone cancels it."""
    assert account().ends_at(invoice_asked(), now=NOW) is None


def test_a_company_is_invoiced_by_its_name_and_vat_number() -> None:
    """A contact's name is no must; a code of the books is no must either."""
    order = invoiced_to(name="", organisation="Atelier SARL", vat_number="FR40303265045", code="")

    body = written(invoice_asked(order))

    recipient = body["recipient"]
    assert (recipient["type"], recipient["organizationName"]) == ("business", "Atelier SARL")
    assert recipient["vatNumber"] == "FR40303265045"
    assert "givenName" not in recipient
    assert body["recipientIdentifier"] == "marked-payer@example.com"


def test_prices_with_vat_are_said_to_be_so() -> None:
    """How they are rounded makes no difference then; quantities that are not whole move into the text."""
    order = of_lines(
        line(999, "5.5", included=True, quantity="3"), line(1000, "0", included=True, quantity="1.5")
    )

    body = written(invoice_asked(order))

    assert body["vatMode"] == "inclusive"
    assert [(one["description"], one["quantity"], one["vatRate"]) for one in body["lines"]] == [
        ("Logo", 3, "5.50"),
        ("1.5 × Logo", 1, "0.00"),
    ]
    assert "memo" not in body


def test_a_long_line_is_visibly_shortened() -> None:
    """An invoice shows 100 characters."""
    order = of_lines(LineItem(description="x" * 120, unit_price=Money(1000, "EUR"), vat_rate=20))

    assert written(invoice_asked(order))["lines"][0]["description"] == "x" * 99 + "…"


@pytest.mark.parametrize(
    ("language", "locale", "told"),
    [
        ("fr-BE", None, "fr_BE"),
        ("fr-CA", None, "fr_FR"),
        ("de-AT", None, "de_AT"),
        ("nl", None, "nl_NL"),
        ("en-US", None, "en_US"),
        ("en", None, "en_GB"),
        ("pl", None, "en_GB"),
        (None, None, "en_GB"),
        ("fr", "nl-BE", "nl_BE"),
    ],
)
def test_an_invoice_speaks_the_customers_language_where_mollie_does(
    language: str | None, locale: str | None, told: str
) -> None:
    """English otherwise."""
    request = invoice_asked(invoiced_to(language=language), locale=locale)

    assert written(request)["recipient"]["locale"] == told


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        pytest.param(invoice_asked(days=21), {"kind.due_in_days"}, id="a-term-mollie-lacks"),
        pytest.param(invoice_asked(evolve(INVOICED, customer=None)), {"order.customer"}, id="nobody"),
        pytest.param(invoice_asked(invoiced_to(name="Madonna")), {"order.customer.name"}, id="one-name"),
        pytest.param(
            invoice_asked(invoiced_to(email=None, address=None)),
            {"order.customer.email", "order.customer.address"},
            id="no-way-to-reach",
        ),
        pytest.param(
            invoice_asked(invoiced_to(organisation="Atelier SARL")),
            {"order.customer.vat_number"},
            id="no-vat-number",
        ),
        pytest.param(
            invoice_asked(Order(reference="R", amount=Money(1, "EUR"), customer=CUSTOMER)),
            {"order.lines"},
            id="no-lines",
        ),
        pytest.param(
            invoice_asked(of_lines(line(100), line(100, None))), {"order.lines[1].vat_rate"}, id="no-rate"
        ),
        pytest.param(
            invoice_asked(of_lines(line(100), line(100, included=True))), {"order.lines"}, id="mixed-prices"
        ),
        pytest.param(
            invoice_asked(of_lines(line(33), line(33), line(33))), {"order.lines"}, id="rounding-per-line"
        ),
        pytest.param(
            invoice_asked(of_lines(line(12, "20"), line(24, "10"))),
            {"order.lines"},
            id="rounding-at-once",
        ),
        pytest.param(
            invoice_asked(
                evolve(
                    INVOICED,
                    customer=None,
                    checkout=Checkout(extra={"mollie": {"emailDetails": {}, "memo": "x"}}),
                ),
                days=8,
            ),
            {"order.checkout.extra.mollie.emailDetails", "kind.due_in_days", "order.customer"},
            id="all-at-once",
        ),
    ],
)
def test_what_a_legal_invoice_lacks_is_named_at_once(request_: LinkRequest, wrong: set[str]) -> None:
    """Before anything is sent; also whatever could make its total another one than ours."""
    assert faults_of(request_) == wrong


def test_raw_fields_of_an_invoice_pass_through() -> None:
    """Those that break no promise."""
    order = evolve(INVOICED, checkout=Checkout(extra={"mollie": {"vatScheme": "one-stop-shop"}}))

    assert written(invoice_asked(order))["vatScheme"] == "one-stop-shop"


@pytest.mark.parametrize(
    "content", [{"methods": ["ideal"]}, {"language": "fr"}, {"statement": "LOGO"}], ids=str
)
def test_an_invoice_cannot_be_restricted(content: dict[str, Any]) -> None:
    """Mollie's invoices offer what the account has."""
    with pytest.raises(UnsupportedCapability):
        _ = written(invoice_asked(evolve(INVOICED, checkout=Checkout(**content))))


def test_a_token_says_profile_and_mode_of_an_invoice() -> None:
    """As in every body."""
    body = json.loads(organisation().write_link(invoice_asked(), key=KEY, now=NOW).body)

    assert (body["profileId"], body["testmode"]) == (PROFILE, True)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"id": "pl_1"}, {"id"}),
        ({"mode": "live"}, {"mode"}),
        ({"totalAmount": {"currency": "EUR", "value": "49.91"}}, {"totalAmount"}),
        ({"totalAmount": None}, {"totalAmount"}),
        ({"metadata": None}, {"metadata.paybylink_link", "metadata.paybylink_attempt"}),
        (
            {"_links": {"invoicePayment": {"href": "https://evil.example/"}}},
            {"_links.invoicePayment"},
        ),
    ],
    ids=["another-thing", "mode", "total", "no-total", "marks", "host"],
)
def test_an_invoice_that_differs_is_not_believed(changes: dict[str, Any], wrong: set[str]) -> None:
    """Above all by its total."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(create(account(), invoice_asked()), recorded("invoice_issued", **changes))

    assert set(caught.value.differences) == wrong


def test_an_invoice_whose_page_is_not_there_yet_is_looked_at_once_more() -> None:
    """Whether it is there at once is not documented; the answer to the same key would stay the same."""
    link, requests = drive(
        create(account(), invoice_asked()), recorded("invoice_without_page"), recorded("invoice_issued")
    )

    assert [request.method for request in requests] == ["POST", "GET"]
    assert link.url


def test_an_invoice_without_a_page_is_an_unknown_outcome_and_not_a_second_invoice() -> None:
    """It was made; calling again finds it."""
    with pytest.raises(OutcomeUnknown):
        _ = drive(
            create(account(), invoice_asked()),
            recorded("invoice_without_page"),
            recorded("invoice_without_page"),
        )


def test_a_lost_invoice_is_found_by_its_metadata() -> None:
    """And compared."""
    link, (request,) = drive(
        account().find_link(invoice_asked(notify_url=None), since=NOW, now=NOW), recorded("invoices_page")
    )

    assert request.url.path == "/v2/sales-invoices"
    assert link is not None
    assert (link.vendor_id, link.attempt_id) == (INVOICE, ATTEMPT_ID)


def test_a_lost_invoice_may_not_be_there() -> None:
    """Then it can be asked for anew."""
    page = recorded("invoices_page")
    page["_embedded"]["sales_invoices"] = page["_embedded"]["sales_invoices"][:1]

    found, _ = drive(account().find_link(invoice_asked(), since=NOW, now=NOW), page)

    assert found is None


@pytest.mark.parametrize(
    ("name", "changes", "status"),
    [
        ("invoice_issued", {}, VendorLinkStatus.OPEN),
        ("invoice_paid", {}, VendorLinkStatus.CLOSED),
        ("invoice_cancelled", {}, VendorLinkStatus.CLOSED),
        ("invoice_cancelled", {"status": "canceled"}, VendorLinkStatus.CLOSED),
        ("invoice_issued", {"status": "draft", "_links": {}}, VendorLinkStatus.UNKNOWN),
        ("invoice_issued", {"status": "of-tomorrow"}, VendorLinkStatus.UNKNOWN),
    ],
)
def test_an_invoices_status_says_whether_it_can_be_paid(
    name: str, changes: dict[str, Any], status: VendorLinkStatus
) -> None:
    """Cancelled with one l or two."""
    link, _ = drive(account().fetch_link(INVOICE), recorded(name, **changes))

    assert link.status is status


def test_an_invoice_is_closed_by_cancelling_it() -> None:
    """A PATCH of its status."""
    link, (request,) = drive(account().close_link(INVOICE, key=KEY, now=NOW), recorded("invoice_cancelled"))

    assert (request.method, request.content) == ("PATCH", b'{"status": "cancelled"}')
    assert request.url.path == f"/v2/sales-invoices/{INVOICE}"
    assert link.status is VendorLinkStatus.CLOSED


@pytest.mark.parametrize("name", ["invoice_paid", "invoice_cancelled"])
def test_an_invoice_that_cannot_be_cancelled_because_it_is_closed_is_closed(name: str) -> None:
    """Closing a closed one is no error."""
    link, _ = drive(
        account().close_link(INVOICE, key=KEY, now=NOW),
        reply(recorded("error_cannot_be_cancelled"), 422),
        recorded(name),
    )

    assert link.status is VendorLinkStatus.CLOSED


def test_an_invoice_that_cannot_be_cancelled_and_is_open_is_a_refusal() -> None:
    """It is not called closed."""
    with pytest.raises(ProviderError):
        _ = drive(
            account().close_link(INVOICE, key=KEY, now=NOW),
            reply(recorded("error_cannot_be_cancelled"), 422),
            recorded("invoice_issued"),
        )


def test_an_invoice_that_mollie_leaves_open_is_not_called_closed() -> None:
    """What is answered counts."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().close_link(INVOICE, key=KEY, now=NOW), recorded("invoice_issued"))


@pytest.mark.parametrize("as_list", [True, False], ids=["a-list", "an-object"])
def test_an_invoice_was_paid_by_the_payment_that_it_names(as_list: bool) -> None:
    """Which is told as an object and seen as a list."""
    invoice = recorded("invoice_paid")
    if not as_list:
        invoice["paymentDetails"] = invoice["paymentDetails"][0]

    (payment,), requests = drive(account().payments_of(INVOICE), invoice, recorded("payment_paid_by_card"))

    assert [request.url.path for request in requests] == [
        f"/v2/sales-invoices/{INVOICE}",
        f"/v2/payments/{PAYMENT}",
    ]
    assert (payment.vendor_id, payment.link_vendor_id) == (PAYMENT, INVOICE)
    assert payment.status is PaymentStatus.SUCCEEDED


def test_an_invoice_was_paid_by_the_payments_of_the_link_that_it_names() -> None:
    """Somebody joined them in the dashboard."""
    invoice = recorded(
        "invoice_paid", paymentDetails={"source": "payment-link", "sourceReference": "pl_4PbLSingle"}
    )

    payments, _ = drive(account().payments_of(INVOICE), invoice, recorded("payments_of_link"))

    assert [one.vendor_id for one in payments if one.status is PaymentStatus.SUCCEEDED] == [PAYMENT]
    # By the other link's id they would be money that no link of ours explains, and the invoice would stay unpaid.
    assert {(one.link_vendor_id, one.link_id, one.attempt_id) for one in payments} == {
        (INVOICE, LINK_ID, ATTEMPT_ID)
    }


def test_an_invoice_that_was_paid_otherwise_stands_for_itself() -> None:
    """By hand in the dashboard: there is no payment at Mollie."""
    (payment,), _ = drive(account().payments_of(INVOICE), recorded("invoice_paid_otherwise"))
    again, _ = drive(account().fetch_payment(INVOICE), recorded("invoice_paid_otherwise"))

    assert payment == again
    assert (payment.vendor_id, payment.amount) == (INVOICE, Money(4990, "EUR"))
    assert payment.at == dt.datetime(2026, 1, 2, 10, tzinfo=dt.UTC)
    assert (payment.status, payment.attempt_id) == (PaymentStatus.SUCCEEDED, ATTEMPT_ID)


def test_an_invoice_that_names_something_unknown_stands_for_itself() -> None:
    """A source of tomorrow is no reason to lose the money."""
    invoice = recorded("invoice_paid", paymentDetails={"source": "of-tomorrow", "sourceReference": "xy_1"})

    (payment,), _ = drive(account().payments_of(INVOICE), invoice)

    assert payment.vendor_id == INVOICE


def test_a_phone_number_may_be_missing() -> None:
    """It is no must."""
    assert "phone" not in written(invoice_asked(invoiced_to(phone=None)))["recipient"]


def test_an_invoice_that_is_not_paid_has_no_payments() -> None:
    """Nor is it one."""
    assert drive(account().payments_of(INVOICE), recorded("invoice_issued"))[0] == []
    with pytest.raises(IntegrityBreach):
        _ = drive(account().fetch_payment(INVOICE), recorded("invoice_issued"))


def test_a_paid_invoice_that_does_not_say_when_is_not_believed() -> None:
    """A booking needs a day."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().payments_of(INVOICE), recorded("invoice_paid_otherwise", paidAt=None))


def test_the_terms_are_those_of_mollie() -> None:
    """Each of them is taken."""
    for days in (7, 14, 30, 45, 60, 90, 120):
        assert (
            written(invoice_asked(days=days))["paymentTerm"]
            == f"{HostedInvoice(due_in_days=days).due_in_days} days"
        )
