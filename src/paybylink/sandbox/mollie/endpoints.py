"""
Every endpoint of the Mollie half: its name, its place, its action, and whose credentials it takes.

Source: Mollie's OpenAPI document, `security` and the parameters `profileId` and `testmode` of each operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import frozen

from paybylink.sandbox.engine import Document
from paybylink.sandbox.mollie import (
    account,
    balances,
    chargebacks,
    events,
    invoices,
    links,
    methods,
    payments,
    refunds,
    settlements,
)
from paybylink.sandbox.mollie.call import Call

Action: TypeAlias = Callable[[Call], Document]


@frozen
class Endpoint:
    """
    Attributes:
        name: what faults know it by, after ``mollie.``.
        method, path: where it is.
        action: what it does.
        opens_to: API keys, organisation tokens, or both.
        moded: whether a token must say that it means test mode.
        profiled: whether a token must say, may say, or need not say which profile it means.
    """

    name: str
    method: str
    path: str
    action: Action
    opens_to: Literal["both", "keys", "tokens"] = "both"
    moded: bool = True
    profiled: Literal["must", "may", "no"] = "no"


_LINK, _PAYMENT, _INVOICE = (
    "/v2/payment-links/{link}",
    "/v2/payments/{payment}",
    "/v2/sales-invoices/{invoice}",
)
_BALANCE, _SETTLEMENT = "/v2/balances/{balance}", "/v2/settlements/{settlement}"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("payment_links.create", "POST", "/v2/payment-links", links.create, profiled="must"),
    Endpoint("payment_links.list", "GET", "/v2/payment-links", links.index),
    Endpoint("payment_links.fetch", "GET", _LINK, links.fetch),
    Endpoint("payment_links.update", "PATCH", _LINK, links.update),
    Endpoint("payment_links.delete", "DELETE", _LINK, links.delete),
    Endpoint("payment_links.payments", "GET", f"{_LINK}/payments", links.index_payments),
    Endpoint("payments.list", "GET", "/v2/payments", payments.index, profiled="may"),
    Endpoint("payments.fetch", "GET", _PAYMENT, payments.fetch),
    Endpoint("refunds.create", "POST", f"{_PAYMENT}/refunds", refunds.create),
    Endpoint("refunds.list", "GET", "/v2/refunds", refunds.index, profiled="may"),
    Endpoint("refunds.of_payment", "GET", f"{_PAYMENT}/refunds", refunds.index_of_payment),
    Endpoint("refunds.fetch", "GET", f"{_PAYMENT}/refunds/{{refund}}", refunds.fetch),
    Endpoint("refunds.cancel", "DELETE", f"{_PAYMENT}/refunds/{{refund}}", refunds.cancel),
    Endpoint("chargebacks.list", "GET", "/v2/chargebacks", chargebacks.index, profiled="may"),
    Endpoint("chargebacks.of_payment", "GET", f"{_PAYMENT}/chargebacks", chargebacks.index_of_payment),
    Endpoint("chargebacks.fetch", "GET", f"{_PAYMENT}/chargebacks/{{chargeback}}", chargebacks.fetch),
    Endpoint("methods.list", "GET", "/v2/methods", methods.index, profiled="must"),
    Endpoint("methods.fetch", "GET", "/v2/methods/{method}", methods.fetch, profiled="must"),
    Endpoint("sales_invoices.create", "POST", "/v2/sales-invoices", invoices.create, profiled="must"),
    Endpoint("sales_invoices.list", "GET", "/v2/sales-invoices", invoices.index),
    Endpoint("sales_invoices.fetch", "GET", _INVOICE, invoices.fetch),
    Endpoint("sales_invoices.update", "PATCH", _INVOICE, invoices.update),
    Endpoint("sales_invoices.delete", "DELETE", _INVOICE, invoices.delete),
    Endpoint("balances.list", "GET", "/v2/balances", balances.index, "tokens"),
    Endpoint("balances.fetch", "GET", _BALANCE, balances.fetch, "tokens"),
    Endpoint("balances.transactions", "GET", f"{_BALANCE}/transactions", balances.index_entries, "tokens"),
    Endpoint("settlements.list", "GET", "/v2/settlements", settlements.index, "tokens", moded=False),
    Endpoint("settlements.fetch", "GET", _SETTLEMENT, settlements.fetch, "tokens", moded=False),
    Endpoint(
        "settlements.payments",
        "GET",
        f"{_SETTLEMENT}/payments",
        settlements.index_payments,
        "tokens",
        moded=False,
    ),
    Endpoint(
        "settlements.refunds",
        "GET",
        f"{_SETTLEMENT}/refunds",
        settlements.index_refunds,
        "tokens",
        moded=False,
    ),
    Endpoint(
        "settlements.chargebacks",
        "GET",
        f"{_SETTLEMENT}/chargebacks",
        settlements.index_chargebacks,
        "tokens",
        moded=False,
    ),
    Endpoint("events.fetch", "GET", "/v2/events/{event}", events.fetch, "tokens"),
    Endpoint(
        "organisation.fetch", "GET", "/v2/organizations/me", account.organisation, "tokens", moded=False
    ),
    Endpoint("profile.fetch", "GET", "/v2/profiles/me", account.profile, "keys"),
)
