"""What moved the balance at Stripe: payments, refunds, disputes, fees and payouts, in our words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput
from paybylink.flow import Retry
from paybylink.money import Money
from paybylink.providers.base import BalanceItem, BalanceKind, BalancePage

from .stripe_given import NOW, account, drive, query, recorded, sending

UNTIL = NOW + dt.timedelta(days=31)


def page(**more: Any) -> tuple[BalancePage, Any]:
    found, (request,) = drive(
        account(name="stripe-fr").settlements(since=NOW, until=UNTIL),
        recorded("stripe_balance_transactions", **more),
    )
    return found, request


def item(name: str) -> BalanceItem:
    (found,) = (one for one in page()[0].items if one.vendor_id == f"txn_{name}")
    return found


def read(**changes: Any) -> BalanceItem:
    """The card payment of the record, with changes."""
    movement = {**recorded("stripe_balance_transactions")["data"][-1], **changes}
    found, _ = drive(
        account().settlements(since=NOW, until=UNTIL),
        {"object": "list", "data": [movement], "has_more": False},
    )
    return found.items[0]


def test_what_moved_is_asked_for_by_time_with_its_source() -> None:
    """Half-open: from the first moment on, before the last; one page at a time."""
    found, request = page()

    assert (request.method, request.url.path) == ("GET", "/v1/balance_transactions")
    assert query(request) == {
        "created[gte]": str(int(NOW.timestamp())),
        "created[lt]": str(int(UNTIL.timestamp())),
        "expand[0]": "data.source",
        "limit": "100",
    }
    assert sending(request).retry is Retry.SAFE
    assert len(found.items) == 7
    assert found.after == ""


def test_a_fraction_of_a_second_neither_doubles_nor_loses_a_movement() -> None:
    """Stripe counts whole seconds, so two spans that meet stay two halves."""
    cut = NOW + dt.timedelta(seconds=10, milliseconds=1)
    empty = {"object": "list", "data": [], "has_more": False}

    _, (first,) = drive(account().settlements(since=NOW, until=cut), empty)
    _, (second,) = drive(account().settlements(since=cut, until=UNTIL), empty)

    assert query(first)["created[lt]"] == query(second)["created[gte]"]


def test_pages_are_followed_by_what_the_page_before_said() -> None:
    """The last movement of a page begins the next."""
    found, _ = page(has_more=True)
    assert found.after == "txn_card"

    _, (request,) = drive(
        account().settlements(since=NOW, until=UNTIL, after=found.after),
        recorded("stripe_balance_transactions"),
    )
    assert query(request)["starting_after"] == "txn_card"


def test_a_list_that_does_not_move_on_is_not_followed() -> None:
    """The same page again would go on for ever; and no odd place is asked for."""
    with pytest.raises(IntegrityBreach):
        _ = drive(
            account().settlements(since=NOW, until=UNTIL, after="txn_card"),
            recorded("stripe_balance_transactions", has_more=True),
        )
    with pytest.raises(InvalidInput):
        _ = next(account().settlements(since=NOW, until=UNTIL, after="txn/../x"))


def test_a_payment_is_gross_less_fee() -> None:
    """In the currency of the balance, with the payment it is about."""
    assert item("card") == BalanceItem(
        provider="stripe-fr",
        vendor_id="txn_card",
        kind=BalanceKind.PAYMENT,
        vendor_kind="charge",
        gross=Money(4990, "EUR"),
        fee=Money(100, "EUR"),
        net=Money(4890, "EUR"),
        at=dt.datetime.fromtimestamp(1767400000, dt.UTC),
        payment_vendor_id="pi_3SkPbLcard",
    )


def test_a_payment_in_another_currency_says_what_was_paid() -> None:
    """From the charge itself; the exchange rate is a rounded number and is not used."""
    found = item("usd")

    assert (found.gross, found.fee, found.net) == (Money(4600, "EUR"), Money(190, "EUR"), Money(4410, "EUR"))
    assert (found.original, found.payment_vendor_id) == (Money(5000, "USD"), "pi_3SkPbLusd")


def test_what_goes_back_is_below_zero() -> None:
    """A refund and a dispute name what they are about; the dispute's fee is a fee."""
    refund, dispute = item("refund"), item("dispute")

    assert (refund.kind, refund.gross) == (BalanceKind.REFUND, Money(-1000, "EUR"))
    assert (refund.refund_vendor_id, refund.payment_vendor_id) == ("re_3SkPbLpart", "pi_3SkPbLcard")
    assert (dispute.kind, dispute.gross, dispute.fee, dispute.net) == (
        BalanceKind.DISPUTE,
        Money(-4990, "EUR"),
        Money(1500, "EUR"),
        Money(-6490, "EUR"),
    )
    assert (dispute.dispute_vendor_id, dispute.payment_vendor_id) == ("du_1SkPbL", "pi_3SkPbLcard")


