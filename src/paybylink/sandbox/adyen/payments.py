"""
Payments: what becomes of a link when its payer presses a button, and what becomes of the money later.

    at once    AUTHORISATION true; captured with it, unless the link delays the capture or asks for it by hand
    later      the payment waits and the link says so, nothing is told; then AUTHORISATION true or false, or after
               28 days OFFER_CLOSED
    declined   AUTHORISATION false with a reason; the link stays open for another try, which is a payment of its own

An authorisation that nobody captures lapses after 28 days (EXPIRE). With a delay the capture comes by the sandbox's
clock and tells CAPTURE; an immediate one tells nothing.
Source: docs.adyen.com, "Pay by Link", "Capture"; webhooks v1 for the events.
"""

from __future__ import annotations

from typing import Any

from paybylink.sandbox.adyen import balance, events, links
from paybylink.sandbox.adyen.amounts import fees
from paybylink.sandbox.adyen.methods import Way
from paybylink.sandbox.adyen.wire import psp_reference
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.vendor import Act

KIND = "adyen.payment"

_MONTH = 28 * 86400


def pay(engine: Engine, link: Document, way: Way, act: Act) -> Document:
    """The payment after its payer pressed a button; that the link can be paid is checked by the caller."""
    with engine.transaction():
        payment: Document = engine.put(
            KIND,
            {
                "id": psp_reference(engine),
                "link": link["id"],
                "merchantAccount": link["merchantAccount"],
                "reference": link["reference"],
                "amount": link["amount"],
                "method": way.type,
                "told": way.told or way.type,
                "status": "pending",
                "captured": 0,
                "refunded": 0,
                "disputed": 0,
                "created": engine.now().isoformat(),
                "_at": engine.timestamp(),
                "_capture_at": None,
                "_email": act.email,
                "_name": act.name,
            },
        )
        if act.how == "declined":
            return refused(engine, payment, "REFUSED")
        if act.how == "delayed":
            links.pending(engine, link)
            return payment
        return authorised(engine, payment, at_once=way.captured)


def settle(engine: Engine, payment: Document, *, succeeded: bool) -> Document:
    """The payment after its money came, or was known not to come."""
    with engine.transaction():
        if succeeded:
            return authorised(engine, payment, at_once=True)
        return refused(engine, payment, "REFUSED")


def authorised(engine: Engine, payment: Document, *, at_once: bool) -> Document:
    """The payment, authorised and (where the link has it so) captured."""
    link = engine.get(links.KIND, payment["link"]) or {}
    delay = link.get("captureDelayHours", 0)
    payment |= {"status": "authorised", "_at": engine.timestamp()}
    if link:
        links.paid(engine, link)
    _ = engine.put(KIND, payment)
    told(engine, payment, "AUTHORISATION", reason=_card(payment), link=link)
    if at_once or not (link.get("manualCapture") or delay):
        return captured(engine, payment, payment["amount"]["value"])
    if delay and not link.get("manualCapture"):
        payment["_capture_at"] = engine.timestamp() + delay * 3600
    return engine.put(KIND, payment)


def refused(engine: Engine, payment: Document, reason: str) -> Document:
    """The payment, refused; its link can be paid again."""
    payment["status"] = "refused"
    link = engine.get(links.KIND, payment["link"]) or {}
    if link:
        links.released(engine, link)
    told(engine, payment, "AUTHORISATION", success=False, reason=reason, link=link)
    return engine.put(KIND, payment)


def captured(
    engine: Engine, payment: Document, value: int, *, change: str = "", reference: str = ""
) -> Document:
    """The payment with `value` more of it captured and on the balance."""
    payment["captured"] += value
    payment["status"] = "captured"
    payment["_capture_at"] = None
    kept = fees(value, payment["amount"]["currency"], payment["method"])
    _ = balance.book(
        engine, payment, "Settled", value, fees=kept, change=change or payment["id"], reference=reference
    )
    return engine.put(KIND, payment)


def do_due(engine: Engine) -> None:
    """Capture, let lapse and close what the passing of time brings."""
    now = engine.timestamp()
    for payment in engine.find(KIND, ("_capture_at", "<=", now), newest_first=False):
        change, value = psp_reference(engine), payment["amount"]["value"]
        _ = captured(engine, payment, value, change=change)
        told(engine, payment, "CAPTURE", psp=change)
    old = now - _MONTH
    for payment in engine.find(KIND, ("status", "=", "authorised"), ("_at", "<=", old), newest_first=False):
        payment["status"] = "expired"
        _ = engine.put(KIND, payment)
        told(engine, payment, "EXPIRE", psp=psp_reference(engine))
    for payment in engine.find(KIND, ("status", "=", "pending"), ("_at", "<=", old), newest_first=False):
        payment["status"] = "refused"
        _ = engine.put(KIND, payment)
        link = engine.get(links.KIND, payment["link"])
        if link is not None:
            links.released(engine, link)
        told(engine, payment, "OFFER_CLOSED")


def told(
    engine: Engine,
    payment: Document,
    code: str,
    *,
    psp: str | None = None,
    value: int | None = None,
    success: bool = True,
    reason: str | None = None,
    reference: str | None = None,
    link: Document | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """
    Tell of something that happened to a payment.

    Args:
        psp: of the change or dispute; the event is then about the payment as its original.
        value: of the change; the whole payment when None.
        reference: that of the change, where it has one.
        link: with AUTHORISATION: whose metadata come along.
    """
    about: dict[str, Any] = {"paymentMethodVariant": payment["told"], **(extra or {})}
    if code == "AUTHORISATION":
        about |= _with_authorisation(payment, link or {}, success=success)
    currency = payment["amount"]["currency"]
    _ = events.tell(
        engine,
        code,
        psp=psp or payment["id"],
        account=payment["merchantAccount"],
        reference=payment["reference"] if reference is None else reference,
        amount={"currency": currency, "value": payment["amount"]["value"] if value is None else value},
        success=success,
        original=payment["id"] if psp else None,
        method=payment["told"],
        reason=reason,
        link=payment["link"],
        extra=about,
    )


def _card(payment: Document) -> str | None:
    return "054172:1111:03/2030" if payment["method"] == "scheme" else None


def _with_authorisation(payment: Document, link: Document, *, success: bool) -> dict[str, Any]:
    given: dict[str, Any] = {f"metadata.{key}": value for key, value in link.get("metadata", {}).items()}
    given["metadata.checkout.linkId"] = payment["link"]
    if link.get("merchantOrderReference"):
        given["merchantOrderReference"] = link["merchantOrderReference"]
    if payment["method"] == "scheme":
        given |= {"cardSummary": "1111", "expiryDate": "03/2030", "cardPaymentMethod": "visa"}
        if success:
            given["authCode"] = "054172"
    if success:
        given["operations"] = ["CANCEL", "CAPTURE", "REFUND"]
    return given
