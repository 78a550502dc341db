"""Settings of a Mollie account: which are accepted, and how a wrong one is told."""

from __future__ import annotations

from typing import Any

import pytest

from paybylink.errors import SettingsError
from paybylink.links import Mode
from paybylink.providers.base import Feature, Provider, Support
from paybylink.providers.mollie import MollieProvider

from .mollie_given import API_KEY, PROFILE, SECRET, TOKEN, account, organisation


class Secret:
    """As pydantic's `SecretStr`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text


def paths(**settings: Any) -> set[str]:
    """The settings that are named as wrong."""
    with pytest.raises(SettingsError) as caught:
        _ = account(**settings)
    assert "MARKED" not in str(caught.value)
    return {fault.path for fault in caught.value.faults}


def test_it_is_a_provider() -> None:
    """The adapter has every verb of the interface, and a row for every feature."""
    provider: Provider = account()

    assert provider.name == "mollie"
    assert set(provider.capabilities) == set(Feature)
    assert all(row.how for row in provider.capabilities.values() if row.support is not Support.NATIVE)


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        pytest.param({"api_key": API_KEY}, Mode.TEST, id="test-key"),
        pytest.param({"api_key": "live_abcdef"}, Mode.LIVE, id="live-key"),
        pytest.param({"api_key": TOKEN, "profile_id": PROFILE, "testmode": True}, Mode.TEST, id="token-test"),
        pytest.param(
            {"api_key": TOKEN, "profile_id": PROFILE, "testmode": False}, Mode.LIVE, id="token-live"
        ),
        pytest.param({"api_key": Secret(API_KEY)}, Mode.TEST, id="secret-object"),
    ],
)
def test_the_key_says_the_mode_and_with_a_token_the_setting_does(
    settings: dict[str, Any], mode: Mode
) -> None:
    """Test and live never mix, so the mode is known before anything is sent."""
    assert account(**settings).mode is mode


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        pytest.param({"api_key": ""}, {"api_key"}, id="no-key"),
        pytest.param({"api_key": "sk_test_MARKED"}, {"api_key"}, id="another-vendors-key"),
        pytest.param({"api_key": " test_MARKEDkey"}, {"api_key"}, id="spaces"),
        pytest.param({"api_key": "test_MARKED\nkey"}, {"api_key"}, id="line-break"),
        pytest.param({"api_key": "pfl_MARKED"}, {"api_key"}, id="profile-for-a-key"),
        pytest.param({"api_key": 7}, {"api_key"}, id="no-text"),
        pytest.param(
            {"profile_id": PROFILE, "testmode": True}, {"profile_id", "testmode"}, id="scope-of-a-key"
        ),
        pytest.param({"api_key": TOKEN}, {"profile_id", "testmode"}, id="token-without-scope"),
        pytest.param(
            {"api_key": TOKEN, "profile_id": "MARKED/..", "testmode": "yes"},
            {"profile_id", "testmode"},
            id="token-with-nonsense",
        ),
        pytest.param(
            {"webhook_secrets": [SECRET, "", "with space"]},
            {"webhook_secrets[1]", "webhook_secrets[2]"},
            id="secrets",
        ),
        pytest.param({"webhook_url": "http://pay.example/x"}, {"webhook_url"}, id="plain-http"),
        pytest.param({"webhook_url": "https://127.0.0.1/x"}, {"webhook_url"}, id="loopback-news"),
        pytest.param({"webhook_url": "https://pay.example/x#y"}, {"webhook_url"}, id="fragment"),
        pytest.param({"webhook_url": "https://pay.example/x y"}, {"webhook_url"}, id="space"),
        pytest.param({"webhook_url": "https://"}, {"webhook_url"}, id="no-host"),
        pytest.param({"webhook_url": "https://[x"}, {"webhook_url"}, id="no-url"),
        pytest.param({"base_url": "https://api.example.com"}, {"base_url"}, id="another-host"),
        pytest.param(
            {"base_url": "http://127.0.0.1:1/mollie", "api_key": "live_MARKED"},
            {"base_url"},
            id="live-at-a-sandbox",
        ),
        pytest.param(
            {"base_url": "http://127.0.0.1:1", "api_key": TOKEN, "profile_id": PROFILE, "testmode": False},
            {"base_url"},
            id="live-token-at-a-sandbox",
        ),
        pytest.param(
            {"base_url": "http://127.0.0.1:1", "api_key": "MARKED"}, {"api_key"}, id="no-key-at-a-sandbox"
        ),
        pytest.param({"name": "Mollie NL"}, {"name"}, id="name"),
        pytest.param({"allowed_hosts": ["https://pay.example"]}, {"allowed_hosts[0]"}, id="host"),
        pytest.param(
            {"api_key": "nothing", "name": "", "base_url": "x", "webhook_url": 7},
            {"api_key", "name", "base_url", "webhook_url"},
            id="all-at-once",
        ),
    ],
)
def test_every_wrong_setting_is_named_at_once_and_never_shown(
    settings: dict[str, Any], wrong: set[str]
) -> None:
    """A wrong key in the wrong place is still a key."""
    assert paths(**settings) == wrong


def test_a_sandbox_on_this_machine_may_call_this_machine() -> None:
    """Plain http and loopback are for the sandbox alone."""
    provider = account(
        base_url="http://127.0.0.1:8001/mollie/", webhook_url="http://localhost:9/webhooks/mollie"
    )

    assert provider.base_url == "http://127.0.0.1:8001/mollie"


def test_no_secret_is_in_the_repr() -> None:
    """Neither the key nor the webhook secrets, of the account and of what it holds."""
    for provider in (account(), organisation()):
        assert "MARKED" not in repr(provider)
        assert SECRET not in repr(provider)
        assert "MARKED" not in repr(provider._account)


def test_an_api_key_shows_no_balances_and_says_so() -> None:
    """Only an organisation's token has a right to them."""
    assert account().capabilities[Feature.SETTLEMENTS].support is Support.UNSUPPORTED
    assert organisation().capabilities[Feature.SETTLEMENTS].support is Support.NATIVE


def test_one_secret_may_be_given_bare() -> None:
    """A single secret is no list of letters."""
    assert MollieProvider(API_KEY, webhook_secrets=SECRET).webhook_secrets == (SECRET,)
