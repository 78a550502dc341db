"""
How Stripe's webhooks are carried: the body as Stripe prints it, and the signature over it.

Source: docs.stripe.com/webhooks ("Verify webhook signatures manually") for the header.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from paybylink.sandbox.engine import Engine, shown
from paybylink.sandbox.vendor import Carriage


def signature_header(body: bytes, *, secret: str, timestamp: int) -> str:
    """The ``Stripe-Signature`` header for a body: HMAC-SHA256 over moment, dot and raw bytes."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def carriage(engine: Engine, event_id: str, endpoint_id: str) -> Carriage | None:
    """The call that tells an endpoint of an event, signed now; None when either is gone."""
    event, endpoint = engine.get("event", event_id), engine.get("webhook_endpoint", endpoint_id)
    if event is None or endpoint is None:
        return None
    if endpoint["api_version"]:
        event["api_version"] = endpoint["api_version"]
    body = json.dumps(shown(event), indent=2, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature_header(body, secret=endpoint["_secret"], timestamp=engine.timestamp()),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    return Carriage(endpoint["url"], body, headers)
