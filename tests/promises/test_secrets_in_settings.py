"""
The promise: no secret is ever printed, and nobody's address, number, name or payment page either, whatever fails,
here: settings, where a key may stand in any wrong place, and the commands that read them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paybylink import PayByLink, PaybylinkError
from paybylink.errors import SettingsError
from paybylink.settings import load
from workflows.world import World

from .marked_shop import HASTY, OFFERS
from .marks import (
    API_KEY,
    DATABASE_PASSWORD,
    EMAIL,
    NAME,
    PHONE,
    SECRETS,
    SMTP_PASSWORD,
    SMTP_USER,
    WEBHOOK_SECRET,
    Watch,
)
from .parrot import Parrot
from .shop import Terminal, Typed, closed_port

#: Wrong settings, each with a mark in it.
SETTINGS = [
    {"STRIPE_API_KEY": f"pk_test_{API_KEY}"},
    {"STRIPE_API_KEY": f" {API_KEY}"},
    {"STRIPE_API_KEY": API_KEY.replace("_test_", "_live_"), "STRIPE_BASE_URL": f"http://{API_KEY}.example"},
    {"STRIPE_WEBHOOK_SECRETS": f"{API_KEY},{WEBHOOK_SECRET}"},
    {"STRIPE_TOLERANCE": API_KEY},
    {"STRIPE_APIKEY": API_KEY},
    {"STRIPE_BASE_URL": f"https://user:{API_KEY}@example.com"},
    {"SMTP_PORT": SMTP_PASSWORD},
    {"SMTP_HOST": f"mail.example:{SMTP_PASSWORD}"},
    {"SMTP_SENDER": f"{NAME} <{EMAIL}"},
    {"SMTP_REPLY_TO": f"{EMAIL}@"},
    {"SMTP_SECURITY": SMTP_PASSWORD},
    {"STORE": f"mysql://clerk:{DATABASE_PASSWORD}@db.example/shop"},
    {"STORE": f"clerk:{DATABASE_PASSWORD}@db.example"},
    {"STORE": f"postgresql://clerk:{DATABASE_PASSWORD}@db.example:port/shop"},
    {"STORE": f"postgresql+{DATABASE_PASSWORD}://127.0.0.1:1/shop"},
    {"PUBLIC_URL": f"http://user:{DATABASE_PASSWORD}@pay.example"},
    {"PROVIDERS": f'[{{"type": "stripe", "api_key": "{API_KEY}"'},
    {"PROVIDERS": f'[{{"type": "{API_KEY}"}}]'},
    {"PROVIDERS": f'"{API_KEY}"'},
    {"PROVIDERS__0__TYPE": "stripe", "PROVIDERS__0__API_KEY__X": API_KEY},
    {"CHANNELS": f'[{{"password": "{SMTP_PASSWORD}"}}]'},
    {"DEFAULT_EXPIRY_DAYS": API_KEY},
    {"STORE": f"postgresql://clerk@127.0.0.1:{closed_port()}/shop?password={DATABASE_PASSWORD}"},
    {"STORE": f"postgresql://clerk:pass@word:{DATABASE_PASSWORD}/shop"},
    {"MERCHANT__ZONE": API_KEY},
    {"MERCHANT__NAME": f"{API_KEY}\n"},
    {"MERCHANT__OVERRIDES": f"/nowhere/{API_KEY}"},
    {"LANGUAGE": API_KEY},
    {"ACCOUNTS": f'{{"chart": "{API_KEY}", "{EMAIL}": 1}}'},
    {"TENANT": f'"{API_KEY}'},
]


@pytest.mark.parametrize("given", SETTINGS, ids=lambda given: next(iter(given)))
def test_a_wrong_setting_is_named_by_its_path(
    watch: Watch, world: World, terminal: Terminal, given: dict[str, str]
) -> None:
    """No value of a setting is ever repeated: not by the settings, not by `PayByLink`, not by a command."""
    terminal.set(
        STRIPE_API_KEY=API_KEY,
        SMTP_USERNAME=SMTP_USER,
        SMTP_PASSWORD=SMTP_PASSWORD,
        SMTP_PORT=str(closed_port()),
    )
    terminal.set(**given)
    try:
        with PayByLink(**load().parts(), patience=HASTY) as pay:
            watch.check(pay, pay.journeys, pay.journeys.providers, pay.journeys.channels)
            _ = pay.link("nothing")
    except PaybylinkError as error:
        watch.check(error)
    for command in (("create", "49.90 EUR", "-r", "S-1"), ("doctor",), ("db", "upgrade")):
        for extra in ((), ("--json",)):
            typed = terminal.type(*command, *extra)
            assert not watch.found_in(typed.out + typed.err), typed
            assert typed.defect is None, typed.defect


FILES = [
    pytest.param(f'api_key = "{API_KEY}', id="unclosed"),
    pytest.param(f'[[providers]]\ntype = "stripe"\napi_key = "{API_KEY}"\napi_key = "{API_KEY}"', id="twice"),
    pytest.param(f'[[providers]]\ntype = "stripe"\nkey = "{API_KEY}"', id="unknown-option"),
    pytest.param(f'[providers]\ntype = "stripe"\napi_key = "{API_KEY}"', id="no-list"),
    pytest.param(f'stripe_api_key = "{API_KEY}"', id="unknown-setting"),
    pytest.param(f'[[providers]]\ntype = "stripe"\napi_key = ["{API_KEY}"]', id="a-list-for-a-key"),
    pytest.param(f'store = ["{DATABASE_PASSWORD}"]', id="a-list-for-a-store"),
    pytest.param(f'"{API_KEY}" = 1', id="a-secret-for-a-name"),
]


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_settings_file_is_named_by_its_place(
    watch: Watch, terminal: Terminal, tmp_path: Path, text: str
) -> None:
    """A broken file is told by line and column, and never by what stands there."""
    for name in ("STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_BASE_URL", "STORE"):
        terminal.monkeypatch.delenv(f"PAYBYLINK_{name}")
    _ = (tmp_path / "paybylink.toml").write_text(text, "utf-8")
    marks = watch.marks - {"markApiKey7Zq"} if text.startswith('"') else watch.marks
    with pytest.raises(SettingsError) as caught:
        _ = PayByLink.from_env()
    typed = terminal.type("links", "--json")

    assert not watch.found_in(str(caught.value), marks), caught.value
    assert not watch.found_in(typed.out + typed.err, marks)
    assert typed.code == 2


def test_commands_that_fail_print_nothing_of_it(
    watch: Watch, world: World, terminal: Terminal, bird: Parrot, reference: str
) -> None:
    """Each command, failing in each way that it can, on both of its streams; links are printed only by `create`."""
    asked = ("create", "49.90 EUR", "-r", reference, "--name", NAME, "--email", EMAIL, "--phone", PHONE)
    terminal.set(
        STRIPE_API_KEY=API_KEY,
        STRIPE_WEBHOOK_SECRETS=f"{WEBHOOK_SECRET},{world.secret}",
        SMTP_USERNAME=SMTP_USER,
        SMTP_PASSWORD=SMTP_PASSWORD,
        SMTP_PORT=str(bird.port),
    )
    bird.prepare("AUTH", 535, offers=OFFERS)
    printed: list[Typed] = []

    def type_all(*commands: tuple[str, ...]) -> None:
        for command in commands:
            printed.extend(terminal.type(*command, *extra) for extra in ((), ("--json",)))

    for status in (400, 401, 429, 500):
        _ = world.sandbox.control.fault("status", "/stripe/", times=None, status=status)
        type_all(asked)
        world.sandbox.control.clear_faults()
    created = terminal.type(*asked, "--json")
    assert created.code == 0, created
    assert not watch.found_in(created.out + created.err, SECRETS)
    watch.add(json.loads(created.out)["url"])
    type_all(
        ("send", reference),
        ("send", reference, "--to", f"{EMAIL}\r\n"),
        ("send", reference, "--to", f"<{EMAIL}>"),
        ("send", reference, "--attach", "nothing.pdf"),
        ("send", reference, "--via", EMAIL),
        (*asked, "--language", f"{EMAIL}\n"),
        ("create", "50.00 EUR", "-r", reference, "--email", EMAIL),
        ("create", "49.90 EUR", "-r", reference, "--email", EMAIL, "--phone", f"{PHONE}\n"),
        ("refund", reference),
        ("refund", reference, "--payment", API_KEY),
        ("cancel", f"{reference}-unknown"),
        ("links",),
        ("payments",),
        ("run-due",),
        ("doctor",),
        ("export", "nothing", "--since", "2026-01-01", "--until", "2026-12-31", "--to", "."),
        ("--settings", "nowhere.toml", "links"),
    )
    for typed in printed:
        assert not watch.found_in(typed.out + typed.err), typed
        assert typed.defect is None, typed.defect
