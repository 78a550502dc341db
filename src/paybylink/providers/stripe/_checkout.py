"""
How Stripe's page behaves, from an order's `Checkout`: methods, language, statement, capture, raw fields. Pure.

Rule 1: without methods in the checkout none is named: the merchant's Dashboard settings decide, and stay decisive.
Rule 2: a payment link has no place for its language nor for the payer's email; both ride in its address, where
        whoever has the link can read and change them. So the email is put there only when the order says so.
Rule 3: raw fields of the host (``extra``) come last. One that we have written already is refused, and so is one by
        which a promise is kept: what is paid, how often, until when, and whose it is.

Source: docs.stripe.com, "Customize a payment link", "URL parameters"; API reference, "Create a payment link",
"Create a Checkout Session"; changelog, 2026-09-30.endive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from paybylink.checkout import Capture
from paybylink.errors import Faults
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest
from paybylink.providers.methods import MethodNames

Json: TypeAlias = dict[str, Any]

#: Our words and Stripe's, where they differ.
METHODS: Final = MethodNames(
    differing=MappingProxyType({"bank_transfer": "customer_balance", "przelewy24": "p24"})
)
#: Wallets hold cards; Stripe offers them wherever it offers cards, and takes no word for them.
_WALLETS: Final = frozenset({"apple_pay", "google_pay"})

#: Languages of Stripe's pages. Source: API reference, `checkout.session.locale`.
_LOCALE_NAMES = """
bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
th tr vi zh zh-HK zh-TW
"""
LOCALES: Final = tuple(_LOCALE_NAMES.split())
#: Where Spanish is spoken as in the Americas.
_AMERICAS: Final = "ar bo cl co cr do ec gt hn mx ni pa pe py sv us uy ve"
_LOCALE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {locale.lower(): locale for locale in LOCALES}
    | {"no": "nb", "nn": "nb", "tl": "fil", "zh-hant": "zh-TW", "zh-mo": "zh-HK"}
    | {f"es-{country}": "es-419" for country in _AMERICAS.split()}
)

#: What a card's statement cannot show. Source: docs.stripe.com, "Statement descriptors".
_UNPRINTABLE: Final = re.compile(r"[<>\\'\"*]")

#: Fields of any request by which promises are kept: what is asked for, how often, until when, and whose it is.
_PROMISES = """
after_expiration allow_promotion_codes auto_advance automatic_tax automatically_finalizes_at client_reference_id
collection_method currency customer customer_account days_until_due default_tax_rates discounts due_date expand
expires_at from_invoice line_items managed_payments metadata mode optional_items payment_intent_data
pending_invoice_items_behavior redirect_on_completion restrictions return_url setup_intent_data shipping_cost
shipping_options subscription subscription_data success_url ui_mode
"""
_OURS: Final = frozenset(_PROMISES.split())
#: What we write too, and a host may say better.
_WORDS: Final = frozenset({"inactive_message"})
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,60}")


def asked_language(request: LinkRequest) -> str:
    """The language of the page as it was asked for: the checkout's, else the customer's; empty for none."""
    customer = request.order.customer
    return (
        request.order.checkout.language or request.locale or (customer.language if customer else None) or ""
    )


def page_locale(request: LinkRequest) -> str:
    """Stripe's word for the language of the page; empty where it shall choose by the payer's browser."""
    tag = asked_language(request).replace("_", "-").lower()
    while tag:
        if tag in _LOCALE_OF:
            return _LOCALE_OF[tag]
        tag = tag.rpartition("-")[0]
    return ""


def prefilled_email(request: LinkRequest) -> str:
    """The customer's email, where the order says that it is handed over; empty otherwise."""
    order = request.order
    return (order.customer.email or "") if order.checkout.prefill and order.customer else ""


def page_url(url: str, request: LinkRequest) -> str:
    """The address of a payment link with what rides in it (rule 2); a query that it has is kept."""
    wishes = {"locale": page_locale(request), "prefilled_email": prefilled_email(request)}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in wishes.items() if value)
    if not query:
        return url
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{query}{mark}{fragment}"


def check_checkout(faults: Faults, request: LinkRequest) -> None:
    """Add a fault for everything in the order's checkout that Stripe does not understand."""
    checkout = request.order.checkout
    for path, names in (("methods", checkout.methods), ("blocked_methods", checkout.blocked_methods)):
        for place, name in enumerate(names):
            if name in _WALLETS:
                faults.add(
                    f"order.checkout.{path}[{place}]",
                    f"is {name}, which Stripe offers with cards and not by itself",
                    "write card, or switch the wallet on or off in the Dashboard",
                )
    if checkout.language is not None and not page_locale(request):
        faults.add(
            "order.checkout.language",
            "is no language of Stripe's pages",
            f"leave it out, or write one of {', '.join(LOCALES)}",
        )
    if _UNPRINTABLE.search(checkout.statement):
        faults.add(
            "order.checkout.statement",
            "has characters that bank statements cannot show",
            "leave out < > \\ ' \" and *",
        )


def methods(names: tuple[str, ...]) -> list[str]:
    """Stripe's words for methods, each once."""
    return list(dict.fromkeys(METHODS.to_vendor(name) for name in names))


def intent_fields(request: LinkRequest, metadata: Mapping[str, str], description: str) -> Json:
    """`payment_intent_data`: our marks, which Stripe does not copy there, and how the money is taken."""
    checkout = request.order.checkout
    fields: Json = {"metadata": metadata, "description": description}
    if checkout.statement:
        # A whole descriptor of one's own is an error for cards.
        fields["statement_descriptor_suffix"] = checkout.statement
    if checkout.capture is Capture.MANUAL:
        fields["capture_method"] = "manual"
    return fields


def with_extra(faults: Faults, form: Json, order: Order) -> Json:
    """`form` with the host's raw fields for Stripe (rule 3)."""
    extra = order.checkout.extra.get("stripe", {})
    for name in extra:
        path = f"order.checkout.extra.stripe.{name}"
        if not isinstance(name, str) or not _FIELD.fullmatch(name):
            # ``metadata[paybylink_link]`` would reach inside one of ours.
            faults.add(path, "is no name of a field", "write the field's bare name and an object below it")
        elif _says(extra[name], "capture_method"):
            faults.add(
                path,
                "says when the money is taken, of which our own marks would not know",
                "say it by order.checkout.capture",
            )
        elif name in _OURS or (name in form and name not in _WORDS):
            faults.add(
                path, "is a field by which a promise is kept", "say it in the order, the kind or the expiry"
            )
    return {**form, **extra}


def _says(value: object, word: str) -> bool:
    """Whether `word` names a field anywhere in a raw value."""
    if isinstance(value, Mapping):
        return word in value or any(_says(each, word) for each in value.values())
    return isinstance(value, list | tuple) and any(_says(each, word) for each in value)
