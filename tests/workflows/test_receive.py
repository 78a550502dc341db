"""`receive`: a webhook is believed only if it was signed, is stored before it is answered, and acts once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

import pytest
from attrs import evolve

from paybylink import LinkStatus, Mode, NotFound, PayByLink, WebhookRejected
from paybylink.accounting.reports import is_balanced
from paybylink.errors import Conflict
from paybylink.events import Event, LinkPaid, PaymentReceived, RefundSettled
from paybylink.money import Money
from paybylink.providers.base import ProviderEvent
from paybylink.providers.stripe import StripeProvider
from paybylink.workflows.receive import WebhookReply

from .receiver import Call
from .world import QUICK, Clock, World, meanwhile


def hear(pay: PayByLink, call: Call) -> WebhookReply:
    """What is answered to one call."""
    return pay.receive("stripe", headers=call.headers, body=call.body)


def inbox(world: World, name: str) -> list[tuple[str, str, bool]]:
    """Kind, state, and whether a body was kept, of everything in the inbox."""
    with sqlite3.connect(f"{world.folder}/{name}.db") as database:
        rows = database.execute(
            "SELECT kind, state, length(body) > 0 FROM paybylink_inbox ORDER BY received_at"
        )
        return [(kind, state, bool(kept)) for kind, state, kept in rows]


def of_kind(calls: Sequence[Call], kind: str) -> Call:
    """The call that tells of a kind of event."""
    (found,) = [call for call in calls if json.loads(call.body)["type"] == kind]
    return found


# Whether it is believed


@pytest.mark.parametrize("how", ["forged", "changed", "stale", "early", "unsigned", "cut"])
def test_what_was_not_signed_like_this_and_lately_is_refused_and_not_stored(world: World, how: str) -> None:
    """400, so that the provider does not take it for delivered; nothing is written."""
    clock = Clock()
    with world.shop(f"refused-{how}", clock=clock) as pay:
        link = pay.create_link(world.order(f"REFUSED-{how}"))
        call = world.event("checkout.session.completed", world.session(link.url, link.order.reference))
        if how == "forged":
            call = Call({"stripe-signature": call.headers["stripe-signature"][:-4] + "0000"}, call.body)
        elif how == "changed":
            call = Call(call.headers, call.body.replace(b"4990", b"9990"))
        elif how == "cut":
            call = Call(call.headers, call.body[:-1])
        elif how == "unsigned":
            call = Call({}, call.body)
        else:
            clock.move(minutes=10 if how == "stale" else -10)
        reply = hear(pay, call)

        assert (reply.status, reply.events) == (400, ())
        assert reply.reason
        assert inbox(world, f"refused-{how}") == []
        assert list(pay.payments()) == []
        with pytest.raises(WebhookRejected):
            _ = pay.verify("stripe", headers=call.headers, body=call.body)


def test_a_signed_body_that_cannot_be_read_is_refused(world: World) -> None:
    """Genuine and no event: nothing that could be kept under an id."""
    with world.shop("unreadable") as pay:
        assert hear(pay, world.signed(b"[]")).status == 400


def test_without_a_secret_nothing_is_believed_and_the_provider_tries_again(world: World) -> None:
    """503: it is our own setting that is missing, and the event must not be lost."""
    bare = StripeProvider("sk_test_world", base_url=world.sandbox.stripe_url)
    with world.shop("no-secret", providers=[bare]) as pay:
        assert hear(pay, world.signed(b"{}")).status == 503


def test_an_unknown_provider_is_not_found(world: World) -> None:
    """The name in the path is nobody's; a web framework answers 404."""
    with (
        world.shop("nobody") as pay,
        pytest.raises(NotFound, match="no provider has that name; known: stripe"),
    ):
        _ = pay.receive("nobody", headers={}, body=b"")


# How often it acts


