"""Promises about orders from a spreadsheet: everything usable is read, everything else has a line and a column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from paybylink.cli.order_sheet import CellFault, OrderSheet, SheetOrder, read_order_text, read_orders
from paybylink.errors import InvalidInput
from paybylink.kinds import InvoiceBound, Reusable, SingleUse
from paybylink.money import Money

HEAD = "Référence;Client;Email;Langue;Désignation;Quantité;Prix unitaire TTC;TVA %;Devise;Lien;Échéance\n"
GOOD = "A-1;Zoé;zoe@example.com;fr;Logo;1;49,90;20;EUR;;\n"


def sheet(*rows: str) -> OrderSheet:
    return read_order_text(HEAD + "".join(f"{row}\n" for row in rows))


def only(read: OrderSheet) -> SheetOrder:
    assert read.faults == ()
    (order,) = read.orders
    return order


def places(read: OrderSheet) -> list[tuple[int, int]]:
    return [(fault.line, fault.column) for fault in read.faults]


class TestReading:
    def test_one_row_is_an_order(self) -> None:
        """Accents, a decimal comma and VAT arrive as they were meant."""
        read = only(
            sheet("CMD-1;Zoé Martin;zoe@example.com;fr;Création de logo;2;1 049,90;20;EUR;usage unique;")
        )

        assert read.order.amount == Money.of("2099.80", "EUR")
        assert read.order.customer is not None
        assert (read.order.customer.name, read.order.customer.language) == ("Zoé Martin", "fr")
        assert read.order.lines[0].vat_rate == Decimal(20)
        assert read.kind == SingleUse()
        assert read.line == 2

    def test_rows_of_one_reference_are_lines_of_one_order(self) -> None:
        """An invoice with two VAT rates takes two rows, and what belongs to the whole stands in the first."""
        read = only(
            sheet(
                "FA-1;Café;c@example.com;fr;Menus;10;2,00;20;EUR;facture;31/12/2026",
                "FA-1;;;;Port;1;5,50;10 %;EUR;;",
            )
        )

        assert read.order.amount == Money.of("25.50", "EUR")
        assert [group.rate for group in read.order.vat_groups] == [20, 10]
        assert isinstance(read.kind, InvoiceBound)
        assert read.kind.invoice.due_on == dt.date(2026, 12, 31)
        assert read.kind.invoice.number == "FA-1"

    @pytest.mark.parametrize(
        ("price", "currency", "expected"),
        [
            pytest.param("12800", "JPY", 12800, id="no decimals"),
            pytest.param("18,250", "KWD", 18250, id="three decimals after a comma"),
            pytest.param("27.5", "TND", 27500, id="point"),
            pytest.param("1\u202f250,00", "EUR", 125000, id="narrow no-break space"),
            pytest.param("49,9", "eur", 4990, id="small letters"),
        ],
    )
    def test_price_in_its_own_column_is_read_exactly(self, price: str, currency: str, expected: int) -> None:
        """A comma in the price column is a decimal comma, also before three digits."""
        read = only(sheet(f"A;;;;Encre;1;{price};;{currency};;"))

        assert read.order.amount.minor == expected

    def test_link_for_anybody_has_no_customer(self) -> None:
        """A reusable link is tied to nobody."""
        read = only(sheet("STAGE;;;;Stage;1;75,00;20;EUR;réutilisable;"))

        assert read.kind == Reusable()
        assert read.order.customer is None

    def test_english_headings_commas_and_windows_letters(self, tmp_path: Path) -> None:
        """Another spreadsheet's habits are read as well."""
        place = tmp_path / "orders.csv"
        text = 'Reference,Customer,Description,Unit price,Currency\nA,Zoé,"Cards, 25 pieces",3.60,GBP\n'
        _ = place.write_bytes(text.encode("cp1252"))

        read = only(read_orders(place))

        assert read.order.customer is not None
        assert read.order.customer.name == "Zoé"
        assert read.order.lines[0].description == "Cards, 25 pieces"

    def test_blank_rows_and_a_byte_order_mark_are_no_orders(self) -> None:
        """What a spreadsheet adds on its own changes nothing."""
        read = read_order_text("\ufeff".removeprefix("\ufeff") + HEAD + ";;;;;;;;;;\n\n" + GOOD)

        assert only(read).line == 4


