"""
The sandbox's clock: real UTC, plus an offset that only ever changes on demand.

Links expire, idempotency keys are forgotten and sessions end by this clock and no other, so a host can let a
week pass in a moment. What waits for a machine rather than for the calendar (the retry of a webhook, a connection
held by a fault) runs on real time and does not notice. The offset is kept with the state of the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import define


def real_time() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@define
class Clock:
    """
    A clock that can be moved.

    Attributes:
        base: where real time comes from; a host's own clock may stand here.
        offset: how far this clock is ahead of `base`; negative when behind.
    """

    base: Callable[[], datetime] = real_time
    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The sandbox's present moment, aware, in UTC."""
        return self.base().astimezone(UTC) + self.offset

    def move(self, by: timedelta) -> datetime:
        """The new present moment, `by` later than before (earlier when negative)."""
        self.offset += by
        return self.now()
