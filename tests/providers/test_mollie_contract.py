"""
What the adapter writes and reads, held against Mollie's own OpenAPI document.

The document is not part of the project: set PAYBYLINK_SPECS to the folder that holds ``mollie.openapi.json``. Its
schemas carry hardly any limits, so those that its words describe are asserted here as well.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from paybylink.checkout import Checkout
from paybylink.currencies import iso_exponent
from paybylink.errors import InvalidInput, UnsupportedCapability
from paybylink.kinds import HostedInvoice, Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.mollie._balance import KINDS
from paybylink.providers.mollie._methods import METHODS
from paybylink.testing import strategies

from .mollie_given import (
    CUSTOMER,
    INVOICE,
    INVOICED,
    KEY,
    NOW,
    ORDER,
    PAYMENT,
    VENDOR_LINK,
    account,
    asked,
    create,
    drive,
    invoice_asked,
    organisation,
    query,
    recorded,
    refund_asked,
)

SPECS = os.environ.get("PAYBYLINK_SPECS")
needs_specs = pytest.mark.skipif(
    not SPECS, reason="PAYBYLINK_SPECS is not set: the folder with mollie.openapi.json is needed"
)

RECORDED = sorted(
    path.stem.removeprefix("mollie_") for path in (Path(__file__).parent / "recorded").glob("mollie_*.json")
)
#: What each kind of object is called in the document.
SCHEMAS = {
    "payment-link": "payment-link-response",
    "payment": "payment-response",
    "refund": "entity-refund-response",
    "chargeback": "entity-chargeback",
    "method": "list-entity-method",
    "balance": "entity-balance",
    "balance-transaction": "entity-balance-transaction",
    "sales-invoice": "sales-invoice-response",
    "event": "entity-webhook-event",
}


@functools.cache
def spec() -> dict[str, Any]:
    assert SPECS
    found: dict[str, Any] = null_said_plainly(
        json.loads((Path(SPECS) / "mollie.openapi.json").read_text("utf-8"))
    )
    return found


def null_said_plainly(node: Any) -> Any:
    """The document with null taken out of `type` where a reference beside it forbids what the type allows."""
    if isinstance(node, list):
        return [null_said_plainly(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {name: null_said_plainly(one) for name, one in node.items()}
    if "null" in (plain.get("type") or "") and ("$ref" in plain or "allOf" in plain):
        return {"anyOf": [{name: one for name, one in plain.items() if name != "type"}, {"type": "null"}]}
    return plain


@functools.cache
def registry() -> Any:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    known: Registry[Any] = Registry().with_resource("spec:", DRAFT202012.create_resource(spec()))
    return known.crawl()


@functools.cache
def validator(schema: str) -> Any:
    from openapi_schema_validator import OAS31Validator

    return OAS31Validator(json.loads(schema.replace('"#/', '"spec:#/')), registry=registry())


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """Every fault of `value` under a schema of the document."""
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in validator(json.dumps(schema)).iter_errors(value)
    ]


def operation(request: httpx.Request) -> dict[str, Any]:
    """The operation of the document that a request means; a literal path goes before one with parameters."""
    for path, methods in sorted(spec()["paths"].items(), key=lambda entry: entry[0].count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in methods:
            found: dict[str, Any] = methods[request.method.lower()]
            return found
    raise AssertionError(f"the document has no {request.method} {request.url.path}")


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """A schema or parameter, without its reference."""
    while "$ref" in node:
        found: Any = spec()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def known_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object, over everything that it is made of."""
    schema = resolved(schema)
    fields = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        fields |= {name: one for name, one in known_fields(part).items() if one or name not in fields}
    return fields


def asked_for(schema: dict[str, Any]) -> dict[str, Any]:
    """
    A request's schema without what only answers have.

    The document demands `mode`, `status` and the like of a refund's request, which are read-only, and `metadata` and
    `description`, which its own samples leave out.
    """
    fields = known_fields(schema)
    demanded = [
        name
        for part in (schema, *resolved(schema).get("allOf", []))
        for name in resolved(part).get("required", [])
    ]
    read_only = {name for name, one in fields.items() if resolved(one).get("readOnly") is True}
    optional = read_only | {"resource", "id", "mode", "createdAt", "_links", "description", "metadata"}
    return {
        "type": "object",
        "properties": {name: one for name, one in fields.items() if name not in read_only},
        "required": sorted(set(demanded) - optional),
        "additionalProperties": False,
    }


