"""The FEC: golden files, the rules of the official checker, and what is never dropped in silence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.accounting.accounts import NEUTRAL, PCG
from paybylink.accounting.booking import Claim, book_rounding
from paybylink.accounting.characters import latin9
from paybylink.accounting.entries import Entry, plain
from paybylink.accounting.exports.base import KEYS_LISTED, Export, Period, Tally
from paybylink.accounting.exports.fec import FecExport
from paybylink.accounting.ledger import LedgerLine
from paybylink.accounting.reports import postings, trial_balance
from paybylink.errors import IntegrityBreach, InvalidInput
from paybylink.money import Money

from .fec_reader import complaints, number, read, totals
from .shop_month import CREATED, SINGLE_USE, booked, claim, invoice, payment, refund, refunded, rows

GOLDEN = Path(__file__).parent / "golden"
NOVEMBER = Period.month(2026, 11)
RATES = {"USD": Decimal("0.91")}


def month() -> list[Entry]:
    """The month of the golden files."""
    bought = payment("120.00", reference="INV-42")
    of_invoice = claim(invoice("F2026-0042", "120.00"))
    deposit = payment("36.00", reference="Q-7", part="deposit", vendor_id="pi_2", at="05 08:00")
    unknown = payment("0.05", reference="SHOP-9", vendor_id="pi_3", at="12 08:00")
    foreign = payment("100.00", "USD", reference="INV-50", vendor_id="pi_4", at="15 08:00")
    return [
        booked(bought, of_invoice, entry_id="E1"),
        booked(deposit, claim(invoice("D2026-007", "36.00", type="quote")), entry_id="E2"),
        refunded(refund(bought, "30.00", reference="AV-2026-007"), bought, of_invoice, entry_id="E3"),
        booked(unknown, Claim(link_kind=SINGLE_USE), entry_id="E4"),
        booked(
            foreign,
            claim(invoice("F2026-0050", "100.00", "USD"), code="C0043", customer_id="L43"),
            entry_id="E5",
        ),
        book_rounding(
            bought,
            Money.of("0.01", "EUR"),
            account="411",
            claim=of_invoice,
            accounts=PCG,
            entry_id="E6",
            created_at=CREATED,
        ),
    ]


def written(
    lines: Iterable[LedgerLine], export: FecExport | None = None, tally: Tally | None = None
) -> bytes:
    return b"".join(
        (export or FecExport()).write(lines, period=NOVEMBER, tally=Tally() if tally is None else tally)
    )


# Golden files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "options"),
    [
        pytest.param("fec-2026-11-tab-latin9.txt", {}, id="tab-latin9"),
        pytest.param("fec-2026-11-pipe-utf8.txt", {"separator": "|", "encoding": "utf-8"}, id="pipe-utf8"),
    ],
)
def test_a_month_is_written_byte_for_byte(file: str, options: dict[str, Any]) -> None:
    """The file equals the one made by hand from the law's list of columns, and so it does each time."""
    export = FecExport(rates=RATES, **options)

    assert written(rows(month()), export) == (GOLDEN / file).read_bytes()
    assert written(rows(month()), export) == (GOLDEN / file).read_bytes()


@pytest.mark.parametrize(
    ("file", "encoding", "separator"),
    [("fec-2026-11-tab-latin9.txt", "iso8859-15", "\t"), ("fec-2026-11-pipe-utf8.txt", "utf-8", "|")],
)
def test_the_golden_files_pass_the_official_rules(file: str, encoding: str, separator: str) -> None:
    """What we call right is right by the tax office's checker, and balances without gaps."""
    assert complaints((GOLDEN / file).read_bytes(), encoding=encoding, separator=separator) == []


