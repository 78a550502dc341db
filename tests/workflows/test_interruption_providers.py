"""
Cut anywhere and run again, at each provider and for the kinds of link that take several calls to make.

The journey is order → link → payment → refund → books; the cuts are derived from what it yields. See
`test_interruption` for the one with mail, which also holds the number of cuts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from paybylink import AsyncPayByLink, LinkStatus, Money, Order, PayByLink, PaymentLink, Reusable
from paybylink.accounting.reports import is_balanced
from paybylink.kinds import HostedInvoice, LinkKind, SingleUse
from paybylink.orders import Customer
from paybylink.payments import RefundStatus

from .cutting import Cut, Knife, put_in_front
from .shops import Shop, Street, open_street

TEN = Money.of("10.00", "EUR")

#: How many effects each journey has at least. Fewer means fewer cuts; say so in the changelog before lowering it.
CASES = [
    pytest.param("adyen", SingleUse(), 35, id="adyen-single-use"),
    pytest.param("mollie", SingleUse(), 40, id="mollie-single-use"),
    pytest.param("stripe", Reusable(payer_chooses=True), 35, id="stripe-payer-chooses"),
    pytest.param("stripe", HostedInvoice(), 35, id="stripe-hosted-invoice"),
]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


def order_of(shop: Shop, reference: str) -> Order:
    """An order that every kind of link can take."""
    customer = Customer(name="Zoé Martin", email="zoe@example.com", language="fr")
    return shop.order(reference, customer=customer)


def paid_at(link: PaymentLink) -> str:
    """Where the customer pays, without our own page in front."""
    assert link.current is not None
    assert link.current.url is not None
    return link.current.url


def payments_behind(shop: Shop, link: PaymentLink) -> list[str]:
    """The payments of a link that the provider calls paid."""
    behind = {each.vendor_id for each in link.provider_links}
    return [
        str(row["id"])
        for row in shop.truth("payments")
        if row["link"] in behind and row["status"] in ("paid", "refunded")
    ]


def customer_pays_once(shop: Shop, link: PaymentLink) -> None:
    """The customer pays by card, unless that was done before the cut."""
    if not payments_behind(shop, link):
        chosen = isinstance(link.kind, Reusable) and link.kind.payer_chooses
        _ = shop.customer_pays(paid_at(link), amount="49.90" if chosen else None)


def journey(pay: PayByLink, shop: Shop, order: Order, kind: LinkKind, since: int) -> None:
    """The whole journey, which may have been cut anywhere before."""
    link = pay.create_link(order, kind=kind)
    customer_pays_once(shop, link)
    hear_all(pay, shop, since)
    payment = next(pay.payments(link=link))
    _ = pay.refund(payment, amount=TEN, reference=f"AV-{order.reference}")
    refunds_end(shop, payment.vendor_id)
    hear_all(pay, shop, since)


def hear_all(pay: PayByLink, shop: Shop, since: int) -> None:
    """Take every webhook call since that many, also those that were taken before the cut."""
    shop.heard = since
    _ = shop.hear(pay)
    _ = pay.run_due()


def refunds_end(shop: Shop, payment: str) -> None:
    """Let the money arrive at the payer."""
    for row in shop.truth("refunds"):
        if row["payment"] == payment and row["status"] == "pending":
            _ = shop.street.sandbox.control.finish(row["id"])


def check(shop: Shop, order: Order, where: str) -> None:
    """One link, one payment, one refund, balanced books."""
    with shop.open() as pay:
        link = pay.link(order.reference)
        assert isinstance(link, PaymentLink), where
        (payment,) = list(pay.payments())
        (refund,) = pay.refunds(payment)

        made = {each.vendor_id for each in link.provider_links} - {None}
        assert len(made) == 1, where
        assert payments_behind(shop, link) == [payment.vendor_id], where
        refunds = [row for row in shop.truth("refunds") if row["payment"] == payment.vendor_id]
        assert [row["amount"] for row in refunds] == [1000], where
        assert refund.status is RefundStatus.SUCCEEDED, where
        assert payment.refunded == TEN, where
        expected = LinkStatus.OPEN if isinstance(link.kind, Reusable) else LinkStatus.PAID
        assert link.status is expected, where
        balance = pay.balance()
        assert is_balanced(balance), where
        assert {sums.account: sums.minor for sums in balance} == {"51151": 3990, "471": -3990}, where


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("vendor", "kind", "least"), CASES)
def test_a_journey_that_is_cut_anywhere_and_run_again_ends_the_same(
    street: Street, vendor: str, kind: LinkKind, least: int, after: bool
) -> None:
    """One link, one payment, one refund, balanced books, wherever the process had died."""
    at = 0
    while True:
        side = "after" if after else "before"
        name = f"CUT-{kind.name}-{side}-{at}".replace("_", "-").upper()
        shop, made_before = street.shop(vendor, name), len(street.receiver.calls)
        order, links_before = order_of(shop, name), len(street.sandbox.control.truth()["links"])
        knife = Knife(at=at, after=after)
        with shop.open() as pay:
            put_in_front(pay, knife)
            try:
                journey(pay, shop, order, kind, made_before)
            except Cut:
                pass
            else:
                break
        with shop.open() as pay:
            journey(pay, shop, order, kind, made_before)
        where = f"{side} {at}: {knife.passed[-1]}"
        check(shop, order, where)
        assert len(street.sandbox.control.truth()["links"]) == links_before + 1, where
        at += 1

    assert at >= least, "\n".join(knife.passed)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("vendor", ["adyen", "mollie"])
async def test_the_same_holds_when_it_is_awaited_and_cut(street: Street, vendor: str) -> None:
    """The asynchronous driver heals in the same places."""
    at = 0
    while True:
        name = f"ACUT-{at}"
        shop, since = street.shop(vendor, name), len(street.receiver.calls)
        order = order_of(shop, name)
        knife = Knife(at=at, after=True)
        async with shop.open_async() as pay:
            put_in_front(pay, knife)
            task = asyncio.create_task(async_journey(pay, shop, order, since))
            _ = await asyncio.wait({task})
            if not isinstance(task.exception(), Cut):
                await task
                break
        async with shop.open_async() as pay:
            await async_journey(pay, shop, order, since)
        await asyncio.to_thread(check, shop, order, f"after {at}: {knife.passed[-1]}")
        at += 1

    assert at >= 30


async def async_journey(pay: AsyncPayByLink, shop: Shop, order: Order, since: int) -> None:
    """The same, awaited."""
    link = await pay.create_link(order)
    await asyncio.to_thread(customer_pays_once, shop, link)
    await async_hear(pay, shop, since)
    payment = await anext(pay.payments(link=link))
    _ = await pay.refund(payment, amount=TEN, reference=f"AV-{order.reference}")
    await asyncio.to_thread(refunds_end, shop, payment.vendor_id)
    await async_hear(pay, shop, since)


async def async_hear(pay: AsyncPayByLink, shop: Shop, since: int) -> None:
    """Take every webhook call since that many."""
    shop.heard = since
    for call in await asyncio.to_thread(shop.told):
        reply = await pay.receive(shop.vendor, headers=call.headers, body=call.body, query=call.query)
        assert reply.status == 200, reply.reason
    _ = await pay.run_due()


def test_the_database_of_a_shop_is_its_own(street: Street, tmp_path: Path) -> None:
    """Two shops on one street share the provider and nothing else."""
    del tmp_path
    one, other = street.shop("adyen", "one"), street.shop("adyen", "other")
    with one.open() as pay, other.open() as theirs:
        link = pay.create_link(one.order("SAME"))

        assert theirs.link("SAME") is None
        assert theirs.create_link(other.order("SAME")).id != link.id
