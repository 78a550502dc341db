"""Payment links of the sandbox's Mollie half: what is taken, what is refused, what can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .mollie_given import address, calling, euros, fault_of, link_body, made

LINE = {"description": "Logo", "quantity": 2, "unitPrice": euros("24.95"), "totalAmount": euros("49.90")}
CUT = {
    "description": "Less",
    "quantity": 1,
    "type": "discount",
    "unitPrice": euros("-10.00"),
    "totalAmount": euros("-10.00"),
}


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


def test_only_the_description_is_required(sandbox: Sandbox, api: httpx.Client) -> None:
    """A link without anything else lets the payer type the amount, for ever, once."""
    link = api.post("payment-links", json={"description": "Gift"}).json()

    attempt = sandbox.control.pay(address(link), amount="12,5")

    assert (link["amount"], link["expiresAt"], link["reusable"]) == (None, None, False)
    payment = api.get(f"payments/{attempt.payment}").json()
    assert payment["amount"] == euros("12.50")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"description": None}, "description", id="description-null"),
        pytest.param({"description": 5}, "description", id="description-number"),
        pytest.param({"billingAddress": "Paris"}, "billingAddress", id="address-text"),
        pytest.param({"allowedMethods": "ideal"}, "allowedMethods", id="methods-text"),
        pytest.param({"description": "x" * 256}, "description", id="description-long"),
        pytest.param({"metadata": {"a": "b"}}, "metadata", id="metadata"),
        pytest.param({"locale": "fr_FR"}, "locale", id="locale"),
        pytest.param({"cancelUrl": "https://shop.example"}, "cancelUrl", id="cancel-url"),
        pytest.param({"profileId": "pfl_x"}, "profileId", id="profile-with-key"),
        pytest.param({"testmode": True}, "testmode", id="testmode-with-key"),
        pytest.param({"archived": True}, "archived", id="archived"),
        pytest.param({"amount": {"currency": "EUR", "value": 49.9}}, "amount", id="number"),
        pytest.param({"amount": euros("49.9")}, "amount", id="one-decimal"),
        pytest.param({"amount": euros("49.900")}, "amount", id="three-decimals"),
        pytest.param({"amount": euros("-1.00")}, "amount", id="negative"),
        pytest.param({"amount": euros("0.00")}, "amount", id="nothing"),
        pytest.param({"amount": {"currency": "JPY", "value": "100.00"}}, "amount", id="yen-with-decimals"),
        pytest.param({"amount": {"currency": "EUR"}}, "amount", id="no-value"),
        pytest.param({"amount": {"currency": "XYZ", "value": "1.00"}}, "amount", id="no-currency"),
        pytest.param({"amount": euros("1000000.01")}, "amount", id="too-much"),
        pytest.param({"minimumAmount": euros("1.00")}, "minimumAmount", id="minimum-with-amount"),
        pytest.param({"redirectUrl": "/thanks"}, "redirectUrl", id="redirect"),
        pytest.param({"webhookUrl": "ftp://shop.example"}, "webhookUrl", id="webhook"),
        pytest.param({"reusable": "true"}, "reusable", id="reusable-text"),
        pytest.param({"expiresAt": "2030-01-02"}, "expiresAt", id="expiry-without-offset"),
        pytest.param({"expiresAt": "soon"}, "expiresAt", id="expiry-no-moment"),
        pytest.param({"sequenceType": "first"}, "sequenceType", id="mandate"),
        pytest.param({"billingAddress": None}, "billingAddress", id="address-null"),
        pytest.param({"billingAddress": {"city": "Paris"}}, "billingAddress", id="address-half"),
        pytest.param(
            {"billingAddress": {"email": "a@example.com", "familyName": "12"}},
            "billingAddress.familyName",
            id="name-of-digits",
        ),
        pytest.param(
            {"shippingAddress": {"email": "a@example.com", "phone": "0612345678"}},
            "shippingAddress.phone",
            id="phone",
        ),
        pytest.param(
            {"lines": [{**LINE, "totalAmount": euros("49.89")}]}, "lines.0.totalAmount", id="line-total"
        ),
        pytest.param({"lines": [{**LINE, "quantity": 0}]}, "lines.0.quantity", id="line-quantity"),
        pytest.param({"lines": [LINE, LINE]}, "lines", id="lines-sum"),
        pytest.param({"amount": None, "lines": [LINE]}, "lines", id="lines-without-amount"),
        pytest.param(
            {"lines": [{**LINE, "vatRate": "20.00", "vatAmount": euros("8.31")}]},
            "lines.0.vatAmount",
            id="line-vat",
        ),
        pytest.param({"lines": [{**LINE, "vatRate": "20.00"}]}, "lines.0.vatRate", id="line-vat-half"),
        pytest.param(
            {"lines": [{**LINE, "unitPrice": {"currency": "USD", "value": "24.95"}}]},
            "lines.0.unitPrice",
            id="line-currency",
        ),
        pytest.param({"lines": [LINE, {**CUT, "type": "tip"}]}, "lines.1.unitPrice", id="line-sign"),
    ],
)
def test_what_mollie_does_not_take_is_a_422(api: httpx.Client, changes: dict[str, Any], field: str) -> None:
    """The field is named, and nothing is made."""
    reply = api.post("payment-links", json=link_body(**changes))

    assert fault_of(reply) == (422, field)
    assert api.get("payment-links").json()["count"] == 0


def test_lines_that_add_up_are_kept(api: httpx.Client) -> None:
    """With a VAT amount to the cent, a discount on the line, and a line below zero."""
    lines = [
        {**LINE, "vatRate": "20.00", "vatAmount": euros("8.32")},
        {**LINE, "quantity": 1, "discountAmount": euros("4.95"), "totalAmount": euros("20.00")},
        CUT,
    ]

    link = made(api, amount=euros("59.90"), lines=lines)

    assert link["lines"] == lines


def test_times_are_kept_in_utc(api: httpx.Client) -> None:
    """Whatever the offset was."""
    link = made(api, expiresAt="2030-01-02T03:04:05.678+02:00")

    assert link["expiresAt"] == "2030-01-02T01:04:05+00:00"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"amount": euros("1.00")}, id="amount"),
        pytest.param({"expiresAt": "2030-01-02T03:04:05Z"}, id="expiry"),
        pytest.param({"reusable": True}, id="reusable"),
        pytest.param({"redirectUrl": "https://shop.example"}, id="redirect"),
        pytest.param({"webhookUrl": "https://shop.example"}, id="webhook"),
        pytest.param({"minimumAmount": None}, id="minimum-null"),
        pytest.param({"lines": [{**LINE, "quantity": 1, "totalAmount": euros("24.95")}]}, id="lines-sum"),
        pytest.param({}, id="empty"),
    ],
)
def test_what_cannot_be_changed_is_refused(api: httpx.Client, change: dict[str, Any]) -> None:
    """The link stays as it was."""
    link = made(api)

    reply = api.patch(f"payment-links/{link['id']}", json=change)

    assert fault_of(reply)[0] == 422
    assert api.get(f"payment-links/{link['id']}").json() == link


def test_an_archived_link_takes_no_money_and_can_come_back(sandbox: Sandbox, api: httpx.Client) -> None:
    """Archiving closes the page; what was under way elsewhere can still come."""
    link = made(api)
    path = f"payment-links/{link['id']}"

    archived = api.patch(path, json={"archived": True, "description": "Over"}).json()
    with pytest.raises(SandboxError, match="no longer available"):
        _ = sandbox.control.pay(address(link))
    late = sandbox.control.pay(address(link), although_closed=True)

    assert (archived["archived"], archived["description"]) == (True, "Over")
    assert late.payment_status == "paid"
    assert api.patch(path, json={"archived": False}).json()["archived"] is False


def test_a_link_expires_by_the_sandboxs_clock(sandbox: Sandbox, api: httpx.Client) -> None:
    """Nothing is told and nothing changes on the link: it is only late."""
    link = made(api, expiresAt=(sandbox.control.now() + timedelta(hours=1)).isoformat())
    before = httpx.get(address(link)).status_code

    _ = sandbox.control.move_clock(timedelta(hours=1, seconds=1))

    assert (before, httpx.get(address(link)).status_code) == (200, 410)
    assert api.get(f"payment-links/{link['id']}").json() == link
    assert sandbox.control.truth()["links"][0]["status"] == "expired"


def test_only_a_link_that_nobody_opened_is_deleted(sandbox: Sandbox, api: httpx.Client) -> None:
    """Looked at, or with a payment, it stays."""
    fresh, opened, tried = made(api), made(api), made(api)
    _ = httpx.get(address(opened))
    _ = sandbox.control.pay(address(tried), how="declined")

    replies = [api.delete(f"payment-links/{link['id']}") for link in (fresh, opened, tried)]

    assert [reply.status_code for reply in replies] == [204, 422, 422]
    assert replies[0].content == b""
    assert api.get(f"payment-links/{fresh['id']}").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param({"limit": "0"}, "limit", id="limit-0"),
        pytest.param({"limit": "251"}, "limit", id="limit-251"),
        pytest.param({"limit": "ten"}, "limit", id="limit-word"),
        pytest.param({"from": "pl_none"}, "from", id="cursor"),
        pytest.param({"status": "open"}, "status", id="filter"),
        pytest.param({"testmode": "true"}, "testmode", id="testmode-with-key"),
    ],
)
def test_a_list_is_asked_for_in_the_right_way(api: httpx.Client, query: dict[str, str], field: str) -> None:
    """A fault in the query is a 400."""
    assert fault_of(api.get("payment-links", params=query)) == (400, field)


def test_a_cursor_of_another_link_is_refused(sandbox: Sandbox, api: httpx.Client) -> None:
    """The payments of one link do not begin at a payment of another."""
    one, other = made(api), made(api)
    payment = sandbox.control.pay(address(one)).payment

    reply = api.get(f"payment-links/{other['id']}/payments", params={"from": payment})

    assert fault_of(reply) == (400, "from")


def test_the_payments_of_a_link_are_sorted_as_asked(sandbox: Sandbox, api: httpx.Client) -> None:
    """Newest first, or oldest first, from a payment on."""
    link = made(api, reusable=True)
    paid = [sandbox.control.pay(address(link)).payment for _ in range(3)]
    path = f"payment-links/{link['id']}/payments"

    def ids(**query: str) -> list[str]:
        return [one["id"] for one in api.get(path, params=query).json()["_embedded"]["payments"]]

    assert ids() == paid[::-1]
    assert ids(sort="asc") == paid
    assert ids(sort="asc", **{"from": paid[1]}) == paid[1:]
    assert api.get(path, params={"sort": "asc", "from": paid[1]}).json()["_links"]["previous"] is not None
