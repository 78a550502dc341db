"""
The promise: no secret is ever printed, and nobody's address, number, name or payment page either, whatever fails.

Every error path that can be reached is driven with marked values (see `marks`), and the marks are searched for in
the logs of everybody, the texts, reprs, causes and tracebacks of errors, the reprs of values, and what commands
print.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink import (
    AsyncPayByLink,
    Customer,
    Money,
    NotSent,
    Order,
    Outcome,
    OutcomeUnknown,
    PayByLink,
    PaybylinkError,
    PaymentLink,
)
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.errors import SettingsError, StoreError
from paybylink.events import LinkOpened, LinkPaid
from paybylink.payments import Payment
from paybylink.providers.stripe import StripeProvider
from paybylink.settings import load
from paybylink.store.vaults import _engines
from workflows.world import QUICK, World

from .marks import (
    API_KEY,
    DATABASE_PASSWORD,
    EMAIL,
    NAME,
    PHONE,
    SECRETS,
    SMTP_PASSWORD,
    SMTP_USER,
    WEBHOOK_SECRET,
    Watch,
    watched,
)
from .parrot import Parrot, parrot
from .shop import SENDER, Terminal, Typed, closed_port

HASTY = evolve(QUICK, attempts=2, reply_seconds=0.3)
TEN = Money.of("10.00", "EUR")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Every logger, watched for marks until the test has ended."""
    with watched() as made:
        yield made


def order_of(reference: str) -> Order:
    """An order whose customer is marked."""
    return Order(
        reference=reference,
        amount=Money.of("49.90", "EUR"),
        description="Logo design",
        customer=Customer(name=NAME, email=EMAIL, phone=PHONE, language="fr"),
    )


def provider_of(world: World, **changes: Any) -> StripeProvider:
    """The sandbox's Stripe, with marked secrets."""
    settings: dict[str, Any] = {
        "webhook_secrets": [WEBHOOK_SECRET, world.secret],
        "base_url": world.sandbox.stripe_url,
    }
    return StripeProvider(API_KEY, **(settings | changes))


def channel_of(port: int, **changes: Any) -> SmtpEmail:
    """A mail server with a marked login."""
    settings: dict[str, Any] = {
        "security": "none",
        "sender": SENDER,
        "username": SMTP_USER,
        "password": SMTP_PASSWORD,
        "timeout_seconds": 2.0,
    }
    return SmtpEmail("127.0.0.1", port, **(settings | changes))


def shop(world: World, store: str | None, **changes: Any) -> PayByLink:
    """A shop with marked settings."""
    settings: dict[str, Any] = {"providers": [provider_of(world)], "patience": HASTY}
    return PayByLink(store=store, **(settings | changes))


def made(watch: Watch, link: PaymentLink) -> PaymentLink:
    """The link; from now on its addresses and its token are marks as well."""
    watch.add(link.token, link.url, *(behind.url for behind in link.provider_links if behind.url))
    watch.add(*(behind.url.rpartition("/")[2] for behind in link.provider_links if behind.url))
    return link


def fails(watch: Watch, call: Callable[[], object]) -> PaybylinkError:
    """The error of our tree that `call` raises, searched for marks."""
    with pytest.raises(PaybylinkError) as caught:
        _ = call()
    watch.check(caught.value)
    return caught.value


# --- the provider ---


