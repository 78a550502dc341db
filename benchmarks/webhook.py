"""Verify and normalise one Stripe event: ours, the SDK's `construct_event`, and a bare HMAC with `json.loads`."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json

import stripe

from paybylink.providers.stripe import StripeProvider

from .report import cpu_ms, show

SECRET = "whsec_bench_bench_bench_bench"


def event() -> bytes:
    """A `checkout.session.completed` of about 3 kB."""
    session = {
        "id": "cs_test_bench",
        "object": "checkout.session",
        "amount_subtotal": 4990,
        "amount_total": 4990,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "cancel_url": "https://stripe.com",
        "created": 1767225600,
        "currency": "eur",
        "custom_fields": [],
        "custom_text": {"submit": None, "after_submit": None},
        "customer_details": {"email": "z@example.com", "name": "Zoé", "address": {"country": "FR"}},
        "livemode": False,
        "metadata": {"paybylink_link": "01J0", "paybylink_attempt": "01J1", "paybylink_reference": "INV-1"},
        "mode": "payment",
        "payment_intent": "pi_bench",
        "payment_link": "plink_bench",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "paid",
        "status": "complete",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "success_url": "x" * 1500,
        "url": None,
    }
    told = {
        "id": "evt_bench",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1767225600,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return json.dumps(told).encode()


def main() -> None:
    """Print the two cases."""
    body = event()
    now = dt.datetime.now(dt.UTC)
    stamp = int(now.timestamp())
    signature = hmac.new(SECRET.encode(), b"%d.%b" % (stamp, body), hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={stamp},v1={signature}"}
    provider = StripeProvider("sk_test_bench", webhook_secrets=[SECRET])

    def ours(_: int) -> object:
        provider.verify(headers, body, now=now)
        return provider.read(body)

    def bare(_: int) -> object:
        good = hmac.new(SECRET.encode(), b"%d.%b" % (stamp, body), hashlib.sha256).hexdigest()
        assert hmac.compare_digest(good, signature)
        return json.loads(body)

    def sdk(_: int) -> object:
        return stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET)

    cost, bare_cost = cpu_ms(ours, times=3000), cpu_ms(bare, times=3000)
    sdk_cost = cpu_ms(sdk, times=300)
    show(
        "verify and normalise one event, rate",
        ours=1000 / cost,
        peer=1000 / sdk_cost,
        unit="per CPU second",
        against="stripe.Webhook.construct_event",
        goal=">= 10 x",
        met=sdk_cost / cost >= 10,
    )
    show(
        "verify and normalise one event, rate",
        ours=1000 / cost,
        peer=1000 / bare_cost,
        unit="per CPU second",
        against="bare HMAC + json.loads",
        goal=">= 0.3 x",
        met=bare_cost / cost >= 0.3,
    )


if __name__ == "__main__":
    main()
