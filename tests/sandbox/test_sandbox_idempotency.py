"""Idempotency keys: one key, one deed, the same answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import stripe

from paybylink.sandbox import Sandbox

from .sandbox_given import link_params


def test_the_same_request_gets_the_same_answer(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """A repeated key makes nothing; the answer is the first one, marked as replayed, also in another order."""
    params = link_params()
    first = client.raw_request("post", "/v1/payment_links", idempotency_key="k-1", **params)
    again = client.raw_request(
        "post", "/v1/payment_links", idempotency_key="k-1", **dict(reversed(params.items()))
    )

    assert again.data == first.data
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Request-Id"] != again.headers["Request-Id"]
    assert len(sandbox.control.links()) == 1


def test_other_parameters_under_a_known_key_are_refused(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """400 `idempotency_error`, and the first link stays the only one."""
    _ = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    with pytest.raises(stripe.IdempotencyError) as refused:
        _ = client.v1.payment_links.create(link_params(submit_type="pay"), {"idempotency_key": "k-1"})

    assert refused.value.http_status == 400
    assert len(sandbox.control.links()) == 1


def test_a_fault_of_form_is_not_remembered(client: stripe.StripeClient) -> None:
    """A refused parameter leaves the key free for the corrected request."""
    with pytest.raises(stripe.InvalidRequestError):
        _ = client.v1.payment_links.create(link_params(colour="red"), {"idempotency_key": "k-1"})

    made = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    assert made.active


def test_a_refusal_that_ran_is_remembered(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """An over-refund is answered the same way again, although the same request would be refused otherwise now."""
    link = client.v1.payment_links.create(link_params())
    intent = sandbox.control.pay(link.url).payment_intent
    asked: Any = {"payment_intent": intent, "amount": 9999}
    with pytest.raises(stripe.InvalidRequestError) as first:
        _ = client.v1.refunds.create(asked, {"idempotency_key": "r-1"})
    _ = client.v1.refunds.create({"payment_intent": intent})

    with pytest.raises(stripe.InvalidRequestError) as again:
        _ = client.v1.refunds.create(asked, {"idempotency_key": "r-1"})

    assert first.value.user_message == again.value.user_message
    assert again.value.headers is not None
    assert again.value.headers["Idempotent-Replayed"] == "true"


def test_a_key_lives_a_day(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """After 24 hours of the sandbox's clock the same key makes a second link, as it does at Stripe."""
    first = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
    _ = sandbox.control.move_clock(timedelta(hours=23, minutes=59))
    within = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
    _ = sandbox.control.move_clock(timedelta(minutes=2))
    after = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    assert within.id == first.id
    assert after.id != first.id


def test_two_api_keys_share_no_idempotency_keys(
    sandbox: Sandbox, connect: Callable[..., stripe.StripeClient]
) -> None:
    """The same idempotency key under two API keys is two requests."""
    made = {
        connect(sandbox, key).v1.payment_links.create(link_params(), {"idempotency_key": "k-1"}).id
        for key in ("sk_test_one", "sk_test_two")
    }

    assert len(made) == 2
