"""
What a story is about: an order, the visits of its customers, and what providers tell of it.
"""

from __future__ import annotations

import datetime as dt

from attrs import define, field, frozen

from paybylink import Order
from paybylink.checkout import Capture
from paybylink.kinds import LinkKind

from .receiver import Call


@define(eq=False)
class Attempt:
    """
    A customer's visit to a provider's page.

    Attributes:
        state: what really is: ``paid``, ``failed``, ``under way``, ``reserved`` or ``given up``.
        ids: the payment's id at each provider.
        days: how long it has been under way.
        refunds: the references of what was sent back.
        disputes: the dispute's id at each provider, where it is contested.
    """

    state: str
    ids: dict[str, str]
    days: float = 0
    refunds: list[str] = field(factory=list)
    disputes: dict[str, str] = field(factory=dict)


@define(eq=False)
class Deal:
    """
    An order, and what was made of it.

    Attributes:
        order, kind, expires_in: as it is asked for now.
        vendors: where it can be had.
        pages: the ids of its links at each provider, oldest first.
        brief: those of Stripe's pages that are sessions: nobody can finish one that has ended.
        blind: it was closed while money was on its way that could not be known of everywhere, or not at the same
            moment everywhere.
        rebuilt: a session was used up by money that never came, so that Stripe has a page more.
    """

    order: Order
    kind: LinkKind
    expires_in: dt.timedelta
    vendors: tuple[str, ...]
    pages: dict[str, list[str]]
    brief: set[str] = field(factory=set)
    attempts: list[Attempt] = field(factory=list)
    blind: bool = False
    rebuilt: bool = False

    @property
    def manual(self) -> bool:
        """Whether money is only reserved until the merchant takes it."""
        return self.order.checkout.capture is Capture.MANUAL

    def having(self, *states: str) -> list[Attempt]:
        """The attempts in one of these states."""
        return [attempt for attempt in self.attempts if attempt.state in states]


@frozen
class News:
    """What a provider told, of which deal (None of time that passed), and at which step of the story."""

    step: int
    deal: Deal | None
    call: Call
