"""
What was asked of a reserved payment, as it is written on it beside the provider's own words.

``asked: capture 40.00 EUR #3`` from our question on, and ``received: …`` from the provider's first answer on where
the outcome is told later. The number tells one asking from the one after a refusal, which is another request.
"""

from __future__ import annotations

import re
from typing import Final, Self

from attrs import evolve, frozen

from paybylink.payments import Payment

_SAID: Final = re.compile(r"(asked|received): (.+) #([0-9]{1,18})")


@frozen
class Asked:
    """
    One wish about a payment.

    Attributes:
        what: the verb, and the amount where it has one.
        number: the payment's version when it was first asked.
        received: the provider has taken it and tells the outcome later.
    """

    what: str
    number: int
    received: bool = False

    @classmethod
    def on(cls, payment: Payment) -> Self | None:
        """What was asked last and has no outcome yet; None where nothing was."""
        found = _SAID.fullmatch(payment.vendor_status)
        return cls(found[2], int(found[3]), found[1] == "received") if found else None

    @property
    def verb(self) -> str:
        """``capture`` or ``cancel``."""
        return self.what.partition(" ")[0]

    def key(self, payment: Payment) -> str:
        """The idempotency key: the same for every repetition, another one after a refusal."""
        return f"{payment.id}-{self.verb}-{self.number}"

    def written(self, payment: Payment) -> Payment:
        """The payment that says so."""
        word = "received" if self.received else "asked"
        return evolve(payment, vendor_status=f"{word}: {self.what} #{self.number}")

    def refused(self, payment: Payment) -> Payment:
        """The payment of which it was refused, so that another wish may follow."""
        return evolve(payment, vendor_status=f"refused: {self.what}")
