"""
What `POST /v1/checkout/sessions` takes, for one-off payments on the hosted page.

Source: Stripe API reference, "Create a Checkout Session"; Stripe changelog, 2026-09-30.endive, for what it no
longer takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.stripe import catalogue
from paybylink.sandbox.stripe.links import ECHOED, INTENT
from paybylink.sandbox.stripe.parameters import (
    Field,
    Labels,
    Many,
    Record,
    Text,
    Unsimulated,
    Whole,
    Withdrawn,
)

_WEB = Text(5000, pattern="https?://.+")
_LOCALE_NAMES = """
    auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru
    sk sl sv th tr vi zh zh-HK zh-TW
"""
LOCALES = _LOCALE_NAMES.split()
_FIELDS: Mapping[str, Field] = {
    **ECHOED,
    "adaptive_pricing": Record({"enabled": Unsimulated()}),
    "cancel_url": _WEB,
    "client_reference_id": Text(200),
    "currency": Text(20),
    "customer_email": Text(800, pattern=r"[^@\s]+@[^@\s]+"),
    "excluded_payment_method_types": Many(Text(), maximum=100),
    "allowed_payment_method_types": Many(Text(), maximum=100),
    "expires_at": Whole(0),
    "line_items": Many(catalogue.LINE, maximum=100),
    "locale": Text(choices=tuple(LOCALES)),
    "metadata": Labels(),
    "mode": Text(choices=("payment", "setup", "subscription")),
    "payment_intent_data": INTENT,
    "success_url": _WEB,
    "ui_mode": Text(choices=("hosted_page", "embedded_page", "elements")),
    **dict.fromkeys(
        (
            "after_expiration",
            "branding_settings",
            "consent_collection",
            "custom_fields",
            "customer",
            "customer_account",
            "customer_update",
            "discounts",
            "invoice_creation",
            "managed_payments",
            "name_collection",
            "optional_items",
            "origin_context",
            "payment_method_collection",
            "payment_method_configuration",
            "payment_method_data",
            "payment_method_options",
            "permissions",
            "redirect_on_completion",
            "return_url",
            "saved_payment_method_options",
            "setup_intent_data",
            "shipping_address_collection",
            "shipping_options",
            "subscription_data",
            "tax_id_collection",
            "wallet_options",
        ),
        Unsimulated(),
    ),
}
#: Since this version a session takes no payment_method_types. Source: Stripe changelog, 2026-09-30.endive.
_TYPES_WITHDRAWN = "2026-09-30"


def creation(version: str) -> Record:
    """The parameters in one version of the API."""
    types: Field = Many(Text(), maximum=50)
    if version >= _TYPES_WITHDRAWN:
        types = Withdrawn("payment_method_types_no_longer_supported")
    return Record({**_FIELDS, "payment_method_types": types})
