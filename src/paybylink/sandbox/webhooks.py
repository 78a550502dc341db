"""
Webhooks: the queue of deliveries, and the courier that carries them.

A delivery is written in the transaction of its event and leaves the queue only after the endpoint said 2xx, so a
sandbox that was killed goes on where it stopped and, like the real sender, may then tell something twice.
Deliveries go out one after another in the order of their events; one that fails waits (0.1 s, 0.3 s, 1 s, 3 s,
5 s) while later ones pass it, and is given up after six attempts.

Rule 1: only addresses of this machine are ever called, redirects are not followed, and no proxy is used.
Rule 2: faults act when a delivery is queued, counted there, so the same run gives the same faults.
Rule 3: a delivery holds ids only. What is sent, and where to, is the vendor's to say at each attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import httpx

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import Vendor

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


def enqueue(
    engine: Engine,
    *,
    vendor: str,
    kind: str,
    event: str,
    endpoint: str,
    copied: Callable[[], str] | None = None,
    batches: bool = False,
) -> None:
    """
    Put one event in the queue for one endpoint, as the faults that are switched on would have it.

    Args:
        vendor: the name of the vendor that will be asked for the carriage.
        kind: the type of the event, for faults (also found as ``<vendor>.<type>``) and for the list of deliveries.
        event: the id of a document of the vendor's, from which it can make the body.
        endpoint: the id of a document of the vendor's that holds the address and the secret.
        copied: makes an event of its own out of this one and returns its id, for a ``duplicate`` with `new_id`.
        batches: whether the fault ``batch`` may put it into one call with others.
    """
    kinds = faults.WEBHOOK if batches else tuple(name for name in faults.WEBHOOK if name != "batch")
    fault = faults.take(engine, kinds, kind, f"{vendor}.{kind}")
    struck = fault["kind"] if fault else None

    def queue(identifier: str, status: str, group: str | None = None) -> None:
        _ = engine.put(
            "delivery",
            {
                "id": engine.new_id("dlv_"),
                "vendor": vendor,
                "event": identifier,
                "type": kind,
                "endpoint": endpoint,
                "status": status,
                "attempts": 0,
                "last_status": None,
                "last_error": None,
                "with": [],
                "_due": time.time(),
                "_rank": engine.next_number("rank"),
                "_group": group,
            },
        )

    if struck == "drop":
        queue(event, "dropped")
    elif struck == "late":
        queue(event, "held")
    elif fault and struck in {"reorder", "batch"}:
        queue(event, "reordering" if struck == "reorder" else "batching", fault["id"])
        if fault["times"] is not None and fault["used"] >= fault["times"]:
            _ = release_collected(engine, fault["id"])
    else:
        queue(event, "queued")
        if fault and struck == "duplicate":
            for _ in range(fault["copies"]):
                queue(copied() if fault["new_id"] and copied is not None else event, "queued")


def release(engine: Engine) -> int:
    """How many deliveries that a `late` fault held are in the queue again."""
    with engine.transaction():
        held = engine.find("delivery", ("status", "=", "held"), newest_first=False)
        for delivery in held:
            _requeue(engine, delivery)
    return len(held)


def release_collected(engine: Engine, group: str | None = None) -> int:
    """
    How many deliveries that a `reorder` or `batch` fault collected are in the queue again.

    Reordered ones come backwards, or shuffled by the fault's seed where it has one. A batch becomes one delivery for
    each endpoint, which carries the events in their order. All groups, when `group` is None.
    """
    with engine.transaction():
        collected = engine.find("delivery", ("status", "=", "reordering"), newest_first=True)
        mine = [delivery for delivery in collected if group in {None, delivery["_group"]}]
        fault = engine.get("fault", group) if group else None
        if fault and fault["seed"] is not None:
            random.Random(fault["seed"]).shuffle(mine)  # noqa: S311  # a repeatable order, not a secret
        for delivery in mine:
            _requeue(engine, delivery)
        batched = engine.find("delivery", ("status", "=", "batching"), newest_first=False)
        together: dict[tuple[str, str], Document] = {}
        for delivery in batched:
            if group not in {None, delivery["_group"]}:
                continue
            mine.append(delivery)
            first = together.setdefault((delivery["_group"], delivery["endpoint"]), delivery)
            if first is not delivery:
                first["with"].append(delivery["event"])
                engine.remove("delivery", delivery["id"])
        for delivery in together.values():
            _requeue(engine, delivery)
    return len(mine)


def retry(engine: Engine, *statuses: str) -> int:
    """
    How many deliveries of these statuses are to be made at once, in the order of their events.

    ``failed`` are those that were given up: asking for them again is what a person does in a vendor's dashboard.
    """
    with engine.transaction():
        found = engine.find("delivery", newest_first=False)
        waiting = [delivery for delivery in found if delivery["status"] in statuses]
        for delivery in waiting:
            _requeue(engine, delivery)
    return len(waiting)


def _requeue(engine: Engine, delivery: Document) -> None:
    delivery |= {"status": "queued", "attempts": 0, "_due": time.time(), "_rank": engine.next_number("rank")}
    _ = engine.put("delivery", delivery)


class Courier:
    """
    Carries what is in the queue to the endpoints.

    Args:
        engine: the state that holds the queue.
        vendors: who can be asked for a carriage.
    """

    def __init__(self, engine: Engine, vendors: Iterable[Vendor]) -> None:
        self._engine = engine
        self._vendors = {vendor.name: vendor for vendor in vendors}
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
        vendor = self._vendors.get(delivery.get("vendor", ""))
        carriage = None
        if vendor is not None:
            events = [delivery["event"], *delivery["with"]]
            carriage = vendor.carriage(self._engine, events, delivery["endpoint"])
        if vendor is None or carriage is None or not is_loopback(carriage.url):
            _ = self._engine.put("delivery", {**delivery, "status": "dropped"})
            return
        status, error = None, None
        try:
            reply = await client.post(carriage.url, content=carriage.content, headers=dict(carriage.headers))
            status = reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            error = type(fault).__name__
        self._note(delivery, status, error, taken=status is not None and vendor.accepts(status))

    def _note(self, delivery: Document, status: int | None, error: str | None, *, taken: bool) -> None:
        delivery |= {"attempts": delivery["attempts"] + 1, "last_status": status, "last_error": error}
        if taken:
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