def breaches(request: httpx.Request) -> list[str]:
    """What the document finds wrong with a request."""
    described = operation(request)
    found: list[str] = []
    parameters = [resolved(parameter) for parameter in described["parameters"]]
    if request.method == "GET":
        known = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
        fields: dict[str, Any] = {}
        for name, value in query(request).items():
            whole, _, part = name.partition("[")
            fields.setdefault(whole, {})[part.rstrip("]")] = value
        for name, parts in fields.items():
            value = parts.get("", parts)
            schema = known.get(name)
            if schema is None:
                found.append(f"there is no parameter {name}")
            elif "integer" in str(resolved(schema).get("type")):
                found += faults(schema, int(value))
            elif "boolean" in str(resolved(schema).get("type")):
                found += faults(schema, value == "true")
            else:
                found += faults(schema, value)
        return found
    if request.url.query:
        found.append("a change has a query")
    if "content" in described.get("requestBody", {}):
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        if request.method == "POST":
            schema = {**asked_for(schema)}
            if "description" in operation(request)["requestBody"]["content"]["application/json"][
                "schema"
            ].get("required", []):
                schema["required"] = ["description"]
        else:
            schema = {
                "type": "object",
                "properties": known_fields(schema),
                "minProperties": 1,
                "additionalProperties": False,
            }
        found += faults(schema, json.loads(request.content))
    return found


@needs_specs
@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_reply_has_mollies_shape(name: str) -> None:
    """Replies, what lists hold, and what events carry, validate as the objects they say they are."""
    reply = recorded(name)
    if name.startswith("error_"):
        assert faults({"$ref": "#/components/schemas/error-response"}, reply) == []
        return
    if "_embedded" in reply and "resource" not in reply:
        (objects,) = reply["_embedded"].values()
        assert reply["count"] == len(objects)
    else:
        objects = [reply]
    if reply.get("resource") == "event" and reply["_embedded"]:
        objects = [reply, reply["_embedded"]["entity"]]
    if name == "balance_transactions":
        # One has a type that the document does not know, on purpose.
        objects = [thing for thing in objects if thing["type"] != "some-type-of-tomorrow"]
    for thing in objects:
        schema = SCHEMAS[thing["resource"]]
        assert faults({"$ref": f"#/components/schemas/{schema}"}, as_described(thing)) == []


def as_described(thing: dict[str, Any]) -> dict[str, Any]:
    """An object without what Mollie is known to answer otherwise than its document says."""
    if thing["resource"] in ("refund", "chargeback", "payment"):
        # In lists and events they have no page about themselves.
        return {**thing, "_links": {"documentation": {"href": "x", "type": "y"}, **thing["_links"]}}
    if thing["resource"] == "sales-invoice":
        # The recipient's locale is written and never read; the status after a cancelling is not in the list.
        status = "issued" if thing["status"] == "cancelled" else thing["status"]
        return {**thing, "status": status, "recipient": {**thing["recipient"], "locale": "fr_FR"}}
    return thing


@needs_specs
def test_a_breach_would_be_seen() -> None:
    """The checks of this file find an unknown field, a wrong type, and a reply without what it must have."""
    _, (request,) = drive(create(account(), asked()), recorded("link_single_use"))
    body = json.loads(request.content)
    assert breaches(request) == []
    for worse in (
        {**body, "metadata": {}},
        {**body, "amount": {"currency": "EUR", "value": 49.9}},
        {**body, "amount": {"currency": "EUR"}},
        {name: one for name, one in body.items() if name != "description"},
        {**body, "id": "pl_1"},
        {**body, "lines": [{"description": "x"}]},
    ):
        assert breaches(httpx.Request("POST", request.url, json=worse)), worse
    assert breaches(httpx.Request("GET", f"{request.url}?reference=1"))
    assert breaches(httpx.Request("GET", f"{request.url}?limit=1000"))
    link = recorded("link_single_use")
    del link["archived"]
    assert faults({"$ref": "#/components/schemas/payment-link-response"}, link)


