"""
Orders from a spreadsheet, saved as CSV: what a small business can export from anything.

One row is one line of an order; rows with the same reference below each other are lines of one order, and what
belongs to the whole order is read from its first row. Semicolons, commas or tabs; UTF-8 or Windows-1252; a comma or
a point before decimals; French or English headings, of which `COLUMNS` has the list.

Nothing is guessed and nothing is dropped in silence: every cell that cannot be used is reported with its line and
column, all of them at once, and the other orders go through.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from attrs import field, frozen

from paybylink.errors import Fault, InvalidInput
from paybylink.kinds import Invoice, InvoiceBound, LinkKind, Reusable, SingleUse
from paybylink.lines import LineItem, vat_groups
from paybylink.money import Money
from paybylink.orders import Customer, Order

T = TypeVar("T")

#: What a column may be called, in small letters.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reference": ("référence", "reference", "n° de commande", "order"),
    "name": ("client", "nom", "customer", "name"),
    "email": ("email", "e-mail", "courriel", "mail"),
    "phone": ("téléphone", "phone", "mobile"),
    "language": ("langue", "language"),
    "code": ("code client", "customer code"),
    "description": ("désignation", "libellé", "description"),
    "quantity": ("quantité", "quantity"),
    "unit_price": ("prix unitaire ttc", "prix ttc", "unit price", "price"),
    "vat_rate": ("tva %", "tva", "vat %", "vat"),
    "currency": ("devise", "currency"),
    "kind": ("lien", "type de lien", "link", "kind"),
    "due_on": ("échéance", "due on", "due date"),
}
_NEEDED = ("reference", "description", "unit_price", "currency")
_KINDS = {
    "": "single",
    "usage unique": "single",
    "single use": "single",
    "réutilisable": "reusable",
    "reusable": "reusable",
    "facture": "invoice",
    "invoice": "invoice",
}
#: The columns behind the paths that values name in their faults.
_COLUMN_OF = {"amount": "unit_price", "lines": "unit_price", "customer": "name", "number": "reference"}
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009")


@frozen(kw_only=True)
class CellFault:
    """
    One cell that cannot be used.

    Attributes:
        line: of the file, the headings being line 1.
        column: counted from 1; 0 when it is about the whole line.
        heading: of that column.
        fault, remedy: what is wrong, and what to write instead.
    """

    line: int
    column: int
    heading: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        where = (
            f"line {self.line}, column {self.column} ({self.heading})" if self.column else f"line {self.line}"
        )
        return f"{where}: {self.fault}; {self.remedy}"

    def as_fault(self) -> Fault:
        """The same as a fault of `InvalidInput`."""
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return Fault(where, self.fault, self.remedy)


@frozen(kw_only=True)
class SheetOrder:
    """One order of the sheet, the kind of link it wants, and the line where it begins."""

    line: int
    order: Order
    kind: LinkKind


@frozen(kw_only=True)
class OrderSheet:
    """
    What a file holds.

    Attributes:
        orders: those that can be used, in the order of the file.
        faults: every cell that cannot, with its place.
        refused: how many orders are left out because of them.
    """

    orders: tuple[SheetOrder, ...]
    faults: tuple[CellFault, ...] = ()
    refused: int = 0

    def raise_any(self) -> None:
        """
        Raise the faults, if there are any.

        Raises:
            InvalidInput: with every fault and its place.
        """
        if self.faults:
            raise InvalidInput(fault.as_fault() for fault in self.faults)


@frozen
class _Row:
    line: int
    cells: Mapping[str, str]
    places: Mapping[str, int] = field(repr=False)
    headings: Mapping[str, str] = field(repr=False)
    faults: list[CellFault] = field(repr=False)

    def get(self, name: str) -> str:
        return self.cells.get(name, "")

    def add(self, name: str, fault: str, remedy: str) -> None:
        self.faults.append(
            CellFault(
                line=self.line,
                column=self.places.get(name, 0),
                heading=self.headings.get(name, name),
                fault=fault,
                remedy=remedy,
            )
        )

    def made(self, make: Callable[[], T]) -> T | None:
        """What `make` returns; None when it refuses, with its faults put into the cells they speak of."""
        try:
            return make()
        except InvalidInput as error:
            for each in error.faults:
                name = each.path.partition(".")[0].partition("[")[0]
                self.add(_COLUMN_OF.get(name, name), each.fault, each.remedy)
            return None


def read_orders(path: str | Path) -> OrderSheet:
    """
    The orders of a CSV file.

    Raises:
        InvalidInput: the file cannot be read at all, or a heading is missing or unknown.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput.single(Path(path).name, f"cannot be read ({reason})", "check the path") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What spreadsheets on Windows write; every byte has a meaning there or is reported below.
        text = raw.decode("cp1252", errors="replace")
    return read_order_text(text)


