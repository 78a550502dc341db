"""``paybylink refund``, ``cancel``, ``renew`` and ``refresh``: what becomes of a link later."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer
from rich.text import Text

from paybylink.errors import InvalidInput, NotFound
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus

from . import show
from .session import JsonOption, Part, Reference, known_link, session_of


def refund(
    ctx: typer.Context,
    reference: Reference,
    part: Part = "",
    payment: Annotated[str | None, typer.Option(help="Which payment, where the order has several.")] = None,
    amount: Annotated[
        str | None, typer.Option(help='A part of it, e.g. "10.00 EUR"; else everything.')
    ] = None,
    as_: Annotated[
        str, typer.Option("--as", metavar="REFERENCE", help="Your name for the refund, e.g. the credit note.")
    ] = "",
    reason: Annotated[str, typer.Option(help="For your own records.")] = "",
    as_json: JsonOption = False,
) -> None:
    """
    Send money back to the payer of an order.

    Running the same command again refunds nothing more: a refund is named by its payment and ``--as``.
    """
    wanted = Money.parse(amount) if amount else None
    with session_of(ctx).client() as pay:
        link = known_link(pay, reference, part)
        chosen = _chosen(list(pay.payments(link=link)), payment)
        made = pay.refund(chosen, amount=wanted, reference=as_, reason=reason)
    if as_json:
        show.document(show.refund_json(made))
    else:
        show.screen().print(Text(f"{reference}  {made.amount} refunded: ") + show.word(str(made.status)))


def cancel(ctx: typer.Context, reference: Reference, part: Part = "", as_json: JsonOption = False) -> None:
    """Close the link of an order, so that it can no longer be paid."""
    with session_of(ctx).client() as pay:
        link = pay.cancel(known_link(pay, reference, part))
    if as_json:
        show.document(show.link_json(link, url=False))
    else:
        show.screen().print(Text(f"{reference}  ") + show.word(str(link.status)))


def renew(
    ctx: typer.Context,
    reference: Reference,
    part: Part = "",
    days: Annotated[int | None, typer.Option(min=1, help="How long it lives; else as set.")] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Give the link of an order a new end, and a new link at the provider.

    Also the remedy where a delayed payment has failed and the provider has used its link up.
    """
    with session_of(ctx).client() as pay:
        span = dt.timedelta(days=days) if days is not None else None
        link = pay.renew(known_link(pay, reference, part), expires_in=span)
    if as_json:
        show.document(show.link_json(link, url=True))
    else:
        typer.echo(link.url)


def refresh(ctx: typer.Context, reference: Reference, part: Part = "", as_json: JsonOption = False) -> None:
    """Ask the provider about the link of an order; finds what a lost webhook hid."""
    with session_of(ctx).client() as pay:
        link = pay.refresh(known_link(pay, reference, part))
    if as_json:
        show.document(show.link_json(link, url=False))
    else:
        show.screen().print(Text(f"{reference}  ") + show.word(str(link.status)))


def _chosen(found: list[Payment], wanted: str | None) -> Payment:
    """The payment that is meant; a choice is never guessed."""
    if wanted is not None:
        for payment in found:
            if wanted in (payment.id, payment.vendor_id):
                return payment
        raise NotFound(
            "that order has no payment with this id; `paybylink payments --reference …` lists them"
        )
    came = [payment for payment in found if payment.status is PaymentStatus.SUCCEEDED]
    if not came:
        raise NotFound("no money has come for that order, so none can be sent back")
    if len(came) > 1:
        raise InvalidInput.single(
            "payment", f"is not named, and {len(came)} have come for that order", "pass --payment ID"
        )
    return came[0]
