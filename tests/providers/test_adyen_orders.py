"""Orders at Adyen: what the page is told of the order, its lines and its customer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from paybylink.address import Address
from paybylink.checkout import Checkout
from paybylink.errors import (
    InvalidInput,
)
from paybylink.kinds import Invoice, InvoiceBound, Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order

from .adyen_given import (
    MARK,
    account,
    body_of,
)


def order_of(*lines: LineItem, **content: Any) -> Order:
    """An order of lines, whose sum is its amount."""
    return Order(**{"reference": "R", "lines": lines, **content})


def test_metadata_are_the_hosts_own_and_all_twenty_fit() -> None:
    """Our marks need none of them."""
    pairs = {f"k{number}": "v" for number in range(20)}

    assert body_of(Order(reference="R", amount=Money(1, "EUR"), metadata=pairs))["metadata"] == pairs


def test_the_page_is_told_what_the_order_says() -> None:
    """Methods in our words, language with a country, statement, capture, and the way back."""
    order = Order(
        reference="R",
        amount=Money(1, "EUR"),
        return_url="https://shop.example/merci?n=1",
        customer=Customer(country="FR"),
        checkout=Checkout(
            methods=("card", "ideal", "sepa_debit", "coquelicot"),
            blocked_methods=("paypal", "apple_pay"),
            language="fr",
            statement="ATELIER 31",
            capture_after=dt.timedelta(hours=48),
        ),
    )

    body = body_of(order)

    assert body["allowedPaymentMethods"] == ["scheme", "ideal", "sepadirectdebit", "coquelicot"]
    assert body["blockedPaymentMethods"] == ["paypal", "applepay"]
    assert (body["shopperLocale"], body["countryCode"]) == ("fr-FR", "FR")
    assert (body["shopperStatement"], body["captureDelayHours"]) == ("ATELIER 31", 48)
    assert body["returnUrl"] == "https://shop.example/merci?n=1"
    assert "manualCapture" not in body


@pytest.mark.parametrize(
    ("checkout", "settings", "later"),
    [
        (Checkout(), {}, False),
        (Checkout(capture="manual"), {}, True),
        (Checkout(capture_after=dt.timedelta(hours=1)), {}, True),
        (Checkout(), {"immediate_capture": False}, True),
    ],
    ids=["at-once", "manual", "delayed", "account-setting"],
)
def test_the_reference_says_when_the_money_is_taken(
    checkout: Checkout, settings: dict[str, Any], later: bool
) -> None:
    """It is the only signed field that is ours, so an authorisation is read by it."""
    order = Order(reference="R", amount=Money(1, "EUR"), checkout=checkout)

    body = body_of(order, provider=account(**settings))

    assert body["reference"] == (f"{MARK}-m" if later else MARK)
    assert body.get("manualCapture") is (True if checkout.capture == "manual" else None)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://shop.example/é?a=[1]&s={X}", "https://shop.example/%C3%A9?a=%5B1%5D&s=%7BX%7D"),
        ("https://shop.example/a%20b?c=50%", "https://shop.example/a%20b?c=50%25"),
        ("https://shop.example", "https://shop.example"),
        ("http://[::1]:8000/x|y#z", "http://[::1]:8000/x%7Cy#z"),
    ],
)
def test_the_return_address_is_percent_encoded(given: str, sent: str) -> None:
    """RFC 2396: what is encoded stays so, brackets of a host stay too."""
    assert body_of(Order(reference="R", amount=Money(1, "EUR"), return_url=given))["returnUrl"] == sent


@pytest.mark.parametrize(
    ("language", "sent"),
    [
        ("fr", "fr-FR"),
        ("en", "en-US"),
        ("en-GB", "en-GB"),
        ("da", "da-DK"),
        ("pt_BR", "pt-BR"),
        ("zh-Hans-CN", "zh-CN"),
        ("tlh", "tlh"),
    ],
)
def test_a_language_gets_the_country_that_adyen_wants(language: str, sent: str) -> None:
    """Adyen's locales have a country; an odd one is passed through."""
    assert body_of(locale=language)["shopperLocale"] == sent


FRENCH = Address(street="12 bis rue de la Paix", city="Nantes", postal_code="44000", country="FR")


