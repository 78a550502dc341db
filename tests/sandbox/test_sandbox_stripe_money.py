"""Stripe's money in the sandbox after the payment: captures by hand, disputes, payouts, and the common truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from paybylink.sandbox import Sandbox, SandboxError

from .sandbox_given import Listener, link_params

BY_HAND = {"payment_intent_data": {"capture_method": "manual", "metadata": {"order": "INV-31"}}}

DISPUTE_EVENTS = tuple(
    f"charge.dispute.{ending}" for ending in ("created", "closed", "funds_withdrawn", "funds_reinstated")
)


def reserved(sandbox: Sandbox, client: stripe.StripeClient) -> str:
    """The payment intent of a card whose money is only reserved."""
    return sandbox.control.pay(client.v1.payment_links.create(link_params(**BY_HAND)).url).payment


def paid(sandbox: Sandbox, client: stripe.StripeClient) -> str:
    """The payment intent of a paid link over 49.90 EUR."""
    return sandbox.control.pay(client.v1.payment_links.create(link_params()).url).payment


def test_a_reserved_payment_is_captured_in_part(
    sandbox: Sandbox, client: stripe.StripeClient, listener: Listener
) -> None:
    """Reserved money is not paid; what is captured is, the rest is let go, and only it can be refunded."""
    _ = sandbox.control.register_webhook(listener.url)
    payment = reserved(sandbox, client)
    before = (client.v1.payment_intents.retrieve(payment), sandbox.control.truth())
    captured = client.v1.payment_intents.capture(payment, {"amount_to_capture": 3000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        _ = client.v1.refunds.create({"payment_intent": payment, "amount": 3001})
    _ = client.v1.refunds.create({"payment_intent": payment})
    _ = sandbox.control.flush_webhooks()

    assert (before[0].status, before[0].amount_capturable) == ("requires_capture", 4990)
    assert before[1]["payments"][0]["status"] == "authorised"
    assert before[1]["balance"]["stripe"] == {}
    assert (captured.status, captured.amount_received) == ("succeeded", 3000)
    assert client.v1.checkout.sessions.list().data[0].payment_status == "paid"
    told = [kind for kind in listener.types if not kind.startswith(("payment_link", "refund"))]
    assert told == [
        "checkout.session.completed",
        "payment_intent.amount_capturable_updated",
        "charge.succeeded",
        "charge.captured",
        "payment_intent.succeeded",
        "charge.refunded",
    ]


def test_a_reserved_payment_is_let_go(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """By hand or by the clock; after that it cannot be captured, and a paid one cannot be let go."""
    first, second, other = reserved(sandbox, client), reserved(sandbox, client), paid(sandbox, client)
    cancelled = client.v1.payment_intents.cancel(first)
    _ = sandbox.control.move_clock(timedelta(days=8))
    with pytest.raises(stripe.InvalidRequestError) as too_late:
        _ = client.v1.payment_intents.capture(second)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.payment_intents.cancel(other)

    assert cancelled.status == "canceled"
    assert client.v1.payment_intents.retrieve(second).cancellation_reason == "automatic"
    assert {too_late.value.code, refused.value.code} == {"payment_intent_unexpected_state"}
    assert [one["status"] for one in sandbox.control.truth()["payments"]] == [
        "cancelled",
        "cancelled",
        "paid",
    ]


def test_nothing_is_captured_beyond_the_reservation(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """Too much is refused, and a method whose money comes later is not offered."""
    payment = reserved(sandbox, client)
    link = client.v1.payment_links.create(link_params(**BY_HAND))

    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.payment_intents.capture(payment, {"amount_to_capture": 4991})
    with pytest.raises(SandboxError, match="captured by hand"):
        _ = sandbox.control.pay(link.url, how="delayed")
    assert refused.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("won", "told", "taken"),
    [
        (None, [], 4990 + 2000),
        (True, ["charge.dispute.funds_reinstated", "charge.dispute.closed"], 2000),
        (False, ["charge.dispute.closed"], 4990 + 2000),
    ],
    ids=["open", "won", "lost"],
)
def test_a_dispute(
    sandbox: Sandbox,
    client: stripe.StripeClient,
    listener: Listener,
    won: bool | None,
    told: list[str],
    taken: int,
) -> None:
    """Money and a fee go, the money comes back when won; the charge is marked and cannot be refunded."""
    payment = paid(sandbox, client)
    before = sandbox.control.truth()["balance"]["stripe"]["EUR"]
    _ = sandbox.control.register_webhook(listener.url, events=DISPUTE_EVENTS)
    dispute = sandbox.control.dispute(payment, reason="product_not_received")
    if won is not None:
        _ = sandbox.control.close_dispute(dispute["id"], won=won)
    _ = sandbox.control.flush_webhooks()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _ = client.v1.refunds.create({"payment_intent": payment})

    listed = client.v1.disputes.list({"payment_intent": payment}).data
    entries = client.v1.balance_transactions.list({"type": "adjustment"}).data
    assert before - sandbox.control.truth()["balance"]["stripe"]["EUR"] == taken
    assert listener.types == ["charge.dispute.created", "charge.dispute.funds_withdrawn", *told]
    assert [one.id for one in listed] == [dispute["id"]]
    assert [entry.id for entry in entries][::-1] == [entry.id for entry in listed[0].balance_transactions]
    assert entries[-1].reporting_category == "dispute"
    assert refused.value.code == "charge_disputed"
    status = {None: "open", True: "won", False: "lost"}[won]
    assert sandbox.control.truth()["disputes"][0]["status"] == status


def test_disputes_that_cannot_be(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """An unpaid payment, a second dispute, too much, an unknown reason, and closing twice."""
    link = client.v1.payment_links.create(link_params())
    unpaid = sandbox.control.pay(link.url, how="declined").payment
    payment = paid(sandbox, client)
    with pytest.raises(SandboxError, match="no paid payment"):
        _ = sandbox.control.dispute(unpaid)
    with pytest.raises(SandboxError, match="can be disputed"):
        _ = sandbox.control.dispute(payment, amount=5000)
    with pytest.raises(SandboxError, match="no reason of Stripe's"):
        _ = sandbox.control.dispute(payment, reason="bad mood")
    dispute = sandbox.control.dispute(payment)["id"]
    with pytest.raises(SandboxError, match="disputed already"):
        _ = sandbox.control.dispute(payment)
    _ = sandbox.control.close_dispute(dispute, won=False)
    with pytest.raises(SandboxError, match="is lost"):
        _ = sandbox.control.close_dispute(dispute, won=True)


def test_a_payout_takes_what_waits(sandbox: Sandbox, client: stripe.StripeClient, listener: Listener) -> None:
    """Its transactions are listed by it and add up, its own is among them, and the balance is empty."""
    first, second = paid(sandbox, client), paid(sandbox, client)
    _ = client.v1.refunds.create({"payment_intent": first, "amount": 990})
    _ = sandbox.control.register_webhook(listener.url)
    held = sandbox.control.truth()["balance"]["stripe"]["EUR"]
    payout = sandbox.control.payout()
    _ = sandbox.control.flush_webhooks()
    third = paid(sandbox, client)
    later = sandbox.control.payout("stripe", currency="EUR")

    fetched = client.v1.payouts.retrieve(payout["id"])
    entries = client.v1.balance_transactions.list({"payout": payout["id"]}).data
    assert (fetched.amount, fetched.status, fetched.reconciliation_status) == (held, "paid", "completed")
    assert sum(entry.net for entry in entries) == 0
    assert sorted(entry.type for entry in entries) == ["charge", "charge", "payout", "refund"]
    assert listener.types[:3] == ["payout.created", "payout.paid", "payout.reconciliation_completed"]
    assert [one.id for one in client.v1.payouts.list({"status": "paid"}).data] == [later["id"], payout["id"]]
    assert client.v1.payouts.list({"arrival_date": {"lt": 1}}).data == []
    assert sandbox.control.truth()["balance"]["stripe"] == {"EUR": 0}
    assert {second, third} <= {one["id"] for one in sandbox.control.truth()["payments"]}


@pytest.mark.parametrize("provider", ["stripe", "adyen", "mollie"])
def test_there_is_nothing_to_pay_out_at_first(sandbox: Sandbox, provider: str) -> None:
    """An empty balance is said to be empty; a provider that is not there is named."""
    with pytest.raises(SandboxError):
        _ = sandbox.control.payout(provider)
    with pytest.raises(SandboxError, match="no provider 'paypal'"):
        _ = sandbox.control.payout("paypal")


@pytest.mark.parametrize(
    ("fault", "finish", "told", "status"),
    [
        ("hold", None, [], "pending"),
        ("hold", True, ["refund.updated"], "succeeded"),
        ("hold", False, ["refund.failed", "refund.updated"], "failed"),
        ("refuse", None, ["refund.failed", "refund.updated"], "failed"),
    ],
    ids=["held", "held, then done", "held, then failed", "refused"],
)
def test_a_refund_can_be_held_or_refused(
    sandbox: Sandbox,
    client: stripe.StripeClient,
    listener: Listener,
    fault: str,
    finish: bool | None,
    told: list[str],
    status: str,
) -> None:
    """It is answered as pending; what came of it is told, and a failed one brings the money back."""
    payment = paid(sandbox, client)
    before = sandbox.control.truth()["balance"]
    _ = sandbox.control.register_webhook(listener.url)
    _ = sandbox.control.fault(fault, "stripe.refunds")
    refund = client.v1.refunds.create({"payment_intent": payment})
    if finish is not None:
        _ = sandbox.control.finish(refund.id, succeeded=finish)
    _ = sandbox.control.flush_webhooks()

    assert refund.status == "pending"
    assert listener.types == ["refund.created", "refund.updated", "charge.refunded", *told]
    assert client.v1.refunds.retrieve(refund.id).status == status
    assert (sandbox.control.truth()["balance"] == before) is (status == "failed")
    with pytest.raises(SandboxError, match="is held"):
        _ = sandbox.control.finish("re_none")


def test_the_truth_tells_how_links_stand(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """Open, under way, paid, switched off; a session of its own is a link of its own."""
    make = client.v1.payment_links.create
    opened, later, done, off = (make(link_params()) for _ in range(4))
    _ = sandbox.control.pay(later.url, how="delayed")
    _ = sandbox.control.pay(done.url)
    _ = client.v1.payment_links.update(off.id, {"active": False})
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/",
            "line_items": [
                {
                    "price_data": {"currency": "isk", "unit_amount": 50000, "product_data": {"name": "Ull"}},
                    "quantity": 1,
                }
            ],
        }
    )

    told = {one["id"]: one for one in sandbox.control.truth()["links"]}
    states = [told[one.id]["status"] for one in (opened, later, done, off, session)]
    assert states == ["open", "processing", "paid", "closed", "open"]
    assert (told[session.id]["amount"], told[session.id]["currency"]) == (500, "ISK")
    assert told[opened.id]["reusable"] is False
    _ = client.v1.checkout.sessions.expire(session.id)
    assert sandbox.control.truth()["links"][-1]["status"] == "expired"


def test_the_truth_knows_refunds_and_choice(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    """A refund belongs to its payment; where the payer chooses, the link has no amount and the payment has."""
    product = client.v1.products.create({"name": "Gift"})
    price = client.v1.prices.create(
        {"currency": "eur", "product": product.id, "custom_unit_amount": {"enabled": True}}
    )
    link = client.v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})
    payment = sandbox.control.pay(link.url, amount="20").payment
    _ = sandbox.control.pay(link.url, amount="30", how="declined")
    refund = client.v1.refunds.create({"payment_intent": payment, "amount": 500})

    truth = sandbox.control.truth()
    assert (truth["links"][0]["amount"], truth["links"][0]["reusable"]) == (None, True)
    assert [(one["amount"], one["status"], one["link"]) for one in truth["payments"]] == [
        (2000, "paid", link.id),
        (3000, "failed", link.id),
    ]
    assert truth["refunds"] == [
        {
            "provider": "stripe",
            "id": refund.id,
            "status": "succeeded",
            "amount": 500,
            "currency": "EUR",
            "payment": payment,
        }
    ]