def limits_broken(body: dict[str, Any], request: LinkRequest) -> Iterable[str]:
    """The limits of the document's words that its schema does not carry."""
    order = request.order
    if not 1 <= len(body["description"]) <= 255 or not body["description"].strip():
        yield "description"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["expiresAt"]):
        yield "expiresAt"
    chosen = isinstance(request.kind, Reusable) and request.kind.payer_chooses
    if ("amount" in body) == chosen or ("minimumAmount" in body) != chosen:
        yield "amount and minimumAmount"
    told = body["minimumAmount" if chosen else "amount"]
    decimals = iso_exponent(order.amount.currency)
    pattern = rf"\d+\.\d{{{decimals}}}" if decimals else r"\d+"
    if told["currency"] != order.amount.currency or not re.fullmatch(pattern, told["value"]):
        yield "amount"
    if not chosen and Money.read_text(told["value"], told["currency"]) != order.amount:
        yield "amount"
    yield from line_limits_broken(body.get("lines") or [], body)
    address = body.get("billingAddress")
    if address is not None:
        postal = {"streetAndNumber", "postalCode", "city", "country"}
        if "email" not in address and not postal <= address.keys():
            yield "billingAddress"
        for name in ("givenName", "familyName"):
            if name in address and (len(address[name]) < 2 or address[name].isdigit()):
                yield name
        if "phone" in address and not re.fullmatch(r"\+[1-9]\d{6,14}", address["phone"]):
            yield "phone"


def line_limits_broken(lines: list[dict[str, Any]], body: dict[str, Any]) -> Iterable[str]:
    if lines and sum(Decimal(line["totalAmount"]["value"]) for line in lines) != Decimal(
        body["amount"]["value"]
    ):
        yield "lines"
    for line in lines:
        each, total = Decimal(line["unitPrice"]["value"]), Decimal(line["totalAmount"]["value"])
        if each * line["quantity"] != total:
            yield "totalAmount"
        if (line.get("type") == "discount") != (each < 0):
            yield "type"
        if ("vatRate" in line) != ("vatAmount" in line):
            yield "vatRate"
        if "vatRate" in line:
            rate = Decimal(line["vatRate"])
            vat = (total * rate / (100 + rate)).quantize(total, rounding=ROUND_HALF_UP)
            if vat != Decimal(line["vatAmount"]["value"]):
                yield "vatAmount"


def accounts() -> st.SearchStrategy[MollieProvider]:
    """With a key, with a token, with an address for news of its own."""
    return st.sampled_from([account(), organisation(), account(webhook_url="https://pay.example/hook")])


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(st.data())
def test_every_link_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any order is refused by us, or written so that Mollie's schema and the limits in its words hold."""
    order = data.draw(strategies.orders())
    order = evolve(order, return_url=data.draw(st.sampled_from([None, "https://shop.example/é?a=[1]#x"])))
    # Words that the document's list lacks are passed through, for it grows.
    listed = spec()["components"]["schemas"]["payment-link-method"]["enum"]
    methods = [word for word in order.checkout.methods if METHODS.to_vendor(word) in listed]
    order = evolve(order, checkout=evolve(order.checkout, methods=methods))
    if data.draw(st.booleans()):
        # Most checkouts ask for what Mollie has not.
        order = evolve(order, checkout=Checkout(methods=methods, prefill=order.checkout.prefill))
    request = asked(
        order,
        data.draw(strategies.link_kinds(order.amount)),
        notify_url=data.draw(st.sampled_from([None, "https://pay.example/webhooks/mollie?link=a&attempt=b"])),
        locale=data.draw(st.sampled_from([None, "fr", "en-GB"])),
    )
    provider = data.draw(accounts())
    try:
        written = provider.write_link(request, key=KEY, now=NOW)
    except UnsupportedCapability:
        event("not to be had")
        assert order.checkout != Checkout()
        return
    except InvalidInput:
        event("refused by us")
        assert isinstance(request.kind, HostedInvoice)
        return

    event(request.kind.name)
    sent = next(provider.create_link(request, written=written))

    assert sent.content == written.body
    assert breaches(sent) == []
    if not isinstance(request.kind, HostedInvoice):
        assert list(limits_broken(json.loads(sent.content), request)) == []


