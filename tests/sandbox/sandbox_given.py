"""What the tests of the sandbox have in common: a link to make, and an endpoint that listens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field


def link_params(**changes: Any) -> Any:
    """The parameters of a link over 49.90 EUR, usable once; `Any`, since they also go wrong on purpose."""
    return {
        "line_items": [
            {
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 4990,
                    "product_data": {"name": "Logo design"},
                },
                "quantity": 1,
            }
        ],
        "metadata": {"order": "INV-2026-031"},
        "payment_intent_data": {"metadata": {"order": "INV-2026-031"}, "description": "Logo design"},
        "restrictions": {"completed_sessions": {"limit": 1}},
        **changes,
    }


@define
class Listener:
    """
    An endpoint on this machine that keeps what it is told.

    Attributes:
        url: its address.
        heard: body and (Stripe's) signature header of each call, in order.
        headers: all headers of each call, in order.
        answers: statuses to answer with, first to last; 200 when none is left.
    """

    url: str
    heard: list[tuple[bytes, str]] = field(factory=list)
    headers: list[dict[str, str]] = field(factory=list)
    answers: list[int] = field(factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it was told, as JSON."""
        return [json.loads(body) for body, _ in self.heard]

    @property
    def types(self) -> list[str]:
        """The types of what it was told."""
        return [event["type"] for event in self.events]


@contextmanager
def listening() -> Iterator[Listener]:
    """A `Listener` that listens for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((body, self.headers["Stripe-Signature"]))
            listener.headers.append(dict(self.headers.items()))
            self.send_response(listener.answers.pop(0) if listener.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}/webhooks/stripe")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
