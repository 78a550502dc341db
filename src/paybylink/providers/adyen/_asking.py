"""
How an Adyen account is asked: one request, and an answer that is compared before it is believed.

Readings may always be repeated. What changes something goes out under our key, which Adyen keeps for seven days, and
is repeated at once only where the answer says that it may be. Closing a link takes no key and is sent once.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import field, frozen

from paybylink.currencies import ADYEN
from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.links import Mode
from paybylink.money import Money, to_wire
from paybylink.providers.accounts import is_local_base
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus
from paybylink.providers.exchange import SdkCall, exchange, write

from ._errors import refusal
from ._links import Expected, read_asked_link, read_link
from ._settings import base_url_of

if TYPE_CHECKING:
    import httpx

    from ._provider import AdyenProvider
    from ._sdk import Port

Json: TypeAlias = dict[str, Any]

#: Adyen keeps a key for at least seven days; an hour is left for clocks that differ and for the way.
#: Source: docs.adyen.com, "API idempotency".
KEY_LIFE: Final = dt.timedelta(days=7) - dt.timedelta(hours=1)
_LONGEST_KEY: Final = 64
#: Answers after which a keyed request may be sent again, if they say so in a header.
#: Source: docs.adyen.com, "API idempotency".
_AGAIN: Final = frozenset({409, 422, 429, 500, 502, 503, 504})
_TRANSIENT: Final = "transient-error"
#: Answers by which Adyen may say that a link is closed already.
_CLOSED_ALREADY: Final = frozenset({400, 409, 422})
_READ_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")


@frozen(kw_only=True, eq=False)
class Asking:
    """
    The way to one account.

    Attributes:
        expected: what every answer has to be.
        api_key, base_url: see `AdyenProvider`.
    """

    expected: Expected
    api_key: str = field(repr=False)
    base_url: str
    _port_made: Port | None = field(default=None, init=False, repr=False)

    @property
    def port(self) -> Port:
        """The SDK calls; the SDK is loaded here."""
        if self._port_made is None:
            from ._sdk import Port

            port = Port(api_key=self.api_key, base_url=self.base_url)
            # Two threads may both make one; they are equal and hold nothing.
            object.__setattr__(self, "_port_made", port)
            return port
        return self._port_made

    # Requests

    def write(self, call: SdkCall[object], *, key: str, now: dt.datetime) -> Written:
        """The request, ready to be stored."""
        return write(call, who=self.expected.who, key=key, key_until=now + KEY_LIFE)

    def read(self, call: SdkCall[object]) -> Call[Json]:
        """The answer to a request that changes nothing."""
        return self._answer(
            call, Sending(who=self.expected.who, retry=Retry.SAFE, retry_statuses=_READ_AGAIN)
        )

    def once(self, call: SdkCall[object]) -> Call[Json]:
        """The answer to a request that changes something and has no key."""
        return self._answer(
            call, Sending(who=self.expected.who, retry=Retry.NEVER, retry_statuses=frozenset())
        )

    def keyed(self, call: SdkCall[object], *, key: str, now: dt.datetime) -> Call[Json]:
        """The answer to a request under a key that is made now."""
        return self._answer(call, self._sending(now + KEY_LIFE), key=key)

    def carry(self, call: SdkCall[object], written: Written) -> Call[Json]:
        """The answer to a stored request."""
        return self._answer(call, self._sending(written.key_until), key=written.key, written=written)

    def _sending(self, until: dt.datetime) -> Sending:
        return Sending(
            who=self.expected.who,
            retry=Retry.KEYED,
            key_until=until,
            retry_statuses=_AGAIN,
            retry_header=_TRANSIENT,
        )

    def _answer(
        self, call: SdkCall[object], sending: Sending, *, key: str = "", written: Written | None = None
    ) -> Call[Json]:
        reply = yield from exchange(call, sending=sending, refused=self._refused, key=key, written=written)
        # The port lets nothing else pass.
        assert isinstance(reply, dict)
        return reply

    def _refused(self, error: Exception, response: httpx.Response) -> PaybylinkError:
        return refusal(error, response, who=self.expected.who)

    def close(self, vendor_id: str) -> Call[VendorLink]:
        """
        The link after it was closed; after an answer that was lost, or a no, the link itself is asked.

        Raises:
            OutcomeUnknown, ProviderError: the first answer, unless the link is found closed.
        """
        call = self.port.change_link(checked(vendor_id), {"status": "expired"})
        try:
            link = self.same_link((yield from self.once(call)), vendor_id)
        except (OutcomeUnknown, ProviderError) as error:
            if isinstance(error, ProviderError) and error.status not in _CLOSED_ALREADY:
                raise
            try:
                link = self.same_link((yield from self.read(self.port.read_link(vendor_id))), vendor_id)
            except PaybylinkError:
                # What became of the first question is what has to be told.
                raise error from None
            if link.status is not VendorLinkStatus.CLOSED:
                raise
        if link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(self.expected.who, {"status": "is not expired after closing"})
        return link

    # Answers

    def asked_link(self, reply: Json, *, request: LinkRequest, written: Written) -> VendorLink:
        """The link in an answer, if it is what was asked for."""
        return read_asked_link(reply, self.expected, request=request, sent=json.loads(written.body))

    def same_link(self, reply: Json, vendor_id: str) -> VendorLink:
        """The link in an answer, if it is the one that was asked about."""
        link = read_link(reply, self.expected)
        if link.vendor_id != vendor_id:
            raise IntegrityBreach(self.expected.who, {"id": "is another link's"})
        return link

    def same_modification(
        self, reply: Json, payment: str, *, amount: Money | None = None, reference: str | None = None
    ) -> str:
        """Adyen's reference of a capture, cancellation or refund, if the answer is about what was asked for."""
        wrong: dict[str, str] = {}
        found = reply.get("pspReference")
        if not isinstance(found, str) or not _ID.fullmatch(found):
            wrong["pspReference"] = "is none of Adyen's"
        if reply.get("paymentPspReference") != payment:
            wrong["paymentPspReference"] = "is another payment's"
        if reply.get("merchantAccount") != self.expected.account:
            wrong["merchantAccount"] = "is another one's"
        if amount is not None:
            asked = {"currency": amount.currency, "value": to_wire(amount, ADYEN)}
            if reply.get("amount") != asked:
                wrong["amount"] = f"is not {amount} in Adyen's units"
        if reference is not None and reply.get("reference") not in (None, reference):
            wrong["reference"] = "is another refund's"
        if wrong:
            raise IntegrityBreach(self.expected.who, wrong)
        return str(found)


def asking_of(account: AdyenProvider, mode: Mode) -> Asking:
    """The way to an account, by its settings."""
    local = account.base_url is not None and is_local_base(account.base_url)
    return Asking(
        expected=Expected(
            who=account.name,
            mode=mode,
            account=account.merchant_account,
            hosts=frozenset(account.allowed_hosts),
            loopback=local,
        ),
        api_key=account.api_key,
        base_url=base_url_of(mode, account.live_prefix, account.base_url),
    )


def checked(vendor_id: str) -> str:
    """An id that may become part of a path; the SDK does not encode it."""
    if not isinstance(vendor_id, str) or not _ID.fullmatch(vendor_id):
        raise InvalidInput.single("vendor_id", "is none of Adyen's", "pass the id that Adyen gave")
    return vendor_id


def checked_key(key: str) -> str:
    """A key that Adyen keeps whole."""
    if len(key) > _LONGEST_KEY:
        raise InvalidInput.single("key", f"has more than {_LONGEST_KEY} characters", "use a shorter one")
    return key
