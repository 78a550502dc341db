"""One measured case, as a JSON line."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable


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
