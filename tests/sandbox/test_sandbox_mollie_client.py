"""Mollie's own Python client before the sandbox: what it writes is understood, what it reads is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from mollie.api.client import Client
from mollie.api.error import NotFoundError, UnauthorizedError, UnprocessableEntityError

from paybylink.sandbox import Sandbox

from .mollie_given import PROFILE, euros, link_body


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Any]:
    """The client with an API key."""
    opened = Client(api_endpoint=sandbox.mollie_url, retry=0)
    opened.set_api_key("test_sandbox")
    yield opened
    opened._client.close()


@pytest.fixture
def organisation(sandbox: Sandbox) -> Iterator[Any]:
    """The client with an organisation's token, in test mode."""
    opened = Client(api_endpoint=sandbox.mollie_url, retry=0)
    opened.set_access_token("access_sandbox")
    opened.set_testmode(True)
    yield opened
    opened._client.close()


def test_a_link_is_made_paid_and_read(sandbox: Sandbox, client: Any) -> None:
    """The client's objects carry what the link was made with, and its payment once there is one."""
    link = client.payment_links.create(
        link_body(redirectUrl="https://shop.example/thanks"), idempotency_key="k-1"
    )
    before = client.payment_links.get(link.id)
    attempt = sandbox.control.pay(link.payment_link)

    after = client.payment_links.get(link.id)
    (payment,) = after.payments.list()

    assert (before.is_paid(), after.is_paid()) == (False, True)
    assert before.amount == euros("49.90")
    assert before.redirect_url == "https://shop.example/thanks"
    assert (payment.id, payment.amount, payment.is_paid()) == (attempt.payment, euros("49.90"), True)
    assert client.payments.get(attempt.payment).amount_remaining == euros("49.90")


def test_pages_lead_on_and_back(client: Any) -> None:
    """Newest first, a page at a time, with nothing twice and nothing missed; the way back gives the same pages."""
    made = [client.payment_links.create(link_body()).id for _ in range(5)]

    first = client.payment_links.list(limit=2)
    second = first.get_next()
    third = second.get_next()
    back = third.get_previous()

    pages = [[link.id for link in page] for page in (first, second, third)]
    assert [one for page in pages for one in page] == made[::-1]
    assert [link.id for link in back] == pages[1]
    assert (first.has_previous(), third.has_next()) == (False, False)


def test_what_the_client_has_no_method_for_goes_through_its_door(client: Any) -> None:
    """Changing and deleting a link by `perform_api_call`, with the empty answer of a 204."""
    link = client.payment_links.create(link_body())

    changed = client.payment_links.perform_api_call("PATCH", f"payment-links/{link.id}", {"archived": True})
    gone = client.payment_links.perform_api_call("DELETE", f"payment-links/{link.id}")

    assert changed["archived"] is True
    assert gone == {}
    with pytest.raises(NotFoundError):
        _ = client.payment_links.get(link.id)


def test_refusals_become_the_clients_errors(sandbox: Sandbox, client: Any) -> None:
    """Status and field arrive as the client knows them."""
    with pytest.raises(UnprocessableEntityError) as refused:
        _ = client.payment_links.create(link_body(metadata={"order": "1"}))
    stranger = Client(api_endpoint=sandbox.mollie_url, retry=0)
    stranger.set_api_key("live_sandbox")
    with pytest.raises(UnauthorizedError):
        _ = stranger.payment_links.list()
    stranger._client.close()

    assert (refused.value.status, refused.value.field) == (422, "metadata")


def test_refunds_and_methods_are_read(sandbox: Sandbox, client: Any) -> None:
    """A refund made, listed and cancelled; methods with their bounds."""
    payment = client.payments.get(
        sandbox.control.pay(client.payment_links.create(link_body()).payment_link).payment
    )

    refund = payment.refunds.create({"amount": euros("10.00")})
    listed = [one.id for one in payment.refunds.list()]
    _ = payment.refunds.delete(refund.id)
    methods = {method.id: method for method in client.methods.list(amount=euros("60000.00"))}

    assert listed == [refund.id]
    assert payment.refunds.get(refund.id).status == "canceled"
    assert set(methods) == {"banktransfer"}
    assert methods["banktransfer"].maximum_amount == euros("1000000.00")


def test_an_organisation_reads_balances_and_settlements(
    sandbox: Sandbox, client: Any, organisation: Any
) -> None:
    """With the token: profile and mode are said by the client, and the books are open."""
    link = organisation.payment_links.create(link_body(profileId=PROFILE))
    paid = sandbox.control.pay(link.payment_link).payment
    _ = client.payments.get(paid).refunds.create({"amount": euros("5.00")})
    _ = sandbox.control.move_clock(timedelta(days=2))
    settled = sandbox.control.payout("mollie")

    balance = organisation.balances.get("primary")
    entries = [entry.type for entry in balance.get_transactions()]
    settlement = organisation.settlements.get(settled["id"])

    assert balance.available_amount == euros("0.00")
    assert entries == ["outgoing-transfer", "refund", "payment"]
    assert settlement.amount == euros("43.50")
    assert [one.id for one in settlement.payments.list()] == [paid]
    assert [one.amount for one in settlement.refunds.list()] == [euros("5.00")]
