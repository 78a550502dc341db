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
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paybylink import Money, PayByLink, PaymentLink, Refund, Reusable
from paybylink.kinds import LinkKind

from .deals import Attempt, Deal
from .row import Row, stubborn
from .shops import Shop
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
AMOUNT = st.sampled_from(AMOUNTS)
SPAN = st.sampled_from((dt.timedelta(days=3), dt.timedelta(days=30), dt.timedelta(hours=12)))
RARELY = st.sampled_from((False, False, False, True))
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

    @initialize(seed=st.integers(0, 2**16), kind=st.sampled_from(KINDS), span=SPAN, manual=RARELY)
    def begin(self, seed: int, kind: LinkKind | str, span: dt.timedelta, manual: bool) -> None:
        self.chance = random.Random(seed)
        self.order(kind, AMOUNTS[0], span, manual=manual, lost=0, before=False, again=True)

    # Few rules with many acts: Hypothesis leaves some rules out of each story, and a story needs all sorts.

    @precondition(lambda self: len(self.row.deals) < 3)
    @rule(
        kind=st.sampled_from(KINDS),
        amount=AMOUNT,
        span=SPAN,
        manual=RARELY,
        lost=LOST,
        before=st.booleans(),
        again=st.booleans(),
    )
    def order(
        self,
        kind: LinkKind | str,
        amount: str,
        span: dt.timedelta,
        manual: bool,
        lost: int,
        before: bool,
        again: bool,
    ) -> None:
        """A new order, whose link is perhaps not answered."""
        # Stripe counts towards a maximum also what comes to nothing; others do not.
        manual = manual and not isinstance(kind, Reusable)
        if lost and not again:
            # One that ends before it was made at all ends differently: Adyen refuses to make it.
            span = max(span, dt.timedelta(days=3))
        deal = self.row.new_deal(kind, euros(amount), span, manual=manual)
        self.row.losing(deal, "reset_before" if before else "reset_after", lost)
        _ = self.row.everywhere(deal, lambda shop, pay: self.row.create(deal, shop, pay))
        self.row.control.clear_faults()
        if again:
            self.create_again(deal)

    @rule(
        act=st.sampled_from(("again", "refresh", "cancel", "renew", "replace", "otherwise")),
        pick=PICK,
        amount=AMOUNT,
        span=SPAN,
        lost=LOST,
    )
    def merchant(self, act: str, pick: int, amount: str, span: dt.timedelta, lost: int) -> None:
        """Somebody does something about a link."""
        deal = self.row.deals[pick % len(self.row.deals)]
        if act == "again":
            self.create_again(deal)
        elif act == "refresh":
            if self.row.over(deal):
                # Where the provider has closed it by itself, asking tells; Stripe's is closed by the next pass.
                deal.blind = True
            _ = self.row.everywhere(deal, lambda shop, pay: pay.refresh(self.newest(deal, shop)))
        elif act == "cancel" and (self.row.heard(deal) or not deal.manual):
            # What is reserved and was not told keeps nothing open, but where it cannot be asked for (Adyen).
            self.goes_blind(deal)
            _ = self.row.everywhere(
                deal, lambda shop, pay: pay.cancel(self.newest(deal, shop)), alike=not deal.blind
            )
        elif act in ("renew", "replace", "otherwise") and self.row.certain(deal):
            self.row.losing(deal, "reset_after", lost)
            if act == "renew":
                self.renew(deal, span)
            else:
                self.ask_otherwise(deal, euros(amount), replace=act == "replace")
            self.row.control.clear_faults()

    def create_again(self, deal: Deal) -> None:
        links = self.row.everywhere(
            deal, lambda shop, pay: stubborn(lambda: self.row.create(deal, shop, pay))
        )
        for vendor, link in links.items():
            assert link.id == self.newest(deal, self.row.shops[vendor]).id

    def renew(self, deal: Deal, span: dt.timedelta) -> None:
        _ = self.row.everywhere(
            deal, lambda shop, pay: stubborn(lambda: pay.renew(self.newest(deal, shop), expires_in=span))
        )

    def ask_otherwise(self, deal: Deal, amount: Money, *, replace: bool) -> None:
        asked = self.row.changed(deal, amount)
        came = self.row.everywhere(
            deal, lambda shop, pay: stubborn(lambda: self.row.create(asked, shop, pay, replace=replace))
        )
        if not any(isinstance(each, type) for each in came.values()):
            deal.order, deal.kind = asked.order, asked.kind

    @precondition(lambda self: self.row.having("paid", "reserved"))
    @rule(pick=PICK, part=st.sampled_from(("10.00", "3.33", None)), other=st.booleans())
    def cashier(self, pick: int, part: str | None, other: bool) -> None:
        """Money goes back, by a new reference or by the last one; reserved money is taken or given up."""
        deal, attempt = chosen(self.row.having("paid", "reserved"), pick)
        amount = euros(part) if part else None
        if attempt.state == "reserved":
            self.take_or_give_up(deal, attempt, amount, take=not other)
        elif not attempt.disputes:
            self.refund(deal, attempt, amount, again=other)

    def take_or_give_up(self, deal: Deal, attempt: Attempt, amount: Money | None, *, take: bool) -> None:
        if take:
            if len(deal.attempts) > 1:
                # Whether an invoice is part paid or waits for another payer, the last news would say.
                amount = None
            _ = self.row.everywhere(
                deal, lambda shop, pay: pay.capture(self.row.payment(attempt, shop.vendor), amount=amount)
            )
        else:
            _ = self.row.everywhere(
                deal, lambda shop, pay: pay.cancel_payment(self.row.payment(attempt, shop.vendor))
            )
        attempt.state = "paid" if take else "given up"

    def refund(self, deal: Deal, attempt: Attempt, amount: Money | None, *, again: bool) -> None:
        # Mollie takes two equal refunds within a minute for a mistake.
        self.row.later(minutes=2)
        reference = attempt.refunds[-1] if again and attempt.refunds else f"AV-{len(attempt.refunds) + 1}"

        def send_back(shop: Shop, pay: PayByLink) -> Refund:
            return pay.refund(self.row.payment(attempt, shop.vendor), amount=amount, reference=reference)

        came = self.row.everywhere(deal, send_back)
        if reference not in attempt.refunds and not any(isinstance(each, type) for each in came.values()):
            attempt.refunds.append(reference)

    @precondition(lambda self: any(map(has_page, self.row.deals)))
    @rule(
        pick=PICK,
        first=RARELY,
        how=st.sampled_from(("card", "card", "card", "declined", "delayed")),
        told=st.booleans(),
    )
    def customer(self, pick: int, first: bool, how: str, told: bool) -> None:
        """Somebody pays at the newest page, or at the first that there was; the shops hear of it, or not yet."""
        deal = chosen([each for each in self.row.deals if has_page(each)], pick)
        # What is under way cannot be reserved, and Stripe counts it towards a maximum though it fails.
        counted = isinstance(deal.kind, Reusable) and deal.kind.max_payments is not None
        how = "card" if how == "delayed" and (deal.manual or counted) else how
        self.row.customer_pays(deal, 0 if first else -1, how)
        if told:
            self.row.hear([each.step for each in self.row.news if each.deal is deal])

    @precondition(lambda self: any(deal.attempts for deal in self.row.deals))
    @rule(act=st.sampled_from(("settle", "settle", "dispute", "send back")), pick=PICK, good=st.booleans())
    def bank(self, act: str, pick: int, good: bool) -> None:
        """A bank brings what was under way, or contests what was paid, decides that, or returns a refund."""
        under_way = self.row.having("under way", heard=False)
        paid = self.row.having("paid")
        contested = [each for each in paid if each[1].disputes]
        untouched = [each for each in paid if not each[1].disputes and not each[1].refunds]
        sent_back = [each for each in paid if each[1].refunds and not each[1].disputes]
        if act == "settle" and under_way:
            self.row.settle(*chosen(under_way, pick), succeeded=good)
        elif act == "dispute" and contested:
            self.row.decide(*chosen(contested, pick), won=good)
        elif act == "dispute" and untouched:
            self.row.contest(*chosen(untouched, pick))
        elif act == "send back" and sent_back:
            self.row.send_back(*chosen(sent_back, pick))

    @rule(hours=st.sampled_from((0, 2, 13, 192)), then_due=st.booleans())
    def time(self, hours: int, then_due: bool) -> None:
        """Time passes, and perhaps what is due is done."""
        # What was not answered must not end before it is, nor must Adyen's key be forgotten, who cannot be asked.
        # Reserved money lapses after a week or a month, and what is under way after a month or never.
        longest = 2 if self.row.pending() else 192
        if self.row.having("reserved", heard=False):
            longest = min(longest, 13)
        if hours <= longest and not any(
            each.days > 16 for _, each in self.row.having("under way", heard=False)
        ):
            self.row.later(hours=hours)
        if then_due:
            self.run_due()

    def run_due(self) -> None:
        for deal in self.row.deals:
            if self.row.over(deal):
                self.goes_blind(deal)
        self.row.pass_due()

    @precondition(lambda self: self.row.news)
    @rule(part=st.booleans(), times=st.sampled_from((1, 1, 2)), seed=st.integers(0, 2**16))
    def hear(self, part: bool, times: int, seed: int) -> None:
        """What was told is heard: all, or some of it."""
        steps = sorted({each.step for each in self.row.news})
        if part:
            steps = random.Random(seed).sample(steps, (len(steps) + 1) // 2)
        self.row.hear(steps, times=times, seed=seed)

    def newest(self, deal: Deal, shop: Shop) -> PaymentLink:
        return self.row.links(deal, shop.vendor)[-1]

    def goes_blind(self, deal: Deal) -> None:
        """Something closes it now; see `Deal.blind`."""
        if not self.row.certain(deal):
            deal.blind = True

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
        self.run_due()
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
        assert not row.news, "it does not come to an end"
        check_end(row)


class AskingShops(Shops):
    """No webhook reaches anybody: Stripe and Mollie are asked. Adyen cannot be."""

    vendors = ("stripe", "mollie")
    asking = True


def chosen(fitting: list[T], pick: int) -> T:
    return fitting[pick % len(fitting)]


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
