"""
An Adyen account, asked in our words.

The verbs are calls: they yield HTTP requests and nothing else, and hold no client, so one provider serves any number
of threads and event loops. What is emulated or cannot be had says `CAPABILITIES`.

Adyen cannot be asked what became of anything but a link: there is no list of links, no payments of a link, no payment
by its reference. What it tells, it tells by webhook. So a link whose answer was lost stays unknown until its time has
passed, and captures, cancellations and refunds are answered with "received"; the outcome comes later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from paybylink.errors import (
    OutcomeUnknown,
    UnsupportedCapability,
)
from paybylink.flow import Call, Written
from paybylink.kinds import HostedInvoice, Reusable
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import PaymentStatus, RefundStatus
from paybylink.providers.accounts import as_hosts, revealed, revealed_all
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

from . import _mapping, _webhook
from ._asking import KEY_LIFE, Asking, asking_of, checked, checked_key
from ._capabilities import CAPABILITIES, WITH_REPORTS
from ._marks import refund_mark
from ._methods import read_offers
from ._reports import Reports, reports_of
from ._settings import API_VERSION, as_platform, check, optional_secret, optional_url

#: So long after a link's end no request can make it any more, nor a slow clock keep it alive.
_SURELY_OVER: Final = dt.timedelta(hours=1)


@frozen(eq=False)
class AdyenProvider:
    """
    One Adyen merchant account.

    Attributes:
        api_key: of a credential with the Checkout webservice role. Text, or an object with `get_secret_value` such
            as pydantic's `SecretStr`.
        merchant_account: its name; not the company's.
        hmac_keys: every key that is valid now, as the Customer Area shows it; two while one is being replaced.
        platform: ``test`` or ``live``; the key does not say it.
        live_prefix: the first part of the live host, from the live Customer Area (Developers, API URLs).
        webhook_user, webhook_password: what the webhook's basic authentication has to say; both or neither.
        immediate_capture: whether the merchant account takes money at once unless an order says otherwise. Where the
            Customer Area is set otherwise, write False: an authorisation is then not taken for money.
        report_user, report_password: of a report credential, with which settlement reports are downloaded.
        report_first_batch: the first settlement batch that is asked for.
        name: unique among the providers of one `PayByLink`; part of the webhook's address.
        base_url: None for Adyen's own; another one only on this machine and with the test platform.
        allowed_hosts: where links may lead beside Adyen's own pages; your own payment domain, if you have one.
        api_version: of the Checkout API, for which requests are written.

    Raises:
        SettingsError: every setting that cannot be used, without its value.
    """

    api_key: str = field(converter=revealed, repr=False)
    merchant_account: str = field(kw_only=True)
    hmac_keys: tuple[str, ...] = field(default=(), converter=revealed_all, repr=False, kw_only=True)
    platform: str = field(default="test", converter=as_platform, kw_only=True)
    live_prefix: str | None = field(default=None, kw_only=True)
    webhook_user: str | None = field(default=None, repr=False, kw_only=True)
    webhook_password: str | None = field(default=None, converter=optional_secret, repr=False, kw_only=True)
    immediate_capture: bool = field(default=True, kw_only=True)
    report_user: str | None = field(default=None, repr=False, kw_only=True)
    report_password: str | None = field(default=None, converter=optional_secret, repr=False, kw_only=True)
    report_first_batch: int = field(default=1, kw_only=True)
    name: str = field(default="adyen", kw_only=True)
    base_url: str | None = field(default=None, converter=optional_url, kw_only=True)
    allowed_hosts: tuple[str, ...] = field(default=(), converter=as_hosts, kw_only=True)
    api_version: str = field(default=API_VERSION, init=False)
    mode: Mode = field(init=False)
    _asking: Asking = field(init=False, repr=False)
    _keys: tuple[bytes, ...] = field(init=False, repr=False)
    _authorization: bytes | None = field(init=False, repr=False)
    _reports: Reports | None = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check(self)
        mode = Mode(self.platform)
        follows: dict[str, object] = {
            "mode": mode,
            "_asking": asking_of(self, mode),
            "_keys": tuple(_webhook.key_bytes(key) for key in self.hmac_keys),
            "_authorization": _webhook.basic(self.webhook_user, self.webhook_password),
            "_reports": reports_of(self, mode),
        }
        for name, value in follows.items():
            # Frozen for everybody else; these follow from the settings.
            object.__setattr__(self, name, value)

    @property
    def capabilities(self) -> Capabilities:
        """What an Adyen account can do."""
        return CAPABILITIES if self._reports is None else WITH_REPORTS

    # Links

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that makes the link. Pure: nothing is sent.

        Raises:
            InvalidInput: the order breaks a limit of Adyen; every fault at once.
            UnsupportedCapability: an amount that the payer chooses, or an invoice made by Adyen.
        """
        if isinstance(request.kind, HostedInvoice):
            raise self._unsupported(Feature.HOSTED_INVOICE)
        if isinstance(request.kind, Reusable) and request.kind.payer_chooses:
            raise self._unsupported(Feature.PAYER_CHOOSES)
        body = _mapping.link_body(
            request, account=self.merchant_account, immediate=self.immediate_capture, now=now
        )
        call = self._asking.port.make_link(body, key=checked_key(key))
        return self._asking.write(call, key=key, now=now)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        """Carry `written` and return the link, after comparing the answer with `request`."""
        reply = yield from self._asking.carry(self._asking.port.make_link({}, key=written.key), written)
        return self._asking.asked_link(reply, request=request, written=written)

    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        """When Adyen ends the link: as asked for, or after its longest life of 70 days."""
        return _mapping.ends_at(request, now=now)

    def find_link(
        self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime
    ) -> Call[VendorLink | None]:
        """
        None once the link that may have been made is surely over.

        Raises:
            OutcomeUnknown: before that, since Adyen cannot be asked.
        """
        yield from ()
        over = _mapping.ends_at(request, now=since)
        if now > over + _SURELY_OVER:
            return None
        raise OutcomeUnknown(
            f"{self.name}: Adyen cannot be asked whether it made the link; it is over, paid or not, at "
            f"{over.isoformat()}. Look for the order's reference in the Customer Area (Pay by Link)",
            who=self.name,
        )

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now."""
        reply = yield from self._asking.read(self._asking.port.read_link(checked(vendor_id)))
        return self._asking.same_link(reply, vendor_id)

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Close the link, so that it cannot be paid; closing a closed one is no error.

        Adyen takes no key for it. After an answer that was lost, or a no, the link itself is asked.
        """
        return (yield from self._asking.close(vendor_id))

    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """Cannot be had; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.REOPEN)

    def methods_for(self, order: Order) -> Call[Sequence[MethodOffer]]:
        """The payment methods that a payer of this order would be offered."""
        body = _mapping.methods_body(order, account=self.merchant_account)
        reply = yield from self._asking.read(self._asking.port.methods(body))
        return read_offers(reply, who=self.name)

    # Payments

    def payments_of(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Cannot be had; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.PAYMENTS_OF_LINK)

    def fetch_payment(self, vendor_id: str) -> Call[PaymentNotice]:
        """Cannot be had; raises `UnsupportedCapability`."""
        yield from ()
        raise self._unsupported(Feature.FETCH_PAYMENT)

    def capture(self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """Take `amount` of an authorised payment; Adyen has received the wish, and tells the outcome by webhook."""
        body = _mapping.modification_body(amount, account=self.merchant_account)
        call = self._asking.port.capture(checked(vendor_id), body, key=checked_key(key))
        reply = yield from self._asking.keyed(call, key=key, now=now)
        _ = self._asking.same_modification(reply, vendor_id, amount=amount)
        return self._received(vendor_id, amount, now)

    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[PaymentNotice]:
        """
        Give an authorised payment up; Adyen has received the wish, and tells the outcome by webhook.

        Adyen's answer names no amount, so the one in what is returned is zero, in euros.
        """
        body = {"merchantAccount": self.merchant_account}
        call = self._asking.port.cancel(checked(vendor_id), body, key=checked_key(key))
        reply = yield from self._asking.keyed(call, key=key, now=now)
        _ = self._asking.same_modification(reply, vendor_id)
        return self._received(vendor_id, Money.zero("EUR"), now)

    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[DisputeNotice]]:
        """None: Adyen tells disputes by webhook only."""
        yield from ()
        return ()

    # Refunds

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        """
        The exact request that sends money back. Pure: nothing is sent.

        Raises:
            InvalidInput: Adyen cannot say the amount.
        """
        body = _mapping.refund_body(request, account=self.merchant_account)
        call = self._asking.port.refund(checked(request.payment_vendor_id), body, key=checked_key(key))
        return self._asking.write(call, key=key, now=now)

    def refund(self, request: RefundRequest, *, written: Written) -> Call[RefundNotice]:
        """Carry `written` and return the refund, which is pending until a webhook tells its outcome."""
        call = self._asking.port.refund(checked(request.payment_vendor_id), {}, key=written.key)
        reply = yield from self._asking.carry(call, written)
        refund_id = self._asking.same_modification(
            reply,
            request.payment_vendor_id,
            amount=request.amount,
            reference=refund_mark(request.refund_id),
        )
        return RefundNotice(
            vendor_id=refund_id,
            payment_vendor_id=request.payment_vendor_id,
            amount=request.amount,
            status=RefundStatus.PENDING,
            # Adyen tells no moment. The key was made with the request, so this is when it was written.
            at=written.key_until - KEY_LIFE,
            mode=self.mode,
            refund_id=request.refund_id,
            reason=request.reason,
            vendor_status="received",
        )

    def find_refund(self, request: RefundRequest) -> Call[RefundNotice | None]:
        """
        Cannot be told.

        Raises:
            OutcomeUnknown: always; a webhook tells of the refund, if there is one.
        """
        yield from ()
        raise OutcomeUnknown(
            f"{self.name}: Adyen cannot be asked for a refund; a webhook tells it. Look for the payment "
            f"{request.payment_vendor_id} in the Customer Area before anything is sent back anew",
            who=self.name,
        )

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
        """None: Adyen tells refunds by webhook only."""
        yield from ()
        return ()

    # Settlements

    def settlements(self, *, since: dt.datetime, until: dt.datetime, after: str = "") -> Call[BalancePage]:
        """
        What moved the balance, a settlement batch at a time, oldest first; needs `report_user`.

        Raises:
            UnsupportedCapability: there is no user for reports.
        """
        if self._reports is None:
            raise self._unsupported(Feature.SETTLEMENTS)
        return (yield from self._reports.page(since=since, until=until, after=after))

    def download_report(self, url: str) -> Call[bytes]:
        """
        The report at an address, such as a `REPORT_AVAILABLE` webhook tells; to be given to `read_settlement`.

        The password goes to Adyen's report host and nowhere else: the address in a webhook is not signed.

        Raises:
            UnsupportedCapability: there is no user for reports.
            InvalidInput: the address is none of Adyen's reports.
        """
        if self._reports is None:
            raise self._unsupported(Feature.SETTLEMENTS)
        return (yield from self._reports.download(url))

    # Webhooks

    @property
    def acknowledgement(self) -> bytes:
        """What Adyen wants to read as the answer to a webhook."""
        return _webhook.ACKNOWLEDGEMENT

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        """
        Return if every item of `body` was signed by Adyen.

        Raises:
            WebhookRejected: it was not.
        """
        _webhook.verify(headers, body, keys=self._keys, authorization=self._authorization)

    def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
        """
        The events in a verified body.

        Raises:
            WebhookRejected: it is no notification of Adyen.
        """
        return _webhook.read(body, account=self.merchant_account)

    def _unsupported(self, feature: Feature) -> UnsupportedCapability:
        return UnsupportedCapability(self.name, feature.replace("_", " "), self.capabilities[feature].how)

    def _received(self, vendor_id: str, amount: Money, now: dt.datetime) -> PaymentNotice:
        return PaymentNotice(
            vendor_id=vendor_id,
            amount=amount,
            status=PaymentStatus.AUTHORISED,
            at=now,
            mode=self.mode,
            vendor_status="received",
        )
