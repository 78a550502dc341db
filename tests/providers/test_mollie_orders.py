"""What of an order reaches Mollie's payment links: lines, customer, methods, raw fields; and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from paybylink.address import Address
from paybylink.checkout import Checkout
from paybylink.errors import IntegrityBreach, InvalidInput, UnsupportedCapability
from paybylink.kinds import Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order

from .mollie_given import CUSTOMER, ORDER, account, asked, body_of, create, drive, echo


def euros(value: str) -> dict[str, str]:
    return {"currency": "EUR", "value": value}


def order_of(*lines: LineItem, **content: Any) -> Order:
    """An order of lines, whose sum is its amount."""
    return Order(**{"reference": "R", "lines": lines, **content})


def lines_of(order: Order) -> list[dict[str, Any]]:
    """The lines that are sent for an order; none where they are left out."""
    found: list[dict[str, Any]] = body_of(order).get("lines", [])
    return found


def with_checkout(**content: Any) -> Order:
    return evolve(ORDER, checkout=Checkout(**content))


def test_lines_are_sent_with_vat_and_add_up() -> None:
    """Prices hold the VAT, and the VAT follows from total and rate as Mollie checks it."""
    order = order_of(
        LineItem(
            description="Chair", unit_price=Money(1000, "EUR"), quantity=3, vat_rate=20, vat_included=False
        ),
        LineItem(description="Table", unit_price=Money(12000, "EUR"), vat_rate=Decimal("5.5")),
        LineItem(description="Hours", unit_price=Money(8001, "EUR"), quantity="1.5"),
    )

    assert lines_of(order) == [
        {
            "description": "Chair",
            "quantity": 3,
            "unitPrice": euros("12.00"),
            "totalAmount": euros("36.00"),
            "vatRate": "20.00",
            "vatAmount": euros("6.00"),
        },
        {
            "description": "Table",
            "quantity": 1,
            "unitPrice": euros("120.00"),
            "totalAmount": euros("120.00"),
            "vatRate": "5.50",
            "vatAmount": euros("6.26"),
        },
        {
            "description": "1.5 × Hours",
            "quantity": 1,
            "unitPrice": euros("120.02"),
            "totalAmount": euros("120.02"),
        },
    ]


def test_a_rate_keeps_all_its_decimals() -> None:
    """Two at least, as in Mollie's examples."""
    line = LineItem(description="A", unit_price=Money(10000, "EUR"), vat_rate=Decimal("8.875"))

    assert lines_of(order_of(line))[0]["vatRate"] == "8.875"


def test_a_line_below_zero_is_a_discount() -> None:
    """A type of its own at Mollie, with VAT below zero too."""
    order = order_of(
        LineItem(description="Chair", unit_price=Money(1000, "EUR"), vat_rate=20),
        LineItem(description="Discount", unit_price=Money(-100, "EUR"), vat_rate=20),
    )

    assert lines_of(order)[1] == {
        "type": "discount",
        "description": "Discount",
        "quantity": 1,
        "unitPrice": euros("-1.00"),
        "totalAmount": euros("-1.00"),
        "vatRate": "20.00",
        "vatAmount": euros("-0.17"),
    }


def test_a_unit_price_that_does_not_divide_moves_the_quantity_into_the_description() -> None:
    """3 × 0.99 with 5.5 % is 3.13, which is no multiple of three; a million pieces are written out as well."""
    odd = LineItem(
        description="Pen",
        unit_price=Money(99, "EUR"),
        quantity=3,
        vat_rate=Decimal("5.5"),
        vat_included=False,
    )
    many = LineItem(description="Screw", unit_price=Money(1, "EUR"), quantity=1_000_000)

    assert lines_of(order_of(odd))[0]["description"] == "3 × Pen"
    assert lines_of(order_of(many))[0]["description"] == "1000000 × Screw"


