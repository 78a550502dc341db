"""
What can be done on a connection that the host has lent and will commit itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from paybylink.journeys import Journeys
from paybylink.kinds import LinkKind
from paybylink.links import PaymentLink, PendingLink
from paybylink.messages import Delivery, Purpose
from paybylink.money import Money
from paybylink.orders import Document, Order
from paybylink.payments import Payment, Refund

if TYPE_CHECKING:
    from paybylink.drivers import AsyncDoors, Doors
    from paybylink.flow import Flow
    from paybylink.workflows.receive import WebhookReply

T = TypeVar("T")


class LentPayByLink:
    """
    What can be done on a connection that the host commits; made by `PayByLink.using`.

    Rows are reserved and nothing is sent. Rolled back means that nothing happened anywhere.
    """

    def __init__(self, journeys: Journeys, doors: Doors, clock: Callable[[], dt.datetime]) -> None:
        self._journeys, self._doors, self._clock = journeys, doors, clock

    def create_link(
        self,
        order: Order | Money | str,
        *,
        reference: str | None = None,
        description: str = "",
        kind: LinkKind | str = "single_use",
        provider: str | None = None,
        expires_in: dt.timedelta | None = None,
        expires_at: dt.datetime | None = None,
    ) -> PaymentLink | PendingLink:
        """
        The reserved link of an order; a `PendingLink` until it was completed after the commit.

        Raises:
            InvalidInput, ReferenceConflict: as on `PayByLink.create_link`.
        """
        flow = self._journeys.create_link(
            order,
            reference=reference,
            description=description,
            kind=kind,
            provider=provider,
            expires_in=expires_in,
            expires_at=expires_at,
            replace=False,
            now=self._clock(),
            lent=True,
        )
        return self._run(flow)

    def send(
        self,
        link: PaymentLink | PendingLink,
        *,
        via: str,
        to: str | None = None,
        purpose: Purpose | str = Purpose.REQUEST,
        attach: Sequence[Document] = (),
    ) -> Delivery:
        """
        The `prepared` delivery, sent after the commit.

        Raises:
            UnsupportedCapability: the link has no address yet, since no `public_url` is set.
        """
        flow = self._journeys.deliver(
            link, via=via, to=to, purpose=purpose, attach=attach, key="", now=self._clock(), lent=True
        )
        return self._run(flow)

    def refund(
        self, payment: Payment, *, amount: Money | None = None, reference: str = "", reason: str = ""
    ) -> Refund:
        """The reserved refund, sent after the commit."""
        flow = self._journeys.refund(
            payment, amount=amount, reference=reference, reason=reason, now=self._clock(), lent=True
        )
        return self._run(flow)

    def receive(self, name: str, *, headers: Mapping[str, str], body: bytes, query: str = "") -> WebhookReply:
        """What to answer a webhook call; send the answer only after your commit."""
        return self._run(
            self._journeys.receive(
                name, headers=headers, body=body, query=query, now=self._clock(), lent=True
            )
        )

    def _run(self, flow: Flow[T]) -> T:
        from paybylink.drivers import run

        return run(flow, self._doors)


class AsyncLentPayByLink:
    """
    What can be done on a connection that the host commits, awaited; made by `AsyncPayByLink.using`.

    Rows are reserved and nothing is sent. Rolled back means that nothing happened anywhere.
    """

    def __init__(self, journeys: Journeys, doors: AsyncDoors, clock: Callable[[], dt.datetime]) -> None:
        self._journeys, self._doors, self._clock = journeys, doors, clock

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
    ) -> PaymentLink | PendingLink:
        """
        The reserved link of an order; a `PendingLink` until it was completed after the commit.

        Raises:
            InvalidInput, ReferenceConflict: as on `AsyncPayByLink.create_link`.
        """
        flow = self._journeys.create_link(
            order,
            reference=reference,
            description=description,
            kind=kind,
            provider=provider,
            expires_in=expires_in,
            expires_at=expires_at,
            replace=False,
            now=self._clock(),
            lent=True,
        )
        return await self._run(flow)

    async def send(
        self,
        link: PaymentLink | PendingLink,
        *,
        via: str,
        to: str | None = None,
        purpose: Purpose | str = Purpose.REQUEST,
        attach: Sequence[Document] = (),
    ) -> Delivery:
        """
        The `prepared` delivery, sent after the commit.

        Raises:
            UnsupportedCapability: the link has no address yet, since no `public_url` is set.
        """
        flow = self._journeys.deliver(
            link, via=via, to=to, purpose=purpose, attach=attach, key="", now=self._clock(), lent=True
        )
        return await self._run(flow)

    async def refund(
        self, payment: Payment, *, amount: Money | None = None, reference: str = "", reason: str = ""
    ) -> Refund:
        """The reserved refund, sent after the commit."""
        flow = self._journeys.refund(
            payment, amount=amount, reference=reference, reason=reason, now=self._clock(), lent=True
        )
        return await self._run(flow)

    async def receive(
        self, name: str, *, headers: Mapping[str, str], body: bytes, query: str = ""
    ) -> WebhookReply:
        """What to answer a webhook call; send the answer only after your commit."""
        return await self._run(
            self._journeys.receive(
                name, headers=headers, body=body, query=query, now=self._clock(), lent=True
            )
        )

    async def _run(self, flow: Flow[T]) -> T:
        from paybylink.drivers import arun

        return await arun(flow, self._doors)
