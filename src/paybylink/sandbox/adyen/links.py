"""
Payment links: made, read, expired, paid.

A link that is not reusable is at its end with one success; a refused try leaves it open. A reusable one stays
active, whatever is paid (that it does is not in Adyen's documents; the sandbox never says "paid" of it). Only one
thing about a link can be changed: that it is expired, and only while it can still be paid.
Source: Adyen's OpenAPI document of Checkout v72, "Payment links"; docs.adyen.com, "Pay by Link", for the 24 hours,
the 70 days and the three months after which a link is forgotten.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from paybylink.sandbox.adyen.call import Call
from paybylink.sandbox.adyen.methods import of_link
from paybylink.sandbox.adyen.shapes import LINK, LINK_UPDATE
from paybylink.sandbox.adyen.wire import Problem, moment
from paybylink.sandbox.engine import Document, Engine

KIND = "adyen.link"

_LIFE, _LONGEST, _KEPT = timedelta(hours=24), timedelta(days=70), timedelta(days=92)
_LINK_ID = "checkout.linkId"


def create(call: Call) -> Document:
    """POST /paymentLinks."""
    engine, values = call.engine, call.values(LINK)
    now = engine.now()
    expires = datetime.fromisoformat(values["expiresAt"]) if "expiresAt" in values else now + _LIFE
    if not now < expires <= now + _LONGEST:
        raise Problem("Field 'expiresAt' is not valid: it must be in the future, and at most 70 days ahead.")
    _check(values)
    identifier = f"PL{secrets.token_hex(8).upper()}"
    link: Document = {
        **values,
        "id": identifier,
        "url": f"{engine.base_url}/pay/{identifier}",
        "status": "active",
        "expiresAt": moment(expires),
        "updatedAt": moment(now),
        "_created": engine.timestamp(),
        "_expires": int(expires.timestamp()),
        "_closed": False,
    }
    if "metadata" in values:
        link["metadata"] = {**values["metadata"], _LINK_ID: identifier}
    return engine.put(KIND, link)


def _check(values: Mapping[str, Any]) -> None:
    if values.get("storePaymentMethodMode", "disabled") != "disabled":
        for name in ("shopperReference", "recurringProcessingModel"):
            if name not in values:
                raise Problem(f"Required field '{name}' is not provided.")
    if not of_link({**values}):
        raise Problem("None of the allowed payment methods is available for this currency and country.")


def fetch(call: Call) -> Document:
    """GET /paymentLinks/{linkId}."""
    return _of(call)


def update(call: Call) -> Document:
    """PATCH /paymentLinks/{linkId}: only to expire it."""
    _ = call.values(LINK_UPDATE)
    link = _of(call)
    if link["status"] not in {"active", "paymentPending"}:
        raise Problem(f"Payment link {link['id']} is {link['status']} and cannot be expired.")
    return _moved(call.engine, link, "expired", closed=True)


def _of(call: Call) -> Document:
    link = call.engine.get(KIND, call.names["link"])
    if link is None or link["_created"] + _KEPT.total_seconds() <= call.engine.timestamp():
        raise Problem("Payment link was not found.", status=404)
    return link


def expire_due(engine: Engine) -> None:
    """Expire every active link whose time has come by the sandbox's clock."""
    due = engine.find(
        KIND, ("status", "=", "active"), ("_expires", "<=", engine.timestamp()), newest_first=False
    )
    for link in due:
        _ = _moved(engine, link, "expired")


def paid(engine: Engine, link: Document) -> None:
    """One payment of the link succeeded."""
    if not link.get("reusable", False):
        _ = _moved(engine, link, "completed")


def pending(engine: Engine, link: Document) -> None:
    """One payment of the link waits for its money."""
    if not link.get("reusable", False) and link["status"] == "active":
        _ = _moved(engine, link, "paymentPending")


def released(engine: Engine, link: Document) -> None:
    """The payment that the link waited for will not come."""
    if link["status"] == "paymentPending":
        _ = _moved(engine, link, "expired" if link["_expires"] <= engine.timestamp() else "active")


def closed(link: Document) -> str | None:
    """Why a payer cannot pay it; None when one can."""
    sentences = {
        "completed": "This payment link has been paid already.",
        "expired": "This payment link has expired.",
        "paymentPending": "A payment for this link is under way.",
    }
    return sentences.get(link["status"])


def _moved(engine: Engine, link: Document, status: str, *, closed: bool = False) -> Document:
    link |= {"status": status, "updatedAt": moment(engine.now().astimezone(UTC)), "_closed": closed}
    return engine.put(KIND, link)
