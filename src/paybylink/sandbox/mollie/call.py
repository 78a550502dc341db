"""
One request to the Mollie half of the sandbox, as its actions see it.

The wire is behind it (`routes` has checked the key, decoded the body and opened a transaction) and the reply is
before it: an action takes a `Call` and returns a JSON object, or raises a `Problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie.parameters import Record
from paybylink.sandbox.mollie.wire import missing

#: The only profile and organisation there are. Every test key opens them.
PROFILE = "pfl_SandboxPBL"
ORGANISATION = "org_1000001"
PROFILE_CREATED = "2025-01-01T00:00:00+00:00"


@frozen
class Call:
    """
    Attributes:
        engine: the state.
        path: below ``/mollie``, e.g. ``/v2/payment-links``.
        body: the decoded JSON, unchecked; what names the profile and the mode is taken out.
        query: the query, unchecked, likewise.
        asked: the query as it was sent, for the addresses of further pages.
        names: the parts of the path, e.g. ``{"link": "pl_…"}``.
    """

    engine: Engine
    path: str
    body: Mapping[str, Any]
    query: Mapping[str, str]
    asked: Mapping[str, str]
    names: Mapping[str, str]

    def values(self, schema: Record) -> Document:
        """The body, checked by `schema`."""
        return schema.read_all(self.body)

    def queried(self, schema: Record) -> Document:
        """The query, checked by `schema`; a fault is a 400."""
        return schema.read_all(self.query, status=400)

    def subject(self, kind: str, name: str) -> Document:
        """
        The object that the path names.

        Raises:
            Problem: 404.
        """
        found = self.engine.get(kind, self.names[name])
        if found is None:
            raise missing(self.names[name])
        return found
