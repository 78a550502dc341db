"""Every example runs, against the sandbox, as a reader would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTED = {
    "quickstart.py": [
        "open: accepted by the mail server",
        "paid: 49.90 EUR",
        "refund succeeded: 10.00 EUR",
        "471        1000   4990 EUR",
        "51151      4990   1000 EUR",
    ],
    "async_quickstart.py": [
        "5 links",
        "INV-2026-101: 49.90 EUR came",
        "INV-2026-105: cancelled",
        "INV-2026-104: cancelled",
        "INV-2026-103: cancelled",
        "INV-2026-102: cancelled",
    ],
    "lent_connection.py": [
        "after the rollback: None, 0 links at the provider",
        "before the commit: pending, its address is known already: True",
        "after the commit: open, 1 link at the provider",
    ],
}


def run(name: str, folder: Path) -> list[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYBYLINK_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        cwd=folder,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_example_prints_what_it_promises(name: str, tmp_path: Path) -> None:
    """The examples are the first code that a reader copies."""
    lines = run(name, tmp_path)

    if name == "async_quickstart.py":
        # The links were made at the same moment, in any order.
        assert sorted(lines[2:]) == sorted(EXPECTED[name][2:])
        lines = [*lines[:2], *EXPECTED[name][2:]]
    assert lines == EXPECTED[name]


def test_no_example_is_forgotten() -> None:
    """A new example is a new test."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


def test_demos_orders_are_the_examples_orders() -> None:
    """The sheet that comes along in the package is the one that a reader finds here."""
    shipped = files("paybylink.cli.demo").joinpath("orders.csv").read_bytes()

    assert (EXAMPLES / "orders.csv").read_bytes() == shipped
