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
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.stripe import (
    captures,
    catalogue,
    charges,
    disputes,
    events,
    links,
    payouts,
    refunds,
    sessions,
)
from paybylink.sandbox.stripe.call import ACCOUNT, API_VERSION, Call, Origin
from paybylink.sandbox.stripe.lists import expanded
from paybylink.sandbox.stripe.parameters import Many, Record, Text
from paybylink.sandbox.stripe.wire import Form, Problem, decode
from paybylink.sandbox.vendor import REMEMBER_INSTEAD

Action: TypeAlias = Callable[[Call], Document]

_LIFE = 24 * 3600
_TEST_KEYS = ("sk_test_", "rk_test_")


def _account(call: Call) -> Document:
    _ = call.values(Record({}))
    return {
        "id": ACCOUNT,
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "FR",
        "created": 1735689600,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


#: Every endpoint: the name that faults go by, the method, the path and the action.
ENDPOINTS: tuple[tuple[str, str, str, Action], ...] = (
    ("account.fetch", "GET", "/v1/account", _account),
    ("products.create", "POST", "/v1/products", catalogue.create_product),
    ("products.fetch", "GET", "/v1/products/{id}", catalogue.fetch_product),
    ("prices.create", "POST", "/v1/prices", catalogue.create_price),
    ("prices.list", "GET", "/v1/prices", catalogue.list_prices),
    ("prices.fetch", "GET", "/v1/prices/{price}", catalogue.fetch_price),
    ("payment_links.create", "POST", "/v1/payment_links", links.create),
    ("payment_links.list", "GET", "/v1/payment_links", links.index),
    ("payment_links.fetch", "GET", "/v1/payment_links/{payment_link}", links.fetch),
    ("payment_links.update", "POST", "/v1/payment_links/{payment_link}", links.update),
    ("payment_links.line_items", "GET", "/v1/payment_links/{payment_link}/line_items", links.fetch_items),
    ("sessions.create", "POST", "/v1/checkout/sessions", sessions.create),
    ("sessions.list", "GET", "/v1/checkout/sessions", sessions.index),
    ("sessions.fetch", "GET", "/v1/checkout/sessions/{session}", sessions.fetch),
    ("sessions.update", "POST", "/v1/checkout/sessions/{session}", sessions.update),
    ("sessions.expire", "POST", "/v1/checkout/sessions/{session}/expire", sessions.expire),
    ("sessions.line_items", "GET", "/v1/checkout/sessions/{session}/line_items", sessions.fetch_items),
    ("payment_intents.list", "GET", "/v1/payment_intents", charges.index),
    ("payment_intents.fetch", "GET", "/v1/payment_intents/{intent}", charges.fetch),
    ("payment_intents.update", "POST", "/v1/payment_intents/{intent}", charges.update),
    ("payment_intents.capture", "POST", "/v1/payment_intents/{intent}/capture", captures.capture),
    ("payment_intents.cancel", "POST", "/v1/payment_intents/{intent}/cancel", captures.cancel),
    ("charges.list", "GET", "/v1/charges", charges.list_charges),
    ("charges.fetch", "GET", "/v1/charges/{charge}", charges.fetch_charge),
    ("balance_transactions.list", "GET", "/v1/balance_transactions", charges.list_balance_transactions),
    (
        "balance_transactions.fetch",
        "GET",
        "/v1/balance_transactions/{id}",
        charges.fetch_balance_transaction,
    ),
    ("refunds.create", "POST", "/v1/refunds", refunds.create),
    ("refunds.list", "GET", "/v1/refunds", refunds.index),
    ("refunds.fetch", "GET", "/v1/refunds/{refund}", refunds.fetch),
    ("refunds.update", "POST", "/v1/refunds/{refund}", refunds.update),
    ("disputes.list", "GET", "/v1/disputes", disputes.index),
    ("disputes.fetch", "GET", "/v1/disputes/{dispute}", disputes.fetch),
    ("payouts.list", "GET", "/v1/payouts", payouts.index),
    ("payouts.fetch", "GET", "/v1/payouts/{payout}", payouts.fetch),
    ("webhook_endpoints.create", "POST", "/v1/webhook_endpoints", events.create_endpoint),
    ("webhook_endpoints.list", "GET", "/v1/webhook_endpoints", events.list_endpoints),
    ("webhook_endpoints.fetch", "GET", "/v1/webhook_endpoints/{webhook_endpoint}", events.fetch_endpoint),
    ("webhook_endpoints.update", "POST", "/v1/webhook_endpoints/{webhook_endpoint}", events.update_endpoint),
    (
        "webhook_endpoints.delete",
        "DELETE",
        "/v1/webhook_endpoints/{webhook_endpoint}",
        events.delete_endpoint,
    ),
    ("events.list", "GET", "/v1/events", events.list_events),
    ("events.fetch", "GET", "/v1/events/{id}", events.fetch_event),
)


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
