"""The trial balance: sums of lines, per account and currency."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paybylink.accounting.reports import Balance, is_balanced, postings, trial_balance

from .shop_month import booked, claim, invoice, payment, rows


def test_the_trial_balance_sums_each_account_and_currency() -> None:
    """Two payments in euro and one in dollars: no currency is added to another."""
    to = claim(invoice("F1", "1.00"))
    entries = [booked(payment("1.00"), to), booked(payment("2.00"), to), booked(payment("5.00", "USD"), to)]
    balances = trial_balance(postings(rows(entries)))

    assert balances == (
        Balance("411", "EUR", 0, 300),
        Balance("51151", "EUR", 300, 0),
        Balance("411", "USD", 0, 500),
        Balance("51151", "USD", 500, 0),
    )
    assert [balance.minor for balance in balances] == [-300, 300, -500, 500]
    assert is_balanced(balances)


def test_a_missing_cent_is_seen() -> None:
    """Debits and credits are compared per currency: a cent of one does not hide in another."""
    assert not is_balanced([Balance("411", "EUR", 0, 299), Balance("51151", "EUR", 300, 0)])
    assert not is_balanced([Balance("411", "EUR", 0, 300), Balance("51151", "USD", 300, 0)])


def test_nothing_is_balanced() -> None:
    """An empty ledger has no accounts, and balances."""
    assert trial_balance(()) == ()
    assert is_balanced(())


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["411", "471", "51151"]),
        st.sampled_from(["EUR", "USD"]),
        st.integers(0, 10**12),
        st.integers(0, 10**12),
    )
)


@given(ROWS, st.integers(0, 20))
def test_sums_of_groups_are_the_sums_of_lines(lines: list[tuple[str, str, int, int]], cut: int) -> None:
    """A database may sum up any part of the lines before; the balance is the same."""
    grouped = [
        (balance.account, balance.currency, balance.debit_minor, balance.credit_minor)
        for balance in trial_balance(lines[:cut])
    ]

    assert trial_balance([*grouped, *lines[cut:]]) == trial_balance(lines)
