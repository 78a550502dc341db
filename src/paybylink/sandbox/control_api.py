"""
The control routes `/sandbox/…`: what a test, a demo or a person does to the sandbox from outside its vendors' APIs.

JSON in, JSON out. They are not on any vendor's wire: faults do not strike them and the log does not list them.
A body must be sent as ``application/json``, which no web page of another origin can do unasked.

    POST   /sandbox/pay                {"target", "how", "amount", "email", "name", "although_closed"}
    POST   /sandbox/settle             {"target", "succeeded"}     the end of a delayed payment
    POST   /sandbox/refunds/{id}/fail                              a refund comes back
    POST   /sandbox/faults             a `Fault`; GET lists, DELETE clears
    GET    /sandbox/clock              POST {"seconds"} moves it
    POST   /sandbox/webhooks           {"url", "events", "api_version"} -> {"id", "secret"}; GET lists deliveries
    POST   /sandbox/flush | release | retry      the queue of deliveries
    GET    /sandbox/links | payments | refunds | requests
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from paybylink.sandbox import faults, paying, webhooks
from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.stripe import events, refunds, sessions
from paybylink.sandbox.stripe.lists import expanded
from paybylink.sandbox.stripe.payments import settle
from paybylink.sandbox.stripe.wire import Problem


class _Refused(Exception):
    """What the caller asked for cannot be done; the message says why."""


def control_routes(engine: Engine, courier: webhooks.Courier) -> list[Route]:
    """The routes above, acting on `engine`; `courier` is asked to empty the queue."""

    async def pay(asked: Document) -> object:
        target = str(asked.get("target", ""))
        parts = urlsplit(target)
        with engine.transaction():
            sessions.expire_due(engine)
        payable = paying.find(engine, parts.path.rstrip("/").rpartition("/")[2])
        how = asked.get("how", "card")
        if payable is None:
            raise _Refused(f"There is no payment link or session at {target!r}.")
        if how not in {"card", "delayed", "declined"}:
            raise _Refused(f"how is 'card', 'delayed' or 'declined', not {how!r}.")
        try:
            session = paying.attempt(
                engine,
                payable,
                how=how,
                typed=str(asked.get("amount") or ""),
                email=asked.get("email"),
                name=asked.get("name"),
                query=dict(parse_qsl(parts.query)),
                although_closed=bool(asked.get("although_closed")),
            )
        except paying.NotPayable as refused:
            raise _Refused(refused.message) from None
        return {
            "session": session["id"],
            "payment_intent": session["payment_intent"],
            "status": session["status"],
            "payment_status": session["payment_status"],
            "next_url": paying.after_payment(engine, session) if session["status"] == "complete" else None,
        }

    async def settle_all(asked: Document) -> object:
        waiting = [
            intent
            for intent in engine.find("payment_intent", ("status", "=", "processing"), newest_first=False)
            if _concerns(engine, intent, str(asked.get("target", "")))
        ]
        if not waiting:
            raise _Refused(f"No delayed payment waits at {asked.get('target')!r}.")
        succeeded = asked.get("succeeded", True) is True
        return [settle(engine, intent, succeeded=succeeded)["id"] for intent in waiting]

    async def fail_refund(request: Request) -> Response:
        refund = engine.get("refund", request.path_params["id"])
        if refund is None or refund["status"] != "succeeded":
            return JSONResponse({"error": "No such refund, or it has failed already."}, 422)
        return JSONResponse(shown(refunds.fail(engine, refund)))

    async def add_fault(asked: Document) -> object:
        try:
            fault = faults.Fault(**asked)
        except (TypeError, ValueError) as wrong:
            raise _Refused(f"Not a fault: {wrong.args[0] if wrong.args else wrong}") from None
        return faults.switch_on(engine, fault)

    async def clear_faults(_: Request) -> Response:
        faults.clear(engine)
        return JSONResponse([])

    async def clock(_: Request) -> Response:
        return JSONResponse({"now": engine.now().isoformat()})

    async def move_clock(asked: Document) -> object:
        seconds = asked.get("seconds")
        if not isinstance(seconds, int | float):
            raise _Refused("seconds must be a number.")
        now = engine.move_clock(timedelta(seconds=seconds))
        with engine.transaction():
            sessions.expire_due(engine)
        return {"now": now.isoformat()}

    async def register(asked: Document) -> object:
        try:
            endpoint = events.register(engine, str(asked.get("url", "")), events=asked.get("events") or ["*"])
        except Problem as problem:
            raise _Refused(problem.message) from None
        if asked.get("api_version"):
            _ = engine.put("webhook_endpoint", {**endpoint, "api_version": str(asked["api_version"])})
        return {"id": endpoint["id"], "secret": endpoint["_secret"]}

    async def flush(asked: Document) -> object:
        seconds = asked.get("seconds", 30)
        if not isinstance(seconds, int | float):
            raise _Refused("seconds must be a number.")
        _ = webhooks.release_reordered(engine)
        try:
            async with asyncio.timeout(seconds):
                await courier.drain()
        except TimeoutError:
            raise _Refused("The queue of webhooks did not empty in time.") from None
        states = ("delivered", "failed", "held", "dropped")
        return {state: len(engine.find("delivery", ("status", "=", state))) for state in states}

    async def release(_: Document) -> object:
        return {"released": webhooks.release(engine) + webhooks.release_reordered(engine)}

    async def retry_failed(_: Document) -> object:
        return {"queued": webhooks.retry(engine, "failed")}

    def listed(kind: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_: Request) -> Response:
            paths = ["latest_charge"] if kind == "payment_intent" else []
            found = engine.find(kind, newest_first=False)
            return JSONResponse([expanded(engine, shown(document), paths) for document in found])

        return endpoint

    return [
        Route("/sandbox/pay", _taking(pay), methods=["POST"]),
        Route("/sandbox/settle", _taking(settle_all), methods=["POST"]),
        Route("/sandbox/refunds/{id}/fail", fail_refund, methods=["POST"]),
        Route("/sandbox/faults", _taking(add_fault), methods=["POST"]),
        Route("/sandbox/faults", listed("fault"), methods=["GET"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/sandbox/clock", clock, methods=["GET"]),
        Route("/sandbox/clock", _taking(move_clock), methods=["POST"]),
        Route("/sandbox/webhooks", _taking(register), methods=["POST"]),
        Route("/sandbox/webhooks", listed("delivery"), methods=["GET"]),
        Route("/sandbox/flush", _taking(flush), methods=["POST"]),
        Route("/sandbox/release", _taking(release), methods=["POST"]),
        Route("/sandbox/retry", _taking(retry_failed), methods=["POST"]),
        Route("/sandbox/links", listed("payment_link"), methods=["GET"]),
        Route("/sandbox/payments", listed("payment_intent"), methods=["GET"]),
        Route("/sandbox/refunds", listed("refund"), methods=["GET"]),
        Route("/sandbox/requests", listed("request"), methods=["GET"]),
    ]


def _concerns(engine: Engine, intent: Document, target: str) -> bool:
    session = engine.find("checkout.session", ("payment_intent", "=", intent["id"]))[0]
    named = urlsplit(target).path.rstrip("/").rpartition("/")[2]
    return named in {intent["id"], session["id"], session["payment_link"]}


def _taking(action: Callable[[Document], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return JSONResponse({"error": "Send the body as application/json."}, 415)
        try:
            asked = json.loads(await request.body())
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return JSONResponse({"error": "Send a JSON object."}, 400)
        try:
            return JSONResponse(await action(asked))
        except _Refused as refused:
            return JSONResponse({"error": str(refused)}, 422)

    return endpoint
