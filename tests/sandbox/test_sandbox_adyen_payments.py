"""Payments of Adyen's links in the sandbox, their changes and disputes, and what is told of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import ACCOUNT, HMAC_KEY, Shop, codes, items, shop_in
from .sandbox_given import Listener


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(
        listener.url, provider="adyen", secret=HMAC_KEY, user="hook", password="päss"
    )
    with shop_in(sandbox) as opened:
        yield opened


def paid(shop: Shop, **changes: Any) -> str:
    """The pspReference of a new link's payment."""
    return shop.sandbox.control.pay(shop.link(**changes)["url"]).payment


def one(shop: Shop, kind: str) -> Any:
    """The only document of a kind in the truth."""
    found = shop.sandbox.control.truth()[kind]
    assert len(found) == 1
    return found[0]


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


def test_capture_by_hand_in_parts(shop: Shop, listener: Listener) -> None:
    """An authorisation is no money; captures are, up to its amount, and the change's reference comes back."""
    payment = paid(shop, manualCapture=True)
    before = shop.sandbox.control.truth()
    first = shop.change(payment, "captures", 3000, reference="CAP-1")
    second = shop.change(payment, "captures", 1991)
    third = shop.change(payment, "captures", 1990)
    _ = shop.sandbox.control.flush_webhooks()

    captures = items(listener)[1:]
    assert before["payments"][0]["status"] == "authorised"
    assert before["balance"]["adyen"] == {}
    assert [reply.status_code for reply in (first, second, third)] == [201, 201, 201]
    assert codes(listener) == ["AUTHORISATION", "CAPTURE", "CAPTURE!", "CAPTURE"]
    assert [item["pspReference"] for item in captures] == [
        reply.json()["pspReference"] for reply in (first, second, third)
    ]
    assert {item["originalReference"] for item in captures} == {payment}
    assert [item["merchantReference"] for item in captures] == ["CAP-1", "INV-31", "INV-31"]
    assert one(shop, "payments")["status"] == "paid"


def test_capture_by_the_clock(shop: Shop, listener: Listener) -> None:
    """With a delay the capture comes by itself and is told."""
    _ = paid(shop, captureDelayHours=24)
    _ = shop.sandbox.control.move_clock(timedelta(hours=25))
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["AUTHORISATION", "CAPTURE"]
    assert items(listener)[1]["amount"]["value"] == 4990


def test_an_authorisation_lapses(shop: Shop, listener: Listener) -> None:
    """After four weeks without a capture EXPIRE is told; it names no link."""
    payment = paid(shop, manualCapture=True)
    _ = shop.sandbox.control.move_clock(timedelta(days=29))
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["AUTHORISATION", "EXPIRE"]
    assert items(listener)[1]["originalReference"] == payment
    assert "paymentLinkId" not in items(listener)[1]["additionalData"]


def test_a_bank_moves_at_once(shop: Shop) -> None:
    """A bank redirect is captured with the payment, whatever the link says."""
    link = shop.link(manualCapture=True, countryCode="NL")
    _ = shop.sandbox.control.pay(link["url"], method="ideal")

    assert one(shop, "payments")["status"] == "paid"


def test_refunds_up_to_what_came(shop: Shop, listener: Listener) -> None:
    """Each is `received` at once; what came of it is told, with the link and its own reference."""
    payment = paid(shop)
    replies = [
        shop.change(payment, "refunds", value, reference=f"AV-{value}") for value in (1000, 4000, 3990)
    ]
    _ = shop.sandbox.control.flush_webhooks()

    assert [reply.json()["status"] for reply in replies] == ["received"] * 3
    assert codes(listener) == ["AUTHORISATION", "REFUND", "REFUND!", "REFUND"]
    assert [item["merchantReference"] for item in items(listener)[1:]] == ["AV-1000", "AV-4000", "AV-3990"]
    assert all("paymentLinkId" in item["additionalData"] for item in items(listener))
    assert [refund["status"] for refund in shop.sandbox.control.truth()["refunds"]] == [
        "succeeded",
        "failed",
        "succeeded",
    ]


