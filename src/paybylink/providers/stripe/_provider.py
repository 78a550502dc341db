"""
A Stripe account, asked in our words.

A link is a payment link with inline prices, one API call; a Checkout Session where it ends within 24 hours; or an
invoice that Stripe makes. `_mapping` says which, and the id tells them apart afterwards. The verbs are calls: they
yield HTTP requests and nothing else, and hold no client, so one provider serves any number of threads and event
loops. What is emulated, and how, says `CAPABILITIES`, from which the documentation is made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from attrs import field, frozen

from paybylink.errors import (
    Faults,
    InvalidInput,
    SettingsError,
    UnsupportedCapability,
)
from paybylink.flow import Call, Written
from paybylink.kinds import HostedInvoice
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.accounts import as_hosts, bare_url, is_loopback, revealed, revealed_all
from paybylink.providers.base import (
    BalancePage,
    Capabilities,
    DisputeNotice,
    Feature,
    LinkRequest,
    MethodOffer,
    PaymentNotice,
    ProviderEvent,
    RefundNotice,
    RefundRequest,
    VendorLink,
)

from . import _webhook
from ._as_invoice import AsInvoice
from ._as_link import AsLink
from ._as_payment import AsPayment
from ._as_session import AsSession
from ._asking import Asking, checked
from ._balance import balance_item
from ._capabilities import CAPABILITIES
from ._links import HOSTS, Expected
from ._mapping import REFUNDS, SESSIONS, link_steps, refund_form, session_until
from ._settings import DEFAULT_BASE_URL, check, mode_of_key
from ._steps import carry_steps, write_steps

_EPOCH: Final = dt.datetime.fromtimestamp(0, dt.UTC)


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
    _ask: Asking = field(init=False, repr=False)
    _expected: Expected = field(init=False, repr=False)
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)

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
        ask = Asking(self.name, self.api_key, self.base_url, self.api_version, self.account)
        # Frozen for everybody else; these follow from the settings.
        object.__setattr__(self, "mode", mode)
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_expected", expected)
        object.__setattr__(self, "_secrets", tuple(secret.encode("ascii") for secret in self.webhook_secrets))

    @property
    def capabilities(self) -> Capabilities:
        """What a Stripe account can do."""
        return CAPABILITIES

    # Links

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link, and those that follow it. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of Stripe; every fault at once.
            UnsupportedCapability: something in the order's checkout cannot be had.
        """
        steps = link_steps(request, now=now, version=self._ask.port.version, who=self.name)
        return write_steps(self._ask, steps, key=key, now=now)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """Carry `written`, with what follows it, and return the link, after comparing it with `request`."""
        reply = yield from carry_steps(self._ask, written)
        return self._kind(request, session=written.path == SESSIONS).asked(reply, request)

    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        """When Stripe ends the link: only a Checkout Session ends by itself."""
        return session_until(request, now=now)

    def find_link(
        self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime
    ) -> Call[VendorLink | None]:
        """
        The link that an earlier, unanswered request has made; None if it surely made none that can be paid.

        Args:
            since: when it was written, which decided whether it is a session.

        Raises:
            OutcomeUnknown: too many links were made since; look for the reference in the Dashboard.
        """
        session = session_until(request, now=since) is not None
        return (yield from self._kind(request, session=session).find(request, since=since))

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now; that of an invoice has another address each time."""
        return (yield from self._named(vendor_id).fetch(vendor_id))

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Close the link, so that it cannot be paid; closing a closed one is no error."""
        return (yield from self._named(vendor_id).close(vendor_id, key=key, now=now))

    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Let the link take one more payment, after one that used it up has failed; doing it twice is no error.

        Raises:
            UnsupportedCapability: it is a session or an invoice.
        """
        return (yield from self._named(vendor_id).reopen(vendor_id, key=key, now=now))

    def methods_for(self, order: Order) -> Call[Sequence[MethodOffer]]:
        """
        Refused: Stripe decides on the page.

        Raises:
            UnsupportedCapability: always.
        """
        raise UnsupportedCapability(self.name, "methods for", CAPABILITIES[Feature.METHODS_FOR].how)

    # Payments

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of a link that has begun or succeeded, oldest first."""
        return (yield from self._named(vendor_id).payments(vendor_id))

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        return (yield from self._payments.fetch(vendor_id))

    def capture(self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """
        Take `amount` of an authorised payment; what is left of it is given up. Done twice, it is taken once.

        Raises:
            InvalidInput: the amount is of another currency than the payment, or cannot be said at Stripe.
        """
        return (yield from self._payments.capture(vendor_id, amount, key=key, now=now))

    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Give an authorised payment up; done twice is no error."""
        return (yield from self._payments.cancel(vendor_id, key=key, now=now))

    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[DisputeNotice]]:
        """Every dispute of a payment, oldest first."""
        return (yield from self._payments.disputes(payment_vendor_id))

    # Refunds

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that sends money back. Pure: nothing is sent.

        Raises:
            InvalidInput: nothing was charged, or Stripe cannot say the amount.
        """
        return self._ask.write(REFUNDS, refund_form(request), key=key, now=now)

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, after comparing the answer with `request`."""
        reply = yield from self._ask.carry(written)
        return self._payments.asked_refund(reply, request)

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """The refund that an earlier, unanswered request has made; None if it surely made none."""
        return (yield from self._payments.find_refund(request))

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """Every refund of a payment, oldest first; also those made in the Dashboard."""
        return (yield from self._payments.refunds(payment_vendor_id))

    # Settlements

    def settlements(self, *, since: dt.datetime, until: dt.datetime, after: str = "") -> Call[BalancePage]:
        """
        What moved the balance from `since` on and before `until`, newest first, a page at a time.

        Args:
            after: what the page before said.
        """
        first, last = (ceil((moment - _EPOCH) / dt.timedelta(seconds=1)) for moment in (since, until))
        page = yield from self._ask.page(
            "/v1/balance_transactions",
            {"created": {"gte": first, "lt": last}, "expand": ["data.source"]},
            after=checked(after) if after else None,
        )
        items = [
            self._ask.read(lambda movement: balance_item(movement, provider=self.name), movement)
            for movement in page["data"]
        ]
        return BalancePage(items=items, after=self._ask.following(page, after or None) or "")

    # Webhooks

    @property
    def acknowledgement(self) -> bytes:
        """Stripe reads the status of an answer only."""
        return b""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if `body` was signed by Stripe, lately.

        Raises:
            WebhookRejected: it was not.
        """
        _webhook.verify(headers, body, secrets=self._secrets, tolerance=self.tolerance, now=now)

    def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
        """
        The one event in a verified body.

        Raises:
            WebhookRejected: it is no event of Stripe.
        """
        return (_webhook.read(body, account=self.account),)

    # What it is at Stripe

    def _kind(self, request: LinkRequest, *, session: bool) -> AsLink | AsSession | AsInvoice:
        """What is made for a request."""
        if isinstance(request.kind, HostedInvoice):
            return AsInvoice(self._ask, self._expected)
        return (AsSession if session else AsLink)(self._ask, self._expected)

    def _named(self, vendor_id: str) -> AsLink | AsSession | AsInvoice:
        """What an id names."""
        if checked(vendor_id).startswith("cs_"):
            return AsSession(self._ask, self._expected)
        return (AsInvoice if vendor_id.startswith("in_") else AsLink)(self._ask, self._expected)

    @property
    def _payments(self) -> AsPayment:
        return AsPayment(self._ask, self.mode)
