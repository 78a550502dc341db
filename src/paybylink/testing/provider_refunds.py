"""
What every provider owes when money goes back or is contested, and when it tells what moved its balance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import evolve

from paybylink.errors import IntegrityBreach, OutcomeUnknown, UnsupportedCapability
from paybylink.flow import Written
from paybylink.money import Money
from paybylink.payments import DisputeStatus, RefundStatus
from paybylink.providers.base import (
    BalanceItem,
    BalanceKind,
    DisputeNotice,
    Feature,
    PaymentNotice,
    RefundNotice,
    RefundRequest,
)

from .provider_hooks import DAY, Alteration, How
from .provider_payments import PaymentChecks

_REFUND, _FIND, _REFUNDS = "Provider.refund", "Provider.find_refund", "Provider.refunds_of"
_DISPUTES, _SETTLEMENTS = "Provider.disputes_of", "Provider.settlements"
#: More pages than the balance of any test has.
_MOST_PAGES = 200


class RefundChecks(PaymentChecks):
    """Refunds, disputes and settlements."""

    def test_sends_the_whole_payment_back(self) -> None:
        """A refund is under way or done, of the amount that was asked, for the payment that was named."""
        self.needs(Feature.REFUND)
        payment = self._paid()
        request, _, refund = self._refunded(payment, payment.amount)

        missing = []
        if refund.amount != request.amount:
            missing.append(f"{request.amount} was asked back, and {refund.amount} is told")
        if refund.payment_vendor_id != payment.vendor_id:
            missing.append("the refund is told of another payment")
        if refund.status not in (RefundStatus.PENDING, RefundStatus.SUCCEEDED):
            missing.append(f"a refund that was taken is {refund.status}")
        if refund.refund_id not in ("", request.refund_id):
            missing.append("the refund carries another mark than ours")
        if (
            not refund.vendor_id
            or refund.mode is not self.it.mode
            or refund.at.utcoffset() != dt.timedelta(0)
        ):
            missing.append("the refund has no id, another mode, or a moment that is not in UTC")
        self.check_none(missing, "paybylink.providers.base.RefundNotice")

    def test_sends_a_refund_back_once(self) -> None:
        """The same bytes under the same key, sent again after a lost answer, send nothing back again."""
        self.needs(Feature.REFUND)
        payment = self._paid()
        request, written, first = self._refunded(payment, payment.amount)
        again = self.carry(self.it.refund(request, written=written))

        self.check(again.vendor_id == first.vendor_id, "the same request has sent money back twice", _REFUND)

    def test_sends_parts_back_one_by_one(self) -> None:
        """Two parts of one payment are two refunds, each with its own amount, and are listed oldest first."""
        self.needs(Feature.PARTIAL_REFUND)
        payment = self._paid()
        parts = [Money(1000, "EUR"), Money(990, "EUR")]
        made = [self._refunded(payment, part)[2] for part in parts]

        self.check(made[0].vendor_id != made[1].vendor_id, "two parts sent back are one refund", _REFUND)
        self.check([one.amount for one in made] == parts, "a part sent back has another amount", _REFUND)
        listed = self.carry(self.it.refunds_of(payment.vendor_id))
        # A provider that tells refunds by webhook only lists none.
        if listed:
            ids = [one.vendor_id for one in listed]
            self.check(
                ids == [one.vendor_id for one in made], "refunds are not listed oldest first", _REFUNDS
            )

    def test_does_not_believe_another_refund(self) -> None:
        """A refund over another amount than was asked for is an `IntegrityBreach`."""
        self.needs(Feature.PARTIAL_REFUND)
        payment = self._paid()
        request, written, _ = self._refunded(payment, Money(1000, "EUR"))
        other = evolve(request, amount=Money(2000, "EUR"))

        _ = self.raised(
            IntegrityBreach,
            lambda: self.carry(self.it.refund(other, written=written)),
            "a refund of another amount than was asked for is believed",
            _REFUND,
        )

    def test_finds_the_refund_whose_answer_was_lost(self) -> None:
        """After a lost answer the refund that was made is found by our mark."""
        self.needs(Feature.FIND_REFUND)
        payment = self._paid()
        request, _, refund = self._refunded(payment, payment.amount)
        found = self.carry(self.it.find_refund(request))

        if found is None:
            raise self.miss("a refund that was made is not found again", _FIND)
        self.check(found.vendor_id == refund.vendor_id, "another refund than ours is found", _FIND)

    def test_finds_no_refund_that_was_never_sent(self) -> None:
        """What was never asked for is None, or an unknown outcome; other refunds are never taken for it."""
        self.needs(Feature.REFUND)
        payment = self._paid()
        _ = self._refunded(payment, payment.amount)
        try:
            found = self.carry(self.it.find_refund(self._refund_of(payment, payment.amount)))
        except (OutcomeUnknown, UnsupportedCapability):
            return
        self.check(found is None, "a refund is found that was never asked for", _FIND)

    def test_tells_that_a_payment_is_contested(self) -> None:
        """A dispute is told with its amount, as open, for the payment that it contests."""
        self.needs(Feature.DISPUTES)
        payment = self._paid()
        self.dispute(payment.vendor_id)
        disputes = self._disputes(payment)

        if len(disputes) != 1:
            raise self.miss(f"a payment contested once has {len(disputes)} disputes", _DISPUTES)
        missing = []
        if disputes[0].amount != payment.amount:
            missing.append(f"{payment.amount} is contested, and {disputes[0].amount} is told")
        if disputes[0].status is not DisputeStatus.OPEN:
            missing.append(f"a new dispute is {disputes[0].status}")
        if not disputes[0].vendor_id or disputes[0].mode is not self.it.mode:
            missing.append("the dispute has no id or another mode")
        self.check_none(missing, "paybylink.providers.base.DisputeNotice")

    def test_settles_to_the_cent(self) -> None:
        """Everything that moved the balance is told, in the span that was asked, and adds up with its fees."""
        self.needs(Feature.SETTLEMENTS)
        payment = self._paid()
        self.pay_out()
        items = self._settled()
        mine = [one for one in items if one.payment_vendor_id == payment.vendor_id]

        missing = [
            f"{one.vendor_id} is told of the provider {one.provider!r}"
            for one in items
            if one.provider != self.it.name
        ]
        missing += [f"{one.vendor_id} does not add up" for one in items if one.gross - one.fee != one.net]
        ids = [one.vendor_id for one in items]
        missing += [f"{one} is told twice" for one in sorted({*ids}) if ids.count(one) > 1]
        if [one.gross for one in mine if one.kind is BalanceKind.PAYMENT] != [payment.amount]:
            missing.append(
                "a payment that was paid out is not among what moved the balance, with its gross amount"
            )
        if not any(one.kind is BalanceKind.PAYOUT and one.net.minor < 0 for one in items):
            missing.append("a payout is not told as money that left the balance")
        self.check_none(missing, _SETTLEMENTS)

    def test_drops_no_movement_that_it_does_not_know(self) -> None:
        """A kind that nobody knows is handed on as `unknown`, with its amounts: a sum without it would be wrong."""
        self.needs(Feature.SETTLEMENTS)
        _ = self._paid()
        self.pay_out()
        known, unknown = self._settled(), self._settled(alter=True)

        self.check(
            sorted(one.net.minor for one in known) == sorted(one.net.minor for one in unknown),
            "movements of an unknown kind are dropped or counted otherwise",
            _SETTLEMENTS,
        )
        self.check(
            all(one.kind is BalanceKind.UNKNOWN and one.vendor_kind for one in unknown),
            "a kind that nobody knows is not unknown, or its word is not kept",
            "paybylink.providers.base.BalanceItem",
        )

    def _paid(self) -> PaymentNotice:
        made = self.make()
        self.pay(made.link, How.CARD)
        return self.only_payment(made)

    def _refund_of(self, payment: PaymentNotice, amount: Money) -> RefundRequest:
        return RefundRequest(
            refund_id=self.fresh("refund"),
            payment_vendor_id=payment.vendor_id,
            amount=amount,
            reason="returned",
        )

    def _refunded(self, payment: PaymentNotice, amount: Money) -> tuple[RefundRequest, Written, RefundNotice]:
        request = self._refund_of(payment, amount)
        written = self.it.write_refund(request, key=self.fresh("key"), now=self.now())
        return request, written, self.carry(self.it.refund(request, written=written))

    def _disputes(self, payment: PaymentNotice) -> Sequence[DisputeNotice]:
        asked = self.carry(self.it.disputes_of(payment.vendor_id))
        # A provider that tells disputes by webhook only lists none.
        told = asked or self.told(DisputeNotice)
        return list(
            {one.vendor_id: one for one in told if one.payment_vendor_id == payment.vendor_id}.values()
        )

    def _settled(self, *, alter: bool = False) -> Sequence[BalanceItem]:
        until = self.now() + DAY
        items: list[BalanceItem] = []
        after = ""
        for _ in range(_MOST_PAGES):
            call = self.it.settlements(since=until - 30 * DAY, until=until, after=after)
            if alter:
                call = self.tampered(call, lambda content: self.altered(content, Alteration.BALANCE_KIND))
            page = self.carry(call)
            items += page.items
            if not page.after:
                return items
            self.check(page.after != after, "a page of settlements leads to itself", _SETTLEMENTS)
            after = page.after
        raise self.miss(f"settlements have more than {_MOST_PAGES} pages", _SETTLEMENTS)
