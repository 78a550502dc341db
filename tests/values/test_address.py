"""Promises about postal addresses: every fault is named at once, and nobody's home is printed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from paybylink.address import Address
from paybylink.errors import InvalidInput
from paybylink.testing import strategies


def address(**changes: Any) -> Address:
    """A house in Paris, unless told otherwise."""
    return Address(
        **{
            "street": "rue de la Paix",
            "city": "Paris",
            "postal_code": "75002",
            "country": "FR",
            **changes,
        }
    )


def faults(**changes: Any) -> list[str]:
    """The paths of what is wrong with it."""
    with pytest.raises(InvalidInput) as caught:
        _ = address(**changes)
    return [fault.path for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"street": ""}, "street", id="no street"),
        pytest.param({"street": "a" * 201}, "street", id="long street"),
        pytest.param({"city": " "}, "city", id="blank city"),
        pytest.param({"city": "a" * 101}, "city", id="long city"),
        pytest.param({"postal_code": ""}, "postal_code", id="no postal code"),
        pytest.param({"postal_code": 75002}, "postal_code", id="postal code as a number"),
        pytest.param({"postal_code": "1" * 11}, "postal_code", id="long postal code"),
        pytest.param({"house_number": "a" * 21}, "house_number", id="long house number"),
        pytest.param({"extra": "2nd floor\nleft"}, "extra", id="two lines in one"),
        pytest.param({"region": "a" * 51}, "region", id="long region"),
    ],
)
def test_with_one_fault_names_it(changes: dict[str, Any], path: str) -> None:
    """A field that no provider could take is refused under its own name."""
    assert faults(**changes) == [path]


def test_names_every_fault_at_once() -> None:
    """Nobody corrects an address field by field."""
    wrong = {"street": "", "city": "", "postal_code": "", "country": "France", "region": "\x00"}

    assert faults(**wrong) == ["street", "city", "postal_code", "region", "country"]


@pytest.mark.parametrize("country", ["", "fr", "FRA", "F1", "F ", "ÉÉ", None, 33, b"FR"])
def test_takes_countries_as_two_capital_letters_only(country: Any) -> None:
    """What is no ISO 3166 alpha-2 code is refused, and the remedy shows one."""
    with pytest.raises(InvalidInput, match=r"country: is not an ISO 3166 alpha-2 code; .*FR"):
        _ = address(country=country)


@pytest.mark.parametrize(
    ("number", "line"),
    [
        pytest.param("12 bis", "rue de la Paix 12 bis", id="apart"),
        pytest.param("", "rue de la Paix", id="in the street"),
    ],
)
def test_writes_street_and_number_on_one_line(number: str, line: str) -> None:
    """A provider with one field for both gets both, and no blank at the end."""
    assert address(house_number=number).street_and_number == line


def test_is_not_printed() -> None:
    """Where somebody lives stands in no repr; the country may."""
    told = repr(address(street="MARKED", city="MARKED", postal_code="MARKED", house_number="MARKED"))

    assert "MARKED" not in told
    assert "FR" in told


@given(strategies.addresses())
def test_drawn_by_the_shared_strategy_is_legal_and_on_one_line(drawn: Address) -> None:
    """What is drawn holds no line break, so that a letter or a CSV row may hold it."""
    assert drawn.street_and_number.splitlines() == [drawn.street_and_number]
