"""
Webhooks: the queue of deliveries, the signature, and the courier that carries them.

A delivery is written in the transaction of its event and leaves the queue only after the endpoint said 2xx, so a
sandbox that was killed goes on where it stopped and, like the real sender, may then tell something twice.
Deliveries go out one after another in the order of their events; one that fails waits (0.1 s, 0.3 s, 1 s, 3 s,
5 s) while later ones pass it, and is given up after six attempts.

Rule 1: only addresses of this machine are ever called, redirects are not followed, and no proxy is used.
Rule 2: faults act when a delivery is queued, counted there, so the same run gives the same faults.
Source: docs.stripe.com/webhooks ("Verify webhook signatures manually") for the header.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
import json
import logging
import random
import time
from urllib.parse import urlsplit

import httpx

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Document, Engine, shown

_LOG = logging.getLogger("paybylink.sandbox")
_WAITS = (0.1, 0.3, 1.0, 3.0, 5.0)


def is_loopback(url: str) -> bool:
    """Whether an http(s) address is one of this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # a port that is none raises here
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or parts.username is not None:
        return False
    return is_loopback_host(host)


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def signature_header(body: bytes, *, secret: str, timestamp: int) -> str:
    """The ``Stripe-Signature`` header for a body: HMAC-SHA256 over moment, dot and raw bytes."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def enqueue(engine: Engine, event: Document, endpoint: Document) -> None:
    """Put one event in the queue for one endpoint, as the faults that are switched on would have it."""
    fault = faults.take(engine, faults.WEBHOOK, event["type"])
    kind = fault["kind"] if fault else None
    if kind == "drop":
        _queue(engine, event, endpoint, status="dropped")
    elif kind == "late":
        _queue(engine, event, endpoint, status="held")
    elif kind == "reorder" and fault:
        _queue(engine, event, endpoint, status="reordering", group=fault["id"])
        if fault["times"] is not None and fault["used"] >= fault["times"]:
            _ = release_reordered(engine, fault["id"])
    else:
        _queue(engine, event, endpoint, status="queued")
        if kind == "duplicate" and fault:
            for _ in range(fault["copies"]):
                copy = event
                if fault["new_id"]:
                    copy = engine.put("event", {**event, "id": engine.new_id("evt_")})
                _queue(engine, copy, endpoint, status="queued")


def release(engine: Engine) -> int:
    """How many deliveries that a `late` fault held are in the queue again."""
    with engine.transaction():
        held = engine.find("delivery", ("status", "=", "held"), newest_first=False)
        for delivery in held:
            _requeue(engine, delivery)
    return len(held)


def release_reordered(engine: Engine, group: str | None = None) -> int:
    """
    How many deliveries that a `reorder` fault collected are in the queue again, in another order.

    They come backwards, or shuffled by the fault's seed where it has one. All groups, when `group` is None.
    """
    with engine.transaction():
        collected = engine.find("delivery", ("status", "=", "reordering"), newest_first=True)
        mine = [delivery for delivery in collected if group in {None, delivery["_group"]}]
        fault = engine.get("fault", group) if group else None
        if fault and fault["seed"] is not None:
            random.Random(fault["seed"]).shuffle(mine)  # noqa: S311  # a repeatable order, not a secret
        for delivery in mine:
            _requeue(engine, delivery)
    return len(mine)


def retry(engine: Engine, *statuses: str) -> int:
    """
    How many deliveries of these statuses are to be made at once, in the order of their events.

    ``failed`` are those that were given up: asking for them again is what a person does in Stripe's dashboard.
    """
    with engine.transaction():
        found = engine.find("delivery", newest_first=False)
        waiting = [delivery for delivery in found if delivery["status"] in statuses]
        for delivery in waiting:
            _requeue(engine, delivery)
    return len(waiting)


def _queue(
    engine: Engine, event: Document, endpoint: Document, *, status: str, group: str | None = None
) -> None:
    _ = engine.put(
        "delivery",
        {
            "id": engine.new_id("dlv_"),
            "event": event["id"],
            "type": event["type"],
            "endpoint": endpoint["id"],
            "status": status,
            "attempts": 0,
            "last_status": None,
            "last_error": None,
            "_due": time.time(),
            "_rank": engine.next_number("rank"),
            "_group": group,
        },
    )


def _requeue(engine: Engine, delivery: Document) -> None:
    delivery |= {"status": "queued", "attempts": 0, "_due": time.time(), "_rank": engine.next_number("rank")}
    _ = engine.put("delivery", delivery)


class Courier:
    """
    Carries what is in the queue to the endpoints.

    Args:
        engine: the state that holds the queue.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._client: httpx.AsyncClient | None = None

    async def run(self) -> None:
        """Deliver until cancelled, waking on every commit."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            # A commit during the loop's last moments has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                _ = loop.call_soon_threadsafe(self._wake.set)

        self._engine.on_commit(wake)
        async with _client() as client:
            self._client = client
            try:
                while True:
                    self._wake.clear()
                    await self.drain()
                    _ = await self._wake.wait()
            finally:
                self._client = None

    async def drain(self) -> None:
        """Return when the queue is empty: all in it, and all that came meanwhile, is delivered or given up."""
        async with self._lock:
            if self._client is not None:
                await self._drain(self._client)
            else:
                async with _client() as client:
                    await self._drain(client)

    async def _drain(self, client: httpx.AsyncClient) -> None:
        while True:
            first = self._engine.find("delivery", ("status", "=", "queued"), by_due=True, limit=1)
            if not first:
                return
            wait = first[0]["_due"] - time.time()
            if wait > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    # Not wait_for, which in Python 3.11 can lose a cancellation that meets the result.
                    async with asyncio.timeout(wait):
                        _ = await self._wake.wait()
            else:
                await self._deliver(client, first[0])

    async def _deliver(self, client: httpx.AsyncClient, delivery: Document) -> None:
        endpoint = self._engine.get("webhook_endpoint", delivery["endpoint"])
        event = self._engine.get("event", delivery["event"])
        if endpoint is None or event is None or not is_loopback(endpoint["url"]):
            _ = self._engine.put("delivery", {**delivery, "status": "dropped"})
            return
        if endpoint["api_version"]:
            event["api_version"] = endpoint["api_version"]
        body = json.dumps(shown(event), indent=2, ensure_ascii=False).encode()
        header = signature_header(body, secret=endpoint["_secret"], timestamp=self._engine.timestamp())
        status, error = None, None
        try:
            reply = await client.post(
                endpoint["url"],
                content=body,
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": header,
                    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                },
            )
            status = reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            error = type(fault).__name__
        self._note(delivery, status, error)

    def _note(self, delivery: Document, status: int | None, error: str | None) -> None:
        delivery |= {"attempts": delivery["attempts"] + 1, "last_status": status, "last_error": error}
        if status is not None and 200 <= status < 300:
            delivery["status"] = "delivered"
        elif delivery["attempts"] > len(_WAITS):
            delivery["status"] = "failed"
            _LOG.warning("webhook %s given up: %s", delivery["type"], error or f"status {status}")
        else:
            delivery["_due"] = time.time() + _WAITS[delivery["attempts"] - 1]
        _ = self._engine.put("delivery", delivery)


def _client() -> httpx.AsyncClient:
    # Certificates of this machine are signed by nobody; only this machine is ever called (rule 1).
    return httpx.AsyncClient(timeout=10, trust_env=False, follow_redirects=False, verify=False)  # noqa: S501
