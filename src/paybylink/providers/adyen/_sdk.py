"""
The port: Adyen's package writes our requests and reads the replies; it never opens a connection.

The only module that imports `Adyen`, and itself imported on first use. Each call has a client object of its own,
since the package keeps state in it; its HTTP client is the call's carrier.

* The package writes for the test platform and the address is then replaced by the account's own. Its rewriting of
  addresses is not used: it replaces ``-test`` and ``-live`` anywhere, also in the merchant's prefix and in ids, and
  compares the platform with ``test`` exactly.
* Path parameters are not encoded by the package, so callers check them.
* Of a refusal the package is given everything but the words: Adyen's messages repeat parts of the input, and the
  package's errors hold the whole body and print it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from paybylink.errors import MissingExtra
from paybylink.providers.exchange import Carrier, Outgoing, SdkCall, twin

from ._settings import API_VERSION, TEST_BASE_URL

try:
    from Adyen import AdyenClient
    from Adyen.services.checkout import ModificationsApi, PaymentLinksApi, PaymentsApi
    from Adyen.settings import LIB_VERSION
except ImportError as error:
    raise MissingExtra("adyen", "AdyenProvider") from error

if TYPE_CHECKING:
    import httpx

#: What of an error body is handed on: codes and references, never a sentence.
_KEPT: Final = ("errorCode", "errorType", "pspReference", "requestId", "type")
_VOCABULARY: Final = re.compile(r"[A-Za-z0-9_.:/#\[\]-]{1,200}")

_USER_AGENT: Final = f"paybylink adyen-python-api-library/{LIB_VERSION}"


class _Transport:
    """The package's HTTP client for one call, which is the call's carrier."""

    user_agent = _USER_AGENT

    def __init__(self, carrier: Carrier, base_url: str) -> None:
        self._carrier, self._base_url = carrier, base_url

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str],
        xapikey: str,
    ) -> tuple[bytes, str, int, Mapping[str, str]]:
        if not url.startswith(f"{TEST_BASE_URL}/"):
            raise ValueError("another host")
        headers = {**headers, "x-api-key": xapikey}
        body = b""
        if json is not None:
            headers["Content-Type"] = "application/json"
            body = _encoded(json)
        response = self._carrier.carry(
            Outgoing(
                method=method,
                base_url=self._base_url,
                path=url.removeprefix(TEST_BASE_URL),
                headers=headers,
                body=body,
                key=headers.get("Idempotency-Key", ""),
                version=API_VERSION,
            )
        )
        return _told(response), "", response.status_code, response.headers


class Port:
    """
    SDK calls for one Adyen account.

    Args:
        api_key: of the account's credential.
        base_url: without a slash at its end.
    """

    def __init__(self, *, api_key: str, base_url: str) -> None:
        self._base_url = base_url
        self._model = AdyenClient(xapikey=api_key, platform="test")
        self._model.http_init = True

    # Links

    def make_link(self, body: Mapping[str, Any], *, key: str) -> SdkCall[object]:
        """``POST /paymentLinks``."""
        return self._through(lambda client: PaymentLinksApi(client).payment_links(body, idempotency_key=key))

    def read_link(self, link_id: str) -> SdkCall[object]:
        """``GET /paymentLinks/{linkId}``."""
        return self._through(lambda client: PaymentLinksApi(client).get_payment_link(link_id))

    def change_link(self, link_id: str, body: Mapping[str, Any]) -> SdkCall[object]:
        """``PATCH /paymentLinks/{linkId}``."""
        return self._through(lambda client: PaymentLinksApi(client).update_payment_link(body, link_id))

    # Payments

    def capture(self, payment: str, body: Mapping[str, Any], *, key: str) -> SdkCall[object]:
        """``POST /payments/{paymentPspReference}/captures``."""
        return self._through(
            lambda client: ModificationsApi(client).capture_authorised_payment(
                body, payment, idempotency_key=key
            )
        )

    def cancel(self, payment: str, body: Mapping[str, Any], *, key: str) -> SdkCall[object]:
        """``POST /payments/{paymentPspReference}/cancels``."""
        return self._through(
            lambda client: ModificationsApi(client).cancel_authorised_payment_by_psp_reference(
                body, payment, idempotency_key=key
            )
        )

    def refund(self, payment: str, body: Mapping[str, Any], *, key: str) -> SdkCall[object]:
        """``POST /payments/{paymentPspReference}/refunds``."""
        return self._through(
            lambda client: ModificationsApi(client).refund_captured_payment(
                body, payment, idempotency_key=key
            )
        )

    def methods(self, body: Mapping[str, Any]) -> SdkCall[object]:
        """``POST /paymentMethods``."""
        return self._through(lambda client: PaymentsApi(client).payment_methods(body))

    def _through(self, call: Callable[[Any], Any]) -> SdkCall[object]:
        def through(carrier: Carrier) -> object:
            client: Any = twin(self._model)
            client.http_client = _Transport(carrier, self._base_url)
            message = call(client).message
            # The package makes an empty object of a 2xx that is no JSON.
            if not isinstance(message, dict) or not message:
                raise ValueError("empty")
            return message

        return through


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _told(response: httpx.Response) -> bytes:
    """The body of a reply; of a refusal, only what is vocabulary, as an object."""
    if 200 <= response.status_code < 300:
        return response.content
    kept: dict[str, Any] = {}
    try:
        said = json.loads(response.content)
        for name in _KEPT:
            if isinstance(said.get(name), str) and _VOCABULARY.fullmatch(said[name]):
                kept[name] = said[name]
        kept["invalidFields"] = [
            field["name"] for field in said.get("invalidFields") or [] if _VOCABULARY.fullmatch(field["name"])
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return json.dumps(kept).encode()
