"""Payments at Stripe, asked for: what a session or a payment intent says, in our words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, ProviderError
from paybylink.flow import Retry
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus
from paybylink.providers.base import Payer

from .stripe_given import ATTEMPT_ID, KEY, LINK_ID, NOW, account, drive, form, query, recorded, sending


def at(timestamp: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)


def session(paid: str = "unpaid", intent: object = None, **changes: Any) -> dict[str, Any]:
    """The sepa session of the record, with another intent."""
    found = recorded("sessions_complete")["data"][1]
    return {**found, "payment_status": paid, "payment_intent": intent or found["payment_intent"], **changes}


def listed(*sessions: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(sessions), "has_more": False, "url": "/v1/checkout/sessions"}


def test_the_payments_of_a_link_are_its_completed_sessions_oldest_first() -> None:
    """A card payment that succeeded and a direct debit that is on its way."""
    payments, (request,) = drive(account().payments_of("plink_1SkPbLsingle"), recorded("sessions_complete"))

    assert query(request) == {
        "payment_link": "plink_1SkPbLsingle",
        "status": "complete",
        "expand[0]": "data.payment_intent.latest_charge",
        "limit": "100",
    }
    assert sending(request).retry is Retry.SAFE
    debit, card = payments
    assert (debit.vendor_id, debit.status, debit.method) == (
        "pi_3SkPbLsepa",
        PaymentStatus.PROCESSING,
        "sepa_debit",
    )
    assert debit.at == at(1767222000)
    assert (card.vendor_id, card.status, card.method) == ("pi_3SkPbLcard", PaymentStatus.SUCCEEDED, "card")
    assert (card.amount, card.at, card.mode) == (Money(4990, "EUR"), at(1767229205), Mode.TEST)
    assert (card.link_vendor_id, card.link_id, card.attempt_id) == ("plink_1SkPbLsingle", LINK_ID, ATTEMPT_ID)
    assert card.vendor_status == "paid"


def test_the_payments_of_a_link_are_read_to_the_last_page() -> None:
    """Pages are followed, so that no payment is lost."""
    more = {**listed(session(id="cs_test_1")), "has_more": True}

    payments, requests = drive(account().payments_of("plink_1"), more, listed(session(id="cs_test_2")))

    assert len(payments) == 2
    assert query(requests[1])["starting_after"] == "cs_test_1"


@pytest.mark.parametrize(
    "changes",
    [{"has_more": None}, {"has_more": "false"}, {"has_more": True, "data": []}],
    ids=["nothing", "a-word", "more-of-nothing"],
)
def test_a_list_that_does_not_say_whether_it_ends_is_not_believed(changes: dict[str, Any]) -> None:
    """A payment on a page that is not read would be lost."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().payments_of("plink_1"), {**listed(session("paid", "pi_1")), **changes})


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that always has more is not followed for ever."""
    monkeypatch.setattr("paybylink.providers.stripe._asking.MOST_PAGES", 3)
    pages = [{**listed(session(id=f"cs_test_{number}")), "has_more": True} for number in range(3)]

    with pytest.raises(IntegrityBreach, match="without end"):
        _ = drive(account().payments_of("plink_1"), *pages)


@pytest.mark.parametrize(
    ("paid", "intent", "status"),
    [
        ("paid", "pi_1", PaymentStatus.SUCCEEDED),
        ("no_payment_required", "pi_1", PaymentStatus.SUCCEEDED),
        ("unpaid", "pi_1", PaymentStatus.PROCESSING),
        ("unpaid", {"id": "pi_1", "status": "processing"}, PaymentStatus.PROCESSING),
        ("unpaid", {"id": "pi_1", "status": "requires_action"}, PaymentStatus.PROCESSING),
        ("unpaid", {"id": "pi_1", "status": "requires_payment_method"}, PaymentStatus.FAILED),
        ("unpaid", {"id": "pi_1", "status": "requires_capture"}, PaymentStatus.AUTHORISED),
        ("unpaid", {"id": "pi_1", "status": "canceled"}, PaymentStatus.CANCELLED),
        ("unpaid", {"id": "pi_1", "status": "resting"}, PaymentStatus.UNKNOWN),
        ("half_paid", {"id": "pi_1", "status": "succeeded"}, PaymentStatus.UNKNOWN),
        ("paid", {"id": "pi_1", "status": "succeeded"}, PaymentStatus.SUCCEEDED),
        ("paid", {"id": "pi_1", "status": "requires_capture"}, PaymentStatus.AUTHORISED),
        ("paid", {"id": "pi_1", "status": "canceled"}, PaymentStatus.CANCELLED),
    ],
)
def test_a_session_is_paid_only_when_its_payment_status_says_so(
    paid: str, intent: object, status: PaymentStatus
) -> None:
    """An unpaid session asks its intent what may still come; an unknown word never becomes money."""
    (payment,), _ = drive(account().payments_of("plink_1"), listed(session(paid, intent)))

    assert payment.status is status
    assert payment.vendor_status == paid


def test_a_session_that_charged_nothing_is_named_by_itself() -> None:
    """Without a payment intent the session's own id is the payment's."""
    payment, (request,) = drive(account().fetch_payment("cs_test_a1free"), recorded("session_nothing_to_pay"))

    assert request.url.path == "/v1/checkout/sessions/cs_test_a1free"
    assert query(request) == {"expand[0]": "payment_intent.latest_charge"}
    assert (payment.vendor_id, payment.amount) == ("cs_test_a1free", Money(0, "EUR"))
    assert payment.status is PaymentStatus.SUCCEEDED


def test_a_payment_intent_is_fetched_with_its_method() -> None:
    """Its marks lead back to our link."""
    payment, (request,) = drive(
        account().fetch_payment("pi_3SkPbLcard"), recorded("payment_intent_succeeded")
    )

    assert request.url.path == "/v1/payment_intents/pi_3SkPbLcard"
    assert query(request) == {"expand[0]": "latest_charge"}
    assert (payment.vendor_id, payment.status, payment.method) == (
        "pi_3SkPbLcard",
        PaymentStatus.SUCCEEDED,
        "card",
    )
    assert (payment.amount, payment.at) == (Money(4990, "EUR"), at(1767229205))
    assert (payment.link_id, payment.attempt_id) == (LINK_ID, ATTEMPT_ID)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("processing", PaymentStatus.PROCESSING),
        ("requires_confirmation", PaymentStatus.PROCESSING),
        ("requires_payment_method", PaymentStatus.FAILED),
        ("requires_capture", PaymentStatus.AUTHORISED),
        ("canceled", PaymentStatus.CANCELLED),
        ("resting", PaymentStatus.UNKNOWN),
    ],
)
def test_every_word_for_an_intent_has_one_meaning(word: str, status: PaymentStatus) -> None:
    """An unknown word is kept verbatim and is never success."""
    payment, _ = drive(
        account().fetch_payment("pi_3SkPbLsepa"), recorded("payment_intent_processing", status=word)
    )

    assert (payment.status, payment.vendor_status) == (status, word)
    assert payment.at == at(1767222000)


def test_a_foreign_payment_carries_none_of_our_marks() -> None:
    """A payment that no link of ours made is read all the same."""
    payment, _ = drive(
        account().fetch_payment("pi_1"),
        recorded("payment_intent_processing", metadata=None, payment_method_types=["card", "link"]),
    )

    assert (payment.link_id, payment.attempt_id, payment.method) == ("", "", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": 49.9},
        {"amount": True},
        {"currency": "xxx"},
        {"created": "yesterday"},
        {"livemode": "no"},
        {"id": None},
        {"status": []},
        {"created": 10**18},
    ],
)
def test_a_misshapen_payment_is_not_believed(changes: dict[str, Any]) -> None:
    """Whatever is missing or of another type is a breach, never a guess."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().fetch_payment("pi_1"), recorded("payment_intent_processing", **changes))


