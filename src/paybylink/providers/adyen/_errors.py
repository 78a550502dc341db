"""
What Adyen's refusals mean, in one total mapping.

What Adyen writes in words is not passed on, since it repeats parts of the input. Its codes are (`vendor_code`), and
the reference of the request, by which the words can be found.

Rule 1: what may have been done is `OutcomeUnknown`: an answer of 408, 409, 424 or 5xx, or one that cannot be read, to
        a request that changes something; and code 704, which says that a twin of the request is at work.
Rule 2: code 905 is a no although its status is 500: a setting of the account is wrong, and no repetition cures it.
Rule 3: any other answer is a no, and a `ProviderError`.

Source: API reference, `ServiceError`; docs.adyen.com, "Errors", "Error codes and messages", "API idempotency",
"Response handling".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from paybylink.errors import OutcomeUnknown, PaybylinkError
from paybylink.providers.codes import refusal_of

if TYPE_CHECKING:
    import httpx

#: Statuses after which a request that changes something may have been done, or is being done.
_UNDECIDED: Final = frozenset({408, 409, 424})
#: Another request with the same idempotency key is at work; with status 409 or 422.
_TWIN: Final = "704"

#: Adyen's code → our standard code. ``000`` is left out: it stands for many things, and the status tells which.
_BY_CODE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "010": "forbidden",
        "100": "invalid_request",
        "137": "invalid_request",
        "138": "currency_unsupported",
        "14_030": "invalid_request",
        "167": "not_found",
        "177": "invalid_request",
        "178": "invalid_request",
        "702": "invalid_request",
        "703": "unavailable",
        "704": "conflict",
        "901": "forbidden",
        "905": "misconfigured",
    }
)
_BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "invalid_request",
        401: "unauthorised",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        413: "invalid_request",
        422: "invalid_request",
        429: "rate_limited",
    }
)
#: Adyen's kind of error → our standard code, where neither code nor status is known.
_BY_TYPE: Final[Mapping[str, str]] = MappingProxyType(
    {"security": "forbidden", "validation": "invalid_request", "configuration": "misconfigured"}
)
_TOLD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "010": "the key lacks a role; give its credential the Checkout webservice role in the Customer Area "
        "(Developers, API credentials)",
        "177": "the order has more pairs of metadata than Adyen takes; keep to 20",
        "178": "a name in the order's metadata is longer than Adyen takes; keep to 20 characters",
        "901": "the key may not use this merchant account; correct merchant_account in the settings, or give the "
        "credential access to it in the Customer Area",
        "905": "the merchant account has no payment method for this amount, currency and country; switch one on in "
        "the Customer Area (Settings, Payment methods)",
        "unauthorised": "the API key was not accepted; copy it again from the Customer Area (Developers, API "
        "credentials) of the platform that is set, test or live",
        "invalid_request": "the request was not accepted; look it up in the Customer Area (Developers, API logs) and "
        "correct what it names",
    }
)


def refusal(error: Exception, response: httpx.Response, *, who: str) -> PaybylinkError:
    """
    The error of our tree for what Adyen's package raised from `response`.

    Args:
        error: the package's; its `message` was reduced to vocabulary by the port.
        who: the provider's name.
    """
    said = _said(error)
    status, code = response.status_code, said.get("errorCode", "")
    reference = said.get("pspReference") or said.get("requestId")
    readable = not 200 <= status < 300
    certain = code == "905" and said.get("errorType") == "configuration"
    undecided = status >= 500 or status in _UNDECIDED or code == _TWIN or not readable
    if undecided and not certain and _changes(response.request):
        traced = f", request {reference}" if reference else ""
        return OutcomeUnknown(
            f"{who} gave no usable answer (status {status}{traced}), so it may or may not have been done; "
            "call the same method again: it asks, and does nothing twice",
            who=who,
        )
    standard = _standard(said, status)
    page = said.get("type", "")
    return refusal_of(
        standard,
        who=who,
        told=_TOLD.get(code) or _TOLD.get(standard, ""),
        about=said.get("invalidFields", ""),
        vendor_code=code or said.get("errorType"),
        request_id=reference,
        status=status,
        documentation=page if page.startswith("https://docs.adyen.com/") else None,
    )


def _changes(request: httpx.Request) -> bool:
    """Whether a request changes something; asking for the methods is a POST that does not."""
    return request.method != "GET" and not request.url.path.endswith("/paymentMethods")


def _standard(said: Mapping[str, str], status: int) -> str:
    code = said.get("errorCode", "")
    if 200 <= status < 300:
        return "unreadable"
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500 or status in (408, 424):
        return "unavailable"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return "unexpected_answer"
    return _BY_TYPE.get(said.get("errorType", ""), "refused")


def _said(error: Exception) -> dict[str, str]:
    """What the port let through, as text."""
    message: Any = getattr(error, "message", None)
    if not isinstance(message, Mapping):
        return {}
    said = {name: value for name, value in message.items() if isinstance(value, str)}
    fields = message.get("invalidFields")
    if isinstance(fields, list) and fields:
        said["invalidFields"] = ", ".join(str(name) for name in fields[:5])
    return said
