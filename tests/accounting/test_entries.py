"""Entries: what cannot be made, and how they are undone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.accounting.entries import Entry, Line, entry_key, plain, reversal
from paybylink.errors import InvalidInput
from paybylink.money import Money

DAY = dt.date(2026, 11, 3)
CREATED = dt.datetime(2026, 11, 3, 10, tzinfo=dt.UTC)


def line(account: str = "411", debit: int = 0, credit: int = 0, **other: Any) -> Line:
    content: dict[str, Any] = {
        "account": account,
        "debit_minor": debit,
        "credit_minor": credit,
        "month": "2026-11",
    }
    return Line(**(content | other))


def entry(*lines: Line, **other: Any) -> Entry:
    content: dict[str, Any] = {
        "id": "E1",
        "key": "stripe|pi_1|payment",
        "journal": "PL",
        "date": DAY,
        "piece": "F2026-0042",
        "label": "Paiement stripe INV-42 C0042",
        "currency": "EUR",
        "created_at": CREATED,
        "lines": lines or (line("51151", 12000), line("411", 0, 12000, aux="C0042")),
    }
    return Entry(**(content | other))


def test_a_balanced_entry_tells_its_amount_and_event() -> None:
    """An entry's amount is the sum of one side, and its event is what its key ends with."""
    made = entry()

    assert made.amount == Money.of("120.00", "EUR")
    assert made.event == "payment"


def test_an_entry_may_have_many_lines() -> None:
    """The sides balance as sums: 1,19 and 0,01 against 1,20."""
    made = entry(line("51151", 119), line("658", 1), line("411", 0, 120))

    assert made.amount.minor == 120


@pytest.mark.parametrize("off", [1, -1, 100])
def test_an_entry_that_is_a_cent_off_cannot_be_made(off: int) -> None:
    """An unbalanced entry is refused, and both sums and the difference are named."""
    with pytest.raises(InvalidInput) as caught:
        _ = entry(line("51151", 12000 + off), line("411", 0, 12000))

    (fault,) = caught.value.faults
    assert fault.path == "lines"
    assert f"debits are {12000 + off} and credits 12000 minor units of EUR" in fault.fault
    assert str(abs(off)) in fault.remedy


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"account": ""}, "account", id="no-account"),
        pytest.param({"account": "4 1\t1"}, "account", id="tab-in-account"),
        pytest.param({"aux": "C|42"}, "aux", id="pipe-in-aux"),
        pytest.param({"aux": "C" * 81}, "aux", id="long-aux"),
        pytest.param({"debit_minor": 0}, "debit_minor", id="no-side"),
        pytest.param({"credit_minor": 5}, "debit_minor", id="both-sides"),
        pytest.param({"debit_minor": -5}, "debit_minor", id="negative"),
        pytest.param({"debit_minor": 10**18}, "debit_minor", id="beyond-the-column"),
        pytest.param({"debit_minor": 5.0}, "debit_minor", id="float"),
        pytest.param({"debit_minor": True}, "debit_minor", id="bool"),
        pytest.param({"fx": Money.read(0, "USD")}, "fx", id="foreign-nothing"),
        pytest.param({"month": "2026-13"}, "month", id="month-13"),
        pytest.param({"month": "2026-11-03"}, "month", id="a-day"),
        pytest.param({"kind": "a\u00a0b"}, "kind", id="no-break-space-in-class"),
    ],
)
def test_a_faulty_line_cannot_be_made(change: dict[str, Any], path: str) -> None:
    """A line names the field that cannot be used."""
    with pytest.raises(InvalidInput) as caught:
        _ = line(**({"debit_minor": 5} | change))

    assert [fault.path for fault in caught.value.faults] == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"id": " "}, "id", id="no-id"),
        pytest.param({"key": "pi_1"}, "key", id="one-part-key"),
        pytest.param({"key": "stripe||payment"}, "key", id="empty-part"),
        pytest.param({"key": f"stripe|{'x' * 250}|payment"}, "key", id="long-key"),
        pytest.param({"journal": ""}, "journal", id="no-journal"),
        pytest.param({"piece": ""}, "piece", id="no-piece"),
        pytest.param({"piece": "x" * 81}, "piece", id="long-piece"),
        pytest.param({"label": "  "}, "label", id="blank-label"),
        pytest.param({"label": "a\tb"}, "label", id="tab"),
        pytest.param({"label": "a|b"}, "label", id="pipe"),
        pytest.param({"label": "a\nb"}, "label", id="line-break"),
        pytest.param({"label": "a\u2028b"}, "label", id="line-separator"),
        pytest.param({"label": "49,90\u202f€"}, "label", id="narrow-no-break-space"),
        pytest.param({"label": "\ud800"}, "label", id="half-surrogate"),
        pytest.param({"currency": "eur"}, "currency", id="small-letters"),
        pytest.param({"currency": "XXX"}, "currency", id="no-currency"),
        pytest.param({"date": CREATED}, "date", id="a-datetime"),
        pytest.param({"date": dt.date(2026, 12, 1)}, "lines", id="another-month"),
        pytest.param({"created_at": dt.datetime(2026, 11, 3)}, "created_at", id="naive"),  # noqa: DTZ001
        pytest.param({"lines": ()}, "lines", id="no-lines"),
        pytest.param(
            {"lines": (line("1", 5, fx=Money(5, "EUR")), line("2", 0, 5))}, "lines[0].fx", id="own-currency"
        ),
    ],
)
def test_a_faulty_entry_cannot_be_made(change: dict[str, Any], path: str) -> None:
    """An entry names the field that cannot be used."""
    with pytest.raises(InvalidInput) as caught:
        _ = entry(**change)

    assert [fault.path for fault in caught.value.faults] == [path]


