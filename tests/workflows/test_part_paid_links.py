"""A link that was paid in part and whose renewal was refused keeps its order, and the money that came for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from attrs import evolve

from paybylink import (
    AlreadyPaid,
    Invoice,
    InvoiceBound,
    LinkStatus,
    Money,
    PayByLink,
    PaymentLink,
    ProviderError,
    ReferenceConflict,
    Reusable,
)
from paybylink.kinds import LinkKind

from .world import World

LINKS = "/stripe/v1/payment_links"
WEEK = dt.timedelta(days=7)
REFUSAL = '{"error": {"type": "invalid_request_error", "code": "parameter_invalid_integer"}}'


@pytest.fixture
def pay(world: World, request: pytest.FixtureRequest) -> Iterator[PayByLink]:
    with world.shop(request.node.name) as made:
        yield made


def refused_anew(world: World, pay: PayByLink, reference: str, kind: LinkKind, came: int) -> PaymentLink:
    """A link for which something came, and behind which nothing stands since its renewal was refused."""
    link = pay.create_link(world.order(reference), kind=kind, expires_in=WEEK)
    call = world.event("checkout.session.completed", world.session(link.url, reference, amount_total=came))
    assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
    _ = world.sandbox.control.fault(
        "status", LINKS, method="POST", status=400, text=REFUSAL, work=False, skip=1
    )
    with pytest.raises(ProviderError):
        _ = pay.renew(link, expires_in=WEEK)
    world.sandbox.control.clear_faults()
    found = pay.link(reference)
    assert found is not None
    assert (found.status, found.current, found.payments) == (LinkStatus.PENDING, None, 1)
    return found


@pytest.mark.parametrize("replace", [False, True], ids=["asked", "replaced"])
def test_a_part_paid_invoice_is_not_made_into_another_order(
    world: World, pay: PayByLink, replace: bool
) -> None:
    """Nothing stands behind it, but its money was meant for the order as it was."""
    reference = f"PART-{replace}"
    order = world.order(reference)
    kind = InvoiceBound(Invoice(number="F1", open_amount=order.amount))
    link = refused_anew(world, pay, reference, kind, 1990)
    other = evolve(order, amount=Money.of("80.00", "USD"), description="Another")
    with pytest.raises(AlreadyPaid if replace else ReferenceConflict):
        _ = pay.create_link(other, expires_in=WEEK, replace=replace)

    assert pay.link(reference) == link
    renewed = pay.create_link(order, kind=kind, expires_in=WEEK)
    assert (renewed.status, renewed.open_amount) == (LinkStatus.PART_PAID, Money.of("30.00", "EUR"))


def test_a_reusable_link_that_was_paid_is_replaced_and_not_rewritten(world: World, pay: PayByLink) -> None:
    """Its payments stay with the link by which they came; the new one counts from nothing."""
    link = refused_anew(world, pay, "SHARED", Reusable(), 4990)
    other = evolve(world.order("SHARED"), amount=Money.of("80.00", "USD"))
    with pytest.raises(ReferenceConflict):
        _ = pay.create_link(other, kind=Reusable(), expires_in=WEEK)
    new = pay.create_link(other, kind=Reusable(), expires_in=WEEK, replace=True)

    assert (new.generation, new.payments, new.status) == (2, 0, LinkStatus.OPEN)
    assert {each.id: each.status for each in pay.links()}[link.id] is LinkStatus.REPLACED
