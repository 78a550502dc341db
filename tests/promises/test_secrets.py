"""
The promise: no secret is ever printed, and nobody's address, number, name or payment page either, whatever fails.

Every error path that can be reached is driven with marked values (see `marks`), and the marks are searched for in
the logs of everybody, the texts, reprs, causes and tracebacks of errors, the reprs of values, and what commands
print. Here: the provider, webhooks, handlers and values; beside it: mail, databases, settings and commands.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink import AsyncPayByLink, Customer, NotSent, Order, OutcomeUnknown, PayByLink, PaybylinkError
from paybylink.channels.smtp import Wording
from paybylink.events import LinkOpened, LinkPaid
from paybylink.payments import Payment
from workflows.world import World

from .marked_shop import HASTY, TEN, channel_of, fails, made, order_of, provider_of, shop
from .marks import API_KEY, DATABASE_PASSWORD, EMAIL, NAME, PHONE, WEBHOOK_SECRET, Watch
from .shop import closed_port


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


def test_httpx_does_not_log_what_we_send(watch: Watch, world: World, reference: str) -> None:
    """httpx logs each URL with its query at INFO; ours it leaves to us, and the host's own it still logs."""
    with shop(world, world.database(reference)) as pay:
        link = made(watch, pay.create_link(order_of(reference)))
        before = len(watch.records)
        _ = pay.refresh(link)
        ours = watch.records[before:]
        _ = httpx.get(f"{world.sandbox.url}/sandbox/clock?mine=1", trust_env=False)

    # The sandbox runs in this process and logs its own requests, which bring webhooks elsewhere.
    by_httpx = [text for name, level, text in ours if name == "httpx" and level >= logging.INFO]
    assert [text for text in by_httpx if world.sandbox.stripe_url in text] == []
    assert [text for name, _, text in ours if name == "paybylink.http" and "?" in text] == []
    assert [name for name, _, text in ours if name == "paybylink.http"] != []
    assert [name for name, _, text in watch.records if "mine=1" in text and name == "httpx"] == ["httpx"]


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
        for wrong in (
            f"{EMAIL}@{EMAIL}",
            "a@mark7zq_bad!.example",
            "a@[mark7zq]",
            "\ud800mark7zq@example.com",
        ):
            errors.append(fails(watch, partial(pay.send, link, via="email", to=wrong)))
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
        other = made(watch, pay.create_link(order_of(f"{reference}-2")))
        watch.check(other, pay.share(other))
