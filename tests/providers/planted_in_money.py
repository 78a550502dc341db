"""
Deliberate faults in payments, refunds, disputes and settlements.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from paybylink.flow import Call, Written
from paybylink.money import Money
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers import base
from paybylink.providers.base import RefundRequest, VendorLink, VendorLinkStatus

from .planted import planted
from .planted_in_links import Forgetful
from .tiny_provider import checked
from .whole_provider import WholeProvider


class Restated(WholeProvider):
    """Payments that are told otherwise when the link is asked for them."""

    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        """What is told in place of `notice`."""
        return notice

    def payments_of(self, vendor_id: str) -> Call[Sequence[base.PaymentNotice]]:
        notices = yield from super().payments_of(vendor_id)
        link = yield from self.fetch_link(vendor_id)
        return [self.other(notice, link) for notice in notices]


@planted("tells_a_payment_with_what_was_paid")
class LocalTime(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        return evolve(notice, at=notice.at.astimezone(dt.timezone(dt.timedelta(hours=1))))


@planted("does_not_take_delayed_money_for_certain")
class Eager(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        early = notice.status is PaymentStatus.PROCESSING
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if early else notice


@planted("tells_that_delayed_money_did_not_come")
class Hopeful(Restated):
    when = VendorLinkStatus.CLOSED

    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        # A delayed payment has used the link up, a declined card has not.
        failed = notice.status is PaymentStatus.FAILED and link.status is self.when
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if failed else notice


@planted("tells_no_money_of_a_declined_card")
class Generous(Hopeful):
    when = VendorLinkStatus.OPEN


@planted("does_not_take_an_unknown_word_for_money")
class Guessing(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        strange = notice.status is PaymentStatus.UNKNOWN
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if strange else notice


@planted("fetches_a_payment_as_it_was_listed")
class MarklessPayment(WholeProvider):
    def fetch_payment(self, vendor_id: str) -> Call[Any]:
        return evolve((yield from super().fetch_payment(vendor_id)), attempt_id="")


@planted("tells_no_payment_of_a_link_that_nobody_paid")
class AllPayments(WholeProvider):
    def payments_of(self, vendor_id: str) -> Call[Sequence[base.PaymentNotice]]:
        found = yield from self._ask("GET", f"/payments?mode={'test' if checked(vendor_id) else ''}")
        return [self._notice("payments", row) for row in found["data"]]


@planted("takes_reserved_money_when_told_to")
class NeverTaking(WholeProvider):
    def capture(
        self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime
    ) -> Call[base.PaymentNotice]:
        return self.fetch_payment(vendor_id)


@planted("gives_reserved_money_up_when_told_to")
class NeverGivingUp(WholeProvider):
    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[base.PaymentNotice]:
        return self.fetch_payment(vendor_id)


@planted("sends_the_whole_payment_back")
class Failing(WholeProvider):
    def refund(self, request: RefundRequest, *, written: Written) -> Call[base.RefundNotice]:
        return evolve((yield from super().refund(request, written=written)), status=RefundStatus.FAILED)


@planted("sends_a_refund_back_once")
class ForgetfulOfRefunds(Forgetful):
    path = "/refunds"


@planted("sends_parts_back_one_by_one")
class NewestFirst(WholeProvider):
    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[base.RefundNotice]]:
        return [*reversed((yield from super().refunds_of(payment_vendor_id)))]


@planted("does_not_believe_another_refund")
class AnyRefund(WholeProvider):
    def refund(self, request: RefundRequest, *, written: Written) -> Call[base.RefundNotice]:
        notice: base.RefundNotice = self._notice("refunds", (yield from self._carry(written)))
        return notice


@planted("finds_the_refund_whose_answer_was_lost")
class BlindToRefunds(WholeProvider):
    def find_refund(self, request: RefundRequest) -> Call[base.RefundNotice | None]:
        _ = yield from self.refunds_of(request.payment_vendor_id)
        return None


@planted("finds_no_refund_that_was_never_sent")
class GrabbingRefunds(WholeProvider):
    def find_refund(self, request: RefundRequest) -> Call[base.RefundNotice | None]:
        return next(iter((yield from self.refunds_of(request.payment_vendor_id))), None)


@planted("tells_that_a_payment_is_contested")
class Cheerful(WholeProvider):
    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[base.DisputeNotice]]:
        return [
            evolve(one, status=DisputeStatus.WON)
            for one in (yield from super().disputes_of(payment_vendor_id))
        ]


@planted("settles_to_the_cent")
class Elsewhere(WholeProvider):
    def _item(self, row: dict[str, Any]) -> base.BalanceItem:
        return evolve(super()._item(row), provider="other")


@planted("drops_no_movement_that_it_does_not_know")
class Dropping(WholeProvider):
    def settlements(
        self, *, since: dt.datetime, until: dt.datetime, after: str = ""
    ) -> Call[base.BalancePage]:
        page = yield from super().settlements(since=since, until=until, after=after)
        kept = [item for item in page.items if item.kind is not base.BalanceKind.UNKNOWN]
        return evolve(page, items=kept)