@st.composite
def invoiced_orders(draw: st.DrawFn) -> Order:
    """An order that Mollie can invoice, or nearly."""
    included = draw(st.booleans())
    line = st.builds(
        LineItem,
        description=strategies.texts(least=1, most=120),
        unit_price=strategies.money(currency="EUR", most=10**6),
        quantity=st.decimals(Decimal("0.5"), Decimal(50), places=draw(st.integers(0, 2))),
        vat_rate=st.sampled_from(["0", "5.5", "20", "8.875"]),
        vat_included=st.just(included),
    )
    return Order(
        reference="R",
        description=draw(strategies.texts()),
        lines=draw(st.lists(line, min_size=1, max_size=4)),
        customer=draw(
            st.sampled_from([CUSTOMER, evolve(CUSTOMER, organisation="Atelier", vat_number="FR40303265045")])
        ),
    )


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
@given(st.data())
def test_every_invoice_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """And adds up to the order's amount however Mollie rounds it."""
    order = data.draw(invoiced_orders())
    try:
        written = account().write_link(invoice_asked(order), key=KEY, now=NOW)
    except InvalidInput as error:
        event("rounding")
        refused_for = {fault.path for fault in error.faults}
        written = None
    else:
        refused_for = set()
    assert refused_for <= {"order.lines"}
    if written is None:
        return

    sent = next(account().create_link(invoice_asked(order), written=written))
    body = json.loads(sent.content)

    assert breaches(sent) == []
    assert all(1 <= len(line["description"]) <= 100 for line in body["lines"])
    totals = [Decimal(line["unitPrice"]["value"]) * line["quantity"] for line in body["lines"]]
    taxes = [
        Decimal(0) if body["vatMode"] == "inclusive" else total * Decimal(line["vatRate"]) / 100
        for total, line in zip(totals, body["lines"], strict=True)
    ]
    cent = Decimal("0.01")
    per_line = sum(tax.quantize(cent, rounding=ROUND_HALF_UP) for tax in taxes)
    at_once = sum(taxes, Decimal(0)).quantize(cent, rounding=ROUND_HALF_UP)
    assert sum(totals) + per_line == sum(totals) + at_once == order.amount.decimal


@needs_specs
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(st.data())
def test_every_refund_that_can_be_asked_for_keeps_the_contract(data: st.DataObject) -> None:
    """Any amount and any reason."""
    refund = refund_asked(data.draw(strategies.money()), data.draw(strategies.texts(most=300)))
    provider = data.draw(accounts())

    sent = next(provider.refund(refund, written=provider.write_refund(refund, key=KEY, now=NOW)))

    assert breaches(sent) == []


@needs_specs
@pytest.mark.parametrize("provider", [account(), organisation()], ids=["a-key", "a-token"])
def test_every_other_request_keeps_the_contract(provider: MollieProvider) -> None:
    """Closing, finding, listing and fetching, with a key and with a token."""
    until = NOW + dt.timedelta(days=30)
    calls: list[Any] = [
        (provider.close_link(VENDOR_LINK, key=KEY, now=NOW), recorded("link_archived")),
        (provider.close_link(INVOICE, key=KEY, now=NOW), recorded("invoice_cancelled")),
        (
            provider.find_link(asked(), since=NOW, now=NOW),
            recorded("links_page"),
            recorded("links_page_with_ours"),
        ),
        (provider.find_link(invoice_asked(INVOICED), since=NOW, now=NOW), recorded("invoices_page")),
        (provider.fetch_link(VENDOR_LINK), recorded("link_single_use")),
        (provider.fetch_link(INVOICE), recorded("invoice_issued")),
        (provider.payments_of(VENDOR_LINK), recorded("payments_of_link")),
        (provider.fetch_payment(PAYMENT), recorded("payment_paid_by_card")),
        (provider.refunds_of(PAYMENT), recorded("refunds_page")),
        (provider.disputes_of(PAYMENT), recorded("chargebacks_page")),
        (provider.methods_for(ORDER), recorded("methods")),
    ]
    if provider.profile_id:
        calls.append(
            (
                provider.settlements(since=NOW, until=until),
                recorded("balances"),
                recorded("balance_transactions"),
                recorded("balances"),
            )
        )
    requests = [request for call, *replies in calls for request in drive(call, *replies)[1]]

    assert len(requests) == 12 + (3 if provider.profile_id else 0)
    for request in requests:
        assert breaches(request) == [], f"{request.method} {request.url}"


@needs_specs
def test_every_word_for_a_movement_has_a_kind_or_is_known_to_have_none() -> None:
    """More than forty today; what has none is money of the merchant's own, or of a platform."""
    words = spec()["components"]["schemas"]["balance-transaction-type"]["enum"]

    assert len(words) > 40
    assert {word for word in words if word not in KINDS} == {
        "balance-topup",
        "failed-platform-split-payment",
        "incoming-transfer",
        "movement",
        "split-payment",
        "split-transaction",
        "topup",
    }
