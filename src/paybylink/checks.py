"""
The checks that several values share: plain text, a member of an enumeration, a moment in the future.

A check adds to the faults and never raises, so that all of them are reported at once.
"""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import TypeVar, cast

from .errors import Faults, InvalidInput

M = TypeVar("M", bound=StrEnum)
_TEXT_REMEDY = "remove line breaks, tabs and other control characters"
#: Cc: control characters; Zl, Zp: U+2028 and U+2029, which split mail headers and CSV rows as well.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HALF = re.compile("[\ud800-\udfff]")


def check_text(faults: Faults, path: str, text: object, *, limit: int, required: bool = False) -> None:
    """Add a fault when `text` is no plain single line of at most `limit` characters."""
    if not isinstance(text, str):
        faults.add(path, f"is {type(text).__name__}, not text", "write it as a string")
    elif required and not text.strip():
        faults.add(path, "is empty", "write at least one character")
    elif len(text) > limit:
        faults.add(path, f"has {len(text)} characters", f"shorten it to {limit}")
    elif _CONTROL.search(text):
        faults.add(path, "contains control characters", _TEXT_REMEDY)
    elif _HALF.search(text):
        faults.add(path, "contains half of a surrogate pair", "decode the text as UTF-8 first")


def as_member(kind: type[M], given: M | str) -> M:
    """The member of `kind` that a word means; what is none stays as it is, for `check_member`."""
    try:
        return kind(given)
    except ValueError:
        return cast("M", given)


def member(kind: type[M], given: M | str, path: str) -> M:
    """
    The member of `kind` that a word means.

    Raises:
        InvalidInput: it is none; the words are named.
    """
    faults = Faults()
    found = as_member(kind, given)
    check_member(faults, path, found, kind)
    faults.raise_any()
    return found


def check_member(faults: Faults, path: str, given: object, kind: type[StrEnum]) -> None:
    """Add a fault when `given` is no member of `kind`."""
    if not isinstance(given, kind):
        faults.add(path, "is not one of the words for it", f"use {', '.join(kind)}")


def is_web_address(url: str) -> bool:
    """Whether `url` is an https address, or an http one on this machine."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return (
        " " not in url
        and bool(parts.hostname)
        and (parts.scheme == "https" or (parts.scheme == "http" and here))
    )


def in_utc(moment: dt.datetime, *, path: str) -> dt.datetime:
    """
    `moment` in UTC.

    Raises:
        InvalidInput: it is no moment, or has no zone.
    """
    if not isinstance(moment, dt.datetime):
        raise InvalidInput.single(path, f"is {type(moment).__name__}", "use a datetime with its time zone")
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidInput.single(
            path, "has no time zone", "use an aware datetime, e.g. datetime.now(UTC) + …"
        )
    return moment.astimezone(dt.UTC)


def is_future(moment: dt.datetime, *, now: dt.datetime, path: str) -> dt.datetime:
    """
    `moment` in UTC, if it is aware and after `now`.

    Raises:
        InvalidInput: the moment has no zone, or has passed.
    """
    moment = in_utc(moment, path=path)
    if moment <= now:
        raise InvalidInput.single(path, "has passed", "give a moment in the future")
    return moment
