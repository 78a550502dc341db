"""Cancelling, expiring and refreshing: nothing counts as closed before the provider says so, and money wins."""

from __future__ import annotations

import datetime as dt

import pytest
from attrs import evolve

from paybylink import (
    AlreadyPaid,
    Invoice,
    InvoiceBound,
    LinkClosed,
    LinkStatus,
    NotFound,
    OutcomeUnknown,
    PayByLink,
    PaymentLink,
    ProviderError,
    Reusable,
)
from paybylink.errors import Conflict
from paybylink.events import Event, LinkCancelled, LinkExpired
from paybylink.flow import Call
from paybylink.links import ProviderLinkStatus
from paybylink.money import Money
from paybylink.payments import PaymentFlag
from paybylink.providers.base import Capabilities, Capability, Feature, Support, VendorLink, VendorLinkStatus
from paybylink.providers.stripe import StripeProvider

from .world import QUICK, Clock, World, meanwhile

LINKS = "/stripe/v1/payment_links"
WEEK = dt.timedelta(days=7)
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def stands(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    """The link as it stands now."""
    found = pay.link(link.order.reference)
    assert found is not None
    return found


def noted(pay: PayByLink, *kinds: type[Event]) -> list[Event]:
    """What the host is told from now on."""
    events: list[Event] = []
    _ = pay.on(*kinds)(events.append)
    return events


def closed_by_hand(world: World, link: PaymentLink) -> None:
    """Somebody switches the link off in the provider's dashboard."""
    _ = world.by_hand(f"payment_links/{link.provider_links[-1].vendor_id}", active="false")


# Cancelling


def test_cancelling_closes_the_link_at_the_provider(world: World) -> None:
    """Cancelled here means closed there, and the host is told once."""
    with world.shop("cancel") as pay:
        told = noted(pay, LinkCancelled)
        link = pay.create_link(world.order("CANCEL"))
        cancelled = pay.cancel(link)
        again = pay.cancel(link)
        _ = pay.run_due()

        assert cancelled.status is LinkStatus.CANCELLED
        assert again == cancelled == stands(pay, link)
        assert [one["active"] for one in world.links("CANCEL")] == [False]
        assert [event.id for event in told] == [f"{link.id}.cancelled"]
        with pytest.raises(LinkClosed):
            _ = pay.send(link, via="email")


def test_a_paid_link_is_not_cancelled(world: World) -> None:
    """Money has come: the remedy is a refund, and the error says so."""
    with world.shop("cancel-paid") as pay:
        link = pay.create_link(world.order("CANCEL-PAID"))
        _ = world.paid(pay, link.url)
        with pytest.raises(AlreadyPaid, match="refund") as caught:
            _ = pay.cancel(link)

        assert caught.value.link.status is LinkStatus.PAID


def test_a_payment_that_was_quicker_than_the_cancel_wins(world: World) -> None:
    """Nobody was told of it yet: the provider is asked before anything counts as cancelled."""
    with world.shop("cancel-race") as pay:
        link = pay.create_link(world.order("CANCEL-RACE"))
        _ = meanwhile(pay, f"POST {LINKS}/", lambda: world.sandbox.control.pay(link.url))
        with pytest.raises(AlreadyPaid):
            _ = pay.cancel(link)

        (payment,) = pay.payments(link=link)
        assert (payment.flags, payment.amount) == (frozenset(), link.order.amount)
        assert stands(pay, link).status is LinkStatus.PAID


def test_a_payment_that_comes_after_the_close_is_kept_and_flagged_late(world: World) -> None:
    """A payer who was at the bank already: the money is booked, the link is paid, and a person looks."""
    with world.shop("late") as pay:
        link = pay.create_link(world.order("LATE"))
        _ = pay.cancel(link)
        payment = world.paid(pay, link.url, although_closed=True)

        assert payment.flags == {PaymentFlag.LATE}
        assert stands(pay, link).status is LinkStatus.PAID
        assert list(pay.exceptions()) == [payment]


def test_an_expired_link_can_be_cancelled_and_a_replaced_one_cannot(world: World) -> None:
    """The table of moves, through the public door."""
    clock = Clock()
    with world.shop("cancel-expired", clock=clock) as pay:
        link = pay.create_link(world.order("CANCEL-EXPIRED"), expires_in=WEEK)
        clock.move(days=8)
        _ = pay.run_due()

        assert stands(pay, link).status is LinkStatus.EXPIRED
        assert pay.cancel(link).status is LinkStatus.CANCELLED


def test_a_link_whose_making_is_unknown_is_not_cancelled_blindly(world: World) -> None:
    """Whether there is something to close is not known; finding out is the remedy."""
    with world.shop("cancel-unknown", patience=IMPATIENT) as pay:
        order = world.order("CANCEL-UNKNOWN")
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(order)
        pending = caught.value.link
        assert pending is not None
        with pytest.raises(OutcomeUnknown, match="call create_link again"):
            _ = pay.cancel(pending)

        assert pay.cancel(pay.create_link(order)).status is LinkStatus.CANCELLED
        assert [one["active"] for one in world.links("CANCEL-UNKNOWN")] == [False]


def test_a_refused_link_is_cancelled_without_asking_anybody(world: World) -> None:
    """Nothing stands behind it."""
    with world.shop("cancel-refused") as pay:
        with pytest.raises(ProviderError):
            _ = pay.create_link("0.10 EUR", reference="CANCEL-REFUSED")
        link = pay.link("CANCEL-REFUSED")
        assert link is not None
        since = len(world.sandbox.control.requests())

        assert pay.cancel(link).status is LinkStatus.CANCELLED
        assert world.requests("POST", LINKS, since) == []


def test_a_link_that_is_not_there_cannot_be_cancelled(world: World) -> None:
    """Another tenant's, or another store's."""
    with world.shop("cancel-one") as pay, world.shop("cancel-two") as other:
        link = pay.create_link(world.order("CANCEL-ELSEWHERE"))
        with pytest.raises(NotFound, match="another tenant or store"):
            _ = other.cancel(link)


def test_a_lost_close_answer_heals_when_it_is_called_again(world: World) -> None:
    """The close is repeated under its own key; the link is not called cancelled before."""
    with world.shop("cancel-lost", patience=IMPATIENT) as pay:
        link = pay.create_link(world.order("CANCEL-LOST"))
        _ = world.sandbox.control.fault("reset_after", f"{LINKS}/", method="POST")
        since = len(world.sandbox.control.requests())
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.cancel(link)
        assert caught.value.link is not None
        assert stands(pay, link).provider_links[0].status is ProviderLinkStatus.CLOSING

        assert pay.cancel(link).status is LinkStatus.CANCELLED
        keys = {request.idempotency_key for request in world.requests("POST", f"{LINKS}/", since)}
        assert len(keys) == 1


def test_a_lost_close_answer_is_finished_by_the_next_pass(world: World) -> None:
    """It is then closed for certain and not payable any more, and can be cancelled, replaced or renewed."""
    with world.shop("close-pass", patience=IMPATIENT) as pay:
        told = noted(pay, LinkExpired)
        link = pay.create_link(world.order("CLOSE-PASS"))
        _ = world.sandbox.control.fault("reset_before", f"{LINKS}/", method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.cancel(link)
        done = pay.run_due()

        assert (done.completed, done.failed) == (1, ())
        assert stands(pay, link).status is LinkStatus.EXPIRED
        assert len(told) == 1
        assert [one["active"] for one in world.links("CLOSE-PASS")] == [False]
        assert pay.cancel(link).status is LinkStatus.CANCELLED


def test_two_who_cancel_at_once_both_succeed(world: World) -> None:
    """The second one reads again, and finds it done."""
    store = world.database("cancel-two-at-once")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("CANCEL-AT-ONCE"))
        _ = meanwhile(pay, "update_provider_link", lambda: other.cancel(link))

        assert pay.cancel(link).status is LinkStatus.CANCELLED


@pytest.mark.parametrize("act", ["cancel", "refresh"])
def test_a_store_where_somebody_else_is_always_first_ends_in_a_conflict(world: World, act: str) -> None:
    """The journey reads again many times, and not for ever."""

    def somebody_is_first() -> None:
        raise Conflict("update_provider_link")

    with world.shop(f"contested-{act}") as pay:
        link = pay.create_link(world.order(f"CONTESTED-{act}"))
        closed_by_hand(world, link)
        _ = meanwhile(pay, "update_provider_link", somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = getattr(pay, act)(link)


def test_a_provider_that_does_not_call_it_closed_is_not_believed(world: World) -> None:
    """An answer without a clear yes leaves the outcome unknown."""

    class Vague(StripeProvider):
        """Takes every request and commits itself to nothing."""

        def close_link(self, vendor_id: str, *, key: str, now: dt.datetime):  # type: ignore[no-untyped-def]
            link: VendorLink = yield from self.fetch_link(vendor_id)
            return evolve(link, status=VendorLinkStatus.UNKNOWN)

    vague = Vague("sk_test_world", base_url=world.sandbox.stripe_url)
    with world.shop("vague", providers=[vague]) as pay:
        link = pay.create_link(world.order("VAGUE"))
        with pytest.raises(OutcomeUnknown, match="does not call it closed"):
            _ = pay.cancel(link)


def test_a_provider_that_cannot_be_asked_for_payments_is_closed_all_the_same(world: World) -> None:
    """Its webhooks tell of money that came meanwhile."""

    class Silent(StripeProvider):
        """Tells of payments by webhook only."""

        @property
        def capabilities(self) -> Capabilities:
            return {
                **super().capabilities,
                Feature.PAYMENTS_OF_LINK: Capability(Support.UNSUPPORTED, "webhooks"),
            }

    silent = Silent("sk_test_world", webhook_secrets=[world.secret], base_url=world.sandbox.stripe_url)
    with world.shop("silent", providers=[silent]) as pay:
        link = pay.create_link(world.order("SILENT"))

        assert pay.cancel(link).status is LinkStatus.CANCELLED
        assert world.paid(pay, link.url, although_closed=True).flags == {PaymentFlag.LATE}


# Expiring


def test_the_next_pass_closes_what_has_expired(world: World) -> None:
    """At a provider without an expiry of its own, our pass is the expiry; the host is told."""
    clock = Clock()
    with world.shop("expire", clock=clock) as pay:
        told = noted(pay, LinkExpired)
        link = pay.create_link(world.order("EXPIRE"), expires_in=WEEK)
        later = pay.create_link(world.order("EXPIRE-LATER"), expires_in=2 * WEEK)
        assert pay.run_due().expired == 0
        clock.move(days=8)
        done = pay.run_due()

        assert (done.expired, done.failed) == (1, ())
        assert stands(pay, link).status is LinkStatus.EXPIRED
        assert stands(pay, later).payable
        assert [one["active"] for one in world.links("EXPIRE")] == [False]
        assert [event.id for event in told] == [f"{link.id}.expired.0"]
        assert pay.run_due().expired == 0


def test_what_was_paid_before_it_expired_stays_paid(world: World) -> None:
    """The payment was not told yet when the pass came."""
    clock = Clock()
    with world.shop("expire-paid", clock=clock) as pay:
        link = pay.create_link(world.order("EXPIRE-PAID"), expires_in=WEEK)
        _ = world.sandbox.control.pay(link.url)
        clock.move(days=8)
        _ = pay.run_due()

        assert stands(pay, link).status is LinkStatus.PAID
        assert [payment.flags for payment in pay.payments()] == [frozenset()]


def test_a_link_does_not_expire_while_money_is_under_way(world: World) -> None:
    """A delayed payment began before the end; it may still come. If it fails, nothing is left that looks payable."""
    clock = Clock()
    with world.shop("expire-processing", clock=clock) as pay:
        for end in (True, False):
            link = pay.create_link(world.order(f"EXPIRE-PROCESSING-{end}"), expires_in=WEEK)
            # Begun, and nobody has told us, so the pass finds it while it closes the link.
            _ = world.sandbox.control.pay(link.url, how="delayed")
        clock.move(days=8)
        _ = pay.run_due()
        assert {link.status for link in pay.links()} == {LinkStatus.PROCESSING}
        _ = world.told(0)
        for end in (True, False):
            link = stands(pay, pay.create_link(world.order(f"EXPIRE-PROCESSING-{end}"), expires_in=WEEK))
            since = len(world.receiver.calls)
            _ = world.sandbox.control.settle(link.url, succeeded=end)
            for call in world.told(since):
                signed = world.signed(call.body, at=clock())
                assert pay.receive("stripe", headers=signed.headers, body=signed.body).status == 200

            over = stands(pay, link)
            assert over.status is (LinkStatus.PAID if end else LinkStatus.EXPIRED)
            assert not over.payable
            assert end or pay.renew(over).payable
        assert list(pay.exceptions()) == []


def test_a_part_paid_invoice_expires_and_keeps_what_was_paid(world: World) -> None:
    """The money stays counted, and renewal asks for the rest."""
    clock = Clock()
    with world.shop("expire-part", clock=clock) as pay:
        order = world.order("EXPIRE-PART")
        kind = InvoiceBound(Invoice(number="F1", open_amount=order.amount))
        link = pay.create_link(order, kind=kind, expires_in=WEEK)
        part = world.session(link.url, "EXPIRE-PART", amount_total=1990)
        call = world.event("checkout.session.completed", part)
        assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
        assert stands(pay, link).status is LinkStatus.PART_PAID
        clock.move(days=8)
        _ = pay.run_due()
        expired = stands(pay, link)

        assert (expired.status, expired.paid_amount) == (LinkStatus.EXPIRED, Money.of("19.90", "EUR"))
        assert pay.renew(link).open_amount == Money.of("30.00", "EUR")


# Refreshing


def test_refreshing_finds_a_payment_whose_webhook_was_dropped(world: World) -> None:
    """What a lost webhook hid is read from the provider, with its refunds, and booked once."""
    with world.shop("refresh") as pay:
        link = pay.create_link(world.order("REFRESH"))
        _ = world.sandbox.control.fault("drop", times=None)
        attempt = world.sandbox.control.pay(link.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent, amount="1000")
        refreshed = pay.refresh(link)
        again = pay.refresh(link)

        (payment,) = pay.payments(link=link)
        assert refreshed.status is LinkStatus.PAID
        assert again == refreshed
        assert payment.refunded == Money.of("10.00", "EUR")
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 3990, "471": -3990}


def test_refreshing_sees_a_link_that_was_closed_by_hand(world: World) -> None:
    """Closed in the dashboard and not paid: cancelled here too, and the host is told."""
    with world.shop("by-hand") as pay:
        told = noted(pay, LinkCancelled)
        for reference, kind in (("BY-HAND", "single_use"), ("BY-HAND-REUSABLE", "reusable")):
            link = pay.create_link(world.order(reference), kind=kind)
            if kind == "reusable":
                _ = world.paid(pay, link.url)
            closed_by_hand(world, link)
            assert pay.refresh(link).status is LinkStatus.CANCELLED
        _ = pay.run_due()

        assert len(told) == 2


def test_refreshing_an_open_or_pending_link_changes_nothing(world: World) -> None:
    """It can still be paid; or nobody knows yet what there is to ask for."""
    with world.shop("refresh-open", patience=IMPATIENT) as pay:
        link = pay.create_link(world.order("REFRESH-OPEN"))
        _ = world.sandbox.control.fault("reset_before", LINKS)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(world.order("REFRESH-PENDING"))
        assert caught.value.link is not None

        assert pay.refresh(link) == link
        assert pay.refresh(caught.value.link).status is LinkStatus.PENDING


def test_refreshing_a_link_that_somebody_else_is_closing_waits_for_what_he_writes(world: World) -> None:
    """The second one reads again."""
    store = world.database("refresh-race")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("REFRESH-RACE"))
        closed_by_hand(world, link)
        _ = meanwhile(pay, "update_provider_link", lambda: other.cancel(link))

        assert pay.refresh(link).status is LinkStatus.CANCELLED


