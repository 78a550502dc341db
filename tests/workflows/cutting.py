"""
Cutting a journey before and after each of its effects.

`CuttingDoors` stand in front of real doors, count what passes, keep a transcript, and raise `Cut` at one place.
`Cut` is no `Exception`, as a killed process raises none: whatever a journey would do on its way out, it cannot.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from attrs import define, field

from paybylink.drivers import AsyncDoors, Doors
from paybylink.flow import Batch, Envelope, MailReply, Rows


class Cut(BaseException):
    """The process ends here."""


@define
class Knife:
    """
    Where to cut, and what has passed.

    Attributes:
        at: the index of the effect, counted over the whole journey; None never cuts.
        after: cut after the effect happened instead of before.
        passed: the names of the effects so far.
    """

    at: int | None = None
    after: bool = False
    passed: list[str] = field(factory=list)

    def before_effect(self, effect: object) -> int:
        """Note the effect; cut if this is the place."""
        index = len(self.passed)
        self.passed.append(name_of(effect))
        if index == self.at and not self.after:
            raise Cut
        return index

    def after_effect(self, index: int) -> None:
        """Cut if this is the place."""
        if index == self.at and self.after:
            raise Cut


def name_of(effect: object) -> str:
    """What a transcript says of an effect."""
    if isinstance(effect, Batch):
        names = "+".join(step.statement.name for step in effect.steps)
        return f"{'fence' if effect.fence else 'batch'} {names}"
    if isinstance(effect, Envelope):
        return "mail"
    assert isinstance(effect, httpx.Request)
    # Ids differ from run to run.
    path = "/".join(
        "…" if any(char.isdigit() for char in part[2:]) else part for part in effect.url.path.split("/")
    )
    return f"{effect.method} {path}"


class CuttingDoors:
    """Synchronous doors with a knife."""

    def __init__(self, inner: Doors, knife: Knife) -> None:
        self.inner, self.knife = inner, knife

    @property
    def lent(self) -> bool:
        return self.inner.lent

    def deadline(self) -> float:
        return self.inner.deadline()

    def store(self, batch: Batch) -> tuple[Rows, ...]:
        index = self.knife.before_effect(batch)
        rows = self.inner.store(batch)
        self.knife.after_effect(index)
        return rows

    def send(self, effect: httpx.Request | Envelope, deadline: float) -> httpx.Response | MailReply:
        index = self.knife.before_effect(effect)
        reply = self.inner.send(effect, deadline)
        self.knife.after_effect(index)
        return reply

    def close(self) -> None:
        self.inner.close()


class AsyncCuttingDoors:
    """
    Asynchronous doors with a knife.

    With `cancel`, the place is not cut but hangs there until the awaiting task is cancelled, which is what a
    server does to a request whose client has gone.
    """

    def __init__(self, inner: AsyncDoors, knife: Knife, *, cancel: asyncio.Event | None = None) -> None:
        self.inner, self.knife, self.cancel = inner, knife, cancel

    @property
    def lent(self) -> bool:
        return self.inner.lent

    def deadline(self) -> float:
        return self.inner.deadline()

    async def store(self, batch: Batch) -> tuple[Rows, ...]:
        index = await self._before(batch)
        rows = await self.inner.store(batch)
        await self._after(index)
        return rows

    async def send(self, effect: httpx.Request | Envelope, deadline: float) -> httpx.Response | MailReply:
        index = await self._before(effect)
        reply = await self.inner.send(effect, deadline)
        await self._after(index)
        return reply

    async def _before(self, effect: object) -> int:
        try:
            return self.knife.before_effect(effect)
        except Cut:
            await self._hang()
            raise

    async def _after(self, index: int) -> None:
        try:
            self.knife.after_effect(index)
        except Cut:
            await self._hang()
            raise

    async def _hang(self) -> None:
        if self.cancel is not None:
            self.cancel.set()
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        await self.inner.aclose()


def put_in_front(pay: Any, knife: Knife, *, cancel: asyncio.Event | None = None) -> None:
    """Put the knife in front of the doors of a `PayByLink` or `AsyncPayByLink`."""
    doors = pay._doors
    pay._doors_made = (
        CuttingDoors(doors, knife)
        if isinstance(doors, Doors)
        else AsyncCuttingDoors(doors, knife, cancel=cancel)
    )
