"""Invoices that Stripe itself makes: a chain of requests, a page that is read anew, and their payments."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink.address import Address
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
from paybylink.orders import Customer, Order
from paybylink.payments import PaymentStatus
from paybylink.providers.base import LinkRequest, Payer, VendorLinkStatus

from .stripe_given import ATTEMPT_ID, KEY, LINK_ID, NOW, account, answer, asked, drive, form, query, recorded

PAYER = Customer(name="Marked Payer", email="marked-payer@example.com")
ORDER = Order(reference="INV-2026-031", amount=Money(4990, "EUR"), description="Logo design", customer=PAYER)
INVOICE = "in_1SkPbL"
MADE = ("stripe_customer", "stripe_invoice_draft", "stripe_invoice_item", "stripe_invoice_open")


def wanted(order: Order = ORDER, days: int = 30) -> LinkRequest:
    return asked(order, HostedInvoice(due_in_days=days))


def forms(request: LinkRequest) -> list[dict[str, str]]:
    """The form of each request of the chain, with the slots as they are stored."""
    written = account().write_link(request, key=KEY, now=NOW)
    return [
        form(httpx.Request("POST", "https://x.example", content=step.body))
        for step in (written, *written.then)
    ]


def made(*names: str, **last: Any) -> tuple[Any, list[httpx.Request]]:
    """The link that comes of the chain whose last answer has `last`, and what was sent."""
    replies = [recorded(name) for name in names or MADE]
    replies[-1].update(last)
    call = account().create_link(wanted(), written=account().write_link(wanted(), key=KEY, now=NOW))
    return drive(call, *replies)


def test_an_invoice_is_made_in_steps_and_paid_only_after_the_last() -> None:
    """A customer of its own, a draft, its lines, and the finalisation that gives it number and address."""
    link, requests = made()

    assert [(request.method, request.url.path) for request in requests] == [
        ("POST", "/v1/customers"),
        ("POST", "/v1/invoices"),
        ("POST", "/v1/invoiceitems"),
        ("POST", f"/v1/invoices/{INVOICE}/finalize"),
    ]
    assert [request.headers["idempotency-key"] for request in requests] == [
        KEY,
        *(f"{KEY}-{step}" for step in (2, 3, 4)),
    ]
    customer, invoice, item, final = (form(request) if request.content else {} for request in requests)
    assert customer == {
        "name": "Marked Payer",
        "email": "marked-payer@example.com",
        "metadata[paybylink_link]": LINK_ID,
        "metadata[paybylink_attempt]": ATTEMPT_ID,
    }
    assert {name: value for name, value in invoice.items() if not name.startswith("metadata")} == {
        "customer": "cus_TkPbL",
        "collection_method": "send_invoice",
        "days_until_due": "30",
        "currency": "eur",
        "auto_advance": "false",
        "pending_invoice_items_behavior": "exclude",
        "description": "Logo design",
    }
    assert invoice["metadata[paybylink_attempt]"] == ATTEMPT_ID
    assert "metadata[paybylink_limit]" not in invoice
    assert item == {
        "customer": "cus_TkPbL",
        "invoice": INVOICE,
        "description": "Logo design",
        "amount": "4990",
        "currency": "eur",
    }
    assert final == {}
    assert (link.vendor_id, link.status, link.completed) == (INVOICE, VendorLinkStatus.OPEN, 0)
    assert link.url == "https://invoice.stripe.com/i/acct_1SkPbL/test_Marked"


def test_stripe_never_sends_it_by_email() -> None:
    """Neither by itself nor by our asking; we send the link."""
    _, requests = made()

    assert not [request for request in requests if request.url.path.endswith("/send")]
    assert form(requests[1])["auto_advance"] == "false"


def test_each_line_is_an_item_with_its_vat_in_words() -> None:
    """Amounts include VAT; a discount may take something off."""
    lines = [
        LineItem(
            description="Chair", unit_price=Money(1000, "EUR"), quantity=3, vat_rate=20, vat_included=False
        ),
        LineItem(description="Hours", unit_price=Money(8001, "EUR"), quantity="1.5"),
        LineItem(description="Discount", unit_price=Money(-100, "EUR")),
    ]
    french = Order(reference="R", lines=lines, customer=evolve(PAYER, language="fr"))

    customer, _, *items, _ = forms(wanted(french))

    assert customer["preferred_locales[0]"] == "fr"
    assert [(item["description"], item["amount"]) for item in items] == [
        ("3 × Chair (TVA 20 % incluse)", "3600"),
        ("1.5 × Hours", "12002"),
        ("Discount", "-100"),
    ]


def test_lines_that_do_not_add_up_one_by_one_are_one_item() -> None:
    """VAT is rounded per rate and not per line; the amount is never touched."""
    lines = [
        LineItem(description=f"L{number}", unit_price=Money(33, "EUR"), vat_rate=20, vat_included=False)
        for number in range(3)
    ]

    _, _, *items, _ = forms(wanted(Order(reference="R", lines=lines, description="Three", customer=PAYER)))

    assert [(item["description"], item["amount"]) for item in items] == [("Three", "119")]


def test_a_company_is_named_with_its_address_and_vat_number() -> None:
    """As a legal invoice needs it; the number in words, since Stripe would refuse one it cannot check."""
    company = Customer(
        name="Zoé",
        email="zoe@example.com",
        organisation="Atelier SARL",
        vat_number="FR12345678901",
        address=Address(street="rue X", house_number="1", city="Nantes", postal_code="44000", country="FR"),
    )

    customer, invoice, *_ = forms(wanted(evolve(ORDER, customer=company)))

    assert customer["name"] == "Atelier SARL"
    assert {name: value for name, value in customer.items() if name.startswith("address")} == {
        "address[line1]": "rue X 1",
        "address[city]": "Nantes",
        "address[postal_code]": "44000",
        "address[country]": "FR",
    }
    assert invoice["custom_fields[0][value]"] == "FR12345678901"
    abroad = forms(wanted(evolve(ORDER, customer=evolve(PAYER, country="BE"))))[0]
    assert abroad["address[country]"] == "BE"


def test_methods_statement_and_raw_fields_go_on_the_invoice() -> None:
    """Where Stripe has its places for them."""
    checkout = Checkout(
        methods=["card", "bank_transfer"], statement="Atelier", extra={"stripe": {"footer": "Merci"}}
    )

    _, invoice, *_ = forms(wanted(evolve(ORDER, checkout=checkout), days=14))

    assert invoice["payment_settings[payment_method_types][1]"] == "customer_balance"
    assert (invoice["statement_descriptor"], invoice["footer"]) == ("Atelier", "Merci")
    assert invoice["days_until_due"] == "14"


@pytest.mark.parametrize("name", ["auto_advance", "due_date", "customer", "discounts", "automatic_tax"])
def test_a_raw_field_cannot_change_what_is_due_or_who_is_told(name: str) -> None:
    """With `auto_advance` Stripe would send emails of its own."""
    order = evolve(ORDER, checkout=Checkout(extra={"stripe": {name: "x"}}))

    with pytest.raises(InvalidInput) as caught:
        _ = forms(wanted(order))
    assert [fault.path for fault in caught.value.faults] == [f"order.checkout.extra.stripe.{name}"]


@pytest.mark.parametrize(
    ("customer", "missing"),
    [
        (None, ["order.customer.name", "order.customer.email"]),
        (Customer(name="Zoé"), ["order.customer.email"]),
        (Customer(email="zoe@example.com"), ["order.customer.name"]),
        (Customer(organisation="Atelier", email="zoe@example.com"), []),
    ],
    ids=["nobody", "no-email", "no-name", "a-company"],
)
def test_an_invoice_needs_a_name_and_an_email(customer: Customer | None, missing: list[str]) -> None:
    """Each that is missing is named by its path."""
    request = wanted(evolve(ORDER, customer=customer))
    if not missing:
        assert len(forms(request)) == 4
        return
    with pytest.raises(InvalidInput) as caught:
        _ = forms(request)
    assert [fault.path for fault in caught.value.faults] == missing


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (Money(49, "EUR"), "0.50 EUR"),
        (Money(29, "GBP"), "0.30 GBP"),
        (Money(17499, "HUF"), "175.00 HUF"),
        (Money(49, "JPY"), "50 JPY"),
    ],
)
def test_a_total_below_what_is_charged_is_refused(amount: Money, told: str) -> None:
    """Stripe would finalise it with nothing due and carry it over silently."""
    with pytest.raises(InvalidInput, match=told) as caught:
        _ = forms(wanted(evolve(ORDER, amount=amount)))
    assert [fault.path for fault in caught.value.faults] == ["order.amount"]


def test_a_total_of_the_least_is_taken() -> None:
    """And where no least is known, Stripe decides."""
    for amount in (Money(50, "EUR"), Money(1, "BWP")):
        assert len(forms(wanted(evolve(ORDER, amount=amount)))) == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"object": "quote"}, "object"),
        ({"id": None}, "object"),
        ({"livemode": True}, "livemode"),
        ({"hosted_invoice_url": "https://evil.example/Marked"}, "hosted_invoice_url"),
        ({"hosted_invoice_url": None}, "hosted_invoice_url"),
        ({"currency": "usd"}, "currency"),
        ({"total": 4991}, "total"),
        ({"amount_due": 0}, "amount_due"),
        ({"collection_method": "charge_automatically"}, "collection_method"),
        ({"metadata": {}}, "metadata.paybylink_attempt"),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given),
)
def test_an_invoice_that_is_not_what_was_asked_for_is_not_believed(
    changes: dict[str, Any], named: str
) -> None:
    """What is due is compared as well as the total, since a balance could take from it."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = made(**changes)
    assert named in caught.value.differences


