"""`create_link` and `renew`: one payable link for each part of an order, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from paybylink import (
    AlreadyPaid,
    InvalidInput,
    Invoice,
    InvoiceBound,
    LinkClosed,
    LinkStatus,
    Money,
    NotFound,
    Order,
    OutcomeUnknown,
    PayByLink,
    PaymentLink,
    ProviderError,
    ReferenceConflict,
    Reusable,
    SingleUse,
)
from paybylink.errors import Conflict
from paybylink.identifiers import Identifiers
from paybylink.links import ProviderLinkStatus
from paybylink.providers.stripe import StripeProvider

from .world import QUICK, Clock, World, meanwhile

LINKS = "/stripe/v1/payment_links"
FAR = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
IMPATIENT = evolve(QUICK, attempts=1, reply_seconds=0.5)


def changed(order: Order, **fields: object) -> Order:
    """The order with other content."""
    known = {"reference": order.reference, "amount": order.amount, "description": order.description}
    return Order(**{**known, "customer": order.customer, **fields})  # type: ignore[arg-type]


def status_of(pay: PayByLink, link: PaymentLink) -> LinkStatus:
    """Where a link stands now, also one that is no longer the newest of its reference."""
    found = pay.link_by_token(link.token)
    assert found is not None
    return found.status


def active(world: World, reference: str) -> list[bool]:
    """Which links of an order can be paid at the provider, oldest first."""
    return [link["active"] for link in world.links(reference)]


# The same content


def test_the_same_content_returns_the_same_link(world: World) -> None:
    """A script that runs again gets the link of its first run, and asks the provider for nothing."""
    with world.shop("same") as pay:
        link = pay.create_link(world.order("SAME"))
        asked = len(world.requests("POST", LINKS))
        again = pay.create_link(world.order("SAME"))

        assert link.status is LinkStatus.OPEN
        assert link.payable
        assert again == link == pay.link("SAME")
        assert len(world.requests("POST", LINKS)) == asked
        assert active(world, "SAME") == [True]


def test_the_same_content_returns_a_paid_link(world: World) -> None:
    """Also after it was paid; nothing new is made."""
    with world.shop("same-paid") as pay:
        link = pay.create_link(world.order("SAME-PAID"))
        _ = world.paid(pay, link.url)
        again = pay.create_link(world.order("SAME-PAID"))

        assert (again.id, again.status) == (link.id, LinkStatus.PAID)
        assert len(world.links("SAME-PAID")) == 1


def test_the_same_content_returns_an_expired_or_cancelled_link(world: World) -> None:
    """Also in any other state, so that a script can run again; `send` and `share` are what refuses it."""
    clock = Clock()
    with world.shop("same-over", clock=clock) as pay:
        expired = pay.create_link(world.order("SAME-EXPIRED"), expires_in=WEEK)
        cancelled = pay.cancel(pay.create_link(world.order("SAME-CANCELLED")))
        clock.move(days=8)
        _ = pay.run_due()

        assert pay.create_link(world.order("SAME-EXPIRED"), expires_in=WEEK).status is LinkStatus.EXPIRED
        assert pay.create_link(world.order("SAME-CANCELLED")) == cancelled
        with pytest.raises(LinkClosed, match="renew"):
            _ = pay.share(pay.create_link(world.order("SAME-EXPIRED"), expires_in=WEEK))
        assert expired.expires_at is not None


def test_a_moment_that_has_passed_since_still_means_the_same_link(world: World) -> None:
    """A script with a fixed `expires_at` can run again after it; only a new link needs a future."""
    clock = Clock()
    end = clock() + WEEK
    with world.shop("same-moment", clock=clock) as pay:
        link = pay.create_link(world.order("SAME-MOMENT"), expires_at=end)
        clock.move(days=8)

        assert pay.create_link(world.order("SAME-MOMENT"), expires_at=end).id == link.id
        with pytest.raises(InvalidInput, match="expires_at: has passed"):
            _ = pay.create_link(world.order("SAME-MOMENT-NEW"), expires_at=end)
        assert pay.link("SAME-MOMENT-NEW") is None


def test_short_forms_make_the_same_link(world: World) -> None:
    """An amount beside reference and description is an order."""
    with world.shop("short") as pay:
        link = pay.create_link("49.90 EUR", reference="SHORT", description="Logo design")

        order = Order(reference="SHORT", amount=Money.of("49.90", "EUR"), description="Logo design")
        assert pay.create_link(order).id == link.id
        assert pay.create_link(Money.of("49.90", "EUR"), reference="SHORT", description="Logo design") == link


# Other content


def test_other_content_is_refused_and_the_difference_is_named(world: World) -> None:
    """Every field that differs, and the link that exists, so that the host can decide."""
    with world.shop("other") as pay:
        order = world.order("OTHER")
        link = pay.create_link(order)
        other = changed(order, amount=Money.of("50.00", "EUR"), description="Logo and card")
        with pytest.raises(ReferenceConflict, match="amount, description, kind") as caught:
            _ = pay.create_link(other, kind="reusable")

        assert {"amount", "description", "kind"} <= set(caught.value.differences)
        assert caught.value.link == link
        assert active(world, "OTHER") == [True]


def test_parts_of_a_reference_are_orders_of_their_own(world: World) -> None:
    """A deposit and a balance have a link each."""
    with world.shop("parts") as pay:
        deposit = pay.create_link(changed(world.order("PARTS"), part="deposit"))
        balance = pay.create_link(changed(world.order("PARTS"), part="balance"))

        assert pay.link("PARTS", part="deposit") == deposit
        assert pay.link("PARTS", part="balance") == balance
        assert pay.link("PARTS") is None
        assert active(world, "PARTS") == [True, True]


def test_a_provider_that_is_left_out_never_differs(world: World) -> None:
    """The one first chosen stays; naming it is the same, naming another is not."""
    providers = [world.provider(), world.provider(name="stripe-be")]
    with world.shop("providers", providers=providers) as pay:
        link = pay.create_link(world.order("DEFAULT"))
        named = pay.create_link(world.order("NAMED"), provider="stripe-be")

        assert (link.provider, named.provider) == ("stripe", "stripe-be")
        assert pay.create_link(world.order("DEFAULT"), provider="stripe") == link
        assert pay.create_link(world.order("NAMED")) == named
        with pytest.raises(ReferenceConflict) as caught:
            _ = pay.create_link(world.order("DEFAULT"), provider="stripe-be")
        assert caught.value.differences == ("provider",)
        with pytest.raises(NotFound, match="stripe-be"):
            _ = pay.create_link(world.order("NOBODY"), provider="stripe-nl")


def test_a_link_is_found_although_its_provider_is_no_longer_configured(world: World) -> None:
    """What is settled needs nobody to be asked."""
    store = world.database("gone")
    with world.pay_by_link(store) as pay:
        link = pay.create_link(world.order("GONE"))
    with world.pay_by_link(store, providers=[world.provider(name="stripe-new")]) as pay:
        assert pay.create_link(world.order("GONE")) == link


def test_a_test_link_is_not_handed_to_a_live_merchant(world: World) -> None:
    """Test and live never mix: the mode is content, and nothing is asked of anybody."""
    store = world.database("modes")
    with world.pay_by_link(store) as pay:
        _ = pay.create_link(world.order("MODES"))
    live = StripeProvider("sk_live_" + "0" * 24)
    with world.pay_by_link(store, providers=[live]) as pay, pytest.raises(ReferenceConflict) as caught:
        _ = pay.create_link(world.order("MODES"))

    assert caught.value.differences == ("mode",)


# Expiry


def test_an_expiry_is_compared_as_it_was_given(world: World) -> None:
    """The moment computed by the first call stays; another span, or none, is other content."""
    clock = Clock()
    with world.shop("expiry", clock=clock) as pay:
        link = pay.create_link(world.order("EXPIRY"), expires_in=WEEK)
        clock.move(days=1)

        assert pay.create_link(world.order("EXPIRY"), expires_in=WEEK).expires_at == link.expires_at
        for other in (None, 2 * WEEK):
            with pytest.raises(ReferenceConflict) as caught:
                _ = pay.create_link(world.order("EXPIRY"), expires_in=other)
            assert caught.value.differences == ("expires",)


def test_an_expiry_is_always_set(world: World) -> None:
    """30 days by default, a setting; an invoice's link lives 30 days past the due date, and never less than one."""
    clock = Clock()
    due = (clock() + dt.timedelta(days=10)).date()
    past = (clock() - dt.timedelta(days=90)).date()

    def life(pay: PayByLink, reference: str, due_on: dt.date | None = None) -> dt.timedelta:
        order = world.order(reference)
        kind = InvoiceBound(Invoice(number=reference, open_amount=order.amount, due_on=due_on))
        link = pay.create_link(order, kind=kind if due_on else SingleUse())
        assert link.expires_at is not None
        return link.expires_at - link.created_at

    with world.shop("default", clock=clock) as pay, world.shop("set", default_expiry=WEEK) as other:
        assert life(pay, "DEFAULT-30") == dt.timedelta(days=30)
        assert life(other, "DEFAULT-7") == WEEK
        assert dt.timedelta(days=39) < life(pay, "DUE", due) < dt.timedelta(days=41)
        assert life(pay, "OVERDUE", past) == dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"expires_in": dt.timedelta(0)}, "expires_in: is not more than zero", id="no-time"),
        pytest.param({"expires_in": dt.timedelta.max}, "expires_in: ends after", id="for-ever"),
        pytest.param({"expires_in": 7}, "expires_in: is int", id="a-number"),
        pytest.param({"expires_in": WEEK, "expires_at": FAR}, "one of them", id="both"),
        pytest.param(
            {"expires_at": FAR.replace(tzinfo=None)},
            "expires_at: has no time zone",
            id="naive",
        ),
        pytest.param(
            {"expires_at": dt.datetime(2001, 1, 1, tzinfo=dt.UTC)}, "expires_at: has passed", id="past"
        ),
    ],
)
def test_an_expiry_that_cannot_be_used_is_refused(
    world: World, given: dict[str, dt.datetime], told: str
) -> None:
    """Before anything is written or sent."""
    with world.shop(f"bad-{len(told)}") as pay:
        with pytest.raises(InvalidInput, match=told):
            _ = pay.create_link(world.order("BAD-EXPIRY"), **given)  # type: ignore[arg-type]

        assert pay.link("BAD-EXPIRY") is None