@pytest.mark.parametrize(
    ("address", "street", "number"),
    [
        (FRENCH, "rue de la Paix", "12 bis"),
        (Address(street="Hauptstr. 5a", city="Bonn", postal_code="5", country="DE"), "Hauptstr.", "5a"),
        (Address(street="Le Bourg", city="Bonn", postal_code="5", country="FR"), "Le Bourg", "Le Bourg"),
        (
            Address(street="Damrak", house_number="1-5", city="A", postal_code="5", country="NL"),
            "Damrak",
            "1-5",
        ),
        (
            Address(street="1 Main Street", city="NY", postal_code="5", country="US", region="NY"),
            "Main Street",
            "1",
        ),
    ],
    ids=["first", "last", "none", "apart", "state"],
)
def test_a_customer_is_handed_over_only_when_asked_for(address: Address, street: str, number: str) -> None:
    """Name, email, phone and address, each as Adyen wants it, with `prefill` and not without."""
    customer = Customer(
        name="Zoé Anne Martin", email="zoe@example.com", phone="+33 (6) 12.34-56", address=address
    )
    order = Order(reference="R", amount=Money(1, "EUR"), customer=customer)
    filled = Order(reference="R", amount=Money(1, "EUR"), customer=customer, checkout=Checkout(prefill=True))

    without, body = body_of(order), body_of(filled)

    assert not {"shopperEmail", "shopperName", "telephoneNumber", "billingAddress"} & set(without)
    assert body["shopperEmail"] == "zoe@example.com"
    assert body["shopperName"] == {"firstName": "Zoé Anne", "lastName": "Martin"}
    assert body["telephoneNumber"] == "+336123456"
    assert (body["billingAddress"]["street"], body["billingAddress"]["houseNumberOrName"]) == (street, number)
    assert body["billingAddress"].get("stateOrProvince") == (address.region or None)


def test_what_adyen_would_ignore_is_left_out() -> None:
    """A name of one word and a phone without country code are no use to it."""
    customer = Customer(name="Madonna", phone="0612345678")
    order = Order(reference="R", amount=Money(1, "EUR"), customer=customer, checkout=Checkout(prefill=True))

    assert not {"shopperName", "telephoneNumber", "shopperEmail"} & set(body_of(order))


def test_every_fault_of_an_order_is_named_at_once() -> None:
    """Each with its path in the caller's own words."""
    customer = Customer(
        email="zoe@.example",
        address=Address(street="1 Main", city="NY", postal_code="1", country="US", region="New York"),
    )
    order = Order(
        reference="R",
        amount=Money(1, "EUR"),
        customer=customer,
        return_url="https://shop.example/" + "é" * 400,
        metadata={"checkout.linkId": "x"},
        checkout=Checkout(prefill=True, statement="É", extra={"adyen": {"reusable": True, "themeId": "t"}}),
    )

    with pytest.raises(InvalidInput) as caught:
        _ = body_of(order)

    assert {fault.path for fault in caught.value.faults} == {
        "order.customer.email",
        "order.customer.address.region",
        "order.return_url",
        "order.metadata['checkout.linkId']",
        "order.checkout.statement",
        "order.checkout.extra.adyen.reusable",
    }


def test_prefilling_a_link_for_many_is_refused() -> None:
    """One customer's data would be shown to all who pay it."""
    order = Order(
        reference="R",
        amount=Money(1, "EUR"),
        customer=Customer(email="zoe@example.com"),
        checkout=Checkout(prefill=True),
    )

    with pytest.raises(InvalidInput, match=r"order\.checkout\.prefill"):
        _ = body_of(order, kind=Reusable())


@pytest.mark.parametrize(
    "name",
    [
        "allowedPaymentMethods",
        "amount",
        "blockedPaymentMethods",
        "captureDelayHours",
        "expiresAt",
        "manualCapture",
        "merchantAccount",
        "merchantOrderReference",
        "metadata",
        "reference",
        "returnUrl",
        "reusable",
    ],
)
def test_a_raw_field_that_carries_a_promise_is_refused(name: str) -> None:
    """The fault says where to write it instead."""
    order = Order(
        reference="R",
        amount=Money(1, "EUR"),
        checkout=Checkout(extra={"adyen": {name: "x"}, "mollie": {"a": 1}}),
    )

    with pytest.raises(InvalidInput) as caught:
        _ = body_of(order)
    assert caught.value.faults[0].path == f"order.checkout.extra.adyen.{name}"


