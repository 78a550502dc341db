"""Rows of an earlier version are read after an upgrade, on either database, and mean what they meant."""

from __future__ import annotations

from typing import Any

from alembic import command
from attrs import evolve
from sqlalchemy import MetaData

from paybylink.drivers.doors import Doors
from paybylink.drivers.run import run
from paybylink.kinds import Reusable
from paybylink.store import Store, SyncVault, current, head, upgrade
from paybylink.store.rows.links import link_row, provider_link_row
from paybylink.store.rows.orders import customer_row
from paybylink.store.schema import _config

from .store_given import NOW, attempt, content_of, link, written
from .store_places import Place

STORE = Store()


def stand_at(place: Place, version: str) -> None:
    """An empty database of an earlier version."""
    with place.engine.connect() as connection:
        command.upgrade(_config(connection, prefix="paybylink_", schema=None), version)
        connection.commit()


def put(place: Place, table: str, row: dict[str, Any]) -> None:
    """A row as that version wrote it: with the columns that it had."""
    known = MetaData()
    with place.engine.begin() as connection:
        known.reflect(connection, only=[f"paybylink_{table}"])
        there = known.tables[f"paybylink_{table}"]
        kept = {name: value for name, value in row.items() if name in there.columns}
        _ = connection.execute(there.insert(), kept)


def test_rows_of_the_first_version_are_read_by_the_second(empty_place: Place) -> None:
    """A link with its customer and what stands behind it, and a message that waits."""
    stand_at(empty_place, "0001")
    given = link(kind=Reusable(max_payments=3))
    row = link_row(given, content_of(given), tenant="", public_url=None)
    put(empty_place, "links", row | {"kind_json": '{"max_payments":3}'})
    assert given.order.customer is not None
    put(empty_place, "customers", customer_row(given.order.customer, tenant="", link_id=given.id))
    behind = provider_link_row(given.id, attempt(), written(), tenant="")
    put(empty_place, "provider_links", behind | {"no": 1})
    message = {"tenant": "", "provider": "stripe", "event_id": "evt_1", "kind": "refund.updated"}
    put(empty_place, "inbox", message | {"state": "waiting", "received_at": 1, "body": b"{}", "error": ""})
    upgrade(empty_place.url)

    assert current(empty_place.url) == head()
    vault = SyncVault(empty_place.url)
    doors = Doors(vault=vault)
    stored = run(STORE.link(given.id), doors)
    assert stored is not None
    assert stored.link == evolve(given, provider_links=(attempt(),))
    assert stored.written == {"P1": written()}
    assert dict(stored.content) == content_of(given)
    assert [each.link.id for each in run(STORE.links_in_work(before=NOW), doors)] == [given.id]
    (waiting,) = run(STORE.inbox_waiting(), doors)
    assert (waiting.at, waiting.query, waiting.body) == (None, "", b"{}")
    vault.close()