def test_an_order_of_another_tenant_is_refused(world: World) -> None:
    """One merchant's object never writes another's rows."""
    with world.shop("tenant", tenant="a") as pay, pytest.raises(InvalidInput, match="tenant"):
        _ = pay.create_link(changed(world.order("TENANT"), tenant="b"))


# Kinds


def test_kinds_of_links_are_what_they_say_at_the_provider(world: World) -> None:
    """One payment; any number; so many; one payment with the invoice's number on it."""
    with world.shop("kinds") as pay:
        order = world.order("KIND-INVOICE")
        invoice = Invoice(number="F2026-0042", open_amount=order.amount)
        _ = pay.create_link(world.order("KIND-SINGLE"), kind=SingleUse())
        _ = pay.create_link(world.order("KIND-REUSABLE"), kind="reusable")
        _ = pay.create_link(world.order("KIND-FIVE"), kind=Reusable(max_payments=5))
        _ = pay.create_link(order, kind=InvoiceBound(invoice))

        def limit(reference: str) -> object:
            (link,) = world.links(reference)
            restrictions = link["restrictions"]
            return restrictions and restrictions["completed_sessions"]["limit"]

        assert [limit(f"KIND-{kind}") for kind in ("SINGLE", "REUSABLE", "FIVE", "INVOICE")] == [
            1,
            None,
            5,
            1,
        ]
        assert world.links("KIND-INVOICE")[0]["metadata"]["paybylink_invoice"] == "F2026-0042"


