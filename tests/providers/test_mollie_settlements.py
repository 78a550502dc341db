"""What moved a Mollie balance: fees, what is held back, payouts, and words that we do not know."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput, UnsupportedCapability
from paybylink.money import Money
from paybylink.providers.base import BalanceItem, BalanceKind

from .mollie_given import NOW, PAYMENT, account, drive, organisation, query, recorded

UNTIL = NOW + dt.timedelta(days=365)
EUROS = "bal_PbLEuros"


def page(*replies: Any, after: str = EUROS, since: dt.datetime = NOW, until: dt.datetime = UNTIL) -> Any:
    """One page, and what was asked."""
    return drive(organisation().settlements(since=since, until=until, after=after), *replies)


def items() -> dict[str, BalanceItem]:
    found, _ = page(recorded("balance_transactions"), recorded("balances"))
    return {item.vendor_id: item for item in found.items}


def told(item: BalanceItem) -> tuple[str, str, str]:
    return item.gross.amount_text, item.fee.amount_text, item.net.amount_text


def test_an_api_key_is_shown_no_balances() -> None:
    """Refused before anything is sent, with the remedy."""
    with pytest.raises(UnsupportedCapability) as caught:
        _ = next(account().settlements(since=NOW, until=UNTIL))

    assert "access_" in caught.value.reason


def test_every_movement_is_an_item_with_its_fee() -> None:
    """Signs are those of the balance; a fee that is kept is above zero."""
    found = items()

    assert told(found["baltr_PbL3"]) == ("-10.00", "0.25", "-10.25")
    assert told(found["baltr_PbL4"]) == ("-39.90", "15.00", "-54.90")
    assert told(found["baltr_PbL5"]) == ("39.90", "0.00", "39.90")
    assert told(found["baltr_PbL7"]) == ("-37.36", "0.00", "-37.36")
    assert [found[f"baltr_PbL{number}"].kind for number in (2, 3, 4, 5, 6, 7)] == [
        BalanceKind.PAYMENT,
        BalanceKind.REFUND,
        BalanceKind.DISPUTE,
        BalanceKind.DISPUTE_REVERSED,
        BalanceKind.UNKNOWN,
        BalanceKind.PAYOUT,
    ]


def test_a_reserve_is_no_fee() -> None:
    """5.00 of 49.90 are held back: they are an item of their own, and the sum is still the balance's."""
    found = items()

    payment, held = found["baltr_PbL2"], found["baltr_PbL2-reservations"]
    assert told(payment) == ("49.90", "1.30", "48.60")
    assert (told(held), held.kind) == (("-5.00", "0.00", "-5.00"), BalanceKind.RESERVE)
    assert payment.net + held.net == Money.of("43.60", "EUR")
    assert held.payment_vendor_id == PAYMENT


def test_the_items_add_up_to_what_the_movements_did() -> None:
    """Also with a word that we do not know, which is handed on verbatim."""
    entries = recorded("balance_transactions")["_embedded"]["balance_transactions"]
    moved = sum(Decimal(entry["resultAmount"]["value"]) for entry in entries if entry["id"] != "baltr_PbL1")

    found = items()

    assert sum(item.net.decimal for item in found.values()) == moved
    assert found["baltr_PbL6"].vendor_kind == "some-type-of-tomorrow"


def test_an_item_says_what_it_is_about() -> None:
    """Mollie describes the ids below the movement's type, and shows them flat."""
    found = items()

    refund, dispute, payout = (found[f"baltr_PbL{number}"] for number in (3, 4, 7))
    assert (refund.payment_vendor_id, refund.refund_vendor_id) == (PAYMENT, "re_PbLOurs")
    assert (dispute.payment_vendor_id, dispute.dispute_vendor_id) == (PAYMENT, "chb_PbLFirst")
    assert (payout.payout_vendor_id, payout.payment_vendor_id) == ("stl_PbL1", "")
    assert {item.provider for item in found.values()} == {"mollie"}
    assert "Marked" not in repr(found)


def test_all_balances_are_read_one_after_the_other() -> None:
    """The first page asks which there are; a page that ends one names the next."""
    first, requests = page(
        recorded("balances"), recorded("balance_transactions"), recorded("balances"), after=""
    )

    assert [request.url.path for request in requests] == [
        "/v2/balances",
        "/v2/balances/bal_PbLEuros/transactions",
        "/v2/balances",
    ]
    assert all(query(request)["testmode"] == "true" for request in requests)
    assert first.after == "bal_PbLPounds"
    second, _ = page(recorded("balance_transactions_none"), recorded("balances"), after=first.after)
    assert (second.items, second.after) == ([], "")


