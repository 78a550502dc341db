"""Payments, their fees and their refunds."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError

from .sandbox_given import link_params


@pytest.fixture
def link(client: stripe.StripeClient) -> stripe.PaymentLink:
    """A link over 49.90 EUR, usable once."""
    return client.v1.payment_links.create(link_params())


def test_a_card_payment_has_a_charge_a_fee_and_a_net(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """1.5 % and 25 cents, in whole minor units: 4990 leaves 4890."""
    paid = sandbox.control.pay(link.url)

    intent = client.v1.payment_intents.retrieve(
        paid.payment_intent, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 4990, "eur")
    assert isinstance(intent.latest_charge, stripe.Charge)
    entry = intent.latest_charge.balance_transaction
    assert isinstance(entry, stripe.BalanceTransaction)
    assert (entry.amount, entry.fee, entry.net) == (4990, 100, 4890)
    assert client.v1.charges.retrieve(intent.latest_charge.id).payment_intent == intent.id
    assert [one.id for one in client.v1.payment_intents.list().data] == [intent.id]


@pytest.mark.parametrize("succeeded", [True, False])
def test_a_delayed_payment_ends_later(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink, succeeded: bool
) -> None:
    """The session completes unpaid and uses the link up; `settle` says whether the money came."""
    paid = sandbox.control.pay(link.url, how="delayed")
    before = client.v1.payment_intents.retrieve(paid.payment_intent).status

    settled = sandbox.control.settle(link.url, succeeded=succeeded)

    session = client.v1.checkout.sessions.retrieve(paid.session)
    after = client.v1.payment_intents.retrieve(paid.payment_intent, {"expand": ["latest_charge"]})
    assert (paid.status, paid.payment_status, before) == ("complete", "unpaid", "processing")
    assert settled == [paid.payment_intent]
    assert session.payment_status == ("paid" if succeeded else "unpaid")
    assert after.status == ("succeeded" if succeeded else "requires_payment_method")
    assert isinstance(after.latest_charge, stripe.Charge)
    assert after.latest_charge.status == ("succeeded" if succeeded else "failed")
    assert client.v1.payment_links.retrieve(link.id).active is False
    with pytest.raises(SandboxError, match="No delayed payment"):
        _ = sandbox.control.settle(link.url)


def test_a_declined_card_leaves_everything_open(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """No money, an open session that says why, and a link that can still be paid."""
    declined = sandbox.control.pay(link.url, how="declined")
    again = sandbox.control.pay(declined.session)

    intent = client.v1.payment_intents.retrieve(declined.payment_intent)
    assert (declined.status, declined.next_url) == ("open", None)
    assert again.payment_intent == declined.payment_intent
    assert intent.status == "succeeded"
    charges = [charge.status for charge in client.v1.charges.list({"payment_intent": intent.id}).data]
    assert charges == ["succeeded", "failed"]


def test_partial_refunds_add_up_to_the_charge_and_no_further(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """Two parts make the whole; more than is left names `amount`, and after the whole the code says so."""
    intent = sandbox.control.pay(link.url).payment_intent
    part = client.v1.refunds.create(
        {
            "payment_intent": intent,
            "amount": 1000,
            "reason": "requested_by_customer",
            "metadata": {"reference": "AV-1"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as over:
        _ = client.v1.refunds.create({"payment_intent": intent, "amount": 3991})
    rest = client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as again:
        _ = client.v1.refunds.create({"payment_intent": intent})

    assert (part.amount, part.status, part.reason) == (1000, "succeeded", "requested_by_customer")
    assert rest.amount == 3990
    assert (over.value.http_status, over.value.code, over.value.param) == (400, None, "amount")
    assert (again.value.http_status, again.value.code) == (400, "charge_already_refunded")
    assert [one.id for one in client.v1.refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]
    labels = client.v1.refunds.retrieve(part.id).metadata
    assert labels is not None
    assert labels["reference"] == "AV-1"
    charge = sandbox.control.payments()[0]["latest_charge"]
    assert (charge["amount_refunded"], charge["refunded"]) == (4990, True)
    entries = client.v1.balance_transactions.list().data
    assert sorted(entry.net for entry in entries) == [-3990, -1000, 4890]


def test_a_refund_can_fail_later(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """A failed refund no longer counts, so the money can be refunded again."""
    paid = sandbox.control.pay(link.url)
    refund = client.v1.refunds.create({"payment_intent": paid.payment_intent})

    failed = sandbox.control.fail_refund(refund.id)

    assert failed["status"] == "failed"
    assert client.v1.refunds.create({"payment_intent": paid.payment_intent}).status == "succeeded"
    with pytest.raises(SandboxError):
        _ = sandbox.control.fail_refund(refund.id)


def test_a_refund_names_one_payment(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """By charge works as by payment; neither, or a charge that is not there or brought nothing, is refused."""
    declined = sandbox.control.pay(link.url, how="declined")
    charge = client.v1.payment_intents.retrieve(declined.payment_intent).latest_charge
    refusals: list[Any] = [{}, {"charge": "ch_none"}, {"charge": charge}]
    for params in refusals:
        with pytest.raises(stripe.InvalidRequestError):
            _ = client.v1.refunds.create(params)
    _ = sandbox.control.pay(declined.session)
    paid = client.v1.payment_intents.retrieve(declined.payment_intent).latest_charge
    assert isinstance(paid, str)

    refund = client.v1.refunds.create({"charge": paid})

    assert (refund.charge, refund.payment_intent) == (paid, declined.payment_intent)


def test_money_that_has_not_come_cannot_go_back(
    sandbox: Sandbox, client: stripe.StripeClient, link: stripe.PaymentLink
) -> None:
    """A processing payment, and one that is not there, are refused."""
    intent = sandbox.control.pay(link.url, how="delayed").payment_intent

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        _ = client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as missing:
        _ = client.v1.refunds.create({"payment_intent": "pi_none"})

    assert missing.value.code == "resource_missing"
