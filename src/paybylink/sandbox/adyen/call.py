"""
One request to the Adyen half of the sandbox, as its actions see it.

The wire is behind it (`routes` has checked the key, decoded the body and opened a transaction) and the reply is
before it: an action takes a `Call` and returns a JSON object, or raises a `Problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from paybylink.sandbox.adyen.amounts import merchant_account
from paybylink.sandbox.adyen.parameters import Record
from paybylink.sandbox.adyen.wire import Problem
from paybylink.sandbox.engine import Document, Engine


@frozen
class Call:
    """
    Attributes:
        engine: the state.
        body: the decoded JSON, unchecked.
        names: the parts of the path, e.g. ``{"link": "PL…"}``.
    """

    engine: Engine
    body: Mapping[str, Any]
    names: Mapping[str, str]

    def values(self, schema: Record) -> Document:
        """
        The body, checked by `schema`.

        Raises:
            Problem: it does not fit, or names no merchant account that there is.
        """
        values: Document = schema.read(self.body)
        account = values.get("merchantAccount")
        if account is not None and not merchant_account(account):
            raise Problem("Invalid Merchant Account", code="901", status=403, kind="security")
        return values
