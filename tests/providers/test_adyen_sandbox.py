"""The adapter over real HTTP, against the sandbox's Adyen: make, pay, take, refund, close, be told, be paid out."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

import pytest
from attrs import field, frozen

from paybylink.checkout import Checkout
from paybylink.drivers import Doors, run
from paybylink.errors import ProviderError, WebhookRejected
from paybylink.flow import Flow
from paybylink.kinds import Reusable
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import (
    BalanceItem,
    BalanceKind,
    DisputeNotice,
    ForeignNotice,
    LinkRequest,
    Notice,
    PaymentNotice,
    RefundNotice,
    RefundRequest,
    VendorLink,
    VendorLinkStatus,
)
from paybylink.sandbox import Sandbox

from .adyen_given import ACCOUNT, ATTEMPT_ID, HMAC_KEY, LINK_ID, REFUND_ID, asked

T = TypeVar("T")


@frozen
class Listener:
    """
    An endpoint on this machine.

    Attributes:
        url: its address.
        heard: headers and body of each call, in order.
    """

    url: str
    heard: list[tuple[dict[str, str], bytes]] = field(factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    """A `Listener` for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            _ = self.wfile.write(b"[accepted]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}/webhooks/adyen")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@frozen
class Shop:
    """
    A merchant before a running sandbox.

    Attributes:
        sandbox: where.
        provider: the real adapter.
        doors: real HTTP.
        listener: its webhook.
    """

    sandbox: Sandbox
    provider: AdyenProvider
    doors: Doors
    listener: Listener

    def asks(self, flow: Flow[T]) -> T:
        """What the sandbox answers."""
        return run(flow, self.doors)

    def now(self) -> dt.datetime:
        """The moment by the sandbox's clock."""
        return self.sandbox.control.now()

    def request(self, **content: object) -> LinkRequest:
        """A request that ends a month from now."""
        return asked(**{"expires_at": self.now() + dt.timedelta(days=30), **content})  # type: ignore[arg-type]  # any content

    def link(self, request: LinkRequest | None = None, *, key: str = "key-1") -> VendorLink:
        """A link, made."""
        request = request or self.request()
        written = self.provider.write_link(request, key=key, now=self.now())
        return self.asks(self.provider.create_link(request, written=written))

    def notices(self) -> list[Notice]:
        """What the webhook was told, verified and read."""
        _ = self.sandbox.control.flush_webhooks()
        found: list[Notice] = []
        for headers, body in self.listener.heard:
            self.provider.verify(headers, body, now=self.now())
            found += [event.notice for event in self.provider.read(body)]
        return found


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A merchant before a sandbox of his own, whose endpoint is told everything."""
    with Sandbox() as running, listening() as listener:
        _ = running.control.register_webhook(
            listener.url, provider="adyen", secret=HMAC_KEY, user="hook", password="MARKED"
        )
        provider = AdyenProvider(
            "AQEsandboxkey",
            merchant_account=ACCOUNT,
            hmac_keys=[HMAC_KEY],
            base_url=running.adyen_url,
            report_user="rp",
            report_password="reportuser",
            webhook_user="hook",
            webhook_password="MARKED",
        )
        doors = Doors(vault=None, clock=running.control.now)
        yield Shop(running, provider, doors, listener)
        doors.close()


def test_a_link_is_made_once_read_paid_and_told(shop: Shop) -> None:
    """The same bytes under the same key give the same link; its payment is ours by our mark."""
    request = shop.request()
    written = shop.provider.write_link(request, key="made-once", now=shop.now())
    first, second = (shop.asks(shop.provider.create_link(request, written=written)) for _ in range(2))
    payment = shop.sandbox.control.pay(first.url).payment

    (notice,) = shop.notices()
    assert first == second
    assert (first.link_id, first.attempt_id, first.status) == (LINK_ID, ATTEMPT_ID, VendorLinkStatus.OPEN)
    assert isinstance(notice, PaymentNotice)
    assert (notice.vendor_id, notice.status, notice.amount) == (
        payment,
        PaymentStatus.SUCCEEDED,
        Money(4990, "EUR"),
    )
    assert (notice.link_id, notice.attempt_id, notice.link_vendor_id) == (
        LINK_ID,
        ATTEMPT_ID,
        first.vendor_id,
    )
    paid = shop.asks(shop.provider.fetch_link(first.vendor_id))
    assert (paid.status, paid.completed) == (VendorLinkStatus.CLOSED, 1)


def test_a_whole_order_is_taken(shop: Shop) -> None:
    """Lines, metadata, language, methods and the customer, as the adapter writes them."""
    order = Order(
        reference="INV-é-7",
        part="deposit",
        lines=[LineItem(description="Logo", unit_price=Money(1210, "EUR"), quantity=2, vat_rate=21)],
        customer=Customer(name="Zoé Martin", email="zoe@example.com", phone="+33639980000", country="FR"),
        metadata={"shop": "Nantes"},
        return_url="https://shop.example/é?a=[1]",
        checkout=Checkout(methods=("card", "ideal"), language="fr", statement="ATELIER", prefill=True),
    )

    link = shop.link(shop.request(order=order), key="whole-order")

    assert link.status is VendorLinkStatus.OPEN


def test_a_link_is_closed_and_closing_it_again_is_no_error(shop: Shop) -> None:
    """Also one that was paid."""
    link = shop.link(key="closed")
    paid = shop.link(key="closed-after-payment")
    _ = shop.sandbox.control.pay(paid.url)

    for vendor_id in (link.vendor_id, link.vendor_id, paid.vendor_id):
        closed = shop.asks(shop.provider.close_link(vendor_id, key="k", now=shop.now()))
        assert closed.status is VendorLinkStatus.CLOSED


def test_a_lost_answer_to_a_closing_is_looked_into(shop: Shop) -> None:
    """The link was closed, the answer never came; asking tells."""
    link = shop.link(key="closed-in-the-dark")
    _ = shop.sandbox.control.fault("reset_after", f"/adyen/v72/paymentLinks/{link.vendor_id}", times=1)

    try:
        closed = shop.asks(shop.provider.close_link(link.vendor_id, key="k", now=shop.now()))
    finally:
        shop.sandbox.control.clear_faults()
    assert closed.status is VendorLinkStatus.CLOSED


def test_a_reusable_link_is_paid_many_times(shop: Shop) -> None:
    """Each payment has a reference of its own."""
    link = shop.link(shop.request(kind=Reusable()), key="reusable")
    payments = {shop.sandbox.control.pay(link.url).payment for _ in range(3)}

    told = {notice.vendor_id for notice in shop.notices() if isinstance(notice, PaymentNotice)}
    assert told == payments
    assert shop.asks(shop.provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.OPEN


def test_a_refused_attempt_leaves_the_link_payable(shop: Shop) -> None:
    """It is told as failed."""
    link = shop.link(key="declined")
    _ = shop.sandbox.control.pay(link.url, how="declined")

    (notice,) = shop.notices()
    assert isinstance(notice, PaymentNotice)
    assert notice.status is PaymentStatus.FAILED
    assert shop.asks(shop.provider.fetch_link(link.vendor_id)).status is VendorLinkStatus.OPEN


@pytest.mark.parametrize("taken", [True, False], ids=["captured", "given-up"])
def test_reserved_money_is_taken_or_given_up(shop: Shop, taken: bool) -> None:
    """Asked for by the payment's reference; the outcome is told."""
    order = Order(reference="R", amount=Money(4990, "EUR"), checkout=Checkout(capture="manual"))
    link = shop.link(shop.request(order=order), key=f"manual-{taken}")
    payment = shop.sandbox.control.pay(link.url).payment
    provider, now = shop.provider, shop.now()

    received = shop.asks(
        provider.capture(payment, Money(3000, "EUR"), key=f"c-{payment}", now=now)
        if taken
        else provider.cancel_payment(payment, key=f"c-{payment}", now=now)
    )

    reserved, outcome = shop.notices()
    assert isinstance(reserved, PaymentNotice)
    assert isinstance(outcome, PaymentNotice)
    assert (received.status, reserved.status) == (PaymentStatus.AUTHORISED, PaymentStatus.AUTHORISED)
    assert (outcome.vendor_id, outcome.status) == (
        payment,
        PaymentStatus.SUCCEEDED if taken else PaymentStatus.CANCELLED,
    )
    if taken:
        assert outcome.amount == Money(3000, "EUR")


