"""Links made at once, awaited: ours, and stripe-python's `create_async` on httpx and on aiohttp."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import stripe

from paybylink import AsyncPayByLink

from . import server
from .report import show
from .vendors import VENDORS, fields, order, written

FEW, MANY = 10, 100
TIMES = 400
ROUNDS = 7

Call = Callable[[int], Awaitable[object]]


async def rate(call: Call, *, in_flight: int, numbers: Iterator[int]) -> float:
    """Calls a second, with so many in flight all the time."""
    left = iter(range(TIMES))

    async def one_after_the_other() -> None:
        for _ in left:
            _ = await call(next(numbers))

    before = time.perf_counter()
    _ = await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return TIMES / (time.perf_counter() - before)


async def rates(*cases: tuple[Call, int]) -> list[float]:
    """The median rate of each case, measured in turns, since the machine is not always equally quick."""
    found: list[list[float]] = [[] for _ in cases]
    numbers = iter(range(10**9))
    for round_ in range(ROUNDS + 1):
        for place, (call, in_flight) in enumerate(cases):
            told = await rate(call, in_flight=in_flight, numbers=numbers)
            # The first round opens connections.
            if round_:
                found[place].append(told)
    return [statistics.median(each) for each in found]


def sdk_on(http_client: stripe.HTTPClient, base: str, asked: dict[str, Any]) -> Call:
    """The SDK's own way to make the link, over one of its clients."""
    client = stripe.StripeClient("sk_test_bench", base_addresses={"api": base}, http_client=http_client)
    return lambda number: client.v1.payment_links.create_async(asked)  # type: ignore[arg-type]


async def measure(base: str, request: httpx.Request) -> None:
    """Print the cases."""
    stripe.enable_telemetry = False
    vendor = VENDORS[0]
    on_httpx, on_aiohttp = stripe.HTTPXClient(), stripe.AIOHTTPClient()
    async with AsyncPayByLink(providers=[vendor.provider(base)], store=None) as pay:
        ours: Call = lambda number: pay.create_link(order(number))  # noqa: E731 - as short as its peers
        few, many, httpx_few, aiohttp_few = await rates(
            (ours, FEW),
            (ours, MANY),
            (sdk_on(on_httpx, base, fields(request)), FEW),
            (sdk_on(on_aiohttp, base, fields(request)), FEW),
        )
    await on_httpx.close_async()
    await on_aiohttp.close_async()
    for case, peer, against, least in (
        (f"links awaited, {FEW} in flight", httpx_few, "create_async on httpx", 2.5),
        (f"links awaited, {FEW} in flight", aiohttp_few, "create_async on aiohttp", 1.4),
    ):
        show(
            case,
            ours=few,
            peer=peer,
            unit="per second",
            against=f"stripe-python, {against}",
            goal=f">= {least} x",
            met=few >= least * peer,
        )
    show(
        f"links awaited, {MANY} in flight",
        ours=many,
        peer=few,
        unit="per second",
        against=f"{FEW} in flight",
        goal=">= 0.9 x",
        met=many >= 0.9 * few,
    )


def main() -> None:
    """Print every case."""
    with server.running() as base:
        asyncio.run(measure(base, written(VENDORS[0], base)))


if __name__ == "__main__":
    main()
