"""Refunds at Mollie: what is asked for, what of the answers is believed, and how a lost one is found."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from attrs import evolve

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown
from paybylink.flow import Retry
from paybylink.money import Money
from paybylink.payments import RefundStatus
from paybylink.providers.base import RefundRequest

from .mollie_given import (
    KEY,
    NOW,
    PAYMENT,
    REFUND_ID,
    account,
    drive,
    organisation,
    recorded,
    refund_asked,
    reply,
    sending,
)


def refund(*replies: Any, request: RefundRequest | None = None) -> Any:
    """What a refund becomes, and what was asked."""
    asked = request or refund_asked()
    provider = account()
    return drive(provider.refund(asked, written=provider.write_refund(asked, key=KEY, now=NOW)), *replies)


def test_a_refund_carries_our_mark_the_amount_and_the_reason() -> None:
    """Keyed, and repeated with the same bytes only while the key lives."""
    notice, (request,) = refund(recorded("refund_pending"))

    assert (request.method, request.url.path) == ("POST", f"/v2/payments/{PAYMENT}/refunds")
    assert json.loads(request.content) == {
        "amount": {"currency": "EUR", "value": "10.00"},
        "metadata": {"paybylink_refund": REFUND_ID},
        "description": "returned",
    }
    how = sending(request)
    assert (how.retry, how.key_until) == (Retry.KEYED, NOW + dt.timedelta(minutes=50))
    assert (notice.vendor_id, notice.payment_vendor_id) == ("re_PbLOurs", PAYMENT)
    assert (notice.status, notice.refund_id, notice.reason) == (RefundStatus.PENDING, REFUND_ID, "returned")


def test_a_reason_may_be_left_out_and_a_long_one_is_visibly_shortened() -> None:
    """It may be shown to the payer."""
    provider = account()
    bare = json.loads(provider.write_refund(refund_asked(reason=""), key=KEY, now=NOW).body)
    long = json.loads(provider.write_refund(refund_asked(reason="x" * 300), key=KEY, now=NOW).body)

    assert "description" not in bare
    assert long["description"] == "x" * 254 + "…"


def test_a_token_says_its_mode_in_a_refund() -> None:
    """As in every body."""
    written = organisation().write_refund(refund_asked(), key=KEY, now=NOW)

    assert json.loads(written.body)["testmode"] is True


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", RefundStatus.PENDING),
        ("pending", RefundStatus.PENDING),
        ("processing", RefundStatus.PENDING),
        ("refunded", RefundStatus.SUCCEEDED),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.CANCELLED),
        ("a-word-of-tomorrow", RefundStatus.PENDING),
    ],
)
def test_every_status_of_a_refund_has_a_meaning(word: str, status: RefundStatus) -> None:
    """What we do not know is still on its way."""
    notice, _ = refund(recorded("refund_pending", status=word))

    assert (notice.status, notice.vendor_status) == (status, word)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"metadata": None}, "metadata.paybylink_refund"),
        ({"metadata": {"paybylink_refund": "OTHER"}}, "metadata.paybylink_refund"),
        ({"paymentId": "tr_PbLOther"}, "paymentId"),
        ({"amount": {"currency": "EUR", "value": "49.90"}}, "amount"),
        ({"amount": {"currency": "USD", "value": "10.00"}}, "amount"),
        ({"mode": "live"}, "mode"),
        ({"createdAt": None}, "refund"),
        ({"id": "tr_1"}, "refund"),
    ],
    ids=str,
)
def test_a_refund_that_differs_is_not_believed(changes: dict[str, Any], wrong: str) -> None:
    """Every difference is named."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = refund(recorded("refund_pending", **changes))

    assert set(caught.value.differences) == {wrong}


def test_two_equal_refunds_in_a_row_are_an_unknown_outcome() -> None:
    """Mollie answers 409, also where the first of them was ours and its answer was lost."""
    with pytest.raises(OutcomeUnknown):
        _ = refund(reply(recorded("error_twin_at_work"), 409))


def test_a_lost_refund_is_found_by_its_mark() -> None:
    """In the payment's list, and compared."""
    notice, (request,) = drive(account().find_refund(refund_asked()), recorded("refunds_page"))

    assert request.url.path == f"/v2/payments/{PAYMENT}/refunds"
    assert notice is not None
    assert (notice.vendor_id, notice.vendor_status) == ("re_PbLOurs", "queued")


def test_a_refund_of_the_same_amount_without_our_mark_is_another_one() -> None:
    """It was made in the dashboard."""
    page = recorded("refunds_page")
    for listed in page["_embedded"]["refunds"]:
        listed["metadata"] = None

    assert drive(account().find_refund(refund_asked()), page)[0] is None


def test_a_found_refund_of_another_amount_is_not_believed() -> None:
    """A mark alone is no proof."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().find_refund(refund_asked(Money(2000, "EUR"))), recorded("refunds_page"))


def test_all_refunds_of_a_payment_are_told_oldest_first() -> None:
    """Also those made in the dashboard, which carry no mark."""
    notices, _ = drive(account().refunds_of(PAYMENT), recorded("refunds_page"))

    assert [(one.vendor_id, one.refund_id, one.status) for one in notices] == [
        ("re_PbLOurs", REFUND_ID, RefundStatus.PENDING),
        ("re_PbLDashboard", "", RefundStatus.SUCCEEDED),
    ]


def test_an_invoice_that_was_paid_outside_has_nothing_to_refund_here() -> None:
    """It stands for itself, and Mollie never had the money."""
    request = evolve(refund_asked(), payment_vendor_id="invoice_1")

    assert drive(account().refunds_of("invoice_1")) == ([], [])
    assert drive(account().disputes_of("invoice_1")) == ([], [])
    with pytest.raises(InvalidInput):
        _ = account().write_refund(request, key=KEY, now=NOW)
