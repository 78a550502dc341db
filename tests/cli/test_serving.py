"""Promises about the commands that stay: they serve, they tell how, and they end when they are asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from paybylink.client import PayByLink
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox

from .cli_given import API_KEY, MARK, WEBHOOK_SECRET


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYBYLINK_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "paybylink.cli", *words],
        cwd=folder,
        env={**environment, **{f"PAYBYLINK_{name}": value for name, value in variables.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        _ = process.communicate()


def answered(url: str, process: subprocess.Popen[str]) -> httpx.Response:
    """The first answer of a server that is just starting."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return httpx.get(url, timeout=5, trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)  # nothing tells when another process listens


def test_serve_hears_a_signed_webhook_and_shows_the_page(tmp_path: Path) -> None:
    """From the payer's button to our page, over real HTTP; then a signal ends it in order."""
    port, store = free_port(), f"sqlite:///{tmp_path / 'shop.db'}"
    public = f"http://127.0.0.1:{port}"
    with Sandbox(webhooks=[(f"{public}/webhooks/stripe", WEBHOOK_SECRET)]) as sandbox:
        provider = StripeProvider(API_KEY, webhook_secrets=[WEBHOOK_SECRET], base_url=sandbox.stripe_url)
        with PayByLink(providers=[provider], store=store, public_url=public) as pay:
            link = pay.create_link("49.90 EUR", reference="FA-1")
        assert link.current is not None
        assert link.current.url is not None
        with running(
            tmp_path,
            *("serve", "--port", str(port), "--due-every", "1"),
            STRIPE_API_KEY=API_KEY,
            STRIPE_WEBHOOK_SECRETS=WEBHOOK_SECRET,
            STRIPE_BASE_URL=sandbox.stripe_url,
            STORE=store,
            PUBLIC_URL=public,
            MERCHANT="Atelier",
        ) as process:
            before = answered(link.url, process)
            _ = httpx.post(link.current.url, data={"how": "card"}, trust_env=False)
            told = sandbox.control.flush_webhooks()
            after = answered(link.url, process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)

    assert "Pay €49.90" in before.text
    assert told["failed"] == 0
    assert "Thank you. Nothing is left to pay." in after.text
    assert "Traceback" not in err
    assert MARK not in out + err
    assert link.token not in out + err


def test_sandbox_tells_how_to_use_it(tmp_path: Path) -> None:
    """What it prints can be pasted into a shell, and it ends with code 0."""
    port = free_port()
    with running(tmp_path, "sandbox", "--port", str(port), "--smtp-port", "0", "--dir", "state") as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "SENDER" not in lines[-1]:
            lines.append(process.stdout.readline())
        page = answered(f"http://127.0.0.1:{port}/", process)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=30)

    assert page.status_code == 200
    assert f"export PAYBYLINK_STRIPE_BASE_URL=http://127.0.0.1:{port}/stripe\n" in lines
    assert code == 0
    assert (tmp_path / "state" / "sandbox.db").exists()


def test_command_line_without_its_extra_says_what_to_install() -> None:
    """Code 2 and one line, not a traceback."""
    script = "import sys; sys.modules['typer'] = None; from paybylink.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)

    assert done.returncode == 2
    assert done.stderr == 'error: the command line needs an extra: pip install "paybylink[cli]"\n'


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        pytest.param(("create", "10 EUR", "-r", "A"), {"STRIPE_API_KEY": MARK}, id="no key"),
        pytest.param(("links",), {"STRIPE_API_KEY": f"whsec_{MARK}"}, id="wrong sort of key"),
        pytest.param(("doctor",), {"STRIPE_API_KEY": f"pk_live_{MARK}"}, id="publishable key"),
        pytest.param(
            ("links",),
            {"STRIPE_API_KEY": API_KEY, "STORE": f"postgresql+psycopg://u:{MARK}@127.0.0.1:1/x"},
            id="store",
        ),
        pytest.param(
            ("links",), {"STRIPE_API_KEY": API_KEY, "STORE": f"mysql://u:{MARK}@h"}, id="store scheme"
        ),
        pytest.param(
            ("create", "10 EUR", "-r", "A"),
            {"STRIPE_API_KEY": API_KEY, "STRIPE_BASE_URL": "http://127.0.0.1:1"},
            id="away",
        ),
        pytest.param(
            ("create", "10 EUR", "-r", "A"), {"PROVIDERS": f'[{{"api_key": "{MARK}"'}, id="broken list"
        ),
        pytest.param(("links",), {"STRIPE_API_KEY": API_KEY, "ACCOUNTS": MARK}, id="accounts as text"),
        pytest.param(
            ("links",),
            {"STRIPE_API_KEY": API_KEY, "STRIPE_WEBHOOK_SECRETS": f"{MARK},{MARK}"},
            id="webhook secrets",
        ),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_no_error_shows_a_secret_or_a_traceback(
    tmp_path: Path, words: tuple[str, ...], variables: dict[str, str], form: tuple[str, ...]
) -> None:
    """Every wrong setting holds a marked secret, and none of it is printed by the real command."""
    with running(tmp_path, *words, *form, **variables) as process:
        out, err = process.communicate(timeout=60)

    assert process.returncode not in (0, 1), out + err
    assert MARK not in out + err
    assert "Traceback" not in err