def test_the_file_sums_to_the_ledger() -> None:
    """Read back by a reader that shares no code, each account's total is the ledger's; the tally agrees."""
    entries = [entry for entry in month() if entry.currency == "EUR"]
    tally = Tally()
    content = written(rows(entries), tally=tally)
    ledger = {
        balance.account: Decimal(balance.minor) / 100 for balance in trial_balance(postings(rows(entries)))
    }

    assert totals(content) == ledger
    assert (tally.entries, tally.lines, tally.last_numbers) == (5, 10, {"PL": 4, "OD": 1})
    assert tally.debit_minor == tally.credit_minor == 18606
    assert tally.left_out == {}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(
            lambda text: text.replace("\t120,00\t0,00", "\t120,01\t0,00"), "does not balance", id="a-cent"
        ),
        pytest.param(
            lambda text: text.replace("PL\tEncaissements par lien de paiement\t4", "PL\tx\t5"),
            "a gap",
            id="gap",
        ),
        pytest.param(lambda text: text.replace("120,00", "120.00"), "no number", id="decimal-point"),
        pytest.param(lambda text: text.replace("F2026-0042", ""), "PieceRef is empty", id="no-piece"),
        pytest.param(lambda text: text.replace("SHOP-9", "SHOP\t9"), "fields", id="a-tab-too-many"),
    ],
)
def test_the_rules_catch_a_spoilt_file(spoil: Any, complaint: str) -> None:
    """The checks themselves can fail: a cent, a gap, a point, an empty field, a broken column."""
    content = (GOLDEN / "fec-2026-11-tab-latin9.txt").read_bytes().decode("iso8859-15")

    try:
        found = complaints(spoil(content).encode("iso8859-15"))
    except AssertionError as error:
        found = [f"no number {error}"]

    assert any(complaint in line for line in found)


# What is refused ------------------------------------------------------------------------------------------


def spoilt(**change: Any) -> Iterator[LedgerLine]:
    """The month with its first line changed."""
    first, *others = rows(entry for entry in month() if entry.currency == "EUR")
    yield first._replace(**change)
    yield from others


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"debit_minor": 12001}, "debits are 12001 and credits 12000", id="a-cent"),
        pytest.param({"entry_id": "E0"}, "debits are 12000 and credits 0", id="torn-entry"),
    ],
)
def test_a_ledger_that_does_not_balance_is_not_exported(change: dict[str, Any], said: str) -> None:
    """A one-cent fault in the rows stops the file and names the entry."""
    with pytest.raises(IntegrityBreach, match=said) as caught:
        _ = written(spoilt(**change))

    assert "stripe|pi_1|payment" in str(caught.value)


@pytest.mark.parametrize("day", ["2026-10-31", "2026-12-01"])
def test_a_line_out_of_the_period_stops_the_file(day: str) -> None:
    """An entry of another month does not slip in."""
    with pytest.raises(IntegrityBreach, match="out of the period"):
        _ = written(line._replace(date=day) for line in rows(month()[:1]))


def test_lines_out_of_order_stop_the_file() -> None:
    """The order of the days is the order of the file, so a ledger read in another order is not numbered."""
    entries = month()

    with pytest.raises(IntegrityBreach, match="out of order"):
        _ = written(rows([entries[1], entries[0]]))


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"separator": ";"}, "separator"),
        ({"encoding": "cp1252"}, "encoding"),
        ({"rates": {"usd?": Decimal(1)}}, "rates['usd?'].currency"),
        ({"rates": {"USD": 0.91}}, "rates['USD']"),
        ({"rates": {"USD": Decimal(0)}}, "rates['USD']"),
        ({"rates": {"USD": Decimal("NaN")}}, "rates['USD']"),
        ({"first_numbers": {"PL": 0}}, "first_numbers['PL']"),
        ({"first_numbers": {"PL": "1"}}, "first_numbers['PL']"),
        ({"siren": "12345678"}, "siren"),
        ({"siren": "12345678X"}, "siren"),
    ],
)
def test_a_faulty_option_names_its_field(options: dict[str, Any], path: str) -> None:
    """A semicolon between fields has been refused since 2013, so we refuse it first."""
    with pytest.raises(InvalidInput) as caught:
        _ = FecExport(**options)

    assert [fault.path for fault in caught.value.faults] == [path]


# Names ----------------------------------------------------------------------------------------------------


def test_the_file_is_named_as_an_import() -> None:
    """A partial extract does not call itself the company's FEC."""
    named = FecExport().file_name(NOVEMBER)

    assert named.name == "paybylink-PL-2026-11-import.txt"
    assert named.warnings == ()


def test_the_legal_name_comes_with_a_warning() -> None:
    """Only by option, dated at the end of the period, and said to be no legal FEC."""
    named = FecExport(siren="552100554").file_name(Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31)))

    assert named.name == "552100554FEC20261231.txt"
    assert any("never to the tax office" in warning for warning in named.warnings)


