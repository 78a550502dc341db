"""What the sandbox refuses, in Stripe's words: keys, parameters, amounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from paybylink.sandbox import Sandbox

from .sandbox_given import link_params


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
        pytest.param(priced(10**9, "inr"), "amount_too_large", "line_items", id="too-large-in-rupees"),
        pytest.param(priced(1050, "isk"), None, "line_items", id="no-coin"),
        pytest.param(link_params(currency="usd"), None, "currency", id="two-currencies"),
        pytest.param(link_params(line_items=[]), "parameter_missing", "line_items", id="no-line"),
        pytest.param(
            link_params(line_items=[{"quantity": 1}]),
            "parameter_missing",
            "line_items[0][price]",
            id="no-price",
        ),
        pytest.param(
            link_params(line_items=[{"price_data": link_params()["line_items"][0]["price_data"]}]),
            "parameter_missing",
            "line_items[0][quantity]",
            id="no-quantity",
        ),
        pytest.param(
            link_params(
                line_items=[*link_params()["line_items"], *priced(1000, "usd")["line_items"]],
            ),
            None,
            "line_items",
            id="mixed-currencies",
        ),
        pytest.param(
            link_params(line_items=[{"price_data": {"currency": "eur", "unit_amount": 5}, "quantity": 1}]),
            "parameter_missing",
            "line_items[0][price_data][product]",
            id="no-product",
        ),
        pytest.param(
            link_params(line_items=[{"price_data": {"currency": "eur", "product": "prod_x"}, "quantity": 1}]),
            "parameter_missing",
            "line_items[0][price_data][unit_amount]",
            id="no-amount",
        ),
        pytest.param(
            link_params(
                line_items=[
                    {
                        "price_data": {"currency": "eur", "unit_amount": 5, "product": "prod_none"},
                        "quantity": 1,
                    }
                ]
            ),
            "resource_missing",
            "line_items[0][price_data][product]",
            id="no-such-product",
        ),
        pytest.param(
            link_params(line_items=link_params()["line_items"] * 21), "array_too_long", "line_items", id="21"
        ),
        pytest.param(link_params(line_items={"a": {"quantity": 1}}), None, "line_items", id="not-a-list"),
        pytest.param(link_params(metadata="x"), None, "metadata", id="not-an-object"),
        pytest.param(link_params(inactive_message={"a": "b"}), None, "inactive_message", id="not-text"),
        pytest.param(link_params(metadata={f"k{i}": "v" for i in range(51)}), None, "metadata", id="51-keys"),
        pytest.param(link_params(metadata={"k": "v" * 501}), None, "metadata[k]", id="long-value"),
        pytest.param(
            link_params(after_completion={"type": ""}),
            "parameter_invalid_empty",
            "after_completion[type]",
            id="empty",
        ),
        pytest.param(
            link_params(after_completion={"type": "redirect"}),
            "parameter_missing",
            "after_completion[redirect]",
            id="no-redirect",
        ),
        pytest.param(
            link_params(after_completion={"type": "redirect", "redirect": {"url": "javascript:alert(1)"}}),
            None,
            "after_completion[redirect][url]",
            id="no-web-address",
        ),
        pytest.param(
            link_params(allow_promotion_codes="yes"), None, "allow_promotion_codes", id="not-a-flag"
        ),
        pytest.param(
            link_params(restrictions={"completed_sessions": {"limit": 0}}),
            "parameter_invalid_integer",
            "restrictions[completed_sessions][limit]",
            id="no-limit",
        ),
        pytest.param(link_params(expand=["metadata.colour"]), None, "expand", id="not-expandable"),
        pytest.param(link_params(expand=["a.b.c.d.e"]), None, "expand", id="too-deep"),
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


@pytest.mark.parametrize(
    "body",
    ["metadata[a=b", "a=1&a[b]=2", "a[b]=2&a=1", "a[b]=1&a[b][c]=2", "[a]=1", "metadata[a]=%ff", b"\xff=1"],
)
def test_a_garbled_form_is_a_400(sandbox: Sandbox, body: str | bytes) -> None:
    """Unbalanced brackets, a name used twice over and bytes that are no text are refused in Stripe's shape."""
    reply = httpx.post(
        f"{sandbox.stripe_url}/v1/payment_links",
        headers={"Authorization": "Bearer sk_test_x", "Content-Type": "application/x-www-form-urlencoded"},
        content=body,
    )

    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic c2tfdGVzdF94Og=="}])
def test_no_key_is_a_401(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """Without a bearer key nothing opens, and the answer says where the key belongs."""
    reply = httpx.get(f"{sandbox.stripe_url}/v1/account", headers=headers)

    assert reply.status_code == 401
    assert "Authorization header" in reply.json()["error"]["message"]


def test_an_endless_idempotency_key_is_refused(client: stripe.StripeClient) -> None:
    """255 characters are the most."""
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        _ = client.v1.payment_links.create(link_params(), {"idempotency_key": "k" * 256})


@pytest.mark.parametrize("missing", ["mode", "line_items", "success_url"])
def test_a_session_needs_these(client: stripe.StripeClient, missing: str) -> None:
    """Mode, lines and the address to return to are required."""
    params: Any = {
        "mode": "payment",
        "line_items": link_params()["line_items"],
        "success_url": "http://127.0.0.1/",
    }
    del params[missing]

    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.checkout.sessions.create(params)

    assert (refused.value.code, refused.value.param) == ("parameter_missing", missing)


def test_subscriptions_are_not_acted_out(client: stripe.StripeClient) -> None:
    """Another mode says that the sandbox does not simulate it."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.checkout.sessions.create({"mode": "subscription"})

    assert refused.value.code == "sandbox_unsimulated"


def test_a_price_has_one_kind_of_amount(client: stripe.StripeClient) -> None:
    """Fixed and payer-chosen exclude each other, and a chosen amount stands alone on its link."""
    product = client.v1.products.create({"name": "Gift"}).id
    custom: Any = {"currency": "eur", "product": product, "custom_unit_amount": {"enabled": True}}
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        _ = client.v1.prices.create(custom | {"unit_amount": 5})
    price = client.v1.prices.create(custom).id
    inactive = client.v1.prices.create(
        {"currency": "eur", "product": product, "unit_amount": 500, "active": False}
    ).id

    lines: list[Any] = [
        [{"price": price, "quantity": 2}],
        [{"price": price, "quantity": 1}, *link_params()["line_items"]],
        [{"price": inactive, "quantity": 1}],
    ]
    for line in lines:
        with pytest.raises(stripe.InvalidRequestError, match=r"custom_unit_amount|inactive"):
            _ = client.v1.payment_links.create({"line_items": line})


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
