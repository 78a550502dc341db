"""Webhooks of Stripe: which are believed, and what they say."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import (
    Bell,
    DisputeNotice,
    ForeignNotice,
    LinkNotice,
    Payer,
    PaymentNotice,
    ProviderEvent,
    RefundNotice,
    UnknownNotice,
    VendorLinkStatus,
)

from .stripe_given import ATTEMPT_ID, LINK_ID, OLD_SECRET, REFUND_ID, SECRET, account, recorded

# The test vector of the facts: secret, timestamp and body give these signatures.
T = 1767225600
BODY = b'{"id":"evt_paybylink_1","object":"event","type":"checkout.session.completed"}'
V1 = "bcd384d2010c1e2dabaa83d55e6dba6a37525c574101deaac008d8640ec67c47"
OLD_V1 = "75a7f6f5c7452a6bc67c91cbde0910bd0d4b93c8862053451a07e318e8d9d8a6"
SIGNED_AT = dt.datetime.fromtimestamp(T, dt.UTC)


def signed(body: bytes, *, secret: str = SECRET, timestamp: int = T) -> str:
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


def verify(header: str | None, body: bytes = BODY, *, after: float = 0, **settings: Any) -> None:
    headers = {} if header is None else {"stripe-signature": header}
    account(**settings).verify(headers, body, now=SIGNED_AT + dt.timedelta(seconds=after))


def event(name: str, **changes: Any) -> bytes:
    return json.dumps(recorded(f"event_{name}", **changes)).encode()


def read(body: bytes, **settings: Any) -> ProviderEvent:
    (found,) = account(**settings).read(body)
    return found


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"t={T},v1={V1}", id="plain"),
        pytest.param(f"t={T},v1={OLD_V1},v1={V1}", id="two-signatures-while-rolling"),
        pytest.param(f"t={T},v1={V1},v1={OLD_V1}", id="ours-first-while-rolling"),
        pytest.param(
            f"t={T},v1={V1},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39", id="v0"
        ),
        pytest.param(f"v1={V1}, t={T}", id="another-order-and-a-space"),
    ],
)
def test_a_genuine_webhook_is_believed(header: str) -> None:
    """The vector of Stripe's scheme, in every form the header may have."""
    verify(header)


def test_a_secret_that_is_being_replaced_still_counts() -> None:
    """Any signature under any of our secrets is enough, in any order."""
    verify(f"t={T},v1={OLD_V1}", webhook_secrets=[SECRET, OLD_SECRET])
    verify(f"t={T},v1={V1}", webhook_secrets=[OLD_SECRET, SECRET])
    with pytest.raises(WebhookRejected):
        verify(f"t={T},v1={OLD_V1}", webhook_secrets=[SECRET])


def test_the_header_is_found_however_it_is_spelled() -> None:
    """Frameworks hand headers over in small letters, in capitals, or as they came."""
    for name in ("stripe-signature", "Stripe-Signature", "STRIPE-SIGNATURE"):
        account().verify({"Host": "x", name: f"t={T},v1={V1}"}, BODY, now=SIGNED_AT)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        pytest.param(None, BODY, id="no-header"),
        pytest.param("", BODY, id="empty-header"),
        pytest.param(f"t={T},v1={V1}", BODY[:-1], id="truncated-body"),
        pytest.param(f"t={T},v1={V1}", json.dumps(json.loads(BODY)).encode(), id="re-serialised-body"),
        pytest.param(f"t={T},v1={V1}", BODY + b"\n", id="line-break-added"),
        pytest.param(f"t={T},v1={V1}", b"", id="empty-body"),
        pytest.param(f"t={T},v1={V1}", b"\xff\xfe" + BODY, id="no-utf-8"),
        pytest.param(f"t={T},v1={V1[:-1]}", BODY, id="truncated-signature"),
        pytest.param(f"t={T},v1={V1.upper()}", BODY, id="capitals"),
        pytest.param(f"t={T},v1={'0' * 64}", BODY, id="forged"),
        pytest.param(f"t={T},v1=", BODY, id="empty-signature"),
        pytest.param(f"t={T},v0={V1}", BODY, id="only-v0"),
        pytest.param(f"t={T},v2={V1}", BODY, id="another-scheme"),
        pytest.param(f"t={T + 1},v1={V1}", BODY, id="another-timestamp"),
        pytest.param(f"t={T},t={T},v1={V1}", BODY, id="two-timestamps"),
        pytest.param(f"t=,v1={V1}", BODY, id="no-timestamp"),
        pytest.param(f"t=-{T},v1={V1}", BODY, id="negative-timestamp"),
        pytest.param(f"t=0{T}000,v1={V1}", BODY, id="endless-timestamp"),
        pytest.param(f"v1={V1}", BODY, id="timestamp-left-out"),
        pytest.param(f"t={T},v1={V1[:-1]}é", BODY, id="no-ascii"),
        pytest.param(f"t={T},v1={V1}," + "x" * 5000, BODY, id="endless-header"),
        pytest.param(V1, BODY, id="no-pairs"),
    ],
)
def test_anything_else_is_rejected(header: str | None, body: bytes) -> None:
    """Forged, truncated, re-serialised, misspelled: one error, answered 400, without the body or the secret."""
    with pytest.raises(WebhookRejected) as caught:
        verify(header, body)

    assert caught.value.status == 400
    assert "whsec" not in str(caught.value)
    assert "evt_paybylink_1" not in str(caught.value)


