"""
Statements about links, what stands behind them at the providers, and the customers.

A link is read in one query with its customer and its provider links: one row for each provider link, ordered by
link and place, or one row with empty columns where there is none yet. A page of links limits the links first and
joins afterwards.
"""

from __future__ import annotations

from sqlalchemy import Subquery, and_, delete, func, insert, or_, select, union_all

from paybylink.store.tables import TABLES

from ._build import Query, all_columns, integer, reads, same, set_columns, value, words, writes

_L, _P, _C = TABLES.links, TABLES.provider_links, TABLES.customers

#: Behind these prefixes the columns of the joined tables come back.
BEHIND, CUSTOMER = "behind_", "customer_"

_PAYABLE = or_(_L.c.status == "open", _L.c.status == "part_paid")

_WHOLE = (
    select(
        *_L.c,
        *(column.label(BEHIND + column.key) for column in _P.c),
        *(column.label(f"{CUSTOMER}row_{column.key}") for column in _C.c),
    )
    .select_from(_L)
    .outerjoin(_C, and_(_C.c.tenant == _L.c.tenant, _C.c.id == _L.c.customer_id))
    .outerjoin(_P, and_(_P.c.tenant == _L.c.tenant, _P.c.link_id == _L.c.id))
)


def _page(chosen: Subquery) -> Query:
    return _WHOLE.join(chosen, and_(chosen.c.tenant == _L.c.tenant, chosen.c.id == _L.c.id))


def _ids() -> Query:
    return select(_L.c.tenant, _L.c.id)


LINK = reads("link", _WHOLE.where(same(_L, "id")).order_by(_P.c.no))

_newest = _L.alias("newest")
LINK_BY_REFERENCE = reads(
    "link_by_reference",
    _WHOLE.where(
        same(_L, "reference", "part"),
        _L.c.generation
        == select(func.max(_newest.c.generation))
        .where(
            _newest.c.tenant == words("tenant"),
            _newest.c.reference == words("reference"),
            _newest.c.part == words("part"),
        )
        .scalar_subquery(),
    ).order_by(_P.c.no),
)

#: The only query without a tenant: a public page knows nothing but the token.
LINK_BY_TOKEN = reads("link_by_token", _WHOLE.where(_L.c.token_hash == words("token_hash")).order_by(_P.c.no))

_theirs = _P.alias("theirs")
LINK_OF_VENDOR = reads(
    "link_of_vendor",
    _WHOLE.where(
        _L.c.tenant == words("tenant"),
        _L.c.id
        == select(_theirs.c.link_id)
        .where(
            _theirs.c.tenant == words("tenant"),
            _theirs.c.provider == words("provider"),
            _theirs.c.vendor_id == words("vendor_id"),
        )
        .scalar_subquery(),
    ).order_by(_P.c.no),
)

_newest_first = (_L.c.id.desc(), _P.c.no)
LINKS = reads(
    "links",
    _page(
        _ids()
        .where(_L.c.tenant == words("tenant"), _L.c.id < words("after"))
        .order_by(_L.c.id.desc())
        .limit(integer("limit"))
        .subquery("chosen")
    ).order_by(*_newest_first),
)
LINKS_WITH_STATUS = reads(
    "links_with_status",
    _page(
        _ids()
        .where(same(_L, "status"), _L.c.id < words("after"))
        .order_by(_L.c.id.desc())
        .limit(integer("limit"))
        .subquery("chosen")
    ).order_by(*_newest_first),
)


def _asked(status: str) -> Query:
    return select(_P.c.tenant, _P.c.link_id, _P.c.asked_at, _P.c.status).where(
        _P.c.tenant == words("tenant"), _P.c.status == status, _P.c.asked_at <= integer("before")
    )


