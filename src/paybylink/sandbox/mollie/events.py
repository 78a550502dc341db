"""
What Mollie tells: signed events to whoever asked for them, and classic calls to the address that a link was given.

An event is JSON with a snapshot of its entity, signed with HMAC-SHA256 over the raw body; after a secret was rolled
the header holds a signature by each, joined by a comma, as HTTP lets several equal headers be. A classic call is a
form with the payment's id and nothing else: no signature, no status, whatever happened. Both count as heard only
when the answer is exactly 200.
Source: docs.mollie.com, "Webhooks" and "Next-gen webhooks".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

from paybylink.sandbox import webhooks
from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.parameters import Record
from paybylink.sandbox.mollie.wire import documentation, hal, moment
from paybylink.sandbox.values import Carriage, Refused, Registration

_NAME = "mollie"


def tell(engine: Engine, kind: str, entity: Document) -> None:
    """Tell every subscription to `kind` that it happened to an entity, as it goes over the wire."""
    event = _new(engine, {"type": kind, "entityId": entity["id"], "_embedded": {"entity": entity}})
    for hook in engine.find("mollie.hook", newest_first=False):
        if "*" in hook["events"] or kind in hook["events"]:
            webhooks.enqueue(
                engine,
                vendor=_NAME,
                kind=kind,
                event=event["id"],
                endpoint=hook["id"],
                copied=lambda: str(_new(engine, event)["id"]),
            )


def ring(engine: Engine, payment: Document, what: str) -> None:
    """Call the address of the payment's link, where it has one; `what` is only for faults: ``classic.paid``."""
    if payment["_bell"] is not None:
        webhooks.enqueue(
            engine, vendor=_NAME, kind=f"classic.{what}", event=payment["id"], endpoint=payment["_link"]
        )


def fetch(call: Call) -> Document:
    """GET /v2/events/{event}."""
    _ = call.queried(Record({}))
    return _view(call.engine, call.subject("mollie.event", "event"))


def register(engine: Engine, registration: Registration) -> Document:
    """
    The new subscription; a secret with a comma in it is two secrets, the newer first.

    Raises:
        Refused: the address is not on this machine, or basic auth was asked for, which Mollie has not.
    """
    if not webhooks.is_loopback(registration.url):
        raise Refused(f"{registration.url[:80]} is not on this machine; the sandbox calls no other address.")
    if registration.user or registration.password:
        raise Refused("Mollie's webhooks know no basic auth; leave user and password out.")
    place = registration.place
    secret = registration.secret or engine.new_id("whs_sandbox_", 32)
    hook = engine.put(
        "mollie.hook",
        {
            "id": engine.new_id("hook_", 22) if place is None else f"hook_sandbox{place}",
            "url": registration.url,
            "events": list(registration.events),
            "_secrets": [one for one in secret.split(",") if one],
        },
    )
    return {"id": hook["id"], "secret": secret}


def carriage(engine: Engine, identifier: str, endpoint: str) -> Carriage | None:
    """The call that delivers an event, or rings for a payment; None when something of it is gone."""
    hook, event = engine.get("mollie.hook", endpoint), engine.get("mollie.event", identifier)
    if hook is not None and event is not None:
        content = json.dumps(_view(engine, event), separators=(",", ":"), ensure_ascii=False).encode()
        signatures = [signature(content, secret) for secret in hook["_secrets"]]
        headers = {"Content-Type": "application/json", "X-Mollie-Signature": ",".join(signatures)}
        return Carriage(hook["url"], content, {**headers, "User-Agent": "Mollie HTTP client/1.0"})
    subject = engine.get("mollie.link", endpoint)
    if subject is None or engine.get("mollie.payment", identifier) is None:
        return None
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Mollie HTTP client/1.0"}
    return Carriage(subject["webhookUrl"], urlencode({"id": identifier}).encode(), headers)


def signature(content: bytes, secret: str) -> str:
    """The signature of a body by one secret: HMAC-SHA256 over the raw bytes, in hex, after its name."""
    return f"sha256={hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()}"


def _new(engine: Engine, event: Document) -> Document:
    fresh = {"id": engine.new_id("event_", 22), "createdAt": moment(engine.now())}
    return engine.put("mollie.event", {**event, **fresh})


def _view(engine: Engine, event: Document) -> Document:
    plain = shown(event)
    return {
        "resource": "event",
        "id": plain["id"],
        "type": plain["type"],
        "entityId": plain["entityId"],
        "createdAt": plain["createdAt"],
        # Not private, in spite of its underscore: HAL calls it so.
        "_embedded": event["_embedded"],
        "_links": {
            "self": hal(engine.base_url, f"/v2/events/{plain['id']}"),
            "documentation": documentation("webhooks"),
            "entity": event["_embedded"]["entity"]["_links"]["self"],
        },
    }
