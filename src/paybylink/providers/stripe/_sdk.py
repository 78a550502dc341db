"""
The port: stripe-python writes our requests and reads the replies; it never opens a connection.

The only module that imports `stripe`, and itself imported on first use. An SDK call goes through
`StripeClient.raw_request`, which keeps the version header, authorisation, form encoding and error classes, and spares
the building of nested SDK objects, which costs more than everything else.

The SDK has settings that are global to the process, and they belong to the host. So none is touched, and ours is
the requestor alone (`_Requestor`), where these would act:

* telemetry (`stripe.enable_telemetry`): it would write an id into the user's configuration folder on the first
  request and send the platform and latencies. Our requests carry neither, whatever the setting says;
* `STRIPE_LOG` and the logger ``stripe``: at DEBUG they print request and reply bodies, with customers' names and
  addresses. Our calls log through our own driver, without bodies;
* retries and keys made up by the SDK: the driver repeats, with our key;
* ``Stripe-Notice`` headers, which the SDK turns into Python warnings and `raw_request` leaves alone.

Of a refusal the SDK is given everything but the words: Stripe's messages repeat parts of the input, also of the key,
and an SDK error holds the whole body.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from paybylink.errors import MissingExtra
from paybylink.providers.exchange import Carrier, Outgoing, SdkCall, twin

try:
    import stripe
    from stripe._api_requestor import _APIRequestor
    from stripe._api_version import _ApiVersion
    from stripe._encode import _api_encode
except ImportError as error:
    raise MissingExtra("stripe", "StripeProvider") from error

if TYPE_CHECKING:
    import httpx

#: What of an error body is handed on: words of Stripe's vocabulary and the name of a parameter.
_KEPT: Final = ("type", "code", "decline_code", "param")
_VOCABULARY: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
#: Where Stripe explains a code; its words there are the same for everybody.
_EXPLAINED: Final = re.compile(r"https://(?:docs\.)?stripe\.com/[A-Za-z0-9/_#-]{1,200}")

_USER_AGENT: Final = f"Stripe/v1 PythonBindings/{stripe.VERSION} paybylink"
_CLIENT: Final = json.dumps(
    {
        "bindings_version": stripe.VERSION,
        "lang": "python",
        "lang_version": platform.python_version(),
        "httplib": "httpx",
        "application": {"name": "paybylink"},
    }
)


class _Transport(stripe.HTTPClient):
    """The SDK's HTTP client for one call, which is the call's carrier."""

    name = "httpx"

    def __init__(self, carrier: Carrier, base_url: str) -> None:
        super().__init__()
        self._carrier, self._base_url = carrier, base_url

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        headers = headers or {}
        response = self._carrier.carry(
            Outgoing(
                method=method.upper(),
                base_url=self._base_url,
                path=url.removeprefix(self._base_url),
                headers=headers,
                body=(post_data or "").encode("ascii"),
                key=headers.get("Idempotency-Key", ""),
                version=headers.get("Stripe-Version", ""),
            )
        )
        return _told(response), response.status_code, response.headers


class _Requestor(_APIRequestor):
    """The SDK's requestor without what is global to the process; see the head of this module."""

    def request_headers(self, method: Any, api_mode: Any, options: Any) -> dict[str, str]:
        headers = {
            "User-Agent": _USER_AGENT,
            "X-Stripe-Client-User-Agent": _CLIENT,
            "Authorization": f"Bearer {options['api_key']}",
            "Stripe-Version": options["stripe_version"],
        }
        if options.get("stripe_account"):
            headers["Stripe-Account"] = options["stripe_account"]
        if options.get("idempotency_key"):
            headers["Idempotency-Key"] = options["idempotency_key"]
        if method == "post":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers

    def request_raw(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        options: Any = None,
        is_streaming: bool = False,
        *,
        base_address: Any,
        api_mode: Any,
        usage: list[str] | None = None,
    ) -> tuple[object, int, Mapping[str, str]]:
        form = ""
        if method == "post":
            form, params = form_of(params or {}), None
        method, url, headers, body, *_ = self._args_for_request_with_retries(
            method, url, params, options, base_address=base_address, api_mode=api_mode, usage=usage
        )
        return self._get_http_client().request(method, url, headers, form or body)


#: The names of fields are few, and encoding them is most of what a form costs.
_name = lru_cache(maxsize=1024)(quote_plus)


def form_of(params: Mapping[str, Any]) -> str:
    """A form as the SDK would write it, to the letter, with each name encoded once."""
    pairs = [f"{_name(name)}={quote_plus(str(value))}" for name, value in _api_encode(params)]
    return "&".join(pairs).replace("%5B", "[").replace("%5D", "]")


class Port:
    """
    SDK calls for one Stripe account.

    Args:
        api_key: of the account.
        base_url: without a slash at its end.
        api_version: None for the one that the SDK was made for.
        account: a connected account, for platforms; None for the key's own.
    """

    def __init__(self, *, api_key: str, base_url: str, api_version: str | None, account: str | None) -> None:
        self._api_key, self._base_url = api_key, base_url
        self._api_version, self._account = api_version, account
        self._clients: dict[str, stripe.StripeClient] = {}

    @property
    def version(self) -> str:
        """The version of the API in which requests are written."""
        return self._api_version or _ApiVersion.CURRENT

    def _client(self, version: str) -> stripe.StripeClient:
        """The client of which each call takes a copy; building one costs as much as a request."""
        made = self._clients.get(version)
        if made is None:
            made = stripe.StripeClient(
                self._api_key,
                http_client=stripe.HTTPClient(),
                base_addresses={"api": self._base_url},
                stripe_version=version or self._api_version,
                stripe_account=self._account,
                max_network_retries=0,
            )
            # Two threads may both make one; they are equal.
            self._clients[version] = made
        return made

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        version: str = "",
    ) -> SdkCall[object]:
        """
        One SDK call, to be made through `exchange`; it returns the decoded reply.

        Args:
            method: ``get``, ``post`` or ``delete``.
            path: from ``/v1`` on.
            params: of the query or of the form.
            key: our idempotency key.
            version: of a stored request; empty for the account's or the SDK's own.
        """
        options = {"idempotency_key": key} if key else {}
        model = self._client(version)

        def through(carrier: Carrier) -> object:
            # A copy for each call: the requestor holds the call's own carrier.
            client = twin(model)
            client._requestor = _Requestor(model._requestor._options, _Transport(carrier, self._base_url))
            return client.raw_request(method, path, **options, **(params or {})).data

        return through


def _told(response: httpx.Response) -> bytes:
    """The body of a reply; of a refusal, only what is vocabulary."""
    if 200 <= response.status_code < 300:
        return response.content
    try:
        said = json.loads(response.content)["error"]
        kept = {
            name: said[name]
            for name in _KEPT
            if isinstance(said.get(name), str) and _VOCABULARY.fullmatch(said[name])
        }
        explained = said.get("doc_url")
        if isinstance(explained, str) and _EXPLAINED.fullmatch(explained):
            kept["doc_url"] = explained
    except (ValueError, KeyError, TypeError, AttributeError):
        return b"{}"
    return json.dumps({"error": kept}).encode()
