"""
The world outside: the sandbox, what it told by webhook, and what one order has come to there.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from attrs import define, field

from paybylink import AsyncPayByLink, Customer, Money, Order, PayByLink
from paybylink.channels.smtp import SmtpEmail
from paybylink.drivers import Patience
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox

from .receiver import Call, Receiver

QUICK = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.05, reply_seconds=2.0)


@define
class World:
    """
    Everything that is not ours.

    Attributes:
        sandbox: the provider and the mail server.
        receiver: keeps webhook calls.
        secret: by which they are signed.
        folder: for databases.
    """

    sandbox: Sandbox
    receiver: Receiver
    secret: str
    folder: Path
    _template: Path | None = field(default=None)

    def database(self, name: str) -> str:
        """The address of a fresh database at head."""
        if self._template is None:
            self._template = self.folder / "template.db"
            with PayByLink(providers=[self.provider()], store=f"sqlite:///{self._template}") as pay:
                assert pay.link("nothing") is None
        path = self.folder / f"{name}.db"
        for ending in ("", "-wal"):
            source = Path(f"{self._template}{ending}")
            if source.exists():
                shutil.copy(source, f"{path}{ending}")
        return f"sqlite:///{path}"

    def provider(self) -> StripeProvider:
        """The sandbox's Stripe, through the real adapter."""
        return StripeProvider(
            "sk_test_world", webhook_secrets=[self.secret], base_url=self.sandbox.stripe_url
        )

    def channel(self) -> SmtpEmail:
        """The sandbox's mail server, through the real channel."""
        return SmtpEmail(
            self.sandbox.smtp_host,
            self.sandbox.smtp_port,
            security="none",
            sender="Atelier Zoé <pay@atelier.example>",
        )

    def pay_by_link(self, store: str, **settings: Any) -> PayByLink:
        """A fresh object, as after a restart."""
        settings.setdefault("patience", QUICK)
        return PayByLink(providers=[self.provider()], channels=[self.channel()], store=store, **settings)

    def async_pay_by_link(self, store: str, **settings: Any) -> AsyncPayByLink:
        """The same, awaited."""
        settings.setdefault("patience", QUICK)
        return AsyncPayByLink(providers=[self.provider()], channels=[self.channel()], store=store, **settings)

    def order(self, reference: str) -> Order:
        """An order of a customer with an address of its own."""
        return Order(
            reference=reference,
            amount=Money.of("49.90", "EUR"),
            description="Logo design",
            customer=Customer(
                name="Zoé Martin", email=f"{reference.lower()}@example.com", language="fr", code="C0042"
            ),
        )

    def customer_pays(self, url: str, reference: str) -> None:
        """The customer pays by card, once; the webhooks have arrived when this returns."""
        if not self.intents(reference):
            _ = self.sandbox.control.pay(url)
        _ = self.sandbox.control.flush_webhooks()

    def told(self, since: int) -> list[Call]:
        """The webhook calls since that many."""
        _ = self.sandbox.control.flush_webhooks()
        return self.receiver.calls[since:]

    def links(self, reference: str) -> list[Any]:
        """The links of an order at the provider."""
        return [
            link
            for link in self.sandbox.control.links()
            if link["metadata"].get("paybylink_reference") == reference
        ]

    def intents(self, reference: str) -> list[Any]:
        """The payments of an order at the provider that have succeeded."""
        return [
            intent
            for intent in self.sandbox.control.payments()
            if intent["metadata"].get("paybylink_reference") == reference and intent["status"] == "succeeded"
        ]

    def refunds(self, reference: str) -> list[Any]:
        """The refunds of an order at the provider."""
        intents = {intent["id"] for intent in self.intents(reference)}
        return [refund for refund in self.sandbox.control.refunds() if refund["payment_intent"] in intents]

    def mails(self, reference: str) -> int:
        """How many mails an order's customer got."""
        address = f"{reference.lower()}@example.com"
        return sum(address in mail.recipients for mail in self.sandbox.control.mails())
