"""
Links made at once, awaited: ours, and stripe-python's `create_async` on httpx and on aiohttp.

Beside the SDK the rate is told for a second of this process's CPU, which is what limits it on an idle machine; more
in flight beside fewer for a second of the clock, since a pool may also make its callers wait.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import stripe
from attrs import frozen

from paybylink import AsyncPayByLink

from . import server
from .report import show
from .vendors import VENDORS, fields, order, written

FEW, MANY = 10, 100
#: Enough that beginning and end, when fewer are in flight, do not count.
TIMES = 600
TIMES_OF_A_PEER = 150
ROUNDS = 7

Call = Callable[[int], Awaitable[object]]


@frozen
class Rate:
    """Calls for each second of the clock, and for each of this process's CPU."""

    clock: float
    cpu: float


async def rate(call: Call, *, in_flight: int, times: int, numbers: Iterator[int]) -> Rate:
    """The rate of so many calls in flight all the time."""
    left = iter(range(times))

    async def one_after_the_other() -> None:
        for _ in left:
            _ = await call(next(numbers))

    clock, cpu = time.perf_counter(), time.process_time()
    _ = await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return Rate(times / (time.perf_counter() - clock), times / (time.process_time() - cpu))


async def rates(*cases: tuple[Call, int, int]) -> list[Rate]:
    """
    The median rates of each case, measured in turns, since the machine is not always equally quick.

    Args:
        cases: a call, how many are in flight, and how many are made in a turn.
    """
    found: list[list[Rate]] = [[] for _ in cases]
    numbers = iter(range(10**9))
    for round_ in range(ROUNDS + 1):
        for place, (call, in_flight, times) in enumerate(cases):
            told = await rate(call, in_flight=in_flight, times=times, numbers=numbers)
            # The first round opens connections.
            if round_:
                found[place].append(told)
    return [
        Rate(statistics.median(one.clock for one in each), statistics.median(one.cpu for one in each))
        for each in found
    ]


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
            (ours, FEW, TIMES),
            (ours, MANY, TIMES),
            (sdk_on(on_httpx, base, fields(request)), FEW, TIMES_OF_A_PEER),
            (sdk_on(on_aiohttp, base, fields(request)), FEW, TIMES_OF_A_PEER),
        )
    await on_httpx.close_async()  # type: ignore[no-untyped-call]  # the SDK's own
    await on_aiohttp.close_async()  # type: ignore[no-untyped-call]  # the same
    for case, peer, against, least in (
        (f"links awaited, {FEW} in flight", httpx_few, "create_async on httpx", 2.5),
        (f"links awaited, {FEW} in flight", aiohttp_few, "create_async on aiohttp", 1.4),
    ):
        show(
            case,
            ours=few.cpu,
            peer=peer.cpu,
            unit="per CPU second",
            against=f"stripe-python, {against}",
            goal=f">= {least} x",
            met=few.cpu >= least * peer.cpu,
        )
    show(
        f"links awaited, {MANY} in flight",
        ours=many.clock,
        peer=few.clock,
        unit="per second",
        against=f"{FEW} in flight",
        goal=">= 0.9 x",
        met=many.clock >= 0.9 * few.clock,
    )


def main() -> None:
    """Print every case."""
    with server.running() as base:
        asyncio.run(measure(base, written(VENDORS[0], base)))


if __name__ == "__main__":
    main()