def test_a_cut_chain_repeats_the_same_bytes() -> None:
    """Each cut and each rerun meets the requests that were stored, with the same ids in their places."""
    written = account().write_link(wanted(), key=KEY, now=NOW)

    def sent(most: int) -> list[tuple[str, str, bytes]]:
        call = account().create_link(wanted(), written=written)
        request, seen = next(call), []
        for name in MADE[:most]:
            seen.append((request.url.path, request.headers["idempotency-key"], request.content))
            if name != MADE[-1]:
                request = call.send(answer(request, recorded(name)))
        call.close()
        return seen

    whole = sent(4)

    assert [sent(most) for most in (1, 2, 3)] == [whole[:most] for most in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "status", "completed", "address"),
    [
        ("draft", VendorLinkStatus.CLOSED, 0, False),
        ("open", VendorLinkStatus.OPEN, 0, True),
        ("paid", VendorLinkStatus.CLOSED, 1, True),
        ("void", VendorLinkStatus.CLOSED, 0, True),
    ],
)
def test_an_invoice_is_read_anew_with_its_address(
    name: str, status: VendorLinkStatus, completed: int, address: bool
) -> None:
    """A stored address dies; one that was just read is good for days."""
    link, (request,) = drive(account().fetch_link(INVOICE), recorded(f"stripe_invoice_{name}"))

    assert request.url.path == f"/v1/invoices/{INVOICE}"
    assert (link.status, link.completed, bool(link.url)) == (status, completed, address)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("uncollectible", VendorLinkStatus.OPEN),
        ("resting", VendorLinkStatus.UNKNOWN),
        (None, VendorLinkStatus.UNKNOWN),
    ],
)
def test_an_invoice_that_was_written_off_can_still_be_paid(
    word: str | None, status: VendorLinkStatus
) -> None:
    """And a word that we do not know says nothing."""
    link, _ = drive(account().fetch_link(INVOICE), recorded("stripe_invoice_open", status=word))

    assert link.status is status


