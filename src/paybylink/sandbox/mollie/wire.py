"""
How Mollie's API speaks: JSON in, HAL out, moments in ISO 8601, refusals with a status, a title and a sentence.

`Problem` is every refusal. `hal` and `text` are the two kinds of address in ``_links``.
Source: docs.mollie.com, "Handling errors" and "Pagination"; Mollie's OpenAPI document, `error-response`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus

from paybylink.sandbox.engine import Document

#: The content type of every answer.
HAL = "application/hal+json"

_TITLES = {401: "Unauthorized Request", 422: "Unprocessable Entity", 503: "Service Unavailable"}
_DOCUMENTATION = "https://docs.mollie.com"


class Problem(Exception):
    """
    A refusal in Mollie's shape.

    Args:
        detail: the sentence for people.
        status: the HTTP status.
        field: the field at fault; None where it is no field.
    """

    def __init__(self, detail: str, *, status: int = 422, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.field = field

    def body(self) -> Document:
        """The reply's JSON."""
        return error(self.status, self.detail, field=self.field)


def error(status: int, detail: str, *, field: str | None = None) -> Document:
    """The JSON of a refusal."""
    title = _TITLES.get(status)
    if title is None:
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    said: Document = {"status": status, "title": title, "detail": detail}
    if field is not None:
        said["field"] = field
    said["_links"] = {"documentation": text(f"{_DOCUMENTATION}/overview/handling-errors")}
    return said


def missing(identifier: str) -> Problem:
    """The refusal for an object that is not there."""
    return Problem(f"Nothing exists under the token '{identifier[:80]}'.", status=404)


def hal(base_url: str, path: str) -> Document:
    """The address of another answer of this API; `path` begins with ``/v2/``."""
    return {"href": f"{base_url}/mollie{path}", "type": HAL}


def text(href: str) -> Document:
    """The address of a page for people."""
    return {"href": href, "type": "text/html"}


def documentation(topic: str) -> Document:
    """The address of Mollie's page about an endpoint."""
    return text(f"{_DOCUMENTATION}/reference/{topic}")


def moment(at: datetime) -> str:
    """A moment as Mollie writes it: whole seconds, in UTC, with the offset."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def decode(body: bytes) -> Document:
    """
    The JSON object of a request's body; empty without a body.

    Raises:
        Problem: 400, the body is no JSON object.
    """
    if not body:
        return {}
    try:
        read = json.loads(body, parse_constant=_no_number)
    except ValueError:
        raise Problem("The request body is not valid JSON.", status=400) from None
    if not isinstance(read, dict):
        raise Problem("The request body is not a JSON object.", status=400)
    return read


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")
