"""
Requests over aiohttp: the quicker way for asynchronous doors, where many are in flight.

httpx's own pool walks every connection and every waiting request for each request, so that its rate falls to a third
at 100 in flight. aiohttp's does not. What comes out is the same: an `httpx.Response`, or one of httpx's errors.

Which error decides whether money can have moved, so it is told from where aiohttp stood:

Rule 1: surely not sent is only what aiohttp says of connecting (`ClientConnectorError`, `ConnectionTimeoutError`) or
        of an address. Whatever comes later, and whatever is not known here, counts as sent.
Rule 2: nothing is repeated here. By itself aiohttp sends a GET, PUT or DELETE again where a kept connection breaks; a
        middleware turns the break into an error that it does not know.
Rule 3: a request leaves as it was written. No header is added (but the length of an empty body), no cookie kept,
        no redirect followed, no address spelled anew.
Rule 4: what is raised has no cause and no context. aiohttp's errors hold the request's headers, and print them.
"""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp
import httpx
from yarl import URL

from .http import Patience, trusted

#: As many connections as httpx would open, kept as long: a stale one makes an unknown outcome.
_MOST: Final = 100
_KEPT_SECONDS: Final = 5.0
#: What aiohttp would add where a request has none.
_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

#: What can go wrong → what httpx calls it; the first that fits.
_TOLD: Final[tuple[tuple[type[Exception], type[httpx.RequestError]], ...]] = (
    # Surely not sent
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    # Perhaps sent
    (aiohttp.SocketTimeoutError, httpx.ReadTimeout),
    (TimeoutError, httpx.WriteTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
    (OSError, httpx.ReadError),
    # A header that cannot be one
    (ValueError, httpx.LocalProtocolError),
)
_CAUGHT: Final = (aiohttp.ClientError, OSError, ValueError)


class OverAiohttp:
    """
    One pool of connections, for one event loop.

    Args:
        patience: how long connecting and each reply may take.
    """

    def __init__(self, patience: Patience) -> None:
        self._timeout = aiohttp.ClientTimeout(
            # Waiting for a free connection included.
            connect=patience.connect_seconds,
            sock_connect=patience.connect_seconds,
            sock_read=patience.reply_seconds,
        )
        # aiohttp has no limit for writing; this one ends with the head of the reply.
        self._head_seconds = patience.connect_seconds + 2 * patience.reply_seconds
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: httpx.Request, *, follow_redirects: bool = False) -> httpx.Response:
        """
        What came back for `request`, read to its end.

        Args:
            follow_redirects: there is only False; httpx's clients have it too.

        Raises:
            httpx.RequestError: see the rules above.
        """
        session = self._session or self._open()
        try:
            async with asyncio.timeout(self._head_seconds):
                reply = await session.request(
                    request.method,
                    URL(str(request.url), encoded=True),
                    headers=[
                        (name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw
                    ],
                    data=await request.aread() or None,
                    allow_redirects=follow_redirects,
                    timeout=self._timeout,
                )
            body = await reply.read()
        except httpx.RequestError as error:
            trouble = error
        except _CAUGHT as error:
            trouble = _told(error)
        else:
            return httpx.Response(reply.status, headers=reply.raw_headers, content=body, request=request)
        raise trouble

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_MOST, keepalive_timeout=_KEPT_SECONDS, ssl=trusted()),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_ADDED,
            middlewares=(_once,),
        )
        return self._session

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Rule 2."""
    try:
        return await handler(request)
    except _CAUGHT as error:
        trouble = _told(error)
    raise trouble


def _told(error: Exception) -> httpx.RequestError:
    """What httpx calls `error`; only the name of its class is repeated."""
    told = next(ours for theirs, ours in _TOLD if isinstance(error, theirs))
    return told(type(error).__name__)
