"""
Verify and normalise one webhook of each vendor, beside a bare HMAC with `json.loads` of the same body.

And beside stripe-python's `construct_event`. The other two packages have nothing like it: Adyen's checks an item that
was parsed before, and Mollie's parses nothing.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

import stripe
from attrs import frozen

from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Provider
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.stripe import StripeProvider

from .answers import recorded
from .report import show, side_by_side

SECRET = "whsec_bench_bench_bench_bench"
ADYEN_KEY = "00112233445566778899AABBCCDDEEFF" * 2
MOLLIE_SECRET = "bench-bench-bench-bench"
NOW = dt.datetime.now(dt.UTC)
TIMES = 1500


@frozen
class Call:
    """
    One webhook.

    Attributes:
        name: for the table.
        provider: ours.
        headers, body: as they come.
        key: of the signature.
        signed: what was signed, of a body.
        signature: what the signature has to be.
        least: events a second that are enough, or a share of the bare loop.
    """

    name: str
    provider: Provider
    headers: Mapping[str, str]
    body: bytes
    key: bytes
    signed: Callable[[bytes], bytes]
    signature: bytes
    least: tuple[float, float]


def stripe_call() -> Call:
    """A `checkout.session.completed` of about 3 kB."""
    event = recorded("event_session_completed")
    event["data"]["object"]["success_url"] = "x" * 1500
    event["created"] = int(NOW.timestamp())
    body = json.dumps(event).encode()
    stamp = b"%d." % int(NOW.timestamp())
    digest = hmac.digest(SECRET.encode(), stamp + body, "sha256")
    return Call(
        name="Stripe",
        provider=StripeProvider("sk_test_bench", webhook_secrets=[SECRET]),
        headers={"stripe-signature": f"t={stamp[:-1].decode()},v1={digest.hex()}"},
        body=body,
        key=SECRET.encode(),
        signed=lambda text: stamp + text,
        signature=digest,
        least=(float("inf"), 0.3),
    )


def adyen_call() -> Call:
    """A standard notification of one item, an `AUTHORISATION`."""
    told = recorded("adyen_event_authorisation")
    item = told["notificationItems"][0]["NotificationRequestItem"]
    text = ":".join(
        (
            *(item["pspReference"], "", item["merchantAccountCode"], item["merchantReference"]),
            *(str(item["amount"]["value"]), item["amount"]["currency"], item["eventCode"], item["success"]),
        )
    ).encode()
    key = bytes.fromhex(ADYEN_KEY)
    digest = hmac.digest(key, text, "sha256")
    item["additionalData"]["hmacSignature"] = base64.b64encode(digest).decode()
    return Call(
        name="Adyen",
        provider=AdyenProvider(
            "AQEbenchbench", merchant_account=item["merchantAccountCode"], hmac_keys=[ADYEN_KEY]
        ),
        headers={},
        body=json.dumps(told).encode(),
        key=key,
        signed=lambda body: text,
        signature=digest,
        least=(30_000, 0.25),
    )


def mollie_call() -> Call:
    """A signed event with its entity, about 2 kB."""
    body = json.dumps(recorded("mollie_event_payment_paid")).encode()
    digest = hmac.digest(MOLLIE_SECRET.encode(), body, "sha256")
    return Call(
        name="Mollie",
        provider=MollieProvider("test_" + "b" * 30, webhook_secrets=[MOLLIE_SECRET]),
        headers={"x-mollie-signature": f"sha256={digest.hex()}"},
        body=body,
        key=MOLLIE_SECRET.encode(),
        signed=lambda text: text,
        signature=digest,
        least=(30_000, 0.25),
    )


def measure(call: Call) -> None:
    """Print the cases of one vendor."""

    def ours(_: int) -> object:
        call.provider.verify(call.headers, call.body, now=NOW)
        return call.provider.read(call.body)

    def bare(_: int) -> object:
        good = hmac.new(call.key, call.signed(call.body), hashlib.sha256).digest()
        assert hmac.compare_digest(good, call.signature)
        return json.loads(call.body)

    cost, bare_cost = side_by_side((ours, bare), times=TIMES)
    events, share = call.least
    goal = f">= {share} x" if events == float("inf") else f">= {events:,} or {share} x"
    show(
        f"{call.name}: verify and normalise one event, rate",
        ours=1000 / cost,
        peer=1000 / bare_cost,
        unit="per CPU second",
        against="bare HMAC + json.loads",
        goal=goal,
        met=1000 / cost >= events or bare_cost / cost >= share,
    )


def beside_the_sdk(call: Call) -> None:
    """Print Stripe's event beside `construct_event`."""

    def ours(_: int) -> object:
        call.provider.verify(call.headers, call.body, now=NOW)
        return call.provider.read(call.body)

    def sdk(_: int) -> object:
        return stripe.Webhook.construct_event(call.body, call.headers["stripe-signature"], SECRET)

    cost, sdk_cost = side_by_side((ours, sdk), times=TIMES // 5)
    show(
        f"{call.name}: verify and normalise one event, rate",
        ours=1000 / cost,
        peer=1000 / sdk_cost,
        unit="per CPU second",
        against="stripe.Webhook.construct_event",
        goal=">= 10 x",
        met=sdk_cost / cost >= 10,
    )


def main() -> None:
    """Print every case."""
    of_stripe = stripe_call()
    for call in (of_stripe, adyen_call(), mollie_call()):
        measure(call)
    beside_the_sdk(of_stripe)


if __name__ == "__main__":
    main()
