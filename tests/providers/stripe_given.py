"""
What the tests of the Stripe adapter start from: an account, an order, recorded replies, and a hand on the flow.

The recorded replies have Stripe's shape and nobody's data; what is marked in them (``MARKED``, ``Marked``) must
appear in no error, log or repr.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from paybylink.flow import Sending
from paybylink.kinds import LinkKind, SingleUse
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest, RefundRequest
from paybylink.providers.stripe import StripeProvider

T = TypeVar("T")

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
API_KEY = "sk_test_MARKEDsecretMARKED"
SECRET = "whsec_paybylink_test_secret"
OLD_SECRET = "whsec_paybylink_old_secret"
KEY = "0123456789abcdef0123456789abcdef"

LINK_ID = "01KDVQ5M00LINK00000000000A"
ATTEMPT_ID = "01KDVQ5M00ATTEMPT0000000A"
REFUND_ID = "01KDVQ5M00REFUND00000000A"
ORDER = Order(reference="INV-2026-031", amount=Money(4990, "EUR"), description="Logo design")


def account(**settings: Any) -> StripeProvider:
    """A test account."""
    return StripeProvider(API_KEY, **{"webhook_secrets": [SECRET], **settings})


def asked(order: Order = ORDER, kind: LinkKind | None = None, **content: Any) -> LinkRequest:
    """A request for a link."""
    return LinkRequest(
        link_id=LINK_ID,
        attempt_id=ATTEMPT_ID,
        order=order,
        kind=kind or SingleUse(),
        expires_at=NOW + dt.timedelta(days=30),
        **content,
    )


def order_of(*lines: LineItem, **content: Any) -> Order:
    """An order of lines, whose sum is its amount."""
    return Order(**{"reference": "R", "lines": lines, **content})


def refund_asked(amount: Money | None = None, reason: str = "returned") -> RefundRequest:
    """A request for a refund of a part."""
    return RefundRequest(
        refund_id=REFUND_ID,
        payment_vendor_id="pi_3SkPbLcard",
        amount=amount or Money(1000, "EUR"),
        reason=reason,
    )


def recorded(name: str, **changes: Any) -> Any:
    """A recorded reply; `changes` replace what stands at its top."""
    reply = json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text("utf-8"))
    return {**reply, **changes}


def answer(
    request: httpx.Request, body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> httpx.Response:
    """The HTTP response with `body` as JSON, or as it is if it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(
        status,
        content=content,
        headers={"content-type": "application/json", "request-id": "req_PbL", **(headers or {})},
        request=request,
    )


def finish(call: Generator[httpx.Request, httpx.Response, T], response: httpx.Response) -> T:
    """What `call` returns after `response`, which must be the last it waits for."""
    try:
        request = call.send(response)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError(f"it asks once more: {request.method} {request.url}")


def drive(
    call: Generator[httpx.Request, httpx.Response, T], *answers: object
) -> tuple[T, list[httpx.Request]]:
    """What `call` returns when it is given `answers` in turn (JSON, or JSON and a status), and what it asked."""
    left, requests = list(answers), []
    try:
        request = next(call)
        while True:
            requests.append(request)
            body = left.pop(0)
            body, status = body if isinstance(body, tuple) else (body, 200)
            request = call.send(answer(request, body, status=status))
    except StopIteration as stop:
        assert not left, "it asked less often than there are answers"
        result: T = stop.value
        return result, requests


def form(request: httpx.Request) -> dict[str, str]:
    """The form fields of a request, by their flat names."""
    return dict(parse_qsl(request.content.decode("ascii"), keep_blank_values=True, strict_parsing=True))


def query(request: httpx.Request) -> dict[str, str]:
    """The query of a request, by flat names."""
    return dict(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))


def sending(request: httpx.Request) -> Sending:
    """How the request may be repeated."""
    marked = request.extensions["paybylink"]
    assert isinstance(marked, Sending)
    return marked


def create(provider: StripeProvider, request: LinkRequest) -> tuple[Any, httpx.Request]:
    """The waiting call that creates a link, and what it sends."""
    call = provider.create_link(request, written=provider.write_link(request, key=KEY, now=NOW))
    return call, next(call)