def test_a_refund_is_made_once_told_and_may_come_back(shop: Shop) -> None:
    """Pending, then done, then back with the merchant: always the same refund, with our mark."""
    payment = shop.sandbox.control.pay(shop.link(key="refunded").url).payment
    request = RefundRequest(
        refund_id=REFUND_ID, payment_vendor_id=payment, amount=Money(1000, "EUR"), reason="returned"
    )
    written = shop.provider.write_refund(request, key=f"r-{payment}", now=shop.now())

    first, second = (shop.asks(shop.provider.refund(request, written=written)) for _ in range(2))
    _ = shop.sandbox.control.flush_webhooks()
    _ = shop.sandbox.control.fail_refund(first.vendor_id)

    told = [notice for notice in shop.notices() if isinstance(notice, RefundNotice)]
    assert first == second
    assert first.status is RefundStatus.PENDING
    assert [notice.status for notice in told] == [RefundStatus.SUCCEEDED, RefundStatus.FAILED]
    assert {(notice.vendor_id, notice.payment_vendor_id, notice.refund_id) for notice in told} == {
        (first.vendor_id, payment, REFUND_ID)
    }


@pytest.mark.parametrize(("won", "status"), [(True, DisputeStatus.WON), (False, DisputeStatus.LOST)])
def test_a_dispute_is_told_from_its_opening_to_its_end(shop: Shop, won: bool, status: DisputeStatus) -> None:
    """One dispute, by its reference."""
    payment = shop.sandbox.control.pay(shop.link(key=f"disputed-{won}").url).payment
    dispute = shop.sandbox.control.dispute(payment)["id"]
    _ = shop.sandbox.control.close_dispute(dispute, won=won)

    told = [notice for notice in shop.notices() if isinstance(notice, DisputeNotice)]
    assert {(notice.vendor_id, notice.payment_vendor_id) for notice in told} == {(dispute, payment)}
    assert [told[0].status, told[-1].status] == [DisputeStatus.OPEN, status]


