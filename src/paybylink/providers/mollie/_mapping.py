"""
Our orders, written as Mollie's payment links and refunds. Pure.

Rule 1: what Mollie cannot do is refused before anything is sent, and every fault is named at once.
Rule 2: the description is for people and is visibly shortened ("…"); an invoice's number stands in front of it.
Rule 3: an amount that the payer types has no currency at Mollie but that of the least amount, so one is always sent.
Rule 4: our marks go into the address for news, or, without one, into the return address (`_marks`).

Source: Mollie's OpenAPI document, `create-payment-link`, `create-refund`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from paybylink.checkout import Capture, Checkout
from paybylink.errors import Faults, UnsupportedCapability
from paybylink.kinds import HostedInvoice, InvoiceBound, Reusable
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, need

from . import _marks
from ._account import checked
from ._amounts import amount, until
from ._capabilities import CAPABILITIES
from ._lines import payment_lines, shortened
from ._methods import METHODS
from ._payer import billing_address
from ._settings import reaches_out

Json: TypeAlias = dict[str, Any]

#: By this name a host writes its raw fields: ``Checkout(extra={"mollie": {…}})``.
VENDOR: Final = "mollie"
#: In a refund's metadata.
REFUND: Final = "paybylink_refund"

DESCRIPTION_LIMIT: Final = 255
_JOINT: Final = " · "
#: Fields by which we keep our promises, or that Mollie answers; a host's raw fields cannot have them.
_OURS: Final = frozenset(
    {
        "_links",
        "allowedMethods",
        "amount",
        "archived",
        "createdAt",
        "description",
        "expiresAt",
        "id",
        "minimumAmount",
        "mode",
        "paidAt",
        "profileId",
        "redirectUrl",
        "resource",
        "reusable",
        "testmode",
        "webhookUrl",
    }
)


def link_body(
    request: LinkRequest, *, profile_id: str | None, webhook_url: str | None, local: bool, who: str
) -> Json:
    """
    The body of ``POST /v2/payment-links``.

    Args:
        profile_id: with a token, the profile that is meant.
        webhook_url: the account's own address for news, for requests that bring none.
        local: whether the API is this machine's too, so that it can call loopback.
        who: the provider's name.

    Raises:
        UnsupportedCapability: the checkout asks for what Mollie does not have.
        InvalidInput: raw fields that are ours.
    """
    order, kind = request.order, request.kind
    check_checkout(order.checkout, who=who)
    extra = raw_fields(order.checkout, _OURS)
    body: Json = {"description": title(request)}
    least = least_amount(request)
    if least is None:
        body["amount"] = amount(order.amount)
    else:
        body["minimumAmount"] = amount(least)
    body["reusable"] = isinstance(kind, Reusable)
    if request.expires_at is not None:
        body["expiresAt"] = until(request.expires_at)
    news, back = addresses(request, webhook_url=webhook_url, local=local)
    if news is not None:
        body["webhookUrl"] = news
    if back is not None:
        body["redirectUrl"] = back
    if order.checkout.methods:
        body["allowedMethods"] = [METHODS.to_vendor(word) for word in order.checkout.methods]
    if order.lines and least is None and (lines := payment_lines(order)):
        body["lines"] = lines
    if order.checkout.prefill and (address := billing_address(order.customer)):
        body["billingAddress"] = address
    if profile_id is not None:
        body["profileId"] = profile_id
    return body | extra


def refund_body(request: RefundRequest) -> Json:
    """The body of ``POST /v2/payments/{payment}/refunds``."""
    body: Json = {"amount": amount(request.amount), "metadata": {REFUND: request.refund_id}}
    if request.reason:
        body["description"] = shortened(request.reason, DESCRIPTION_LIMIT)
    return body


def refund_path(payment_vendor_id: str) -> str:
    """
    Where the refunds of a payment are.

    Raises:
        InvalidInput: it is no payment of Mollie's, as an invoice that was paid otherwise.
    """
    return f"/v2/payments/{checked(payment_vendor_id, 'tr_')}/refunds"


def title(request: LinkRequest) -> str:
    """What the payer reads; of an invoice, its number first."""
    order, kind = request.order, request.kind
    if isinstance(kind, InvoiceBound):
        number, text = kind.invoice.number, order.description.strip()
        text = f"{number}{_JOINT}{text}" if text and text != number else number
    else:
        text = order.description.strip() or order.reference
    return shortened(text, DESCRIPTION_LIMIT)


def least_amount(request: LinkRequest) -> Money | None:
    """The least that a payer may type; None where the amount is fixed."""
    kind = request.kind
    if not isinstance(kind, Reusable) or not kind.payer_chooses:
        return None
    # One minor unit leaves the least to the payment method, and says the currency (rule 3).
    return kind.minimum or Money(1, request.order.amount.currency)


def addresses(request: LinkRequest, *, webhook_url: str | None, local: bool) -> tuple[str | None, str | None]:
    """Where news of the link is told, and where the payer returns to; one of them carries our marks (rule 4)."""
    back = request.order.return_url
    given = request.notify_url
    if given is not None and (local or reaches_out(given)):
        return given, back
    if webhook_url is not None:
        news = _marks.for_news(webhook_url, link_id=request.link_id, attempt_id=request.attempt_id)
        return news, back
    return None, None if back is None else _marks.for_return(back, attempt_id=request.attempt_id)


def check_checkout(checkout: Checkout, *, who: str) -> None:
    """
    Return if Mollie can do what a checkout asks for.

    Raises:
        UnsupportedCapability: it cannot, with the reason.
    """
    for feature, wanted in (
        (Feature.LANGUAGE, checkout.language is not None),
        (Feature.BLOCK_METHODS, bool(checkout.blocked_methods)),
        (Feature.STATEMENT, bool(checkout.statement)),
        (Feature.MANUAL_CAPTURE, checkout.capture is Capture.MANUAL),
        (Feature.DELAYED_CAPTURE, checkout.capture_after is not None),
    ):
        if wanted:
            need(CAPABILITIES, feature, who=who)


def check_invoice_checkout(order: Order, *, who: str) -> None:
    """As `check_checkout`, for an invoice that Mollie makes."""
    check_checkout(order.checkout, who=who)
    if order.checkout.methods:
        raise UnsupportedCapability(
            who,
            f"{Feature.ALLOW_METHODS.replace('_', ' ')} of a {HostedInvoice().name.replace('_', ' ')}",
            "Mollie's invoices offer what the account has switched on; leave checkout.methods out",
        )


def raw_fields(checkout: Checkout, ours: frozenset[str]) -> Json:
    """
    The host's raw fields for Mollie.

    Raises:
        InvalidInput: for each of them that is ours.
    """
    given = checkout.extra.get(VENDOR)
    if not given:
        return {}
    faults = Faults()
    for name in sorted(set(given) & ours):
        faults.add(
            f"order.checkout.extra.{VENDOR}.{name}",
            "is a field by which promises are kept",
            "leave it out, and say it by the order, the kind of link or the checkout",
        )
    faults.raise_any()
    return dict(given)
