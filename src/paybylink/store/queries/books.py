"""
Statements about the ledger: entries with their lines, sums over lines, and what was exported.

Long reads go by key: a page begins after the last line of the page before, so that no transaction stays open
between two pages and a line that is booked meanwhile shifts nothing. Sums read the lines alone, out of one index.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, and_, cast, func, not_, select, tuple_

from paybylink.store.tables import TABLES

from ._build import all_columns, integer, reads, same, words, writes

_E, _L, _C, _X = TABLES.entries, TABLES.lines, TABLES.customers, TABLES.export_batches

INSERT_ENTRY = writes("insert_entry", all_columns(_E))
INSERT_LINE = writes("insert_line", all_columns(_L))

ENTRY_OF_KEY = reads(
    "entry_of_key",
    select(_E, *(column.label(f"line_{column.key}") for column in _L.c))
    .join(_L, and_(_L.c.tenant == _E.c.tenant, _L.c.entry_id == _E.c.id))
    .where(same(_E, "key"))
    .order_by(_L.c.no),
)

#: In the order of `LedgerLine`, then `no`; from `since` to `until`, both days included, after the given place.
ENTRIES_PAGE = reads(
    "entries_page",
    select(
        _E.c.id.label("entry_id"),
        _E.c.key,
        _E.c.journal,
        _E.c.date,
        _E.c.piece,
        _E.c.label,
        _E.c.currency,
        _L.c.account,
        _L.c.aux,
        _C.c.name.label("aux_label"),
        _L.c.debit_minor,
        _L.c.credit_minor,
        _L.c.fx_minor,
        _L.c.fx_currency,
        _E.c.created_at,
        _L.c.no,
    )
    .select_from(_E)
    .join(_L, and_(_L.c.tenant == _E.c.tenant, _L.c.entry_id == _E.c.id))
    .outerjoin(_C, and_(_C.c.tenant == _E.c.tenant, _C.c.id == _E.c.customer_id))
    .where(
        _E.c.tenant == words("tenant"),
        _E.c.date <= words("until"),
        tuple_(_E.c.date, _E.c.id) >= tuple_(words("after_date"), words("after_id")),
        not_(
            and_(
                _E.c.date == words("after_date"), _E.c.id == words("after_id"), _L.c.no <= integer("after_no")
            )
        ),
    )
    .order_by(_E.c.date, _E.c.id, _L.c.no)
    .limit(integer("limit")),
)

_debit = cast(func.sum(_L.c.debit_minor), BigInteger).label("debit_minor")
_credit = cast(func.sum(_L.c.credit_minor), BigInteger).label("credit_minor")
_by_account = (
    select(_L.c.account, _L.c.currency, _debit, _credit)
    .where(_L.c.tenant == words("tenant"))
    .group_by(_L.c.account, _L.c.currency)
    .order_by(_L.c.account, _L.c.currency)
)
BALANCES = reads("balances", _by_account)
BALANCE_OF_ACCOUNT = reads("balance_of_account", _by_account.where(_L.c.account == words("account")))

_classes = (_L.c.account, _L.c.currency, _L.c.month, _L.c.provider, _L.c.kind, _L.c.method)
SUMS = reads(
    "sums",
    select(*_classes, _debit, _credit)
    .where(
        _L.c.tenant == words("tenant"),
        _L.c.account == words("account"),
        _L.c.month >= words("since_month"),
        _L.c.month <= words("until_month"),
    )
    .group_by(*_classes)
    .order_by(*_classes),
)

INSERT_EXPORT = writes("insert_export", all_columns(_X))
EXPORTS = reads(
    "exports",
    select(_X)
    .where(_X.c.tenant == words("tenant"))
    .order_by(_X.c.made_at.desc(), _X.c.id.desc())
    .limit(integer("limit")),
)
