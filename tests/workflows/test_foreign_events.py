"""
An account is often shared with a web shop or with tills: what they sell is none of our concern, and is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import evolve
from sqlalchemy import create_engine

from paybylink import LinkStatus, Money, OutcomeUnknown, PayByLink

from .shops import VENDORS, Shop, Street, open_street
from .world import QUICK


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture(params=VENDORS)
def shop(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = street.shop(request.param, request.node.name)
    yield made
    _ = street.sandbox.control.move_clock(-made.clock.ahead)


def web_shop_sells(shop: Shop) -> str:
    """Somebody else makes a link on the same account, and it is paid; the payment's id."""
    sandbox = shop.street.sandbox
    if shop.vendor == "stripe":
        form = {
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": "2500",
            "line_items[0][price_data][product_data][name]": "A book",
        }
        headers = {"Authorization": "Bearer sk_test_web_shop"}
        reply = httpx.post(f"{sandbox.stripe_url}/v1/payment_links", data=form, headers=headers)
    elif shop.vendor == "adyen":
        body = {
            "merchantAccount": "SandboxMerchant",
            "reference": "web-shop-1001",
            "amount": {"currency": "EUR", "value": 2500},
        }
        headers = {"X-API-Key": "web_shop_key"}
        reply = httpx.post(f"{sandbox.adyen_url}/v72/paymentLinks", json=body, headers=headers)
    else:
        link = {
            "description": "A book",
            "amount": {"currency": "EUR", "value": "25.00"},
            "webhookUrl": f"{shop.street.receiver.base}/webhooks/mollie",
        }
        headers = {"Authorization": "Bearer test_webshopwebshopwebshopwebshop"}
        reply = httpx.post(f"{sandbox.mollie_url}/v2/payment-links", json=link, headers=headers)
    assert reply.is_success, reply.text
    before = {row["id"] for row in shop.truth("payments")}
    _ = shop.customer_pays(reply.json()["id"])
    (payment,) = [row["id"] for row in shop.truth("payments") if row["id"] not in before]
    return str(payment)


def web_shop_refunds(shop: Shop, payment: str) -> None:
    """He gives a part of it back."""
    sandbox = shop.street.sandbox
    asked: dict[str, Any]
    if shop.vendor == "stripe":
        asked = {"data": {"payment_intent": payment, "amount": "500"}}
        url, headers = f"{sandbox.stripe_url}/v1/refunds", {"Authorization": "Bearer sk_test_web_shop"}
    elif shop.vendor == "adyen":
        amount = {"currency": "EUR", "value": 500}
        asked = {"json": {"merchantAccount": "SandboxMerchant", "amount": amount, "reference": "back-1"}}
        url = f"{sandbox.adyen_url}/v72/payments/{payment}/refunds"
        headers = {"X-API-Key": "web_shop_key"}
    else:
        asked = {
            "json": {"amount": {"currency": "EUR", "value": "5.00"}, "description": "back", "metadata": None}
        }
        url = f"{sandbox.mollie_url}/v2/payments/{payment}/refunds"
        headers = {"Authorization": "Bearer test_webshopwebshopwebshopwebshop"}
    reply = httpx.post(url, headers=headers, **asked)
    assert reply.is_success, reply.text


def kept(shop: Shop) -> list[tuple[str, bytes]]:
    """The states of what is in the inbox, with the bodies."""
    with create_engine(shop.store).connect() as connection:
        rows = connection.exec_driver_sql("SELECT state, body FROM paybylink_inbox").fetchall()
        return [(row[0], bytes(row[1])) for row in rows]


def untouched(pay: PayByLink) -> None:
    """Nothing of it stands in our rows."""
    assert list(pay.payments()) == []
    assert pay.balance() == ()
    assert list(pay.exceptions()) == []


@pytest.mark.parametrize("order", ["as-told", "backwards"])
def test_what_a_web_shop_sells_and_gives_back_is_not_ours(shop: Shop, order: str) -> None:
    """In whatever order it is told: answered, counted, and of its content nothing is kept."""
    payment = web_shop_sells(shop)
    web_shop_refunds(shop, payment)
    calls = shop.told()
    assert calls
    with shop.open() as pay:
        for call in calls if order == "as-told" else reversed(calls):
            reply = pay.receive(shop.vendor, headers=call.headers, body=call.body, query=call.query)
            assert (reply.status, reply.events) == (200, ())
        _ = pay.run_due()
        untouched(pay)

    assert {state for state, _ in kept(shop)} <= {"foreign", "processed"}
    assert all(body == b"" for state, body in kept(shop) if state == "foreign")
    assert not any(payment.encode() in body for _, body in kept(shop) if shop.vendor != "stripe")


def test_a_payment_of_ours_beside_it_is_found(shop: Shop) -> None:
    """Two merchants in one house: each sees his own."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("OURS"))
        assert link.current is not None
        _ = web_shop_sells(shop)
        _ = shop.customer_pays(link.current.url or "")
        _ = shop.hear(pay, times=2, shuffled=5)
        (payment,) = list(pay.payments())

        assert payment.reference == "OURS"
        found = pay.link("OURS")
        assert found is not None
        assert found.status is LinkStatus.PAID


def test_news_of_a_payment_that_is_never_told_do_not_wait_for_ever(street: Street) -> None:
    """Adyen's refund of a payment that was made before the webhook was set up: after five weeks it is foreign."""
    shop = street.shop("adyen", "never-told")
    payment = web_shop_sells(shop)
    _ = shop.told()
    web_shop_refunds(shop, payment)
    with shop.open() as pay:
        _ = shop.hear(pay)
        assert [state for state, _ in kept(shop)] == ["waiting"]
        _ = pay.run_due()
        assert [state for state, _ in kept(shop)] == ["waiting"]
        shop.clock.move(days=36)
        _ = pay.run_due()
        untouched(pay)

    assert kept(shop) == [("foreign", b"")]


def test_a_refund_that_may_be_ours_is_never_called_foreign(street: Street) -> None:
    """Ours was not answered, and another one over the same amount is told: in the end a person looks."""
    shop = street.shop("adyen", "may-be-ours")
    shop.settings["patience"] = evolve(QUICK, attempts=1)
    with shop.open() as pay:
        link = pay.create_link(shop.order("MAY-BE-OURS"))
        assert link.current is not None
        payment = shop.paid(pay, link.current.url or "")
        _ = street.sandbox.control.fault("reset_before", "/adyen/v72/payments/", method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment, amount=Money.of("5.00", "EUR"), reference="CREDIT-1")
        web_shop_refunds(shop, payment.vendor_id)
        _ = shop.hear(pay)
        assert "waiting" in [state for state, _ in kept(shop)]
        shop.clock.move(days=36)
        _ = pay.run_due()

        ((_, body),) = [row for row in kept(shop) if row[0] == "parked"]
        assert payment.vendor_id.encode() in body
