"""Webhooks of Mollie: which may be read, and what they say."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from starlette.datastructures import Headers

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.providers.base import Bell, ForeignNotice, UnknownNotice

from .mollie_given import (
    ATTEMPT_ID,
    INVOICE,
    LINK_ID,
    NEWS,
    NOW,
    OLD_SECRET,
    PAYMENT,
    SECRET,
    VENDOR_LINK,
    account,
    event,
    signature,
    told,
)

# Test vectors of the scheme: body and secret give these signatures.
BODY = (
    b'{"resource":"event","id":"event_GvJ8WHrp5isUdRub9CJyH","type":"payment-link.paid",'
    b'"entityId":"pl_qng5gbbv8NAZ5gpM5ZYgx","createdAt":"2026-01-02T03:04:05.0Z"}'
)
SIGNED = "sha256=568b26bd20b6cd554f06dfccbf497444f6fb9b582a12f3ca24bf5cc7ffd48e05"
OLD_SIGNED = "sha256=13c6a38bfd4cbc873aed7d55524a3418636ae2710682175eb75a09d623200c73"
ACCENTED = '{"type":"payment-link.paid","entityId":"pl_x","note":"café €"}'.encode()
ACCENTED_SIGNED = "2c207b5fac3da0853aeecfe7171144f6ecf3d01ef59f9f2e84402eedf765212c"
QUERY = f"link={LINK_ID}&attempt={ATTEMPT_ID}"


def verify(header: str | None, body: bytes = BODY, **settings: Any) -> None:
    headers = {} if header is None else {"x-mollie-signature": header}
    account(**settings).verify(headers, body, now=NOW)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        pytest.param(SIGNED, BODY, id="plain"),
        pytest.param(SIGNED.removeprefix("sha256="), BODY, id="without-its-scheme"),
        pytest.param(f"{OLD_SIGNED}, {SIGNED}", BODY, id="two-joined-while-rolling"),
        pytest.param(f"{SIGNED},{OLD_SIGNED}", BODY, id="ours-first-while-rolling"),
        pytest.param(f"sha256={ACCENTED_SIGNED}", ACCENTED, id="not-ascii"),
    ],
)
def test_a_genuine_event_is_believed(header: str, body: bytes) -> None:
    """The vectors of Mollie's scheme, in every form the header may have."""
    verify(header, body)


def test_a_secret_that_is_being_replaced_still_counts() -> None:
    """Any signature under any of our secrets is enough, in any order."""
    verify(OLD_SIGNED, webhook_secrets=[SECRET, OLD_SECRET])
    verify(SIGNED, webhook_secrets=[OLD_SECRET, SECRET])
    with pytest.raises(WebhookRejected):
        verify(OLD_SIGNED, webhook_secrets=[SECRET])


def test_the_header_is_found_however_it_is_spelled() -> None:
    """Frameworks hand headers over in small letters, in capitals, or as they came."""
    for name in ("x-mollie-signature", "X-Mollie-Signature", "X-MOLLIE-SIGNATURE"):
        account().verify({"Host": "x", name: SIGNED}, BODY, now=NOW)


@pytest.mark.parametrize("ours_at", [0, 1], ids=["ours-first", "ours-second"])
def test_both_headers_count_while_a_secret_is_being_rolled(ours_at: int) -> None:
    """A server hands over both, and asked for the name it gives the first only."""
    pairs = [(b"x-mollie-signature", OLD_SIGNED.encode())]
    pairs.insert(ours_at, (b"x-mollie-signature", SIGNED.encode()))

    account().verify(Headers(raw=pairs), BODY, now=NOW)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        pytest.param(OLD_SIGNED, BODY, id="by-another-secret"),
        pytest.param(SIGNED, BODY + b" ", id="another-body"),
        pytest.param("", BODY, id="empty"),
        pytest.param("sha256=", BODY, id="no-signature"),
        pytest.param("sha256=" + "g" * 64, BODY, id="no-hex"),
        pytest.param("sha1=" + "0" * 64, BODY, id="another-scheme"),
        pytest.param(SIGNED[:-2], BODY, id="cut"),
        pytest.param("é", BODY, id="not-ascii"),
        pytest.param(",".join([OLD_SIGNED] * 100 + [SIGNED]), BODY, id="too-long-to-be-looked-at"),
        pytest.param("sha256=" + "0" * 64, b"id=tr_1", id="a-bell-with-a-wrong-signature"),
    ],
)
def test_what_bears_a_signature_that_fits_no_secret_is_refused(header: str, body: bytes) -> None:
    """With 400: it may be forged."""
    with pytest.raises(WebhookRejected) as caught:
        verify(header, body)

    assert caught.value.status == 400


