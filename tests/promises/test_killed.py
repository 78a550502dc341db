"""
The promise: the demo, killed by SIGKILL at any moment and as often as you like, ends as one that nobody killed.

Killing it kills everything at once: the host, our library, the provider, the mail server and the web server live in
one process. Nothing is cleaned up, nobody says goodbye; what is on disk is all there is.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve, frozen

from paybylink import LinkStatus

from .demo_state import CLEARING, DemoState, OrderState, phase_of, state_of

#: How often a demo is killed in all.
KILLS = 50
#: After so many kills of one demo it may end, so that some time is left for the others.
LONGEST = 12


@frozen
class Nest:
    """Where demos are hatched; see `promises.nest`."""

    process: subprocess.Popen[str]

    def demo(self, folder: Path, *, kill_after: float | None = None) -> float | None:
        """How many seconds the demo took; None if it was killed."""
        after = "-" if kill_after is None else f"{kill_after:.4f}"
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        _ = self.process.stdin.write(f"{folder} {after}\n")
        self.process.stdin.flush()
        word, *rest = self.process.stdout.readline().split()
        if word == "killed":
            return None
        code, seconds = rest
        assert int(code) == 0, folder.with_suffix(".log").read_text("utf-8")
        return float(seconds)


@contextmanager
def nest(loaded: Path) -> Iterator[Nest]:
    """A process without variables of ours."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYBYLINK_")}
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("nest.py")), str(loaded)],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield Nest(process)


def like(whole: OrderState, after: OrderState) -> OrderState:
    """What an order may look like after kills: a mail of which nobody can know may be missing, and never twice."""
    return evolve(whole, certain=False, mails=min(after.mails, whole.mails)) if not after.certain else whole


def check(whole: DemoState, after: DemoState, story: str) -> None:
    """One link, one mail, one payment, one refund, books that balance and agree with the provider's own sums."""
    assert after.orders.keys() == whole.orders.keys(), story
    for reference, order in after.orders.items():
        assert order == like(whole.orders[reference], order), f"{reference}: {story}"
    assert after.books == whole.books, story
    for currency, taken in after.taken.items():
        assert after.books[CLEARING, currency] == taken, f"{currency}: {story}"
        assert sum(minor for (_, each), minor in after.books.items() if each == currency) == 0, story


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="demos are forked, which this system cannot")
def test_a_demo_that_is_killed_ends_like_one_that_is_not(tmp_path: Path) -> None:
    """Fifty kills at moments drawn over the whole run, in every phase of it; each demo is then let finish."""
    given = os.environ.get("KILL_SEED") or ("20260101" if os.environ.get("CI") else "")
    seed = int(given or secrets.randbits(32))
    chance = random.Random(seed)
    print(f"KILL_SEED={seed}")  # noqa: T201  # shown when it fails
    phases: Counter[str] = Counter()
    kills = lives = 0
    folder = tmp_path / "warm"
    with nest(tmp_path / "loaded.json") as hatchery:
        _ = hatchery.demo(tmp_path / "cold")
        whole = state_of(tmp_path / "cold")
        length = hatchery.demo(tmp_path / "warm")
        assert length is not None
        check(whole, state_of(tmp_path / "warm"), "nobody was killed")
        assert whole.orders["CMD-2026-101"].status is LinkStatus.PAID
        assert whole.orders["CMD-2026-102"].returned == (4800,)
        while kills < KILLS:
            lives += 1
            # Every other demo is killed early and therefore often.
            reach = length if lives % 2 else length / 4
            folder, ended = tmp_path / f"life-{lives}", False
            moments: list[float] = []
            while not ended and len(moments) < LONGEST:
                moment = chance.uniform(0, reach)
                ended = hatchery.demo(folder, kill_after=moment) is not None
                if not ended:
                    moments.append(round(moment, 3))
                    phases[phase_of(folder, whole)] += 1
            if not ended:
                _ = hatchery.demo(folder)
            kills += len(moments)
            check(whole, state_of(folder), f"KILL_SEED={seed}, life {lives}, killed after {moments} s")
        again = hatchery.demo(folder)

    print(f"{kills} kills of {lives} demos of {length:.1f} s: {dict(phases)}")  # noqa: T201
    assert again is not None
    check(whole, state_of(folder), "started again when all was done")
    assert len(phases) >= 3, phases