def test_a_chart_of_words_comes_with_a_warning() -> None:
    """French software refuses accounts that do not begin with three digits."""
    named = FecExport(accounts=NEUTRAL).file_name(NOVEMBER)

    assert named.name == "paybylink-LINKS-2026-11-import.txt"
    assert len(named.warnings) == 1


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2026-01-01", "2026-12-31", "2026"),
        ("2026-12-01", "2026-12-31", "2026-12"),
        ("2028-02-01", "2028-02-29", "2028-02"),
        ("2026-11-01", "2026-11-15", "20261101-20261115"),
    ],
)
def test_a_period_is_named_shortly(first: str, last: str, text: str) -> None:
    """A whole year, a whole month, or both days."""
    assert str(Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last))) == text


def test_a_period_does_not_run_backwards() -> None:
    """The last day lies on or after the first."""
    with pytest.raises(InvalidInput, match="lies before"):
        _ = Period(dt.date(2026, 11, 2), dt.date(2026, 11, 1))


def test_the_export_is_one_of_the_family() -> None:
    """A host may take it for any export."""
    export: Export = FecExport()

    assert export.name == "fec"


# Currencies -----------------------------------------------------------------------------------------------


def test_money_without_a_rate_is_listed_and_not_dropped() -> None:
    """The dollar payment is not in the file, and the tally says which it is and how much."""
    tally = Tally()
    content = written(rows(month()), tally=tally)

    assert complaints(content) == []
    assert "USD" not in content.decode("iso8859-15")
    left = tally.left_out["USD"]
    assert (left.entries, left.debit_minor, left.keys) == (1, 10000, ["stripe|pi_4|payment"])
    assert tally.last_numbers == {"PL": 4, "OD": 1}


def test_the_list_of_what_was_left_out_stays_small() -> None:
    """All are counted; the keys of the first thousand are listed."""
    tally = Tally()
    for place in range(KEYS_LISTED + 5):
        tally.leave_out(f"k{place}", "USD", 10)

    left = tally.left_out["USD"]
    assert (left.entries, left.debit_minor) == (KEYS_LISTED + 5, 10 * (KEYS_LISTED + 5))
    assert len(tally.left_out["USD"].keys) == KEYS_LISTED


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "debit", "foreign"),
    [
        pytest.param("100.00", "USD", "0.91", "91,00", "100,00", id="two-decimals"),
        pytest.param("1500", "JPY", "0.0061", "9,15", "1500", id="no-decimals"),
        pytest.param("10.005", "KWD", "3.01", "30,12", "10,005", id="three-decimals"),
        pytest.param("0.05", "USD", "0.10", "0,01", "0,05", id="half-goes-up"),
    ],
)
def test_foreign_money_is_converted_at_the_merchants_rate(
    amount: str, currency: str, rate: str, debit: str, foreign: str
) -> None:
    """Debit and Credit in euro, Montantdevise and Idevise as paid, whatever the number of decimals."""
    entry = booked(payment(amount, currency), claim(invoice("F1", amount, currency)))
    content = written(rows([entry]), FecExport(rates={currency: Decimal(rate)}))

    assert complaints(content) == []
    first, second = read(content)
    assert (first["Debit"], first["Montantdevise"], first["Idevise"]) == (debit, foreign, currency)
    assert (second["Credit"], second["Montantdevise"]) == (debit, foreign)


def test_foreign_money_below_a_cent_is_left_out() -> None:
    """A won is no cent: a line of nothing on both sides would be refused, so it is listed."""
    tally = Tally()
    entry = booked(payment("1", "KRW"), claim(invoice("F1", "1", "KRW")))
    content = written(rows([entry]), FecExport(rates={"KRW": Decimal("0.00067")}), tally)

    assert read(content) == []
    assert tally.left_out["KRW"].entries == 1


def three_lines(*minors: int) -> list[LedgerLine]:
    """An entry in dollars whose last line is the sum of the others, on the other side."""
    first = next(rows([booked(payment("1.00", "USD"), Claim(link_kind=SINGLE_USE))]))
    parts = [first._replace(debit_minor=minor, credit_minor=0) for minor in minors]
    return [*parts, first._replace(account="471", debit_minor=0, credit_minor=sum(minors))]


