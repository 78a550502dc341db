"""
`AsyncPayByLink`: everything a host calls, awaited. The signatures are those of `PayByLink`.
"""

from __future__ import annotations

import datetime as dt
import inspect
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self, TypeVar

from paybylink.journeys import Journeys
from paybylink.kinds import LinkKind
from paybylink.links import LinkStatus, PaymentLink, PendingLink
from paybylink.messages import Delivery, Purpose
from paybylink.money import Money
from paybylink.orders import Document, Order
from paybylink.payments import Payment, Refund

from .lent import AsyncLentPayByLink

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    from paybylink.accounting.accounts import Accounts
    from paybylink.accounting.exports.base import Export
    from paybylink.accounting.ledger import LedgerLine
    from paybylink.channels.base import Channel
    from paybylink.channels.share import Share
    from paybylink.channels.wording import Wording
    from paybylink.drivers import AsyncDoors, Patience
    from paybylink.events import Event
    from paybylink.flow import Flow
    from paybylink.identifiers import Identifiers
    from paybylink.providers.base import BalanceItem, MethodOffer, Provider, ProviderEvent
    from paybylink.store import Balance, OutboxRow, Place
    from paybylink.workflows.due import Pass
    from paybylink.workflows.receive import WebhookReply

    from .exporting import Exported

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., object])

log = logging.getLogger("paybylink.handlers")

