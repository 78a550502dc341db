"""
Links that take several requests: written together, and carried one after the other.

Each request has a key of its own, made from the first one's, so that after a cut the same bytes are repeated under
the same keys and Stripe answers those it has done with what it answered then. Where a request needs the id that an
earlier answer holds, it was stored with an `answer_slot` in its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import evolve

from paybylink.flow import Call, Written, answer_slot

from ._asking import Asking
from ._mapping import Step

Json: TypeAlias = dict[str, Any]


def write_steps(ask: Asking, steps: Sequence[Step], *, key: str, now: dt.datetime) -> Written:
    """The requests of `steps`, ready to be stored."""
    first = ask.write(steps[0].path, steps[0].form, key=key, now=now)
    if len(steps) == 1:
        return first
    then = tuple(
        ask.write(step.path, step.form, key=f"{key}-{place}", now=now)
        for place, step in enumerate(steps[1:], start=2)
    )
    return evolve(first, then=then)


def carry_steps(ask: Asking, written: Written) -> Call[Json]:
    """The answer to the last of the stored requests."""
    ids: list[str] = []
    reply = yield from ask.carry(written)
    for step in written.then:
        ids.append(ask.id(reply))
        reply = yield from ask.carry(filled(step, ids))
    return reply


def filled(step: Written, ids: Sequence[str]) -> Written:
    """A stored request with the ids of earlier answers in their places."""
    path, body = step.path, step.body
    for place, name in enumerate(ids):
        path = path.replace(answer_slot(place), name)
        body = body.replace(answer_slot(place).encode("ascii"), name.encode("ascii"))
    return evolve(step, path=path, body=body)
