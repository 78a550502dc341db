"""
A shop at each of the three providers: the real adapter over real HTTP to the sandbox, webhooks received for real.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from paybylink import AsyncPayByLink, Customer, Money, Order, PayByLink, Payment
from paybylink.events import Event
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Provider
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox

from .receiver import Call, Receiver
from .world import QUICK, Clock

VENDORS = ("stripe", "adyen", "mollie")
HMAC_KEY = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"


@define
class Street:
    """
    The sandbox, a receiver of its webhooks, and a shop at each provider.

    Attributes:
        sandbox, receiver: the world outside.
        secrets: by which webhooks are signed.
        folder: for databases.
    """

    sandbox: Sandbox
    receiver: Receiver
    secrets: dict[str, str]
    folder: Path

    def shop(self, vendor: str, name: str, **settings: Any) -> Shop:
        """A shop with a database of its own."""
        file = re.sub(r"\W+", "-", f"{vendor}-{name}") + ".db"
        made = Shop(self, vendor, f"sqlite:///{self.folder / file}", settings)
        # What was told to others is not its concern.
        _ = made.told()
        return made

    def provider(self, vendor: str, **settings: Any) -> Provider:
        """The sandbox's account at a provider, through the real adapter."""
        if vendor == "stripe":
            settings.setdefault("webhook_secrets", [self.secrets["stripe"]])
            return StripeProvider("sk_test_street", base_url=self.sandbox.stripe_url, **settings)
        if vendor == "adyen":
            settings.setdefault("hmac_keys", [self.secrets["adyen"]])
            return AdyenProvider(
                "street_api_key",
                merchant_account="SandboxMerchant",
                base_url=self.sandbox.adyen_url,
                **settings,
            )
        return MollieProvider(
            "test_streetstreetstreetstreetstreet", base_url=self.sandbox.mollie_url, **settings
        )


@contextmanager
def open_street(folder: Path) -> Iterator[Street]:
    """A new sandbox with webhooks of Stripe and Adyen; Mollie calls each link's own address."""
    with Receiver() as receiver, Sandbox() as sandbox:
        secrets = {
            "stripe": sandbox.control.register_webhook(receiver.url),
            "adyen": sandbox.control.register_webhook(
                f"{receiver.base}/webhooks/adyen", provider="adyen", secret=HMAC_KEY
            ),
        }
        yield Street(sandbox, receiver, secrets, folder)


@define
class Shop:
    """
    One merchant at one provider.

    Attributes:
        street: where it stands.
        vendor: the provider's name.
        store: its database.
        settings: of its `PayByLink`, where they are not the usual ones.
        clock: the shop's.
        heard: how many webhook calls it has taken.
    """

    street: Street
    vendor: str
    store: str
    settings: dict[str, Any] = field(factory=dict)
    clock: Clock = field(factory=Clock)
    heard: int = 0

    def _usual(self) -> dict[str, Any]:
        usual = {
            "providers": [self.street.provider(self.vendor)],
            "store": self.store,
            "public_url": self.street.receiver.base,
            "patience": QUICK,
            "clock": self.clock,
        }
        return usual | self.settings

    def open(self) -> PayByLink:
        """A fresh object, as after a restart."""
        return PayByLink(**self._usual())

    def open_async(self) -> AsyncPayByLink:
        """The same, awaited."""
        return AsyncPayByLink(**self._usual())

    def order(self, reference: str, amount: str = "49.90", **content: Any) -> Order:
        """An order in euros."""
        content.setdefault(
            "customer", Customer(name="Zoé Martin", email=f"{reference.lower()}@example.com", language="fr")
        )
        content.setdefault("description", "Logo design")
        return Order(reference=reference, amount=Money.of(amount, "EUR"), **content)

    def told(self) -> list[Call]:
        """The webhook calls for this shop that were not taken before."""
        _ = self.street.sandbox.control.flush_webhooks()
        calls = self.street.receiver.calls
        new = [call for call in calls[self.heard :] if call.provider == self.vendor]
        self.heard = len(calls)
        return new

    def hear(self, pay: PayByLink, *, times: int = 1, shuffled: int | None = None) -> list[Event]:
        """Take every new webhook call; what it meant. Several times, or in another order, drawn from a seed."""
        calls = self.told() * times
        if shuffled is not None:
            random.Random(shuffled).shuffle(calls)
        events: list[Event] = []
        for call in calls:
            reply = pay.receive(self.vendor, headers=call.headers, body=call.body, query=call.query)
            assert reply.status == 200, reply.reason
            events += reply.events
        return events

    def customer_pays(self, url: str, **how: Any) -> Any:
        """A customer pays at the provider's page behind `url`; what became of it."""
        return self.street.sandbox.control.pay(url, **how)

    def paid(self, pay: PayByLink, url: str, **how: Any) -> Payment:
        """A customer pays by card, and the shop hears of it; the newest payment."""
        known = {payment.id for payment in pay.payments()}
        _ = self.customer_pays(url, **how)
        _ = self.hear(pay)
        (payment,) = [each for each in pay.payments() if each.id not in known]
        return payment

    def truth(self, kind: str) -> list[dict[str, Any]]:
        """What the provider itself says: links, payments, refunds or disputes, oldest first."""
        rows: list[dict[str, Any]] = self.street.sandbox.control.truth()[kind]
        return [row for row in rows if row["provider"] == self.vendor]

    def later(self, **by: float) -> None:
        """Time passes, here and at the provider."""
        self.clock.move(**by)
        _ = self.street.sandbox.control.move_clock(dt.timedelta(**by))