# Replacing


def test_replacing_closes_the_old_link_before_the_new_one_is_made(world: World) -> None:
    """The old one is `replaced`, has a token of its own, and is closed at the provider before the new one exists."""
    with world.shop("replace") as pay:
        order = world.order("REPLACE")
        old = pay.create_link(order)
        since = len(world.sandbox.control.requests())
        new = pay.create_link(changed(order, amount=Money.of("39.90", "EUR")), replace=True)
        posted = [request.path for request in world.requests("POST", LINKS, since)]

        assert posted == [f"{LINKS}/{old.provider_links[0].vendor_id}", LINKS]
        assert status_of(pay, old) is LinkStatus.REPLACED
        assert (new.status, new.generation) == (LinkStatus.OPEN, 2)
        assert pay.link("REPLACE") == new
        assert active(world, "REPLACE") == [False, True]


def test_replacing_without_a_difference_changes_nothing(world: World) -> None:
    """`replace=True` acts only on a difference, so a script may always pass it."""
    with world.shop("replace-same") as pay:
        link = pay.create_link(world.order("REPLACE-SAME"))

        assert pay.create_link(world.order("REPLACE-SAME"), replace=True) == link
        assert active(world, "REPLACE-SAME") == [True]


def test_what_was_paid_is_not_replaced(world: World) -> None:
    """Nor what is being paid: money that comes was meant for the first link."""
    with world.shop("replace-paid") as pay:
        for how in ("card", "delayed"):
            order = world.order(f"REPLACE-{how}")
            link = pay.create_link(order)
            _ = world.paid(pay, link.url, how=how)
            since = len(world.sandbox.control.requests())
            with pytest.raises(AlreadyPaid) as caught:
                _ = pay.create_link(changed(order, description="Other"), replace=True)

            assert caught.value.link.id == link.id
            assert world.requests("POST", LINKS, since) == []


