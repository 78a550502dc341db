"""How moments, hashes and JSON look in a column (rule 1 of `tables`)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

#: One row as a vault returns it: integers, text, bytes and None by column.
Row: TypeAlias = Mapping[str, Any]
#: The parameters of a statement.
Parameters: TypeAlias = dict[str, Any]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970; exact."""
    return (moment - _EPOCH) // _MICROSECOND


def micros_or_none(moment: dt.datetime | None) -> int | None:
    """The same, where there may be no moment."""
    return None if moment is None else micros(moment)


def moment(value: int) -> dt.datetime:
    """The moment, aware and in UTC."""
    return _EPOCH + dt.timedelta(microseconds=value)


def moment_or_none(value: int | None) -> dt.datetime | None:
    """The same, where there may be no moment."""
    return None if value is None else moment(value)


def digest(text: str) -> str:
    """SHA-256 of `text` in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def dump(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Any:
    """What `dump` wrote."""
    return json.loads(text)
