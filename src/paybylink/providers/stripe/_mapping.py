"""
Our orders and refunds, written as Stripe's requests. Pure.

A link is one of three things there, and `link_steps` says which:

* a payment link, which is the rule. One that lets the payer choose the amount needs a price of its own first;
* a Checkout Session, for a single-use link that ends within 24 hours: it ends by itself (see `session_until`);
* an invoice that Stripe makes, in a few requests (see `_invoices`).

Every request of a link carries our marks, and every text that is for display only is visibly shortened ("…") where
it is too long; anything else that does not fit is refused, every fault at once.

Source: docs.stripe.com, API reference "Create a payment link", "Create a Checkout Session", "Create a price",
"Create a refund".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from attrs import frozen

from paybylink.checkout import Capture
from paybylink.currencies import STRIPE
from paybylink.errors import Faults, InvalidInput, UnsupportedCapability
from paybylink.flow import answer_slot
from paybylink.kinds import HostedInvoice, InvoiceBound, Reusable, SingleUse
from paybylink.money import to_wire
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, need

from ._capabilities import CAPABILITIES, NO_BLOCKING
from ._checkout import (
    asked_language,
    check_checkout,
    intent_fields,
    methods,
    page_locale,
    prefilled_email,
    with_extra,
)
from ._invoices import invoice_steps
from ._items import NAME_LIMIT, check_lines, line_items, shortened, title
from ._limits import wire_amount
from ._marks import REASON, REFUND, completed_limit, marks

Json: TypeAlias = dict[str, Any]

LINKS: Final = "/v1/payment_links"
SESSIONS: Final = "/v1/checkout/sessions"
PRICES: Final = "/v1/prices"
REFUNDS: Final = "/v1/refunds"

#: A session lives 30 minutes to 24 hours after Stripe has made it; a minute is left for the way and for clocks.
SHORTEST_SESSION: Final = dt.timedelta(minutes=31)
LONGEST_SESSION: Final = dt.timedelta(hours=24) - dt.timedelta(minutes=1)
#: From this version on a session names the methods it allows by another word. Source: changelog of endive.
_ALLOWED_SINCE: Final = "2026-09-30"
#: The first version of which we know that a session can leave methods out.
_EXCLUDED_SINCE: Final = "2026-05-27"

_METADATA_VALUE: Final = 500
#: Stripe's own words for why money goes back; any other word of the merchant's travels as metadata.
_REFUND_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})

_INACTIVE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "de": "Dieser Zahlungslink ist nicht mehr gültig. Bitte wenden Sie sich an den Händler.",
        "en": "This payment link is no longer active. Please contact the merchant.",
        "es": "Este enlace de pago ya no está activo. Póngase en contacto con el comercio.",
        "fr": "Ce lien de paiement n’est plus actif. Veuillez contacter le marchand.",
        "it": "Questo link di pagamento non è più attivo. Contatti l’esercente.",
        "nl": "Deze betaallink is niet meer actief. Neem contact op met de verkoper.",
    }
)


@frozen
class Step:
    """
    One request of those that make a link.

    Attributes:
        path: from ``/v1`` on; may hold an `answer_slot`.
        form: its fields; may hold them too.
    """

    path: str
    form: Json


def session_until(request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
    """
    When the session ends that is made for `request`; None where it is another kind of link.

    Only a link for one person, to end within a day, with an address to return to, which a session needs. Never later
    than asked for: what is to end sooner than a session can stays a payment link, which we close.
    """
    until = request.expires_at
    if not isinstance(request.kind, SingleUse) or until is None or request.order.return_url is None:
        return None
    # In whole seconds, as Stripe counts; asked again with the answer, the answer is the same.
    ends = min(until, now + LONGEST_SESSION).replace(microsecond=0)
    return ends if ends - now >= SHORTEST_SESSION and until - now <= dt.timedelta(hours=24) else None


def link_steps(request: LinkRequest, *, now: dt.datetime, version: str, who: str) -> tuple[Step, ...]:
    """
    The requests that make a link, in order.

    Args:
        version: of the API.
        who: the provider's name.

    Raises:
        UnsupportedCapability: something in the order's checkout cannot be had.
        InvalidInput: the order breaks a limit of Stripe; every fault at once.
    """
    until = session_until(request, now=now)
    _check_had(request, session=until is not None, version=version, who=who)
    faults = Faults()
    amount = wire_amount(faults, "order", request.order.amount)
    check_lines(faults, request.order)
    check_checkout(faults, request)
    metadata = marks(request, now=now)
    if isinstance(request.kind, HostedInvoice):
        steps = tuple(Step(*step) for step in invoice_steps(faults, request, request.kind, amount, metadata))
    elif until is not None:
        form = _session(request, amount, metadata, until=until, version=version)
        steps = (Step(SESSIONS, with_extra(faults, form, request.order)),)
    elif isinstance(request.kind, Reusable) and request.kind.payer_chooses:
        form = _link(request, [{"price": answer_slot(0), "quantity": 1}], metadata)
        price = _price(faults, request, request.kind, amount, metadata)
        steps = (Step(PRICES, price), Step(LINKS, with_extra(faults, form, request.order)))
    else:
        form = _link(request, line_items(request, amount), metadata)
        steps = (Step(LINKS, with_extra(faults, form, request.order)),)
    faults.raise_any()
    return steps


def refund_form(request: RefundRequest) -> Json:
    """
    The form of ``POST /v1/refunds``.

    Raises:
        InvalidInput: the payment has nothing to refund at Stripe, or the amount cannot be said there.
    """
    if not request.payment_vendor_id.startswith("pi_"):
        raise InvalidInput.single(
            "payment", "has no payment intent at Stripe, as nothing was charged", "there is nothing to refund"
        )
    metadata = {REFUND: request.refund_id}
    form: Json = {
        "payment_intent": request.payment_vendor_id,
        "amount": to_wire(request.amount, STRIPE),
        "metadata": metadata,
    }
    if request.reason in _REFUND_REASONS:
        form["reason"] = request.reason
    elif request.reason:
        metadata[REASON] = shortened(request.reason, _METADATA_VALUE)
    return form


def _check_had(request: LinkRequest, *, session: bool, version: str, who: str) -> None:
    """
    Return if everything in the order's checkout can be had.

    Raises:
        UnsupportedCapability: something cannot.
    """
    checkout, invoice = request.order.checkout, isinstance(request.kind, HostedInvoice)
    if checkout.capture_after is not None:
        need(CAPABILITIES, Feature.DELAYED_CAPTURE, who=who)
    # Where methods are named, no other one is offered anyway.
    if checkout.blocked_methods and not checkout.methods and not (session and version >= _EXCLUDED_SINCE):
        raise UnsupportedCapability(who, "block methods", NO_BLOCKING)
    if invoice and checkout.capture is Capture.MANUAL:
        raise UnsupportedCapability(who, "manual capture", "an invoice is paid at once; make a link instead")
    if invoice and request.order.return_url is not None:
        raise UnsupportedCapability(
            who, "return url", "the page of an invoice has no way back; leave return_url out"
        )


def _link(request: LinkRequest, items: list[Json], metadata: Mapping[str, str]) -> Json:
    """The form of ``POST /v1/payment_links``."""
    order = request.order
    form: Json = {
        "line_items": items,
        "metadata": metadata,
        "payment_intent_data": intent_fields(request, metadata, title(request)),
        "inactive_message": _INACTIVE.get(asked_language(request)[:2].lower(), _INACTIVE["en"]),
        # The reply then shows what the payer will be asked for, and can be compared.
        "expand": ["line_items"],
    }
    limit = completed_limit(request)
    if limit is not None:
        form["restrictions"] = {"completed_sessions": {"limit": limit}}
    if order.return_url is not None:
        form["after_completion"] = {"type": "redirect", "redirect": {"url": order.return_url}}
    if order.checkout.methods:
        form["payment_method_types"] = methods(order.checkout.methods)
    return _with_number(form, request)


def _session(
    request: LinkRequest, amount: int, metadata: Mapping[str, str], *, until: dt.datetime, version: str
) -> Json:
    """The form of ``POST /v1/checkout/sessions``."""
    order = request.order
    form: Json = {
        "mode": "payment",
        "line_items": line_items(request, amount),
        "metadata": metadata,
        "payment_intent_data": intent_fields(request, metadata, title(request)),
        "client_reference_id": request.attempt_id,
        "success_url": order.return_url,
        "expires_at": int(until.timestamp()),
    }
    wishes = {"locale": page_locale(request), "customer_email": prefilled_email(request)}
    form |= {name: value for name, value in wishes.items() if value}
    if order.checkout.methods:
        name = "allowed_payment_method_types" if version >= _ALLOWED_SINCE else "payment_method_types"
        form[name] = methods(order.checkout.methods)
    elif order.checkout.blocked_methods:
        form["excluded_payment_method_types"] = methods(order.checkout.blocked_methods)
    return form


def _price(
    faults: Faults, request: LinkRequest, kind: Reusable, amount: int, metadata: Mapping[str, str]
) -> Json:
    """The form of ``POST /v1/prices``: an amount that the payer types, with ours as a suggestion."""
    chosen: Json = {"enabled": True, "preset": amount}
    if kind.minimum is not None:
        try:
            chosen["minimum"] = to_wire(kind.minimum, STRIPE)
        except InvalidInput as error:
            for fault in error.faults:
                faults.add("kind.minimum", fault.fault, fault.remedy)
    return {
        "currency": request.order.amount.currency.lower(),
        "custom_unit_amount": chosen,
        "product_data": {"name": shortened(title(request), NAME_LIMIT)},
        "metadata": metadata,
    }


def _with_number(form: Json, request: LinkRequest) -> Json:
    """`form`, with the invoice's number beside the button where the lines alone would not show it."""
    if isinstance(request.kind, InvoiceBound) and len(form["line_items"]) > 1:
        form["custom_text"] = {"submit": {"message": title(request)}}
    return form