def repeating(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """A provider that answers with `status` and repeats the whole request, headers and all."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = (
            f"{request.headers['authorization']} {request.url} {request.content.decode()} {EMAIL} {API_KEY}"
        )
        error = {
            "type": "invalid_request_error",
            "message": said,
            "param": said,
            "doc_url": said,
            "code": said,
        }
        return httpx.Response(
            status,
            json={"error": error},
            headers={
                "location": f"https://example.com/?key={API_KEY}",
                "x-said": API_KEY,
                "retry-after": API_KEY,
            },
            request=request,
        )

    return answer


STATUSES = [200, 302, 400, 401, 402, 403, 404, 409, 429, 500, 503]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("store", [True, False], ids=["store", "stateless"])
def test_a_provider_that_repeats_the_request_is_not_repeated(
    watch: Watch, world: World, reference: str, status: int, store: bool
) -> None:
    """What a provider says in words, and its headers, go into no error and no log."""
    database = world.database(reference) if store else None
    with (
        httpx.Client(transport=httpx.MockTransport(repeating(status))) as http,
        shop(world, database, http=http) as pay,
    ):
        _ = fails(watch, lambda: pay.create_link(order_of(reference)))
        if store:
            link = pay.link(reference)
            watch.check(link, pay, pay.run_due())


@pytest.mark.anyio
@pytest.mark.parametrize("status", STATUSES)
async def test_nor_is_it_when_it_is_awaited(watch: Watch, world: World, reference: str, status: int) -> None:
    """The asynchronous doors keep the same silence."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(repeating(status))) as http,
        AsyncPayByLink(
            providers=[provider_of(world)], store=world.database(reference), http=http, patience=HASTY
        ) as pay,
    ):
        with pytest.raises(PaybylinkError) as caught:
            _ = await pay.create_link(order_of(reference))
        watch.check(caught.value, pay)


LOSSES = ["timeout_before", "timeout_after", "reset_before", "reset_after"]


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_answers_to_every_verb_tell_nothing(
    watch: Watch, world: World, reference: str, loss: str
) -> None:
    """Creating, asking, cancelling, renewing and refunding while the provider's answers are lost."""
    control, since = world.sandbox.control, len(world.receiver.calls)
    with shop(world, world.database(reference)) as pay:
        _ = control.fault(loss, "/stripe/", times=None, seconds=3)
        error = fails(watch, lambda: pay.create_link(order_of(reference)))
        assert isinstance(error, OutcomeUnknown)
        watch.check(error.subject, pay.run_due())
        control.clear_faults()
        link = made(watch, pay.create_link(order_of(reference)))
        world.customer_pays(link.url, reference)
        for call in world.told(since):
            watch.check(pay.receive("stripe", headers=call.headers, body=call.body))
        (payment,) = list(pay.payments(link=link))
        other = made(watch, pay.create_link(order_of(f"{reference}-2")))
        _ = control.fault(loss, "/stripe/", times=None, seconds=3)
        for verb in (
            lambda: pay.refund(payment, amount=TEN, reference="AV-1"),
            lambda: pay.refresh(link),
            lambda: pay.cancel(other),
            lambda: pay.renew(other, expires_in=dt.timedelta(days=7)),
        ):
            _ = fails(watch, verb)
        watch.check(link, payment, pay.run_due(), *pay.refunds(payment), *pay.balance())


@pytest.mark.anyio
@pytest.mark.parametrize("loss", LOSSES)
async def test_lost_answers_tell_nothing_when_awaited(
    watch: Watch, world: World, reference: str, loss: str
) -> None:
    """The same through the asynchronous doors, whose libraries raise other errors."""
    async with AsyncPayByLink(
        providers=[provider_of(world)], store=world.database(reference), patience=HASTY
    ) as pay:
        _ = world.sandbox.control.fault(loss, "/stripe/", times=None, seconds=3)
        with pytest.raises(OutcomeUnknown) as caught:
            _ = await pay.create_link(order_of(reference))
        watch.check(caught.value)


def test_an_unreached_provider_tells_nothing(watch: Watch, world: World, reference: str) -> None:
    """A closed port, and TLS spoken to a port that has none."""
    for url in (
        f"http://127.0.0.1:{closed_port()}/stripe",
        world.sandbox.stripe_url.replace("http", "https"),
    ):
        with shop(world, None, providers=[provider_of(world, base_url=url)]) as pay:
            assert isinstance(fails(watch, lambda: pay.create_link(order_of(reference))), NotSent)