def test_an_account_without_balances_has_nothing_to_tell() -> None:
    """Nothing moved."""
    none = recorded("balances")
    none["_embedded"]["balances"] = []

    found, _ = page(none, after="")

    assert (tuple(found.items), found.after) == ((), "")


def test_a_balance_is_read_page_by_page() -> None:
    """The page says where the next begins, with the balance it is of."""
    more = recorded("balance_transactions")
    more["_links"]["next"] = {"href": "https://api.mollie.com/v2/x?from=baltr_PbL0"}

    first, _ = page(more, since=NOW - dt.timedelta(days=30))
    assert first.after == f"{EUROS}.baltr_PbL0"
    _, requests = page(recorded("balance_transactions_none"), recorded("balances"), after=first.after)
    assert query(requests[0])["from"] == "baltr_PbL0"


def test_only_what_moved_within_the_time_is_told() -> None:
    """From `since` on and before `until`; older ones are not paged through."""
    more = recorded("balance_transactions")
    more["_links"]["next"] = {"href": "https://api.mollie.com/v2/x?from=baltr_PbL0"}
    since, until = dt.datetime(2026, 1, 3, 8, tzinfo=dt.UTC), dt.datetime(2026, 1, 4, 9, tzinfo=dt.UTC)

    found, _ = page(more, recorded("balances"), since=since, until=until)

    assert [item.vendor_id for item in found.items] == ["baltr_PbL4", "baltr_PbL3"]
    assert found.after == "bal_PbLPounds"


@pytest.mark.parametrize("after", ["stl_1", "bal_1/..", f"{EUROS}.tr_1", f"{EUROS}.baltr_1&x"])
def test_a_cursor_that_is_none_of_ours_enters_no_path(after: str) -> None:
    """It is given back by the host."""
    with pytest.raises(InvalidInput):
        _ = page(recorded("balances"), after=after)


@pytest.mark.parametrize(
    "changes",
    [
        {"resultAmount": {"currency": "EUR", "value": "-10.00"}},
        {"resultAmount": None},
        {"initialAmount": {"currency": "USD", "value": "-10.00"}},
        {"createdAt": None},
        {"id": None},
        {"type": None},
    ],
    ids=str,
)
def test_a_movement_that_does_not_add_up_is_not_believed(changes: dict[str, Any]) -> None:
    """A sum with it would be wrong, and one without it as well."""
    listed = recorded("balance_transactions")
    listed["_embedded"]["balance_transactions"][4] |= changes

    with pytest.raises(IntegrityBreach):
        _ = page(listed, recorded("balances"))


@pytest.mark.parametrize(
    "details",
    [
        None,
        {
            "fees": {"currency": "EUR", "value": "-1.30"},
            "reservations": {"currency": "EUR", "value": "-9.99"},
        },
        {"fees": {"currency": "EUR", "value": "-6.30"}, "reservations": {"currency": "EUR", "value": "0.00"}},
        {"fees": {"currency": "EUR", "value": "-6.30"}, "commissions": None},
    ],
    ids=["none", "not-adding-up", "nothing-held", "null"],
)
def test_deductions_whose_details_do_not_say_otherwise_are_fees(details: object) -> None:
    """Rather than guessing."""
    listed = recorded("balance_transactions")
    listed["_embedded"]["balance_transactions"][5]["deductionDetails"] = details

    found, _ = page(listed, recorded("balances"))

    payment = next(item for item in found.items if item.vendor_id == "baltr_PbL2")
    assert told(payment) == ("49.90", "6.30", "43.60")
    assert not [item for item in found.items if "-" in item.vendor_id]


def test_a_result_without_deductions_is_its_own_proof() -> None:
    """What was kept is then the difference."""
    listed = recorded("balance_transactions")
    listed["_embedded"]["balance_transactions"][4]["deductions"] = None

    found, _ = page(listed, recorded("balances"))

    assert told(next(item for item in found.items if item.vendor_id == "baltr_PbL3")) == (
        "-10.00",
        "0.25",
        "-10.25",
    )
