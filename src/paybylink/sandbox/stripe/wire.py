"""
How Stripe's first API speaks: forms with brackets in, JSON out, errors as `{"error": {…}}`.

`decode` turns ``line_items[0][price_data][currency]=eur`` into nested dictionaries whose leaves are all text; what
a leaf means (a number, a list, a flag) is for `parameters` to say, since ``metadata[0]=x`` is a key and
``line_items[0]`` a place. `Problem` is every refusal, in Stripe's words and codes.
Source: Stripe API reference, "Errors" and "Request IDs"; stripe-python, `_encode.py`, for the form it writes.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from paybylink.sandbox.engine import Document

#: Nested dictionaries with text at the leaves.
Form: TypeAlias = dict[str, Any]

_KEY = re.compile(r"\[([^\[\]]*)\]")


class Problem(Exception):
    """
    A refusal in Stripe's shape.

    Args:
        message: the sentence for people.
        code: Stripe's error code; None where Stripe gives none.
        param: the parameter at fault, with its brackets.
        kind: Stripe's error type.
        status: the HTTP status.
        executed: whether the request had begun to run when it was refused. Such a reply is remembered under its
            idempotency key; a mere fault of form is not. It is raised before anything was written.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        status: int = 400,
        executed: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.status = status
        self.executed = executed

    def body(self) -> Document:
        """The reply's JSON."""
        error: Document = {"type": self.kind, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes#{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def missing(kind: str, identifier: str, *, param: str, status: int = 404) -> Problem:
    """The refusal for an object that is not there."""
    return Problem(f"No such {kind}: '{identifier}'", code="resource_missing", param=param, status=status)


def decode(encoded: str) -> Form:
    """
    The nested form of a body or query string.

    Raises:
        Problem: a name with unbalanced brackets, or one used both as a value and as a group.
    """
    root: Form = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=5000, errors="strict")
    except ValueError:
        raise Problem("Invalid request body: it is not a UTF-8 form.", code="parameter_invalid") from None
    for name, value in pairs:
        head = name.partition("[")[0]
        keys = [head, *_KEY.findall(name[len(head) :])]
        if not head or head + "".join(f"[{key}]" for key in keys[1:]) != name:
            raise Problem(f"Invalid parameter name: {name}", param=name)
        node = root
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            at = key or str(len(node))
            if following is None:
                if isinstance(node.get(at), dict):
                    raise Problem(f"Invalid {name}: given both as a value and as an object", param=name)
                node[at] = value
            else:
                inner = node.setdefault(at, {})
                if not isinstance(inner, dict):
                    raise Problem(f"Invalid {name}: given both as a value and as an object", param=name)
                node = inner
    return root
