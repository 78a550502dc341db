"""CPU per created link, without a store: ours, the SDK's own client, and a bare httpx POST of the same body."""

from __future__ import annotations

import httpx
import stripe

from paybylink import Money, Order, PayByLink
from paybylink.providers.stripe import StripeProvider

from . import server
from .report import show, side_by_side

TIMES = 200


def main() -> None:
    """Print the two cases."""
    stripe.enable_telemetry = False
    with server.running() as base:
        bodies: list[bytes] = []
        watching = httpx.Client(event_hooks={"request": [lambda request: bodies.append(request.content)]})
        pay = PayByLink(providers=[StripeProvider("sk_test_bench", base_url=base)], store=None, http=watching)
        amount = Money.of("49.90", "EUR")
        _ = pay.create_link(Order(reference="INV-0", amount=amount, description="Logo design"))
        watching.close()
        body = bodies[0]

        bare = httpx.Client()

        def bare_post(number: int) -> object:
            headers = {
                "Authorization": "Bearer sk_test_bench",
                "Content-Type": "application/x-www-form-urlencoded",
                "Idempotency-Key": f"bench-{number}",
            }
            return bare.post(f"{base}/v1/payment_links", content=body, headers=headers).json()

        sdk = stripe.StripeClient("sk_test_bench", base_addresses={"api": base})
        params = {
            "line_items": [
                {
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 4990,
                        "product_data": {"name": "Logo design"},
                    },
                    "quantity": 1,
                }
            ],
            "restrictions": {"completed_sessions": {"limit": 1}},
            "metadata": {"paybylink_link": "x", "paybylink_attempt": "y", "paybylink_reference": "INV"},
            "payment_intent_data": {
                "metadata": {"paybylink_link": "x", "paybylink_attempt": "y", "paybylink_reference": "INV"}
            },
            "expand": ["line_items"],
        }
        pay = PayByLink(providers=[StripeProvider("sk_test_bench", base_url=base)], store=None)

        def ours_call(number: int) -> object:
            return pay.create_link(Order(reference=f"INV-{number}", amount=amount, description="Logo design"))

        def sdk_call(_: int) -> object:
            return sdk.v1.payment_links.create(params)  # type: ignore[arg-type]

        ours, sdk_cost, bare_cost = side_by_side((ours_call, sdk_call, bare_post), times=TIMES)
        pay.close()
        bare.close()
    show(
        "create_link, stateless, CPU per call",
        ours=ours,
        peer=sdk_cost,
        unit="ms",
        against="stripe-python, its own client",
        goal="<= 0.55 x",
        met=ours <= 0.55 * sdk_cost,
    )
    show(
        "create_link, stateless, CPU per call",
        ours=ours,
        peer=bare_cost,
        unit="ms",
        against="bare httpx POST of the same body",
        goal="<= peer + 0.35 ms",
        met=ours <= bare_cost + 0.35,
    )


if __name__ == "__main__":
    main()
