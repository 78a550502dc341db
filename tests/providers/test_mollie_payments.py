"""Payments, methods and chargebacks at Mollie, as they are asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.errors import IntegrityBreach, InvalidInput, UnsupportedCapability
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus
from paybylink.providers.base import Payer

from .mollie_given import (
    ATTEMPT_ID,
    KEY,
    LINK_ID,
    NEWS,
    NOW,
    ORDER,
    PAYMENT,
    PROFILE,
    VENDOR_LINK,
    account,
    drive,
    organisation,
    query,
    recorded,
)


def at(hour: int, minute: int) -> dt.datetime:
    return dt.datetime(2026, 1, 2, hour, minute, tzinfo=dt.UTC)


def test_the_payments_of_a_link_are_those_that_have_begun_oldest_first() -> None:
    """A payer who has only opened the checkout is no payment yet; one who left is a failed attempt."""
    payments, (request,) = drive(account().payments_of(VENDOR_LINK), recorded("payments_of_link"))

    assert request.url.path == f"/v2/payment-links/{VENDOR_LINK}/payments"
    assert query(request) == {"limit": "250"}
    assert [(one.vendor_id, one.status, one.vendor_status, one.at) for one in payments] == [
        ("tr_PbLLeft", PaymentStatus.FAILED, "expired", at(9, 15)),
        ("tr_PbLDeclined", PaymentStatus.FAILED, "failed", at(9, 41)),
        (PAYMENT, PaymentStatus.SUCCEEDED, "paid", at(10, 0)),
    ]
    assert {one.link_vendor_id for one in payments} == {VENDOR_LINK}


def test_the_payments_of_a_link_are_read_over_all_pages() -> None:
    """Newest first at Mollie, page by page."""
    first = recorded("payments_of_link")
    rest = recorded("payments_of_link")
    rest["_embedded"]["payments"] = [recorded("payment_pending")]
    first["_links"]["next"] = {"href": "https://elsewhere.example/v2/x?limit=250&from=tr_PbLPending"}

    payments, requests = drive(account().payments_of(VENDOR_LINK), first, rest)

    assert [one.vendor_id for one in payments] == ["tr_PbLLeft", "tr_PbLPending", "tr_PbLDeclined", PAYMENT]
    assert query(requests[1]) == {"limit": "250", "from": "tr_PbLPending"}
    assert requests[1].url.host == "api.mollie.com"


def test_a_payment_says_who_paid_and_how() -> None:
    """Of a card or an account no number is kept."""
    payment, (request,) = drive(account().fetch_payment(PAYMENT), recorded("payment_paid_by_card"))

    assert request.url.path == f"/v2/payments/{PAYMENT}"
    assert (payment.amount, payment.method, payment.mode) == (Money(4990, "EUR"), "card", Mode.TEST)
    assert payment.payer == Payer(name="Marked Payer", email="marked-payer@example.com", country="FR")
    assert (payment.link_vendor_id, payment.link_id, payment.attempt_id) == ("", "", "")
    assert "Marked" not in repr(payment)
    assert "4242" not in repr(payment)


@pytest.mark.parametrize(
    ("changes", "payer"),
    [
        pytest.param({"details": {"consumerName": "J. Jansen"}}, Payer(name="J. Jansen"), id="bank"),
        pytest.param({"details": None, "countryCode": "NL"}, Payer(country="NL"), id="country"),
        pytest.param(
            {"details": None, "billingAddress": {"familyName": "Buyer"}},
            Payer(name="Buyer"),
            id="billing-address",
        ),
        pytest.param({"details": [], "billingAddress": 7}, None, id="nobody"),
    ],
)
def test_a_payer_is_known_as_far_as_mollie_tells(changes: dict[str, Any], payer: Payer | None) -> None:
    """Each method tells something else."""
    payment, _ = drive(account().fetch_payment("tr_PbLPending"), recorded("payment_pending", **changes))

    assert payment.payer == payer


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("open", PaymentStatus.UNKNOWN),
        ("pending", PaymentStatus.PROCESSING),
        ("authorized", PaymentStatus.AUTHORISED),
        ("paid", PaymentStatus.SUCCEEDED),
        ("failed", PaymentStatus.FAILED),
        ("canceled", PaymentStatus.FAILED),
        ("expired", PaymentStatus.FAILED),
        ("a-word-of-tomorrow", PaymentStatus.UNKNOWN),
        (None, PaymentStatus.UNKNOWN),
    ],
)
def test_every_status_of_mollies_has_a_meaning(word: str | None, status: PaymentStatus) -> None:
    """A word that we do not know never becomes money."""
    reply = recorded("payment_pending", status=word)

    payment, _ = drive(account().fetch_payment("tr_PbLPending"), reply)

    assert (payment.status, payment.vendor_status) == (status, word or "")


def test_an_old_word_of_klarnas_is_klarna() -> None:
    """Three methods became one."""
    reply = recorded("payment_pending", method="klarnapaylater")

    assert drive(account().fetch_payment("tr_PbLPending"), reply)[0].method == "klarna"


def test_marks_in_a_payments_addresses_are_read_where_they_are() -> None:
    """Mollie often shows an address of its own there instead, and then there are none."""
    reply = recorded("payment_pending", webhookUrl=NEWS)

    payment, _ = drive(account().fetch_payment("tr_PbLPending"), reply)

    assert (payment.link_id, payment.attempt_id) == (LINK_ID, ATTEMPT_ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "live"},
        {"mode": "neither"},
        {"id": "tr_PbLOther"},
        {"id": "pl_1"},
        {"amount": None},
        {"amount": {"currency": "EUR", "value": "49.905"}},
        {"amount": {"currency": "EUR", "value": 49.9}},
        {"amount": {"currency": "XXX", "value": "1.00"}},
        {"createdAt": "yesterday"},
        {"createdAt": None},
    ],
    ids=str,
)
def test_a_payment_that_cannot_be_read_is_not_believed(changes: dict[str, Any]) -> None:
    """Nor one of the other mode, nor another one."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().fetch_payment("tr_PbLPending"), recorded("payment_pending", **changes))


