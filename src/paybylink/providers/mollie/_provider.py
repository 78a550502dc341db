"""
A Mollie account, asked in our words.

A link is a Mollie payment link, or a sales invoice for a `HostedInvoice`; their ids (``pl_…``, ``invoice_…``) tell
them apart. The verbs are calls: they yield HTTP requests and nothing else, and hold no client, so one provider serves
any number of threads and event loops.

What is emulated, and how, says `CAPABILITIES`, from which the documentation is made. Three limits of Mollie show:

* a link has no status and is not told to have expired. `fetch_link` has no clock, so a link that ended by itself is
  told as open there; our own row knows better. `find_link` is told the moment and looks;
* a payment does not say which link it came by; `payments_of` and the address for news do;
* a key lives for an hour. Afterwards `find_link` pages the newest links and compares our mark.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from paybylink.errors import Faults, InvalidInput, SettingsError, UnsupportedCapability
from paybylink.flow import Call, Written
from paybylink.kinds import HostedInvoice
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.accounts import as_hosts, bare_url, is_local_base, revealed, revealed_all
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
    need,
)
from paybylink.providers.exchange import write

from . import _link_calls, _money_calls, _webhook
from ._account import Account
from ._capabilities import CAPABILITIES, OF_A_KEY
from ._invoices import PATH, invoice_body
from ._links import HOSTS
from ._mapping import addresses, link_body, refund_body, refund_path
from ._settings import DEFAULT_BASE_URL, check, is_token, mode_of

#: Mollie keeps a key for an hour; a part of it is left for clocks that differ and for the way.
#: Source: docs.mollie.com, "API idempotency".
KEY_LIFE: Final = dt.timedelta(minutes=50)


@frozen(eq=False)
class MollieProvider:
    """
    One Mollie account.

    Attributes:
        api_key: an API key (``test_…``, ``live_…``), whose prefix says the mode, or an organisation's access token
            (``access_…``). Text, or an object with `get_secret_value` such as pydantic's `SecretStr`.
        webhook_secrets: every secret that is valid now, for signed events; two while one is being replaced.
        webhook_url: where Mollie tells news of a link that brings no address of its own; None where `public_url`
            makes one for each.
        name: unique among the providers of one `PayByLink`; part of the webhook's address.
        base_url: another one than Mollie's is accepted only on this machine and with a test key.
        profile_id: with an access token, the profile that is paid (``pfl_…``).
        testmode: with an access token, True for test money and False for real money.
        allowed_hosts: where links may lead; add your own payment domain, if you have one at Mollie. Other hosts below
            ``mollie.com`` are accepted with a line in the log.

    Raises:
        SettingsError: every setting that cannot be used, without its value.
    """

    api_key: str = field(converter=revealed, repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), converter=revealed_all, repr=False, kw_only=True)
    webhook_url: str | None = field(default=None, kw_only=True)
    name: str = field(default="mollie", kw_only=True)
    base_url: str = field(default=DEFAULT_BASE_URL, converter=bare_url, kw_only=True)
    profile_id: str | None = field(default=None, kw_only=True)
    testmode: bool | None = field(default=None, kw_only=True)
    allowed_hosts: tuple[str, ...] = field(default=HOSTS, converter=as_hosts, kw_only=True)
    mode: Mode = field(init=False)
    _account: Account = field(init=False, repr=False)
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check(
            faults,
            api_key=self.api_key,
            webhook_secrets=self.webhook_secrets,
            webhook_url=self.webhook_url,
            name=self.name,
            base_url=self.base_url,
            profile_id=self.profile_id,
            testmode=self.testmode,
            allowed_hosts=self.allowed_hosts,
        )
        try:
            faults.raise_any()
        except InvalidInput as error:
            raise SettingsError(error.faults) from None
        mode = mode_of(self.api_key, self.testmode)
        assert mode is not None
        account = Account(
            who=self.name,
            mode=mode,
            api_key=self.api_key,
            base_url=self.base_url,
            profile_id=self.profile_id,
            hosts=frozenset(self.allowed_hosts),
            loopback=is_local_base(self.base_url),
        )
        # Frozen for everybody else; these follow from the settings.
        object.__setattr__(self, "mode", mode)
        object.__setattr__(self, "_account", account)
        object.__setattr__(self, "_secrets", tuple(secret.encode() for secret in self.webhook_secrets))

    @property
    def capabilities(self) -> Capabilities:
        """What the account can do, which with an API key is a little less."""
        return CAPABILITIES if is_token(self.api_key) else OF_A_KEY

    # Links

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of Mollie; every fault at once.
            UnsupportedCapability: the checkout asks for what Mollie does not have.
        """
        kind = request.kind
        if isinstance(kind, HostedInvoice):
            path = PATH
            body = invoice_body(request, kind, profile_id=self.profile_id, who=self.name)
        else:
            path = _link_calls.LINKS
            body = link_body(
                request,
                profile_id=self.profile_id,
                webhook_url=self.webhook_url,
                local=self._account.loopback,
                who=self.name,
            )
        call = self._account.port.call("POST", path, data=body, key=key)
        return write(call, who=self.name, key=key, key_until=now + KEY_LIFE)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """
        Carry `written` and return the link, after comparing the answer with `request`.

        Raises:
            OutcomeUnknown: also where an invoice was made whose page is not there yet.
        """
        reply = yield from self._account.carry(written)
        return (yield from _link_calls.read_new(self._account, reply, request))

    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        """When Mollie ends the link: as asked for, and never for an invoice."""
        return None if isinstance(request.kind, HostedInvoice) else request.expires_at

    def find_link(
        self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime
    ) -> Call[VendorLink | None]:
        """
        The link that an earlier, unanswered request has made; None if it surely made none that can still be paid.

        Mollie lists links newest first, with the moment each was made.

        Raises:
            OutcomeUnknown: the link carries no mark of ours, or too many were made since.
        """
        news, back = addresses(request, webhook_url=self.webhook_url, local=self._account.loopback)
        marked = isinstance(request.kind, HostedInvoice) or news is not None or back is not None
        return (yield from _link_calls.find(self._account, request, marked=marked, since=since, now=now))

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now, but for an expiry that has passed; see the head of this module."""
        return (yield from _link_calls.fetch(self._account, vendor_id))

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Close the link, so that it cannot be paid; closing a closed one is no error.

        Whether a payer who is at the checkout can still finish is not documented; such a payment comes as one.
        """
        return (yield from _link_calls.close(self._account, vendor_id, key=key, key_until=now + KEY_LIFE))

    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Not needed; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.REOPEN)

    def methods_for(self, order: Order) -> Call[Sequence[MethodOffer]]:
        """The payment methods that a payer of this order would be offered, with their bounds."""
        return (yield from _money_calls.methods_for(self._account, order))

    # Payments

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of a link that has begun or succeeded, oldest first."""
        return (yield from _link_calls.payments_of(self._account, vendor_id))

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """One payment as it stands now."""
        return (yield from _link_calls.fetch_payment(self._account, vendor_id))

    def capture(self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Cannot be had; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.MANUAL_CAPTURE)

    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Cannot be had; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.MANUAL_CAPTURE)

    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[DisputeNotice]]:
        """Every chargeback of a payment, oldest first."""
        return (yield from _money_calls.disputes_of(self._account, payment_vendor_id))

    # Refunds

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that sends money back. Pure: nothing is sent.

        Raises:
            InvalidInput: it is no payment of Mollie's.
        """
        path = refund_path(request.payment_vendor_id)
        call = self._account.port.call("POST", path, data=refund_body(request), key=key)
        return write(call, who=self.name, key=key, key_until=now + KEY_LIFE)

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, after comparing the answer with `request`."""
        reply = yield from self._account.carry(written)
        return _money_calls.asked_refund(self._account, reply, request)

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """The refund that an earlier, unanswered request has made; None if it surely made none."""
        return (yield from _money_calls.find_refund(self._account, request))

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """Every refund of a payment, oldest first; also those made in the dashboard."""
        return (yield from _money_calls.refunds_of(self._account, payment_vendor_id))

    # Settlements

    def settlements(self, *, since: dt.datetime, until: dt.datetime, after: str = "") -> Call[BalancePage]:
        """
        What moved the balances from `since` on and before `until`, a page at a time, newest first.

        Raises:
            UnsupportedCapability: the account is opened with an API key, to which Mollie shows no balances.
        """
        need(self.capabilities, Feature.SETTLEMENTS, who=self.name)
        return (yield from _money_calls.settlements(self._account, since=since, until=until, after=after))

    # Webhooks

    @property
    def acknowledgement(self) -> bytes:
        """Mollie reads the status alone, which has to be exactly 200."""
        return b""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if `body` was signed by Mollie, or is a classic call, of which nothing is believed.

        Raises:
            WebhookRejected: neither.
        """
        _webhook.verify(headers, body, secrets=self._secrets)

    def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
        """
        The one event in a verified body.

        Raises:
            WebhookRejected: it is neither a classic call nor an event of Mollie.
        """
        return (_webhook.read(body, query=query, mode=self.mode),)

    def _unsupported(self, feature: Feature) -> UnsupportedCapability:
        return UnsupportedCapability(self.name, feature.replace("_", " "), self.capabilities[feature].how)
