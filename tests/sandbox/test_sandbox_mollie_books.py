"""The money of the sandbox's Mollie half: fees, conversion, balance and settlements add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .mollie_given import address, calling, euros, made, reading


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


def cents(given: Any) -> int:
    """An amount in cents."""
    assert given["currency"] == "EUR"
    return int(Decimal(given["value"]) * 100)


def entries(sandbox: Sandbox) -> list[Any]:
    """Every movement, oldest first."""
    return list(reading(sandbox, "balances/primary/transactions")["_embedded"]["balance_transactions"][::-1])


def a_month(sandbox: Sandbox, api: httpx.Client) -> dict[str, str]:
    """Payments by several methods and in several currencies, a refund that fails, one that does not, a chargeback."""
    link = made(api, reusable=True)
    card, ideal = (
        sandbox.control.pay(address(link), method=name).payment for name in ("creditcard", "ideal")
    )
    slow = sandbox.control.pay(address(link), how="delayed").payment
    _ = sandbox.control.settle(slow)
    foreign = sandbox.control.pay(address(made(api, amount={"currency": "JPY", "value": "10001"}))).payment
    for payment, value in (
        (card, euros("10.00")),
        (ideal, euros("5.55")),
        (foreign, {"currency": "JPY", "value": "1"}),
    ):
        _ = api.post(f"payments/{payment}/refunds", json={"amount": value})
    _ = sandbox.control.move_clock(timedelta(days=2))
    failed = api.get(f"payments/{ideal}/refunds").json()["_embedded"]["refunds"][0]["id"]
    _ = sandbox.control.fail_refund(failed)
    _ = sandbox.control.dispute(slow)
    return {"card": card, "ideal": ideal, "slow": slow, "foreign": foreign}


def test_every_movement_adds_up_and_so_does_the_balance(sandbox: Sandbox, api: httpx.Client) -> None:
    """Result is initial and deductions; the balance is the sum of results, also in the words all vendors share."""
    _ = a_month(sandbox, api)

    movements = entries(sandbox)
    balance = reading(sandbox, "balances/primary")

    for entry in movements:
        kept = cents(entry["deductions"]) if entry["deductions"] else 0
        assert cents(entry["resultAmount"]) == cents(entry["initialAmount"]) + kept
        assert kept <= 0
        if kept:
            assert entry["deductionDetails"] == {"fees": entry["deductions"]}
    total = sum(cents(entry["resultAmount"]) for entry in movements)
    assert cents(balance["availableAmount"]) == total == sandbox.control.truth()["balance"]["mollie"]["EUR"]
    assert {entry["type"] for entry in movements} == {"payment", "refund", "returned-refund", "chargeback"}


@pytest.mark.parametrize(
    ("method", "fee"),
    [("creditcard", "-1.15"), ("ideal", "-0.32"), ("bancontact", "-0.39"), ("banktransfer", "-0.25")],
)
def test_each_method_has_its_fee(sandbox: Sandbox, api: httpx.Client, method: str, fee: str) -> None:
    """Of 49.90 EUR: a fixed part, and for cards a share."""
    payment = sandbox.control.pay(address(made(api)), method=method).payment
    if method == "banktransfer":
        _ = sandbox.control.settle(payment)

    (entry,) = entries(sandbox)

    assert entry["deductions"] == euros(fee)
    assert entry["context"] == {"paymentId": payment}


def test_a_fee_never_takes_more_than_came(sandbox: Sandbox, api: httpx.Client) -> None:
    """Of ten cents nothing is left."""
    _ = sandbox.control.pay(address(made(api, amount=euros("0.10"))))

    assert entries(sandbox)[0]["resultAmount"] == euros("0.00")


def test_another_currency_comes_as_euros(sandbox: Sandbox, api: httpx.Client) -> None:
    """At a fixed rate, to the cent, and goes back at the same; the parts of a whole leave nothing over."""
    link = made(api, amount={"currency": "JPY", "value": "10001"})
    payment = sandbox.control.pay(address(link)).payment
    for value in ("3333", "3334", "3334"):
        _ = sandbox.control.move_clock(timedelta(seconds=61))
        asked = {"amount": {"currency": "JPY", "value": value}}
        refund = api.post(f"payments/{payment}/refunds", json=asked)
        assert refund.status_code == 201, refund.text
        _ = sandbox.control.finish(refund.json()["id"])

    came, *went = entries(sandbox)

    shown = api.get(f"payments/{payment}").json()
    assert came["initialAmount"] == shown["settlementAmount"] == euros("58.01")
    assert shown["amountRemaining"] == {"currency": "JPY", "value": "0"}
    assert sum(cents(entry["initialAmount"]) for entry in went) == -5801


def test_a_settlement_is_what_its_parts_say(sandbox: Sandbox, api: httpx.Client) -> None:
    """Amount, transfer, listed objects and periods tell the same story, and the balance is empty after."""
    paid = a_month(sandbox, api)
    before = sandbox.control.truth()["balance"]["mollie"]["EUR"]

    settlement = sandbox.control.payout("mollie")

    (listed,) = reading(sandbox, "settlements")["_embedded"]["settlements"]
    transfer = entries(sandbox)[-1]
    assert listed == settlement == reading(sandbox, f"settlements/{settlement['id']}")
    assert cents(settlement["amount"]) == before == -cents(transfer["resultAmount"])
    assert transfer["type"] == "outgoing-transfer"
    assert transfer["context"]["settlementId"] == settlement["id"]
    assert sandbox.control.truth()["balance"]["mollie"]["EUR"] == 0
    periods = [month for year in settlement["periods"].values() for month in year.values()]
    revenue = sum(Decimal(line["amountGross"]["value"]) for period in periods for line in period["revenue"])
    costs = sum(Decimal(line["amountGross"]["value"]) for period in periods for line in period["costs"])
    assert revenue - costs == Decimal(settlement["amount"]["value"])
    path = f"settlements/{settlement['id']}"
    shown = reading(sandbox, f"{path}/payments")["_embedded"]["payments"]
    assert {one["id"] for one in shown} == set(paid.values())
    assert {one["settlementId"] for one in shown} == {settlement["id"]}
    assert reading(sandbox, f"{path}/refunds")["count"] == 3
    assert reading(sandbox, f"{path}/chargebacks")["count"] == 1


def test_the_next_settlement_holds_what_came_since(sandbox: Sandbox, api: httpx.Client) -> None:
    """Nothing of the last one; what is reversed later moves the balance and leaves the old lists alone."""
    first_payment = sandbox.control.pay(address(made(api))).payment
    _ = sandbox.control.pay(address(made(api, amount=euros("100.00"))))
    chargeback = sandbox.control.dispute(first_payment)
    first = sandbox.control.payout("mollie")
    _ = sandbox.control.close_dispute(chargeback["id"], won=True)
    _ = sandbox.control.pay(address(made(api)))

    second = sandbox.control.payout("mollie")

    assert [one["id"] for one in reading(sandbox, "settlements")["_embedded"]["settlements"]] == [
        second["id"],
        first["id"],
    ]
    assert reading(sandbox, f"settlements/{first['id']}/payments")["count"] == 2
    assert reading(sandbox, f"settlements/{first['id']}/chargebacks")["count"] == 1
    assert reading(sandbox, f"settlements/{second['id']}/payments")["count"] == 1
    assert reading(sandbox, f"settlements/{second['id']}/chargebacks")["count"] == 0
    assert cents(second["amount"]) == 4990 + 4990 - 115


def test_nothing_is_not_paid_out(sandbox: Sandbox, api: httpx.Client) -> None:
    """Neither an empty balance, nor one below zero, nor another currency's."""
    with pytest.raises(SandboxError, match="Nothing waits"):
        _ = sandbox.control.payout("mollie")
    _ = sandbox.control.dispute(sandbox.control.pay(address(made(api))).payment)
    with pytest.raises(SandboxError, match="Nothing waits"):
        _ = sandbox.control.payout("mollie")
    with pytest.raises(SandboxError, match="Nothing waits"):
        _ = sandbox.control.payout("mollie", currency="USD")


def test_there_is_one_balance(sandbox: Sandbox) -> None:
    """In euros, by its id or as ``primary``; another is not there."""
    (balance,) = reading(sandbox, "balances")["_embedded"]["balances"]

    assert balance["id"].startswith("bal_")
    assert reading(sandbox, f"balances/{balance['id']}") == balance
    assert reading(sandbox, "balances", currency="USD")["count"] == 0
    with calling(sandbox, "access_sandbox") as organisation:
        assert organisation.get("balances/bal_other", params={"testmode": "true"}).status_code == 404
        wrong = organisation.get("balances", params={"testmode": "true", "from": "bal_other"})
        assert wrong.status_code == 400
