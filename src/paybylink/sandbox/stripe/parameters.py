"""
What Stripe takes: each endpoint's parameters as a value, and reading a form by it.

Stripe is strict about names (an unknown one is a 400 `parameter_unknown`), lenient about text (everything arrives
as text), and reads an empty value as "unset". So is `read`: it returns typed values, None where a value was
unset, and leaves out what was not given.

`Unsimulated` stands for what Stripe knows and the sandbox does not act out. It is refused with its own code rather
than swallowed, so that no test passes here by a feature that never ran.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol, TypeAlias

from attrs import field, frozen

from paybylink.sandbox.engine import Document
from paybylink.sandbox.stripe.wire import Form, Problem

#: A value as it was read; None means that it was unset by an empty text.
Value: TypeAlias = object


class Field(Protocol):
    """One parameter: knows how to read its own text."""

    def read(self, raw: object, path: str) -> Value:
        """The typed value of `raw`; `path` is its name with brackets, for the error."""
        ...


def _text(raw: object, path: str) -> str:
    if not isinstance(raw, str):
        raise Problem(f"Invalid string: {path} was given as an object", param=path)
    return raw


def _group(raw: object, path: str) -> Form:
    if not isinstance(raw, dict):
        raise Problem(f"Invalid object: {path} was given as a string", param=path)
    return raw


@frozen
class Text:
    """Text of at most `maximum` characters; one of `choices` where there are any; of a `pattern` where given."""

    maximum: int = 5000
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def read(self, raw: object, path: str) -> Value:
        value = _text(raw, path)
        if value == "":
            return None
        if len(value) > self.maximum:
            raise Problem(
                f"Invalid string: {value[:10]}...{value[-5:]}; must be at most {self.maximum} characters",
                param=path,
            )
        if self.choices and value not in self.choices:
            listed = ", ".join(self.choices[:-1]) + (" or " if self.choices[1:] else "") + self.choices[-1]
            raise Problem(f"Invalid {path}: must be one of {listed}", param=path)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise Problem(f"Invalid {path}: {value[:60]}", param=path)
        return value


@frozen
class Whole:
    """A whole number between `minimum` and `maximum`."""

    minimum: int = 0
    maximum: int = 10**15

    def read(self, raw: object, path: str) -> Value:
        value = _text(raw, path)
        if value == "":
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise Problem(f"Invalid integer: {value[:60]}", code="parameter_invalid_integer", param=path)
        if not self.minimum <= int(value) <= self.maximum:
            bound = self.minimum if int(value) < self.minimum else self.maximum
            word = "greater" if int(value) < self.minimum else "less"
            raise Problem(
                f"This value must be {word} than or equal to {bound}.",
                code="parameter_invalid_integer",
                param=path,
            )
        return int(value)


@frozen
class Flag:
    """``true`` or ``false``."""

    def read(self, raw: object, path: str) -> Value:
        value = _text(raw, path)
        if value not in {"true", "false", ""}:
            raise Problem(f"Invalid boolean: {value[:60]}", param=path)
        return None if value == "" else value == "true"


@frozen
class Labels:
    """
    Metadata: at most 50 keys of 40 characters, values of 500; an empty value takes its key away.

    Source: Stripe API reference, "Metadata".
    """

    def read(self, raw: object, path: str) -> Value:
        if raw == "":
            return None
        labels = {key: _text(value, f"{path}[{key}]") for key, value in _group(raw, path).items()}
        if any(not key or "[" in key or "]" in key for key in labels):
            raise Problem("Metadata keys cannot be empty or contain square brackets.", param=path)
        if len(labels) > 50:
            raise Problem("Metadata can have at most 50 keys.", param=path)
        for key, value in labels.items():
            if len(key) > 40:
                raise Problem("Metadata keys can have up to 40 characters.", param=path)
            if len(value) > 500:
                raise Problem(
                    f"Metadata values can have up to 500 characters, but you passed in a value with {len(value)}.",
                    param=f"{path}[{key}]",
                )
        return labels


@frozen
class Record:
    """An object of named parameters, some of them required."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()

    def read(self, raw: object, path: str) -> Value:
        return None if raw == "" else self.read_all(_group(raw, path), path)

    def read_all(self, form: Form, path: str = "") -> Document:
        """The typed values of a whole form; `path` is where it stands, empty at the top."""
        values: Document = {}
        for name, raw in form.items():
            at = f"{path}[{name}]" if path else name
            if name not in self.fields:
                raise Problem(f"Received unknown parameter: {at}", code="parameter_unknown", param=at)
            values[name] = self.fields[name].read(raw, at)
        for name in self.required:
            at = f"{path}[{name}]" if path else name
            if name not in values:
                raise Problem(f"Missing required param: {at}.", code="parameter_missing", param=at)
            if values[name] is None:
                raise Problem(
                    f"You passed an empty string for '{at}'.", code="parameter_invalid_empty", param=at
                )
        return values


@frozen
class Many:
    """A list, written with places: ``line_items[0]``, ``line_items[1]``."""

    item: Field
    maximum: int = field(default=100)

    def read(self, raw: object, path: str) -> Value:
        if raw == "":
            return None
        group = _group(raw, path)
        if not all(key.isdigit() for key in group):
            raise Problem("Invalid array", param=path)
        if len(group) > self.maximum:
            raise Problem(
                f"Array {path} exceeded maximum {self.maximum} allowed elements.",
                code="array_too_long",
                param=path,
            )
        places = sorted(group, key=int)
        return [self.item.read(group[place], f"{path}[{place}]") for place in places]


@frozen
class Unsimulated:
    """What Stripe knows and the sandbox does not act out."""

    def read(self, raw: object, path: str) -> Value:
        raise Problem(
            f"The sandbox does not simulate {path}; leave it out, or try it in a Stripe test account.",
            code="sandbox_unsimulated",
            param=path,
        )


@frozen
class Withdrawn:
    """A parameter that newer versions of the API no longer take."""

    code: str

    def read(self, raw: object, path: str) -> Value:
        raise Problem(f"{path} is no longer supported in this API version.", code=self.code, param=path)


def merged(labels: Mapping[str, str], changes: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: None clears it, an empty value takes its key away, the rest is added."""
    if changes is None:
        return {}
    return {key: value for key, value in {**labels, **changes}.items() if value != ""}
