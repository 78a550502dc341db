"""
The promise: a provider that refuses the key, and a host that cannot be reached, leave nothing behind that could be
paid or read; the error says what to do, and once that is done the same call goes through, once.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from paybylink import (
    AsyncPayByLink,
    LinkStatus,
    NotSent,
    Outcome,
    OutcomeUnknown,
    PayByLink,
    ProviderError,
    create_link,
)
from paybylink.channels.smtp import SmtpEmail
from paybylink.providers.stripe import StripeProvider
from workflows.world import QUICK, World

from .shop import SENDER, Terminal, closed_port, forget_names, quiet


@pytest.mark.parametrize("status", [401, 403], ids=["wrong-key", "key-without-the-right"])
def test_a_wrong_key_is_named_and_leaves_no_link(
    pay: PayByLink, world: World, reference: str, status: int
) -> None:
    """The refusal names the key and where to find the right one; with that one the same call makes the one link."""
    _ = world.sandbox.control.fault("status", "/stripe/v1/", times=None, status=status)
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            _ = pay.create_link(world.order(reference))

        assert caught.value.who == "stripe"
        assert caught.value.standard_code in ("unauthorised", "forbidden")
        assert not caught.value.retryable
        assert "Dashboard" in str(caught.value)
    assert world.links(reference) == []
    known = pay.link(reference)
    assert known is None or not known.payable

    world.sandbox.control.clear_faults()
    link = pay.create_link(world.order(reference))
    assert link.payable
    assert len(world.links(reference)) == 1
    assert pay.send(link, via="email").outcome is Outcome.ACCEPTED
    assert world.mails(reference) == 1


def test_a_wrong_key_on_the_command_line_ends_with_3(
    world: World, terminal: Terminal, reference: str
) -> None:
    """A script sees the refusal in the exit code, and its mail is not sent."""
    asked = ("create", "49.90 EUR", "-r", reference, "--email", f"{reference}@example.com", "--send", "email")
    _ = world.sandbox.control.fault("status", "/stripe/v1/", times=None, status=401)
    refused = terminal.type(*asked, "--json")

    assert refused.code == 3
    assert refused.error["standard_code"] == "unauthorised"
    assert (world.links(reference), world.mails(reference)) == ([], 0)
    world.sandbox.control.clear_faults()
    assert terminal.type(*asked).code == 0
    assert terminal.type(*asked).code == 0
    assert (len(world.links(reference)), world.mails(reference)) == (1, 1)


def nobody_listens(world: World, monkeypatch: pytest.MonkeyPatch) -> StripeProvider:
    return StripeProvider("sk_test_world", base_url=f"http://127.0.0.1:{closed_port()}/stripe")


def no_such_name(world: World, monkeypatch: pytest.MonkeyPatch) -> StripeProvider:
    forget_names(monkeypatch)
    return StripeProvider("sk_test_world")


def no_tls(world: World, monkeypatch: pytest.MonkeyPatch) -> StripeProvider:
    return StripeProvider("sk_test_world", base_url=world.sandbox.stripe_url.replace("http:", "https:"))


Lost = Callable[[World, pytest.MonkeyPatch], StripeProvider]
LOST = [
    pytest.param(nobody_listens, id="closed-port"),
    pytest.param(no_such_name, id="unknown-name"),
    pytest.param(no_tls, id="no-tls"),
]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("store", [True, False], ids=["store", "stateless"])
def test_a_provider_that_cannot_be_reached_is_surely_not_asked(
    world: World, reference: str, monkeypatch: pytest.MonkeyPatch, lost: Lost, store: bool
) -> None:
    """Not "unknown": nobody was reached, so nothing was done; the right address then makes the one link."""
    order = world.order(reference)
    database = world.database(reference) if store else None
    with quiet(world), PayByLink(providers=[lost(world, monkeypatch)], store=database, patience=QUICK) as pay:
        with pytest.raises(NotSent) as caught:
            _ = pay.create_link(order)

        assert caught.value.who == "stripe"
        assert "nothing was done" in str(caught.value)
        assert "Check the address" in str(caught.value)
        if store:
            known = pay.link(reference)
            assert known is not None
            assert (known.status, known.payable) == (LinkStatus.PENDING, False)
    monkeypatch.undo()
    with PayByLink(providers=[world.provider()], store=database, patience=QUICK) as pay:
        assert pay.create_link(order).payable
        assert pay.create_link(order).payable
    assert len(world.links(reference)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("lost", LOST)
async def test_the_same_holds_when_it_is_awaited(
    world: World, reference: str, monkeypatch: pytest.MonkeyPatch, lost: Lost
) -> None:
    """The asynchronous doors tell unreached from unknown in the same places."""
    provider, store = lost(world, monkeypatch), world.database(reference)
    async with AsyncPayByLink(providers=[provider], store=store, patience=QUICK) as pay:
        with pytest.raises(NotSent, match="nothing was done"):
            _ = await pay.create_link(world.order(reference))
    monkeypatch.undo()
    async with world.async_pay_by_link(store) as pay:
        assert (await pay.create_link(world.order(reference))).payable
    assert len(world.links(reference)) == 1


def test_a_script_and_the_command_line_say_that_nobody_was_reached(
    world: World, terminal: Terminal, reference: str
) -> None:
    """`create_link()` raises `NotSent`, the command ends with 5, and both go through when the address is right."""
    terminal.set(STRIPE_BASE_URL=f"http://127.0.0.1:{closed_port()}/stripe")
    with quiet(world):
        with pytest.raises(NotSent):
            _ = create_link("49.90 EUR", reference=reference)
        typed = terminal.type("create", "49.90 EUR", "-r", reference)

    assert typed.code == 5
    assert "Nothing was sent" in typed.err
    terminal.set(STRIPE_BASE_URL=world.sandbox.stripe_url)
    assert terminal.type("create", "49.90 EUR", "-r", reference).code == 0
    assert create_link("49.90 EUR", reference=reference).payable
    assert len(world.links(reference)) == 1


def deaf_port(monkeypatch: pytest.MonkeyPatch) -> SmtpEmail:
    return SmtpEmail("127.0.0.1", closed_port(), security="none", sender=SENDER)


def unknown_host(monkeypatch: pytest.MonkeyPatch) -> SmtpEmail:
    forget_names(monkeypatch)
    return SmtpEmail("mail.atelier.example", 587, sender=SENDER)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        pytest.param(deaf_port, "refused or lost; the mail was not taken", id="closed-port"),
        pytest.param(unknown_host, "name is not known; the mail was not taken", id="unknown-name"),
    ],
)
def test_a_mail_server_that_cannot_be_reached_defers_the_mail(
    world: World,
    reference: str,
    monkeypatch: pytest.MonkeyPatch,
    lost: Callable[[pytest.MonkeyPatch], SmtpEmail],
    reason: str,
) -> None:
    """The delivery says that it was not taken and why; with the right server the same call sends it, once."""
    store = world.database(reference)
    with world.pay_by_link(store) as pay:
        link = pay.create_link(world.order(reference))
    channel = lost(monkeypatch)
    with quiet(world), PayByLink(providers=[world.provider()], channels=[channel], store=store) as pay:
        delivery = pay.send(link, via="email")

        assert delivery.outcome is Outcome.DEFERRED
        assert reason in delivery.detail
        assert delivery.retry_at is not None
    monkeypatch.undo()
    with world.pay_by_link(store) as pay:
        sent = [pay.send(link, via="email") for _ in range(2)]
        assert {each.id for each in sent} == {delivery.id}
        assert {each.outcome for each in sent} == {Outcome.ACCEPTED}
    assert world.mails(reference) == 1


def test_an_answer_that_is_not_the_providers_is_not_believed(world: World, reference: str) -> None:
    """A hotel's login page instead of Stripe: nothing is believed, and the real answer is asked for later."""

    def hotel(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>Welcome to our wireless network</html>", request=request)

    store = world.database(reference)
    with (
        quiet(world),
        httpx.Client(transport=httpx.MockTransport(hotel)) as http,
        PayByLink(providers=[world.provider()], store=store, http=http, patience=QUICK) as pay,
        pytest.raises(OutcomeUnknown, match="call the same method again") as caught,
    ):
        _ = pay.create_link(world.order(reference))

    assert caught.value.link is not None
    assert not caught.value.link.payable
    with world.pay_by_link(store) as pay:
        assert pay.create_link(world.order(reference)).payable
    assert len(world.links(reference)) == 1
