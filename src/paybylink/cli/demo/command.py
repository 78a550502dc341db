"""``paybylink demo`` and ``paybylink sandbox``."""

from __future__ import annotations

import datetime as dt
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from paybylink.cli import show
from paybylink.cli.order_sheet import OrderSheet, read_orders
from paybylink.cli.session import JsonOption
from paybylink.errors import InvalidInput, MissingExtra

from .folder import open_folder

Folder = Annotated[Path, typer.Option("--dir", help="Where everything is kept; start again there to go on.")]


def demo(
    folder: Folder = Path("demo"),
    orders: Annotated[
        Path | None, typer.Option(help="A CSV file of your own; else the one that comes along.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when everything was played.")] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Play one journey from orders to the books, on this machine and without any account.

    It starts the sandbox, reads a spreadsheet, makes links, mails them, lets people pay, refunds a part, and shows
    the result. Then it waits, so that you can look around, until Ctrl-C; with --once, or where stdout is no
    terminal, it ends. Starting it again in the same folder changes nothing.
    """
    try:
        from .report import as_document, show_result, write_books
        from .script import play
        from .stage import open_stage
    except ImportError as error:
        raise MissingExtra("all", "the demo") from error
    sheet = _sheet(orders)
    console = show.screen()
    place = open_folder(folder)
    with (
        open_stage(place) as stage,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        ) as progress,
    ):
        played = play(stage, sheet, progress)
        today = dt.datetime.now(stage.pay.journeys.merchant.accounts.tzinfo).date()
        exported = write_books(stage, played, today)
        progress.stop()
        if as_json:
            show.document(as_document(stage, sheet, played, exported))
        else:
            show_result(console, stage, sheet, played, exported)
        if not once and not as_json and sys.stdout.isatty():
            with told_to_end() as over:
                console.print("\nPress Ctrl-C to end.", style="bold")
                _ = over.wait()


def sandbox(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where its state is kept; else nowhere.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of its pages and of Stripe's API.")] = 8025,
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Of its mail server.")] = 2525,
    webhook: Annotated[
        str | None, typer.Option(help="Where to send signed webhooks, on this machine.")
    ] = None,
) -> None:
    """Run the sandbox alone: a provider, its payment pages, a mail server and a mailbox, until Ctrl-C."""
    try:
        from paybylink.sandbox import Sandbox
    except ImportError as error:
        raise MissingExtra("sandbox", "the sandbox") from error
    state = ":memory:"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        state = str(folder / "sandbox.db")
    secret = f"whsec_{secrets.token_hex(16)}"
    webhooks = [] if webhook is None else [(webhook, secret)]
    running = Sandbox(state, port=port, smtp_port=smtp_port, webhooks=webhooks)
    try:
        _ = running.start()
    except OSError as error:
        raise InvalidInput.single(
            "port",
            f"cannot be listened on ({error.strerror})",
            "pass --port and --smtp-port, or 0 for any that is free",
        ) from error
    with told_to_end() as over, closing(running):
        console = show.screen()
        console.print(
            f"The sandbox is at {running.url}, its mailbox at {running.url}/mailbox. Use it with:\n"
        )
        lines = [
            "PAYBYLINK_STRIPE_API_KEY=sk_test_sandbox",
            f"PAYBYLINK_STRIPE_BASE_URL={running.stripe_url}",
            f"PAYBYLINK_SMTP_HOST={running.smtp_host}",
            f"PAYBYLINK_SMTP_PORT={running.smtp_port}",
            "PAYBYLINK_SMTP_SECURITY=none",
            "PAYBYLINK_SMTP_SENDER=shop@example.com",
        ]
        if webhook is not None:
            lines.append(f"PAYBYLINK_STRIPE_WEBHOOK_SECRETS={secret}")
        for line in lines:
            typer.echo(f"export {line}")
        _ = over.wait()


@contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, or by the signal with which a service is stopped."""
    over = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield over
    finally:
        for number, handler in before.items():
            _ = signal.signal(number, handler)


def _sheet(orders: Path | None) -> OrderSheet:
    if orders is not None:
        return read_orders(orders)
    with as_file(files("paybylink.cli.demo").joinpath("orders.csv")) as path:
        return read_orders(path)