def read_order_text(text: str) -> OrderSheet:
    """The orders of the text of a CSV file; see `read_orders`."""
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    faults: list[CellFault] = []
    groups: list[list[_Row]] = []
    names: Sequence[str] | None = None
    headings: Sequence[str] = ()
    begins = 1
    try:
        for cells in reader:
            # A cell may hold line breaks; what counts is where the row begins.
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                headings = [cell.strip() for cell in cells]
                names = _names(headings)
                continue
            row = _row(cells, names, headings, line, faults)
            above = groups[-1][0] if groups else None
            if above is not None and row.get("reference") and row.get("reference") == above.get("reference"):
                groups[-1].append(row)
            else:
                groups.append([row])
    except csv.Error:
        raise InvalidInput.single(
            f"line {reader.line_num}", "is not CSV", "look for a quotation mark without its partner"
        ) from None
    if names is None:
        raise InvalidInput.single("line 1", "is missing", "write the headings first")
    seen: set[str] = set()
    orders: list[SheetOrder] = []
    for group in groups:
        before = len(faults) - sum(fault.line == row.line for row in group for fault in faults)
        reference = group[0].get("reference")
        if reference and reference in seen:
            group[0].add("reference", "was used further up", "keep the lines of one order together")
        seen.add(reference)
        made = _order(group)
        if made is not None and len(faults) == before:
            orders.append(made)
    faults.sort(key=lambda fault: (fault.line, fault.column))
    return OrderSheet(orders=tuple(orders), faults=tuple(faults), refused=len(groups) - len(orders))


def _names(headings: Sequence[str]) -> Sequence[str]:
    known = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    names = [known.get(heading.lower(), "") for heading in headings]
    faults = [
        Fault(
            f"line 1, column {place}",
            f"{heading[:30]!r} is no heading known here",
            "rename or remove that column",
        )
        for place, (heading, name) in enumerate(zip(headings, names, strict=True), 1)
        if not name
    ]
    faults += [
        Fault(
            "line 1",
            f"has no column for the {name.replace('_', ' ')}",
            f"add one called {COLUMNS[name][0]!r}",
        )
        for name in _NEEDED
        if name not in names
    ]
    faults += [
        Fault("line 1", f"has two columns for the {name.replace('_', ' ')}", "remove one")
        for name in sorted({name for name in names if name and names.count(name) > 1})
    ]
    if faults:
        raise InvalidInput(faults)
    return names


def _row(
    cells: Sequence[str], names: Sequence[str], headings: Sequence[str], line: int, faults: list[CellFault]
) -> _Row:
    row = _Row(
        line,
        {name: cell.strip() for name, cell in zip(names, cells, strict=False)},
        {name: place for place, name in enumerate(names, 1)},
        dict(zip(names, headings, strict=True)),
        faults,
    )
    if len(cells) != len(names):
        row.add(
            "",
            f"has {len(cells)} cells, the headings are {len(names)}",
            "put text with a separator in quotes",
        )
    return row


def _order(group: Sequence[_Row]) -> SheetOrder | None:
    first = group[0]
    lines = [_line(row, first.get("currency").upper()) for row in group]
    customer = None
    if any(first.get(name) for name in ("name", "email", "phone", "code")):
        customer = first.made(
            lambda: Customer(
                name=first.get("name"),
                email=first.get("email") or None,
                phone=first.get("phone") or None,
                language=first.get("language") or None,
                code=first.get("code"),
            )
        )
    kind = _KINDS.get(first.get("kind").lower())
    if kind is None:
        first.add(
            "kind", "is no kind of link", "write usage unique, réutilisable or facture, or leave it empty"
        )
    due_on = _day(first, "due_on")
    usable = [line for line in lines if line is not None]
    if not first.get("reference"):
        first.add("reference", "is empty", "give every order its own reference")
        return None
    if len(usable) < len(lines):
        return None
    order = first.made(
        lambda: Order(
            reference=first.get("reference"),
            amount=_total(usable),
            description=usable[0].description if len(usable) == 1 else f"{usable[0].description}, …",
            lines=tuple(usable),
            customer=customer,
        )
    )
    if order is None or kind is None:
        return None
    made = first.made(lambda: _kind(kind, order, due_on))
    return None if made is None else SheetOrder(line=first.line, order=order, kind=made)


def _total(lines: Sequence[LineItem]) -> Money:
    """What lines of one currency add up to, with VAT."""
    first, *others = vat_groups(lines)
    return sum((group.gross for group in others), first.gross)


def _kind(kind: str, order: Order, due_on: dt.date | None) -> LinkKind:
    if kind == "reusable":
        return Reusable()
    if kind == "invoice":
        return InvoiceBound(
            Invoice(
                number=order.reference, open_amount=order.amount, due_on=due_on, vat_groups=order.vat_groups
            )
        )
    return SingleUse()


def _line(row: _Row, currency: str) -> LineItem | None:
    own = row.get("currency").upper()
    if own and own != currency:
        row.add("currency", "differs from the order's first line", "make one order per currency")
    quantity = _decimal(row, "quantity", default="1")
    rate = _decimal(row, "vat_rate", default="")
    price = row.made(lambda: _price(row.get("unit_price"), currency))
    if price is None or quantity is None:
        return None
    return row.made(
        lambda: LineItem(
            description=row.get("description"), unit_price=price, quantity=quantity, vat_rate=rate
        )
    )


def _price(text: str, currency: str) -> Money:
    """A price in a column of its own: its comma is a decimal comma, also before three digits."""
    try:
        return Money.of(text.translate(_SPACES).replace(",", "."), currency)
    except InvalidInput as error:
        raise InvalidInput(
            Fault("currency" if fault.path == "currency" else "unit_price", fault.fault, fault.remedy)
            for fault in error.faults
        ) from None


def _decimal(row: _Row, name: str, *, default: str) -> Decimal | None:
    text = row.get(name).removesuffix("%").translate(_SPACES).replace(",", ".") or default
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        row.add(name, "is not a number", "write digits, with a comma before decimals")
        return None
    return number


def _day(row: _Row, name: str) -> dt.date | None:
    text = row.get(name)
    if not text:
        return None
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    row.add(name, "is not a day", "write it like 31/12/2026 or 2026-12-31")
    return None
