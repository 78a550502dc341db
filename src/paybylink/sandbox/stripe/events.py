"""
Events in Stripe's snapshot form, and the endpoints that hear them.

`emit` writes an event and puts one delivery per listening endpoint into the queue, all in the caller's
transaction: an event exists exactly when the change it tells of does. Who carries it is the business of
`paybylink.sandbox.webhooks`.
Source: Stripe API reference, "The Event object", "The Webhook Endpoint object".
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox import webhooks
from paybylink.sandbox.engine import Document, Engine, shown
from paybylink.sandbox.stripe.call import API_VERSION, Call, Origin
from paybylink.sandbox.stripe.lists import CREATED, PAGING, page
from paybylink.sandbox.stripe.parameters import Field, Flag, Labels, Many, Record, Text, merged
from paybylink.sandbox.stripe.wire import Problem

_ENDPOINT_UPDATE: Mapping[str, Field] = {
    "description": Text(),
    "disabled": Flag(),
    "enabled_events": Many(Text(), maximum=500),
    "metadata": Labels(),
    "url": Text(),
}
_ENDPOINT_CREATE = Record(
    {**_ENDPOINT_UPDATE, "api_version": Text(), "connect": Flag()}, required=("enabled_events", "url")
)
_NOTHING = Record({})


def emit(
    engine: Engine, kind: str, subject: Document, *, origin: Origin, previous: Document | None = None
) -> Document:
    """The event that `kind` happened to `subject`; `previous` holds the earlier values of what changed."""
    data: Document = {"object": shown(subject)}
    if previous is not None:
        data["previous_attributes"] = previous
    listening = [
        endpoint
        for endpoint in engine.find("webhook_endpoint", ("status", "=", "enabled"), newest_first=False)
        if "*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"]
    ]
    event = engine.put(
        "event",
        {
            "id": engine.new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": engine.timestamp(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(listening),
            "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
            "type": kind,
        },
    )
    for endpoint in listening:
        webhooks.enqueue(
            engine,
            vendor="stripe",
            kind=kind,
            event=event["id"],
            endpoint=endpoint["id"],
            copied=lambda: str(engine.put("event", {**event, "id": engine.new_id("evt_")})["id"]),
        )
    return event


def fetch_event(call: Call) -> Document:
    """GET /v1/events/{id}."""
    _ = call.values(_NOTHING)
    return call.subject("event", "id")


def list_events(call: Call) -> Document:
    """GET /v1/events, newest first, at most 30 days back."""
    values = call.values(
        Record(
            {
                **PAGING,
                "created": CREATED,
                "type": Text(),
                "types": Many(Text(), maximum=20),
                "delivery_success": Flag(),
            }
        )
    )
    types = values.get("types") or ([values["type"]] if values.get("type") else [])
    since = call.engine.timestamp() - 30 * 86400
    return page(
        call.engine,
        "event",
        values,
        ("created", ">=", since),
        url="/v1/events",
        keep=lambda event: not types or event["type"] in types,
    )


def create_endpoint(call: Call) -> Document:
    """POST /v1/webhook_endpoints; the only reply that holds the secret."""
    values = call.values(_ENDPOINT_CREATE)
    endpoint = register(call.engine, values["url"], events=values["enabled_events"])
    endpoint |= {
        "api_version": values.get("api_version"),
        "description": values.get("description"),
        "metadata": values.get("metadata") or {},
    }
    _ = call.engine.put("webhook_endpoint", endpoint)
    return {**endpoint, "secret": endpoint["_secret"]}


def register(
    engine: Engine, url: str, *, events: list[str], secret: str | None = None, identifier: str | None = None
) -> Document:
    """
    An endpoint that will hear of `events` (``["*"]``: of everything).

    Args:
        secret: the signing secret; a fresh one when None.
        identifier: the endpoint's id; one that exists already takes the new address and secret, and what waits for
            it will go there.

    Raises:
        Problem: the address is not on this machine.
    """
    if not webhooks.is_loopback(url):
        raise Problem(
            f"Invalid URL: {url[:80]} is not on this machine. The sandbox delivers to http(s)://127.0.0.1, [::1] and"
            " localhost only.",
            code="url_invalid",
            param="url",
        )
    endpoint: Document = {
        "id": identifier or engine.new_id("we_"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": engine.timestamp(),
        "description": None,
        "enabled_events": events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret or engine.new_id("whsec_", 32),
    }
    return engine.put("webhook_endpoint", endpoint)


def fetch_endpoint(call: Call) -> Document:
    """GET /v1/webhook_endpoints/{webhook_endpoint}, without the secret."""
    _ = call.values(_NOTHING)
    return call.subject("webhook_endpoint", "webhook_endpoint")


def list_endpoints(call: Call) -> Document:
    """GET /v1/webhook_endpoints, without the secrets."""
    return page(call.engine, "webhook_endpoint", call.values(Record(PAGING)), url="/v1/webhook_endpoints")


def update_endpoint(call: Call) -> Document:
    """POST /v1/webhook_endpoints/{webhook_endpoint}."""
    endpoint = call.subject("webhook_endpoint", "webhook_endpoint")
    values = call.values(Record(_ENDPOINT_UPDATE))
    if values.get("url"):
        endpoint = register(
            call.engine,
            values["url"],
            events=endpoint["enabled_events"],
            secret=endpoint["_secret"],
            identifier=endpoint["id"],
        ) | {name: endpoint[name] for name in ("api_version", "created", "description", "metadata", "status")}
    if values.get("enabled_events"):
        endpoint["enabled_events"] = values["enabled_events"]
    if "disabled" in values:
        endpoint["status"] = "disabled" if values["disabled"] else "enabled"
    if "description" in values:
        endpoint["description"] = values["description"]
    if "metadata" in values:
        endpoint["metadata"] = merged(endpoint["metadata"], values["metadata"])
    return call.engine.put("webhook_endpoint", endpoint)


def delete_endpoint(call: Call) -> Document:
    """DELETE /v1/webhook_endpoints/{webhook_endpoint}; what waits for it is dropped."""
    endpoint = call.subject("webhook_endpoint", "webhook_endpoint")
    call.engine.remove("webhook_endpoint", endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