@pytest.mark.parametrize("word", ["open", "uncollectible"])
def test_closing_voids_it(word: str) -> None:
    """With the caller's key."""
    link, (_, request) = drive(
        account().close_link(INVOICE, key=KEY, now=NOW),
        recorded("stripe_invoice_open", status=word),
        recorded("stripe_invoice_void"),
    )

    assert (request.method, request.url.path) == ("POST", f"/v1/invoices/{INVOICE}/void")
    assert request.headers["idempotency-key"] == KEY
    assert link.status is VendorLinkStatus.CLOSED


@pytest.mark.parametrize("name", ["paid", "void"])
def test_closing_one_that_is_closed_is_no_error(name: str) -> None:
    """A paid invoice cannot be voided and is closed anyway."""
    link, requests = drive(
        account().close_link(INVOICE, key=KEY, now=NOW), recorded(f"stripe_invoice_{name}")
    )

    assert (link.status, len(requests)) == (VendorLinkStatus.CLOSED, 1)


def test_closing_a_draft_deletes_it() -> None:
    """It has no number yet; one that is gone already is no error."""
    draft = recorded("stripe_invoice_draft")
    deleted = {"id": INVOICE, "object": "invoice", "deleted": True}

    for reply in (deleted, (recorded("error_no_such_link"), 404)):
        link, (_, request) = drive(account().close_link(INVOICE, key=KEY, now=NOW), draft, reply)

        assert (request.method, request.url.path) == ("DELETE", f"/v1/invoices/{INVOICE}")
        assert "idempotency-key" not in request.headers
        assert (link.vendor_id, link.status) == (INVOICE, VendorLinkStatus.CLOSED)


@pytest.mark.parametrize(
    ("status", "reply", "error"),
    [
        ("open", (recorded("stripe_invoice_open"), 200), IntegrityBreach),
        ("open", (recorded("error_api_down"), 500), OutcomeUnknown),
        ("draft", (recorded("error_api_down"), 500), OutcomeUnknown),
        ("draft", (recorded("error_missing_right"), 403), ProviderError),
        ("draft", ({"id": INVOICE, "object": "invoice", "deleted": False}, 200), IntegrityBreach),
    ],
    ids=["still-open", "void-unanswered", "delete-unanswered", "not-allowed", "not-deleted"],
)
def test_an_invoice_is_closed_only_when_stripe_says_so(
    status: str, reply: tuple[object, int], error: type[Exception]
) -> None:
    """No doubtful answer is taken for a yes."""
    before = recorded(f"stripe_invoice_{status}")
    with pytest.raises(error):
        _ = drive(account().close_link(INVOICE, key=KEY, now=NOW), before, reply)