def test_a_payment_in_a_withdrawn_currency_is_still_money() -> None:
    """A late payment in lev is read, since money is never lost."""
    reply = recorded("payment_pending", amount={"currency": "BGN", "value": "10.00"})

    assert drive(account().fetch_payment("tr_PbLPending"), reply)[0].amount == Money.read(1000, "BGN")


def test_chargebacks_are_disputes_that_are_open_until_they_are_reversed() -> None:
    """A payment may have several; the money is gone at once."""
    disputes, (request,) = drive(account().disputes_of(PAYMENT), recorded("chargebacks_page"))

    assert request.url.path == f"/v2/payments/{PAYMENT}/chargebacks"
    assert [(one.vendor_id, one.status, one.at.day, one.reason) for one in disputes] == [
        ("chb_PbLFirst", DisputeStatus.WON, 10, ""),
        ("chb_PbLSecond", DisputeStatus.OPEN, 2, "MD06"),
    ]
    assert {(one.amount, one.payment_vendor_id) for one in disputes} == {(Money(3990, "EUR"), PAYMENT)}


def test_a_chargeback_that_cannot_be_read_is_not_believed() -> None:
    """What is taken must be known."""
    page = recorded("chargebacks_page")
    del page["_embedded"]["chargebacks"][0]["amount"]

    with pytest.raises(IntegrityBreach):
        _ = drive(account().disputes_of(PAYMENT), page)


def test_the_methods_for_an_order_are_those_that_take_its_amount() -> None:
    """With their bounds; one that is not activated yet is not offered."""
    offers, (request,) = drive(account().methods_for(ORDER), recorded("methods"))

    assert query(request) == {"amount[currency]": "EUR", "amount[value]": "49.90"}
    assert [(one.method, one.vendor_method, one.name) for one in offers] == [
        ("ideal", "ideal", "iDEAL"),
        ("card", "creditcard", "Card"),
        ("twint", "twint", "TWINT"),
    ]
    assert (offers[0].minimum, offers[0].maximum) == (Money(1, "EUR"), Money(5_000_000, "EUR"))
    assert offers[2].maximum is None


def test_the_methods_for_an_order_that_names_some_are_of_those() -> None:
    """By our words or Mollie's; a token says which profile is meant."""
    order = evolve(ORDER, checkout=Checkout(methods=["card", "paypal"]))

    offers, (request,) = drive(organisation().methods_for(order), recorded("methods"))

    assert [one.method for one in offers] == ["card"]
    assert query(request)["profileId"] == PROFILE
    assert query(request)["testmode"] == "true"


@pytest.mark.parametrize(
    "methods", [None, [7], [{"id": None}], [{"id": "ideal", "minimumAmount": {"currency": "EUR"}}]], ids=str
)
def test_methods_that_cannot_be_read_are_not_believed(methods: object) -> None:
    """Rather than an empty list."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().methods_for(ORDER), {"_embedded": {"methods": methods}})


def test_what_mollies_links_lack_is_refused_before_anything_is_sent() -> None:
    """Capture, giving up, opening again."""
    provider = account()
    for call in (
        provider.capture(PAYMENT, Money(1, "EUR"), key=KEY, now=NOW),
        provider.cancel_payment(PAYMENT, key=KEY, now=NOW),
        provider.reopen_link(VENDOR_LINK, key=KEY, now=NOW),
    ):
        with pytest.raises(UnsupportedCapability):
            _ = next(call)


@pytest.mark.parametrize("vendor_id", ["", "pl_1", "tr_", "tr_1/refunds", "tr_ä", "re_1"])
def test_only_a_payments_id_enters_a_payments_path(vendor_id: str) -> None:
    """The SDK would put anything there."""
    provider = account()
    for call in (
        provider.fetch_payment(vendor_id),
        provider.disputes_of(vendor_id),
        provider.refunds_of(vendor_id),
    ):
        with pytest.raises(InvalidInput):
            _ = next(call)
