"""What Adyen tells otherwise than others: an event again with newer details, and disputes by their own reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import evolve
from sqlalchemy import create_engine

from paybylink import Checkout, LinkStatus, PayByLink, PaymentLink
from providers.adyen_given import signature

from .receiver import Call
from .shops import HMAC_KEY, Shop, open_street


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_street(tmp_path_factory.mktemp("street")) as street:
        yield street.shop("adyen", "newer")


def retold(call: Call, **changes: str) -> Call:
    """The same event with other details: date and method are not signed."""
    body: dict[str, Any] = json.loads(call.body)
    for item in body["notificationItems"]:
        item["NotificationRequestItem"] |= changes
    return evolve(call, body=json.dumps(body).encode())


def take(pay: PayByLink, *calls: Call) -> int:
    """How many events they meant."""
    told = 0
    for call in calls:
        reply = pay.receive("adyen", headers=call.headers, body=call.body, query=call.query)
        assert (reply.status, reply.body) == (200, b"[accepted]")
        told += len(reply.events)
    return told


def method(pay: PayByLink) -> str:
    (payment,) = list(pay.payments())
    return payment.method


def paid(shop: Shop, pay: PayByLink) -> tuple[PaymentLink, Call]:
    """A link that was paid, and what was told of it."""
    link = pay.create_link(shop.order("NEWER"))
    assert link.current is not None
    _ = shop.customer_pays(link.current.url or "")
    (call,) = shop.told()
    return link, call


def test_the_newest_details_count_whatever_comes_last(shop: Shop) -> None:
    """The older telling, coming later, changes nothing; the newer one changes the details and books nothing anew."""
    with shop.open() as pay:
        _, call = paid(shop, pay)
        older = retold(call, paymentMethod="mc", eventDate="2000-01-01T00:00:00+00:00")
        newer = retold(call, paymentMethod="bcmc", eventDate="2090-01-01T00:00:00+01:00")
        assert take(pay, call, older) == 1
        told_first = method(pay)
        assert take(pay, newer, call, older, newer) == 0

        assert told_first not in ("bcmc", "bancontact")
        assert method(pay) == "bancontact"
        assert len(pay.balance()) == 2


def test_two_who_hear_the_newer_one_at_once_write_it_once(shop: Shop) -> None:
    """The second one finds it as new already."""
    from .world import meanwhile

    with shop.open() as pay, shop.open() as other:
        _, call = paid(shop, pay)
        newer = retold(call, paymentMethod="bcmc", eventDate="2090-01-01T00:00:00+01:00")
        assert take(pay, call) == 1
        _ = meanwhile(pay, "newer_event", lambda: take(other, newer))
        assert take(pay, newer) == 0

        assert method(pay) == "bancontact"


def test_a_dispute_that_names_no_payment_at_its_end_is_closed_all_the_same(shop: Shop) -> None:
    """It is known by its own reference; told first of all, it waits for its beginning."""
    control = shop.street.sandbox.control
    with shop.open() as pay:
        _, call = paid(shop, pay)
        _ = take(pay, call)
        (payment,) = list(pay.payments())
        dispute = control.dispute(payment.vendor_id)
        begun = shop.told()
        _ = control.close_dispute(str(dispute["id"]), won=True)
        ended = [nameless(each) for each in shop.told()]
        assert take(pay, *ended) == 0
        assert take(pay, *begun) == 1
        assert pay.run_due().told >= 1

        assert take(pay, *ended, *begun) == 0
        assert dispute_statuses(shop) == ["won"]


def nameless(call: Call) -> Call:
    """The same event without its original reference, signed anew."""
    body: dict[str, Any] = json.loads(call.body)
    for each in body["notificationItems"]:
        item = each["NotificationRequestItem"]
        _ = item.pop("originalReference", None)
        item["additionalData"]["hmacSignature"] = signature(item, HMAC_KEY)
    return evolve(call, body=json.dumps(body).encode())


def dispute_statuses(shop: Shop) -> list[str]:
    """Where the disputes stand in our rows."""
    with create_engine(shop.store).connect() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT status FROM paybylink_disputes")]


def test_a_capture_that_is_told_before_its_payment_waits_for_it(shop: Shop) -> None:
    """Captured by hand in the Customer Area, and told in the wrong order."""
    with shop.open() as pay:
        order = shop.order("CAPTURED", checkout=Checkout(capture="manual"))
        link = pay.create_link(order)
        assert link.current is not None
        _ = shop.customer_pays(link.current.url or "")
        (reserved,) = shop.told()
        payment = shop.truth("payments")[-1]["id"]
        reply = httpx.post(
            f"{shop.street.sandbox.adyen_url}/v72/payments/{payment}/captures",
            headers={"X-API-Key": "customer_area_key"},
            json={
                "merchantAccount": "SandboxMerchant",
                "reference": "by-hand-1",
                "amount": {"currency": "EUR", "value": 4990},
            },
        )
        assert reply.status_code == 201, reply.text
        assert take(pay, *shop.told()) == 0
        assert pay.run_due().failed == ()
        assert list(pay.payments()) == []
        assert take(pay, reserved) == 1
        _ = pay.run_due()

        found = pay.link("CAPTURED")
        assert found is not None
        assert (found.status, found.paid_amount) == (LinkStatus.PAID, order.amount)


def test_a_payment_without_the_unsigned_link_id_is_not_lost(shop: Shop) -> None:
    """The merchant may have switched that field off; and where our mark is of no link here, the money is kept."""
    with shop.open() as pay:
        link, call = paid(shop, pay)
        body: dict[str, Any] = json.loads(call.body)
        for each in body["notificationItems"]:
            for name in ("paymentLinkId", "metadata.checkout.linkId"):
                _ = each["NotificationRequestItem"]["additionalData"].pop(name, None)
        bare = evolve(call, body=json.dumps(body).encode())
        assert take(pay, bare) == 1
        found = pay.link(link.order.reference)
        assert found is not None
        assert found.status is LinkStatus.PAID
    other = shop.street.shop("adyen", "restored")
    with other.open() as pay:
        assert take(pay, bare) == 1

        (payment,) = list(pay.exceptions())
        assert (payment.link_id, payment.amount) == (None, link.order.amount)
