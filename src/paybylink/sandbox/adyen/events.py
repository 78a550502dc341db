"""
Standard webhooks: what happened, as notification items, and the endpoints that hear of it.

`tell` writes an item and puts one delivery per listening endpoint into the queue, all in the caller's transaction.
One call carries one item, except where the fault ``batch`` collects several. The signature is over eight fields of
the item, joined with colons and not escaped; ``additionalData``, with the link's id in it, is not signed.
``paymentLinkId`` is given with the events that Adyen documents it for and with no others.
Source: Adyen's OpenAPI document of webhooks v1; docs.adyen.com, "Verify HMAC signatures", "Handle webhook events".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from paybylink.sandbox import webhooks
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import Carriage, Refused, Registration

KIND, ENDPOINT = "adyen.event", "adyen.endpoint"

#: The events whose additional data name the link.
WITH_LINK = frozenset(
    ("AUTHORISATION", "CAPTURE", "CANCELLATION", "CANCEL_OR_REFUND", "REFUND", "OFFER_CLOSED")
)
_SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
#: Events are dated in the time of Adyen's home, with its offset.
_HOME = timezone(timedelta(hours=1))


def dated(at: datetime) -> str:
    """A moment as events and reports write it."""
    return at.astimezone(_HOME).isoformat(timespec="seconds")


def tell(
    engine: Engine,
    code: str,
    *,
    psp: str,
    account: str,
    reference: str,
    amount: Mapping[str, Any],
    success: bool = True,
    original: str | None = None,
    method: str | None = None,
    reason: str | None = None,
    link: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Document:
    """
    The event, on its way to every endpoint that listens.

    Args:
        code: the event code.
        psp: of the payment for AUTHORISATION, of the change or dispute otherwise.
        reference: what comes back as ``merchantReference``.
        original: the payment, where `psp` is not.
        method: as webhooks name it.
        link: the id of the link; given on only with the events that have it.
        extra: more for ``additionalData``; ``operations`` is taken out of it.
    """
    more = dict(extra or {})
    operations = more.pop("operations", None)
    if link is not None and code in WITH_LINK:
        more["paymentLinkId"] = link
    item: Document = {
        "additionalData": more,
        "amount": {"currency": amount["currency"], "value": amount["value"]},
        "eventCode": code,
        "eventDate": dated(engine.now()),
        "merchantAccountCode": account,
        "merchantReference": reference,
        "pspReference": psp,
        "success": "true" if success else "false",
    }
    optional = {
        "operations": operations,
        "originalReference": original,
        "paymentMethod": method,
        "reason": reason,
    }
    item |= {name: value for name, value in optional.items() if value is not None}
    event = engine.put(KIND, {"id": engine.new_id("adyev_"), "item": item})
    for endpoint in engine.find(ENDPOINT, newest_first=False):
        if "*" in endpoint["events"] or code in endpoint["events"]:
            webhooks.enqueue(
                engine,
                vendor="adyen",
                kind=code,
                event=event["id"],
                endpoint=endpoint["id"],
                # Told twice it has the same references; only the moment differs.
                copied=lambda: _again(engine, item),
                batches=True,
            )
    return event


def _again(engine: Engine, item: Document) -> str:
    later = datetime.fromisoformat(item["eventDate"]) + timedelta(seconds=1)
    copy = {"id": engine.new_id("adyev_"), "item": {**item, "eventDate": dated(later)}}
    return str(engine.put(KIND, copy)["id"])


def register(engine: Engine, registration: Registration) -> Document:
    """
    The endpoint, new or (with a place) under its old id; its HMAC key is 64 hexadecimal digits.

    Raises:
        Refused: the address is not on this machine, or the key is not hexadecimal.
    """
    if not webhooks.is_loopback(registration.url):
        raise Refused(f"{registration.url[:80]} is not on this machine; the sandbox delivers nowhere else.")
    secret = registration.secret or hashlib.sha256(engine.new_id("", 32).encode()).hexdigest().upper()
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){16,}", secret):
        raise Refused("The HMAC key of an Adyen webhook is hexadecimal, such as 64 digits from 0 to F.")
    place = registration.place
    endpoint = {
        "id": engine.new_id("adyep_") if place is None else f"adyep_sandbox_{place}",
        "url": registration.url,
        "events": list(registration.events),
        "_secret": secret,
        "_user": registration.user,
        "_password": registration.password,
    }
    _ = engine.put(ENDPOINT, endpoint)
    return {"id": endpoint["id"], "secret": secret}


def carriage(engine: Engine, event_ids: list[str], endpoint_id: str) -> Carriage | None:
    """The call that tells an endpoint of events, each signed now; None when one of them is gone."""
    endpoint = engine.get(ENDPOINT, endpoint_id)
    events = [engine.get(KIND, identifier) for identifier in event_ids]
    found = [event for event in events if event is not None]
    if endpoint is None or len(found) < len(events):
        return None
    items = [{"NotificationRequestItem": _signed(event["item"], endpoint["_secret"])} for event in found]
    body = json.dumps({"live": "false", "notificationItems": items}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Adyen HttpClient 1.0"}
    if endpoint["_user"]:
        pair = f"{endpoint['_user']}:{endpoint['_password']}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return Carriage(endpoint["url"], body, headers)


def signature(item: Mapping[str, Any], key: str) -> str:
    """The HMAC of one item, as base64; `key` is hexadecimal."""
    amount = item["amount"]
    fields = [*(item.get(name) or "" for name in _SIGNED), amount["value"], amount["currency"]]
    signed = ":".join(str(field) for field in (*fields, item["eventCode"], item["success"]))
    return base64.b64encode(hmac.new(bytes.fromhex(key), signed.encode(), hashlib.sha256).digest()).decode()


def _signed(item: Document, key: str) -> Document:
    return {**item, "additionalData": {**item["additionalData"], "hmacSignature": signature(item, key)}}
