"""Webhooks of the sandbox: signed, in order, again after a failure, and wrong on demand."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Literal

import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError, webhooks

from .sandbox_given import Listener, link_params

CARD = ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"]


def paid(sandbox: Sandbox, client: stripe.StripeClient, how: Literal["card", "delayed"] = "card") -> str:
    """The payment intent of one payment."""
    link = client.v1.payment_links.create(link_params(restrictions=None))
    return sandbox.control.pay(link.url, how=how).payment_intent


def test_events_come_signed_in_stripes_order(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """Stripe's own verifier accepts each, and the order is that of Stripe for card, later money and refund."""
    secret = sandbox.control.register_webhook(listener.url)
    link = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
    intent = sandbox.control.pay(link.url).payment_intent
    _ = client.v1.refunds.create({"payment_intent": intent, "amount": 1000})

    told = sandbox.control.flush_webhooks()

    assert listener.types == [
        "payment_link.created",
        *CARD,
        "payment_link.updated",
        "refund.created",
        "refund.updated",
        "charge.refunded",
    ]
    assert told == {"delivered": 8, "failed": 0, "held": 0, "dropped": 0}
    for body, header in listener.heard:
        assert stripe.WebhookSignature.verify_header(body.decode(), header, secret, 300)
    created = listener.events[0]
    assert (created["object"], created["livemode"], created["pending_webhooks"]) == ("event", False, 1)
    assert created["api_version"] == stripe.api_version
    assert created["request"]["idempotency_key"] == "k-1"
    assert created["data"]["object"]["id"] == link.id
    used_up = listener.events[4]["data"]
    assert used_up["previous_attributes"]["active"] is True
    assert used_up["object"]["active"] is False
    assert "_line_items" not in json.dumps(listener.events)


@pytest.mark.parametrize(
    ("succeeded", "then"),
    [
        (True, ["checkout.session.async_payment_succeeded", "payment_intent.succeeded", "charge.succeeded"]),
        (False, ["checkout.session.async_payment_failed", "payment_intent.payment_failed", "charge.failed"]),
    ],
)
def test_later_money_is_told_later(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener, succeeded: bool, then: list[str]
) -> None:
    """First the completed, unpaid session; then the outcome."""
    intent = paid(sandbox, client, "delayed")
    _ = sandbox.control.register_webhook(listener.url)

    _ = sandbox.control.settle(intent, succeeded=succeeded)
    _ = sandbox.control.flush_webhooks()

    assert listener.types == then