def test_an_invoice_cannot_be_opened_again() -> None:
    """A payment that fails leaves it open."""
    with pytest.raises(UnsupportedCapability):
        _ = next(account().reopen_link(INVOICE, key=KEY, now=NOW))


@pytest.mark.parametrize(
    ("name", "found"), [("open", True), ("paid", True), ("void", True), ("draft", False), (None, False)]
)
def test_a_lost_invoice_is_found_unless_it_was_never_finished(name: str | None, found: bool) -> None:
    """A draft can be paid by nobody, so a new one may be made."""
    data = [recorded("stripe_invoice_open", id="in_other", metadata={})]
    data += [recorded(f"stripe_invoice_{name}")] if name else []
    page = {"object": "list", "data": data, "has_more": False}

    link, (request,) = drive(account().find_link(wanted(), since=NOW, now=NOW), page)

    assert (link is not None) is found
    since = int((NOW - dt.timedelta(minutes=10)).timestamp())
    assert (request.url.path, query(request)["created[gte]"]) == ("/v1/invoices", str(since))


def paid(**changes: Any) -> dict[str, Any]:
    page = copy.deepcopy(recorded("stripe_invoice_payments"))
    page["data"][0].update(changes)
    return dict(page)


def payments(page: dict[str, Any]) -> Any:
    return drive(account().payments_of(INVOICE), recorded("stripe_invoice_paid"), page)


def test_the_payments_of_an_invoice_carry_the_invoices_marks() -> None:
    """The payment intent has none of them: Stripe makes it by itself."""
    (payment,), (_, request) = payments(paid())

    assert request.url.path == "/v1/invoice_payments"
    assert query(request) == {
        "invoice": INVOICE,
        "expand[0]": "data.payment.payment_intent.latest_charge",
        "limit": "100",
    }
    assert (payment.vendor_id, payment.status) == ("pi_3SkPbLinvoice", PaymentStatus.SUCCEEDED)
    assert (payment.amount, payment.method, payment.mode) == (Money(4990, "EUR"), "card", Mode.TEST)
    assert payment.at == dt.datetime.fromtimestamp(1767312000, dt.UTC)
    assert (payment.link_vendor_id, payment.link_id, payment.attempt_id) == (INVOICE, LINK_ID, ATTEMPT_ID)
    assert payment.payer == Payer(name="Marked Payer", email="marked-payer@example.com")
    assert "Marked" not in repr(payment)


@pytest.mark.parametrize(
    ("said", "intent", "charge", "status"),
    [
        ("open", "processing", "py_1", PaymentStatus.PROCESSING),
        ("open", "requires_payment_method", "py_1", PaymentStatus.FAILED),
        ("open", "requires_payment_method", None, None),
        ("open", "requires_action", None, None),
        ("canceled", "canceled", None, None),
    ],
)
def test_a_payment_that_nobody_has_begun_is_none(
    said: str, intent: str, charge: str | None, status: PaymentStatus | None
) -> None:
    """An invoice has a payment intent from the start, which waits; a failed attempt leaves the invoice open."""
    told = {
        "type": "payment_intent",
        "payment_intent": {"id": "pi_1", "status": intent, "latest_charge": charge},
    }
    found, _ = payments(paid(status=said, payment=told, amount_paid=None))

    assert [(one.status, one.amount, one.uses_up) for one in found] == (
        [] if status is None else [(status, Money(4990, "EUR"), False)]
    )


@pytest.mark.parametrize(
    "told",
    [
        {"type": "payment_record", "payment_record": "pr_1"},
        {"type": "payment_intent", "payment_intent": None},
    ],
)
def test_money_that_did_not_come_through_stripe_is_not_told_as_if(told: dict[str, Any]) -> None:
    """A payment marked by hand in the Dashboard never reaches Stripe's balance."""
    assert payments(paid(payment=told))[0] == []


@pytest.mark.parametrize("changes", [{"payment": None}, {"amount_paid": None}, {"currency": "zzz"}])
def test_a_misshapen_payment_is_not_believed(changes: dict[str, Any]) -> None:
    """Whatever is missing is a breach, never a guess."""
    with pytest.raises(IntegrityBreach):
        _ = payments(paid(**changes))