@pytest.mark.parametrize(
    ("fault", "finish", "told"),
    [
        ("hold", None, ["AUTHORISATION"]),
        ("hold", True, ["AUTHORISATION", "REFUND"]),
        ("hold", False, ["AUTHORISATION", "REFUND!"]),
        ("refuse", None, ["AUTHORISATION", "REFUND!"]),
    ],
    ids=["held", "held, then done", "held, then refused", "refused"],
)
def test_a_refund_can_be_held_or_refused(
    shop: Shop, listener: Listener, fault: str, finish: bool | None, told: list[str]
) -> None:
    """The outcome is the test's to decide, the reply is the same."""
    payment = paid(shop)
    _ = shop.sandbox.control.fault(fault, "adyen.refunds")
    reply = shop.change(payment, "refunds", 1000)
    if finish is not None:
        _ = shop.sandbox.control.finish(reply.json()["pspReference"], succeeded=finish)
    _ = shop.sandbox.control.flush_webhooks()

    assert (reply.status_code, reply.json()["status"]) == (201, "received")
    assert codes(listener) == told


def test_a_refund_can_come_back(shop: Shop, listener: Listener) -> None:
    """REFUND_FAILED is told without the link; the money is on the balance again."""
    payment = paid(shop)
    before = shop.sandbox.control.truth()["balance"]["adyen"]
    refund = shop.change(payment, "refunds", 1000).json()["pspReference"]
    _ = shop.sandbox.control.fail_refund(refund)
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["AUTHORISATION", "REFUND", "REFUND_FAILED"]
    assert items(listener)[2]["pspReference"] == refund
    assert "paymentLinkId" not in items(listener)[2]["additionalData"]
    assert shop.sandbox.control.truth()["balance"]["adyen"] == before
    with pytest.raises(SandboxError):
        _ = shop.sandbox.control.fail_refund(refund)


@pytest.mark.parametrize(
    ("manual", "path", "told", "action"),
    [
        (True, "cancels", "CANCELLATION", None),
        (False, "cancels", "CANCELLATION!", None),
        (True, "reversals", "CANCEL_OR_REFUND", "cancel"),
        (False, "reversals", "CANCEL_OR_REFUND", "refund"),
    ],
    ids=["cancel", "cancel too late", "reverse before capture", "reverse after capture"],
)
def test_cancel_and_reverse(
    shop: Shop, listener: Listener, manual: bool, path: str, told: str, action: str | None
) -> None:
    """A cancel needs an uncaptured payment; a reversal does whichever is right and says which."""
    payment = paid(shop, manualCapture=manual)
    reply = shop.change(payment, path, reference="REV-1")
    _ = shop.sandbox.control.flush_webhooks()

    item = items(listener)[1]
    assert reply.status_code == 201
    assert codes(listener)[1] == told
    assert item["additionalData"].get("modification.action") == action
    assert item["merchantReference"] == "REV-1"


def test_a_capture_can_fail_later(shop: Shop, listener: Listener) -> None:
    """CAPTURE_FAILED takes the money from the balance; it says success=true, since it happened."""
    payment = paid(shop, manualCapture=True)
    capture = shop.change(payment, "captures", 4990).json()["pspReference"]
    _ = shop.sandbox.control.finish(capture, succeeded=False)
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener) == ["AUTHORISATION", "CAPTURE", "CAPTURE_FAILED"]
    assert one(shop, "payments")["status"] == "failed"


def test_what_cannot_be_done_any_more(shop: Shop, listener: Listener) -> None:
    """A cancelled payment takes no capture, a refunded one no second refund and no reversal; nothing is held."""
    cancelled, refunded = paid(shop, manualCapture=True), paid(shop)
    _ = shop.change(cancelled, "cancels")
    _ = shop.change(cancelled, "captures", 100)
    done = shop.change(refunded, "refunds", 1000).json()["pspReference"]
    _ = shop.change(refunded, "reversals")
    _ = shop.sandbox.control.flush_webhooks()

    assert codes(listener)[2:] == ["CANCELLATION", "CAPTURE!", "REFUND", "CANCEL_OR_REFUND!"]
    for nothing in (done, "ABCDEFGHIJKLMNOP"):
        with pytest.raises(SandboxError, match="is held"):
            _ = shop.sandbox.control.finish(nothing)
    with pytest.raises(SandboxError, match="no paid payment"):
        _ = shop.sandbox.control.dispute(cancelled)


