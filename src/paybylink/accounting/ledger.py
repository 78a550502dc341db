"""
The ledger as rows: what the store hands to exports and reports.

A row is one line of an entry beside the entry's own fields, as one tuple, because an export walks a million
of them. Rows come sorted by (date, entry id, place in the entry); the lines of an entry are neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .entries import Entry


class LedgerLine(NamedTuple):
    """
    One line of the ledger.

    Attributes:
        entry_id, key, journal, piece, label, currency: the entry's.
        date: the booking day, ISO text ``YYYY-MM-DD``.
        account, aux: the account and the auxiliary account; `aux` is empty if unused.
        aux_label: the customer's name, joined for this file; empty if there is none or it was erased.
        debit_minor, credit_minor: minor units of `currency`; exactly one is more than 0.
        fx_minor, fx_currency: the foreign amount; None and empty if it was not foreign.
        created_at: when the entry was written, ISO text in UTC.
    """

    entry_id: str
    key: str
    journal: str
    date: str
    piece: str
    label: str
    currency: str
    account: str
    aux: str
    aux_label: str
    debit_minor: int
    credit_minor: int
    fx_minor: int | None = None
    fx_currency: str = ""
    created_at: str = ""


def ledger_lines(entry: Entry, *, aux_label: str = "") -> Iterator[LedgerLine]:
    """The rows of one entry, with `aux_label` on each line that has an auxiliary account."""
    for line in entry.lines:
        yield LedgerLine(
            entry.id,
            entry.key,
            entry.journal,
            entry.date.isoformat(),
            entry.piece,
            entry.label,
            entry.currency,
            line.account,
            line.aux,
            aux_label if line.aux else "",
            line.debit_minor,
            line.credit_minor,
            None if line.fx is None else line.fx.minor,
            "" if line.fx is None else line.fx.currency,
            entry.created_at.isoformat(),
        )
