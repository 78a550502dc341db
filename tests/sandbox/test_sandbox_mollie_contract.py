"""The answers of the sandbox's Mollie half against Mollie's OpenAPI document, which the environment names."""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from paybylink.sandbox import Sandbox
from paybylink.sandbox.mollie.endpoints import ENDPOINTS

from .mollie_given import PROFILE, euros, link_body, ringing

SPECS = os.environ.get("PAYBYLINK_SPECS")

pytestmark = pytest.mark.skipif(not SPECS, reason="PAYBYLINK_SPECS names no folder with mollie.openapi.json")

LINE = {
    "description": "Logo",
    "quantity": 2,
    "unitPrice": euros("24.95"),
    "totalAmount": euros("49.90"),
    "vatRate": "20.00",
    "vatAmount": euros("8.32"),
}
ADDRESS = {
    "givenName": "Zoé",
    "familyName": "Martin",
    "email": "zoe@example.com",
    "streetAndNumber": "1 rue du Bac",
    "postalCode": "75007",
    "city": "Paris",
    "country": "FR",
}
INVOICE = {
    "status": "draft",
    "recipientIdentifier": "c-1",
    "recipient": {**ADDRESS, "type": "consumer", "locale": "fr_FR"},
    "lines": [{"description": "Logo", "quantity": 1, "vatRate": "20.00", "unitPrice": euros("89.00")}],
}


@pytest.fixture(scope="module")
def spec() -> Any:
    """Mollie's document."""
    return null_said_plainly(json.loads(Path(SPECS or "", "mollie.openapi.json").read_text("utf-8")))


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


def faults(spec: Any, schema: Any, value: Any) -> list[str]:
    """What is wrong with `value`, each fault with its place."""
    registry: Registry[Any] = Registry().with_resource("spec:", DRAFT202012.create_resource(spec))
    absolute = json.loads(json.dumps(schema).replace('"#/', '"spec:#/'))
    validator = OAS31Validator(absolute, registry=registry)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(value)
    ]


def path_in(spec: Any, template: str) -> str:
    """The document's own writing of a path: its parameters have longer names."""
    wanted = re.sub(r"\{\w+\}", "{}", template)
    return str(next(path for path in spec["paths"] if re.sub(r"\{\w+\}", "{}", path) == wanted))


def schema_of(spec: Any, method: str, template: str, status: int) -> Any:
    """The schema of an answer."""
    responses = spec["paths"][path_in(spec, template)][method.lower()]["responses"]
    said = responses[str(status)]
    return said["content"]["application/hal+json"]["schema"] if "content" in said else None


