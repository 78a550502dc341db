"""The sandbox's Adyen against Adyen's OpenAPI documents, which the environment names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox
from paybylink.sandbox.adyen.routes import ENDPOINTS

from .adyen_given import ACCOUNT, HMAC_KEY, Shop, euros, items, shop_in
from .sandbox_given import Listener
from .test_sandbox_contract import faults, null_said_plainly

SPECS = os.environ.get("PAYBYLINK_SPECS")

pytestmark = pytest.mark.skipif(
    not SPECS, reason="PAYBYLINK_SPECS names no folder with adyen-checkout.openapi.json"
)


def document(name: str) -> Any:
    """One of Adyen's documents."""
    return null_said_plainly(json.loads(Path(SPECS or "", f"{name}.openapi.json").read_text("utf-8")))


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(listener.url, provider="adyen", secret=HMAC_KEY)
    with shop_in(sandbox) as opened:
        yield opened


def everything(shop: Shop) -> list[tuple[str, str, httpx.Response]]:
    """Each endpoint's answers, good and bad, as method, path of the document and reply."""
    control, http = shop.sandbox.control, shop.http
    rich = {
        "description": "Logo",
        "reusable": True,
        "metadata": {"a": "b"},
        "allowedPaymentMethods": ["scheme", "ideal"],
        "lineItems": [{"description": "Logo", "quantity": 1, "amountIncludingTax": 4990}],
        "shopperName": {"firstName": "Zoé", "lastName": "Martin"},
        "shopperLocale": "fr-FR",
    }
    made = [
        shop.asked("/paymentLinks", **changes) for changes in ({}, rich, {"manualCapture": True}, {"x": 1})
    ]
    first, reusable, by_hand = (reply.json() for reply in made[:3])
    found: list[tuple[str, str, httpx.Response]] = [("post", "/paymentLinks", reply) for reply in made]
    payment = control.pay(reusable["url"]).payment
    _ = control.pay(reusable["url"], how="declined")
    _ = control.pay(first["url"], how="delayed")
    found += [
        ("get", "/paymentLinks/{linkId}", http.get(f"/paymentLinks/{link['id']}"))
        for link in (first, reusable)
    ]
    found.append(("get", "/paymentLinks/{linkId}", http.get("/paymentLinks/none")))
    for _ in range(2):
        reply = http.patch(f"/paymentLinks/{reusable['id']}", json={"status": "expired"})
        found.append(("patch", "/paymentLinks/{linkId}", reply))
    reserved = control.pay(by_hand["url"]).payment
    asked: list[tuple[str, str, int | None, dict[str, Any]]] = [
        (reserved, "captures", 4990, {"reference": "CAP-1"}),
        (payment, "refunds", 100, {"reference": "AV-1", "merchantRefundReason": "RETURN"}),
        (payment, "cancels", None, {}),
        (reserved, "reversals", None, {"reference": "REV-1"}),
        ("ABCDEFGHIJKLMNOP", "refunds", 1, {}),
    ]
    for psp, path, value, more in asked:
        found.append(
            ("post", f"/payments/{{paymentPspReference}}/{path}", shop.change(psp, path, value, **more))
        )
    methods = {"merchantAccount": ACCOUNT, "amount": euros(1), "countryCode": "NL"}
    found.append(("post", "/paymentMethods", http.post("/paymentMethods", json=methods)))
    dispute = control.dispute(payment, amount=1000)["id"]
    _ = control.close_dispute(dispute, won=True)
    _ = control.close_dispute(dispute, won=False)
    _ = control.payout("adyen")
    return found


def test_every_answer_has_adyens_shape(shop: Shop) -> None:
    """Each endpoint is called, with good and bad ends, and each answer validates."""
    spec = document("adyen-checkout")
    wrong: list[str] = []
    answers = everything(shop)
    for method, path, reply in answers:
        responses = spec["paths"][path][method]["responses"]
        # What is not in the document (a 404) still has its errors' shape.
        schema = {"$ref": "#/components/schemas/ServiceError"}
        if str(reply.status_code) in responses:
            schema = responses[str(reply.status_code)]["content"]["application/json"]["schema"]
        wrong += [f"{method} {path} {fault}" for fault in faults(spec, schema, reply.json())]

    assert not wrong, "\n".join(wrong)
    assert {reply.status_code for _, _, reply in answers} == {200, 201, 400, 404, 422}
    assert len({(method, path) for method, path, _ in answers}) == len(ENDPOINTS)


def test_every_webhook_has_adyens_shape(shop: Shop, listener: Listener) -> None:
    """Each item validates as its event, but for the labels, which the document does not know and real ones have."""
    spec = document("adyen-webhooks")
    _ = everything(shop)
    _ = shop.sandbox.control.flush_webhooks()
    wrong: list[str] = []
    for item in items(listener):
        extra = item["additionalData"]
        kept = {name: value for name, value in extra.items() if not name.startswith("metadata.")}
        post = spec["webhooks"][f"/{item['eventCode']}"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        body = {
            "live": "false",
            "notificationItems": [{"NotificationRequestItem": {**item, "additionalData": kept}}],
        }
        wrong += [f"{item['eventCode']} {fault}" for fault in faults(spec, schema, body)]

    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert len({item["eventCode"] for item in items(listener)}) == 10
