"""Adyen's events: what they mean."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import (
    DisputeNotice,
    ForeignNotice,
    Payer,
    PaymentNotice,
    RefundNotice,
    UnknownNotice,
)

from .adyen_given import (
    ACCOUNT,
    ATTEMPT_ID,
    LINK_ID,
    MARK,
    PAYMENT,
    REFUND_ID,
    VENDOR_LINK,
    account,
    item,
    notification,
    signature,
    signed,
    told,
)

AUTHORISATION_EVENT = f"AUTHORISATION:{PAYMENT}:true"


# Payments


def test_an_authorisation_is_money_where_it_is_taken_at_once() -> None:
    """Whose it is, the signed reference says; the rest are details."""
    event = told(account(), item("authorisation"))

    assert (event.event_id, event.kind, event.newest_wins) == (AUTHORISATION_EVENT, "AUTHORISATION", True)
    assert (event.at, event.mode) == (dt.datetime(2026, 1, 2, 10, tzinfo=dt.UTC), Mode.TEST)
    assert event.notice == PaymentNotice(
        vendor_id=PAYMENT,
        amount=Money(4990, "EUR"),
        status=PaymentStatus.SUCCEEDED,
        at=event.at,
        mode=Mode.TEST,
        link_vendor_id=VENDOR_LINK,
        link_id=LINK_ID,
        attempt_id=ATTEMPT_ID,
        method="card",
        vendor_status="AUTHORISATION",
        payer=Payer(country="FR"),
    )


def test_an_authorisation_is_no_money_where_it_is_taken_later() -> None:
    """The reference says so, and it is signed."""
    notice = told(account(), item("authorisation", merchantReference=f"{MARK}-m")).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.status, notice.link_id) == (PaymentStatus.AUTHORISED, LINK_ID)


def test_a_refused_attempt_failed_and_uses_nothing_up() -> None:
    """With Adyen's word for it; the link stays payable."""
    notice = told(account(), item("authorisation_refused")).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.status, notice.vendor_status) == (PaymentStatus.FAILED, "AUTHORISATION Refused")
    assert notice.uses_up is False


def test_every_item_of_a_notification_is_an_event() -> None:
    """JSON carries one today; several are read all the same."""
    body = notification(signed(item("authorisation")), signed(item("refund")), signed(item("chargeback")))

    assert [event.kind for event in account().read(body)] == ["AUTHORISATION", "REFUND", "CHARGEBACK"]


def test_one_that_is_told_twice_has_the_same_id_and_the_newer_date() -> None:
    """Details may differ, so the newest counts."""
    first = told(account(), item("authorisation"))
    second = told(account(), item("authorisation", eventDate="2026-01-02T12:00:00+01:00", reason="x"))

    assert first.event_id == second.event_id
    assert second.newest_wins
    assert second.at > first.at


def test_a_refusal_and_a_success_of_one_reference_are_two_events() -> None:
    """Success is part of the id."""
    first, second = (told(account(), item("authorisation", success=word)) for word in ("true", "false"))

    assert first.event_id != second.event_id


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"eventCode": "CAPTURE"}, PaymentStatus.SUCCEEDED),
        ({"eventCode": "CAPTURE", "success": "false"}, PaymentStatus.AUTHORISED),
        ({"eventCode": "CANCELLATION"}, PaymentStatus.CANCELLED),
        ({"eventCode": "CANCELLATION", "success": "false"}, PaymentStatus.AUTHORISED),
        ({"eventCode": "TECHNICAL_CANCEL"}, PaymentStatus.CANCELLED),
        ({"eventCode": "EXPIRE"}, PaymentStatus.CANCELLED),
        (
            {"eventCode": "CANCEL_OR_REFUND", "additionalData": {"modification.action": "cancel"}},
            PaymentStatus.CANCELLED,
        ),
    ],
    ids=["capture", "no-capture", "cancel", "no-cancel", "technical", "expire", "reversal"],
)
@pytest.mark.parametrize("own_reference", [True, False], ids=["our-reference", "another-reference"])
def test_what_became_of_an_authorisation_is_about_that_payment(
    changes: dict[str, Any], status: PaymentStatus, own_reference: bool
) -> None:
    """By its reference. Whose payment it is, only our mark says, or the authorisation, which is then named."""
    reference = f"{MARK}-m" if own_reference else "capture-7 of the shop"
    data = changes.get("additionalData", {}) | {"paymentLinkId": VENDOR_LINK}

    notice = told(
        account(), item("capture", **changes | {"merchantReference": reference, "additionalData": data})
    ).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.vendor_id, notice.status, notice.amount) == (PAYMENT, status, Money(3000, "EUR"))
    if own_reference:
        assert (notice.link_id, notice.attempt_id, notice.payment_event) == (LINK_ID, ATTEMPT_ID, "")
        assert notice.link_vendor_id == VENDOR_LINK
    else:
        # The link's id is not signed, so without our mark it says nothing.
        assert (notice.link_id, notice.link_vendor_id) == ("", "")
        assert notice.payment_event == AUTHORISATION_EVENT