def test_every_answer_has_mollies_shape(sandbox: Sandbox, spec: Any) -> None:
    """Each endpoint is called, with money in every state, and its answer and every event validate."""
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    key, token = "test_contract", "access_contract"

    def call(
        method: str,
        template: str,
        /,
        body: Any = None,
        query: Any = None,
        secret: str = key,
        **names: str,
    ) -> Any:
        path = re.sub(r"\{(\w+)\}", lambda name: names[name[1]], template)
        headers = {"Authorization": f"Bearer {secret}"}
        reply = http.request(method, path, json=body, params=query, headers=headers)
        assert reply.is_success, reply.text
        assert reply.headers["Content-Type"] == "application/hal+json"
        seen.add((method, template))
        schema = schema_of(spec, method, template, reply.status_code)
        if schema is None:
            assert reply.status_code == 204
            return None
        found = faults(spec, schema, reply.json())
        wrong.extend(f"{method} {template} {fault}" for fault in found)
        return reply.json()

    with httpx.Client(base_url=sandbox.mollie_url) as http, ringing() as bell:
        _ = sandbox.control.register_webhook(bell.url, provider="mollie")
        rich = link_body(
            lines=[LINE],
            billingAddress=ADDRESS,
            shippingAddress=ADDRESS,
            redirectUrl="https://shop.example/thanks",
            webhookUrl=bell.url,
            reusable=True,
            expiresAt="2090-01-02T03:04:05+02:00",
            allowedMethods=["creditcard", "klarna", "banktransfer", "ideal"],
        )
        link = call("POST", "/v2/payment-links", rich)
        gift = call("POST", "/v2/payment-links", {"description": "Gift", "minimumAmount": euros("1.00")})
        call("PATCH", "/v2/payment-links/{link}", {"description": "Present"}, link=gift["id"])
        call("DELETE", "/v2/payment-links/{link}", link=gift["id"])
        paid = sandbox.control.pay(link["_links"]["paymentLink"]["href"], method="ideal")
        _ = sandbox.control.pay(link["id"], method="klarna")
        _ = sandbox.control.pay(link["id"], how="delayed")
        _ = sandbox.control.pay(link["id"], how="declined")
        _ = sandbox.control.pay(f"{sandbox.url}/pay/{link['id']}?sandbox=abandoned")
        _ = sandbox.control.pay(f"{sandbox.url}/pay/{link['id']}?sandbox=canceled")
        call("GET", "/v2/payment-links", query={"limit": "1"})
        call("GET", "/v2/payment-links/{link}", link=link["id"])
        call("GET", "/v2/payment-links/{link}/payments", query={"limit": "2", "sort": "asc"}, link=link["id"])
        call("GET", "/v2/payments", query={"testmode": "true", "profileId": PROFILE}, secret=token)
        call("GET", "/v2/payments/{payment}", payment=paid.payment)
        names = {"payment": paid.payment}
        refund = call(
            "POST",
            "/v2/payments/{payment}/refunds",
            {"amount": euros("5.00"), "metadata": {"a": [1]}},
            **names,
        )
        other = call("POST", "/v2/payments/{payment}/refunds", {"amount": euros("6.00")}, **names)
        third = call("POST", "/v2/payments/{payment}/refunds", {"amount": euros("7.00")}, **names)
        call("DELETE", "/v2/payments/{payment}/refunds/{refund}", refund=other["id"], **names)
        _ = sandbox.control.move_clock(timedelta(days=2))
        _ = sandbox.control.settle(link["id"])
        chargeback = sandbox.control.dispute(paid.payment)
        _ = sandbox.control.payout("mollie")
        call("GET", "/v2/payments/{payment}/refunds/{refund}", refund=refund["id"], **names)
        call("GET", "/v2/payments/{payment}/refunds", **names)
        call("GET", "/v2/refunds")
        call(
            "GET",
            "/v2/payments/{payment}/chargebacks/{chargeback}",
            chargeback=chargeback["id"],
            payment=paid.payment,
        )
        call("GET", "/v2/payments/{payment}/chargebacks", **names)
        call("GET", "/v2/chargebacks")
        call("GET", "/v2/methods", query={"amount[value]": "100.00", "amount[currency]": "CHF"})
        call("GET", "/v2/methods/{method}", method="creditcard")
        tested = {"testmode": "true"}
        call("GET", "/v2/balances", query=tested, secret=token)
        call("GET", "/v2/balances/{balance}", query=tested, secret=token, balance="primary")
        call("GET", "/v2/balances/{balance}/transactions", query=tested, secret=token, balance="primary")
        settlement = call("GET", "/v2/settlements", secret=token)["_embedded"]["settlements"][0]["id"]
        call("GET", "/v2/settlements/{settlement}", secret=token, settlement=settlement)
        for part in ("payments", "refunds", "chargebacks"):
            shown = call("GET", f"/v2/settlements/{{settlement}}/{part}", secret=token, settlement=settlement)
            assert shown["count"] > 0
        _ = sandbox.control.fail_refund(third["id"])
        _ = sandbox.control.close_dispute(chargeback["id"], won=True)
        call("GET", "/v2/organizations/me", secret=token)
        call("GET", "/v2/profiles/me")
        draft = call("POST", "/v2/sales-invoices", INVOICE)
        call("DELETE", "/v2/sales-invoices/{invoice}", invoice=draft["id"])
        invoice = call("POST", "/v2/sales-invoices", INVOICE)
        call("PATCH", "/v2/sales-invoices/{invoice}", {"status": "issued"}, invoice=invoice["id"])
        _ = sandbox.control.pay(invoice["id"])
        call("GET", "/v2/sales-invoices/{invoice}", invoice=invoice["id"])
        call("GET", "/v2/sales-invoices")
        call("PATCH", "/v2/payment-links/{link}", {"archived": True}, link=link["id"])
        _ = sandbox.control.flush_webhooks()
        told = [heard.event for heard in bell.heard if "x-mollie-signature" in heard.headers]
        call("GET", "/v2/events/{event}", query=tested, secret=token, event=told[0]["id"])

    event_schema = schema_of(spec, "GET", "/v2/events/{event}", 200)
    for event in told:
        # Of the entities one after another only the right one can fit; the fault would name them all.
        plain = {**event, "_embedded": None}
        wrong += [f"event {fault}" for fault in faults(spec, event_schema, plain)]
        entity = event["_embedded"]["entity"]
        name = {
            "payment": "payment-response",
            "payment-link": "payment-link-response",
            "refund": "entity-refund-response",
            "chargeback": "entity-chargeback",
            "sales-invoice": "sales-invoice-response",
        }[entity["resource"]]
        wrong += [
            f"{event['type']} {fault}" for fault in faults(spec, spec["components"]["schemas"][name], entity)
        ]
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert seen == {(one.method, one.path) for one in ENDPOINTS}
    assert {event["type"] for event in told} >= {
        "payment.paid",
        "payment.failed",
        "payment.canceled",
        "payment.expired",
        "payment.pending",
        "payment.authorized",
        "payment-link.paid",
        "refund.pending",
        "refund.processing",
        "refund.refunded",
        "refund.canceled",
        "refund.failed",
        "chargeback.received",
        "chargeback.reversed",
        "sales-invoice.created",
        "sales-invoice.issued",
        "sales-invoice.paid",
    }


@pytest.mark.parametrize(
    ("path", "key"),
    [
        pytest.param("/v2/payment-links/pl_none", "test_x", id="missing"),
        pytest.param("/v2/payment-links", "live_x", id="live-key"),
        pytest.param("/v2/payment-links?limit=0", "test_x", id="limit"),
        pytest.param("/v2/balances", "test_x", id="no-right"),
    ],
)
def test_every_refusal_has_mollies_shape(sandbox: Sandbox, spec: Any, path: str, key: str) -> None:
    """Errors validate against the document as well."""
    reply = httpx.get(sandbox.mollie_url + path, headers={"Authorization": f"Bearer {key}"})

    assert reply.status_code in {400, 401, 403, 404}
    assert reply.headers["Content-Type"] == "application/hal+json"
    assert faults(spec, spec["components"]["schemas"]["error-response"], reply.json()) == []