def test_an_answer_that_is_not_believed_is_not_repeated(watch: Watch, world: World, reference: str) -> None:
    """An address, an amount or a reference of somebody else is named by its field, never by its value."""
    real = httpx.Client(trust_env=False)

    def bend(request: httpx.Request) -> httpx.Response:
        reply = real.send(request)
        if request.method == "GET":
            return httpx.Response(reply.status_code, content=reply.content, request=request)
        told = reply.json()
        told["url"] = f"https://thief.example/{API_KEY}/{EMAIL}"
        told["metadata"] = {name: f"{value}{EMAIL}" for name, value in told.get("metadata", {}).items()}
        return httpx.Response(200, json=told, request=request)

    with (
        real,
        httpx.Client(transport=httpx.MockTransport(bend)) as http,
        shop(world, world.database(reference), http=http) as pay,
    ):
        assert fails(watch, lambda: pay.create_link(order_of(reference))).code == "integrity"


def test_refusals_of_ours_tell_nothing_of_the_customer(watch: Watch, world: World, reference: str) -> None:
    """Conflict, closed, already paid, not found, bad input: each names the order and nobody's data."""
    since = len(world.receiver.calls)
    channel = channel_of(world.sandbox.smtp_port)
    with shop(world, world.database(reference), channels=[channel]) as pay:
        order = order_of(reference)
        link = made(watch, pay.create_link(order))
        somebody = evolve_order(order, email=f"other.{EMAIL}")
        errors = [
            fails(watch, lambda: pay.create_link(somebody)),
            fails(watch, lambda: pay.create_link(order, provider=API_KEY)),
            fails(watch, lambda: pay.send(link, via="email", to=f"{EMAIL}\r\n")),
            fails(watch, lambda: pay.send(link, via="email", to=f"<{EMAIL}>")),
            fails(watch, lambda: pay.send(link, via="email", to=f"{EMAIL}..{EMAIL}")),
            fails(watch, lambda: pay.send(link, via="email", to="é" + EMAIL)),
            fails(watch, lambda: pay.send(link, via=EMAIL)),
            fails(watch, lambda: Customer(name=f"{NAME}\n", email=EMAIL.replace("@", "."), phone=PHONE * 9)),
            fails(watch, lambda: order_of(f"{reference}\n")),
        ]
        world.customer_pays(link.url, reference)
        for call in world.told(since):
            _ = pay.receive("stripe", headers=call.headers, body=call.body)
        payment = next(pay.payments(link=link))
        errors += [
            fails(watch, lambda: pay.cancel(link)),
            fails(watch, lambda: pay.send(link, via="email")),
            fails(watch, lambda: pay.refund(payment, amount=TEN)),
            fails(watch, lambda: pay.refund(payment, amount=TEN * 9, reference="AV-1")),
        ]
        watch.check(*errors, order, link, payment, pay.run_due(), *pay.deliveries(link))


def evolve_order(order: Order, **changes: Any) -> Order:
    """The order of a customer who differs."""
    assert order.customer is not None
    return Order(reference=order.reference, amount=order.amount, customer=evolve(order.customer, **changes))


# --- mail ---


@pytest.fixture(scope="module")
def bird() -> Iterator[Parrot]:
    """A mail server that repeats what it hears."""
    with parrot() as made:
        yield made


TALKS = [
    pytest.param("greeting", 554, id="greeting"),
    pytest.param("EHLO", 550, id="ehlo"),
    pytest.param("AUTH PLAIN", 535, id="auth-plain"),
    pytest.param("AUTH PLAIN", 454, id="auth-plain-not-now"),
    pytest.param("password", 535, id="auth-login"),
    pytest.param("MAIL", 553, id="mail"),
    pytest.param("RCPT", 550, id="rcpt"),
    pytest.param("RCPT", 451, id="rcpt-not-now"),
    pytest.param("DATA", 554, id="data"),
    pytest.param("dot", 554, id="content"),
    pytest.param("dot", 699, id="nonsense"),
    pytest.param("AUTH PLAIN", 0, id="cut-at-auth"),
    pytest.param("RCPT", 0, id="cut-at-rcpt"),
    pytest.param("dot", 0, id="cut-after-the-mail"),
]


