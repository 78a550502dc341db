"""Adyen's webhooks in the sandbox: signed, repeated, reordered, several in one call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import ACCOUNT, HMAC_KEY, Shop, codes, items, paid, shop_in
from .sandbox_given import Listener


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(
        listener.url, provider="adyen", secret=HMAC_KEY, user="hook", password="päss"
    )
    with shop_in(sandbox) as opened:
        yield opened


def test_a_payment_is_told_with_its_link(shop: Shop, listener: Listener) -> None:
    """AUTHORISATION names payment, reference and link, and is signed over eight fields; auto-capture is silent."""
    link = shop.link(metadata={"order": "INV-31"}, merchantOrderReference="CMD-7")
    payment = shop.sandbox.control.pay(link["url"]).payment
    _ = shop.sandbox.control.flush_webhooks()

    call = json.loads(listener.heard[0][0])
    (item,) = items(listener)
    extra = item["additionalData"]
    signed = f"{payment}::{ACCOUNT}:INV-31:4990:EUR:AUTHORISATION:true"
    digest = hmac.new(bytes.fromhex(HMAC_KEY), signed.encode(), hashlib.sha256).digest()
    assert call["live"] == "false"
    assert (item["pspReference"], item["merchantReference"], item["success"]) == (payment, "INV-31", "true")
    assert extra["paymentLinkId"] == extra["metadata.checkout.linkId"] == link["id"]
    assert (extra["metadata.order"], extra["merchantOrderReference"]) == ("INV-31", "CMD-7")
    assert extra["hmacSignature"] == base64.b64encode(digest).decode()
    assert datetime.fromisoformat(item["eventDate"]).tzinfo is not None
    basic = base64.b64encode("hook:päss".encode()).decode()
    assert listener.headers[0]["Authorization"] == f"Basic {basic}"
    assert shop.status(link) == "completed"


def test_the_package_of_adyen_accepts_the_signature(shop: Shop, listener: Listener) -> None:
    """Adyen's own check says yes to what is told, and no to what was changed."""
    from Adyen.util import is_valid_hmac_notification

    _ = paid(shop)
    _ = shop.sandbox.control.flush_webhooks()
    told, changed = json.loads(listener.heard[0][0]), json.loads(listener.heard[0][0])
    changed["notificationItems"][0]["NotificationRequestItem"]["amount"]["value"] = 1

    assert is_valid_hmac_notification(told, HMAC_KEY) is True
    assert is_valid_hmac_notification(changed, HMAC_KEY) is False


def test_an_endpoint_hears_what_it_asked_for(sandbox: Sandbox, listener: Listener) -> None:
    """With a list of event codes the others are not told."""
    _ = sandbox.control.register_webhook(listener.url, provider="adyen", events=("REFUND",))
    with shop_in(sandbox) as shop:
        _ = shop.change(paid(shop), "refunds", 100)
    _ = sandbox.control.flush_webhooks()

    assert codes(listener) == ["REFUND"]


def test_several_items_in_one_call(shop: Shop, listener: Listener) -> None:
    """The fault `batch` puts the next events into one call, each item signed; Stripe never does so."""
    _ = shop.sandbox.control.fault("batch", "AUTHORISATION", times=3)
    for _ in range(3):
        _ = paid(shop)
    _ = shop.sandbox.control.flush_webhooks()

    assert len(listener.heard) == 1
    assert codes(listener) == ["AUTHORISATION"] * 3
    assert len({item["additionalData"]["hmacSignature"] for item in items(listener)}) == 3


def test_events_come_twice_and_in_another_order(shop: Shop, listener: Listener) -> None:
    """A copy has the same references and another moment; a refund can come before its payment."""
    _ = shop.sandbox.control.fault("duplicate", "adyen.*", new_id=True)
    payment = paid(shop)
    _ = shop.sandbox.control.flush_webhooks()
    _ = shop.sandbox.control.fault("reorder", times=2)
    _ = shop.change(payment, "refunds", 1000)
    _ = paid(shop)
    _ = shop.sandbox.control.flush_webhooks()

    first, copy = items(listener)[:2]
    assert {name for name in first if first[name] != copy[name]} <= {"eventDate", "additionalData"}
    assert first["eventDate"] != copy["eventDate"]
    assert codes(listener)[2:] == ["AUTHORISATION", "REFUND"]


@pytest.mark.parametrize(
    ("answer", "state"), [(204, "delivered"), (202, "delivered"), (500, "queued")], ids=str
)
def test_any_2xx_takes_the_delivery(shop: Shop, listener: Listener, answer: int, state: str) -> None:
    """Another answer is tried again."""
    listener.answers[:] = [answer]
    _ = paid(shop)
    _ = shop.sandbox.control.flush_webhooks()

    assert len(listener.heard) == (1 if state == "delivered" else 2)
    assert [one["status"] for one in shop.sandbox.control.deliveries()] == ["delivered"]


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("https://shop.example/x", HMAC_KEY, "not on this machine"),
        ("http://127.0.0.1:9/", "secret", "hexadecimal"),
    ],
    ids=["elsewhere", "no hex key"],
)
def test_an_endpoint_that_is_refused(sandbox: Sandbox, url: str, secret: str, said: str) -> None:
    """Only this machine is called, and only with a key of Adyen's form."""
    with pytest.raises(SandboxError, match=said):
        _ = sandbox.control.register_webhook(url, provider="adyen", secret=secret)


def test_endpoints_named_at_start_survive(tmp_path: Any, listener: Listener) -> None:
    """What waits for the first endpoint goes to the first endpoint after a restart; state and links are there."""
    path = tmp_path / "sandbox.db"
    with (
        Sandbox(path, adyen_webhooks=[("http://127.0.0.1:9/gone", HMAC_KEY)]) as before,
        shop_in(before) as shop,
    ):
        _ = before.control.fault("late", "adyen.*")
        link = shop.link(reusable=True)
        _ = before.control.pay(link["url"])
    with Sandbox(path, adyen_webhooks=[(listener.url, HMAC_KEY)]) as after, shop_in(after) as shop:
        _ = after.control.release()
        _ = after.control.flush_webhooks()
        status = shop.status(link)

    assert codes(listener) == ["AUTHORISATION"]
    assert status == "active"
