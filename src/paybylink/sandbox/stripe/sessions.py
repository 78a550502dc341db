"""
Checkout sessions: one payer, one attempt to pay, at most a day long.

A session is made by the API or by a payer who pays a link. (At Stripe each opening of a link makes one; here only
a payer who presses a button does, so that looking at a page changes nothing.) Sessions end by the sandbox's clock:
`expire_due` is called before every request, so an expiry is never seen late.
Source: Stripe API reference, "Checkout Sessions".
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.stripe import catalogue
from paybylink.sandbox.stripe.call import NOBODY, Call, Origin
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.links import ECHOED
from paybylink.sandbox.stripe.lists import CREATED, PAGING, envelope, page
from paybylink.sandbox.stripe.parameters import Field, Labels, Record, Text, Unsimulated, merged
from paybylink.sandbox.stripe.session_parameters import LOCALES, creation
from paybylink.sandbox.stripe.wire import Problem

_DAY, _HALF_HOUR = 86400, 1800

#: The delayed method that the hosted page offers in a currency; elsewhere a bank transfer.
_DELAYED = {
    "aud": "au_becs_debit",
    "brl": "boleto",
    "cad": "acss_debit",
    "eur": "sepa_debit",
    "gbp": "bacs_debit",
    "jpy": "konbini",
    "mxn": "oxxo",
    "usd": "us_bank_account",
}


def delayed_method(currency: str) -> str:
    """The name of the method whose money comes later."""
    return _DELAYED.get(currency, "customer_balance")


def create(call: Call) -> Document:
    """POST /v1/checkout/sessions, for one-off payments on the hosted page."""
    values = call.values(creation(call.version))
    for name, only in (("mode", "payment"), ("ui_mode", "hosted_page")):
        if values.get(name, only) != only:
            raise Problem(
                f"The sandbox simulates {name}={only} only.", code="sandbox_unsimulated", param=name
            )
    for name in ("mode", "line_items", "success_url"):
        if values.get(name) is None:
            raise Problem(f"Missing required param: {name}.", code="parameter_missing", param=name)
    now = call.engine.timestamp()
    expires_at = values.get("expires_at", now + _DAY)
    # Exactly 24 hours has been seen refused by the real API, whose clock is not the caller's; so it is here.
    if "expires_at" in values and not now + _HALF_HOUR <= expires_at < now + _DAY:
        raise Problem(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session"
            " creation.",
            param="expires_at",
        )
    items = catalogue.line_items(call.engine, values["line_items"])
    if items[0]["price"]["custom_unit_amount"]:
        raise Problem(
            "A price with custom_unit_amount is simulated on payment links only.", param="line_items"
        )
    return _new(call.engine, values, items, expires_at=expires_at, link=None)


def open_for(
    engine: Engine,
    link: Document,
    *,
    chosen: int | None,
    client_reference_id: str | None,
    email: str | None,
    locale: str | None,
) -> Document:
    """The session of one payer of a link; `chosen` is the amount typed, for links that let the payer choose."""
    after = link["after_completion"]
    values: Document = {name: link[name] for name in ECHOED} | {
        "client_reference_id": client_reference_id,
        "customer_email": email,
        "locale": locale if locale in LOCALES else None,
        "metadata": link["metadata"],
        "payment_intent_data": link["payment_intent_data"],
        "success_url": after["redirect"]["url"] if after["type"] == "redirect" else None,
    }
    items = catalogue.copied(engine, link["_line_items"], chosen=chosen)
    return _new(engine, values, items, expires_at=engine.timestamp() + _DAY, link=link)


def _new(
    engine: Engine, values: Document, items: list[Document], *, expires_at: int, link: Document | None
) -> Document:
    identifier = engine.new_id("cs_test_", 58)
    total = sum(item["amount_total"] for item in items)
    currency = items[0]["currency"]
    session: Document = {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": values.get("allow_promotion_codes"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": values.get("billing_address_collection"),
        "cancel_url": values.get("cancel_url"),
        "client_reference_id": values.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": engine.timestamp(),
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        )
        | (values.get("custom_text") or {}),
        "customer": None,
        "customer_account": None,
        "customer_creation": values.get("customer_creation") or "if_required",
        "customer_details": None,
        "customer_email": values.get("customer_email"),
        "discounts": [],
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": values.get("locale"),
        "metadata": merged({}, values.get("metadata")),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": link["id"] if link else None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card", delayed_method(currency)],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {
            "enabled": bool((values.get("phone_number_collection") or {}).get("enabled"))
        },
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": values.get("submit_type"),
        "subscription": None,
        "success_url": values.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        # A real session's address ends in a fragment that must survive; so does this one.
        "url": f"{engine.base_url}/pay/{identifier}#sandbox",
        "wallet_options": None,
        "_line_items": items,
        "_intent": values.get("payment_intent_data") or {},
    }
    return engine.put("checkout.session", session)


def fetch(call: Call) -> Document:
    """GET /v1/checkout/sessions/{session}."""
    _ = call.values(Record({}))
    return call.subject("checkout.session", "session")


def fetch_items(call: Call) -> Document:
    """GET /v1/checkout/sessions/{session}/line_items."""
    session = call.subject("checkout.session", "session")
    limit = call.values(Record(PAGING)).get("limit") or 10
    items = session["_line_items"]
    return envelope(
        items[:limit], url=f"/v1/checkout/sessions/{session['id']}/line_items", has_more=len(items) > limit
    )


def index(call: Call) -> Document:
    """GET /v1/checkout/sessions, newest first."""
    filters: Mapping[str, Field] = {
        "payment_link": Text(),
        "payment_intent": Text(),
        "status": Text(choices=("complete", "expired", "open")),
    }
    values = call.values(Record({**PAGING, **filters, "created": CREATED}))
    tests: list[Condition] = [(name, "=", values[name]) for name in filters if values.get(name) is not None]
    return page(call.engine, "checkout.session", values, *tests, url="/v1/checkout/sessions")


def expire(call: Call) -> Document:
    """POST /v1/checkout/sessions/{session}/expire; only an open session can be expired."""
    session = call.subject("checkout.session", "session")
    _ = call.values(Record({}))
    if session["status"] != "open":
        raise Problem(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status'
            f' of "{session["status"]}".',
            param="session",
            executed=True,
        )
    return _expired(call.engine, session, call.origin)


def update(call: Call) -> Document:
    """POST /v1/checkout/sessions/{session}: its metadata."""
    session = call.subject("checkout.session", "session")
    unsimulated = dict.fromkeys(("collected_information", "line_items", "shipping_options"), Unsimulated())
    values = call.values(Record({"metadata": Labels(), **unsimulated}))
    if "metadata" in values:
        session["metadata"] = merged(session["metadata"], values["metadata"])
    return call.engine.put("checkout.session", session)


def expire_due(engine: Engine) -> None:
    """Expire every open session whose time has come by the sandbox's clock."""
    due = engine.find(
        "checkout.session",
        ("status", "=", "open"),
        ("expires_at", "<=", engine.timestamp()),
        newest_first=False,
    )
    for session in due:
        _ = _expired(engine, session, NOBODY)


def _expired(engine: Engine, session: Document, origin: Origin) -> Document:
    session |= {"status": "expired", "url": None}
    _ = engine.put("checkout.session", session)
    if session["payment_intent"] is not None:
        intent = engine.get("payment_intent", session["payment_intent"])
        if intent is not None:
            intent |= {
                "status": "canceled",
                "canceled_at": engine.timestamp(),
                "cancellation_reason": "expired" if origin == NOBODY else "abandoned",
            }
            _ = engine.put("payment_intent", intent)
            _ = emit(engine, "payment_intent.canceled", intent, origin=origin)
    _ = emit(engine, "checkout.session.expired", session, origin=origin)
    return session
