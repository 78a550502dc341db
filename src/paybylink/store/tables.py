"""
The tables, as SQLAlchemy knows them.

Rule 1: columns are text, 64-bit integers and bytes only, so that the same statements run on a bare cursor. A moment
        is microseconds since 1970 in UTC (`…_at`, `at`), a day is ISO text, a yes or no is 1 or 0, and JSON is text
        that we write and read ourselves. Money is an integer of minor units beside its currency.
Rule 2: every table and every unique key begins with `tenant`. The one exception is the hash of a link's token,
        since a public page knows no tenant.
Rule 3: ids sort by time and are compared byte by byte (collation C on PostgreSQL), so that both databases page in
        the same order.
Rule 4: a name, an address or a number of a person stands in `customers` and `deliveries` and nowhere else in a
        column of its own; both can be emptied without touching money.
Rule 5: `entries` and `lines` are only ever added to; see `append_only`.
"""

from __future__ import annotations

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

from .append_only import guard_appends

#: Without a collation of the language, so that order and paging are the same everywhere.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
#: SQLite's STRICT tables know INTEGER, which holds 64 bits there.
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

#: The tables, without their prefix.
NAMES = (
    "links",
    "provider_links",
    "customers",
    "deliveries",
    "payments",
    "refunds",
    "disputes",
    "inbox",
    "outbox",
    "entries",
    "lines",
    "export_batches",
    "passes",
)
DEFAULT_PREFIX = "paybylink_"


@frozen(kw_only=True)
class Tables:
    """
    All tables of one prefix and schema.

    Attributes:
        metadata: holds them; `create_all` makes the triggers as well.
        prefix, schema: how they are named in the database.
        version: the one row that says which migration the database is at.
    """

    metadata: MetaData
    prefix: str
    schema: str | None
    links: Table
    provider_links: Table
    customers: Table
    deliveries: Table
    payments: Table
    refunds: Table
    disputes: Table
    inbox: Table
    outbox: Table
    entries: Table
    lines: Table
    export_batches: Table
    passes: Table
    version: Table


