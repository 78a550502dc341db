"""
What an export is: rows of the ledger in, bytes of a file out.

An export is pure. The same rows and the same options give the same bytes, so a file can be made again on demand.
It walks the rows once and keeps no more than one page of them, however many there are. It never drops a row in
silence: what its format cannot carry is counted and listed in the `Tally`.

The bytes are good only once the last of them came: whoever writes them to a file writes beside it and renames
when the iterator has ended, because a ledger that does not balance is found on the way and raises.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Protocol

from attrs import define, field, frozen

from paybylink.accounting.ledger import LedgerLine
from paybylink.errors import InvalidInput

#: How many keys of left-out entries are listed per currency; beyond, they are counted.
KEYS_LISTED = 1000


@frozen
class Period:
    """
    The booking days that a file covers.

    Attributes:
        first, last: both included.

    Raises:
        InvalidInput: `last` lies before `first`.
    """

    first: dt.date
    last: dt.date

    def __attrs_post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidInput.single("period.last", "lies before period.first", "exchange the two days")

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        """The whole of one month."""
        following = dt.date(year + month // 12, month % 12 + 1, 1)
        return cls(dt.date(year, month, 1), following - dt.timedelta(days=1))

    def __str__(self) -> str:
        """``2026`` for a whole year, ``2026-11`` for a whole month, else ``20261101-20261115``."""
        if self == Period(dt.date(self.first.year, 1, 1), dt.date(self.first.year, 12, 31)):
            return f"{self.first.year:04d}"
        if self == Period.month(self.first.year, self.first.month):
            return self.first.isoformat()[:7]
        return "-".join(day.isoformat().replace("-", "") for day in (self.first, self.last))


@define
class LeftOut:
    """
    Entries of one currency that a file could not carry.

    Attributes:
        entries: how many.
        debit_minor: the sum of their debits, in minor units of that currency.
        keys: of the first thousand of them.
    """

    entries: int = 0
    debit_minor: int = 0
    keys: list[str] = field(factory=list)


@define
class Tally:
    """
    What went into a file, filled while it is written.

    Attributes:
        entries, lines: how many are in the file.
        debit_minor, credit_minor: their sums, in minor units of the book currency; equal at the end.
        last_numbers: journal → the last number given; the next file begins after it.
        left_out: currency → entries that are not in the file.
    """

    entries: int = 0
    lines: int = 0
    debit_minor: int = 0
    credit_minor: int = 0
    last_numbers: dict[str, int] = field(factory=dict)
    left_out: dict[str, LeftOut] = field(factory=dict)

    def leave_out(self, key: str, currency: str, debit_minor: int) -> None:
        """Count one entry that the file cannot carry."""
        left = self.left_out.setdefault(currency, LeftOut())
        left.entries += 1
        left.debit_minor += debit_minor
        if len(left.keys) < KEYS_LISTED:
            left.keys.append(key)


@frozen
class FileName:
    """
    What a file should be called.

    Attributes:
        name: without a folder.
        warnings: what its reader must know; to be shown to whoever asked for the file.
    """

    name: str
    warnings: tuple[str, ...] = ()


class Export(Protocol):
    """A format that the ledger can be written in; found by name through the entry points `paybylink.exports`."""

    @property
    def name(self) -> str:
        """What it is asked for by, e.g. ``fec``."""
        ...

    def file_name(self, period: Period) -> FileName:
        """The name of the file for `period`, with warnings."""
        ...

    def write(self, lines: Iterable[LedgerLine], *, period: Period, tally: Tally) -> Iterator[bytes]:
        """
        The bytes of the file, piece by piece.

        Args:
            lines: sorted by (date, entry id, place in the entry), all within `period`.
            period: what the file covers.
            tally: is filled on the way and is complete when the iterator has ended.

        Raises:
            IntegrityBreach: an entry does not balance, or the lines are out of order or out of the period.
        """
        ...