def test_a_raw_description_does_not_hide_the_number_of_an_invoice() -> None:
    """By it the payer sees which invoice is paid."""
    order = Order(
        reference="R", amount=Money(1, "EUR"), checkout=Checkout(extra={"adyen": {"description": "x"}})
    )
    invoice = Invoice(number="F2026-0042", open_amount=Money(1, "EUR"))

    with pytest.raises(InvalidInput) as caught:
        _ = body_of(order, kind=InvoiceBound(invoice))
    assert [fault.path for fault in caught.value.faults] == ["order.checkout.extra.adyen.description"]


def test_other_raw_fields_pass_untouched() -> None:
    """Theme, splits, tokenisation: at the top of the request, last."""
    raw = {"themeId": "T1", "splits": [{"type": "Commission"}], "description": "ours is replaced"}
    order = Order(
        reference="R", amount=Money(1, "EUR"), checkout=Checkout(extra={"adyen": raw, "stripe": {"x": 1}})
    )

    body = body_of(order)

    assert {name: body[name] for name in raw} == raw
    assert "x" not in body


def test_a_language_that_is_too_long_is_refused() -> None:
    """Adyen takes 32 characters."""
    order = Order(reference="R", amount=Money(1, "EUR"), checkout=Checkout(language="x" * 33))

    with pytest.raises(InvalidInput, match="language"):
        _ = body_of(order)


def test_a_host_that_is_not_ascii_is_refused() -> None:
    """It cannot be percent-encoded."""
    with pytest.raises(InvalidInput, match="xn--"):
        _ = body_of(Order(reference="R", amount=Money(1, "EUR"), return_url="https://é.example/"))


# Lines


def test_lines_travel_with_their_vat() -> None:
    """Per item, in minor units and hundredths of a percent; the two parts add up to the price."""
    order = order_of(
        LineItem(
            description="Logo", unit_price=Money(1210, "EUR"), quantity=Decimal(2), vat_rate=Decimal(21)
        ),
        LineItem(description="Hours", unit_price=Money(1000, "EUR"), quantity=Decimal("1.5")),
    )

    assert body_of(order)["lineItems"] == [
        {
            "id": "1",
            "description": "Logo",
            "quantity": 2,
            "amountIncludingTax": 1210,
            "amountExcludingTax": 1000,
            "taxAmount": 210,
            "taxPercentage": 2100,
        },
        {"id": "2", "description": "1.5 × Hours", "quantity": 1, "amountIncludingTax": 1500},
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [
                LineItem(
                    description="A", unit_price=Money(333, "EUR"), vat_rate=Decimal("5.5"), vat_included=False
                )
                for _ in range(3)
            ],
            id="vat-per-rate",
        ),
        pytest.param(
            [
                LineItem(description="A", unit_price=Money(500, "EUR")),
                LineItem(description="Discount", unit_price=Money(-100, "EUR")),
            ],
            id="discount",
        ),
    ],
)
def test_lines_that_do_not_add_up_become_one(lines: list[LineItem]) -> None:
    """VAT is rounded per rate and not per line; the amount is never touched."""
    order = order_of(*lines, description="All of it")

    body = body_of(order)

    assert body["lineItems"] == [
        {"id": "1", "description": "All of it", "quantity": 1, "amountIncludingTax": body["amount"]["value"]}
    ]


def test_lines_finer_than_adyen_counts_become_one() -> None:
    """Adyen counts Indonesian rupiah without decimals; two halves add up."""
    half = LineItem(description="Half", unit_price=Money(150, "IDR"))

    body = body_of(order_of(half, half, description="Both"))

    assert (body["amount"]["value"], len(body["lineItems"])) == (3, 1)


def test_a_rate_finer_than_adyen_takes_is_not_rounded() -> None:
    """8.875 % is left out; the price with VAT is there."""
    order = order_of(LineItem(description="A", unit_price=Money(1000, "USD"), vat_rate=Decimal("8.875")))

    assert body_of(order)["lineItems"] == [
        {"id": "1", "description": "A", "quantity": 1, "amountIncludingTax": 1000}
    ]
