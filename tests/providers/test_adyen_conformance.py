"""Adyen's adapter passes the suite that every provider passes, before the sandbox's Adyen."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Provider
from paybylink.testing import Alteration, Webhook

from .sandbox_suite import SandboxSuite, with_words

SECRET, OTHER = "00112233445566778899AABBCCDDEEFF" * 2, "FF" * 32
KEY, USER, PASSWORD = "AQEconformancekey", "hook", "hookpassword"


class TestAdyen(SandboxSuite):
    """The suite."""

    vendor = "adyen"

    @classmethod
    def register(cls) -> None:
        _ = cls.sandbox.control.register_webhook(
            f"{cls.receiver.base}/webhooks/adyen",
            provider="adyen",
            secret=SECRET,
            user=USER,
            password=PASSWORD,
        )

    def provider(self) -> Provider:
        return self.provider_with([SECRET])

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return AdyenProvider(
            KEY,
            merchant_account="SandboxMerchant",
            hmac_keys=secrets,
            base_url=self.sandbox.adyen_url,
            webhook_user=USER,
            webhook_password=PASSWORD,
            report_user="rp",
            report_password="reportpassword",
        )

    def signing(self) -> tuple[str, str]:
        return SECRET, OTHER

    def secrets(self) -> Sequence[str]:
        return [KEY, SECRET, PASSWORD, "reportpassword"]

    def unsigned(self, webhook: Webhook) -> Webhook:
        def words(said: dict[str, Any]) -> dict[str, Any]:
            return {"hmacSignature": ""} if "hmacSignature" in said else {}

        return evolve(webhook, body=with_words(webhook.body, words))

    def too_much(self) -> tuple[Order, Sequence[str]]:
        checkout = Checkout(statement="A<B", extra={"adyen": {"amount": {}}})
        paths = ["order.checkout.statement", "order.checkout.extra.adyen.amount"]
        return self.order(amount=Money(10**9, "EUR"), checkout=checkout), paths

    def altered(self, content: bytes, what: Alteration) -> bytes:
        match what:
            case Alteration.MODE:
                return content.replace(b'"live": "false"', b'"live": "true"')
            case Alteration.BALANCE_KIND:
                return re.sub(rb"(,UTC),\w+,", rb"\1,Strange,", content)
            case Alteration.PAYMENT_STATUS:
                return content

    def refusal(self, request: httpx.Request, *, status: int, told: str) -> httpx.Response:
        code = "702" if status == 422 else "000"
        said = {"status": status, "errorCode": code, "message": told, "errorType": "validation"}
        return httpx.Response(status, content=json.dumps(said).encode(), request=request)
