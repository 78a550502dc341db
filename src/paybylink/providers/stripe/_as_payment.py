"""
Payments of one account, which are payment intents: read, taken, given up, contested, sent back.

A session of which nothing was charged stands for itself as a payment: there is nothing to send back, and nothing that
could be contested.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from attrs import frozen

from paybylink.currencies import STRIPE
from paybylink.errors import IntegrityBreach, InvalidInput
from paybylink.flow import Call
from paybylink.links import Mode
from paybylink.money import Money, to_wire
from paybylink.payments import PaymentStatus
from paybylink.providers.base import DisputeNotice, PaymentNotice, RefundNotice, RefundRequest

from ._asking import Asking, checked
from ._mapping import REFUNDS, SESSIONS
from ._marks import REFUND
from ._notices import dispute_notice, intent_notice, mark, refund_notice, session_notice

Json: TypeAlias = dict[str, Any]

INTENTS: Final = "/v1/payment_intents"
DISPUTES: Final = "/v1/disputes"


@frozen
class AsPayment:
    """
    Payments of one account.

    Attributes:
        ask: how it is asked.
        mode: of the account.
    """

    ask: Asking
    mode: Mode

    def fetch(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        if checked(vendor_id).startswith("cs_"):
            reply = yield from self.ask.get(
                f"{SESSIONS}/{vendor_id}", expand=["payment_intent.latest_charge"]
            )
            return self.ask.read(session_notice, reply)
        reply = yield from self.ask.get(f"{INTENTS}/{vendor_id}", expand=["latest_charge"])
        return self.ask.read(intent_notice, reply)

    def capture(self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """
        Take `amount` of an authorised payment.

        A capture names no currency, so the payment is read first: a number of another currency is never taken. What
        was taken before, to the cent, is returned as it is.
        """
        before = yield from self.fetch(vendor_id)
        if amount.currency != before.amount.currency:
            raise InvalidInput.single(
                "amount",
                f"is in {amount.currency}, the payment in {before.amount.currency}",
                "capture in the currency of the payment",
            )
        if before.status is PaymentStatus.SUCCEEDED and before.amount == amount:
            return before
        form = {"amount_to_capture": to_wire(amount, STRIPE), "expand": ["latest_charge"]}
        reply = yield from self.ask.post(f"{INTENTS}/{vendor_id}/capture", form, key=key, now=now)
        return self._changed(reply, vendor_id, taken=amount)

    def cancel(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Give an authorised payment up; one that was given up before is returned as it is."""
        before = yield from self.fetch(vendor_id)
        if before.status is PaymentStatus.CANCELLED:
            return before
        form = {"expand": ["latest_charge"]}
        reply = yield from self.ask.post(f"{INTENTS}/{vendor_id}/cancel", form, key=key, now=now)
        return self._changed(reply, vendor_id, taken=None)

    def disputes(self, vendor_id: str) -> Call[Sequence[DisputeNotice]]:
        """Every dispute of a payment, oldest first."""
        if checked(vendor_id).startswith("cs_"):
            return []
        disputes = yield from self.ask.all(DISPUTES, {"payment_intent": vendor_id})
        return [self.ask.read(self._dispute, dispute) for dispute in reversed(disputes)]

    def refunds(self, vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """Every refund of a payment, oldest first; also those made in the Dashboard."""
        if checked(vendor_id).startswith("cs_"):
            return []
        refunds = yield from self.ask.all(REFUNDS, {"payment_intent": vendor_id})
        return [self.ask.read(self._refund, refund) for refund in reversed(refunds)]

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """The refund that carries the mark of `request`; None if there is none."""
        refunds = yield from self.ask.all(REFUNDS, {"payment_intent": checked(request.payment_vendor_id)})
        for refund in refunds:
            if mark(refund, REFUND) == request.refund_id:
                return self.asked_refund(refund, request)
        return None

    def asked_refund(self, reply: Json, request: RefundRequest) -> RefundNotice:
        """
        The refund in an answer, if it is what `request` asked for.

        Raises:
            IntegrityBreach: anything differs.
        """
        notice = self.ask.read(self._refund, reply)
        wrong = {}
        if notice.refund_id != request.refund_id:
            wrong[f"metadata.{REFUND}"] = "is another refund's"
        if notice.payment_vendor_id != request.payment_vendor_id:
            wrong["payment_intent"] = "is another payment's"
        if notice.amount != request.amount:
            wrong["amount"] = f"is {notice.amount}, not {request.amount}"
        if wrong:
            raise IntegrityBreach(self.ask.who, wrong)
        return notice

    def _changed(self, reply: Json, vendor_id: str, *, taken: Money | None) -> PaymentNotice:
        """A payment after its capture (of `taken`) or its cancellation, compared with what was asked for."""
        notice = self.ask.read(intent_notice, reply)
        wrong = {}
        if notice.vendor_id != vendor_id:
            wrong["id"] = "is another payment's"
        if taken is not None and notice.status is PaymentStatus.SUCCEEDED and notice.amount != taken:
            wrong["amount_received"] = f"is {notice.amount}, not {taken}"
        if taken is None and notice.status is not PaymentStatus.CANCELLED:
            wrong["status"] = "is not canceled after giving up"
        if wrong:
            raise IntegrityBreach(self.ask.who, wrong)
        return notice

    def _refund(self, refund: Json) -> RefundNotice:
        return refund_notice(refund, mode=self.mode)

    def _dispute(self, dispute: Json) -> DisputeNotice:
        return dispute_notice(dispute, mode=self.mode)
