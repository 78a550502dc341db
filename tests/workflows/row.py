"""
A row of shops that are told the same: one at each provider, the same customers, and webhooks that come when they may.

What a provider tells is kept until it is heard: later, twice, or in another order than it was told.
"""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, evolve, field

from paybylink import (
    Customer,
    LinkStatus,
    Money,
    NotSent,
    Order,
    OutcomeUnknown,
    PayByLink,
    Payment,
    PaymentLink,
)
from paybylink.checkout import Capture, Checkout
from paybylink.errors import PaybylinkError
from paybylink.kinds import InvoiceBound, LinkKind, as_kind
from paybylink.payments import RefundStatus
from paybylink.sandbox import SandboxControl
from paybylink.sandbox.stripe.carriage import signature_header

from .deals import Attempt, Deal, News
from .shops import Shop, Street, open_street
from .world import Clock

#: Where each provider makes a link; a page for a day is made elsewhere at Stripe.
MAKING = {"stripe": "/stripe/v1/", "adyen": "/adyen/v72/paymentLinks", "mollie": "/mollie/v2/payment-links"}


@define
class Row:
    """
    Shops side by side, from an empty world on.

    Attributes:
        vendors: whose shops they are.
        asking: webhooks reach nobody, and shops ask instead.
        news: what was told and not heard yet.
        step: how many things have happened.
        events: the ids of the events that webhooks meant.
    """

    vendors: tuple[str, ...]
    asking: bool = False
    deals: list[Deal] = field(factory=list)
    news: list[News] = field(factory=list)
    step: int = 0
    events: list[str] = field(factory=list)
    clock: Clock = field(factory=Clock)
    _taken: int = 0
    _open: ExitStack = field(factory=ExitStack)
    _street: Street = field(init=False)
    shops: dict[str, Shop] = field(init=False)
    pays: dict[str, PayByLink] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # A sandbox of its own takes less time than finding one example's things among those of all others.
        folder = Path(self._open.enter_context(TemporaryDirectory()))
        self._street = self._open.enter_context(open_street(folder))
        self.shops = {vendor: self._street.shop(vendor, "row") for vendor in self.vendors}
        self.pays = {}
        for vendor, shop in self.shops.items():
            shop.clock = self.clock
            self.pays[vendor] = self._open.enter_context(shop.open())

    def close(self) -> None:
        """Close everything and forget it."""
        self._open.close()

    @property
    def control(self) -> SandboxControl:
        """The hand on the sandbox."""
        return self._street.sandbox.control

    def truth(self, kind: str) -> list[dict[str, Any]]:
        """What the providers themselves say."""
        rows: list[dict[str, Any]] = self.control.truth()[kind]
        return [row for row in rows if row["provider"] in self.vendors]

    # what merchants do

    def new_deal(
        self, kind: LinkKind | str, amount: Money, expires_in: dt.timedelta, *, manual: bool
    ) -> Deal:
        """An order that nothing was made of yet."""
        order = Order(
            reference=f"ORDER-{len(self.deals) + 1}",
            amount=amount,
            description="Logo design",
            customer=Customer(name="Zoé Martin", email="zoe@example.com", language="fr"),
            checkout=Checkout(capture=Capture.MANUAL) if manual else Checkout(),
        )
        # Mollie takes reserved money by a later call for some methods only, and no link does; it is refused there.
        vendors = tuple(vendor for vendor in self.vendors if not (manual and vendor == "mollie"))
        deal = Deal(order, as_kind(kind, order), expires_in, vendors, {vendor: [] for vendor in vendors})
        self.deals.append(deal)
        return deal

    def changed(self, deal: Deal, amount: Money) -> Deal:
        """The same over another amount; nothing was done about it yet."""
        order = evolve(deal.order, amount=amount)
        kind = as_kind("invoice", order) if isinstance(deal.kind, InvoiceBound) else deal.kind
        return evolve(deal, order=order, kind=kind)

    def create(self, deal: Deal, shop: Shop, pay: PayByLink, **how: Any) -> PaymentLink:
        """The link of the deal, as it is asked for now."""
        return pay.create_link(deal.order, kind=deal.kind, expires_in=deal.expires_in, **how)

    def everywhere(
        self, deal: Deal, act: Callable[[Shop, PayByLink], object], *, alike: bool = True
    ) -> dict[str, Any]:
        """What `act` came to at each shop, a refusal as its type; alike at all, unless that is not to be."""
        came: dict[str, Any] = {}
        for vendor in deal.vendors:
            try:
                came[vendor] = act(self.shops[vendor], self.pays[vendor])
            except PaybylinkError as error:
                came[vendor] = type(error)
        self.gather(deal)
        words = {vendor: each if isinstance(each, type) else "done" for vendor, each in came.items()}
        assert not alike or len({*words.values()}) == 1, words
        return came

    def losing(self, deal: Deal, kind: str, times: int) -> None:
        """From now on the answers to requests that make a link are lost, `times` of them at each provider."""
        if times:
            for vendor in deal.vendors:
                _ = self.control.fault(kind, MAKING[vendor], method="POST", times=times)

    def pass_due(self) -> None:
        """Every shop does what is due."""
        for pay in self.pays.values():
            _ = pay.run_due()
        self.gather(None)

    # what customers and time do

    def open_pages(self) -> set[str]:
        """The ids of links that can be paid, as the providers say."""
        return {row["id"] for row in self.truth("links") if row["status"] == "open"}

    def customer_pays(self, deal: Deal, page: int, how: str) -> None:
        """A customer pays at the oldest or newest page, at one that is closed all the same."""
        pages = {vendor: ids[page] for vendor, ids in deal.pages.items()}
        closed = not {*pages.values()} <= self.open_pages()
        if closed and (deal.manual or any(each in deal.brief for each in pages.values())):
            # Where a closed link stands with reserved money depends on which of the two was told first.
            return
        ids: dict[str, str] = {}
        for vendor, each in pages.items():
            ids[vendor] = self.control.pay(each, how=how, although_closed=closed).payment  # type: ignore[arg-type]  # one of its words
        paid = "reserved" if deal.manual else "paid"
        state = {"card": paid, "delayed": "under way", "declined": "failed"}[how]
        deal.attempts.append(Attempt(state, ids))
        self.gather(deal)

    def settle(self, deal: Deal, attempt: Attempt, *, succeeded: bool) -> None:
        """The money that was under way comes, or is known not to come."""
        for vendor in deal.vendors:
            _ = self.control.settle(attempt.ids[vendor], succeeded=succeeded)
        attempt.state = "paid" if succeeded else "failed"
        if not succeeded and deal.brief:
            deal.rebuilt = True
        self.gather(deal)

    def contest(self, deal: Deal, attempt: Attempt) -> None:
        """The payer's bank takes the money back."""
        for vendor in deal.vendors:
            attempt.disputes[vendor] = str(self.control.dispute(attempt.ids[vendor])["id"])
        self.gather(deal)

    def decide(self, deal: Deal, attempt: Attempt, *, won: bool) -> None:
        """That is decided."""
        for dispute in attempt.disputes.values():
            _ = self.control.close_dispute(dispute, won=won)
        attempt.state = "decided"
        self.gather(deal)

    def send_back(self, deal: Deal, attempt: Attempt) -> None:
        """The last refund comes back, because the payer's account is no more."""
        for vendor in deal.vendors:
            refund = self.pays[vendor].refunds(self.payment(attempt, vendor))[-1]
            if refund.vendor_id and refund.status is not RefundStatus.FAILED:
                _ = self.control.fail_refund(refund.vendor_id)
        self.gather(deal)

    def later(self, **by: float) -> None:
        """Time passes."""
        self.clock.move(**by)
        _ = self.control.move_clock(dt.timedelta(**by))
        for deal in self.deals:
            for attempt in deal.having("under way"):
                attempt.days += dt.timedelta(**by) / dt.timedelta(days=1)
        self.gather(None)

    # which of them

    def having(self, *states: str, heard: bool = True) -> list[tuple[Deal, Attempt]]:
        """The attempts in one of these states, of deals of which every shop has heard all (or not)."""
        return [
            (deal, attempt)
            for deal in self.deals
            if not heard or self.heard(deal)
            for attempt in deal.having(*states)
        ]

    def heard(self, deal: Deal) -> bool:
        """Whether all that was told of a deal was heard."""
        return not any(each.deal is deal for each in self.news)

    def certain(self, deal: Deal) -> bool:
        """Whether every shop knows all that there is to know."""
        return self.heard(deal) and not deal.having("under way")

    def over(self, deal: Deal) -> bool:
        """Whether the time of its newest link has passed."""
        links = [self.links(deal, vendor)[-1] for vendor in deal.vendors]
        return any(link.expires_at is not None and link.expires_at <= self.clock() for link in links)

    def pending(self) -> bool:
        """Whether anything was asked for and not answered."""
        return any(
            link.status is LinkStatus.PENDING
            for deal in self.deals
            for vendor in deal.vendors
            for link in self.links(deal, vendor)
        )

    # what is told and heard

    def gather(self, deal: Deal | None) -> None:
        """Keep what the providers have told, and which pages there are, after something was done about a deal."""
        self.step += 1
        _ = self.control.flush_webhooks()
        calls = self._street.receiver.calls
        fresh, self._taken = calls[self._taken :], len(calls)
        self.news += [News(self.step, deal, call) for call in fresh if call.provider in self.vendors]
        known = {page for each in self.deals for pages in each.pages.values() for page in pages}
        for row in self.truth("links"):
            if row["id"] in known:
                continue
            owner = deal or self._owner(row["provider"], row["id"])
            owner.pages[row["provider"]].append(row["id"])
            if row["id"].startswith("cs_"):
                owner.brief.add(row["id"])

    def _owner(self, vendor: str, page: str) -> Deal:
        for deal in self.deals:
            for link in self.links(deal, vendor):
                if page in {behind.vendor_id for behind in link.provider_links}:
                    return deal
        raise AssertionError(f"nobody asked for {page}")

    def hear(self, steps: Iterable[int], *, times: int = 1, seed: int = 0) -> None:
        """Every shop hears what was told at these steps, in the order that `seed` says (0 leaves it)."""
        chosen = {*steps}
        heard = [each for each in self.news if each.step in chosen]
        self.news = [each for each in self.news if each.step not in chosen]
        if self.asking:
            self._ask(heard)
            return
        for vendor, pay in self.pays.items():
            calls = [each.call for each in heard if each.call.provider == vendor] * times
            if seed:
                random.Random(seed).shuffle(calls)
            for call in calls:
                if vendor == "stripe":
                    # Each time it is told, Stripe signs it anew, for that moment.
                    signed = signature_header(
                        call.body,
                        secret=self._street.secrets["stripe"],
                        timestamp=int(self.clock().timestamp()),
                    )
                    call = evolve(call, headers={**call.headers, "stripe-signature": signed})
                reply = pay.receive(vendor, headers=call.headers, body=call.body, query=call.query)
                assert reply.status == 200, reply.reason
                self.events += [f"{vendor} {event.id}" for event in reply.events]
        self.gather(None)

    def _ask(self, heard: Sequence[News]) -> None:
        """Every shop asks for what it was not told."""
        concerned = self.deals if any(each.deal is None for each in heard) else [each.deal for each in heard]
        for deal in dict.fromkeys(each for each in concerned if each is not None):
            for vendor in deal.vendors:
                for link in self.links(deal, vendor):
                    _ = self.pays[vendor].refresh(link)
        self.gather(None)

    # what shops know

    def links(self, deal: Deal, vendor: str) -> list[PaymentLink]:
        """Every link of the deal's reference, oldest first."""
        links = [link for link in self.pays[vendor].links() if link.order.reference == deal.order.reference]
        return sorted(links, key=lambda link: link.generation)

    def payment(self, attempt: Attempt, vendor: str) -> Payment:
        """The payment of an attempt that was heard of."""
        (found,) = [each for each in self.pays[vendor].payments() if each.vendor_id == attempt.ids[vendor]]
        return found

    def failures(self, vendor: str) -> set[str]:
        """The ids of the attempts that failed."""
        failed = [attempt for deal in self.deals for attempt in deal.having("failed")]
        return {attempt.ids[vendor] for attempt in failed if vendor in attempt.ids}

    def disputes(self, vendor: str) -> dict[str, tuple[str, int, str]]:
        """By the provider's id: payment, amount and status of each dispute, which nothing lists yet."""
        with sqlite3.connect(self.shops[vendor].store.removeprefix("sqlite:///")) as database:
            rows = database.execute(
                "SELECT vendor_id, payment_vendor_id, amount_minor, status FROM paybylink_disputes"
            ).fetchall()
        database.close()
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


def stubborn(act: Callable[[], PaymentLink]) -> PaymentLink:
    """What comes of calling again while the outcome is unknown."""
    for _ in range(8):
        try:
            return act()
        except (OutcomeUnknown, NotSent):
            continue
    raise AssertionError("it did not heal")
