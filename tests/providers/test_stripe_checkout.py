"""How Stripe's page behaves for one order: what is written, and what is refused before anything is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.errors import InvalidInput, UnsupportedCapability
from paybylink.kinds import HostedInvoice, Invoice, InvoiceBound, Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.base import LinkRequest

from .stripe_given import KEY, NOW, ORDER, account, answer, asked, create, finish, form, order_of, recorded

ZOE = Customer(name="Zoé", email="zoé+b@example.com", language="fr-BE")


def ordered(customer: Customer | None = None, **wishes: Any) -> LinkRequest:
    """A request whose order wishes something of the page."""
    return asked(evolve(ORDER, customer=customer, checkout=Checkout(**wishes)))


def written(request: LinkRequest) -> dict[str, str]:
    _, sent = create(account(), request)
    return form(sent)


def refused(request: LinkRequest) -> list[str]:
    """The paths of the faults for which nothing is written."""
    with pytest.raises(InvalidInput) as caught:
        _ = account().write_link(request, key=KEY, now=NOW)
    return [fault.path for fault in caught.value.faults]


def short(**content: Any) -> LinkRequest:
    """A link that becomes a session."""
    request = ordered(**content)
    order = evolve(request.order, return_url="https://shop.example/thanks")
    return evolve(request, order=order, expires_at=NOW + dt.timedelta(hours=6))


def test_methods_are_named_in_stripes_words_each_once() -> None:
    """Ours are translated where they differ; a word that we do not know is passed through."""
    fields = written(ordered(methods=["card", "przelewy24", "card", "konbini"]))

    assert [fields[f"payment_method_types[{place}]"] for place in range(3)] == ["card", "p24", "konbini"]
    assert "payment_method_types[3]" not in fields


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("2026-10-28.endive", "allowed_payment_method_types[0]"),
        ("2026-09-30.endive", "allowed_payment_method_types[0]"),
        ("2026-05-27.dahlia", "payment_method_types[0]"),
    ],
)
def test_a_session_names_methods_in_the_word_of_its_version(version: str, name: str) -> None:
    """`payment_method_types` is a 400 on sessions since 2026-09-30.endive."""
    _, sent = create(account(api_version=version), short(methods=["card"]))

    assert [field for field in form(sent) if "payment_method_types" in field] == [name]


def test_a_session_can_leave_methods_out() -> None:
    """Natively."""
    assert written(short(blocked_methods=["klarna"]))["excluded_payment_method_types[0]"] == "klarna"


@pytest.mark.parametrize(
    ("request_", "version"),
    [
        pytest.param(ordered(blocked_methods=["klarna"]), None, id="link"),
        pytest.param(short(blocked_methods=["klarna"]), "2025-09-30.clover", id="session-of-an-old-version"),
        pytest.param(ordered(capture_after=dt.timedelta(hours=2)), None, id="delayed-capture"),
    ],
)
def test_what_stripe_cannot_do_is_said_before_anything_is_sent(
    request_: LinkRequest, version: str | None
) -> None:
    """With the reason, and what to do instead."""
    with pytest.raises(UnsupportedCapability) as caught:
        _ = account(api_version=version).write_link(request_, key=KEY, now=NOW)

    assert caught.value.who == "stripe"
    assert caught.value.reason


def test_blocked_methods_are_left_out_where_the_offered_ones_are_named() -> None:
    """A list of what is offered leaves everything else out anyway."""
    fields = written(ordered(methods=["card"], blocked_methods=["klarna"]))

    assert [value for name, value in fields.items() if "payment_method" in name] == ["card"]


def test_a_wallet_by_itself_is_refused() -> None:
    """Stripe offers Apple Pay and Google Pay with cards; a list with the word alone would be a 400."""
    paths = refused(ordered(methods=["apple_pay", "card"], blocked_methods=["google_pay"]))

    assert paths == ["order.checkout.methods[0]", "order.checkout.blocked_methods[0]"]


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("fr", "fr"),
        ("fr-BE", "fr"),
        ("fr_CA", "fr-CA"),
        ("EN-gb", "en-GB"),
        ("es-MX", "es-419"),
        ("es-ES", "es"),
        ("no", "nb"),
        ("zh-Hant-TW", "zh-TW"),
        ("pt-PT", "pt"),
        ("eu", ""),
    ],
)
def test_a_link_speaks_the_customers_language(tag: str, locale: str) -> None:
    """The language rides in the address; one that Stripe does not speak is left to the payer's browser."""
    call, sent = create(account(), ordered(Customer(language=tag)))

    link = finish(call, answer(sent, recorded("payment_link_single_use")))

    base = "https://buy.stripe.com/test_1SkPbLsingle"
    assert link.url == (f"{base}?locale={locale}" if locale else base)