def test_a_signed_event_without_any_secret_is_tried_again_by_mollie() -> None:
    """The merchant forgot the setting; Mollie then comes back for more than a day."""
    with pytest.raises(WebhookRejected) as caught:
        verify(SIGNED, webhook_secrets=[])

    assert caught.value.status == 503


@pytest.mark.parametrize("secrets", [[], [SECRET]], ids=["no-secret", "a-secret"])
@pytest.mark.parametrize(
    "body", [b"id=tr_PbLPaidCard", b"id=pl_4PbLSingle", b"id=ord_1", b"id=tr_1&testByMollie=1"]
)
def test_a_classic_call_is_a_bell_with_or_without_secrets(secrets: list[str], body: bytes) -> None:
    """Nothing of it is believed, so nothing has to be proved."""
    verify(None, body, webhook_secrets=secrets)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY, id="an-event"),
        pytest.param(b'{"id":"tr_1"}', id="json-of-an-id"),
        pytest.param(b'{"a=b":"&id=tr_1&c=d"}', id="json-that-reads-as-a-form"),
        pytest.param(b"", id="empty"),
        pytest.param(b"id=", id="no-id"),
        pytest.param(b"id=tr_1&id=tr_2", id="two-ids"),
        pytest.param(b"id=tr_1%2F..", id="a-path"),
        pytest.param(b"payment=tr_1", id="another-field"),
        pytest.param(b"id=7", id="no-kind"),
        pytest.param(b"id=tr_1&x=" + b"y" * 2000, id="long"),
        pytest.param("id=tr_é".encode(), id="not-ascii"),
    ],
)
def test_leaving_the_signature_out_gains_nothing(body: bytes) -> None:
    """What bears none is a classic form or refused; JSON is refused always."""
    for secrets in ([], [SECRET]):
        with pytest.raises(WebhookRejected) as caught:
            verify(None, body, webhook_secrets=secrets)
        assert caught.value.status == 400


def test_a_classic_call_rings_for_a_payment_and_the_address_says_for_which_link() -> None:
    """The next ring of the same payment may mean its refund; so the payment is asked for each time."""
    found = told(b"id=tr_PbLPaidCard", query=QUERY)

    assert found.notice == Bell(
        mode=Mode.TEST, payment_vendor_id=PAYMENT, link_id=LINK_ID, attempt_id=ATTEMPT_ID
    )
    assert (found.event_id, found.kind, found.mode) == (PAYMENT, "classic", Mode.TEST)
    assert found.at == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def test_a_classic_call_may_ring_for_a_link() -> None:
    """Mollie calls with the payment's id today, and may call with the link's."""
    assert told(b"id=pl_4PbLSingle").notice == Bell(mode=Mode.TEST, link_vendor_id=VENDOR_LINK)


def test_a_classic_call_for_something_else_is_foreign() -> None:
    """It is answered 200, since Mollie wants that for unknown ids as well."""
    assert isinstance(told(b"id=ord_1").notice, ForeignNotice)


@pytest.mark.parametrize(
    "query", ["", "link=&attempt=", "link=a/b&attempt=%00", "link=" + "x" * 65, "&&=", "link", "a=1&" * 200]
)
def test_a_hint_that_is_none_of_ours_is_no_hint(query: str) -> None:
    """Anybody may call the address with anything."""
    assert told(b"id=tr_1", query=query).notice == Bell(mode=Mode.TEST, payment_vendor_id="tr_1")


def test_the_last_of_two_marks_counts() -> None:
    """Ours are appended to whatever the merchant's address holds."""
    notice = told(b"id=tr_1", query=f"link=theirs&{QUERY}").notice

    assert isinstance(notice, Bell)
    assert notice.link_id == LINK_ID