@pytest.mark.parametrize("after", [300, -300, 0])
def test_the_tolerance_reaches_both_ways(after: int) -> None:
    """Up to five minutes of delay, or of clocks that differ, are accepted."""
    verify(f"t={T},v1={V1}", after=after)


@pytest.mark.parametrize(
    ("after", "told"), [(301, "too old"), (-301, "from the future"), (-(10**8), "future"), (10**9, "old")]
)
def test_a_stale_or_future_webhook_is_rejected(after: int, told: str) -> None:
    """A genuine signature is not played again later, nor is one prepared for later."""
    with pytest.raises(WebhookRejected, match=told):
        verify(f"t={T},v1={V1}", after=after)


def test_the_tolerance_can_be_set() -> None:
    """A host behind a slow queue may wait longer."""
    verify(f"t={T},v1={V1}", after=3000, tolerance=dt.timedelta(hours=1))


def test_bytes_that_are_no_text_can_be_genuine_and_are_then_unreadable() -> None:
    """A signature over such bytes holds; reading them is rejected, not a decoding error."""
    body = b'{"id": "\xff"}'
    verify(signed(body), body)

    with pytest.raises(WebhookRejected, match="no event"):
        _ = read(body)


def test_without_a_secret_nothing_is_believed_and_stripe_tries_again() -> None:
    """A forgotten setting loses no event: the answer asks Stripe to come back."""
    with pytest.raises(WebhookRejected, match="set webhook_secrets") as caught:
        verify(f"t={T},v1={V1}", webhook_secrets=[])

    assert caught.value.status == 503


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        BODY,
        event("session_completed", id=7),
        event("session_completed", id=""),
        event("session_completed", type=None),
        event("session_completed", created="now"),
        event("session_completed", created=10**18),
        event("session_completed", livemode=None),
        event("session_completed", data=None),
        event("session_completed", object="list"),
    ],
)
def test_a_verified_body_that_is_no_event_is_rejected(body: bytes) -> None:
    """Without id, type, time and mode it cannot be processed once."""
    with pytest.raises(WebhookRejected):
        _ = read(body)


def test_what_was_only_reserved_is_no_money_whatever_the_session_calls_it() -> None:
    """The intent's own news say when it is reserved and when it is taken."""
    made = recorded("event_session_completed")
    made["data"]["object"]["metadata"]["paybylink_later"] = "1"

    notice = read(json.dumps(made).encode()).notice

    assert isinstance(notice, PaymentNotice)
    assert notice.status is PaymentStatus.PROCESSING


def test_a_completed_session_that_is_paid_is_a_payment_in_our_currency() -> None:
    """Amount and currency are the order's, not what a payer abroad was shown."""
    found = read(event("session_completed"))

    assert (found.event_id, found.kind) == ("evt_1SkPbLcompleted", "checkout.session.completed")
    assert (found.mode, found.at) == (Mode.TEST, dt.datetime.fromtimestamp(1767229210, dt.UTC))
    assert found.notice == PaymentNotice(
        vendor_id="pi_3SkPbLcard",
        amount=Money(4990, "EUR"),
        status=PaymentStatus.SUCCEEDED,
        at=found.at,
        mode=Mode.TEST,
        link_vendor_id="plink_1SkPbLsingle",
        link_id=LINK_ID,
        attempt_id=ATTEMPT_ID,
        vendor_status="paid",
        payer=Payer(name="Marked Payer", email="marked-payer@example.com", country="FR"),
    )


