"""
The control routes `/sandbox/…`: what a test, a demo or a person does to the sandbox from outside its vendors' APIs.

JSON in, JSON out. They are not on any vendor's wire: faults do not strike them and the log does not list them.
A body must be sent as ``application/json``, which no web page of another origin can do unasked.

    POST   /sandbox/pay                {"target", "how", "method", "amount", "email", "name", "although_closed"}
    POST   /sandbox/settle             {"target", "succeeded"}     the end of a delayed payment
    POST   /sandbox/finish             {"id", "succeeded"}         the end of what the fault `hold` held
    POST   /sandbox/refunds/{id}/fail                              a refund comes back
    POST   /sandbox/disputes           {"payment", "reason", "amount"}
    POST   /sandbox/disputes/{id}/close   {"won"}
    POST   /sandbox/payouts            {"provider", "currency"}    everything since the last one
    GET    /sandbox/truth                                          all vendors in common words
    POST   /sandbox/faults             a `Fault`; GET lists, DELETE clears
    GET    /sandbox/clock              POST {"seconds"} moves it
    POST   /sandbox/webhooks           {"provider", "url", "events", "secret", "user", "password", "api_version"}
                                       -> {"id", "secret"}; GET lists deliveries
    POST   /sandbox/flush | release | retry      the queue of deliveries
    GET    /sandbox/links | payments | refunds   ?provider=…, in the vendor's JSON
    GET    /sandbox/requests
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

from attrs import asdict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from paybylink.sandbox import faults, webhooks
from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.vendor import Act, How, Listed, NotPayable, Refused, Registration, Vendor


def control_routes(engine: Engine, vendors: Iterable[Vendor], courier: webhooks.Courier) -> list[Route]:
    """The routes above, acting on `engine`; `courier` is asked to empty the queue."""
    everybody = list(vendors)

    def named(asked: object) -> Vendor:
        name = asked or everybody[0].name
        for vendor in everybody:
            if vendor.name == name:
                return vendor
        raise Refused(
            f"There is no provider {name!r} here: {', '.join(vendor.name for vendor in everybody)}."
        )

    async def pay(asked: Document) -> object:
        target, how = str(asked.get("target", "")), asked.get("how", "card")
        if how not in get_args(How):
            raise Refused(f"how is 'card', 'delayed' or 'declined', not {how!r}.")
        parts = urlsplit(target)
        identifier = parts.path.rstrip("/").rpartition("/")[2]
        act = Act(
            how=how,
            method=str(asked.get("method") or ""),
            typed=str(asked.get("amount") or ""),
            email=asked.get("email"),
            name=asked.get("name"),
            query=dict(parse_qsl(parts.query)),
            although_closed=bool(asked.get("although_closed")),
        )
        _pass_time()
        for vendor in everybody:
            if vendor.find(engine, identifier, act) is not None:
                try:
                    return {"provider": vendor.name, **asdict(vendor.pay(engine, identifier, act))}
                except NotPayable as refused:
                    raise Refused(refused.message) from None
        raise Refused(f"There is no payment link or session at {target!r}.")

    def _pass_time() -> None:
        with engine.transaction():
            for vendor in everybody:
                vendor.expire_due(engine)

    async def settle(asked: Document) -> object:
        target, succeeded = str(asked.get("target", "")), asked.get("succeeded", True) is True
        for vendor in everybody:
            settled = vendor.settle(engine, target, succeeded=succeeded)
            if settled:
                return settled
        raise Refused(f"No delayed payment waits at {asked.get('target')!r}.")

    async def finish(asked: Document) -> object:
        identifier, succeeded = str(asked.get("id", "")), asked.get("succeeded", True) is True
        for vendor in everybody:
            finished = vendor.finish(engine, identifier, succeeded=succeeded)
            if finished is not None:
                return finished
        raise Refused(f"Nothing of the name {identifier!r} is held.")

    async def fail_refund(request: Request) -> Response:
        for vendor in everybody:
            failed = vendor.fail_refund(engine, request.path_params["id"])
            if failed is not None:
                return JSONResponse(failed)
        return JSONResponse({"error": "No such refund, or it has failed already."}, 422)

    async def dispute(asked: Document) -> object:
        payment, amount = str(asked.get("payment", "")), asked.get("amount")
        if not (amount is None or (type(amount) is int and amount > 0)):
            raise Refused("amount must be a whole number of the provider's minor units.")
        for vendor in everybody:
            opened = vendor.dispute(engine, payment, reason=str(asked.get("reason") or ""), amount=amount)
            if opened is not None:
                return opened
        raise Refused(f"There is no paid payment {payment!r}.")

    async def close_dispute(request: Request) -> Response:
        async def close(asked: Document) -> object:
            identifier = request.path_params["id"]
            for vendor in everybody:
                closed = vendor.close_dispute(engine, identifier, won=asked.get("won", True) is True)
                if closed is not None:
                    return closed
            raise Refused(f"There is no dispute {identifier!r}.")

        return await _taking(close)(request)

    async def payout(asked: Document) -> object:
        return named(asked.get("provider")).payout(engine, currency=asked.get("currency"))

    async def truth(_: Request) -> Response:
        told = [(vendor.name, vendor.truth(engine)) for vendor in everybody]
        lists = ("links", "payments", "refunds", "disputes")
        return JSONResponse(
            {kind: [one for _, said in told for one in said[kind]] for kind in lists}
            | {"balance": {name: said["balance"] for name, said in told}}
        )

    async def add_fault(asked: Document) -> object:
        try:
            fault = faults.Fault(**asked)
        except (TypeError, ValueError) as wrong:
            raise Refused(f"Not a fault: {wrong.args[0] if wrong.args else wrong}") from None
        return faults.switch_on(engine, fault)

    async def clear_faults(_: Request) -> Response:
        faults.clear(engine)
        return JSONResponse([])

    async def clock(_: Request) -> Response:
        return JSONResponse({"now": engine.now().isoformat()})

    async def move_clock(asked: Document) -> object:
        seconds = asked.get("seconds")
        if not isinstance(seconds, int | float):
            raise Refused("seconds must be a number.")
        now = engine.move_clock(timedelta(seconds=seconds))
        _pass_time()
        return {"now": now.isoformat()}

    async def register(asked: Document) -> object:
        registration = Registration(
            url=str(asked.get("url", "")),
            events=tuple(asked.get("events") or ("*",)),
            secret=asked.get("secret") or None,
            user=str(asked.get("user") or ""),
            password=str(asked.get("password") or ""),
            api_version=asked.get("api_version") or None,
        )
        return named(asked.get("provider")).register(engine, registration)

    async def flush(asked: Document) -> object:
        seconds = asked.get("seconds", 30)
        if not isinstance(seconds, int | float):
            raise Refused("seconds must be a number.")
        _ = webhooks.release_collected(engine)
        try:
            async with asyncio.timeout(seconds):
                await courier.drain()
        except TimeoutError:
            raise Refused("The queue of webhooks did not empty in time.") from None
        states = ("delivered", "failed", "held", "dropped")
        return {state: len(engine.find("delivery", ("status", "=", state))) for state in states}

    async def release(_: Document) -> object:
        return {"released": webhooks.release(engine) + webhooks.release_collected(engine)}

    async def retry_failed(_: Document) -> object:
        return {"queued": webhooks.retry(engine, "failed")}

    def kept(kind: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_: Request) -> Response:
            return JSONResponse([shown(document) for document in engine.find(kind, newest_first=False)])

        return endpoint

    def listed(what: Listed) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                vendor = named(request.query_params.get("provider"))
            except Refused as refused:
                return JSONResponse({"error": str(refused)}, 422)
            return JSONResponse(vendor.listing(engine, what))

        return endpoint

    return [
        Route("/sandbox/pay", _taking(pay), methods=["POST"]),
        Route("/sandbox/settle", _taking(settle), methods=["POST"]),
        Route("/sandbox/finish", _taking(finish), methods=["POST"]),
        Route("/sandbox/refunds/{id}/fail", fail_refund, methods=["POST"]),
        Route("/sandbox/disputes", _taking(dispute), methods=["POST"]),
        Route("/sandbox/disputes/{id}/close", close_dispute, methods=["POST"]),
        Route("/sandbox/payouts", _taking(payout), methods=["POST"]),
        Route("/sandbox/truth", truth, methods=["GET"]),
        Route("/sandbox/faults", _taking(add_fault), methods=["POST"]),
        Route("/sandbox/faults", kept("fault"), methods=["GET"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/sandbox/clock", clock, methods=["GET"]),
        Route("/sandbox/clock", _taking(move_clock), methods=["POST"]),
        Route("/sandbox/webhooks", _taking(register), methods=["POST"]),
        Route("/sandbox/webhooks", kept("delivery"), methods=["GET"]),
        Route("/sandbox/flush", _taking(flush), methods=["POST"]),
        Route("/sandbox/release", _taking(release), methods=["POST"]),
        Route("/sandbox/retry", _taking(retry_failed), methods=["POST"]),
        Route("/sandbox/links", listed("links"), methods=["GET"]),
        Route("/sandbox/payments", listed("payments"), methods=["GET"]),
        Route("/sandbox/refunds", listed("refunds"), methods=["GET"]),
        Route("/sandbox/requests", kept("request"), methods=["GET"]),
    ]


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
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, 422)

    return endpoint
