"""``paybylink links`` and ``paybylink payments``: what there is."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from paybylink.links import LinkStatus

from . import show
from .session import JsonOption, Part, known_link, session_of

Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]


def links(
    ctx: typer.Context,
    status: Annotated[LinkStatus | None, typer.Option(help="Only those that stand there.")] = None,
    limit: Limit = 100,
    urls: Annotated[
        bool, typer.Option("--urls", help="Show the addresses, by which anybody can pay.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List payment links, newest first."""
    with session_of(ctx).client() as pay:
        found = list(islice(pay.links(status=status), limit))
    if as_json:
        show.document([show.link_json(link, url=urls) for link in found])
        return
    headings = ["reference", "part", "kind", "status", "amount", "paid", "until"]
    rows: list[list[str | Text]] = [
        [
            link.order.reference,
            link.order.part,
            link.kind.name,
            show.word(show.status_text(link)),
            str(link.order.amount),
            str(link.paid_amount) if link.payments else "",
            show.day(link.expires_at),
            *([link.url] if urls else []),
        ]
        for link in found
    ]
    show.screen().print(show.table([*headings, *(["url"] if urls else [])], rows, right=("amount", "paid")))


def payments(
    ctx: typer.Context,
    since: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on, in UTC.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="Only those of one order.")] = None,
    part: Part = "",
    exceptions: Annotated[
        bool, typer.Option("--exceptions", help="Only those that a person should look at.")
    ] = False,
    limit: Limit = 100,
    as_json: JsonOption = False,
) -> None:
    """List payments, oldest first."""
    with session_of(ctx).client() as pay:
        link = None if reference is None else known_link(pay, reference, part)
        moment = since.replace(tzinfo=dt.UTC) if since else None
        every = pay.exceptions() if exceptions else pay.payments(since=moment, link=link)
        found = list(islice(every, limit))
    if as_json:
        show.document([show.payment_json(payment) for payment in found])
        return
    headings = ["at", "reference", "status", "amount", "refunded", "method", "flags", "id"]
    rows: list[list[str | Text]] = [
        [
            f"{payment.at:%Y-%m-%d %H:%M}",
            payment.reference,
            show.word(str(payment.status)),
            str(payment.amount),
            str(payment.refunded) if payment.refunded.minor else "",
            payment.method,
            " ".join(sorted(str(flag) for flag in payment.flags)),
            payment.id,
        ]
        for payment in found
    ]
    show.screen().print(show.table(headings, rows, right=("amount", "refunded")))
