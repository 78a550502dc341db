"""Promises about the demo: it plays the whole journey, tells what it left out, and changes nothing again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from paybylink.cli.demo.folder import open_folder

PAID = {
    "CMD-2026-101",
    "CMD-2026-102",
    "CMD-2026-104",
    "CMD-2026-105",
    "CMD-2026-106",
    "CMD-2026-110",
    "FA-2026-0042",
}


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYBYLINK_")}
    return subprocess.Popen(
        [sys.executable, "-m", "paybylink.cli", "demo", *words],
        cwd=folder,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def play(folder: Path, *words: str) -> str:
    process = start(folder, *words)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out


def end_state(folder: Path) -> Any:
    return json.loads(play(folder, "--once", "--json"))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, play(folder, "--once")


def test_everything_is_shown(played: tuple[Path, str]) -> None:
    """The row that was left out, a row for each order, balanced books, and where to look."""
    folder, out = played

    assert "left out: line 18, column 8 (Quantité): is not a number" in out
    for word in ("FA-2026-0042", "processing", "open (2 paid)", "12800 JPY", "18.250 KWD", "48.00 EUR"):
        assert word in out
    assert out.count("balanced") == 4
    assert "NOT BALANCED" not in out
    assert "/mailbox" in out
    (fec,) = (folder / "demo").glob("*-import.txt")
    assert fec.read_bytes().startswith(b"JournalCode")
    assert "\x1b[" not in out


def test_second_run_changes_nothing(played: tuple[Path, str]) -> None:
    """One link, one mail, one payment, one refund, whatever it is started again for."""
    folder, _ = played

    second, third = end_state(folder), end_state(folder)

    assert second == third
    assert len(second["orders"]) == 17
    assert {o["reference"] for o in second["orders"] if o["status"] == "paid"} == PAID
    assert {o["delivery"]["outcome"] for o in second["orders"] if o["delivery"]} == {"accepted"}
    assert [o["reference"] for o in second["orders"] if not o["delivery"]] == ["STAGE-LINO", "SOUTIEN"]
    refunds = [refund for o in second["orders"] for refund in o["refunds"]]
    assert [(refund["amount"]["minor"], refund["status"]) for refund in refunds] == [(4800, "succeeded")]
    sums: dict[str, int] = {}
    for line in second["balance"]:
        sums[line["currency"]] = sums.get(line["currency"], 0) + line["debit_minor"] - line["credit_minor"]
    assert set(sums.values()) == {0}
    assert [(fault["line"], fault["column"]) for fault in second["faults"]] == [(18, 8)]
    assert second["export"]["entries"] == 7


@pytest.mark.slow
def test_killed_demo_goes_on_where_it_was(played: tuple[Path, str], tmp_path: Path) -> None:
    """A demo that was killed at three moments ends where an undisturbed one ends."""
    for seconds in (1.2, 2.0, 3.0):
        process = start(tmp_path, "--once")
        time.sleep(seconds)  # the moment of the kill is what is tested
        process.send_signal(signal.SIGKILL)
        _ = process.communicate()

    undisturbed, killed = end_state(played[0]), end_state(tmp_path)

    assert _comparable(killed) == _comparable(undisturbed)


def test_folder_of_a_running_demo_is_refused(tmp_path: Path) -> None:
    """A second demo in the folder of a running one is refused with a way out."""
    kept = open_folder(tmp_path)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", kept.web_port))
        other.listen()
        process = start(tmp_path, "--once", "--dir", str(tmp_path))
        _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "choose another folder" in err


def test_own_orders(tmp_path: Path) -> None:
    """A sheet of one's own is read; nobody pays it, since nobody knows it."""
    _ = (tmp_path / "mine.csv").write_text(
        "Reference;Description;Price;Currency\nMINE-1;Cards;5,00;EUR\n", "utf-8"
    )

    told = json.loads(play(tmp_path, "--once", "--json", "--orders", "mine.csv"))

    assert [(o["reference"], o["status"], o["delivery"]) for o in told["orders"]] == [
        ("MINE-1", "open", None)
    ]
    assert told["balance"] == []


def _comparable(told: Any) -> Any:
    """What must be equal whenever it was played: everything but ids, moments, tokens and ports."""
    orders = [
        (
            o["reference"],
            o["status"],
            o["paid"]["minor"],
            o["payments"]
            and sorted((p["amount"]["minor"], p["status"], p["refunded"]["minor"]) for p in o["payments"]),
            [(r["reference"], r["amount"]["minor"], r["status"]) for r in o["refunds"]],
        )
        for o in told["orders"]
    ]
    return orders, told["balance"], told["export"]["entries"], told["faults"]
