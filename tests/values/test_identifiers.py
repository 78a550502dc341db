"""Promises about names: rows sort by time, tokens and keys cannot be guessed, and chance comes from outside."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.identifiers import Identifiers

moments = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(3000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
LEAST, MOST = Identifiers(entropy=bytes), Identifiers(entropy=lambda size: b"\xff" * size)


def test_are_made_of_the_bytes_that_come_in(moment: dt.datetime) -> None:
    """The same bytes and the same moment give the same names."""
    counted = Identifiers(entropy=lambda size: bytes(range(size)))

    assert counted.row(moment) == "01KDWE90E0000G40R40M30E209"
    assert counted.token() == "AAECAwQFBgcICQoLDA0ODw"
    assert counted.key() == "000102030405060708090a0b0c0d0e0f"


@given(moments, moments)
def test_of_rows_sort_by_time(one: dt.datetime, other: dt.datetime) -> None:
    """A later millisecond gives a greater id, whatever chance says."""
    earlier, later = sorted((one, other))
    if later - earlier >= dt.timedelta(milliseconds=1):
        assert MOST.row(earlier) < LEAST.row(later)
    assert LEAST.row(earlier) <= LEAST.row(later)


@given(st.binary(min_size=16, max_size=16), moments)
def test_have_one_length_and_safe_letters(chance: bytes, now: dt.datetime) -> None:
    """They fit their columns, and go into a URL or a header as they are."""
    identifiers = Identifiers(entropy=lambda size: chance[:size])

    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", identifiers.row(now))
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", identifiers.token())
    assert re.fullmatch(r"[0-9a-f]{32}", identifiers.key())


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_keep_all_their_randomness(one: bytes, other: bytes) -> None:
    """Other bytes give another token and another key: no bit is lost."""
    first, second = (
        Identifiers(entropy=lambda size: one[:size]),
        Identifiers(entropy=lambda size: other[:size]),
    )

    assert (first.token() == second.token()) == (one == other)
    assert (first.key() == second.key()) == (one == other)


def test_are_drawn_anew_each_time(moment: dt.datetime) -> None:
    """Without a source of its own, the system's is asked each time, and its bytes are in no repr."""
    identifiers = Identifiers()

    assert len({identifiers.token() for _ in range(100)}) == 100
    assert len({identifiers.row(moment) for _ in range(100)}) == 100
    assert repr(identifiers) == "Identifiers()"


@pytest.mark.parametrize("zone", [dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))])
def test_of_rows_know_no_time_zone(zone: dt.tzinfo, moment: dt.datetime) -> None:
    """The same instant gives the same id in every zone."""
    assert LEAST.row(moment.astimezone(zone)) == LEAST.row(moment)
