"""The sandbox's answers against Stripe's OpenAPI document, which the environment names."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from paybylink.sandbox import Sandbox
from paybylink.sandbox.stripe.endpoints import ENDPOINTS

from .sandbox_given import Listener

SPECS = os.environ.get("PAYBYLINK_SPECS")

pytestmark = pytest.mark.skipif(not SPECS, reason="PAYBYLINK_SPECS names no folder with stripe.openapi.json")


@pytest.fixture(scope="module")
def spec() -> Any:
    """Stripe's document."""
    return null_said_plainly(json.loads(Path(SPECS or "", "stripe.openapi.json").read_text("utf-8")))


def null_said_plainly(node: Any) -> Any:
    """The document with `nullable` moved into `anyOf` and `enum`, where a validator looks for it."""
    if isinstance(node, list):
        return [null_said_plainly(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {name: null_said_plainly(one) for name, one in node.items()}
    if plain.get("nullable") is True:
        if "anyOf" in plain:
            plain["anyOf"] = [*plain["anyOf"], {"enum": [None]}]
        if "enum" in plain:
            plain["enum"] = [*plain["enum"], None]
    return plain


def faults(spec: Any, schema: Any, value: Any) -> list[str]:
    """What is wrong with `value`, each fault with its place."""
    registry: Registry[Any] = Registry().with_resource("spec:", DRAFT4.create_resource(spec))
    absolute = json.loads(json.dumps(schema).replace('"#/', '"spec:#/'))
    validator = OAS30Validator(absolute, registry=registry)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(value)
    ]


def schema_of(spec: Any, method: str, path: str, status: int) -> Any:
    """The schema of an answer."""
    responses = spec["paths"][path][method.lower()]["responses"]
    return responses.get(str(status), responses["default"])["content"]["application/json"]["schema"]


def test_every_answer_has_stripes_shape(sandbox: Sandbox, spec: Any, listener: Listener) -> None:
    """Each endpoint that the document knows is called, with money in every state, and its answer validates."""
    _ = sandbox.control.register_webhook(listener.url)
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    line = {
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "4990",
        "line_items[0][price_data][product_data][name]": "Logo",
        "line_items[0][quantity]": "2",
        "line_items[0][adjustable_quantity][enabled]": "true",
    }
    with httpx.Client(base_url=sandbox.stripe_url, headers={"Authorization": "Bearer sk_test_x"}) as http:

        def call(
            method: str, template: str, data: dict[str, str] | None = None, query: str = "", **names: str
        ) -> Any:
            path = re.sub(r"\{(\w+)\}", lambda name: names[name[1]], template)
            reply = http.request(method, path + query, data=data)
            assert reply.status_code == 200, reply.text
            seen.add((method, template))
            if template in spec["paths"] and method.lower() in spec["paths"][template]:
                found = faults(spec, schema_of(spec, method, template, 200), reply.json())
                wrong.extend(f"{method} {template} {fault}" for fault in found)
            return reply.json()

        _ = call("GET", "/v1/account")
        product = call("POST", "/v1/products", {"name": "Gift"})
        _ = call("GET", "/v1/products/{id}", id=product["id"])
        price = call(
            "POST",
            "/v1/prices",
            {"currency": "eur", "product": product["id"], "custom_unit_amount[enabled]": "true"},
        )
        _ = call("GET", "/v1/prices/{price}", price=price["id"])
        _ = call("GET", "/v1/prices", query="?expand[0]=data.product")
        rich = {
            **line,
            "after_completion[type]": "redirect",
            "after_completion[redirect][url]": "https://shop.example/thanks",
            "custom_text[submit][message]": "Thanks",
            "inactive_message": "Over",
            "metadata[a]": "b",
            "payment_intent_data[metadata][a]": "b",
            "phone_number_collection[enabled]": "true",
            "restrictions[completed_sessions][limit]": "5",
            "submit_type": "pay",
            "expand[0]": "line_items",
        }
        link = call("POST", "/v1/payment_links", rich)
        gift = call(
            "POST", "/v1/payment_links", {"line_items[0][price]": price["id"], "line_items[0][quantity]": "1"}
        )
        _ = sandbox.control.pay(gift["url"], amount="20")
        paid = sandbox.control.pay(link["url"], email="zoe@example.com", name="Zoé")
        _ = sandbox.control.pay(link["url"], how="delayed")
        _ = sandbox.control.pay(link["url"], how="declined")
        _ = call("POST", "/v1/payment_links/{payment_link}", {"active": "false"}, payment_link=link["id"])
        _ = call("GET", "/v1/payment_links/{payment_link}", payment_link=link["id"])
        _ = call("GET", "/v1/payment_links/{payment_link}/line_items", payment_link=link["id"])
        _ = call("GET", "/v1/payment_links", query="?limit=1&active=true")
        session = call(
            "POST",
            "/v1/checkout/sessions",
            {
                **line,
                "mode": "payment",
                "success_url": "https://shop.example/",
                "customer_email": "a@example.com",
            },
        )
        _ = call("POST", "/v1/checkout/sessions/{session}", {"metadata[a]": "b"}, session=session["id"])
        _ = call("GET", "/v1/checkout/sessions/{session}/line_items", session=session["id"])
        _ = call("POST", "/v1/checkout/sessions/{session}/expire", {}, session=session["id"])
        _ = call(
            "GET", "/v1/checkout/sessions/{session}", query="?expand[0]=payment_intent", session=paid.session
        )
        _ = call(
            "GET", "/v1/checkout/sessions", query="?expand[0]=data.line_items&expand[1]=data.payment_link"
        )
        intent = call(
            "GET",
            "/v1/payment_intents/{intent}",
            query="?expand[0]=latest_charge.balance_transaction",
            intent=paid.payment_intent,
        )
        _ = call("POST", "/v1/payment_intents/{intent}", {"description": "x"}, intent=paid.payment_intent)
        _ = call("GET", "/v1/payment_intents", query="?expand[0]=data.latest_charge")
        _ = call("GET", "/v1/charges/{charge}", charge=intent["latest_charge"]["id"])
        _ = call("GET", "/v1/charges")
        refund = call("POST", "/v1/refunds", {"payment_intent": paid.payment_intent, "amount": "100"})
        _ = sandbox.control.fail_refund(refund["id"])
        _ = call("POST", "/v1/refunds/{refund}", {"metadata[a]": "b"}, refund=refund["id"])
        _ = call("GET", "/v1/refunds/{refund}", query="?expand[0]=charge", refund=refund["id"])
        _ = call("GET", "/v1/refunds")
        by_hand = {**line, "payment_intent_data[capture_method]": "manual"}
        for path in ("capture", "cancel"):
            reserved = sandbox.control.pay(call("POST", "/v1/payment_links", by_hand)["url"]).payment
            _ = call("POST", f"/v1/payment_intents/{{intent}}/{path}", {}, intent=reserved)
        disputed = sandbox.control.pay(link_again := call("POST", "/v1/payment_links", line)["url"]).payment
        _ = sandbox.control.close_dispute(sandbox.control.dispute(disputed)["id"], won=True)
        _ = sandbox.control.dispute(sandbox.control.pay(link_again).payment)
        for dispute in call("GET", "/v1/disputes")["data"]:
            _ = call("GET", "/v1/disputes/{dispute}", query="?expand[0]=charge", dispute=dispute["id"])
        customer = call("POST", "/v1/customers", {"email": "zoe@example.com", "address[city]": "Lyon"})["id"]
        _ = call("GET", "/v1/customers/{customer}", customer=customer)
        _ = call("GET", "/v1/customers", query="?email=zoe%40example.com")
        draft = {
            "customer": customer,
            "collection_method": "send_invoice",
            "days_until_due": "30",
            "custom_fields[0][name]": "VAT number",
            "custom_fields[0][value]": "FR123",
        }
        item = {"customer": customer, "amount": "4990", "currency": "eur", "description": "Logo"}
        priced = {
            "customer": customer,
            "quantity": "2",
            "price_data[product]": product["id"],
            "price_data[currency]": "eur",
            "price_data[unit_amount]": "100",
        }
        for ending in ("card", "delayed", "declined", "void", "pay", "mark_uncollectible"):
            invoice = call("POST", "/v1/invoices", draft)
            _ = call("POST", "/v1/invoiceitems", {**item, "invoice": invoice["id"]})
            added = call("POST", "/v1/invoiceitems", {**priced, "invoice": invoice["id"]})
            _ = call(
                "GET", "/v1/invoiceitems/{invoiceitem}", query="?expand[0]=invoice", invoiceitem=added["id"]
            )
            invoice = call("POST", "/v1/invoices/{invoice}/finalize", {}, invoice=invoice["id"])
            if ending in {"card", "delayed", "declined"}:
                _ = sandbox.control.pay(invoice["hosted_invoice_url"], how=ending)  # type: ignore[arg-type]  # one of the three
            else:
                form = {"paid_out_of_band": "true"} if ending == "pay" else {}
                _ = call("POST", f"/v1/invoices/{{invoice}}/{ending}", form, invoice=invoice["id"])
            _ = call("GET", "/v1/invoices/{invoice}", query="?expand[0]=customer", invoice=invoice["id"])
            _ = call("GET", "/v1/invoices/{invoice}/lines", query="?limit=1", invoice=invoice["id"])
            nested = "?expand[0]=data.payment.payment_intent.latest_charge"
            found = call("GET", "/v1/invoice_payments", query=f"{nested}&invoice={invoice['id']}")["data"][0]
            _ = call("GET", "/v1/invoice_payments/{invoice_payment}", invoice_payment=found["id"])
        _ = call("GET", "/v1/invoices", query="?created[gte]=1")
        unused = call("POST", "/v1/invoices", draft)["id"]
        _ = call("DELETE", "/v1/invoices/{invoice}", invoice=unused)
        payout = sandbox.control.payout()["id"]
        _ = call("GET", "/v1/payouts/{payout}", query="?expand[0]=balance_transaction", payout=payout)
        _ = call("GET", "/v1/payouts")
        _ = call("GET", "/v1/balance_transactions", query=f"?payout={payout}")
        entry = call("GET", "/v1/balance_transactions")["data"][0]
        _ = call("GET", "/v1/balance_transactions/{id}", id=entry["id"])
        hook = call("POST", "/v1/webhook_endpoints", {"url": listener.url, "enabled_events[0]": "*"})
        names = {"webhook_endpoint": hook["id"]}
        _ = call("GET", "/v1/webhook_endpoints/{webhook_endpoint}", **names)
        _ = call("POST", "/v1/webhook_endpoints/{webhook_endpoint}", {"description": "x"}, **names)
        _ = call("GET", "/v1/webhook_endpoints")
        _ = call("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", **names)
        event = call("GET", "/v1/events", query="?limit=100")["data"][0]
        _ = call("GET", "/v1/events/{id}", id=event["id"])

    _ = sandbox.control.flush_webhooks()
    for told in listener.events:
        kind = told["data"]["object"]["object"]
        wrong += [f"event {fault}" for fault in faults(spec, spec["components"]["schemas"]["event"], told)]
        wrong += [
            f"{told['type']} {fault}"
            for fault in faults(spec, spec["components"]["schemas"][kind], told["data"]["object"])
        ]
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert seen == {(method, path) for _, method, path, _ in ENDPOINTS}
    assert len(listener.events) > 15


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/payment_links/none", "sk_test_x"),
        ("/v1/payment_links", "sk_live_x"),
        ("/v1/payment_links?x=1", "sk_test_x"),
    ],
)
def test_every_refusal_has_stripes_shape(sandbox: Sandbox, spec: Any, path: str, key: str) -> None:
    """Errors validate against the document as well."""
    reply = httpx.get(sandbox.stripe_url + path, headers={"Authorization": f"Bearer {key}"})

    assert reply.status_code in {400, 401, 404}
    assert faults(spec, spec["components"]["schemas"]["error"], reply.json()) == []
