"""Promises about settings: read from two places, checked as one, and never quoted."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import SimpleNamespace

import pytest

from paybylink import settings
from paybylink.channels.smtp import SmtpEmail
from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import MissingExtra, SettingsError
from paybylink.providers.stripe import StripeProvider
from paybylink.settings import DEFAULT_STORE, adapter, load, model

KEY = "sk_test_marked7Zq"
SECRET = "whsec_marked7Zq"
PASSWORD = "marked7Zq-password"

Set = Callable[..., None]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no file of the machine."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("PAYBYLINK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Set PAYBYLINK_… variables."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PAYBYLINK_{name}", value)

    return put


def toml(text: str) -> None:
    _ = Path("paybylink.toml").write_text(text, "utf-8")


def faults_of(make: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        _ = make()
    assert "marked7Zq" not in f"{caught.value}{caught.value!r}{caught.value.faults}"
    return {fault.path: f"{fault.fault}; {fault.remedy}" for fault in caught.value.faults}


class TestEnvironment:
    def test_script_needs_one_variable(self, env: Set) -> None:
        """A key is enough for a first link; the rest has defaults."""
        env(STRIPE_API_KEY=KEY, STORE="none")

        parts = load().parts()

        (provider,) = parts["providers"]
        assert isinstance(provider, StripeProvider)
        assert provider.api_key == KEY
        assert parts["store"] is None
        assert (parts["language"], parts["default_expiry"].days, parts["tenant"]) == ("en", 30, "")

    def test_every_short_form_is_read(self, env: Set) -> None:
        """What the documentation lists for scripts reaches the adapter, in its own types."""
        env(
            STRIPE_API_KEY=KEY,
            STRIPE_WEBHOOK_SECRETS=f"{SECRET}, whsec_old",
            STRIPE_BASE_URL="http://127.0.0.1:1234/stripe",
            STORE="sqlite:///shop.db",
            PUBLIC_URL="https://pay.example.com",
            SMTP_HOST="mail.example",
            SMTP_PORT="465",
            SMTP_USERNAME="zoe",
            SMTP_PASSWORD=PASSWORD,
            SMTP_SENDER="Atelier <pay@atelier.example>",
            SMTP_SECURITY="tls",
            MERCHANT="Atelier Zoé",
            LANGUAGE="fr",
            ZONE="Europe/Brussels",
        )

        parts = load().parts()

        (provider,), (channel,) = parts["providers"], parts["channels"]
        assert provider.webhook_secrets == (SECRET, "whsec_old")
        assert provider.base_url == "http://127.0.0.1:1234/stripe"
        assert isinstance(channel, SmtpEmail)
        assert (channel.server.port, channel.server.password) == (465, PASSWORD)
        assert (channel.wording.merchant, channel.wording.language) == ("Atelier Zoé", "fr")
        assert (channel.wording.zone, parts["accounts"].zone) == ("Europe/Brussels", "Europe/Brussels")
        assert (parts["store"], parts["public_url"]) == ("sqlite:///shop.db", "https://pay.example.com")

    def test_no_variable_of_others_disturbs(self, env: Set) -> None:
        """A variable that nothing reads is no error."""
        env(STRIPE_API_KEY=KEY, SPECS="/somewhere", STORE="none")

        assert len(load().parts()["providers"]) == 1

    def test_an_empty_variable_is_none(self, env: Set) -> None:
        """``PAYBYLINK_STRIPE_API_KEY=`` in a shell file is not a key."""
        env(STRIPE_API_KEY="", STORE="none")

        assert "providers" in faults_of(lambda: load().parts())


FILE = f"""
store = "sqlite:///file.db"
public_url = "https://pay.example.com"
language = "fr"

[merchant]
name = "Atelier"
contact = "atelier@example.com"
zone = "Europe/Paris"

[accounts]
customers = "411000"
clearing = {{ stripe-fr = "511520" }}

[[providers]]
type = "stripe"
name = "stripe-fr"
api_key = "{KEY}"
webhook_secrets = ["{SECRET}"]
tolerance = 120

[[providers]]
type = "stripe"
name = "stripe-be"
api_key = "sk_test_other"