@pytest.mark.parametrize(
    ("name", "status", "method"),
    [
        ("session_completed_unpaid", PaymentStatus.PROCESSING, "sepa_debit"),
        ("async_payment_succeeded", PaymentStatus.SUCCEEDED, "sepa_debit"),
        ("async_payment_failed", PaymentStatus.FAILED, "sepa_debit"),
    ],
)
def test_a_delayed_method_is_processing_until_its_result_comes(
    name: str, status: PaymentStatus, method: str
) -> None:
    """All three events name the same payment."""
    notice = read(event(name)).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.vendor_id, notice.status, notice.method) == ("pi_3SkPbLsepa", status, method)


def _session_event(kind: str = "checkout.session.completed", **changes: Any) -> bytes:
    made = recorded("event_session_completed", type=kind)
    made["data"]["object"].update(changes)
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    ("kind", "paid"),
    [
        ("checkout.session.completed", "half_paid"),
        ("checkout.session.async_payment_succeeded", "unpaid"),
    ],
)
def test_an_unknown_word_never_becomes_money(kind: str, paid: str) -> None:
    """Neither a new payment status nor an event that contradicts its payload says paid."""
    notice = read(_session_event(kind, payment_status=paid)).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.status, notice.vendor_status) == (PaymentStatus.UNKNOWN, paid)


def test_a_session_of_nobody_is_foreign() -> None:
    """Checkout sessions that the merchant's other software makes are counted and left alone."""
    for metadata in ({}, None, {"order": "7"}):
        assert isinstance(read(_session_event(metadata=metadata)).notice, ForeignNotice)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_total": None},
        {"amount_total": "4990"},
        {"currency": None},
        {"currency": "zzz"},
        {"payment_status": None, "id": None, "payment_intent": None},
        {"livemode": True},
        {"livemode": None},
    ],
)
def test_what_cannot_be_read_is_kept_and_not_guessed(changes: dict[str, Any]) -> None:
    """An event of ours with a payload of another shape can be read again by a later version."""
    assert isinstance(read(_session_event(**changes)).notice, UnknownNotice)


def test_a_payload_that_is_no_object_is_kept() -> None:
    """Also a payload of no shape at all."""
    made = recorded("event_session_completed")
    made["data"]["object"] = "cs_test_1"

    assert isinstance(read(json.dumps(made).encode()).notice, UnknownNotice)


def test_a_refund_says_what_it_gives_back() -> None:
    """Its mark leads to our row; when it changed is when the event says."""
    notice = read(event("refund_updated")).notice

    assert notice == RefundNotice(
        vendor_id="re_3SkPbLpart",
        payment_vendor_id="pi_3SkPbLcard",
        amount=Money(1000, "EUR"),
        status=RefundStatus.SUCCEEDED,
        at=dt.datetime.fromtimestamp(1767312060, dt.UTC),
        mode=Mode.TEST,
        refund_id=REFUND_ID,
        reason="returned",
        vendor_status="succeeded",
    )


def test_a_refund_can_fail_days_later() -> None:
    """The money came back."""
    notice = read(event("refund_failed")).notice

    assert isinstance(notice, RefundNotice)
    assert notice.status is RefundStatus.FAILED


def test_a_refund_from_the_dashboard_is_told_too() -> None:
    """It has no mark of ours, and names the payment, by which it is known."""
    made = recorded("event_refund_updated")
    made["data"]["object"]["metadata"] = {}
    notice = read(json.dumps(made).encode()).notice

    assert isinstance(notice, RefundNotice)
    assert (notice.refund_id, notice.payment_vendor_id) == ("", "pi_3SkPbLcard")


@pytest.mark.parametrize("name", ["refund_updated", "dispute_created"])
def test_money_without_a_payment_intent_is_foreign(name: str) -> None:
    """Our links always make one."""
    made = recorded(f"event_{name}")
    made["data"]["object"]["payment_intent"] = None

    assert isinstance(read(json.dumps(made).encode()).notice, ForeignNotice)


