"""``paybylink send``: hand a link to a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from paybylink.errors import InvalidInput
from paybylink.messages import Purpose
from paybylink.orders import Document

from . import show
from .exits import worst_of
from .session import JsonOption, Part, Reference, known_link, session_of


def send(
    ctx: typer.Context,
    reference: Reference,
    via: Annotated[str, typer.Option(help="A channel's name or a medium.")] = "email",
    to: Annotated[str | None, typer.Option(help="The recipient; else the order's customer.")] = None,
    part: Part = "",
    purpose: Annotated[
        Purpose, typer.Option(help="Why it is sent; each goes to a person once.")
    ] = Purpose.REQUEST,
    attach: Annotated[
        list[Path] | None, typer.Option(help="A PDF that goes with it; may be repeated.")
    ] = None,
    again: Annotated[
        str, typer.Option("--again", metavar="KEY", help="Send a second message, named by your own key.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """
    Send the link of an order to its customer.

    Running the same command again sends nothing and prints the first delivery.
    """
    documents = [_document(path) for path in attach or ()]
    with session_of(ctx).client() as pay:
        link = known_link(pay, reference, part)
        delivery = pay.send(link, via=via, to=to, purpose=purpose, attach=documents)
        if again:
            delivery = pay.resend(delivery, key=again, attach=documents)
    if as_json:
        show.document(show.delivery_json(delivery))
    else:
        detail = Text(f": {delivery.detail}" if delivery.detail else "")
        told = Text.assemble(
            f"{link.order.reference}  {delivery.channel} ", show.word(str(delivery.outcome)), detail
        )
        show.screen().print(told)
    if code := worst_of([delivery]):
        raise typer.Exit(code)


def _document(path: Path) -> Document:
    try:
        return Document(name=path.name, content=path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput.single(
            "attach", f"{path.name} cannot be read ({reason})", "check the path"
        ) from None
