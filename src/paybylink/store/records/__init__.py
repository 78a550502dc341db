"""
The door of the store for journeys: reads are flows, writes are steps.

    stored = yield from store.link_by_reference("INV-7", "")
    yield from write(store.update_link(paid, version=link.version), store.insert_payment(payment))

A step says what it expects. An insert whose unique key is taken and a guarded update that finds another version
raise `Conflict` and undo their whole batch; the journey then reads again. Nothing here knows a database: a vault
performs the batches.

Where it differs from, or adds to, what the journeys were promised:

* `links_in_work(limit, *, before=None)`: the moment is optional. Besides pending links that were asked for it gives
  links with a close under way; an unanswered request behind a link that money has moved on is not in it.
* `refunds_in_work(limit)` leaves out refunds that have the provider's id: they only wait for the bank.
* `entries_page` returns a `LedgerPage`, whose `after` is given for the next page; both days are included.
* Added: `public_address`, `rewrite_refund`, `delivery_of_vendor`, `forget`, `inbox_parked`, `outbox_parked`,
  `replay_event`, `entry_of_key`, `sums`, `exported`, `exports`; `emit` takes `place`, `update_delivery` `sent_at`.
"""

from __future__ import annotations

from paybylink.accounting.reports import Balance

from .books import BookRecords, ClassSum, ExportBatch, LedgerPage, Place
from .events import EventRecords, InboxRow, OutboxRow
from .links import LinkRecords, StoredLink
from .messages import MessageRecords, StoredDelivery
from .money import MoneyRecords, StoredRefund


class Store(LinkRecords, MoneyRecords, MessageRecords, EventRecords, BookRecords):
    """
    Every record of one tenant.

    Attributes:
        tenant: the merchant; every statement carries it.
        public_url: our own address in front of the providers' links; None without one.
    """

    __slots__ = ()


__all__ = [
    "Balance",
    "ClassSum",
    "ExportBatch",
    "InboxRow",
    "LedgerPage",
    "OutboxRow",
    "Place",
    "Store",
    "StoredDelivery",
    "StoredLink",
    "StoredRefund",
]