def test_an_event_told_twice_acts_once(world: World) -> None:
    """Also under another id, as a provider does that has lost its own memory."""
    with world.shop("twice") as pay:
        link = pay.create_link(world.order("TWICE"))
        _ = world.sandbox.control.fault("duplicate", "checkout.session.*", copies=2)
        _ = world.sandbox.control.fault("duplicate", "checkout.session.*", new_id=True)
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url)
        events = world.hear(pay, since)
        events += world.hear(pay, since)
        anew = world.event(
            "checkout.session.completed",
            json.loads(of_kind_first(world.receiver.calls[since:], "checkout.session.completed").body)[
                "data"
            ]["object"],
        )
        events += hear(pay, anew).events

        assert [type(event) for event in events] == [LinkPaid]
        assert len(list(pay.payments())) == 1
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 4990, "471": -4990}


def of_kind_first(calls: Sequence[Call], kind: str) -> Call:
    """The first call that tells of a kind of event."""
    return next(call for call in calls if json.loads(call.body)["type"] == kind)


def test_two_processes_that_hear_the_same_event_act_once(world: World) -> None:
    """The second one finds it in the inbox, and answers 200 without a word."""
    store = world.database("both")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("BOTH"))
        call = world.event("checkout.session.completed", world.session(link.url, "BOTH"))
        told: list[tuple[Event, ...]] = []
        _ = meanwhile(pay, "receive_event", lambda: told.append(hear(other, call).events))
        reply = hear(pay, call)

        assert (reply.status, reply.events) == (200, ())
        assert [len(events) for events in told] == [1]
        assert len(list(pay.payments())) == 1


@pytest.mark.parametrize("statement", ["receive_event", "insert_payment"])
def test_a_store_where_somebody_else_is_always_first_ends_in_a_conflict(world: World, statement: str) -> None:
    """An error, so that the provider tells it again; by webhook or when it is asked."""

    def somebody_is_first() -> None:
        raise Conflict(statement)

    with world.shop(f"contested-{statement}") as pay:
        link = pay.create_link(world.order(f"CONTESTED-{statement}"))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url)
        paid = of_kind(world.told(since), "checkout.session.completed")
        _ = meanwhile(pay, statement, somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = hear(pay, paid)
        if statement == "insert_payment":
            with pytest.raises(Conflict):
                _ = pay.refresh(link)

    with world.pay_by_link(f"sqlite:///{world.folder}/contested-{statement}.db") as pay:
        assert [type(event) for event in hear(pay, paid).events] == [LinkPaid]


def test_a_payment_found_by_asking_and_by_webhook_at_once_is_one(world: World) -> None:
    """The one who was second plans anew, and finds it done."""
    store = world.database("asked")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("ASKED"))
        _ = meanwhile(pay, "insert_payment", lambda: world.hear(other, since))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url)

        assert pay.refresh(link).status is LinkStatus.PAID
        assert len(list(pay.payments())) == 1


# What does not concern us, or not yet


def test_foreign_events_are_counted_and_not_kept(world: World) -> None:
    """The account serves others as well: answered 2xx, and only id and kind stay."""
    with world.shop("foreign") as pay:
        session = {"id": "cs_1", "livemode": False, "metadata": {}, "payment_status": "paid"}
        for kind, thing in (("checkout.session.completed", session), ("charge.succeeded", {"id": "ch_1"})):
            reply = hear(pay, world.event(kind, thing))
            assert (reply.status, reply.events) == (200, ())

        assert inbox(world, "foreign") == [
            ("checkout.session.completed", "foreign", False),
            ("charge.succeeded", "foreign", False),
        ]
        assert list(pay.payments()) == []


def test_events_of_an_unknown_kind_are_parked(world: World) -> None:
    """A later version may understand them; the body is kept."""
    with world.shop("unknown") as pay:
        assert hear(pay, world.event("something.new", {"id": "x"})).status == 200
        assert inbox(world, "unknown") == [("something.new", "parked", True)]


def test_events_of_the_other_mode_are_parked(world: World) -> None:
    """Real money told to a test account is not booked as play money, nor the other way round."""
    with world.shop("mode") as pay:
        link = pay.create_link(world.order("MODE"))
        session = world.session(link.url, "MODE", livemode=True)
        assert hear(pay, world.event("checkout.session.completed", session, live=True)).status == 200

        assert inbox(world, "mode") == [("checkout.session.completed", "parked", True)]
        assert list(pay.payments()) == []
        assert pay.link("MODE") == link


