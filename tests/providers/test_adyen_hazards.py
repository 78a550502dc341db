"""
Each hazard of Adyen's package and of its protocol that we know of, by name.

The first part shows what the package does where it matters, so that a version that behaves otherwise is noticed.
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
from collections.abc import Iterator
from typing import Any

import Adyen
import httpx
import pytest
from Adyen.services.checkout import PaymentLinksApi

from paybylink.errors import (
    IntegrityBreach,
    MissingExtra,
    NotSent,
    OutcomeUnknown,
    PaybylinkError,
    SettingsError,
)
from paybylink.flow import Retry
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import PaymentStatus
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import ForeignNotice, PaymentNotice, RefundNotice, UnknownNotice
from paybylink.testing import script

from .adyen_given import (
    ACCOUNT,
    API_KEY,
    HMAC_KEY,
    KEY,
    MARK,
    NOW,
    PAYMENT,
    VENDOR_LINK,
    account,
    asked,
    create,
    drive,
    echo,
    item,
    notification,
    recorded,
    refund_asked,
    reply,
    sending,
    signed,
    told,
)

MARKS = ("MARKED", "Marked", KEY, HMAC_KEY)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tries to connect or to wait fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it opens a connection or waits")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(time, "sleep", refuse)


def journey(provider: AdyenProvider | None = None) -> list[httpx.Request]:
    """What an account asks in its life."""
    provider = provider or account()
    refund = provider.write_refund(refund_asked(), key=KEY, now=NOW)
    sent: list[httpx.Request] = []
    for call, answer in (
        (create(provider, asked()), echo()),
        (provider.fetch_link(VENDOR_LINK), reply(recorded("link_active"))),
        (provider.close_link(VENDOR_LINK, key=KEY, now=NOW), reply(recorded("link_expired"))),
        (provider.methods_for(asked().order), reply(recorded("payment_methods"))),
        (
            provider.capture(PAYMENT, Money(3000, "EUR"), key=KEY, now=NOW),
            reply(recorded("capture_received"), 201),
        ),
        (provider.cancel_payment(PAYMENT, key=KEY, now=NOW), reply(recorded("cancel_received"), 201)),
        (provider.refund(refund_asked(), written=refund), reply(recorded("refund_received"), 201)),
    ):
        found: Any = call
        sent += drive(found, answer)[1]
    return sent


# The platform


class Recording:
    """An HTTP client for Adyen's package that keeps where it was sent."""

    user_agent = "test"

    def __init__(self) -> None:
        self.url = ""

    def request(self, _method: str, url: str, **_: Any) -> tuple[str, str, int, dict[str, str]]:
        self.url = url
        return "{}", "", 200, {}


def packages_url(platform: str, prefix: str | None) -> str:
    """Where the package itself would send a link."""
    client, recording = (
        Adyen.AdyenClient(xapikey="x", platform=platform, live_endpoint_prefix=prefix),
        Recording(),
    )
    client.http_client, client.http_init = recording, True
    _ = PaymentLinksApi(client).payment_links({})
    return recording.url


def test_the_package_sends_TEST_in_capitals_to_live_and_we_do_not() -> None:  # noqa: N802  # the hazard's name
    """The platform is checked in any case of letters and compared in one."""
    assert "checkout-live" in packages_url("TEST", "prefix")

    for given in ("TEST", "Test", " test "):
        provider = account(platform=given, live_prefix="prefix")
        assert provider.mode is Mode.TEST
        assert {request.url.host for request in journey(provider)} == {"checkout-test.adyen.com"}


def test_the_package_rewrites_test_inside_a_prefix_and_we_do_not() -> None:
    """``-test`` turns into ``-live`` anywhere in the address, also in the merchant's own part of the host."""
    prefix = "1797a841fbb37ca7-testshop"
    assert prefix not in packages_url("live", prefix)

    provider = account(platform="live", live_prefix=prefix)
    _, (request,) = drive(create(provider, asked()), echo(url="https://eu.adyen.link/PL1"))
    assert request.url.host == f"{prefix}-checkout-live.adyenpayments.com"


