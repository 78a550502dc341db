"""``paybylink create``: the link of an order."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

import typer

from paybylink.errors import Faults, InvalidInput
from paybylink.money import Money
from paybylink.orders import Customer, Order

from . import show
from .exits import worst_of
from .session import JsonOption, Part, session_of


class Kind(StrEnum):
    """The kinds of links that a word names."""

    SINGLE_USE = "single_use"
    REUSABLE = "reusable"
    INVOICE = "invoice"
    HOSTED_INVOICE = "hosted_invoice"


def create(
    ctx: typer.Context,
    amount: Annotated[str, typer.Argument(help='What is asked for, e.g. "49.90 EUR".', show_default=False)],
    reference: Annotated[
        str, typer.Option("--reference", "-r", help="Your own key of the order, e.g. its invoice number.")
    ],
    description: Annotated[str, typer.Option("--description", "-d", help="What the payer reads.")] = "",
    kind: Annotated[Kind, typer.Option(help="What the link may be used for.")] = Kind.SINGLE_USE,
    part: Part = "",
    provider: Annotated[str | None, typer.Option(help="A provider's name; else the first.")] = None,
    expires_in_days: Annotated[int | None, typer.Option(min=1, help="How long it lives.")] = None,
    name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    email: Annotated[str | None, typer.Option(help="The customer's address.")] = None,
    phone: Annotated[str | None, typer.Option(help="The customer's phone number.")] = None,
    language: Annotated[str | None, typer.Option(help="The customer's language, e.g. fr.")] = None,
    customer_code: Annotated[str, typer.Option(help="The customer's code in your books.")] = "",
    send: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Send it too, e.g. email.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Close a link of the same reference with other content.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Make the payment link of an order, and print its address.

    Running the same command again prints the same link: an order never has two that can be paid.
    """
    faults = Faults()
    read: Money | None = None
    customer: Customer | None = None
    try:
        read = Money.parse(amount)
    except InvalidInput as error:
        for fault in error.faults:
            faults.add("amount", fault.fault, fault.remedy)
    if name or email or phone or language or customer_code:
        with faults.at("customer"):
            customer = Customer(name=name, email=email, phone=phone, language=language, code=customer_code)
    faults.raise_any()
    assert read is not None
    order = Order(reference=reference, amount=read, description=description, customer=customer, part=part)
    with session_of(ctx).client() as pay:
        link = pay.create_link(
            order,
            kind=kind.value,
            provider=provider,
            expires_in=dt.timedelta(days=expires_in_days) if expires_in_days else None,
            replace=replace,
        )
        deliveries = [pay.send(link, via=send)] if send else []
    if as_json:
        shown = show.link_json(link, url=True)
        if send:
            shown["delivery"] = show.delivery_json(deliveries[0])
        show.document(shown)
    else:
        # Alone on stdout, so that a script can take it.
        typer.echo(link.url)
        until = f", payable until {show.day(link.expires_at)}" if link.expires_at else ""
        typer.echo(f"{link.order.reference}: {link.order.amount}, {link.status}{until}", err=True)
        for delivery in deliveries:
            typer.echo(f"{delivery.channel}: {delivery.outcome}", err=True)
    if code := worst_of(deliveries):
        raise typer.Exit(code)