def test_a_session_that_ends_by_the_clock_is_told(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """Moving the clock past a session's end tells `checkout.session.expired`, and the canceled payment before it."""
    link = client.v1.payment_links.create(link_params())
    _ = sandbox.control.pay(link.url, how="declined")
    _ = sandbox.control.register_webhook(listener.url)

    _ = sandbox.control.move_clock(timedelta(days=2))
    _ = sandbox.control.flush_webhooks()

    assert listener.types == ["payment_intent.canceled", "checkout.session.expired"]


def test_an_endpoint_hears_what_it_asked_for(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """An endpoint made through the API gets its secret once, its own events, and its own version of them."""
    endpoint = client.v1.webhook_endpoints.create(
        {"url": listener.url, "enabled_events": ["charge.succeeded"], "api_version": "2025-07-30.basil"}
    )

    _ = paid(sandbox, client)
    _ = sandbox.control.flush_webhooks()

    assert listener.types == ["charge.succeeded"]
    assert listener.events[0]["api_version"] == "2025-07-30.basil"
    assert endpoint.secret is not None
    body, header = listener.heard[0]
    assert stripe.WebhookSignature.verify_header(body.decode(), header, endpoint.secret, 300)
    assert not hasattr(client.v1.webhook_endpoints.list().data[0], "secret")
    stored = client.v1.events.list({"type": "charge.succeeded"}).data
    assert [event.id for event in stored] == [listener.events[0]["id"]]
    assert client.v1.events.retrieve(stored[0].id).type == "charge.succeeded"


def test_a_disabled_or_deleted_endpoint_hears_nothing(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """Disabling stops new events, deleting drops those that wait."""
    endpoint = client.v1.webhook_endpoints.create({"url": listener.url, "enabled_events": ["*"]})
    _ = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    _ = paid(sandbox, client)
    _ = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})
    _ = sandbox.control.fault("late", times=None)
    _ = paid(sandbox, client)
    _ = client.v1.webhook_endpoints.delete(endpoint.id)
    _ = sandbox.control.release()
    _ = sandbox.control.flush_webhooks()

    assert listener.heard == []


def test_a_failed_delivery_is_tried_again(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """A 500 and a redirect are no yes: the same event comes again, under a signature of its own."""
    _ = client.v1.webhook_endpoints.create({"url": listener.url, "enabled_events": ["charge.succeeded"]})
    listener.answers = [500, 302]

    _ = paid(sandbox, client)
    _ = sandbox.control.flush_webhooks()

    assert len({event["id"] for event in listener.events}) == 1
    assert len(listener.heard) == 3
    assert sandbox.control.deliveries()[0]["attempts"] == 3


def test_a_delivery_that_was_given_up_can_be_asked_for(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last attempt the queue is empty; `retry_webhooks` sends it once more."""
    monkeypatch.setattr(webhooks, "_WAITS", (0.01,))
    _ = client.v1.webhook_endpoints.create({"url": listener.url, "enabled_events": ["charge.succeeded"]})
    listener.answers = [500, 500]
    _ = paid(sandbox, client)

    given_up = sandbox.control.flush_webhooks()
    again = sandbox.control.retry_webhooks()
    after = sandbox.control.flush_webhooks()

    assert (given_up["failed"], again) == (1, 1)
    assert (after["failed"], after["delivered"], len(listener.heard)) == (0, 1, 3)


def test_the_control_names_what_is_wrong(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """Nothing there, another way to pay, or a wrong number: each is said in words."""
    link = client.v1.payment_links.create(link_params())
    with pytest.raises(SandboxError, match="no payment link"):
        _ = sandbox.control.pay("http://127.0.0.1/pay/plink_none")
    with pytest.raises(SandboxError, match="how is"):
        _ = sandbox.control.pay(link.url, how="cash")  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="e-mail"):
        _ = sandbox.control.pay(link.url, email="nobody")
    with pytest.raises(SandboxError, match="seconds"):
        _ = sandbox.control.flush_webhooks(seconds="soon")  # type: ignore[arg-type]


def test_duplicates_are_told_twice(sandbox: Sandbox, client: stripe.StripeClient, listener: Listener) -> None:
    """Once with the same event id, once as an event of its own, as both happen."""
    _ = sandbox.control.register_webhook(listener.url)
    _ = sandbox.control.fault("duplicate", "checkout.session.completed")
    _ = sandbox.control.fault("duplicate", "charge.*", new_id=True)

    _ = paid(sandbox, client)
    _ = sandbox.control.flush_webhooks()

    assert listener.types[1:] == [CARD[0], CARD[0], CARD[1], CARD[2], CARD[2]]
    ids = [event["id"] for event in listener.events]
    assert ids[1] == ids[2]
    assert ids[4] != ids[5]


def test_late_events_wait_until_released(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """A held event comes after `release`, behind all others."""
    _ = sandbox.control.register_webhook(listener.url)
    _ = sandbox.control.fault("late", "checkout.session.completed")

    _ = paid(sandbox, client)
    before = sandbox.control.flush_webhooks()
    released = sandbox.control.release()
    _ = sandbox.control.flush_webhooks()

    assert (before["held"], released) == (1, 1)
    assert listener.types[1:] == [CARD[1], CARD[2], CARD[0]]


def test_reordered_events_come_backwards(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """Three events collected by the fault come last first; a seed gives another order, the same each time."""
    _ = sandbox.control.register_webhook(listener.url)
    _ = sandbox.control.fault("reorder", times=3, skip=1)
    _ = paid(sandbox, client)
    _ = sandbox.control.flush_webhooks()
    backwards = listener.types[1:4]

    assert backwards == CARD[::-1]


def test_dropped_events_are_in_the_list_only(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """A dropped event is never told, and can be found by asking."""
    _ = sandbox.control.register_webhook(listener.url)
    _ = sandbox.control.fault("drop", "checkout.session.completed")

    _ = paid(sandbox, client)
    told = sandbox.control.flush_webhooks()

    assert CARD[0] not in listener.types
    assert told["dropped"] == 1
    assert len(client.v1.events.list({"type": CARD[0]}).data) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1@example.com/",
        "nonsense",
    ],
)
def test_only_this_machine_is_ever_called(sandbox: Sandbox, client: stripe.StripeClient, url: str) -> None:
    """An address elsewhere is refused by the API and by the control."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    with pytest.raises(SandboxError, match="not on this machine"):
        _ = sandbox.control.register_webhook(url)

    assert refused.value.code == "url_invalid"
