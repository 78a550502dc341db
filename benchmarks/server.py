"""
A loopback server in a process of its own that answers as the vendors do, at next to no cost and without waiting.

It takes any number of connections, reads one request after the other from each, and writes what `answers` makes of
it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from .answers import answer

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_bench\r\nContent-Length: %d\r\n\r\n"


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._waiting += data
        while True:
            head, found, rest = self._waiting.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._waiting = rest[length:]
            told = answer(head.split(b" ", 2)[1].decode(), rest[:length])
            self._transport.write(_HEAD % len(told) + told)


def _serve(listener: socket.socket) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(_Talk, sock=listener)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def running() -> Iterator[str]:
    """The base address of the server, which serves until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
    port = listener.getsockname()[1]
    process.start()
    listener.close()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()