def test_a_dispute_says_until_when_it_can_be_answered() -> None:
    """Amount, reason and day are Stripe's."""
    assert read(event("dispute_created")).notice == DisputeNotice(
        vendor_id="du_1SkPbL",
        payment_vendor_id="pi_3SkPbLcard",
        amount=Money(4990, "EUR"),
        status=DisputeStatus.OPEN,
        at=dt.datetime.fromtimestamp(1768000000, dt.UTC),
        mode=Mode.TEST,
        reason="product_not_received",
        respond_by=dt.datetime.fromtimestamp(1768600000, dt.UTC),
    )


@pytest.mark.parametrize(
    ("kind", "word", "status"),
    [
        ("closed", "won", DisputeStatus.WON),
        ("closed", "lost", DisputeStatus.LOST),
        ("closed", "warning_closed", DisputeStatus.WON),
        ("updated", "under_review", DisputeStatus.OPEN),
        ("funds_withdrawn", "needs_response", DisputeStatus.OPEN),
        ("funds_reinstated", "won", DisputeStatus.WON),
        ("updated", "resting", DisputeStatus.OPEN),
    ],
)
def test_every_word_for_a_dispute_has_one_meaning(kind: str, word: str, status: DisputeStatus) -> None:
    """An unknown word leaves it open."""
    made = recorded("event_dispute_created", type=f"charge.dispute.{kind}")
    made["data"]["object"].update(status=word, evidence_details=None)
    notice = read(json.dumps(made).encode()).notice

    assert isinstance(notice, DisputeNotice)
    assert (notice.status, notice.respond_by) == (status, None)


@pytest.mark.parametrize(
    ("active", "status"),
    [
        (False, VendorLinkStatus.CLOSED),
        (True, VendorLinkStatus.OPEN),
        ("resting", VendorLinkStatus.UNKNOWN),
    ],
)
def test_a_link_changed_in_the_dashboard_is_told(active: object, status: VendorLinkStatus) -> None:
    """Closed by hand at Stripe is closed."""
    made = recorded("event_payment_link_updated")
    made["data"]["object"]["active"] = active

    assert read(json.dumps(made).encode()).notice == LinkNotice(
        vendor_id="plink_1SkPbLsingle", status=status, mode=Mode.TEST, link_id=LINK_ID
    )


def test_a_link_that_is_used_up_was_not_changed_by_hand() -> None:
    """Stripe closes it after its last payment; that is no news beside the payment's own."""
    made = recorded("event_payment_link_updated")
    made["data"]["object"]["restrictions"]["completed_sessions"]["count"] = 1

    assert isinstance(read(json.dumps(made).encode()).notice, ForeignNotice)


def test_a_link_of_nobody_is_foreign() -> None:
    """Links made by hand are not ours."""
    made = recorded("event_payment_link_updated")
    made["data"]["object"]["metadata"] = {}

    assert isinstance(read(json.dumps(made).encode()).notice, ForeignNotice)


@pytest.mark.parametrize(
    "kind",
    ["payment_intent.payment_failed", "charge.refunded", "checkout.session.expired", "product.created"],
)
def test_informative_events_change_nothing(kind: str) -> None:
    """One failed attempt is not the end, and refund events say better what was refunded."""
    notice = read(event("session_completed", type=kind)).notice

    assert isinstance(notice, ForeignNotice)
    assert "informative" in notice.reason


def test_a_kind_of_event_that_we_do_not_know_is_kept() -> None:
    """It can be replayed once a version knows it."""
    found = read(event("session_completed", type="treasury.whale_sighted"))

    assert isinstance(found.notice, UnknownNotice)
    assert found.kind == "treasury.whale_sighted"


def test_a_thin_event_is_kept_and_names_the_remedy() -> None:
    """It carries no object; the endpoint should send snapshots."""
    found = read(json.dumps(recorded("thin_event")).encode())

    assert (found.event_id, found.mode) == ("evt_test_65Thin", Mode.TEST)
    assert found.at == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert isinstance(found.notice, UnknownNotice)
    assert "snapshot" in found.notice.reason


