"""Refunds and chargebacks of the sandbox's Mollie half."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .mollie_given import address, calling, euros, fault_of, made


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


@pytest.fixture
def paid(sandbox: Sandbox, api: httpx.Client) -> str:
    """A payment of 49.90 EUR."""
    return sandbox.control.pay(address(made(api))).payment


def refunded(api: httpx.Client, payment: str, value: str, **more: Any) -> Any:
    """A fresh refund."""
    reply = api.post(f"payments/{payment}/refunds", json={"amount": euros(value), **more})
    assert reply.status_code == 201, reply.text
    return reply.json()


def status(api: httpx.Client, refund: Any) -> str:
    """Where a refund is now."""
    return str(api.get(f"payments/{refund['paymentId']}/refunds/{refund['id']}").json()["status"])


def test_a_refund_goes_its_way_by_the_clock(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """Pending, at the bank, with the payer; the payment stays paid and counts from the first moment."""
    refund = refunded(api, paid, "10.00", description="Returned", metadata={"n": 1})
    seen = [status(api, refund)]
    for hours in (1, 24):
        _ = sandbox.control.move_clock(timedelta(hours=hours, seconds=1))
        seen.append(status(api, refund))

    payment = api.get(f"payments/{paid}").json()
    assert seen == ["pending", "processing", "refunded"]
    assert (refund["description"], refund["metadata"]) == ("Returned", {"n": 1})
    assert payment["status"] == "paid"
    assert (payment["amountRefunded"], payment["amountRemaining"]) == (euros("10.00"), euros("39.90"))


def test_parts_never_make_more_than_the_whole(api: httpx.Client, paid: str) -> None:
    """Up to what remains, to the cent."""
    _ = refunded(api, paid, "40.00")

    reply = api.post(f"payments/{paid}/refunds", json={"amount": euros("9.91")})

    assert fault_of(reply) == (422, "amount")
    assert refunded(api, paid, "9.90")["amount"] == euros("9.90")


def test_two_equal_refunds_in_a_moment_are_a_mistake(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """409; another amount, or a minute later, is fine; one that was cancelled does not count."""
    first = refunded(api, paid, "5.00")

    twice = api.post(f"payments/{paid}/refunds", json={"amount": euros("5.00")})
    _ = refunded(api, paid, "5.01")
    _ = sandbox.control.move_clock(timedelta(seconds=61))
    later = refunded(api, paid, "5.00")
    _ = api.delete(f"payments/{paid}/refunds/{later['id']}")
    again = refunded(api, paid, "5.00")

    assert fault_of(twice) == (409, None)
    assert len({first["id"], later["id"], again["id"]}) == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "amount", id="no-amount"),
        pytest.param({"amount": {"currency": "USD", "value": "5.00"}}, "amount", id="currency"),
        pytest.param({"amount": euros("5")}, "amount", id="decimals"),
        pytest.param({"amount": euros("5.00"), "reference": "x"}, "reference", id="unknown"),
        pytest.param({"amount": euros("5.00"), "metadata": "x" * 1100}, "metadata", id="metadata-long"),
    ],
)
def test_a_wrong_refund_is_refused(api: httpx.Client, paid: str, body: dict[str, Any], field: str) -> None:
    """The field is named."""
    assert fault_of(api.post(f"payments/{paid}/refunds", json=body)) == (422, field)


def test_only_paid_money_goes_back(sandbox: Sandbox, api: httpx.Client) -> None:
    """Neither what is under way nor what failed."""
    pending = sandbox.control.pay(address(made(api)), how="delayed").payment

    assert api.post(f"payments/{pending}/refunds", json={"amount": euros("5.00")}).status_code == 422


def test_a_waiting_refund_can_be_cancelled(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """The payment has its money again; once the bank has the refund, it is too late."""
    early, late = refunded(api, paid, "10.00"), refunded(api, paid, "11.00")
    path = f"payments/{paid}/refunds/"

    cancelled = api.delete(path + early["id"])
    _ = sandbox.control.move_clock(timedelta(hours=2))
    refused = api.delete(path + late["id"])

    assert (cancelled.status_code, cancelled.content, refused.status_code) == (204, b"", 422)
    assert status(api, early) == "canceled"
    assert api.get(f"payments/{paid}").json()["amountRemaining"] == euros("38.90")


def test_a_refund_waits_longer_where_the_balance_is_empty(
    sandbox: Sandbox, api: httpx.Client, paid: str
) -> None:
    """After a payout it is queued for an hour first."""
    _ = sandbox.control.payout("mollie")

    refund = refunded(api, paid, "10.00")
    _ = sandbox.control.move_clock(timedelta(hours=1, seconds=1))
    later = status(api, refund)
    _ = sandbox.control.move_clock(timedelta(days=2))

    assert (refund["status"], later, status(api, refund)) == ("queued", "pending", "refunded")


@pytest.mark.parametrize("days", [0, 3], ids=["before", "after"])
def test_a_refund_can_fail(sandbox: Sandbox, api: httpx.Client, paid: str, days: int) -> None:
    """Before or after it was with the payer, the money is the merchant's again, less the fee that was taken."""
    before = sandbox.control.truth()["balance"]["mollie"]["EUR"]
    refund = refunded(api, paid, "10.00")
    _ = sandbox.control.move_clock(timedelta(days=days))

    failed = sandbox.control.fail_refund(refund["id"])

    after = sandbox.control.truth()
    assert (failed["status"], status(api, refund)) == ("failed", "failed")
    assert api.get(f"payments/{paid}").json()["amountRemaining"] == euros("49.90")
    assert after["balance"]["mollie"]["EUR"] == before - (25 if days else 0)
    assert after["refunds"][0]["status"] == "failed"
    with pytest.raises(SandboxError):
        _ = sandbox.control.fail_refund(refund["id"])


