"""Payments and refunds at Adyen: what is asked for is received, and the outcome is told by webhook."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown
from paybylink.flow import Retry
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import PaymentStatus, RefundStatus
from paybylink.providers.base import PaymentNotice, RefundNotice, RefundRequest

from .adyen_given import (
    ACCOUNT,
    KEY,
    NOW,
    PAYMENT,
    REFUND_ID,
    account,
    drive,
    recorded,
    refund_asked,
    reply,
    sending,
)

KEY_ENDS = NOW + dt.timedelta(days=7) - dt.timedelta(hours=1)


def test_a_capture_is_received_and_the_payment_still_authorised() -> None:
    """A part may be taken; that it was, the CAPTURE event tells."""
    call = account().capture(PAYMENT, Money(3000, "EUR"), key=KEY, now=NOW)

    notice, (request,) = drive(call, reply(recorded("capture_received"), 201))

    assert (request.method, request.url.path) == ("POST", f"/v72/payments/{PAYMENT}/captures")
    assert json.loads(request.content) == {
        "amount": {"currency": "EUR", "value": 3000},
        "merchantAccount": ACCOUNT,
    }
    assert request.headers["idempotency-key"] == KEY
    assert (sending(request).retry, sending(request).key_until) == (Retry.KEYED, KEY_ENDS)
    assert notice == PaymentNotice(
        vendor_id=PAYMENT,
        amount=Money(3000, "EUR"),
        status=PaymentStatus.AUTHORISED,
        at=NOW,
        mode=Mode.TEST,
        vendor_status="received",
    )


def test_giving_up_is_received_and_names_no_amount() -> None:
    """Adyen's answer has none; the CANCELLATION event has."""
    notice, (request,) = drive(
        account().cancel_payment(PAYMENT, key=KEY, now=NOW), reply(recorded("cancel_received"), 201)
    )

    assert (request.method, request.url.path) == ("POST", f"/v72/payments/{PAYMENT}/cancels")
    assert json.loads(request.content) == {"merchantAccount": ACCOUNT}
    assert request.headers["idempotency-key"] == KEY
    assert (notice.vendor_id, notice.status) == (PAYMENT, PaymentStatus.AUTHORISED)
    assert notice.amount.is_zero


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount": {"currency": "EUR", "value": 2999}}, "amount"),
        ({"amount": {"currency": "USD", "value": 3000}}, "amount"),
        ({"amount": None}, "amount"),
        ({"paymentPspReference": "7914073381349999"}, "paymentPspReference"),
        ({"merchantAccount": "Another"}, "merchantAccount"),
        ({"pspReference": None}, "pspReference"),
        ({"pspReference": "a b"}, "pspReference"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_answer_about_something_else_is_not_believed(changes: dict[str, Any], named: str) -> None:
    """For captures, cancellations and refunds alike."""
    call = account().capture(PAYMENT, Money(3000, "EUR"), key=KEY, now=NOW)
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(call, reply(recorded("capture_received", **changes), 201))
    assert named in caught.value.differences

    if named != "amount":
        with pytest.raises(IntegrityBreach):
            _ = drive(
                account().cancel_payment(PAYMENT, key=KEY, now=NOW),
                reply(recorded("cancel_received", **changes), 201),
            )


def test_a_refund_carries_our_mark_and_is_pending_until_told() -> None:
    """Its reference comes back, signed, in the REFUND event."""
    provider, request = account(), refund_asked()
    written = provider.write_refund(request, key=KEY, now=NOW)

    notice, (sent,) = drive(
        provider.refund(request, written=written), reply(recorded("refund_received"), 201)
    )

    assert (sent.method, sent.url.path) == ("POST", f"/v72/payments/{PAYMENT}/refunds")
    assert sent.content == written.body
    assert json.loads(sent.content) == {
        "amount": {"currency": "EUR", "value": 1000},
        "merchantAccount": ACCOUNT,
        "reference": f"pbr-{REFUND_ID}",
        "merchantRefundReason": "RETURN",
    }
    assert (written.key, written.key_until, sent.headers["idempotency-key"]) == (KEY, KEY_ENDS, KEY)
    assert notice == RefundNotice(
        vendor_id="8825408195409505",
        payment_vendor_id=PAYMENT,
        amount=Money(1000, "EUR"),
        status=RefundStatus.PENDING,
        at=NOW,
        mode=Mode.TEST,
        refund_id=REFUND_ID,
        reason="returned",
        vendor_status="received",
    )


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("fraudulent", "FRAUD"),
        ("requested_by_customer", "CUSTOMER REQUEST"),
        ("CUSTOMER REQUEST", "CUSTOMER REQUEST"),
        ("Duplicate", "DUPLICATE"),
        ("other", "OTHER"),
        ("Zoé changed her mind", None),
        ("", None),
    ],
)
def test_only_adyens_own_words_are_sent_as_a_reason(reason: str, sent: str | None) -> None:
    """Any other stays with us."""
    written = account().write_refund(refund_asked(reason=reason), key=KEY, now=NOW)

    assert json.loads(written.body).get("merchantRefundReason") == sent


