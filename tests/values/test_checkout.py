"""Promises about the payment page of one order: words are checked, contradictions are named, the rest is left out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from paybylink.checkout import LONGEST_DELAY, STATEMENT_LIMIT, Capture, Checkout
from paybylink.errors import InvalidInput
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.testing import strategies

HOUR = dt.timedelta(hours=1)


def faults(**content: Any) -> list[str]:
    """The paths of what is wrong with it."""
    with pytest.raises(InvalidInput) as caught:
        _ = Checkout(**content)
    return [fault.path for fault in caught.value.faults]


def test_left_out_lets_the_merchants_settings_decide() -> None:
    """Nothing is asked for unasked: no prefilled name, no chosen method, money taken at once."""
    checkout = Checkout()

    assert (checkout.methods, checkout.blocked_methods, checkout.language) == ((), (), None)
    assert (checkout.statement, checkout.prefill, dict(checkout.extra)) == ("", False, {})
    assert (checkout.capture, checkout.capture_after) == (Capture.AUTOMATIC, None)
    assert Order(reference="R", amount=Money(1, "EUR")).checkout == checkout


def test_takes_one_method_or_several() -> None:
    """A single word need not be wrapped in a list; order is kept."""
    checkout = Checkout(methods="card", blocked_methods=["sepa_debit", "ideal"])

    assert checkout.methods == ("card",)
    assert checkout.blocked_methods == ("sepa_debit", "ideal")


def test_takes_the_way_of_capture_as_a_word() -> None:
    """``manual`` means the member."""
    word: Any = "manual"

    assert Checkout(capture=word).capture is Capture.MANUAL


@pytest.mark.parametrize(
    "hours",
    [pytest.param(1, id="shortest"), pytest.param(48, id="two days"), pytest.param(672, id="longest")],
)
def test_takes_delays_of_whole_hours_up_to_four_weeks(hours: int) -> None:
    """From one hour to as long as a card remembers."""
    assert Checkout(capture_after=hours * HOUR).capture_after == hours * HOUR


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        pytest.param({"methods": ["card", "sepa debit"]}, ["methods[1]"], id="blank in a method"),
        pytest.param({"methods": [""]}, ["methods[0]"], id="empty method"),
        pytest.param({"methods": ["a" * 61]}, ["methods[0]"], id="long method"),
        pytest.param({"methods": [None]}, ["methods[0]"], id="no text as a method"),
        pytest.param(
            {"methods": [[]], "blocked_methods": [{}]}, ["methods[0]", "blocked_methods[0]"], id="lists"
        ),
        pytest.param(
            {"methods": [1, "x y"], "blocked_methods": [1, "x y"]},
            [
                "methods[0]",
                "methods[1]",
                "blocked_methods[0]",
                "blocked_methods[1]",
                "blocked_methods",
            ],
            id="wrong in both",
        ),
        pytest.param({"methods": 7}, ["methods[0]"], id="number of methods"),
        pytest.param({"blocked_methods": None}, ["blocked_methods[0]"], id="nothing blocked"),
        pytest.param({"blocked_methods": ["pay\npal"]}, ["blocked_methods[0]"], id="line break in a method"),
        pytest.param(
            {"methods": ["card", "ideal"], "blocked_methods": ["ideal", "card"]},
            ["blocked_methods", "blocked_methods"],
            id="offered and blocked",
        ),
        pytest.param({"language": ""}, ["language"], id="empty language"),
        pytest.param({"language": "x" * 36}, ["language"], id="long language"),
        pytest.param({"statement": "x" * (STATEMENT_LIMIT + 1)}, ["statement"], id="long statement"),
        pytest.param({"statement": None}, ["statement"], id="no statement"),
        pytest.param({"capture": "later"}, ["capture"], id="unknown capture"),
        pytest.param({"capture": []}, ["capture"], id="list for capture"),
        pytest.param({"capture_after": 48}, ["capture_after"], id="delay without a unit"),
        pytest.param({"capture_after": 0 * HOUR}, ["capture_after"], id="no delay"),
        pytest.param({"capture_after": -HOUR}, ["capture_after"], id="negative delay"),
        pytest.param({"capture_after": HOUR / 2}, ["capture_after"], id="half an hour"),
        pytest.param({"capture_after": LONGEST_DELAY + HOUR}, ["capture_after"], id="too long a delay"),
        pytest.param(
            {"capture": Capture.MANUAL, "capture_after": HOUR}, ["capture_after"], id="manual and delayed"
        ),
        pytest.param({"prefill": "yes"}, ["prefill"], id="prefill as a word"),
        pytest.param({"extra": {"stripe": "submit_type=pay"}}, ["extra"], id="extra as text"),
        pytest.param({"extra": {"stripe": {"at": dt.date(2026, 1, 1)}}}, ["extra"], id="extra no JSON"),
        pytest.param({"extra": ["stripe"]}, ["extra"], id="extra as a list"),
    ],
)
def test_that_no_page_could_show_is_refused(content: dict[str, Any], paths: list[str]) -> None:
    """What cannot be asked for is refused under its own name, before any provider hears of it."""
    assert faults(**content) == paths


def test_names_every_fault_at_once() -> None:
    """Nobody corrects a checkout field by field."""
    assert faults(
        methods=["a b"], language="", statement="x" * 40, capture="no", capture_after=1, prefill=1, extra=1
    ) == ["methods[0]", "language", "statement", "capture", "capture_after", "prefill", "extra"]


def test_raw_fields_are_not_printed() -> None:
    """What goes through untouched may hold anything, so no repr shows it."""
    assert "MARKED" not in repr(Checkout(extra={"stripe": {"secret": "MARKED"}}))


@given(strategies.checkouts())
def test_drawn_by_the_shared_strategy_is_legal(drawn: Checkout) -> None:
    """No method is both offered and blocked, and a delay is never drawn with manual capture."""
    assert not {*drawn.methods} & {*drawn.blocked_methods}
    assert drawn.capture is Capture.AUTOMATIC or drawn.capture_after is None
    raw: Mapping[str, Any] = drawn.extra
    assert json.loads(json.dumps(raw)) == raw
