"""`store=None`: create, fetch, cancel, share and verify work; what would have to be remembered is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve

from paybylink import (
    AlreadyPaid,
    AsyncPayByLink,
    InvalidInput,
    LinkStatus,
    Money,
    OutcomeUnknown,
    PayByLink,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.links import Mode
from paybylink.payments import Payment, PaymentStatus
from paybylink.providers.base import LinkRequest
from paybylink.providers.stripe import StripeProvider

from .world import QUICK, Clock, World

LINKS = "/stripe/v1/payment_links"
WEEK = dt.timedelta(days=7)


@pytest.fixture
def pay(world: World) -> Iterator[PayByLink]:
    """A `PayByLink` that remembers nothing."""
    with PayByLink(
        providers=[world.provider()], channels=[world.channel()], store=None, patience=QUICK
    ) as stateless:
        yield stateless


def test_creating_twice_gives_the_same_link(world: World, pay: PayByLink) -> None:
    """The key is computed from the reference, so a script that runs again finds the link of its first run."""
    link = pay.create_link(world.order("STATELESS"))
    with PayByLink(providers=[world.provider()], store=None) as restarted:
        again = restarted.create_link(world.order("STATELESS"))

    assert link.payable
    assert link.status is LinkStatus.OPEN
    assert (again.id, again.url) == (link.id, link.url)
    assert len(world.links("STATELESS")) == 1
    assert link.expires_at is None


def test_other_content_under_the_same_reference_is_refused(world: World, pay: PayByLink) -> None:
    """Without a store the two cannot be told apart; the remedy is named, and no second link is made."""
    _ = pay.create_link(world.order("STATELESS-OTHER"))
    with pytest.raises(InvalidInput, match=r"order\.reference: was used with other content.*give a store"):
        _ = pay.create_link("1.00 EUR", reference="STATELESS-OTHER")

    assert len(world.links("STATELESS-OTHER")) == 1
    assert pay.create_link("1.00 EUR", reference="STATELESS-OTHER-2").payable


def test_what_the_provider_refuses_is_told(world: World, pay: PayByLink) -> None:
    """In the standard words, as with a store."""
    with pytest.raises(ProviderError) as caught:
        _ = pay.create_link("0.10 EUR", reference="STATELESS-SMALL")

    assert caught.value.standard_code == "amount_too_small"


@pytest.mark.parametrize("given", ["expires_in", "expires_at"])
def test_an_expiry_that_somebody_would_have_to_remember_is_refused(
    world: World, pay: PayByLink, given: str
) -> None:
    """At a provider whose links do not end by themselves."""
    end = {"expires_in": WEEK, "expires_at": Clock()() + WEEK}[given]
    with pytest.raises(UnsupportedCapability, match="give a store"):
        _ = pay.create_link(world.order("STATELESS-EXPIRY"), **{given: end})  # type: ignore[arg-type]

    assert world.links("STATELESS-EXPIRY") == []


def test_an_expiry_that_the_provider_keeps_itself_is_taken(world: World) -> None:
    """And must lie ahead."""

    class Expiring(StripeProvider):
        """Its links end by themselves."""

        def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
            return request.expires_at

    expiring = Expiring("sk_test_world", base_url=world.sandbox.stripe_url)
    end = Clock()() + WEEK
    with PayByLink(providers=[expiring], store=None) as pay:
        assert pay.create_link(world.order("STATELESS-NATIVE"), expires_at=end).expires_at == end
        with pytest.raises(InvalidInput, match="expires_at: has passed"):
            _ = pay.create_link(world.order("STATELESS-NATIVE-2"), expires_at=end - 2 * WEEK)


def test_a_lost_answer_is_healed_by_calling_again(world: World) -> None:
    """The same bytes under the same key; until then there is nothing to share or cancel."""
    impatient = evolve(QUICK, attempts=1, reply_seconds=0.5)
    with PayByLink(providers=[world.provider()], store=None, patience=impatient) as pay:
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(world.order("STATELESS-LOST"))
        pending = caught.value.link
        assert pending is not None
        assert pending.status is LinkStatus.PENDING
        with pytest.raises(InvalidInput, match="call create_link with the same order again"):
            _ = pay.cancel(pending)

        assert pay.create_link(world.order("STATELESS-LOST")).id == pending.id
        assert len(world.links("STATELESS-LOST")) == 1


def test_refreshing_asks_the_provider(world: World, pay: PayByLink) -> None:
    """Open, then under way, then paid."""
    link = pay.create_link(world.order("STATELESS-REFRESH"))
    assert pay.refresh(link).status is LinkStatus.OPEN
    _ = world.sandbox.control.pay(link.url, how="delayed")
    assert pay.refresh(link).status is LinkStatus.PROCESSING
    _ = world.sandbox.control.settle(link.url)
    paid = pay.refresh(link)

    assert (paid.status, paid.paid_amount, paid.payments) == (LinkStatus.PAID, link.order.amount, 1)
    assert pay.refresh(paid) == paid


def test_a_payment_that_failed_leaves_a_link_that_cannot_be_paid(world: World, pay: PayByLink) -> None:
    """The provider has counted it, and closed its link."""
    link = pay.create_link(world.order("STATELESS-FAILED"))
    _ = world.sandbox.control.pay(link.url, how="delayed")
    _ = world.sandbox.control.settle(link.url, succeeded=False)

    assert pay.refresh(link).status is LinkStatus.CANCELLED


def test_cancelling_closes_the_link(world: World, pay: PayByLink) -> None:
    """Twice changes nothing; one that was paid stays paid, and is to be refunded."""
    link = pay.create_link(world.order("STATELESS-CANCEL"))
    paid = pay.create_link(world.order("STATELESS-PAID"))
    _ = world.sandbox.control.pay(paid.url)

    assert pay.cancel(link).status is LinkStatus.CANCELLED
    assert pay.cancel(link).status is LinkStatus.CANCELLED
    assert [one["active"] for one in world.links("STATELESS-CANCEL")] == [False]
    with pytest.raises(AlreadyPaid):
        _ = pay.cancel(paid)


def test_verifying_works_without_a_store(world: World, pay: PayByLink) -> None:
    """What is left of `receive`: the events, believed and not remembered."""
    link = pay.create_link(world.order("STATELESS-VERIFY"))
    since = len(world.receiver.calls)
    _ = world.sandbox.control.pay(link.url)
    kinds = [
        event.kind
        for call in world.told(since)
        for event in pay.verify("stripe", headers=call.headers, body=call.body)
    ]

    assert "checkout.session.completed" in kinds


def test_what_has_to_be_remembered_is_refused_and_the_remedy_is_named(world: World, pay: PayByLink) -> None:
    """Nothing is sent, and nothing goes back."""
    link = pay.create_link(world.order("STATELESS-REFUSED"))
    call = world.event("checkout.session.completed", world.session(link.url, "STATELESS-REFUSED"))
    payment = Payment(
        id="P1",
        provider="stripe",
        vendor_id="pi_1",
        amount=Money.of("49.90", "EUR"),
        status=PaymentStatus.SUCCEEDED,
        mode=Mode.TEST,
        at=Clock()(),
    )
    refused: list[Callable[[], object]] = [
        lambda: pay.send(link, via="email"),
        lambda: pay.refund(payment),
        lambda: pay.renew(link),
        lambda: pay.receive("stripe", headers=call.headers, body=call.body),
        lambda: pay.link("STATELESS-REFUSED"),
        lambda: list(pay.links()),
        pay.run_due,
        pay.balance,
    ]
    for ask in refused:
        with pytest.raises(UnsupportedCapability, match="store="):
            _ = ask()

    assert pay.hand_out() == 0
    assert world.mails("STATELESS-REFUSED") == 0
    assert pay.share(link).url == link.url


@pytest.mark.anyio
async def test_the_same_holds_awaited(world: World) -> None:
    """Create, refresh, cancel; and the refusals."""
    async with AsyncPayByLink(providers=[world.provider()], store=None, patience=QUICK) as pay:
        link = await pay.create_link(world.order("STATELESS-ASYNC"))
        assert (await pay.create_link(world.order("STATELESS-ASYNC"))).url == link.url
        assert (await pay.refresh(link)).status is LinkStatus.OPEN
        assert (await pay.cancel(link)).status is LinkStatus.CANCELLED
        with pytest.raises(UnsupportedCapability, match="store="):
            _ = await pay.send(link, via="email")
        assert await pay.hand_out() == 0
