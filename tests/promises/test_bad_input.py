"""
The promise: bad input gives an error of our tree that names the field, the fault and the remedy; nothing was sent,
nothing was lost, and the corrected call goes through.

Every case goes through a public door: `PayByLink`, `create_link()` or the command line. What reaches the provider
and the mail server is counted at the sandbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paybylink import Customer, Document, InvalidInput, LineItem, Money, Order, PayByLink, create_link
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.errors import Fault, SettingsError
from workflows.world import QUICK, World

from .shop import SENDER, Terminal, quiet

EURO = Money.of("49.90", "EUR")
CONTROL = "contains control characters"
FORBIDDEN = [
    pytest.param("\r\nBcc: thief@example.com", id="crlf"),
    pytest.param("\n", id="lf"),
    pytest.param("\r", id="cr"),
    pytest.param("\t", id="tab"),
    pytest.param("\x00", id="nul"),
    pytest.param("\x7f", id="del"),
    pytest.param("\x85", id="nel"),
    pytest.param("\u2028", id="line-separator"),
]

#: A wrong call of `create_link`; `Any`, since half of the cases are wrong in their types.
Ask = Callable[[Any, str], object]


def told(faults: tuple[Fault, ...]) -> dict[str, str]:
    """What is wrong, by path; each fault has something to do about it."""
    assert all(fault.path and fault.fault and len(fault.remedy) > 5 for fault in faults)
    return {fault.path: fault.fault for fault in faults}


def goes_through(pay: PayByLink, world: World, reference: str) -> None:
    """Nothing is remembered of the wrong call, and the corrected one makes one link."""
    assert pay.link(reference or "R") is None
    corrected = reference or "AFTER-EMPTY"
    link = pay.create_link("49.90 EUR", reference=corrected)

    assert link.payable
    assert len(world.links(corrected)) == 1


TEXTS = [
    pytest.param("49.90 XQQ", "currency", "is not a currency", id="unknown-currency"),
    pytest.param("49.90 ANG", "currency", "was withdrawn", id="withdrawn-currency"),
    pytest.param("0.00 EUR", "amount", "is 0.00 EUR", id="zero"),
    pytest.param("-5.00 EUR", "amount", "is -5.00 EUR", id="negative"),
    pytest.param("10000000000.00 EUR", "amount", "has more than 12 digits", id="13-digits"),
    pytest.param("49.905 EUR", "amount", "", id="too-fine"),
]


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
@pytest.mark.parametrize("store", [True, False], ids=["store", "stateless"])
def test_wrong_amount_in_pay_by_link(world: World, text: str, path: str, fault: str, store: bool) -> None:
    """An amount that nobody can ask for is refused before anything is written or sent."""
    reference = f"TEXT-{abs(hash((text, store)))}"
    database = world.database("texts") if store else None
    with PayByLink(providers=[world.provider()], store=database, patience=QUICK) as pay:
        with quiet(world), pytest.raises(InvalidInput) as caught:
            _ = pay.create_link(text, reference=reference)

        assert fault in told(caught.value.faults)[path]
        if store:
            goes_through(pay, world, reference)


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
def test_wrong_amount_in_create_link(
    world: World, terminal: Terminal, text: str, path: str, fault: str
) -> None:
    """A script is told the same, and is mended by correcting the amount."""
    reference = f"SCRIPT-{terminal.type('--version').out.strip()}-{TEXTS.index(text) if text in TEXTS else text}"
    with quiet(world), pytest.raises(InvalidInput) as caught:
        _ = create_link(text, reference=reference)

    assert fault in told(caught.value.faults)[path]
    assert create_link("49.90 EUR", reference=reference).payable
    assert len(world.links(reference)) == 1
