"""
The Stripe half of the sandbox as ASGI routes: keys, forms, idempotency, errors.

Each request is one transaction: check the key, look for a remembered reply, run the action, remember its reply.
What a request changed and what it answered are therefore committed together, and a client that never heard the
answer gets the very same one when it asks again under the same key.

Rule 1: a key is remembered with its method, path and parameters for 24 hours of the sandbox's clock, per API key.
Rule 2: other parameters under a known key are a 400 `idempotency_error`.
Rule 3: a refusal before the request ran (unknown parameter, wrong key, missing object) is not remembered.
Source: Stripe API reference, "Idempotent requests", "Authentication"; docs.stripe.com/error-low-level.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.stripe import captures, invoices, sessions
from paybylink.sandbox.stripe.call import API_VERSION, Call, Origin
from paybylink.sandbox.stripe.endpoints import ENDPOINTS, Action
from paybylink.sandbox.stripe.lists import expanded
from paybylink.sandbox.stripe.parameters import Many, Text
from paybylink.sandbox.stripe.wire import Form, Problem, decode
from paybylink.sandbox.vendor import REMEMBER_INSTEAD

_LIFE = 24 * 3600
_TEST_KEYS = ("sk_test_", "rk_test_")


def stripe_routes(engine: Engine, *, prefix: str = "/stripe") -> list[Route]:
    """The routes of the Stripe half below `prefix`, with a last one that answers whatever is not there."""
    routes = [
        Route(prefix + path, _endpoint(engine, action), methods=[method], name=f"stripe.{name}")
        for name, method, path, action in ENDPOINTS
    ]
    unknown = Route(
        prefix + "/{rest:path}",
        _endpoint(engine, _unknown),
        methods=["GET", "POST", "DELETE", "PUT", "PATCH"],
        name="stripe.unknown",
    )
    return [*routes, unknown]


def _unknown(call: Call) -> Document:
    raise Problem(
        f"Unrecognized request URL ({call.names['method']}: /{call.names['rest']}). The sandbox knows what payment"
        " links need of Stripe's API.",
        status=404,
    )


def _endpoint(engine: Engine, action: Action) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        headers = {"Request-Id": engine.new_id("req_", 14), "Stripe-Version": _version(request)}
        try:
            status, reply, replayed = _answer(engine, action, request, body, headers["Request-Id"])
        except Problem as problem:
            status, reply, replayed = problem.status, problem.body(), False
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        if request.headers.get("Idempotency-Key"):
            headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
        content = json.dumps(reply, indent=2, ensure_ascii=False).encode()
        return Response(content, status, headers, "application/json")

    return endpoint


def _version(request: Request) -> str:
    return request.headers.get("Stripe-Version", API_VERSION)


def _answer(
    engine: Engine, action: Action, request: Request, body: bytes, request_id: str
) -> tuple[int, Document, bool]:
    secret = _check_key(request.headers.get("Authorization", ""))
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is not None and len(key) > 255:
        raise Problem("Idempotency keys can be at most 255 characters long.", param="Idempotency-Key")
    form = _form(request, body)
    asked = json.dumps([request.method, request.url.path, form], sort_keys=True)
    digest = hashlib.sha256(asked.encode()).hexdigest()
    record_id = hashlib.sha256(f"{secret}\n{key}".encode()).hexdigest()
    origin = Origin(request_id, key)
    refused: Problem | None = None
    with engine.transaction():
        sessions.expire_due(engine)
        captures.lapse_due(engine)
        invoices.remind_due(engine)
        if key is not None:
            remembered = _remembered(engine, record_id, digest)
            if remembered is not None:
                return remembered["code"], remembered["reply"], True
        try:
            status, reply = 200, _run(engine, action, request, form, origin)
        except Problem as problem:
            if not problem.executed:
                raise
            refused, status, reply = problem, problem.status, problem.body()
        if key is not None:
            instead = request.scope.get(REMEMBER_INSTEAD)
            code, kept = instead or (status, reply)
            _ = engine.put(
                "idempotency",
                {
                    "id": record_id,
                    "digest": digest,
                    "created": engine.timestamp(),
                    "code": code,
                    "reply": kept,
                },
            )
    if refused is not None:
        raise refused
    return status, reply, False


def _form(request: Request, body: bytes) -> Form:
    try:
        return decode(body.decode() if request.method == "POST" else request.url.query)
    except UnicodeDecodeError:
        raise Problem("Invalid request body: it is not a UTF-8 form.") from None


def _run(engine: Engine, action: Action, request: Request, form: Form, origin: Origin) -> Document:
    wanted = Many(Text(), maximum=20).read(form.get("expand", ""), "expand")
    paths = [str(path) for path in wanted] if isinstance(wanted, list) else []
    form = {name: value for name, value in form.items() if name != "expand"}
    names: Mapping[str, str] = {**request.path_params, "method": request.method}
    call = Call(engine, form, names, origin, _version(request))
    return expanded(engine, shown(action(call)), paths)


def _check_key(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Problem(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using"
            " Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    starred = f"{secret[:8]}{'*' * 8}{secret[-4:]}" if len(secret) > 16 else "****"
    if not secret.startswith(_TEST_KEYS):
        raise Problem(
            f"Invalid API Key provided: {starred}. The sandbox opens to test keys only.", status=401
        )
    if "expired" in secret:
        raise Problem(f"Expired API Key provided: {starred}", code="api_key_expired", status=401)
    if "wrong" in secret:
        raise Problem(f"Invalid API Key provided: {starred}", status=401)
    return secret


def _remembered(engine: Engine, record_id: str, digest: str) -> Document | None:
    record = engine.get("idempotency", record_id)
    if record is None or record["created"] + _LIFE <= engine.timestamp():
        return None
    if record["digest"] != digest:
        raise Problem(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try"
            " using a key other than the one given if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return record