def test_a_second_attempt_at_a_refund_has_a_reference_of_its_own() -> None:
    """Its mark has a point."""
    request = RefundRequest(refund_id=f"{REFUND_ID}.2", payment_vendor_id=PAYMENT, amount=Money(1000, "EUR"))

    written = account().write_refund(request, key=KEY, now=NOW)

    assert json.loads(written.body)["reference"] == f"pbr-{REFUND_ID}.2"


@pytest.mark.parametrize(
    "changes",
    [{"reference": "pbr-ANOTHER"}, {"amount": {"currency": "EUR", "value": 1}}],
    ids=["mark", "amount"],
)
def test_another_refunds_answer_is_not_believed(changes: dict[str, Any]) -> None:
    """It has to have our mark and our amount."""
    provider, request = account(), refund_asked()
    written = provider.write_refund(request, key=KEY, now=NOW)

    with pytest.raises(IntegrityBreach):
        _ = drive(
            provider.refund(request, written=written), reply(recorded("refund_received", **changes), 201)
        )


def test_a_refunds_answer_may_leave_its_reference_out() -> None:
    """The document does not require it."""
    provider, request = account(), refund_asked()
    answer = recorded("refund_received")
    del answer["reference"]

    notice, _ = drive(
        provider.refund(request, written=provider.write_refund(request, key=KEY, now=NOW)), reply(answer, 201)
    )

    assert notice.refund_id == REFUND_ID


def test_a_lost_refund_is_looked_up_by_nobody() -> None:
    """Adyen cannot be asked; saying "none" would send the money twice."""
    with pytest.raises(OutcomeUnknown, match="webhook"):
        _ = drive(account().find_refund(refund_asked()))


@pytest.mark.parametrize(
    ("amount", "value"),
    [(Money(500, "ISK"), 50000), (Money(10000, "CVE"), 100), (Money(1234, "KWD"), 1234)],
    ids=["ISK", "CVE", "KWD"],
)
def test_money_is_counted_as_adyen_does(amount: Money, value: int) -> None:
    """Going out as well as coming in."""
    written = account().write_refund(refund_asked(amount), key=KEY, now=NOW)

    assert json.loads(written.body)["amount"] == {"currency": amount.currency, "value": value}


@pytest.mark.parametrize(
    "amount", [Money(150, "CVE"), Money(100, "CLF"), Money(100, "MGA")], ids=["half-escudo", "CLF", "MGA"]
)
def test_money_that_adyen_cannot_count_is_refused(amount: Money) -> None:
    """Finer than its units, or in a currency it does not list; two decimals are never guessed."""
    with pytest.raises(InvalidInput):
        _ = account().write_refund(refund_asked(amount), key=KEY, now=NOW)
    with pytest.raises(InvalidInput):
        _ = drive(account().capture(PAYMENT, amount, key=KEY, now=NOW))


def test_a_refund_that_does_not_fit_the_mark_is_refused() -> None:
    """A colon would end its field in what Adyen signs."""
    request = RefundRequest(refund_id="a:b", payment_vendor_id=PAYMENT, amount=Money(1, "EUR"))

    with pytest.raises(InvalidInput, match="reference"):
        _ = account().write_refund(request, key=KEY, now=NOW)


def test_a_key_that_adyen_would_cut_is_refused() -> None:
    """64 characters at most."""
    with pytest.raises(InvalidInput, match="64"):
        _ = account().write_refund(refund_asked(), key="k" * 65, now=NOW)