@pytest.mark.parametrize("created", ["2026-01-01T00:00:00", "yesterday", 1767225600, None])
def test_a_thin_event_needs_a_moment(created: object) -> None:
    """As any other event."""
    with pytest.raises(WebhookRejected):
        _ = read(json.dumps(recorded("thin_event", created=created)).encode())


def test_an_event_of_another_account_is_foreign() -> None:
    """A platform's endpoint hears of every connected account; only the configured one is ours."""
    theirs = event("session_completed", account="acct_2Other")

    assert isinstance(read(theirs).notice, ForeignNotice)
    assert isinstance(read(theirs, account="acct_1Mine").notice, ForeignNotice)
    assert isinstance(read(theirs, account="acct_2Other").notice, PaymentNotice)


def test_a_live_event_says_live() -> None:
    """Whoever receives it compares the mode with the key's."""
    made = recorded("event_session_completed", livemode=True)
    made["data"]["object"]["livemode"] = True
    found = read(json.dumps(made).encode())

    assert found.mode is Mode.LIVE
    assert isinstance(found.notice, PaymentNotice)
    assert found.notice.mode is Mode.LIVE


def test_a_failed_payment_on_a_link_for_one_has_used_it_up() -> None:
    """Stripe counts a session when the payer is done; only a link for one payment is over by that."""
    made = recorded("event_async_payment_failed")
    session = made["data"]["object"]
    told = []
    for limit, link in (("1", "plink_1"), ("7", "plink_1"), (None, "plink_1"), ("1", None)):
        session["metadata"]["paybylink_limit"], session["payment_link"] = limit, link
        notice = read(json.dumps(made).encode()).notice
        assert isinstance(notice, PaymentNotice)
        told.append((notice.uses_up, notice.link_vendor_id))

    assert told == [(True, "plink_1"), (False, "plink_1"), (False, "plink_1"), (False, session["id"])]


def test_money_that_came_uses_nothing_up() -> None:
    """Only a failed payment needs its link opened again."""
    made = recorded("event_session_completed")
    made["data"]["object"]["metadata"]["paybylink_limit"] = "1"
    notice = read(json.dumps(made).encode()).notice

    assert isinstance(notice, PaymentNotice)
    assert not notice.uses_up


@pytest.mark.parametrize(
    ("details", "payer"),
    [
        (None, None),
        ({}, None),
        ({"email": "a@b.example"}, Payer(email="a@b.example")),
        ({"business_name": "Atelier", "address": {"country": "BE"}}, Payer(name="Atelier", country="BE")),
        ({"individual_name": "Zoé", "business_name": "Atelier", "address": None}, Payer(name="Zoé")),
        ({"name": 7, "email": ["x"]}, None),
    ],
)
def test_who_paid_is_told_where_stripe_tells_it(details: object, payer: Payer | None) -> None:
    """Each word where it is there; anything odd is left out."""
    notice = read(_session_event(customer_details=details)).notice

    assert isinstance(notice, PaymentNotice)
    assert notice.payer == payer


@pytest.mark.parametrize(
    ("name", "status", "amount"),
    [
        ("stripe_event_authorised", PaymentStatus.AUTHORISED, 4990),
        ("stripe_event_captured", PaymentStatus.SUCCEEDED, 4000),
        ("stripe_event_given_up", PaymentStatus.CANCELLED, 4990),
    ],
)
def test_reserved_money_is_told_until_it_is_taken_or_given_up(
    name: str, status: PaymentStatus, amount: int
) -> None:
    """By the payment intent, under the id that the session's news have; what counts is what was taken."""
    found = read(json.dumps(recorded(name)).encode())

    notice = found.notice
    assert isinstance(notice, PaymentNotice)
    assert (notice.vendor_id, notice.status, notice.at) == ("pi_3SkPbLcard", status, found.at)
    assert notice.amount == Money(amount, "EUR")
    assert (notice.link_id, notice.attempt_id) == (LINK_ID, ATTEMPT_ID)
    assert not notice.uses_up


