"""
A reader of FEC files that shares no code with the writer, and the rules of the tax office's own checker.

The rules are those of DGFiP, Test-Compta-Demat: errors first, then what it calls missing values, then warnings.
Balance and gaps, which it does not check, are checked here as well.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from decimal import Decimal

_MANDATORY = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "ValidDate",
)
_NUMBER = re.compile(r"[+-]?\d+(,\d+)?")
_HEADER = [
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
]


def read(content: bytes, *, encoding: str = "iso8859-15", separator: str = "\t") -> list[dict[str, str]]:
    """Each line of the file as column → text."""
    text = content.decode(encoding)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=csv.QUOTE_NONE)
    header, *lines = list(reader)

    assert header == _HEADER
    assert all(len(line) == 18 for line in lines)
    return [dict(zip(header, line, strict=True)) for line in lines]


def number(text: str) -> Decimal:
    """A number of the file."""
    assert _NUMBER.fullmatch(text), text
    return Decimal(text.replace(",", "."))


def complaints(content: bytes, *, encoding: str = "iso8859-15", separator: str = "\t") -> list[str]:
    """Everything that is wrong with the file; empty for a good one."""
    found: list[str] = []
    text = content.decode(encoding)
    if not text.endswith("\r\n"):
        found.append("the last record does not end")
    lines = text.split("\r\n")[:-1]
    for place, line in enumerate(lines):
        if line.count(separator) != 17:
            found.append(f"line {place}: {line.count(separator) + 1} fields")
        if re.search("[\r\n\u00a0\u202f]", line) or ("|" if separator == "\t" else "\t") in line:
            found.append(f"line {place}: a forbidden character")
    if found:
        return found
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    last: dict[str, int] = {}
    day = ""
    for place, row in enumerate(read(content, encoding=encoding, separator=separator), 1):
        found += [f"line {place}: {name} is empty" for name in _MANDATORY if not row[name].strip()]
        for name in ("EcritureDate", "PieceDate", "ValidDate"):
            if re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", row[name]) is None:
                found.append(f"line {place}: {name} is no date")
        amounts = [name for name in ("Debit", "Credit", "Montantdevise") if row[name]]
        found += [
            f"line {place}: {name} is no number" for name in amounts if not _NUMBER.fullmatch(row[name])
        ]
        if re.match(r"\d{3}", row["CompteNum"]) is None:
            found.append(f"line {place}: the account does not begin with three digits")
        debit, credit = number(row["Debit"]), number(row["Credit"])
        if (debit == 0) == (credit == 0):
            found.append(f"line {place}: debit and credit are both zero or both set")
        if bool(row["Montantdevise"]) != bool(row["Idevise"]):
            found.append(f"line {place}: an amount without currency, or the reverse")
        if bool(row["CompAuxNum"]) != bool(row["CompAuxLib"]):
            found.append(f"line {place}: an auxiliary account without label, or the reverse")
        journal, entry = row["JournalCode"], int(row["EcritureNum"])
        if entry - last.get(journal, 0) not in (0, 1):
            found.append(f"line {place}: a gap in the numbers of {journal}")
        if row["EcritureDate"] < day:
            found.append(f"line {place}: out of order")
        last[journal], day = entry, row["EcritureDate"]
        sums[journal, row["EcritureNum"]] += debit - credit
    return found + [f"entry {entry}: does not balance" for entry, over in sums.items() if over]


def totals(content: bytes, *, encoding: str = "iso8859-15", separator: str = "\t") -> dict[str, Decimal]:
    """account → debits less credits."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in read(content, encoding=encoding, separator=separator):
        sums[row["CompteNum"]] += number(row["Debit"]) - number(row["Credit"])
    return dict(sums)