def test_the_checkouts_language_goes_before_the_customers() -> None:
    """Also for the words of a closed link; a session takes it natively."""
    assert written(ordered(ZOE, language="de"))["inactive_message"].startswith("Dieser")
    assert written(short(customer=ZOE, language="de"))["locale"] == "de"
    assert written(short(customer=ZOE))["locale"] == "fr"
    assert "locale" not in written(short(customer=Customer(language="eu")))


def test_a_language_that_was_asked_for_and_is_none_of_stripes_is_refused() -> None:
    """The customer's own is a hint; the checkout's is a wish."""
    assert refused(ordered(language="eu")) == ["order.checkout.language"]


def test_an_address_is_prefilled_only_when_asked() -> None:
    """An email in an address can be read by whoever has the link."""
    silent, sent = create(account(), ordered(ZOE))
    assert "example.com" not in finish(silent, answer(sent, recorded("payment_link_single_use"))).url
    assert b"zo" not in sent.content

    asked_for, sent = create(account(), ordered(ZOE, prefill=True))
    url = finish(asked_for, answer(sent, recorded("payment_link_single_use"))).url
    assert url.endswith("?locale=fr&prefilled_email=zo%C3%A9%2Bb%40example.com")
    assert b"zo" not in sent.content


def test_a_query_and_a_fragment_that_the_address_has_are_kept() -> None:
    """What we add comes between them."""
    call, sent = create(account(), ordered(ZOE))
    reply = recorded("payment_link_single_use", url="https://buy.stripe.com/test_1?a=1#frag")

    assert finish(call, answer(sent, reply)).url == "https://buy.stripe.com/test_1?a=1&locale=fr#frag"


def test_a_session_takes_the_email_natively() -> None:
    """And only when asked."""
    assert written(short(customer=ZOE, prefill=True))["customer_email"] == "zoé+b@example.com"
    assert "customer_email" not in written(short(customer=ZOE))
    assert "customer_email" not in written(short(prefill=True))


def test_a_statement_is_a_suffix() -> None:
    """A whole descriptor of one's own is an error for cards."""
    fields = written(ordered(statement="Atelier 2026-031"))

    assert fields["payment_intent_data[statement_descriptor_suffix]"] == "Atelier 2026-031"
    assert "payment_intent_data[statement_descriptor]" not in fields


@pytest.mark.parametrize("sign", ["<", ">", "\\", "'", '"', "*"])
def test_a_statement_that_banks_cannot_show_is_refused(sign: str) -> None:
    """Before Stripe does."""
    assert refused(ordered(statement=f"Atelier {sign}")) == ["order.checkout.statement"]


def test_money_can_be_reserved_first() -> None:
    """On links and on sessions alike."""
    for request in (ordered(capture="manual"), short(capture="manual")):
        assert written(request)["payment_intent_data[capture_method]"] == "manual"
        assert written(request)["metadata[paybylink_later]"] == "1"
    assert not [name for name in written(ordered()) if "capture" in name]


@pytest.mark.parametrize(
    "value",
    [
        {"card": {"capture_method": "manual"}},
        [{"card": {"capture_method": "manual"}}],
        {"capture_method": "x"},
    ],
)
def test_a_raw_field_does_not_say_when_money_is_taken(value: object) -> None:
    """Per method it stands in no intent, so reserved money would be taken for money, or its news be passed over."""
    assert refused(ordered(extra={"stripe": {"payment_method_options": value}})) == [
        "order.checkout.extra.stripe.payment_method_options"
    ]
    assert written(
        ordered(extra={"stripe": {"payment_method_options": {"boleto": {"expires_after_days": 3}}}})
    )


def test_raw_fields_are_passed_through() -> None:
    """What Stripe knows and we do not; those for other vendors are not looked at."""
    extra = {
        "stripe": {
            "phone_number_collection": {"enabled": True},
            "custom_fields": [{"key": "po", "type": "text"}],
            "inactive_message": "Fermé.",
        },
        "adyen": {"amount": 1},
    }

    fields = written(ordered(extra=extra))

    assert fields["phone_number_collection[enabled]"] == "true"
    assert fields["custom_fields[0][key]"] == "po"
    assert fields["inactive_message"] == "Fermé."
    assert "amount" not in fields