# One look into the index for each: an OR would read what stands behind every link that there ever was.
_unanswered = union_all(*map(_asked, ("asked", "closing", "ending", "reopening"))).subquery("unanswered")
_waiting = (
    select(
        _unanswered.c.tenant,
        _unanswered.c.link_id.label("id"),
        func.min(_unanswered.c.asked_at).label("since"),
    )
    .join(_L, and_(_L.c.tenant == _unanswered.c.tenant, _L.c.id == _unanswered.c.link_id))
    .where(or_(_unanswered.c.status != "asked", _L.c.status == "pending"))
    .group_by(_unanswered.c.tenant, _unanswered.c.link_id)
    .order_by(func.min(_unanswered.c.asked_at), _unanswered.c.link_id)
    .limit(integer("limit"))
    .offset(integer("skip"))
    .subquery("chosen")
)
LINKS_IN_WORK = reads("links_in_work", _page(_waiting).order_by(_waiting.c.since, _L.c.id, _P.c.no))

_due = (
    _ids()
    .where(_L.c.tenant == words("tenant"), _PAYABLE, _L.c.expires_at <= integer("now"))
    .order_by(_L.c.expires_at, _L.c.id)
    .limit(integer("limit"))
    .offset(integer("skip"))
    .subquery("chosen")
)
LINKS_DUE = reads("links_due", _page(_due).order_by(_L.c.expires_at, _L.c.id, _P.c.no))

_ending = (
    _ids()
    .join(_P, and_(_P.c.tenant == _L.c.tenant, _P.c.link_id == _L.c.id))
    .where(
        _L.c.tenant == words("tenant"),
        _P.c.status == "open",
        _P.c.expires_at <= integer("before"),
        _P.c.expires_at < _L.c.expires_at,
        _PAYABLE,
    )
    .order_by(_P.c.expires_at, _L.c.id)
    .limit(integer("limit"))
    .offset(integer("skip"))
    .subquery("chosen")
)
#: Links that live on although what stands behind them ends.
LINKS_OUTLIVING = reads("links_outliving", _page(_ending).order_by(_L.c.id, _P.c.no))

INSERT_LINK = writes("insert_link", all_columns(_L))

_MOVING = (
    "status",
    "provider",
    "url",
    "paid_minor",
    "payments",
    "expires_at",
    "expires_in_seconds",
    "renewals",
)
UPDATE_LINK = writes(
    "update_link",
    set_columns(_L, *_MOVING).values(version=_L.c.version + 1).where(same(_L, "id", version="was_version")),
)
REWRITE_LINK = writes(
    "rewrite_link",
    set_columns(
        _L,
        *_MOVING,
        *(
            "kind",
            "kind_json",
            "order_json",
            "content_json",
            "customer_id",
            "mode",
            "currency",
            "amount_minor",
        ),
    )
    .values(version=_L.c.version + 1)
    .where(same(_L, "id", version="was_version")),
)

#: Whether a link may be handed to anybody; guards what is sent.
PAYABLE_LINK = select(_L.c.id).where(_L.c.tenant == words("tenant"), _L.c.id == words("link_id"), _PAYABLE)

_before = _P.alias("before")
INSERT_PROVIDER_LINK = writes(
    "insert_provider_link",
    insert(_P).values(
        {
            **{column.key: value(column) for column in _P.c},
            # Ids of one millisecond do not sort, so each takes the place after the last.
            "no": select(func.coalesce(func.max(_before.c.no), 0) + 1)
            .where(_before.c.tenant == words("tenant"), _before.c.link_id == words("link_id"))
            .scalar_subquery(),
        }
    ),
)
UPDATE_PROVIDER_LINK = writes(
    "update_provider_link",
    set_columns(_P, "status", "vendor_id", "url")
    # A key once given stays: the same request has to go out under it again.
    .values(close_key=func.coalesce(words("close_key"), _P.c.close_key))
    .where(same(_P, "id", "link_id", status="was_status")),
)
FORGET_WRITTEN = writes(
    "forget_written",
    set_columns(_P, "written_json").where(same(_P, "link_id"), _P.c.status != "asked"),
)

INSERT_CUSTOMER = writes("insert_customer", all_columns(_C))
DELETE_CUSTOMER = writes("delete_customer", delete(_C).where(same(_C, "id")))
