"""
Drive a flow: perform each effect that it yields, and send back what came.

Errors of our tree are thrown into the flow, which may translate them and raise its own. Anything else, and
cancellation, closes the flow and passes by: what was reserved already says *unknown*.
"""

from __future__ import annotations

from typing import Any

from paybylink.errors import PaybylinkError, StoreError
from paybylink.flow import Batch, Effect, Flow, T

from .doors import AsyncDoors, Doors

_UNCOMMITTED = (
    "nothing may be sent on a lent connection before its owner commits; "
    "commit first, then call run_due(), which sends what was reserved"
)


def run(flow: Flow[T], doors: Doors) -> T:
    """
    The result of `flow`, with every effect performed by `doors`, one after the other, in this thread.

    Raises:
        PaybylinkError: what the flow raised.
    """
    deadline = doors.deadline()
    reply: Any = None
    failure: PaybylinkError | None = None
    fenced = False
    try:
        while True:
            try:
                effect: Effect = flow.send(reply) if failure is None else flow.throw(failure)
            except StopIteration as stop:
                result: T = stop.value
                return result
            reply, failure = None, None
            try:
                if isinstance(effect, Batch):
                    fenced = fenced or (effect.fence and doors.lent)
                    reply = doors.store(effect)
                else:
                    if fenced:
                        raise StoreError(_UNCOMMITTED)
                    reply = doors.send(effect, deadline)
            except PaybylinkError as error:
                failure = error
    finally:
        flow.close()


async def arun(flow: Flow[T], doors: AsyncDoors) -> T:
    """
    The result of `flow`, with every effect awaited in turn.

    Cancelling the awaiting task closes the flow; whatever was sent stays *unknown* until it is asked for.

    Raises:
        PaybylinkError: what the flow raised.
    """
    deadline = doors.deadline()
    reply: Any = None
    failure: PaybylinkError | None = None
    fenced = False
    try:
        while True:
            try:
                effect: Effect = flow.send(reply) if failure is None else flow.throw(failure)
            except StopIteration as stop:
                result: T = stop.value
                return result
            reply, failure = None, None
            try:
                if isinstance(effect, Batch):
                    fenced = fenced or (effect.fence and doors.lent)
                    reply = await doors.store(effect)
                else:
                    if fenced:
                        raise StoreError(_UNCOMMITTED)
                    reply = await doors.send(effect, deadline)
            except PaybylinkError as error:
                failure = error
    finally:
        flow.close()
