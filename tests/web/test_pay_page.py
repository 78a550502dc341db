"""Promises about the public pages: plain words, no side effect, nothing for a preview to leak, no open redirect."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import SettingsError, StoreError
from paybylink.kinds import Invoice, InvoiceBound, Reusable, SingleUse
from paybylink.links import LinkStatus, Mode, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.stripe import StripeProvider
from paybylink.web.app import app
from paybylink.web.words import WORDS, language_of

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TOKEN = "4f1c9d0e8b7a6f5e4d3c2b1a"
PROVIDER_URL = "https://buy.stripe.com/test_eVa5nPg1j1wmfXq5kr"
ORDER = Order(
    reference="FA-2026-0042",
    amount=Money.of("49.90", "EUR"),
    description="Carnets <reliés> à la main",
    customer=Customer(name="Zoé Martin", email="zoe@example.com", language="fr"),
)


def link(status: LinkStatus = LinkStatus.OPEN, *, url: str = PROVIDER_URL, **changes: Any) -> PaymentLink:
    """A link that stands in `status`."""
    behind = ProviderLink(
        id="b", provider="stripe", status=ProviderLinkStatus.OPEN, asked_at=NOW, vendor_id="plink_1", url=url
    )
    made = PaymentLink(
        id="l",
        token=TOKEN,
        order=ORDER,
        kind=SingleUse(),
        status=status,
        mode=Mode.LIVE,
        provider="stripe",
        created_at=NOW,
        expires_at=NOW + dt.timedelta(days=30),
        url=f"https://pay.example.com/p/{TOKEN}",
        provider_links=(behind,),
    )
    return evolve(made, **changes)


class Shop:
    """An application whose store holds one link."""

    def __init__(self) -> None:
        self.pay = PayByLink(
            providers=[StripeProvider("sk_live_x0x")], store="sqlite:///unused.db", clock=lambda: NOW
        )
        self.link: PaymentLink | None = link()
        self.away = False
        self.asked: list[str] = []
        self.pay.link_by_token = self._find  # type: ignore[method-assign]
        self.app = app(
            self.pay, merchant="Atelier & Fils", contact="01 23 45 67 89", language="en", clock=lambda: NOW
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://shop")

    def _find(self, token: str) -> PaymentLink | None:
        self.asked.append(token)
        if self.away:
            raise StoreError("the database is locked")
        return self.link if token == TOKEN else None

    async def get(self, path: str = f"/p/{TOKEN}", **headers: str) -> httpx.Response:
        return await self.http.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    async with made.http:
        yield made


pytestmark = pytest.mark.anyio


def words_of(reply: httpx.Response) -> str:
    """The visible text."""
    body = reply.text.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("\u00a0", " ").replace("\u202f", " ")


def buttons(reply: httpx.Response) -> list[str]:
    return re.findall(r'<a class="button" href="([^"]*)"', reply.text)


class TestOpen:
    @pytest.mark.parametrize(
        ("minimum", "told"),
        [
            pytest.param(None, "à votre choix", id="any"),
            pytest.param(Money.of("5", "EUR"), "à votre choix, à partir de 5,00 €", id="from"),
        ],
    )
    async def test_payer_who_chooses_is_told_no_amount(
        self, shop: Shop, minimum: Money | None, told: str
    ) -> None:
        """The amount of the order is a suggestion then, and is not asked for."""
        shop.link = link(kind=Reusable(payer_chooses=True, minimum=minimum))

        words = words_of(await shop.get())

        assert told in words
        assert "Choisir et payer" in words
        assert "49,90" not in words

    async def test_button_is_a_plain_link_to_the_provider(self, shop: Shop) -> None:
        """The payer is sent where our own row says, and the page says where that is."""
        reply = await shop.get()

        assert reply.status_code == 200
        assert buttons(reply) == [PROVIDER_URL]
        told = words_of(reply)
        assert "Payer 49,90 €" in told
        assert "Atelier &amp; Fils vous demande de payer" in told
        assert "buy.stripe.com" in told
        assert "FA-2026-0042" in told
        assert "Carnets &lt;reliés&gt; à la main" in told
        assert "23 décembre 2026, 13:00 (UTC+1)" in told

    async def test_nothing_in_the_request_changes_where_it_leads(self, shop: Shop) -> None:
        """There is no way to make our page forward to somebody else's."""
        reply = await shop.http.get(
            f"/p/{TOKEN}?url=https://evil.example&next=//evil.example",
            headers={
                "Host": "evil.example",
                "X-Forwarded-Host": "evil.example",
                "Referer": "https://evil.example",
            },
        )

        assert buttons(reply) == [PROVIDER_URL]
        assert "evil.example" not in reply.text

    async def test_reusable_link_names_each_payment(self, shop: Shop) -> None:
        """What others have paid is nobody's business."""
        shop.link = link(kind=Reusable(), payments=3, paid_amount=Money.of("149.70", "EUR"))

        told = words_of(await shop.get())

        assert "Chaque paiement 49,90 €" in told
        assert "149,70" not in told

    async def test_part_paid_invoice_asks_for_the_rest(self, shop: Shop) -> None:
        """The button names what is left, not what it once was."""
        invoice = Invoice(number="FA-2026-0042", open_amount=ORDER.amount)
        shop.link = link(
            LinkStatus.PART_PAID, kind=InvoiceBound(invoice), paid_amount=Money.of("9.90", "EUR"), payments=1
        )

        assert "Payer 40,00 €" in words_of(await shop.get())

    async def test_test_mode_is_said(self, shop: Shop) -> None:
        """Nobody takes a rehearsal for real money."""
        assert "TEST" not in words_of(await shop.get())

        shop.link = link(mode=Mode.TEST)

        assert "TEST : aucun argent réel ne circule" in words_of(await shop.get())

    @pytest.mark.parametrize(
        ("url", "mode", "leads"),
        [
            pytest.param("http://127.0.0.1:8025/pay/plink_1", Mode.TEST, True, id="sandbox"),
            pytest.param(
                "http://127.0.0.1:8025/pay/plink_1", Mode.LIVE, False, id="loopback with a live key"
            ),
            pytest.param("http://buy.stripe.com/x", Mode.LIVE, False, id="plain http"),
            pytest.param("http://buy.stripe.com/x", Mode.TEST, False, id="plain http in test"),
            pytest.param("javascript:alert(1)", Mode.TEST, False, id="script"),
            pytest.param("https:///x", Mode.LIVE, False, id="no host"),
            pytest.param("https://[::1", Mode.LIVE, False, id="broken"),
        ],
    )
    async def test_only_safe_addresses_are_linked(
        self, shop: Shop, url: str, mode: Mode, leads: bool
    ) -> None:
        """An address that a payer must not be sent to makes no button."""
        shop.link = link(url=url, mode=mode)

        assert buttons(await shop.get()) == ([url] if leads else [])