@pytest.mark.parametrize(
    ("rate", "account", "side"),
    [
        pytest.param("0.5", "758", "Credit", id="rounded-up-twice"),
        pytest.param("1.4", "658", "Debit", id="rounded-down-twice"),
    ],
)
def test_what_rounding_leaves_is_a_line_of_its_own(rate: str, account: str, side: str) -> None:
    """Three converted lines that miss by a cent get a fourth one, without a foreign amount."""
    content = written(three_lines(1, 1), FecExport(rates={"USD": Decimal(rate)}))

    assert complaints(content) == []
    *_, last = read(content)
    assert (last["CompteNum"], last[side], last["Montantdevise"], last["Idevise"]) == (
        account,
        "0,01",
        "",
        "",
    )


def test_a_line_booked_with_its_foreign_amount_keeps_it() -> None:
    """An entry in euro that knows its dollars tells both, on the lines that have them."""
    first, second = rows(month()[:1])
    content = written([first._replace(fx_minor=13187, fx_currency="USD"), second])

    assert [(row["Montantdevise"], row["Idevise"]) for row in read(content)] == [("131,87", "USD"), ("", "")]


@pytest.mark.parametrize(("currency", "debit"), [("JPY", "5"), ("KWD", "0,005")])
def test_the_books_may_have_no_or_three_decimals(currency: str, debit: str) -> None:
    """Amounts are written with the decimals of the book currency."""
    accounts = evolve(PCG, currency=currency)
    lines = [line._replace(currency=currency) for line in rows(month()[3:4])]

    assert read(written(lines, FecExport(accounts=accounts)))[0]["Debit"] == debit


# Numbers and days -----------------------------------------------------------------------------------------


def test_numbers_go_on_where_the_last_file_ended() -> None:
    """Gapless per journal from one file to the next."""
    tally = Tally()
    content = written(rows(month()), FecExport(rates=RATES, first_numbers={"PL": 43}), tally)
    numbers = [(row["JournalCode"], row["EcritureNum"]) for row in read(content)]

    assert numbers[0] == ("PL", "43")
    assert numbers[-1] == ("OD", "1")
    assert tally.last_numbers == {"PL": 47, "OD": 1}


def test_the_day_of_validation_is_a_setting() -> None:
    """One day for the whole file: the last of the period unless told."""
    content = written(rows(month()), FecExport(valid_on=dt.date(2026, 12, 5)))

    assert {row["ValidDate"] for row in read(content)} == {"20261205"}


def test_an_empty_period_is_a_file_with_column_names_only() -> None:
    """Nothing happened: one line, eighteen names."""
    assert read(written([])) == []
    assert complaints(written([])) == []


# Text -----------------------------------------------------------------------------------------------------


HOSTILE = "=cmd|' /C calc'!A1\t\r\n\u00a0\u202f\x00\u2028\ufeff\ud800"


@pytest.mark.parametrize(("separator", "encoding"), [("\t", "iso8859-15"), ("|", "utf-8")])
def test_no_text_of_a_row_breaks_a_column(separator: str, encoding: str) -> None:
    """Tabs, pipes, line ends, no-break spaces and half surrogates in any column, as others may have left them."""
    lines = [
        line._replace(
            journal="P\tL",
            piece=HOSTILE,
            label=HOSTILE,
            aux=line.aux and "C|1",
            aux_label=HOSTILE,
            account="411\t",
        )
        for line in rows(month()[:1])
    ]
    content = written(lines, FecExport(separator=separator, encoding=encoding))

    assert complaints(content, encoding=encoding, separator=separator) == []
    _, second = read(content, encoding=encoding, separator=separator)
    assert second["CompAuxNum"] == "C/1"
    assert second["EcritureLib"] == "=cmd/' /C calc'!A1"


