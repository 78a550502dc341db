"""
The FEC (fichier des écritures comptables): 18 columns that French accounting software and accountants read.

The form is that of LPF art. A47 A-1 (doctrine: BOFiP BOI-CF-IOR-60-40-20): column names in the first line, tab or
pipe between fields, decimal comma, dates as YYYYMMDD, entries in the order of validation, numbered without gaps
within each journal.

Rule 1: the file is a partial extract to be imported, and is named so. It carries the legal name of a FEC only when
        a SIREN is given, and then with a warning.
Rule 2: Debit and Credit are in the currency of the books. An entry in another currency needs a rate of the
        merchant's; then the foreign amount stands in Montantdevise and Idevise, each line is rounded half up, and
        what rounding leaves is a line of its own. Without a rate the entry is left out and listed in the tally.
Rule 3: the day of validation is one for the whole file (the last day of the period unless told), since an entry is
        validated, and numbered, by being exported; so the order of booking days is the order of validation.
Rule 4: no value can break a column: see `plain` and `latin9`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from attrs import field, frozen

from paybylink.accounting.accounts import PCG, Accounts
from paybylink.accounting.characters import LATIN9, latin9
from paybylink.accounting.entries import plain
from paybylink.accounting.ledger import LedgerLine
from paybylink.currencies import iso_exponent, known_code
from paybylink.errors import Faults, IntegrityBreach

from .base import FileName, Period, Tally

#: The columns, in the order of LPF art. A47 A-1.
COLUMNS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)
_PAGE_LINES = 2000
_LEGAL_NAME = (
    "the file has the name of a legal FEC but holds the entries of payment links only: "
    "hand it to the accountant as an import, never to the tax office as the company's FEC"
)
_FREE_CHART = (
    "the accounts do not begin with three digits of the PCG: French software will refuse them; "
    'choose accounts with chart="pcg"'
)


def _rates(given: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return dict(given)


def _numbers(given: Mapping[str, int]) -> dict[str, int]:
    return dict(given)


@frozen(kw_only=True)
class FecExport:
    """
    The FEC of a period, as an import file.

    Attributes:
        accounts: gives labels, the book currency and the accounts for rounding.
        separator: a tab, or ``|``.
        encoding: ``iso8859-15``, or ``utf-8`` for names beyond Western Europe.
        rates: foreign currency → what one unit of it is worth in the books, e.g. ``{"USD": Decimal("0.91")}``.
        valid_on: the day of validation; the last day of the period if None.
        first_numbers: journal → the number of its first entry; 1 where not given.
        siren: nine digits, to give the file the legal name ``<SIREN>FEC<last day>.txt``; empty for an import's name.

    Raises:
        InvalidInput: an option cannot be used; all faults at once.
    """

    accounts: Accounts = PCG
    separator: str = "\t"
    encoding: str = LATIN9
    rates: Mapping[str, Decimal] = field(factory=dict, converter=_rates)
    valid_on: dt.date | None = None
    first_numbers: Mapping[str, int] = field(factory=dict, converter=_numbers)
    siren: str = ""
    name: str = field(default="fec", init=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        if self.separator not in ("\t", "|"):
            faults.add("separator", "is neither a tab nor a pipe", 'use "\\t" or "|", as the law asks')
        if self.encoding not in (LATIN9, "utf-8"):
            faults.add("encoding", "is not known", f'use "{LATIN9}" or "utf-8"')
        for currency, rate in self.rates.items():
            with faults.at(f"rates[{currency!r}]"):
                _ = known_code(currency)
            if not isinstance(rate, Decimal) or not rate.is_finite() or not 0 < rate < 10**9:
                faults.add(f"rates[{currency!r}]", "is no rate", 'write it like Decimal("0.91")')
        for journal, number in self.first_numbers.items():
            if type(number) is not int or number < 1:
                faults.add(f"first_numbers[{journal!r}]", "is no number", "count from 1")
        if self.siren and re.fullmatch("[0-9]{9}", self.siren) is None:
            faults.add("siren", "is no SIREN", "write its nine digits without spaces")
        faults.raise_any()

    def file_name(self, period: Period) -> FileName:
        """``paybylink-<journal>-<period>-import.txt``, or the legal name with a warning."""
        warnings = () if self.accounts.chart == "pcg" else (_FREE_CHART,)
        if self.siren:
            last = period.last.isoformat().replace("-", "")
            return FileName(f"{self.siren}FEC{last}.txt", (*warnings, _LEGAL_NAME))
        return FileName(f"paybylink-{self.accounts.journal}-{period}-import.txt", warnings)

    def write(self, lines: Iterable[LedgerLine], *, period: Period, tally: Tally) -> Iterator[bytes]:
        """
        The bytes of the file, page by page; lines end in CR LF.

        Args:
            lines: sorted by (date, entry id, place in the entry), all within `period`.
            period: what the file covers.
            tally: is filled on the way; `Tally.left_out` lists what had no rate.

        Raises:
            IntegrityBreach: an entry does not balance, or the lines are out of order or out of the period.
        """
        encoded = latin9 if self.encoding == LATIN9 else str.encode
        for text in _Writer(self, period, tally).texts(lines):
            yield encoded(text)


class _Writer:
    """One pass over the lines: what does not change from line to line is made once and kept."""

    def __init__(self, export: FecExport, period: Period, tally: Tally) -> None:
        self.export, self.accounts, self.tally = export, export.accounts, tally
        self.separator = export.separator
        self.book = export.accounts.currency
        self.exponent = iso_exponent(self.book)
        self.valid_on = (export.valid_on or period.last).isoformat().replace("-", "")
        self.first, self.last = period.first.isoformat(), period.last.isoformat()
        self.day = ""
        self.account_columns: dict[str, str] = {}
        self.journal_columns: dict[str, str] = {}

    def texts(self, lines: Iterable[LedgerLine]) -> Iterator[str]:
        """The text of the file, a page at a time."""
        out = [self.separator.join(COLUMNS) + "\r\n"]
        entry: list[LedgerLine] = []
        entry_id = ""
        for line in lines:
            if line[0] != entry_id:
                if entry:
                    self.add(entry, out)
                    if len(out) >= _PAGE_LINES:
                        yield "".join(out)
                        out.clear()
                entry_id = line[0]
                entry = []
            entry.append(line)
        if entry:
            self.add(entry, out)
        yield "".join(out)

    def add(self, entry: list[LedgerLine], out: list[str]) -> None:
        """Append the text lines of one entry to `out`."""
        _, key, journal, date, piece, label, currency, *_ = entry[0]
        self.check(entry, key, date, currency)
        if currency != self.book:
            converted = self.converted(entry, currency)
            if converted is None:
                self.tally.leave_out(key, currency, sum(line[10] for line in entry))
                return
            entry = converted
        separator, tally, account_columns = self.separator, self.tally, self.account_columns
        number = tally.last_numbers.get(journal) or self.export.first_numbers.get(journal, 1) - 1
        tally.last_numbers[journal] = number = number + 1
        day = date.replace("-", "")
        if journal not in self.journal_columns:
            self.journal_columns[journal] = (
                f"{plain(journal)}{separator}{plain(self.accounts.journal_label(journal))}"
            )
        head = f"{self.journal_columns[journal]}{separator}{number}{separator}{day}{separator}"
        middle = f"{plain(piece).strip() or '-'}{separator}{day}{separator}{plain(label).strip() or '-'}{separator}"
        tail = f"{separator}{separator}{separator}{self.valid_on}{separator}"
        for _, _, _, _, _, _, _, account, aux, aux_label, debit, credit, fx_minor, fx_currency, _ in entry:
            columns = account_columns.get(account)
            if columns is None:
                columns = f"{plain(account)}{separator}{plain(self.accounts.label_of(account))}{separator}"
                account_columns[account] = columns
            if aux:
                aux = plain(aux)
                columns += f"{aux}{separator}{plain(aux_label).strip() or aux}{separator}"
            else:
                columns += separator + separator
            foreign = separator
            if fx_minor is not None:
                foreign = f"{_decimal(fx_minor, iso_exponent(fx_currency))}{separator}{fx_currency}"
            out.append(
                f"{head}{columns}{middle}{_decimal(debit, self.exponent)}{separator}"
                f"{_decimal(credit, self.exponent)}{tail}{foreign}\r\n"
            )
            tally.debit_minor += debit
            tally.credit_minor += credit
        tally.lines += len(entry)
        tally.entries += 1

    def check(self, entry: list[LedgerLine], key: str, date: str, currency: str) -> None:
        """
        Believe the ledger only as far as it adds up.

        The official checker does not test balance (DGFiP, Test-Compta-Demat), so it is tested here.
        """
        debit = credit = 0
        for line in entry:
            debit += line[10]
            credit += line[11]
        if debit != credit:
            raise IntegrityBreach(
                "the ledger",
                {f"entry {key}": f"debits are {debit} and credits {credit} minor units of {currency}"},
            )
        if date < self.day or not self.first <= date <= self.last:
            raise IntegrityBreach(
                "the ledger", {f"entry {key}": f"its day {date} is out of order or out of the period"}
            )
        self.day = date

    def converted(self, entry: list[LedgerLine], currency: str) -> list[LedgerLine] | None:
        """The entry in the book currency, with a line for what rounding leaves; None if there is no honest one."""
        rate = self.export.rates.get(currency)
        if rate is None:
            return None
        units, per = (rate.scaleb(self.exponent - iso_exponent(currency))).as_integer_ratio()
        lines: list[LedgerLine] = []
        over = 0
        for line in entry:
            debit, credit = _share(line.debit_minor, units, per), _share(line.credit_minor, units, per)
            if debit == credit:
                return None  # less than the smallest unit: a line of nothing on both sides
            over += debit - credit
            lines.append(
                line._replace(
                    debit_minor=debit,
                    credit_minor=credit,
                    fx_minor=line.debit_minor or line.credit_minor,
                    fx_currency=currency,
                )
            )
        if over:
            lines.append(
                lines[-1]._replace(
                    account=self.accounts.rounding_gain if over > 0 else self.accounts.rounding_loss,
                    aux="",
                    aux_label="",
                    debit_minor=max(-over, 0),
                    credit_minor=max(over, 0),
                    fx_minor=None,
                    fx_currency="",
                )
            )
        return lines


def _share(minor: int, units: int, per: int) -> int:
    """minor × units / per, rounded half up; exact, whatever the number of digits."""
    return (2 * minor * units + per) // (2 * per)


def _decimal(minor: int, exponent: int) -> str:
    """Digits with a decimal comma and no thousands mark."""
    digits = str(minor)
    if exponent == 0:
        return digits
    if len(digits) <= exponent:
        digits = digits.zfill(exponent + 1)
    return f"{digits[:-exponent]},{digits[-exponent:]}"
