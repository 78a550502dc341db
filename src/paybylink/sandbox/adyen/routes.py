"""
The Adyen half of the sandbox as ASGI routes: keys, JSON, idempotency, errors.

Each request is one transaction: check the key, look for a remembered reply, run the action, remember its reply.

Rule 1: any key opens it that has 8 characters and does not say ``wrong``; one that says ``norole`` is let in and may
        do nothing. Basic auth does as well, by the same rule for its password.
Rule 2: an idempotency key belongs to the whole company, whatever key of the API came with it, and lives 7 days. A
        reply that came with one says so in a header of its own.
Rule 3: another body under a known key is refused. (Adyen does not say what it does; this is the side that shows a
        client's mistake.)
Rule 4: only work that was done is remembered; a refusal is not, and can be tried again.
Source: docs.adyen.com, "API idempotency", "API credentials"; Adyen's OpenAPI document of Checkout v72.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paybylink.sandbox.adyen import balance, links, methods, modifications, payments
from paybylink.sandbox.adyen.call import Call
from paybylink.sandbox.adyen.shapes import METHODS
from paybylink.sandbox.adyen.wire import Problem, decode, unreadable
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import REMEMBER_INSTEAD

Action: TypeAlias = Callable[[Call], Document]

KIND = "adyen.idempotency"

_LIFE = 7 * 86400
_VERSION = "/v72"


def _payment_methods(call: Call) -> Document:
    """POST /paymentMethods."""
    values = call.values(METHODS)
    offered = methods.offered(
        (values.get("amount") or {}).get("currency"),
        values.get("countryCode"),
        values.get("allowedPaymentMethods"),
        values.get("blockedPaymentMethods"),
    )
    return {"paymentMethods": [methods.shown(way) for way in offered]}


#: Every endpoint: the name that faults go by, the method, the path, the status of success and the action.
ENDPOINTS: tuple[tuple[str, str, str, int, Action], ...] = (
    ("payment_links.create", "POST", "/paymentLinks", 201, links.create),
    ("payment_links.fetch", "GET", "/paymentLinks/{link}", 200, links.fetch),
    ("payment_links.update", "PATCH", "/paymentLinks/{link}", 200, links.update),
    ("payment_methods", "POST", "/paymentMethods", 200, _payment_methods),
    *(
        (path, "POST", f"/payments/{{payment}}/{path}", 201, modifications.asking(path))
        for path in ("captures", "cancels", "refunds", "reversals")
    ),
)


def adyen_routes(engine: Engine, *, prefix: str = "/adyen") -> list[Route]:
    """The routes below `prefix`, with the reports and a last one that answers whatever is not there."""

    async def download(request: Request) -> Response:
        try:
            _ = _check_key(request)
        except Problem as problem:
            return _said(problem.status, problem.body(engine), {"WWW-Authenticate": "Basic"})
        name = f"{request.path_params['account']}/{request.path_params['name']}"
        content = engine.content(balance.BATCH, name)
        if content is None:
            return _said(404, Problem("There is no such report.", status=404).body(engine), {})
        return Response(content, 200, {}, "text/csv; charset=utf-8")

    async def unknown(_: Request) -> Response:
        return _said(404, Problem("Unknown endpoint.", status=404).body(engine), {})

    routes = [
        Route(
            prefix + _VERSION + path,
            _endpoint(engine, action, status),
            methods=[method],
            name=f"adyen.{name}",
        )
        for name, method, path, status, action in ENDPOINTS
    ]
    return [
        *routes,
        Route(
            f"{prefix}/reports/download/MerchantAccount/{{account}}/{{name}}",
            download,
            methods=["GET"],
            name="adyen.reports",
        ),
        Route(
            prefix + "/{rest:path}",
            unknown,
            methods=["GET", "POST", "DELETE", "PUT", "PATCH"],
            name="adyen.unknown",
        ),
    ]


def _said(status: int, body: Document, headers: dict[str, str]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers, "application/json")


def _endpoint(engine: Engine, action: Action, success: int) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        headers: dict[str, str] = {}
        try:
            status, reply, keyed = _answer(engine, action, request, body, success)
        except Problem as problem:
            status, reply, keyed = problem.status, problem.body(engine), False
        if "pspReference" in reply:
            headers["pspReference"] = reply["pspReference"]
        if keyed:
            headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
        public = {name: value for name, value in reply.items() if not name.startswith("_")}
        return _said(status, public, headers)

    return endpoint


def _answer(
    engine: Engine, action: Action, request: Request, body: bytes, success: int
) -> tuple[int, Document, bool]:
    secret = _check_key(request)
    if "norole" in secret:
        raise Problem("Not allowed", code="010", status=403, kind="security")
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is not None and not 1 <= len(key) <= 64:
        raise Problem("The Idempotency-Key must be 1 to 64 characters long.")
    if request.method != "GET" and not request.headers.get("Content-Type", "").startswith("application/json"):
        raise unreadable("The request is not sent as application/json.")
    asked = {} if request.method == "GET" else decode(body)
    same = json.dumps([request.method, request.url.path, asked], sort_keys=True)
    digest = hashlib.sha256(same.encode()).hexdigest()
    with engine.transaction():
        links.expire_due(engine)
        payments.do_due(engine)
        if key is not None:
            remembered = engine.get(KIND, key)
            if remembered is not None and remembered["created"] + _LIFE > engine.timestamp():
                if remembered["digest"] != digest:
                    raise Problem("The Idempotency-Key was used before with another request.")
                return remembered["code"], remembered["reply"], True
        reply = action(Call(engine, asked, request.path_params))
        if key is not None:
            code, kept = request.scope.get(REMEMBER_INSTEAD) or (success, reply)
            _ = engine.put(
                KIND,
                {"id": key, "digest": digest, "created": engine.timestamp(), "code": code, "reply": kept},
            )
    return success, reply, key is not None


def _check_key(request: Request) -> str:
    secret = request.headers.get("X-API-Key", "") or _password(request.headers.get("Authorization", ""))
    if len(secret) < 8 or "wrong" in secret:
        raise Problem("HTTP Status Response - Unauthorized", code="000", status=401, kind="security")
    return secret


def _password(authorization: str) -> str:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
