"""Payments of Adyen's links in the sandbox: at once, later, refused, and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import HMAC_KEY, Shop, codes, items, one, shop_in
from .sandbox_given import Listener


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(
        listener.url, provider="adyen", secret=HMAC_KEY, user="hook", password="päss"
    )
    with shop_in(sandbox) as opened:
        yield opened


def test_a_refused_try_leaves_the_link_open(shop: Shop, listener: Listener) -> None:
    """Each try is a payment of its own under the one reference."""
    link = shop.link()
    refused = shop.sandbox.control.pay(link["url"], how="declined")
    between = shop.status(link)
    again = shop.sandbox.control.pay(link["url"])
    _ = shop.sandbox.control.flush_webhooks()

    assert (refused.status, refused.payment_status, between) == ("open", "unpaid", "active")
    assert codes(listener) == ["AUTHORISATION!", "AUTHORISATION"]
    assert items(listener)[0]["reason"] == "REFUSED"
    assert refused.payment != again.payment


def test_a_reusable_link_stays_active(shop: Shop, listener: Listener) -> None:
    """Three payers, three payments with one link and one reference."""
    link = shop.link(reusable=True)
    payments = {shop.sandbox.control.pay(link["url"]).payment for _ in range(3)}
    _ = shop.sandbox.control.flush_webhooks()

    assert len(payments) == 3
    assert {item["additionalData"]["paymentLinkId"] for item in items(listener)} == {link["id"]}
    assert shop.status(link) == "active"
    assert one(shop, "links")["payments"] == [item["pspReference"] for item in items(listener)]


@pytest.mark.parametrize(
    ("succeeded", "told", "status"),
    [(True, ["AUTHORISATION"], "completed"), (False, ["AUTHORISATION!"], "active")],
    ids=["came", "did not"],
)
def test_money_that_comes_later(
    shop: Shop, listener: Listener, succeeded: bool, told: list[str], status: str
) -> None:
    """The link waits and nobody is told, until the money came or did not."""
    link = shop.link()
    attempt = shop.sandbox.control.pay(link["url"], how="delayed")
    with pytest.raises(SandboxError, match="under way"):
        _ = shop.sandbox.control.pay(link["url"])
    waiting = shop.status(link)
    settled = shop.sandbox.control.settle(link["url"], succeeded=succeeded)
    _ = shop.sandbox.control.flush_webhooks()

    assert (waiting, attempt.payment_status, settled) == ("paymentPending", "unpaid", [attempt.payment])
    assert codes(listener) == told
    assert shop.status(link) == status


def test_money_that_never_comes_closes_the_offer(shop: Shop, listener: Listener) -> None:
    """After four weeks OFFER_CLOSED is told, and the link, by then past its time, is expired."""
    link = shop.link()
    _ = shop.sandbox.control.pay(link["url"], how="delayed")
    _ = shop.sandbox.control.move_clock(timedelta(days=29))
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["OFFER_CLOSED"]
    assert shop.status(link) == "expired"


def test_a_late_payer_is_let_through_on_demand(shop: Shop, listener: Listener) -> None:
    """A payment can arrive after the link was expired; it is told like any other."""
    link = shop.link()
    _ = shop.http.patch(f"/paymentLinks/{link['id']}", json={"status": "expired"})
    _ = shop.sandbox.control.pay(link["url"], although_closed=True)
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["AUTHORISATION"]


def test_a_bank_moves_at_once(shop: Shop) -> None:
    """A bank redirect is captured with the payment, whatever the link says."""
    link = shop.link(manualCapture=True, countryCode="NL")
    _ = shop.sandbox.control.pay(link["url"], method="ideal")

    assert one(shop, "payments")["status"] == "paid"


def test_the_page_offers_methods_and_confirms(shop: Shop) -> None:
    """A choice of methods, a later one, and afterwards the way back to the shop as a button only."""
    link = shop.link(returnUrl="https://shop.example/thanks?a=b", countryCode="NL")
    with httpx.Client() as browser:
        page = browser.get(link["url"]).text
        declined = browser.post(link["url"], data={"how": "declined", "method": "scheme"})
        done = browser.post(link["url"], data={"how": "card", "method": "ideal"}, follow_redirects=True)
        again = browser.get(link["url"])

    assert 'value="ideal"' in page
    assert "Bank transfer, money later" in page
    assert "<script" not in page
    assert declined.status_code == 402
    assert "Thank you for your payment" in done.text
    assert 'href="https://shop.example/thanks?a=b"' in done.text
    assert again.status_code == 410


@pytest.mark.parametrize(
    ("changes", "asked", "said"),
    [
        ({"allowedPaymentMethods": ["scheme"]}, {"method": "paypal"}, "does not take paypal"),
        ({"allowedPaymentMethods": ["scheme"]}, {"how": "delayed"}, "no method of that kind"),
    ],
    ids=["method", "kind"],
)
def test_a_link_takes_only_its_methods(
    shop: Shop, changes: dict[str, Any], asked: dict[str, Any], said: str
) -> None:
    """What the link does not allow cannot be paid with."""
    link = shop.link(**changes)

    with pytest.raises(SandboxError, match=said):
        _ = shop.sandbox.control.pay(link["url"], **asked)
