"""Payments of the sandbox's Mollie half: what a payer can do, and what becomes of the money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError

from .mollie_given import address, calling, euros, fault_of, made

LINE = {"description": "Logo", "quantity": 1, "unitPrice": euros("49.90"), "totalAmount": euros("49.90")}


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


def shown(api: httpx.Client, payment: str) -> Any:
    """One payment."""
    return api.get(f"payments/{payment}").json()


def test_there_is_no_payment_before_a_payer(api: httpx.Client) -> None:
    """Making a link and looking at its page make none."""
    link = made(api)
    page = httpx.get(address(link))

    assert "49.90 EUR" in page.text
    assert "Mollie" in page.text
    assert "<script" not in page.text
    assert api.get(f"payment-links/{link['id']}/payments").json()["count"] == 0


def test_a_payment_does_not_say_whose_it_is(sandbox: Sandbox, api: httpx.Client) -> None:
    """No field and no address of a payment names its link, nor the address that will be called."""
    link = made(api, webhookUrl="http://127.0.0.1:9/hook/secret")
    attempt = sandbox.control.pay(address(link))

    raw = api.get(f"payments/{attempt.payment}").text

    assert link["id"] not in raw
    assert "hook/secret" not in raw


def test_a_card_pays_at_once_and_leads_on(sandbox: Sandbox, api: httpx.Client) -> None:
    """The payer goes where the link says, the link is paid and its page closed."""
    link = made(api, redirectUrl="http://127.0.0.1:9/thanks?x=1")

    posted = httpx.post(address(link), data={"how": "card"})

    (payment,) = api.get(f"payment-links/{link['id']}/payments").json()["_embedded"]["payments"]
    after = api.get(f"payment-links/{link['id']}").json()
    assert (posted.status_code, posted.headers["Location"]) == (303, "http://127.0.0.1:9/thanks?x=1")
    assert (payment["status"], payment["method"]) == ("paid", "creditcard")
    assert after["paidAt"] == payment["paidAt"]
    assert httpx.get(address(link)).status_code == 410
    with pytest.raises(SandboxError, match="has been paid"):
        _ = sandbox.control.pay(address(link))


def test_without_an_address_of_its_own_a_link_confirms(api: httpx.Client) -> None:
    """A page of the sandbox's says what was paid."""
    done = httpx.post(address(made(api)), data={"how": "card"}, follow_redirects=True)

    assert "Thank you for your payment" in done.text
    assert "49.90 EUR" in done.text


def test_a_declined_payer_tries_again_with_a_new_payment(sandbox: Sandbox, api: httpx.Client) -> None:
    """The first payment failed and stays so."""
    link = made(api)

    declined = sandbox.control.pay(address(link), how="declined")
    page = httpx.post(address(link), data={"how": "declined"})
    paid = sandbox.control.pay(address(link))

    first = shown(api, declined.payment)
    assert (declined.status, declined.next_url) == ("open", None)
    assert httpx.get(f"{sandbox.url}/pay/{declined.payment}/done").status_code == 404
    assert (page.status_code, "declined" in page.text) == (402, True)
    assert first["status"] == "failed"
    assert first["details"]["failureReason"] == "card_declined"
    assert paid.payment != declined.payment


@pytest.mark.parametrize(
    ("succeeded", "status"), [(True, "paid"), (False, "failed")], ids=["came", "returned"]
)
def test_a_transfer_is_pending_until_it_is_settled(
    sandbox: Sandbox, api: httpx.Client, succeeded: bool, status: str
) -> None:
    """Meanwhile the link is neither paid nor closed."""
    link = made(api)

    attempt = sandbox.control.pay(address(link), how="delayed")
    before = shown(api, attempt.payment)
    meanwhile = api.get(f"payment-links/{link['id']}").json()["paidAt"]
    assert sandbox.control.truth()["links"][0]["status"] == "processing"
    assert "under way" in httpx.get(attempt.next_url or "").text
    settled = sandbox.control.settle(address(link), succeeded=succeeded)

    after = api.get(f"payment-links/{link['id']}").json()["paidAt"]
    assert (before["status"], before["method"], meanwhile) == ("pending", "banktransfer", None)
    assert sandbox.control.truth()["links"][0]["status"] == ("paid" if succeeded else "open")
    assert settled == [attempt.payment]
    assert shown(api, attempt.payment)["status"] == status
    assert (after is not None) == succeeded


