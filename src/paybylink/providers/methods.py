"""
Payment methods in neutral words.

A method that a host names is written in one of these words, or in the vendor's own, which is passed through; a
method that a vendor tells is given back in our word where there is one. Each adapter holds its table of
differences, nothing more: where the vendor's word is ours, it has no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

#: Our words. The list is for people and for tests; no adapter refuses a word because it is not here.
METHODS: Final = (
    "alma",
    "apple_pay",
    "bacs_debit",
    "bancontact",
    "bank_transfer",
    "belfius",
    "billie",
    "bizum",
    "blik",
    "card",
    "eps",
    "gift_card",
    "google_pay",
    "ideal",
    "in3",
    "kbc",
    "klarna",
    "mb_way",
    "mobilepay",
    "multibanco",
    "mybank",
    "pay_by_bank",
    "paypal",
    "paysafecard",
    "przelewy24",
    "riverty",
    "satispay",
    "sepa_debit",
    "swish",
    "trustly",
    "twint",
    "vipps",
    "voucher",
)


@frozen
class MethodNames:
    """
    One vendor's words.

    Attributes:
        differing: our word → the vendor's, only where they differ.
        variants: further words of the vendor → ours, e.g. for brands of cards.
    """

    differing: Mapping[str, str]
    variants: Mapping[str, str] = field(factory=dict)

    def to_vendor(self, method: str) -> str:
        """The vendor's word; any other word is passed through."""
        return self.differing.get(method, method)

    def from_vendor(self, word: str) -> str:
        """Our word, or the vendor's where we have none."""
        for ours, theirs in self.differing.items():
            if theirs == word:
                return ours
        return self.variants.get(word, word)
