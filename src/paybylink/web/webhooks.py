"""
Webhooks: raw bytes in, the provider's answer out.

``/webhooks/{name}`` is the default tenant's; ``/webhooks/{tenant}/{name}`` is kept for one with a name. Whatever
is not configured is 404, so that a guess teaches nothing.

The body is read up to a limit and is never parsed here: a signature is over bytes. When the store cannot keep an
event, the answer is 503, and the provider tells it again.
"""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import PaybylinkError

from .calls import receive

log = logging.getLogger("paybylink.web")

#: A webhook is a few kilobytes; what is larger is none.
MAX_BODY = 1024 * 1024

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(pay: PayByLink | AsyncPayByLink) -> list[Route]:
    """The routes under which `pay` is told what happened."""
    names = {provider.name for provider in pay.journeys.providers}
    tenant = pay.journeys.tenant

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in names or request.path_params.get("tenant", tenant) != tenant:
            return _plain(404, b"no such webhook")
        try:
            body = await _body(request)
        except ClientDisconnect:
            return _plain(400, b"incomplete")
        if body is None:
            return _plain(413, b"too large")
        try:
            reply = await receive(pay, name, headers=request.headers, body=body, query=request.url.query)
        except PaybylinkError as error:
            log.error("a webhook of %s was not taken: %s", name, error.code)
            return _plain(503, b"not taken, tell it again")
        return _plain(reply.status, reply.body)

    return [
        Route("/webhooks/{name}", answer, methods=["POST"]),
        Route("/webhooks/{tenant}/{name}", answer, methods=["POST"]),
    ]


async def _body(request: Request) -> bytes | None:
    """The raw body; None if it is larger than any webhook."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BODY:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _plain(status: int, body: bytes) -> Response:
    return Response(body, status, _HEADERS, media_type="text/plain")
