"""
What a host may ask for, as flows: the part that `PayByLink` and `AsyncPayByLink` share.

It checks the set-up once, reads the short forms of arguments, and hands over to `paybylink.workflows`, which is
imported when the first journey begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from .checks import in_utc, is_web_address, member
from .errors import Faults, InvalidInput, SettingsError, UnsupportedCapability
from .kinds import LinkKind, as_kind
from .links import LinkStatus, PaymentLink, PendingLink
from .messages import Delivery, Purpose
from .money import Money
from .orders import Document, Order, as_order
from .payments import Payment, Refund

if TYPE_CHECKING:
    from .accounting.accounts import Accounts
    from .accounting.exports.base import Period
    from .channels.base import Channel
    from .channels.share import Share
    from .channels.wording import Wording
    from .flow import Call, Flow
    from .identifiers import Identifiers
    from .providers.base import BalancePage, MethodOffer, Provider, ProviderEvent
    from .store import Balance, LedgerPage, OutboxRow, Place
    from .workflows.due import Pass
    from .workflows.merchant import Merchant
    from .workflows.receive import WebhookReply

#: The most rows that one page of a long list holds.
PAGE = 200
#: The most lines of the ledger that one page holds.
LEDGER_PAGE = 5000


class Journeys:
    """
    One merchant's journeys.

    Args:
        providers, channels, accounts, identifiers, language: see `Merchant`.
        default_expiry: how long a link lives when nobody says.
        wording: what `share` says; channels bring their own.
        public_url: where our own link pages are served; None hands out the provider's address.
        tenant: whose rows these are.
        stateless: nothing is remembered.
        handlers: ``inline`` or ``worker``.

    Raises:
        SettingsError: names are used twice, test and live are mixed, or a word or span cannot be used.
    """

    def __init__(
        self,
        *,
        providers: Sequence[Provider],
        channels: Sequence[Channel],
        public_url: str | None,
        tenant: str,
        stateless: bool,
        accounts: Accounts | None,
        identifiers: Identifiers | None,
        default_expiry: dt.timedelta,
        language: str,
        wording: Wording | None,
        handlers: str,
    ) -> None:
        self.providers, self.channels = tuple(providers), tuple(channels)
        self.public_url = public_url.rstrip("/") if public_url else None
        self.tenant, self.stateless = tenant, stateless
        self._accounts, self._identifiers = accounts, identifiers
        self._default_expiry, self._language, self._wording = default_expiry, language, wording
        faults = Faults()
        for kind, names in (
            ("providers", [provider.name for provider in self.providers]),
            ("channels", [channel.name for channel in self.channels]),
        ):
            for name in sorted({name for name in names if names.count(name) > 1}):
                faults.add(kind, f"has two called {name!r}", "give each its own name=")
        modes = {provider.mode for provider in self.providers}
        if len(modes) > 1:
            faults.add(
                "providers", "mix test and live keys", "use one PayByLink for test and another for live"
            )
        _check_public_url(faults, self.public_url, live="live" in modes)
        self.inline = handlers == "inline"
        if handlers not in ("inline", "worker"):
            faults.add("handlers", "is no way to hand out events", 'use "inline" or "worker"')
        if default_expiry <= dt.timedelta(0):
            faults.add("default_expiry", "is not more than zero", "give a span such as timedelta(days=30)")
        if faults:
            try:
                faults.raise_any()
            except InvalidInput as error:
                raise SettingsError(error.faults) from None

    def check_lendable(self) -> None:
        """
        Return if what a lent connection has reserved can be completed after its commit.

        Raises:
            UnsupportedCapability: there is no store of our own to complete it on.
        """
        if self.stateless:
            raise UnsupportedCapability(
                "store=None",
                "a lent connection",
                "what is reserved on it is completed on our own; give its database as store=",
            )

    @cached_property
    def merchant(self) -> Merchant:
        """The set-up as the workflows see it."""
        return self._merchant(lent=False)

    @cached_property
    def lent_merchant(self) -> Merchant:
        """The same on a connection that the host commits."""
        return self._merchant(lent=True)

    def _merchant(self, *, lent: bool) -> Merchant:
        from .accounting.accounts import Accounts
        from .identifiers import Identifiers
        from .store import Store
        from .workflows.merchant import Merchant

        return Merchant(
            store=Store(tenant=self.tenant, public_url=self.public_url),
            providers=self.providers,
            channels=self.channels,
            accounts=self._accounts or Accounts(),
            identifiers=self._identifiers or Identifiers(),
            language=self._language,
            lent=lent,
        )

    def create_link(
        self,
        order: Order | Money | str,
        *,
        reference: str | None,
        description: str,
        kind: LinkKind | str,
        provider: str | None,
        expires_in: dt.timedelta | None,
        expires_at: dt.datetime | None,
        replace: bool,
        now: dt.datetime,
        lent: bool = False,
    ) -> Flow[PaymentLink | PendingLink]:
        """See `PayByLink.create_link`."""
        from .providers.base import provider_named
        from .workflows.wish import wish

        read = as_order(order, reference=reference, description=description, tenant=self.tenant)
        chosen = provider_named(self.providers, provider)
        asked = wish(
            read,
            kind=as_kind(kind, read),
            provider=provider,
            expires_in=expires_in,
            expires_at=expires_at,
            tenant=self.tenant,
            default_expiry=self._default_expiry,
            now=now,
        )
        if self.stateless:
            from .workflows.stateless import issue_stateless

            explicit = expires_in is not None or expires_at is not None
            return (yield from issue_stateless(chosen, asked, explicit_expiry=explicit, now=now))
        from .workflows.issue import issue

        merchant = self.lent_merchant if lent else self.merchant
        return (yield from issue(merchant, asked, replace=replace, now=now))

    def deliver(
        self,
        link: PaymentLink | PendingLink,
        *,
        via: str,
        to: str | None,
        purpose: Purpose | str,
        attach: Sequence[Document],
        key: str,
        now: dt.datetime,
        lent: bool = False,
    ) -> Flow[Delivery]:
        """See `PayByLink.send`."""
        from .workflows.deliver import deliver

        return deliver(
            self.lent_merchant if lent else self.merchant,
            link.id,
            via=via,
            to=to,
            purpose=member(Purpose, purpose, "purpose"),
            attach=attach,
            key=key,
            now=now,
        )

    def resend(
        self, delivery: Delivery, *, key: str, attach: Sequence[Document], now: dt.datetime
    ) -> Flow[Delivery]:
        """See `PayByLink.resend`."""
        from .workflows.deliver import deliver, reload

        if not key:
            raise InvalidInput.single(
                "key", "is empty", "name this second message, e.g. by the support ticket"
            )
        first = (yield from reload(self.merchant, delivery.id)).delivery
        return (
            yield from deliver(
                self.merchant,
                first.link_id,
                via=first.channel,
                to=first.recipient,
                purpose=first.purpose,
                attach=attach,
                key=key,
                now=now,
            )
        )

    def share(self, link: PaymentLink) -> Share:
        """See `PayByLink.share`."""
        from .channels.share import Share
        from .errors import LinkClosed

        if not link.payable:
            raise LinkClosed(link)
        customer = link.order.customer
        language = (customer.language if customer else None) or self._language
        if self._wording is None:
            return Share(link=link, language=language)
        return Share(link=link, language=language, wording=self._wording)

    def receive(
        self,
        name: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        query: str,
        now: dt.datetime,
        lent: bool = False,
    ) -> Flow[WebhookReply]:
        """See `PayByLink.receive`."""
        from .workflows.receive import receive

        merchant = self.lent_merchant if lent else self.merchant
        provider = merchant.provider(name)
        return receive(merchant, provider, headers=headers, body=body, query=query, now=now)

    def verify(
        self, name: str, *, headers: Mapping[str, str], body: bytes, query: str, now: dt.datetime
    ) -> Sequence[ProviderEvent]:
        """See `PayByLink.verify`."""
        from .providers.base import provider_named

        provider = provider_named(self.providers, name)
        provider.verify(headers, body, now=now)
        return provider.read(body, query=query)

    def methods_for(self, order: Order, *, provider: str | None) -> Call[Sequence[MethodOffer]]:
        """See `PayByLink.methods_for`."""
        from .providers.base import Feature, need, provider_named

        asked = provider_named(self.providers, provider)
        need(asked.capabilities, Feature.METHODS_FOR, who=asked.name)
        return asked.methods_for(order)

    def capture(self, payment: Payment, *, amount: Money | None, now: dt.datetime) -> Flow[Payment]:
        """See `PayByLink.capture`."""
        from .workflows.capture import capture

        return capture(self.merchant, payment.id, amount=amount, now=now)

    def cancel_payment(self, payment: Payment, *, now: dt.datetime) -> Flow[Payment]:
        """See `PayByLink.cancel_payment`."""
        from .workflows.capture import cancel_payment

        return cancel_payment(self.merchant, payment.id, now=now)

    def settlements_page(
        self, provider: str, *, since: dt.datetime, until: dt.datetime, after: str
    ) -> Call[BalancePage]:
        """One page of what moved a provider's balance."""
        from .providers.base import Feature, need, provider_named

        asked = provider_named(self.providers, provider)
        need(asked.capabilities, Feature.SETTLEMENTS, who=asked.name)
        return asked.settlements(
            since=in_utc(since, path="since"), until=in_utc(until, path="until"), after=after
        )

    def cancel(self, link: PaymentLink, *, now: dt.datetime) -> Flow[PaymentLink]:
        """See `PayByLink.cancel`."""
        if self.stateless:
            from .providers.base import provider_named
            from .workflows.stateless import cancel_stateless

            return cancel_stateless(provider_named(self.providers, link.provider), link, now=now)
        from .workflows.close import cancel

        return cancel(self.merchant, link.id, now=now)

    def renew(
        self, link: PaymentLink, *, expires_in: dt.timedelta | None, now: dt.datetime
    ) -> Flow[PaymentLink]:
        """See `PayByLink.renew`."""
        from .workflows.issue import renew

        span = self._default_expiry if expires_in is None else expires_in
        return renew(self.merchant, link.id, expires_in=span, now=now)

    def refresh(self, link: PaymentLink, *, now: dt.datetime) -> Flow[PaymentLink] | Call[PaymentLink]:
        """See `PayByLink.refresh`."""
        if self.stateless:
            from .providers.base import provider_named
            from .workflows.stateless import fetch_stateless

            return fetch_stateless(provider_named(self.providers, link.provider), link)
        from .workflows.close import refresh

        return refresh(self.merchant, link.id, now=now)

    def refund(
        self,
        payment: Payment,
        *,
        amount: Money | None,
        reference: str,
        reason: str,
        now: dt.datetime,
        lent: bool = False,
    ) -> Flow[Refund]:
        """See `PayByLink.refund`."""
        from .workflows.refund import refund

        merchant = self.lent_merchant if lent else self.merchant
        return refund(merchant, payment.id, amount=amount, reference=reference, reason=reason, now=now)

    def run_due(self, *, only: PaymentLink | PendingLink | str | None, now: dt.datetime) -> Flow[Pass]:
        """See `PayByLink.run_due`."""
        from .workflows.due import run_due

        return run_due(
            self.merchant, only=only if only is None or isinstance(only, str) else only.id, now=now
        )

    def link(self, reference: str, *, part: str) -> Flow[PaymentLink | None]:
        """See `PayByLink.link`."""
        stored = yield from self.merchant.store.link_by_reference(reference, part)
        return stored.link if stored else None

    def link_by_token(self, token: str) -> Flow[PaymentLink | None]:
        """The link whose public page this token opens."""
        stored = yield from self.merchant.store.link_by_token(token)
        return stored.link if stored else None

    def links_page(
        self, *, status: LinkStatus | str | None, after: str | None
    ) -> Flow[Sequence[PaymentLink]]:
        """One page of links, newest first."""
        wanted = member(LinkStatus, status, "status") if status is not None else None
        return self.merchant.store.links(status=wanted, after=after, limit=PAGE)

    def payments_page(
        self, *, since: dt.datetime | None, link: PaymentLink | None, after: str | None
    ) -> Flow[Sequence[Payment]]:
        """One page of payments, oldest first."""
        return self.merchant.store.payments(
            since=in_utc(since, path="since") if since is not None else None,
            link_id=link.id if link else None,
            after=after,
            limit=PAGE,
        )

    def exceptions_page(self, *, after: str | None) -> Flow[Sequence[Payment]]:
        """One page of payments that a person should look at."""
        return self.merchant.store.exceptions(after=after, limit=PAGE)

    def deliveries(self, link: PaymentLink) -> Flow[Sequence[Delivery]]:
        """See `PayByLink.deliveries`."""
        return self.merchant.store.deliveries(link.id)

    def refunds(self, payment: Payment) -> Flow[Sequence[Refund]]:
        """See `PayByLink.refunds`."""
        return self.merchant.store.refunds(payment.id)

    def entries_page(self, period: Period, *, after: Place | None) -> Flow[LedgerPage]:
        """One page of bookings, sorted by (date, entry, place)."""
        return self.merchant.store.entries_page(period.first, period.last, after=after, limit=LEDGER_PAGE)

    def balance(self) -> Flow[Sequence[Balance]]:
        """See `PayByLink.balance`."""
        return self.merchant.store.balance()

    def events_due(self, now: dt.datetime) -> Flow[Sequence[OutboxRow]]:
        """The next events for the host's handlers, at most one for each link."""
        return self.merchant.store.outbox_due(now, 50)

    def lease_event(self, row: OutboxRow, *, now: dt.datetime) -> Flow[bool]:
        """Whether this process may hand the event out; False if another one has it."""
        from .errors import Conflict
        from .flow import write

        try:
            _ = yield from write(
                self.merchant.store.lease_event(row, until=now + dt.timedelta(minutes=5), now=now)
            )
        except Conflict:
            return False
        return True

    def event_handled(self, row: OutboxRow, *, error: str, now: dt.datetime) -> Flow[None]:
        """Write down that an event was handled, or that its handler failed; after ten times it is parked."""
        from .flow import write

        store = self.merchant.store
        if not error:
            _ = yield from write(store.event_done(row))
            return
        attempts = row.attempts + 1
        due = now + dt.timedelta(seconds=5 * 2**attempts)
        _ = yield from write(
            store.event_failed(row, due_at=due, attempts=attempts, error=error, parked=attempts >= 10)
        )


def _check_public_url(faults: Faults, url: str | None, *, live: bool) -> None:
    if url is None:
        return
    if has_login(url):
        faults.add("public_url", "holds a user name or password", "leave it out: customers see this address")
    if not is_web_address(url):
        faults.add("public_url", "is not an https address", "write https://pay.your-domain.example")
    elif live and not url.startswith("https://"):
        faults.add("public_url", "is plain http with a live key", "serve the link pages over https")


def has_login(url: str) -> bool:
    """Whether an address has something before an @ in its host."""
    return "@" in url.partition("://")[2].partition("/")[0]
