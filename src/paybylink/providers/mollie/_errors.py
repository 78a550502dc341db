"""
What Mollie's refusals mean, in one total mapping.

A refusal is JSON with `status`, `title`, `detail`, often a `field` and the address of a page about it; Mollie has no
codes and no request id. `detail` is not passed on, since it repeats parts of the input. `title` is the vendor's own
word, and says that it was Mollie who answered and no proxy.

Rule 1: what may have been done is `OutcomeUnknown`: an answer of 408, 409 or 5xx to a request that changes something
        (409: its twin is still at work, or an equal refund was made a moment ago), or one that cannot be read.
Rule 2: any other answer is a no, and a `ProviderError`.

Source: docs.mollie.com, "Handling errors", "API idempotency", "Rate limits".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from paybylink.errors import OutcomeUnknown, PaybylinkError
from paybylink.providers.codes import refusal_of

if TYPE_CHECKING:
    import httpx

#: Statuses after which a request that changes something may have been done, or is being done.
_UNDECIDED: Final = frozenset({408, 409})

_BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "invalid_request",
        401: "unauthorised",
        403: "forbidden",
        404: "not_found",
        405: "invalid_request",
        406: "invalid_request",
        408: "unavailable",
        409: "conflict",
        410: "not_found",
        413: "invalid_request",
        415: "invalid_request",
        422: "invalid_request",
        429: "rate_limited",
    }
)
#: Of a 422, the field at fault → our standard code.
_BY_FIELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "allowedMethods": "method_unavailable",
        "amount": "amount_too_large",
        "amount.currency": "currency_unsupported",
        "amount.value": "amount_too_large",
        "method": "method_unavailable",
        "minimumAmount": "amount_too_small",
        "minimumAmount.currency": "currency_unsupported",
        "minimumAmount.value": "amount_too_small",
        "profileId": "misconfigured",
        "testmode": "misconfigured",
        "webhookUrl": "misconfigured",
    }
)
_TOLD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unauthorised": "the API key was not accepted; copy it again from the dashboard (Developers, API keys) into "
        "the settings",
        "forbidden": "the token lacks a right; give it those for payment links, payments, refunds and balances in "
        "the dashboard (Developers, Access tokens), or use an API key where one will do",
        "amount_too_large": "the amount is not one that the account's payment methods take in this currency, most "
        "likely too high; methods_for says what each takes",
        "unavailable": "Mollie has a problem (status.mollie.com); call again later",
    }
)
_TOLD_OF_FIELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "webhookUrl": "Mollie cannot reach the address for news; make public_url or webhook_url an https address "
        "that is reachable from outside",
        "profileId": "the profile is not one that the key opens; correct profile_id",
        "testmode": "the key does not open this mode; correct testmode",
    }
)
_TITLE: Final = re.compile(r"[A-Za-z][A-Za-z -]{1,60}")
_FIELD: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
_PAGE: Final = re.compile(r"https://(?:[a-z0-9-]+\.)*mollie\.com/[!-~]{0,200}")


def refusal(error: Exception, response: httpx.Response, *, who: str) -> PaybylinkError:
    """
    The error of our tree for what the SDK raised from `response`.

    Args:
        error: the SDK's, which has neither title nor page; so the reply itself is read.
        who: the provider's name.
    """
    del error
    status, request = response.status_code, response.request
    said = _said(response)
    field = _matching(said.get("field"), _FIELD) or ""
    changes = request.method != "GET"
    if changes and (status >= 500 or status in _UNDECIDED or 200 <= status < 300):
        return OutcomeUnknown(
            f"{who} gave no usable answer (status {status}), so it may or may not have been done; "
            "call the same method again: it asks, and does nothing twice",
            who=who,
        )
    standard = standard_code(status, field, refunding=request.url.path.endswith("/refunds"))
    links = said.get("_links")
    page = links.get("documentation") if isinstance(links, Mapping) else None
    return refusal_of(
        standard,
        who=who,
        told=_TOLD_OF_FIELD.get(field) or _TOLD.get(standard, ""),
        about=field,
        vendor_code=_matching(said.get("title"), _TITLE),
        status=status,
        documentation=_matching(page.get("href"), _PAGE) if isinstance(page, Mapping) else None,
    )


def standard_code(status: int, field: str = "", *, refunding: bool = False) -> str:
    """
    Our word for a refusal.

    Args:
        status: of the answer.
        field: that Mollie names; empty for none.
        refunding: whether a refund was asked for, of which an amount can only be more than is left.
    """
    if 200 <= status < 300:
        return "unreadable"
    if status >= 500:
        return "unavailable"
    if status == 422 and field in _BY_FIELD:
        found = _BY_FIELD[field]
        return "refund_too_large" if refunding and found == "amount_too_large" else found
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "unexpected_answer" if status < 400 else "refused"


def _said(response: httpx.Response) -> Mapping[str, Any]:
    """What Mollie says in a refusal; nothing when it is not Mollie that speaks."""
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    genuine = isinstance(said, dict) and said.get("status") == response.status_code
    return said if genuine else {}


def _matching(text: object, pattern: re.Pattern[str]) -> str | None:
    return text if isinstance(text, str) and pattern.fullmatch(text) else None
