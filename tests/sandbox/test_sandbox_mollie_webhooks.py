"""What the sandbox's Mollie half tells, and how: signed events and classic calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError, webhooks
from paybylink.sandbox.mollie.events import signature

from .mollie_given import Bell, address, calling, euros, made, reading, ringing

SECRETS = ("paybylink-test-secret-1", "paybylink-test-secret-2")


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


@pytest.fixture
def bell() -> Iterator[Bell]:
    """An endpoint that keeps what it is told."""
    with ringing() as listening:
        yield listening


def test_a_signed_event_holds_its_entity(sandbox: Sandbox, api: httpx.Client, bell: Bell) -> None:
    """Signed over the raw bytes, with a snapshot of what it is about, and found again by its id."""
    secret = sandbox.control.register_webhook(bell.url, provider="mollie")
    link = made(api)

    payment = sandbox.control.pay(address(link)).payment
    _ = sandbox.control.flush_webhooks()

    paid, of_link = bell.heard
    assert bell.types == ["payment.paid", "payment-link.paid"]
    assert all(heard.signed_by(secret) for heard in bell.heard)
    assert not paid.signed_by("another")
    assert (paid.event["entityId"], of_link.event["entityId"]) == (payment, link["id"])
    assert of_link.event["_embedded"]["entity"] == api.get(f"payment-links/{link['id']}").json()
    assert reading(sandbox, f"events/{paid.event['id']}") == paid.event


@pytest.mark.parametrize(
    ("content", "secret", "digest"),
    [
        pytest.param(
            '{"resource":"event","id":"event_GvJ8WHrp5isUdRub9CJyH","type":"payment-link.paid",'
            '"entityId":"pl_qng5gbbv8NAZ5gpM5ZYgx","createdAt":"2026-01-02T03:04:05.0Z"}',
            SECRETS[0],
            "568b26bd20b6cd554f06dfccbf497444f6fb9b582a12f3ca24bf5cc7ffd48e05",
            id="plain",
        ),
        pytest.param(
            '{"resource":"event","id":"event_GvJ8WHrp5isUdRub9CJyH","type":"payment-link.paid",'
            '"entityId":"pl_qng5gbbv8NAZ5gpM5ZYgx","createdAt":"2026-01-02T03:04:05.0Z"}',
            SECRETS[1],
            "13c6a38bfd4cbc873aed7d55524a3418636ae2710682175eb75a09d623200c73",
            id="another-secret",
        ),
        pytest.param(
            '{"type":"payment-link.paid","entityId":"pl_x","note":"café €"}',
            SECRETS[0],
            "2c207b5fac3da0853aeecfe7171144f6ecf3d01ef59f9f2e84402eedf765212c",
            id="beyond-ascii",
        ),
    ],
)
def test_signatures_are_those_of_known_examples(content: str, secret: str, digest: str) -> None:
    """Worked out by hand, over the body's bytes in UTF-8."""
    assert signature(content.encode(), secret) == f"sha256={digest}"


def test_after_a_rolled_secret_both_sign(sandbox: Sandbox, api: httpx.Client, bell: Bell) -> None:
    """Two secrets give two signatures in one header; either opens."""
    said = sandbox.control.register_webhook(bell.url, provider="mollie", secret=",".join(SECRETS))

    _ = sandbox.control.pay(address(made(api)), how="declined")
    _ = sandbox.control.flush_webhooks()

    assert said == ",".join(SECRETS)
    assert bell.types == ["payment.failed"]
    assert [bell.heard[0].signed_by(secret) for secret in SECRETS] == [True, True]


def test_an_endpoint_hears_what_it_asked_for(sandbox: Sandbox, api: httpx.Client, bell: Bell) -> None:
    """And nothing else."""
    _ = sandbox.control.register_webhook(bell.url, provider="mollie", events=("payment-link.paid",))

    _ = sandbox.control.pay(address(made(api)))
    _ = sandbox.control.flush_webhooks()

    assert bell.types == ["payment-link.paid"]


def test_a_reusable_link_tells_of_its_first_payment_only(
    sandbox: Sandbox, api: httpx.Client, bell: Bell
) -> None:
    """Each payment is told of; the link is not told of again."""
    _ = sandbox.control.register_webhook(bell.url, provider="mollie")
    link = made(api, reusable=True)

    for _ in range(2):
        _ = sandbox.control.pay(address(link))
    _ = sandbox.control.flush_webhooks()

    assert bell.types == ["payment.paid", "payment-link.paid", "payment.paid"]


