"""The adapter over real HTTP, against the sandbox's Stripe: make, pay, take, refund, close, be told, be paid out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import pytest
from attrs import evolve, frozen

from paybylink.checkout import Checkout
from paybylink.drivers import Doors, run
from paybylink.errors import ProviderError
from paybylink.flow import Flow
from paybylink.kinds import HostedInvoice, Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.base import (
    BalanceItem,
    BalanceKind,
    Bell,
    LinkNotice,
    LinkRequest,
    Notice,
    PaymentNotice,
    RefundRequest,
    VendorLink,
    VendorLinkStatus,
)
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox
from workflows.receiver import Receiver

from .stripe_given import ATTEMPT_ID, LINK_ID, ORDER, REFUND_ID, SECRET, asked

T = TypeVar("T")
ZOE = Customer(name="Zoé Martin", email="zoe@example.com", language="fr")


@frozen
class Shop:
    """
    A merchant before a running sandbox.

    Attributes:
        sandbox: where.
        provider: the real adapter.
        doors: real HTTP.
        receiver: its webhook.
    """

    sandbox: Sandbox
    provider: StripeProvider
    doors: Doors
    receiver: Receiver

    def asks(self, flow: Flow[T]) -> T:
        """What the sandbox answers."""
        return run(flow, self.doors)

    def now(self) -> dt.datetime:
        """The moment by the sandbox's clock."""
        return self.sandbox.control.now()

    def request(self, order: Order = ORDER, kind: Any = None, *, hours: int = 720) -> LinkRequest:
        """A request that ends after some hours."""
        return evolve(asked(order, kind), expires_at=self.now() + dt.timedelta(hours=hours))

    def link(self, request: LinkRequest, *, key: str) -> VendorLink:
        """A link, made."""
        written = self.provider.write_link(request, key=key, now=self.now())
        return self.asks(self.provider.create_link(request, written=written))

    def notices(self) -> list[Notice]:
        """What the webhook was told, verified and read."""
        _ = self.sandbox.control.flush_webhooks()
        found: list[Notice] = []
        for call in self.receiver.calls:
            self.provider.verify(call.headers, call.body, now=self.now())
            found += [event.notice for event in self.provider.read(call.body)]
        return found

    def payments(self) -> list[PaymentNotice]:
        """Those of its notices that tell of money."""
        return [notice for notice in self.notices() if isinstance(notice, PaymentNotice)]

    def moved(self) -> Sequence[BalanceItem]:
        """Everything that moved the balance until now."""
        until = self.now() + dt.timedelta(seconds=1)
        page = self.asks(self.provider.settlements(since=until - dt.timedelta(days=60), until=until))
        assert page.after == ""
        return page.items


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A merchant before a sandbox of his own, whose endpoint is told everything."""
    with Sandbox() as running, Receiver() as receiver:
        _ = running.control.register_webhook(receiver.url, secret=SECRET)
        provider = StripeProvider("sk_test_shop", webhook_secrets=[SECRET], base_url=running.stripe_url)
        doors = Doors(vault=None, clock=running.control.now)
        yield Shop(running, provider, doors, receiver)
        doors.close()


def test_a_whole_order_is_taken_once(shop: Shop) -> None:
    """Lines, metadata, language, methods and the customer; the same bytes give the same link."""
    order = Order(
        reference="INV-é-7",
        part="deposit",
        lines=[LineItem(description="Logo", unit_price=Money(1210, "EUR"), quantity=2, vat_rate=21)],
        customer=ZOE,
        metadata={"shop": "Nantes"},
        return_url="https://shop.example/é?a=[1]",
        checkout=Checkout(methods=("card", "ideal"), statement="ATELIER", prefill=True),
    )
    request = shop.request(order)
    written = shop.provider.write_link(request, key="whole-order", now=shop.now())

    first, second = (shop.asks(shop.provider.create_link(request, written=written)) for _ in range(2))

    assert first == second
    assert (first.status, first.link_id, first.attempt_id) == (VendorLinkStatus.OPEN, LINK_ID, ATTEMPT_ID)
    assert first.url.endswith("?locale=fr&prefilled_email=zoe%40example.com")
    assert shop.sandbox.control.pay(first.url).payment


def test_a_link_that_ends_today_ends_by_itself(shop: Shop) -> None:
    """Nobody closes it; it is found while it is open, and by then it is none."""
    request = shop.request(evolve(ORDER, return_url="https://shop.example/thanks"), hours=6)
    asked_at = shop.now()
    link = shop.link(request, key="today")
    find = shop.provider.find_link

    assert link.vendor_id.startswith("cs_")
    ends = shop.provider.ends_at(request, now=asked_at)
    assert ends is not None
    assert ends <= asked_at + dt.timedelta(hours=6)
    assert shop.asks(find(request, since=asked_at, now=shop.now())) == link
    _ = shop.sandbox.control.move_clock(dt.timedelta(hours=7))

    assert shop.asks(shop.provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.CLOSED
    assert shop.asks(find(request, since=asked_at, now=shop.now())) is None
    assert shop.asks(shop.provider.payments_of(link.vendor_id)) == []
    closed = shop.asks(shop.provider.close_link(link.vendor_id, key="late", now=shop.now()))
    assert closed.status is VendorLinkStatus.CLOSED


def test_a_session_is_paid_or_closed(shop: Shop) -> None:
    """Its payment is told and asked for under one id; closing one that was paid is no error."""
    order = evolve(ORDER, return_url="https://shop.example/thanks")
    paid, closed = (shop.link(shop.request(order, hours=6), key=key) for key in ("paid", "closed"))
    payment = shop.sandbox.control.pay(paid.url).payment

    (told,) = shop.payments()
    (listed,) = shop.asks(shop.provider.payments_of(paid.vendor_id))
    assert told.vendor_id == listed.vendor_id == payment
    assert told.link_vendor_id == listed.link_vendor_id == paid.vendor_id
    for link in (paid, closed, closed):
        after = shop.asks(
            shop.provider.close_link(link.vendor_id, key=f"close-{link.vendor_id}", now=shop.now())
        )
        assert after.status is VendorLinkStatus.CLOSED


def test_a_failed_delayed_payment_uses_a_link_up_until_it_is_opened_again(shop: Shop) -> None:
    """The notice says so; after opening it once or twice, one more payment is taken and no second."""
    link = shop.link(shop.request(), key="delayed")
    _ = shop.sandbox.control.pay(link.url, how="delayed")
    _ = shop.sandbox.control.settle(link.vendor_id, succeeded=False)

    failed = [notice for notice in shop.payments() if notice.status is PaymentStatus.FAILED]
    assert [notice.uses_up for notice in failed] == [True]
    assert shop.asks(shop.provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.CLOSED
    for _ in range(2):
        again = shop.asks(shop.provider.reopen_link(link.vendor_id, key="again", now=shop.now()))
        assert again.status is VendorLinkStatus.OPEN
    assert shop.sandbox.control.pay(link.url).payment
    assert shop.asks(shop.provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.CLOSED


def test_the_payer_chooses_what_to_give(shop: Shop) -> None:
    """Two requests, one link, however often they are repeated; each payment has the payer's amount."""
    request = shop.request(kind=Reusable(payer_chooses=True, minimum=Money(500, "EUR")))
    written = shop.provider.write_link(request, key="chosen", now=shop.now())
    link, again = (shop.asks(shop.provider.create_link(request, written=written)) for _ in range(2))

    for amount in ("12.34", "5.00"):
        _ = shop.sandbox.control.pay(link.url, amount=amount)

    assert link == again
    told = {notice.amount for notice in shop.payments()}
    assert told == {Money(1234, "EUR"), Money(500, "EUR")}


