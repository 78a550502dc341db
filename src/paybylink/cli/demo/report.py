"""
What is shown at the end: a row for each order, the balance of the books, and where to look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from paybylink.cli import show
from paybylink.cli.order_sheet import OrderSheet
from paybylink.money import Money
from paybylink.payments import PaymentFlag, RefundStatus

from .script import Played
from .stage import Stage

if TYPE_CHECKING:
    from paybylink.client.exporting import Exported

_FLAGS = {PaymentFlag.LATE: "late", PaymentFlag.EXCESS: "too much", PaymentFlag.MISMATCH: "other amount"}
#: From this width on the path of each page has room; the order's number leads there in any case.
_WIDE = 110


def write_books(stage: Stage, played: Sequence[Played], today: dt.date) -> Exported:
    """The FEC of the year in which the demo was played, in its folder."""
    first = min((payment.at.date() for each in played for payment in each.payments), default=today)
    return stage.pay.export("fec", since=first.replace(month=1, day=1), until=today, to=stage.folder.path)


def show_result(
    console: Console, stage: Stage, sheet: OrderSheet, played: Sequence[Played], exported: Exported
) -> None:
    """Print everything."""
    for fault in sheet.faults:
        console.print(Text(f"left out: {fault}", style="yellow"))
    if sheet.faults:
        console.print()
    console.print(_orders(stage, played, console.width))
    console.print()
    console.print(_balance(stage))
    tally = exported.tally
    console.print(f"\n{tally.entries} entries in {_short(stage, str(exported.path))}")
    for warning in exported.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))
    console.print()
    for name, url in places(stage, played).items():
        console.print(f"{name:<18}", Text(url, style=f"link {url}"), soft_wrap=True)


def places(stage: Stage, played: Sequence[Played]) -> dict[str, str]:
    """What can be looked at while the demo runs, by name."""
    found = {
        "sandbox": stage.sandbox.url,
        "mailbox": f"{stage.sandbox.url}/mailbox",
    }
    for name, wanted in (
        ("a link to pay", "open"),
        ("a paid link", "paid"),
        ("money on its way", "processing"),
    ):
        for each in played:
            if each.link.status == wanted:
                found[name] = each.link.url
                break
    return found


def as_document(stage: Stage, sheet: OrderSheet, played: Sequence[Played], exported: Exported) -> show.Json:
    """The same for a program."""
    return {
        "orders": [
            {
                **show.link_json(each.link, url=True),
                "delivery": show.delivery_json(each.delivery) if each.delivery else None,
                "payments": [show.payment_json(payment) for payment in each.payments],
                "refunds": [show.refund_json(refund) for refund in each.refunds],
            }
            for each in played
        ],
        "faults": [
            {
                "line": fault.line,
                "column": fault.column,
                "heading": fault.heading,
                "fault": fault.fault,
                "remedy": fault.remedy,
            }
            for fault in sheet.faults
        ],
        "balance": [
            {
                "account": line.account,
                "currency": line.currency,
                "debit_minor": line.debit_minor,
                "credit_minor": line.credit_minor,
            }
            for line in stage.pay.balance()
        ],
        "export": {"path": str(exported.path), "entries": exported.tally.entries},
        "urls": places(stage, played),
    }


def _orders(stage: Stage, played: Sequence[Played], width: int) -> object:
    flagged = any(payment.flags for each in played for payment in each.payments)
    paged = width >= _WIDE
    rows: list[list[str | Text]] = []
    for each in played:
        link = each.link
        gone = [refund for refund in each.refunds if refund.status is RefundStatus.SUCCEEDED]
        flags = sorted({_FLAGS[flag] for payment in each.payments for flag in payment.flags})
        rows.append(
            [
                Text(link.order.reference, style=f"link {link.url}"),
                *([link.url.removeprefix(stage.folder.public_url)] if paged else []),
                show.word(str(each.delivery.outcome)) if each.delivery else Text("to share", style="dim"),
                show.word(show.status_text(link)),
                str(link.order.amount),
                str(link.paid_amount) if link.payments else "",
                str(sum((refund.amount for refund in gone[1:]), gone[0].amount)) if gone else "",
                *([", ".join(flags)] if flagged else []),
            ]
        )
    page, flag = ["page"] if paged else [], ["flags"] if flagged else []
    return show.table(
        ["order", *page, "mail", "status", "asked", "paid", "refunded", *flag],
        rows,
        right=("asked", "paid", "refunded"),
    )


def _balance(stage: Stage) -> object:
    accounts = stage.pay.journeys.merchant.accounts
    rows: list[list[str | Text]] = []
    sums: dict[str, tuple[int, int]] = {}
    for line in stage.pay.balance():
        before = sums.get(line.currency, (0, 0))
        sums[line.currency] = (before[0] + line.debit_minor, before[1] + line.credit_minor)
        rows.append(
            [
                line.account,
                accounts.label_of(line.account),
                str(Money.read(line.debit_minor, line.currency)) if line.debit_minor else "",
                str(Money.read(line.credit_minor, line.currency)) if line.credit_minor else "",
            ]
        )
    for currency, (debit, credit) in sorted(sums.items()):
        verdict = (
            Text("balanced", style="green") if debit == credit else Text("NOT BALANCED", style="bold red")
        )
        rows.append(["", verdict, str(Money.read(debit, currency)), str(Money.read(credit, currency))])
    return show.table(["account", "", "debit", "credit"], rows, right=("debit", "credit"))


def _short(stage: Stage, path: str) -> str:
    from pathlib import Path

    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