def test_all_faults_come_at_once() -> None:
    """Nobody corrects one field to learn of the next."""
    with pytest.raises(InvalidInput) as caught:
        _ = entry(id="", label="", currency="?")

    assert [fault.path for fault in caught.value.faults] == ["id", "label", "currency"]


def test_a_reversal_undoes_an_entry() -> None:
    """Each line changes its side, the new entry names the old one, and together they are nothing."""
    first = entry(
        line("51151", 9100, fx=Money.of("100.00", "USD"), provider="stripe", kind="invoice", method="card"),
        line("411", 0, 9100, aux="C0042"),
        customer_id="L42",
        tenant="t",
    )

    undone = reversal(
        first, entry_id="E2", key="stripe|pi_1|undone", date=dt.date(2026, 12, 2), created_at=CREATED
    )

    assert undone.reverses_id == "E1"
    assert (undone.piece, undone.label, undone.customer_id, undone.tenant) == (
        first.piece,
        first.label,
        "L42",
        "t",
    )
    assert [(x.account, x.debit_minor, x.credit_minor) for x in undone.lines] == [
        ("51151", 0, 9100),
        ("411", 9100, 0),
    ]
    assert undone.lines[0].fx == Money.of("100.00", "USD")
    assert {x.month for x in undone.lines} == {"2026-12"}
    assert (undone.lines[0].provider, undone.lines[0].kind, undone.lines[0].method) == (
        "stripe",
        "invoice",
        "card",
    )


def test_a_reversal_may_say_why() -> None:
    """A label of its own replaces the undone entry's."""
    undone = reversal(
        entry(), entry_id="E2", key="a|b|c", date=DAY, created_at=CREATED, label="Remboursement échoué"
    )

    assert undone.label == "Remboursement échoué"


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        pytest.param("INV-42 C0042", "INV-42 C0042", id="untouched"),
        pytest.param("two  spaces", "two  spaces", id="spaces-kept"),
        pytest.param("A|B", "A/B", id="pipe"),
        pytest.param("A\tB\r\nC", "A B C", id="tab-and-line-end"),
        pytest.param("1\u202f234,50\u00a0€", "1 234,50 €", id="no-break-spaces"),
        pytest.param("\ufeffINV\x00", "INV", id="mark-and-nul"),
        pytest.param("F\u200b7\u202e8", "F 7 8", id="invisible-marks"),
        pytest.param("\u2028", "", id="nothing-left"),
    ],
)
def test_plain_text_fits_any_column(given_text: str, expected: str) -> None:
    """What would break a column becomes a slash or one space."""
    assert plain(given_text) == expected


def test_plain_text_is_cut_to_its_limit() -> None:
    """The limit holds, and no space is left at the end."""
    assert plain("Paiement stripe", limit=9) == "Paiement"


@given(st.text(max_size=60))
def test_plain_text_is_accepted_by_an_entry(text: str) -> None:
    """Whatever a host writes, its plain form can be a label, unless nothing is left of it."""
    cleaned = plain(text)

    assert plain(cleaned) == cleaned
    if cleaned.strip():
        assert entry(label=cleaned).label == cleaned


def test_a_key_keeps_its_three_parts() -> None:
    """A pipe inside a vendor's id does not make a fourth part."""
    key = entry_key("stripe-fr", "pi|1", "payment")

    assert key == "stripe-fr|pi%7C1|payment"
    assert entry(key=key).event == "payment"
