"""
Hypothesis strategies for the values: money, lines, addresses, customers, checkouts, orders and kinds of links.

Everything they draw is legal, so a property need not filter; the odd ends are there: currencies of 0, 3 and 4
decimals, the largest amounts, letters of every script, lines with and without VAT, discounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from paybylink.address import Address
from paybylink.checkout import LONGEST_DELAY, Capture, Checkout
from paybylink.currencies import CURRENT
from paybylink.errors import MissingExtra
from paybylink.kinds import (
    HostedInvoice,
    Invoice,
    InvoiceBound,
    InvoiceType,
    LinkKind,
    Reusable,
    SingleUse,
)
from paybylink.lines import LineItem
from paybylink.money import MAX_MINOR, Money
from paybylink.orders import Customer, Order
from paybylink.providers.methods import METHODS

try:
    from hypothesis import strategies as st
except ImportError as error:  # pragma: no cover - the tests themselves need Hypothesis
    raise MissingExtra("test", "paybylink.testing.strategies") from error

#: VAT rates as they are printed on invoices.
RATES = (None, "0", "2.1", "5.5", "10", "20", "21", "25.5")


def texts(*, least: int = 0, most: int = 40) -> st.SearchStrategy[str]:
    """One line of text that every field accepts: no control character, no half surrogate, not only blanks."""
    drawn = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=least, max_size=most)
    return drawn.filter(str.strip) if least else drawn


def currencies() -> st.SearchStrategy[str]:
    """A currency that can be asked for."""
    return st.sampled_from(sorted(CURRENT))


def money(*, currency: str | None = None, least: int = 1, most: int = MAX_MINOR) -> st.SearchStrategy[Money]:
    """Money of `least` to `most` minor units, in `currency` or in any."""
    codes = currencies() if currency is None else st.just(currency)
    return st.builds(Money, st.integers(least, most), codes)


def line_items(*, currency: str = "EUR", least: int = 1) -> st.SearchStrategy[LineItem]:
    """A line of at least `least` minor units for one; a negative `least` draws discounts as well."""
    return st.builds(
        LineItem,
        description=texts(least=1),
        unit_price=money(currency=currency, least=least, most=10**8),
        quantity=st.decimals(Decimal("0.5"), Decimal(100), places=3),
        vat_rate=st.sampled_from(RATES),
        vat_included=st.booleans(),
    )


def addresses() -> st.SearchStrategy[Address]:
    """A postal address, with the number in the street or apart from it."""
    return st.builds(
        Address,
        street=texts(least=1),
        city=texts(least=1),
        postal_code=texts(least=1, most=10),
        country=st.sampled_from(("BE", "FR", "GB", "NL")),
        house_number=texts(most=20),
        extra=texts(),
        region=texts(most=20),
    )


def customers() -> st.SearchStrategy[Customer]:
    """A customer of whom more or less is known; addresses end in a reserved domain, numbers are fictitious."""
    return st.builds(
        Customer,
        name=texts(),
        email=st.none() | st.from_regex(r"[a-z0-9]{1,20}@example\.(com|net|org)", fullmatch=True),
        phone=st.none() | st.from_regex(r"\+3363998[0-9]{4}", fullmatch=True),
        language=st.sampled_from((None, "en", "fr", "en-GB")),
        code=texts(most=12),
        country=st.sampled_from((None, "BE", "FR", "GB")),
        address=st.none() | addresses(),
        organisation=texts(),
        vat_number=st.sampled_from(("", "BE0123456749", "FR40303265045")),
    )


@st.composite
def checkouts(draw: st.DrawFn) -> Checkout:
    """
    How a payment page behaves, with the neutral words for methods and without `extra`.

    Most providers refuse some of it, since they cannot do it.
    """
    methods = draw(st.lists(st.sampled_from(METHODS), max_size=4, unique=True))
    capture = draw(st.sampled_from(Capture))
    # Whole hours; manual capture has no delay.
    most = 0 if capture is Capture.MANUAL else LONGEST_DELAY // dt.timedelta(hours=1)
    hours = draw(st.integers(0, most))
    return Checkout(
        methods=methods if draw(st.booleans()) else (),
        blocked_methods=[word for word in draw(st.lists(st.sampled_from(METHODS))) if word not in methods],
        language=draw(st.sampled_from((None, "en", "fr", "nl-BE"))),
        statement=draw(texts(most=22)),
        capture=capture,
        capture_after=dt.timedelta(hours=hours) if hours else None,
        prefill=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn, *, currency: str | None = None, references: Sequence[str] | None = None) -> Order:
    """An order by amount or by lines, in `currency` or in any, with one of `references` or any."""
    code = currency or draw(currencies())
    # Half a unit of one minor is at least rounded up to one, so that the sum is never nothing.
    lines = draw(st.lists(line_items(currency=code), max_size=4))
    return Order(
        reference=draw(texts(least=1) if references is None else st.sampled_from(references)),
        amount=None if lines else draw(money(currency=code)),
        description=draw(texts()),
        lines=lines,
        customer=draw(st.none() | customers()),
        part=draw(st.sampled_from(("", "deposit", "balance"))),
        metadata=draw(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), texts(), max_size=3)),
        tags=draw(st.lists(texts(least=1, most=10), max_size=2)),
        checkout=draw(st.none() | checkouts()),
    )


def invoices(amount: Money) -> st.SearchStrategy[Invoice]:
    """An invoice or quote of which `amount` is open."""
    day = st.dates(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    due = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    return st.builds(
        Invoice,
        number=texts(least=1),
        open_amount=st.just(amount),
        type=st.sampled_from(InvoiceType),
        issued_on=st.none() | day,
        due_on=st.none() | due,
    )


def link_kinds(amount: Money) -> st.SearchStrategy[LinkKind]:
    """Each kind of link, for an order of `amount`."""
    return st.one_of(
        st.just(SingleUse()),
        st.builds(Reusable, max_payments=st.none() | st.integers(1, 5)),
        st.builds(
            Reusable,
            max_payments=st.none() | st.integers(1, 5),
            payer_chooses=st.just(True),
            minimum=st.none() | money(currency=amount.currency, most=amount.minor),
        ),
        st.builds(InvoiceBound, invoices(amount)),
        st.builds(HostedInvoice, due_in_days=st.integers(1, 365)),
    )
