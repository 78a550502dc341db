"""What the tests of the sandbox's Adyen have in common: a shop with a client, and what its endpoint was told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from attrs import frozen

from paybylink.sandbox import Sandbox

from .sandbox_given import Listener

ACCOUNT = "AtelierECOM"
HMAC_KEY = "00112233445566778899AABBCCDDEEFF" * 2


def euros(value: int) -> dict[str, Any]:
    """An amount in cents."""
    return {"currency": "EUR", "value": value}


@frozen
class Shop:
    """
    A merchant who calls Adyen by hand.

    Attributes:
        sandbox: where.
        http: with a key that opens.
    """

    sandbox: Sandbox
    http: httpx.Client

    def link(self, **changes: Any) -> Any:
        """A link over 49.90 EUR, made."""
        reply = self.asked("/paymentLinks", **changes)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def asked(self, path: str, *, key: str | None = None, **changes: Any) -> httpx.Response:
        """The reply to a link's request, changed; a change to None leaves the field out."""
        body = {"amount": euros(4990), "merchantAccount": ACCOUNT, "reference": "INV-31", **changes}
        headers = {} if key is None else {"Idempotency-Key": key}
        present = {name: value for name, value in body.items() if value is not None}
        return self.http.post(path, json=present, headers=headers)

    def status(self, link: Any) -> str:
        """The status of a link now."""
        return str(self.http.get(f"/paymentLinks/{link['id']}").json()["status"])

    def change(self, payment: str, path: str, value: int | None = None, **more: Any) -> httpx.Response:
        """The reply to a capture, cancel, refund or reversal."""
        amount = {} if value is None else {"amount": euros(value)}
        body = {"merchantAccount": ACCOUNT, **amount, **more}
        return self.http.post(f"/payments/{payment}/{path}", json=body)


@contextmanager
def shop_in(sandbox: Sandbox, key: str = "AQEsandboxkey") -> Iterator[Shop]:
    """A shop before a running sandbox."""
    headers = {"X-API-Key": key}
    with httpx.Client(base_url=f"{sandbox.adyen_url}/v72", headers=headers) as http:
        yield Shop(sandbox, http)


def items(listener: Listener) -> list[dict[str, Any]]:
    """Every notification item that an endpoint was told, in order."""
    calls = [json.loads(body) for body, _ in listener.heard]
    return [wrapped["NotificationRequestItem"] for call in calls for wrapped in call["notificationItems"]]


def codes(listener: Listener) -> list[str]:
    """Their event codes, with a ``!`` where `success` is false."""
    return [item["eventCode"] + ("" if item["success"] == "true" else "!") for item in items(listener)]


def paid(shop: Shop, **changes: Any) -> str:
    """The pspReference of a new link's payment."""
    return shop.sandbox.control.pay(shop.link(**changes)["url"]).payment


def one(shop: Shop, kind: str) -> Any:
    """The only document of a kind in the truth."""
    found = shop.sandbox.control.truth()[kind]
    assert len(found) == 1
    return found[0]
