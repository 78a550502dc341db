"""``paybylink export``: the bookings of some days, as a file for accounting software."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from . import show
from .session import JsonOption, session_of

_DAY = ["%Y-%m-%d"]


def export(
    ctx: typer.Context,
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="The format, e.g. fec.", show_default=False)],
    since: Annotated[dt.datetime, typer.Option(formats=_DAY, help="The first booking day.")],
    until: Annotated[dt.datetime, typer.Option(formats=_DAY, help="The last booking day.")],
    to: Annotated[Path, typer.Option(help="A file, or a folder where it gets its own name.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write the bookings of some days to a file."""
    with session_of(ctx).client() as pay:
        written = pay.export(form, since=since.date(), until=until.date(), to=to)
    tally = written.tally
    if as_json:
        show.document(
            {
                "path": str(written.path),
                "entries": tally.entries,
                "lines": tally.lines,
                "debit_minor": tally.debit_minor,
                "credit_minor": tally.credit_minor,
                "left_out": {
                    currency: {"entries": left.entries, "debit_minor": left.debit_minor, "keys": left.keys}
                    for currency, left in tally.left_out.items()
                },
                "warnings": list(written.warnings),
            }
        )
        return
    typer.echo(str(written.path))
    typer.echo(f"{tally.entries} entries, {tally.lines} lines", err=True)
    for warning in written.warnings:
        typer.secho(f"warning: {warning}", fg="yellow", err=True)
