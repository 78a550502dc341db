"""One measured case, as a JSON line."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence


def show(case: str, *, ours: float, peer: float, unit: str, against: str, goal: str, met: bool) -> None:
    """Print one case; `ratio` is ours divided by the peer's."""
    line = {
        "case": case,
        "ours": round(ours, 4),
        "peer": round(peer, 4),
        "unit": unit,
        "against": against,
        "ratio": round(ours / peer, 3) if peer else None,
        "goal": goal,
        "met": met,
    }
    print(json.dumps(line), flush=True)


def side_by_side(calls: Sequence[Callable[[int], object]], *, times: int, rounds: int = 9) -> list[float]:
    """
    The median CPU milliseconds per call of each of `calls`, measured in turns.

    In turns, because a processor that slows down half-way would else be held against one of them.
    """
    spent: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        for place, call in enumerate(calls):
            spent[place].append(cpu_ms(lambda n, c=call, r=number: c(r * times + n), times=times, rounds=1))  # type: ignore[misc]
    return [statistics.median(each) for each in spent]


def cpu_ms(call: Callable[[int], object], *, times: int, rounds: int = 5) -> float:
    """The median over `rounds` of the CPU milliseconds that this process spends per call."""
    spent = []
    number = 0
    for _ in range(rounds):
        before = time.process_time()
        for _ in range(times):
            _ = call(number)
            number += 1
        spent.append((time.process_time() - before) / times * 1000)
    return statistics.median(spent)
