"""What the sandbox refuses, in Stripe's words: keys, parameters, amounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from sandbox_given import link_params

from paybylink.sandbox import Sandbox


def priced(unit_amount: Any, currency: str = "eur") -> Any:
    """A link over one amount."""
    data = {"currency": currency, "unit_amount": unit_amount, "product_data": {"name": "X"}}
    return link_params(line_items=[{"price_data": data, "quantity": 1}])


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        pytest.param(link_params(colour="red"), "parameter_unknown", "colour", id="unknown"),
        pytest.param(
            link_params(restrictions={"completed_sessions": {"limit": 1, "x": 1}}),
            "parameter_unknown",
            "restrictions[completed_sessions][x]",
            id="unknown-below",
        ),
        pytest.param({"metadata": {"a": "b"}}, "parameter_missing", "line_items", id="missing"),
        pytest.param(
            link_params(line_items=[{"price": "price_none", "quantity": 1}]),
            "resource_missing",
            "line_items[0][price]",
            id="no-such-price",
        ),
        pytest.param(
            priced("many"), "parameter_invalid_integer", "line_items[0][price_data][unit_amount]", id="text"
        ),
        pytest.param(
            priced(-5), "parameter_invalid_integer", "line_items[0][price_data][unit_amount]", id="negative"
        ),
        pytest.param(priced(49), "amount_too_small", "line_items", id="too-small"),
        pytest.param(priced(100_000_000), "amount_too_large", "line_items", id="too-large"),
        pytest.param(priced(1000, "bgn"), None, "line_items[0][price_data][currency]", id="currency"),
        pytest.param(priced(1001, "kwd"), None, "line_items", id="three-decimals"),
        pytest.param(link_params(submit_type="give"), None, "submit_type", id="choice"),
        pytest.param(link_params(metadata={"k" * 41: "v"}), None, "metadata", id="long-key"),
        pytest.param(link_params(inactive_message="x" * 501), None, "inactive_message", id="long-text"),
        pytest.param(
            link_params(optional_items=[{"price": "p"}]), "sandbox_unsimulated", "optional_items", id="ours"
        ),
    ],
)
def test_a_wrong_parameter_is_named(
    client: stripe.StripeClient, params: Any, code: str | None, param: str
) -> None:
    """400 with Stripe's code and the parameter with its brackets; nothing is made."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.payment_links.create(params)

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
    assert refused.value.request_id
    assert client.v1.payment_links.list().data == []
    assert client.v1.prices.list().data == []


def test_what_is_not_there_is_a_404(client: stripe.StripeClient) -> None:
    """A missing object and a missing route are told apart by `resource_missing`."""
    with pytest.raises(stripe.InvalidRequestError) as missing:
        _ = client.v1.payment_links.retrieve("plink_none")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        _ = client.v1.coupons.list()

    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert (unknown.value.http_status, unknown.value.code) == (404, None)


@pytest.mark.parametrize(
    "key", ["sk_live_abc", "sk_test_wrong", "rk_test_expired", "pk_test_abc", "whatever"]
)
def test_only_test_keys_open(sandbox: Sandbox, connect: Callable[..., stripe.StripeClient], key: str) -> None:
    """Live, wrong, expired and publishable keys are a 401, and the key is not repeated in the answer."""
    with pytest.raises(stripe.AuthenticationError) as refused:
        _ = connect(sandbox, key).v1.payment_links.list()

    assert refused.value.http_status == 401
    assert key not in str(refused.value)


def test_a_restricted_test_key_opens(sandbox: Sandbox, connect: Callable[..., stripe.StripeClient]) -> None:
    """`rk_test_` opens as `sk_test_` does."""
    account = connect(sandbox, "rk_test_shop").v1.accounts.retrieve_current()

    assert account.id.startswith("acct_")


def test_newer_versions_take_no_payment_method_types(client: stripe.StripeClient) -> None:
    """Sessions refuse `payment_method_types` since 2026-09-30 and still take it under an older version."""
    params = {
        "mode": "payment",
        "line_items": link_params()["line_items"],
        "success_url": "http://127.0.0.1/",
        "payment_method_types": ["card"],
    }

    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.raw_request("post", "/v1/checkout/sessions", **params)
    old = client.raw_request("post", "/v1/checkout/sessions", stripe_version="2026-05-27.dahlia", **params)

    assert refused.value.code == "payment_method_types_no_longer_supported"
    assert old.code == 200
