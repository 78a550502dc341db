"""Adyen's payment links in the sandbox: what is taken, what is refused, how they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .adyen_given import ACCOUNT, Shop, euros, shop_in


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    """A merchant before the sandbox."""
    with shop_in(sandbox) as opened:
        yield opened


def test_adyens_own_package_makes_and_expires_a_link(sandbox: Sandbox) -> None:
    """The published client works unchanged but for the host."""
    from Adyen.client import AdyenClient
    from Adyen.services.checkout import AdyenCheckoutApi

    client = AdyenClient(xapikey="AQEsandboxkey", platform="test")
    service = AdyenCheckoutApi(client=client).payment_links_api
    with httpx.Client(headers={"X-API-Key": "AQEsandboxkey"}) as http:

        class Carrier:
            user_agent = "test"

            def request(self, method: str, url: str, json: Any = None, **_: Any) -> Any:
                path = url.partition("adyen.com")[2]
                reply = http.request(method, sandbox.adyen_url + path, json=json)
                return reply.text, json, reply.status_code, reply.headers

        client.http_client, client.http_init = Carrier(), True
        made = service.payment_links(
            {"amount": euros(4990), "merchantAccount": ACCOUNT, "reference": "INV-31"}, idempotency_key="k-1"
        ).message
        expired = service.update_payment_link({"status": "expired"}, made["id"]).message

    assert made["status"] == "active"
    assert made["url"].startswith(sandbox.url)
    assert expired["status"] == "expired"
    assert sandbox.control.truth()["links"][0]["status"] == "closed"


def test_a_link_echoes_its_request(shop: Shop) -> None:
    """What was asked comes back, with id, address, status and moments; the reserved label is Adyen's."""
    asked = {
        "description": "Logo design",
        "metadata": {"order": "INV-31", "checkout.linkId": "mine"},
        "reusable": True,
        "shopperEmail": "zoe@example.com",
        "lineItems": [{"description": "Logo", "quantity": 1, "amountIncludingTax": 4990}],
    }
    link = shop.link(**asked)

    assert link["id"].startswith("PL")
    assert len(link["id"]) == 18
    assert link["expiresAt"].endswith("Z")
    assert link["metadata"] == {"order": "INV-31", "checkout.linkId": link["id"]}
    assert {name: link[name] for name in asked if name != "metadata"} == {
        name: asked[name] for name in asked if name != "metadata"
    }
    assert shop.http.get(f"/paymentLinks/{link['id']}").json() == link


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        pytest.param({"colour": "red"}, 400, "702", id="unknown field"),
        pytest.param({"amount": {"currency": "EUR", "value": 1, "x": 1}}, 400, "702", id="unknown inside"),
        pytest.param({"amount": {"currency": "EUR", "value": "4990"}}, 400, "702", id="amount as text"),
        pytest.param({"amount": {"currency": "EUR", "value": 49.9}}, 400, "702", id="fraction"),
        pytest.param({"amount": {"currency": "EUR", "value": 0}}, 422, "137", id="zero"),
        pytest.param({"amount": {"currency": "eur", "value": 1}}, 422, "138", id="lower case"),
        pytest.param({"amount": {"currency": "BIF", "value": 1}}, 422, "138", id="unlisted currency"),
        pytest.param({"amount": None}, 422, "100", id="no amount"),
        pytest.param({"reference": None}, 422, "130", id="no reference"),
        pytest.param({"reference": "x" * 81}, 422, "702", id="long reference"),
        pytest.param({"merchantAccount": "wrongAccount"}, 403, "901", id="wrong account"),
        pytest.param({"reusable": "true"}, 400, "702", id="flag as text"),
        pytest.param({"expiresAt": "2030-01-01T10:00:00"}, 400, "702", id="moment without offset"),
        pytest.param({"expiresAt": "2099-01-01T10:00:00Z"}, 422, "702", id="too far"),
        pytest.param({"expiresAt": "2020-01-01T10:00:00Z"}, 422, "702", id="in the past"),
        pytest.param({"metadata": {str(n): "x" for n in range(21)}}, 422, "177", id="many labels"),
        pytest.param({"metadata": {"k" * 21: "x"}}, 422, "178", id="long label"),
        pytest.param({"metadata": {"k": 1}}, 400, "702", id="label of a number"),
        pytest.param({"shopperReference": "ab"}, 422, "702", id="short shopper"),
        pytest.param({"captureDelayHours": 673}, 422, "702", id="late capture"),
        pytest.param({"storePaymentMethodMode": "enabled"}, 422, "702", id="storing without a shopper"),
        pytest.param({"allowedPaymentMethods": ["ach"]}, 422, "702", id="no method left"),
        pytest.param({"splits": [{}]}, 422, "702", id="unsimulated"),
        pytest.param({"description": 5}, 400, "702", id="number for text"),
        pytest.param({"recurringProcessingModel": "Always"}, 400, "702", id="no such choice"),
        pytest.param({"shopperEmail": "zoe"}, 422, "702", id="no address"),
        pytest.param({"returnUrl": "https://shop.example/é"}, 422, "702", id="unescaped address"),
        pytest.param({"captureDelayHours": "24"}, 400, "702", id="text for a number"),
        pytest.param({"dateOfBirth": "1990-13-01"}, 400, "702", id="no date"),
        pytest.param({"metadata": {"k": "x" * 81}}, 422, "702", id="long value"),
        pytest.param({"lineItems": {}}, 400, "702", id="object for a list"),
        pytest.param({"applicationInfo": []}, 400, "702", id="list for an object"),
        pytest.param({"shopperName": "Zoé"}, 400, "702", id="text for an object"),
        pytest.param({"shopperName": {"firstName": "Zoé"}}, 422, "702", id="half a name"),
        pytest.param({"shopperName": {"firstName": None, "lastName": "Martin"}}, 400, "702", id="null"),
    ],
)
def test_what_adyen_refuses(shop: Shop, changes: dict[str, Any], status: int, code: str) -> None:
    """Each refusal is a `ServiceError` with its status and code, and nothing is made."""
    reply = shop.asked("/paymentLinks", **changes)

    said = reply.json()
    assert (reply.status_code, said["status"], said["errorCode"]) == (status, status, code)
    assert said["errorType"] in {"validation", "security"}
    assert shop.sandbox.control.links("adyen") == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "short"}, 401),
        ({"X-API-Key": "the-wrong-key"}, 401),
        ({"X-API-Key": "norole-key"}, 403),
        ({"Authorization": "Basic d3M6bG9uZ3Bhc3N3b3Jk"}, 404),
    ],
    ids=["none", "short", "wrong", "without the role", "basic auth"],
)
def test_who_is_let_in(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    """A plain key or password opens, anything else does not; only then it matters whether the link is there."""
    reply = httpx.get(f"{sandbox.adyen_url}/v72/paymentLinks/PL0", headers=headers)

    assert reply.status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"amount": NaN}', "application/json", 400),
        (b"{}", "text/plain", 400),
        (b"{}", "application/json", 422),
    ],
    ids=["cut off", "list", "no number", "not sent as JSON", "empty"],
)
def test_bodies_that_cannot_be_read(shop: Shop, content: bytes, kind: str, status: int) -> None:
    """What is no JSON object is a 400 with 702; an empty one lacks its fields."""
    reply = shop.http.post("/paymentLinks", content=content, headers={"Content-Type": kind})

    assert reply.status_code == status
    assert (reply.json()["errorCode"] == "702") is (status == 400)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer longpassword", 401), ("Basic ???", 401), ("Basic d3M6c2hvcnQ=", 401)],
    ids=["other scheme", "no base64", "short password"],
)
def test_basic_auth_is_read_strictly(sandbox: Sandbox, authorization: str, status: int) -> None:
    """A header that is none lets nobody in."""
    address = f"{sandbox.adyen_url}/v72/paymentLinks/PL0"

    assert httpx.get(address, headers={"Authorization": authorization}).status_code == status


