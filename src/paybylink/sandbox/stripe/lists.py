"""
Pages of objects and objects inside objects: `limit`, `starting_after`, `created`, and `expand[]`.

Source: Stripe API reference, "Pagination" and "Expanding Responses" (at most four levels deep).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from paybylink.sandbox.engine import Condition, Document, Engine, shown
from paybylink.sandbox.stripe.parameters import Field, Record, Text, Whole
from paybylink.sandbox.stripe.wire import Problem, missing

#: The parameters of every list.
PAGING: Mapping[str, Field] = {"ending_before": Text(), "limit": Whole(1, 100), "starting_after": Text()}


class Moments:
    """A moment in seconds, or an object of bounds: ``created[gte]=…``."""

    def read(self, raw: object, path: str) -> object:
        """A dictionary of bounds; a single moment becomes both bounds."""
        if isinstance(raw, dict):
            return Record({bound: Whole() for bound in ("gt", "gte", "lt", "lte")}).read(raw, path)
        moment = Whole().read(raw, path)
        return {"gte": moment, "lte": moment}


#: The ``created`` filter.
CREATED = Moments()

#: Fields that hold an id and can be replaced by the object: where that object is kept.
_EXPANDABLE = {
    "balance_transaction": ("balance_transaction",),
    "charge": ("charge",),
    "customer": ("customer",),
    "dispute": ("dispute",),
    "invoice": ("invoice",),
    "latest_charge": ("charge",),
    "payment_intent": ("payment_intent",),
    "payment_link": ("payment_link",),
    "product": ("product",),
    "source": ("charge", "refund", "dispute", "payout"),
}
#: Fields that hold nothing unless asked for.
_INCLUDABLE = {"line_items"}
_BOUNDS: dict[str, Any] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def envelope(data: list[Document], *, url: str, has_more: bool = False) -> Document:
    """A list object around `data`."""
    return {"object": "list", "data": [shown(item) for item in data], "has_more": has_more, "url": url}


def page(
    engine: Engine,
    kind: str,
    values: Document,
    *conditions: Condition,
    url: str,
    keep: Callable[[Document], bool] | None = None,
) -> Document:
    """
    One page of the documents of a kind that meet all conditions, newest first.

    Args:
        values: what was read by `PAGING` and perhaps `CREATED`.
        keep: a further test that fields cannot express.

    Raises:
        Problem: a cursor that names no object.
    """
    limit = values.get("limit") or 10
    terms = [*conditions]
    for bound, moment in (values.get("created") or {}).items():
        terms.append(("created", _BOUNDS[bound], moment))
    backwards = bool(values.get("ending_before"))
    cursors: dict[str, int | None] = {"starting_after": None, "ending_before": None}
    for name in cursors:
        if values.get(name):
            place = engine.place(kind, values[name])
            if place is None:
                raise missing(kind, values[name], param=name, status=400)
            cursors[name] = place
    found = engine.find(
        kind,
        *terms,
        before=cursors["starting_after"],
        after=cursors["ending_before"],
        limit=limit + 1 if keep is None else -1,
        newest_first=not backwards,
    )
    kept = [document for document in found if keep is None or keep(document)]
    window = kept[:limit]
    return envelope(window[::-1] if backwards else window, url=url, has_more=len(kept) > limit)


def expanded(engine: Engine, document: Document, paths: list[str]) -> Document:
    """
    The document with what `paths` name put in place of ids.

    Raises:
        Problem: a path that cannot be expanded.
    """
    for path in paths:
        if path.count(".") > 3:
            raise Problem(f"You cannot expand more than 4 levels: {path}", param="expand")
        _expand(engine, document, path.split("."), path)
    return document


def _expand(engine: Engine, node: Document, steps: list[str], path: str) -> None:
    step, rest = steps[0], steps[1:]
    if step == "data" and node.get("object") == "list":
        for item in node["data"]:
            _expand(engine, item, rest, path)
        return
    if step in _INCLUDABLE and step not in node:
        node[step] = _line_items(engine, node, path)
    elif step in _EXPANDABLE and step in node:
        if isinstance(node[step], str):
            kept = (engine.get(kind, node[step]) for kind in _EXPANDABLE[step])
            found = next((document for document in kept if document is not None), None)
            node[step] = node[step] if found is None else shown(found)
    elif not isinstance(node.get(step), dict):
        raise Problem(f"This property cannot be expanded ({path}).", param="expand")
    if rest and isinstance(node[step], dict):
        _expand(engine, node[step], rest, path)


def _line_items(engine: Engine, node: Document, path: str) -> Document:
    kind, identifier = node.get("object", ""), node.get("id", "")
    stored = engine.get(kind, identifier)
    if stored is None or "_line_items" not in stored:
        raise Problem(f"This property cannot be expanded ({path}).", param="expand")
    folder = {"payment_link": "payment_links", "checkout.session": "checkout/sessions"}[kind]
    return envelope(stored["_line_items"], url=f"/v1/{folder}/{identifier}/line_items")
