"""
A Stripe account, asked in our words.

A link is a Stripe payment link with inline prices, one API call each. The verbs are calls: they yield HTTP requests
and nothing else, and hold no client, so one provider serves any number of threads and event loops.

What is emulated, and how, says `CAPABILITIES`, from which the documentation is made. Two limits of Stripe show:

* a payment link has no time of creation, no expiry and no search. `write_link` puts the moment of asking into the
  metadata, and `find_link` pages the newest links until it meets ours, or one that proves the rest to be older;
* deactivating a link does not say what becomes of a payer who has the page open, so `close_link` also ends the
  open sessions. A payment that was quicker is kept: money wins.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import field, frozen

from paybylink.errors import (
    Faults,
    IntegrityBreach,
    InvalidInput,
    OutcomeUnknown,
    PaybylinkError,
    ProviderError,
    SettingsError,
)
from paybylink.flow import Call, Retry, Sending, T, Written
from paybylink.links import Mode
from paybylink.providers.accounts import as_hosts, bare_url, is_loopback, revealed, revealed_all
from paybylink.providers.base import (
    Capabilities,
    Capability,
    Feature,
    LinkRequest,
    PaymentNotice,
    ProviderEvent,
    RefundNotice,
    RefundRequest,
    Support,
    VendorLink,
    VendorLinkStatus,
)
from paybylink.providers.exchange import exchange, write

from . import _notices, _webhook
from ._errors import refusal
from ._links import HOSTS, Expected, read_asked_link, read_link
from ._mapping import ASKED, ATTEMPT, REFUND, link_form, refund_form
from ._settings import DEFAULT_BASE_URL, check, mode_of_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from ._sdk import Port

Json: TypeAlias = dict[str, Any]

#: Stripe keeps a key for at least 24 hours; an hour is left for clocks that differ and for the way.
#: Source: docs.stripe.com, "Idempotent requests".
KEY_LIFE: Final = dt.timedelta(hours=23)
PAGE: Final = 100
#: `find_link` looks through so many pages of 100 links before it says that it does not know.
MOST_LINK_PAGES: Final = 50
#: A guard against a list without end, far above any link's payments or any payment's refunds.
MOST_PAGES: Final = 1000
#: Answers after which the same request may be sent again; 409 says that its twin is still at work.
_AGAIN: Final = frozenset({409, 429, 500, 502, 503, 504})
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}")

CAPABILITIES: Final[Capabilities] = MappingProxyType(
    {
        Feature.SINGLE_USE: Capability(Support.NATIVE),
        Feature.REUSABLE: Capability(Support.NATIVE),
        Feature.MAX_PAYMENTS: Capability(Support.NATIVE),
        Feature.INVOICE_BOUND: Capability(
            Support.EMULATED,
            "a link for one payment of the whole open amount, with the invoice's number in its metadata; "
            "Stripe links cannot be paid in parts",
        ),
        Feature.EXPIRY: Capability(
            Support.EMULATED,
            "Stripe's links do not end by themselves: run_due closes them once their time has come, so as exactly "
            "as it runs; behind a public URL they end at once; both need a store",
        ),
        Feature.CANCEL: Capability(Support.NATIVE),
        Feature.REOPEN: Capability(
            Support.UNSUPPORTED, "not used: renew makes a new Stripe link behind the same public URL"
        ),
        Feature.LINE_ITEMS: Capability(Support.NATIVE),
        Feature.FIND_LINK: Capability(
            Support.EMULATED,
            f"Stripe has no search for links: the newest {MOST_LINK_PAGES * PAGE:,} are read and their metadata is "
            "compared; beyond, the outcome stays unknown",
        ),
        Feature.PAYMENTS_OF_LINK: Capability(Support.NATIVE),
        Feature.REFUND: Capability(Support.NATIVE),
        Feature.PARTIAL_REFUND: Capability(Support.NATIVE),
        Feature.WEBHOOKS: Capability(Support.NATIVE),
    }
)


@frozen(eq=False)
class StripeProvider:
    """
    One Stripe account.

    Attributes:
        api_key: a secret or restricted key; its prefix says test or live. Text, or an object with
            `get_secret_value` such as pydantic's `SecretStr`.
        webhook_secrets: every secret that is valid now (``whsec_…``); two while one is being replaced.
        name: unique among the providers of one `PayByLink`; part of the webhook's address.
        base_url: another one than Stripe's is accepted only on this machine and with a test key.
        api_version: None for the one the installed SDK was made for.
        allowed_hosts: where links may lead; add your own payment domain, if you have one at Stripe.
        account: a connected account (``acct_…``) on whose behalf a platform acts; None for the key's own.
        tolerance: how old, or how far in the future, a webhook's signature may be.

    Raises:
        SettingsError: every setting that cannot be used, without its value.
    """

    api_key: str = field(converter=revealed, repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), converter=revealed_all, repr=False, kw_only=True)
    name: str = field(default="stripe", kw_only=True)
    base_url: str = field(default=DEFAULT_BASE_URL, converter=bare_url, kw_only=True)
    api_version: str | None = field(default=None, kw_only=True)
    allowed_hosts: tuple[str, ...] = field(default=HOSTS, converter=as_hosts, kw_only=True)
    account: str | None = field(default=None, kw_only=True)
    tolerance: dt.timedelta = field(default=dt.timedelta(seconds=300), kw_only=True)
    mode: Mode = field(init=False)
    _expected: Expected = field(init=False, repr=False)
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)
    _port_made: Port | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check(
            faults,
            api_key=self.api_key,
            webhook_secrets=self.webhook_secrets,
            name=self.name,
            base_url=self.base_url,
            api_version=self.api_version,
            allowed_hosts=self.allowed_hosts,
            account=self.account,
            tolerance=self.tolerance,
        )
        try:
            faults.raise_any()
        except InvalidInput as error:
            raise SettingsError(error.faults) from None
        mode = mode_of_key(self.api_key)
        assert mode is not None
        expected = Expected(
            who=self.name, mode=mode, hosts=frozenset(self.allowed_hosts), loopback=is_loopback(self.base_url)
        )
        # Frozen for everybody else; these follow from the settings.
        object.__setattr__(self, "mode", mode)
        object.__setattr__(self, "_expected", expected)
        object.__setattr__(self, "_secrets", tuple(secret.encode("ascii") for secret in self.webhook_secrets))

    @property
    def capabilities(self) -> Capabilities:
        """What a Stripe account can do."""
        return CAPABILITIES

    # Links

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of Stripe; every fault at once.
        """
        call = self._port.call("post", "/v1/payment_links", link_form(request, now=now), key=key)
        return write(call, who=self.name, key=key, key_until=now + KEY_LIFE)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """Carry `written` and return the link, after comparing the answer with `request`."""
        reply = yield from self._carry(written)
        return read_asked_link(reply, self._expected, request=request)

    def find_link(self, request: LinkRequest, *, since: dt.datetime) -> Call[VendorLink | None]:
        """
        The link that an earlier, unanswered request has made; None if it surely made none.

        Stripe lists links newest first and tells no time of creation. A link of ours carries the moment it was
        asked for, and was made less than a day later, since no request outlives its key; if that lies before
        `since`, so do all that follow it.

        Raises:
            OutcomeUnknown: too many links were made since; look for the reference in the Dashboard.
        """
        before = since.timestamp() - 86_400
        after: str | None = None
        for _ in range(MOST_LINK_PAGES):
            page = yield from self._page("/v1/payment_links", {}, after=after)
            for listed in page["data"]:
                if _notices.mark(listed, ATTEMPT) == request.attempt_id:
                    # Asked for alone, it shows its line items, by which the amount is compared.
                    reply = yield from self._get(
                        f"/v1/payment_links/{self._id(listed)}", expand=["line_items"]
                    )
                    return read_asked_link(reply, self._expected, request=request)
                asked = _notices.mark(listed, ASKED)
                if asked.isdigit() and int(asked[:12]) < before:
                    return None
            after = self._next(page, after)
            if after is None:
                return None
        raise OutcomeUnknown(
            f"{self.name}: the link is not among the newest {MOST_LINK_PAGES * PAGE:,}; look for the order's "
            "reference in the Dashboard (Payment Links)",
            who=self.name,
        )

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now."""
        reply = yield from self._get(f"/v1/payment_links/{_checked(vendor_id)}")
        return read_link(reply, self._expected)

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Close the link, so that it cannot be paid; closing a closed one is no error.

        The page keeps the words for a closed link that it was made with, in the customer's language. Sessions that
        are open are ended; one that completes meanwhile is a payment, and comes as such.
        """
        path = f"/v1/payment_links/{_checked(vendor_id)}"
        reply = yield from self._post(path, {"active": False}, key=key, now=now)
        link = read_link(reply, self._expected)
        if link.vendor_id != vendor_id or link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(self.name, {"active": "is not false after closing"})
        sessions = yield from self._all(
            "/v1/checkout/sessions", {"payment_link": vendor_id, "status": "open"}
        )
        for session in sessions:
            name = self._id(session)
            try:
                _ = yield from self._post(
                    f"/v1/checkout/sessions/{name}/expire", {}, key=f"{key}-{name}"[:255], now=now
                )
            except ProviderError as error:
                # No longer open: completed or expired in between.
                if error.status not in (400, 404):
                    raise
        return link

    # Payments

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of a link that has begun or succeeded, oldest first."""
        sessions = yield from self._all(
            "/v1/checkout/sessions",
            {
                "payment_link": _checked(vendor_id),
                "status": "complete",
                "expand": ["data.payment_intent.latest_charge"],
            },
        )
        return [self._read(_notices.session_notice, session) for session in reversed(sessions)]

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        if _checked(vendor_id).startswith("cs_"):
            reply = yield from self._get(
                f"/v1/checkout/sessions/{vendor_id}", expand=["payment_intent.latest_charge"]
            )
            return self._read(_notices.session_notice, reply)
        reply = yield from self._get(f"/v1/payment_intents/{vendor_id}", expand=["latest_charge"])
        return self._read(_notices.intent_notice, reply)

    # Refunds

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that sends money back. Pure: nothing is sent.

        Raises:
            InvalidInput: nothing was charged, or Stripe cannot say the amount.
        """
        call = self._port.call("post", "/v1/refunds", refund_form(request), key=key)
        return write(call, who=self.name, key=key, key_until=now + KEY_LIFE)

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, after comparing the answer with `request`."""
        reply = yield from self._carry(written)
        return self._asked_refund(reply, request)

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """The refund that an earlier, unanswered request has made; None if it surely made none."""
        refunds = yield from self._all("/v1/refunds", {"payment_intent": _checked(request.payment_vendor_id)})
        for refund in refunds:
            if _notices.mark(refund, REFUND) == request.refund_id:
                return self._asked_refund(refund, request)
        return None

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """Every refund of a payment, oldest first; also those made in the Dashboard."""
        if payment_vendor_id.startswith("cs_"):
            # A session of which nothing was charged stands for itself.
            return []
        refunds = yield from self._all("/v1/refunds", {"payment_intent": _checked(payment_vendor_id)})
        return [self._read(self._refund, refund) for refund in reversed(refunds)]

    # Webhooks

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if `body` was signed by Stripe, lately.

        Raises:
            WebhookRejected: it was not.
        """
        _webhook.verify(headers, body, secrets=self._secrets, tolerance=self.tolerance, now=now)

    def read(self, body: bytes) -> Sequence[ProviderEvent]:
        """
        The one event in a verified body.

        Raises:
            WebhookRejected: it is no event of Stripe.
        """
        return (_webhook.read(body, account=self.account),)

    # How it is asked

    @property
    def _port(self) -> Port:
        if self._port_made is None:
            from ._sdk import Port

            port = Port(
                api_key=self.api_key,
                base_url=self.base_url,
                api_version=self.api_version,
                account=self.account,
            )
            # Two threads may both make one; they are equal and hold nothing.
            object.__setattr__(self, "_port_made", port)
            return port
        return self._port_made

    def _refused(self, error: Exception, response: httpx.Response) -> PaybylinkError:
        return refusal(error, response, who=self.name)

    def _get(self, path: str, **params: Any) -> Call[Json]:
        reply = yield from exchange(
            self._port.call("get", path, params),
            sending=Sending(who=self.name, retry=Retry.SAFE, retry_statuses=_AGAIN),
            refused=self._refused,
        )
        return self._object(reply)

    def _post(self, path: str, params: Json, *, key: str, now: dt.datetime) -> Call[Json]:
        reply = yield from exchange(
            self._port.call("post", path, params, key=key),
            sending=self._keyed(now + KEY_LIFE),
            refused=self._refused,
            key=key,
        )
        return self._object(reply)

    def _carry(self, written: Written) -> Call[Json]:
        reply = yield from exchange(
            self._port.call("post", written.path, key=written.key, version=written.version),
            sending=self._keyed(written.key_until),
            refused=self._refused,
            key=written.key,
            written=written,
        )
        return self._object(reply)

    def _keyed(self, until: dt.datetime) -> Sending:
        return Sending(who=self.name, retry=Retry.KEYED, key_until=until, retry_statuses=_AGAIN)

    def _page(self, path: str, params: Json, *, after: str | None) -> Call[Json]:
        page = yield from self._get(path, **params, limit=PAGE, starting_after=after)
        data = page.get("data")
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            raise IntegrityBreach(self.name, {"data": "is no list of objects"})
        return page

    def _all(self, path: str, params: Json) -> Call[list[Json]]:
        """Everything in a list, newest first as Stripe gives it."""
        found: list[Json] = []
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = yield from self._page(path, params, after=after)
            found.extend(page["data"])
            after = self._next(page, after)
            if after is None:
                return found
        raise IntegrityBreach(self.name, {"data": "is a list without end"})

    def _next(self, page: Json, after: str | None) -> str | None:
        """After which object the next page begins; None at the end."""
        if page.get("has_more") is not True or not page["data"]:
            return None
        last = self._id(page["data"][-1])
        if last == after:
            raise IntegrityBreach(self.name, {"data": "is the same page again"})
        return last

    def _object(self, reply: object) -> Json:
        if not isinstance(reply, dict):
            raise IntegrityBreach(self.name, {"object": "is none"})
        return reply

    def _id(self, thing: Json) -> str:
        found = thing.get("id")
        if not isinstance(found, str) or not _ID.fullmatch(found):
            raise IntegrityBreach(self.name, {"id": "is none of Stripe's"})
        return found

    def _read(self, reader: Callable[[Json], T], thing: Json) -> T:
        try:
            return reader(thing)
        except _notices.MISSHAPEN as error:
            raise IntegrityBreach(self.name, {"object": f"cannot be read ({type(error).__name__})"}) from None

    def _refund(self, refund: Json) -> RefundNotice:
        return _notices.refund_notice(refund, mode=self.mode)

    def _asked_refund(self, reply: Json, request: RefundRequest) -> RefundNotice:
        notice = self._read(self._refund, reply)
        wrong = {}
        if notice.refund_id != request.refund_id:
            wrong[f"metadata.{REFUND}"] = "is another refund's"
        if notice.payment_vendor_id != request.payment_vendor_id:
            wrong["payment_intent"] = "is another payment's"
        if notice.amount != request.amount:
            wrong["amount"] = f"is {notice.amount}, not {request.amount}"
        if wrong:
            raise IntegrityBreach(self.name, wrong)
        return notice


def _checked(vendor_id: str) -> str:
    """An id that may become part of a path."""
    if not isinstance(vendor_id, str) or not _ID.fullmatch(vendor_id):
        raise InvalidInput.single("vendor_id", "is none of Stripe's", "pass the id that Stripe gave")
    return vendor_id
