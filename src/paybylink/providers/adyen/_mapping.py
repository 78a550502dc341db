"""
Our orders, written as Adyen's payment links, and our refunds. Pure.

Rule 1: Adyen's `reference` is our mark (see `_marks`); the host's reference, the part and an invoice's number go to
        `merchantOrderReference`, by which the Customer Area and the reports group them.
Rule 2: the expiry is always sent: left out, Adyen would end the link after a day. 70 days are the most it takes.
Rule 3: what is too long is refused, but for the description, which is for display and visibly shortened ("…").
Rule 4: raw fields of the host (``extra``) come last, and none of those by which a promise is kept is taken.

Source: API reference, `POST /paymentLinks`, `POST /payments/{paymentPspReference}/refunds`; docs.adyen.com, "Upgrade
to Checkout API v72", "Currency codes".
"""

from __future__ import annotations

import datetime as dt
import re
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from paybylink.checkout import Capture
from paybylink.currencies import ADYEN
from paybylink.errors import Faults
from paybylink.kinds import InvoiceBound, Reusable
from paybylink.money import Money, to_wire
from paybylink.orders import Order
from paybylink.providers.base import LinkRequest, RefundRequest

from ._lines import line_items
from ._marks import link_mark, refund_mark
from ._methods import METHODS
from ._shopper import country_of, shopper_fields, shopper_locale

Json: TypeAlias = dict[str, Any]

#: Adyen takes 70 days from the moment at which it makes the link; a minute is left for clocks that differ.
LONGEST_LIFE: Final = dt.timedelta(days=70) - dt.timedelta(minutes=1)
DESCRIPTION_LIMIT: Final = 280
_URL_LIMIT: Final = 1024
#: What RFC 2396 allows in an address, beside letters and digits; a percent sign begins a code.
_ALLOWED: Final = "%;/?:@&=+$,-_.!~*'()#"
_STATEMENT: Final = re.compile(r"[A-Za-z0-9 .,'_\-?+*/]*")

#: Fields of a link by which promises are kept → where to write them instead.
_OURS: Final = MappingProxyType(
    {
        "allowedPaymentMethods": "order.checkout.methods",
        "amount": "order.amount",
        "blockedPaymentMethods": "order.checkout.blocked_methods",
        "captureDelayHours": "order.checkout.capture_after",
        "expiresAt": "expires_in or expires_at",
        "manualCapture": "order.checkout.capture",
        "merchantAccount": "the settings of the provider",
        "merchantOrderReference": "order.reference and order.part",
        "metadata": "order.metadata",
        "reference": "order.reference",
        "returnUrl": "order.return_url",
        "reusable": "the kind of the link",
    }
)

#: The merchant's word in small letters → Adyen's; Adyen's own words are taken too.
_REFUND_REASONS: Final = MappingProxyType(
    {
        "fraud": "FRAUD",
        "fraudulent": "FRAUD",
        "customer request": "CUSTOMER REQUEST",
        "requested by customer": "CUSTOMER REQUEST",
        "return": "RETURN",
        "returned": "RETURN",
        "duplicate": "DUPLICATE",
        "other": "OTHER",
    }
)


def ends_at(request: LinkRequest, *, now: dt.datetime) -> dt.datetime:
    """When the link ends: as asked for, and never more than Adyen's 70 days after `now`."""
    latest = now + LONGEST_LIFE
    asked = request.expires_at
    return (latest if asked is None else min(asked, latest)).replace(microsecond=0)


def captured_later(order: Order, *, immediate: bool) -> bool:
    """
    Whether the money of a payment is only reserved by its authorisation.

    Args:
        immediate: whether the merchant account takes money at once unless told otherwise.
    """
    checkout = order.checkout
    return checkout.capture is Capture.MANUAL or checkout.capture_after is not None or not immediate


def link_body(request: LinkRequest, *, account: str, immediate: bool, now: dt.datetime) -> Json:
    """
    The body of ``POST /paymentLinks``.

    Args:
        account: the merchant account.
        immediate: see `captured_later`.

    Raises:
        InvalidInput: the order breaks a limit of Adyen; every fault at once.
    """
    order, checkout = request.order, request.order.checkout
    faults = Faults()
    amount = 0
    with faults.at("order"):
        amount = to_wire(order.amount, ADYEN)
    body: Json = {
        "amount": {"currency": order.amount.currency, "value": amount},
        "merchantAccount": account,
        "expiresAt": ends_at(request, now=now).isoformat(),
        "merchantOrderReference": _order_reference(request),
        "description": _description(request),
    }
    with faults.at("request"):
        body["reference"] = link_mark(
            request.link_id, request.attempt_id, later=captured_later(order, immediate=immediate)
        )
    if isinstance(request.kind, Reusable):
        body["reusable"] = True
    if order.lines:
        body["lineItems"] = line_items(order, amount, title=_title(order))
    if order.return_url is not None:
        body["returnUrl"] = _return_url(faults, order.return_url)
    if order.metadata:
        body["metadata"] = _metadata(faults, order)
    if checkout.methods:
        body["allowedPaymentMethods"] = [METHODS.to_vendor(method) for method in checkout.methods]
    if checkout.blocked_methods:
        body["blockedPaymentMethods"] = [METHODS.to_vendor(method) for method in checkout.blocked_methods]
    if checkout.capture is Capture.MANUAL:
        body["manualCapture"] = True
    elif checkout.capture_after is not None:
        body["captureDelayHours"] = checkout.capture_after // dt.timedelta(hours=1)
    if checkout.statement:
        if not _STATEMENT.fullmatch(checkout.statement):
            faults.add(
                "order.checkout.statement",
                "has characters that bank statements cannot show",
                "use a-z, A-Z, 0-9, spaces and . , ' _ - ? + * /",
            )
        body["shopperStatement"] = checkout.statement
    body |= shopper_fields(faults, request)
    body |= _extra(faults, request)
    faults.raise_any()
    return body


