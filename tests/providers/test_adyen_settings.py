"""An Adyen account: its settings, and what it can do."""

from __future__ import annotations

from typing import Any

import pytest

from paybylink.checkout import Checkout
from paybylink.errors import (
    IntegrityBreach,
    SettingsError,
    UnsupportedCapability,
)
from paybylink.flow import Retry
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Feature, Support
from paybylink.testing import script

from .adyen_given import (
    API_KEY,
    KEY,
    NOW,
    ORDER,
    VENDOR_LINK,
    account,
    asked,
    create,
    drive,
    echo,
    recorded,
    reply,
    sending,
)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": "has space inside"}, "api_key"),
        ({"api_key": 7}, "api_key"),
        ({"merchant_account": "A:B"}, "merchant_account"),
        ({"merchant_account": ""}, "merchant_account"),
        ({"merchant_account": None}, "merchant_account"),
        ({"hmac_keys": ["xyz"]}, "hmac_keys[0]"),
        ({"hmac_keys": ["AB" * 32, "ABC"]}, "hmac_keys[1]"),
        ({"hmac_keys": 7}, "hmac_keys[0]"),
        ({"platform": "staging"}, "platform"),
        ({"platform": None}, "platform"),
        ({"platform": "live"}, "live_prefix"),
        ({"platform": "live", "live_prefix": ""}, "live_prefix"),
        ({"platform": "live", "live_prefix": "evil.example/"}, "live_prefix"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"base_url": "http://127.0.0.1:1", "platform": "live", "live_prefix": "p"}, "base_url"),
        ({"webhook_user": "u"}, "webhook_password"),
        ({"webhook_password": "p"}, "webhook_user"),
        ({"webhook_user": "a:b", "webhook_password": "p"}, "webhook_user"),
        ({"webhook_user": "", "webhook_password": "p"}, "webhook_user"),
        ({"report_user": "u"}, "report_password"),
        ({"report_user": "u", "report_password": "a\nb"}, "report_password"),
        ({"report_first_batch": 0}, "report_first_batch"),
        ({"immediate_capture": "no"}, "immediate_capture"),
        ({"allowed_hosts": ["https://pay.example"]}, "allowed_hosts[0]"),
        ({"name": "Adyen FR"}, "name"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_setting_is_named_without_its_value(settings: dict[str, Any], path: str) -> None:
    """By its path, before anything is sent."""
    with pytest.raises(SettingsError) as caught:
        _ = account(**settings)

    assert path in {fault.path for fault in caught.value.faults}
    for value in settings.values():
        if isinstance(value, str) and len(value) > 8:
            assert value not in str(caught.value)


def test_every_wrong_setting_is_named_at_once() -> None:
    """Not one after the other."""
    with pytest.raises(SettingsError) as caught:
        _ = AdyenProvider("", merchant_account="", platform="x", hmac_keys=["x"], name="?")

    assert len(caught.value.faults) == 5


class Secret:
    """A secret as pydantic's `SecretStr` has it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text


def test_secrets_may_come_wrapped_and_are_never_shown() -> None:
    """The repr has none of the keys, users and passwords."""
    provider = account(
        api_key=Secret(API_KEY),
        hmac_keys=Secret("AB" * 32),
        webhook_user="MARKEDuser",
        webhook_password=Secret("MARKEDpassword"),
        report_user="report_MARKED",
        report_password=Secret("MARKEDreport"),
    )

    assert not any(word in repr(provider) for word in ("MARKED", "ABAB"))


def test_a_sandbox_on_this_machine_is_asked_at_its_address() -> None:
    """Its links may lead to this machine."""
    provider = account(base_url="http://127.0.0.1:8080/adyen/")

    link, (request,) = drive(create(provider, asked()), echo(url="http://127.0.0.1:8080/pay/PL1"))

    assert str(request.url) == "http://127.0.0.1:8080/adyen/v72/paymentLinks"
    assert link.url == "http://127.0.0.1:8080/pay/PL1"


# Capabilities


@pytest.mark.parametrize(
    "settings", [{}, {"report_user": "u", "report_password": "p"}], ids=["plain", "reports"]
)
def test_every_feature_has_its_row(settings: dict[str, Any]) -> None:
    """What is emulated says how, what cannot be had says why."""
    rows = account(**settings).capabilities

    assert set(rows) == set(Feature)
    assert all(row.how for row in rows.values() if row.support is not Support.NATIVE)
    assert (rows[Feature.SETTLEMENTS].support is Support.UNSUPPORTED) is not bool(settings)


@pytest.mark.parametrize(
    "verb",
    [
        lambda provider: provider.reopen_link(VENDOR_LINK, key=KEY, now=NOW),
        lambda provider: provider.payments_of(VENDOR_LINK),
        lambda provider: provider.fetch_payment("7914073381342284"),
        lambda provider: provider.settlements(since=NOW, until=NOW),
        lambda provider: provider.download_report("https://ca-test.adyen.com/reports/download/x"),
    ],
    ids=["reopen", "payments", "payment", "settlements", "report"],
)
def test_a_verb_that_adyen_lacks_says_so_and_sends_nothing(verb: Any) -> None:
    """With the reason of its row."""
    with pytest.raises(UnsupportedCapability):
        _ = script(verb(account()), ())


def test_what_is_told_by_webhook_only_is_an_empty_list() -> None:
    """Nothing is sent for it."""
    provider = account()

    assert drive(provider.disputes_of("7914073381342284")) == ((), [])
    assert drive(provider.refunds_of("7914073381342284")) == ((), [])


def test_the_methods_that_would_be_offered_are_told_in_our_words() -> None:
    """A POST that changes nothing: without key, and repeated at will."""
    order = Order(
        reference="R",
        amount=Money(1000, "EUR"),
        customer=Customer(country="NL", language="nl"),
        checkout=Checkout(methods=("card",), blocked_methods=("paypal",)),
    )

    offers, (request,) = drive(account().methods_for(order), reply(recorded("payment_methods")))

    assert [(offer.method, offer.vendor_method, offer.name) for offer in offers] == [
        ("card", "scheme", "Cartes"),
        ("ideal", "ideal", "iDEAL"),
        ("apple_pay", "applepay", "Apple Pay"),
        ("coquelicot", "coquelicot", "Coquelicot"),
    ]
    assert (request.url.path, sending(request).retry) == ("/v72/paymentMethods", Retry.SAFE)
    assert "idempotency-key" not in request.headers


@pytest.mark.parametrize(
    "body", [{"paymentMethods": 7}, {"paymentMethods": [{"name": "x"}]}, {"paymentMethods": [7]}]
)
def test_methods_that_cannot_be_read_are_not_believed(body: object) -> None:
    """A list of objects with a type, or nothing."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().methods_for(ORDER), reply(body))