@pytest.mark.parametrize(("refuses", "code"), TALKS)
def test_a_mail_server_that_repeats_what_it_hears_is_not_repeated(
    watch: Watch, world: World, bird: Parrot, reference: str, refuses: str, code: int
) -> None:
    """Its words are kept on the delivery without login, address or link; nothing of them is logged."""
    bird.refuses, bird.code = refuses, code
    bird.offers = ("AUTH LOGIN",) if refuses == "password" else ("AUTH PLAIN LOGIN", "8BITMIME")
    bird.heard.clear()
    with shop(world, world.database(reference), channels=[channel_of(bird.port)]) as pay:
        link = made(watch, pay.create_link(order_of(reference)))
        delivery = pay.send(link, via="email")

        assert delivery.outcome is not Outcome.ACCEPTED
        assert not watch.found_in(delivery.detail), delivery.detail
        watch.check(delivery, pay.run_due())


@pytest.mark.anyio
@pytest.mark.parametrize(("refuses", "code"), TALKS)
async def test_nor_is_it_repeated_when_awaited(
    watch: Watch, world: World, bird: Parrot, reference: str, refuses: str, code: int
) -> None:
    """The same through aiosmtplib."""
    bird.refuses, bird.code = refuses, code
    bird.offers = ("AUTH LOGIN",) if refuses == "password" else ("AUTH PLAIN LOGIN", "8BITMIME")
    bird.heard.clear()
    async with AsyncPayByLink(
        providers=[provider_of(world)],
        channels=[channel_of(bird.port)],
        store=world.database(reference),
        patience=HASTY,
    ) as pay:
        link = made(watch, await pay.create_link(order_of(reference)))
        delivery = await pay.send(link, via="email")

        assert delivery.outcome is not Outcome.ACCEPTED
        assert not watch.found_in(delivery.detail), delivery.detail
        watch.check(delivery)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_server_without_tls_hears_no_password(
    watch: Watch, world: World, bird: Parrot, reference: str, security: str
) -> None:
    """TLS is never given up: nothing but a greeting is said in clear text."""
    bird.refuses, bird.offers = "", ("AUTH PLAIN LOGIN", "8BITMIME")
    bird.heard.clear()
    channel = channel_of(bird.port, security=security)
    with shop(world, world.database(reference), channels=[channel]) as pay:
        link = made(watch, pay.create_link(order_of(reference)))
        delivery = pay.send(link, via="email")

        assert delivery.outcome is Outcome.DEFERRED
        watch.check(delivery, channel)
    assert not watch.found_in(" ".join(bird.heard))


# --- webhooks and handlers ---


def test_a_refused_webhook_is_not_repeated(watch: Watch, world: World, reference: str) -> None:
    """Neither the body nor the header of a call that is not believed goes anywhere."""
    with shop(world, world.database(reference)) as pay:
        for signature in (f"t=1,v1={API_KEY}", WEBHOOK_SECRET, f"t={EMAIL},v1=00", ""):
            headers = {"stripe-signature": signature, "x-customer": EMAIL}
            body = json.dumps({"id": "evt_1", "customer": EMAIL, "key": API_KEY}).encode()
            reply = pay.receive("stripe", headers=headers, body=body)
            watch.check(reply, fails(watch, partial(pay.verify, "stripe", headers=headers, body=body)))

            assert reply.status == 400
            assert not watch.found_in(reply.body.decode() + reply.reason)
        watch.check(fails(watch, lambda: pay.receive("paypal", headers={}, body=EMAIL.encode())))