def test_a_payment_that_is_not_there_is_refused_by_them() -> None:
    """404 is a no, with Stripe's word for it."""
    with pytest.raises(ProviderError) as caught:
        _ = drive(account().fetch_payment("pi_1"), (recorded("error_no_such_link"), 404))

    assert (caught.value.standard_code, caught.value.vendor_code) == ("not_found", "resource_missing")


def test_an_id_that_is_none_is_never_asked_for() -> None:
    """Nothing is sent."""
    for call in (account().payments_of("../x"), account().fetch_payment("a b"), account().refunds_of("?")):
        with pytest.raises(InvalidInput):
            _ = next(call)


def test_who_paid_is_told_with_a_links_payments() -> None:
    """From the session; no repr shows it."""
    payments, _ = drive(account().payments_of("plink_1SkPbLsingle"), recorded("sessions_complete"))

    assert payments[1].payer == Payer(name="Marked Payer", email="marked-payer@example.com", country="FR")
    assert "Marked" not in repr(payments)


def test_a_failed_payment_of_a_link_for_one_has_used_it_up() -> None:
    """As the webhook says; a link for several goes on."""
    failed = {"id": "pi_1", "status": "requires_payment_method"}
    told = []
    for limit in ("1", "7"):
        one = session("unpaid", failed)
        one["metadata"]["paybylink_limit"] = limit
        (payment,), _ = drive(account().payments_of("plink_1"), listed(one))
        told.append((payment.status, payment.uses_up))

    assert told == [(PaymentStatus.FAILED, True), (PaymentStatus.FAILED, False)]