def test_a_long_description_is_visibly_shortened() -> None:
    """The quantity in front of it takes room."""
    line = LineItem(description="x" * 250, unit_price=Money(100, "EUR"), quantity="123.5")

    shown = lines_of(order_of(line))[0]["description"]

    assert len(shown) == 255
    assert shown.startswith("123.5 × x")
    assert shown.endswith("x…")


def test_lines_that_do_not_add_up_are_left_out_and_the_amount_stays() -> None:
    """Three lines of 0.33 net with 20 % are 1.19 together, but 1.20 when rounded one by one."""
    order = order_of(
        *(
            LineItem(description=f"L{number}", unit_price=Money(33, "EUR"), vat_rate=20, vat_included=False)
            for number in range(3)
        )
    )

    assert lines_of(order) == []
    assert body_of(order)["amount"] == euros("1.19")


def test_lines_of_too_many_digits_are_left_out() -> None:
    """They cancel each other out in the order, and one by one with VAT they are more than can be counted."""
    many: dict[str, Any] = {"quantity": 900_000, "vat_rate": 20, "vat_included": False}
    order = order_of(
        LineItem(description="A", unit_price=Money(10**12 - 1, "EUR"), **many),
        LineItem(description="B", unit_price=Money(1 - 10**12, "EUR"), **many),
        LineItem(description="C", unit_price=Money(100, "EUR")),
    )

    assert lines_of(order) == []
    assert body_of(order)["amount"] == euros("1.00")


def test_where_the_payer_chooses_no_lines_are_sent() -> None:
    """They could not add up to what is typed later."""
    order = order_of(LineItem(description="Chair", unit_price=Money(1000, "EUR")))

    assert "lines" not in body_of(order, kind=Reusable(payer_chooses=True))


def test_a_customer_is_handed_over_only_when_asked_for() -> None:
    """What stands in a link can be read by whoever has it."""
    order = evolve(ORDER, customer=CUSTOMER)

    assert "Marked" not in str(body_of(order))
    body = body_of(evolve(order, checkout=Checkout(prefill=True)))
    assert body["billingAddress"] == {
        "givenName": "Marked",
        "familyName": "Martin",
        "streetAndNumber": "rue du Bac 1",
        "postalCode": "75007",
        "city": "Paris",
        "country": "FR",
        "email": "marked-payer@example.com",
        "phone": "+33639981234",
    }


@pytest.mark.parametrize(
    ("customer", "address"),
    [
        pytest.param(None, None, id="nobody"),
        pytest.param(Customer(name="Zoé Martin", phone="+33639981234"), None, id="neither-mail-nor-address"),
        pytest.param(
            Customer(name="X Æ", email="zoe@example.com", phone="06 39 98 12 34"),
            {"email": "zoe@example.com"},
            id="short-names-and-a-national-number",
        ),
        pytest.param(
            Customer(name="123 456", email="a@example.com"), {"email": "a@example.com"}, id="digits"
        ),
        pytest.param(
            Customer(name="Madonna", email="m@bücher.example", organisation="Bücher GmbH"),
            {"familyName": "Madonna", "organizationName": "Bücher GmbH", "email": "m@xn--bcher-kva.example"},
            id="one-name-and-a-domain-with-an-umlaut",
        ),
        pytest.param(Customer(email=f"a@{'ä' * 70}.example"), None, id="no-domain"),
        pytest.param(
            Customer(
                name="Ana de la Cruz",
                address=Address(
                    street="Gran Vía 1",
                    extra="3º",
                    city="Madrid",
                    postal_code="28013",
                    country="ES",
                    region="Madrid",
                ),
            ),
            {
                "givenName": "Ana",
                "familyName": "de la Cruz",
                "streetAndNumber": "Gran Vía 1",
                "streetAdditional": "3º",
                "postalCode": "28013",
                "city": "Madrid",
                "region": "Madrid",
                "country": "ES",
            },
            id="an-address",
        ),
    ],
)
def test_of_a_customer_only_what_mollie_takes_is_handed_over(
    customer: Customer | None, address: dict[str, str] | None
) -> None:
    """Names of two letters, numbers in E.164, domains in ASCII; an email or an address has to be there."""
    body = body_of(evolve(ORDER, customer=customer, checkout=Checkout(prefill=True)))

    assert body.get("billingAddress") == address


