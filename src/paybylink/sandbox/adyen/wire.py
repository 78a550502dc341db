"""
How Adyen's Checkout API speaks: JSON in and out, errors as a `ServiceError`.

`Problem` is every refusal. Bodies that do not fit their schema are a 400 with code 702, values that fit it and are
wrong all the same a 422 with a code of their own. That a request was refused because of a passing trouble is said by
the header ``transient-error: true``, and by nothing else.
Source: Adyen's OpenAPI document of Checkout v72, `ServiceError` and its examples; docs.adyen.com, "API idempotency",
"API errors". The codes 100, 130, 137, 138 and 167 are those of Adyen's list of API error codes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from paybylink.sandbox.engine import Document, Engine

#: The header that says whether the same request may be sent again.
TRANSIENT = "transient-error"

_SAID = {
    401: ("000", "security", "HTTP Status Response - Unauthorized"),
    403: ("010", "security", "Not allowed"),
    409: ("704", "validation", "request already processed or in progress"),
    429: ("429", "internal", "Too many requests"),
    500: ("905", "configuration", "Payment details are not supported"),
    503: ("703", "internal", "required resource temporarily unavailable"),
}
_PASSING = frozenset({409, 429, 503})


class Problem(Exception):
    """
    A refusal in Adyen's shape.

    Args:
        message: the sentence for people.
        code: Adyen's error code, digits.
        status: the HTTP status.
        kind: Adyen's error type.
    """

    def __init__(
        self, message: str, *, code: str = "702", status: int = 422, kind: str = "validation"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.kind = kind

    def body(self, engine: Engine) -> Document:
        """The reply's JSON; one without a pspReference when nobody was let in."""
        said: Document = {
            "status": self.status,
            "errorCode": self.code,
            "message": self.message,
            "errorType": self.kind,
        }
        return said if self.status == 401 else {**said, "pspReference": psp_reference(engine)}


def unreadable(message: str) -> Problem:
    """The refusal of a body that does not fit its schema."""
    return Problem(message, code="702", status=400)


def false_error(engine: Engine, status: int) -> tuple[Document, dict[str, str]]:
    """The body and the headers of a fault that answers with this status."""
    code, kind, message = _SAID.get(status, ("702", "validation", "Something is wrong with this request."))
    body = Problem(message, code=code, status=status, kind=kind).body(engine)
    return body, {TRANSIENT: "true" if status in _PASSING else "false"}


def psp_reference(engine: Engine) -> str:
    """A new reference of a payment, a change or a request: 16 capital letters and digits."""
    return engine.new_id("", 16).upper()


def moment(at: datetime) -> str:
    """A moment as the API writes it: whole seconds, UTC, ``Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decode(body: bytes) -> Document:
    """
    The JSON object of a body.

    Raises:
        Problem: 400, it is none.
    """
    try:
        read = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise unreadable("The request is not valid JSON.") from None
    if not isinstance(read, dict):
        raise unreadable("The request is not a JSON object.")
    return read


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")