def test_a_handler_that_fails_is_named_by_its_type(watch: Watch, world: World, reference: str) -> None:
    """What a host's own code says when it fails may hold anything, so it is not written down."""
    since = len(world.receiver.calls)
    with shop(world, world.database(reference)) as pay:

        @pay.on(LinkOpened, LinkPaid)
        def mail_the_boss(event: LinkOpened | LinkPaid) -> None:
            try:
                raise KeyError(API_KEY)
            except KeyError:
                raise RuntimeError(f"no mailbox for {EMAIL}, {PHONE}") from None

        link = made(watch, pay.create_link(order_of(reference)))
        world.customer_pays(link.url, reference)
        for call in world.told(since):
            watch.check(pay.receive("stripe", headers=call.headers, body=call.body))
        watch.check(pay.run_due())

    assert any("RuntimeError" in text for name, _, text in watch.records if name == "paybylink.handlers")


@pytest.mark.anyio
async def test_a_handler_that_fails_is_named_by_its_type_when_awaited(
    watch: Watch, world: World, reference: str
) -> None:
    """The same for a handler that is a coroutine."""
    async with AsyncPayByLink(
        providers=[provider_of(world)], store=world.database(reference), patience=HASTY
    ) as pay:

        @pay.on(LinkOpened)
        async def mail_the_boss(event: LinkOpened) -> None:
            raise RuntimeError(f"no mailbox for {EMAIL}, {PHONE}")

        _ = made(watch, await pay.create_link(order_of(reference)))
        watch.check(await pay.run_due())

    assert any("RuntimeError" in text for name, _, text in watch.records if name == "paybylink.handlers")


# --- the database ---


def gone(folder: Path, _: Callable[[str], None]) -> str:
    return f"sqlite:///{folder / 'nowhere' / 'shop.db'}"


def no_database(folder: Path, _: Callable[[str], None]) -> str:
    _ = (folder / "letter.db").write_bytes(f"Dear {NAME}, your key is {API_KEY}. ".encode() * 200)
    return f"sqlite:///{folder / 'letter.db'}"


