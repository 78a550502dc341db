"""A link whose making was not answered and that a payment names: never a second one, and none that is left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve

from paybylink import LinkStatus, OutcomeUnknown, PayByLink, Reusable, SingleUse
from paybylink.kinds import LinkKind
from paybylink.links import ProviderLinkStatus

from .receiver import Call
from .shops import Shop, open_street

MAKING = "/adyen/v72/paymentLinks"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop at Adyen, which says in a field that it does not sign which link was paid."""
    with open_street(tmp_path_factory.mktemp("street")) as street:
        yield street.shop("adyen", request.node.name)


def unanswered(shop: Shop, pay: PayByLink, reference: str, kind: LinkKind) -> str:
    """A link is made, and its answer is lost; the provider's id of it."""
    _ = shop.street.sandbox.control.fault("reset_after", MAKING, method="POST", times=9)
    with pytest.raises(OutcomeUnknown):
        _ = pay.create_link(shop.order(reference), kind=kind)
    shop.street.sandbox.control.clear_faults()
    return str(shop.truth("links")[-1]["id"])


def as_told(call: Call, made: str, other: str) -> Call:
    return call


def of_another(call: Call, made: str, other: str) -> Call:
    """The same signed message with another link in its unsigned field."""
    return evolve(call, body=call.body.replace(made.encode(), other.encode()))


def of_nobody(call: Call, made: str, other: str) -> Call:
    """The same with a link that there is not."""
    return evolve(call, body=call.body.replace(made.encode(), b"PL0000000000000000"))


@pytest.mark.parametrize(
    ("told", "whose"),
    [(as_told, "elsewhere"), (of_another, "elsewhere"), (of_another, "ours"), (of_nobody, "elsewhere")],
)
def test_a_link_that_a_failed_payment_names_is_made_once(
    shop: Shop, told: Callable[[Call, str, str], Call], whose: str
) -> None:
    """What the unsigned field says is a hint: where it leads nowhere, the same bytes go out under the same key."""
    owner = shop if whose == "ours" else shop.street.shop("adyen", "elsewhere")
    with shop.open() as pay, owner.open() as others:
        other = others.create_link(shop.order("OTHER")).provider_links[0].vendor_id or ""
        made = unanswered(shop, pay, "NAMED", SingleUse())
        _ = shop.customer_pays(made, how="declined")
        for call in shop.told():
            changed = told(call, made, other)
            assert pay.receive("adyen", headers=changed.headers, body=changed.body).status == 200
        link = pay.create_link(shop.order("NAMED"))

        assert link.status is LinkStatus.OPEN
        assert [each.vendor_id for each in link.provider_links] == [made]
        assert len(shop.truth("links")) == 2
        assert shop.paid(pay, made).flags == frozenset()


def test_a_link_that_is_away_when_it_is_looked_for_is_looked_for_again(shop: Shop) -> None:
    """A failure on the way says nothing."""
    with shop.open() as pay:
        made = unanswered(shop, pay, "AWAY", SingleUse())
        _ = shop.customer_pays(made, how="declined")
        _ = shop.street.sandbox.control.fault("status", f"{MAKING}/", method="GET", status=503, times=99)
        _ = shop.hear(pay)
        assert pay.run_due().failed == ("provider_refused",)
        shop.street.sandbox.control.clear_faults()
        assert pay.run_due().completed == 1

        assert len(shop.truth("links")) == 1


def test_what_its_last_payment_names_is_closed_where_nobody_else_counts(shop: Shop) -> None:
    """The provider's reusable link would take any number of payments; the next pass closes it."""
    with shop.open() as pay:
        made = unanswered(shop, pay, "FULL", Reusable(max_payments=1))
        _ = shop.customer_pays(made)
        _ = shop.hear(pay)
        assert pay.run_due().failed == ()
        link = pay.link("FULL")

        assert link is not None
        assert link.status is LinkStatus.PAID
        assert [each.status for each in link.provider_links] == [ProviderLinkStatus.CLOSED]
        assert [row["status"] for row in shop.truth("links")] != ["open"]
        assert pay.run_due().completed == 0
