"""Promises about the table of currencies and about how each provider counts."""

from __future__ import annotations

import pytest

from paybylink.currencies import (
    ADYEN,
    CURRENT,
    HISTORIC,
    MOLLIE,
    STRIPE,
    WireExponents,
    current_code,
    iso_exponent,
    known_code,
)
from paybylink.errors import InvalidInput


def test_table_has_every_currency_of_list_one_with_a_minor_unit() -> None:
    """165 codes, of which 26 do not have two decimals."""
    other = {code: exponent for code, exponent in CURRENT.items() if exponent != 2}

    assert len(CURRENT) == 165
    assert len(other) == 26
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENT)


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2),
        ("MGA", 2),
        ("IDR", 2),
        ("JPY", 0),
        ("ISK", 0),
        ("UGX", 0),
        ("KWD", 3),
        ("TND", 3),
        ("CLF", 4),
    ],
)
def test_exponents_are_those_of_iso_4217(code: str, exponent: int) -> None:
    """Decimals follow ISO 4217, not what a locale displays."""
    assert iso_exponent(code) == exponent


@pytest.mark.parametrize("code", ["XCG", "ZWG", "SLE", "VED", "XAD"])
def test_recent_codes_are_current(code: str) -> None:
    """The table is as of 2026."""
    assert current_code(code) == code


@pytest.mark.parametrize(
    ("code", "successor"), [("BGN", "EUR"), ("HRK", "EUR"), ("ANG", "XCG"), ("SLL", "SLE")]
)
def test_withdrawn_code_is_readable_but_not_current(code: str, successor: str) -> None:
    """A withdrawn code has an exponent still; asking for money in it names the successor."""
    with pytest.raises(InvalidInput, match=f"{code} was withdrawn.*ask in {successor};"):
        _ = current_code(code)

    assert known_code(code) == code
    assert iso_exponent(code) == 2


def test_every_successor_is_current_and_no_code_is_both() -> None:
    """The remedy for a withdrawn code works."""
    assert {successor for _, successor in HISTORIC.values()} <= CURRENT.keys()
    assert not HISTORIC.keys() & CURRENT.keys()


def test_small_letters_become_capitals() -> None:
    """Providers write codes in small letters."""
    assert (current_code("eur"), known_code("bgn"), iso_exponent("jpy")) == ("EUR", "BGN", 0)


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "CNH", "ZZZ", "BTC"])
def test_code_without_a_minor_unit_is_unknown(code: str) -> None:
    """Metals, test codes and codes of no standard are not money here."""
    with pytest.raises(InvalidInput, match=f"^currency: {code} is not a currency of ISO 4217"):
        _ = known_code(code)


@pytest.mark.parametrize("code", ["", "EU", "EURO", "E1R", "ıSK", "ſEK", " EUR", "EU\n", None, 978, ["EUR"]])
def test_what_is_no_code_is_refused_without_repeating_it(code: object) -> None:
    """Letters that merely capitalise to a code are not taken for it."""
    with pytest.raises(InvalidInput) as caught:
        _ = known_code(code)

    assert str(caught.value) == "currency: is not three letters; write the ISO 4217 code, e.g. EUR"


def test_tables_cannot_be_changed_by_accident() -> None:
    """The tables are shared by the whole process."""
    for table in (CURRENT, HISTORIC, STRIPE.differing, STRIPE.steps, ADYEN.differing, MOLLIE.steps):
        with pytest.raises(TypeError):
            table["EUR"] = 0  # type: ignore[index]


def test_stripe_counts_like_iso_but_for_three() -> None:
    """Stripe's list of zero-decimal currencies, and its two special cases."""
    zero_at_stripe = set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())  # noqa: SIM905

    assert {code for code in CURRENT if STRIPE.exponent(code) == 0} - {"UYI"} == zero_at_stripe
    assert {code for code in CURRENT if STRIPE.exponent(code) == 3} >= STRIPE.steps.keys()
    assert {code for code in CURRENT if STRIPE.exponent(code) != CURRENT[code]} == {"ISK", "UGX", "MGA"}


def test_adyen_counts_like_iso_but_for_four() -> None:
    """Adyen's own two lists of decimals."""
    listed = ADYEN.listed or frozenset()
    zero_at_adyen = set("CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
    three_at_adyen = set("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905

    assert {code for code in listed if ADYEN.exponent(code) == 0} == zero_at_adyen
    assert {code for code in listed if ADYEN.exponent(code) == 3} == three_at_adyen
    assert {code for code in listed if ADYEN.exponent(code) != iso_exponent(code)} == {
        "CLP",
        "ISK",
        "CVE",
        "IDR",
    }
    assert len(listed - {"ANG", "BGN", "HRK"}) == 138 - len({"CNH"})


@pytest.mark.parametrize("code", ["BIF", "MGA", "CLF", "AFN"])
def test_code_that_adyen_does_not_list_is_refused(code: str) -> None:
    """Two decimals are never guessed."""
    with pytest.raises(InvalidInput, match=f"{code} is not listed by Adyen; use another"):
        _ = ADYEN.exponent(code)


def test_mollie_counts_like_iso() -> None:
    """Mollie's amounts have the decimals of ISO 4217 throughout, and no closed list."""
    assert {code: MOLLIE.exponent(code) for code in CURRENT} == dict(CURRENT)


def test_host_can_describe_its_own_provider() -> None:
    """A table of the host's needs nothing but the differences."""
    own = WireExponents(provider="Own", differing={"JPY": 2})

    assert (own.exponent("jpy"), own.exponent("EUR"), own.exponent("BGN")) == (2, 2, 2)
