"""
Each hazard of the SDK and of Stripe's protocol that we know of, by name.

The first part runs the SDK with settings of the host that would leak or write; the rest are properties of requests.
"""

from __future__ import annotations

import builtins
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from attrs import evolve

from paybylink.errors import MissingExtra, NotSent, OutcomeUnknown, PaybylinkError
from paybylink.kinds import HostedInvoice
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.stripe import StripeProvider

from .stripe_given import (
    API_KEY,
    KEY,
    NOW,
    ORDER,
    SECRET,
    account,
    answer,
    asked,
    create,
    drive,
    finish,
    recorded,
    refund_asked,
)

MARKS = ("MARKED", "Marked", "marked-payer", "whsec_")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tries to connect or to wait fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it opens a connection or waits")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(time, "sleep", refuse)


@pytest.fixture
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the SDK would write its telemetry id."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("stripe._telemetry_id._loaded", False)
    monkeypatch.setattr("stripe._telemetry_id._cached_id", None)
    return tmp_path


def journey() -> list[httpx.Request]:
    """A link is made, fetched and paid, a refund is made; every request that it took."""
    provider = account()
    call, first = create(provider, asked())
    _ = finish(call, answer(first, recorded("payment_link_single_use")))
    requests = [first]
    _, more = drive(provider.payments_of("plink_1SkPbLsingle"), recorded("sessions_complete"))
    requests += more
    refund = provider.refund(refund_asked(), written=provider.write_refund(refund_asked(), key=KEY, now=NOW))
    requests.append(next(refund))
    _ = finish(refund, answer(requests[-1], recorded("refund_partly_settled")))
    return requests


def test_telemetry_of_the_host_is_neither_used_nor_switched(config_home: Path) -> None:
    """With telemetry on, our calls write no id, send no platform and no latencies; the host's setting stays."""
    assert stripe.enable_telemetry is True

    for request in journey():
        about = request.headers["x-stripe-client-user-agent"]
        assert "telemetry" not in about
        assert "platform" not in about
        assert "x-stripe-client-telemetry" not in request.headers
    assert list(config_home.rglob("*")) == []
    assert stripe.enable_telemetry is True


def test_the_environment_adds_nothing_to_the_user_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK names agents and apps that it finds around it; our requests are the same everywhere."""
    from stripe._api_requestor import _APIRequestor

    for name, _ in _APIRequestor.AI_AGENTS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(stripe, "app_info", {"name": "host-app", "version": "1", "url": "", "partner_id": ""})

    for request in journey():
        assert request.headers["user-agent"] == f"Stripe/v1 PythonBindings/{stripe.VERSION} paybylink"
        assert "host-app" not in str(request.headers)


def test_the_sdks_debug_log_shows_nothing_of_our_calls(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`STRIPE_LOG=debug` and the logger at DEBUG print no body, neither of an answer nor of a refusal."""
    monkeypatch.setattr("stripe._util.STRIPE_LOG", "debug")
    caplog.set_level(logging.DEBUG)

    _ = journey()
    for refusal in (
        recorded("error_wrong_key"),
        {"error": "invalid_client", "error_description": "Marked words of Stripe."},
    ):
        call, request = create(account(), asked())
        with pytest.raises(PaybylinkError):
            _ = finish(call, answer(request, refusal, status=401))

    printed = capsys.readouterr()
    said = printed.out + printed.err + caplog.text
    assert [mark for mark in (*MARKS, KEY, "INV-2026-031", "Logo") if mark in said] == []


def test_a_notice_of_stripe_is_no_warning() -> None:
    """`Stripe-Notice` becomes a Python warning elsewhere, and an error under -W error."""
    call, request = create(account(), asked())
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        link = finish(
            call,
            answer(request, recorded("payment_link_single_use"), headers={"Stripe-Notice": "Marked notice"}),
        )

    assert link.vendor_id == "plink_1SkPbLsingle"


