"""
Mollie's payments, refunds and chargebacks, read as our notices. Pure.

Mollie does not say on a payment which link it came by. Where our marks are in its addresses they are read, but often
Mollie shows an address of its own there; so the link is known from its list of payments, or from the address that
was called. Unknown words of Mollie become `unknown` (payments) or `pending` (refunds), are kept verbatim, and never
become money.

What is missing or misshapen raises one of `MISSHAPEN`; callers say what that means for them.

Source: Mollie's OpenAPI document, `payment-status`, `refund-status`, `entity-chargeback`; docs.mollie.com, "Status
change".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paybylink.links import Mode
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import DisputeNotice, Payer, PaymentNotice, RefundNotice

from . import _marks
from ._amounts import moment, money
from ._mapping import REFUND
from ._methods import METHODS

Json: TypeAlias = dict[str, Any]

#: A payer who has begun and is not done; nothing has happened yet.
NOT_YET: Final = "open"

_PAYMENT: Final[Mapping[str, PaymentStatus]] = MappingProxyType(
    {
        "pending": PaymentStatus.PROCESSING,
        "authorized": PaymentStatus.AUTHORISED,
        "paid": PaymentStatus.SUCCEEDED,
        "failed": PaymentStatus.FAILED,
        # An attempt that the payer gave up, or left.
        "canceled": PaymentStatus.FAILED,
        "expired": PaymentStatus.FAILED,
    }
)
#: The field that holds the moment of a status.
_WHEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authorized": "authorizedAt",
        "paid": "paidAt",
        "failed": "failedAt",
        "canceled": "canceledAt",
        "expired": "expiredAt",
    }
)
_REFUND: Final[Mapping[str, RefundStatus]] = MappingProxyType(
    {
        "queued": RefundStatus.PENDING,
        "pending": RefundStatus.PENDING,
        "processing": RefundStatus.PENDING,
        "refunded": RefundStatus.SUCCEEDED,
        "failed": RefundStatus.FAILED,
        "canceled": RefundStatus.CANCELLED,
    }
)


def named(thing: Json, prefix: str) -> str:
    """The id of an object, which must be of its kind."""
    found = thing["id"]
    if not isinstance(found, str) or not found.startswith(prefix):
        raise TypeError("id")
    return found


def payment_notice(payment: Json, *, link_vendor_id: str = "") -> PaymentNotice:
    """
    One payment.

    Args:
        link_vendor_id: the link in whose list it stands; empty where it was asked for alone.
    """
    status = _word(payment, "status")
    marks = _marks.of_addresses(payment.get("webhookUrl"), payment.get("redirectUrl"))
    return PaymentNotice(
        vendor_id=named(payment, "tr_"),
        amount=money(payment["amount"]),
        status=_PAYMENT.get(status, PaymentStatus.UNKNOWN),
        at=_when(payment, status),
        mode=Mode(payment["mode"]),
        link_vendor_id=link_vendor_id,
        link_id=marks.link_id,
        attempt_id=marks.attempt_id,
        method=METHODS.from_vendor(_word(payment, "method")),
        vendor_status=status,
        payer=_payer(payment),
    )


def refund_notice(refund: Json) -> RefundNotice:
    """One refund."""
    status = _word(refund, "status")
    metadata = refund.get("metadata")
    ours = metadata.get(REFUND) if isinstance(metadata, Mapping) else None
    return RefundNotice(
        vendor_id=named(refund, "re_"),
        payment_vendor_id=str(refund["paymentId"]),
        amount=money(refund["amount"]),
        status=_REFUND.get(status, RefundStatus.PENDING),
        at=moment(refund["createdAt"]),
        mode=Mode(refund["mode"]),
        refund_id=ours if isinstance(ours, str) else "",
        reason=_word(refund, "description"),
        vendor_status=status,
    )


def dispute_notice(chargeback: Json, *, mode: Mode) -> DisputeNotice:
    """One chargeback, whose mode Mollie does not say; the money is gone unless it is reversed."""
    reason = chargeback.get("reason")
    reversed_at = chargeback.get("reversedAt")
    return DisputeNotice(
        vendor_id=named(chargeback, "chb_"),
        payment_vendor_id=str(chargeback["paymentId"]),
        amount=money(chargeback["amount"]),
        status=DisputeStatus.WON if reversed_at else DisputeStatus.OPEN,
        at=moment(reversed_at or chargeback["createdAt"]),
        mode=mode,
        reason=_word(reason, "code") if isinstance(reason, Mapping) else "",
    )


def _when(payment: Json, status: str) -> dt.datetime:
    return moment(payment.get(_WHEN.get(status, "")) or payment["createdAt"])


def _word(thing: Mapping[str, Any], name: str) -> str:
    found = thing.get(name)
    return found if isinstance(found, str) else ""


def _payer(payment: Json) -> Payer | None:
    """Who paid, as far as it is told; no number of a card or an account is read."""
    details, address = payment.get("details"), payment.get("billingAddress")
    details = details if isinstance(details, Mapping) else {}
    address = address if isinstance(address, Mapping) else {}
    name = f"{_word(address, 'givenName')} {_word(address, 'familyName')}".strip()
    payer = Payer(
        name=_word(details, "consumerName") or _word(details, "cardHolder") or name,
        email=_word(address, "email"),
        country=_word(details, "cardCountryCode") or _word(payment, "countryCode"),
    )
    return payer if payer != Payer() else None
