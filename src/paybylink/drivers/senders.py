"""
What carries a request where the host brought no client of its own.

An httpx client does much that is not asked for here: a request comes whole, goes once, follows nothing and keeps no
cookie. So requests go straight to httpx's transport, which saves a fifth of what a call costs; and asynchronous
ones over aiohttp where it is installed (`over_aiohttp`).

Where the environment names a proxy (``HTTPS_PROXY`` and its like), an httpx client is used as it is: it knows how to
go through one, and for which addresses not to.
"""

from __future__ import annotations

from typing import Protocol
from urllib.request import getproxies

import httpx

from .http import Patience


class Sender(Protocol):
    """What the doors need of a client; `httpx.Client` has it."""

    def send(self, request: httpx.Request, *, follow_redirects: bool) -> httpx.Response: ...

    def close(self) -> None: ...


class AsyncSender(Protocol):
    """The same, awaited; `httpx.AsyncClient` has it."""

    async def send(self, request: httpx.Request, *, follow_redirects: bool) -> httpx.Response: ...

    async def aclose(self) -> None: ...


class Straight:
    """httpx's transport without a client in front of it; follows no redirect."""

    def __init__(self, patience: Patience) -> None:
        self._timeout = patience.timeout().as_dict()
        self._transport = httpx.HTTPTransport()

    def send(self, request: httpx.Request, *, follow_redirects: bool) -> httpx.Response:
        """What came back, read to its end."""
        request.extensions["timeout"] = self._timeout
        response = self._transport.handle_request(request)
        response.request = request
        try:
            _ = response.read()
        finally:
            response.close()
        return response

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()


class AsyncStraight:
    """The same, awaited."""

    def __init__(self, patience: Patience) -> None:
        self._timeout = patience.timeout().as_dict()
        self._transport = httpx.AsyncHTTPTransport()

    async def send(self, request: httpx.Request, *, follow_redirects: bool) -> httpx.Response:
        """What came back, read to its end."""
        request.extensions["timeout"] = self._timeout
        response = await self._transport.handle_async_request(request)
        response.request = request
        try:
            _ = await response.aread()
        finally:
            await response.aclose()
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def open_sender(patience: Patience) -> Sender:
    """A sender of our own, to be closed by whoever opened it."""
    return httpx.Client(timeout=patience.timeout()) if _proxied() else Straight(patience)


def open_async_sender(patience: Patience) -> AsyncSender:
    """The same, awaited; the quickest that is there."""
    if _proxied():
        return httpx.AsyncClient(timeout=patience.timeout())
    try:
        from .over_aiohttp import OverAiohttp
    except ImportError:
        return AsyncStraight(patience)
    return OverAiohttp(patience)


def _proxied() -> bool:
    return not {"http", "https", "all"}.isdisjoint(getproxies())
