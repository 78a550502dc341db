"""The hosted payment page and the front page, as a browser without scripts meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
import stripe

from paybylink.sandbox import Engine, Sandbox, sandbox_app

from .sandbox_given import link_params


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A browser of sorts."""
    with httpx.Client(base_url=sandbox.url) as opened:
        yield opened


def test_looking_changes_nothing_and_paying_leads_on(
    client: stripe.StripeClient, browser: httpx.Client
) -> None:
    """GET and HEAD make no session; a POST pays and sends the payer to the merchant's page."""
    link = client.v1.payment_links.create(
        link_params(
            after_completion={
                "type": "redirect",
                "redirect": {"url": "http://127.0.0.1:9/thanks?s={CHECKOUT_SESSION_ID}"},
            }
        )
    )
    shown = browser.get(link.url)
    _ = browser.head(link.url)
    before = client.v1.checkout.sessions.list().data

    paid = browser.post(link.url, data={"how": "card", "email": "zoe@example.com"})

    session = client.v1.checkout.sessions.list().data[0]
    assert "49.90 EUR" in shown.text
    assert "SANDBOX – no real money" in shown.text
    assert "<script" not in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert before == []
    assert (paid.status_code, paid.headers["Location"]) == (303, f"http://127.0.0.1:9/thanks?s={session.id}")


def test_a_link_without_a_page_of_its_own_confirms(
    client: stripe.StripeClient, browser: httpx.Client
) -> None:
    """After paying the payer sees the amount and the merchant's words; the link then shows its message."""
    link = client.v1.payment_links.create(
        link_params(
            inactive_message="This one is <paid>.",
            after_completion={
                "type": "hosted_confirmation",
                "hosted_confirmation": {"custom_message": "À bientôt !"},
            },
        )
    )

    done = browser.post(link.url, data={"how": "card"}, follow_redirects=True)
    again = browser.get(link.url)
    forced = browser.post(link.url, data={"how": "card"})

    assert "Thank you for your payment" in done.text
    assert "À bientôt !" in done.text
    assert "49.90 EUR" in done.text
    assert (again.status_code, forced.status_code) == (410, 410)
    assert "This one is &lt;paid&gt;." in again.text
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_declined_payer_tries_again_in_the_same_session(
    client: stripe.StripeClient, browser: httpx.Client
) -> None:
    """The page says what happened and carries the session on."""
    link = client.v1.payment_links.create(link_params())

    declined = browser.post(link.url, data={"how": "declined"})
    session = re.search(r'name="session" value="([^"]+)"', declined.text)
    assert session is not None
    paid = browser.post(link.url, data={"how": "card", "session": session[1]})

    assert declined.status_code == 402
    assert "declined" in declined.text
    assert paid.status_code == 303
    assert [one.id for one in client.v1.checkout.sessions.list().data] == [session[1]]


def test_a_payer_types_the_amount(client: stripe.StripeClient, browser: httpx.Client) -> None:
    """A payer-chosen amount is asked for, and a wrong one is asked for again."""
    product = client.v1.products.create({"name": "Gift"})
    price = client.v1.prices.create(
        {"currency": "jpy", "product": product.id, "custom_unit_amount": {"enabled": True, "preset": 2000}}
    )
    link = client.v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})

    asked = browser.get(link.url)
    wrong = browser.post(link.url, data={"how": "card", "amount": "10,500"})
    paid = browser.post(link.url, data={"how": "card", "amount": "1500"}, follow_redirects=True)

    assert re.search(r'name="amount"[^>]*value="2000"', asked.text)
    assert wrong.status_code == 422
    assert "Enter an amount" in wrong.text
    assert "1,500 JPY" in paid.text


def test_the_address_prefills_the_email(client: stripe.StripeClient, browser: httpx.Client) -> None:
    """A locked address cannot be edited and wins over what is sent."""
    link = client.v1.payment_links.create(link_params())

    shown = browser.get(f"{link.url}?locked_prefilled_email=zoe%40example.com")
    _ = browser.post(
        f"{link.url}?locked_prefilled_email=zoe%40example.com",
        data={"how": "card", "email": "eve@example.com"},
    )

    details = client.v1.checkout.sessions.list().data[0].customer_details
    assert 'value="zoe@example.com" readonly' in shown.text
    assert details is not None
    assert details.email == "zoe@example.com"


def test_the_front_page_lists_what_there_is(
    sandbox: Sandbox, client: stripe.StripeClient, browser: httpx.Client
) -> None:
    """Links with their addresses, payments with their state."""
    link = client.v1.payment_links.create(link_params())
    paid = sandbox.control.pay(link.url)

    front = browser.get("/")

    assert link.url in front.text
    assert "1 of 1 paid" in front.text
    assert paid.payment_intent in front.text


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")]
)
def test_the_front_page_settles_what_is_under_way(
    sandbox: Sandbox, client: stripe.StripeClient, browser: httpx.Client, outcome: str, status: str
) -> None:
    """A person decides there, once, whether the money of a delayed payment came."""
    link = client.v1.payment_links.create(link_params())
    intent = sandbox.control.pay(link.url, how="delayed").payment_intent

    front = browser.get("/")
    settled = browser.post(f"/payments/{intent}/settle", data={"outcome": outcome})
    again = browser.post(f"/payments/{intent}/settle", data={"outcome": outcome})

    assert f'action="/payments/{intent}/settle"' in front.text
    assert (settled.status_code, again.status_code) == (303, 404)
    assert client.v1.payment_intents.retrieve(intent).status == status


def test_a_name_bent_to_this_machine_finds_nothing(sandbox: Sandbox) -> None:
    """A Host header that is not of this machine is refused, and so is a form sent to the control."""
    bent = httpx.get(f"{sandbox.url}/mailbox.json", headers={"Host": "evil.example"})
    form = httpx.post(f"{sandbox.url}/sandbox/release", data={"x": "y"})

    assert (bent.status_code, form.status_code) == (421, 415)


@pytest.mark.anyio
async def test_the_application_runs_without_a_server() -> None:
    """`sandbox_app` serves one process through ASGI; a cut connection is a `ConnectionResetError` there."""
    with Engine() as engine:
        transport = httpx.ASGITransport(sandbox_app(engine))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as caller:
            account = await caller.get("/stripe/v1/account", headers={"Authorization": "Bearer sk_test_x"})
            flushed = await caller.post("/sandbox/flush", json={})
            _ = await caller.post("/sandbox/faults", json={"kind": "reset_before"})
            with pytest.raises(ConnectionResetError):
                _ = await caller.get("/mailbox")

        assert account.json()["object"] == "account"
        assert flushed.json()["delivered"] == 0
