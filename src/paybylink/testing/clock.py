"""
A clock that stands still until a test moves it.

It fits every place where the library asks for the time: ``clock=clock`` of a `PayByLink`, and ``clock=clock,
monotonic=clock.monotonic, sleep=clock.sleep`` of `Doors` (``sleep=clock.asleep`` of `AsyncDoors`), where waiting
then takes no time at all.
"""

from __future__ import annotations

import datetime as dt

from paybylink.errors import InvalidInput

_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Clock:
    """
    The moment, as a test says.

    Args:
        now: where it starts; aware. Left out, 1 January 2026.

    Attributes:
        waits: every wait so far, in seconds.

    Raises:
        InvalidInput: `now` has no time zone.

    Example:
        ```python
        clock = Clock()
        pay = PayByLink(..., clock=clock)
        clock.advance(days=8)
        ```
    """

    def __init__(self, now: dt.datetime = _START) -> None:
        self._now = _aware(now)
        self._passed = 0.0
        self.waits: list[float] = []

    def __call__(self) -> dt.datetime:
        """The moment, aware and in UTC."""
        return self._now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """
        Let time pass.

        Raises:
            InvalidInput: a negative span; `move_to` sets the clock back.
        """
        span = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span < dt.timedelta(0):
            raise InvalidInput.single("seconds", "are negative", "use move_to() to set the clock back")
        self._passed += span.total_seconds()
        self._now += span

    def move_to(self, now: dt.datetime) -> None:
        """
        Set the clock, forth or back, as an administrator does; `monotonic` does not notice.

        Raises:
            InvalidInput: `now` has no time zone.
        """
        self._now = _aware(now)

    def monotonic(self) -> float:
        """Seconds that have passed since the clock was made; never falls."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass at once, and note them in `waits`."""
        self.waits.append(seconds)
        self.advance(seconds=seconds)

    async def asleep(self, seconds: float) -> None:
        """The same, awaited."""
        self.sleep(seconds)


def _aware(moment: dt.datetime) -> dt.datetime:
    if moment.utcoffset() is None:
        raise InvalidInput.single(
            "now", "has no time zone", "use an aware datetime such as datetime.now(UTC)"
        )
    return moment.astimezone(dt.UTC)
