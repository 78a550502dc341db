"""
How a connection is cut under a client: uvicorn's HTTP/1.1 protocol, lending its transport to the application.

ASGI has no word for "hang up". Each connection therefore hands the application, in the scope's ``extensions``, a
function that closes the socket: plainly (the client reads an end of file where a status line should be) or, with
``reset=True``, after setting SO_LINGER to zero, which makes the kernel send RST, so that the client meets
"connection reset by peer" and nothing politer.
Source: ASGI 3, "Extensions"; socket(7), SO_LINGER.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from paybylink.sandbox.shaky import CUT


class CuttableProtocol(H11Protocol):
    """One HTTP connection whose application can cut it; quiet, whatever uvicorn's loggers are set to."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, object]) -> None:
        super().__init__(config, server_state, app_state)
        self.access_log = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lend the new connection's transport to the application."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self.app = _lending(self.app, transport)


def _lending(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    def cut(*, reset: bool) -> None:
        if reset:
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        transport.abort()

    async def lent(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[CUT] = cut
        await app(scope, receive, send)

    return lent
