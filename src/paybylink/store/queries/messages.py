"""Statements about deliveries. A row is reserved before each send, and its unique key makes the message one."""

from __future__ import annotations

from sqlalchemy import and_, exists, func, or_, select

from paybylink.store.tables import TABLES

from ._build import all_columns, all_columns_where, integer, reads, same, set_columns, value, words, writes
from .links import PAYABLE_LINK

_D, _L = TABLES.deliveries, TABLES.links

DELIVERY = reads("delivery", select(_D).where(same(_D, "id")))
DELIVERY_OF = reads(
    "delivery_of", select(_D).where(same(_D, "link_id", "channel", "recipient_hash", "purpose", "key"))
)
DELIVERY_OF_VENDOR = reads(
    "delivery_of_vendor", select(_D).where(same(_D, "channel", "vendor_id")).order_by(_D.c.id).limit(1)
)
DELIVERIES = reads("deliveries", select(_D).where(same(_D, "link_id")).order_by(_D.c.reserved_at, _D.c.id))
DELIVERIES_DUE = reads(
    "deliveries_due",
    select(_D)
    .where(
        _D.c.tenant == words("tenant"),
        or_(
            # What a person shares by hand stays `prepared`; there is nothing for us to send.
            and_(_D.c.outcome == "prepared", _D.c.medium != "share"),
            and_(_D.c.outcome == "deferred", _D.c.retry_at <= integer("now")),
        ),
        # What asks for money waits while its link cannot be paid, and takes nobody's place meanwhile.
        or_(
            and_(_D.c.purpose != "request", _D.c.purpose != "reminder"),
            exists().where(
                _L.c.tenant == _D.c.tenant,
                _L.c.id == _D.c.link_id,
                or_(_L.c.status == "open", _L.c.status == "part_paid"),
            ),
        ),
    )
    .order_by(_D.c.reserved_at, _D.c.id)
    .limit(integer("limit"))
    .offset(integer("skip")),
)

INSERT_DELIVERY = writes("insert_delivery", all_columns(_D))
INSERT_DELIVERY_WHILE_PAYABLE = writes("insert_delivery_while_payable", all_columns_where(_D, PAYABLE_LINK))
UPDATE_DELIVERY = writes(
    "update_delivery",
    set_columns(_D, "outcome", "vendor_id", "attempts", "detail", "retry_at")
    .values(version=_D.c.version + 1, sent_at=func.coalesce(value(_D.c.sent_at), _D.c.sent_at))
    .where(same(_D, "id", version="was_version")),
)
KEEP_MESSAGE = writes(
    "keep_message",
    set_columns(_D, "content", "subject", "language", "needs_utf8").where(
        same(_D, "id"), _D.c.outcome == "prepared"
    ),
)
#: The hash of the recipient stays, so that nothing is sent twice to somebody who was forgotten.
FORGET_DELIVERIES = writes(
    "forget_deliveries",
    set_columns(_D, "recipient", "subject", "content", "detail").where(same(_D, "link_id")),
)
