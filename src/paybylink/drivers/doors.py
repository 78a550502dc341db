"""
The doors through which effects leave: HTTP, mail, and the store.

A `Doors` is safe for threads and rebuilds its connections after a fork. An `AsyncDoors` belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, closing
from typing import Protocol

import httpx

from paybylink.errors import UnsupportedCapability
from paybylink.flow import Batch, Envelope, MailReply, Rows

from .http import Attempts, Patience, logged_by_us
from .mail import asend_mail, send_mail
from .senders import AsyncSender, Sender, open_async_sender, open_sender


class Vault(Protocol):
    """Where batches are performed. `lent` says that the host commits, and when is not ours to know."""

    @property
    def lent(self) -> bool: ...

    def perform(self, batch: Batch) -> tuple[Rows, ...]: ...

    def close(self) -> None: ...


class AsyncVault(Protocol):
    """The same, awaited."""

    @property
    def lent(self) -> bool: ...

    async def perform(self, batch: Batch) -> tuple[Rows, ...]: ...

    async def aclose(self) -> None: ...


def utc_now() -> dt.datetime:
    """The moment, aware and in UTC."""
    return dt.datetime.now(dt.UTC)


def no_store(feature: str) -> UnsupportedCapability:
    """The error for what cannot be done with ``store=None``."""
    return UnsupportedCapability(
        "store=None", feature, 'it has to be remembered; pass store="sqlite:///shop.db"'
    )


class Doors:
    """
    The synchronous doors.

    Args:
        vault: performs batches; None is stateless.
        http: the host's own client; it is not closed by us. None opens a sender of our own on first use.
        patience: timeouts and attempts.
        clock, monotonic, sleep, jitter: time and chance, replaceable in tests.
    """

    def __init__(
        self,
        *,
        vault: Vault | None,
        http: Sender | None = None,
        patience: Patience | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.vault = vault
        self.patience = patience or Patience()
        self.clock, self._monotonic, self._sleep, self._jitter = clock, monotonic, sleep, jitter
        self._hosts_own = http
        # By process: a child of a fork never speaks on its parent's connections.
        self._made: dict[int, Sender] = {}

    @property
    def lent(self) -> bool:
        """Whether the store's connection belongs to the host."""
        return self.vault is not None and self.vault.lent

    def deadline(self) -> float:
        """When a journey that begins now has to end, on the monotonic clock."""
        return self._monotonic() + self.patience.journey_seconds

    def beside(self, vault: Vault) -> Doors:
        """Doors that share everything but the store."""
        return Doors(
            vault=vault,
            http=self._sender(),
            patience=self.patience,
            clock=self.clock,
            monotonic=self._monotonic,
            sleep=self._sleep,
            jitter=self._jitter,
        )

    def store(self, batch: Batch) -> tuple[Rows, ...]:
        """Perform a batch."""
        if self.vault is None:
            raise no_store("this call")
        return self.vault.perform(batch)

    def send(self, effect: httpx.Request | Envelope, deadline: float) -> httpx.Response | MailReply:
        """Send a request or a mail, and return what came back."""
        if isinstance(effect, Envelope):
            return send_mail(effect)
        attempts = Attempts(
            effect,
            patience=self.patience,
            deadline=deadline,
            clock=self.clock,
            monotonic=self._monotonic,
            jitter=self._jitter,
        )
        while True:
            attempts.begin()
            try:
                with logged_by_us():
                    if attempts.sending.fresh:
                        with closing(open_sender(self.patience)) as once:
                            response = once.send(effect, follow_redirects=False)
                    else:
                        response = self._sender().send(effect, follow_redirects=False)
            except httpx.RequestError as error:
                wait: float | None = attempts.failed(error)
            else:
                wait = attempts.answered(response)
                if wait is None:
                    return response
            self._sleep(wait or 0)

    def _sender(self) -> Sender:
        if self._hosts_own is not None:
            return self._hosts_own
        made = self._made.get(os.getpid())
        if made is None:
            ours = open_sender(self.patience)
            # Two threads may both open one at first; the earlier one is kept.
            made = self._made.setdefault(os.getpid(), ours)
            if made is not ours:
                ours.close()
        return made

    def close(self) -> None:
        """Close what we opened."""
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            made.close()
        if self.vault is not None:
            self.vault.close()


class AsyncDoors:
    """
    The asynchronous doors, for one event loop.

    Args:
        vault, http, patience, clock, monotonic, sleep, jitter: as on `Doors`.
    """

    def __init__(
        self,
        *,
        vault: AsyncVault | None,
        http: AsyncSender | None = None,
        patience: Patience | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.vault = vault
        self.patience = patience or Patience()
        self.clock, self._monotonic, self._sleep, self._jitter = clock, monotonic, sleep, jitter
        self._hosts_own = http
        # By process: a child leaves its parent's connections open, since closing them would reach the parent's loop.
        self._made: dict[int, AsyncSender] = {}

    @property
    def lent(self) -> bool:
        """Whether the store's connection belongs to the host."""
        return self.vault is not None and self.vault.lent

    def deadline(self) -> float:
        """When a journey that begins now has to end, on the monotonic clock."""
        return self._monotonic() + self.patience.journey_seconds

    def beside(self, vault: AsyncVault) -> AsyncDoors:
        """Doors that share everything but the store."""
        return AsyncDoors(
            vault=vault,
            http=self._sender(),
            patience=self.patience,
            clock=self.clock,
            monotonic=self._monotonic,
            sleep=self._sleep,
            jitter=self._jitter,
        )

    async def store(self, batch: Batch) -> tuple[Rows, ...]:
        """Perform a batch."""
        if self.vault is None:
            raise no_store("this call")
        return await self.vault.perform(batch)

    async def send(self, effect: httpx.Request | Envelope, deadline: float) -> httpx.Response | MailReply:
        """Send a request or a mail, and return what came back."""
        if isinstance(effect, Envelope):
            return await asend_mail(effect)
        attempts = Attempts(
            effect,
            patience=self.patience,
            deadline=deadline,
            clock=self.clock,
            monotonic=self._monotonic,
            jitter=self._jitter,
        )
        while True:
            attempts.begin()
            try:
                with logged_by_us():
                    if attempts.sending.fresh:
                        async with aclosing(open_async_sender(self.patience)) as once:
                            response = await once.send(effect, follow_redirects=False)
                    else:
                        response = await self._sender().send(effect, follow_redirects=False)
            except httpx.RequestError as error:
                wait: float | None = attempts.failed(error)
            else:
                wait = attempts.answered(response)
                if wait is None:
                    return response
            await self._sleep(wait or 0)

    def _sender(self) -> AsyncSender:
        if self._hosts_own is not None:
            return self._hosts_own
        made = self._made.get(os.getpid())
        if made is None:
            made = self._made[os.getpid()] = open_async_sender(self.patience)
        return made

    async def aclose(self) -> None:
        """Close what we opened."""
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            await made.aclose()
        if self.vault is not None:
            await self.vault.aclose()
