"""Stripe's adapter passes the suite that every provider passes, before the sandbox's Stripe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import httpx
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.kinds import LinkKind
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import Feature, LinkRequest, Provider
from paybylink.providers.stripe import StripeProvider
from paybylink.testing import Alteration

from .sandbox_suite import SandboxSuite, with_words

SECRET, OTHER = "whsec_conformance_secret", "whsec_another_secret"
KEY = "sk_test_conformance"


class TestStripe(SandboxSuite):
    """The suite."""

    vendor = "stripe"

    @classmethod
    def register(cls) -> None:
        _ = cls.sandbox.control.register_webhook(cls.receiver.url, secret=SECRET)

    def provider(self) -> Provider:
        return self.provider_with([SECRET])

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return StripeProvider(KEY, webhook_secrets=secrets, base_url=self.sandbox.stripe_url)

    def signing(self) -> tuple[str, str]:
        return SECRET, OTHER

    def secrets(self) -> Sequence[str]:
        return [KEY, SECRET]

    def some_id(self) -> str:
        return "pi_3SkPbLcard"

    def asked(self, order: Order | None = None, kind: LinkKind | None = None) -> LinkRequest:
        request = super().asked(order, kind)
        if not request.order.checkout.blocked_methods:
            return request
        # Methods can be left out on a Checkout Session, which lives for a day.
        return evolve(request, expires_at=self.now() + dt.timedelta(hours=12))

    def asking(self, feature: Feature) -> tuple[Order, LinkKind]:
        order, kind = super().asking(feature)
        if feature is Feature.BLOCK_METHODS:
            return self.order(checkout=order.checkout, return_url="https://shop.example/thanks"), kind
        return order, kind

    def too_much(self) -> tuple[Order, Sequence[str]]:
        checkout = Checkout(statement="A*B", extra={"stripe": {"metadata": {}}})
        paths = ["order.amount", "order.checkout.statement", "order.checkout.extra.stripe.metadata"]
        return self.order(amount=Money(10**9, "EUR"), checkout=checkout), paths

    def altered(self, content: bytes, what: Alteration) -> bytes:
        def words(said: dict[str, Any]) -> dict[str, Any]:
            if what is Alteration.MODE and "livemode" in said:
                return {"livemode": not said["livemode"]}
            if what is Alteration.PAYMENT_STATUS and "payment_status" in said:
                return {"payment_status": "strange"}
            if what is Alteration.PAYMENT_STATUS and said.get("object") == "payment_intent":
                return {"status": "strange"}
            if what is Alteration.BALANCE_KIND and said.get("object") == "balance_transaction":
                return {"type": "strange", "reporting_category": "strange"}
            return {}

        return with_words(content, words)

    def refusal(self, request: httpx.Request, *, status: int, told: str) -> httpx.Response:
        said = {"error": {"type": "invalid_request_error", "message": told, "param": "line_items"}}
        return httpx.Response(status, json=said, request=request)
