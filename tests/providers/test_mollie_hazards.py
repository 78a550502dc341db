"""
Each hazard of the SDK and of Mollie's protocol that we know of, by name.

The first part runs the SDK where it would leak or write; the rest are properties of requests.
"""

from __future__ import annotations

import importlib.machinery
import logging
import os
import platform
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import types
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink.errors import (
    IntegrityBreach,
    MissingExtra,
    NotSent,
    OutcomeUnknown,
    PaybylinkError,
    SettingsError,
)
from paybylink.flow import Written
from paybylink.money import Money
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.mollie._errors import refusal

from .mollie_given import (
    API_KEY,
    KEY,
    NOW,
    ORDER,
    PAYMENT,
    SECRET,
    VENDOR_LINK,
    account,
    asked,
    body_of,
    create,
    drive,
    echo,
    organisation,
    recorded,
    refund_asked,
    reply,
    told,
)

MARKS = ("MARKED", "Marked", "marked-payer", SECRET)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tries to connect or to wait fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it opens a connection or waits")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(time, "sleep", refuse)


def journey(provider: MollieProvider | None = None) -> list[httpx.Request]:
    """A link is made, fetched and paid, a refund is made; every request that it took."""
    provider = provider or account()
    written = provider.write_refund(refund_asked(), key=KEY, now=NOW)
    calls: list[tuple[Any, Any]] = [
        (create(provider, asked()), recorded("link_single_use")),
        (provider.fetch_link(VENDOR_LINK), recorded("link_single_use")),
        (provider.payments_of(VENDOR_LINK), recorded("payments_of_link")),
        (provider.refund(refund_asked(), written=written), recorded("refund_pending")),
        (provider.close_link(VENDOR_LINK, key=KEY, now=NOW), recorded("link_archived")),
    ]
    return [drive(call, answer)[1][0] for call, answer in calls]


def test_the_sdks_error_for_a_wrong_key_is_never_made() -> None:
    """It would print the key; ours names the setting."""
    wrong = "_".join(("wrong", "MARKEDsecret"))
    with pytest.raises(SettingsError) as caught:
        _ = account(api_key=wrong)

    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_this_machines_name_is_not_sent() -> None:
    """The SDK sends the output of `uname` with every request."""
    for request in journey():
        assert "x-mollie-client-info" not in request.headers
        assert platform.node() not in str(request.headers.raw)
        assert request.headers["user-agent"].endswith(" paybylink")


