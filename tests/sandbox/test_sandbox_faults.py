"""Faults on demand: lost answers, cut connections, false answers; by count, listed, cleared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError

from .sandbox_given import link_params

CREATE = "stripe.payment_links.create"


@pytest.mark.parametrize(
    ("kind", "made"), [("reset_before", 0), ("reset_after", 1), ("timeout_before", 0), ("timeout_after", 1)]
)
def test_the_answer_is_lost_with_or_without_the_deed(
    sandbox: Sandbox, client: stripe.StripeClient, kind: str, made: int
) -> None:
    """The client hears nothing; the same key then gives one link in either case."""
    _ = sandbox.control.fault(kind, CREATE, seconds=0.05)

    with pytest.raises(stripe.APIConnectionError):
        _ = client.v1.payment_links.create(
            link_params(), {"idempotency_key": "k-1", "max_network_retries": 0}
        )
    meanwhile = len(sandbox.control.links())
    link = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    assert meanwhile == made
    assert [one["id"] for one in sandbox.control.links()] == [link.id]
    log = [(entry.status, entry.fault, entry.idempotency_key) for entry in sandbox.control.requests()]
    assert log == [(None, kind, "k-1"), (200, None, "k-1")]


def test_a_reset_is_a_reset(sandbox: Sandbox) -> None:
    """The kernel says so: the client reads an error, not an end of file."""
    _ = sandbox.control.fault("reset_before", "/stripe/")

    with pytest.raises(httpx.ReadError):
        _ = httpx.get(f"{sandbox.stripe_url}/v1/account", headers={"Authorization": "Bearer sk_test_x"})


def test_a_held_connection_waits_for_the_client(
    sandbox: Sandbox, connect: Callable[..., stripe.StripeClient]
) -> None:
    """A client that gives up early gets its own timeout, and the sandbox closes without waiting."""
    _ = sandbox.control.fault("timeout_after", "/stripe/v1/payment_links", method="POST", seconds=600)

    with pytest.raises(stripe.APIConnectionError, match=r"(?i)timed out"):
        _ = connect(sandbox, timeout=0.2).v1.payment_links.create(link_params())

    assert len(sandbox.control.links()) == 1


def test_closing_lets_go_of_held_connections() -> None:
    """A sandbox that holds a connection closes at once."""
    with Sandbox() as sandbox, httpx.Client(timeout=30) as caller:
        _ = sandbox.control.fault("timeout_before", "/mailbox", seconds=600)
        with pytest.raises(httpx.ReadTimeout):
            _ = caller.get(f"{sandbox.url}/mailbox", timeout=0.1)
        began = time.monotonic()
        sandbox.close()

    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("status", "error"), [(429, stripe.RateLimitError), (500, stripe.APIError), (503, stripe.APIError)]
)
@pytest.mark.parametrize("work", [True, False])
def test_a_false_answer_with_or_without_the_deed(
    sandbox: Sandbox, client: stripe.StripeClient, status: int, error: type[stripe.StripeError], work: bool
) -> None:
    """The status comes as asked; the same key then finds the link, or makes it."""
    _ = sandbox.control.fault("status", CREATE, status=status, work=work)

    with pytest.raises(error) as refused:
        _ = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
    meanwhile = len(sandbox.control.links())
    _ = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    assert refused.value.http_status == status
    assert meanwhile == int(work)
    assert len(sandbox.control.links()) == 1


def test_a_remembered_500_stays_a_500(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """With `stored` the key answers 500 for good, as Stripe's own 500s do; the deed is done."""
    _ = sandbox.control.fault("status", CREATE, status=500, stored=True)

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            _ = client.v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

    assert len(sandbox.control.links()) == 1


def test_a_false_answer_can_be_a_proxys(sandbox: Sandbox) -> None:
    """Text and headers are the caller's to choose."""
    _ = sandbox.control.fault(
        "status", "/stripe", status=503, text="<h1>Bad gateway</h1>", headers={"Stripe-Should-Retry": "true"}
    )

    reply = httpx.get(f"{sandbox.stripe_url}/v1/account")

    assert (reply.status_code, reply.text) == (503, "<h1>Bad gateway</h1>")
    assert reply.headers["Stripe-Should-Retry"] == "true"


def test_faults_strike_by_count(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """`skip` passes, `times` strike, the rest passes; other routes never notice."""
    _ = sandbox.control.fault("status", CREATE, status=500, skip=1, times=2)
    outcomes = []
    for _ in range(4):
        try:
            _ = client.v1.payment_links.create(link_params())
            outcomes.append("made")
        except stripe.APIError:
            outcomes.append("refused")
        _ = client.v1.payment_links.list()

    assert outcomes == ["made", "refused", "refused", "made"]
    assert [(fault["state"], fault["used"]) for fault in sandbox.control.faults()] == [("spent", 2)]


def test_chance_is_drawn_from_the_seed(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    """The same seed fails in the same places, and not everywhere."""
    runs = []
    for _ in range(2):
        _ = sandbox.control.fault("status", "stripe.account.fetch", times=None, chance=0.5, seed=7)
        statuses = [
            httpx.get(
                f"{sandbox.stripe_url}/v1/account", headers={"Authorization": "Bearer sk_test_x"}
            ).status_code
            for _ in range(12)
        ]
        runs.append(statuses)
        sandbox.control.clear_faults()

    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}
    assert sandbox.control.faults() == []


@pytest.mark.parametrize(
    "wrong", [{"kind": "explode"}, {"kind": "status", "times": 0}, {"kind": "status", "colour": "red"}]
)
def test_a_fault_that_is_none_is_refused(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    """An unknown kind, count or field is named, and nothing is switched on."""
    with pytest.raises(SandboxError, match="Not a fault"):
        _ = sandbox.control.fault(**wrong)

    assert sandbox.control.faults() == []