@pytest.mark.parametrize(("kind", "end"), [("hold", "processing"), ("refuse", "failed")])
def test_faults_change_the_way_of_a_refund(
    sandbox: Sandbox, api: httpx.Client, paid: str, kind: str, end: str
) -> None:
    """Held, it waits for `finish`; refused, it fails at the bank."""
    _ = sandbox.control.fault(kind, "mollie.refunds")
    refund = refunded(api, paid, "10.00")
    _ = sandbox.control.move_clock(timedelta(days=30))

    assert status(api, refund) == ("pending" if kind == "hold" else end)
    if kind == "hold":
        with pytest.raises(SandboxError):
            _ = sandbox.control.finish("re_none")
        assert sandbox.control.finish(refund["id"])["status"] == "refunded"


def test_refunds_are_found_under_their_payment_only(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """Another payment does not know them; the list of all does."""
    other = sandbox.control.pay(address(made(api))).payment
    refund = refunded(api, paid, "10.00")

    assert api.get(f"payments/{other}/refunds/{refund['id']}").status_code == 404
    assert api.get(f"payments/{other}/refunds").json()["count"] == 0
    assert [one["id"] for one in api.get("refunds").json()["_embedded"]["refunds"]] == [refund["id"]]


def test_a_chargeback_takes_what_is_left(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """The payment says so and nothing remains; won, all is as before but for the fee."""
    refund = refunded(api, paid, "10.00")
    _ = sandbox.control.finish(refund["id"])
    before = sandbox.control.truth()["balance"]["mollie"]["EUR"]

    chargeback = sandbox.control.dispute(paid)
    contested = api.get(f"payments/{paid}").json()
    taken = sandbox.control.truth()["balance"]["mollie"]["EUR"]
    reversed_ = sandbox.control.close_dispute(chargeback["id"], won=True)
    after = api.get(f"payments/{paid}").json()

    assert chargeback["amount"] == contested["amountChargedBack"] == euros("39.90")
    assert contested["amountRemaining"] == euros("0.00")
    assert (chargeback["reason"], chargeback["reversedAt"]) == (None, None)
    assert taken == before - 3990 - 1500
    assert reversed_["reversedAt"]
    assert "amountChargedBack" not in after
    assert after["amountRemaining"] == euros("39.90")
    assert sandbox.control.truth()["balance"]["mollie"]["EUR"] == before - 1500
    assert sandbox.control.truth()["disputes"][0]["status"] == "won"


def test_a_chargeback_is_closed_once(sandbox: Sandbox, api: httpx.Client, paid: str) -> None:
    """Lost, it stays as it is; part of a payment can be contested, more than is left cannot."""
    with pytest.raises(SandboxError, match="no such amount"):
        _ = sandbox.control.dispute(paid, amount=4991)
    chargeback = sandbox.control.dispute(paid, amount=1000)

    lost = sandbox.control.close_dispute(chargeback["id"], won=False)

    other = sandbox.control.pay(address(made(api))).payment
    assert lost == chargeback
    assert api.get(f"payments/{other}/chargebacks/{lost['id']}").status_code == 404
    assert sandbox.control.truth()["disputes"][0]["status"] == "lost"
    assert [one["id"] for one in api.get("chargebacks").json()["_embedded"]["chargebacks"]] == [lost["id"]]
    with pytest.raises(SandboxError, match="closed already"):
        _ = sandbox.control.close_dispute(chargeback["id"], won=True)
    with pytest.raises(SandboxError, match="no dispute"):
        _ = sandbox.control.close_dispute("chb_none", won=True)
    with pytest.raises(SandboxError, match="no paid payment"):
        _ = sandbox.control.dispute(sandbox.control.pay(address(made(api)), how="delayed").payment)
