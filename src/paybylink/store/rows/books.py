"""Entries and lines as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from paybylink.accounting.entries import Entry, Line
from paybylink.accounting.ledger import LedgerLine
from paybylink.money import Money

from ._columns import Parameters, Row, micros, moment


def entry_row(entry: Entry, *, tenant: str) -> Parameters:
    """Every column of an entry, without its lines."""
    return {
        "tenant": tenant,
        "id": entry.id,
        "key": entry.key,
        "journal": entry.journal,
        "date": entry.date.isoformat(),
        "piece": entry.piece,
        "label": entry.label,
        "currency": entry.currency,
        "created_at": micros(entry.created_at),
        "reverses_id": entry.reverses_id,
        "customer_id": entry.customer_id,
    }


def line_row(entry: Entry, no: int, line: Line, *, tenant: str) -> Parameters:
    """Every column of the line at place `no`, from 0."""
    return {
        "tenant": tenant,
        "entry_id": entry.id,
        "no": no,
        "account": line.account,
        "aux": line.aux,
        "currency": entry.currency,
        "debit_minor": line.debit_minor,
        "credit_minor": line.credit_minor,
        "fx_minor": None if line.fx is None else line.fx.minor,
        "fx_currency": None if line.fx is None else line.fx.currency,
        "month": line.month,
        "provider": line.provider,
        "kind": line.kind,
        "method": line.method,
    }


def entry_from_rows(rows: Sequence[Row]) -> Entry:
    """The entry of its joined rows, one for each line, in order."""
    row = rows[0]
    return Entry(
        id=row["id"],
        key=row["key"],
        journal=row["journal"],
        date=dt.date.fromisoformat(row["date"]),
        piece=row["piece"],
        label=row["label"],
        currency=row["currency"],
        created_at=moment(row["created_at"]),
        reverses_id=row["reverses_id"],
        customer_id=row["customer_id"],
        lines=tuple(_line(each) for each in rows),
        tenant=row["tenant"],
    )


def _line(row: Row) -> Line:
    fx = row["line_fx_minor"]
    return Line(
        account=row["line_account"],
        aux=row["line_aux"],
        debit_minor=row["line_debit_minor"],
        credit_minor=row["line_credit_minor"],
        fx=None if fx is None else Money.read(fx, row["line_fx_currency"]),
        month=row["line_month"],
        provider=row["line_provider"],
        kind=row["line_kind"],
        method=row["line_method"],
    )


def ledger_line_from_row(row: Row) -> LedgerLine:
    """One line beside its entry, as exports take it."""
    aux = row["aux"]
    return LedgerLine(
        row["entry_id"],
        row["key"],
        row["journal"],
        row["date"],
        row["piece"],
        row["label"],
        row["currency"],
        row["account"],
        aux,
        (row["aux_label"] or "") if aux else "",
        row["debit_minor"],
        row["credit_minor"],
        row["fx_minor"],
        row["fx_currency"] or "",
        moment(row["created_at"]).isoformat(),
    )