def test_of_an_authorisation_only_what_was_taken_counts() -> None:
    """The session keeps saying what was reserved; its intent knows what was received."""
    intent = recorded("stripe_payment_intent_partly_captured")

    (listed_,), _ = drive(account().payments_of("plink_1"), listed(session("paid", intent)))
    fetched, _ = drive(account().fetch_payment("pi_3SkPbLcard"), intent)

    assert listed_.amount == fetched.amount == Money(4000, "EUR")


def test_what_an_intent_says_in_another_currency_is_not_mixed_in() -> None:
    """The amount is the session's, in the order's currency."""
    intent = {**recorded("payment_intent_succeeded"), "currency": "usd", "amount_received": 100}

    (payment,), _ = drive(account().payments_of("plink_1"), listed(session("paid", intent)))

    assert payment.amount == Money(4990, "EUR")


PI = "pi_3SkPbLcard"


def test_a_part_of_reserved_money_can_be_taken() -> None:
    """The payment is read, then captured with the caller's key."""
    payment, (before, request) = drive(
        account().capture(PI, Money(4000, "EUR"), key=KEY, now=NOW),
        recorded("stripe_payment_intent_authorised"),
        recorded("stripe_payment_intent_partly_captured"),
    )

    assert (before.method, request.method) == ("GET", "POST")
    assert request.url.path == f"/v1/payment_intents/{PI}/capture"
    assert form(request) == {"amount_to_capture": "4000", "expand[0]": "latest_charge"}
    assert request.headers["idempotency-key"] == KEY
    assert sending(request).retry is Retry.KEYED
    assert (payment.status, payment.amount) == (PaymentStatus.SUCCEEDED, Money(4000, "EUR"))


def test_a_capture_never_takes_a_number_of_another_currency() -> None:
    """Stripe asks for a number only, so 40 JPY would take 0.40 EUR."""
    with pytest.raises(InvalidInput, match="in JPY, the payment in EUR"):
        _ = drive(
            account().capture(PI, Money(40, "JPY"), key=KEY, now=NOW),
            recorded("stripe_payment_intent_authorised"),
        )


def test_taking_twice_takes_once() -> None:
    """What was taken before, to the cent, is returned without asking again, even with another key."""
    payment, requests = drive(
        account().capture(PI, Money(4000, "EUR"), key="another", now=NOW),
        recorded("stripe_payment_intent_partly_captured"),
    )

    assert (payment.status, len(requests)) == (PaymentStatus.SUCCEEDED, 1)


