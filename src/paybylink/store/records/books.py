"""The ledger: booked, summed, and handed out page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import frozen

from paybylink.accounting.entries import Entry
from paybylink.accounting.ledger import LedgerLine
from paybylink.accounting.reports import Balance
from paybylink.flow import Flow, Step
from paybylink.store.queries import books as sql
from paybylink.store.rows import books as rows
from paybylink.store.rows._columns import micros, moment

from ._scope import Scope


@frozen
class Place:
    """
    Where a page of the ledger ended.

    Attributes:
        date, entry_id, no: of its last line.
    """

    date: str
    entry_id: str
    no: int


@frozen(kw_only=True)
class LedgerPage:
    """
    One page of the ledger.

    Attributes:
        lines: sorted by (date, entry id, place in the entry).
        after: what to give for the next page; None when this was the last one.
    """

    lines: Sequence[LedgerLine]
    after: Place | None


@frozen(kw_only=True)
class ClassSum:
    """
    What one account moved in one month, by what collections are classified by.

    Attributes:
        account, currency, month, provider, kind, method: of which.
        debit_minor, credit_minor: the sums of both sides, in minor units.
    """

    account: str
    currency: str
    month: str
    provider: str
    kind: str
    method: str
    debit_minor: int
    credit_minor: int


@frozen(kw_only=True)
class ExportBatch:
    """
    A file that was made of the ledger.

    Attributes:
        id: our row.
        format: the name of the export, e.g. ``fec``.
        since, until: the days it covers, both included.
        made_at: aware UTC.
        lines: how many lines it holds.
        sha256: of its bytes, hexadecimal.
        name: of the file.
    """

    id: str
    format: str
    since: dt.date
    until: dt.date
    made_at: dt.datetime
    lines: int
    sha256: str
    name: str


class BookRecords(Scope):
    """What a `Store` knows of the books. Reads are flows, writes are steps."""

    __slots__ = ()

    def book(self, entry: Entry) -> tuple[Step, ...]:
        """The entry and its lines; a `Conflict` if its key was booked already."""
        return (
            self._step(sql.INSERT_ENTRY, 1, **rows.entry_row(entry, tenant=self.tenant)),
            *(
                self._step(sql.INSERT_LINE, 1, **rows.line_row(entry, no, line, tenant=self.tenant))
                for no, line in enumerate(entry.lines)
            ),
        )

    def entry_of_key(self, key: str) -> Flow[Entry | None]:
        """The entry of a business event; None if it was not booked."""
        found = yield from self._read(sql.ENTRY_OF_KEY, key=key)
        return rows.entry_from_rows(found) if found else None

    def entries_page(
        self, since: dt.date, until: dt.date, after: Place | None = None, limit: int = 5000
    ) -> Flow[LedgerPage]:
        """
        One page of the ledger, with customers' names where they were not erased.

        Args:
            since, until: booking days, both included.
            after: where the page before ended.
            limit: how many lines at most.
        """
        place = Place(since.isoformat(), "", -1) if after is None else after
        found = yield from self._read(
            sql.ENTRIES_PAGE,
            until=until.isoformat(),
            after_date=place.date,
            after_id=place.entry_id,
            after_no=place.no,
            limit=limit,
        )
        more = len(found) >= limit
        return LedgerPage(
            lines=[rows.ledger_line_from_row(row) for row in found],
            after=Place(found[-1]["date"], found[-1]["entry_id"], found[-1]["no"]) if more else None,
        )

    def balance(self, account: str | None = None) -> Flow[Sequence[Balance]]:
        """The sums of both sides, per account and currency, sorted; of one account if one is named."""
        if account is None:
            found = yield from self._read(sql.BALANCES)
        else:
            found = yield from self._read(sql.BALANCE_OF_ACCOUNT, account=account)
        return tuple(Balance(**row) for row in found)

    def sums(self, account: str, since: dt.date, until: dt.date) -> Flow[Sequence[ClassSum]]:
        """What `account` moved in the months from `since` to `until`, both included, by class."""
        found = yield from self._read(
            sql.SUMS,
            account=account,
            since_month=since.isoformat()[:7],
            until_month=until.isoformat()[:7],
        )
        return tuple(ClassSum(**row) for row in found)

    def exported(self, batch: ExportBatch) -> Step:
        """A file that was made."""
        return self._step(
            sql.INSERT_EXPORT,
            1,
            id=batch.id,
            format=batch.format,
            since=batch.since.isoformat(),
            until=batch.until.isoformat(),
            made_at=micros(batch.made_at),
            lines=batch.lines,
            sha256=batch.sha256,
            name=batch.name,
        )

    def exports(self, limit: int = 200) -> Flow[Sequence[ExportBatch]]:
        """The files that were made, the newest first."""
        found = yield from self._read(sql.EXPORTS, limit=limit)
        return tuple(
            ExportBatch(
                id=row["id"],
                format=row["format"],
                since=dt.date.fromisoformat(row["since"]),
                until=dt.date.fromisoformat(row["until"]),
                made_at=moment(row["made_at"]),
                lines=row["lines"],
                sha256=row["sha256"],
                name=row["name"],
            )
            for row in found
        )
