"""Two attempts at one link for one payment: while money may still come by one of them, the link is not free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from paybylink import AlreadyPaid, LinkStatus, PayByLink, PaymentLink

from .shops import Shop, open_street
from .world import meanwhile


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop at Mollie, whose page lets a payer try again while a transfer is under way."""
    with open_street(tmp_path_factory.mktemp("street")) as street:
        yield street.shop("mollie", request.node.name)


def stands(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    found = pay.link(link.order.reference)
    assert found is not None
    return found


def begun(shop: Shop, pay: PayByLink, reference: str, *hows: str) -> tuple[PaymentLink, list[str]]:
    """A link, and its payments at the provider, of which the shop was told."""
    link = pay.create_link(shop.order(reference), expires_in=dt.timedelta(days=7))
    assert link.current is not None
    for how in hows:
        _ = shop.customer_pays(link.current.url or "", how=how)
    _ = pay.refresh(link)
    _ = shop.told()
    return stands(pay, link), [str(row["id"]) for row in shop.truth("payments")]


@pytest.mark.parametrize("succeeded", [True, False], ids=["comes", "fails"])
def test_a_failed_attempt_does_not_free_a_link_whose_transfer_is_under_way(
    shop: Shop, succeeded: bool
) -> None:
    """The customer could pay twice; it is free once the last of them has failed."""
    with shop.open() as pay:
        link, (transfer, _) = begun(shop, pay, "TRANSFER", "delayed", "declined")
        assert link.status is LinkStatus.PROCESSING
        with pytest.raises(AlreadyPaid):
            _ = pay.renew(link)
        _ = shop.street.sandbox.control.settle(transfer, succeeded=succeeded)
        _ = shop.hear(pay)

        assert stands(pay, link).status is (LinkStatus.PAID if succeeded else LinkStatus.OPEN)


def test_two_transfers_that_fail_at_the_same_moment_free_the_link(shop: Shop) -> None:
    """Each is told by another worker while the other one is still under way: the second one reads again."""
    with shop.open() as pay, shop.open() as other:
        link, both = begun(shop, pay, "BOTH", "delayed", "delayed")
        assert link.status is LinkStatus.PROCESSING
        for transfer in both:
            _ = shop.street.sandbox.control.settle(transfer, succeeded=False)
        calls = shop.told()

        def hears(who: PayByLink, place: int) -> None:
            call = calls[place]
            reply = who.receive("mollie", headers=call.headers, body=call.body, query=call.query)
            assert reply.status == 200

        _ = meanwhile(pay, "update_payment", lambda: hears(other, 1))
        hears(pay, 0)

        assert stands(pay, link).status is LinkStatus.OPEN