def used_up(world: World, pay: PayByLink, reference: str) -> PaymentLink:
    """A link whose delayed payment failed, of which the shop hears; its provider cannot be reached meanwhile."""
    link = pay.create_link(world.order(reference))
    _ = world.paid(pay, link.url, how="delayed")
    since = len(world.receiver.calls)
    _ = world.sandbox.control.settle(link.url, succeeded=False)
    _ = world.sandbox.control.fault("status", "/stripe/v1/payment_links", status=503, times=3)
    _ = world.hear(pay, since)
    world.sandbox.control.clear_faults()
    return stands(pay, link)


def test_a_link_used_up_by_a_payment_that_failed_is_opened_again(world: World) -> None:
    """The provider counts a delayed payment when it begins, so its link is dead although no money came."""
    with world.shop("used-up") as pay:
        link = used_up(world, pay, "USED-UP")
        assert (link.status, link.payable) == (LinkStatus.PENDING, False)
        assert pay.run_due().completed == 1

        reopened = stands(pay, link)
        assert (reopened.status, reopened.url) == (LinkStatus.OPEN, link.url)
        assert world.paid(pay, reopened.url).flags == frozenset()
        assert stands(pay, link).status is LinkStatus.PAID


def test_a_link_that_is_used_up_can_be_cancelled(world: World) -> None:
    """It is not opened again then, and nobody can pay there."""
    with world.shop("used-up-cancelled") as pay:
        link = used_up(world, pay, "USED-UP-CANCELLED")
        assert pay.cancel(link).status is LinkStatus.CANCELLED
        assert pay.run_due().completed == 0

        assert [one["active"] for one in world.links("USED-UP-CANCELLED")] == [False]


