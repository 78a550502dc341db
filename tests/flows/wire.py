"""
A server of bytes: it does with each request what it is told, as vendors do on a bad day.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from attrs import define, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#: Instead of bytes: close the connection, by the book or at once, or say nothing at all.
CLOSE, RESET, SILENCE = "close", "reset", "silence"


@define
class Wire:
    """
    What arrived at the server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        requests: every request, byte for byte, with the number of its connection.
        closed: one release for each connection that its client has closed.
    """

    port: int = 0
    requests: list[tuple[int, bytes]] = field(factory=list)
    arrived: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))
    closed: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/links"


@contextmanager
def wire(
    *answers: bytes | str | Sequence[bytes | str], context: ssl.SSLContext | None = None
) -> Iterator[Wire]:
    """
    The server; each request is answered by the next of `answers`, then with 200.

    Args:
        answers: bytes, one of the words above, or several of them in turn.
        context: for TLS; None for clear text.
    """
    told, wanted = Wire(), list(answers)
    open_: list[socket.socket] = []

    def talk(connection: socket.socket, number: int) -> None:
        # A client that goes away, and a handshake that fails, are what the tests are about.
        with suppress(OSError), ExitStack() as stack:
            _ = stack.enter_context(connection)
            if context is not None:
                connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
                open_.append(connection)
            while (request := _request(connection)) is not None:
                told.requests.append((number, request))
                answer = wanted.pop(0) if wanted else OK
                told.arrived.release()
                for part in [answer] if isinstance(answer, bytes | str) else answer:
                    if isinstance(part, bytes):
                        connection.sendall(part)
                    elif part == RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    elif part == CLOSE:
                        return
            told.closed.release()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_.append(connection)
                threads.append(threading.Thread(target=talk, args=(connection, len(threads)), daemon=True))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told.port = listener.getsockname()[1]
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield told
        finally:
            # Closing alone does not wake a thread that waits in the kernel.
            for one in (listener, *open_):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
            for one in open_:
                one.close()


def _request(connection: socket.socket) -> bytes | None:
    """The next request; None when the client has gone."""
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        if found:
            lengths = [
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ]
            if len(body) >= sum(lengths):
                return received
        more = connection.recv(65536)
        if not more:
            return None
        received += more
