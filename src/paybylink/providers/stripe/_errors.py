"""
What Stripe's refusals mean, in one total mapping.

What Stripe writes in words is not passed on: its messages repeat parts of the input, and the one for a wrong key
repeats part of the key. Its vocabulary is (`vendor_code`), and the request id, by which the words can be found.

Rule 1: what may have been done is `OutcomeUnknown`: an answer of 408, 409, 424 or 5xx to a request that changes
        something, or an answer that cannot be read.
Rule 2: any other answer is a no, and a `ProviderError`.

Source: docs.stripe.com, "Errors", "Error codes", "Idempotent requests", "Rate limits".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from paybylink.errors import OutcomeUnknown, PaybylinkError
from paybylink.providers.codes import refusal_of

if TYPE_CHECKING:
    import httpx

#: Statuses after which a request that changes something may have been done, or is being done (409: by a twin).
_UNDECIDED: Final = frozenset({408, 409, 424})

#: Stripe's code or error type → our standard code. Codes come first, types after them, then the status.
_BY_CODE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "amount_too_small": "amount_too_small",
        "amount_too_large": "amount_too_large",
        "api_key_expired": "unauthorised",
        "platform_api_key_expired": "unauthorised",
        "secret_key_required": "unauthorised",
        "balance_insufficient": "insufficient_funds",
        "insufficient_funds": "insufficient_funds",
        "charge_already_refunded": "already_refunded",
        "charge_disputed": "disputed",
        "country_unsupported": "account_restricted",
        "account_invalid": "account_restricted",
        "testmode_charges_only": "account_restricted",
        "livemode_mismatch": "wrong_mode",
        "lock_timeout": "rate_limited",
        "rate_limit": "rate_limited",
        "resource_missing": "not_found",
        "idempotency_error": "idempotency_conflict",
        "idempotency_key_in_use": "conflict",
        "card_error": "declined",
        "charge_already_captured": "wrong_state",
        "charge_expired_for_capture": "wrong_state",
        "charge_not_refundable": "wrong_state",
        "invoice_no_customer_line_items": "wrong_state",
        "invoice_not_editable": "wrong_state",
        "payment_intent_unexpected_state": "wrong_state",
        "payment_method_unactivated": "method_unavailable",
    }
)
_BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "invalid_request",
        401: "unauthorised",
        402: "declined",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        429: "rate_limited",
    }
)

#: Sentences that can say more than those of our table, since they are about Stripe.
_TOLD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unauthorised": "the API key was not accepted; copy the secret key again from the Dashboard "
        "(Developers, API keys) into the settings",
        "forbidden": "the key lacks a right; allow it Payment Links, Checkout Sessions, Payment Intents, Products, "
        "Prices, Refunds, Disputes, Customers, Invoices and Balance Transactions in the Dashboard (Developers, API "
        "keys)",
        "invalid_request": "the request was not accepted; look the request up in the Dashboard (Developers, Logs) "
        "and correct what it names",
        "amount_too_small": "the amount is below Stripe's minimum for the currency your account is paid out in; "
        "ask for more",
        "amount_too_large": "the amount is above Stripe's maximum for this currency; split the order in parts",
        "insufficient_funds": "the Stripe balance does not cover it yet; top it up or call again later",
        "disputed": "the payer contests the payment; answer the dispute in the Dashboard instead",
        "account_restricted": "the Stripe account cannot do this yet; finish its activation in the Dashboard",
        "idempotency_conflict": "the same key was used with other content before; look the request up in the "
        "Dashboard (Developers, Logs) before anything is made anew",
        "method_unavailable": "no payment method fits the order, or one that was named is not switched on; see the "
        "Dashboard (Settings, Payment methods)",
        "unavailable": "Stripe has a problem (status.stripe.com); call again later",
        "unreadable": "the answer could not be read; check that nothing stands between this machine and Stripe, "
        "then call again",
        "unexpected_answer": "the answer is none of Stripe's; check the base address and any proxy",
        "refused": "the request was refused; look it up in the Dashboard (Developers, Logs)",
    }
)


def refusal(error: Exception, response: httpx.Response, *, who: str) -> PaybylinkError:
    """
    The error of our tree for what the SDK raised from `response`.

    Args:
        error: the SDK's; its `json_body` was reduced to vocabulary by the port.
        who: the provider's name.
    """
    said = _said(error)
    status = response.status_code
    changes = response.request.method != "GET"
    request_id = _short(response.headers.get("request-id"))
    standard = _standard(said, status)
    if changes and (status >= 500 or status in _UNDECIDED or 200 <= status < 300):
        traced = f", request {request_id}" if request_id else ""
        return OutcomeUnknown(
            f"{who} gave no usable answer (status {status}{traced}), so it may or may not have been done; "
            "call the same method again: it asks, and does nothing twice",
            who=who,
        )
    return refusal_of(
        standard,
        who=who,
        told=_TOLD.get(standard, ""),
        about=said.get("param", ""),
        vendor_code=said.get("code") or said.get("type"),
        request_id=request_id,
        status=status,
        documentation=said.get("doc_url"),
    )


def _standard(said: Mapping[str, str], status: int) -> str:
    if 200 <= status < 300:
        return "unreadable"
    if status >= 500 or status in (408, 424):
        return "unavailable"
    for name in (said.get("code", ""), said.get("type", "")):
        if name in _BY_CODE:
            return _BY_CODE[name]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "unexpected_answer" if status < 400 else "refused"


def _said(error: Exception) -> dict[str, str]:
    body = getattr(error, "json_body", None)
    said = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(said, Mapping):
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)}


def _short(text: str | None) -> str | None:
    """A request id, if it looks like one."""
    return text if text and len(text) <= 100 and text.isascii() and text.replace("_", "").isalnum() else None