def test_a_used_up_link_that_is_gone_gets_another_one_in_its_place(world: World) -> None:
    """The provider says for certain that it cannot be opened again; the customer can pay all the same."""
    with world.shop("used-up-gone") as pay:
        link = used_up(world, pay, "USED-UP-GONE")
        refusal = '{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'
        _ = world.sandbox.control.fault("status", "/stripe/v1/payment_links/", status=404, text=refusal)
        assert pay.run_due().failed == ()

        replaced = stands(pay, link)
        assert (replaced.status, replaced.payable) == (LinkStatus.OPEN, True)
        assert len(world.links("USED-UP-GONE")) == 2


def test_a_used_up_link_that_was_paid_after_all_stays_closed(world: World) -> None:
    """Money came by it meanwhile; it is not opened for another payer."""
    with world.shop("used-up-paid") as pay:
        link = used_up(world, pay, "USED-UP-PAID")
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url, although_closed=True)
        _ = world.sandbox.control.fault("status", "/stripe/v1/payment_links", status=503, times=3)
        _ = world.hear(pay, since)
        world.sandbox.control.clear_faults()
        assert stands(pay, link).status is LinkStatus.PAID
        assert pay.create_link(world.order("USED-UP-PAID")).status is LinkStatus.PAID

        assert [one["active"] for one in world.links("USED-UP-PAID")] == [False]
        # Whether it had been opened was never said for certain, so it is closed once more.
        assert [pay.run_due().completed for _ in range(2)] == [1, 0]
        assert [one["active"] for one in world.links("USED-UP-PAID")] == [False]


