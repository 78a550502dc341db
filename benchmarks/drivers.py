"""Microseconds per effect of `run` and `arun`, with nothing behind the doors, beside a bare generator loop."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from paybylink.drivers import AsyncDoors, Doors, arun, run
from paybylink.flow import Batch, Flow, Rows, Statement, Step

from .report import show

EFFECTS = 20_000
ROUNDS = 15
MOST = 3.0

BATCH = Batch((Step(Statement("nothing", "SELECT 1", writes=False), {}),))
ROWS = (Rows((), 0),)


class StubVault:
    """Answers at once."""

    lent = False

    def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """The same rows each time."""
        return ROWS

    def close(self) -> None:
        """Nothing is open."""


class AsyncStubVault:
    """Answers at once, awaited."""

    lent = False

    async def perform(self, batch: Batch) -> tuple[Rows, ...]:
        """The same rows each time."""
        return ROWS

    async def aclose(self) -> None:
        """Nothing is open."""


def journey() -> Flow[int]:
    """Many effects and nothing between them."""
    count = 0
    for _ in range(EFFECTS):
        rows: tuple[Rows, ...] = yield BATCH
        count += rows[0].count
    return count


def bare_loop(perform: Callable[[Batch], tuple[Rows, ...]]) -> int:
    """The least that driving a generator can cost."""
    flow = journey()
    reply: object = None
    try:
        while True:
            effect = flow.send(reply)
            assert isinstance(effect, Batch)
            reply = perform(effect)
    except StopIteration as stop:
        result: int = stop.value
        return result


def per_effect(call: Callable[[], int]) -> float:
    """The median of the microseconds of CPU per effect."""
    spent = []
    for _ in range(ROUNDS):
        before = time.process_time()
        _ = call()
        spent.append((time.process_time() - before) / EFFECTS * 1e6)
    return statistics.median(spent)


def main() -> None:
    """Print one line for each driver."""
    doors, vault = Doors(vault=StubVault()), StubVault()
    async_doors = AsyncDoors(vault=AsyncStubVault())
    bare = per_effect(lambda: bare_loop(vault.perform))
    for case, ours in (
        ("run, per effect", per_effect(lambda: run(journey(), doors))),
        ("arun, per effect", per_effect(lambda: asyncio.run(arun(journey(), async_doors)))),
    ):
        show(
            case,
            ours=ours,
            peer=bare,
            unit="µs CPU",
            against="a bare loop over the generator",
            goal=f"<= {MOST:g} µs",
            met=ours <= MOST,
        )


if __name__ == "__main__":
    main()
