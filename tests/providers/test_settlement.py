"""Promises about settlements: an item adds up in one currency, or is not made."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.errors import InvalidInput
from paybylink.money import Money
from paybylink.providers.settlement import BalanceItem, BalanceKind, BalancePage

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
AMOUNTS = st.integers(-(10**12), 10**12)


def item(gross: Money, fee: Money, net: Money, **content: Any) -> BalanceItem:
    """A payment that moved the balance, unless told otherwise."""
    return BalanceItem(
        **{
            "provider": "atelier",
            "vendor_id": "bal_1",
            "kind": BalanceKind.PAYMENT,
            "gross": gross,
            "fee": fee,
            "net": net,
            "at": NOW,
            **content,
        }
    )


def euro(minor: int) -> Money:
    """So many cents, also below zero."""
    return Money.read(minor, "EUR")


@given(AMOUNTS, AMOUNTS, st.sampled_from(BalanceKind))
def test_an_item_that_adds_up_is_made(gross: int, fee: int, kind: BalanceKind) -> None:
    """Gross less fee is net, for any signs and any kind, also one that we do not know."""
    made = item(euro(gross), euro(fee), euro(gross - fee), kind=kind)

    assert made.gross - made.fee == made.net


@given(AMOUNTS, AMOUNTS, AMOUNTS.filter(bool))
def test_an_item_that_does_not_add_up_is_refused(gross: int, fee: int, astray: int) -> None:
    """A cent too much or too little is named with the three sums."""
    with pytest.raises(InvalidInput, match=r"net: is .*, but .* less .* is not") as caught:
        _ = item(euro(gross), euro(fee), euro(gross - fee + astray))
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("place", ["gross", "fee", "net"])
def test_an_item_of_two_currencies_is_refused(place: str) -> None:
    """A fee in another currency is not taken off as if it were the same money."""
    amounts = {"gross": euro(0), "fee": euro(0), "net": euro(0), place: Money.read(0, "USD")}
    with pytest.raises(InvalidInput, match="net: mixes EUR, USD"):
        _ = item(**amounts)


def test_what_was_paid_may_be_of_another_currency() -> None:
    """The order's own currency stands beside the balance's and takes no part in the sum."""
    made = item(euro(4500), euro(100), euro(4400), original=Money(4990, "USD"))

    assert made.original == Money(4990, "USD")


def test_the_last_page_says_so_by_saying_nothing() -> None:
    """No further page unless one is named."""
    assert BalancePage(items=[]).after == ""