def test_money_that_comes_while_the_old_link_is_closed_wins(world: World) -> None:
    """The payer was quicker than the close: the link is paid, and no second one is made."""
    with world.shop("replace-race") as pay:
        order = world.order("REPLACE-RACE")
        link = pay.create_link(order)
        _ = meanwhile(pay, f"POST {LINKS}/", lambda: world.sandbox.control.pay(link.url))
        with pytest.raises(AlreadyPaid) as caught:
            _ = pay.create_link(changed(order, description="Other"), replace=True)

        assert caught.value.link.status is LinkStatus.PAID
        assert [payment.flags for payment in pay.payments()] == [frozenset()]
        assert len(world.links("REPLACE-RACE")) == 1


def test_a_part_that_comes_while_the_old_link_is_closed_keeps_it_and_the_rest_can_be_renewed(
    world: World,
) -> None:
    """Nothing is lost and nothing is left that looks payable and is not."""
    with world.shop("replace-part") as pay:
        order = world.order("REPLACE-PART")
        kind = InvoiceBound(Invoice(number="F1", open_amount=order.amount))
        link = pay.create_link(order, kind=kind)
        part = world.event(
            "checkout.session.completed", world.session(link.url, "REPLACE-PART", amount_total=1990)
        )
        other = world.pay_by_link(f"sqlite:///{world.folder}/replace-part.db")
        with other:
            _ = meanwhile(
                pay,
                f"POST {LINKS}/",
                lambda: other.receive("stripe", headers=part.headers, body=part.body),
            )
            with pytest.raises(AlreadyPaid) as caught:
                _ = pay.create_link(changed(order, description="Other"), kind=kind, replace=True)
        stands = caught.value.link
        rest = pay.renew(stands)

        assert (stands.payable, stands.open_amount) == (False, Money.of("30.00", "EUR"))
        assert rest.payable
        assert active(world, "REPLACE-PART") == [False, True]
        assert pay.link("REPLACE-PART") == rest
        assert world.paid(pay, rest.url).amount == Money.of("30.00", "EUR")
        assert status_of(pay, link) is LinkStatus.PAID


def test_a_reusable_link_may_be_replaced_after_any_number_of_payments(world: World) -> None:
    """Its payments were whole; only the next payer sees the new price."""
    with world.shop("replace-reusable") as pay:
        order = world.order("REPLACE-REUSABLE")
        link = pay.create_link(order, kind="reusable")
        _ = world.paid(pay, link.url)
        new = pay.create_link(changed(order, amount=Money.of("60.00", "EUR")), kind="reusable", replace=True)

        assert new.payable
        assert status_of(pay, link) is LinkStatus.REPLACED
        assert active(world, "REPLACE-REUSABLE") == [False, True]


