"""
What Adyen takes: a field knows how to read its own JSON, a `Record` is an object that takes nothing else.

`additionalProperties` is false on every object of the API, so an unknown name is refused wherever it stands; numbers
are not taken for text nor text for numbers. What is read comes back as it was given.

`Unsimulated` stands for what Adyen knows and the sandbox does not act out. It is refused rather than swallowed, so
that no test passes here by a feature that never ran.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from attrs import frozen

from paybylink.sandbox.adyen.amounts import CURRENCIES
from paybylink.sandbox.adyen.wire import Problem, unreadable
from paybylink.sandbox.engine import Document


class Field(Protocol):
    """One field."""

    def read(self, raw: Any, path: str) -> Any:
        """The checked value; `path` is its name with dots, for the error."""
        ...


@frozen
class Text:
    """Text of `minimum` to `maximum` characters, one of `choices`, of a `pattern`; too long is a 422."""

    maximum: int = 10_000
    minimum: int = 0
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, str):
            raise unreadable(f"Unexpected input: field {path} must be a string.")
        if self.choices and raw not in self.choices:
            raise unreadable(f"Unexpected input: field {path} must be one of {', '.join(self.choices)}.")
        if not self.minimum <= len(raw) <= self.maximum:
            raise Problem(
                f"Field '{path}' is not valid: its length must be {self.minimum} to {self.maximum}."
            )
        if self.pattern and not re.fullmatch(self.pattern, raw):
            raise Problem(f"Field '{path}' is not valid.")
        return raw


@frozen
class Whole:
    """A whole number; out of bounds is a 422."""

    minimum: int = -(2**63)
    maximum: int = 2**63 - 1

    def read(self, raw: Any, path: str) -> Any:
        if type(raw) is not int or not -(2**63) <= raw < 2**63:
            raise unreadable(f"Unexpected input: field {path} must be a whole number.")
        if not self.minimum <= raw <= self.maximum:
            raise Problem(f"Field '{path}' must be between {self.minimum} and {self.maximum}.")
        return raw


@frozen
class Flag:
    """``true`` or ``false``, not as text."""

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, bool):
            raise unreadable(f"Unexpected input: field {path} must be a boolean.")
        return raw


@frozen
class Moment:
    """A moment in RFC 3339, with its offset."""

    def read(self, raw: Any, path: str) -> Any:
        try:
            read = datetime.fromisoformat(raw) if isinstance(raw, str) else None
        except ValueError:
            read = None
        if read is None or read.tzinfo is None or not re.match(r"\d{4}-\d\d-\d\d[Tt]", str(raw)):
            raise unreadable(f"Unexpected input: field {path} must be a date-time with an offset (RFC 3339).")
        return raw


@frozen
class Day:
    """A date."""

    def read(self, raw: Any, path: str) -> Any:
        try:
            _ = date.fromisoformat(raw)
        except (TypeError, ValueError):
            raise unreadable(f"Unexpected input: field {path} must be a date.") from None
        return raw


@frozen
class Money:
    """An amount; what is not above zero is refused, and a currency that Adyen does not list."""

    def read(self, raw: Any, path: str) -> Any:
        amount = Record(
            {"currency": Text(), "value": Whole()}, required=("currency", "value"), name="Amount"
        ).read(raw, path)
        if amount["currency"] not in CURRENCIES:
            raise Problem("Unsupported currency specified", code="138")
        if amount["value"] <= 0:
            raise Problem("Invalid amount specified", code="137")
        return amount


@frozen
class Labels:
    """
    Metadata: at most 20 pairs of text, keys of 20 characters, values of 80.

    The reserved key is taken, and overwritten by the link.
    """

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
            raise unreadable(f"Unexpected input: field {path} must be an object of strings.")
        if len(raw) > 20:
            raise Problem("Metadata size exceeds limit", code="177")
        if any(len(key) > 20 for key in raw):
            raise Problem("Metadata key size exceeds limit", code="178")
        if any(len(value) > 80 for value in raw.values()):
            raise Problem(f"Field '{path}' is not valid: a value is longer than 80.")
        return dict(raw)


@frozen
class Many:
    """A list."""

    item: Field

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, list):
            raise unreadable(f"Unexpected input: field {path} must be an array.")
        return [self.item.read(one, f"{path}[{place}]") for place, one in enumerate(raw)]


@frozen
class Untouched:
    """An object that is kept and shown, and not looked into."""

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, dict):
            raise unreadable(f"Unexpected input: field {path} must be an object.")
        return raw


@frozen
class Unsimulated:
    """What Adyen knows and the sandbox does not act out."""

    def read(self, raw: Any, path: str) -> Any:
        raise Problem(f"The sandbox does not simulate '{path}'; leave it out, or try it with a test account.")


@frozen
class Record:
    """
    An object of named fields and no others.

    Attributes:
        fields: each field's name and form.
        required: those that must be there.
        name: of the schema, for the error.
    """

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    name: str = "request"

    def read(self, raw: Any, path: str = "") -> Any:
        if not isinstance(raw, dict):
            raise unreadable(f"Unexpected input: field {path} must be an object.")
        unknown = sorted(set(raw) - set(self.fields))
        if unknown:
            raise unreadable(
                f"Structure of {self.name} contains the following unknown fields: {unknown[:5]}"[:300]
            )
        values: Document = {}
        for name, value in raw.items():
            at = f"{path}.{name}" if path else name
            if value is None:
                raise unreadable(f"Unexpected input: field {at} must not be null.")
            values[name] = self.fields[name].read(value, at)
        for name in self.required:
            if name not in values:
                raise _absent(f"{path}.{name}" if path else name)
        return values


def _absent(path: str) -> Problem:
    if path == "amount":
        return Problem("No amount specified", code="100")
    if path == "reference":
        return Problem("Reference Missing", code="130")
    if path == "merchantAccount":
        return Problem("Invalid Merchant Account", code="901", status=403, kind="security")
    return Problem(f"Required field '{path}' is not provided.")
