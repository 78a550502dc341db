"""
Adyen's settlement details reports (CSV), read row by row as movements of the balance.

Columns are found by their names, since merchants add and reorder them. Amounts are decimals in the units that Adyen
counts in, which differ from ISO 4217 for a few currencies; they are read exactly or refused, and never rounded.

Rule 1: net is credit less debit in the net currency. The fee is commission, markup, scheme fees and interchange, all
        in the net currency.
Rule 2: where gross and net are in one currency, ``gross - fee == net`` is checked. Where a payment was converted, its
        gross in the net currency is net and fee together, and what was paid is kept in `original`.
Rule 3: a type of row that is not known is handed on as `unknown`; a sum without it would be wrong.
Rule 4: a report is read in constant memory. Only rows about no payment are counted, to tell equal ones apart.

Types of rows that Adyen documents: Settled, Refunded, Chargeback, Fee, DepositCorrection, MerchantPayout; those that
undo or repeat one of them (ChargebackReversed, SecondChargeback, RefundedReversed) are named after its webhooks. The
time of a row is in the zone of the account, which the report abbreviates; an abbreviation that means several zones,
or is not known, needs `zone`.

Source: docs.adyen.com, "Settlement details report".
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TextIO

from attrs import frozen

from paybylink.currencies import ADYEN
from paybylink.errors import InvalidInput
from paybylink.money import Money, from_wire
from paybylink.providers.base import BalanceItem, BalanceKind

PSP: Final = "Psp Reference"
CREATED: Final = "Creation Date"
ZONE: Final = "TimeZone"
TYPE: Final = "Type"
MODIFICATION: Final = "Modification Reference"
GROSS_CURRENCY: Final = "Gross Currency"
GROSS_DEBIT: Final = "Gross Debit (GC)"
GROSS_CREDIT: Final = "Gross Credit (GC)"
NET_CURRENCY: Final = "Net Currency"
NET_DEBIT: Final = "Net Debit (NC)"
NET_CREDIT: Final = "Net Credit (NC)"
FEES: Final = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
BATCH: Final = "Batch Number"
#: Without these a row cannot be understood; any other column may be there or not.
COLUMNS: Final = (
    PSP, CREATED, ZONE, TYPE, MODIFICATION, GROSS_CURRENCY, GROSS_DEBIT, GROSS_CREDIT, NET_CURRENCY, NET_DEBIT,
    NET_CREDIT, *FEES, BATCH,
)  # fmt: skip

_KINDS: Final[Mapping[str, BalanceKind]] = MappingProxyType(
    {
        "Settled": BalanceKind.PAYMENT,
        "Refunded": BalanceKind.REFUND,
        "RefundedReversed": BalanceKind.REFUND_FAILED,
        "Chargeback": BalanceKind.DISPUTE,
        "SecondChargeback": BalanceKind.DISPUTE,
        "ChargebackReversed": BalanceKind.DISPUTE_REVERSED,
        "Fee": BalanceKind.FEE,
        "DepositCorrection": BalanceKind.ADJUSTMENT,
        "MerchantPayout": BalanceKind.PAYOUT,
    }
)

_OF_REFUNDS: Final = frozenset({BalanceKind.REFUND, BalanceKind.REFUND_FAILED})
_OF_DISPUTES: Final = frozenset({BalanceKind.DISPUTE, BalanceKind.DISPUTE_REVERSED})

#: Hours east of UTC. Abbreviations that mean several zones (CST, IST) are left out.
_HOURS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
        "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
        "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "SGT": 8, "HKT": 8, "JST": 9, "BRT": -3,
    }
)  # fmt: skip

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,12}))?")


def read_settlement(
    report: Iterable[str] | TextIO | bytes, *, provider: str, zone: dt.tzinfo | None = None
) -> Iterator[BalanceItem]:
    """
    The movements in a settlement details report, in its order.

    Args:
        report: an open file (``open(path, newline="", encoding="utf-8-sig")``), its lines, or its bytes.
        provider: the account's name.
        zone: of the report's moments, for an abbreviation that this library does not know; the known ones win.

    Raises:
        InvalidInput: it is no such report, or a row of it cannot be read; the path names line and column.
    """
    lines: Iterable[str] = report  # type: ignore[assignment]  # bytes are replaced in the next line
    if isinstance(report, bytes):
        lines = io.TextIOWrapper(io.BytesIO(report), encoding="utf-8", newline="")
    rows = csv.reader(lines)
    columns: Mapping[str, int] | None = None
    seen: Counter[str] = Counter()
    while True:
        try:
            cells = next(rows, None)
        except csv.Error:
            raise InvalidInput.single(
                f"line {rows.line_num}", "is no CSV", "give the report as it was downloaded"
            ) from None
        except UnicodeDecodeError:
            # Text is decoded in blocks, so the bad byte may lie some lines further on.
            raise InvalidInput.single(
                f"after line {rows.line_num}",
                "has a byte that is no UTF-8",
                "give the report as it was downloaded",
            ) from None
        if cells is None:
            if columns is None:
                raise InvalidInput.single("report", "is empty", "download it again")
            return
        if not cells:
            continue
        if columns is None:
            columns = _columns(cells, line=rows.line_num)
            continue
        yield _Row(cells=cells, columns=columns, line=rows.line_num).item(provider, zone, seen)


def _columns(cells: Sequence[str], *, line: int) -> Mapping[str, int]:
    names = [cell.strip().removeprefix("\ufeff") for cell in cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InvalidInput.single(
            f"line {line}",
            f"has no column {', '.join(missing)}",
            "add it to the settlement details report in the Customer Area; the file is CSV with commas",
        )
    return {name: place for place, name in enumerate(names)}


@frozen
class _Row:
    """One row, which knows where it stands."""

    cells: Sequence[str]
    columns: Mapping[str, int]
    line: int

    def item(self, provider: str, zone: dt.tzinfo | None, seen: Counter[str]) -> BalanceItem:
        word, psp, other, batch = (self.text(name) for name in (TYPE, PSP, MODIFICATION, BATCH))
        currency = self.text(NET_CURRENCY)
        net = self.difference(NET_CREDIT, NET_DEBIT, currency)
        fee = sum((self.amount(name, currency, NET_CURRENCY) for name in FEES), net - net)
        gross, original = self.gross(currency, net, fee)
        kind = _KINDS.get(word, BalanceKind.UNKNOWN)
        vendor_id = f"{batch}:{word}:{psp}:{other}"
        if not psp:
            seen[vendor_id] += 1
            if seen[vendor_id] > 1:
                vendor_id = f"{vendor_id}:{seen[vendor_id]}"
        return BalanceItem(
            provider=provider,
            vendor_id=vendor_id,
            kind=kind,
            vendor_kind=word,
            gross=gross,
            fee=fee,
            net=net,
            at=self.moment(zone),
            payment_vendor_id=psp,
            refund_vendor_id=other if kind in _OF_REFUNDS else "",
            dispute_vendor_id=other if kind in _OF_DISPUTES else "",
            payout_vendor_id=batch,
            original=original,
        )

    def gross(self, currency: str, net: Money, fee: Money) -> tuple[Money, Money | None]:
        """The gross in the net currency, and what was paid where that is another one (rule 2)."""
        debit, credit = self.text(GROSS_DEBIT), self.text(GROSS_CREDIT)
        paid_in = self.text(GROSS_CURRENCY)
        if not debit and not credit:
            return net + fee, None
        told = self.difference(GROSS_CREDIT, GROSS_DEBIT, paid_in)
        if paid_in != currency:
            return net + fee, told
        if told - fee != net:
            raise self.fault(
                NET_CREDIT,
                f"is not what is left of {told} after {fee} of fees ({net})",
                "ask Adyen about the row",
            )
        return told, None

    def difference(self, plus: str, minus: str, currency: str) -> Money:
        column = NET_CURRENCY if plus == NET_CREDIT else GROSS_CURRENCY
        return self.amount(plus, currency, column) - self.amount(minus, currency, column)

    def amount(self, name: str, currency: str, currency_column: str) -> Money:
        """A decimal, exactly, in the units that Adyen counts in; zero where the cell is empty."""
        try:
            exponent = ADYEN.exponent(currency)
        except InvalidInput as error:
            raise self.fault(currency_column, error.faults[0].fault, error.faults[0].remedy) from None
        text = self.text(name)
        if not text:
            return from_wire(0, currency, ADYEN)
        found = _DECIMAL.fullmatch(text)
        if not found:
            raise self.fault(name, "is no decimal number", "give the report as it was downloaded")
        fraction = (found[3] or "").rstrip("0")
        if len(fraction) > exponent:
            raise self.fault(
                name, f"has more than {exponent} decimals", "ask Adyen about the row; nothing is rounded here"
            )
        value = int(found[2] + fraction.ljust(exponent, "0"))
        try:
            return from_wire(-value if found[1] else value, currency, ADYEN)
        except InvalidInput as error:
            raise self.fault(name, error.faults[0].fault, error.faults[0].remedy) from None

    def moment(self, zone: dt.tzinfo | None) -> dt.datetime:
        word = self.text(ZONE)
        if word in _HOURS:
            zone = dt.timezone(dt.timedelta(hours=_HOURS[word]))
        if zone is None:
            raise self.fault(
                ZONE, "is no time zone that is known here", 'pass it as zone, e.g. ZoneInfo("Asia/Kolkata")'
            )
        try:
            local = dt.datetime.strptime(self.text(CREATED), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # the zone follows
            return local.replace(tzinfo=zone).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self.fault(
                CREATED, "is no moment", "give the report as it was downloaded: 2026-01-31 16:15:03"
            ) from None

    def text(self, name: str) -> str:
        place = self.columns[name]
        if place >= len(self.cells):
            raise self.fault(name, "is missing: the row is too short", "give the report as it was downloaded")
        return self.cells[place].strip()

    def fault(self, column: str, fault: str, remedy: str) -> InvalidInput:
        return InvalidInput.single(f"line {self.line}, {column}", fault, remedy)
