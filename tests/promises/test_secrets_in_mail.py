"""
The promise: no secret is ever printed, and nobody's address, number, name or payment page either, whatever fails,
here: a mail server, which may repeat all that it hears.
"""

from __future__ import annotations

import pytest

from paybylink import AsyncPayByLink, Outcome
from workflows.world import World

from .marked_shop import HASTY, OFFERS, channel_of, made, order_of, provider_of, shop
from .marks import Watch
from .parrot import Parrot

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
    bird.prepare(refuses, code, offers=("AUTH LOGIN",) if refuses == "password" else OFFERS)
    with shop(world, world.database(reference), channels=[channel_of(bird.port)]) as pay:
        link = made(watch, pay.create_link(order_of(reference)))
        delivery = pay.send(link, via="email")

        assert bird.refused
        assert delivery.outcome is not Outcome.ACCEPTED
        assert not watch.found_in(delivery.detail), delivery.detail
        watch.check(delivery, pay.run_due())


@pytest.mark.anyio
@pytest.mark.parametrize(("refuses", "code"), TALKS)
async def test_nor_is_it_repeated_when_awaited(
    watch: Watch, world: World, bird: Parrot, reference: str, refuses: str, code: int
) -> None:
    """The same through aiosmtplib."""
    bird.prepare(refuses, code, offers=("AUTH LOGIN",) if refuses == "password" else OFFERS)
    async with AsyncPayByLink(
        providers=[provider_of(world)],
        channels=[channel_of(bird.port)],
        store=world.database(reference),
        patience=HASTY,
    ) as pay:
        link = made(watch, await pay.create_link(order_of(reference)))
        delivery = await pay.send(link, via="email")

        assert bird.refused
        assert delivery.outcome is not Outcome.ACCEPTED
        assert not watch.found_in(delivery.detail), delivery.detail
        watch.check(delivery)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_server_without_tls_hears_no_password(
    watch: Watch, world: World, bird: Parrot, reference: str, security: str
) -> None:
    """TLS is never given up: nothing but a greeting is said in clear text."""
    bird.prepare(offers=OFFERS)
    channel = channel_of(bird.port, security=security)
    with shop(world, world.database(reference), channels=[channel]) as pay:
        link = made(watch, pay.create_link(order_of(reference)))
        delivery = pay.send(link, via="email")

        assert delivery.outcome is Outcome.DEFERRED
        watch.check(delivery, channel)
    assert not watch.found_in(" ".join(bird.heard))
