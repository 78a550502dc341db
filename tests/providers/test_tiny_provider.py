"""Promises about a fourth provider: it is small, and passes the suite that every provider passes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import httpx

from paybylink.orders import Order
from paybylink.providers.base import Provider, VendorLink
from paybylink.testing import Alteration, How, ProviderConformance, Webhook

from . import tiny_provider
from .tiny_provider import TinyProvider
from .tiny_vendor import NOW, TinyVendor


class TinySuite(ProviderConformance):
    """The hooks of the tiny provider; each check has a vendor of its own."""

    @cached_property
    def vendor(self) -> TinyVendor:
        return TinyVendor()

    def provider(self) -> Provider:
        return TinyProvider()

    def answer(self, request: httpx.Request) -> httpx.Response:
        return self.vendor(request)

    def now(self) -> dt.datetime:
        return NOW

    def too_much(self) -> tuple[Order, Sequence[str]]:
        order = self.order(amount=self.order().amount * 10**6, description="x" * 101)
        return order, ["order.amount", "order.description"]

    def secrets(self) -> Sequence[str]:
        return ["key_test_tiny", "tiny-secret"]

    def altered(self, content: bytes, what: Alteration) -> bytes:
        match what:
            case Alteration.MODE:
                return content.replace(b'"test"', b'"live"')
            case Alteration.PAYMENT_STATUS:
                return content.replace(b'"succeeded"', b'"strange"')
            case Alteration.BALANCE_KIND:
                return content.replace(b'"why":"', b'"why":"strange_')

    def pay(self, link: VendorLink, how: How) -> None:
        _ = self.vendor.pay(link.vendor_id, how)

    def settle(self, link: VendorLink, *, succeeded: bool = True) -> None:
        self.vendor.settle(link.vendor_id, succeeded=succeeded)

    def webhooks(self) -> Sequence[Webhook]:
        return tuple(self.vendor.told)

    def signing(self) -> tuple[str, str]:
        return "tiny-secret", "other-secret"

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return TinyProvider(secrets=secrets)


class TestTinyProvider(TinySuite):
    """The suite."""


def test_takes_less_than_150_lines() -> None:
    """The interface is complete and no more: an adapter without an SDK fits on a few pages."""
    text = Path(tiny_provider.__file__).read_text("utf-8")

    assert sum(1 for line in text.splitlines() if line.strip()) < 150