def test_a_classic_call_says_an_id_and_nothing_else(sandbox: Sandbox, api: httpx.Client, bell: Bell) -> None:
    """A form to the link's own address, for what ended and for what happens to paid money; not for waiting."""
    link = made(api, webhookUrl=f"{bell.url}/token-1", reusable=True)
    paid = sandbox.control.pay(address(link)).payment
    failed = sandbox.control.pay(address(link), how="declined").payment
    waiting = sandbox.control.pay(address(link), how="delayed").payment
    left = sandbox.control.pay(f"{address(link)}?sandbox=abandoned").payment
    _ = sandbox.control.flush_webhooks()
    first = [heard.payment for heard in bell.heard]

    _ = sandbox.control.settle(waiting)
    _ = sandbox.control.move_clock(timedelta(minutes=16))
    refund = api.post(f"payments/{paid}/refunds", json={"amount": euros("5.00")}).json()["id"]
    _ = sandbox.control.finish(refund)
    _ = sandbox.control.dispute(paid)
    _ = sandbox.control.flush_webhooks()

    assert first == [paid, failed]
    # Settled, expired, at the bank, refunded, charged back.
    assert [heard.payment for heard in bell.heard[2:]] == [waiting, left, paid, paid, paid]
    assert {heard.path for heard in bell.heard} == {"/hook/token-1"}
    assert {heard.body for heard in bell.heard[:1]} == {f"id={paid}".encode()}
    assert bell.heard[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert all("x-mollie-signature" not in heard.headers for heard in bell.heard)


@pytest.mark.parametrize("status", [201, 204, 302, 500])
def test_only_a_200_is_heard(sandbox: Sandbox, api: httpx.Client, bell: Bell, status: int) -> None:
    """Any other answer, a 201 too, and the same thing is told again."""
    _ = sandbox.control.register_webhook(bell.url, provider="mollie", events=("payment-link.paid",))
    bell.answers = [status]

    _ = sandbox.control.pay(address(made(api)))
    told = sandbox.control.flush_webhooks()

    assert told["delivered"] == 1
    assert len(bell.heard) == 2
    assert bell.heard[0].body == bell.heard[1].body


def test_only_this_machine_is_called(sandbox: Sandbox, api: httpx.Client) -> None:
    """A link may name any address; a call elsewhere is dropped, and a subscription elsewhere refused."""
    link = made(api, webhookUrl="https://shop.example/hook")
    _ = sandbox.control.pay(address(link))

    assert sandbox.control.flush_webhooks()["dropped"] == 1
    with pytest.raises(SandboxError, match="not on this machine"):
        _ = sandbox.control.register_webhook("https://shop.example/hook", provider="mollie")
    with pytest.raises(SandboxError, match="basic auth"):
        _ = sandbox.control.register_webhook("http://127.0.0.1:9/", provider="mollie", user="u", password="p")


def test_faults_of_the_queue_know_mollies_events(sandbox: Sandbox, api: httpx.Client, bell: Bell) -> None:
    """A copy under an id of its own, one held back, a classic call dropped."""
    _ = sandbox.control.register_webhook(bell.url, provider="mollie")
    _ = sandbox.control.fault("duplicate", "payment.paid", new_id=True)
    _ = sandbox.control.fault("late", "payment-link.*")
    _ = sandbox.control.fault("drop", "mollie.classic.*")
    link = made(api, webhookUrl=bell.url)

    _ = sandbox.control.pay(address(link))
    before = sandbox.control.flush_webhooks()
    _ = sandbox.control.release()
    _ = sandbox.control.flush_webhooks()

    assert (before["held"], before["dropped"]) == (1, 1)
    assert bell.types == ["payment.paid", "payment.paid", "payment-link.paid"]
    first, copy = bell.heard[0].event, bell.heard[1].event
    assert first["id"] != copy["id"]
    assert first["_embedded"] == copy["_embedded"]


def test_endpoints_named_at_start_keep_their_place(bell: Bell, tmp_path: object) -> None:
    """After a restart the same place hears at its new address what it missed at the old."""
    path = f"{tmp_path}/sandbox.db"
    dead = "http://127.0.0.1:9/hook"
    with Sandbox(path, mollie_webhooks=[(dead, SECRETS[0])]) as first, calling(first) as api:
        _ = first.control.pay(address(made(api)))

    with Sandbox(path, mollie_webhooks=[(bell.url, SECRETS[1])]) as second:
        _ = second.control.flush_webhooks()

    assert sorted(bell.types) == ["payment-link.paid", "payment.paid"]
    assert all(heard.signed_by(SECRETS[1]) for heard in bell.heard)


def test_a_call_is_given_up_after_six_attempts(
    sandbox: Sandbox, api: httpx.Client, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And made once more when somebody asks."""
    monkeypatch.setattr(webhooks, "_WAITS", (0.01,))
    bell.answers = [500, 500]
    _ = sandbox.control.pay(address(made(api, webhookUrl=bell.url)))

    given_up = sandbox.control.flush_webhooks()
    _ = sandbox.control.retry_webhooks()
    after = sandbox.control.flush_webhooks()

    assert (given_up["failed"], after["delivered"]) == (1, 1)
