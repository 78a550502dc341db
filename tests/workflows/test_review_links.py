"""Never two links that can be paid, never one of the other mode, never more payments than were asked for."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from paybylink import LinkClosed, LinkStatus, Money, Order, OutcomeUnknown, PayByLink, Reusable
from paybylink.errors import Conflict, PaybylinkError
from paybylink.messages import Outcome
from paybylink.providers.stripe import StripeProvider

from .world import QUICK, Clock, World, meanwhile

LINKS = "/stripe/v1/payment_links"
WEEK = dt.timedelta(days=7)
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def active(world: World, reference: str) -> list[bool]:
    """Which links of an order can be paid at the provider, oldest first."""
    return [link["active"] for link in world.links(reference)]


@pytest.mark.parametrize(
    ("act", "at"),
    [
        pytest.param("cancel", "batch link", id="cancel"),
        # Once the old one is closed, and before the link is read again.
        pytest.param("replace", "batch update_provider_link+update_link", id="replace"),
    ],
)
def test_a_link_that_is_being_renewed_is_not_ended_blindly(world: World, act: str, at: str) -> None:
    """The renewal's answer is not known when another one ends the link: nothing payable is left behind it."""
    reference = f"RENEWED-{act}"
    store = world.database(reference)
    clock = Clock()
    with (
        world.pay_by_link(store, patience=IMPATIENT, clock=clock) as pay,
        world.pay_by_link(store, patience=IMPATIENT, clock=clock) as other,
    ):
        order = world.order(reference)
        link = pay.create_link(order)
        if act == "cancel":
            clock.move(days=31)
            _ = pay.run_due()

        def somebody_renews() -> None:
            _ = world.sandbox.control.fault("reset_after", "stripe.payment_links.create")
            with pytest.raises(OutcomeUnknown):
                _ = other.renew(link, expires_in=WEEK)

        doors = meanwhile(pay, at, somebody_renews, after=True)
        try:
            if act == "cancel":
                _ = pay.cancel(link)
            else:
                _ = pay.create_link(evolve(order, description="Other"), replace=True)
        except (Conflict, OutcomeUnknown):
            pass
        assert doors.times == 0
        _ = pay.run_due()
        if act == "cancel":
            assert pay.cancel(link).status is LinkStatus.CANCELLED
        else:
            assert pay.create_link(evolve(order, description="Other"), replace=True).payable

        assert active(world, reference).count(True) == (act == "replace")


def test_a_test_link_is_never_made_with_a_live_key(world: World) -> None:
    """The merchant has gone live on the same database: what was asked for with the test key asks nobody for money."""
    store = world.database("gone-live")
    with world.pay_by_link(store, patience=IMPATIENT) as pay:
        _ = world.sandbox.control.fault("reset_before", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order("GONE-LIVE"))
        expired = pay.create_link(world.order("GONE-LIVE-EXPIRED"))
    with sqlite3.connect(store.removeprefix("sqlite:///")) as database:
        _ = database.execute("UPDATE paybylink_links SET status = 'expired' WHERE id = ?", (expired.id,))
        _ = database.execute("UPDATE paybylink_provider_links SET status = 'closed' WHERE status = 'open'")
    live = StripeProvider("sk_live_" + "0" * 24)
    with world.pay_by_link(store, providers=[live]) as pay:
        asked = meanwhile(pay, "POST", lambda: pytest.fail("a live key was used"))
        assert pay.run_due().failed == ("invalid_input",)
        with pytest.raises(PaybylinkError, match="test"):
            _ = pay.renew(expired)

        assert not [name for name in asked.seen if name.startswith(("POST", "GET"))]


def test_a_renewed_link_takes_only_as_many_payments_as_are_left(world: World) -> None:
    """Three places, one of them taken: the new link behind it is for two."""
    with world.shop("places") as pay:
        link = pay.create_link(world.order("PLACES"), kind=Reusable(max_payments=3))
        _ = world.paid(pay, link.url)
        renewed = pay.renew(link)
        limits = [one["restrictions"]["completed_sessions"]["limit"] for one in world.links("PLACES")]
        for _ in range(2):
            _ = world.paid(pay, renewed.url)

        assert limits == [3, 2]
        full = pay.link("PLACES")
        assert full is not None
        assert (full.status, full.payments) == (LinkStatus.PAID, 3)


def test_a_refused_link_that_is_asked_for_on_a_lent_connection_is_made_by_the_next_pass(world: World) -> None:
    """What was reserved is never forgotten, also where the row was there already."""
    store = world.database("lent-again")
    with world.pay_by_link(store) as pay:
        _ = world.sandbox.control.fault("status", LINKS, status=402)
        with pytest.raises(PaybylinkError):
            _ = pay.create_link(world.order("LENT-AGAIN"))
        with sqlite3.connect(store.removeprefix("sqlite:///")) as connection:
            pending = pay.using(connection).create_link(world.order("LENT-AGAIN"))
        assert pending.status is LinkStatus.PENDING
        assert pay.run_due().failed == ()

        made = pay.link("LENT-AGAIN")
        assert made is not None
        assert made.payable


def test_a_link_that_has_ended_is_not_sent_on_a_lent_connection(world: World) -> None:
    """Only one that waits for the commit may be sent before it can be paid."""
    store = world.database("lent-ended")
    with world.pay_by_link(store, public_url="http://127.0.0.1:9") as pay:
        link = pay.cancel(pay.create_link(world.order("LENT-ENDED")))
        with sqlite3.connect(store.removeprefix("sqlite:///")) as connection:
            lent = pay.using(connection)
            with pytest.raises(LinkClosed):
                _ = lent.send(link, via="email")
            waiting = lent.create_link(world.order("LENT-WAITING"))
            assert lent.send(waiting, via="email").outcome is Outcome.PREPARED


def test_threads_that_use_one_object_for_the_first_time_share_its_store(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database in memory is one database, also when eight threads come at once."""
    from paybylink.store import vaults

    made: list[object] = []
    together = threading.Barrier(8)
    sync_vault = vaults.SyncVault

    def slowly(*given: str, **named: str) -> vaults.SyncVault:
        made.append(given)
        threading.Event().wait(0.05)
        return sync_vault(*given, **named)

    monkeypatch.setattr(vaults, "SyncVault", slowly)
    with PayByLink(store="sqlite://", providers=[world.provider()]) as pay, ThreadPoolExecutor(8) as pool:

        def create(number: int) -> str:
            _ = together.wait()
            return pay.create_link(Order(reference=f"SHARED-{number}", amount=Money.of("1.00", "EUR"))).id

        ids = set(pool.map(create, range(8)))

        assert {link.id for link in pay.links()} == ids