def test_an_expiry_without_the_payments_reference_is_about_its_own() -> None:
    """Adyen's example has only one reference."""
    notice = told(account(), item("capture", eventCode="EXPIRE", originalReference=None)).notice

    assert isinstance(notice, PaymentNotice)
    assert notice.vendor_id == "8825408195409501"


# Refunds


@pytest.mark.parametrize(
    ("code", "success", "status"),
    [
        ("REFUND", "true", RefundStatus.SUCCEEDED),
        ("REFUND", "false", RefundStatus.FAILED),
        ("POSTPONED_REFUND", "true", RefundStatus.PENDING),
        ("POSTPONED_REFUND", "false", RefundStatus.FAILED),
        ("REFUND_FAILED", "true", RefundStatus.FAILED),
        ("REFUNDED_REVERSED", "true", RefundStatus.FAILED),
    ],
)
def test_what_became_of_a_refund_is_told_by_its_own_reference(
    code: str, success: str, status: RefundStatus
) -> None:
    """With ours, from the signed reference, and the payment it gives back."""
    event = told(account(), item("refund", eventCode=code, success=success))

    assert event.notice == RefundNotice(
        vendor_id="8825408195409505",
        payment_vendor_id=PAYMENT,
        amount=Money(1000, "EUR"),
        status=status,
        at=event.at,
        mode=Mode.TEST,
        refund_id=REFUND_ID,
        vendor_status=code if success == "true" else f"{code} false",
        payment_event=AUTHORISATION_EVENT,
    )


def test_a_refund_that_bounces_says_so_in_adyens_words() -> None:
    """The news is about the same refund as before."""
    first, second = (told(account(), item(name)).notice for name in ("refund", "refund_failed"))

    assert isinstance(first, RefundNotice)
    assert isinstance(second, RefundNotice)
    assert first.vendor_id == second.vendor_id
    assert (first.status, second.status) == (RefundStatus.SUCCEEDED, RefundStatus.FAILED)


@pytest.mark.parametrize("reference", ["credit note 7", MARK, "", None])
def test_a_refund_made_in_the_customer_area_is_of_no_row_of_ours(reference: str | None) -> None:
    """It still is about the payment."""
    notice = told(account(), item("refund", merchantReference=reference)).notice

    assert isinstance(notice, RefundNotice)
    assert (notice.refund_id, notice.payment_vendor_id) == ("", PAYMENT)


def test_a_second_attempt_at_a_refund_keeps_its_own_mark() -> None:
    """Our refund and its attempt, with a point between them."""
    notice = told(account(), item("refund", merchantReference=f"pbr-{REFUND_ID}.2")).notice

    assert isinstance(notice, RefundNotice)
    assert notice.refund_id == f"{REFUND_ID}.2"


def test_a_reversal_that_refunds_is_a_refund() -> None:
    """What it did stands in an unsigned field; the tables see to it that neither reading makes money."""
    data = {"modification.action": "refund"}
    notice = told(account(), item("refund", eventCode="CANCEL_OR_REFUND", additionalData=data)).notice

    assert isinstance(notice, RefundNotice)
    assert notice.status is RefundStatus.SUCCEEDED


# Disputes


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NOTIFICATION_OF_CHARGEBACK", DisputeStatus.OPEN),
        ("REQUEST_FOR_INFORMATION", DisputeStatus.OPEN),
        ("CHARGEBACK", DisputeStatus.OPEN),
        ("CHARGEBACK_REVERSED", DisputeStatus.WON),
        ("PREARBITRATION_WON", DisputeStatus.WON),
        ("PREARBITRATION_ISSUER_WITHDRAWN", DisputeStatus.WON),
        ("SCHEME_ARBITRATION_WON", DisputeStatus.WON),
        ("SECOND_CHARGEBACK", DisputeStatus.LOST),
        ("PREARBITRATION_LOST", DisputeStatus.LOST),
        ("SCHEME_ARBITRATION_LOST", DisputeStatus.LOST),
    ],
)
def test_the_stages_of_a_dispute_are_one_dispute(code: str, status: DisputeStatus) -> None:
    """By its own reference; the evidence is due while it is open."""
    event = told(account(), item("chargeback", eventCode=code))

    due = dt.datetime(2026, 2, 1, 1, 3, 7, tzinfo=dt.UTC)
    assert event.notice == DisputeNotice(
        vendor_id="9915555555555555",
        payment_vendor_id=PAYMENT,
        amount=Money(4990, "EUR"),
        status=status,
        at=event.at,
        mode=Mode.TEST,
        reason=f"{code.lower()}: Fraudulent Processing of Transactions",
        respond_by=due if status is DisputeStatus.OPEN else None,
        payment_event=AUTHORISATION_EVENT,
    )


