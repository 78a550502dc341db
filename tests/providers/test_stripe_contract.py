"""
What the adapter writes and reads, held against Stripe's own OpenAPI document.

The document is not part of the project: set PAYBYLINK_SPECS to the folder that holds ``stripe.openapi.json``. Its
schemas carry hardly any limits, so those that Stripe enforces only when asked are asserted here as well. It is of
2026-05-27.dahlia, so requests are written for that version.
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
from attrs import evolve
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from paybylink.checkout import Checkout
from paybylink.currencies import STRIPE
from paybylink.errors import InvalidInput, UnsupportedCapability
from paybylink.kinds import HostedInvoice
from paybylink.money import Money, to_wire
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest
from paybylink.providers.stripe._steps import filled

from .stripe_given import KEY, NOW, ORDER, account, asked, create, drive, form, query, recorded, refund_asked
from .stripe_orders import METHODS, amounts, currencies, customers, kinds, lines, orders, texts

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


def limits_broken(fields: dict[str, str], order: Order) -> Iterable[str]:
    """The limits of Stripe's documentation that its schema does not carry, for a link or a session."""
    tree = nested(fields)
    items = list(tree["line_items"].values())
    if "price_data" in items[0]:
        total = 0
        for item in items:
            price = item["price_data"]
            total += int(item["quantity"]) * int(price["unit_amount"])
            if not 1 <= int(item["quantity"]) <= 999_999:
                yield "quantity"
            if int(price["unit_amount"]) < 0:
                yield "unit_amount"
            if (
                not 1 <= len(price["product_data"]["name"]) <= 250
                or not price["product_data"]["name"].strip()
            ):
                yield "name"
            if price["currency"] != order.amount.currency.lower():
                yield "currency"
        if total != to_wire(order.amount, STRIPE):
            yield "total"
    elif len(items) > 1:
        yield "a chosen price beside others"
    if len(items) > 20:
        yield "line_items"
    intent = tree["payment_intent_data"]
    if len(intent["description"]) > 1000 or len(intent.get("statement_descriptor_suffix", "")) > 22:
        yield "payment_intent_data"
    for metadata in (tree["metadata"], intent["metadata"]):
        if len(metadata) > 50 or metadata["paybylink_reference"] != order.reference:
            yield "metadata"
        for name, value in metadata.items():
            if len(name) > 40 or not 0 < len(value) <= 500:
                yield f"metadata {name}"


def invoice_limits_broken(forms: list[dict[str, str]], order: Order) -> Iterable[str]:
    """The same for the requests that make an invoice."""
    customer, invoice, *items, _ = forms
    if not customer["name"].strip() or len(customer["name"]) > 256 or len(customer["email"]) > 512:
        yield "customer"
    if invoice["auto_advance"] != "false" or invoice["collection_method"] != "send_invoice":
        yield "it would send an email or charge by itself"
    if sum(int(item["amount"]) for item in items) != to_wire(order.amount, STRIPE):
        yield "total"
    if len(items) > 250 or any(item["currency"] != order.amount.currency.lower() for item in items):
        yield "items"


DAHLIA = "2026-05-27.dahlia"
#: What an id that Stripe makes stands for, place by place.
IDS = ("cus_TkPbL", "in_1SkPbL")


