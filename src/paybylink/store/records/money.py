"""Payments, refunds and disputes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import frozen

from paybylink.flow import Flow, Step, Written
from paybylink.payments import Dispute, DisputeStatus, Payment, Refund
from paybylink.store.queries import money as sql
from paybylink.store.rows import money as rows
from paybylink.store.rows._columns import Row, micros
from paybylink.store.rows.links import written_from_json

from ._scope import Scope


@frozen(kw_only=True)
class StoredRefund:
    """
    A refund with what is needed to go on with it.

    Attributes:
        refund: the value.
        written: the exact request; None for a refund that was made at the provider.
    """

    refund: Refund
    written: Written | None


class MoneyRecords(Scope):
    """What a `Store` knows of money. Reads are flows, writes are steps."""

    __slots__ = ()

    def payment(self, payment_id: str) -> Flow[Payment | None]:
        """The payment with that id."""
        row = yield from self._first(sql.PAYMENT, id=payment_id)
        return None if row is None else rows.payment_from_row(row)

    def payment_of_vendor(self, provider: str, vendor_id: str) -> Flow[Payment | None]:
        """The payment that a provider means."""
        row = yield from self._first(sql.PAYMENT_OF_VENDOR, provider=provider, vendor_id=vendor_id)
        return None if row is None else rows.payment_from_row(row)

    def payments(
        self,
        since: dt.datetime | None = None,
        link_id: str | None = None,
        after: str | None = None,
        limit: int = 200,
    ) -> Flow[Sequence[Payment]]:
        """
        One page of payments, the oldest first.

        Args:
            since: only payments from that moment on; goes without saying once `after` is given.
            link_id: only payments of that link.
            after: the id of the last payment of the page before.
            limit: how many at most.
        """
        place = {"since": 0 if since is None else micros(since), "after": after or "", "limit": limit}
        if link_id is None:
            found = yield from self._read(sql.PAYMENTS, **place)
        else:
            found = yield from self._read(sql.PAYMENTS_OF_LINK, link_id=link_id, **place)
        return tuple(rows.payment_from_row(row) for row in found)

    def exceptions(self, after: str | None = None, limit: int = 200) -> Flow[Sequence[Payment]]:
        """One page of payments that a person has to look at: flagged, or by no link of ours; by id."""
        found = yield from self._read(sql.EXCEPTIONS, after=after or "", limit=limit)
        return tuple(rows.payment_from_row(row) for row in found)

    def insert_payment(self, payment: Payment) -> Step:
        """A payment; a `Conflict` if its provider's id is known already."""
        return self._step(sql.INSERT_PAYMENT, 1, **rows.payment_row(payment, tenant=self.tenant))

    def update_payment(self, payment: Payment, *, version: int) -> Step:
        """The payment as it stands now, if its version is still `version`; the stored version rises by one."""
        row = rows.payment_row(payment, tenant=self.tenant)
        return Step(sql.UPDATE_PAYMENT, {**row, "was_version": version}, 1)

    def refund(self, refund_id: str) -> Flow[StoredRefund | None]:
        """The refund with that id."""
        return _stored((yield from self._first(sql.REFUND, id=refund_id)))

    def refund_of(self, payment_id: str, reference: str) -> Flow[StoredRefund | None]:
        """The refund that the host has named so."""
        return _stored((yield from self._first(sql.REFUND_OF, payment_id=payment_id, reference=reference)))

    def refund_of_vendor(self, provider: str, vendor_id: str) -> Flow[StoredRefund | None]:
        """The refund that a provider means."""
        return _stored((yield from self._first(sql.REFUND_OF_VENDOR, provider=provider, vendor_id=vendor_id)))

    def refunds(self, payment_id: str) -> Flow[Sequence[Refund]]:
        """Every refund of a payment, the oldest first."""
        found = yield from self._read(sql.REFUNDS, payment_id=payment_id)
        return tuple(rows.refund_from_row(row) for row in found)

    def refunds_in_work(self, limit: int = 200, *, skip: int = 0) -> Flow[Sequence[StoredRefund]]:
        """Refunds that were asked for and not answered, the longest waiting first, after `skip` of them."""
        found = yield from self._read(sql.REFUNDS_IN_WORK, limit=limit, skip=skip)
        return tuple(_stored_row(row) for row in found)

    def insert_refund(self, refund: Refund, written: Written | None) -> Step:
        """A refund; a `Conflict` if the payment has one of that reference already."""
        return self._step(sql.INSERT_REFUND, 1, **rows.refund_row(refund, written, tenant=self.tenant))

    def update_refund(self, refund: Refund, *, version: int) -> Step:
        """What became of a refund, if its version is still `version`; the stored version rises by one."""
        row = rows.refund_row(refund, None, tenant=self.tenant)
        return Step(sql.UPDATE_REFUND, {**row, "was_version": version}, 1)

    def rewrite_refund(self, refund: Refund, written: Written, *, version: int) -> Step:
        """The same row with a new request, after the refund that it held has failed."""
        row = rows.refund_row(refund, written, tenant=self.tenant)
        return Step(sql.REWRITE_REFUND, {**row, "was_version": version}, 1)

    def dispute_of_vendor(self, provider: str, vendor_id: str) -> Flow[Dispute | None]:
        """The dispute that a provider means."""
        row = yield from self._first(sql.DISPUTE_OF_VENDOR, provider=provider, vendor_id=vendor_id)
        return None if row is None else rows.dispute_from_row(row)

    def insert_dispute(self, dispute: Dispute, *, payment_id: str | None = None) -> Step:
        """A dispute; a `Conflict` if its provider's id is known already."""
        row = rows.dispute_row(dispute, tenant=self.tenant, payment_id=payment_id)
        return self._step(sql.INSERT_DISPUTE, 1, **row)

    def update_dispute(self, dispute: Dispute, *, was: DisputeStatus) -> Step:
        """The dispute as it stands now, if it still stood at `was`."""
        row = rows.dispute_row(dispute, tenant=self.tenant, payment_id=None)
        return Step(sql.UPDATE_DISPUTE, {**row, "was_status": str(was)}, 1)


def _stored(row: Row | None) -> StoredRefund | None:
    return None if row is None else _stored_row(row)


def _stored_row(row: Row) -> StoredRefund:
    written = row["written_json"]
    return StoredRefund(
        refund=rows.refund_from_row(row), written=written_from_json(written) if written else None
    )
