"""
Requests over the standard library's `http.client`: the quicker way for synchronous doors.

httpx's transport parses replies in Python and walks its pool for each request. It costs three times as much, and
carrying a request would cost more than everything else of a call together. What comes out is the same: an
`httpx.Response`, or one of httpx's errors.

Which error decides whether money can have moved, so it is told from where the request stood:

Rule 1: surely not sent is only what goes wrong before there is a connection, its TLS included. Whatever comes later
        counts as sent.
Rule 2: nothing is repeated here, and nothing is written into a connection that looks dead: one that the server has
        closed or written to since, or that nobody used for a while, is thrown away.
Rule 3: a request leaves as it was written. No header is added, no cookie kept, no redirect followed.
Rule 4: what is raised has no cause and no context, so nothing of the reply can be printed with it.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import defaultdict, deque
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final, TypeAlias

import httpx

from .http import Patience, trusted

Origin: TypeAlias = tuple[str, str, int | None]

#: As many connections as httpx would keep, for as long: a stale one makes an unknown outcome.
_MOST_KEPT: Final = 20
_KEPT_SECONDS: Final = 5.0
#: What sockets, TLS and `http.client` raise.
_CAUGHT: Final = (OSError, HTTPException, ValueError)


class _Connection(HTTPConnection):
    """Sends head and body in one piece: in two they would be two system calls, two packets and two TLS records."""

    _parts: list[bytes] | None = None

    def send(self, data: Any) -> None:
        """Send `data`, or keep it until the request is whole."""
        if self._parts is None:
            super().send(data)
        else:
            self._parts.append(data)

    def send_whole(self, body: bytes | None) -> None:
        """Send the head that was put, with the body."""
        self._parts = []
        self.endheaders(body)
        parts, self._parts = self._parts, None
        self.send(b"".join(parts))


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class OverSockets:
    """
    Connections that are kept, for any number of threads.

    Args:
        patience: how long connecting and each reply may take.
    """

    def __init__(self, patience: Patience) -> None:
        self._connect_seconds, self._reply_seconds = patience.connect_seconds, patience.reply_seconds
        self._tls: ssl.SSLContext | None = None
        # The one used last is taken first. What a thread has taken out is nobody else's.
        self._kept: defaultdict[Origin, deque[tuple[float, _Connection]]] = defaultdict(deque)
        self._closed = False

    def send(self, request: httpx.Request, *, follow_redirects: bool = False) -> httpx.Response:
        """
        What came back for `request`, read to its end.

        Args:
            follow_redirects: there is only False; httpx's clients have it too.

        Raises:
            httpx.RequestError: see the rules above.
        """
        origin = (request.url.scheme, request.url.host, request.url.port)
        trouble: httpx.RequestError
        try:
            connection = self._take(origin) or self._connect(origin)
        except _CAUGHT as error:
            trouble = _unsent(error)
        else:
            try:
                reply = _ask(connection, request)
                body = reply.read()
            except _CAUGHT as error:
                connection.close()
                trouble = _lost(error)
            except BaseException:
                connection.close()
                raise
            else:
                self._keep(origin, connection)
                headers = [
                    (name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.getheaders()
                ]
                return httpx.Response(reply.status, headers=headers, content=body, request=request)
        raise trouble

    def close(self) -> None:
        """Close every connection that is kept; one in use is closed after its reply."""
        self._closed = True
        for origin in list(self._kept):
            while (connection := self._take(origin)) is not None:
                connection.close()

    def _connect(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        if scheme not in ("http", "https") or not host:
            # An empty host would be this machine.
            raise ValueError("no address of the web")
        connection: _Connection
        if scheme == "http":
            connection = _Connection(host, port or 80, timeout=self._connect_seconds)
        else:
            if self._tls is None:
                # Two threads may both make one; they are equal.
                self._tls = trusted()
            connection = _TlsConnection(host, port or 443, timeout=self._connect_seconds, context=self._tls)
        # By itself it would connect anew in the middle of a request.
        connection.auto_open = 0
        try:
            connection.connect()
            connected: socket.socket = connection.sock
            connected.settimeout(self._reply_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    def _take(self, origin: Origin) -> _Connection | None:
        """A kept connection that is alive; None where there is none."""
        kept = self._kept[origin]
        # It is empty, perhaps because another thread was quicker.
        with suppress(IndexError):
            while True:
                since, connection = kept.pop()
                if time.monotonic() - since < _KEPT_SECONDS and _silent(connection.sock):
                    return connection
                connection.close()
        return None

    def _keep(self, origin: Origin, connection: _Connection) -> None:
        kept = self._kept[origin]
        # The reply may have said that the connection ends with it, and `http.client` has then closed it.
        if self._closed or connection.sock is None or len(kept) >= _MOST_KEPT:
            connection.close()
        else:
            kept.append((time.monotonic(), connection))


def _ask(connection: _Connection, request: httpx.Request) -> HTTPResponse:
    """The head of the reply."""
    target = request.url.raw_path.decode("ascii")
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.raw:
        connection.putheader(name.decode("ascii"), value)
    connection.send_whole(request.read() or None)
    reply = connection.getresponse()
    if reply.status < 200:
        # `http.client` passes over 100 only; after any other the reply itself would be taken for the next one's.
        raise HTTPException("an answer before the answer")
    return reply


def _silent(connected: socket.socket) -> bool:
    """Whether nothing has come since the last reply: neither an end, nor what nobody asked for."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected, select.POLLIN)
        return not poll.poll(0)
    return not select.select([connected], [], [], 0)[0]


def _unsent(error: Exception) -> httpx.RequestError:
    """What httpx calls an `error` before there was a connection."""
    name = type(error).__name__
    if isinstance(error, TimeoutError):
        return httpx.ConnectTimeout(name)
    return httpx.ConnectError(name) if isinstance(error, OSError) else httpx.UnsupportedProtocol(name)


def _lost(error: Exception) -> httpx.RequestError:
    """What httpx calls an `error` after that."""
    name = type(error).__name__
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(name)
    if isinstance(error, HTTPException):
        return httpx.RemoteProtocolError(name)
    return httpx.ReadError(name) if isinstance(error, OSError) else httpx.LocalProtocolError(name)