def written_requests(request: LinkRequest) -> list[httpx.Request]:
    """What is sent for a link, where the answers have `IDS`; nothing where it is refused."""
    paths: list[str] = []
    written = None
    try:
        written = account(api_version=DAHLIA).write_link(request, key=KEY, now=NOW)
    except InvalidInput as error:
        event("refused by us")
        paths = [fault.path for fault in error.faults]
    except UnsupportedCapability:
        event("cannot be had")
    assert all(path.startswith(("order.amount", "order.lines", "kind.minimum")) for path in paths)
    if written is None:
        return []
    event(written.path)
    steps = [filled(step, IDS) for step in (written, *written.then)]
    return [
        httpx.Request(
            "POST",
            f"https://api.stripe.com{step.path}",
            content=step.body,
            headers={"Content-Type": step.content_type},
        )
        for step in steps
    ]


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(st.data())
def test_every_link_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any order, kind and checkout is refused by us, or written so that Stripe's schema and limits hold."""
    order = data.draw(orders())
    hours = data.draw(st.sampled_from([1, 6, 24, 720]))
    request = evolve(asked(order, data.draw(kinds(order))), expires_at=NOW + dt.timedelta(hours=hours))

    requests = written_requests(request)

    for sent in requests:
        assert breaches(sent) == []
    if requests:
        assert list(limits_broken(form(requests[-1]), order)) == []


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(st.data())
def test_every_invoice_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """The customer, the draft, its items and the finalisation, for any order that has a customer."""
    currency = data.draw(currencies)
    sold = data.draw(st.one_of(st.just([]), st.lists(lines(currency), max_size=4)))
    amount = Money(data.draw(st.integers(2000, 99_999)) * 10, currency)
    content: dict[str, Any] = {"lines": sold} if sold else {"amount": amount}
    checkout = Checkout(
        methods=data.draw(st.lists(st.sampled_from(METHODS), max_size=2)),
        extra={"stripe": {"footer": "Merci"}},
    )
    try:
        order = Order(
            reference="R", description="Logo", customer=data.draw(customers), checkout=checkout, **content
        )
    except InvalidInput:
        assume(False)
        raise

    requests = written_requests(asked(order, HostedInvoice(due_in_days=14)))

    for sent in requests:
        assert breaches(sent) == []
    if requests:
        forms = [form(sent) if sent.content else {} for sent in requests]
        assert list(invoice_limits_broken(forms, order)) == []


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
    """Closing, opening again, finding, listing and fetching."""
    provider = account(api_version=DAHLIA)
    more = {"object": "list", "data": [recorded("refund_pending")], "has_more": True}
    sessions = {"object": "list", "data": [recorded("stripe_session_alone_open")], "has_more": False}
    invoices = {"object": "list", "data": [recorded("stripe_invoice_open")], "has_more": False}
    short = evolve(
        asked(evolve(ORDER, return_url="https://shop.example")), expires_at=NOW + dt.timedelta(hours=6)
    )
    used_up = recorded("payment_link_used_up")
    again = recorded("payment_link_single_use", restrictions={"completed_sessions": {"count": 1, "limit": 2}})
    own, invoice, pi = "cs_test_a1own", "in_1SkPbL", "pi_3SkPbLcard"
    calls: list[tuple[Any, list[Any]]] = [
        (
            provider.close_link("plink_1SkPbLsingle", key=KEY, now=NOW),
            [
                recorded("payment_link_deactivated"),
                recorded("sessions_open"),
                recorded("session_expired"),
                recorded("session_expired"),
            ],
        ),
        (
            provider.find_link(asked(), since=NOW, now=NOW),
            [recorded("payment_links_page"), recorded("payment_link_single_use")],
        ),
        (provider.reopen_link("plink_1SkPbLsingle", key=KEY, now=NOW), [used_up, again]),
        (provider.fetch_link("plink_1SkPbLsingle"), [recorded("payment_link_single_use")]),
        (provider.payments_of("plink_1SkPbLsingle"), [recorded("sessions_complete")]),
        (provider.find_link(short, since=NOW, now=NOW), [sessions]),
        (provider.fetch_link(own), [recorded("stripe_session_alone_open")]),
        (provider.close_link(own, key=KEY, now=NOW), [recorded("stripe_session_alone_expired")]),
        (provider.payments_of(own), [recorded("stripe_session_alone_complete")]),
        (provider.find_link(asked(ORDER, HostedInvoice()), since=NOW, now=NOW), [invoices]),
        (provider.fetch_link(invoice), [recorded("stripe_invoice_open")]),
        (
            provider.close_link(invoice, key=KEY, now=NOW),
            [recorded("stripe_invoice_open"), recorded("stripe_invoice_void")],
        ),
        (
            provider.close_link(invoice, key=KEY, now=NOW),
            [recorded("stripe_invoice_draft"), {"id": invoice, "object": "invoice", "deleted": True}],
        ),
        (
            provider.payments_of(invoice),
            [recorded("stripe_invoice_paid"), recorded("stripe_invoice_payments")],
        ),
        (provider.fetch_payment(pi), [recorded("payment_intent_succeeded")]),
        (provider.fetch_payment("cs_test_a1free"), [recorded("session_nothing_to_pay")]),
        (provider.disputes_of(pi), [recorded("stripe_disputes")]),
        (provider.refunds_of(pi), [more, recorded("refunds_page")]),
        (
            provider.settlements(since=NOW, until=NOW + dt.timedelta(days=1), after="txn_1"),
            [recorded("stripe_balance_transactions")],
        ),
    ]
    requests = [request for call, replies in calls for request in drive(call, *replies)[1]]

    # The document has no capture and no cancellation of a payment intent; test_stripe_payments has their forms.
    assert len(requests) == sum(len(replies) for _, replies in calls)
    for request in requests:
        assert breaches(request) == [], f"{request.method} {request.url}"
