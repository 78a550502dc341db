"""Links: reserved, opened, moved, found again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby

from attrs import field, frozen

from paybylink.flow import Flow, Step, Written
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.store.queries import links as sql
from paybylink.store.queries.links import BEHIND
from paybylink.store.queries.messages import FORGET_DELIVERIES
from paybylink.store.rows import links as rows
from paybylink.store.rows._columns import Row, digest, micros
from paybylink.store.rows.orders import customer_row

from ._scope import Scope

#: Sorts after every id.
_AFTER_ALL = "~"
#: Later than anything that was asked.
_EVER = 2**62


@frozen(kw_only=True)
class StoredLink:
    """
    A link with what is needed to go on with it.

    Attributes:
        link: the value.
        content: what was asked for, by field.
        written: the exact request, by the id of the provider link.
        close_keys: the idempotency key of closing, by the id of the provider link; only where one was given.
    """

    link: PaymentLink
    content: Mapping[str, str] = field(repr=False)
    written: Mapping[str, Written] = field(repr=False)
    close_keys: Mapping[str, str] = field(repr=False)


class LinkRecords(Scope):
    """What a `Store` knows of links. Reads are flows, writes are steps."""

    __slots__ = ()

    def public_address(self, token: str) -> str:
        """Our own URL of a link; empty where no public URL is set."""
        return rows.public_address(self.public_url, token)

    def link(self, link_id: str) -> Flow[StoredLink | None]:
        """The link with that id."""
        return self._only((yield from self._read(sql.LINK, id=link_id)))

    def link_by_reference(self, reference: str, part: str = "") -> Flow[StoredLink | None]:
        """The newest link of an order."""
        return self._only((yield from self._read(sql.LINK_BY_REFERENCE, reference=reference, part=part)))

    def link_by_token(self, token: str) -> Flow[StoredLink | None]:
        """The link of a public page, whoever's it is: its order names the tenant."""
        return self._only((yield from self._read(sql.LINK_BY_TOKEN, token_hash=digest(token))))

    def link_of_vendor(self, provider: str, vendor_id: str) -> Flow[StoredLink | None]:
        """The link behind which the provider's link stands."""
        return self._only((yield from self._read(sql.LINK_OF_VENDOR, provider=provider, vendor_id=vendor_id)))

    def links(
        self, status: LinkStatus | str | None = None, after: str | None = None, limit: int = 200
    ) -> Flow[Sequence[PaymentLink]]:
        """
        One page of links, the newest first.

        Args:
            status: only links that stand there.
            after: the id of the last link of the page before.
            limit: how many at most.
        """
        place = _AFTER_ALL if after is None else after
        if status is None:
            found = yield from self._read(sql.LINKS, after=place, limit=limit)
        else:
            found = yield from self._read(
                sql.LINKS_WITH_STATUS, status=str(LinkStatus(status)), after=place, limit=limit
            )
        return tuple(stored.link for stored in self._all(found))

    def links_in_work(
        self, limit: int = 200, *, skip: int = 0, before: dt.datetime | None = None
    ) -> Flow[Sequence[StoredLink]]:
        """
        Links whose making, closing or reopening was asked for and not answered, the longest waiting first.

        Args:
            limit: how many at most.
            skip: leave so many of the first ones out.
            before: only what was asked until then, so that a journey under way is left alone.
        """
        until = _EVER if before is None else micros(before)
        return self._all((yield from self._read(sql.LINKS_IN_WORK, before=until, limit=limit, skip=skip)))

    def links_due(self, now: dt.datetime, limit: int = 200, *, skip: int = 0) -> Flow[Sequence[StoredLink]]:
        """Links that can still be paid and whose time has passed, the longest overdue first, after `skip` of them."""
        return self._all((yield from self._read(sql.LINKS_DUE, now=micros(now), limit=limit, skip=skip)))

    def links_outliving(
        self, before: dt.datetime, limit: int = 200, *, skip: int = 0
    ) -> Flow[Sequence[StoredLink]]:
        """Links that live longer than what stands behind them, where that ends by `before`."""
        found = yield from self._read(sql.LINKS_OUTLIVING, before=micros(before), limit=limit, skip=skip)
        return self._all(found)

    def insert_link(self, link: PaymentLink, content: Mapping[str, str]) -> tuple[Step, ...]:
        """The reserved link and its customer; a `Conflict` if the reference has that generation already."""
        row = rows.link_row(link, content, tenant=self.tenant, public_url=self.public_url)
        return (self._step(sql.INSERT_LINK, 1, **row), *self._customer(link))

    def update_link(self, link: PaymentLink, *, version: int) -> Step:
        """Everything of a link that moves, if its version is still `version`; the stored version rises by one."""
        columns = rows.moving_columns(link, public_url=self.public_url)
        return self._step(sql.UPDATE_LINK, 1, id=link.id, was_version=version, **columns)

    def rewrite_link(
        self, link: PaymentLink, content: Mapping[str, str], *, version: int
    ) -> tuple[Step, ...]:
        """The same row with other content, for a link behind which nothing exists."""
        columns = rows.moving_columns(link, public_url=self.public_url) | rows.written_columns(link, content)
        return (
            self._step(sql.REWRITE_LINK, 1, id=link.id, was_version=version, **columns),
            self._step(sql.DELETE_CUSTOMER, id=link.id),
            *self._customer(link),
        )

    def insert_provider_link(self, link_id: str, behind: ProviderLink, written: Written) -> Step:
        """A request to a provider, with the exact bytes that will be sent."""
        row = rows.provider_link_row(link_id, behind, written, tenant=self.tenant)
        return self._step(sql.INSERT_PROVIDER_LINK, 1, **row)

    def update_provider_link(
        self, link_id: str, behind: ProviderLink, *, was: ProviderLinkStatus, close_key: str | None = None
    ) -> Step:
        """What became of it, if it still stands at `was`; a close key that was given once stays."""
        return self._step(
            sql.UPDATE_PROVIDER_LINK,
            1,
            id=behind.id,
            link_id=link_id,
            was_status=str(was),
            status=str(behind.status),
            vendor_id=behind.vendor_id,
            url=behind.url,
            close_key=close_key,
        )

    def forget(self, link_id: str) -> tuple[Step, ...]:
        """
        The customer of a link, erased: his row, his addresses and the messages to him, and the stored requests.

        Money, bookings and the hashes that keep a message from being sent twice stay.
        """
        return (
            self._step(sql.DELETE_CUSTOMER, id=link_id),
            self._step(sql.FORGET_WRITTEN, link_id=link_id, written_json=""),
            self._step(FORGET_DELIVERIES, link_id=link_id, recipient="", subject="", content=b"", detail=""),
        )

    def _customer(self, link: PaymentLink) -> tuple[Step, ...]:
        if link.order.customer is None:
            return ()
        row = customer_row(link.order.customer, tenant=self.tenant, link_id=link.id)
        return (self._step(sql.INSERT_CUSTOMER, 1, **row),)

    def _only(self, found: Sequence[Row]) -> StoredLink | None:
        return self._stored(found) if found else None

    def _all(self, found: Sequence[Row]) -> tuple[StoredLink, ...]:
        return tuple(self._stored(tuple(group)) for _, group in groupby(found, key=lambda row: row["id"]))

    def _stored(self, joined: Sequence[Row]) -> StoredLink:
        behind = [row for row in joined if row[f"{BEHIND}id"] is not None]
        link = rows.link_from_row(
            joined[0], [rows.provider_link_from_row(row) for row in behind], public_url=self.public_url
        )
        return StoredLink(
            link=link,
            content=rows.content_from_row(joined[0]),
            written={
                row[f"{BEHIND}id"]: rows.written_from_json(row[f"{BEHIND}written_json"])
                for row in behind
                if row[f"{BEHIND}written_json"]
            },
            close_keys={
                row[f"{BEHIND}id"]: row[f"{BEHIND}close_key"] for row in behind if row[f"{BEHIND}close_key"]
            },
        )
