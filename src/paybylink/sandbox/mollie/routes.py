"""
The Mollie half of the sandbox as ASGI routes: credentials, bodies, idempotency, errors.

Each request is one transaction: check the credentials, look for a remembered reply, run the action, remember its
reply. What a request changed and what it answered are therefore committed together.

Rule 1: a key counts on POST only. It is remembered with path and body for an hour of the sandbox's clock, and after
        that the same request makes a second thing.
Rule 2: another body under a known key is a 400.
        Requests run one after another, so the 409 for one that is still under way comes by a fault only.
Rule 3: only success is remembered; whether Mollie keeps refusals too is not documented.
Rule 4: an organisation token says which profile it means and that it means test mode: in the body, or in the query
        of a GET. An API key knows both already and must say neither.
Source: docs.mollie.com, "API idempotency" and "Authentication".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import evolve
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie import paying, refunds
from paybylink.sandbox.mollie.call import PROFILE, Call
from paybylink.sandbox.mollie.endpoints import ENDPOINTS, Endpoint
from paybylink.sandbox.mollie.wire import HAL, Problem, decode
from paybylink.sandbox.values import REMEMBER_INSTEAD

_LIFE = 3600
_SUCCESS = {"POST": 201, "DELETE": 204}
_METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT"]


def mollie_routes(engine: Engine, *, prefix: str = "/mollie") -> list[Route]:
    """The routes of the Mollie half below `prefix`, with a last one that answers whatever is not there."""
    routes = [
        Route(prefix + one.path, _endpoint(engine, one), methods=[one.method], name=f"mollie.{one.name}")
        for one in ENDPOINTS
    ]

    async def unknown(request: Request) -> Response:
        partly = any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes)
        return _refusal(
            Problem(f"{request.method} is not allowed here.", status=405)
            if partly
            else Problem(
                "There is nothing here. The sandbox knows what payment links need of Mollie's API.",
                status=404,
            )
        )

    return [*routes, Route(prefix + "/{rest:path}", unknown, methods=_METHODS, name="mollie.unknown")]


def expire_due(engine: Engine) -> None:
    """Do what the passing of time does: to attempts, and to refunds."""
    paying.expire_due(engine)
    refunds.advance(engine)


def _endpoint(engine: Engine, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            status, reply, replayed = _answer(engine, endpoint, request, body)
        except Problem as problem:
            return _refusal(problem)
        headers = {"Idempotent-Replayed": "true"} if replayed else {}
        return Response(b"" if status == 204 else _encoded(reply), status, headers, HAL)

    return answer


def _refusal(problem: Problem) -> Response:
    return Response(_encoded(problem.body()), problem.status, None, HAL)


def _encoded(reply: Document) -> bytes:
    return json.dumps(reply, ensure_ascii=False).encode()


def _answer(engine: Engine, endpoint: Endpoint, request: Request, body: bytes) -> tuple[int, Document, bool]:
    secret = _check_secret(request.headers.get("Authorization", ""), endpoint)
    if body and not request.headers.get("Content-Type", "").startswith(("application/json", HAL)):
        raise Problem("Send the body as application/json.", status=415)
    call = _scoped(
        endpoint,
        Call(
            engine=engine,
            path=request.url.path.removeprefix("/mollie"),
            body=decode(body) if request.method != "GET" else {},
            query=dict(request.query_params),
            asked=dict(request.query_params),
            names=request.path_params,
        ),
        token=secret.startswith("access_"),
    )
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    digest = hashlib.sha256(json.dumps([call.path, call.body], sort_keys=True).encode()).hexdigest()
    record_id = hashlib.sha256(f"{secret}\n{key}".encode()).hexdigest()
    expire_due(engine)
    with engine.transaction():
        if key is not None:
            remembered = _remembered(engine, record_id, digest)
            if remembered is not None:
                return remembered["code"], remembered["reply"], True
        status, reply = _SUCCESS.get(request.method, 200), endpoint.action(call)
        if key is not None:
            code, kept = request.scope.get(REMEMBER_INSTEAD) or (status, reply)
            _ = engine.put(
                "mollie.idempotency",
                {
                    "id": record_id,
                    "digest": digest,
                    "created": engine.timestamp(),
                    "code": code,
                    "reply": kept,
                },
            )
    return status, reply, False


def _check_secret(authorization: str, endpoint: Endpoint) -> str:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not re.fullmatch(r"(test|live|access)_\w+", secret.strip()):
        raise Problem("There is no valid API key or access token in the Authorization header.", status=401)
    secret = secret.strip()
    if secret.startswith("live_"):
        raise Problem("The sandbox opens to test keys only.", status=401)
    if "wrong" in secret or "expired" in secret:
        raise Problem("This API key or access token is not known.", status=401)
    if endpoint.opens_to == ("keys" if secret.startswith("access_") else "tokens"):
        raise Problem(f"This endpoint opens to {endpoint.opens_to} only.", status=403)
    return secret


def _scoped(endpoint: Endpoint, call: Call, *, token: bool) -> Call:
    reading = endpoint.method == "GET"
    given: dict[str, Any] = dict(call.query if reading else call.body)
    if not reading and call.query:
        name = next(iter(call.query))
        raise Problem(
            f"There is no query parameter '{name[:80]}' for this API call.", status=400, field=name[:80]
        )
    if token:
        if given.pop("testmode", None) != ("true" if reading else True) and endpoint.moded:
            raise Problem("The sandbox knows test mode only; say so with this token.", field="testmode")
        if endpoint.profiled != "no":
            profile = given.pop("profileId", None)
            if profile is None and endpoint.profiled == "must":
                raise Problem("This token opens several profiles; say which one is meant.", field="profileId")
            if profile not in {None, PROFILE}:
                raise Problem("There is no such profile.", field="profileId")
    return evolve(call, query=given) if reading else evolve(call, body=given)


def _remembered(engine: Engine, record_id: str, digest: str) -> Document | None:
    record = engine.get("mollie.idempotency", record_id)
    if record is None or record["created"] + _LIFE <= engine.timestamp():
        return None
    if record["digest"] != digest:
        raise Problem("This idempotency key was used before with other parameters.", status=400)
    return record