#: How long `receive` and `run_due` hand out events after their own commit.
DRAIN_SECONDS = 2.0


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class AsyncPayByLink:
    """
    Be paid by link, without blocking an event loop; one object per loop.

    Args:
        providers: accounts at payment service providers; the first is the default.
        channels: ways to hand a link to a person.
        store: where everything is remembered: ``sqlite:///shop.db``, ``postgresql+psycopg://…``, or None for
            nothing. Without a store a retry finds the first link only while the provider keeps its idempotency
            key (24 hours at Stripe).
        public_url: address under which our own link pages are served; None hands out the provider's address.
        tenant: whose links these are, where one application serves many merchants.
        accounts: how money is booked; French PCG by default.
        default_expiry: how long a link lives when nobody says.
        language: of messages to customers without one.
        wording: what `share` says in the merchant's name; channels bring their own.
        handlers: ``inline`` hands events out after `receive` and `run_due`; ``worker`` leaves them to a process
            that calls `hand_out`.
        http: the host's own client; it is not closed by us.
        clock: returns the moment, aware and in UTC.
        identifiers: where ids, tokens and keys come from.
        patience: timeouts and attempts.

    Raises:
        SettingsError: the set-up contradicts itself; every fault is named.
    """

    def __init__(
        self,
        *,
        providers: Sequence[Provider],
        store: str | None,
        channels: Sequence[Channel] = (),
        public_url: str | None = None,
        tenant: str = "",
        accounts: Accounts | None = None,
        default_expiry: dt.timedelta = dt.timedelta(days=30),
        language: str = "en",
        wording: Wording | None = None,
        handlers: str = "inline",
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
        identifiers: Identifiers | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.journeys = Journeys(
            providers=providers,
            channels=channels,
            public_url=public_url,
            tenant=tenant,
            stateless=store is None,
            accounts=accounts,
            identifiers=identifiers,
            default_expiry=default_expiry,
            language=language,
            wording=wording,
            handlers=handlers,
        )
        self._store, self._http, self._clock, self._patience = store, http, clock, patience
        self._handlers: list[tuple[tuple[type[Event], ...], Callable[..., object]]] = []
        self._doors_made: AsyncDoors | None = None

    @classmethod
    def from_env(cls) -> Self:
        """
        The object that ``PAYBYLINK_…`` variables and ``paybylink.toml`` in the working folder describe.

        Raises:
            SettingsError: a setting is missing or wrong, with its path.
        """
        from paybylink.settings import load

        return cls(**load(None).parts())

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """
        The object that a settings file describes; ``PAYBYLINK_…`` variables win over it.

        Raises:
            SettingsError: a setting is missing or wrong, with its path.
        """
        from paybylink.settings import load

        return cls(**load(path).parts())

    async def create_link(
        self,
        order: Order | Money | str,
        *,
        reference: str | None = None,
        description: str = "",
        kind: LinkKind | str = "single_use",
        provider: str | None = None,
        expires_in: dt.timedelta | None = None,
        expires_at: dt.datetime | None = None,
        replace: bool = False,
    ) -> PaymentLink:
        """
        The one link of an order: made at the first call, found at every other.

        Args:
            order: an `Order`, or just an amount beside `reference` and `description`.
            kind: a `LinkKind`, or ``single_use``, ``reusable``, ``invoice`` or ``hosted_invoice``.
            provider: the name of one; else the default, or the one chosen at the first call.
            expires_in, expires_at: when it ends; 30 days by default.
            replace: close a link with other content and make a new one.

        Raises:
            InvalidInput: every fault of the order, with its path.
            ReferenceConflict: the reference has a link with other content.
            AlreadyPaid: it was paid, so it cannot be replaced.
            OutcomeUnknown: no answer came; calling again is the remedy.
            ProviderError, NotSent, IntegrityBreach: the provider refused, was not reached, or is not believed.
        """
        flow = self.journeys.create_link(
            order,
            reference=reference,
            description=description,
            kind=kind,
            provider=provider,
            expires_in=expires_in,
            expires_at=expires_at,
            replace=replace,
            now=self._clock(),
        )
        link = await self._run(flow)
        assert isinstance(link, PaymentLink)
        return link

    async def send(
        self,
        link: PaymentLink,
        *,
        via: str,
        to: str | None = None,
        purpose: Purpose | str = Purpose.REQUEST,
        attach: Sequence[Document] = (),
    ) -> Delivery:
        """
        The delivery of the link's message; sent at the first call, found at every other.

        Args:
            via: a channel's name or a medium: ``email``.
            to: the recipient; else the order's customer.
            purpose: why it is sent; each purpose goes to a person once.
            attach: PDFs that go with it.

        Raises:
            LinkClosed: the link cannot be paid.
            InvalidInput: there is no usable recipient.
        """
        flow = self.journeys.deliver(
            link, via=via, to=to, purpose=purpose, attach=attach, key="", now=self._clock()
        )
        return await self._run(flow)

    async def resend(self, delivery: Delivery, *, key: str, attach: Sequence[Document] = ()) -> Delivery:
        """
        A second message like an earlier one; the same `key` never makes a third.

        Raises:
            LinkClosed: the link cannot be paid any more.
        """
        flow = self.journeys.resend(delivery, key=key, attach=attach, now=self._clock())
        return await self._run(flow)

    def share(self, link: PaymentLink) -> Share:
        """
        The link in every form that a person can hand over; nothing is sent.

        Raises:
            LinkClosed: the link cannot be paid.
        """
        return self.journeys.share(link)

    async def receive(
        self, name: str, *, headers: Mapping[str, str], body: bytes, query: str = ""
    ) -> WebhookReply:
        """
        What to answer a webhook call, after everything it means was committed.

        A forged or stale call is answered with 400 and changes nothing.

        Args:
            name: the provider's name, usually the last part of the path.
            headers, body: as they came; the body byte for byte.
            query: of the address that was called, without its question mark; some providers are told by it which
                link rang.
        """
        reply = await self._run(
            self.journeys.receive(name, headers=headers, body=body, query=query, now=self._clock())
        )
        if self.journeys.inline:
            _ = await self.hand_out(seconds=DRAIN_SECONDS)
        return reply

    def verify(
        self, name: str, *, headers: Mapping[str, str], body: bytes, query: str = ""
    ) -> Sequence[ProviderEvent]:
        """
        The events of a webhook call, verified and not stored; what is left of `receive` without a store.

        Raises:
            WebhookRejected: it is forged, stale or unreadable.
        """
        return self.journeys.verify(name, headers=headers, body=body, query=query, now=self._clock())

    async def cancel(self, link: PaymentLink) -> PaymentLink:
        """
        The link, closed at the provider for certain; cancelling twice changes nothing.

        Raises:
            AlreadyPaid: money has come; refund it instead.
            OutcomeUnknown: no answer came; calling again asks again.
        """
        return await self._run(self.journeys.cancel(link, now=self._clock()))

    async def renew(self, link: PaymentLink, *, expires_in: dt.timedelta | None = None) -> PaymentLink:
        """
        The link with a new end; its id, token and public URL stay, the link at the provider is a new one.

        Raises:
            AlreadyPaid: nothing is left to pay.
            LinkClosed: it was cancelled or replaced.
        """
        return await self._run(self.journeys.renew(link, expires_in=expires_in, now=self._clock()))

    async def refresh(self, link: PaymentLink) -> PaymentLink:
        """The link after its provider was asked; finds what a lost webhook hid."""
        return await self._run(self.journeys.refresh(link, now=self._clock()))

    async def refund(
        self, payment: Payment, *, amount: Money | None = None, reference: str = "", reason: str = ""
    ) -> Refund:
        """
        The refund of that reference; made at the first call, found at every other.

        Args:
            amount: a part; None for everything that was not refunded yet.
            reference: your own name for it, e.g. the credit note; needed for a part.

        Raises:
            InvalidInput: more than is left, or a part without a reference.
            OutcomeUnknown: no answer came; calling again asks.
        """
        flow = self.journeys.refund(
            payment, amount=amount, reference=reference, reason=reason, now=self._clock()
        )
        return await self._run(flow)

    async def capture(self, payment: Payment, *, amount: Money | None = None) -> Payment:
        """
        The payment after its reserved money was taken; capturing twice changes nothing.

        At a provider that tells the outcome later (Adyen) it is still ``authorised``, until its webhook.

        Args:
            amount: a part; the rest is given up. None for everything.

        Raises:
            InvalidInput: the payment is not authorised, or more is asked for than is reserved.
            UnsupportedCapability: the provider cannot.
            OutcomeUnknown: no answer came; calling again asks again.
        """
        return await self._run(self.journeys.capture(payment, amount=amount, now=self._clock()))

    async def cancel_payment(self, payment: Payment) -> Payment:
        """
        The payment after its reserved money was given up; doing it twice changes nothing.

        Raises:
            InvalidInput: the payment is not authorised; what was captured is refunded instead.
            UnsupportedCapability, OutcomeUnknown: as by `capture`.
        """
        return await self._run(self.journeys.cancel_payment(payment, now=self._clock()))

    async def methods_for(self, order: Order, *, provider: str | None = None) -> Sequence[MethodOffer]:
        """
        The payment methods that a payer of `order` would be offered, as far as the provider can tell.

        Raises:
            UnsupportedCapability: the provider decides on its page and tells nobody before.
        """
        return await self._run(self.journeys.methods_for(order, provider=provider))

    async def settlements(
        self, provider: str, *, since: dt.datetime, until: dt.datetime
    ) -> AsyncIterator[BalanceItem]:
        """
        What moved a provider's balance from `since` on and before `until`: payments, fees, payouts; page by page.

        Raises:
            UnsupportedCapability: the provider tells it in a report instead; see its page.
        """
        after = ""
        while True:
            page = await self._run(
                self.journeys.settlements_page(provider, since=since, until=until, after=after)
            )
            for item in page.items:
                yield item
            after = page.after
            if not after:
                return

    async def link(self, reference: str, *, part: str = "") -> PaymentLink | None:
        """The newest link of a reference; None if there is none."""
        return await self._run(self.journeys.link(reference, part=part))

    async def link_by_token(self, token: str) -> PaymentLink | None:
        """The link whose public page this token opens; None if there is none."""
        return await self._run(self.journeys.link_by_token(token))

    async def links(self, *, status: LinkStatus | str | None = None) -> AsyncIterator[PaymentLink]:
        """Every link, or those of one status, newest first; read page by page."""
        after: str | None = None
        while page := await self._run(self.journeys.links_page(status=status, after=after)):
            for link in page:
                yield link
            after = page[-1].id

    async def payments(
        self, *, since: dt.datetime | None = None, link: PaymentLink | None = None
    ) -> AsyncIterator[Payment]:
        """Every payment, those since a moment, or those of one link, oldest first; read page by page."""
        after: str | None = None
        while page := await self._run(self.journeys.payments_page(since=since, link=link, after=after)):
            for payment in page:
                yield payment
            after = page[-1].id

    async def exceptions(self) -> AsyncIterator[Payment]:
        """Every payment that a person should look at: late, too much, not what was asked, or of no link."""
        after: str | None = None
        while page := await self._run(self.journeys.exceptions_page(after=after)):
            for payment in page:
                yield payment
            after = page[-1].id

    async def deliveries(self, link: PaymentLink) -> Sequence[Delivery]:
        """What was sent of a link, oldest first."""
        return await self._run(self.journeys.deliveries(link))

    async def refunds(self, payment: Payment) -> Sequence[Refund]:
        """The refunds of a payment, oldest first."""
        return await self._run(self.journeys.refunds(payment))

    async def run_due(self, *, only: PaymentLink | PendingLink | str | None = None) -> Pass:
        """
        One pass of whatever is due: finish what was cut, expire, send, ask, hand out events.

        Without regular passes nothing expires at a provider that has no expiry of its own.

        Args:
            only: one link, for a host that has just committed on a lent connection.
        """
        done = await self._run(self.journeys.run_due(only=only, now=self._clock()))
        if self.journeys.inline:
            _ = await self.hand_out(seconds=DRAIN_SECONDS)
        return done

    async def export(self, form: str | Export, *, since: dt.date, until: dt.date, to: str | Path) -> Exported:
        """
        The bookings of some days as a file for accounting software.

        Args:
            form: a format's name, such as ``fec``, or an export with options of its own.
            since, until: booking days, both included.
            to: a file, or a folder in which the file gets its own name.

        Raises:
            NotFound: no such format is installed.
            IntegrityBreach: the ledger does not balance; nothing was written.
        """
        import asyncio

        from .exporting import find_export, period_of, write_export

        period = period_of(since, until)
        loop = asyncio.get_running_loop()

        def lines() -> Iterator[LedgerLine]:
            after: Place | None = None
            while True:
                asked = self._run(self.journeys.entries_page(period, after=after))
                page = asyncio.run_coroutine_threadsafe(asked, loop).result()
                yield from page.lines
                if page.after is None:
                    return
                after = page.after

        form = find_export(form, self.journeys.merchant.accounts)
        # An export pulls its lines; it does so in a thread, which asks this loop for each page.
        return await asyncio.to_thread(write_export, form, lines(), period=period, to=to)

    async def balance(self) -> Sequence[Balance]:
        """The sums of every account and currency, over all bookings."""
        return await self._run(self.journeys.balance())

    def on(self, *kinds: type[Event]) -> Callable[[Handler], Handler]:
        """
        Call the decorated function with each event of `kinds`, after the commit, at least once.

        The event's `id` is the same at each call; keep the ids you have seen to act once. A handler that fails
        is called again later, ten times in all, and then the event is parked.
        """

        def register(handler: Handler) -> Handler:
            self._handlers.append((kinds, handler))
            return handler

        return register

    async def hand_out(self, *, seconds: float | None = None) -> int:
        """
        How many waiting events were handed to the handlers; none where no handler is registered.

        Args:
            seconds: stop after so long; None goes on until nothing waits.
        """
        if not self._handlers or self.journeys.stateless:
            return 0
        until = None if seconds is None else time.monotonic() + seconds
        handed = 0
        while rows := await self._run(self.journeys.events_due(self._clock())):
            for row in rows:
                if until is not None and time.monotonic() >= until:
                    return handed
                handed += await self._hand_over(row)
        return handed

    async def _hand_over(self, row: OutboxRow) -> bool:
        """Whether it was this process that handed the event out."""
        leased = await self._run(self.journeys.lease_event(row, now=self._clock()))
        if leased:
            error = await self._handle(row)
            await self._run(self.journeys.event_handled(row, error=error, now=self._clock()))
        return leased

    async def _handle(self, row: OutboxRow) -> str:
        """The name of what a handler raised; empty if all went well."""
        for kinds, handler in self._handlers:
            if not isinstance(row.event, kinds):
                continue
            try:
                outcome = handler(row.event)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception as error:
                # The text of a host's error may hold personal data; its type does not.
                log.error("a handler failed for event %s with %s", row.event.id, type(error).__name__)
                log.debug("it failed here:\n%s", "".join(traceback.format_tb(error.__traceback__)))
                return type(error).__name__
        return ""

    def using(self, connection: AsyncConnection | AsyncSession) -> AsyncLentPayByLink:
        """
        The same on a connection that the host commits: what is written becomes true with the host's own work.

        After the commit, `run_due(only=link)` here, or the next pass of the worker, does the rest.

        Args:
            connection: a SQLAlchemy `AsyncConnection` or `AsyncSession`.
        """
        from paybylink.store import open_async_vault

        self.journeys.check_lendable()
        return AsyncLentPayByLink(
            self.journeys, self._doors.beside(open_async_vault(connection)), self._clock
        )

    @property
    def _doors(self) -> AsyncDoors:
        if self._doors_made is None:
            from paybylink.drivers import AsyncDoors

            vault = None
            if self._store is not None:
                from paybylink.store import open_async_vault

                vault = open_async_vault(self._store)
            self._doors_made = AsyncDoors(
                vault=vault, http=self._http, patience=self._patience, clock=self._clock
            )
        return self._doors_made

    async def _run(self, flow: Flow[T]) -> T:
        from paybylink.drivers import arun

        return await arun(flow, self._doors)

    async def aclose(self) -> None:
        """Close the connections that were opened here."""
        if self._doors_made is not None:
            await self._doors_made.aclose()
            self._doors_made = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
