"""
Adyen's webhooks: whether to believe one, and what it says.

The signature is checked here and not by the package, whose verifier looks at the first item only, takes one key at a
time, returns None for an item without `additionalData`, and raises or signs ``None`` on odd input.

A body has one item or several, each signed for itself (`additionalData.hmacSignature`): HMAC-SHA256, with a key that
is told in hexadecimal, over eight fields joined with colons, in base64. A field that is missing or null is empty.
Nothing is escaped, so fields could slide into each other; a colon is taken in one of them only.

Rule 1: every item has to be signed, or the whole body is refused.
Rule 2: only the signed fields are believed. `paymentLinkId` and all of `additionalData`, `live`, the date, the method
        and the reason are not signed; they are details, and none of them decides whose money it is.
Rule 3: whatever stands in the body, nothing but `WebhookRejected` is raised.
Rule 4: what is genuine and cannot be understood is kept and answered with a yes: Adyen tells a refused event again
        for days, and the ones behind it wait.

No time is signed, so an old message can be played again; it has the same id and changes nothing.

Source: docs.adyen.com, "Verify HMAC signatures", "Handle webhook events", "Webhook structure".
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.providers.base import Notice, ProviderEvent, UnknownNotice

from ._notices import Told, moment, notice_of

Json: TypeAlias = dict[str, Any]

#: What Adyen wants to read; any 2xx does since 2024, and older endpoints still look for it.
ACKNOWLEDGEMENT: Final = b"[accepted]"
_EPOCH: Final = dt.datetime.fromtimestamp(0, dt.UTC)
_MODES: Final = {"true": Mode.LIVE, "false": Mode.TEST}
#: More than any event code or reference needs.
_LONGEST_NAME: Final = 200
#: A body that was verified, and what it holds, for the reading that follows and takes it away: parsing a webhook
#: twice would be a fifth of what it costs.
_verified: ContextVar[tuple[bytes, Json] | None] = ContextVar("paybylink_adyen_verified", default=None)


def verify(
    headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], authorization: bytes | None
) -> None:
    """
    Return if every item of `body` was signed with one of `keys`.

    Args:
        authorization: what basic authentication has to say, in base64; None where none is set.

    Raises:
        WebhookRejected: it was not.
    """
    if not keys:
        # Not the sender's fault: a status on which Adyen tries again, for up to thirty days.
        raise WebhookRejected("no HMAC key is set, so nothing can be believed; set hmac_keys", status=503)
    if authorization is not None and not hmac.compare_digest(_given(headers), authorization):
        raise WebhookRejected(
            "the user or password of the webhook is wrong; write the same in the Customer Area (Developers, "
            "Webhooks) and in webhook_user and webhook_password",
            status=401,
        )
    notification = _notification(body)
    for item in _items(notification):
        data = item.get("additionalData")
        given = data.get("hmacSignature") if isinstance(data, Mapping) else None
        if not isinstance(given, str) or not given.isascii() or not given:
            raise WebhookRejected(
                "an item is not signed; make an HMAC key for the webhook in the Customer Area"
            )
        text = signed_text(item)
        genuine = False
        for key in keys:
            expected = base64.b64encode(hmac.digest(key, text, "sha256"))
            genuine |= hmac.compare_digest(given.encode("ascii"), expected)
        if not genuine:
            raise WebhookRejected("the signature of an item fits none of the HMAC keys; check hmac_keys")
    _ = _verified.set((body, notification))


def signed_text(item: Json) -> bytes:
    """
    What Adyen has signed of an item.

    Raises:
        WebhookRejected: a signed field is neither text nor a whole number.
    """
    amount = item.get("amount")
    amount = amount if isinstance(amount, Mapping) else {}
    fields = (
        item.get("pspReference"),
        item.get("originalReference"),
        item.get("merchantAccountCode"),
        item.get("merchantReference"),
        amount.get("value"),
        amount.get("currency"),
        item.get("eventCode"),
        item.get("success"),
    )
    try:
        return ":".join(_text(value) for value in fields).encode()
    except UnicodeEncodeError:
        raise WebhookRejected("a signed field is no text") from None


def read(body: bytes, *, account: str) -> tuple[ProviderEvent, ...]:
    """
    The events in a verified body.

    Args:
        account: the merchant account that is ours.

    Raises:
        WebhookRejected: it is no notification of Adyen.
    """
    known = _verified.get()
    # The same object, not an equal one: what was verified is read, and nothing else.
    if known is not None and known[0] is body:
        _ = _verified.set(None)
        notification = known[1]
    else:
        notification = _notification(body)
    mode = _MODES.get(_text(notification.get("live")))
    if mode is None:
        raise WebhookRejected("the body does not say whether it is live")
    return tuple(_event(item, mode, account) for item in _items(notification))


def _event(item: Json, mode: Mode, account: str) -> ProviderEvent:
    kind, name, success = item.get("eventCode"), item.get("pspReference"), _text(item.get("success"))
    for found in (kind, name):
        if not isinstance(found, str) or not found or len(found) > _LONGEST_NAME or not found.isprintable():
            raise WebhookRejected("an item has no event code or no reference")
    at = moment(item.get("eventDate"))
    notice: Notice
    if _slides(item):
        notice = UnknownNotice(reason="a signed field has a colon, so its signature fits another item too")
    elif at is None:
        notice = UnknownNotice(reason="its eventDate cannot be read")
    else:
        notice = notice_of(Told.of(item, at=at, mode=mode, success=success), account=account)
    return ProviderEvent(
        event_id=f"{kind}:{name}:{success}",
        kind=str(kind),
        at=at or _EPOCH,
        mode=mode,
        notice=notice,
        newest_wins=True,
    )


def _slides(item: Json) -> bool:
    """
    Whether the signed fields could be read in another way.

    With a colon in none but `merchantReference` there is one way only: three fields before it, four behind it.
    """
    amount = item.get("amount")
    currency = amount.get("currency") if isinstance(amount, Mapping) else None
    names = ("pspReference", "originalReference", "merchantAccountCode", "eventCode", "success")
    return any(":" in str(told) for told in (currency, *(item.get(name) for name in names)))


def _notification(body: bytes) -> Json:
    try:
        # As UTF-8: finding out the encoding would take longer than the reading.
        notification = json.loads(body.decode())
    except (ValueError, RecursionError):
        notification = None
    if not isinstance(notification, dict):
        raise WebhookRejected("the body is no notification of Adyen")
    return notification


def _items(notification: Json) -> list[Json]:
    """The items, of which there is at least one."""
    listed = notification.get("notificationItems")
    items = (
        [one.get("NotificationRequestItem") if isinstance(one, dict) else None for one in listed]
        if isinstance(listed, list)
        else []
    )
    found = [item for item in items if isinstance(item, dict)]
    if not found or len(found) != len(items):
        raise WebhookRejected("the body is no notification of Adyen")
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise WebhookRejected("a signed field is neither text nor a whole number")


def _given(headers: Mapping[str, str]) -> bytes:
    """What basic authentication says, in base64; empty without it."""
    found = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, said = found.strip().partition(" ")
    said = said.strip()
    return said.encode("ascii") if scheme.lower() == "basic" and said.isascii() else b""


def basic(user: str | None, password: str | None) -> bytes | None:
    """What basic authentication says for a user and a password, in base64 (RFC 7617); None where none is set."""
    if user is None or password is None:
        return None
    return base64.b64encode(f"{user}:{password}".encode())


def key_bytes(key: str) -> bytes:
    """An HMAC key, told in hexadecimal."""
    return binascii.a2b_hex(key)
