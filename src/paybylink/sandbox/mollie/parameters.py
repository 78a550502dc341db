"""
What Mollie takes: each endpoint's fields as a value, and reading a JSON body or a query by it.

Mollie is strict about names (an unknown field is a 422), about types (an amount's value that is a number is
refused: it must be text) and about decimals. `read` returns what was given, checked; a field that was not given is
left out, and None stays None where the field may be null.

`Unsimulated` stands for what Mollie knows and the sandbox does not act out. It is refused rather than swallowed, so
that no test passes here by a feature that never ran.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import frozen

from paybylink.sandbox.engine import Document
from paybylink.sandbox.mollie.amounts import RATES, units, well_formed
from paybylink.sandbox.mollie.wire import Problem, moment


class Field(Protocol):
    """One field: knows how to read its own JSON."""

    def read(self, raw: Any, path: str) -> Any:
        """The checked value of `raw`; `path` is its name with dots, for the error. None is for `Record` to judge."""
        ...


@frozen
class Text:
    """Text of at most `maximum` characters, not empty; one of `choices` where there are any; of a `pattern`."""

    maximum: int = 5000
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, str):
            raise Problem(f"The field '{path}' should be a string.", field=path)
        if not raw:
            raise Problem(f"The field '{path}' should not be empty.", field=path)
        if len(raw) > self.maximum:
            raise Problem(f"The field '{path}' has more than {self.maximum} characters.", field=path)
        if self.choices and raw not in self.choices:
            raise Problem(f"The field '{path}' should be one of: {', '.join(self.choices)}.", field=path)
        if self.pattern and not re.fullmatch(self.pattern, raw):
            raise Problem(f"The field '{path}' is not in the right format.", field=path)
        return raw


@frozen
class Whole:
    """A whole number of at least `minimum`."""

    minimum: int = 0

    def read(self, raw: Any, path: str) -> Any:
        if type(raw) is not int or not self.minimum <= raw <= 10**9:
            raise Problem(f"The field '{path}' should be a whole number from {self.minimum}.", field=path)
        return raw


@frozen
class Flag:
    """``true`` or ``false``."""

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, bool):
            raise Problem(f"The field '{path}' should be a boolean.", field=path)
        return raw


@frozen
class Money:
    """An amount: a currency that Mollie takes and a text with its decimals; below zero only where `signed`."""

    signed: bool = False
    zero: bool = False

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, dict) or set(raw) != {"currency", "value"}:
            raise Problem(f"The field '{path}' should hold a currency and a value.", field=path)
        currency, value = raw["currency"], raw["value"]
        if not isinstance(currency, str) or currency not in RATES:
            raise Problem(f"The field '{path}' has no currency that is supported.", field=path)
        if not isinstance(value, str) or not well_formed(value, currency, signed=self.signed):
            raise Problem(
                f"The field '{path}' should have a value that is a string with the decimals of {currency}.",
                field=path,
            )
        if not (self.signed or self.zero) and units(raw) == 0:
            raise Problem(f"The field '{path}' is lower than the minimum.", field=path)
        return {"currency": currency, "value": value}


@frozen
class Moment:
    """A moment in ISO 8601 with its offset; kept in UTC."""

    def read(self, raw: Any, path: str) -> Any:
        try:
            read = datetime.fromisoformat(raw) if isinstance(raw, str) else None
        except ValueError:
            read = None
        if read is None or read.tzinfo is None:
            raise Problem(f"The field '{path}' should be a moment in ISO 8601 with an offset.", field=path)
        return moment(read)


@frozen
class Metadata:
    """Whatever JSON can hold, up to about a kilobyte; only an object where `mapping`."""

    mapping: bool = False

    def read(self, raw: Any, path: str) -> Any:
        if self.mapping and not isinstance(raw, dict):
            raise Problem(f"The field '{path}' should be an object.", field=path)
        if len(json.dumps(raw, ensure_ascii=False).encode()) > 1024:
            raise Problem(f"The field '{path}' holds more than 1 kB.", field=path)
        return raw


@frozen
class Many:
    """A list."""

    item: Field

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, list):
            raise Problem(f"The field '{path}' should be an array.", field=path)
        return [self.item.read(one, f"{path}.{place}") for place, one in enumerate(raw)]


@frozen
class Unsimulated:
    """What Mollie knows and the sandbox does not act out."""

    def read(self, raw: Any, path: str) -> Any:
        raise Problem(
            f"The sandbox does not simulate '{path}'; leave it out, or try it with a test account.",
            field=path,
        )


@frozen
class Record:
    """
    An object of named fields, some of them required, some of which may be null.

    Attributes:
        fields: each field's name and form.
        required: those that must be there.
        nullable: those that may be null, which is kept as None.
    """

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    nullable: tuple[str, ...] = ()

    def read(self, raw: Any, path: str) -> Any:
        if not isinstance(raw, dict):
            raise Problem(f"The field '{path}' should be an object.", field=path)
        return self.read_all(raw, path)

    def read_all(self, raw: Mapping[str, Any], path: str = "", *, status: int = 422) -> Document:
        """
        The checked values of a whole body or query.

        Args:
            path: where it stands; empty at the top.
            status: of the refusal; 400 for a query.
        """
        values: Document = {}
        try:
            for name, value in raw.items():
                at = f"{path}.{name}" if path else name
                if name not in self.fields:
                    raise Problem(f"There is no field '{at[:80]}' for this API call.", field=at[:80])
                if value is None and name not in self.nullable:
                    raise Problem(f"The field '{at}' should not be null.", field=at)
                values[name] = None if value is None else self.fields[name].read(value, at)
            for name in self.required:
                at = f"{path}.{name}" if path else name
                if values.get(name) is None:
                    raise Problem(f"The field '{at}' is required.", field=at)
        except Problem as problem:
            raise Problem(problem.detail, status=status, field=problem.field) from None
        return values


#: Web addresses of the merchant.
WEB = Text(2048, pattern=r"https?://[^\s/?#]+[^\s]*")

_NAME = Text(255, pattern=r"(?s)(?=.*[^0-9]).{2,}")

#: A payer's address. `title` to `country`, none of them null.
ADDRESS = Record(
    {
        "title": Text(100),
        "givenName": _NAME,
        "familyName": _NAME,
        "organizationName": Text(255),
        "streetAndNumber": Text(255),
        "streetAdditional": Text(255),
        "postalCode": Text(50),
        "email": Text(320, pattern=r"[^@\s]{1,64}@[^@\s]{1,255}"),
        "phone": Text(20, pattern=r"\+[1-9][0-9]{6,14}"),
        "city": Text(255),
        "region": Text(255),
        "country": Text(2, pattern=r"[A-Z]{2}"),
    }
)
