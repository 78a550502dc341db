"""
Stripe's sessions, payment intents, refunds and disputes, read as our notices. Pure.

A payment's id is its payment intent's, so that all news of it meet; a session that had nothing to charge keeps its
own. Its amount is the session's `amount_total` in the order's currency, never `presentment_details`, which is what
a payer in another currency was shown. Unknown words of Stripe become `unknown` (payments), `pending` (refunds) or
`open` (disputes), are kept verbatim, and never become money.

What is missing or misshapen raises `KeyError`, `TypeError` or `ValueError`, gathered in `MISSHAPEN`; callers
say what that means for them.

Source: Stripe API reference, `checkout.session.payment_status`, `payment_intent.status`, `refund.status`,
`dispute.status`; docs.stripe.com, "Fulfill orders".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.currencies import STRIPE
from paybylink.links import Mode
from paybylink.money import Money, from_wire
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import DisputeNotice, Payer, PaymentNotice, RefundNotice

from ._checkout import METHODS
from ._marks import ATTEMPT, LATER, LIMIT, LINK, REASON, REFUND

Json: TypeAlias = dict[str, Any]

#: What reading a misshapen object raises.
MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)

_SESSION_PAID: Final = frozenset({"paid", "no_payment_required"})

_INTENT: Final[Mapping[str, PaymentStatus]] = MappingProxyType(
    {
        "succeeded": PaymentStatus.SUCCEEDED,
        "processing": PaymentStatus.PROCESSING,
        "requires_action": PaymentStatus.PROCESSING,
        "requires_confirmation": PaymentStatus.PROCESSING,
        "requires_capture": PaymentStatus.AUTHORISED,
        "requires_payment_method": PaymentStatus.FAILED,
        "canceled": PaymentStatus.CANCELLED,
    }
)
#: What is no money, whatever a session says.
_NOT_TAKEN: Final = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CANCELLED})
_REFUND: Final[Mapping[str, RefundStatus]] = MappingProxyType(
    {
        "pending": RefundStatus.PENDING,
        "requires_action": RefundStatus.PENDING,
        "succeeded": RefundStatus.SUCCEEDED,
        "failed": RefundStatus.FAILED,
        "canceled": RefundStatus.CANCELLED,
    }
)
#: `warning_closed` is an inquiry that ended without a chargeback: the money stays.
_DISPUTE: Final[Mapping[str, DisputeStatus]] = MappingProxyType(
    {"won": DisputeStatus.WON, "warning_closed": DisputeStatus.WON, "lost": DisputeStatus.LOST}
)


def moment(timestamp: int) -> dt.datetime:
    """A moment of Stripe's, aware and in UTC."""
    if type(timestamp) is not int:
        raise TypeError("created")
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)


def mode_of(thing: Json) -> Mode:
    """The mode that `livemode` says."""
    livemode = thing["livemode"]
    if livemode is True:
        return Mode.LIVE
    if livemode is False:
        return Mode.TEST
    raise TypeError("livemode")


def money(value: int, currency: str) -> Money:
    """An amount in Stripe's minor units."""
    return from_wire(value, currency, STRIPE)


def id_of(thing: object) -> str:
    """The id of something that Stripe may or may not have expanded; empty when there is none."""
    if isinstance(thing, Mapping):
        thing = thing.get("id")
    return thing if isinstance(thing, str) else ""


def named_id(thing: Json) -> str:
    """The id of an object, which must have one."""
    found = thing["id"]
    if not isinstance(found, str) or not found:
        raise TypeError("id")
    return found


def mark(thing: Json, name: str) -> str:
    """One of our marks in the metadata; empty when it is not there."""
    metadata = thing.get("metadata")
    found = metadata.get(name) if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) else ""


def session_notice(
    session: Json, *, status: PaymentStatus | None = None, at: dt.datetime | None = None
) -> PaymentNotice:
    """
    The payment of a completed checkout session.

    Args:
        session: with its payment intent expanded or not.
        status: what a webhook's kind says; None reads it from the session and its intent.
        at: when it happened, as a webhook says; None reads it from the charge, the intent or the session.
    """
    intent = session.get("payment_intent")
    details: Mapping[str, Any] = intent if isinstance(intent, Mapping) else {}
    charge = details.get("latest_charge")
    charge = charge if isinstance(charge, Mapping) else {}
    status = status or _session_status(session, details)
    # Of an authorisation a part may have been taken; the session keeps saying what was reserved.
    succeeded = status is PaymentStatus.SUCCEEDED and details.get("currency") == session["currency"]
    taken = details.get("amount_received") if succeeded else None
    amount = money(session["amount_total"], session["currency"])
    link = id_of(session.get("payment_link"))
    return PaymentNotice(
        vendor_id=id_of(intent) or named_id(session),
        amount=min(amount, money(taken, session["currency"])) if taken else amount,
        status=status,
        at=at or moment(charge.get("created") or details.get("created") or session["created"]),
        mode=mode_of(session),
        link_vendor_id=link or named_id(session),
        link_id=mark(session, LINK),
        attempt_id=mark(session, ATTEMPT),
        method=charge_method(
            charge, details.get("payment_method_types") or session.get("payment_method_types")
        ),
        vendor_status=str(session["payment_status"]),
        payer=_payer(session.get("customer_details")),
        # A link counts a session when the payer is done, also one whose money then fails to come. A session by
        # itself is over by then, and so is its time.
        uses_up=status is PaymentStatus.FAILED and bool(link) and mark(session, LIMIT) == "1",
    )