def test_an_invoice_is_made_paid_and_rings(shop: Shop) -> None:
    """The bell names our link; the payments that are then asked for carry our marks."""
    request = shop.request(evolve(ORDER, customer=ZOE), HostedInvoice())
    link = shop.link(request, key="invoice")
    assert (link.vendor_id[:3], link.status) == ("in_", VendorLinkStatus.OPEN)
    assert shop.asks(shop.provider.payments_of(link.vendor_id)) == []

    payment = shop.sandbox.control.pay(link.url).payment

    bells = [notice for notice in shop.notices() if isinstance(notice, Bell)]
    assert {(bell.link_vendor_id, bell.link_id, bell.attempt_id) for bell in bells} == {
        (link.vendor_id, LINK_ID, ATTEMPT_ID)
    }
    (told,) = shop.asks(shop.provider.payments_of(link.vendor_id))
    assert (told.vendor_id, told.status, told.amount) == (payment, PaymentStatus.SUCCEEDED, ORDER.amount)
    assert (told.link_id, told.attempt_id) == (LINK_ID, ATTEMPT_ID)
    closed = shop.asks(shop.provider.close_link(link.vendor_id, key="v", now=shop.now()))
    assert (closed.status, closed.completed) == (VendorLinkStatus.CLOSED, 1)