@pytest.mark.parametrize("code", ["CHARGEBACK_REVERSED", "SECOND_CHARGEBACK", "PREARBITRATION_WON"])
def test_how_a_dispute_ended_may_be_told_by_its_own_reference_alone(code: str) -> None:
    """Some of Adyen's examples name no payment there; the dispute, which is known by then, does."""
    notice = told(account(), item("chargeback", eventCode=code, originalReference=None)).notice

    assert isinstance(notice, DisputeNotice)
    assert (notice.vendor_id, notice.payment_vendor_id, notice.payment_event) == ("9915555555555555", "", "")


@pytest.mark.parametrize("code", ["CHARGEBACK", "NOTIFICATION_OF_CHARGEBACK", "CAPTURE_FAILED"])
def test_a_dispute_that_begins_has_to_name_its_payment(code: str) -> None:
    """Nothing else says whose it is."""
    notice = told(account(), item("chargeback", eventCode=code, originalReference=None)).notice

    assert isinstance(notice, UnknownNotice)


@pytest.mark.parametrize(
    ("code", "word", "status"),
    [
        ("DISPUTE_DEFENSE_PERIOD_ENDED", "Lost", DisputeStatus.LOST),
        ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "Won", DisputeStatus.WON),
    ],
)
def test_a_period_that_ends_a_dispute_says_how(code: str, word: str, status: DisputeStatus) -> None:
    """Otherwise it is informative: the dispute goes on."""
    ended = told(account(), item("chargeback", eventCode=code, additionalData={"disputeStatus": word})).notice
    going_on = told(account(), item("chargeback", eventCode=code, additionalData={})).notice

    assert isinstance(ended, DisputeNotice)
    assert ended.status is status
    assert isinstance(going_on, ForeignNotice)


def test_a_capture_that_failed_later_takes_money_back() -> None:
    """It was counted as ours, so it is lost as by a dispute, with its own reason."""
    notice = told(account(), item("capture", eventCode="CAPTURE_FAILED", reason="Capture Failed")).notice

    assert isinstance(notice, DisputeNotice)
    assert (notice.status, notice.reason) == (DisputeStatus.LOST, "capture_failed")
    assert (notice.payment_vendor_id, notice.amount) == (PAYMENT, Money(3000, "EUR"))


@pytest.mark.parametrize("value", ["soon", "2026-02-01T03:03:07", 7, None])
def test_a_date_that_cannot_be_read_is_no_date(value: object) -> None:
    """The dispute is told all the same."""
    data = {"defensePeriodEndsAt": value}
    notice = told(account(), item("chargeback", additionalData=data)).notice

    assert isinstance(notice, DisputeNotice)
    assert notice.respond_by is None


# What is none of our business, and what nobody knows


def test_a_payment_without_our_mark_is_foreign() -> None:
    """Also where the unsigned field names a link of ours."""
    for reference in ("shop order 7", "", None, f"{MARK}-x", f" {MARK}", f"pbr-{REFUND_ID}"):
        notice = told(account(), item("authorisation", merchantReference=reference)).notice

        assert isinstance(notice, ForeignNotice)


def test_another_merchant_accounts_events_are_verified_and_foreign() -> None:
    """A webhook of the company signs all of them with one key."""
    for name in ("authorisation", "refund", "chargeback", "report_available"):
        notice = told(account(), item(name, merchantAccountCode="ExampleMerchantPOS")).notice

        assert isinstance(notice, ForeignNotice)


