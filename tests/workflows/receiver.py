"""
A tiny web server that keeps webhook calls as they came, so that a test can receive them when it wants to.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from attrs import frozen


@frozen
class Call:
    """One webhook call: its headers, its body, and the path and query of the address that was called."""

    headers: dict[str, str]
    body: bytes
    path: str = "/webhooks/stripe"
    query: str = ""

    @property
    def provider(self) -> str:
        """Whose it is."""
        return self.path.rpartition("/")[2]


class Receiver:
    """Answers 200 to everything and keeps it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {key.lower(): value for key, value in self.headers.items()}
                path, _, query = self.path.partition("?")
                receiver.calls.append(Call(headers, body, path, query))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base(self) -> str:
        """What stands for the shop's public address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Where Stripe's webhooks are to be sent."""
        return f"{self.base}/webhooks/stripe"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