def test_a_change_of_a_link_is_heard_and_changes_nothing(world: World) -> None:
    """Money and our own closing tell the same; `refresh` sees what was changed by hand."""
    with world.shop("link-news") as pay:
        link = pay.create_link(world.order("LINK-NEWS"))
        (made,) = world.links("LINK-NEWS")
        reply = hear(pay, world.event("payment_link.updated", {**made, "active": False}))

        assert (reply.status, reply.events) == (200, ())
        assert pay.link("LINK-NEWS") == link


# Out of order


def test_a_refund_told_before_its_payment_waits_for_it(world: World) -> None:
    """The next pass takes it up; the books balance at every moment."""
    with world.shop("reordered") as pay:
        told: list[Event] = []
        _ = pay.on(RefundSettled)(told.append)
        link = pay.create_link(world.order("REORDERED"))
        since = len(world.receiver.calls)
        attempt = world.sandbox.control.pay(link.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent, amount="1000")
        calls = world.told(since)
        for call in reversed(calls):
            assert hear(pay, call).status == 200
            assert is_balanced(pay.balance())
        assert told == []
        done = pay.run_due()

        (payment,) = pay.payments()
        assert (done.told, done.failed) == (2, ())
        assert payment.refunded == Money.of("10.00", "EUR")
        assert len(told) == len(pay.refunds(payment)) == 1
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 3990, "471": -3990}
        assert "waiting" not in {state for _, state, _ in inbox(world, "reordered")}
        assert pay.run_due().told == 0


def test_a_refund_whose_payment_was_never_told_finds_it(world: World) -> None:
    """The payment's webhook was lost, and the provider is asked; money is never lost."""
    with world.shop("lost-payment") as pay:
        link = pay.create_link(world.order("LOST-PAYMENT"))
        attempt = world.sandbox.control.pay(link.url)
        _ = world.told(0)
        since = len(world.receiver.calls)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent, amount="1000")
        _ = world.hear(pay, since)
        assert list(pay.payments()) == []
        done = pay.run_due()

        (payment,) = pay.payments(link=link)
        assert done.failed == ()
        assert payment.refunded == Money.of("10.00", "EUR")
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 3990, "471": -3990}


def test_a_refund_of_somebody_elses_payment_does_not_wait_for_ever(world: World) -> None:
    """The account serves others as well; their payment carries no mark of ours, and nothing of it is recorded."""
    with world.shop("foreign-refund") as pay:
        price = {"currency": "eur", "unit_amount": "2000", "product_data": {"name": "Cup"}}
        made = world.by_hand(
            "payment_links",
            **{
                "line_items[0][quantity]": "1",
                "line_items[0][price_data][currency]": str(price["currency"]),
                "line_items[0][price_data][unit_amount]": str(price["unit_amount"]),
                "line_items[0][price_data][product_data][name]": "Cup",
            },
        )
        since = len(world.receiver.calls)
        attempt = world.sandbox.control.pay(made["url"])
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent)
        _ = world.hear(pay, since)
        assert "waiting" in {state for _, state, _ in inbox(world, "foreign-refund")}
        _ = pay.run_due()

        assert {(state, kept) for _, state, kept in inbox(world, "foreign-refund")} == {("foreign", False)}
        assert list(pay.payments()) == []
        assert pay.balance() == ()


@pytest.mark.parametrize(
    ("status", "state"),
    [pytest.param(503, "waiting", id="away"), pytest.param(404, "parked", id="never-heard-of-it")],
)
def test_a_waiting_refund_whose_payment_cannot_be_asked_for(world: World, status: int, state: str) -> None:
    """While the provider is away it waits for the next pass; where there is no such payment, for a person."""
    with world.shop(f"wait-{status}", patience=evolve(QUICK, attempts=1)) as pay:
        _ = world.sandbox.control.fault("status", "/stripe/v1/payment_intents", status=status)
        refund = {
            "id": "re_away",
            "amount": 100,
            "created": 1_700_000_000,
            "currency": "eur",
            "payment_intent": "pi_away",
            "status": "succeeded",
        }
        assert hear(pay, world.event("refund.created", refund)).status == 200
        done = pay.run_due()

        assert len(done.failed) == (state == "waiting")
        assert inbox(world, f"wait-{status}") == [("refund.created", state, True)]