def damaged(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "damaged.db"
    prepare(f"sqlite:///{path}")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    _ = path.write_bytes(content)
    return f"sqlite:///{path}"


def without_tables(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "bare.db"
    prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        _ = connection.execute("DROP TABLE paybylink_customers")
    connection.close()
    return f"sqlite:///{path}"


def with_another_rule(folder: Path, prepare: Callable[[str], None]) -> str:
    path = folder / "ruled.db"
    prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        _ = connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON paybylink_customers BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    connection.close()
    return f"sqlite:///{path}"


def away(folder: Path, _: Callable[[str], None]) -> str:
    return f"postgresql+psycopg://clerk:{DATABASE_PASSWORD}@127.0.0.1:{closed_port()}/shop"


DATABASES = [gone, no_database, damaged, without_tables, with_another_rule, away]


@pytest.mark.parametrize("database", DATABASES)
def test_a_database_that_fails_tells_nothing(
    watch: Watch, world: World, tmp_path: Path, reference: str, database: Callable[..., str]
) -> None:
    """Gone, damaged, of another kind, without a table, refusing: no row, no statement's values, no password."""

    def prepare(url: str) -> None:
        with shop(world, url) as pay:
            assert pay.link("nothing") is None
        # Whatever stands in the log of SQLite goes into the file.
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    url = database(tmp_path, prepare)
    with shop(world, url) as pay:
        error = fails(watch, lambda: pay.create_link(order_of(reference)))
        watch.check(pay)

    assert isinstance(error, StoreError) or error.code == "schema_outdated"
    assert world.links(reference) == []


@pytest.mark.anyio
@pytest.mark.parametrize("database", [gone, no_database, without_tables, with_another_rule, away])
async def test_a_database_that_fails_tells_nothing_when_awaited(
    watch: Watch, world: World, tmp_path: Path, reference: str, database: Callable[..., str]
) -> None:
    """The same through aiosqlite and psycopg's own coroutines."""

    def prepare(url: str) -> None:
        with shop(world, url) as pay:
            assert pay.link("nothing") is None

    store = database(tmp_path, prepare)
    async with AsyncPayByLink(providers=[provider_of(world)], store=store, patience=HASTY) as pay:
        with pytest.raises(PaybylinkError) as caught:
            _ = await pay.create_link(order_of(reference))
        watch.check(caught.value, pay)


def test_a_locked_database_tells_nothing(
    watch: Watch, world: World, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer who waits in vain is told of the lock and of nothing that he wanted to write."""
    monkeypatch.setattr(_engines, "BUSY_SECONDS", 0.05)
    url = world.database(reference)
    rival = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    _ = rival.execute("BEGIN EXCLUSIVE")
    with shop(world, url) as pay:
        error = fails(watch, lambda: pay.create_link(order_of(reference)))
    rival.close()

    assert isinstance(error, StoreError)
    assert "locked" in str(error)


# --- settings ---

#: Wrong settings, each with a mark in it.
SETTINGS = [
    {"STRIPE_API_KEY": f"pk_test_{API_KEY}"},
    {"STRIPE_API_KEY": f" {API_KEY}"},
    {"STRIPE_API_KEY": API_KEY.replace("_test_", "_live_"), "STRIPE_BASE_URL": f"http://{API_KEY}.example"},
    {"STRIPE_WEBHOOK_SECRETS": f"{API_KEY},{WEBHOOK_SECRET}"},
    {"STRIPE_TOLERANCE": API_KEY},
    {"STRIPE_APIKEY": API_KEY},
    {"STRIPE_BASE_URL": f"https://user:{API_KEY}@example.com"},
    {"SMTP_PORT": SMTP_PASSWORD},
    {"SMTP_HOST": f"mail.example:{SMTP_PASSWORD}"},
    {"SMTP_SENDER": f"{NAME} <{EMAIL}"},
    {"SMTP_REPLY_TO": f"{EMAIL}@"},
    {"SMTP_SECURITY": SMTP_PASSWORD},
    {"STORE": f"mysql://clerk:{DATABASE_PASSWORD}@db.example/shop"},
    {"STORE": f"clerk:{DATABASE_PASSWORD}@db.example"},
    {"STORE": f"postgresql://clerk:{DATABASE_PASSWORD}@db.example:port/shop"},
    {"STORE": f"postgresql+{DATABASE_PASSWORD}://db.example/shop"},
    {"PUBLIC_URL": f"http://user:{DATABASE_PASSWORD}@pay.example"},
    {"PROVIDERS": f'[{{"type": "stripe", "api_key": "{API_KEY}"'},
    {"PROVIDERS": f'[{{"type": "{API_KEY}"}}]'},
    {"PROVIDERS": f'"{API_KEY}"'},
    {"PROVIDERS__0__TYPE": "stripe", "PROVIDERS__0__API_KEY__X": API_KEY},
    {"CHANNELS": f'[{{"password": "{SMTP_PASSWORD}"}}]'},
    {"DEFAULT_EXPIRY_DAYS": API_KEY},
    {"MERCHANT": f'{{"zone": "{API_KEY}"}}'},
    {"MERCHANT": f'{{"name": "{API_KEY}\\n"}}'},
    {"LANGUAGE": API_KEY},
    {"ACCOUNTS": f'{{"chart": "{API_KEY}", "{EMAIL}": 1}}'},
    {"TENANT": f'"{API_KEY}'},
]


def asks(terminal: Terminal) -> list[Typed]:
    """Every command that reads settings, with and without ``--json``."""
    commands = (
        ("create", "49.90 EUR", "-r", "S-1"),
        ("send", "S-1"),
        ("links",),
        ("payments",),
        ("refund", "S-1"),
        ("cancel", "S-1"),
        ("run-due",),
        ("doctor",),
        ("db", "upgrade"),
        ("export", "fec", "--since", "2026-01-01", "--until", "2026-12-31", "--to", "."),
    )
    return [terminal.type(*command, *extra) for command in commands for extra in ((), ("--json",))]


@pytest.mark.parametrize("given", SETTINGS, ids=lambda given: next(iter(given)))
def test_a_wrong_setting_is_named_by_its_path(
    watch: Watch, world: World, terminal: Terminal, given: dict[str, str]
) -> None:
    """No value of a setting is ever repeated: not by the settings, not by `PayByLink`, not by a command."""
    terminal.set(
        STRIPE_API_KEY=API_KEY,
        SMTP_USERNAME=SMTP_USER,
        SMTP_PASSWORD=SMTP_PASSWORD,
        STRIPE_BASE_URL=f"http://127.0.0.1:{closed_port()}/stripe",
        SMTP_PORT=str(closed_port()),
    )
    terminal.set(**given)
    try:
        settings = load()
        watch.check(settings, settings.model_dump_json(), *settings.providers, *settings.channels)
        with PayByLink(**settings.parts(), patience=HASTY) as pay:
            watch.check(pay, pay.journeys, pay.journeys.providers, pay.journeys.channels)
            _ = pay.link("nothing")
    except PaybylinkError as error:
        watch.check(error)
    for command in (("create", "49.90 EUR", "-r", "S-1"), ("doctor",), ("db", "upgrade")):
        for extra in ((), ("--json",)):
            typed = terminal.type(*command, *extra)
            assert not watch.found_in(typed.out + typed.err), typed
            assert typed.defect is None, typed.defect


FILES = [
    pytest.param(f'api_key = "{API_KEY}', id="unclosed"),
    pytest.param(f'[[providers]]\ntype = "stripe"\napi_key = "{API_KEY}"\napi_key = "{API_KEY}"', id="twice"),
    pytest.param(f'[[providers]]\ntype = "stripe"\nkey = "{API_KEY}"', id="unknown-option"),
    pytest.param(f'[providers]\ntype = "stripe"\napi_key = "{API_KEY}"', id="no-list"),
    pytest.param(f'stripe_api_key = "{API_KEY}"', id="unknown-setting"),
    pytest.param(f'[[providers]]\ntype = "stripe"\napi_key = ["{API_KEY}"]', id="a-list-for-a-key"),
    pytest.param(f'store = ["{DATABASE_PASSWORD}"]', id="a-list-for-a-store"),
    pytest.param(f'"{API_KEY}" = 1', id="a-secret-for-a-name"),
]


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_settings_file_is_named_by_its_place(
    watch: Watch, terminal: Terminal, tmp_path: Path, text: str
) -> None:
    """A broken file is told by line and column, and never by what stands there."""
    for name in ("STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_BASE_URL", "STORE"):
        terminal.monkeypatch.delenv(f"PAYBYLINK_{name}")
    _ = (tmp_path / "paybylink.toml").write_text(text, "utf-8")
    marks = watch.marks - {"markApiKey7Zq"} if text.startswith('"') else watch.marks
    with pytest.raises(SettingsError) as caught:
        _ = PayByLink.from_env()
    typed = terminal.type("links", "--json")

    assert not watch.found_in(str(caught.value), marks), caught.value
    assert not watch.found_in(typed.out + typed.err, marks)
    assert typed.code == 2


# --- values ---


def test_no_repr_of_a_value_tells_a_secret_or_anybodys_data(
    watch: Watch, world: World, reference: str
) -> None:
    """Whatever ends in a debugger, a log line or a crash report of the host shows neither."""
    since = len(world.receiver.calls)
    url = f"postgresql+psycopg://clerk:{DATABASE_PASSWORD}@db.example/shop"
    channel = channel_of(world.sandbox.smtp_port, reply_to=EMAIL, wording=Wording(merchant="Atelier"))
    database = world.database(reference)
    public = "https://pay.atelier.example"
    with shop(world, database, channels=[channel], public_url=public) as pay:
        order = order_of(reference)
        link = made(watch, pay.create_link(order))
        delivery = pay.send(link, via="email")
        world.customer_pays(link.provider_links[0].url or "", reference)
        replies = [pay.receive("stripe", headers=call.headers, body=call.body) for call in world.told(since)]
        payment: Payment = next(pay.payments(link=link))
        refund = pay.refund(payment, amount=TEN, reference="AV-1", reason="returned")
        stored = pay._run(pay.journeys.merchant.store.link(link.id))
        row = pay._run(pay.journeys.merchant.store.delivery(delivery.id))
        watch.check(
            order,
            order.customer,
            link,
            *link.provider_links,
            delivery,
            payment,
            refund,
            *replies,
            *(event for reply in replies for event in reply.events),
            stored,
            row,
            row.message if row else None,
            pay.journeys.merchant,
            *pay.journeys.providers,
            *pay.journeys.channels,
            channel.server,
            channel.sender,
            pay,
            pay._doors,
            pay._doors.vault,
            PayByLink(providers=[provider_of(world)], store=url),
            AsyncPayByLink(providers=[provider_of(world)], store=url),
        )
        with pytest.raises(PaybylinkError):
            _ = pay.share(link)
        share = pay.share(made(watch, pay.create_link(order_of(f"{reference}-2"))))
        watch.check(share)


# --- the command line ---


def test_commands_that_fail_print_nothing_of_it(
    watch: Watch, world: World, terminal: Terminal, bird: Parrot, reference: str
) -> None:
    """Each command, failing in each way that it can, on both of its streams; links are printed only by `create`."""
    asked = ("create", "49.90 EUR", "-r", reference, "--name", NAME, "--email", EMAIL, "--phone", PHONE)
    terminal.set(
        STRIPE_API_KEY=API_KEY,
        STRIPE_WEBHOOK_SECRETS=f"{WEBHOOK_SECRET},{world.secret}",
        SMTP_USERNAME=SMTP_USER,
        SMTP_PASSWORD=SMTP_PASSWORD,
        SMTP_PORT=str(bird.port),
    )
    bird.refuses, bird.code, bird.offers = "AUTH", 535, ("AUTH PLAIN LOGIN",)
    printed: list[Typed] = []

    def type_all(*commands: tuple[str, ...]) -> None:
        for command in commands:
            printed.extend(terminal.type(*command, *extra) for extra in ((), ("--json",)))

    for status in (400, 401, 429, 500):
        _ = world.sandbox.control.fault("status", "/stripe/", times=None, status=status)
        type_all(asked)
        world.sandbox.control.clear_faults()
    created = terminal.type(*asked, "--json")
    assert created.code == 0, created
    assert not watch.found_in(created.out + created.err, SECRETS)
    watch.add(json.loads(created.out)["url"])
    type_all(
        ("send", reference),
        ("send", reference, "--to", f"{EMAIL}\r\n"),
        ("send", reference, "--to", f"<{EMAIL}>"),
        ("send", reference, "--attach", "nothing.pdf"),
        ("send", reference, "--via", EMAIL),
        (*asked, "--language", f"{EMAIL}\n"),
        ("create", "50.00 EUR", "-r", reference, "--email", EMAIL),
        ("create", "49.90 EUR", "-r", reference, "--email", EMAIL, "--phone", f"{PHONE}\n"),
        ("refund", reference),
        ("refund", reference, "--payment", API_KEY),
        ("cancel", f"{reference}-unknown"),
        ("links",),
        ("payments",),
        ("run-due",),
        ("doctor",),
        ("export", "nothing", "--since", "2026-01-01", "--until", "2026-12-31", "--to", "."),
        ("--settings", "nowhere.toml", "links"),
    )
    for typed in printed:
        assert not watch.found_in(typed.out + typed.err), typed
        assert typed.defect is None, typed.defect