def test_replacing_with_the_close_unknown_is_healed_by_calling_again(world: World) -> None:
    """The new link is made only after the close is certain."""
    with world.shop("replace-unknown", patience=IMPATIENT) as pay:
        order = world.order("REPLACE-UNKNOWN")
        link = pay.create_link(order)
        new = changed(order, description="Other")
        _ = world.sandbox.control.fault("reset_after", f"{LINKS}/", method="POST")
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(new, replace=True)
        assert caught.value.link is not None
        assert caught.value.link.id == link.id
        assert len(world.links("REPLACE-UNKNOWN")) == 1

        assert pay.create_link(new, replace=True).payable
        assert active(world, "REPLACE-UNKNOWN") == [False, True]


def test_replacing_a_link_whose_making_is_unknown_finds_out_first(world: World) -> None:
    """The lost first link is found under its key, closed, and then replaced."""
    with world.shop("replace-lost", patience=IMPATIENT) as pay:
        order = world.order("REPLACE-LOST")
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(order)
        with pytest.raises(ReferenceConflict):
            _ = pay.create_link(changed(order, description="Other"))
        new = pay.create_link(changed(order, description="Other"), replace=True)

        assert new.payable
        assert active(world, "REPLACE-LOST") == [False, True]


def test_a_cut_between_closing_and_making_leaves_nothing_that_looks_payable(world: World) -> None:
    """The same call again makes the new link; the old content is told that its link is not payable."""
    with world.shop("replace-cut") as pay:
        order = world.order("REPLACE-CUT")
        _ = pay.create_link(order)
        _ = meanwhile(pay, "insert_link", _power_fails)
        with pytest.raises(KeyboardInterrupt):
            _ = pay.create_link(changed(order, description="Other"), replace=True)

        assert pay.create_link(order).payable is False
        assert pay.create_link(changed(order, description="Other"), replace=True).payable
        assert active(world, "REPLACE-CUT") == [False, True]


def _power_fails() -> None:
    raise KeyboardInterrupt


# Refusals


def test_a_refused_order_leaves_nothing_payable_and_a_corrected_one_takes_its_place(world: World) -> None:
    """The reference is not burnt by a mistake: the same row, corrected, without `replace`."""
    with world.shop("refused") as pay:
        order = changed(world.order("REFUSED"), amount=Money.of("0.10", "EUR"))
        with pytest.raises(ProviderError) as caught:
            _ = pay.create_link(order)
        refused = pay.link("REFUSED")
        assert refused is not None
        assert (caught.value.standard_code, caught.value.retryable) == ("amount_too_small", False)
        assert (refused.status, refused.payable, refused.current) == (LinkStatus.PENDING, False, None)
        assert pay.run_due().failed == ()

        link = pay.create_link(world.order("REFUSED"), kind=Reusable())

        assert (link.id, link.status, link.kind) == (refused.id, LinkStatus.OPEN, Reusable())
        assert pay.link("REFUSED") == link
        assert active(world, "REFUSED") == [True]


def test_a_wrong_key_leaves_nothing_and_the_same_order_goes_through_with_the_right_one(world: World) -> None:
    """After the setting was corrected, the same call makes the link."""
    store = world.database("key")
    wrong = StripeProvider("sk_test_wrong", base_url=world.sandbox.stripe_url)
    with world.pay_by_link(store, providers=[wrong]) as pay, pytest.raises(ProviderError) as caught:
        _ = pay.create_link(world.order("KEY"))
    assert caught.value.status == 401
    with world.pay_by_link(store) as pay:
        assert pay.create_link(world.order("KEY")).payable

    assert active(world, "KEY") == [True]


