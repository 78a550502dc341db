"""
Writing an export to a file: beside its place first, and moved there once it is whole.

A ledger that does not balance is found on the way; then no file appears.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from paybylink.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from paybylink.accounting.accounts import Accounts
    from paybylink.accounting.exports.base import Export, Period, Tally
    from paybylink.accounting.ledger import LedgerLine


@frozen(kw_only=True)
class Exported:
    """
    A file that was written.

    Attributes:
        path: where it is.
        tally: what is in it, and what could not be.
        warnings: what its reader must know.
    """

    path: Path
    tally: Tally
    warnings: tuple[str, ...]


def find_export(given: str | Export, accounts: Accounts) -> Export:
    """
    The export called `given` with the merchant's accounts, or the one that was given ready-made.

    Raises:
        NotFound: no installed package brings an export of that name.
    """
    if not isinstance(given, str):
        return given
    formats = entry_points(group="paybylink.exports")
    if given not in formats.names:
        raise NotFound(f"no export has that name; known: {', '.join(sorted(formats.names))}")
    made: Export = formats[given].load()(accounts=accounts)
    return made


def period_of(since: dt.date, until: dt.date) -> Period:
    """The days from `since` to `until`, both included."""
    from paybylink.accounting.exports.base import Period

    for name, day in (("since", since), ("until", until)):
        if isinstance(day, dt.datetime):
            raise InvalidInput.single(name, "is a moment", "give a day, e.g. date(2026, 1, 1)")
    return Period(since, until)


def write_export(export: Export, lines: Iterable[LedgerLine], *, period: Period, to: str | Path) -> Exported:
    """
    The file, written to `to`, or into it under its own name if it is a folder.

    A path without an ending, such as ``books``, is a folder and made where it is missing.

    Raises:
        IntegrityBreach: the ledger does not balance; nothing was written.
    """
    from paybylink.accounting.exports.base import Tally

    named = export.file_name(period)
    place = Path(to)
    if place.is_dir() or not place.suffix:
        place.mkdir(parents=True, exist_ok=True)
        place /= named.name
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    tally = Tally()
    try:
        with beside.open("wb") as file:
            for piece in export.write(lines, period=period, tally=tally):
                _ = file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    warnings = list(named.warnings)
    for currency, left in tally.left_out.items():
        warnings.append(
            f"not in the file, for want of a rate for {currency}: {left.entries} of the entries, see `left_out`"
        )
    return Exported(path=place, tally=tally, warnings=tuple(warnings))
