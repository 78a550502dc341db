"""Promises about payment methods: our words go out as the vendor's and come back as ours; others pass through."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.checkout import Checkout
from paybylink.providers.methods import METHODS, MethodNames

NAMES = MethodNames({"card": "scheme", "bank_transfer": "bankTransfer_IBAN"}, {"visa": "card", "mc": "card"})


@pytest.mark.parametrize("word", METHODS)
def test_every_word_of_ours_may_be_written_in_a_checkout(word: str) -> None:
    """Each is small letters, digits and underscores, and a checkout takes it."""
    assert re.fullmatch(r"[a-z0-9_]+", word)
    assert Checkout(methods=word).methods == (word,)


def test_our_words_are_sorted_and_not_repeated() -> None:
    """The list can be read, and a word has one line."""
    assert sorted(set(METHODS)) == list(METHODS)


@given(st.sampled_from(METHODS) | st.text())
def test_a_word_that_goes_out_comes_back(word: str) -> None:
    """What a host writes is what it reads later, in our words or in the vendor's."""
    theirs = NAMES.to_vendor(word)

    assert NAMES.from_vendor(theirs) == {"scheme": "card", "bankTransfer_IBAN": "bank_transfer"}.get(
        word, NAMES.variants.get(word, word)
    )


@pytest.mark.parametrize(
    ("vendor", "ours"),
    [
        pytest.param("scheme", "card", id="the vendor's word"),
        pytest.param("visa", "card", id="a brand"),
        pytest.param("ideal", "ideal", id="the same word"),
        pytest.param("newpay_2031", "newpay_2031", id="a word that nobody knows"),
    ],
)
def test_the_vendors_word_is_given_back_as_ours(vendor: str, ours: str) -> None:
    """Brands become their method; what we do not know is kept verbatim."""
    assert NAMES.from_vendor(vendor) == ours


def test_a_vendor_without_variants_needs_none() -> None:
    """A table of differences is enough."""
    assert MethodNames({}).from_vendor("visa") == "visa"