def test_a_refund_in_another_currency_is_below_zero_too() -> None:
    """Signs are those of the balance."""
    source = {**recorded("refund_partly_settled"), "currency": "usd", "amount": 1100}

    assert read(amount=-1000, fee=0, net=-1000, source=source).original == Money(-1100, "USD")


def test_a_fee_of_its_own_and_a_payout() -> None:
    """A payout names itself; no movement says by which payout it was paid out."""
    fee, payout = item("fee"), item("payout")

    assert (fee.kind, fee.gross, fee.net) == (BalanceKind.FEE, Money(-200, "EUR"), Money(-200, "EUR"))
    assert (payout.kind, payout.net, payout.payout_vendor_id) == (
        BalanceKind.PAYOUT,
        Money(-3000, "EUR"),
        "po_1SkPbL",
    )
    assert item("card").payout_vendor_id == ""


def test_a_kind_that_we_do_not_know_is_handed_on() -> None:
    """A sum without it would be wrong."""
    found = item("odd")

    assert (found.kind, found.vendor_kind, found.net) == (
        BalanceKind.UNKNOWN,
        "climate_order_purchase",
        Money(-7, "EUR"),
    )


@pytest.mark.parametrize(
    ("category", "type_", "kind"),
    [
        ("refund_failure", "refund_failure", BalanceKind.REFUND_FAILED),
        ("dispute_reversal", "adjustment", BalanceKind.DISPUTE_REVERSED),
        ("charge_failure", "payment_failure_refund", BalanceKind.ADJUSTMENT),
        ("partial_capture_reversal", "refund", BalanceKind.ADJUSTMENT),
        ("network_cost", "network_cost", BalanceKind.FEE),
        ("tax", "tax_fee", BalanceKind.FEE),
        ("payout_reversal", "payout_failure", BalanceKind.PAYOUT_FAILED),
        ("risk_reserved_funds", "reserved_funds", BalanceKind.RESERVE),
        ("other_adjustment", "adjustment", BalanceKind.ADJUSTMENT),
        ("whales", "adjustment", BalanceKind.UNKNOWN),
        ("whales", "whale_sighted", BalanceKind.UNKNOWN),
        ("whales", "stripe_fx_fee", BalanceKind.FEE),
        (None, "payment_refund", BalanceKind.REFUND),
        (None, "payout_cancel", BalanceKind.PAYOUT_FAILED),
    ],
)
def test_every_kind_has_one_meaning(category: str | None, type_: str, kind: BalanceKind) -> None:
    """The reporting category says it, else the type."""
    found = read(reporting_category=category, type=type_)

    assert (found.kind, found.vendor_kind) == (kind, category or type_)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("re_1", ("re_1", "", "")),
        ("pyr_1", ("pyr_1", "", "")),
        ("du_1", ("", "du_1", "")),
        ("dp_1", ("", "dp_1", "")),
        ("po_1", ("", "", "po_1")),
        ("ch_1", ("", "", "")),
        (None, ("", "", "")),
    ],
)
def test_a_source_that_is_not_shown_is_known_by_its_id(
    source: str | None, named: tuple[str, str, str]
) -> None:
    """A restricted key may not see it; the payment is then not told."""
    found = read(source=source)

    assert (found.refund_vendor_id, found.dispute_vendor_id, found.payout_vendor_id) == named
    assert (found.payment_vendor_id, found.original) == ("", None)


def test_amounts_are_counted_as_stripe_counts() -> None:
    """Also the odd currencies of its table."""
    assert read(currency="isk", amount=50_000, fee=100, net=49_900, source=None).gross == Money(500, "ISK")


@pytest.mark.parametrize(
    "changes",
    [
        {"net": 4891},
        {"amount": 49.9},
        {"fee": None},
        {"currency": "zzz"},
        {"created": None},
        {"id": ""},
        {"source": {"object": "charge", "id": "ch_1"}},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_movement_that_does_not_add_up_is_not_believed(changes: dict[str, Any]) -> None:
    """Gross less fee is net, and nothing is guessed."""
    with pytest.raises(IntegrityBreach):
        _ = read(**changes)