def _intent_event(name: str = "stripe_event_captured", **changes: Any) -> bytes:
    made = recorded(name)
    made["data"]["object"].update(changes)
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    "changes", [{"metadata": {}}, {"metadata": None}, {"capture_method": "automatic_async"}]
)
def test_an_intent_that_the_session_tells_of_is_not_told_twice(changes: dict[str, Any]) -> None:
    """Money taken at once comes with its session and link; a foreign intent is nobody's."""
    for name in ("authorised", "captured", "given_up"):
        assert isinstance(read(_intent_event(f"stripe_event_{name}", **changes)).notice, ForeignNotice)


@pytest.mark.parametrize(
    "changes",
    [{"livemode": True}, {"amount": None, "amount_received": None}, {"capture_method": None, "id": 7}],
)
def test_an_intent_that_cannot_be_read_is_never_money(changes: dict[str, Any]) -> None:
    """Of another mode or another shape, it is kept or left alone."""
    notice = read(_intent_event(**changes)).notice

    assert isinstance(notice, UnknownNotice | ForeignNotice)


def test_an_unknown_word_for_an_intent_never_becomes_money() -> None:
    """Whatever the event is called."""
    notice = read(_intent_event(status="resting")).notice

    assert isinstance(notice, PaymentNotice)
    assert (notice.status, notice.vendor_status) == (PaymentStatus.UNKNOWN, "resting")


@pytest.mark.parametrize("kind", ["invoice.paid", "invoice.payment_failed", "invoice.overpaid"])
def test_an_invoice_rings(kind: str) -> None:
    """It does not say by which payment it was paid, so its payments are asked for."""
    notice = read(json.dumps(recorded("stripe_event_invoice_paid", type=kind)).encode()).notice

    assert notice == Bell(mode=Mode.TEST, link_vendor_id="in_1SkPbL", link_id=LINK_ID, attempt_id=ATTEMPT_ID)


@pytest.mark.parametrize("kind", ["invoice.voided", "invoice.deleted"])
def test_an_invoice_closed_by_hand_is_told(kind: str) -> None:
    """In the Dashboard, say."""
    notice = read(json.dumps(recorded("stripe_event_invoice_voided", type=kind)).encode()).notice

    assert notice == LinkNotice(
        vendor_id="in_1SkPbL", status=VendorLinkStatus.CLOSED, mode=Mode.TEST, link_id=LINK_ID
    )


@pytest.mark.parametrize("kind", ["invoice.paid", "invoice.voided"])
def test_an_invoice_of_nobody_is_foreign(kind: str) -> None:
    """The merchant's own invoices are left alone."""
    made = recorded("stripe_event_invoice_paid", type=kind)
    made["data"]["object"]["metadata"] = {}

    assert isinstance(read(json.dumps(made).encode()).notice, ForeignNotice)


@pytest.mark.parametrize(
    "kind", ["invoice.payment_succeeded", "invoice.overdue", "invoice.marked_uncollectible", "invoice.sent"]
)
def test_other_news_of_an_invoice_change_nothing(kind: str) -> None:
    """`invoice.payment_succeeded` comes beside `invoice.paid`; after the others it can be paid as before."""
    notice = read(json.dumps(recorded("stripe_event_invoice_paid", type=kind)).encode()).notice

    assert isinstance(notice, ForeignNotice)


def test_a_session_that_is_a_link_tells_its_end() -> None:
    """One that a payment link made has merely been left by its payer."""
    made = recorded("stripe_event_session_alone_expired")
    alone = read(json.dumps(made).encode()).notice
    made["data"]["object"]["payment_link"] = "plink_1"
    of_link = read(json.dumps(made).encode()).notice

    assert alone == LinkNotice(
        vendor_id="cs_test_a1own", status=VendorLinkStatus.CLOSED, mode=Mode.TEST, link_id=LINK_ID
    )
    assert isinstance(of_link, ForeignNotice)


@pytest.mark.parametrize(
    "kind", ["payout.paid", "balance.available", "customer.created", "invoiceitem.created"]
)
def test_what_is_asked_for_elsewhere_is_informative(kind: str) -> None:
    """Payouts come with the settlements; customers and items belong to an invoice."""
    assert isinstance(read(event("session_completed", type=kind)).notice, ForeignNotice)


def test_any_answer_will_do_and_the_query_says_nothing() -> None:
    """Stripe reads the status of an answer only, and knows of no link in the webhook's address."""
    assert account().acknowledgement == b""
    assert account().read(event("session_completed"), query="link=x") == account().read(
        event("session_completed")
    )
