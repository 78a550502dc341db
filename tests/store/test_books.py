"""The ledger: only ever added to, summed exactly, and paged without gap or repetition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from sqlalchemy.exc import DBAPIError

from paybylink.accounting.ledger import LedgerLine, ledger_lines
from paybylink.drivers.doors import Doors
from paybylink.drivers.run import run
from paybylink.flow import write
from paybylink.store import Balance, ClassSum, Store, SyncVault

from .store_given import content_of, entry, link
from .store_places import Place

Do: TypeAlias = Callable[[Any], Any]
STORE = Store()
YEAR = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE paybylink_entries SET label = 'other'",
        "DELETE FROM paybylink_entries",
        "UPDATE paybylink_lines SET debit_minor = 1 WHERE debit_minor > 0",
        "DELETE FROM paybylink_lines",
        pytest.param("TRUNCATE paybylink_lines", id="truncate-lines"),
        pytest.param("TRUNCATE paybylink_entries, paybylink_lines", id="truncate-both"),
    ],
)
def test_books_refuse_to_be_changed_by_any_hand(place: Place, attack: str) -> None:
    """The database itself aborts a change or a deletion, whoever asks, and says what to do instead."""
    vault = SyncVault(place.url)
    _ = run(write(*STORE.book(entry())), Doors(vault=vault))

    with place.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        _ = connection.exec_driver_sql(attack)
    if place.database == "postgresql" or not attack.startswith("TRUNCATE"):
        assert "book a reversing entry" in str(caught.value)

    assert run(STORE.entry_of_key(entry().key), Doors(vault=vault)) == entry()
    vault.close()


@pytest.mark.parametrize(
    ("debit", "credit"),
    [(0, 0), (5, 5), (-5, 0), (0, -5)],
    ids=["none", "both", "minus-debit", "minus-credit"],
)
def test_line_has_exactly_one_side(place: Place, debit: int, credit: int) -> None:
    """A line that our values could not hold is refused by the table as well."""
    line = f"('', 'E', 0, '411', '', 'EUR', {debit}, {credit}, NULL, NULL, '2026-11', '', '', '')"
    with place.engine.connect() as connection:
        _ = connection.exec_driver_sql(
            "INSERT INTO paybylink_entries VALUES "
            "('', 'E', 'k', 'PL', '2026-11-23', 'p', 'l', 'EUR', 1, NULL, NULL)"
        )
        with pytest.raises(DBAPIError, match="ck_paybylink_lines_side"):
            _ = connection.exec_driver_sql(f"INSERT INTO paybylink_lines VALUES {line}")


def test_line_needs_its_entry(place: Place) -> None:
    """On our own connections no line is booked without an entry."""
    vault = SyncVault(place.url)
    _, *lines = STORE.book(entry())

    with pytest.raises(Exception, match="rules"):
        _ = run(write(*lines), Doors(vault=vault))
    vault.close()


def test_pages_of_the_ledger_join_to_the_whole(do: Do) -> None:
    """Sorted by day, entry and place; page sizes that cut entries in half change nothing."""
    days = [dt.date(2026, 11, 23), dt.date(2026, 1, 1), dt.date(2026, 12, 31), dt.date(2026, 11, 23)]
    booked = [entry(f"EN{number}", day=day) for number, day in enumerate(days)]
    outside = [entry("OLD", day=dt.date(2025, 12, 31)), entry("NEW", day=dt.date(2027, 1, 1))]
    named = link(order=None or link().order)
    _ = do(write(*STORE.insert_link(named, content_of(named))))
    for each in (*booked, *outside):
        _ = do(write(*STORE.book(each)))
    expected = [
        line
        for each in sorted(booked, key=lambda given: (given.date, given.id))
        for line in ledger_lines(each, aux_label="Zoé Martin")
    ]

    for size in (1, 2, 3, 5, 8, 100):
        lines: list[LedgerLine] = []
        place = None
        for _ in range(20):
            page = do(STORE.entries_page(*YEAR, after=place, limit=size))
            lines.extend(page.lines)
            place = page.after
            if place is None:
                break
        assert lines == expected


def test_balances_are_exact_sums_per_account_and_currency(do: Do) -> None:
    """Integers of minor units, also where they are large; one account may be named."""
    for number in range(3):
        _ = do(write(*STORE.book(entry(f"EN{number}", amount=10**15 + number))))
    total = 3 * 10**15 + 3

    assert do(STORE.balance()) == (
        Balance(account="411", currency="EUR", debit_minor=0, credit_minor=total),
        Balance(account="51151", currency="EUR", debit_minor=total, credit_minor=0),
    )
    assert do(STORE.balance("411")) == (
        Balance(account="411", currency="EUR", debit_minor=0, credit_minor=total),
    )
    assert type(do(STORE.balance("411"))[0].credit_minor) is int


def test_sums_by_class_cover_the_months_asked_for(do: Do) -> None:
    """Collected sums by month, provider, kind and method, straight from the lines."""
    for month in (9, 10, 11):
        _ = do(write(*STORE.book(entry(f"EN{month}", day=dt.date(2026, month, 5), amount=month))))

    sums = do(STORE.sums("51151", dt.date(2026, 10, 31), dt.date(2026, 11, 1)))

    assert sums == tuple(
        ClassSum(
            account="51151",
            currency="EUR",
            month=f"2026-{month}",
            provider="stripe",
            kind="single_use",
            method="",
            debit_minor=month,
            credit_minor=0,
        )
        for month in (10, 11)
    )