[[channels]]
type = "smtp"
host = "mail.example"
sender = "Atelier <pay@atelier.example>"
"""


class TestFile:
    def test_file_describes_everything(self) -> None:
        """Two accounts, a channel, the merchant and the books stand in one file."""
        toml(FILE)

        parts = load().parts()

        assert [provider.name for provider in parts["providers"]] == ["stripe-fr", "stripe-be"]
        assert parts["providers"][0].tolerance.total_seconds() == 120
        assert parts["accounts"].customers == "411000"
        assert parts["accounts"].clearing_for("stripe-fr") == "511520"
        assert parts["channels"][0].wording.contact == "atelier@example.com"

    def test_variables_win(self, env: Set) -> None:
        """The file may be in the repository and the secrets in the environment."""
        toml(FILE)
        env(
            STORE="sqlite:///env.db",
            PROVIDERS__1__API_KEY=KEY,
            MERCHANT__NAME="Autre",
            ACCOUNTS__CUSTOMERS="411999",
        )

        parts = load().parts()

        assert parts["store"] == "sqlite:///env.db"
        assert parts["providers"][1].api_key == KEY
        assert parts["providers"][1].name == "stripe-be"
        assert parts["channels"][0].wording.merchant == "Autre"
        assert parts["channels"][0].wording.contact == "atelier@example.com"
        assert parts["accounts"].customers == "411999"

    def test_short_form_speaks_of_the_one_adapter_of_its_type(self, env: Set) -> None:
        """A key from the environment completes the account in the file."""
        toml('[[providers]]\ntype = "stripe"\nname = "stripe-fr"\n')
        env(STRIPE_API_KEY=KEY, STORE="none")

        (provider,) = load().parts()["providers"]

        assert (provider.name, provider.api_key) == ("stripe-fr", KEY)

    def test_short_form_beside_two_accounts_is_refused(self, env: Set) -> None:
        """Which of two accounts is meant is not guessed."""
        toml(FILE)
        env(STRIPE_API_KEY=KEY)

        faults = faults_of(load)

        assert "PAYBYLINK_PROVIDERS__0__API_KEY" in faults["providers"]

    def test_named_file_is_read_from_anywhere(self, tmp_path: Path) -> None:
        """`from_file` reads the file that it is given."""
        place = tmp_path / "elsewhere" / "shop.toml"
        place.parent.mkdir()
        _ = place.write_text(FILE, "utf-8")

        with PayByLink.from_file(place) as pay:
            assert pay.journeys.public_url == "https://pay.example.com"

    @pytest.mark.anyio
    async def test_both_clients_are_built_from_the_same_settings(self, env: Set) -> None:
        """`from_env` gives either client."""
        env(STRIPE_API_KEY=KEY, STORE="none")

        async with AsyncPayByLink.from_env() as pay:
            assert pay.journeys.stateless
        with PayByLink.from_env() as blocking:
            assert blocking.journeys.stateless

    def test_free_chart_begins_in_words(self, env: Set) -> None:
        """A merchant outside France changes one word, not thirty accounts."""
        env(STRIPE_API_KEY=KEY, STORE="none", ACCOUNTS__CHART="free")

        assert load().parts()["accounts"].bank == "bank"


class TestStore:
    def test_default_is_said_once(
        self, env: Set, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a setting the links are in a file of the working folder, and one warning says so."""
        monkeypatch.setattr(model, "_said", set())
        env(STRIPE_API_KEY=KEY)

        with caplog.at_level(logging.WARNING, "paybylink.settings"):
            stores = [load().parts()["store"] for _ in range(3)]

        assert stores == [DEFAULT_STORE] * 3
        assert [record.name for record in caplog.records] == ["paybylink.settings"]


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "path", "said"),
        [
            pytest.param("stroe = 'x'", "stroe", "is no setting; known here: accounts", id="unknown"),
            pytest.param("[[providers]]\nname='x'", "providers[0].type", "is missing", id="no type"),
            pytest.param("providers = 'marked7Zq'", "providers", "valid tuple", id="text for a list"),
            pytest.param(
                "default_expiry_days = 'soon'", "default_expiry_days", "integer", id="text for a number"
            ),
            pytest.param("default_expiry_days = 0", "default_expiry_days", "greater than", id="out of range"),
            pytest.param(
                "[merchant]\nnmae='x'", "merchant.nmae", "known here: contact, name", id="nested unknown"
            ),
            pytest.param("[merchant]\nzone='Mars/Olympus'", "merchant.zone", "Europe/Paris", id="zone"),
        ],
    )
    def test_wrong_setting_names_its_path(self, text: str, path: str, said: str) -> None:
        """The path is the one in the file, and what was expected stands beside it."""
        toml(text)

        assert said in faults_of(load)[path]

    @pytest.mark.parametrize(
        ("text", "path", "said"),
        [
            pytest.param("", "providers", "PAYBYLINK_STRIPE_API_KEY", id="no provider"),
            pytest.param(
                "[[providers]]\ntype='stripe'",
                "providers[0].api_key",
                "is missing; write it under [[providers]], or set PAYBYLINK_STRIPE_API_KEY",
                id="missing",
            ),
            pytest.param("[[providers]]\ntype='strype'", "providers[0].type", "stripe", id="unknown type"),
            pytest.param(
                f"[[providers]]\ntype='stripe'\napi_kee='{KEY}'",
                "providers[0].api_kee",
                "known here: ",
                id="unknown option",
            ),
            pytest.param(
                f"[[providers]]\ntype='stripe'\napi_key='{SECRET}'",
                "providers[0].api_key",
                "is a webhook secret",
                id="wrong key",
            ),
            pytest.param(
                f"[[providers]]\ntype='stripe'\napi_key='{KEY}'\ntolerance='long'",
                "providers[0].tolerance",
                "whole number",
                id="not a number",
            ),
            pytest.param(
                "[[channels]]\ntype='smtp'\nhost='h'\nsender='a@example.com'\nqr='maybe'",
                "channels[0].qr",
                "true or false",
                id="not a bool",
            ),
            pytest.param(
                "[[channels]]\ntype='smtp'\nsender='x'", "channels[0].host", "is missing", id="channel"
            ),
            pytest.param("[accounts]\nbank='five'", "accounts.bank", "three digits", id="account"),
            pytest.param("[accounts]\nbnak='512'", "accounts.bnak", "is no setting", id="account unknown"),
            pytest.param(
                "language='tlh'\n[[channels]]\ntype='smtp'\nhost='h'\nsender='a@example.com'",
                "language",
                "en, fr",
                id="language",
            ),
        ],
    )
    def test_adapter_refuses_its_settings_with_their_path(self, text: str, path: str, said: str) -> None:
        """What an adapter finds wrong is told with the place in the file, all at once."""
        toml(text)

        assert said in faults_of(lambda: load().parts())[path]

    def test_all_faults_at_once(self) -> None:
        """Nobody corrects a file one run at a time."""
        toml("[[providers]]\ntype='stripe'\napi_key='x'\n[[channels]]\ntype='smtp'\n[accounts]\nbank='five'")

        faults = faults_of(lambda: load().parts())

        assert {"providers[0].api_key", "channels[0].host", "channels[0].sender", "accounts.bank"} <= set(
            faults
        )

    def test_missing_file_is_named(self) -> None:
        """A path that was given must exist; the usual file may be absent."""
        assert "does not exist" in faults_of(lambda: load("shop.toml"))["shop.toml"]

    def test_broken_file_is_named_with_its_line_and_never_quoted(self) -> None:
        """The line of a syntax error may hold a key."""
        toml(f'[[providers]]\napi_key = "{KEY}\n')

        assert "line 2" in faults_of(load)["paybylink.toml"]

    def test_folder_is_no_file(self, tmp_path: Path) -> None:
        """What cannot be read is named with the reason."""
        assert "cannot be read" in faults_of(lambda: load(tmp_path))[tmp_path.name]

    def test_file_of_another_encoding_is_named(self) -> None:
        """Settings are UTF-8."""
        _ = Path("paybylink.toml").write_bytes("language = 'fran\xe7ais'".encode("latin-1"))

        assert "UTF-8" in faults_of(load)["paybylink.toml"]


