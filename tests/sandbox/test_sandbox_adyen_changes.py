"""Changes of Adyen's payments in the sandbox: captures, cancels, refunds, reversals and disputes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import HMAC_KEY, Shop, codes, items, one, paid, shop_in
from .sandbox_given import Listener


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(
        listener.url, provider="adyen", secret=HMAC_KEY, user="hook", password="päss"
    )
    with shop_in(sandbox) as opened:
        yield opened


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