@pytest.mark.parametrize(
    "name",
    [
        "metadata",
        "line_items",
        "restrictions",
        "payment_intent_data",
        "expand",
        "currency",
        "allow_promotion_codes",
        "optional_items",
        "automatic_tax",
        "shipping_options",
        "subscription_data",
        "managed_payments",
    ],
)
def test_a_raw_field_by_which_a_promise_is_kept_is_refused(name: str) -> None:
    """Amount, marks, limit: what we promise is not overwritten."""
    assert refused(ordered(extra={"stripe": {name: "x"}})) == [f"order.checkout.extra.stripe.{name}"]


def test_a_raw_field_cannot_say_what_the_order_says_already() -> None:
    """A second way to say it would win unseen."""
    order = evolve(ORDER, return_url="https://shop.example")
    wishes = {"after_completion": {"type": "hosted_confirmation"}, "payment_method_types": ["card"]}
    both = evolve(order, checkout=Checkout(methods=["card"], extra={"stripe": wishes}))
    free = evolve(ORDER, checkout=Checkout(extra={"stripe": wishes}))

    assert len(refused(asked(both))) == 2
    assert written(asked(free))["after_completion[type]"] == "hosted_confirmation"


@pytest.mark.parametrize(
    "name", ["metadata[paybylink_link]", "line_items[0][quantity]", "", "Metadata", "a&b", " x"]
)
def test_a_raw_field_cannot_reach_inside_one_of_ours(name: str) -> None:
    """The form is flat, so a name with brackets would be a part of another field."""
    assert refused(ordered(extra={"stripe": {name: "x"}})) == [f"order.checkout.extra.stripe.{name}"]


@pytest.mark.parametrize(
    "name", ["success_url", "expires_at", "after_expiration", "client_reference_id", "mode"]
)
def test_a_session_keeps_its_own_promises(name: str) -> None:
    """A recovery page, say, would be a second payable link."""
    assert refused(short(extra={"stripe": {name: "x"}})) == [f"order.checkout.extra.stripe.{name}"]


def test_every_fault_is_told_at_once() -> None:
    """Amount, lines, methods, statement, language and raw fields together."""
    lines = [LineItem(description="A", unit_price=Money(10_000_000, "EUR")) for _ in range(21)]
    checkout = Checkout(methods=["apple_pay"], statement="*", language="eu", extra={"stripe": {"mode": "x"}})

    assert refused(asked(order_of(*lines, checkout=checkout))) == [
        "order.amount",
        "order.lines",
        "order.checkout.methods[0]",
        "order.checkout.language",
        "order.checkout.statement",
        "order.checkout.extra.stripe.mode",
    ]


def test_an_invoices_number_stands_where_the_payer_reads() -> None:
    """In front of the text, unless the text has it; with several lines, beside the button."""
    kind = InvoiceBound(Invoice(number="F2026-0042", open_amount=ORDER.amount))
    named = evolve(ORDER, description="Invoice F2026-0042")
    lines = [LineItem(description=name, unit_price=Money(100, "EUR")) for name in "AB"]
    order = order_of(*lines)
    several = InvoiceBound(Invoice(number="F2026-0043", open_amount=order.amount))

    plain, said, listed = (
        written(asked(one, which)) for one, which in ((ORDER, kind), (named, kind), (order, several))
    )

    assert plain["line_items[0][price_data][product_data][name]"] == "F2026-0042: Logo design"
    assert plain["payment_intent_data[description]"] == "F2026-0042: Logo design"
    assert said["payment_intent_data[description]"] == "Invoice F2026-0042"
    assert listed["custom_text[submit][message]"] == "F2026-0043: R"
    assert "custom_text[submit][message]" not in plain


@pytest.mark.parametrize(
    ("kind", "limit"), [(Reusable(), None), (Reusable(max_payments=7), "7"), (None, "1")]
)
def test_a_link_carries_how_many_payments_it_takes(kind: Any, limit: str | None) -> None:
    """Only so does a session say whether its failed payment has used the link up."""
    assert written(asked(kind=kind)).get("metadata[paybylink_limit]") == limit


def test_which_methods_are_offered_is_not_known_before() -> None:
    """Stripe decides on the page; the refusal comes before anything is sent."""
    with pytest.raises(UnsupportedCapability, match="decides on the page"):
        _ = account().methods_for(ORDER)


def test_an_invoice_takes_no_manual_capture_and_has_no_way_back() -> None:
    """Said before anything is sent."""
    whole = Customer(name="Zoé", email="zoe@example.com")
    for order in (
        Order(reference="R", amount=Money(4990, "EUR"), customer=whole, return_url="https://shop.example"),
        Order(reference="R", amount=Money(4990, "EUR"), customer=whole, checkout=Checkout(capture="manual")),
    ):
        with pytest.raises(UnsupportedCapability):
            _ = account().write_link(asked(order, HostedInvoice()), key=KEY, now=NOW)