def test_a_refusal_that_another_worker_has_written_down_is_no_trouble(world: World) -> None:
    """Two calls of a bad order at once: both are told, and the row is refused once."""
    store = world.database("refused-twice")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        order = changed(world.order("REFUSED-TWICE"), amount=Money.of("0.10", "EUR"))

        def the_other_is_first() -> None:
            with pytest.raises(ProviderError):
                _ = other.create_link(order)

        _ = meanwhile(pay, "update_provider_link", the_other_is_first)
        with pytest.raises(ProviderError):
            _ = pay.create_link(order)
        link = pay.link("REFUSED-TWICE")

    assert link is not None
    assert [behind.status for behind in link.provider_links] == [ProviderLinkStatus.REFUSED]


# Lost answers


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_lost_answer_is_unknown_and_carries_the_link(world: World, fault: str) -> None:
    """Calling again sends the same bytes under the same key, so there is one link whether it was made or not."""
    with world.shop(f"lost-{fault}", patience=IMPATIENT) as pay:
        order = world.order(f"LOST-{fault}")
        since = len(world.sandbox.control.requests())
        _ = world.sandbox.control.fault(fault, LINKS)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(order)
        pending = caught.value.link
        assert pending is not None
        assert (pending.status, pending.payable) == (LinkStatus.PENDING, False)
        with pytest.raises(LinkClosed):
            _ = pay.share(pending)

        link = pay.create_link(order)

        assert (link.id, link.payable) == (pending.id, True)
        assert active(world, order.reference) == [True]
        assert len({request.idempotency_key for request in world.requests("POST", LINKS, since)}) == 1


def test_a_provider_in_trouble_is_asked_again_with_the_same_key(world: World) -> None:
    """A 500 says nothing about what was done; the request stays asked."""
    with world.shop("trouble", patience=IMPATIENT) as pay:
        since = len(world.sandbox.control.requests())
        _ = world.sandbox.control.fault("status", LINKS, status=500, work=True)
        with pytest.raises((ProviderError, OutcomeUnknown)):
            _ = pay.create_link(world.order("TROUBLE"))

        assert pay.create_link(world.order("TROUBLE")).payable
        assert active(world, "TROUBLE") == [True]
        assert len({request.idempotency_key for request in world.requests("POST", LINKS, since)}) == 1


def test_after_the_keys_life_the_provider_is_asked_and_the_link_found(world: World) -> None:
    """A key that died would make a second link; asking finds the first."""
    clock = Clock()
    with world.shop("find", patience=IMPATIENT, clock=clock) as pay:
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order("FIND"))
        clock.move(hours=30)
        since = len(world.sandbox.control.requests())

        assert pay.create_link(world.order("FIND")).payable
        assert world.requests("POST", LINKS, since) == []
        assert active(world, "FIND") == [True]


def test_after_the_keys_life_a_certain_no_leads_to_a_new_request(world: World) -> None:
    """Only then: a new key, a new row behind the link, and the first one says that it never existed."""
    clock = Clock()
    with world.shop("find-none", patience=IMPATIENT, clock=clock) as pay:
        _ = world.sandbox.control.fault("reset_before", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order("FIND-NONE"))
        clock.move(hours=30)
        link = pay.create_link(world.order("FIND-NONE"))

        assert [behind.status for behind in link.provider_links] == [
            ProviderLinkStatus.REFUSED,
            ProviderLinkStatus.OPEN,
        ]
        assert active(world, "FIND-NONE") == [True]


def test_a_provider_that_does_not_let_us_look_leaves_the_outcome_unknown(world: World) -> None:
    """That we may not look is no word about what is there."""
    clock = Clock()
    with world.shop("look", patience=IMPATIENT, clock=clock) as pay:
        _ = world.sandbox.control.fault("reset_after", LINKS)
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(world.order("LOOK"))
        clock.move(hours=30)
        _ = world.sandbox.control.fault("status", LINKS, status=403)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = pay.create_link(world.order("LOOK"))
        assert caught.value.link is not None

        assert pay.create_link(world.order("LOOK")).payable
        assert active(world, "LOOK") == [True]


def test_a_key_that_is_known_with_other_bytes_asks_instead_of_asking_anew(world: World) -> None:
    """Something was made under that key, so a refusal of it is no "no": the link is looked for, and found."""
    text = json.dumps({"error": {"type": "idempotency_error", "message": "Keys for idempotent requests …"}})
    with world.shop("conflict") as pay:
        _ = world.sandbox.control.fault("status", LINKS, status=400, text=text, work=True, method="POST")

        assert pay.create_link(world.order("CONFLICT")).payable
        assert active(world, "CONFLICT") == [True]