@pytest.mark.parametrize(
    ("name", "bell"),
    [
        (
            "payment_link_paid",
            Bell(mode=Mode.TEST, link_vendor_id=VENDOR_LINK, link_id=LINK_ID, attempt_id=ATTEMPT_ID),
        ),
        ("payment_link_paid_simple", Bell(mode=Mode.TEST, link_vendor_id=VENDOR_LINK)),
        ("payment_paid", Bell(mode=Mode.TEST, payment_vendor_id=PAYMENT)),
        ("payment_paid_simple", Bell(mode=Mode.TEST, payment_vendor_id=PAYMENT)),
        ("refund_refunded", Bell(mode=Mode.TEST, payment_vendor_id=PAYMENT)),
        ("chargeback_received", Bell(mode=Mode.TEST, payment_vendor_id=PAYMENT)),
        ("sales_invoice_paid", Bell(mode=Mode.TEST, link_vendor_id=INVOICE)),
    ],
)
def test_an_event_rings_for_what_has_to_be_asked_for(name: str, bell: Bell) -> None:
    """A snapshot is old news by the time it is read, also where there is one."""
    found = told(event(name))

    assert found.notice == bell
    assert found.event_id.startswith("event_PbL")
    assert found.at == dt.datetime(2026, 1, 2, 10, 0, 1, tzinfo=dt.UTC)


def test_marks_in_a_snapshot_are_a_hint() -> None:
    """Where Mollie shows our own address on a payment."""
    body = json.loads(event("payment_paid"))
    body["_embedded"]["entity"]["webhookUrl"] = NEWS

    notice = told(json.dumps(body).encode()).notice

    assert isinstance(notice, Bell)
    assert (notice.link_id, notice.attempt_id) == (LINK_ID, ATTEMPT_ID)


def test_a_refund_that_does_not_name_its_payment_is_kept() -> None:
    """A simple payload has the refund's id alone, by which Mollie cannot be asked."""
    notice = told(event("refund_refunded_simple")).notice

    assert isinstance(notice, UnknownNotice)
    assert "full payloads" in notice.reason


def test_an_event_of_the_other_mode_says_so() -> None:
    """It is parked by whoever reads it."""
    body = json.loads(event("payment_paid"))
    body["_embedded"]["entity"]["mode"] = "live"

    found = told(json.dumps(body).encode())

    assert found.mode is Mode.LIVE
    assert isinstance(found.notice, Bell)
    assert found.notice.mode is Mode.LIVE


@pytest.mark.parametrize(
    ("kind", "notice"),
    [
        ("payout.completed", ForeignNotice),
        ("balance-transaction.created", ForeignNotice),
        ("business-account-transfer.processed", ForeignNotice),
        ("hook.ping", ForeignNotice),
        ("something.of-tomorrow", UnknownNotice),
        ("payment", UnknownNotice),
        ("payment.paid", UnknownNotice),
    ],
)
def test_other_events_are_foreign_or_kept(kind: str, notice: type) -> None:
    """A kind that we do not know, or one that names nothing that can be asked for, can be read again later."""
    body = event("payout_completed", type=kind, entityId="" if kind.startswith("payment") else "po_1")

    assert isinstance(told(body).notice, notice)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": None},
        {"type": 7},
        {"createdAt": None},
        {"createdAt": "yesterday"},
    ],
    ids=str,
)
def test_a_signed_body_that_is_no_event_is_refused(changes: dict[str, Any]) -> None:
    """It cannot be processed once."""
    with pytest.raises(WebhookRejected):
        _ = told(event("payment_paid", **changes))


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"7", b"null", b"{", b"\xff", b"[" * 100_000, b'{"type":"x","id":"y"}'],
    ids=range(8),
)
def test_a_signed_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    """Whatever it is."""
    provider = account()
    provider.verify({"X-Mollie-Signature": signature(body)}, body, now=NOW)
    with pytest.raises(WebhookRejected):
        _ = provider.read(body)


def test_mollie_wants_an_empty_answer() -> None:
    """Only the status counts, which is exactly 200."""
    assert account().acknowledgement == b""