def test_our_live_address_is_otherwise_the_packages() -> None:
    """Host, folder and version, so a new version of the package is noticed here."""
    provider = account(platform="live", live_prefix="1797a841fbb37ca7-example")

    _, (request,) = drive(create(provider, asked()), echo(url="https://eu.adyen.link/PL1"))

    assert str(request.url) == packages_url("live", "1797a841fbb37ca7-example")
    assert "/checkout/v72/" in str(request.url)


def test_an_empty_prefix_builds_no_host() -> None:
    """The package would send to ``-checkout-live.adyenpayments.com``."""
    assert packages_url("live", "").startswith("https://-checkout-live.")

    with pytest.raises(SettingsError, match="live_prefix"):
        _ = account(platform="live", live_prefix="")


def test_no_other_version_of_an_interface_spoils_ours() -> None:
    """The package writes ``/vNone/`` for one when another's version is set; every request of ours has v72."""
    assert all("/v72/" in str(request.url) for request in journey())
    assert account().api_version == "v72"


def test_a_package_that_writes_for_another_host_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its paths are ours to send only where it writes them as we expect."""
    monkeypatch.setattr(
        Adyen.AdyenClient, "_determine_api_url", lambda *_: "https://evil.example/v72/paymentLinks"
    )

    with pytest.raises(NotSent):
        _ = account().write_link(asked(), key=KEY, now=NOW)


# The transport


def test_no_redirect_takes_the_key_to_another_host() -> None:
    """The package's own clients follow redirects with the key; the answer is a no for us."""
    call = create(account(), asked())
    request = next(call)
    with pytest.raises(PaybylinkError) as caught:
        _ = call.send(
            httpx.Response(302, headers={"location": "https://evil.example/Marked"}, request=request)
        )
    assert "evil" not in str(caught.value)


def test_a_2xx_that_is_no_json_is_no_success() -> None:
    """The package makes an empty object of it."""
    with pytest.raises(OutcomeUnknown):
        _ = script(create(account(), asked()), [reply(b"<html>", 200)])


def test_json_that_is_no_object_is_no_crash() -> None:
    """The package fails with an AttributeError."""
    bodies: tuple[object, ...] = ([], "x", 7)
    for body in bodies:
        with pytest.raises(OutcomeUnknown):
            _ = script(create(account(), asked()), [reply(body, 201)])


def test_an_answer_without_id_or_url_is_not_believed() -> None:
    """The package checks neither."""
    for name in ("id", "url"):
        with pytest.raises(IntegrityBreach):
            _ = script(create(account(), asked()), [echo(**{name: None})])


def test_no_key_is_made_up() -> None:
    """A creation without our key is stopped, where the package would send none."""
    with pytest.raises(NotSent):
        _ = account().write_link(asked(), key="", now=NOW)


def test_what_changes_something_is_never_repeated_without_a_key_or_adyens_word() -> None:
    """A second link would be payable as well, and a second refund real money."""
    for request in journey():
        how = sending(request)
        if how.retry is Retry.SAFE:
            assert "idempotency-key" not in request.headers
        elif how.retry is Retry.KEYED:
            assert request.headers["idempotency-key"] == KEY
            assert how.retry_header == "transient-error"
        else:
            assert request.method == "PATCH"


def test_two_writings_are_byte_for_byte_equal() -> None:
    """The same request, key and moment give the same bytes, so that a key never meets other parameters."""
    provider = account()

    assert provider.write_link(asked(), key=KEY, now=NOW) == provider.write_link(asked(), key=KEY, now=NOW)
    assert provider.write_refund(refund_asked(), key=KEY, now=NOW) == provider.write_refund(
        refund_asked(), key=KEY, now=NOW
    )


def test_the_stored_request_holds_no_secret() -> None:
    """What goes into the database has neither the API key nor a header."""
    written = account().write_link(asked(), key=KEY, now=NOW)

    assert API_KEY not in f"{written.path} {written.body!r} {written.content_type} {written.version}"


def test_the_shared_client_of_the_package_is_not_ours() -> None:
    """Its services share one client that anybody may change; each call of ours has its own."""
    provider = account()
    _ = journey(provider)
    Adyen.checkout.client.xapikey, before = "MARKEDforeign", Adyen.checkout.client.xapikey
    try:
        requests = journey(provider)
    finally:
        Adyen.checkout.client.xapikey = before

    assert {request.headers["x-api-key"] for request in requests} == {API_KEY}


