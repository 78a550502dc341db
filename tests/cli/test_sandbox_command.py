"""`paybylink sandbox` and `python -m paybylink.sandbox`: three providers on this machine, and how to reach them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HMAC_KEY = "AB" * 32


@contextmanager
def printing(folder: Path, *words: str, last: str) -> Iterator[list[str]]:
    """What a command prints up to a line that holds `last`; it is ended afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, encoding="utf-8", cwd=folder
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if last in line:
                    break
            yield lines
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0


def test_the_command_prints_three_providers(tmp_path: Path) -> None:
    """Those whose webhooks were asked for can be pasted, the secret stays as given; the others are comments."""
    url = "http://127.0.0.1:9/hook"
    words = ("paybylink.cli", "sandbox", "--port", "0", "--smtp-port", "0")
    chosen = ("--webhook", f"adyen={url}", "--secret", f"adyen={HMAC_KEY}", "--webhook", f"mollie={url}")
    with printing(tmp_path, *words, *chosen, last="SENDER") as lines:
        settings = dict(line.split("export ")[1].split("=", 1) for line in lines if "export " in line)
        reply = httpx.get(f"{settings['PAYBYLINK_ADYEN_BASE_URL']}/v72/paymentLinks/PL0")

    assert reply.status_code == 401
    assert f"export PAYBYLINK_ADYEN_HMAC_KEYS={HMAC_KEY}" in lines
    assert any(line.startswith("export PAYBYLINK_MOLLIE_WEBHOOK_SECRETS=") for line in lines)
    assert any(line.startswith("# export PAYBYLINK_STRIPE_API_KEY=") for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--webhook", "paypal=http://127.0.0.1:9/"), "names no provider"),
        (("--webhook", "adyen=https://shop.example/"), "not on this machine"),
        (("--webhook", "adyen=http://127.0.0.1:9/", "--secret", "adyen=xyz"), "hexadecimal"),
        (("--secret", "whsec_x"), "names no provider"),
    ],
    ids=["unknown provider", "another machine", "wrong secret", "secret of nobody"],
)
def test_a_wrong_webhook_is_named(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Code 2 and a sentence, before anything listens."""
    done = subprocess.run(
        [sys.executable, "-m", "paybylink.cli", "sandbox", "--port", "0", "--smtp-port", "0", *words],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_the_module_prints_three_addresses(tmp_path: Path) -> None:
    """`python -m paybylink.sandbox` names each API and what opens it."""
    words = ("paybylink.sandbox", "state.db", "--port", "0", "--smtp-port", "0")
    with printing(
        tmp_path, *words, "--webhook", "adyen", "http://127.0.0.1:9/", HMAC_KEY, last="mail"
    ) as lines:
        text = "\n".join(lines)

    assert all(f"/{name} " in text for name in ("stripe", "adyen", "mollie"))
    assert "any sk_test_ key" in text
