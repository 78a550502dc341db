"""A running sandbox, and Stripe's own client before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import stripe

from paybylink.sandbox import Sandbox

from .sandbox_given import Listener, listening


@pytest.fixture(autouse=True)
def _no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "enable_telemetry", False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., stripe.StripeClient]]:
    """Makes Stripe's own client for a sandbox; its connections are closed after the test."""
    opened: list[stripe.RequestsClient] = []

    def connected(
        sandbox: Sandbox, key: str = "sk_test_sandbox", *, timeout: float = 10
    ) -> stripe.StripeClient:
        opened.append(stripe.RequestsClient(timeout=timeout))
        return stripe.StripeClient(key, base_addresses={"api": sandbox.stripe_url}, http_client=opened[-1])

    yield connected
    for client in opened:
        client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(sandbox: Sandbox, connect: Callable[..., stripe.StripeClient]) -> stripe.StripeClient:
    """Stripe's own client, talking to the sandbox."""
    return connect(sandbox)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An endpoint that keeps what it is told."""
    with listening() as heard:
        yield heard
