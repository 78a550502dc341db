"""Promises about deliveries: every move stands in the table, and reports that come late undo nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.messages import DELIVERY_MOVES, Outcome, outcome_moved

#: What only rises: a message that reached somebody has reached him.
REACHED = (Outcome.DELIVERED, Outcome.READ)


def test_the_table_has_every_outcome() -> None:
    """No outcome is forgotten, and no move leads to the one it comes from."""
    assert set(DELIVERY_MOVES) == set(Outcome)
    assert all(before not in after for before, after in DELIVERY_MOVES.items())


@pytest.mark.parametrize("before", Outcome)
@pytest.mark.parametrize("after", Outcome)
def test_the_table_allows_what_it_says_and_ignores_the_rest(before: Outcome, after: Outcome) -> None:
    """Every pair is tried: a move in the table goes through and any other changes nothing."""
    assert outcome_moved(before, after) is (after if after in DELIVERY_MOVES[before] else before)


@given(st.sampled_from(Outcome), st.lists(st.sampled_from(Outcome)))
def test_reports_in_any_order_undo_nothing(outcome: Outcome, reports: list[Outcome]) -> None:
    """What was read stays read, and only what was clearly not taken may be sent again."""
    for report in reports:
        before, outcome = outcome, outcome_moved(outcome, report)

        assert before not in REACHED or REACHED.index(outcome) >= REACHED.index(before)
        if outcome is Outcome.UNKNOWN:
            assert before in (Outcome.PREPARED, Outcome.DEFERRED, Outcome.UNKNOWN)


def test_nothing_is_taken_for_sent_before_it_was_handed_over() -> None:
    """From `prepared` the only way is `unknown`, which is written before the send."""
    assert DELIVERY_MOVES[Outcome.PREPARED] == {Outcome.UNKNOWN}