@pytest.mark.parametrize(
    "code",
    [
        "INFORMATION_SUPPLIED",
        "ISSUER_COMMENTS",
        "MANUAL_REVIEW_ACCEPT",
        "MANUAL_REVIEW_REJECT",
        "NOTIFICATION_OF_FRAUD",
        "OFFER_CLOSED",
        "ORDER_CLOSED",
        "ORDER_OPENED",
        "RECURRING_CONTRACT",
    ],
)
def test_an_informative_event_is_answered_and_not_kept(code: str) -> None:
    """Others say what it means for a payment."""
    assert isinstance(told(account(), item("authorisation", eventCode=code)).notice, ForeignNotice)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("settlement_detail_report_batch_4.csv", "settlement_detail_report_batch_4.csv"),
        ("<b>x</b>", "a report"),
    ],
)
def test_a_report_that_is_ready_is_named(name: str, said: str) -> None:
    """Its address is not signed and is not followed."""
    notice = told(account(), item("report_available", pspReference=name)).notice

    assert notice == ForeignNotice(reason=f"informative: {said} can be downloaded")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("authorisation", {"eventCode": "AUTHORISATION_ADJUSTMENT"}),
        ("authorisation", {"eventCode": "PREARBITRATION_ACCEPTED"}),
        ("authorisation", {"eventCode": "SOMETHING_NEW"}),
        ("authorisation", {"success": "perhaps"}),
        ("authorisation", {"success": ""}),
        ("authorisation", {"amount": {"currency": "CNH", "value": 1}}),
        ("authorisation", {"amount": {"currency": "EUR", "value": "4990"}}),
        ("authorisation", {"amount": {"currency": 7, "value": 1}}),
        ("authorisation", {"amount": None}),
        ("authorisation", {"pspReference": "79 14"}),
        ("authorisation", {"eventDate": "yesterday"}),
        ("authorisation", {"eventDate": "2026-01-02T11:00:00"}),
        ("authorisation", {"eventDate": None}),
        ("capture", {"originalReference": None}),
        ("capture", {"originalReference": "79:14"}),
        ("capture", {"eventCode": "EXPIRE", "success": "false"}),
        ("capture", {"eventCode": "CANCEL_OR_REFUND"}),
        ("refund", {"originalReference": None}),
        ("refund_failed", {"success": "false"}),
        ("chargeback", {"originalReference": None}),
        ("chargeback", {"success": "false"}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_genuine_event_that_cannot_be_understood_is_kept(name: str, changes: dict[str, Any]) -> None:
    """Refused, Adyen would tell it for days, and the events behind it would wait."""
    assert isinstance(told(account(), item(name, **changes)).notice, UnknownNotice)


@pytest.mark.parametrize("changes", [{"pspReference": ""}, {"pspReference": None}, {"eventCode": "x" * 201}])
def test_an_item_without_an_id_is_refused(changes: dict[str, Any]) -> None:
    """It could not be taken in once only."""
    with pytest.raises(WebhookRejected):
        _ = told(account(), item("authorisation", **changes))


@pytest.mark.parametrize(("live", "mode"), [("true", Mode.LIVE), ("false", Mode.TEST), (True, Mode.LIVE)])
def test_the_mode_is_the_notifications_own(live: object, mode: Mode) -> None:
    """It is compared with the account's by whoever takes the event in."""
    assert told(account(), item("authorisation"), live=live).mode is mode


@pytest.mark.parametrize("live", [None, "yes", 7])
def test_a_notification_without_a_mode_is_refused(live: object) -> None:
    """Test money is never taken for real money."""
    with pytest.raises(WebhookRejected):
        _ = told(account(), item("authorisation"), live=live)


@pytest.mark.parametrize(
    ("currency", "value", "amount"),
    [
        ("ISK", 50000, Money(500, "ISK")),
        ("CLP", 100000, Money(1000, "CLP")),
        ("CVE", 100, Money(10000, "CVE")),
        ("IDR", 15000, Money(1500000, "IDR")),
        ("JPY", 500, Money(500, "JPY")),
        ("KWD", 1234, Money(1234, "KWD")),
        ("BGN", 100, Money.read(100, "BGN")),
    ],
)
def test_amounts_are_counted_as_adyen_does(currency: str, value: int, amount: Money) -> None:
    """Its decimals lead, also of currencies that were withdrawn."""
    notice = told(account(), item("authorisation", amount={"currency": currency, "value": value})).notice

    assert isinstance(notice, PaymentNotice)
    assert notice.amount == amount


def test_the_payer_is_told_where_adyen_tells_him() -> None:
    """Not stored by us, and never in a repr."""
    data = {"cardHolderName": "Zoé MARKED", "shopperEmail": "zoe@MARKED.example", "shopperCountry": "fr"}
    notice = told(account(), item("authorisation", additionalData=data)).notice

    assert isinstance(notice, PaymentNotice)
    assert notice.payer == Payer(name="Zoé MARKED", email="zoe@MARKED.example")
    assert "MARKED" not in repr(notice)


def test_the_signature_of_a_test_is_made_by_hand() -> None:
    """The helper of these tests gives Adyen's own vector."""
    one = item(
        "authorisation",
        merchantAccountCode="ExampleMerchant",
        merchantReference="order-1001",
        amount={"value": 1130, "currency": "EUR"},
    )

    assert signature(one) == "FYPU3MgbmDBKjFBzFJhWobLiqPUwE95IR8AhCigLv6s="
    assert ACCOUNT != "ExampleMerchant"
