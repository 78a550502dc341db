"""
What the vendors answer to the creation of a link: the tests' recorded replies, fitted to each request.

An answer that does not fit is not believed, so what a request asks for stands in it. Everything else is serialised
once, so that the server costs little.
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_RECORDED = Path(__file__).parent.parent / "tests" / "providers" / "recorded"
_NUMBERS = count(1)


def recorded(name: str) -> dict[str, Any]:
    """A recorded reply."""
    reply: dict[str, Any] = json.loads((_RECORDED / f"{name}.json").read_text("utf-8"))
    return reply


def answer(path: str, body: bytes) -> bytes:
    """The vendor's answer to a request, by its path; each link has an id of its own."""
    if path.endswith("/paymentLinks"):
        return _adyen(body)
    return _mollie(body) if path.endswith("/payment-links") else _stripe(body)


def _around(text: str, *slots: str) -> list[bytes]:
    """What stands before, between and after `slots`, which come in this order."""
    parts = []
    for slot in slots:
        part, _, text = text.partition(slot)
        parts.append(part.encode())
    return [*parts, text.encode()]


def _stripe_template() -> list[bytes]:
    """Stripe's answer around its id and its metadata, which stand in it twice; indented, as Stripe sends it."""
    link = recorded("payment_link_single_use")
    link["metadata"] = link["payment_intent_data"]["metadata"] = "SLOT"
    return _around(json.dumps(link, indent=2), link["id"], '"SLOT"', '"SLOT"')


def _mollie_template() -> list[bytes]:
    """Mollie's answer around its id and what was asked for."""
    link = recorded("mollie_link_single_use")
    for name in ("description", "amount", "webhookUrl", "redirectUrl", "reusable", "expiresAt"):
        del link[name]
    return _around(json.dumps({**link, "SLOT": ""}), link["id"], '"SLOT": ""')


_STRIPE, _MOLLIE = _stripe_template(), _mollie_template()
_ADYEN = {name: recorded("adyen_link_active")[name] for name in ("status", "url")}


def _stripe(body: bytes) -> bytes:
    # Only the marks are read: the server has half of the machine, and is not what is measured.
    marks = [pair[9:] for pair in body.decode().split("&") if pair.startswith("metadata[")]
    metadata = json.dumps(
        {name[:-1]: unquote_plus(value) for name, _, value in (mark.partition("=") for mark in marks)}
    ).encode()
    before, head, between, after = _STRIPE
    return b"".join((before, b"plink_%d" % next(_NUMBERS), head, metadata, between, metadata, after))


def _adyen(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), **_ADYEN, "id": f"PL{next(_NUMBERS)}"}).encode()


def _mollie(body: bytes) -> bytes:
    # What was asked for is an object; its fields are set between the others.
    before, head, after = _MOLLIE
    return b"".join((before, b"pl_%d" % next(_NUMBERS), head, body[1:-1], after))
