"""
The three vendors as their SDKs come: each makes the same link as ours, with the same fields.

Nothing is tuned on either side: an SDK uses the HTTP client that it chooses by itself, with its own ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from attrs import frozen

from paybylink import Money, Order, PayByLink
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Provider
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.stripe import StripeProvider

AMOUNT = Money.of("49.90", "EUR")


@frozen
class Vendor:
    """
    One vendor.

    Attributes:
        name: for the table.
        sdk: how its SDK is called there.
        provider: ours, for a base address.
        client: of a base address and the fields of a link, what makes that link with the SDK.
        most: of the SDK's CPU per link, what ours may need.
    """

    name: str
    sdk: str
    provider: Callable[[str], Provider]
    client: Callable[[str, dict[str, Any]], Callable[[int], object]]
    most: float


def order(number: int) -> Order:
    """A small order."""
    return Order(
        reference=f"INV-{number}",
        amount=AMOUNT,
        description="Logo design",
        return_url="https://shop.example/thanks",
    )


def written(vendor: Vendor, base: str) -> httpx.Request:
    """The request that ours sends."""
    sent: list[httpx.Request] = []
    with (
        httpx.Client(event_hooks={"request": [sent.append]}) as watching,
        PayByLink(providers=[vendor.provider(base)], store=None, http=watching) as pay,
    ):
        _ = pay.create_link(order(0))
    return sent[0]


def fields(request: httpx.Request) -> dict[str, Any]:
    """What a request asks for, to be asked for by the SDK."""
    if request.headers["content-type"] == "application/json":
        asked: dict[str, Any] = json.loads(request.content)
        return asked
    return unfolded(request.content.decode())


def unfolded(form: str) -> dict[str, Any]:
    """The fields of a form such as ``a[b][0]=c``, nested."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *way, last = name.replace("]", "").split("[")
        place = root
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value
    nested: dict[str, Any] = _listed(root)
    return nested


def _listed(node: Any) -> Any:
    """`node`, with lists where its names are numbers."""
    if not isinstance(node, dict):
        return node
    values = {name: _listed(value) for name, value in node.items()}
    return list(values.values()) if all(name.isdigit() for name in values) else values


def _stripe(base: str, asked: dict[str, Any]) -> Callable[[int], object]:
    import stripe

    stripe.enable_telemetry = False
    client = stripe.StripeClient("sk_test_bench", base_addresses={"api": base})
    return lambda number: client.v1.payment_links.create(asked)  # type: ignore[arg-type]


def _adyen(base: str, asked: dict[str, Any]) -> Callable[[int], object]:
    from Adyen import AdyenClient
    from Adyen.services.checkout import PaymentLinksApi

    api = PaymentLinksApi(AdyenClient(xapikey="AQEbenchbench", platform="test"))
    api.baseUrl = f"{base}/v72"
    return lambda number: api.payment_links(asked, idempotency_key=f"bench-{number}")


def _mollie(base: str, asked: dict[str, Any]) -> Callable[[int], object]:
    from mollie.api.client import Client

    client = Client(base)
    client.set_api_key("test_" + "b" * 30)
    return lambda number: client.payment_links.create(asked, idempotency_key=f"bench-{number}")


VENDORS = (
    Vendor(
        name="Stripe",
        sdk="stripe-python",
        provider=lambda base: StripeProvider("sk_test_bench", base_url=base),
        client=_stripe,
        most=0.55,
    ),
    Vendor(
        name="Adyen",
        sdk="Adyen",
        provider=lambda base: AdyenProvider(
            "AQEbenchbench", merchant_account="ExampleMerchantECOM", base_url=base
        ),
        client=_adyen,
        most=0.55,
    ),
    Vendor(
        name="Mollie",
        sdk="mollie-api-python",
        provider=lambda base: MollieProvider("test_" + "b" * 30, base_url=base),
        client=_mollie,
        most=1.1,
    ),
)