def test_two_payers_at_once_both_pay(sandbox: Sandbox, api: httpx.Client) -> None:
    """A transfer under way keeps nobody else out; both payments count, and `paidAt` is that of the first."""
    link = made(api)
    slow = sandbox.control.pay(address(link), how="delayed").payment
    quick = sandbox.control.pay(address(link)).payment
    _ = sandbox.control.move_clock(timedelta(days=1))

    _ = sandbox.control.settle(slow)

    assert [shown(api, one)["status"] for one in (slow, quick)] == ["paid", "paid"]
    assert api.get(f"payment-links/{link['id']}").json()["paidAt"] == shown(api, quick)["paidAt"]


def test_a_reusable_link_goes_on(sandbox: Sandbox, api: httpx.Client) -> None:
    """Each payer has a payment; `paidAt` tells of the first only and closes nothing."""
    link = made(api, reusable=True)
    first = sandbox.control.pay(address(link)).payment
    _ = sandbox.control.move_clock(timedelta(days=1))
    _ = sandbox.control.pay(address(link))

    assert api.get(f"payment-links/{link['id']}").json()["paidAt"] == shown(api, first)["paidAt"]
    assert api.get(f"payment-links/{link['id']}/payments").json()["count"] == 2
    assert sandbox.control.truth()["links"][0]["status"] == "open"


def test_an_abandoned_attempt_expires(sandbox: Sandbox, api: httpx.Client) -> None:
    """After a quarter of an hour, and not before; the link can still be paid."""
    link = made(api)
    left = sandbox.control.pay(f"{address(link)}?sandbox=abandoned").payment
    _ = sandbox.control.move_clock(timedelta(minutes=14, seconds=50))
    before = shown(api, left)

    _ = sandbox.control.move_clock(timedelta(seconds=20))

    after = shown(api, left)
    assert (before["status"], after["status"]) == ("open", "expired")
    assert "checkout" in before["_links"]
    assert "expiresAt" not in after
    assert after["expiredAt"]
    assert sandbox.control.pay(address(link)).payment_status == "paid"


@pytest.mark.parametrize(
    ("succeeded", "status"), [(True, "paid"), (False, "canceled")], ids=["captured", "voided"]
)
def test_pay_later_authorises_first(
    sandbox: Sandbox, api: httpx.Client, succeeded: bool, status: str
) -> None:
    """Klarna is offered with lines and an address only, and its money comes with the capture."""
    plain = made(api)
    rich = made(api, lines=[LINE], billingAddress={"email": "zoe@example.com", "country": "FR"})
    with pytest.raises(SandboxError, match="klarna"):
        _ = sandbox.control.pay(address(plain), method="klarna")

    attempt = sandbox.control.pay(address(rich), method="klarna")
    before = shown(api, attempt.payment)
    _ = sandbox.control.settle(attempt.payment, succeeded=succeeded)

    assert (before["status"], attempt.payment_status) == ("authorized", "unpaid")
    assert before["authorizedAt"]
    assert shown(api, attempt.payment)["status"] == status


def test_a_payer_can_cancel(sandbox: Sandbox, api: httpx.Client) -> None:
    """That payment is over, the link is not."""
    link = made(api)
    gone = sandbox.control.pay(f"{address(link)}?sandbox=canceled")

    assert (gone.status, shown(api, gone.payment)["status"]) == ("open", "canceled")
    assert sandbox.control.truth()["payments"][0]["status"] == "cancelled"