def test_the_methods_on_offer_are_told(shop: Shop) -> None:
    """In our words."""
    order = Order(reference="R", amount=Money(1000, "EUR"), customer=Customer(country="NL"))

    offers = shop.asks(shop.provider.methods_for(order))

    assert {"card", "ideal"} <= {offer.method for offer in offers}


def test_a_refusal_is_told_in_our_words(shop: Shop) -> None:
    """A link that is not there."""
    with pytest.raises(ProviderError):
        _ = shop.asks(shop.provider.fetch_link("PL0000000000000000"))


def test_another_key_or_user_is_not_believed(shop: Shop) -> None:
    """What the sandbox signs is verified, not waved through."""
    _ = shop.sandbox.control.pay(shop.link(key="signed").url)
    assert shop.notices()
    headers, body = shop.listener.heard[0]

    other_key = AdyenProvider("AQExxxxxx", merchant_account=ACCOUNT, hmac_keys=["AB" * 32])
    with pytest.raises(WebhookRejected):
        other_key.verify(headers, body, now=shop.now())
    with pytest.raises(WebhookRejected):
        shop.provider.verify({}, body, now=shop.now())


def test_a_payout_is_read_from_its_report_and_adds_up(shop: Shop) -> None:
    """Downloaded by polling and by the address in the webhook alike."""
    payment = shop.sandbox.control.pay(shop.link(key="paid-out").url).payment
    began = shop.now() - dt.timedelta(days=1)
    payout = shop.sandbox.control.payout("adyen")
    ready = [notice for notice in shop.notices() if isinstance(notice, ForeignNotice)]
    assert any(payout["fileName"] in notice.reason for notice in ready)

    found: list[BalanceItem] = []
    after = ""
    while True:
        page = shop.asks(
            shop.provider.settlements(since=began, until=shop.now() + dt.timedelta(days=1), after=after)
        )
        found += page.items
        after = page.after
        if not after:
            break

    ours = [item for item in found if item.payment_vendor_id == payment]
    assert [item.kind for item in ours] == [BalanceKind.PAYMENT]
    assert (ours[0].gross, ours[0].gross - ours[0].fee) == (Money(4990, "EUR"), ours[0].net)
    batch = [item for item in found if item.payout_vendor_id == ours[0].payout_vendor_id]
    assert sum(item.net.minor for item in batch) == 0
    assert len({item.vendor_id for item in found}) == len(found)