def test_two_passes_take_up_a_waiting_event_once(world: World) -> None:
    """The one who was second leaves it."""
    store = world.database("wait-two")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("WAIT-TWO"))
        since = len(world.receiver.calls)
        attempt = world.sandbox.control.pay(link.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent)
        for call in reversed(world.told(since)):
            _ = hear(pay, call)
        _ = meanwhile(pay, "settle_event", lambda: other.run_due())
        assert pay.run_due().failed == ()

        (payment,) = pay.payments()
        assert len(pay.refunds(payment)) == 1
        assert payment.refundable.minor == 0


def test_of_a_body_with_several_events_only_the_waiting_one_is_taken_up(world: World) -> None:
    """Some providers tell many things in one call; each has a row of its own in the inbox."""

    class Batching(StripeProvider):
        """Reads one event more in each body, and later fewer."""

        def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
            (event,) = super().read(body, query=query)
            beside = evolve(event, event_id=f"{event.event_id}.beside", kind="beside")
            return (beside, event) if together else ()

    together = True
    batching = Batching("sk_test_world", webhook_secrets=[world.secret], base_url=world.sandbox.stripe_url)
    with world.shop("batch", providers=[batching]) as pay:
        link = pay.create_link(world.order("BATCH"))
        since = len(world.receiver.calls)
        attempt = world.sandbox.control.pay(link.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent)
        refund = of_kind(world.told(since), "refund.created")
        assert hear(pay, refund).status == 200
        together = False
        assert pay.run_due().failed == ()
        assert [state for _, state, _ in inbox(world, "batch")] == ["waiting", "waiting"]
        together = True
        assert pay.run_due().failed == ()

        assert [state for _, state, _ in inbox(world, "batch")] == ["processed", "processed"]
        (payment,) = pay.payments()
        assert len(pay.refunds(payment)) == 1


def test_a_waiting_event_whose_payment_cannot_be_recorded_goes_on_waiting(world: World) -> None:
    """The provider shows the payment in the other mode, so it is not taken for ours."""

    class Mixed(StripeProvider):
        """Shows payments as live ones."""

        def fetch_payment(self, vendor_id: str):  # type: ignore[no-untyped-def]
            found = yield from super().fetch_payment(vendor_id)
            return evolve(found, mode=Mode.LIVE)

    mixed = Mixed("sk_test_world", webhook_secrets=[world.secret], base_url=world.sandbox.stripe_url)
    with world.shop("mixed", providers=[mixed]) as pay:
        link = pay.create_link(world.order("MIXED"))
        since = len(world.receiver.calls)
        attempt = world.sandbox.control.pay(link.url)
        _ = world.by_hand("refunds", payment_intent=attempt.payment_intent)
        assert hear(pay, of_kind(world.told(since), "refund.created")).status == 200
        _ = pay.run_due()

        assert inbox(world, "mixed") == [("refund.created", "waiting", True)]


def test_a_late_open_never_undoes_paid(world: World) -> None:
    """A delayed payment's beginning is told after its end."""
    with world.shop("late-open") as pay:
        told: list[Event] = []
        _ = pay.on(LinkPaid, PaymentReceived)(told.append)
        link = pay.create_link(world.order("LATE-OPEN"))
        since = len(world.receiver.calls)
        _ = world.sandbox.control.pay(link.url, how="delayed")
        _ = world.sandbox.control.settle(link.url)
        for call in reversed(world.told(since)):
            assert hear(pay, call).status == 200

        stands = pay.link("LATE-OPEN")
        assert stands is not None
        assert stands.status is LinkStatus.PAID
        assert len(told) == 1
