"""
Payment links: made, read, changed, used up.

A link is not a payment. It is a template from which each payer's visit makes a session; what it counts is
completed sessions. A link that has reached its limit is switched off, and raising the limit alone does not switch
it on again: `active=true` must be said as well.
Source: Stripe API reference, "Payment Link"; docs.stripe.com/payment-links/customize ("Limit the number of
payments").
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Condition, Document, Engine, shown
from paybylink.sandbox.stripe import catalogue
from paybylink.sandbox.stripe.call import Call, Origin
from paybylink.sandbox.stripe.events import emit
from paybylink.sandbox.stripe.lists import PAGING, envelope, page
from paybylink.sandbox.stripe.parameters import (
    Field,
    Flag,
    Labels,
    Many,
    Record,
    Text,
    Unsimulated,
    Whole,
    merged,
)
from paybylink.sandbox.stripe.wire import Problem

_WEB = Text(5000, pattern="https?://.+")
_SWITCH = Record({"enabled": Flag()}, required=("enabled",))
_PLACE = Record({"message": Text(1200)}, required=("message",))

#: Parameters of links and sessions that are kept and shown, and change nothing here.
ECHOED: Mapping[str, Field] = {
    "allow_promotion_codes": Flag(),
    "automatic_tax": Record({"enabled": Flag()}, required=("enabled",)),
    "billing_address_collection": Text(choices=("auto", "required")),
    "custom_text": Record(
        dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"), _PLACE)
    ),
    "customer_creation": Text(choices=("always", "if_required")),
    "phone_number_collection": _SWITCH,
    "submit_type": Text(choices=("auto", "book", "donate", "pay", "subscribe")),
}
#: What the payment of a link or session takes with it.
INTENT = Record(
    {
        "capture_method": Text(choices=("automatic", "automatic_async", "manual")),
        "description": Text(1000),
        "metadata": Labels(),
        "setup_future_usage": Text(choices=("off_session", "on_session")),
        "statement_descriptor": Text(22),
        "statement_descriptor_suffix": Text(22),
        "transfer_group": Text(),
    }
)
_CHANGEABLE: Mapping[str, Field] = {
    **ECHOED,
    "after_completion": Record(
        {
            "type": Text(choices=("redirect", "hosted_confirmation")),
            "redirect": Record({"url": _WEB}, required=("url",)),
            "hosted_confirmation": Record({"custom_message": Text(500)}),
        },
        required=("type",),
    ),
    "inactive_message": Text(500),
    "metadata": Labels(),
    "payment_intent_data": INTENT,
    "payment_method_collection": Text(choices=("always", "if_required")),
    "payment_method_types": Many(Text(), maximum=50),
    "restrictions": Record(
        {"completed_sessions": Record({"limit": Whole(1)}, required=("limit",))},
        required=("completed_sessions",),
    ),
    "tax_id_collection": Record(
        {"enabled": Flag(), "required": Text(choices=("if_supported", "never"))}, required=("enabled",)
    ),
}
_UNSIMULATED: Mapping[str, Field] = dict.fromkeys(
    (
        "application_fee_amount",
        "application_fee_percent",
        "consent_collection",
        "custom_fields",
        "invoice_creation",
        "managed_payments",
        "name_collection",
        "on_behalf_of",
        "optional_items",
        "payment_method_options",
        "shipping_address_collection",
        "shipping_options",
        "subscription_data",
        "transfer_data",
    ),
    Unsimulated(),
)
_CREATE = Record(
    {**_CHANGEABLE, **_UNSIMULATED, "currency": Text(20), "line_items": Many(catalogue.LINE, maximum=20)},
    required=("line_items",),
)
_UPDATE = Record({**_CHANGEABLE, **_UNSIMULATED, "active": Flag(), "line_items": Unsimulated()})

#: What a link says where its maker said nothing, and what an unset value falls back to.
_DEFAULTS: Document = {
    "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": None}},
    "allow_promotion_codes": False,
    "automatic_tax": {"enabled": False, "liability": None},
    "billing_address_collection": "auto",
    "custom_text": dict.fromkeys(
        ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    ),
    "customer_creation": "if_required",
    "inactive_message": None,
    "metadata": {},
    "payment_intent_data": None,
    "payment_method_collection": "always",
    "payment_method_types": None,
    "phone_number_collection": {"enabled": False},
    "restrictions": None,
    "submit_type": "auto",
    "tax_id_collection": {"enabled": False, "required": "never"},
}


def create(call: Call) -> Document:
    """POST /v1/payment_links."""
    values = call.values(_CREATE)
    items = catalogue.line_items(call.engine, values["line_items"])
    if values.get("currency") and values["currency"].lower() != items[0]["currency"]:
        raise Problem("The currency must be that of the line items.", param="currency")
    identifier = call.engine.new_id("plink_1")
    link: Document = {
        "id": identifier,
        "object": "payment_link",
        "active": True,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "consent_collection": None,
        "currency": items[0]["currency"],
        "custom_fields": [],
        "invoice_creation": None,
        "livemode": False,
        "managed_payments": None,
        "on_behalf_of": None,
        "optional_items": None,
        "payment_method_options": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "subscription_data": None,
        "transfer_data": None,
        "url": f"{call.engine.base_url}/pay/{identifier}",
        "_line_items": items,
        **_DEFAULTS,
    }
    _apply(link, values)
    _ = call.engine.put("payment_link", link)
    _ = emit(call.engine, "payment_link.created", link, origin=call.origin)
    return link


def fetch(call: Call) -> Document:
    """GET /v1/payment_links/{payment_link}."""
    _ = call.values(Record({}))
    return call.subject("payment_link", "payment_link")


def fetch_items(call: Call) -> Document:
    """GET /v1/payment_links/{payment_link}/line_items."""
    link = call.subject("payment_link", "payment_link")
    limit = call.values(Record(PAGING)).get("limit") or 10
    items = link["_line_items"]
    return envelope(
        items[:limit], url=f"/v1/payment_links/{link['id']}/line_items", has_more=len(items) > limit
    )


def index(call: Call) -> Document:
    """GET /v1/payment_links, newest first, all or by `active`."""
    values = call.values(Record({**PAGING, "active": Flag()}))
    tests: list[Condition] = [] if values.get("active") is None else [("active", "=", values["active"])]
    return page(call.engine, "payment_link", values, *tests, url="/v1/payment_links")


def update(call: Call) -> Document:
    """POST /v1/payment_links/{payment_link}."""
    link = call.subject("payment_link", "payment_link")
    before = shown(link)
    _apply(link, call.values(_UPDATE))
    return _kept(call.engine, link, before, call.origin)


def count_completed(engine: Engine, link: Document, *, origin: Origin) -> None:
    """One more session of the link is complete; at its limit the link is switched off."""
    before = shown(link)
    restrictions = link["restrictions"]
    if restrictions is None:
        return
    done = restrictions["completed_sessions"]["count"] + 1
    limit = restrictions["completed_sessions"]["limit"]
    link["restrictions"] = {"completed_sessions": {"count": done, "limit": limit}}
    link["active"] = link["active"] and done < limit
    _ = _kept(engine, link, before, origin)


def used_up(link: Document) -> bool:
    """Whether the link has had as many completed sessions as it may have."""
    sessions = (link["restrictions"] or {}).get("completed_sessions")
    return bool(sessions and sessions["count"] >= sessions["limit"])


def _kept(engine: Engine, link: Document, before: Document, origin: Origin) -> Document:
    _ = engine.put("payment_link", link)
    previous = {name: before[name] for name in before if before[name] != link[name]}
    if previous:
        _ = emit(engine, "payment_link.updated", link, origin=origin, previous=previous)
    return link


def _apply(link: Document, values: Document) -> None:
    for name, value in values.items():
        if name in {"line_items", "currency"}:
            continue
        if name == "metadata":
            link["metadata"] = merged(link["metadata"], value)
        elif name == "restrictions" and value is not None:
            count = ((link["restrictions"] or {}).get("completed_sessions") or {}).get("count", 0)
            limit = value["completed_sessions"]["limit"]
            if limit <= count and link["restrictions"] is not None:
                raise Problem(
                    f"The limit must be greater than the {count} sessions already completed.",
                    param="restrictions[completed_sessions][limit]",
                )
            link["restrictions"] = {"completed_sessions": {"count": count, "limit": limit}}
        elif name == "payment_intent_data" and value is not None:
            link[name] = {field: value.get(field) for field in INTENT.fields}
            link[name]["metadata"] = merged({}, value.get("metadata"))
        elif name == "after_completion" and value is not None:
            link[name] = _after_completion(value)
        elif isinstance(value, dict) and isinstance(_DEFAULTS.get(name), dict):
            link[name] = {**_DEFAULTS[name], **value}
        else:
            link[name] = _DEFAULTS.get(name) if value is None and name != "active" else value
    if link["active"] and used_up(link):
        raise Problem(
            "This payment link has reached its limit of completed sessions; raise the limit to make it active.",
            param="active",
        )


def _after_completion(value: Document) -> Document:
    if value["type"] == "redirect":
        if not value.get("redirect"):
            raise Problem(
                "Missing required param: after_completion[redirect].",
                code="parameter_missing",
                param="after_completion[redirect]",
            )
        return {"type": "redirect", "redirect": value["redirect"]}
    message = (value.get("hosted_confirmation") or {}).get("custom_message")
    return {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": message}}
