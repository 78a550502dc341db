"""
Adyen's events, read as our notices. Pure.

Of an event only the signed fields decide: the references, the amount, the code and whether it succeeded. For most
codes `success` says how a request went; of those that report something (`CHARGEBACK`, `EXPIRE`, `REFUND_FAILED`, …)
it only says that it happened.

Whose payment it is, the authorisation says, by our mark in its reference. What follows carries the reference of the
payment or one of its own, so it names the event that knows (`payment_event`), and the payment it is about
(`originalReference`).

Card details can stand in `reason` (an authorisation's holds the end of the number), so only words of failures and
disputes are kept, if they look like words.

Source: Adyen's OpenAPI document of its webhooks, version 1; docs.adyen.com, "Webhook types", "Capture", "Refund",
"Dispute webhooks".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from attrs import frozen

from paybylink.currencies import ADYEN
from paybylink.errors import InvalidInput
from paybylink.links import Mode
from paybylink.money import Money, from_wire
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import (
    DisputeNotice,
    ForeignNotice,
    Notice,
    Payer,
    PaymentNotice,
    RefundNotice,
    UnknownNotice,
)

from ._marks import LinkMark, read_link_mark, read_refund_mark
from ._methods import METHODS

Json: TypeAlias = dict[str, Any]

_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_LINK_ID: Final = _REFERENCE
_METHOD: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z /'&-]{0,79}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_REPORT: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")


@frozen(kw_only=True)
class Told:
    """
    One item of a webhook.

    Attributes:
        code, reference: the event and its own reference; both signed.
        original: the payment it is about; signed, empty where it is the payment itself.
        account, mark, refund_id: whose it is, by signed fields; None and empty without a mark of ours.
        amount: signed; None where it cannot be read.
        success: signed; None where it is neither true nor false.
        at, mode: not signed.
        method, reason, data: details, not signed.
    """

    code: str
    reference: str
    original: str
    account: str
    mark: LinkMark | None
    refund_id: str
    amount: Money | None
    success: bool | None
    at: dt.datetime
    mode: Mode
    method: str
    reason: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, item: Json, *, at: dt.datetime, mode: Mode, success: str) -> Told:
        """The item, with what is misshapen left empty."""
        data, method = item.get("additionalData"), item.get("paymentMethod")
        return cls(
            code=str(item.get("eventCode")),
            reference=str(item.get("pspReference")),
            original=_matching(_REFERENCE, item.get("originalReference")),
            account=str(item.get("merchantAccountCode")),
            mark=read_link_mark(item.get("merchantReference")),
            refund_id=read_refund_mark(item.get("merchantReference")),
            amount=_amount(item.get("amount")),
            success={"true": True, "false": False}.get(success),
            at=at,
            mode=mode,
            method=METHODS.from_vendor(_matching(_METHOD, method)),
            reason=_reason(item.get("reason")),
            data=data if isinstance(data, Mapping) else {},
        )

    @property
    def payment_event(self) -> str:
        """The event that tells the payment it is about."""
        return f"AUTHORISATION:{self.original}:true"


def notice_of(told: Told, *, account: str) -> Notice:
    """
    What an event means.

    Args:
        account: the merchant account that is ours; a webhook of a company tells other ones' events too.
    """
    if told.account != account:
        return ForeignNotice(reason="of another merchant account")
    reader = _READERS.get(told.code)
    if reader is None:
        if told.code == "REPORT_AVAILABLE":
            name = told.reference if _REPORT.fullmatch(told.reference) else "a report"
            return ForeignNotice(reason=f"informative: {name} can be downloaded")
        if told.code in _INFORMATIVE:
            return ForeignNotice(reason="informative: other events say what it means for a payment")
        return UnknownNotice(reason="a kind of event that this version does not know")
    if told.amount is None:
        return UnknownNotice(reason="its amount cannot be read")
    if told.success is None:
        return UnknownNotice(reason="it does not say whether it succeeded")
    return reader(told, told.amount)


# Payments


def _authorisation(told: Told, amount: Money) -> Notice:
    if told.mark is None:
        return ForeignNotice(reason="a payment that no link of ours has made")
    if not _REFERENCE.fullmatch(told.reference):
        return UnknownNotice(reason="its reference is none of a payment")
    if not told.success:
        status = PaymentStatus.FAILED
    else:
        status = PaymentStatus.AUTHORISED if told.mark.later else PaymentStatus.SUCCEEDED
    return _payment(told, amount, told.reference, status, payer=_payer(told.data))


def _modified(yes: PaymentStatus, told: Told, amount: Money) -> Notice:
    """The answer to a request of ours, or of somebody in the Customer Area; after a no the payment is as it was."""
    if not told.original:
        return _nameless()
    return _payment(told, amount, told.original, yes if told.success else PaymentStatus.AUTHORISED)


def _expired(told: Told, amount: Money) -> Notice:
    # It may come without the payment's reference in its place; its own is then the payment's.
    payment = told.original or _matching(_REFERENCE, told.reference)
    if not told.success or not payment:
        return UnknownNotice(reason="it does not say that something expired")
    return _payment(told, amount, payment, PaymentStatus.CANCELLED)


def _reversed(told: Told, amount: Money) -> Notice:
    # What was done stands in an unsigned field only. Neither reading makes money of it: a payment that was taken is
    # not cancelled by our tables, and a refund is never more than the payment.
    match told.data.get("modification.action"):
        case "cancel":
            return _modified(PaymentStatus.CANCELLED, told, amount)
        case "refund":
            return _refund(told, amount)
    return UnknownNotice(reason="it does not say whether it cancelled or refunded")


def _payment(
    told: Told, amount: Money, payment: str, status: PaymentStatus, *, payer: Payer | None = None
) -> PaymentNotice:
    mark, known = told.mark, told.code == "AUTHORISATION" or told.mark is not None
    return PaymentNotice(
        vendor_id=payment,
        amount=amount,
        status=status,
        at=told.at,
        mode=told.mode,
        link_vendor_id=_matching(_LINK_ID, told.data.get("paymentLinkId")) if mark else "",
        link_id=mark.link_id if mark else "",
        attempt_id=mark.attempt_id if mark else "",
        method=told.method,
        vendor_status=told.code if told.success else f"{told.code} {told.reason or 'false'}",
        payer=payer,
        payment_event="" if known else f"AUTHORISATION:{payment}:true",
        refused="" if told.success else {"CAPTURE": "capture", "AUTHORISATION": ""}.get(told.code, "cancel"),
    )


def _payer(data: Mapping[str, Any]) -> Payer | None:
    told = {
        "name": _line(data.get("cardHolderName")) or _line(data.get("ownerName")),
        "email": _line(data.get("shopperEmail")),
        "country": _matching(_COUNTRY, data.get("shopperCountry")),
    }
    return Payer(**told) if any(told.values()) else None


# Refunds


def _refund(told: Told, amount: Money) -> Notice:
    return _refunded(RefundStatus.SUCCEEDED if told.success else RefundStatus.FAILED, told, amount)


def _postponed(told: Told, amount: Money) -> Notice:
    return _refunded(RefundStatus.PENDING if told.success else RefundStatus.FAILED, told, amount)


def _bounced(told: Told, amount: Money) -> Notice:
    if not told.success:
        return UnknownNotice(reason="it does not say that a refund came back")
    return _refunded(RefundStatus.FAILED, told, amount)


def _refunded(status: RefundStatus, told: Told, amount: Money) -> Notice:
    if not told.original or not _REFERENCE.fullmatch(told.reference):
        return _nameless()
    return RefundNotice(
        vendor_id=told.reference,
        payment_vendor_id=told.original,
        amount=amount,
        status=status,
        at=told.at,
        mode=told.mode,
        refund_id=told.refund_id,
        vendor_status=told.code if told.success else f"{told.code} {told.reason or 'false'}",
        payment_event=told.payment_event,
    )


# Disputes


def _dispute(status: DisputeStatus, told: Told, amount: Money) -> Notice:
    if not told.success:
        return UnknownNotice(reason="it does not say that something happened")
    # Some of Adyen's examples tell a dispute's end by its own reference alone; the payment is known by then.
    by_itself = status is not DisputeStatus.OPEN and told.code != "CAPTURE_FAILED"
    if not _REFERENCE.fullmatch(told.reference) or not (told.original or by_itself):
        return _nameless()
    word = told.code.lower()
    return DisputeNotice(
        vendor_id=told.reference,
        payment_vendor_id=told.original,
        amount=amount,
        status=status,
        at=told.at,
        mode=told.mode,
        reason=word if told.code == "CAPTURE_FAILED" or not told.reason else f"{word}: {told.reason}",
        respond_by=moment(told.data.get("defensePeriodEndsAt")) if status is DisputeStatus.OPEN else None,
        payment_event=told.payment_event if told.original else "",
    )


def _ended(word: str, status: DisputeStatus, told: Told, amount: Money) -> Notice:
    """A period that ended: a dispute only ended with it where it says so."""
    if told.data.get("disputeStatus") == word:
        return _dispute(status, told, amount)
    return ForeignNotice(reason="informative: a period ended, and the dispute did not")


def _nameless() -> UnknownNotice:
    return UnknownNotice(reason="it does not say which payment it is about")


#: `CAPTURE_FAILED` takes back money that was counted as ours, as a lost dispute does. A `CHARGEBACK` takes the money
#: and can still be defended; `SECOND_CHARGEBACK` is what the defence came to.
_READERS: Final[Mapping[str, Callable[[Told, Money], Notice]]] = MappingProxyType(
    {
        "AUTHORISATION": _authorisation,
        "CAPTURE": partial(_modified, PaymentStatus.SUCCEEDED),
        "CANCELLATION": partial(_modified, PaymentStatus.CANCELLED),
        "TECHNICAL_CANCEL": partial(_modified, PaymentStatus.CANCELLED),
        "CANCEL_OR_REFUND": _reversed,
        "EXPIRE": _expired,
        "REFUND": _refund,
        "POSTPONED_REFUND": _postponed,
        "REFUND_FAILED": _bounced,
        "REFUNDED_REVERSED": _bounced,
        "CAPTURE_FAILED": partial(_dispute, DisputeStatus.LOST),
        "NOTIFICATION_OF_CHARGEBACK": partial(_dispute, DisputeStatus.OPEN),
        "REQUEST_FOR_INFORMATION": partial(_dispute, DisputeStatus.OPEN),
        "CHARGEBACK": partial(_dispute, DisputeStatus.OPEN),
        "CHARGEBACK_REVERSED": partial(_dispute, DisputeStatus.WON),
        "SECOND_CHARGEBACK": partial(_dispute, DisputeStatus.LOST),
        "PREARBITRATION_WON": partial(_dispute, DisputeStatus.WON),
        "PREARBITRATION_ISSUER_WITHDRAWN": partial(_dispute, DisputeStatus.WON),
        "PREARBITRATION_LOST": partial(_dispute, DisputeStatus.LOST),
        "SCHEME_ARBITRATION_WON": partial(_dispute, DisputeStatus.WON),
        "SCHEME_ARBITRATION_LOST": partial(_dispute, DisputeStatus.LOST),
        "DISPUTE_DEFENSE_PERIOD_ENDED": partial(_ended, "Lost", DisputeStatus.LOST),
        "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": partial(_ended, "Won", DisputeStatus.WON),
    }
)

#: Events that tell nothing which those above do not tell better. A report of fraud moves no money and opens nothing;
#: `OFFER_CLOSED` is one abandoned attempt; orders are paid by several payments, each of which is told for itself.
_INFORMATIVE: Final = frozenset(
    {
        "INFORMATION_SUPPLIED",
        "ISSUER_COMMENTS",
        "MANUAL_REVIEW_ACCEPT",
        "MANUAL_REVIEW_REJECT",
        "NOTIFICATION_OF_FRAUD",
        "OFFER_CLOSED",
        "ORDER_CLOSED",
        "ORDER_OPENED",
        "RECURRING_CONTRACT",
    }
)


def _amount(told: object) -> Money | None:
    if not isinstance(told, Mapping):
        return None
    try:
        return from_wire(told.get("value"), told.get("currency"), ADYEN)  # type: ignore[arg-type]  # it checks both
    except InvalidInput:
        return None


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _reason(value: object) -> str:
    """Words of a failure; empty for anything that may be more than words, and for Adyen's text ``null``."""
    words = _matching(_WORDS, value)
    return "" if words == "null" else words


def _line(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 320 and value.isprintable() else ""


def moment(text: object) -> dt.datetime | None:
    """A moment with its offset, in UTC; None when it is none."""
    try:
        at = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
        return at.astimezone(dt.UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
