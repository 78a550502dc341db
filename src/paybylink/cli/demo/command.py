"""``paybylink demo``."""

from __future__ import annotations

import datetime as dt
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from paybylink.cli import show
from paybylink.cli.ending import told_to_end
from paybylink.cli.order_sheet import OrderSheet, read_orders
from paybylink.cli.session import JsonOption
from paybylink.errors import MissingExtra

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


def _sheet(orders: Path | None) -> OrderSheet:
    if orders is not None:
        return read_orders(orders)
    with as_file(files("paybylink.cli.demo").joinpath("orders.csv")) as path:
        return read_orders(path)
