"""
What the tests of the Mollie adapter start from: an account, an order, recorded replies, and signed events.

The recorded replies have the shape of Mollie's and nobody's data; what is marked in them (``MARKED``, ``Marked``)
must appear in no error, log or repr. Signatures are made here by hand, from Mollie's description, not by the adapter.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from attrs import evolve

from paybylink.address import Address
from paybylink.flow import Sending
from paybylink.kinds import HostedInvoice, LinkKind, SingleUse
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.base import LinkRequest, ProviderEvent, RefundRequest
from paybylink.providers.mollie import MollieProvider
from paybylink.testing import script

T = TypeVar("T")

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
API_KEY = "test_MARKEDsecretMARKED"
TOKEN = "access_MARKEDtokenMARKED"
PROFILE = "pfl_PbLShop"
SECRET = "paybylink-test-secret-1"
OLD_SECRET = "paybylink-test-secret-2"
KEY = "0123456789abcdef0123456789abcdef"

LINK_ID = "01KDVQ5M00LINK00000000000A"
ATTEMPT_ID = "01KDVQ5M00ATTEMPT0000000A"
REFUND_ID = "01KDVQ5M00REFUND00000000A"
NEWS = f"https://pay.example/webhooks/mollie?link={LINK_ID}&attempt={ATTEMPT_ID}"
VENDOR_LINK = "pl_4PbLSingle"
PAYMENT = "tr_PbLPaidCard"
INVOICE = "invoice_4PbLHosted"
ORDER = Order(reference="INV-2026-031", amount=Money(4990, "EUR"), description="Logo design")

#: Who can be invoiced by Mollie.
CUSTOMER = Customer(
    name="Marked Martin",
    email="marked-payer@example.com",
    phone="+33 6 39 98 12 34",
    language="fr",
    code="C-17",
    address=Address(street="rue du Bac", house_number="1", city="Paris", postal_code="75007", country="FR"),
)
#: An order of one line over 41.58 without VAT, so over 49.90 with it.
INVOICED = Order(
    reference="INV-2026-031",
    description="Logo design",
    customer=CUSTOMER,
    lines=[
        LineItem(description="Logo design", unit_price=Money(4158, "EUR"), vat_rate=20, vat_included=False)
    ],
)


def account(**settings: Any) -> MollieProvider:
    """A test account."""
    return MollieProvider(settings.pop("api_key", API_KEY), **{"webhook_secrets": [SECRET], **settings})


def organisation(**settings: Any) -> MollieProvider:
    """The same, opened with an organisation's token."""
    return account(**{"api_key": TOKEN, "profile_id": PROFILE, "testmode": True, **settings})


def asked(order: Order = ORDER, kind: LinkKind | None = None, **content: Any) -> LinkRequest:
    """A request for a link."""
    return LinkRequest(
        **{
            "link_id": LINK_ID,
            "attempt_id": ATTEMPT_ID,
            "order": order,
            "kind": kind or SingleUse(),
            "expires_at": NOW + dt.timedelta(days=30),
            "notify_url": NEWS,
            **content,
        }
    )


def invoice_asked(order: Order = INVOICED, days: int = 30, **content: Any) -> LinkRequest:
    """A request for an invoice that Mollie makes."""
    return asked(order, HostedInvoice(due_in_days=days), **content)


def invoiced_to(**changes: Any) -> Order:
    """The order for an invoice, with other customer's data."""
    return evolve(INVOICED, customer=evolve(CUSTOMER, **changes))


def refund_asked(amount: Money | None = None, reason: str = "returned") -> RefundRequest:
    """A request for a refund of a part."""
    return RefundRequest(
        refund_id=REFUND_ID, payment_vendor_id=PAYMENT, amount=amount or Money(1000, "EUR"), reason=reason
    )


def recorded(name: str, **changes: Any) -> Any:
    """A recorded reply; `changes` replace what stands at its top."""
    reply = json.loads((Path(__file__).parent / "recorded" / f"mollie_{name}.json").read_text("utf-8"))
    return {**reply, **changes}


def reply(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """An HTTP response with `body` as JSON, or as it is if it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content-type": "application/hal+json", **(headers or {})}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content, headers=told, request=request)

    return answer


def drive(call: Generator[httpx.Request, httpx.Response, T], *replies: Any) -> tuple[T, list[httpx.Request]]:
    """What `call` returns after `replies` (JSON, or what `reply` made), and what it asked."""
    played = script(call, [one if callable(one) else reply(one) for one in replies])
    requests = [effect for effect in played.effects if isinstance(effect, httpx.Request)]
    return played.result, requests


def create(provider: MollieProvider, request: LinkRequest) -> Generator[httpx.Request, httpx.Response, Any]:
    """The waiting call that creates a link."""
    return provider.create_link(request, written=provider.write_link(request, key=KEY, now=NOW))


def body_of(
    order: Order = ORDER, *, provider: MollieProvider | None = None, **content: Any
) -> dict[str, Any]:
    """The JSON that is sent for an order."""
    written = (provider or account()).write_link(asked(order, **content), key=KEY, now=NOW)
    found: dict[str, Any] = json.loads(written.body)
    return found


def echo(**changes: Any) -> Callable[[httpx.Request], httpx.Response]:
    """What Mollie answers to the creation of a link: what was asked for, an id, an address; nothing paid."""

    def answer(request: httpx.Request) -> httpx.Response:
        empty = {"amount": None, "minimumAmount": None, "webhookUrl": None, "redirectUrl": None}
        asked_for = {**recorded("link_single_use"), **empty, "expiresAt": None, "allowedMethods": None}
        body = {**asked_for, **json.loads(request.content), **changes}
        return httpx.Response(201, json=body, request=request)

    return answer


def sending(request: httpx.Request) -> Sending:
    """How the request may be repeated."""
    marked = request.extensions["paybylink"]
    assert isinstance(marked, Sending)
    return marked


def query(request: httpx.Request) -> dict[str, str]:
    """The query of a request, by flat names."""
    return dict(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))


def signature(body: bytes, secret: str = SECRET) -> str:
    """The value of `X-Mollie-Signature`, from Mollie's description."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def event(name: str, **changes: Any) -> bytes:
    """The body of a recorded event."""
    return json.dumps(recorded(f"event_{name}", **changes)).encode()


def told(body: bytes, *, query: str = "", **settings: Any) -> ProviderEvent:
    """The event in a body, after it was verified; a classic call when it is a form."""
    provider = account(**settings)
    headers = {} if body.startswith(b"id=") else {"X-Mollie-Signature": signature(body)}
    provider.verify(headers, body, now=NOW)
    (found,) = provider.read(body, query=query)
    return found