def test_a_key_that_another_order_has_used_leads_to_a_new_one(world: World) -> None:
    """Two draws of the same key, as after a cloned virtual machine: looked for, not found, asked under another."""
    draws: list[bytes] = []

    def entropy(size: int) -> bytes:
        if size == 16:
            draws.append(b"\x07" * 16 if len(draws) in (1, 3) else os.urandom(16))
            return draws[-1]
        return os.urandom(size)

    with world.shop("cloned", identifiers=Identifiers(entropy)) as pay:
        _ = pay.create_link(world.order("CLONED-1"))
        link = pay.create_link(world.order("CLONED-2"))

        assert link.payable
        assert (active(world, "CLONED-1"), active(world, "CLONED-2")) == ([True], [True])


# At the same time


def test_threads_that_create_the_same_order_make_one_link(world: World) -> None:
    """32 at once, as after a double click on every till."""
    with world.shop("threads") as pay, ThreadPoolExecutor(32) as pool:
        order = world.order("THREADS")
        links = list(pool.map(lambda _: pay.create_link(order), range(32)))

        assert {(link.id, link.url) for link in links} == {(links[0].id, links[0].url)}
        assert active(world, "THREADS") == [True]


@pytest.mark.anyio
async def test_tasks_that_create_the_same_order_make_one_link(world: World) -> None:
    """200 at once on one event loop."""
    async with world.async_pay_by_link(world.database("tasks")) as pay:
        order = world.order("TASKS")
        links = await asyncio.gather(*(pay.create_link(order) for _ in range(200)))

    assert {(link.id, link.url) for link in links} == {(links[0].id, links[0].url)}
    assert await asyncio.to_thread(active, world, "TASKS") == [True]


def test_a_payment_that_is_told_before_the_answer_wins(world: World) -> None:
    """The webhook was quicker than the reply to our own request: the link is paid, and knows its provider's."""
    store = world.database("quick")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:

        def somebody_pays() -> None:
            _ = world.paid(other, world.links("QUICK")[0]["url"])

        _ = meanwhile(pay, f"POST {LINKS}", somebody_pays, after=True)
        link = pay.create_link(world.order("QUICK"))

        assert link.status is LinkStatus.PAID
        assert [behind.status for behind in link.provider_links] == [ProviderLinkStatus.OPEN]
        assert len(list(pay.payments(link=link))) == 1