def paid_status(session: Json) -> PaymentStatus:
    """What `checkout.session.completed` says: the payer is done; whether money came is another question."""
    said = session["payment_status"]
    if said in _SESSION_PAID:
        # Where money is reserved first, its intent says whether it was taken, and has news of its own.
        reserved = said == "paid" and bool(mark(session, LATER))
        return PaymentStatus.PROCESSING if reserved else PaymentStatus.SUCCEEDED
    return PaymentStatus.PROCESSING if said == "unpaid" else PaymentStatus.UNKNOWN


def intent_notice(intent: Json, *, at: dt.datetime | None = None) -> PaymentNotice:
    """
    The payment that a payment intent is; it does not say by which of Stripe's links it came.

    Args:
        intent: with its charge expanded or not.
        at: when it happened, as a webhook says; None reads it from the charge or the intent.
    """
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, Mapping) else {}
    status = _INTENT.get(intent["status"], PaymentStatus.UNKNOWN)
    taken = intent.get("amount_received") if status is PaymentStatus.SUCCEEDED else None
    return PaymentNotice(
        vendor_id=named_id(intent),
        amount=money(taken or intent["amount"], intent["currency"]),
        status=status,
        at=at or moment(charge.get("created") or intent["created"]),
        mode=mode_of(intent),
        link_id=mark(intent, LINK),
        attempt_id=mark(intent, ATTEMPT),
        method=charge_method(charge, intent.get("payment_method_types")),
        vendor_status=str(intent["status"]),
    )


def refund_notice(refund: Json, *, mode: Mode, at: dt.datetime | None = None) -> RefundNotice:
    """One refund; Stripe does not say its mode, so it is the account's or the event's."""
    said = refund.get("status")
    return RefundNotice(
        vendor_id=named_id(refund),
        payment_vendor_id=id_of(refund.get("payment_intent")),
        amount=money(refund["amount"], refund["currency"]),
        status=_REFUND.get(said, RefundStatus.PENDING) if isinstance(said, str) else RefundStatus.PENDING,
        at=at or moment(refund["created"]),
        mode=mode,
        refund_id=mark(refund, REFUND),
        reason=mark(refund, REASON) or str(refund.get("reason") or ""),
        vendor_status=str(said or ""),
    )


def dispute_notice(dispute: Json, *, mode: Mode) -> DisputeNotice:
    """One dispute."""
    evidence = dispute.get("evidence_details")
    due = evidence.get("due_by") if isinstance(evidence, Mapping) else None
    return DisputeNotice(
        vendor_id=named_id(dispute),
        payment_vendor_id=id_of(dispute.get("payment_intent")),
        amount=money(dispute["amount"], dispute["currency"]),
        status=_DISPUTE.get(dispute["status"], DisputeStatus.OPEN),
        at=moment(dispute["created"]),
        mode=mode,
        reason=str(dispute.get("reason") or ""),
        respond_by=moment(due) if due else None,
    )


def _session_status(session: Json, intent: Mapping[str, Any]) -> PaymentStatus:
    """As `paid_status`; the intent knows whether money is only reserved, or still may come."""
    said = paid_status(session)
    known = _INTENT.get(str(intent.get("status")), PaymentStatus.UNKNOWN)
    if intent and (said is PaymentStatus.PROCESSING or known in _NOT_TAKEN):
        return known
    return said


def _payer(details: object) -> Payer | None:
    """Who paid, from a session's `customer_details`."""
    if not isinstance(details, Mapping):
        return None
    place = details.get("address")
    told = {
        "name": details.get("name") or details.get("individual_name") or details.get("business_name"),
        "email": details.get("email"),
        "country": place.get("country") if isinstance(place, Mapping) else None,
    }
    said = {name: text for name, text in told.items() if isinstance(text, str) and text}
    return Payer(**said) if said else None


def charge_method(charge: Mapping[str, Any], types: object) -> str:
    """The method that was used; empty where several were possible and the charge is not shown."""
    details = charge.get("payment_method_details")
    if isinstance(details, Mapping) and isinstance(details.get("type"), str):
        return METHODS.from_vendor(details["type"])
    return METHODS.from_vendor(str(types[0])) if isinstance(types, list) and len(types) == 1 else ""
