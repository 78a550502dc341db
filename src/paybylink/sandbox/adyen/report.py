"""
The settlement details report: a batch as a CSV file, one row for each movement.

Amounts are decimals, a debit and a credit column each; gross in the payment's currency, net in the payout's (the same
here). Gross credit less gross debit less the four fee columns is net credit less net debit, in every row of a
payment; rows of the whole batch (`Fee`, `MerchantPayout`) have net columns only. The net columns of a batch add up
to nothing.
Source: docs.adyen.com, "Settlement details report", and its sample.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from paybylink.sandbox.adyen.amounts import plain
from paybylink.sandbox.engine import Document

COLUMNS: tuple[str, ...] = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
    "Payment Method Variant",
    "Modification Merchant Reference",
    "Batch Number",
    "Reserved4",
    "Reserved5",
    "Reserved6",
    "Reserved7",
    "Reserved8",
    "Reserved9",
    "Reserved10",
)


def written(rows: Iterable[Document], *, number: int) -> bytes:
    """The file: UTF-8, commas, quoted where it must be."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(_row(row, number))
    return text.getvalue().encode()


def _row(row: Document, number: int) -> dict[str, str]:
    currency, of_payment = row["currency"], bool(row["payment"])

    def debit(value: int) -> str:
        return plain(-value, currency) if value < 0 else ""

    def credit(value: int) -> str:
        return plain(value, currency) if value > 0 else ""

    def fee(value: int) -> str:
        return plain(value, currency) if value else ""

    return {
        "Company Account": "SandboxCompany",
        "Merchant Account": row["account"],
        "Psp Reference": row["payment"],
        "Merchant Reference": row["reference"],
        "Payment Method": row["variant"],
        "Creation Date": datetime.fromisoformat(row["at"]).strftime("%Y-%m-%d %H:%M:%S"),
        "TimeZone": "UTC",
        "Type": row["type"],
        "Modification Reference": row["change"],
        "Gross Currency": currency if of_payment else "",
        "Gross Debit (GC)": debit(row["gross"]) if of_payment else "",
        "Gross Credit (GC)": credit(row["gross"]) if of_payment else "",
        "Exchange Rate": "1" if of_payment else "",
        "Net Currency": currency,
        "Net Debit (NC)": debit(row["net"]),
        "Net Credit (NC)": credit(row["net"]),
        "Commission (NC)": fee(row["commission"]),
        "Markup (NC)": fee(row["markup"]),
        "Scheme Fees (NC)": fee(row["scheme"]),
        "Interchange (NC)": fee(row["interchange"]),
        "Payment Method Variant": row["variant"],
        "Modification Merchant Reference": row["change_reference"],
        "Batch Number": str(number),
    }
