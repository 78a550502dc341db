"""
Stripe's webhooks: whether to believe one, and what it says.

The signature is checked here and not by the SDK, whose verifier lets timestamps of any future pass, turns its age
check off for a tolerance of zero, takes one secret at a time and raises a bare `UnicodeDecodeError` on bytes that
are no text. The body is decoded once and no SDK object is built.

`Stripe-Signature` is ``t=<unix>,v1=<hex>[,v1=<hex>…][,v0=<hex>]``: HMAC-SHA256 with the whole secret, over the
timestamp, a point and the raw body. While a secret is being replaced there are two `v1`, one for each; `v0` and
anything else is ignored.

An event's payload has the shape of the endpoint's API version, not of ours, so fields are read with care: what an
event of ours lacks makes it `UnknownNotice`, which is kept and can be read again by a later version.

Source: docs.stripe.com, "Receive Stripe events in your webhook endpoint", "Resolve webhook signature
verification errors", "Fulfill orders", "Event types".
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.payments import PaymentStatus
from paybylink.providers.base import (
    Bell,
    ForeignNotice,
    LinkNotice,
    Notice,
    ProviderEvent,
    UnknownNotice,
    VendorLinkStatus,
)

from ._links import completed
from ._marks import ATTEMPT, LINK
from ._notices import (
    MISSHAPEN,
    dispute_notice,
    intent_notice,
    mark,
    mode_of,
    moment,
    named_id,
    paid_status,
    refund_notice,
    session_notice,
)

Json: TypeAlias = dict[str, Any]

HEADER: Final = "stripe-signature"
#: More than any signature header needs; a longer one is not looked at.
_LONGEST_HEADER: Final = 4096
_EPOCH: Final = dt.datetime.fromtimestamp(0, dt.UTC)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[bytes],
    tolerance: dt.timedelta,
    now: dt.datetime,
) -> None:
    """
    Return if `body` was signed with one of `secrets` within `tolerance` before or after `now`.

    Raises:
        WebhookRejected: it was not.
    """
    if not secrets:
        # Not the sender's fault: a status on which Stripe tries again, for up to three days.
        raise WebhookRejected(
            "no webhook secret is set, so nothing can be believed; set webhook_secrets", status=503
        )
    timestamp, signatures = _signed(_header(headers))
    signed = timestamp + b"." + body
    expected = [hmac.digest(secret, signed, "sha256").hex().encode() for secret in secrets]
    genuine = False
    for given in signatures:
        for known in expected:
            genuine |= hmac.compare_digest(given, known)
    if not genuine:
        raise WebhookRejected(
            "the signature fits none of the webhook secrets; check webhook_secrets and that the body "
            "arrives as the exact bytes that were sent"
        )
    age = (now - _EPOCH).total_seconds() - int(timestamp)
    if abs(age) > tolerance.total_seconds():
        when = "too old" if age > 0 else "from the future"
        raise WebhookRejected(f"the signature is {when}; check this machine's clock")


def read(body: bytes, *, account: str | None) -> ProviderEvent:
    """
    The event in a verified body.

    Args:
        account: the connected account that is ours; None for the key's own.

    Raises:
        WebhookRejected: it is no event of Stripe.
    """
    try:
        event = json.loads(body)
        kind, event_id = event["type"], event["id"]
        if not isinstance(kind, str) or not isinstance(event_id, str) or not event_id:
            raise TypeError("type")
        if event.get("object") != "event":
            return _thin(event, kind=kind, event_id=event_id)
        at, mode = moment(event["created"]), mode_of(event)
        thing = event["data"]["object"]
    except (*MISSHAPEN, RecursionError):
        raise WebhookRejected("the body is no event of Stripe") from None
    return ProviderEvent(
        event_id=event_id, kind=kind, at=at, mode=mode, notice=_notice(event, kind, thing, at, mode, account)
    )


def _notice(event: Json, kind: str, thing: Json, at: dt.datetime, mode: Mode, account: str | None) -> Notice:
    if event.get("account", account) != account:
        return ForeignNotice(reason="of another connected account")
    reader = _READERS.get(kind)
    if reader is None:
        if kind in _INFORMATIVE or kind.startswith(_CATALOGUE):
            return ForeignNotice(reason="informative: other events say what it means for a link")
        return UnknownNotice(reason="a kind of event that this version does not know")
    try:
        return reader(thing, at, mode)
    except MISSHAPEN as error:
        return UnknownNotice(reason=f"its payload cannot be read ({type(error).__name__})")


def _completed(session: Json, at: dt.datetime, mode: Mode) -> Notice:
    return _session(session, paid_status(session), at, mode)


def _succeeded(session: Json, at: dt.datetime, mode: Mode) -> Notice:
    # Should the payload not agree that it is paid, it is not taken for money.
    paid = paid_status(session) is PaymentStatus.SUCCEEDED
    return _session(session, PaymentStatus.SUCCEEDED if paid else PaymentStatus.UNKNOWN, at, mode)


def _failed(session: Json, at: dt.datetime, mode: Mode) -> Notice:
    return _session(session, PaymentStatus.FAILED, at, mode)


def _session(session: Json, status: PaymentStatus, at: dt.datetime, mode: Mode) -> Notice:
    if not mark(session, LINK):
        return ForeignNotice(reason="a checkout session that no link of ours has made")
    if mode_of(session) is not mode:
        return UnknownNotice(reason="its payload is of another mode than the event")
    return session_notice(session, status=status, at=at)


def _expired(session: Json, at: dt.datetime, mode: Mode) -> Notice:
    if session.get("payment_link") is not None or not mark(session, LINK):
        return ForeignNotice(reason="informative: a session that nobody has completed")
    return LinkNotice(
        vendor_id=named_id(session), status=VendorLinkStatus.CLOSED, mode=mode, link_id=mark(session, LINK)
    )


def _intent(intent: Json, at: dt.datetime, mode: Mode) -> Notice:
    """Money that was reserved, taken later or given up; of other intents the session tells, with the link."""
    if not mark(intent, LINK):
        return ForeignNotice(reason="a payment intent that no link of ours has made")
    if intent["capture_method"] != "manual":
        return ForeignNotice(reason="informative: the session tells what it means for a link")
    if mode_of(intent) is not mode:
        return UnknownNotice(reason="its payload is of another mode than the event")
    return intent_notice(intent, at=at)


def _rung(invoice: Json, at: dt.datetime, mode: Mode) -> Notice:
    """An invoice does not say by which payment it was paid, so its payments are asked for."""
    if not mark(invoice, LINK):
        return ForeignNotice(reason="an invoice that no link of ours has made")
    return Bell(
        mode=mode,
        link_vendor_id=named_id(invoice),
        link_id=mark(invoice, LINK),
        attempt_id=mark(invoice, ATTEMPT),
    )


def _voided(invoice: Json, at: dt.datetime, mode: Mode) -> Notice:
    if not mark(invoice, LINK):
        return ForeignNotice(reason="an invoice that no link of ours has made")
    return LinkNotice(
        vendor_id=named_id(invoice), status=VendorLinkStatus.CLOSED, mode=mode, link_id=mark(invoice, LINK)
    )


def _refund(refund: Json, at: dt.datetime, mode: Mode) -> Notice:
    notice = refund_notice(refund, mode=mode, at=at)
    return notice if notice.payment_vendor_id else ForeignNotice(reason="a refund of no payment intent")


def _dispute(dispute: Json, at: dt.datetime, mode: Mode) -> Notice:
    notice = dispute_notice(dispute, mode=mode)
    return notice if notice.payment_vendor_id else ForeignNotice(reason="a dispute of no payment intent")


def _link(link: Json, at: dt.datetime, mode: Mode) -> Notice:
    link_id = mark(link, LINK)
    if not link_id:
        return ForeignNotice(reason="a payment link that is not ours")
    count, limit = completed(link)
    if link["active"] is False and count is not None and limit is not None and count >= limit:
        # Stripe closes a link that has taken all its payments; nobody has changed anything.
        return ForeignNotice(reason="informative: a link that has taken all its payments")
    status = {True: VendorLinkStatus.OPEN, False: VendorLinkStatus.CLOSED}.get(
        link["active"], VendorLinkStatus.UNKNOWN
    )
    return LinkNotice(vendor_id=named_id(link), status=status, mode=mode, link_id=link_id)


_READERS: Final[Mapping[str, Callable[[Json, dt.datetime, Mode], Notice]]] = MappingProxyType(
    {
        "checkout.session.completed": _completed,
        "checkout.session.async_payment_succeeded": _succeeded,
        "checkout.session.async_payment_failed": _failed,
        "checkout.session.expired": _expired,
        "payment_intent.amount_capturable_updated": _intent,
        "payment_intent.canceled": _intent,
        "payment_intent.succeeded": _intent,
        "invoice.paid": _rung,
        "invoice.payment_failed": _rung,
        "invoice.overpaid": _rung,
        "invoice.voided": _voided,
        "invoice.deleted": _voided,
        "refund.created": _refund,
        "refund.updated": _refund,
        "refund.failed": _refund,
        "charge.dispute.created": _dispute,
        "charge.dispute.updated": _dispute,
        "charge.dispute.closed": _dispute,
        "charge.dispute.funds_withdrawn": _dispute,
        "charge.dispute.funds_reinstated": _dispute,
        "payment_link.updated": _link,
    }
)

#: Events that tell nothing which those above do not tell better: one attempt of several (`payment_failed`), the
#: charge behind a session, `charge.refunded`, which `refund.*` covers for all methods, `invoice.payment_succeeded`,
#: which comes beside `invoice.paid`, and an invoice's other news, after which it can be paid as before.
_INFORMATIVE: Final = frozenset(
    {
        "charge.captured",
        "charge.expired",
        "charge.failed",
        "charge.pending",
        "charge.refund.updated",
        "charge.refunded",
        "charge.succeeded",
        "charge.updated",
        "invoice.created",
        "invoice.finalization_failed",
        "invoice.finalized",
        "invoice.marked_uncollectible",
        "invoice.overdue",
        "invoice.payment_action_required",
        "invoice.payment_succeeded",
        "invoice.sent",
        "invoice.updated",
        "invoice.will_be_due",
        "payment_intent.created",
        "payment_intent.partially_funded",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_link.created",
    }
)
#: Every link with inline prices makes products and prices, every invoice a customer and items; what reached the bank
#: is asked for with the settlements.
_CATALOGUE: Final = (
    *("product.", "price.", "customer.", "invoiceitem.", "invoice_payment."),
    *("payout.", "balance."),
)


def _thin(event: Json, *, kind: str, event_id: str) -> ProviderEvent:
    """A thin event (``v2.core.event``) names an object and carries none of it."""
    if event.get("object") != "v2.core.event":
        raise ValueError("object")
    created = event["created"]
    at = dt.datetime.fromisoformat(created)
    if at.tzinfo is None:
        raise ValueError("created")
    return ProviderEvent(
        event_id=event_id,
        kind=kind,
        at=at.astimezone(dt.UTC),
        mode=mode_of(event),
        notice=UnknownNotice(
            reason="a thin event; make the endpoint a webhook with snapshot payloads in the Dashboard"
        ),
    )


def _header(headers: Mapping[str, str]) -> str:
    found = headers.get(HEADER) or headers.get("Stripe-Signature")
    if found is None:
        found = next((value for name, value in headers.items() if name.lower() == HEADER), None)
    if not found:
        raise WebhookRejected("it has no Stripe-Signature header")
    return found


def _signed(header: str) -> tuple[bytes, list[bytes]]:
    """The timestamp, as it was signed, and the signatures of scheme v1."""
    timestamps: list[str] = []
    signatures: list[bytes] = []
    if len(header) <= _LONGEST_HEADER and header.isascii():
        for item in header.split(","):
            name, _, value = item.strip().partition("=")
            if name == "t":
                timestamps.append(value)
            elif name == "v1":
                signatures.append(value.encode("ascii"))
    if len(timestamps) != 1 or not timestamps[0].isdigit() or len(timestamps[0]) > 12 or not signatures:
        raise WebhookRejected("its Stripe-Signature header cannot be read")
    return timestamps[0].encode("ascii"), signatures