def test_a_mandatory_column_is_never_empty() -> None:
    """Where nothing is left of a text, a dash stands; an erased name gives way to its code."""
    lines = [line._replace(piece="\u00a0", label=" ", aux_label="\t") for line in rows(month()[:1])]
    _, second = read(written(lines))

    assert (second["PieceRef"], second["EcritureLib"], second["CompAuxLib"]) == ("-", "-", "C0042")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Zoé Šimůnek œuvre €", "Zoé Šimunek œuvre €", id="most-fit"),
        pytest.param("Łukasz Đorđe", "Lukasz Dorde", id="strokes"),
        pytest.param("L’été – « oui » …", "L'été - « oui » ...", id="marks"),
        pytest.param("Zoe\u0301", "Zoé", id="composed"),
        pytest.param("A\uff5cB", "A/B", id="wide-pipe"),
        pytest.param("½ ¨", '1/2 "', id="of-latin-1-only"),
        pytest.param("Ж 😀", "\\u0416 \\U0001f600", id="nothing-lost"),
    ],
)
def test_letters_that_do_not_fit_are_transliterated(name: str, expected: str) -> None:
    """In ISO 8859-15 nothing is lost: an accent falls, or the code point stands."""
    lines = [line._replace(aux_label=name if line.aux else "") for line in rows(month()[:1])]
    _, second = read(written(lines))

    assert second["CompAuxLib"] == expected


def test_every_letter_stays_one_that_can_be_read() -> None:
    """Of each letter of Unicode's first plane, alone in a column, something fit is left, or it is a blank already."""
    for code in range(0x10000):
        text = plain(chr(code)).strip()
        shown = latin9(text).decode("iso8859-15")

        assert bool(shown.strip()) is bool(text), hex(code)
        assert plain(shown) == shown, hex(code)


def test_utf8_keeps_every_letter() -> None:
    """The tax office's checker reads UTF-8 as well."""
    lines = [line._replace(aux_label="Жанна Łuk" if line.aux else "") for line in rows(month()[:1])]
    _, second = read(written(lines, FecExport(encoding="utf-8")), encoding="utf-8")

    assert second["CompAuxLib"] == "Жанна Łuk"


# Properties -----------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**12 - 1), st.sampled_from(["EUR", "USD", "JPY", "BHD"]), st.text(max_size=30)
        ),
        max_size=6,
    ),
    st.sampled_from([("\t", "iso8859-15"), ("|", "iso8859-15"), ("\t", "utf-8")]),
    st.decimals("0.001", "2000", places=6),
)
def test_any_month_passes_the_official_rules(
    events: list[tuple[int, str, str]], form: tuple[str, str], rate: Decimal
) -> None:
    """Whatever is booked, the file passes, sums to the ledger, and file and left-out make up the whole."""
    separator, encoding = form
    entries = [
        booked(
            evolve(
                payment("1.00", vendor_id=f"pi_{place}", reference=text),
                amount=Money(minor, currency),
                refunded=Money(0, currency),
            ),
            claim(SINGLE_USE, code=text[:5]),
            entry_id=f"E{place}",
        )
        for place, (minor, currency, text) in enumerate(events)
    ]
    tally = Tally()
    export = FecExport(separator=separator, encoding=encoding, rates={"USD": rate, "BHD": rate})
    content = written(rows(entries), export, tally)

    assert complaints(content, encoding=encoding, separator=separator) == []
    assert tally.entries + sum(left.entries for left in tally.left_out.values()) == len(entries)
    euro = sum(minor for minor, currency, _ in events if currency == "EUR")
    in_file = read(content, encoding=encoding, separator=separator)
    assert sum(number(row["Debit"]) for row in in_file if not row["Idevise"]) == Decimal(euro) / 100


def test_a_long_ledger_is_written_page_by_page() -> None:
    """Pages come while rows are still being read, so memory does not grow with the ledger."""
    read_so_far = 0

    def endless() -> Iterator[LedgerLine]:
        nonlocal read_so_far
        first, second = rows(month()[:1])
        for place in range(10_000):
            read_so_far += 2
            yield first._replace(entry_id=f"E{place:05d}")
            yield second._replace(entry_id=f"E{place:05d}")

    tally = Tally()
    pages = FecExport().write(endless(), period=NOVEMBER, tally=tally)
    first_page = next(pages)

    assert first_page.count(b"\r\n") < 3000
    assert read_so_far < 3000
    assert complaints(first_page + b"".join(pages)) == []
    assert (tally.entries, tally.last_numbers) == (10_000, {"PL": 10_000})
