"""Promises about payments, refunds and disputes: every move stands in its table, and late news undo nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.errors import IllegalMove
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import (
    DISPUTE_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    Dispute,
    DisputeStatus,
    Fee,
    Payment,
    PaymentStatus,
    Payout,
    Refund,
    RefundStatus,
    dispute_moved,
    payment_moved,
    refund_moved,
)

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def payment(**content: Any) -> Payment:
    return Payment(
        **{
            "id": "01PAYMENT",
            "provider": "stripe",
            "vendor_id": "pi_1",
            "amount": Money(4990, "EUR"),
            "status": PaymentStatus.SUCCEEDED,
            "mode": Mode.LIVE,
            "at": NOW,
            **content,
        }
    )


class TestTheTables:
    @pytest.mark.parametrize(
        ("states", "table"),
        [(PaymentStatus, PAYMENT_MOVES), (RefundStatus, REFUND_MOVES), (DisputeStatus, DISPUTE_MOVES)],
        ids=["payment", "refund", "dispute"],
    )
    def test_have_every_state(
        self, states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]]
    ) -> None:
        """No state is forgotten, and no move leads to the state it comes from."""
        assert set(table) == set(states)
        assert all(before not in after for before, after in table.items())

    @pytest.mark.parametrize("before", PaymentStatus)
    @pytest.mark.parametrize("after", PaymentStatus)
    def test_of_payments_ignore_what_they_do_not_have(
        self, before: PaymentStatus, after: PaymentStatus
    ) -> None:
        """Every pair is tried: late news are no error and undo nothing."""
        assert payment_moved(before, after) is (after if after in PAYMENT_MOVES[before] else before)

    @pytest.mark.parametrize("before", RefundStatus)
    @pytest.mark.parametrize("after", RefundStatus)
    def test_of_refunds_ignore_what_they_do_not_have(self, before: RefundStatus, after: RefundStatus) -> None:
        """Every pair is tried: late news are no error and undo nothing."""
        assert refund_moved(before, after) is (after if after in REFUND_MOVES[before] else before)

    @pytest.mark.parametrize("before", DisputeStatus)
    @pytest.mark.parametrize("after", DisputeStatus)
    def test_of_disputes_refuse_what_they_do_not_have(
        self, before: DisputeStatus, after: DisputeStatus
    ) -> None:
        """Every pair is tried: a decided dispute is never open again."""
        if after in DISPUTE_MOVES[before] or after is before:
            assert dispute_moved(before, after) is after
        else:
            with pytest.raises(IllegalMove, match=f"a dispute cannot go from '{before}' to '{after}'"):
                _ = dispute_moved(before, after)

    @given(st.sampled_from(PaymentStatus), st.lists(st.sampled_from(PaymentStatus)))
    def test_keep_money_that_came(self, status: PaymentStatus, news: list[PaymentStatus]) -> None:
        """Once succeeded, always succeeded, whatever is told late or twice; money wins from anywhere."""
        for told in news:
            before, status = status, payment_moved(status, told)
            if PaymentStatus.SUCCEEDED in (before, told):
                assert status is PaymentStatus.SUCCEEDED
            assert status is not PaymentStatus.UNKNOWN or before is PaymentStatus.UNKNOWN


class TestPayment:
    def test_begins_with_nothing_refunded(self) -> None:
        """All of it can be sent back; nothing is an amount of the same currency, withdrawn ones too."""
        assert payment().refundable == Money(4990, "EUR")
        assert payment(amount=Money.read(5, "BGN")).refunded == Money.read(0, "BGN")

    def test_can_be_refunded_up_to_what_is_left(self) -> None:
        """What was sent back, or is on its way, cannot be sent again."""
        assert payment(refunded=Money(990, "EUR")).refundable == Money(4000, "EUR")

    @pytest.mark.parametrize("status", sorted(set(PaymentStatus) - {PaymentStatus.SUCCEEDED}))
    def test_without_money_has_nothing_to_refund(self, status: PaymentStatus) -> None:
        """Only what succeeded can be sent back."""
        assert payment(status=status).refundable == Money(0, "EUR")


def test_what_is_not_told_is_empty() -> None:
    """Refunds, disputes, fees and payouts need only what every provider tells."""
    amount = Money(1, "EUR")
    refund = Refund(
        id="01",
        payment_id="01",
        provider="stripe",
        amount=amount,
        status=RefundStatus.PENDING,
        requested_at=NOW,
    )
    dispute = Dispute(
        id="",
        provider="stripe",
        vendor_id="dp_1",
        payment_vendor_id="pi_1",
        amount=amount,
        status=DisputeStatus.OPEN,
        at=NOW,
    )

    assert (refund.vendor_id, refund.reference, dispute.respond_by) == (None, "", None)
    assert Fee(provider="stripe", payment_vendor_id="pi_1", amount=amount).vat is None
    assert Payout(provider="stripe", vendor_id="po_1", amount=amount, at=NOW).arrives_on is None
