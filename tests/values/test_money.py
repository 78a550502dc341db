"""Promises about money: exact, never a float, one currency, one reading."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from paybylink.currencies import ADYEN, CURRENT, HISTORIC, MOLLIE, STRIPE
from paybylink.errors import InvalidInput
from paybylink.money import MAX_MINOR, MAX_STORED, Money, from_wire, to_wire

minors = st.integers(-MAX_MINOR, MAX_MINOR)
codes = st.sampled_from(sorted(CURRENT))
amounts = st.builds(Money, minors, codes)
stored = st.builds(
    Money.read, st.integers(-MAX_STORED, MAX_STORED), st.sampled_from(sorted({*CURRENT, *HISTORIC}))
)


def eur(text: str) -> Money:
    return Money.of(text, "EUR")


class TestMaking:
    @pytest.mark.parametrize(
        ("made", "minor"),
        [
            pytest.param(Money(4990, "EUR"), 4990, id="positional"),
            pytest.param(Money(minor=4990, currency="eur"), 4990, id="keyword, small letters"),
            pytest.param(Money.of("49.90", "EUR"), 4990, id="text"),
            pytest.param(Money.of("49.9", "eur"), 4990, id="text with fewer decimals"),
            pytest.param(Money.of("-0.01", "EUR"), -1, id="negative text"),
            pytest.param(Money.of(Decimal("49.90"), "EUR"), 4990, id="decimal"),
            pytest.param(Money.of(Decimal("49.9000"), "EUR"), 4990, id="decimal with zeros behind"),
            pytest.param(Money.of(Decimal("-1E+2"), "EUR"), -10000, id="decimal with exponent"),
            pytest.param(Money.of(49, "EUR"), 4900, id="int is whole units"),
            pytest.param(Money.zero("EUR"), 0, id="zero"),
        ],
    )
    def test_each_way_gives_the_same_exact_amount(self, made: Money, minor: int) -> None:
        """Every constructor ends in minor units and a code in capitals."""
        assert (made.minor, made.currency) == (minor, "EUR")

    @pytest.mark.parametrize(
        ("text", "code", "minor"), [("1000", "JPY", 1000), ("1.234", "KWD", 1234), ("0.0001", "CLF", 1)]
    )
    def test_decimals_are_those_of_the_currency(self, text: str, code: str, minor: int) -> None:
        """Currencies have 0, 2, 3 or 4 decimals."""
        made = Money.of(text, code)

        assert made.minor == minor
        assert made.exponent == CURRENT[code]

    @pytest.mark.parametrize("amount", [49.9, 49.0, float("nan")])
    def test_float_is_refused_and_the_remedy_is_a_string(self, amount: Any) -> None:
        """A float holds most amounts only roughly."""
        with pytest.raises(
            InvalidInput, match=r'amount: is a float.*write it as a string: Money.of\("49.90", "EUR"\)'
        ):
            _ = Money.of(amount, "EUR")

    @pytest.mark.parametrize("minor", [True, 49.0, "4990", Decimal(4990), None])
    def test_minor_units_are_an_int_and_nothing_else(self, minor: Any) -> None:
        """A bool is an int to Python and not to us."""
        for make in (Money, Money.read):
            with pytest.raises(
                InvalidInput, match=f"minor: is {type(minor).__name__}; give minor units as an int"
            ):
                _ = make(minor, "EUR")

    def test_every_fault_is_told_at_once(self) -> None:
        """A wrong amount does not hide a wrong currency."""
        with pytest.raises(InvalidInput) as caught:
            _ = Money(10**12, "ZZZ")

        assert [fault.path for fault in caught.value.faults] == ["minor", "currency"]
        assert isinstance(caught.value, ValueError)

    @pytest.mark.parametrize("amount", [True, None, b"1", object()])
    def test_other_types_are_refused(self, amount: Any) -> None:
        """What is neither text, Decimal nor int is named by its type."""
        with pytest.raises(InvalidInput, match=f"amount: is {type(amount).__name__};"):
            _ = Money.of(amount, "EUR")

    @pytest.mark.parametrize(
        ("amount", "code"),
        [
            ("49.905", "EUR"),
            ("49.900", "EUR"),
            ("1000.0", "JPY"),
            (Decimal("0.001"), "EUR"),
            (Decimal("0.5"), "JPY"),
        ],
    )
    def test_too_many_decimals_are_refused_not_rounded(self, amount: str | Decimal, code: str) -> None:
        """Rounding is the caller's decision."""
        with pytest.raises(InvalidInput, match=f"more decimals than {code}.*nothing is rounded here"):
            _ = Money.of(amount, code)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            ".5",
            "5.",
            "1,5",
            "1 000",
            "+5",
            "1e3",
            "--5",
            "٤٩",
            "４９",
            "²",
            "5\n",
            " 5",
            "NaN",
            "9" * 65,
        ],
    )
    def test_text_of_a_program_is_digits_and_a_point(self, text: str) -> None:
        """`of` guesses nothing; it points to `parse` for what people write."""
        with pytest.raises(
            InvalidInput, match=r"is not a decimal number; write digits and a point.*Money.parse"
        ):
            _ = Money.of(text, "EUR")

    @pytest.mark.parametrize(
        "amount", [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+999999"), Decimal("1E-999999")]
    )
    def test_numbers_of_no_usual_size_are_refused_fast(self, amount: Decimal) -> None:
        """A stray exponent must not fill the memory."""
        with pytest.raises(InvalidInput, match="amount: is not a finite number of usual size"):
            _ = Money.of(amount, "EUR")

    @pytest.mark.parametrize("amount", ["10000000000.00", 10**10, Decimal(10**10), "9" * 60])
    def test_more_than_twelve_digits_are_refused(self, amount: str | int | Decimal) -> None:
        """Twelve digits of minor units are the most that can be asked for."""
        assert Money.of("9999999999.99", "EUR").minor == MAX_MINOR
        with pytest.raises(InvalidInput, match="amount: has more than 12 digits"):
            _ = Money.of(amount, "EUR")

    @pytest.mark.parametrize("code", ["BGN", "HRK", "ANG", "hrk"])
    def test_withdrawn_currency_is_read_but_not_made(self, code: str) -> None:
        """Stored money of a withdrawn currency stays usable; new money names the successor."""
        makers: list[Callable[[], Money]] = [
            lambda: Money(1, code),
            lambda: Money.of("1", code),
            lambda: Money.parse(f"1 {code}"),
        ]
        for make in makers:
            with pytest.raises(
                InvalidInput, match="was withdrawn from ISO 4217; convert the amount and ask in"
            ):
                _ = make()

        old = Money.read(150, code)

        assert str(old) == f"1.50 {code.upper()}"
        assert old + old == Money.read(300, code) == Money.read_text("3.00", code)
        assert old.split(2) == (Money.read(75, code), Money.read(75, code))

    def test_unknown_currency_is_refused_everywhere(self) -> None:
        """Also for stored and reported money."""
        makers: list[Callable[[int, str], Money]] = [
            Money,
            Money.read,
            Money.of,
            lambda _, code: Money.read_text("1", code),
            lambda _, code: Money.zero(code),
        ]
        for make in makers:
            with pytest.raises(InvalidInput, match="currency: ZZZ is not a currency"):
                _ = make(1, "ZZZ")

    def test_reading_bears_eighteen_digits_and_no_more(self) -> None:
        """A year's sum in a small currency outgrows what one order may ask for."""
        assert Money.read(MAX_STORED, "IDR").minor == MAX_STORED
        assert (Money(MAX_MINOR, "IDR") * 2).minor == 2 * MAX_MINOR
        with pytest.raises(InvalidInput, match="minor: has more than 18 digits"):
            _ = Money.read(MAX_STORED, "IDR") + Money(1, "IDR")


class TestParsing:
    @pytest.mark.parametrize(
        "text",
        [
            "1234.50 EUR",
            "1234,50 EUR",
            "1234,5 eur",
            "EUR 1234.50",
            "1234.50EUR",
            "1234.50 €",
            "€1234.50",
            "€ 1234,50",
            "1 234,50 EUR",
            "1\u00a0234,50\u00a0€",
            "1\u202f234,50\u00a0€",
            "1\u2009234.50 EUR",
            "1'234.50 EUR",
            "1\u2019234.50 EUR",
            "1,234.50 EUR",
            "1.234,50 EUR",
            "  1234.50 EUR ",
        ],
    )
    def test_what_people_write_has_one_reading(self, text: str) -> None:
        """Point or comma, code or sign, before or behind, with or without groups."""
        assert Money.parse(text) == Money(123450, "EUR")

    @pytest.mark.parametrize(
        ("text", "money"),
        [
            ("49.90 EUR", Money(4990, "EUR")),
            ("49,90 EUR", Money(4990, "EUR")),
            ("-49,90 EUR", Money(-4990, "EUR")),
            ("EUR -49.90", Money(-4990, "EUR")),
            ("£5", Money(500, "GBP")),
            ("1.234.567 EUR", Money(123456700, "EUR")),
            ("1 234 EUR", Money(123400, "EUR")),
            ("1'234'567.8 CHF", Money(123456780, "CHF")),
            ("12 345 JPY", Money(12345, "JPY")),
            ("1234 JPY", Money(1234, "JPY")),
            ("1,234.567 KWD", Money(1234567, "KWD")),
            ("1 234.567 KWD", Money(1234567, "KWD")),
            ("1234.567 KWD", Money(1234567, "KWD")),
            ("01.234 KWD", Money(1234, "KWD")),
            ("0,500 TND", Money(500, "TND")),
            ("12.5 KWD", Money(12500, "KWD")),
            ("1.2345 CLF", Money(12345, "CLF")),
        ],
    )
    def test_marks_are_read_by_their_place(self, text: str, money: Money) -> None:
        """Two kinds of marks, repeated marks and leading zeros leave one reading."""
        assert Money.parse(text) == money

    @pytest.mark.parametrize(
        ("text", "readings"),
        [
            ("1.234 EUR", ("1234 EUR (thousands)", "1.234 EUR (decimals)", "EUR has 2 decimals")),
            ("€ 1,234", ("1234 EUR (thousands)", "1.234 EUR (decimals)", "EUR has 2 decimals")),
            ("-12,345 USD", ("-12345 USD (thousands)", "-12.345 USD (decimals)", "USD has 2 decimals")),
            ("1,234 JPY", ("1234 JPY (thousands)", "1.234 JPY (decimals)", "JPY has 0 decimals")),
            ("1.234 KWD", ("1234 KWD (thousands)", "1.234 KWD (decimals)", '"01.234 KWD" for decimals')),
        ],
    )
    def test_two_readings_are_refused_and_both_named(self, text: str, readings: tuple[str, ...]) -> None:
        """A factor of a thousand is never guessed, and the remedy can be typed."""
        with pytest.raises(InvalidInput) as caught:
            _ = Money.parse(text)

        assert all(reading in str(caught.value) for reading in readings)
        assert all(Money.parse(way) for way in re.findall(r'write "([^"]+)"', str(caught.value)))

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            pytest.param("49.90", "names no currency", id="no currency"),
            pytest.param("EUR", "has no digits 0-9", id="no amount"),
            pytest.param("", "has no digits 0-9", id="empty"),
            pytest.param("٤٩ EUR", "has no digits 0-9", id="arabic digits"),
            pytest.param("49.9０ EUR", "is not three letters", id="a wide digit"),
            pytest.param("4９.90 EUR", "is not a number with groups", id="a wide digit inside"),
            pytest.param("EUR 49.90 EUR", "names more than a currency", id="twice"),
            pytest.param("Invoice 3: 49.90 EUR", "names more than a currency", id="a sentence"),
            pytest.param(".50 EUR", "names more than a currency", id="no whole digits"),
            pytest.param("49.90 euros", "is not three letters", id="a word"),
            pytest.param("49.90 EUR\n", "is not three letters", id="control character"),
            pytest.param("49.90 ZZZ", "ZZZ is not a currency", id="unknown"),
            pytest.param("$49.90", "is a sign that several currencies share", id="dollar"),
            pytest.param("US$ 49.90", "is a sign that several currencies share", id="dollar with country"),
            pytest.param("¥500", "is a sign that several currencies share", id="yen or yuan"),
            pytest.param("49.905 EUR 1", "names no currency", id="currency inside"),
            pytest.param("49,9055 EUR", "has more decimals than EUR", id="too fine"),
            pytest.param("1234.567 EUR", "has more decimals than EUR", id="too fine, not ambiguous"),
            pytest.param("1,234,567.891 EUR", "has more decimals than EUR", id="too fine with groups"),
            pytest.param("1.5 JPY", "has more decimals than JPY", id="too fine for yen"),
            pytest.param("12 34 EUR", "is not a number with groups", id="group of two"),
            pytest.param("1,23,456.50 INR", "is not a number with groups", id="lakh groups"),
            pytest.param("0 123 EUR", "is not a number with groups", id="group of zero"),
            pytest.param("1234 567 EUR", "is not a number with groups", id="long first group"),
            pytest.param("1,234.5,6 EUR", "is not a number with groups", id="decimal mark twice"),
            pytest.param("1,5 0 EUR", "is not a number with groups", id="space as decimal mark"),
            pytest.param("5-10 EUR", "is not a number with groups", id="a range"),
            pytest.param("--5 EUR", "names more than a currency", id="two signs"),
            pytest.param("1 234'567.50 EUR", "mixes several thousands marks", id="mixed groups"),
            pytest.param("0" * 64 + "1 EUR", "is not a short text", id="long"),
            pytest.param("99999999999.00 EUR", "has more than 12 digits", id="large"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, text: str, fault: str) -> None:
        """Every refusal names a remedy."""
        with pytest.raises(InvalidInput) as caught:
            _ = Money.parse(text)

        assert fault in str(caught.value)
        assert all(found.remedy for found in caught.value.faults)

    def test_only_text_is_parsed(self) -> None:
        """A float has no door here either."""
        number: Any = 49.9
        with pytest.raises(InvalidInput, match="amount: is not a short text"):
            _ = Money.parse(number)

    @given(st.text(alphabet="0123456789.,- '\u00a0\u202fEURKWD€$JPY", max_size=20))
    def test_any_text_is_read_or_refused_with_our_error(self, text: str) -> None:
        """No text breaks the reader, and what it read it reads again."""
        try:
            money = Money.parse(text)
        except InvalidInput:
            return

        assert Money.of(money.amount_text, money.currency) == money


class TestWriting:
    @pytest.mark.parametrize(
        ("money", "text"),
        [
            (Money(4990, "EUR"), "49.90 EUR"),
            (Money(-5, "EUR"), "-0.05 EUR"),
            (Money(0, "EUR"), "0.00 EUR"),
            (Money(1234567, "JPY"), "1234567 JPY"),
            (Money(12500, "KWD"), "12.500 KWD"),
            (Money(1, "CLF"), "0.0001 CLF"),
        ],
    )
    def test_text_is_ascii_with_all_decimals(self, money: Money, text: str) -> None:
        """One form for logs, files and wires; locales are for the wording."""
        assert str(money) == text
        assert text.isascii()
        assert money.amount_text == text.split()[0]
        assert repr(money) == f"Money(minor={money.minor}, currency='{money.currency}')"

    @given(amounts)
    def test_str_is_parsed_back_or_refused_but_never_misread(self, money: Money) -> None:
        """Only one to three digits before three decimals have two readings, and then parse refuses."""
        if money.exponent == 3 and 1 <= abs(money.minor) // 1000 <= 999:
            with pytest.raises(InvalidInput, match="can be read as"):
                _ = Money.parse(str(money))
        else:
            assert Money.parse(str(money)) == money

    @given(amounts)
    def test_text_and_decimal_are_read_back_exactly(self, money: Money) -> None:
        """`of` is the way back for every currency, also in a narrow decimal context."""
        with localcontext(prec=2):
            assert Money.of(money.decimal, money.currency) == money
        assert Money.of(money.amount_text, money.currency) == money
        assert str(money.decimal) == money.amount_text

    @given(stored)
    def test_stored_money_survives_text_pickle_and_copy(self, money: Money) -> None:
        """Withdrawn currencies and large sums too."""
        assert Money.read_text(money.amount_text, money.currency) == money
        assert pickle.loads(pickle.dumps(money)) == money == copy.deepcopy(money)  # noqa: S301
        assert hash(Money.read(money.minor, money.currency)) == hash(money)


class TestArithmetic:
    def test_sums_differences_products_and_signs_are_exact(self) -> None:
        """Only whole factors; everything stays in minor units."""
        assert eur("0.10") + eur("0.20") == eur("0.30")
        assert eur("1.00") - eur("2.50") == eur("-1.50")
        assert -eur("1.50") == eur("-1.50")
        assert eur("1.50") * 3 == 3 * eur("1.50") == eur("4.50")
        assert sum([eur("1.00"), eur("2.00")], Money.zero("EUR")) == eur("3.00")
        assert Money.zero("EUR").is_zero
        assert not eur("0.01").is_zero

    @pytest.mark.parametrize("operator", ["+", "-", "<", "<=", ">", ">="])
    def test_two_currencies_never_meet(self, operator: str) -> None:
        """Nothing is converted, nothing compared."""
        operations: dict[str, Any] = {
            "+": Money.__add__,
            "-": Money.__sub__,
            "<": Money.__lt__,
            "<=": Money.__le__,
            ">": Money.__gt__,
            ">=": Money.__ge__,
        }
        with pytest.raises(InvalidInput, match="currency: is in USD, not in EUR; convert one of them"):
            operations[operator](eur("1"), Money(100, "USD"))
        with pytest.raises(InvalidInput, match="other: is int; use Money with Money"):
            operations[operator](eur("1"), 1)

    def test_equality_asks_for_amount_and_currency(self) -> None:
        """Unequal is not an error, so money can be a key."""
        assert Money(1, "EUR") != Money(1, "USD")
        assert len({Money(1, "EUR"), Money(1, "eur"), Money(1, "USD")}) == 2

    @pytest.mark.parametrize("factor", [1.5, Decimal("1.5"), True, "2"])
    def test_product_with_a_fraction_is_refused(self, factor: Any) -> None:
        """Rounding has its own methods."""
        with pytest.raises(InvalidInput, match=f"factor: is {type(factor).__name__}.*use share"):
            _ = eur("1") * factor

    @given(minors, minors)
    def test_order_is_that_of_the_minor_units(self, left: int, right: int) -> None:
        """All four comparisons agree with each other."""
        one, other = Money(left, "EUR"), Money(right, "EUR")

        assert (one < other) == (left < right)
        assert (one <= other) == (left <= right)
        assert (one > other) == (left > right)
        assert (one >= other) == (left >= right)
        assert max(one, other).minor == max(left, right)

    def test_money_cannot_be_changed(self) -> None:
        """A value is a value."""
        money: Any = eur("1")
        with pytest.raises(FrozenInstanceError):
            money.minor = 2

    @pytest.mark.parametrize(
        ("minor", "rate", "share"),
        [
            (100, "0.005", 1),
            (100, "0.0049", 0),
            (-100, "0.005", -1),
            (250, "0.01", 3),
            (100, "-0.005", -1),
            (999, "1", 999),
        ],
    )
    def test_share_rounds_half_up(self, minor: int, rate: str, share: int) -> None:
        """Half a unit goes away from zero, as VAT does."""
        assert Money(minor, "EUR").share(Decimal(rate)) == Money(share, "EUR")

    def test_percentage_is_a_share_in_hundredths(self) -> None:
        """The French reduced rate of 49.90 is 2.7445."""
        assert eur("49.90").percentage(Decimal("5.5")) == eur("2.74")
        assert eur("49.90").percentage(20) == eur("49.90").share(Decimal("0.2")) == eur("9.98")

    @pytest.mark.parametrize("rate", [0.2, True, "20", Decimal("NaN"), Decimal("1E+99")])
    def test_rate_is_an_exact_number(self, rate: Any) -> None:
        """A float rate would bring its error into the books."""
        with pytest.raises(InvalidInput, match=r"^rate: "):
            _ = eur("1").share(rate)
        with pytest.raises(InvalidInput, match=r"^percent: "):
            _ = eur("1").percentage(rate)


class TestSplitting:
    @given(minors, st.integers(1, 50))
    def test_parts_add_up_and_differ_by_one_unit_at_most(self, minor: int, parts: int) -> None:
        """No cent is lost or made, for debts as for credits."""
        pieces = [piece.minor for piece in Money(minor, "EUR").split(parts)]

        assert sum(pieces) == minor
        assert len(pieces) == parts
        assert max(pieces) - min(pieces) <= 1
        assert pieces == sorted(pieces, key=abs, reverse=True)

    @given(
        stored,
        st.lists(st.integers(0, 10**6) | st.decimals(0, 1000, places=3), min_size=1, max_size=12).filter(any),
    )
    def test_weighted_parts_add_up_and_stay_within_a_unit(
        self, money: Money, weights: list[int | Decimal]
    ) -> None:
        """Each part is its exact proportion rounded down or up; weight zero gets nothing."""
        parts = money.split_by(weights)
        scaled = [int(Decimal(weight) * 1000) for weight in weights]

        assert sum(parts, Money.read(0, money.currency)) == money
        for part, weight in zip(parts, scaled, strict=True):
            assert abs(part.minor * sum(scaled) - money.minor * weight) < sum(scaled)
            assert weight or part.is_zero

    def test_what_is_left_goes_to_the_largest_remainder(self) -> None:
        """1.00 by 1:1:1, and by 10:45:45, where both halves tie."""
        assert eur("1.00").split(3) == (eur("0.34"), eur("0.33"), eur("0.33"))
        assert eur("-1.00").split(3) == (eur("-0.34"), eur("-0.33"), eur("-0.33"))
        assert eur("0.01").split_by([10, 45, 45]) == (eur("0"), eur("0.01"), eur("0"))
        assert eur("0.05").split_by([Decimal("0.7"), Decimal("0.3")]) == (eur("0.04"), eur("0.01"))

    @pytest.mark.parametrize("parts", [0, -1, True, 2.0])
    def test_parts_are_a_whole_number_above_zero(self, parts: Any) -> None:
        """Nothing can be split into nothing."""
        with pytest.raises(InvalidInput, match=r"^parts: is not an int of at least 1"):
            _ = eur("1").split(parts)

    @pytest.mark.parametrize("weights", [[], [0], [Decimal("0.00")], [2, -1]])
    def test_weights_need_something_above_zero_and_nothing_below(self, weights: list[int | Decimal]) -> None:
        """Weights without a direction have no split."""
        with pytest.raises(InvalidInput, match=r"^weights: are negative or all zero"):
            _ = eur("1").split_by(weights)

    def test_wrong_weight_is_named_by_its_place(self) -> None:
        """The path says which one."""
        weights: list[Any] = [1, 0.5]
        with pytest.raises(InvalidInput, match=r"^weights\[1\]: is float"):
            _ = eur("1").split_by(weights)


class TestWire:
    @pytest.mark.parametrize(
        ("money", "table", "wire"),
        [
            pytest.param(Money(4990, "EUR"), STRIPE, 4990, id="stripe-eur"),
            pytest.param(Money(500, "ISK"), STRIPE, 50000, id="stripe-isk"),
            pytest.param(Money(500, "UGX"), STRIPE, 50000, id="stripe-ugx"),
            pytest.param(Money(50000, "MGA"), STRIPE, 500, id="stripe-mga"),
            pytest.param(Money(1230, "KWD"), STRIPE, 1230, id="stripe-kwd"),
            pytest.param(Money(1000, "CLP"), ADYEN, 100000, id="adyen-clp"),
            pytest.param(Money(500, "ISK"), ADYEN, 50000, id="adyen-isk"),
            pytest.param(Money(10000, "CVE"), ADYEN, 100, id="adyen-cve"),
            pytest.param(Money(1500000, "IDR"), ADYEN, 15000, id="adyen-idr"),
            pytest.param(Money.read(195, "BGN"), ADYEN, 195, id="adyen-late-refund-bgn"),
            pytest.param(Money(1000, "JPY"), MOLLIE, 1000, id="mollie-jpy"),
        ],
    )
    def test_amount_is_counted_as_the_provider_counts(self, money: Money, table: Any, wire: int) -> None:
        """There and back, in the vendors' own examples."""
        assert to_wire(money, table) == wire
        assert from_wire(wire, money.currency.lower(), table) == money

    @pytest.mark.parametrize(
        ("money", "table", "remedy"),
        [
            (
                Money(12345, "MGA"),
                STRIPE,
                "123.45 MGA is finer than Stripe counts; make it a multiple of 1.00 MGA",
            ),
            (
                Money(1234, "KWD"),
                STRIPE,
                "1.234 KWD is finer than Stripe counts; make it a multiple of 0.010 KWD",
            ),
            (Money(150, "CVE"), ADYEN, "1.50 CVE is finer than Adyen counts; make it a multiple of 1.00 CVE"),
        ],
    )
    def test_what_the_provider_cannot_say_exactly_is_refused(
        self, money: Money, table: Any, remedy: str
    ) -> None:
        """Nothing is rounded on its way out."""
        with pytest.raises(InvalidInput, match=remedy):
            _ = to_wire(money, table)

    def test_report_finer_than_the_currency_is_refused(self) -> None:
        """Nothing is rounded on its way in either, and only an int is a report."""
        with pytest.raises(
            InvalidInput, match="50001 of Stripe's units has decimals that the currency lacks"
        ):
            _ = from_wire(50001, "isk", STRIPE)
        number: Any = 500.0
        with pytest.raises(InvalidInput, match="minor: is float"):
            _ = from_wire(number, "isk", STRIPE)

    def test_report_of_a_last_digit_is_kept(self) -> None:
        """Stripe's rule for three decimals binds what is sent, not what came."""
        assert from_wire(1234, "kwd", STRIPE) == Money(1234, "KWD")

    @given(amounts, st.sampled_from([STRIPE, ADYEN, MOLLIE]))
    def test_wire_and_back_is_the_same_or_refused(self, money: Money, table: Any) -> None:
        """No provider's way of counting changes an amount."""
        try:
            wire = to_wire(money, table)
        except InvalidInput:
            return

        assert from_wire(wire, money.currency, table) == money


def test_importing_money_loads_nothing_but_its_own_floor() -> None:
    """A script that only names `Money` does not pay for `decimal`."""
    code = "import attrs, sys; had = {*sys.modules}; import paybylink.money; print(*{*sys.modules} - had)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()

    assert not {"decimal", "fractions", "babel"} & set(loaded)
    assert {name for name in loaded if name.startswith("paybylink")} == {
        "paybylink",
        "paybylink.currencies",
        "paybylink.errors",
        "paybylink.money",
    }
