"""
Any story of orders, customers and merchants ends the same at Stripe, Adyen and Mollie, and as the provider says.

Hypothesis makes the stories up: links are made, paid, refunded, cancelled, renewed and replaced, answers are lost,
webhooks come late, twice and in another order. `PAYBYLINK_STATEFUL_EXAMPLES` says how many; with
`PAYBYLINK_STATEFUL_SEED` they are others each time, without it the same.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paybylink import Money, PaymentLink, Reusable
from paybylink.kinds import LinkKind

from .deals import Attempt, Deal
from .row import Row, stubborn
from .verdict import check_end, check_moment

pytestmark = pytest.mark.slow

T = TypeVar("T")

AMOUNTS = ("49.90", "10.00", "120.00")
KINDS: tuple[LinkKind | str, ...] = (
    "single_use",
    "single_use",
    "invoice",
    "reusable",
    Reusable(max_payments=2),
)
SPANS = (dt.timedelta(days=3), dt.timedelta(days=30), dt.timedelta(hours=12))
#: Which of those that fit; a number that is drawn before it is known how many there are.
PICK = st.integers(0, 11)
#: Fewer than three are healed by the driver's own attempts.
LOST = st.sampled_from((0, 0, 0, 1, 4, 9))


def euros(amount: str) -> Money:
    return Money.of(amount, "EUR")


class Shops(RuleBasedStateMachine):
    """The same things happen at each provider; every shop hears of them by webhook."""

    vendors: tuple[str, ...] = ("stripe", "adyen", "mollie")
    asking = False

    def __init__(self) -> None:
        super().__init__()
        self.row = Row(self.vendors, asking=self.asking)
        self.chance = random.Random(0)

    @initialize(seed=st.integers(0, 2**16), kind=st.sampled_from(KINDS), span=st.sampled_from(SPANS))
    def begin(self, seed: int, kind: LinkKind | str, span: dt.timedelta) -> None:
        self.chance = random.Random(seed)
        self.create(kind, AMOUNTS[0], span, manual=False, lost=0, before=False, wait=True)

    # which of them

    def deals(self, fits: Callable[[Deal], object] = bool) -> list[Deal]:
        return [deal for deal in self.row.deals if fits(deal)]

    def closable(self, deal: Deal) -> bool:
        """Money that is reserved and not told yet is not known of at Adyen, and stands in nothing's way elsewhere."""
        return self.row.heard(deal) or not deal.manual

    def goes_blind(self, deal: Deal) -> None:
        """Something closes it now; see `Deal.blind`."""
        if not self.row.certain(deal):
            deal.blind = True

    # merchants

    @precondition(lambda self: len(self.row.deals) < 4)
    @rule(
        kind=st.sampled_from(KINDS),
        amount=st.sampled_from(AMOUNTS),
        span=st.sampled_from(SPANS),
        manual=st.sampled_from((False, False, False, True)),
        lost=LOST,
        before=st.booleans(),
        wait=st.booleans(),
    )
    def create(
        self,
        kind: LinkKind | str,
        amount: str,
        span: dt.timedelta,
        manual: bool,
        lost: int,
        before: bool,
        wait: bool,
    ) -> None:
        deal = self.row.new_deal(kind, euros(amount), span, manual=manual)
        self.row.losing(deal, "reset_before" if before else "reset_after", lost)
        _ = self.row.everywhere(deal, lambda shop, pay: self.row.create(deal, shop, pay))
        self.row.control.clear_faults()
        if not wait:
            self.create_again(self.row.deals.index(deal))

    @precondition(lambda self: self.deals())
    @rule(pick=PICK)
    def create_again(self, pick: int) -> None:
        deal = chosen(self.deals(), pick)
        links = self.row.everywhere(
            deal, lambda shop, pay: stubborn(lambda: self.row.create(deal, shop, pay))
        )
        for vendor, link in links.items():
            assert link.id == self.row.links(deal, vendor)[-1].id

    @precondition(lambda self: self.deals(self.row.certain))
    @rule(pick=PICK, amount=st.sampled_from(AMOUNTS), replace=st.booleans(), lost=LOST)
    def ask_otherwise(self, pick: int, amount: str, replace: bool, lost: int) -> None:
        deal = chosen(self.deals(self.row.certain), pick)
        asked = self.row.changed(deal, euros(amount))
        self.row.losing(deal, "reset_after", lost if replace else 0)
        came = self.row.everywhere(
            deal,
            lambda shop, pay: stubborn(lambda: self.row.create(asked, shop, pay, replace=replace)),
        )
        self.row.control.clear_faults()
        if not any(isinstance(each, type) for each in came.values()):
            deal.order, deal.kind = asked.order, asked.kind

    @precondition(lambda self: self.deals(self.closable))
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        deal = chosen(self.deals(self.closable), pick)
        self.goes_blind(deal)
        _ = self.row.everywhere(
            deal, lambda shop, pay: pay.cancel(newest(self.row, deal, shop.vendor)), alike=not deal.blind
        )

    @precondition(lambda self: self.deals(self.row.certain))
    @rule(pick=PICK, span=st.sampled_from(SPANS), lost=LOST)
    def renew(self, pick: int, span: dt.timedelta, lost: int) -> None:
        deal = chosen(self.deals(self.row.certain), pick)
        self.row.losing(deal, "reset_after", lost)
        _ = self.row.everywhere(
            deal,
            lambda shop, pay: stubborn(
                lambda: pay.renew(newest(self.row, deal, shop.vendor), expires_in=span)
            ),
        )
        self.row.control.clear_faults()

    @precondition(lambda self: self.deals())
    @rule(pick=PICK)
    def refresh(self, pick: int) -> None:
        deal = chosen(self.deals(), pick)
        if self.row.over(deal):
            # Where the provider has closed it by itself, asking tells that it has.
            self.goes_blind(deal)
        _ = self.row.everywhere(deal, lambda shop, pay: pay.refresh(newest(self.row, deal, shop.vendor)))

    @precondition(lambda self: self.row.having("paid"))
    @rule(pick=PICK, part=st.sampled_from(("10.00", "3.33", None)), again=st.booleans())
    def refund(self, pick: int, part: str | None, again: bool) -> None:
        fitting = [each for each in self.row.having("paid") if not each[1].disputes]
        if not fitting:
            return
        deal, attempt = chosen(fitting, pick)
        # Mollie takes two equal refunds within a minute for a mistake.
        self.row.later(minutes=2)
        reference = attempt.refunds[-1] if again and attempt.refunds else f"AV-{len(attempt.refunds) + 1}"
        came = self.row.everywhere(
            deal,
            lambda shop, pay: pay.refund(
                self.row.payment(attempt, shop.vendor),
                amount=euros(part) if part else None,
                reference=reference,
            ),
        )
        if reference not in attempt.refunds and not isinstance(came[deal.vendors[0]], type):
            attempt.refunds.append(reference)

    @precondition(lambda self: self.row.having("reserved"))
    @rule(pick=PICK, part=st.sampled_from(("10.00", "4.00", None)), take=st.booleans())
    def take_or_give_up(self, pick: int, part: str | None, take: bool) -> None:
        deal, attempt = chosen(self.row.having("reserved"), pick)

        if take:
            amount = euros(part) if part else None
            _ = self.row.everywhere(
                deal, lambda shop, pay: pay.capture(self.row.payment(attempt, shop.vendor), amount=amount)
            )
            attempt.state = "paid"
        else:
            _ = self.row.everywhere(
                deal, lambda shop, pay: pay.cancel_payment(self.row.payment(attempt, shop.vendor))
            )
            attempt.state = "given up"

    @rule()
    def run_due(self) -> None:
        for deal in self.row.deals:
            self.goes_blind(deal)
        self.row.pass_due()

    # customers and their banks

    @precondition(lambda self: self.deals(has_page))
    @rule(
        pick=PICK,
        newest=st.sampled_from((True, True, True, False)),
        how=st.sampled_from(("card", "card", "card", "declined", "delayed")),
    )
    def pay(self, pick: int, newest: bool, how: str) -> None:
        deal = chosen(self.deals(has_page), pick)
        # What is under way cannot be reserved.
        how = "card" if deal.manual and how == "delayed" else how
        self.row.customer_pays(deal, -1 if newest else 0, how)

    @precondition(lambda self: self.row.having("under way", heard=False))
    @rule(pick=PICK, succeeded=st.booleans())
    def settle(self, pick: int, succeeded: bool) -> None:
        deal, attempt = chosen(self.row.having("under way", heard=False), pick)
        self.row.settle(deal, attempt, succeeded=succeeded)

    @precondition(lambda self: self.row.having("paid", heard=False))
    @rule(pick=PICK)
    def contest(self, pick: int) -> None:
        fitting = [each for each in self.row.having("paid") if not each[1].disputes and not each[1].refunds]
        if not fitting:
            return
        deal, attempt = chosen(fitting, pick)
        for vendor in deal.vendors:
            attempt.disputes[vendor] = str(self.row.control.dispute(attempt.ids[vendor])["id"])
        self.row.gather(deal)

    @precondition(lambda self: self.contested())
    @rule(pick=PICK, won=st.booleans())
    def decide(self, pick: int, won: bool) -> None:
        deal, attempt = chosen(self.contested(), pick)
        for dispute in attempt.disputes.values():
            _ = self.row.control.close_dispute(dispute, won=won)
        attempt.state = "decided"
        self.row.gather(deal)

    def contested(self) -> list[tuple[Deal, Attempt]]:
        return [each for each in self.row.having("paid", heard=False) if each[1].disputes]

    @precondition(lambda self: any(each.refunds for _, each in self.row.having("paid")))
    @rule(pick=PICK)
    def send_refund_back(self, pick: int) -> None:
        fitting = [
            (deal, attempt)
            for deal, attempt in self.row.having("paid")
            if attempt.refunds and not attempt.disputes
        ]
        if not fitting:
            return
        deal, attempt = chosen(fitting, pick)
        for vendor in deal.vendors:
            payment = self.row.payment(attempt, vendor)
            refund = self.row.pays[vendor].refunds(payment)[-1]
            if refund.vendor_id and refund.status != "failed":
                _ = self.row.control.fail_refund(refund.vendor_id)
        self.row.gather(deal)

    @rule(long=st.booleans(), then_due=st.booleans())
    def time_passes(self, long: bool, then_due: bool) -> None:
        # Reserved money lapses after different times, and after a week Adyen's keys are forgotten.
        if long and not (
            self.row.having("reserved", heard=False)
            or self.row.pending()
            or any(each.days > 16 for _, each in self.row.having("under way", heard=False))
        ):
            self.row.later(days=8)
        else:
            self.row.later(hours=2)
        if then_due:
            self.run_due()

    # webhooks

    @precondition(lambda self: self.row.news)
    @rule(times=st.sampled_from((1, 1, 2)), seed=st.integers(0, 2**16))
    def hear_all(self, times: int, seed: int) -> None:
        self.row.hear([each.step for each in self.row.news], times=times, seed=seed)

    @precondition(lambda self: self.row.news)
    @rule(times=st.sampled_from((1, 1, 2)), seed=st.integers(0, 2**16))
    def hear_some(self, times: int, seed: int) -> None:
        steps = sorted({each.step for each in self.row.news})
        some = random.Random(seed).sample(steps, (len(steps) + 1) // 2)
        self.row.hear(some, times=times, seed=seed)

    @invariant()
    def nothing_is_wrong_now(self) -> None:
        check_moment(self.row)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.end()
        finally:
            self.row.close()

    def end(self) -> None:
        """Money that is under way comes, refunds arrive, and everything is told, once or twice."""
        row = self.row
        row.pass_due()
        for deal in row.deals:
            for attempt in deal.having("under way"):
                row.settle(deal, attempt, succeeded=True)
        for refund in row.truth("refunds"):
            if refund["status"] == "pending":
                _ = row.control.finish(refund["id"])
        row.gather(None)
        for _ in range(6):
            row.hear(
                [each.step for each in row.news],
                times=self.chance.choice((1, 2)),
                seed=self.chance.randrange(99),
            )
            row.pass_due()
            if not row.news:
                break
        check_end(row)


class AskingShops(Shops):
    """No webhook reaches anybody: Stripe and Mollie are asked. Adyen cannot be."""

    vendors = ("stripe", "mollie")
    asking = True


def chosen(fitting: list[T], pick: int) -> T:
    return fitting[pick % len(fitting)]


def newest(row: Row, deal: Deal, vendor: str) -> PaymentLink:
    return row.links(deal, vendor)[-1]


def has_page(deal: Deal) -> bool:
    return all(deal.pages.values()) and len(deal.attempts) < 5


_SETTINGS = settings(
    max_examples=int(os.environ.get("PAYBYLINK_STATEFUL_EXAMPLES", "12")),
    stateful_step_count=15,
    deadline=None,
    # The same stories each time, unless somebody looks for new ones.
    derandomize="PAYBYLINK_STATEFUL_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)

TestToldByWebhook = Shops.TestCase
TestToldByWebhook.settings = _SETTINGS
TestAsking = AskingShops.TestCase
TestAsking.settings = _SETTINGS