def test_what_is_not_there_is_a_404(sandbox: Sandbox, shop: Shop) -> None:
    """Another version or operation has Adyen's shape as well."""
    for address in (f"{sandbox.adyen_url}/v71/paymentLinks", f"{sandbox.adyen_url}/v72/sessions"):
        reply = shop.http.post(address, json={})
        assert (reply.status_code, reply.json()["errorType"]) == (404, "validation")


def test_a_link_ends_by_the_clock(shop: Shop) -> None:
    """Without a moment it lives for a day; three months later it is not known any more."""
    link = shop.link()
    _ = shop.sandbox.control.move_clock(timedelta(hours=23))
    before = shop.status(link)
    _ = shop.sandbox.control.move_clock(timedelta(hours=2))
    after = shop.status(link)
    with pytest.raises(SandboxError, match="expired"):
        _ = shop.sandbox.control.pay(link["url"])
    _ = shop.sandbox.control.move_clock(timedelta(days=92))

    assert (before, after) == ("active", "expired")
    assert shop.http.get(f"/paymentLinks/{link['id']}").status_code == 404


def test_only_a_link_that_can_be_paid_can_be_expired(shop: Shop) -> None:
    """Expiring twice, or after the payment, is a 422; any other change a 400."""
    paid, other = shop.link(), shop.link()
    _ = shop.sandbox.control.pay(paid["url"])
    address = f"/paymentLinks/{other['id']}"

    refused = shop.http.patch(f"/paymentLinks/{paid['id']}", json={"status": "expired"})
    changed = shop.http.patch(address, json={"status": "expired", "reference": "new"})
    first = shop.http.patch(address, json={"status": "expired"})
    second = shop.http.patch(address, json={"status": "expired"})

    assert [one.status_code for one in (refused, changed, first, second)] == [422, 400, 200, 422]


