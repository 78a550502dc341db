"""
What the adapter writes and reads, held against Adyen's own OpenAPI documents.

The documents are not part of the project: set PAYBYLINK_SPECS to the folder with ``adyen-checkout.openapi.json`` and
``adyen-webhooks.openapi.json``. Limits that Adyen only documents in words are asserted here as well.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from paybylink.currencies import ADYEN
from paybylink.errors import InvalidInput, UnsupportedCapability
from paybylink.money import to_wire
from paybylink.orders import Order
from paybylink.providers.adyen import AdyenProvider
from paybylink.testing import strategies

from .adyen_given import (
    ACCOUNT,
    KEY,
    NOW,
    PAYMENT,
    VENDOR_LINK,
    account,
    asked,
    create,
    drive,
    echo,
    item,
    recorded,
    refund_asked,
    reply,
)

SPECS = os.environ.get("PAYBYLINK_SPECS")
needs_specs = pytest.mark.skipif(
    not SPECS, reason="PAYBYLINK_SPECS is not set: the folder with adyen-checkout.openapi.json is needed"
)
ALL = sorted(
    path.stem.removeprefix("adyen_") for path in (Path(__file__).parent / "recorded").glob("adyen_*.json")
)
SHAPES = {
    "link": "PaymentLinkResponse",
    "error": "ServiceError",
    "refund": "PaymentRefundResponse",
    "capture": "PaymentCaptureResponse",
    "cancel": "PaymentCancelResponse",
    "payment": "PaymentMethodsResponse",
}
#: RFC 7807, as the newer interfaces answer, is in no document of Checkout's.
RECORDED = [name for name in ALL if name.partition("_")[0] in SHAPES and name != "error_problem"]
EVENTS = [name.removeprefix("event_") for name in ALL if name.startswith("event_")]


@functools.cache
def spec(name: str = "checkout") -> dict[str, Any]:
    assert SPECS
    found: dict[str, Any] = json.loads((Path(SPECS) / f"adyen-{name}.openapi.json").read_text("utf-8"))
    return found


@functools.cache
def validator(schema: str, name: str = "checkout") -> Any:
    from openapi_schema_validator import OAS31Validator

    reference = {"$ref": f"#/components/schemas/{schema}"}
    return OAS31Validator({**reference, "components": spec(name)["components"]})


def faults(schema: str, value: object, name: str = "checkout") -> list[str]:
    """Every fault of `value` under a schema of a document."""
    return [f"{error.json_path}: {error.message}" for error in validator(schema, name).iter_errors(value)]


def breaches(request: httpx.Request) -> list[str]:
    """What the document finds wrong with a request."""
    path = request.url.path.removeprefix("/v72")
    for known, methods in spec()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[A-Za-z0-9]+", known)
        if re.fullmatch(pattern, path) and request.method.lower() in methods:
            described = methods[request.method.lower()]
            break
    else:
        return [f"the document has no {request.method} {path}"]
    if request.method == "GET":
        return ["it has a body"] if request.content else []
    schema = described["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    key = request.headers.get("idempotency-key", "")
    found = faults(schema, json.loads(request.content))
    return [*found, *(["the key is too long"] if len(key) > 64 else [])]


@needs_specs
@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_reply_has_adyens_shape(name: str) -> None:
    """Replies validate as what they say they are."""
    assert faults(SHAPES[name.partition("_")[0]], recorded(name)) == []


@needs_specs
@pytest.mark.parametrize("name", EVENTS)
def test_every_recorded_event_has_adyens_shape(name: str) -> None:
    """But for the details, whose keys the document forbids and real notifications have."""
    told = recorded(f"event_{name}")
    one = told["notificationItems"][0]["NotificationRequestItem"]
    _ = one.pop("additionalData")
    described = spec("webhooks")["webhooks"][f"/{one['eventCode']}"]["post"]["requestBody"]
    schema = described["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    assert faults(schema, told, "webhooks") == []


@needs_specs
def test_a_breach_would_be_seen() -> None:
    """The checks of this file find an unknown field, a wrong type, and a reply without what it must have."""
    _, (request,) = drive(create(account(), asked()), echo())
    body = json.loads(request.content)
    for damage in ({"expiry": "never"}, {"amount": {"currency": "EUR", "value": "1"}}, {"reusable": "true"}):
        worse = httpx.Request("POST", request.url, content=json.dumps({**body, **damage}))
        assert breaches(worse)
    assert breaches(httpx.Request("POST", "https://x.example/v72/paymentLinks/PL1", content=b"{}"))
    link = recorded("link_active")
    del link["url"]
    assert faults("PaymentLinkResponse", link)
    assert faults("PaymentRefundResponse", recorded("cancel_received"))


def limits_broken(body: dict[str, Any], order: Order, provider: AdyenProvider) -> Iterable[str]:
    """The limits of Adyen's documentation that its schema does not carry."""
    if body["amount"] != {"currency": order.amount.currency, "value": to_wire(order.amount, ADYEN)}:
        yield "amount"
    if body["amount"]["value"] <= 0 or body["merchantAccount"] != ACCOUNT:
        yield "amount or account"
    if (
        not re.fullmatch(r"pbl-[0-9A-Za-z]+-[0-9A-Za-z]+(-m)?", body["reference"])
        or len(body["reference"]) > 80
    ):
        yield "reference"
    if order.reference not in body["merchantOrderReference"]:
        yield "merchantOrderReference"
    ends = dt.datetime.fromisoformat(body["expiresAt"])
    if not NOW < ends < NOW + dt.timedelta(days=70) or ends != provider.ends_at(asked(order), now=NOW):
        yield "expiresAt"
    if not 1 <= len(body["description"]) <= 280:
        yield "description"
    url = body.get("returnUrl", "https://x")
    if len(url) > 1024 or not url.isascii() or set(url) & set(' <>"{}|\\^`'):
        yield "returnUrl"
    metadata = body.get("metadata", {})
    if len(metadata) > 20 or any(len(name) > 20 or len(value) > 80 for name, value in metadata.items()):
        yield "metadata"
    if not re.fullmatch(r"[A-Za-z0-9 .,'_\-?+*/]{0,22}", body.get("shopperStatement", "")):
        yield "shopperStatement"
    if not 1 <= body.get("captureDelayHours", 1) <= 672:
        yield "captureDelayHours"
    lines = body.get("lineItems", [])
    if (
        lines
        and sum(line["quantity"] * line["amountIncludingTax"] for line in lines) != body["amount"]["value"]
    ):
        yield "lineItems"
    for line in lines:
        if (
            "taxAmount" in line
            and line["amountExcludingTax"] + line["taxAmount"] != line["amountIncludingTax"]
        ):
            yield "taxAmount"
    address = body.get("billingAddress", {"street": "x", "houseNumberOrName": "x", "city": "x"})
    if not all(address[name] for name in ("street", "houseNumberOrName", "city")):
        yield "billingAddress"


