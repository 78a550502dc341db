"""``paybylink sandbox``: the sandbox alone, for developing and testing without a network and without an account."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paybylink.errors import InvalidInput, MissingExtra

from . import show
from .ending import told_to_end

if TYPE_CHECKING:
    from paybylink.sandbox import Sandbox

_PROVIDERS = ("stripe", "adyen", "mollie")
#: The setting of each provider that holds the secret of its webhooks.
_SECRETS = {"stripe": "WEBHOOK_SECRETS", "adyen": "HMAC_KEYS", "mollie": "WEBHOOK_SECRETS"}


def sandbox(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where its state is kept; else nowhere.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of its pages and of the providers' APIs.")
    ] = 8025,
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Of its mail server.")] = 2525,
    webhook: Annotated[
        list[str] | None,
        typer.Option(help="Where to send signed webhooks, on this machine: a URL, or PROVIDER=URL."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="PROVIDER=SECRET that signs them, to keep it the same; else a new one is made."),
    ] = None,
) -> None:
    """
    Run the sandbox alone: Stripe, Adyen and Mollie with their payment pages, a mail server and a mailbox, until
    Ctrl-C.
    """
    try:
        from paybylink.sandbox import Sandbox
    except ImportError as error:
        raise MissingExtra("sandbox", "the sandbox") from error
    webhooks = _by_provider("webhook", webhook or (), default="stripe")
    signing = {name: _new_secret(name) for name in webhooks}
    signing |= {name: given[-1] for name, given in _by_provider("secret", secret or ()).items()}
    told = {name: [(url, signing[name]) for url in urls] for name, urls in webhooks.items()}
    state = ":memory:"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        state = str(folder / "sandbox.db")
    running = Sandbox(
        state,
        port=port,
        smtp_port=smtp_port,
        webhooks=told.get("stripe", ()),
        adyen_webhooks=told.get("adyen", ()),
        mollie_webhooks=told.get("mollie", ()),
    )
    try:
        _ = running.start()
    except OSError as error:
        raise InvalidInput.single(
            "port",
            f"cannot be listened on ({error.strerror})",
            "pass --port and --smtp-port, or 0 for any that is free",
        ) from error
    except ValueError as error:
        raise InvalidInput.single(
            "webhook", f"is refused: {error}", "name an address of this machine, and a secret in its form"
        ) from error
    with told_to_end() as over, closing(running):
        _say(running, {name: signing[name] for name in webhooks})
        _ = over.wait()


def _say(running: Sandbox, signing: Mapping[str, str]) -> None:
    console = show.screen()
    console.print(f"The sandbox is at {running.url}, its mailbox at {running.url}/mailbox. Use it with:\n")
    of_providers = {
        "stripe": ["API_KEY=sk_test_sandbox", f"BASE_URL={running.stripe_url}"],
        "adyen": [
            "API_KEY=sandbox-key",
            "MERCHANT_ACCOUNT=SandboxECOM",
            f"BASE_URL={running.adyen_url}",
        ],
        "mollie": ["API_KEY=test_sandboxsandboxsandboxsandbox00", f"BASE_URL={running.mollie_url}"],
    }
    chosen = [name for name in _PROVIDERS if name in signing] or ["stripe"]
    for name in _PROVIDERS:
        lines = of_providers[name] + ([f"{_SECRETS[name]}={signing[name]}"] if name in signing else [])
        for line in lines:
            # Whoever pastes all of it has one provider, or those whose webhooks were asked for.
            typer.echo(f"{'' if name in chosen else '# '}export PAYBYLINK_{name.upper()}_{line}")
    for line in (
        f"HOST={running.smtp_host}",
        f"PORT={running.smtp_port}",
        "SECURITY=none",
        "SENDER=shop@example.com",
    ):
        typer.echo(f"export PAYBYLINK_SMTP_{line}")


def _by_provider(option: str, given: Iterable[str], default: str | None = None) -> dict[str, list[str]]:
    """
    What each provider was given, in order.

    Raises:
        InvalidInput: no provider that the sandbox has is named.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if separator and name in _PROVIDERS:
            found.setdefault(name, []).append(value)
        elif default is not None and text.startswith(("http://", "https://")):
            found.setdefault(default, []).append(text)
        else:
            raise InvalidInput.single(
                option,
                "names no provider of the sandbox",
                f"write one of {', '.join(_PROVIDERS)} and = before it",
            )
    return found


def _new_secret(provider: str) -> str:
    # Adyen's keys are hexadecimal; the others take any text.
    return f"whsec_{secrets.token_hex(16)}" if provider == "stripe" else secrets.token_hex(32).upper()
