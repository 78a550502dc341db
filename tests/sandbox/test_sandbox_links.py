"""Payment links and sessions of the sandbox, through Stripe's own client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError

from .sandbox_given import link_params


def test_a_link_is_made_as_asked_and_read_back(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """The reply holds what was asked, in Stripe's shape, and its address leads to the hosted page."""
    made = client.v1.payment_links.create(
        link_params(inactive_message="Too late.", expand=["line_items"]) | {"expand": ["line_items"]}
    )

    found = client.v1.payment_links.retrieve(made.id)
    assert made.url == f"{sandbox.url}/pay/{made.id}"
    assert made.currency == "eur"
    assert made.metadata["order"] == "INV-2026-031"
    assert made.restrictions is not None
    assert (made.restrictions.completed_sessions.count, made.restrictions.completed_sessions.limit) == (0, 1)
    assert made.line_items is not None
    assert made.line_items.data[0].amount_total == 4990
    assert found.to_dict() == {name: value for name, value in made.to_dict().items() if name != "line_items"}
    items = client.v1.payment_links.line_items.list(made.id).data
    assert [(item.description, item.quantity) for item in items] == [("Logo design", 1)]


def test_a_single_use_link_is_used_up_by_one_payment(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """After one completed session the link is inactive, shows its message, and takes no more money."""
    link = client.v1.payment_links.create(link_params(inactive_message="Already paid."))

    paid = sandbox.control.pay(link.url, email="zoe@example.com")

    after = client.v1.payment_links.retrieve(link.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert after.active is False
    assert after.restrictions is not None
    assert after.restrictions.completed_sessions.count == 1
    with pytest.raises(SandboxError, match="Already paid"):
        _ = sandbox.control.pay(link.url)


def test_a_payer_already_at_the_bank_pays_a_closed_link(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """With `although_closed` a second payment comes through on a used-up link, as it may in life."""
    link = client.v1.payment_links.create(link_params())
    _ = sandbox.control.pay(link.url)

    second = sandbox.control.pay(link.url, although_closed=True)

    sessions = client.v1.checkout.sessions.list({"payment_link": link.id, "status": "complete"})
    assert second.payment_status == "paid"
    assert len(sessions.data) == 2


def test_a_used_up_link_opens_again_when_limit_and_active_are_set(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """Raising the limit together with `active` opens the link; `active` alone is refused."""
    link = client.v1.payment_links.create(link_params())
    _ = sandbox.control.pay(link.url)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.payment_links.update(link.id, {"active": True})
    opened = client.v1.payment_links.update(
        link.id, {"active": True, "restrictions": {"completed_sessions": {"limit": 2}}}
    )

    assert refused.value.param == "active"
    assert opened.active is True
    assert sandbox.control.pay(link.url).payment_status == "paid"


def test_a_deactivated_link_takes_no_money_until_it_is_active_again(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """`active=false` closes a link, `active=true` opens it; unset and changed metadata are merged."""
    link = client.v1.payment_links.create(link_params(restrictions=None))

    closed = client.v1.payment_links.update(
        link.id,
        {"active": False, "inactive_message": "Closed.", "metadata": {"order": "", "why": "cancelled"}},
    )

    assert closed.active is False
    assert closed.metadata.to_dict() == {"why": "cancelled"}
    with pytest.raises(SandboxError, match=r"Closed\."):
        _ = sandbox.control.pay(link.url)
    _ = client.v1.payment_links.update(link.id, {"active": True})
    assert sandbox.control.pay(link.url).status == "complete"
    assert sandbox.control.pay(link.url).status == "complete"


def test_a_session_of_a_closed_link_cannot_be_finished(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """A payer who was still looking at the page is turned away, unless the money is let through on purpose."""
    link = client.v1.payment_links.create(link_params())
    session = sandbox.control.pay(link.url, how="declined").session
    _ = client.v1.payment_links.update(link.id, {"active": False})

    with pytest.raises(SandboxError, match="no longer active"):
        _ = sandbox.control.pay(session)

    assert sandbox.control.pay(session, although_closed=True).payment_status == "paid"


def test_links_are_paged_newest_first(client: stripe.StripeClient) -> None:
    """`limit`, `starting_after` and `active` walk every link once, and `has_more` says when to stop."""
    made = [client.v1.payment_links.create(link_params()).id for _ in range(5)]
    _ = client.v1.payment_links.update(made[2], {"active": False})

    first = client.v1.payment_links.list({"limit": 2})
    second = client.v1.payment_links.list({"limit": 3, "starting_after": first.data[-1].id})

    assert [link.id for link in first.data] == made[:2:-1]
    assert [link.id for link in second.data] == made[2::-1]
    assert (first.has_more, second.has_more) == (True, False)
    active = client.v1.payment_links.list({"active": True, "limit": 2}).auto_paging_iter()
    assert [link.id for link in active] == [made[4], made[3], made[1], made[0]]


def test_lists_are_filtered_by_moment_and_walked_backwards(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """`created` takes a moment or bounds, `ending_before` looks the other way, a cursor to nothing is refused."""
    link = client.v1.payment_links.create(link_params(restrictions=None))
    old = sandbox.control.pay(link.url).payment_intent
    moment = client.v1.payment_intents.retrieve(old).created
    _ = sandbox.control.move_clock(timedelta(hours=1))
    new = [sandbox.control.pay(link.url).payment_intent for _ in range(2)]

    intents = client.v1.payment_intents
    assert [one.id for one in intents.list({"created": {"gt": moment + 60}}).data] == new[::-1]
    assert [one.id for one in intents.list({"created": moment}).data] == [old]
    before = intents.list({"ending_before": old, "limit": 1})
    assert ([one.id for one in before.data], before.has_more) == ([new[0]], True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = intents.list({"starting_after": "pi_none"})
    assert (refused.value.http_status, refused.value.param) == (400, "starting_after")


def test_the_payer_chooses_the_amount_within_bounds(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """A price with `custom_unit_amount` takes what the payer types, and refuses what lies outside."""
    product = client.v1.products.create({"name": "Donation"})
    price = client.v1.prices.create(
        {"currency": "eur", "product": product.id, "custom_unit_amount": {"enabled": True, "minimum": 500}}
    )
    link = client.v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})

    paid = sandbox.control.pay(link.url, amount="12,50")

    assert client.v1.payment_intents.retrieve(paid.payment_intent).amount == 1250
    for typed in ("4.99", "", "abc", "5.001"):
        with pytest.raises(SandboxError, match=r"between 5\.00 EUR"):
            _ = sandbox.control.pay(link.url, amount=typed)


def test_metadata_reaches_session_and_payment(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """The link's metadata is on its sessions; only `payment_intent_data.metadata` is on the payment and charge."""
    link = client.v1.payment_links.create(
        link_params(metadata={"a": "link"}, payment_intent_data={"metadata": {"a": "payment"}})
    )

    paid = sandbox.control.pay(f"{link.url}?client_reference_id=R-1&locale=fr", email="zoe@example.com")

    session = client.v1.checkout.sessions.retrieve(paid.session, {"expand": ["payment_intent.latest_charge"]})
    assert session.metadata is not None
    assert session.metadata["a"] == "link"
    assert (session.client_reference_id, session.locale, session.payment_link) == ("R-1", "fr", link.id)
    assert session.customer_details is not None
    assert session.customer_details.email == "zoe@example.com"
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    assert session.payment_intent.metadata["a"] == "payment"
    assert isinstance(session.payment_intent.latest_charge, stripe.Charge)
    assert session.payment_intent.latest_charge.metadata["a"] == "payment"


def test_a_bad_client_reference_is_dropped_without_a_word(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """As at Stripe: a reference with other characters is simply not there."""
    link = client.v1.payment_links.create(link_params())

    paid = sandbox.control.pay(f"{link.url}?client_reference_id=R%201")

    assert client.v1.checkout.sessions.retrieve(paid.session).client_reference_id is None


def test_a_session_is_paid_once_and_expires_by_the_clock(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """A session ends by payment, by `expire`, or when the sandbox's clock passes `expires_at`."""
    now = int(sandbox.control.now().timestamp())
    params: Any = {
        "mode": "payment",
        "line_items": link_params()["line_items"],
        "success_url": "http://127.0.0.1/thanks?session={CHECKOUT_SESSION_ID}",
        "expires_at": now + 3600,
    }
    paid, stopped, late = (client.v1.checkout.sessions.create(params) for _ in range(3))
    assert paid.url is not None

    attempt = sandbox.control.pay(paid.url)
    expired = client.v1.checkout.sessions.expire(stopped.id)
    _ = sandbox.control.move_clock(timedelta(hours=2))

    assert attempt.next_url == f"http://127.0.0.1/thanks?session={paid.id}"
    assert (expired.status, expired.url) == ("expired", None)
    assert client.v1.checkout.sessions.retrieve(late.id).status == "expired"
    assert client.v1.checkout.sessions.retrieve(paid.id).status == "complete"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        _ = client.v1.checkout.sessions.expire(paid.id)
    with pytest.raises(SandboxError, match="already complete"):
        _ = sandbox.control.pay(paid.id)


@pytest.mark.parametrize("seconds", [pytest.param(1700, id="too-soon"), pytest.param(86405, id="a-day")])
def test_a_session_lives_half_an_hour_to_a_day(
    sandbox: Sandbox, client: stripe.StripeClient, seconds: int
) -> None:
    """`expires_at` outside the window is refused."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": link_params()["line_items"],
                "success_url": "http://127.0.0.1/",
                "expires_at": int(sandbox.control.now().timestamp()) + seconds,
            }
        )

    assert refused.value.param == "expires_at"