def test_a_dispute_is_closed_once(shop: Shop) -> None:
    """A lost one stays lost, and what is not there cannot be closed."""
    dispute = shop.sandbox.control.dispute(paid(shop), reason="13.1 Merchandise Not Received")["id"]
    _ = shop.sandbox.control.close_dispute(dispute, won=False)

    with pytest.raises(SandboxError, match="is lost"):
        _ = shop.sandbox.control.close_dispute(dispute, won=True)
    with pytest.raises(SandboxError, match="no dispute"):
        _ = shop.sandbox.control.close_dispute("ABCDEFGHIJKLMNOP", won=True)


def test_an_endpoint_hears_what_it_asked_for(sandbox: Sandbox, listener: Listener) -> None:
    """With a list of event codes the others are not told."""
    _ = sandbox.control.register_webhook(listener.url, provider="adyen", events=("REFUND",))
    with shop_in(sandbox) as shop:
        _ = shop.change(paid(shop), "refunds", 100)
    _ = sandbox.control.flush_webhooks()

    assert codes(listener) == ["REFUND"]


@pytest.mark.parametrize(
    ("payment", "more", "code"),
    [
        ("ABCDEFGHIJKLMNOP", {}, "167"),
        (None, {"merchantAccount": "AnotherECOM"}, "167"),
        (None, {"amount": {"currency": "USD", "value": 1}}, "138"),
    ],
    ids=["no such payment", "of another account", "other currency"],
)
def test_changes_that_are_refused_at_once(
    shop: Shop, payment: str | None, more: dict[str, Any], code: str
) -> None:
    """Only what can be seen at once is a 422."""
    known = paid(shop)
    reply = shop.change(payment or known, "refunds", 100, **more)

    assert (reply.status_code, reply.json()["errorCode"]) == (422, code)


@pytest.mark.parametrize(
    ("outcomes", "told", "status", "kept"),
    [
        ([], [], "open", True),
        ([True], ["CHARGEBACK_REVERSED"], "won", False),
        ([False], ["DISPUTE_DEFENSE_PERIOD_ENDED"], "lost", True),
        ([True, False], ["CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"], "lost", True),
    ],
    ids=["open", "won", "lost", "won, then lost"],
)
def test_a_dispute(
    shop: Shop, listener: Listener, outcomes: list[bool], told: list[str], status: str, kept: bool
) -> None:
    """Announced, then taken; given back when won. No event names the link; the fee is never given back."""
    payment = paid(shop)
    before = shop.sandbox.control.truth()["balance"]["adyen"]["EUR"]
    dispute = shop.sandbox.control.dispute(payment, amount=2000)["id"]
    for won in outcomes:
        _ = shop.sandbox.control.close_dispute(dispute, won=won)
    _ = shop.sandbox.control.flush_webhooks()

    after = shop.sandbox.control.truth()["balance"]["adyen"]["EUR"]
    about = items(listener)[1:]
    assert codes(listener)[1:] == ["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", *told]
    assert {(item["pspReference"], item["originalReference"]) for item in about} == {(dispute, payment)}
    assert not any("paymentLinkId" in item["additionalData"] for item in about)
    assert one(shop, "disputes")["status"] == status
    assert before - after == 750 + (2000 if kept else 0)


def test_a_dispute_can_be_announced_first(shop: Shop, listener: Listener) -> None:
    """Held, no money moves until it is taken; more than there is cannot be disputed."""
    payment = paid(shop)
    _ = shop.sandbox.control.fault("hold", "adyen.chargebacks")
    before = shop.sandbox.control.truth()["balance"]
    dispute = shop.sandbox.control.dispute(payment)["id"]
    held = shop.sandbox.control.truth()["balance"]
    _ = shop.sandbox.control.finish(dispute)
    _ = shop.sandbox.control.flush_webhooks()

    assert held == before
    assert codes(listener)[1:] == ["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"]
    with pytest.raises(SandboxError, match="can be disputed"):
        _ = shop.sandbox.control.dispute(payment)


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
