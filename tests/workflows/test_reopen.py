"""A link that is opened again at its provider: whoever ends it meanwhile leaves nothing there that can be paid."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paybylink import LinkStatus, PayByLink, PaymentLink
from paybylink.links import ProviderLinkStatus

from .cutting import Cut, Knife, put_in_front
from .world import World, meanwhile

LINKS = "/stripe/v1/payment_links"


def stands(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    found = pay.link(link.order.reference)
    assert found is not None
    return found


def used_up(world: World, pay: PayByLink, reference: str) -> PaymentLink:
    """A link whose delayed payment failed, of which the shop hears; its provider cannot be reached meanwhile."""
    link = pay.create_link(world.order(reference))
    _ = world.paid(pay, link.url, how="delayed")
    since = len(world.receiver.calls)
    _ = world.sandbox.control.settle(link.url, succeeded=False)
    _ = world.sandbox.control.fault("status", LINKS, status=503, times=3)
    _ = world.hear(pay, since)
    world.sandbox.control.clear_faults()
    return stands(pay, link)


def opened_unheard(world: World, pay: PayByLink, reference: str) -> PaymentLink:
    """The same, opened again, and the answer was lost."""
    link = used_up(world, pay, reference)
    _ = world.sandbox.control.fault("reset_after", LINKS, method="POST", times=3)
    assert pay.run_due().failed == ("outcome_unknown",)
    world.sandbox.control.clear_faults()
    assert active(world, reference) == [True]
    return link


def active(world: World, reference: str) -> list[bool]:
    """Which links of an order can be paid at the provider, oldest first."""
    return [link["active"] for link in world.links(reference)]


def behind(link: PaymentLink) -> list[ProviderLinkStatus]:
    return [each.status for each in link.provider_links]


def test_a_link_that_was_opened_unheard_is_closed_when_it_is_cancelled(world: World) -> None:
    """Only the answer was missing: the customer could pay there."""
    with world.shop("unheard") as pay:
        link = opened_unheard(world, pay, "UNHEARD")
        assert pay.cancel(link).status is LinkStatus.CANCELLED

        assert active(world, "UNHEARD") == [False]
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSED]


@pytest.mark.parametrize("act", [PayByLink.cancel, PayByLink.renew], ids=["cancel", "renew"])
def test_a_link_that_was_opened_again_can_be_closed(world: World, act: Callable[..., PaymentLink]) -> None:
    """Under a key of its own: the provider remembers the one of the opening."""
    reference = f"OPENED-{act.__name__}".upper()
    with world.shop(reference) as pay:
        link = used_up(world, pay, reference)
        assert pay.run_due().completed == 1
        _ = act(pay, link)

        assert active(world, reference)[0] is False
        assert behind(stands(pay, link))[0] is ProviderLinkStatus.CLOSED


def test_who_cancels_while_it_is_opened_has_it_closed(world: World) -> None:
    """The closing reached the provider first, and the opening after it."""
    store = world.database("opening-cancelled")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = used_up(world, pay, "OPENING-CANCELLED")
        _ = meanwhile(pay, "POST", lambda: other.cancel(link))
        _ = pay.run_due()

        assert stands(pay, link).status is LinkStatus.CANCELLED
        assert active(world, "OPENING-CANCELLED") == [False]
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSED]


def test_who_is_cut_while_he_cancels_what_is_opened_has_it_closed(world: World) -> None:
    """His row says that it was to be closed; the next pass does it and calls the link expired."""
    store = world.database("opening-cut")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = used_up(world, pay, "OPENING-CUT")

        def is_cut() -> None:
            put_in_front(other, Knife(at=2, after=True))
            with pytest.raises(Cut):
                _ = other.cancel(link)

        _ = meanwhile(pay, "POST", is_cut)
        _ = pay.run_due()
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSING]
        assert active(world, "OPENING-CUT") == [False]
        _ = pay.run_due()

        assert stands(pay, link).status is LinkStatus.EXPIRED
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSED]
        assert pay.run_due().completed == 0


def test_two_workers_who_open_it_open_it_once(world: World) -> None:
    """The second one reads what the first one wrote."""
    store = world.database("opening-twice")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = used_up(world, pay, "OPENING-TWICE")
        _ = meanwhile(pay, "POST", other.run_due)
        _ = pay.run_due()

        assert stands(pay, link).status is LinkStatus.OPEN
        (one,) = world.links("OPENING-TWICE")
        assert one["restrictions"]["completed_sessions"] == {"count": 1, "limit": 2}


def test_a_link_that_was_opened_unheard_and_paid_is_closed_by_the_next_pass(world: World) -> None:
    """The money wins; whether anything is left to pay there is not known, so it is closed for certain."""
    with world.shop("unheard-paid") as pay:
        link = opened_unheard(world, pay, "UNHEARD-PAID")
        (one,) = world.links("UNHEARD-PAID")
        assert world.paid(pay, one["id"]).flags == frozenset()
        assert pay.create_link(world.order("UNHEARD-PAID")).status is LinkStatus.PAID
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSING]
        assert pay.run_due().failed == ()

        assert active(world, "UNHEARD-PAID") == [False]
        assert behind(stands(pay, link)) == [ProviderLinkStatus.CLOSED]
        assert pay.run_due().completed == 0


def test_a_link_that_cannot_be_closed_again_is_left_to_the_next_pass(world: World) -> None:
    """It was opened while somebody cancelled it, and the provider is away then."""
    store = world.database("opening-away")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = used_up(world, pay, "OPENING-AWAY")

        def cancels() -> None:
            _ = other.cancel(link)
            _ = world.sandbox.control.fault("status", LINKS, method="POST", status=503, times=9, skip=1)

        _ = meanwhile(pay, "POST", cancels)
        assert pay.run_due().failed != ()
        world.sandbox.control.clear_faults()
        assert active(world, "OPENING-AWAY") == [True]
        assert pay.run_due().failed == ()

        assert stands(pay, link).status is LinkStatus.CANCELLED
        assert active(world, "OPENING-AWAY") == [False]
