"""
Drive a flow by hand: each effect that it yields is met by the next reply, without server, mailbox or database.

A reply is what a driver would send back (an `httpx.Response`, a `MailReply`, a tuple of `Rows`), an error of our
tree, which is thrown into the flow, or a function of the effect that returns either. The replies must fit the flow
exactly: one too few or too many fails the test and says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeAlias, TypeVar

import httpx
from attrs import field, frozen

from paybylink.errors import PaybylinkError
from paybylink.flow import Batch, Effect, Envelope, Flow, MailReply, Rows

T = TypeVar("T")

#: What a driver sends back into a flow, or throws.
Answer: TypeAlias = "httpx.Response | MailReply | tuple[Rows, ...] | PaybylinkError"
Reply: TypeAlias = "Answer | Callable[[Any], Answer]"


@frozen
class Played(Generic[T]):
    """
    A flow that has ended.

    Attributes:
        result: what it returned.
        effects: what it yielded, in order.
    """

    result: T
    effects: tuple[Effect, ...] = field(repr=False)

    @property
    def transcript(self) -> tuple[str, ...]:
        """The names of the effects, for comparison: see `name_of`."""
        return tuple(name_of(effect) for effect in self.effects)


def name_of(effect: Effect) -> str:
    """
    One line for an effect, without query, body, address or parameter.

    ``POST api.stripe.com/v1/payment_links``, ``mail smtp``, ``fence reserve_link``, ``batch open_link + add_event``.
    """
    if isinstance(effect, Batch):
        names = " + ".join(step.statement.name for step in effect.steps)
        return f"{'fence' if effect.fence else 'batch'} {names}"
    if isinstance(effect, Envelope):
        return f"mail {effect.who}"
    return f"{effect.method} {effect.url.host}{effect.url.path}"


def script(flow: Flow[T], replies: Iterable[Reply]) -> Played[T]:
    """
    The result of `flow` when its effects are met by `replies`, and the effects themselves.

    Raises:
        AssertionError: the flow yields more effects than there are replies, or ends before the last of them.
        PaybylinkError: what the flow raised.
    """
    waiting = list(replies)
    given = len(waiting)
    effects: list[Effect] = []
    reply: Any = None
    failure: PaybylinkError | None = None
    try:
        while True:
            try:
                effect = flow.send(reply) if failure is None else flow.throw(failure)
            except StopIteration as stop:
                return Played(_all_asked_for(waiting, given, stop.value), tuple(effects))
            if not waiting:
                raise AssertionError(
                    f"effect {len(effects) + 1} is {name_of(effect)!r}, but only {given} replies were given"
                )
            effects.append(effect)
            reply, failure = waiting.pop(0), None
            if callable(reply):
                reply = reply(effect)
            if isinstance(reply, PaybylinkError):
                reply, failure = None, reply
    finally:
        flow.close()


def _all_asked_for(waiting: list[Reply], given: int, result: T) -> T:
    if waiting:
        raise AssertionError(
            f"the flow ended after {given - len(waiting)} effects, "
            f"and {len(waiting)} of {given} replies were not asked for"
        )
    return result