@pytest.mark.parametrize("statement", ["insert_link", "update_provider_link"])
def test_a_store_where_somebody_else_is_always_first_ends_in_a_conflict(world: World, statement: str) -> None:
    """A journey reads again many times, and not for ever."""

    def somebody_is_first() -> None:
        raise Conflict(statement)

    with world.shop(f"contested-{statement}") as pay:
        _ = meanwhile(pay, statement, somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = pay.create_link(world.order(f"CONTESTED-{statement}"))


# Renewing


def test_renewing_keeps_the_link_and_makes_a_new_one_behind_it(world: World) -> None:
    """Id, token and public URL stay; the provider's old link is closed, and the new one can be paid."""
    clock = Clock()
    with world.shop("renew", clock=clock, public_url="http://127.0.0.1:9") as pay:
        link = pay.create_link(world.order("RENEW"), expires_in=WEEK)
        clock.move(days=8)
        _ = pay.run_due()
        renewed = pay.renew(link, expires_in=WEEK)

        assert (renewed.id, renewed.token, renewed.url) == (link.id, link.token, link.url)
        assert (renewed.status, renewed.renewals) == (LinkStatus.OPEN, 1)
        assert renewed.expires_at is not None
        assert abs(renewed.expires_at - clock() - WEEK) < dt.timedelta(minutes=1)
        assert active(world, "RENEW") == [False, True]
        assert pay.create_link(world.order("RENEW"), expires_in=WEEK) == renewed


def test_renewing_an_open_link_closes_the_old_one_first(world: World) -> None:
    """Never two that can be paid; by default for as long as a new link lives."""
    with world.shop("renew-open") as pay:
        link = pay.create_link(world.order("RENEW-OPEN"), expires_in=WEEK)
        renewed = pay.renew(link)

        assert renewed.expires_at is not None
        assert renewed.expires_at - link.created_at > dt.timedelta(days=29)
        assert active(world, "RENEW-OPEN") == [False, True]
        assert world.paid(pay, renewed.url).link_id == link.id


def test_what_ended_on_purpose_or_with_money_is_not_renewed(world: World) -> None:
    """A cancelled or replaced link stays closed; a paid one, or one being paid, has nothing left to ask for."""
    with world.shop("renew-not") as pay:
        order = world.order("RENEW-REPLACED")
        replaced = pay.create_link(order)
        _ = pay.create_link(changed(order, description="Other"), replace=True)
        for closed in (pay.cancel(pay.create_link(world.order("RENEW-CANCELLED"))), replaced):
            with pytest.raises(LinkClosed):
                _ = pay.renew(closed)
        for how in ("card", "delayed"):
            link = pay.create_link(world.order(f"RENEW-{how}"))
            _ = world.paid(pay, link.url, how=how)
            since = len(world.sandbox.control.requests())
            with pytest.raises(AlreadyPaid):
                _ = pay.renew(link)
            assert world.requests("POST", LINKS, since) == []


@pytest.mark.parametrize("span", [dt.timedelta(0), dt.timedelta(days=-1)], ids=["zero", "negative"])
def test_a_renewal_needs_a_future(world: World, span: dt.timedelta) -> None:
    """Also zero is what was given, and not what was left out."""
    with world.shop(f"renew-span-{span.days}") as pay:
        link = pay.create_link(world.order(f"RENEW-SPAN-{span.days}"))
        with pytest.raises(InvalidInput, match="expires_in"):
            _ = pay.renew(link, expires_in=span)

        assert pay.link(link.order.reference) == link


def test_a_payment_that_comes_while_renewing_wins(world: World) -> None:
    """The payer was quicker: paid, and no new link."""
    with world.shop("renew-race") as pay:
        link = pay.create_link(world.order("RENEW-RACE"))
        _ = meanwhile(pay, f"POST {LINKS}/", lambda: world.sandbox.control.pay(link.url))
        with pytest.raises(AlreadyPaid):
            _ = pay.renew(link)

        assert status_of(pay, link) is LinkStatus.PAID
        assert len(world.links("RENEW-RACE")) == 1


def test_a_lost_answer_while_renewing_is_healed_by_calling_again(world: World) -> None:
    """The close, or the new link, was unknown: the same call goes on where it was."""
    with world.shop("renew-lost", patience=IMPATIENT) as pay:
        link = pay.create_link(world.order("RENEW-LOST"))
        _ = world.sandbox.control.fault("reset_after", f"{LINKS}/", method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.renew(link)
        _ = world.sandbox.control.fault("reset_after", "stripe.payment_links.create")
        with pytest.raises(OutcomeUnknown):
            _ = pay.renew(link)
        renewed = pay.renew(link)

        assert renewed.payable
        assert active(world, "RENEW-LOST") == [False, True]


def test_two_who_renew_at_once_make_one_link(world: World) -> None:
    """The one who was second reads again, and finds what the first has made."""
    store = world.database("renew-two")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("RENEW-TWO"))
        doors = meanwhile(pay, "update_link+insert_provider_link", lambda: other.renew(link))
        _ = pay.renew(link)

        assert "fence update_link+insert_provider_link" in doors.seen
        assert active(world, "RENEW-TWO").count(True) == 1


def test_a_contested_renewal_ends_in_a_conflict(world: World) -> None:
    """It reads again many times, and not for ever."""

    def somebody_is_first() -> None:
        raise Conflict("update_provider_link")

    with world.shop("renew-contested") as pay:
        link = pay.create_link(world.order("RENEW-CONTESTED"))
        _ = meanwhile(pay, "update_provider_link", somebody_is_first, times=None)
        with pytest.raises(Conflict):
            _ = pay.renew(link)
