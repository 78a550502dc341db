"""
Pages of objects: `limit`, `from` (inclusive), `sort`, and the addresses of the pages before and after.

Newest first unless the list can be sorted and is asked otherwise.
Source: docs.mollie.com, "Pagination".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from attrs import frozen

from paybylink.sandbox.engine import Condition, Document, Engine
from paybylink.sandbox.mollie.call import Call
from paybylink.sandbox.mollie.parameters import Field, Record, Text
from paybylink.sandbox.mollie.wire import Problem, documentation, hal

_DEFAULT_LIMIT = 50

#: The parameters of every list, and of those that can be sorted.
PAGING: Mapping[str, Field] = {"from": Text(64), "limit": Text(3, pattern=r"[0-9]{1,3}")}
SORTED: Mapping[str, Field] = {**PAGING, "sort": Text(choices=("asc", "desc"))}


@frozen
class Shelf:
    """
    Where a list takes its objects from.

    Attributes:
        kind: of the documents.
        name: of the list in ``_embedded``.
        view: how one is shown.
    """

    kind: str
    name: str
    view: Callable[[Engine, Document], Document]


def page(call: Call, shelf: Shelf, values: Document, *conditions: Condition, topic: str) -> Document:
    """
    One page of the documents that meet all conditions.

    Args:
        values: the query, checked.
        topic: Mollie's page about this list.

    Raises:
        Problem: 400, a limit out of bounds or a cursor that names no object of this list.
    """
    engine, limit = call.engine, int(values.get("limit") or _DEFAULT_LIMIT)
    if not 1 <= limit <= 250:
        raise Problem("The limit should be from 1 to 250.", status=400, field="limit")
    newest_first = values.get("sort") != "asc"
    window = _from(engine, shelf, values.get("from"), conditions, limit + 1, newest_first=newest_first)
    shown, following = window[:limit], window[limit:]
    before: list[Document] = []
    if values.get("from"):
        before = _beyond(engine, shelf, shown[0], conditions, limit, newest_first=newest_first)
    return {
        "count": len(shown),
        "_embedded": {shelf.name: [shelf.view(engine, document) for document in shown]},
        "_links": {
            "self": hal(engine.base_url, _address(call, None)),
            "previous": hal(engine.base_url, _address(call, before[-1]["id"])) if before else None,
            "next": hal(engine.base_url, _address(call, following[0]["id"])) if following else None,
            "documentation": documentation(topic),
        },
    }


def whole(call: Call, name: str, shown: list[Document], *, topic: str) -> Document:
    """A list that has no pages."""
    return {
        "count": len(shown),
        "_embedded": {name: shown},
        "_links": {
            "self": hal(call.engine.base_url, _address(call, None)),
            "documentation": documentation(topic),
        },
    }


def with_paging(fields: Mapping[str, Field], *, ordered: bool = False) -> Record:
    """The query of a list that takes further `fields`."""
    return Record({**(SORTED if ordered else PAGING), **fields})


def _from(
    engine: Engine,
    shelf: Shelf,
    cursor: str | None,
    conditions: tuple[Condition, ...],
    limit: int,
    *,
    newest_first: bool,
) -> list[Document]:
    if cursor is None:
        return engine.find(shelf.kind, *conditions, limit=limit, newest_first=newest_first)
    place = engine.place(shelf.kind, cursor)
    found = []
    if place is not None:
        found = engine.find(
            shelf.kind,
            *conditions,
            before=place + 1 if newest_first else None,
            after=None if newest_first else place - 1,
            limit=limit,
            newest_first=newest_first,
        )
    if not found or found[0]["id"] != cursor:
        raise Problem("The cursor names nothing in this list.", status=400, field="from")
    return found


def _beyond(
    engine: Engine,
    shelf: Shelf,
    first: Document,
    conditions: tuple[Condition, ...],
    limit: int,
    *,
    newest_first: bool,
) -> list[Document]:
    place = engine.place(shelf.kind, first["id"])
    return engine.find(
        shelf.kind,
        *conditions,
        before=None if newest_first else place,
        after=place if newest_first else None,
        limit=limit,
        newest_first=not newest_first,
    )


def _address(call: Call, start: str | None) -> str:
    query = dict(call.asked) if start is None else {**call.asked, "from": start}
    return call.path + (f"?{urlencode(query)}" if query else "")