class TestStanding:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            pytest.param(lambda: link(LinkStatus.PAID), "Payé", id="paid"),
            pytest.param(lambda: link(LinkStatus.EXPIRED), "Ce lien a expiré", id="expired"),
            pytest.param(lambda: link(expires_at=NOW), "Ce lien a expiré", id="open, but its time has come"),
            pytest.param(lambda: link(LinkStatus.CANCELLED), "Ce lien a été annulé", id="cancelled"),
            pytest.param(lambda: link(LinkStatus.REPLACED), "Ce lien a été remplacé", id="replaced"),
            pytest.param(lambda: link(LinkStatus.PROCESSING), "Votre paiement est en cours", id="processing"),
            pytest.param(lambda: link(LinkStatus.PENDING), "en préparation", id="pending"),
            pytest.param(lambda: link(provider_links=()), "en préparation", id="open with nothing behind it"),
        ],
    )
    async def test_it_says_plainly_where_the_link_stands(
        self, shop: Shop, make: Callable[[], PaymentLink], said: str
    ) -> None:
        """Whatever it is, it is said in words, with the merchant and the reference, and without a button."""
        shop.link = make()

        reply = await shop.get()

        told = words_of(reply)
        assert reply.status_code == 200
        assert said in told
        assert "Atelier &amp; Fils" in told
        assert "FA-2026-0042" in told
        assert "01 23 45 67 89" in told
        assert buttons(reply) == []

    async def test_unknown_token_is_a_page_too(self, shop: Shop) -> None:
        """A mistyped address is told kindly, and with 404."""
        reply = await shop.get("/p/nothing", accept_language="fr")

        assert reply.status_code == 404
        assert "Page introuvable" in words_of(reply)

    async def test_store_away_is_a_page_too(self, shop: Shop) -> None:
        """The payer learns that nothing is lost, and nothing about our insides."""
        shop.away = True

        reply = await shop.get()

        assert reply.status_code == 503
        assert "Nothing is lost" in words_of(reply)
        assert "locked" not in reply.text


