"""
The port: mollie-api-python writes our requests and reads the replies; it never opens a connection.

The only module that imports `mollie`, and itself imported on first use. A call goes through the SDK's
`ResourceBase.perform_api_call`, which keeps paths, queries, test mode, JSON and error classes, over a client whose
`perform_http_call` is the call's carrier. What the SDK would do beyond that is left out:

* ``X-Mollie-Client-Info``, the output of `uname`, which tells Mollie this machine's name;
* retries, keys made up by the SDK, and its session: the driver repeats, with our key;
* the warning for ``Idempotent-Replayed``, which goes to the root logger with the key in it, and configures logging
  for the whole process where the host has not;
* error texts that hold the whole reply: of a refusal the SDK is given the status and the field, and no text.

Two distributions call their package `mollie`, so they cannot share an environment; whoever has the other one is told.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paybylink.errors import MissingExtra
from paybylink.providers.exchange import Carrier, Outgoing, SdkCall, twin

try:
    from mollie.api.client import Client
    from mollie.api.resources.base import ResourceBase
    from mollie.api.version import VERSION
except ImportError as error:
    if importlib.util.find_spec("mollie") is not None:
        raise MissingExtra(
            "mollie",
            "MollieProvider (a package called mollie is installed, but it is that of another distribution, such as "
            "mollie-api-py; the two cannot share an environment, so uninstall that one first)",
        ) from error
    raise MissingExtra("mollie", "MollieProvider") from error

if TYPE_CHECKING:
    import httpx

_USER_AGENT: Final = f"Mollie/{VERSION} paybylink"
_FIELD: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
_VERSION: Final = f"/{Client.API_VERSION}/"


class _Reply:
    """A reply as the SDK reads it; it holds no text that an error could repeat."""

    text: Final = ""
    encoding: str | None = None

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = {}
        self._response = response

    def json(self) -> Any:
        """The body; of a refusal, only what is vocabulary."""
        if 200 <= self.status_code < 300:
            return json.loads(self._response.content)
        said = json.loads(self._response.content)
        field = said.get("field")
        kept = {"field": field} if isinstance(field, str) and _FIELD.fullmatch(field) else {}
        return {"status": self.status_code, "detail": "", **kept}


class _Client(Client):
    """The SDK's client without its HTTP; each call takes a copy and gives it a carrier."""

    carrier: Carrier

    # The SDK declares a reply of requests, of which it uses what `_Reply` has.
    def perform_http_call(
        self,
        http_method: str,
        path: str,
        data: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        idempotency_key: str = "",
    ) -> Any:
        url, payload, _ = self._format_request_data(path, data, params, http_method)
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.api_key}",
            "User-Agent": _USER_AGENT,
        }
        if payload:
            headers["Content-Type"] = "application/json"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return _Reply(
            self.carrier.carry(
                Outgoing(
                    method=http_method,
                    base_url=self.api_endpoint,
                    path=url.removeprefix(self.api_endpoint),
                    headers=headers,
                    body=payload.encode("ascii"),
                    key=idempotency_key,
                )
            )
        )


class Port:
    """
    SDK calls for one Mollie account.

    Args:
        api_key: an API key or an access token, which was checked before.
        base_url: without a slash at its end.
        testmode: with a token, whether test mode is meant.
    """

    def __init__(self, *, api_key: str, base_url: str, testmode: bool) -> None:
        client = _Client(base_url, retry=0)
        # Set as it is: the SDK's own setter prints a wrong key in its error.
        client.api_key = api_key
        client.testmode = testmode
        self._client = client

    def call(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> SdkCall[object]:
        """
        One SDK call, to be made through `exchange`; it returns the decoded reply.

        Args:
            method: in capitals.
            path: from ``/v2`` on, without a query.
            data: of the body.
            params: of the query.
            key: our idempotency key.
        """
        resource = path.removeprefix(_VERSION)
        model = self._client

        def through(carrier: Carrier) -> object:
            # A copy for each call: it holds the call's own carrier.
            client = twin(model)
            client.carrier = carrier
            # Copies of the fields too, since the SDK adds the test mode to what it is given.
            return ResourceBase(client).perform_api_call(
                method,
                resource,
                None if data is None else dict(data),
                dict(params or {}),
                idempotency_key=key,
            )

        return through