class TestSecrets:
    def test_no_repr_shows_one(self, env: Set) -> None:
        """Printing the settings, or anything made of them, is safe."""
        toml(FILE)
        env(SMTP_PASSWORD=PASSWORD, SMTP_USERNAME="zoe", STORE="postgresql+psycopg://zoe:marked7Zq@db/shop")

        loaded = load()
        shown = f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.providers} {loaded.parts()['providers']}"
        shown += f"{loaded.parts()['channels']} {loaded.model_dump_json()}"

        assert "marked7Zq" not in shown

    def test_error_keeps_none_when_it_travels(self) -> None:
        """An error that a worker hands on as bytes holds no value either."""
        toml(f"[[providers]]\ntype='stripe'\napi_key='{SECRET}'")

        with pytest.raises(SettingsError) as caught:
            _ = load().parts()

        assert b"marked7Zq" not in pickle.dumps(caught.value)


class TestAdapters:
    def test_hosts_own_adapter_enters_by_the_same_door(
        self, env: Set, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A provider of a host's own is found by its entry point and takes its settings by its signature."""
        point = EntryPoint("own", "own_shop:OwnProvider", "paybylink.providers")
        monkeypatch.setattr(EntryPoint, "load", lambda self: OwnProvider)
        for module in (settings.adapters, settings.layers):
            monkeypatch.setattr(
                module,
                "entry_points",
                lambda group: EntryPoints([point] if group.endswith("providers") else []),
            )
        env(OWN_TOKEN="t0ken", OWN_RETRIES="3", STORE="none")

        (provider,) = load().parts()["providers"]

        assert (provider.token, provider.retries) == ("t0ken", 3)

    def test_adapter_without_its_package_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An extra that is not installed is named."""

        def load_it(self: EntryPoint) -> object:
            raise ImportError(self.name)

        monkeypatch.setattr(EntryPoint, "load", load_it)

        with pytest.raises(MissingExtra, match=r"paybylink\[stripe\]"):
            _ = adapter("paybylink.providers", "stripe")


class OwnProvider(SimpleNamespace):
    def __init__(self, *, token: str, retries: int = 1) -> None:
        super().__init__(token=token, retries=retries)
