"""
What the vendors answer to the creation of a link: the tests' recorded replies, fitted to each request.

An answer that does not fit is not believed, so what a request asks for stands in it. Everything else is serialised
once, so that the server costs little.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_RECORDED = Path(__file__).parent.parent / "tests" / "providers" / "recorded"
_SLOT = "FILLED-IN-FOR-EACH-REQUEST"


def recorded(name: str) -> dict[str, Any]:
    """A recorded reply."""
    reply: dict[str, Any] = json.loads((_RECORDED / f"{name}.json").read_text("utf-8"))
    return reply


def answer(path: str, body: bytes) -> bytes:
    """The vendor's answer to a request, by its path."""
    if path.endswith("/paymentLinks"):
        return _adyen(body)
    return _mollie(body) if path.endswith("/payment-links") else _stripe(body)


def _stripe_template() -> list[bytes]:
    """Stripe's answer around its metadata, which stand in it twice; indented, as Stripe sends it."""
    link = recorded("payment_link_single_use")
    link["metadata"] = link["payment_intent_data"]["metadata"] = _SLOT
    return [part.encode() for part in json.dumps(link, indent=2).split(f'"{_SLOT}"')]


def _mollie_template() -> list[bytes]:
    """Mollie's answer, with a slot before its end."""
    link = recorded("mollie_link_single_use")
    for name in ("description", "amount", "webhookUrl", "redirectUrl", "reusable", "expiresAt"):
        del link[name]
    return [part.encode() for part in json.dumps({**link, "slot": _SLOT}).split(f'"slot": "{_SLOT}"')]


_STRIPE, _MOLLIE = _stripe_template(), _mollie_template()
_ADYEN = {name: recorded("adyen_link_active")[name] for name in ("id", "status", "url")}


def _stripe(body: bytes) -> bytes:
    # Only the marks are read: the server has half of the machine, and is not what is measured.
    marks = [pair[9:] for pair in body.decode().split("&") if pair.startswith("metadata[")]
    metadata = {name[:-1]: unquote_plus(value) for name, _, value in (mark.partition("=") for mark in marks)}
    return json.dumps(metadata).encode().join(_STRIPE)


def _adyen(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), **_ADYEN}).encode()


def _mollie(body: bytes) -> bytes:
    # What was asked for is an object; its fields are set between the others.
    return body[1:-1].join(_MOLLIE)