def test_one_account_serves_many_threads() -> None:
    """The package's client holds state and is not safe for threads; links made at once keep their own replies."""
    provider, wrong = account(), []

    def work(number: int) -> None:
        for turn in range(20):
            order = Order(reference=f"R-{number}-{turn}", amount=Money(4990, "EUR"))
            link, (request,) = drive(create(provider, asked(order)), echo(id=f"PL{number}X{turn}"))
            if link.vendor_id != f"PL{number}X{turn}" or f"R-{number}-{turn}".encode() not in request.content:
                wrong.append(link.vendor_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


# What is shown


def every_error(provider: AdyenProvider) -> Iterator[PaybylinkError]:
    """One error from every way in which a call can go wrong."""
    answers = [
        (recorded(f"error_{name}"), status)
        for name, status in (
            ("unauthorised", 401),
            ("missing_role", 403),
            ("merchant_account", 403),
            ("unexpected_input", 400),
            ("problem", 422),
            ("twin_at_work", 422),
            ("payment_details", 500),
            ("store_away", 503),
        )
    ]
    answers += [(b"Marked", 200), (b"Marked", 500), (["Marked"], 200), ({"id": "Marked!"}, 200)]
    answers.append(
        (recorded("link_active", url="https://evil.example/Marked", merchantAccount="Marked"), 200)
    )
    for body, status in answers:
        for call in (
            create(provider, asked()),
            provider.fetch_link(VENDOR_LINK),
            provider.capture(PAYMENT, Money(1, "EUR"), key=KEY, now=NOW),
            provider.refund(refund_asked(), written=provider.write_refund(refund_asked(), key=KEY, now=NOW)),
        ):
            found: Any = call
            try:
                _ = script(found, [reply(body, status)])
            except PaybylinkError as error:
                yield error


def test_no_error_shows_a_secret_or_what_adyen_said() -> None:
    """The package's errors hold and print the whole answer; text, repr, attributes and traceback of ours do not."""
    shown = 0
    for error in every_error(account()):
        shown += 1
        words = "".join(traceback.format_exception(error)) + repr(error) + str(error.__dict__)
        assert [mark for mark in MARKS if mark in words] == []

    assert shown >= 40


def test_nothing_of_a_call_is_logged_or_printed(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by us nor by the package, also at DEBUG."""
    caplog.set_level(logging.DEBUG)
    _ = journey()

    printed = capsys.readouterr()
    said = printed.out + printed.err + caplog.text
    assert [mark for mark in (*MARKS, "INV-2026-031", "Logo") if mark in said] == []


def test_the_end_of_a_card_number_is_not_kept() -> None:
    """`reason` of an authorisation holds it, and the card's expiry."""
    for reason in ("076181:1111:03/2030", "1111", "null", "x" * 100, None, 7):
        for success in ("true", "false"):
            notice = told(account(), item("authorisation", reason=reason, success=success)).notice

            assert isinstance(notice, PaymentNotice)
            assert notice.vendor_status in ("AUTHORISATION", "AUTHORISATION false")


# Webhooks


def test_the_package_verifies_the_first_item_only_and_we_verify_all() -> None:
    """A forged one behind a genuine one would pass."""
    genuine = signed(item("authorisation"))
    forged = {**genuine, "amount": {"currency": "EUR", "value": 1}}

    assert Adyen.util.is_valid_hmac_notification(
        {"notificationItems": [{"NotificationRequestItem": genuine}, {"NotificationRequestItem": forged}]},
        HMAC_KEY,
    )
    with pytest.raises(PaybylinkError):
        account().verify({}, notification(genuine, forged), now=NOW)


def test_a_field_that_slides_into_the_next_is_nobodys_payment() -> None:
    """Nothing is escaped in what is signed: ``A`` + ``B:1`` and ``A:B`` + ``1`` have one signature."""
    honest = signed(item("authorisation", merchantAccountCode=ACCOUNT, merchantReference=f"x:{MARK}"))
    slid = {**honest, "merchantAccountCode": f"{ACCOUNT}:x", "merchantReference": MARK}

    account().verify({}, notification(slid), now=NOW)

    assert isinstance(account().read(notification(slid))[0].notice, UnknownNotice)


def test_the_payment_of_another_account_does_not_slide_into_ours() -> None:
    """A company's webhook tells other accounts' payments under the same key, whose references others choose."""
    theirs = signed(
        item("authorisation", merchantAccountCode="AnotherShop", merchantReference=f"{ACCOUNT}:{MARK}")
    )
    slid = {
        **theirs,
        "originalReference": ":AnotherShop",
        "merchantAccountCode": ACCOUNT,
        "merchantReference": MARK,
    }

    for one in (theirs, slid):
        account().verify({}, notification(one), now=NOW)

    assert isinstance(account().read(notification(theirs))[0].notice, ForeignNotice)
    assert isinstance(account().read(notification(slid))[0].notice, UnknownNotice)


def test_what_is_not_signed_decides_nothing() -> None:
    """Link id, metadata, method, reason and date may be changed on the way; whose money it is may not."""
    provider = account()
    foreign = signed(item("authorisation", merchantReference="shop order 7"))
    foreign["additionalData"] |= {"paymentLinkId": VENDOR_LINK, "metadata.checkout.linkId": VENDOR_LINK}
    ours = signed(item("authorisation"))
    ours["additionalData"] = {"hmacSignature": ours["additionalData"]["hmacSignature"]}

    for one, is_ours in ((foreign, False), (ours, True)):
        provider.verify({}, notification(one), now=NOW)
        notice = provider.read(notification(one))[0].notice
        assert isinstance(notice, PaymentNotice) is is_ours


def test_a_payment_is_not_lost_where_the_link_id_is_switched_off() -> None:
    """The fields of `additionalData` are switched in the Customer Area; our mark is not among them."""
    notice = told(account(), item("authorisation", additionalData={})).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.link_vendor_id, bool(notice.link_id)) == ("", True)


def test_payments_of_a_reusable_link_are_told_apart_by_their_reference_only() -> None:
    """All have the same link id and the same merchant reference."""
    notices = [
        told(account(), item("authorisation", pspReference=f"791407338134228{number}")).notice
        for number in range(3)
    ]

    assert len({notice.vendor_id for notice in notices if isinstance(notice, PaymentNotice)}) == 3


@pytest.mark.parametrize(
    "code", ["EXPIRE", "REFUND_FAILED", "REFUNDED_REVERSED", "CAPTURE_FAILED", "CHARGEBACK"]
)
def test_success_that_only_says_it_happened_is_no_money(code: str) -> None:
    """success=true of these does not mean "good"."""
    notice = told(account(), item("capture", eventCode=code)).notice

    assert not (isinstance(notice, PaymentNotice) and notice.status is PaymentStatus.SUCCEEDED)
    assert getattr(notice, "status", None) != "succeeded"


def test_a_refund_that_comes_before_its_payment_names_the_event_to_wait_for() -> None:
    """Order is not guaranteed."""
    refund = told(account(), item("refund")).notice

    assert isinstance(refund, RefundNotice)
    assert refund.payment_event == told(account(), item("authorisation")).event_id


def test_extra_fields_of_real_notifications_are_no_trouble() -> None:
    """Adyen's own schema forbids keys that its notifications have, so nothing is validated against it."""
    data = {"metadata.shop": "Nantes", "riskdata.x": "1", "checkoutSessionId": "x", "new.field": "y"}

    assert isinstance(told(account(), item("authorisation", additionalData=data)).notice, PaymentNotice)


# Loading


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, making a link says what to install; webhooks work without."""
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "Adyen":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "paybylink.providers.adyen._sdk", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtra, match=r"paybylink\[adyen\]"):
        _ = account().write_link(asked(), key=KEY, now=NOW)


def test_the_package_is_loaded_on_first_use_only() -> None:
    """Making an account, and receiving its webhooks, imports no SDK and no back end of its."""
    program = textwrap.dedent("""
        import sys
        from paybylink.providers.adyen import AdyenProvider
        from paybylink.errors import WebhookRejected
        provider = AdyenProvider("AQExxxxxx", merchant_account="A", hmac_keys=["AB" * 32])
        try:
            provider.read(b'{"live":"false","notificationItems":[]}')
        except WebhookRejected:
            pass
        assert "Adyen" not in sys.modules, "loaded too early"
        assert "requests" not in sys.modules, "loaded too early"
    """)

    _ = subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ})