def test_the_sdk_never_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the host's global number of retries nor Stripe's wish makes a second request or a wait."""
    monkeypatch.setattr(stripe, "max_network_retries", 5)
    for status in (409, 429, 500):
        call, request = create(account(), asked())
        with pytest.raises(PaybylinkError):
            _ = finish(
                call,
                answer(
                    request,
                    recorded("error_api_down"),
                    status=status,
                    headers={"Stripe-Should-Retry": "true"},
                ),
            )


def test_no_key_is_made_up() -> None:
    """A creation without our key is stopped, where the SDK would invent one."""
    with pytest.raises(NotSent):
        _ = account().write_link(asked(), key="", now=NOW)


def test_two_writings_are_byte_for_byte_equal() -> None:
    """The same request, key and moment give the same bytes, so that a key never meets other parameters."""
    provider = account()

    assert provider.write_link(asked(), key=KEY, now=NOW) == provider.write_link(asked(), key=KEY, now=NOW)


def test_the_stored_request_holds_no_secret() -> None:
    """What goes into the database has neither the API key nor a header."""
    written = account().write_link(asked(), key=KEY, now=NOW)

    assert API_KEY not in f"{written.path} {written.body!r} {written.content_type} {written.version}"
    assert (written.method, written.path) == ("POST", "/v1/payment_links")


def test_the_hosts_own_sdk_settings_are_neither_read_nor_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another key, version, address or client of the host's has no say in our requests."""

    class Foreign(stripe.HTTPClient):
        name = "foreign"

        def request(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("the host's client was used")

    settings = {
        "api_key": "sk_test_hostMARKED",
        "api_version": "2020-08-27",
        "api_base": "https://host.example",
        "default_http_client": Foreign(),
        "proxy": "http://proxy.example",
    }
    for name, value in settings.items():
        monkeypatch.setattr(stripe, name, value)

    requests = journey()

    assert {request.url.host for request in requests} == {"api.stripe.com"}
    assert {request.headers["authorization"] for request in requests} == {f"Bearer {API_KEY}"}
    assert "2020-08-27" not in {request.headers["stripe-version"] for request in requests}
    assert {name: getattr(stripe, name) for name in settings} == settings


def test_a_local_type_error_of_the_sdk_is_no_connection_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK calls some mistakes of its own retryable connection errors; after sending they are unknown."""
    call, request = create(account(), asked())

    def broken(*_: object, **__: object) -> None:
        raise type("APIConnectionError", (stripe.StripeError,), {"should_retry": True})("Marked")

    monkeypatch.setattr("stripe._api_requestor._APIRequestor._interpret_response", broken)

    with pytest.raises(OutcomeUnknown) as caught:
        _ = finish(call, answer(request, recorded("payment_link_single_use")))
    assert "Marked" not in "".join(traceback.format_exception(caught.value))


def test_one_account_serves_many_threads() -> None:
    """Links that are made at once, each in its own thread, keep their own replies."""
    provider, wrong = account(), []

    def work(number: int) -> None:
        for turn in range(20):
            order = Order(reference=f"R-{number}-{turn}", amount=Money(4990, "EUR"))
            call, request = create(provider, asked(order))
            reply = recorded("payment_link_single_use", id=f"plink_{number}_{turn}")
            link = finish(call, answer(request, reply))
            if (
                link.vendor_id != f"plink_{number}_{turn}"
                or f"R-{number}-{turn}".encode() not in request.content
            ):
                wrong.append(link.vendor_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, making a link says what to install; webhooks work without."""
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "stripe":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "paybylink.providers.stripe._sdk")
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtra, match=r"paybylink\[stripe\]"):
        _ = account().write_link(asked(), key=KEY, now=NOW)


def test_the_sdk_is_loaded_on_first_use_only() -> None:
    """Making an account, and receiving its webhooks, imports no SDK."""
    program = textwrap.dedent("""
        import sys
        from paybylink.providers.stripe import StripeProvider
        provider = StripeProvider("sk_test_abc", webhook_secrets=["whsec_abc"])
        body = b'{"id":"evt_1","object":"event","type":"x","created":1,"livemode":false,"data":{"object":{}}}'
        assert provider.read(body)
        assert "stripe" not in sys.modules, "loaded too early"
    """)

    _ = subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ})


def every_error(provider: StripeProvider) -> Iterator[PaybylinkError]:
    """One error from every way in which a call can go wrong."""
    answers: list[tuple[object, int]] = [
        (recorded(f"error_{name}"), status)
        for name, status in (
            ("wrong_key", 401),
            ("missing_right", 403),
            ("amount_too_small", 400),
            ("unknown_parameter", 400),
            ("rate_limit", 429),
            ("api_down", 500),
        )
    ]
    answers += [(b"Marked", 200), (b"Marked", 500), (["Marked"], 200), ({"object": "Marked"}, 200)]
    answers.append((recorded("payment_link_single_use", url="https://evil.example/Marked"), 200))
    answers.append((recorded("sessions_complete"), 200))
    marked = Customer(name="Marked Payer", email="marked-payer@example.com")
    invoice = asked(evolve(ORDER, customer=marked), HostedInvoice())
    for body, status in answers:
        for call in (
            provider.create_link(asked(), written=provider.write_link(asked(), key=KEY, now=NOW)),
            provider.fetch_link("plink_1"),
            provider.fetch_payment("pi_1"),
            provider.refund(refund_asked(), written=provider.write_refund(refund_asked(), key=KEY, now=NOW)),
            provider.close_link("cs_test_1", key=KEY, now=NOW),
            provider.fetch_link("in_1"),
            provider.reopen_link("plink_1", key=KEY, now=NOW),
            provider.capture("pi_1", Money(1, "EUR"), key=KEY, now=NOW),
            provider.cancel_payment("pi_1", key=KEY, now=NOW),
            provider.disputes_of("pi_1"),
            provider.settlements(since=NOW, until=NOW),
            provider.create_link(invoice, written=provider.write_link(invoice, key=KEY, now=NOW)),
        ):
            error = error_of(call, body, status)
            if error is not None:
                yield error


def error_of(
    call: Generator[httpx.Request, httpx.Response, object], body: object, status: int
) -> PaybylinkError | None:
    """What `call` raises when all it asks is answered alike; None where it comes to an end."""
    try:
        request = next(call)
        for _ in range(10):
            request = call.send(answer(request, body, status=status))
    except StopIteration:
        return None
    except PaybylinkError as error:
        return error
    raise AssertionError("it asks without end")


def test_no_error_shows_a_secret_or_what_stripe_said() -> None:
    """Text, repr, attributes and traceback of every error are free of keys, words and customers' data."""
    shown = 0
    for error in every_error(account(webhook_secrets=[SECRET])):
        shown += 1
        told = "".join(traceback.format_exception(error)) + repr(error) + str(error.__dict__)
        assert [mark for mark in (*MARKS, KEY) if mark in told] == []

    assert shown >= 120
