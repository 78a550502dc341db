"""
What the adapter writes and reads, held against Stripe's own OpenAPI document.

The document is not part of the project: set PAYBYLINK_SPECS to the folder that holds ``stripe.openapi.json``. Its
schemas carry hardly any limits, so those that Stripe enforces only when asked are asserted here as well.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from paybylink.currencies import CURRENT, STRIPE
from paybylink.errors import InvalidInput
from paybylink.kinds import Invoice, InvoiceBound, LinkKind, Reusable, SingleUse
from paybylink.lines import LineItem
from paybylink.money import MAX_MINOR, Money, to_wire
from paybylink.orders import Order

from .stripe_given import KEY, NOW, account, asked, create, drive, form, query, recorded, refund_asked

SPECS = os.environ.get("PAYBYLINK_SPECS")
needs_specs = pytest.mark.skipif(
    not SPECS, reason="PAYBYLINK_SPECS is not set: the folder with stripe.openapi.json is needed"
)

RECORDED = sorted(
    path.stem
    for path in (Path(__file__).parent / "recorded").glob("*.json")
    if not path.stem.startswith(("adyen_", "mollie_"))
)


@functools.cache
def spec() -> dict[str, Any]:
    assert SPECS
    found: dict[str, Any] = json.loads((Path(SPECS) / "stripe.openapi.json").read_text("utf-8"))
    _allow_null(found)
    return found


def _allow_null(node: Any) -> None:
    """OpenAPI 3.0 lets null through `type` only; Stripe means it for `anyOf` and `enum` as well."""
    if isinstance(node, dict):
        if node.get("nullable") is True:
            for name, null in (("anyOf", {"enum": [None]}), ("enum", None)):
                if isinstance(node.get(name), list):
                    node[name].append(null)
        for value in node.values():
            _allow_null(value)
    elif isinstance(node, list):
        for value in node:
            _allow_null(value)


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """Every fault of `value` under a schema of the document."""
    from openapi_schema_validator import OAS30Validator

    validator = OAS30Validator({**schema, "components": spec()["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def operation(request: httpx.Request) -> dict[str, Any]:
    """The operation of the document that a request means."""
    for path, methods in spec()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in methods:
            found: dict[str, Any] = methods[request.method.lower()]
            return found
    raise AssertionError(f"the document has no {request.method} {request.url.path}")


def nested(fields: dict[str, str]) -> dict[str, Any]:
    """Flat names with brackets, as objects and lists."""
    tree: dict[str, Any] = {}
    for name, value in fields.items():
        steps = [step.rstrip("]") for step in name.split("[")]
        place = tree
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return tree


def typed(value: Any, schema: dict[str, Any]) -> Any:
    """The text of a form as the schema's types, where it can be."""
    if "anyOf" in schema:
        fitting = [option for option in schema["anyOf"] if not faults(option, typed(value, option))]
        return typed(value, fitting[0]) if fitting else value
    match schema.get("type"):
        case "integer" if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value)
        case "boolean" if value in ("true", "false"):
            return value == "true"
        case "array" if isinstance(value, dict):
            assert [int(key) for key in value] == list(range(len(value))), "arrays are indexed from 0"
            return [typed(item, schema["items"]) for item in value.values()]
        case "object" if isinstance(value, dict):
            known = schema.get("properties", {})
            other = schema.get("additionalProperties")
            other = other if isinstance(other, dict) else {}
            return {name: typed(item, known.get(name, other)) for name, item in value.items()}
    return value


def breaches(request: httpx.Request) -> list[str]:
    """What the document finds wrong with a request."""
    described = operation(request)
    if request.method == "POST":
        schema = described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        fields = form(request) if request.content else {}
    else:
        parameters = {p["name"]: p["schema"] for p in described["parameters"] if p["in"] == "query"}
        schema = {"type": "object", "properties": parameters, "additionalProperties": False}
        fields = query(request)
    return faults(schema, typed(nested(fields), schema))


@needs_specs
@pytest.mark.parametrize("name", [name for name in RECORDED if name != "thin_event"])
def test_every_recorded_reply_has_stripes_shape(name: str) -> None:
    """Replies, and what events carry, validate as the objects they say they are."""
    reply = recorded(name)
    if "error" in reply:
        assert faults({"$ref": "#/components/schemas/error"}, reply) == []
        return
    objects = reply["data"] if reply["object"] == "list" else [reply]
    if reply["object"] == "event":
        objects.append(reply["data"]["object"])
    for thing in objects:
        assert faults({"$ref": f"#/components/schemas/{thing['object']}"}, thing) == []


@needs_specs
def test_a_breach_would_be_seen() -> None:
    """The checks of this file find an unknown parameter, a wrong type, and a reply without what it must have."""
    _, request = create(account(), asked())
    for damage in (b"&expiry=never", b"&line_items[0][quantity]=many", b"&inactive_message=" + b"x" * 501):
        fields = (
            request.content.replace(b"inactive_message", b"ignored")
            if b"inactive" in damage
            else request.content
        )
        worse = httpx.Request("POST", request.url, content=fields + damage)
        assert breaches(worse)
    link = recorded("payment_link_single_use")
    del link["livemode"]
    assert faults({"$ref": "#/components/schemas/payment_link"}, link)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=250
).filter(str.strip)
currencies = st.sampled_from(sorted(CURRENT))


@st.composite
def amounts(draw: st.DrawFn, currency: str) -> Money:
    # Mostly amounts that Stripe takes, in all currencies; sometimes any.
    usual = st.integers(1, 999_999).map(lambda tens: tens * 10)
    return Money(draw(st.one_of(usual, usual, st.integers(1, MAX_MINOR))), currency)


