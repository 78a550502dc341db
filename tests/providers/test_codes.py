"""Promises about the standard codes: each says what to do, and none promises what cannot be known."""

from __future__ import annotations

import pytest

from paybylink.errors import ProviderError
from paybylink.providers.codes import CODES, Whose, refusal_of


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_is_wrong_and_whose_move_it_is(code: str) -> None:
    """A sentence of its own for people, without a word of any vendor."""
    meaning = CODES[code]
    told = meaning.told.lower()

    assert told[:1].isalpha()
    assert not told.endswith(".")
    assert not any(vendor in told for vendor in ("stripe", "adyen", "mollie"))
    assert meaning.whose in Whose
    assert [other for other, said in CODES.items() if said.told == meaning.told] == [code]


@pytest.mark.parametrize("code", CODES)
def test_codes_make_errors_that_carry_their_meaning(code: str) -> None:
    """The error has the table's sentence, code and retryable, and every fact that it was given."""
    error = refusal_of(
        code,
        who="atelier",
        vendor_code="E7",
        request_id="req_1",
        status=422,
        documentation="https://vendor.example/7",
    )

    assert isinstance(error, ProviderError)
    assert str(error) == f"atelier: {CODES[code].told}"
    assert (error.who, error.standard_code, error.retryable) == ("atelier", code, CODES[code].retryable)
    assert (error.vendor_code, error.request_id, error.status) == ("E7", "req_1", 422)
    assert error.documentation == "https://vendor.example/7"


@pytest.mark.parametrize("code", [code for code, meaning in CODES.items() if meaning.retryable])
def test_what_may_be_tried_again_is_no_certain_no(code: str) -> None:
    """A workflow never gives a reservation up after a no that may turn into a yes."""
    assert not refusal_of(code, who="atelier", vendor_code="E7").certain


def test_errors_take_a_better_sentence_and_the_field_at_fault() -> None:
    """A vendor's place in the dashboard, and the field it names, stand in the text."""
    error = refusal_of("invalid_request", who="atelier", told="correct the amount", about="amount.value")

    assert str(error) == "atelier: correct the amount (amount.value)"


def test_an_unknown_code_is_a_mistake_of_the_adapter() -> None:
    """A code that is not in the table cannot be made up on the way."""
    with pytest.raises(KeyError):
        _ = refusal_of("strange", who="atelier")


def test_the_table_cannot_be_changed() -> None:
    """One meaning for all providers, for as long as the process lives."""
    with pytest.raises(TypeError):
        CODES["strange"] = CODES["refused"]  # type: ignore[index]  # that it is refused is the test