def test_taking_another_amount_afterwards_is_refused_by_them() -> None:
    """It is not in a state in which this can be done."""
    refusal = {"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}}
    with pytest.raises(ProviderError) as caught:
        _ = drive(
            account().capture(PI, Money(4990, "EUR"), key=KEY, now=NOW),
            recorded("stripe_payment_intent_partly_captured"),
            (refusal, 400),
        )
    assert caught.value.standard_code == "wrong_state"


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"id": "pi_other"}, "id"), ({"amount_received": 4990}, "amount_received")],
)
def test_a_capture_that_took_something_else_is_not_believed(changes: dict[str, Any], named: str) -> None:
    """The answer is compared with what was asked for."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(
            account().capture(PI, Money(4000, "EUR"), key=KEY, now=NOW),
            recorded("stripe_payment_intent_authorised"),
            recorded("stripe_payment_intent_partly_captured", **changes),
        )
    assert set(caught.value.differences) == {named}


def test_a_capture_without_an_answer_is_unknown() -> None:
    """The money may have been taken."""
    with pytest.raises(OutcomeUnknown):
        _ = drive(
            account().capture(PI, Money(4000, "EUR"), key=KEY, now=NOW),
            recorded("stripe_payment_intent_authorised"),
            (recorded("error_api_down"), 500),
        )


def test_reserved_money_can_be_given_up() -> None:
    """With the caller's key; doing it twice is no error."""
    given_up = recorded("stripe_payment_intent_given_up")
    payment, (_, request) = drive(
        account().cancel_payment(PI, key=KEY, now=NOW), recorded("stripe_payment_intent_authorised"), given_up
    )
    again, requests = drive(account().cancel_payment(PI, key=KEY, now=NOW), given_up)

    assert request.url.path == f"/v1/payment_intents/{PI}/cancel"
    assert request.headers["idempotency-key"] == KEY
    assert payment.status is again.status is PaymentStatus.CANCELLED
    assert len(requests) == 1


def test_money_that_is_still_reserved_was_not_given_up() -> None:
    """An answer that says so is not believed."""
    authorised = recorded("stripe_payment_intent_authorised")
    with pytest.raises(IntegrityBreach):
        _ = drive(account().cancel_payment(PI, key=KEY, now=NOW), authorised, authorised)


def test_the_disputes_of_a_payment_oldest_first() -> None:
    """Each with its own id, and until when it can be answered."""
    disputes, (request,) = drive(account().disputes_of(PI), recorded("stripe_disputes"))

    assert request.url.path == "/v1/disputes"
    assert query(request) == {"payment_intent": PI, "limit": "100"}
    assert [(one.vendor_id, one.status) for one in disputes] == [
        ("du_1SkPbLolder", DisputeStatus.WON),
        ("du_1SkPbL", DisputeStatus.OPEN),
    ]
    assert disputes[1].payment_vendor_id == PI


def test_nothing_charged_is_nothing_contested() -> None:
    """A session that charged nothing stands for itself, and nothing is asked."""
    for call in (account().disputes_of("cs_test_a1free"), account().refunds_of("cs_test_a1free")):
        assert drive(call) == ([], [])


def test_an_odd_dispute_is_not_believed() -> None:
    """Whatever is missing is a breach."""
    page = recorded("stripe_disputes")
    page["data"][0]["amount"] = None
    with pytest.raises(IntegrityBreach):
        _ = drive(account().disputes_of(PI), page)


def test_no_odd_id_is_sent_with_a_change() -> None:
    """Nothing is sent for an id that is none."""
    calls = (
        account().capture("../x", Money(1, "EUR"), key=KEY, now=NOW),
        account().cancel_payment("pi_1/x", key=KEY, now=NOW),
        account().disputes_of("pi 1"),
        account().reopen_link("?", key=KEY, now=NOW),
        account().close_link("a/b", key=KEY, now=NOW),
    )
    for call in calls:
        with pytest.raises(InvalidInput):
            _ = next(call)
