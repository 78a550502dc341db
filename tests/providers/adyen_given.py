"""
What the tests of the Adyen adapter start from: an account, an order, recorded replies, and signed notifications.

The recorded replies have Adyen's shape and nobody's data; what is marked in them (``MARKED``, ``Marked``) must appear
in no error, log or repr. Signatures are made here by hand, from Adyen's description, not by the adapter.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import httpx

from paybylink.flow import Sending
from paybylink.kinds import LinkKind, SingleUse
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import LinkRequest, ProviderEvent, RefundRequest
from paybylink.testing import script

T = TypeVar("T")

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
API_KEY = "AQEyMARKEDkeyMARKED"
ACCOUNT = "ExampleMerchantECOM"
HMAC_KEY = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
OLD_HMAC_KEY = "FF" * 32
KEY = "0123456789abcdef0123456789abcdef"

LINK_ID = "01KDVQ5M00LINK00000000000A"
ATTEMPT_ID = "01KDVQ5M00ATTEMPT0000000A"
REFUND_ID = "01KDVQ5M00REFUND00000000A"
MARK = f"pbl-{LINK_ID}-{ATTEMPT_ID}"
VENDOR_LINK = "PLE83C39B0A0DE0C1E"
PAYMENT = "7914073381342284"
ORDER = Order(reference="INV-2026-031", amount=Money(4990, "EUR"), description="Logo design")


def account(**settings: Any) -> AdyenProvider:
    """A test account."""
    return AdyenProvider(
        settings.pop("api_key", API_KEY), **{"merchant_account": ACCOUNT, "hmac_keys": [HMAC_KEY], **settings}
    )


def asked(order: Order = ORDER, kind: LinkKind | None = None, **content: Any) -> LinkRequest:
    """A request for a link."""
    return LinkRequest(
        **{
            "link_id": LINK_ID,
            "attempt_id": ATTEMPT_ID,
            "order": order,
            "kind": kind or SingleUse(),
            "expires_at": NOW + dt.timedelta(days=30),
            **content,
        }
    )


def refund_asked(amount: Money | None = None, reason: str = "returned") -> RefundRequest:
    """A request for a refund of a part."""
    return RefundRequest(
        refund_id=REFUND_ID, payment_vendor_id=PAYMENT, amount=amount or Money(1000, "EUR"), reason=reason
    )


def recorded(name: str, **changes: Any) -> Any:
    """A recorded reply; `changes` replace what stands at its top."""
    reply = json.loads((Path(__file__).parent / "recorded" / f"adyen_{name}.json").read_text("utf-8"))
    return {**reply, **changes}


def reply(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """An HTTP response with `body` as JSON, or as it is if it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content, headers=headers, request=request)

    return answer


def drive(call: Generator[httpx.Request, httpx.Response, T], *replies: Any) -> tuple[T, list[httpx.Request]]:
    """What `call` returns after `replies`, and what it asked."""
    played = script(call, replies)
    requests = [effect for effect in played.effects if isinstance(effect, httpx.Request)]
    return played.result, requests


def create(provider: AdyenProvider, request: LinkRequest) -> Generator[httpx.Request, httpx.Response, Any]:
    """The waiting call that creates a link."""
    return provider.create_link(request, written=provider.write_link(request, key=KEY, now=NOW))


def body_of(order: Order = ORDER, *, provider: AdyenProvider | None = None, **content: Any) -> dict[str, Any]:
    """The JSON that is sent for an order."""
    written = (provider or account()).write_link(asked(order, **content), key=KEY, now=NOW)
    found: dict[str, Any] = json.loads(written.body)
    return found


def echo(**changes: Any) -> Callable[[httpx.Request], httpx.Response]:
    """What Adyen answers to the creation of a link: what was asked for, an id, an address and a status."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = {
            **json.loads(request.content),
            "id": VENDOR_LINK,
            "url": f"https://test.adyen.link/{VENDOR_LINK}",
            "status": "active",
            **changes,
        }
        return httpx.Response(201, json=body, request=request)

    return answer


def sending(request: httpx.Request) -> Sending:
    """How the request may be repeated."""
    marked = request.extensions["paybylink"]
    assert isinstance(marked, Sending)
    return marked


def item(name: str, **changes: Any) -> dict[str, Any]:
    """The item of a recorded notification; a change to None removes a field."""
    found = recorded(f"event_{name}")["notificationItems"][0]["NotificationRequestItem"]
    return {field: value for field, value in {**found, **changes}.items() if value is not None}


def signature(told: dict[str, Any], key: str = HMAC_KEY) -> str:
    """The signature of an item, from Adyen's description."""
    amount = told.get("amount") or {}
    fields = [told.get(name) for name in ("pspReference", "originalReference", "merchantAccountCode")]
    fields += [told.get("merchantReference"), amount.get("value"), amount.get("currency")]
    fields += [told.get("eventCode"), told.get("success")]
    text = ":".join("" if value is None else str(value) for value in fields)
    return base64.b64encode(hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()).decode()


def signed(told: dict[str, Any], key: str = HMAC_KEY) -> dict[str, Any]:
    """The item with its signature."""
    data = {**(told.get("additionalData") or {}), "hmacSignature": signature(told, key)}
    return {**told, "additionalData": data}


def notification(*items: dict[str, Any], live: object = "false") -> bytes:
    """The body of a webhook."""
    wrapped = [{"NotificationRequestItem": one} for one in items]
    return json.dumps({"live": live, "notificationItems": wrapped}).encode()


def told(provider: AdyenProvider, *items: dict[str, Any], **content: Any) -> ProviderEvent:
    """The first event of a signed notification, after it was verified."""
    body = notification(*(signed(one) for one in items), **content)
    provider.verify({}, body, now=NOW)
    return provider.read(body)[0]
