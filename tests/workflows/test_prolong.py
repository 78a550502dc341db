"""A link that lives longer than its provider's: a new one takes its place, cut or not, and never two at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from paybylink import LinkStatus, PayByLink, PaymentLink
from paybylink.errors import Conflict
from paybylink.links import ProviderLinkStatus
from paybylink.workflows.prolong import prolong

from .cutting import Cut, Knife, put_in_front
from .shops import Shop, open_street
from .world import meanwhile

QUARTER = dt.timedelta(days=100)


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop at Adyen on a street of its own, where time passes."""
    with open_street(tmp_path_factory.mktemp("street")) as street:
        yield street.shop("adyen", request.node.name)


def long_lived(shop: Shop, pay: PayByLink, reference: str) -> PaymentLink:
    """A link that has lived almost as long as Adyen lets it."""
    link = pay.create_link(shop.order(reference), expires_in=QUARTER)
    _ = shop.hear(pay)
    return link


def behind(link: PaymentLink) -> str:
    assert link.current is not None
    assert link.current.url is not None
    return link.current.url


def again(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    found = pay.link(link.order.reference)
    assert found is not None
    return found


def payable(shop: Shop) -> list[str]:
    """What can be paid at the provider."""
    return [str(row["id"]) for row in shop.truth("links") if row["status"] == "open"]


def test_a_pass_that_is_cut_anywhere_heals(shop: Shop) -> None:
    """Before and after each effect: afterwards exactly one link can be paid at the provider, behind the same URL."""
    at, sides = 0, [False, True]
    with shop.open() as pay:
        links = [long_lived(shop, pay, f"CUT-{place}-{after}") for place in range(40) for after in sides]
    shop.later(days=69, hours=12)
    turn = iter(links)
    ended = False
    while not ended:
        for after in sides:
            link, knife = next(turn), Knife(at=at, after=after)
            with shop.open() as pay:
                put_in_front(pay, knife)
                try:
                    _ = pay._run(prolong(pay.journeys.merchant, link.id, now=shop.clock()))
                    ended = True
                except Cut:
                    pass
            with shop.open() as pay:
                _ = pay._run(prolong(pay.journeys.merchant, link.id, now=shop.clock()))
                healed = again(pay, link)
                where = f"{'after' if after else 'before'} {at}: {knife.passed[-1]}"
                assert (healed.status, healed.url) == (LinkStatus.OPEN, link.url), where
                statuses = [each.status for each in healed.provider_links]
                assert statuses == [ProviderLinkStatus.CLOSED, ProviderLinkStatus.OPEN], where
                ids = {each.vendor_id for each in healed.provider_links}
                assert len(ids & set(payable(shop))) == 1, where
        at += 1

    assert at >= 8


def test_what_was_cut_is_finished_by_the_next_pass(shop: Shop) -> None:
    """Its row says what was meant, so it is not taken for a link that is to end."""
    with shop.open() as pay:
        link = long_lived(shop, pay, "NEXT-PASS")
        shop.later(days=69, hours=12)
        _ = shop.street.sandbox.control.fault("status", "/adyen/v72/paymentLinks/", status=503, times=9)
        assert pay.run_due().failed != ()
        shop.street.sandbox.control.clear_faults()
        assert again(pay, link).provider_links[0].status is ProviderLinkStatus.ENDING
        assert pay.run_due().completed == 1

        assert again(pay, link).payable
        assert behind(again(pay, link)) != behind(link)


def test_a_merchant_who_cancels_meanwhile_gets_no_new_link(shop: Shop) -> None:
    """The old one was asked to close for another one's sake, and is then closed for good."""
    with shop.open() as pay:
        link = long_lived(shop, pay, "CANCELLED")
        shop.later(days=69, hours=12)
        _ = shop.street.sandbox.control.fault("status", "/adyen/v72/paymentLinks/", status=503, times=9)
        assert pay.run_due().failed != ()
        shop.street.sandbox.control.clear_faults()
        assert pay.cancel(link).status is LinkStatus.CANCELLED
        assert pay.run_due().completed == 0

        assert payable(shop) == []
        assert len(again(pay, link).provider_links) == 1


def test_money_that_comes_while_it_is_closed_wins(shop: Shop) -> None:
    """The payer was quicker: no new link is made."""
    with shop.open() as pay, shop.open() as other:
        link = long_lived(shop, pay, "QUICKER")
        shop.later(days=69, hours=12)

        def customer_is_quicker() -> None:
            _ = shop.customer_pays(behind(link))
            _ = shop.hear(other)

        _ = meanwhile(pay, "PATCH", customer_is_quicker)
        _ = pay.run_due()

        assert again(pay, link).status is LinkStatus.PAID
        assert len(again(pay, link).provider_links) == 1
        _ = pay.run_due()
        assert [each.status for each in again(pay, link).provider_links] == [ProviderLinkStatus.CLOSED]


def test_money_that_comes_after_it_is_closed_wins_as_well(shop: Shop) -> None:
    """The payer was at his bank when the old one was closed: no new link is made."""
    with shop.open() as pay, shop.open() as other:
        link = long_lived(shop, pay, "AT-THE-BANK")
        shop.later(days=69, hours=12)

        def payer_comes_back() -> None:
            _ = shop.customer_pays(behind(link), although_closed=True)
            _ = shop.hear(other)

        _ = meanwhile(pay, "PATCH", payer_comes_back, after=True)
        assert pay.run_due().failed == ()

        assert again(pay, link).status is LinkStatus.PAID
        assert len(again(pay, link).provider_links) == 1


def test_a_store_where_somebody_else_is_always_first_ends_in_a_conflict(shop: Shop) -> None:
    """It is read again so many times, and no more."""

    def conflict() -> None:
        raise Conflict("update_provider_link")

    with shop.open() as pay:
        link = long_lived(shop, pay, "ALWAYS")
        shop.later(days=69, hours=12)
        _ = meanwhile(pay, "fence update_provider_link", conflict, times=None)
        with pytest.raises(Conflict):
            _ = pay._run(prolong(pay.journeys.merchant, link.id, now=shop.clock()))


def test_a_link_that_ends_before_its_providers_is_left_alone(shop: Shop) -> None:
    """Nothing is to be done for the usual month."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("MONTH"))
        assert pay._run(prolong(pay.journeys.merchant, link.id, now=shop.clock())) == again(pay, link)
        assert pay.run_due().completed == 0
