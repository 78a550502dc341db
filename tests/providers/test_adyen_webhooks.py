"""Adyen's webhooks: which are believed."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from paybylink.errors import WebhookRejected
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import (
    UnknownNotice,
)

from .adyen_given import (
    HMAC_KEY,
    MARK,
    NOW,
    OLD_HMAC_KEY,
    PAYMENT,
    account,
    item,
    notification,
    signed,
)

AUTHORISATION_EVENT = f"AUTHORISATION:{PAYMENT}:true"


def rejected(
    body: bytes, provider: AdyenProvider | None = None, headers: dict[str, str] | None = None
) -> WebhookRejected:
    """Why a body is not believed."""
    with pytest.raises(WebhookRejected) as caught:
        (provider or account()).verify(headers or {}, body, now=NOW)
    return caught.value


# Whether to believe


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"merchantReference": "order-1001", "amount": {"value": 1130, "currency": "EUR"}},
            "FYPU3MgbmDBKjFBzFJhWobLiqPUwE95IR8AhCigLv6s=",
            id="payment",
        ),
        pytest.param(
            {
                "pspReference": "8825408195409505",
                "originalReference": PAYMENT,
                "merchantReference": "order-1001",
                "amount": {"value": 500, "currency": "EUR"},
                "eventCode": "REFUND",
            },
            "EXFlWPuTYjC0N27aOnW2DpH+CyRuR75BY7pU06/FbKE=",
            id="refund",
        ),
        pytest.param(
            {"merchantReference": "ord:1\\2-é", "amount": {"value": 1130, "currency": "EUR"}},
            "smuZy1PXAJoVzx3VstbH7zE8qJmB6W6r+4/kR/MCzAU=",
            id="nothing-escaped",
        ),
    ],
)
def test_signatures_are_adyens(fields: dict[str, Any], expected: str) -> None:
    """Vectors measured with Adyen's own package."""
    one = item("authorisation", merchantAccountCode="ExampleMerchant", **fields)
    one["additionalData"] = {"hmacSignature": expected}

    account(merchant_account="ExampleMerchant").verify({}, notification(one), now=NOW)


def test_a_signed_notification_is_believed() -> None:
    """Every item is signed with one of the keys, the old or the new one."""
    items = [signed(item("authorisation")), signed(item("refund"), OLD_HMAC_KEY)]

    account(hmac_keys=[HMAC_KEY.lower(), OLD_HMAC_KEY]).verify({}, notification(*items), now=NOW)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_item_with_a_wrong_signature_spoils_the_whole(place: int) -> None:
    """Adyen's package looks at the first only."""
    items = [signed(item("authorisation")) for _ in range(3)]
    items[place] = signed(item("authorisation"), OLD_HMAC_KEY)

    assert rejected(notification(*items)).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"pspReference": "9"},
        {"originalReference": "9"},
        {"merchantAccountCode": "Another"},
        {"merchantReference": f"{MARK}-m"},
        {"amount": {"currency": "EUR", "value": 1}},
        {"amount": {"currency": "USD", "value": 4990}},
        {"eventCode": "CAPTURE"},
        {"success": "false"},
        {"merchantReference": None},
        {"amount": None},
    ],
    ids=lambda changes: str(changes)[:50],
)
def test_a_changed_field_breaks_the_signature(changes: dict[str, Any]) -> None:
    """Each of the eight that are signed."""
    genuine = signed(item("authorisation"))

    _ = rejected(notification({**genuine, **changes}))


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "text",
        ["hmacSignature"],
        {"hmacSignature": None},
        {"hmacSignature": ""},
        {"hmacSignature": 7},
        {"hmacSignature": True},
        {"hmacSignature": "é"},
        {"hmacSignature": "x" * 100_000},
    ],
    ids=lambda data: str(data)[:30],
)
def test_an_item_that_is_not_signed_is_refused(data: object) -> None:
    """With nothing but our own error, whatever stands there."""
    one = item("authorisation")
    one["additionalData"] = data

    assert rejected(notification(one)).status == 400


