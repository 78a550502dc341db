"""A shop whose every secret, and every customer, is marked; and a way to search an error for the marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from paybylink import Customer, Money, Order, PayByLink, PaybylinkError, PaymentLink
from paybylink.channels.smtp import SmtpEmail
from paybylink.providers.stripe import StripeProvider
from workflows.world import QUICK, World

from .marks import API_KEY, EMAIL, NAME, PHONE, SMTP_PASSWORD, SMTP_USER, WEBHOOK_SECRET, Watch
from .shop import SENDER

HASTY = evolve(QUICK, attempts=2, reply_seconds=0.3)
TEN = Money.of("10.00", "EUR")
#: What a mail server announces that takes our login.
OFFERS = ("AUTH PLAIN LOGIN", "8BITMIME")


def order_of(reference: str) -> Order:
    """An order whose customer is marked."""
    return Order(
        reference=reference,
        amount=Money.of("49.90", "EUR"),
        description="Logo design",
        customer=Customer(name=NAME, email=EMAIL, phone=PHONE, language="fr"),
    )


def provider_of(world: World, **changes: Any) -> StripeProvider:
    """The sandbox's Stripe, with marked secrets."""
    settings: dict[str, Any] = {
        "webhook_secrets": [WEBHOOK_SECRET, world.secret],
        "base_url": world.sandbox.stripe_url,
    }
    return StripeProvider(API_KEY, **(settings | changes))


def channel_of(port: int, **changes: Any) -> SmtpEmail:
    """A mail server with a marked login."""
    settings: dict[str, Any] = {
        "security": "none",
        "sender": SENDER,
        "username": SMTP_USER,
        "password": SMTP_PASSWORD,
        "timeout_seconds": 2.0,
    }
    return SmtpEmail("127.0.0.1", port, **(settings | changes))


def shop(world: World, store: str | None, **changes: Any) -> PayByLink:
    """A shop with marked settings."""
    settings: dict[str, Any] = {"providers": [provider_of(world)], "patience": HASTY}
    return PayByLink(store=store, **(settings | changes))


def made(watch: Watch, link: PaymentLink) -> PaymentLink:
    """The link; from now on its addresses and its token are marks as well."""
    watch.add(link.token, link.url, *(behind.url for behind in link.provider_links if behind.url))
    return link


def fails(watch: Watch, call: Callable[[], object]) -> PaybylinkError:
    """The error of our tree that `call` raises, searched for marks."""
    with pytest.raises(PaybylinkError) as caught:
        _ = call()
    watch.check(caught.value)
    return caught.value
