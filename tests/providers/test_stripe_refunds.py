"""Refunds at Stripe: written, carried, found again, listed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, ProviderError
from paybylink.flow import Retry
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import RefundStatus
from paybylink.providers.base import RefundRequest

from .stripe_given import (
    KEY,
    NOW,
    REFUND_ID,
    account,
    answer,
    drive,
    finish,
    form,
    query,
    recorded,
    refund_asked,
    sending,
)


def refund_of(request: RefundRequest) -> Any:
    """The waiting refund, and what it sends."""
    provider = account()
    call = provider.refund(request, written=provider.write_refund(request, key=KEY, now=NOW))
    return call, next(call)


def test_a_part_of_a_payment_goes_back_under_our_key() -> None:
    """One keyed POST names the payment intent, the amount, our row and the merchant's reason."""
    call, request = refund_of(refund_asked())

    assert (request.method, request.url.path) == ("POST", "/v1/refunds")
    assert form(request) == {
        "payment_intent": "pi_3SkPbLcard",
        "amount": "1000",
        "metadata[paybylink_refund]": REFUND_ID,
        "metadata[paybylink_reason]": "returned",
    }
    assert request.headers["idempotency-key"] == KEY
    assert (sending(request).retry, sending(request).key_until) == (Retry.KEYED, NOW + dt.timedelta(hours=23))
    refund = finish(call, answer(request, recorded("refund_partly_settled")))
    assert (refund.vendor_id, refund.refund_id) == ("re_3SkPbLpart", REFUND_ID)
    assert (refund.payment_vendor_id, refund.amount) == ("pi_3SkPbLcard", Money(1000, "EUR"))
    assert (refund.status, refund.mode, refund.reason) == (RefundStatus.SUCCEEDED, Mode.TEST, "returned")
    assert refund.at == dt.datetime.fromtimestamp(1767312000, dt.UTC)


def test_stripes_own_reasons_are_given_as_such() -> None:
    """A word of Stripe's is its reason; any other is metadata, shortened if it must be; none is none."""
    _, own = refund_of(refund_asked(reason="duplicate"))
    _, long = refund_of(refund_asked(reason="x" * 600))
    _, none = refund_of(refund_asked(reason=""))

    assert form(own)["reason"] == "duplicate"
    assert "metadata[paybylink_reason]" not in form(own)
    assert len(form(long)["metadata[paybylink_reason]"]) == 500
    assert set(form(none)) == {"payment_intent", "amount", "metadata[paybylink_refund]"}


def test_a_payment_without_a_charge_has_nothing_to_refund() -> None:
    """A session that had nothing to pay is refused before anything is sent."""
    request = RefundRequest(refund_id=REFUND_ID, payment_vendor_id="cs_test_1", amount=Money(1, "EUR"))

    with pytest.raises(InvalidInput, match="nothing was charged"):
        _ = account().write_refund(request, key=KEY, now=NOW)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", RefundStatus.PENDING),
        ("requires_action", RefundStatus.PENDING),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.CANCELLED),
        ("resting", RefundStatus.PENDING),
        (None, RefundStatus.PENDING),
    ],
)
def test_every_word_for_a_refund_has_one_meaning(word: str | None, status: RefundStatus) -> None:
    """An unknown word is kept and is not settled."""
    call, request = refund_of(refund_asked())

    refund = finish(call, answer(request, recorded("refund_pending", status=word)))

    assert (refund.status, refund.vendor_status) == (status, word or "")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"metadata": {}}, "metadata.paybylink_refund"),
        ({"payment_intent": "pi_other"}, "payment_intent"),
        ({"amount": 999}, "amount"),
        ({"currency": "usd"}, "amount"),
        ({"id": None}, "object"),
    ],
)
def test_a_refund_that_is_not_what_was_asked_for_is_not_believed(changes: dict[str, Any], named: str) -> None:
    """Each difference is named."""
    call, request = refund_of(refund_asked())

    with pytest.raises(IntegrityBreach) as caught:
        _ = finish(call, answer(request, recorded("refund_pending", **changes)))
    assert named in caught.value.differences


def test_a_lost_refund_is_found_by_its_mark() -> None:
    """All refunds of the payment are read; one made in the Dashboard is another one."""
    found, (request,) = drive(account().find_refund(refund_asked()), recorded("refunds_page"))

    assert found is not None
    assert found.vendor_id == "re_3SkPbLpart"
    assert (request.url.path, query(request)) == (
        "/v1/refunds",
        {"payment_intent": "pi_3SkPbLcard", "limit": "100"},
    )


def test_a_refund_that_is_in_no_page_was_surely_not_made() -> None:
    """None only after the last page."""
    foreign = recorded("refunds_page")["data"][1]
    first = {"object": "list", "data": [foreign], "has_more": True}
    last = {"object": "list", "data": [], "has_more": False}

    found, requests = drive(account().find_refund(refund_asked()), first, last)

    assert found is None
    assert query(requests[1])["starting_after"] == foreign["id"]


def test_all_refunds_of_a_payment_are_told_oldest_first() -> None:
    """Also one made in the Dashboard, which carries no mark of ours."""
    refunds, _ = drive(account().refunds_of("pi_3SkPbLcard"), recorded("refunds_page"))

    assert [(refund.vendor_id, refund.refund_id, refund.status) for refund in refunds] == [
        ("re_3SkPbLdash", "", RefundStatus.FAILED),
        ("re_3SkPbLpart", REFUND_ID, RefundStatus.SUCCEEDED),
    ]
    assert refunds[0].reason == "requested_by_customer"


def test_what_was_sent_back_before_is_a_no() -> None:
    """Stripe's word is translated, and not retried."""
    call, request = refund_of(refund_asked())

    with pytest.raises(ProviderError) as caught:
        _ = finish(call, answer(request, recorded("error_already_refunded"), status=400))
    assert (caught.value.standard_code, caught.value.retryable) == ("already_refunded", False)


def test_a_refund_answered_with_a_server_error_is_unknown() -> None:
    """It may have been made; asking again is the remedy."""
    call, request = refund_of(refund_asked())

    with pytest.raises(OutcomeUnknown):
        _ = finish(call, answer(request, recorded("error_api_down"), status=500))
