"""However much cannot be done, it never keeps a pass from what can."""

from __future__ import annotations

import datetime as dt

import pytest
from attrs import evolve

from paybylink import LinkStatus, OutcomeUnknown, PayByLink
from paybylink.messages import Outcome

from .world import QUICK, Clock, World

WEEK = dt.timedelta(days=7)
LINKS = "/stripe/v1/payment_links"
REFUNDS = "/stripe/v1/refunds"
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


@pytest.fixture(autouse=True)
def small_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass takes on two pieces of a sort."""
    monkeypatch.setattr("paybylink.workflows.due.PIECES", 2)


def mail_deferred(world: World, pay: PayByLink, reference: str) -> str:
    """A link whose mail was clearly not taken; its address at the provider."""
    link = pay.create_link(world.order(reference))
    _ = world.sandbox.control.fault("mail_refuse_rcpt", status=451)
    assert pay.send(link, via="email").outcome is Outcome.DEFERRED
    return link.url


def test_mails_of_links_that_were_paid_do_not_keep_others_waiting(world: World) -> None:
    """Deferred, then paid by another way: they are not sent any more, and are not looked at in each pass either."""
    clock = Clock()
    with world.shop("starve-mail", clock=clock) as pay:
        for number in range(3):
            _ = world.paid(pay, mail_deferred(world, pay, f"STARVE-PAID-{number}"))
        _ = mail_deferred(world, pay, "STARVE-OPEN")
        clock.move(minutes=6)
        done = pay.run_due()

        assert done.delivered == 1
        assert world.mails("STARVE-OPEN") == 1
        assert [world.mails(f"STARVE-PAID-{number}") for number in range(3)] == [0, 0, 0]


def test_links_of_a_provider_that_is_gone_do_not_keep_others_from_expiring(world: World) -> None:
    """The shop has moved to another account; the old one's links fail in each pass."""
    clock = Clock()
    store = world.database("starve-links")
    with world.pay_by_link(store, clock=clock, providers=[world.provider(name="old")]) as pay:
        for number in range(3):
            _ = pay.create_link(world.order(f"STARVE-OLD-{number}"), expires_in=WEEK)
    with world.pay_by_link(store, clock=clock) as pay:
        link = pay.create_link(world.order("STARVE-NEW"), expires_in=WEEK)
        clock.move(days=8)
        for _ in range(3):
            _ = pay.run_due()

        expired = pay.link("STARVE-NEW")
        assert expired is not None
        assert (expired.id, expired.status) == (link.id, LinkStatus.EXPIRED)


def test_links_that_cannot_be_made_do_not_keep_others_waiting(world: World) -> None:
    """Nor do those whose making is unknown at a provider that is gone."""
    store = world.database("starve-made")

    def lost(pay: PayByLink, reference: str) -> None:
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order(reference))

    old = [world.provider(name="old")]
    with world.pay_by_link(store, providers=old, patience=IMPATIENT) as pay:
        for number in range(3):
            lost(pay, f"STARVE-LOST-{number}")
    with world.pay_by_link(store, patience=IMPATIENT) as pay:
        lost(pay, "STARVE-LOST")
        for _ in range(3):
            _ = pay.run_due()

        made = pay.link("STARVE-LOST")
        assert made is not None
        assert made.payable


def test_refunds_that_cannot_be_finished_do_not_keep_others_waiting(world: World) -> None:
    """The same for money that goes back."""
    store = world.database("starve-refund")

    def lost(pay: PayByLink, reference: str) -> None:
        payment = world.paid(pay, pay.create_link(world.order(reference)).url)
        _ = world.sandbox.control.fault("reset_before", REFUNDS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.refund(payment)

    with world.pay_by_link(store, patience=IMPATIENT) as pay:
        lost(pay, "STARVE-BACK")
        for number in range(3):
            lost(pay, f"STARVE-BACK-{number}")
    _ = world.sandbox.control.fault("status", REFUNDS, status=503, times=3)
    with world.pay_by_link(store, patience=IMPATIENT) as pay:
        for _ in range(4):
            _ = pay.run_due()

        assert [len(world.refunds(f"STARVE-BACK-{number}")) for number in range(3)] == [1, 1, 1]
