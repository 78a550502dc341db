"""`store=None` at three providers: what the provider keeps itself works, what somebody has to remember is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from paybylink import (
    InvalidInput,
    LinkStatus,
    Money,
    PayByLink,
    ProviderError,
    Reusable,
    UnsupportedCapability,
)

from .shops import VENDORS, Shop, Street, open_street

WEEK = dt.timedelta(days=7)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture(params=VENDORS)
def shop(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = street.shop(request.param, request.node.name)
    made.settings.update(store=None, public_url=None)
    yield made
    street.sandbox.control.clear_faults()
    _ = street.sandbox.control.move_clock(-made.clock.ahead)


def until(shop: Shop, *, hour: int) -> None:
    """Move time to the next such hour of UTC, here and at the provider."""
    now = shop.clock()
    at = now.replace(hour=hour, minute=5, second=0, microsecond=0)
    shop.later(seconds=(at - now).total_seconds() % 86400)


def test_a_script_that_runs_again_finds_its_link(shop: Shop) -> None:
    """The same bytes under the same key, also some minutes later: the end is that of the day."""
    until(shop, hour=9)
    before = len(shop.truth("links"))
    with shop.open() as pay:
        first = pay.create_link(shop.order("SCRIPT"))
    shop.later(minutes=20)
    with shop.open() as pay:
        second = pay.create_link(shop.order("SCRIPT"))

    assert (second.id, second.url) == (first.id, first.url)
    assert len(shop.truth("links")) == before + 1
    assert (first.expires_at is None) is (shop.vendor == "stripe")


@pytest.mark.parametrize("vendor", ["adyen", "mollie"])
def test_an_end_that_the_provider_keeps_is_taken(street: Street, vendor: str) -> None:
    """As a span or as a moment; after it nobody can pay."""
    shop = street.shop(vendor, "stateless-end", store=None, public_url=None)
    end = shop.clock() + WEEK
    with shop.open() as pay:
        by_span = pay.create_link(shop.order("END-SPAN"), expires_in=WEEK)
        by_moment = pay.create_link(shop.order("END-MOMENT"), expires_at=end)

        assert by_moment.expires_at == end
        assert by_span.expires_at is not None
        assert end - dt.timedelta(seconds=5) <= by_span.expires_at <= end + dt.timedelta(days=1)


def test_a_short_link_of_stripe_keeps_its_own_end(street: Street) -> None:
    """A session ends by itself within a day, so nothing has to be remembered; it leads back to the shop."""
    shop = street.shop("stripe", "stateless-session", store=None, public_url=None)
    order = shop.order("SESSION", return_url="https://shop.example/thanks")
    with shop.open() as pay:
        link = pay.create_link(order, expires_in=dt.timedelta(hours=5))
        assert pay.create_link(order, expires_in=dt.timedelta(hours=5)).url == link.url

        assert link.expires_at is not None
        assert shop.clock() + dt.timedelta(hours=5) <= link.expires_at + dt.timedelta(seconds=5)


@pytest.mark.parametrize("vendor", ["adyen", "mollie"])
def test_a_maximum_that_nobody_counts_is_refused(street: Street, vendor: str) -> None:
    """Before anything is sent."""
    shop = street.shop(vendor, "stateless-maximum", store=None, public_url=None)
    before = shop.truth("links")
    with shop.open() as pay, pytest.raises(UnsupportedCapability, match="give a store"):
        _ = pay.create_link(shop.order("MAXIMUM"), kind=Reusable(max_payments=3))

    assert shop.truth("links") == before


def test_a_maximum_that_the_provider_counts_is_taken(street: Street) -> None:
    """Stripe closes its link by itself after the last payment."""
    shop = street.shop("stripe", "stateless-counted", store=None, public_url=None)
    with shop.open() as pay:
        link = pay.create_link(shop.order("COUNTED"), kind=Reusable(max_payments=1))
        _ = shop.customer_pays(link.url)

        assert pay.refresh(link).status is LinkStatus.PAID


def test_a_link_longer_than_the_providers_is_refused(street: Street) -> None:
    """Adyen's end after 70 days, and nobody to put another one in its place."""
    shop = street.shop("adyen", "stateless-long", store=None, public_url=None)
    with shop.open() as pay, pytest.raises(UnsupportedCapability, match="put a new one in its place"):
        _ = pay.create_link(shop.order("LONG"), expires_in=dt.timedelta(days=100))


def test_a_paid_link_is_seen_as_paid(shop: Shop) -> None:
    """By its payments, or at Adyen by what it says of itself."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("SEEN"))
        _ = shop.customer_pays(link.url)
        seen = pay.refresh(link)

        assert (seen.status, seen.paid_amount) == (LinkStatus.PAID, link.order.amount)


def test_a_reusable_link_is_not_called_paid_by_what_it_says_of_itself(shop: Shop) -> None:
    """It goes on."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("GOES-ON"), kind="reusable")
        _ = shop.customer_pays(link.url)

        assert pay.refresh(link).status is LinkStatus.OPEN


@pytest.mark.parametrize("vendor", ["stripe", "mollie"])
def test_the_same_wish_on_the_next_day_finds_the_link(street: Street, vendor: str) -> None:
    """Other bytes under a key that still lives: the provider is asked by our mark, where one could be left there."""
    shop = street.shop(vendor, "stateless-midnight", store=None, public_url=None)
    if vendor == "mollie":
        shop.settings["providers"] = [
            street.provider("mollie", webhook_url=f"{street.receiver.base}/webhooks/mollie")
        ]
    until(shop, hour=23)
    shop.later(minutes=40)
    before = len(shop.truth("links"))
    with shop.open() as pay:
        link = pay.create_link(shop.order("MIDNIGHT"))
        shop.later(minutes=30)
        again = pay.create_link(shop.order("MIDNIGHT"))
        # Mollie does not say what is wrong with it.
        with pytest.raises((InvalidInput, ProviderError), match=r"was used with other content|not accepted"):
            _ = pay.create_link(shop.order("MIDNIGHT", "59.90"))

        assert again.provider_links[0].vendor_id == link.provider_links[0].vendor_id
        assert len(shop.truth("links")) == before + 1
    _ = street.sandbox.control.move_clock(-shop.clock.ahead)


def test_cancelling_needs_no_store(shop: Shop) -> None:
    """The provider closes it, and says so."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("CLOSE"))

        assert pay.cancel(link).status is LinkStatus.CANCELLED


def test_what_the_payer_types_needs_no_store(street: Street) -> None:
    """Several calls at Stripe, each under a key of its own; run again they are the same."""
    shop = street.shop("stripe", "stateless-chooses", store=None, public_url=None)
    kind = Reusable(payer_chooses=True, minimum=Money.of("5", "EUR"))
    with shop.open() as pay:
        link = pay.create_link(shop.order("TYPED"), kind=kind)
        assert pay.create_link(shop.order("TYPED"), kind=kind).url == link.url
        _ = shop.customer_pays(link.url, amount="12.00")

        assert pay.refresh(link).payments == 1
        assert isinstance(pay, PayByLink)
