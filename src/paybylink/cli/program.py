"""
The program: its commands, and the one place where an error becomes an exit code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from paybylink.errors import PaybylinkError

from . import changes, create, doctor, export, lists, sandbox, send, serve, upkeep
from .demo.command import demo
from .exits import HELP, code_of, report
from .session import Session, session_of


class Commands(TyperGroup):
    """The commands; an error of our tree becomes a text or a JSON document, and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except PaybylinkError as error:
            report(error, as_json=session_of(ctx).as_json)
            raise typer.Exit(code_of(error)) from None


program = typer.Typer(
    name="paybylink",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show keys.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=HELP,
)


def _version(value: bool) -> None:
    if value:
        from paybylink import __version__

        typer.echo(__version__)
        raise typer.Exit


@program.callback(
    help="Be paid by link: make payment links, send them, and see the money arrive in the books."
)
def root(
    ctx: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", "-s", help="The settings file; else paybylink.toml, if it is there."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Keep what all commands share."""
    del version
    ctx.obj = Session(file=settings)


for name, command in (
    ("create", create.create),
    ("send", send.send),
    ("links", lists.links),
    ("payments", lists.payments),
    ("refund", changes.refund),
    ("cancel", changes.cancel),
    ("renew", changes.renew),
    ("refresh", changes.refresh),
    ("export", export.export),
    ("serve", serve.serve),
    ("run-due", upkeep.run_due),
    ("doctor", doctor.doctor),
    ("demo", demo),
    ("sandbox", sandbox.sandbox),
):
    _ = program.command(name)(command)
program.add_typer(upkeep.db, name="db")
