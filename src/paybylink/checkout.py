"""
How the provider's payment page behaves for one order.

Everything here may be left out; then the merchant's settings at the provider decide.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from .checks import as_member, check_member, check_text
from .errors import Faults

_METHOD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
#: The longest text that card statements show of it (Stripe `statement_descriptor_suffix`, Adyen `shopperStatement`).
STATEMENT_LIMIT = 22
#: Cards forget an authorisation; Adyen takes 28 days at most (`captureDelayHours`).
LONGEST_DELAY = dt.timedelta(days=28)


class Capture(StrEnum):
    """When the money of a payment is taken."""

    AUTOMATIC = "automatic"  #: as soon as the payer has paid
    MANUAL = "manual"  #: when `capture` is called; until then it is only reserved


def _capture(given: Capture | str) -> Capture:
    return as_member(Capture, given)


def _names(given: Iterable[str] | str) -> tuple[str, ...]:
    # What is no list stays as the one thing in it, and becomes a fault by name.
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _nothing() -> Mapping[str, Mapping[str, Any]]:
    return {}


@frozen(kw_only=True)
class Checkout:
    """
    How the provider's page behaves.

    Attributes:
        methods: only these are offered, in our words (``card``, ``ideal``, …; see the glossary) or the provider's
            own; empty lets the provider offer what the merchant has switched on.
        blocked_methods: these are not offered.
        language: of the page, a BCP 47 tag; None takes the customer's.
        statement: what the payer's bank statement shows beside the merchant's name, up to 22 characters; a provider
            that has no place for it refuses it.
        capture: whether the money is taken at once.
        capture_after: taken by the provider after that long; only with automatic capture.
        prefill: whether the customer's name, email and address are handed to the provider's page. An address in a
            link can be read by whoever has the link, so it is not done unasked.
        extra: the way out: raw fields for the request, by the vendor's word (``{"stripe": {…}}``), passed through
            untouched. Fields by which we keep our promises are refused.
    """

    methods: tuple[str, ...] = field(default=(), converter=_names)
    blocked_methods: tuple[str, ...] = field(default=(), converter=_names)
    language: str | None = None
    statement: str = ""
    capture: Capture = field(default=Capture.AUTOMATIC, converter=_capture)
    capture_after: dt.timedelta | None = None
    prefill: bool = False
    extra: Mapping[str, Mapping[str, Any]] = field(factory=_nothing, repr=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        for path, names in (("methods", self.methods), ("blocked_methods", self.blocked_methods)):
            for place, name in enumerate(names):
                if not isinstance(name, str) or not _METHOD.fullmatch(name):
                    faults.add(f"{path}[{place}]", "is no name of a method", "write it as card or sepa_debit")
        words = (name for name in self.methods if isinstance(name, str))
        for name in sorted({word for word in words if word in self.blocked_methods}):
            faults.add("blocked_methods", f"has {name}, and so has methods", "write it in one of them")
        if self.language is not None:
            check_text(faults, "language", self.language, limit=35, required=True)
        check_text(faults, "statement", self.statement, limit=STATEMENT_LIMIT)
        check_member(faults, "capture", self.capture, Capture)
        self._check_delay(faults)
        if not isinstance(self.prefill, bool):
            faults.add("prefill", f"is {type(self.prefill).__name__}", "write True or False")
        try:
            fields = {vendor: dict(values) for vendor, values in self.extra.items()}
            _ = json.dumps(fields)
        except (TypeError, ValueError, AttributeError):
            faults.add(
                "extra", "is not JSON by vendor", 'write {"stripe": {…}} with text, whole numbers and lists'
            )
        faults.raise_any()

    def _check_delay(self, faults: Faults) -> None:
        if self.capture_after is None:
            return
        if not isinstance(self.capture_after, dt.timedelta):
            fault = f"is {type(self.capture_after).__name__}"
            faults.add("capture_after", fault, "write a span such as timedelta(hours=48)")
        elif not dt.timedelta(0) < self.capture_after <= LONGEST_DELAY or self.capture_after % dt.timedelta(
            hours=1
        ):
            faults.add("capture_after", "is not of 1 hour to 28 days", "write whole hours within that")
        elif self.capture is Capture.MANUAL:
            faults.add("capture_after", "is given with manual capture", "leave one of them out")
