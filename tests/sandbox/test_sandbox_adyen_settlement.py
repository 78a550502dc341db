"""Adyen's settlement details report in the sandbox: found by its webhook, and adding up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import HMAC_KEY, Shop, items, shop_in
from .sandbox_given import Listener

KEY = {"X-API-Key": "AQEsandboxkey"}
REPORT_USER = {"Authorization": "Basic cnA6cmVwb3J0dXNlcg=="}
FEES = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")


@pytest.fixture
def shop(sandbox: Sandbox, listener: Listener) -> Iterator[Shop]:
    """A merchant before the sandbox, whose endpoint is told everything."""
    _ = sandbox.control.register_webhook(listener.url, provider="adyen", secret=HMAC_KEY)
    with shop_in(sandbox) as opened:
        yield opened


def rows_of(url: str) -> list[dict[str, Any]]:
    """The rows of a report, amounts as numbers (nothing is zero)."""
    reply = httpx.get(url, headers=KEY)
    assert reply.status_code == 200
    return [
        {name: Decimal(value or 0) if name.endswith("C)") else value for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(reply.text))
    ]


def test_a_batch_adds_up(shop: Shop, listener: Listener) -> None:
    """Gross less fees is net in every row, all rows add up to nothing, and the payout is what they leave."""
    control = shop.sandbox.control
    card = control.pay(shop.link()["url"]).payment
    bank = control.pay(shop.link(countryCode="NL")["url"], method="ideal").payment
    _ = shop.change(card, "refunds", 990, reference="AV-1")
    dispute = control.dispute(bank, amount=1000)["id"]
    _ = control.close_dispute(dispute, won=True)
    held = control.truth()["balance"]["adyen"]["EUR"]
    payout = control.payout("adyen")
    _ = control.flush_webhooks()

    told = items(listener)[-1]
    rows = rows_of(told["reason"])
    net = [row["Net Credit (NC)"] - row["Net Debit (NC)"] for row in rows]
    for row, netted in zip(rows, net, strict=True):
        if row["Psp Reference"]:
            gross = row["Gross Credit (GC)"] - row["Gross Debit (GC)"]
            assert gross - sum(row[name] for name in FEES) == netted
    assert [row["Type"] for row in rows] == [
        "Settled",
        "Settled",
        "Refunded",
        "Chargeback",
        "ChargebackReversed",
        "Fee",
        "MerchantPayout",
    ]
    assert sum(net) == 0
    assert Decimal(payout["amount"]["value"]) == -net[-1] * 100
    assert payout["amount"]["value"] == held - 20
    assert (rows[2]["Psp Reference"], rows[2]["Modification Merchant Reference"]) == (card, "AV-1")
    assert {row["Batch Number"] for row in rows} == {"1"}
    assert control.truth()["balance"]["adyen"] == {"EUR": 0}
    assert (told["eventCode"], told["pspReference"]) == ("REPORT_AVAILABLE", payout["fileName"])


def test_a_batch_holds_what_came_since_the_last(shop: Shop) -> None:
    """Each movement is in one report only, and a report is per currency."""
    control = shop.sandbox.control
    first = control.pay(shop.link()["url"]).payment
    one = control.payout("adyen")
    second = control.pay(shop.link(amount={"currency": "JPY", "value": 5000})["url"]).payment
    third = control.pay(shop.link()["url"]).payment
    two, three = control.payout("adyen", currency="EUR"), control.payout("adyen")

    of = [{row["Psp Reference"] for row in rows_of(batch["url"])} - {""} for batch in (one, two, three)]
    assert of == [{first}, {third}, {second}]
    assert [batch["batch"] for batch in (one, two, three)] == [1, 2, 3]
    with pytest.raises(SandboxError, match="Nothing waits"):
        _ = control.payout("adyen")


def test_nothing_is_paid_out_of_a_debt(shop: Shop) -> None:
    """A balance below zero waits, and its movements with it."""
    control = shop.sandbox.control
    payment = control.pay(shop.link()["url"]).payment
    _ = shop.change(payment, "refunds", 4990)
    with pytest.raises(SandboxError, match="nothing is paid out"):
        _ = control.payout("adyen")
    later = control.pay(shop.link()["url"]).payment

    rows = rows_of(control.payout("adyen")["url"])
    assert {row["Psp Reference"] for row in rows} == {payment, later, ""}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong-key"}, 401),
        (KEY, 200),
        (REPORT_USER, 200),
    ],
    ids=["nobody", "wrong key", "key", "report user"],
)
def test_a_report_is_not_for_everybody(shop: Shop, headers: dict[str, str], status: int) -> None:
    """It opens to a key or to a report user; one that is not there is a 404."""
    _ = shop.sandbox.control.pay(shop.link()["url"])
    url = shop.sandbox.control.payout("adyen")["url"]

    assert httpx.get(url, headers=headers).status_code == status
    assert httpx.get(url.replace("_1.csv", "_2.csv"), headers=KEY).status_code == 404
