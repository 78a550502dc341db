"""
Amounts and moments as people of a language write them, by Babel.

An amount shows exactly the decimals that its currency has in ISO 4217: Babel's own table has cash habits (no
decimals for the Iraqi dinar, say), which would print another amount than the one that is charged. No-break spaces
stay, except where a text message would pay for them.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
from typing import TYPE_CHECKING

from attrs import frozen

from paybylink.errors import MissingExtra

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

    from paybylink.money import Money


@frozen
class Moment:
    """A moment in a merchant's zone: its date, its time of day, and the zone's name in words and as UTC offset."""

    date: str
    time: str
    zone: str
    offset: str


@functools.lru_cache(maxsize=64)
def locale_of(tag: str, language: str) -> Locale:
    """
    The locale of `tag` if it is one of `language`, else that of `language`, else English.

    Raises:
        MissingExtra: Babel is not installed.
    """
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError as error:
        raise MissingExtra("messages", "writing amounts and dates") from error
    for candidate in (tag, language, language.partition("-")[0]):
        try:
            locale = Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        if locale.language == language.partition("-")[0].lower():
            return locale
    return Locale("en")


def amount_text(money: Money, locale: Locale) -> str:
    """Like ``49,90 €`` or ``€49.90``, with every decimal of the currency."""
    pattern = _pattern(locale, money.exponent)
    text: str = pattern.apply(money.decimal, locale, currency=money.currency, currency_digits=False)
    return text


@functools.lru_cache(maxsize=64)
def _pattern(locale: Locale, exponent: int) -> NumberPattern:
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (exponent, exponent)
    return pattern


def day_text(day: dt.date, locale: Locale) -> str:
    """Like ``21 juillet 2026``."""
    from babel.dates import format_date

    return format_date(day, "long", locale=locale)


def moment_text(moment: dt.datetime, zone: str, locale: Locale) -> Moment:
    """The parts of a moment, in `zone`."""
    from zoneinfo import ZoneInfo

    from babel.dates import format_date, format_time, get_timezone_name

    local = moment.astimezone(ZoneInfo(zone))
    minutes = int((local.utcoffset() or dt.timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    offset = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    return Moment(
        format_date(local, "long", locale=locale),
        format_time(local, "short", tzinfo=local.tzinfo, locale=locale),
        get_timezone_name(local, width="long", locale=locale),
        offset if minutes else "UTC",
    )


def plain_spaces(text: str) -> str:
    """`text` with plain spaces only: one no-break space would double the price of an SMS."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")
