"""Mollie's adapter passes the suite that every provider passes, before the sandbox's Mollie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from paybylink.checkout import Checkout
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import Provider
from paybylink.providers.mollie import MollieProvider
from paybylink.testing import Alteration

from .sandbox_suite import SandboxSuite, with_words

SECRET, OTHER = "conformance-secret-of-mollie", "another-secret-of-mollie"
TOKEN = "access_conformanceconformanceconform"
KEY = "test_conformanceconformanceconform"


class TestMollie(SandboxSuite):
    """The suite."""

    vendor = "mollie"

    @classmethod
    def register(cls) -> None:
        _ = cls.sandbox.control.register_webhook(
            f"{cls.receiver.base}/webhooks/mollie", provider="mollie", secret=SECRET
        )

    def provider(self) -> Provider:
        return self.provider_with([SECRET])

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return MollieProvider(KEY, webhook_secrets=secrets, base_url=self.sandbox.mollie_url)

    def notify_url(self, link_id: str, attempt_id: str) -> str | None:
        return f"{self.receiver.base}/webhooks/mollie?link={link_id}&attempt={attempt_id}"

    def signing(self) -> tuple[str, str]:
        return SECRET, OTHER

    def secrets(self) -> Sequence[str]:
        return [KEY, SECRET]

    def some_id(self) -> str:
        return "tr_PbLPaidCard"

    def too_much(self) -> tuple[Order, Sequence[str]]:
        checkout = Checkout(extra={"mollie": {"amount": {}, "webhookUrl": ""}})
        paths = ["order.checkout.extra.mollie.amount", "order.checkout.extra.mollie.webhookUrl"]
        return self.order(amount=Money(10**9, "EUR"), checkout=checkout), paths

    def altered(self, content: bytes, what: Alteration) -> bytes:
        def words(said: dict[str, Any]) -> dict[str, Any]:
            if what is Alteration.MODE and said.get("mode") == "test":
                return {"mode": "live"}
            if what is Alteration.PAYMENT_STATUS and said.get("resource") == "payment":
                return {"status": "strange"}
            if what is Alteration.BALANCE_KIND and said.get("resource") == "balance-transaction":
                return {"type": "strange"}
            return {}

        return with_words(content, words)

    def refusal(self, request: httpx.Request, *, status: int, told: str) -> httpx.Response:
        said = {"status": status, "title": told, "detail": told, "field": "amount"}
        return httpx.Response(status, json=said, request=request)


class TestMollieOfAnOrganisation(TestMollie):
    """The suite with an access token, which may do more than an API key."""

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return MollieProvider(
            TOKEN,
            webhook_secrets=secrets,
            base_url=self.sandbox.mollie_url,
            profile_id="pfl_SandboxPBL",
            testmode=True,
        )

    def secrets(self) -> Sequence[str]:
        return [TOKEN, SECRET]