@st.composite
def lines(draw: st.DrawFn, currency: str) -> LineItem:
    quantity = draw(st.one_of(st.integers(1, 2_000_000), st.decimals("0.001", "99", places=3)))
    return LineItem(
        description=draw(texts),
        unit_price=Money(draw(st.integers(-500, 500_000)), currency),
        quantity=Decimal(quantity),
        vat_rate=draw(st.sampled_from([None, 0, Decimal("5.5"), 10, 20, Decimal("8.875")])),
        vat_included=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    currency = draw(currencies)
    sold = draw(st.lists(lines(currency), max_size=5))
    content: dict[str, Any] = {"lines": sold} if sold else {"amount": draw(amounts(currency))}
    try:
        return Order(
            reference=draw(texts.map(lambda text: text[:80]).filter(str.strip)),
            description=draw(st.one_of(st.just(""), texts)),
            part=draw(st.sampled_from(["", "deposit", "solde n° 2"])),
            return_url=draw(st.sampled_from([None, "https://shop.example/é?a=[1]&s={CHECKOUT_SESSION_ID}"])),
            metadata=draw(
                st.dictionaries(
                    st.text("abcdefgh_-.é ", min_size=1, max_size=20),
                    texts.map(lambda text: text[:80]),
                    max_size=20,
                )
            ),
            **content,
        )
    except InvalidInput:
        assume(False)
        raise


@st.composite
def kinds(draw: st.DrawFn, order: Order) -> LinkKind:
    several: list[LinkKind] = [
        SingleUse(),
        Reusable(),
        Reusable(max_payments=7),
        InvoiceBound(Invoice(number="F2026-0042 é", open_amount=order.amount)),
    ]
    return draw(st.sampled_from(several))


def limits_broken(fields: dict[str, str], order: Order) -> Iterable[str]:
    """The limits of Stripe's documentation that its schema does not carry."""
    tree = nested(fields)
    items = list(tree["line_items"].values())
    total = 0
    for item in items:
        price = item["price_data"]
        total += int(item["quantity"]) * int(price["unit_amount"])
        if not 1 <= int(item["quantity"]) <= 999_999:
            yield "quantity"
        if int(price["unit_amount"]) < 0:
            yield "unit_amount"
        if not 1 <= len(price["product_data"]["name"]) <= 250 or not price["product_data"]["name"].strip():
            yield "name"
        if price["currency"] != order.amount.currency.lower():
            yield "currency"
    if len(items) > 20:
        yield "line_items"
    if total != to_wire(order.amount, STRIPE):
        yield "total"
    for metadata in (tree["metadata"], tree["payment_intent_data"]["metadata"]):
        if len(metadata) > 50 or metadata["paybylink_reference"] != order.reference:
            yield "metadata"
        for name, value in metadata.items():
            if len(name) > 40 or not 0 < len(value) <= 500:
                yield f"metadata {name}"


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(st.data())
def test_every_link_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any order is refused by us with its faults, or written so that Stripe's schema and limits hold."""
    order = data.draw(orders())
    request = asked(order, data.draw(kinds(order)))
    try:
        written = account().write_link(request, key=KEY, now=NOW)
    except InvalidInput as error:
        event("refused by us")
        refused_for = {fault.path for fault in error.faults}
        written = None
    else:
        refused_for = set()
    assert refused_for <= {"order.amount", "order.lines"}
    if written is None:
        return

    event("several items" if b"line_items[1]" in written.body else "one item")
    sent = next(account().create_link(request, written=written))

    assert sent.content == written.body
    assert breaches(sent) == []
    assert list(limits_broken(form(sent), order)) == []


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(st.data())
def test_every_refund_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any amount and any reason."""
    amount, reason = data.draw(currencies.flatmap(amounts)), data.draw(st.one_of(st.just(""), texts))
    try:
        written = account().write_refund(refund_asked(amount, reason), key=KEY, now=NOW)
    except InvalidInput:
        return

    assert breaches(next(account().refund(refund_asked(amount, reason), written=written))) == []


@needs_specs
def test_every_other_request_keeps_the_contract() -> None:
    """Closing, finding, listing and fetching."""
    provider = account()
    more = {"object": "list", "data": [recorded("refund_pending")], "has_more": True}
    requests = [
        request
        for _, asked_for in (
            drive(
                provider.close_link("plink_1SkPbLsingle", key=KEY, now=NOW),
                recorded("payment_link_deactivated"),
                recorded("sessions_open"),
                recorded("session_expired"),
                recorded("session_expired"),
            ),
            drive(
                provider.find_link(asked(), since=NOW, now=NOW),
                recorded("payment_links_page"),
                recorded("payment_link_single_use"),
            ),
            drive(provider.fetch_link("plink_1SkPbLsingle"), recorded("payment_link_single_use")),
            drive(provider.payments_of("plink_1SkPbLsingle"), recorded("sessions_complete")),
            drive(provider.fetch_payment("pi_3SkPbLcard"), recorded("payment_intent_succeeded")),
            drive(provider.fetch_payment("cs_test_a1free"), recorded("session_nothing_to_pay")),
            drive(provider.refunds_of("pi_3SkPbLcard"), more, recorded("refunds_page")),
        )
        for request in asked_for
    ]

    assert len(requests) == 12
    for request in requests:
        assert breaches(request) == [], f"{request.method} {request.url}"
