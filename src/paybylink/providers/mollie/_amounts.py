"""
Amounts and moments as Mollie writes them. Pure.

An amount is ``{"currency": "EUR", "value": "49.90"}``: text with exactly the decimals of ISO 4217, since a number
there is refused or, worse, dropped. A moment is ISO 8601; one without an offset is in UTC.

Source: docs.mollie.com, "Multicurrency", "Common data types".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from paybylink.money import Money

#: What reading a misshapen object raises.
MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def amount(money: Money) -> dict[str, str]:
    """Money as Mollie writes it."""
    return {"currency": money.currency, "value": money.amount_text}


def money(given: Mapping[str, Any]) -> Money:
    """
    Mollie's amount as money.

    Raises:
        KeyError, TypeError, ValueError: it is none, or finer than the currency counts.
    """
    currency, value = given["currency"], given["value"]
    if not isinstance(value, str):
        # A number may have lost its cents on the way.
        raise TypeError("value")
    return Money.read_text(value, currency)


def until(at: dt.datetime) -> str:
    """The end of a link: whole seconds, rounded down, in UTC and said so."""
    return f"{at.astimezone(dt.UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def moment(given: object) -> dt.datetime:
    """
    A moment of Mollie's, aware and in UTC.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not isinstance(given, str):
        raise TypeError("moment")
    at = dt.datetime.fromisoformat(given)
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)
