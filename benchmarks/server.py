"""
A loopback server in a process of its own that answers as the vendors do, at next to no cost and without waiting.

It takes any number of connections, reads one request after the other from each, and writes what `answers` makes of
it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def make_certificate(folder: Path) -> Path:
    """A certificate for this machine, with its key in the same file."""
    made = folder / "localhost.pem"
    _ = subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *(
                "-addext",
                "subjectAltName=DNS:localhost",
                "-keyout",
                str(made),
                "-out",
                str(folder / "public.pem"),
            ),
        ],
        check=True,
        capture_output=True,
    )
    _ = made.write_text(made.read_text() + (folder / "public.pem").read_text())
    return made


def _serve(listener: socket.socket, certificate: Path | None) -> None:
    async def forever() -> None:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        server = await asyncio.get_running_loop().create_server(_Talk, sock=listener, ssl=context)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def running(certificate: Path | None = None) -> Iterator[str]:
    """
    The base address of the server, which serves until the block ends.

    Args:
        certificate: for TLS; None for clear text.
    """
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(listener, certificate), daemon=True
    )
    port = listener.getsockname()[1]
    process.start()
    listener.close()
    try:
        yield f"http://127.0.0.1:{port}" if certificate is None else f"https://localhost:{port}"
    finally:
        process.terminate()
        process.join()