def test_a_provider_that_does_not_call_it_open_is_not_believed(world: World) -> None:
    """The request was taken, and the link still cannot be paid: that is asked for again."""

    class Deaf(StripeProvider):
        """Answers that it is closed, whatever was asked."""

        def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
            return (yield from self.fetch_link(vendor_id))

    with world.shop("used-up-deaf") as pay:
        link = used_up(world, pay, "USED-UP-DEAF")
    deaf = Deaf("sk_test_world", webhook_secrets=[world.secret], base_url=world.sandbox.stripe_url)
    with world.pay_by_link(f"sqlite:///{world.folder / 'used-up-deaf.db'}", providers=[deaf]) as pay:
        assert pay.run_due().failed == ("outcome_unknown",)

        assert stands(pay, link).status is LinkStatus.PENDING


def test_a_lost_answer_to_opening_again_is_asked_for(world: World) -> None:
    """Done twice it is done once."""
    with world.shop("used-up-lost") as pay:
        _ = used_up(world, pay, "USED-UP-LOST")
        _ = world.sandbox.control.fault("reset_after", "/stripe/v1/payment_links", method="POST", times=3)
        assert pay.run_due().failed == ("outcome_unknown",)
        world.sandbox.control.clear_faults()

        assert pay.create_link(world.order("USED-UP-LOST")).status is LinkStatus.OPEN
        (one,) = world.links("USED-UP-LOST")
        assert one["restrictions"]["completed_sessions"] == {"count": 1, "limit": 2}


def test_a_reusable_link_that_is_full_is_paid_and_not_cancelled(world: World) -> None:
    """Its provider closes it after the last payment; that is no change by hand."""
    with world.shop("full") as pay:
        link = pay.create_link(world.order("FULL"), kind=Reusable(max_payments=2))
        _ = world.paid(pay, link.url)
        _ = world.paid(pay, link.url)

        assert pay.refresh(link).status is LinkStatus.PAID
        assert [one["active"] for one in world.links("FULL")] == [False]
