"""Promises about the doctor: every configured part is looked at, nothing is changed, no secret is shown."""

from __future__ import annotations

import datetime as dt
import socket
import sqlite3
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from paybylink.cli import doctor
from paybylink.sandbox import Sandbox

from .cli_given import MARK, SMTP_PASSWORD, Terminal, terminal


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    with terminal(tmp_path, monkeypatch) as made:
        yield made


def found(shop: Terminal, part: str) -> tuple[str, str]:
    """What the doctor says of one part."""
    for check in shop.type("doctor", "--json").json:
        if check["part"] == part:
            return check["state"], f"{check['detail']}; {check['remedy']}"
    return "absent", ""


def test_all_is_well(shop: Terminal) -> None:
    """Code 0, a row for each part, and nothing but a link that cannot exist was asked for."""
    told = shop.type("doctor")

    assert told.code == 0
    for part in ("settings", "provider stripe", "channel email", "store", "public_url", "clock"):
        assert part in told.out
    assert "the key is taken, test mode" in told.out
    assert [(request.method, request.path) for request in shop.control.requests()] == [
        ("GET", "/stripe/v1/payment_links/plink_doctor")
    ]
    assert shop.control.mails() == []
    assert not (shop.folder / "shop.db").exists()


def test_every_provider_is_asked_by_an_id_of_its_own_form(shop: Terminal) -> None:
    """Adyen and Mollie too: "there is none" proves that the key is taken, and nothing else is asked."""
    shop.set(
        ADYEN_API_KEY="doctor_api_key",
        ADYEN_MERCHANT_ACCOUNT="SandboxMerchant",
        ADYEN_BASE_URL=shop.sandbox.adyen_url,
        MOLLIE_API_KEY="test_doctordoctordoctordoctordoctor",
        MOLLIE_BASE_URL=shop.sandbox.mollie_url,
    )

    assert found(shop, "provider adyen") == ("ok", "the key is taken, test mode; ")
    assert found(shop, "provider mollie") == ("ok", "the key is taken, test mode; ")
    assert {request.path for request in shop.control.requests()} == {
        "/stripe/v1/payment_links/plink_doctor",
        "/adyen/v72/paymentLinks/PLDOCTOR",
        "/mollie/v2/payment-links/pl_doctor",
    }


def test_refused_key(shop: Terminal) -> None:
    """A key that the provider does not take is a fault."""
    _ = shop.control.fault("status", "/stripe", status=401, times=None)

    assert found(shop, "provider stripe")[0] == "fault"
    assert shop.type("doctor").code == 9


def test_provider_in_trouble_is_a_warning(shop: Terminal) -> None:
    """A provider that is down says nothing about the key."""
    _ = shop.control.fault("status", "/stripe", status=500, times=None)

    assert found(shop, "provider stripe")[0] == "warning"
    assert shop.type("doctor").code == 0


def test_provider_away(shop: Terminal) -> None:
    """Nobody there is a fault, and so is a clock that nobody could compare."""
    shop.set(STRIPE_BASE_URL=f"http://127.0.0.1:{_closed_port()}")

    assert found(shop, "provider stripe")[0] == "fault"
    assert found(shop, "clock")[0] == "skipped"


def test_mail_server_away(shop: Terminal) -> None:
    """A mail server that cannot be reached is a fault with a remedy."""
    shop.set(SMTP_PORT=str(_closed_port()))

    state, said = found(shop, "channel email")

    assert state == "fault"
    assert "check host, port and firewall" in said


def test_mail_server_without_the_security_that_was_asked_for(shop: Terminal) -> None:
    """Clear text is not fallen back to."""
    shop.set(SMTP_SECURITY="starttls")

    assert found(shop, "channel email")[0] == "fault"


def test_login(shop: Terminal) -> None:
    """A login that is taken is fine; one that is not is a fault, told without the password."""
    shop.set(SMTP_USERNAME="zoe", SMTP_PASSWORD=SMTP_PASSWORD)
    taken = found(shop, "channel email")
    with Sandbox(smtp_users={"zoe": "another"}) as strict:
        shop.set(SMTP_PORT=str(strict.smtp_port))
        refused = found(shop, "channel email")

    assert (taken[0], refused[0]) == ("ok", "fault")
    assert "refuses the user name or password (535)" in refused[1]