@pytest.mark.parametrize("typed", ["", "0.99", "1.005", "-5", "five"])
def test_a_chosen_amount_keeps_to_its_minimum(sandbox: Sandbox, api: httpx.Client, typed: str) -> None:
    """Too little, too fine or no amount at all is asked for again."""
    link = made(api, amount=None, minimumAmount=euros("1.00"))

    with pytest.raises(SandboxError, match=r"at least 1\.00 EUR"):
        _ = sandbox.control.pay(address(link), amount=typed)

    assert sandbox.control.pay(address(link), amount="1").payment_status == "paid"


def test_only_allowed_methods_are_offered(sandbox: Sandbox, api: httpx.Client) -> None:
    """The page shows them, and no other is taken; a method that takes time makes the payment pending."""
    link = made(api, allowedMethods=["ideal", "banktransfer", "notinventedyet"])

    page = httpx.get(address(link)).text
    with pytest.raises(SandboxError, match="creditcard"):
        _ = sandbox.control.pay(address(link), method="creditcard")
    slow = sandbox.control.pay(address(link), method="banktransfer")
    quick = sandbox.control.pay(address(link))

    assert "iDEAL" in page
    assert "Bancontact" not in page
    assert shown(api, slow.payment)["status"] == "pending"
    assert shown(api, quick.payment)["method"] == "ideal"


def test_a_link_that_no_method_fits_is_made_and_cannot_be_paid(sandbox: Sandbox, api: httpx.Client) -> None:
    """What Mollie does with such a link is not documented; here its payer stands before an empty choice."""
    link = made(api, amount={"currency": "USD", "value": "5.00"}, allowedMethods=["ideal"])

    with pytest.raises(SandboxError, match="no payment method"):
        _ = sandbox.control.pay(address(link))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, {"creditcard", "ideal", "banktransfer"}, id="euros"),
        pytest.param({"amount[value]": "50000.01", "amount[currency]": "EUR"}, {"banktransfer"}, id="much"),
        pytest.param(
            {"amount[value]": "5.00", "amount[currency]": "CHF"}, {"creditcard", "twint"}, id="francs"
        ),
        pytest.param({"amount[value]": "500", "amount[currency]": "JPY"}, {"creditcard"}, id="yen"),
    ],
)
def test_methods_are_those_that_fit(api: httpx.Client, query: dict[str, str], expected: set[str]) -> None:
    """The bounds decide."""
    listed = api.get("methods", params=query).json()

    found = {method["id"] for method in listed["_embedded"]["methods"]}
    assert expected <= found
    assert listed["count"] == len(found)
    assert ("ideal" in found) == ("ideal" in expected)


def test_a_method_asked_about_wrongly_is_refused(api: httpx.Client) -> None:
    """Half an amount, decimals that the currency has not, a method that is not there."""
    assert fault_of(api.get("methods", params={"amount[value]": "5.00"})) == (400, "amount")
    wrong = {"amount[value]": "5.00", "amount[currency]": "JPY"}
    assert fault_of(api.get("methods", params=wrong)) == (400, "amount")
    assert fault_of(api.get("methods/paypal")) == (404, None)
    assert api.get("methods/ideal").json()["minimumAmount"] == euros("0.01")


def test_the_front_page_settles_a_transfer(sandbox: Sandbox, api: httpx.Client) -> None:
    """A person decides there; links and payments are listed."""
    link = made(api)
    payment = sandbox.control.pay(address(link), how="delayed").payment

    front = httpx.get(sandbox.url).text
    settled = httpx.post(f"{sandbox.url}/payments/{payment}/settle", data={"outcome": "succeeded"})

    assert link["id"] in front
    assert payment in front
    assert settled.status_code == 303
    assert shown(api, payment)["status"] == "paid"
    assert [one["id"] for one in sandbox.control.payments("mollie")] == [payment]
    assert [one["id"] for one in sandbox.control.links("mollie")] == [link["id"]]