def refund_body(request: RefundRequest, *, account: str) -> Json:
    """
    The body of ``POST /payments/{paymentPspReference}/refunds``.

    Raises:
        InvalidInput: Adyen cannot say the amount.
    """
    body = modification_body(request.amount, account=account)
    body["reference"] = refund_mark(request.refund_id)
    # Any other word stays with us: Adyen has no place for it.
    reason = _REFUND_REASONS.get(request.reason.replace("_", " ").lower())
    if reason:
        body["merchantRefundReason"] = reason
    return body


def modification_body(amount: Money, *, account: str) -> Json:
    """What captures and refunds have in common."""
    return {
        "amount": {"currency": amount.currency, "value": to_wire(amount, ADYEN)},
        "merchantAccount": account,
    }


def methods_body(order: Order, *, account: str) -> Json:
    """The body of ``POST /paymentMethods``: what a payer of this order would be offered."""
    checkout, country = order.checkout, country_of(order.customer)
    body = modification_body(order.amount, account=account) | {"channel": "Web"}
    language = checkout.language or (order.customer.language if order.customer else None)
    if country:
        body["countryCode"] = country
    if language:
        body["shopperLocale"] = shopper_locale(language)
    if checkout.methods:
        body["allowedPaymentMethods"] = [METHODS.to_vendor(method) for method in checkout.methods]
    if checkout.blocked_methods:
        body["blockedPaymentMethods"] = [METHODS.to_vendor(method) for method in checkout.blocked_methods]
    return body


def _title(order: Order) -> str:
    return order.description.strip() or order.reference


def _description(request: LinkRequest) -> str:
    """What the payer reads; an invoice's number stands in front, unless the text has it."""
    text, kind = _title(request.order), request.kind
    if isinstance(kind, InvoiceBound) and kind.invoice.number not in text:
        text = f"{kind.invoice.number}: {text}"
    return text if len(text) <= DESCRIPTION_LIMIT else f"{text[: DESCRIPTION_LIMIT - 1].rstrip()}…"


def _order_reference(request: LinkRequest) -> str:
    names = [request.order.reference, request.order.part]
    if isinstance(request.kind, InvoiceBound):
        names.append(request.kind.invoice.number)
    return " / ".join(dict.fromkeys(name for name in names if name))


def _metadata(faults: Faults, order: Order) -> dict[str, str]:
    if "checkout.linkId" in order.metadata:
        faults.add(
            "order.metadata['checkout.linkId']", "is overwritten by Adyen", "choose another name for the pair"
        )
    return dict(order.metadata)


def _return_url(faults: Faults, url: str) -> str:
    """The address with everything percent-encoded that RFC 2396 does not allow."""
    path = "order.return_url"
    parts = urlsplit(url)
    if not parts.netloc.isascii():
        faults.add(path, "has a host that is not ASCII", "write the host as xn--…")
    behind = url.partition(parts.netloc)[2] if parts.netloc else url
    # What is encoded stays so; a percent sign that begins no code is one itself.
    behind = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", behind)
    encoded = f"{parts.scheme}://{parts.netloc}" + quote(behind, safe=_ALLOWED)
    if len(encoded) > _URL_LIMIT:
        faults.add(path, f"has {len(encoded)} characters when encoded", f"shorten it to {_URL_LIMIT}")
    return encoded


def _extra(faults: Faults, request: LinkRequest) -> Json:
    extra = request.order.checkout.extra.get("adyen", {})
    ours = dict(_OURS)
    if isinstance(request.kind, InvoiceBound):
        # By it the payer sees which invoice is paid.
        ours["description"] = "order.description and the invoice"
    for name in extra:
        if name in ours:
            faults.add(
                f"order.checkout.extra.adyen.{name}",
                "carries a promise of this library",
                f"leave it out; it follows from {ours[name]}",
            )
    return dict(extra)