def test_store_and_passes(shop: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pass yet warns, a fresh one is fine, an old one warns: without passes nothing expires."""
    _ = shop.type("create", "10 EUR", "-r", "A")
    before = found(shop, "passes")
    _ = shop.type("run-due")
    fresh = found(shop, "passes")
    monkeypatch.setattr(doctor, "PASS_OVERDUE", dt.timedelta(0))
    old = found(shop, "passes")

    assert [state for state, _ in (before, fresh, old)] == ["warning", "ok", "warning"]
    assert "paybylink run-due" in before[1]
    assert found(shop, "store")[0] == "ok"


def test_outdated_and_unreadable_stores(shop: Terminal) -> None:
    """Another version, or something that is no database, is a fault."""
    _ = shop.type("create", "10 EUR", "-r", "A")
    with sqlite3.connect(shop.folder / "shop.db") as raw:
        _ = raw.execute("UPDATE paybylink_alembic_version SET version_num = '0000'")
    raw.close()
    outdated = found(shop, "store")
    _ = (shop.folder / "other.db").write_bytes(b"this is no database, whatever its name says" * 50)
    shop.set(STORE=f"sqlite:///{shop.folder / 'other.db'}")

    assert outdated[0] == "fault"
    assert "paybylink db upgrade" in outdated[1]
    assert found(shop, "store")[0] == "fault"


def test_password_in_the_stores_address_is_hidden(shop: Terminal) -> None:
    """An address is shown without what opens it."""
    shop.set(STORE=f"postgresql+psycopg://zoe:{MARK}@127.0.0.1:{_closed_port()}/shop")

    state, said = found(shop, "store")

    assert state == "fault"
    assert "zoe:***@127.0.0.1" in said


def test_misspelt_variable_is_noticed(shop: Terminal) -> None:
    """A variable with our prefix that nothing reads is most often a slip of the pen."""
    shop.set(STRIPE_APIKEY="x", PUBIC_URL="https://pay.example.com")

    assert shop.type("doctor").code == 9
    shop.monkeypatch.delenv("PAYBYLINK_STRIPE_APIKEY")

    state, said = found(shop, "variables")

    assert (state, "PAYBYLINK_PUBIC_URL" in said) == ("warning", True)


@pytest.mark.parametrize(
    ("date", "state"),
    [
        pytest.param(None, "ok", id="together"),
        pytest.param("Mon, 23 Nov 2020 12:00:00 GMT", "fault", id="years away"),
        pytest.param("the day before yesterday", "skipped", id="no date"),
    ],
)
def test_clock_is_compared_with_the_providers(shop: Terminal, date: str | None, state: str) -> None:
    """Webhooks are believed within minutes, so a clock that is off loses them."""
    date = date or format_datetime(dt.datetime.now(dt.UTC), usegmt=True)
    _ = shop.control.fault("status", "/stripe", status=404, headers={"Date": date}, times=None)

    assert found(shop, "clock")[0] == state


def test_settings_that_cannot_be_read(shop: Terminal) -> None:
    """The doctor says so first, and ends with its own code."""
    shop.set(STRIPE_API_KEY="")

    told = shop.type("doctor", "--json")

    assert (told.code, told.error["faults"][0]["path"]) == (9, "providers[0].api_key")


def test_stateless_without_channels(shop: Terminal) -> None:
    """What is not set is skipped, not failed."""
    shop.set(STORE="none", PUBLIC_URL="https://pay.example.com")
    for name in ("HOST", "PORT", "SECURITY", "SENDER"):
        shop.monkeypatch.delenv(f"PAYBYLINK_SMTP_{name}")

    assert found(shop, "store")[0] == "skipped"
    assert found(shop, "channels")[0] == "skipped"
    assert found(shop, "public_url")[0] == "ok"


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
