"""Statements about payments, refunds and disputes. Each is found by our id and by its provider's."""

from __future__ import annotations

from sqlalchemy import func, literal_column, or_, select, tuple_

from paybylink.store.tables import TABLES

from ._build import Query, all_columns, integer, reads, same, set_columns, words, writes

_P, _R, _D = TABLES.payments, TABLES.refunds, TABLES.disputes

PAYMENT = reads("payment", select(_P).where(same(_P, "id")))
PAYMENT_OF_VENDOR = reads("payment_of_vendor", select(_P).where(same(_P, "provider", "vendor_id")))


def _oldest_first() -> Query:
    last = _P.alias("last")
    place = select(last.c.at).where(last.c.tenant == words("tenant"), last.c.id == words("after"))
    start = tuple_(func.coalesce(place.scalar_subquery(), integer("since")), words("after"))
    return (
        select(_P)
        .where(_P.c.tenant == words("tenant"), tuple_(_P.c.at, _P.c.id) > start)
        .order_by(_P.c.at, _P.c.id)
        .limit(integer("limit"))
    )


#: After the payment `after`, or from `since` on while `after` is empty.
PAYMENTS = reads("payments", _oldest_first())
PAYMENTS_OF_LINK = reads("payments_of_link", _oldest_first().where(_P.c.link_id == words("link_id")))
EXCEPTIONS = reads(
    "exceptions",
    select(_P)
    .where(
        _P.c.tenant == words("tenant"),
        # Literal, so that the partial index of the same words serves it.
        or_(_P.c.flags != literal_column("''"), _P.c.link_id.is_(None)),
        _P.c.id > words("after"),
    )
    .order_by(_P.c.id)
    .limit(integer("limit")),
)
INSERT_PAYMENT = writes("insert_payment", all_columns(_P))
UPDATE_PAYMENT = writes(
    "update_payment",
    set_columns(
        _P,
        *("link_id", "reference", "part", "status", "vendor_status", "currency", "amount_minor"),
        *("refunded_minor", "method", "flags", "at"),
    )
    .values(version=_P.c.version + 1)
    .where(same(_P, "id", version="was_version")),
)

REFUND = reads("refund", select(_R).where(same(_R, "id")))
REFUND_OF = reads("refund_of", select(_R).where(same(_R, "payment_id", "reference")))
REFUND_OF_VENDOR = reads("refund_of_vendor", select(_R).where(same(_R, "provider", "vendor_id")))
REFUNDS = reads("refunds", select(_R).where(same(_R, "payment_id")).order_by(_R.c.requested_at, _R.c.id))
#: Asked for and not answered; one that has the vendor's id only waits for the bank, and news of it come by webhook.
REFUNDS_IN_WORK = reads(
    "refunds_in_work",
    select(_R)
    .where(_R.c.tenant == words("tenant"), _R.c.status == "pending", _R.c.vendor_id.is_(None))
    .order_by(_R.c.requested_at, _R.c.id)
    .limit(integer("limit"))
    .offset(integer("skip")),
)
INSERT_REFUND = writes("insert_refund", all_columns(_R))
_ANSWERED = ("status", "vendor_status", "vendor_id", "reason")
UPDATE_REFUND = writes(
    "update_refund",
    set_columns(_R, *_ANSWERED).values(version=_R.c.version + 1).where(same(_R, "id", version="was_version")),
)
REWRITE_REFUND = writes(
    "rewrite_refund",
    set_columns(_R, *_ANSWERED, "currency", "amount_minor", "written_json", "requested_at")
    .values(version=_R.c.version + 1)
    .where(same(_R, "id", version="was_version")),
)

DISPUTE_OF_VENDOR = reads("dispute_of_vendor", select(_D).where(same(_D, "provider", "vendor_id")))
INSERT_DISPUTE = writes("insert_dispute", all_columns(_D))
UPDATE_DISPUTE = writes(
    "update_dispute",
    set_columns(_D, "status", "currency", "amount_minor", "reason", "respond_by", "at")
    .values(version=_D.c.version + 1)
    .where(same(_D, "id", status="was_status")),
)
