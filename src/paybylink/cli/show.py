"""
How things are shown: as rows for a person, as JSON for a program.

No customer and no full payment address is shown, except the address where it was asked for.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paybylink.kinds import Reusable
from paybylink.links import PaymentLink
from paybylink.messages import Delivery
from paybylink.money import Money
from paybylink.payments import Payment, Refund

Json: TypeAlias = dict[str, object]

#: How wide a table is where no terminal says so; wide enough that nothing is cut in a log.
_PIPED_WIDTH = 160

_COLOURS = {
    "paid": "green",
    "succeeded": "green",
    "accepted": "green",
    "open": "cyan",
    "processing": "yellow",
    "pending": "yellow",
    "unknown": "yellow",
    "deferred": "yellow",
    "part_paid": "yellow",
    "failed": "red",
    "refused": "red",
    "expired": "dim",
    "cancelled": "dim",
    "replaced": "dim",
}


def screen() -> Console:
    """Where a person reads; no colours and no cutting when it is piped."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def word(text: str) -> Text:
    """A state in its colour."""
    return Text(text, style=_COLOURS.get(text.partition(" ")[0], ""))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Iterable[str] = ()
) -> Table:
    """A plain table; the columns named in `right` are aligned to the right."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    numbers = set(right)
    for heading in headings:
        made.add_column(
            heading,
            justify="right" if heading in numbers else "left",
            no_wrap=heading in numbers,
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def document(content: object) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def money_json(money: Money) -> Json:
    """An amount: exact minor units, the currency, and both as text."""
    return {"minor": money.minor, "currency": money.currency, "text": str(money)}


def link_json(link: PaymentLink, *, url: bool) -> Json:
    """A link; its address only where it was asked for."""
    shown: Json = {
        "id": link.id,
        "reference": link.order.reference,
        "part": link.order.part,
        "status": str(link.status),
        "kind": link.kind.name,
        "mode": str(link.mode),
        "provider": link.provider,
        "amount": money_json(link.order.amount),
        "paid": money_json(link.paid_amount),
        "payments": link.payments,
        "created_at": link.created_at.isoformat(),
        "expires_at": link.expires_at.isoformat() if link.expires_at else None,
    }
    return {**shown, "url": link.url} if url else shown


def payment_json(payment: Payment) -> Json:
    """A payment."""
    return {
        "id": payment.id,
        "reference": payment.reference,
        "part": payment.part,
        "provider": payment.provider,
        "vendor_id": payment.vendor_id,
        "status": str(payment.status),
        "mode": str(payment.mode),
        "amount": money_json(payment.amount),
        "refunded": money_json(payment.refunded),
        "method": payment.method,
        "flags": sorted(str(flag) for flag in payment.flags),
        "at": payment.at.isoformat(),
    }


def refund_json(refund: Refund) -> Json:
    """A refund."""
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "reference": refund.reference,
        "status": str(refund.status),
        "amount": money_json(refund.amount),
        "requested_at": refund.requested_at.isoformat(),
    }


def delivery_json(delivery: Delivery) -> Json:
    """A delivery; not to whom."""
    return {
        "id": delivery.id,
        "link_id": delivery.link_id,
        "channel": delivery.channel,
        "medium": str(delivery.medium),
        "purpose": str(delivery.purpose),
        "outcome": str(delivery.outcome),
        "attempts": delivery.attempts,
    }


def status_text(link: PaymentLink) -> str:
    """Where a link stands; a reusable one counts."""
    if isinstance(link.kind, Reusable) and link.payments:
        return f"{link.status} ({link.payments} paid)"
    return str(link.status)


def day(moment: dt.datetime | None) -> str:
    """A day, in UTC."""
    return f"{moment:%Y-%m-%d}" if moment else ""
