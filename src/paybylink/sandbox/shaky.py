"""
The door of the sandbox: it writes the log of requests and acts out faults.

Every request but those to the control routes passes here. A fault on the way is acted out for real: the
connection is held, or the socket is closed under the client, because a client that only ever met tidy errors has
not met any. `paybylink.sandbox.cuttable` lends the means to cut a connection through the ASGI scope (key `CUT` in
``extensions``); without a server, as under `httpx.ASGITransport`, a cut is raised as `ConnectionResetError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import REMEMBER_INSTEAD, FalseReply, Vendor

#: The ASGI extension: called with ``reset=True`` or ``False``, it cuts the connection without a reply.
CUT = "paybylink.sandbox.cut"

_UNTOUCHED = ("/sandbox/",)


class Door:
    """
    The ASGI application in front of all others.

    Args:
        app: what lies behind.
        engine: the state, with its faults and its log.
        routes: the routes of `app`, for faults that name one.
        vendors: whose APIs lie there; each says what its false replies look like.
    """

    def __init__(
        self, app: ASGIApp, engine: Engine, routes: Iterable[BaseRoute], vendors: Iterable[Vendor]
    ) -> None:
        self._app = app
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._engine = engine
        self._routes = list(routes)
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let go of every connection that a fault holds."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail to."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(_UNTOUCHED):
            await self._app(scope, receive, send)
            return
        with self._engine.transaction():
            fault = faults.take(
                self._engine, faults.REQUEST, path, self._route(scope), method=scope["method"]
            )
            entry = self._logged(scope, fault)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                _ = self._engine.put("request", {**entry, "status": message["status"]})
            await send(message)

        if fault is None:
            await self._app(scope, receive, noting)
        elif fault["kind"] == "status":
            await self._false_reply(fault, scope, receive, noting)
        else:
            await self._no_reply(fault, scope, receive)

    def _logged(self, scope: Scope, fault: Document | None) -> Document:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return self._engine.put(
            "request",
            {
                "id": self._engine.new_id("log_", 12),
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "idempotency_key": headers.get("idempotency-key"),
                "status": None,
                "fault": fault["kind"] if fault else None,
            },
        )

    def _route(self, scope: Scope) -> str:
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return str(getattr(route, "name", ""))
        return ""

    async def _false_reply(self, fault: Document, scope: Scope, receive: Receive, send: Send) -> None:
        status = fault["status"] or 500
        vendor = self._vendors.get(scope["path"].split("/")[1])
        reply = _nobodys(status) if vendor is None else vendor.false_reply(self._engine, status)
        content = fault["text"].encode() or json.dumps(reply.body, indent=2).encode()
        if fault["stored"]:
            scope[REMEMBER_INSTEAD] = (status, reply.body)
        if fault["work"] or fault["stored"]:
            await self._app(scope, receive, _nowhere)
        headers = {
            "content-type": "application/json",
            **{name.lower(): value for name, value in reply.headers.items()},
            **({"content-type": "text/html; charset=utf-8"} if fault["text"] else {}),
            "content-length": str(len(content)),
            **{name.lower(): value for name, value in fault["headers"].items()},
        }
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})

    async def _no_reply(self, fault: Document, scope: Scope, receive: Receive) -> None:
        if fault["kind"].endswith("_after"):
            await self._app(scope, receive, _nowhere)
        if fault["kind"].startswith("timeout"):
            await self._hold(receive, fault["seconds"])
        cut = scope.get("extensions", {}).get(CUT)
        if cut is None:
            raise ConnectionResetError(f"the sandbox cut the connection, as the fault {fault['kind']} asks")
        cut(reset=fault["kind"].startswith("reset"))
        await _gone(receive)

    async def _hold(self, receive: Receive, seconds: float) -> None:
        leaving = asyncio.ensure_future(_gone(receive))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            _ = await asyncio.wait({leaving, closing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (leaving, closing):
                _ = waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    _ = await waiting


def _nobodys(status: int) -> FalseReply:
    return FalseReply(
        {"error": {"message": "Something went wrong on the sandbox's end.", "status": status}}, {}
    )


async def _nowhere(_: Message) -> None:
    """The reply that nobody hears."""


async def _gone(receive: Receive) -> None:
    """Return once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