def test_a_replayed_answer_configures_no_logging_and_logs_no_key(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK warns through the root logger, which installs a handler where the host has none."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    call = create(account(), asked())

    _ = drive(call, reply(recorded("link_single_use"), 201, {"Idempotent-Replayed": "true"}))

    assert logging.getLogger().handlers == []
    assert caplog.text == ""


def test_nothing_of_an_answer_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """At no level, neither of an answer nor of a refusal."""
    caplog.set_level(logging.DEBUG)

    _ = journey()
    for name in ("wrong_key", "suspended"):
        said = recorded(f"error_{name}")
        with pytest.raises(PaybylinkError):
            _ = drive(create(account(), asked()), reply(said, said["status"]))

    printed = capsys.readouterr()
    said = printed.out + printed.err + caplog.text
    assert [mark for mark in (*MARKS, KEY, "INV-2026-031", "Logo") if mark in said] == []


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_the_sdk_never_retries(status: int) -> None:
    """One SDK call is one request; whether it goes out again is the driver's business."""
    call = create(account(), asked())
    request = next(call)

    with pytest.raises(PaybylinkError):
        _ = call.send(reply(recorded("error_api_down", status=status), status)(request))


def test_the_sdk_makes_up_no_key() -> None:
    """For each creation, change and deletion it would, and then a retry makes a second link."""
    for request in journey():
        key = request.headers.get("idempotency-key")
        assert key == (None if request.method == "GET" else KEY)


def test_the_key_is_in_no_repr() -> None:
    """Of the stored request, the request, the provider and its account."""
    provider = account()
    written = provider.write_link(asked(), key=KEY, now=NOW)

    for thing in (provider, provider._account, written, next(provider.create_link(asked(), written=written))):
        assert [mark for mark in (*MARKS, KEY) if mark in repr(thing)] == []


def test_an_error_of_the_sdk_holds_nothing_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its texts repeat the whole body; so it is given the status and the field."""
    from mollie.api.error import Error

    seen: list[Exception] = []

    def spied(error: Exception, response: httpx.Response, *, who: str) -> PaybylinkError:
        seen.append(error)
        return refusal(error, response, who=who)

    monkeypatch.setattr("paybylink.providers.mollie._account.refusal", spied)
    said = recorded("error_suspended")
    bodies: list[tuple[object, int]] = [
        (said, 422),
        (b"Marked html", 502),
        (b"Marked torn", 201),
        (["Marked"], 404),
    ]
    for body, status in bodies:
        with pytest.raises(PaybylinkError):
            _ = drive(create(account(), asked()), reply(body, status))

    assert len(seen) == 4
    for error in seen:
        assert isinstance(error, Error)
        assert [mark for mark in MARKS if mark in str(error) + repr(vars(error))] == []


def test_an_amount_is_never_a_number() -> None:
    """Mollie refuses numbers, and another client drops them, so that the payer types any amount."""
    body = body_of(evolve(ORDER, amount=Money(10**12 - 1, "EUR")))

    assert body["amount"]["value"] == "9999999999.99"


def test_an_amount_that_was_lost_on_the_way_is_seen() -> None:
    """A link with an open amount would take one euro for all of it."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(create(account(), asked()), echo(amount=None))

    assert set(caught.value.differences) == {"amount"}


def test_metadata_and_locale_are_never_sent_with_a_link() -> None:
    """Mollie's links have neither; one that is unknown would be a refusal or be dropped without a word."""
    body = body_of(evolve(ORDER, metadata={"a": "b"}), locale="fr")

    assert not {"metadata", "locale", "cancelUrl", "reference"} & body.keys()


def test_testmode_of_a_token_is_never_in_the_query_of_a_change() -> None:
    """There it is refused, and the link would stay open."""
    for request in journey(organisation()):
        if request.method == "GET":
            assert request.url.params["testmode"] == "true"
        else:
            assert request.url.query == b""
            assert b'"testmode": true' in request.content


def test_a_single_use_link_may_be_paid_twice_and_both_payments_are_told() -> None:
    """Two payers at the checkout at once: whether Mollie stops the second is not documented."""
    page = recorded("payments_of_link")
    page["_embedded"]["payments"].append(recorded("payment_paid_by_card", id="tr_PbLSecond"))

    payments, _ = drive(account().payments_of(VENDOR_LINK), page)

    assert sorted(one.vendor_id for one in payments if one.vendor_status == "paid") == [
        PAYMENT,
        "tr_PbLSecond",
    ]


def test_a_payment_of_a_relayed_address_is_matched_by_no_address() -> None:
    """Mollie shows an address of its own on a link's payment."""
    payment, _ = drive(account().fetch_payment(PAYMENT), recorded("payment_paid_by_card"))

    assert (payment.link_id, payment.attempt_id, payment.link_vendor_id) == ("", "", "")


def test_a_payment_that_is_not_there_yet_may_be_asked_for_again() -> None:
    """A fresh id may be unknown for a moment; the refusal does not say that the payment failed."""
    with pytest.raises(PaybylinkError) as caught:
        _ = drive(account().fetch_payment("tr_Fresh"), reply(recorded("error_no_such_link"), 404))

    assert getattr(caught.value, "standard_code", "") == "not_found"


def test_the_same_classic_call_is_no_duplicate_by_itself() -> None:
    """It rings again for the refund, with the same bytes: it is a bell, and no event that was heard before."""
    first, second = told(b"id=tr_1"), told(b"id=tr_1")

    assert first == second
    assert first.kind == "classic"


def test_an_address_in_an_answer_never_decides_where_the_key_is_sent() -> None:
    """Of the next page's address only the cursor is taken."""
    page = recorded("links_page")
    page["_links"]["next"]["href"] = "https://evil.example/v2/payment-links?from=pl_4PbLSingle"

    _, requests = drive(
        account().find_link(asked(), since=NOW, now=NOW), page, recorded("links_page_with_ours")
    )

    assert {request.url.host for request in requests} == {"api.mollie.com"}


@pytest.mark.parametrize(
    "href",
    ["https://api.mollie.com/x?from=a%26b", "https://api.mollie.com/x", "https://[x?from=pl_1", 7, None],
)
def test_a_next_page_that_cannot_be_read_is_not_the_end_of_the_list(href: object) -> None:
    """It enters no query; and a list that ended there would say that no link was made, or hide a payment."""
    page = recorded("links_page")
    page["_links"]["next"] = {"href": href}

    with pytest.raises(IntegrityBreach):
        _ = drive(account().find_link(asked(), since=NOW, now=NOW), page)


def test_a_stored_request_goes_out_as_it_was_stored() -> None:
    """Also where the order would be written otherwise today."""
    stored = account().write_link(asked(), key=KEY, now=NOW)
    stored = evolve(stored, body=stored.body.replace(b"Logo design", b"Logo, design"))

    _, (request,) = drive(
        account().create_link(asked(evolve(ORDER, description="Logo, design")), written=stored),
        recorded("link_single_use", description="Logo, design"),
    )

    assert request.content == stored.body


def test_a_stored_request_for_another_place_is_not_sent() -> None:
    """A refund's bytes never make a link."""
    stored: Written = evolve(account().write_refund(refund_asked(), key=KEY, now=NOW), version="2020-01-01")

    with pytest.raises(NotSent):
        _ = next(account().refund(refund_asked(), written=stored))


def test_an_answer_that_came_and_cannot_be_read_is_unknown_and_not_failed() -> None:
    """A 201 that is torn: the link exists."""
    with pytest.raises(OutcomeUnknown):
        _ = drive(create(account(), asked()), reply(b'{"resource":"payment-li', 201))


def test_calls_of_many_threads_share_nothing() -> None:
    """Each has its own copy of the client and its own carrier."""
    provider, wrong = account(), []

    def work(number: int) -> None:
        for turn in range(20):
            order = evolve(ORDER, reference=f"R{number}-{turn}", description=f"D{number}-{turn}")
            link, (request,) = drive(create(provider, asked(order)), echo(id=f"pl_{number}x{turn}"))
            if link.vendor_id != f"pl_{number}x{turn}" or f"D{number}-{turn}".encode() not in request.content:
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_calls_may_wait_inside_each_other() -> None:
    """Two links are asked for before either is answered."""
    provider = account()
    first, second = create(provider, asked()), create(provider, asked(evolve(ORDER, description="Two")))
    ours, theirs = next(first), next(second)

    for call, request in ((second, theirs), (first, ours)):
        with pytest.raises(StopIteration) as done:
            _ = call.send(echo()(request))
        assert done.value.value.vendor_id == VENDOR_LINK


def imported(code: str, folder: Path | None = None) -> str:
    """What a fresh interpreter prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder or "")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return done.stdout.strip()


def test_the_sdk_is_imported_on_first_use_only() -> None:
    """An account can be configured, and a webhook read, without it."""
    code = """
        import sys
        from paybylink.providers.mollie import MollieProvider
        provider = MollieProvider("test_abcdef")
        provider.verify({}, b"id=tr_1", now=None)
        provider.read(b"id=tr_1")
        print(sorted({"mollie", "requests"} & sys.modules.keys()))
    """

    assert imported(code) == "[]"


def sdk_imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is imported once more."""
    monkeypatch.delitem(sys.modules, "paybylink.providers.mollie._sdk", raising=False)
    for name in [name for name in sys.modules if name == "mollie" or name.startswith("mollie.")]:
        monkeypatch.delitem(sys.modules, name)


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it."""
    sdk_imported_anew(monkeypatch)

    class Absent:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == "mollie":
                raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    with pytest.raises(MissingExtra) as caught:
        _ = account().write_link(asked(), key=KEY, now=NOW)

    assert str(caught.value) == 'MollieProvider needs an extra: pip install "paybylink[mollie]"'


def test_the_other_distribution_called_mollie_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two cannot share an environment: whichever was installed last owns the package."""
    sdk_imported_anew(monkeypatch)
    other = types.ModuleType("mollie")
    other.ClientSDK = object  # type: ignore[attr-defined]  # as the other distribution has it
    other.__path__ = []
    other.__spec__ = importlib.machinery.ModuleSpec("mollie", None, is_package=True)
    monkeypatch.setitem(sys.modules, "mollie", other)

    with pytest.raises(MissingExtra) as caught:
        _ = account().write_link(asked(), key=KEY, now=NOW)

    assert "mollie-api-py" in str(caught.value)
    assert "uninstall" in str(caught.value)
    assert caught.value.extra == "mollie"


def test_the_hosts_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key nor a proxy of it reaches a request; the class of the SDK stays as it was."""
    from mollie.api.client import Client

    before = dict(vars(Client))
    monkeypatch.setenv("MOLLIE_API_KEY", "test_other")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    for request in journey():
        assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert dict(vars(Client)) == before