class TestFaults:
    def test_bad_row_is_told_and_the_others_go_through(self) -> None:
        """One wrong cell costs one order."""
        read = sheet(
            "A-1;;;;Logo;1;49,90;20;EUR;;", "A-2;;;;Reliure;l2;39,00;20;EUR;;", "A-3;;;;Carte;1;5,00;;EUR;;"
        )

        assert [each.order.reference for each in read.orders] == ["A-1", "A-3"]
        assert read.refused == 1
        assert read.faults == (
            CellFault(
                line=3,
                column=6,
                heading="Quantité",
                fault="is not a number",
                remedy="write digits, with a comma before decimals",
            ),
        )
        assert str(read.faults[0]).startswith("line 3, column 6 (Quantité): is not a number")

    @pytest.mark.parametrize(
        ("row", "column"),
        [
            pytest.param(";;;;Logo;1;49,90;20;EUR;;", 1, id="no reference"),
            pytest.param("A;;zoe.example.com;;Logo;1;49,90;20;EUR;;", 3, id="address without @"),
            pytest.param("A;;;;;1;49,90;20;EUR;;", 5, id="no description"),
            pytest.param("A;;;;Logo;0;49,90;20;EUR;;", 6, id="nothing sold"),
            pytest.param("A;;;;Logo;1,2345;49,90;20;EUR;;", 6, id="too fine"),
            pytest.param("A;;;;Logo;NaN;49,90;20;EUR;;", 6, id="not finite"),
            pytest.param("A;;;;Logo;1;;20;EUR;;", 7, id="no price"),
            pytest.param("A;;;;Logo;1;1.234,50;20;EUR;;", 7, id="two marks"),
            pytest.param("A;;;;Logo;1;12,5;;JPY;;", 7, id="yen with decimals"),
            pytest.param("A;;;;Logo;1;0;20;EUR;;", 7, id="nothing to pay"),
            pytest.param("A;;;;Logo;1;-5;20;EUR;;", 7, id="negative"),
            pytest.param("A;;;;Logo;1;1000000000000;20;EUR;;", 7, id="over 12 digits"),
            pytest.param("A;;;;Logo;1;49,90;vingt;EUR;;", 8, id="rate in words"),
            pytest.param("A;;;;Logo;1;49,90;120;EUR;;", 8, id="rate above 100"),
            pytest.param("A;;;;Logo;1;49,90;20;EURO;;", 9, id="no currency"),
            pytest.param("A;;;;Logo;1;49,90;20;BGN;;", 9, id="withdrawn currency"),
            pytest.param("A;;;;Logo;1;49,90;20;EUR;virement;", 10, id="no kind"),
            pytest.param("A;;;;Logo;1;49,90;20;EUR;facture;31.12.2026", 11, id="no day"),
            pytest.param("A;;;;Logo;1;49,90;20;EUR", 0, id="cells missing"),
            pytest.param("A;;;;Lo;go;1;49,90;20;EUR;;", 0, id="separator in text"),
        ],
    )
    def test_every_fault_has_its_place(self, row: str, column: int) -> None:
        """Line and column are those that the spreadsheet shows."""
        read = sheet("OK;;;;Logo;1;49,90;20;EUR;;", row)

        assert (3, column) in places(read)
        assert [each.order.reference for each in read.orders] == ["OK"]
        with pytest.raises(InvalidInput, match="line 3"):
            read.raise_any()

    def test_all_faults_of_a_file_come_at_once(self) -> None:
        """In the order of the file."""
        read = sheet("A;;no;;Logo;x;y;20;EUR;;", "B;;;;Logo;1;5;20;ZZZ;;")

        assert places(read) == [(2, 3), (2, 6), (2, 7), (3, 9)]

    def test_fault_in_a_second_line_refuses_the_whole_order(self) -> None:
        """Half an invoice is never asked for."""
        read = sheet("FA;;;;Menus;1;5,00;20;EUR;;", "FA;;;;Port;?;5,00;20;EUR;;")

        assert read.orders == ()
        assert places(read) == [(3, 6)]

    def test_two_currencies_in_one_order(self) -> None:
        """An order has one currency."""
        assert places(sheet("FA;;;;Menus;1;5,00;20;EUR;;", "FA;;;;Port;1;5,00;20;CHF;;")) == [(3, 9)]

    def test_reference_that_comes_back_later(self) -> None:
        """Lines of one order stand together; anything else is two orders with one name."""
        read = sheet("A;;;;Logo;1;5,00;;EUR;;", "B;;;;Logo;1;5,00;;EUR;;", "A;;;;Logo;1;6,00;;EUR;;")

        assert places(read) == [(4, 1)]
        assert [each.order.reference for each in read.orders] == ["A", "B"]

    def test_line_break_in_a_cell_never_reaches_a_header(self) -> None:
        """Control characters are refused where they stand."""
        assert places(
            read_order_text(HEAD + 'A;"Zoé\nBcc: x@example.com";z@example.com;fr;Logo;1;5;;EUR;;\n')
        ) == [(2, 2)]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("", "line 1: is missing", id="empty file"),
            pytest.param(
                "Référence;Désignation;Prix TTC\nA;B;1\n", "no column for the currency", id="heading missing"
            ),
            pytest.param(
                "Référence;Couleur\n", "line 1, column 2: 'Couleur' is no heading", id="unknown heading"
            ),
            pytest.param(HEAD.replace("Email", "Client"), "two columns for the name", id="heading twice"),
            pytest.param(HEAD + 'A;"Zoé;;;Logo\n', "is not CSV", id="quotation mark without its partner"),
        ],
    )
    def test_file_that_is_no_order_sheet(self, text: str, said: str) -> None:
        """A file that cannot be understood at all is refused as a whole."""
        with pytest.raises(InvalidInput) as caught:
            _ = read_order_text(text)

        assert said in str(caught.value)

    def test_absent_file(self, tmp_path: Path) -> None:
        """The name is told, not the folder."""
        with pytest.raises(InvalidInput, match=r"^orders\.csv: cannot be read"):
            _ = read_orders(tmp_path / "orders.csv")
