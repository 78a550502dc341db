"""
The promise: a webhook that is forged, stale, cut short or written anew changes nothing and is answered with 400;
the genuine one, told again, is taken once. A payment that no link here explains is kept for a person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

import httpx
import pytest
from attrs import evolve

from paybylink import LinkStatus, PayByLink
from paybylink.errors import WebhookRejected
from paybylink.events import LinkPaid
from paybylink.providers.stripe import StripeProvider
from paybylink.web.app import app
from workflows.receiver import Call
from workflows.world import World

#: Longer than a signature is believed.
LATER = dt.timedelta(minutes=6)


def signed(call: Call, secret: str, *, at: float | None = None) -> Call:
    """The call with a signature of its own."""
    moment = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), moment.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    return evolve(call, headers={**call.headers, "stripe-signature": f"t={moment},v1={mac}"})


def forged(call: Call, secret: str) -> Call:
    return signed(call, "whsec_somebody_elses")


def stale(call: Call, secret: str) -> Call:
    return signed(call, secret, at=time.time() - LATER.total_seconds())


def from_the_future(call: Call, secret: str) -> Call:
    return signed(call, secret, at=time.time() + LATER.total_seconds())


def truncated(call: Call, secret: str) -> Call:
    return evolve(call, body=call.body[:-20])


def cut_and_signed(call: Call, secret: str) -> Call:
    return signed(evolve(call, body=call.body[:-20]), secret)


def empty(call: Call, secret: str) -> Call:
    return evolve(call, body=b"")


def written_anew(call: Call, secret: str) -> Call:
    return evolve(call, body=json.dumps(json.loads(call.body), separators=(",", ":")).encode())


def a_space_longer(call: Call, secret: str) -> Call:
    return evolve(call, body=call.body[:1] + b" " + call.body[1:])


def unsigned(call: Call, secret: str) -> Call:
    return evolve(
        call, headers={name: value for name, value in call.headers.items() if name != "stripe-signature"}
    )


def of_an_old_scheme(call: Call, secret: str) -> Call:
    return evolve(
        call,
        headers={**call.headers, "stripe-signature": call.headers["stripe-signature"].replace("v1=", "v0=")},
    )


WRONG = [
    pytest.param(forged, "fits none of the webhook secrets", id="forged"),
    pytest.param(stale, "too old", id="stale"),
    pytest.param(from_the_future, "from the future", id="from-the-future"),
    pytest.param(truncated, "fits none of the webhook secrets", id="truncated"),
    pytest.param(cut_and_signed, "is no event of Stripe", id="truncated-and-signed"),
    pytest.param(empty, "fits none of the webhook secrets", id="empty"),
    pytest.param(written_anew, "the exact bytes that were sent", id="re-serialised"),
    pytest.param(a_space_longer, "fits none of the webhook secrets", id="a-space-more"),
    pytest.param(unsigned, "has no Stripe-Signature header", id="unsigned"),
    pytest.param(of_an_old_scheme, "cannot be read", id="an-old-scheme"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG)
def test_a_webhook_that_is_not_genuine_changes_nothing(
    pay: PayByLink, world: World, reference: str, change: Callable[[Call, str], Call], reason: str
) -> None:
    """Refused with 400 and a reason; the payment is taken when the genuine call comes, and taken once."""
    handled: list[LinkPaid] = []
    _ = pay.on(LinkPaid)(handled.append)
    since = len(world.receiver.calls)
    link = pay.create_link(world.order(reference))
    world.customer_pays(link.url, reference)
    calls = world.told(since)
    for call in calls:
        wrong = change(call, world.secret)
        reply = pay.receive("stripe", headers=wrong.headers, body=wrong.body)
        with pytest.raises(WebhookRejected) as caught:
            _ = pay.verify("stripe", headers=wrong.headers, body=wrong.body)

        assert (reply.status, reply.events) == (400, ())
        assert reason in reply.reason
        assert reason in str(caught.value)
    untouched = pay.link(reference)
    assert untouched is not None
    assert (untouched.status, list(pay.payments()), handled) == (LinkStatus.OPEN, [], [])

    for call in [*calls, *calls]:
        assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
    paid = pay.link(reference)
    assert paid is not None
    assert (paid.status, paid.payments) == (LinkStatus.PAID, 1)
    assert [event.link_id for event in handled] == [link.id]


@pytest.mark.anyio
async def test_the_web_answers_a_forged_webhook_with_400_and_tells_nothing(
    world: World, reference: str
) -> None:
    """Whoever forges learns neither why he was refused nor which providers there are."""
    body = b'{"id": "evt_1", "object": "event"}'
    pay = world.pay_by_link(world.database(reference))
    transport = httpx.ASGITransport(app(pay))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as http:
        replies: Mapping[str, httpx.Response] = {
            path: await http.post(path, content=body, headers={"Stripe-Signature": "t=1,v1=00"})
            for path in ("/webhooks/stripe", "/webhooks/adyen", "/webhooks/other/stripe")
        }
    pay.close()

    assert {path: reply.status_code for path, reply in replies.items()} == {
        "/webhooks/stripe": 400,
        "/webhooks/adyen": 404,
        "/webhooks/other/stripe": 404,
    }
    assert replies["/webhooks/stripe"].content == b"refused"


def test_a_provider_without_a_secret_believes_nothing_and_is_told_again(world: World, reference: str) -> None:
    """A missing setting is no forgery: 503 makes the provider keep the event until the setting is there."""
    store, since = world.database(reference), len(world.receiver.calls)
    with world.pay_by_link(store) as pay:
        link = pay.create_link(world.order(reference))
        world.customer_pays(link.url, reference)
    provider = StripeProvider("sk_test_world", base_url=world.sandbox.stripe_url)
    with PayByLink(providers=[provider], store=store) as bare:
        replies = [bare.receive("stripe", headers=call.headers, body=call.body) for call in world.told(since)]

    assert {reply.status for reply in replies} == {503}
    assert "set webhook_secrets" in replies[0].reason
    with world.pay_by_link(store) as pay:
        for call in world.told(since):
            assert pay.receive("stripe", headers=call.headers, body=call.body).status == 200
        assert [payment.reference for payment in pay.payments()] == [reference]


def test_a_payment_of_a_link_that_is_not_known_here_is_kept(world: World, reference: str) -> None:
    """Money is never lost: a genuine payment of an unknown link is taken, told to a person, and books once."""
    since = len(world.receiver.calls)
    with world.pay_by_link(world.database(f"{reference}-theirs")) as theirs:
        link = theirs.create_link(world.order(reference))
        world.customer_pays(link.url, reference)
    with world.pay_by_link(world.database(f"{reference}-ours")) as ours:
        for call in [*world.told(since), *world.told(since)]:
            assert ours.receive("stripe", headers=call.headers, body=call.body).status == 200
        _ = ours.run_due()

        assert ours.link(reference) is None
        assert [(each.amount.minor, each.link_id) for each in ours.exceptions()] == [(4990, None)]
        assert sum(line.debit_minor for line in ours.balance()) == 4990