def test_an_invoice_is_voided_once(shop: Shop) -> None:
    """Voiding again is no error, and the webhook tells it."""
    request = shop.request(evolve(ORDER, customer=ZOE), HostedInvoice())
    link = shop.link(request, key="void")
    for _ in range(2):
        closed = shop.asks(shop.provider.close_link(link.vendor_id, key="close", now=shop.now()))
        assert closed.status is VendorLinkStatus.CLOSED

    told = [notice for notice in shop.notices() if isinstance(notice, LinkNotice)]
    assert [(notice.vendor_id, notice.status) for notice in told] == [
        (link.vendor_id, VendorLinkStatus.CLOSED)
    ]


def test_reserved_money_is_taken_in_part_or_given_up(shop: Shop) -> None:
    """Told as authorised, then as what was taken; each is done once however often it is asked."""
    order = evolve(ORDER, checkout=Checkout(capture="manual"))
    taken, given_up = (
        shop.sandbox.control.pay(shop.link(shop.request(order), key=key).url).payment for key in ("a", "b")
    )
    assert taken
    assert given_up
    for _ in range(2):
        payment = shop.asks(shop.provider.capture(taken, Money(4000, "EUR"), key="take", now=shop.now()))
        assert (payment.status, payment.amount) == (PaymentStatus.SUCCEEDED, Money(4000, "EUR"))
        payment = shop.asks(shop.provider.cancel_payment(given_up, key="give", now=shop.now()))
        assert payment.status is PaymentStatus.CANCELLED

    said: dict[str, set[PaymentStatus]] = {taken: set(), given_up: set()}
    for notice in shop.payments():
        said[notice.vendor_id].add(notice.status)
    assert PaymentStatus.AUTHORISED in said[taken] & said[given_up]
    assert PaymentStatus.SUCCEEDED in said[taken]
    assert PaymentStatus.CANCELLED in said[given_up]
    with pytest.raises(ProviderError) as caught:
        _ = shop.asks(shop.provider.capture(given_up, Money(1, "EUR"), key="no", now=shop.now()))
    assert caught.value.standard_code == "wrong_state"


def test_what_was_paid_sent_back_contested_and_paid_out_adds_up(shop: Shop) -> None:
    """Every movement is told with what it is about, and the sum is what is left."""
    paid, contested = (
        shop.sandbox.control.pay(shop.link(shop.request(), key=key).url).payment for key in ("p", "c")
    )
    assert paid
    assert contested
    asked_for = RefundRequest(
        refund_id=REFUND_ID, payment_vendor_id=paid, amount=Money(1000, "EUR"), reason="returned"
    )
    written = shop.provider.write_refund(asked_for, key="refund", now=shop.now())
    refund = shop.asks(shop.provider.refund(asked_for, written=written))
    _ = shop.sandbox.control.dispute(contested)
    _ = shop.sandbox.control.payout()

    (dispute,) = shop.asks(shop.provider.disputes_of(contested))
    moved = {item.kind: item for item in shop.moved()}

    assert refund.status in (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    assert dispute.status is DisputeStatus.OPEN
    assert moved[BalanceKind.REFUND].refund_vendor_id == refund.vendor_id
    assert moved[BalanceKind.REFUND].payment_vendor_id == paid
    assert moved[BalanceKind.DISPUTE].dispute_vendor_id == dispute.vendor_id
    assert moved[BalanceKind.PAYOUT].payout_vendor_id
    assert {item.payment_vendor_id for item in shop.moved() if item.kind is BalanceKind.PAYMENT} == {
        paid,
        contested,
    }
    assert sum(item.net.minor for item in shop.moved()) == 0