def make_tables(prefix: str = DEFAULT_PREFIX, schema: str | None = None) -> Tables:
    """The tables, named with `prefix` and put into `schema`; a metadata of their own holds them."""
    metadata = MetaData(schema=schema)

    def table(name: str, *items: SchemaItem) -> Table:
        return Table(prefix + name, metadata, *items, sqlite_strict=True)

    def unique(name: str, *columns: str) -> UniqueConstraint:
        return UniqueConstraint(*columns, name=f"uq_{prefix}{name}")

    def index(name: str, *columns: str, only: str | None = None, unique: bool = False) -> Index:
        where = None if only is None else text(only)
        return Index(
            f"ix_{prefix}{name}", *columns, unique=unique, sqlite_where=where, postgresql_where=where
        )

    def check(name: str, rule: str) -> CheckConstraint:
        return CheckConstraint(rule, name=f"ck_{prefix}{name}")

    def key(name: str, *columns: str) -> PrimaryKeyConstraint:
        return PrimaryKeyConstraint(*columns, name=f"pk_{prefix}{name}")

    def refers(name: str, columns: tuple[str, ...], to: Table, *theirs: str) -> ForeignKeyConstraint:
        return ForeignKeyConstraint(columns, [to.c[column] for column in theirs], name=f"fk_{prefix}{name}")

    links = table(
        "links",
        _text("tenant"),
        _text("id"),
        _text("reference"),
        _text("part"),
        _integer("generation"),
        _text("token"),
        _text("token_hash"),
        _text("kind"),
        _text("kind_json"),
        _text("order_json"),
        _text("content_json"),
        _text("customer_id", null=True),
        _text("status"),
        _text("mode"),
        _text("provider"),
        _text("url"),
        _text("currency"),
        _integer("amount_minor"),
        _integer("paid_minor"),
        _integer("payments"),
        _integer("created_at"),
        _integer("expires_at"),
        _integer("expires_in_seconds", null=True),
        _integer("version"),
        _integer("renewals"),
        key("links", "tenant", "id"),
        unique("links_reference", "tenant", "reference", "part", "generation"),
        check("links_amount", "amount_minor > 0 AND paid_minor >= 0 AND payments >= 0"),
        index("links_token", "token_hash", unique=True),
        index("links_due", "tenant", "status", "expires_at"),
        index("links_status", "tenant", "status", "id"),
    )
    provider_links = table(
        "provider_links",
        _text("tenant"),
        _text("id"),
        _text("link_id"),
        _integer("no"),
        _text("provider"),
        _text("status"),
        _text("vendor_id", null=True),
        _text("url", null=True),
        _text("written_json"),
        _text("close_key", null=True),
        _integer("asked_at"),
        _integer("expires_at"),
        _integer("amount_minor", null=True),
        _integer("max_payments", null=True),
        key("provider_links", "tenant", "id"),
        unique("provider_links_no", "tenant", "link_id", "no"),
        unique("provider_links_vendor", "tenant", "provider", "vendor_id"),
        refers("provider_links_link", ("tenant", "link_id"), links, "tenant", "id"),
        index("provider_links_work", "tenant", "status", "asked_at"),
        index("provider_links_ending", "tenant", "status", "expires_at"),
    )
    customers = table(
        "customers",
        _text("tenant"),
        _text("id"),
        _text("name"),
        _text("email", null=True),
        _text("phone", null=True),
        _text("language", null=True),
        _text("code"),
        _text("country", null=True),
        _text("address_json", null=True),
        key("customers", "tenant", "id"),
    )
    deliveries = table(
        "deliveries",
        _text("tenant"),
        _text("id"),
        _text("link_id"),
        _text("channel"),
        _text("medium"),
        _text("purpose"),
        _text("recipient"),
        _text("recipient_hash"),
        _text("key"),
        _text("outcome"),
        _text("vendor_id", null=True),
        _integer("attempts"),
        _text("detail"),
        Column("content", LargeBinary, nullable=False),
        _text("subject"),
        _text("language"),
        _integer("needs_utf8"),
        _integer("reserved_at"),
        _integer("sent_at", null=True),
        _integer("retry_at", null=True),
        _integer("version"),
        key("deliveries", "tenant", "id"),
        unique("deliveries_once", "tenant", "link_id", "channel", "recipient_hash", "purpose", "key"),
        check("deliveries_flag", "needs_utf8 IN (0, 1) AND attempts >= 0"),
        index("deliveries_due", "tenant", "outcome", "retry_at"),
        index("deliveries_vendor", "tenant", "channel", "vendor_id"),
    )
    payments = table(
        "payments",
        _text("tenant"),
        _text("id"),
        _text("provider"),
        _text("vendor_id"),
        _text("link_id", null=True),
        _text("reference"),
        _text("part"),
        _text("status"),
        _text("vendor_status"),
        _text("mode"),
        _text("currency"),
        _integer("amount_minor"),
        _integer("refunded_minor"),
        _text("method"),
        _text("flags"),
        _integer("at"),
        _integer("version"),
        key("payments", "tenant", "id"),
        unique("payments_vendor", "tenant", "provider", "vendor_id"),
        check("payments_refunded", "refunded_minor BETWEEN 0 AND amount_minor"),
        index("payments_link", "tenant", "link_id"),
        index("payments_at", "tenant", "at", "id"),
        index("payments_exceptions", "tenant", "id", only="flags <> '' OR link_id IS NULL"),
    )
    refunds = table(
        "refunds",
        _text("tenant"),
        _text("id"),
        _text("payment_id"),
        _text("provider"),
        _text("reference"),
        _text("status"),
        _text("vendor_status"),
        _text("currency"),
        _integer("amount_minor"),
        _text("reason"),
        _text("vendor_id", null=True),
        _text("written_json", null=True),
        _integer("requested_at"),
        _integer("version"),
        key("refunds", "tenant", "id"),
        unique("refunds_reference", "tenant", "payment_id", "reference"),
        unique("refunds_vendor", "tenant", "provider", "vendor_id"),
        check("refunds_amount", "amount_minor > 0"),
        index("refunds_work", "tenant", "status", "requested_at"),
    )
    disputes = table(
        "disputes",
        _text("tenant"),
        _text("id"),
        _text("provider"),
        _text("vendor_id"),
        _text("payment_id", null=True),
        _text("payment_vendor_id"),
        _text("status"),
        _text("currency"),
        _integer("amount_minor"),
        _text("reason"),
        _integer("respond_by", null=True),
        _integer("at"),
        _integer("version"),
        key("disputes", "tenant", "id"),
        unique("disputes_vendor", "tenant", "provider", "vendor_id"),
        check("disputes_amount", "amount_minor >= 0"),
    )
    inbox = table(
        "inbox",
        _text("tenant"),
        _text("provider"),
        _text("event_id"),
        _text("kind"),
        _text("state"),
        _integer("received_at"),
        _integer("processed_at", null=True),
        Column("body", LargeBinary, nullable=False),
        _text("error"),
        _integer("at", null=True),
        _text("query", null=True),
        key("inbox", "tenant", "provider", "event_id"),
        index("inbox_state", "tenant", "state", "received_at"),
    )
    outbox = table(
        "outbox",
        _text("tenant"),
        _text("id"),
        _text("link_id", null=True),
        _text("event_id"),
        _text("event_json"),
        _text("state"),
        _integer("attempts"),
        _integer("created_at"),
        _integer("due_at"),
        _integer("leased_until", null=True),
        _text("error"),
        key("outbox", "tenant", "id"),
        unique("outbox_event", "tenant", "event_id"),
        index("outbox_due", "tenant", "state", "due_at", "id"),
        index("outbox_link", "tenant", "link_id", "state", "id"),
    )
    entries = table(
        "entries",
        _text("tenant"),
        _text("id"),
        _text("key"),
        _text("journal"),
        _text("date"),
        _text("piece"),
        _text("label"),
        _text("currency"),
        _integer("created_at"),
        _text("reverses_id", null=True),
        _text("customer_id", null=True),
        key("entries", "tenant", "id"),
        unique("entries_key", "tenant", "key"),
        check("entries_date", "length(date) = 10"),
        index("entries_date", "tenant", "date", "id"),
    )
    lines = table(
        "lines",
        _text("tenant"),
        _text("entry_id"),
        _integer("no"),
        _text("account"),
        _text("aux"),
        _text("currency"),
        _integer("debit_minor"),
        _integer("credit_minor"),
        _integer("fx_minor", null=True),
        _text("fx_currency", null=True),
        _text("month"),
        _text("provider"),
        _text("kind"),
        _text("method"),
        key("lines", "tenant", "entry_id", "no"),
        refers("lines_entry", ("tenant", "entry_id"), entries, "tenant", "id"),
        check(
            "lines_side",
            "debit_minor >= 0 AND credit_minor >= 0 "
            "AND (debit_minor = 0 OR credit_minor = 0) AND debit_minor + credit_minor > 0",
        ),
        check(
            "lines_fx", "(fx_minor IS NULL) = (fx_currency IS NULL) AND (fx_minor IS NULL OR fx_minor > 0)"
        ),
        index(
            "lines_sums",
            *("tenant", "account", "currency", "month", "provider", "kind", "method"),
            *("credit_minor", "debit_minor"),
        ),
    )
    export_batches = table(
        "export_batches",
        _text("tenant"),
        _text("id"),
        _text("format"),
        _text("since"),
        _text("until"),
        _integer("made_at"),
        _integer("lines"),
        _text("sha256"),
        _text("name"),
        key("export_batches", "tenant", "id"),
        index("export_batches_made", "tenant", "made_at"),
    )
    passes = table("passes", _text("tenant"), _text("name"), _integer("at"), key("passes", "tenant", "name"))
    # Alembic makes this one itself and keeps one row in it.
    name = f"{prefix}alembic_version"
    version = Table(
        name,
        MetaData(schema=schema),
        Column("version_num", String(32), nullable=False),
        PrimaryKeyConstraint("version_num", name=f"{name}_pkc"),
    )
    guard_appends(metadata, entries, lines, prefix=prefix)
    return Tables(
        metadata=metadata,
        prefix=prefix,
        schema=schema,
        links=links,
        provider_links=provider_links,
        customers=customers,
        deliveries=deliveries,
        payments=payments,
        refunds=refunds,
        disputes=disputes,
        inbox=inbox,
        outbox=outbox,
        entries=entries,
        lines=lines,
        export_batches=export_batches,
        passes=passes,
        version=version,
    )


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def _integer(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=null)


#: The tables under their usual names; the statements of `queries` are written for these.
TABLES = make_tables()
