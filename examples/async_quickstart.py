"""
The same journey without blocking the event loop: many links at once, and a handler that is told of each payment.

It runs against the sandbox on this machine.
"""

import asyncio

from paybylink import AsyncPayByLink, Money, Order
from paybylink.events import LinkPaid
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox


async def main() -> None:
    with Sandbox() as sandbox:
        async with AsyncPayByLink(
            providers=[StripeProvider(api_key="sk_test_quickstart", base_url=sandbox.stripe_url)],
            store="sqlite:///async_quickstart.db",
        ) as pay:

            @pay.on(LinkPaid)
            async def ship(event: LinkPaid) -> None:
                print(f"{event.reference}: {event.amount} came")

            orders = [
                Order(
                    reference=f"INV-2026-{number}", amount=Money.of("49.90", "EUR"), description="Logo design"
                )
                for number in range(101, 106)
            ]
            links = await asyncio.gather(*(pay.create_link(order) for order in orders))
            print(f"{len(links)} links")

            # What a customer does; in real life a webhook tells of it.
            await asyncio.to_thread(sandbox.control.pay, links[0].url)
            await pay.refresh(links[0])
            await pay.run_due()

            async for link in pay.links(status="open"):
                await pay.cancel(link)
                print(f"{link.order.reference}: cancelled")


if __name__ == "__main__":
    asyncio.run(main())