class TestManners:
    async def test_reading_changes_nothing_and_posting_is_refused(self, shop: Shop) -> None:
        """Mail scanners and previews read every link before the customer does."""
        head = await shop.http.head(f"/p/{TOKEN}")
        post = await shop.http.post(f"/p/{TOKEN}")

        assert (head.status_code, head.content) == (200, b"")
        assert post.status_code == 405
        assert shop.asked == [TOKEN]

    @pytest.mark.parametrize("path", [f"/p/{TOKEN}", "/p/nothing"])
    async def test_headers_keep_it_out_of_caches_indexes_and_frames(self, shop: Shop, path: str) -> None:
        """The address is all that one needs to pay, so it is not stored, indexed, framed or told on."""
        headers = (await shop.get(path)).headers

        assert headers["cache-control"] == "no-store"
        assert "noindex" in headers["x-robots-tag"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "script-src" not in policy
        assert "set-cookie" not in headers

    async def test_preview_shows_neither_amount_nor_name(self, shop: Shop) -> None:
        """A title is shown by chat programs to whoever looks at the screen."""
        html = (await shop.get()).text
        head = html.partition("<body>")[0]

        assert "<title>Paiement</title>" in head
        assert "og:" not in html
        for word in ("49", "Zoé", "Martin", "FA-2026", "Carnets", "Atelier"):
            assert word not in head

    async def test_customer_is_never_on_the_page(self, shop: Shop) -> None:
        """Whoever holds the address may pay, and learns nothing about the customer."""
        html = (await shop.get()).text

        assert "Zoé" not in html
        assert "zoe@example.com" not in html

    async def test_page_carries_no_script_and_no_inline_style(self, shop: Shop) -> None:
        """What the policy forbids is not there."""
        html = (await shop.get()).text

        assert "<script" not in html
        assert "style=" not in html
        assert "<style" not in html

    async def test_style_sheet_is_our_own_and_dark_too(self, shop: Shop) -> None:
        """One file, from the same host, under the path that the page names, also where the app is mounted."""
        html = (await shop.get()).text
        (path,) = re.findall(r'href="([^"]+\.css)"', html)

        sheet = await shop.get(path)
        inside = httpx.ASGITransport(shop.app, root_path="/shop")
        async with httpx.AsyncClient(transport=inside, base_url="http://shop") as http:
            mounted = (await http.get(f"/shop/p/{TOKEN}")).text

        assert sheet.headers["content-type"].startswith("text/css")
        assert "prefers-color-scheme: dark" in sheet.text
        assert f'href="/shop{path}"' in mounted

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    async def test_no_other_method(self, shop: Shop, method: str) -> None:
        """There is nothing to change here."""
        assert (await shop.http.request(method, f"/p/{TOKEN}")).status_code == 405


class TestLanguage:
    @pytest.mark.parametrize(
        ("wanted", "accepted", "default", "expected"),
        [
            pytest.param("fr", "en", "en", "fr", id="the customer's"),
            pytest.param("fr-CA", "", "en", "fr", id="a region"),
            pytest.param(None, "de, fr;q=0.8, en;q=0.9", "fr", "en", id="the browser's best"),
            pytest.param("de", "fr", "en", "fr", id="one we do not have"),
            pytest.param(None, "", "fr", "fr", id="the merchant's"),
            pytest.param(None, "*;q=x, fr;q=0", "en", "en", id="nonsense"),
            pytest.param(None, "", "nl", "en", id="English at last"),
        ],
    )
    async def test_first_language_that_we_have(
        self, wanted: str | None, accepted: str, default: str, expected: str
    ) -> None:
        """The customer's, the browser's, the merchant's, in this order."""
        assert language_of(wanted, accepted, default) == expected

    async def test_page_says_its_language(self, shop: Shop) -> None:
        """Screen readers need to know."""
        shop.link = link(order=evolve_customer(None))

        reply = await shop.get(accept_language="en-GB,en;q=0.9")

        assert '<html lang="en">' in reply.text
        assert "Pay €49.90" in words_of(reply)

    async def test_both_languages_are_whole(self) -> None:
        """No sentence is missing in one of them."""
        assert set(WORDS["en"]) == set(WORDS["fr"])


def evolve_customer(customer: Customer | None) -> Order:
    return Order(reference="A", amount=ORDER.amount, customer=customer)


async def test_stateless_client_has_nothing_to_show() -> None:
    """Without a store there is no page, which is said when the application is made."""
    with pytest.raises(SettingsError, match="store: is none"):
        _ = app(PayByLink(providers=[StripeProvider("sk_test_x0x")], store=None))


async def test_async_client_serves_the_same_page() -> None:
    """Either client stands behind the same application."""
    pay = AsyncPayByLink(providers=[StripeProvider("sk_live_x0x")], store="sqlite:///unused.db")

    async def find(token: str) -> PaymentLink | None:
        return link() if token == TOKEN else None

    pay.link_by_token = find  # type: ignore[method-assign]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app(pay, clock=lambda: NOW)), base_url="http://shop"
    ) as http:
        reply = await http.get(f"/p/{TOKEN}")

    assert buttons(reply) == [PROVIDER_URL]
    assert "Un paiement vous est demandé" in words_of(reply)
