"""
Reports: sums over the lines of the ledger, so that a list, its total and the ledger cannot disagree.

They take the four columns that matter as tuples, be it one per line or one per group that a database summed up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from .ledger import LedgerLine


@frozen
class Balance:
    """
    One account in one currency.

    Attributes:
        account, currency: which.
        debit_minor, credit_minor: sums, in minor units.
    """

    account: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def minor(self) -> int:
        """Debits less credits: more than zero on the debit side."""
        return self.debit_minor - self.credit_minor


def postings(lines: Iterable[LedgerLine]) -> Iterator[tuple[str, str, int, int]]:
    """(account, currency, debit, credit) of each line, as `trial_balance` takes them."""
    for line in lines:
        yield line.account, line.currency, line.debit_minor, line.credit_minor


def trial_balance(rows: Iterable[tuple[str, str, int, int]]) -> tuple[Balance, ...]:
    """
    The sums of each account and currency, sorted by currency, then account.

    Args:
        rows: (account, currency, debit, credit) in minor units: lines, or sums of lines.
    """
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for account, currency, debit, credit in rows:
        before = sums.get((currency, account), (0, 0))
        sums[currency, account] = (before[0] + debit, before[1] + credit)
    return tuple(
        Balance(account, currency, debit, credit)
        for (currency, account), (debit, credit) in sorted(sums.items())
    )


def is_balanced(balances: Iterable[Balance]) -> bool:
    """Whether debits equal credits in every currency."""
    sums: dict[str, int] = {}
    for balance in balances:
        sums[balance.currency] = sums.get(balance.currency, 0) + balance.minor
    return not any(sums.values())
