"""Promises about forms: what we write, Stripe's package would have written too."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from paybylink.providers.stripe._sdk import form_of

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
NAMES = st.text(min_size=1, max_size=8)
FORMS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda node: st.lists(node, max_size=3) | st.dictionaries(NAMES, node, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


class Post(stripe.HTTPClient):
    """Keeps the form of the request that the package writes."""

    name = "kept"

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        self.form = post_data
        return "{}", 200, {}

    def request_with_retries(
        self, method: str, url: str, headers: Any, post_data: Any = None, *args: Any, **more: Any
    ) -> Any:
        return self.request(method, url, headers, post_data)


def by_the_package(params: dict[str, Any]) -> str:
    """The form that the package itself sends."""
    post = Post()
    client = stripe.StripeClient("sk_test_form", http_client=post)
    _ = client._requestor.request_raw("post", "/v1/x", params, {}, base_address="api", api_mode="V1")
    return str(post.form)


@given(FORMS)
def test_are_those_of_the_package(params: dict[str, Any]) -> None:
    """Byte for byte, whatever the names and values are."""
    assert form_of(params) == by_the_package(params)


@pytest.mark.parametrize(
    ("params", "form"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"a": {"b": [{"c": "é +&="}]}}, "a[b][0][c]=%C3%A9+%2B%26%3D", id="nested"),
        pytest.param({"a": "[x]", "b": True, "c": None, "d": 1}, "a=[x]&b=true&d=1", id="values"),
    ],
)
def test_look_like_this(params: dict[str, Any], form: str) -> None:
    """For the eye."""
    assert form_of(params) == form
