"""Promises about the webhook routes: raw bytes, a limit, and nothing for a guess to learn."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import PaybylinkError, StoreError
from paybylink.providers.stripe import StripeProvider
from paybylink.web.app import app
from paybylink.web.webhooks import MAX_BODY
from paybylink.workflows.receive import WebhookReply

pytestmark = pytest.mark.anyio

SECRET = "whsec_marked7Zq"


class Heard:
    """A client that writes down what it was told."""

    def __init__(self, tenant: str = "") -> None:
        self.calls: list[tuple[str, str | None, bytes]] = []
        self.error: PaybylinkError | None = None
        self.reply = WebhookReply(status=200, body=b"ok")
        self.pay = PayByLink(
            providers=[StripeProvider("sk_test_x0x", webhook_secrets=[SECRET])],
            store="sqlite:///unused.db",
            tenant=tenant,
        )
        self.queries: list[str] = []
        self.pay.receive = self._receive  # type: ignore[method-assign]
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app(self.pay)), base_url="http://shop")

    def _receive(
        self, name: str, *, headers: Mapping[str, str], body: bytes, query: str = ""
    ) -> WebhookReply:
        self.queries.append(query)
        self.calls.append((name, headers.get("Stripe-Signature"), body))
        if self.error is not None:
            raise self.error
        return self.reply


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    made = Heard()
    async with made.http:
        yield made


async def test_bytes_and_headers_arrive_as_they_came(heard: Heard) -> None:
    """A signature is over bytes; nothing is parsed on the way."""
    body = b'{"b" :1,\r\n "a":\xc3\xa9}'

    reply = await heard.http.post("/webhooks/stripe", content=body, headers={"stripe-signature": "t=1,v1=2"})

    assert heard.calls == [("stripe", "t=1,v1=2", body)]
    assert (reply.status_code, reply.content) == (200, b"ok")
    assert reply.headers["cache-control"] == "no-store"


async def test_what_follows_the_question_mark_goes_with_it(heard: Heard) -> None:
    """A provider that is told so by link calls an address that names the link."""
    _ = await heard.http.post("/webhooks/stripe?link=L1&attempt=P1", content=b"id=tr_1")
    _ = await heard.http.post("/webhooks/stripe", content=b"id=tr_1")

    assert heard.queries == ["link=L1&attempt=P1", ""]


async def test_answer_is_the_clients(heard: Heard) -> None:
    """What is not believed is 400, with the body that the provider wants."""
    heard.reply = WebhookReply(status=400, body=b"refused", reason="no signature fits")

    reply = await heard.http.post("/webhooks/stripe", content=b"{}")

    assert (reply.status_code, reply.content) == (400, b"refused")


@pytest.mark.parametrize(
    "path", ["/webhooks/adyen", "/webhooks/", "/webhooks", "/webhooks/other/stripe", "/webhooks/a/b/c"]
)
async def test_unknown_name_is_404(heard: Heard, path: str) -> None:
    """A guess teaches nothing."""
    reply = await heard.http.post(path, content=b"{}")

    assert reply.status_code == 404
    assert heard.calls == []


async def test_named_tenant_has_its_own_path() -> None:
    """The longer path is the tenant's, and only this tenant's."""
    heard = Heard(tenant="paris")
    async with heard.http as http:
        ours = await http.post("/webhooks/paris/stripe", content=b"{}")
        theirs = await http.post("/webhooks/lyon/stripe", content=b"{}")

    assert (ours.status_code, theirs.status_code) == (200, 404)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_post(heard: Heard, method: str) -> None:
    """A webhook is told, not fetched."""
    assert (await heard.http.request(method, "/webhooks/stripe")).status_code == 405


async def test_limit(heard: Heard) -> None:
    """Up to the limit it is read, beyond it is refused unread, whatever the length that was announced."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 1):
            yield b"x" * 65536

    fits = await heard.http.post("/webhooks/stripe", content=b"x" * MAX_BODY)
    announced = await heard.http.post("/webhooks/stripe", content=b"x" * (MAX_BODY + 1))
    streamed = await heard.http.post("/webhooks/stripe", content=pieces())

    assert (fits.status_code, announced.status_code, streamed.status_code) == (200, 413, 413)
    assert len(heard.calls) == 1


async def test_store_away_asks_for_the_event_again(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """An event that could not be kept is told again by the provider, since it was not answered with 2xx."""
    heard.error = StoreError("the database is locked by /var/lib/shop.db")

    with caplog.at_level(logging.ERROR):
        reply = await heard.http.post("/webhooks/stripe", content=b'{"secret": "marked7Zq"}')

    assert reply.status_code == 503
    assert "locked" not in reply.text
    assert "marked7Zq" not in caplog.text


@pytest.mark.parametrize("client", [PayByLink, AsyncPayByLink])
async def test_forged_webhook_is_refused_by_either_client(client: Any, tmp_path: Any) -> None:
    """Through the real door: a wrong signature is 400, and nothing is kept."""
    pay = client(
        providers=[StripeProvider("sk_test_x0x", webhook_secrets=[SECRET])],
        store=f"sqlite:///{tmp_path}/shop.db",
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(pay)), base_url="http://shop") as http:
        unsigned = await http.post("/webhooks/stripe", content=b"{}")
        forged = await http.post(
            "/webhooks/stripe", content=b"{}", headers={"Stripe-Signature": f"t=1,v1={'0' * 64}"}
        )

    assert (unsigned.status_code, forged.status_code) == (400, 400)
    if isinstance(pay, AsyncPayByLink):
        await pay.aclose()
    else:
        pay.close()