#: What we refuse, of what the strategies draw.
REFUSED = {
    "order.amount",
    "order.currency",
    "order.checkout.prefill",
    "order.checkout.statement",
}


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(st.data())
def test_every_link_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any order is refused by us with its faults, or written so that Adyen's schema and limits hold."""
    order = data.draw(strategies.orders())
    kind = data.draw(strategies.link_kinds(order.amount))
    request, provider = asked(order, kind), account()
    try:
        written = provider.write_link(request, key=KEY, now=NOW)
    except InvalidInput as error:
        event("refused by us")
        refused_for = {fault.path for fault in error.faults}
        written = None
    except UnsupportedCapability:
        event("kind not supported")
        return
    else:
        refused_for = set()
    assert refused_for <= REFUSED
    if written is None:
        return

    event("written")
    link, (sent,) = drive(provider.create_link(request, written=written), echo())

    assert sent.content == written.body
    assert breaches(sent) == []
    assert list(limits_broken(json.loads(sent.content), order, provider)) == []
    assert link.vendor_id == VENDOR_LINK


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(st.data())
def test_every_refund_and_capture_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any amount and any reason."""
    amount, reason = data.draw(strategies.money()), data.draw(strategies.texts())
    provider = account()
    try:
        written = provider.write_refund(refund_asked(amount, reason), key=KEY, now=NOW)
    except InvalidInput:
        return

    assert breaches(next(provider.refund(refund_asked(amount, reason), written=written))) == []
    assert breaches(next(provider.capture(PAYMENT, amount, key=KEY, now=NOW))) == []


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(strategies.orders())
def test_every_question_about_methods_keeps_the_contract(order: Order) -> None:
    """Whatever the order says of language, country and methods."""
    try:
        request = next(account().methods_for(order))
    except InvalidInput:
        return

    assert breaches(request) == []


@needs_specs
def test_every_other_request_keeps_the_contract() -> None:
    """Fetching, closing and giving up."""
    provider = account()
    requests = [
        *drive(provider.fetch_link(VENDOR_LINK), reply(recorded("link_active")))[1],
        *drive(
            provider.close_link(VENDOR_LINK, key=KEY, now=NOW),
            reply(recorded("error_unexpected_input"), 422),
            reply(recorded("link_completed")),
        )[1],
        *drive(provider.cancel_payment(PAYMENT, key=KEY, now=NOW), reply(recorded("cancel_received"), 201))[
            1
        ],
    ]

    assert len(requests) == 4
    for request in requests:
        assert breaches(request) == [], f"{request.method} {request.url}"


@needs_specs
def test_every_event_of_the_document_is_read_without_trouble() -> None:
    """Adyen's examples, all of them, signed for our account: each becomes a notice."""
    provider, seen = account(), set()
    for example in spec("webhooks")["components"]["examples"].values():
        told = example["value"]["notificationItems"][0]["NotificationRequestItem"]
        body = json.dumps(
            {
                **example["value"],
                "notificationItems": [{"NotificationRequestItem": {**told, "merchantAccountCode": ACCOUNT}}],
            }
        ).encode()
        (found,) = provider.read(body)
        seen.add(found.kind)

    assert seen == {name.lstrip("/") for name in spec("webhooks")["webhooks"]} - UNTOLD
    assert item("authorisation")["eventCode"] in seen


#: Codes of the document without an example.
UNTOLD = {
    "PREARBITRATION_ACCEPTED",
    "PREARBITRATION_DECLINED",
    "PREARBITRATION_ISSUER_WITHDRAWN",
    "PREARBITRATION_OPEN",
    "SCHEME_ARBITRATION",
    "SCHEME_ARBITRATION_LOST",
    "SCHEME_ARBITRATION_WON",
}