def test_a_key_makes_one_link_for_seven_days(shop: Shop) -> None:
    """The same key gives the same reply, to any key of the company, and another body is refused."""
    first = shop.asked("/paymentLinks", key="k-1")
    with shop_in(shop.sandbox, "AQEanotherkey") as other:
        second = other.asked("/paymentLinks", key="k-1")
    differing = shop.asked("/paymentLinks", key="k-1", reference="INV-32")
    too_long = shop.asked("/paymentLinks", key="k" * 65)
    _ = shop.sandbox.control.move_clock(timedelta(days=8))
    later = shop.asked("/paymentLinks", key="k-1")

    assert first.json() == second.json()
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "k-1"
    assert (differing.status_code, too_long.status_code) == (422, 422)
    assert later.json()["id"] != first.json()["id"]


def test_a_refusal_is_not_remembered(shop: Shop) -> None:
    """After a mended mistake the same key works."""
    refused = shop.asked("/paymentLinks", key="k-1", reusable="true")
    mended = shop.asked("/paymentLinks", key="k-1", reusable=True)

    assert (refused.status_code, mended.status_code) == (400, 201)


@pytest.mark.parametrize(
    ("status", "code", "transient"),
    [(409, "704", "true"), (503, "703", "true"), (500, "905", "false")],
    ids=["in flight", "store away", "configuration"],
)
def test_a_fault_says_whether_to_try_again(shop: Shop, status: int, code: str, transient: str) -> None:
    """False answers are in Adyen's shape, with the header that tells a passing trouble from a lasting one."""
    _ = shop.sandbox.control.fault("status", "adyen.payment_links.create", status=status)

    struck = shop.asked("/paymentLinks", key="k-1")
    after = shop.asked("/paymentLinks", key="k-1")

    assert (struck.status_code, struck.json()["errorCode"]) == (status, code)
    assert struck.headers["transient-error"] == transient
    assert after.status_code == 201


def test_an_answer_that_was_lost_is_given_again(shop: Shop) -> None:
    """The link is made, the connection is cut, the same key brings the same link."""
    _ = shop.sandbox.control.fault("reset_after", "adyen.payment_links.create")
    with pytest.raises(httpx.HTTPError):
        _ = shop.asked("/paymentLinks", key="k-1")

    again = shop.asked("/paymentLinks", key="k-1").json()

    assert [link["id"] for link in shop.sandbox.control.links("adyen")] == [again["id"]]


def test_methods_are_listed_by_currency_and_country(shop: Shop) -> None:
    """`/paymentMethods` says what a page would offer."""
    asked = {"merchantAccount": ACCOUNT, "amount": euros(100), "countryCode": "NL"}
    reply = shop.http.post("/paymentMethods", json=asked)
    only = shop.http.post("/paymentMethods", json={**asked, "blockedPaymentMethods": ["ideal"]})

    types = [method["type"] for method in reply.json()["paymentMethods"]]
    assert "ideal" in types
    assert "bcmc" not in types
    assert "ideal" not in [method["type"] for method in only.json()["paymentMethods"]]


@pytest.mark.parametrize(
    ("currency", "value", "shown", "iso"),
    [("CLP", 100_000, "1,000.00 CLP", 1000), ("CVE", 100, "100 CVE", 10_000), ("JPY", 500, "500 JPY", 500)],
)
def test_amounts_have_adyens_decimals(shop: Shop, currency: str, value: int, shown: str, iso: int) -> None:
    """The page shows what Adyen's table makes of it; the truth is in ISO's minor units."""
    link = shop.link(amount={"currency": currency, "value": value})

    assert shown in httpx.get(link["url"]).text
    assert shop.sandbox.control.truth()["links"][0]["amount"] == iso