def test_methods_are_named_in_mollies_words_and_unknown_ones_passed_through() -> None:
    """The list grows, so nothing is refused for being unknown."""
    order = with_checkout(methods=["card", "ideal", "bank_transfer", "pointofsale"])

    body = body_of(order)

    assert body["allowedMethods"] == ["creditcard", "ideal", "banktransfer", "pointofsale"]
    assert "allowedMethods" not in body_of()


@pytest.mark.parametrize(
    "told", [None, [], ["ideal", "paypal"], "ideal"], ids=["none", "nothing", "another", "no-list"]
)
def test_methods_that_were_not_asked_for_are_a_breach(told: object) -> None:
    """All methods, or another one, is not what the merchant wanted."""
    request = asked(with_checkout(methods=["card", "ideal"]))

    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(create(account(), request), echo(allowedMethods=told))

    assert set(caught.value.differences) == {"allowedMethods"}


def test_methods_may_come_back_fewer() -> None:
    """What the account has not switched on, Mollie may leave out."""
    request = asked(with_checkout(methods=["card", "ideal"]))

    link, _ = drive(create(account(), request), echo(allowedMethods=["ideal"]))

    assert link.vendor_id


@pytest.mark.parametrize(
    ("content", "feature"),
    [
        ({"language": "fr"}, "language"),
        ({"blocked_methods": ["paypal"]}, "block methods"),
        ({"statement": "LOGO"}, "statement"),
        ({"capture": "manual"}, "manual capture"),
        ({"capture_after": dt.timedelta(hours=2)}, "delayed capture"),
    ],
)
def test_what_mollie_cannot_do_is_refused_before_anything_is_sent(
    content: dict[str, Any], feature: str
) -> None:
    """With the reason, and what to do instead."""
    with pytest.raises(UnsupportedCapability) as caught:
        _ = body_of(with_checkout(**content))

    assert (caught.value.who, caught.value.feature) == ("mollie", feature)
    assert caught.value.reason


def test_a_customers_language_is_left_to_the_browser() -> None:
    """It is no wish for the page, so it is not refused."""
    body = body_of(evolve(ORDER, customer=Customer(language="fr")), locale="fr")

    assert "locale" not in body


def test_metadata_stays_with_us() -> None:
    """Mollie's links have none; it is neither refused nor sent, for our store holds it."""
    assert body_of(evolve(ORDER, metadata={"shop": "Nantes"})) == body_of()


def test_raw_fields_pass_through_last_and_untouched() -> None:
    """Those for other vendors are none of ours."""
    order = with_checkout(extra={"mollie": {"sequenceType": "first", "lines": None}, "stripe": {"amount": 1}})

    body = body_of(order)

    assert list(body)[-2:] == ["sequenceType", "lines"]
    assert (body["sequenceType"], body["lines"]) == ("first", None)


def test_raw_fields_cannot_break_a_promise() -> None:
    """Every one of them is named at once."""
    ours = {
        "amount": {},
        "minimumAmount": {},
        "reusable": True,
        "webhookUrl": "https://MARKED",
        "redirectUrl": "https://MARKED",
        "expiresAt": None,
        "allowedMethods": [],
        "description": "MARKED",
        "profileId": "MARKED",
        "testmode": False,
        "archived": True,
    }

    with pytest.raises(InvalidInput) as caught:
        _ = body_of(with_checkout(extra={"mollie": {**ours, "customerId": "cst_1"}}))

    assert {fault.path for fault in caught.value.faults} == {
        f"order.checkout.extra.mollie.{name}" for name in ours
    }
    assert "MARKED" not in str(caught.value)
