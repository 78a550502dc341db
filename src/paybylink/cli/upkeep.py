"""``paybylink run-due`` and ``paybylink db upgrade``: what a host has to run now and then."""

from __future__ import annotations

import typer
from attrs import asdict

from paybylink.errors import Fault, SettingsError

from . import show
from .exits import Exit
from .session import JsonOption, session_of

db = typer.Typer(no_args_is_help=True, help="The database.")


def run_due(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """
    Do once whatever is due: finish what was cut, expire, send, ask, hand out events.

    Run it every minute, e.g. by cron or a systemd timer, unless ``paybylink serve`` does it for you.
    """
    with session_of(ctx).client() as pay:
        done = pay.run_due()
    if as_json:
        show.document(asdict(done))
    else:
        counts = [f"{count} {name}" for name, count in asdict(done).items() if name != "failed" and count]
        typer.echo(", ".join(counts) or "nothing was due")
        for code in done.failed:
            typer.secho(f"failed, to be tried again: {code}", fg="yellow", err=True)
    if done.failed:
        raise typer.Exit(Exit.FAULTS)


@db.command("upgrade")
def upgrade(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Bring the tables of paybylink to the shape that this version needs."""
    from paybylink.store import current, head
    from paybylink.store import upgrade as bring_up

    url = session_of(ctx).settings().store_url
    if url is None:
        raise SettingsError((Fault("store", "is none", "set PAYBYLINK_STORE to a database"),))
    before = current(url)
    bring_up(url)
    if as_json:
        show.document({"before": before, "after": head()})
    elif before == head():
        typer.echo(f"already at {head()}")
    else:
        typer.echo(f"upgraded from {before or 'nothing'} to {head()}")
