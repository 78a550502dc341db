"""
One request to the Stripe half of the sandbox, as its actions see it.

The wire is behind it (`routes` has checked the key, decoded the form and opened a transaction) and the reply is
before it: an action takes a `Call` and returns a JSON object, or raises a `Problem`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.stripe.parameters import Record
from paybylink.sandbox.stripe.wire import Form, missing

#: The version of the API that stripe-python 16.1 asks for; events are written in it unless an endpoint has its own.
API_VERSION = "2026-10-28.endive"

#: The only account there is. Every test key opens it.
ACCOUNT = "acct_1SandboxPayByLink"


@frozen
class Origin:
    """
    Which API request caused an event.

    Attributes:
        request_id: the value of the reply's Request-Id header; None when a payer caused it.
        idempotency_key: the key that the request carried; None when none.
    """

    request_id: str | None = None
    idempotency_key: str | None = None


#: The origin of what payers and the passing of time do.
NOBODY = Origin()


@frozen
class Call:
    """
    Attributes:
        engine: the state.
        form: the decoded parameters, still text.
        names: the parts of the path, e.g. ``{"payment_link": "plink_…"}``.
        origin: what the events of this call say about it.
        version: the API version that the client asked for.
    """

    engine: Engine
    form: Form
    names: Mapping[str, str]
    origin: Origin
    version: str

    def values(self, schema: Record) -> Document:
        """The parameters, read and typed by `schema`."""
        return schema.read_all(self.form)

    def subject(self, kind: str, name: str, *, spoken: str | None = None) -> Document:
        """
        The object that the path names.

        Raises:
            Problem: 404 `resource_missing`.
        """
        found = self.engine.get(kind, self.names[name])
        if found is None:
            raise missing(spoken or kind, self.names[name], param=name)
        return found