ODD = ("null", "true", "false", "7", "1.5", "[]", "{}", '"\\ud800"', "9" * 5001, "1e999", "NaN")
#: What is signed as it was: a missing field is empty, and a boolean is its word.
AS_BEFORE = {("originalReference", "null"), ("success", "true")}


@pytest.mark.parametrize(
    "field", ["pspReference", "merchantReference", "success", "eventCode", "originalReference"]
)
@pytest.mark.parametrize("value", ODD, ids=lambda value: value[:8])
def test_odd_input_is_refused_and_nothing_else_is_raised(field: str, value: str) -> None:
    """Null, booleans, numbers, lists, half characters: signed for something else, so refused."""
    one = {**signed(item("authorisation")), field: "MARKED"}
    body = notification(one).replace(b'"MARKED"', value.encode())

    if (field, value) in AS_BEFORE:
        account().verify({}, body, now=NOW)
    else:
        _ = rejected(body)


@pytest.mark.parametrize("value", ODD, ids=lambda value: value[:8])
def test_odd_details_are_no_trouble(value: str) -> None:
    """What is not signed may be anything; the event is read or kept."""
    names = ("reason", "paymentMethod", "eventDate", "operations")
    one = {**signed(item("authorisation")), **dict.fromkeys(names, "MARKED")}
    one["additionalData"] |= dict.fromkeys(
        ("paymentLinkId", "cardHolderName", "shopperCountry", "modification.action"), "MARKED"
    )
    body = notification(one).replace(b'"MARKED"', value.encode())
    if value.isdigit() and len(value) > 9:
        # More digits than Python reads.
        _ = rejected(body)
        return

    account().verify({}, body, now=NOW)
    assert isinstance(account().read(body)[0].notice, UnknownNotice)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"notificationItems": []}',
        b'{"notificationItems": {}}',
        b'{"notificationItems": [null]}',
        b'{"notificationItems": [{}]}',
        b'{"notificationItems": [{"NotificationRequestItem": []}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: str(body[:50]),
)
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    """Both when it is verified and when it is read."""
    _ = rejected(body)
    with pytest.raises(WebhookRejected):
        _ = account().read(body)


def test_without_a_key_nothing_is_believed_and_adyen_tries_again() -> None:
    """It is our setting that is missing, so no 4xx."""
    assert rejected(notification(signed(item("authorisation"))), account(hmac_keys=())).status == 503


AUTHORISED_USER = {"webhook_user": "hook", "webhook_password": "pass:wörd"}
RIGHT = "Basic " + base64.b64encode("hook:pass:wörd".encode()).decode()


@pytest.mark.parametrize(
    "headers", [{"authorization": RIGHT}, {"Authorization": RIGHT.replace("Basic", "basic")}]
)
def test_basic_authentication_is_asked_for_where_it_is_set(headers: dict[str, str]) -> None:
    """Beside the signature, in any case of letters of header and scheme."""
    body = notification(signed(item("authorisation")))

    account(**AUTHORISED_USER).verify(headers, body, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": RIGHT + "x"},
        {"authorization": RIGHT.replace("Basic", "Bearer")},
        {"authorization": "Basic é"},
        {"authorization": "Basic"},
    ],
    ids=["none", "empty", "longer", "bearer", "not-ascii", "no-token"],
)
def test_a_wrong_user_or_password_is_refused(headers: dict[str, str]) -> None:
    """A genuine signature does not make up for it, nor the other way round."""
    body = notification(signed(item("authorisation")))

    assert rejected(body, account(**AUTHORISED_USER), headers).status == 401
    unsigned = rejected(
        notification(item("authorisation")), account(**AUTHORISED_USER), {"authorization": RIGHT}
    )
    assert unsigned.status == 400


def test_nothing_a_webhook_says_is_in_the_refusal() -> None:
    """Neither the reference nor the key."""
    one = {**signed(item("authorisation"), OLD_HMAC_KEY), "merchantReference": "MARKED"}

    told_so = str(rejected(notification(one)))

    assert "MARKED" not in told_so
    assert HMAC_KEY not in told_so


def test_adyen_is_answered_in_its_own_words() -> None:
    """Older endpoints of Adyen look for the word, newer ones for the status."""
    assert account().acknowledgement == b"[accepted]"
