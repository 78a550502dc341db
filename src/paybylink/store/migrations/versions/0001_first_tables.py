"""
The first tables: links, customers, deliveries, money, inbox and outbox, and the append-only books.

Written out in full and never changed again: a database that was made by this step must look the same whichever
version of the library made it.
"""

from __future__ import annotations

from alembic import context, op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")
_REFUSAL = "the books are append-only: book a reversing entry"


def _t(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=null)


def _i(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, _INTEGER, nullable=null)


def _b(name: str) -> Column[bytes]:
    return Column(name, LargeBinary(), nullable=False)


def upgrade() -> None:
    """Make every table, index and trigger."""
    options = context.get_context().opts
    prefix: str = options["prefix"]
    schema: str | None = options["schema"]
    within = f"{schema}." if schema else ""

    def table(
        name: str, *items: Column[str] | Column[int] | Column[bytes] | CheckConstraint | ForeignKeyConstraint,
        key: tuple[str, ...], unique: dict[str, tuple[str, ...]] | None = None,
    ) -> None:  # fmt: skip
        _ = op.create_table(
            prefix + name,
            *items,
            PrimaryKeyConstraint(*key, name=f"pk_{prefix}{name}"),
            *(UniqueConstraint(*columns, name=f"uq_{prefix}{of}") for of, columns in (unique or {}).items()),
            schema=schema,
            sqlite_strict=True,
        )

    def index(name: str, of: str, *columns: str, unique: bool = False, only: str | None = None) -> None:
        where = None if only is None else text(only)
        op.create_index(
            f"ix_{prefix}{name}", prefix + of, list(columns),
            unique=unique, schema=schema, sqlite_where=where, postgresql_where=where,
        )  # fmt: skip

    def check(name: str, rule: str) -> CheckConstraint:
        return CheckConstraint(rule, name=f"ck_{prefix}{name}")

    def refers(name: str, columns: list[str], to: str) -> ForeignKeyConstraint:
        theirs = [f"{within}{prefix}{to}.tenant", f"{within}{prefix}{to}.id"]
        return ForeignKeyConstraint(columns, theirs, name=f"fk_{prefix}{name}")

    table(
        "links",
        *(
            _t("tenant"),
            _t("id"),
            _t("reference"),
            _t("part"),
            _i("generation"),
            _t("token"),
            _t("token_hash"),
        ),
        *(_t("kind"), _t("kind_json"), _t("order_json"), _t("content_json"), _t("customer_id", null=True)),
        *(_t("status"), _t("mode"), _t("provider"), _t("url"), _t("currency")),
        *(_i("amount_minor"), _i("paid_minor"), _i("payments"), _i("created_at"), _i("expires_at")),
        *(_i("expires_in_seconds", null=True), _i("version"), _i("renewals")),
        check("links_amount", "amount_minor > 0 AND paid_minor >= 0 AND payments >= 0"),
        key=("tenant", "id"),
        unique={"links_reference": ("tenant", "reference", "part", "generation")},
    )
    index("links_token", "links", "token_hash", unique=True)
    index("links_due", "links", "tenant", "status", "expires_at")
    index("links_status", "links", "tenant", "status", "id")
    table(
        "provider_links",
        *(_t("tenant"), _t("id"), _t("link_id"), _i("no"), _t("provider"), _t("status")),
        *(_t("vendor_id", null=True), _t("url", null=True), _t("written_json"), _t("close_key", null=True)),
        *(_i("asked_at"), _i("expires_at")),
        refers("provider_links_link", ["tenant", "link_id"], "links"),
        key=("tenant", "id"),
        unique={
            "provider_links_no": ("tenant", "link_id", "no"),
            "provider_links_vendor": ("tenant", "provider", "vendor_id"),
        },
    )
    index("provider_links_work", "provider_links", "tenant", "status", "asked_at")
    table(
        "customers",
        *(_t("tenant"), _t("id"), _t("name"), _t("email", null=True), _t("phone", null=True)),
        *(_t("language", null=True), _t("code"), _t("country", null=True)),
        key=("tenant", "id"),
    )
    table(
        "deliveries",
        *(_t("tenant"), _t("id"), _t("link_id"), _t("channel"), _t("medium"), _t("purpose"), _t("recipient")),
        *(_t("recipient_hash"), _t("key"), _t("outcome"), _t("vendor_id", null=True), _i("attempts")),
        *(_t("detail"), _b("content"), _t("subject"), _t("language"), _i("needs_utf8"), _i("reserved_at")),
        *(_i("sent_at", null=True), _i("retry_at", null=True), _i("version")),
        check("deliveries_flag", "needs_utf8 IN (0, 1) AND attempts >= 0"),
        key=("tenant", "id"),
        unique={"deliveries_once": ("tenant", "link_id", "channel", "recipient_hash", "purpose", "key")},
    )
    index("deliveries_due", "deliveries", "tenant", "outcome", "retry_at")
    index("deliveries_vendor", "deliveries", "tenant", "channel", "vendor_id")
    table(
        "payments",
        *(_t("tenant"), _t("id"), _t("provider"), _t("vendor_id"), _t("link_id", null=True), _t("reference")),
        *(_t("part"), _t("status"), _t("vendor_status"), _t("mode"), _t("currency"), _i("amount_minor")),
        *(_i("refunded_minor"), _t("method"), _t("flags"), _i("at"), _i("version")),
        check("payments_refunded", "refunded_minor BETWEEN 0 AND amount_minor"),
        key=("tenant", "id"),
        unique={"payments_vendor": ("tenant", "provider", "vendor_id")},
    )
    index("payments_link", "payments", "tenant", "link_id")
    index("payments_at", "payments", "tenant", "at", "id")
    index("payments_exceptions", "payments", "tenant", "id", only="flags <> '' OR link_id IS NULL")
    table(
        "refunds",
        *(_t("tenant"), _t("id"), _t("payment_id"), _t("provider"), _t("reference"), _t("status")),
        *(_t("vendor_status"), _t("currency"), _i("amount_minor"), _t("reason"), _t("vendor_id", null=True)),
        *(_t("written_json", null=True), _i("requested_at"), _i("version")),
        check("refunds_amount", "amount_minor > 0"),
        key=("tenant", "id"),
        unique={
            "refunds_reference": ("tenant", "payment_id", "reference"),
            "refunds_vendor": ("tenant", "provider", "vendor_id"),
        },
    )
    index("refunds_work", "refunds", "tenant", "status", "requested_at")
    table(
        "disputes",
        *(_t("tenant"), _t("id"), _t("provider"), _t("vendor_id"), _t("payment_id", null=True)),
        *(_t("payment_vendor_id"), _t("status"), _t("currency"), _i("amount_minor"), _t("reason")),
        *(_i("respond_by", null=True), _i("at"), _i("version")),
        check("disputes_amount", "amount_minor >= 0"),
        key=("tenant", "id"),
        unique={"disputes_vendor": ("tenant", "provider", "vendor_id")},
    )
    table(
        "inbox",
        *(_t("tenant"), _t("provider"), _t("event_id"), _t("kind"), _t("state"), _i("received_at")),
        *(_i("processed_at", null=True), _b("body"), _t("error")),
        key=("tenant", "provider", "event_id"),
    )
    index("inbox_state", "inbox", "tenant", "state", "received_at")
    table(
        "outbox",
        *(_t("tenant"), _t("id"), _t("link_id", null=True), _t("event_id"), _t("event_json"), _t("state")),
        *(_i("attempts"), _i("created_at"), _i("due_at"), _i("leased_until", null=True), _t("error")),
        key=("tenant", "id"),
        unique={"outbox_event": ("tenant", "event_id")},
    )
    index("outbox_due", "outbox", "tenant", "state", "due_at", "id")
    index("outbox_link", "outbox", "tenant", "link_id", "state", "id")
    table(
        "entries",
        *(_t("tenant"), _t("id"), _t("key"), _t("journal"), _t("date"), _t("piece"), _t("label")),
        *(_t("currency"), _i("created_at"), _t("reverses_id", null=True), _t("customer_id", null=True)),
        check("entries_date", "length(date) = 10"),
        key=("tenant", "id"),
        unique={"entries_key": ("tenant", "key")},
    )
    index("entries_date", "entries", "tenant", "date", "id")
    table(
        "lines",
        *(_t("tenant"), _t("entry_id"), _i("no"), _t("account"), _t("aux"), _t("currency")),
        *(_i("debit_minor"), _i("credit_minor"), _i("fx_minor", null=True), _t("fx_currency", null=True)),
        *(_t("month"), _t("provider"), _t("kind"), _t("method")),
        refers("lines_entry", ["tenant", "entry_id"], "entries"),
        check(
            "lines_side",
            "debit_minor >= 0 AND credit_minor >= 0 "
            "AND (debit_minor = 0 OR credit_minor = 0) AND debit_minor + credit_minor > 0",
        ),
        check(
            "lines_fx", "(fx_minor IS NULL) = (fx_currency IS NULL) AND (fx_minor IS NULL OR fx_minor > 0)"
        ),
        key=("tenant", "entry_id", "no"),
    )
    index(
        "lines_sums",
        "lines",
        *(
            "tenant",
            "account",
            "currency",
            "month",
            "provider",
            "kind",
            "method",
            "credit_minor",
            "debit_minor",
        ),
    )
    table(
        "export_batches",
        *(_t("tenant"), _t("id"), _t("format"), _t("since"), _t("until"), _i("made_at"), _i("lines")),
        *(_t("sha256"), _t("name")),
        key=("tenant", "id"),
    )
    index("export_batches_made", "export_batches", "tenant", "made_at")
    table("passes", _t("tenant"), _t("name"), _i("at"), key=("tenant", "name"))
    _guard_the_books(prefix, within)


def _guard_the_books(prefix: str, within: str) -> None:
    names = [f"{prefix}{name}" for name in ("entries", "lines")]
    if op.get_bind().dialect.name == "sqlite":
        for name in names:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {within}{name}_no_{verb.lower()} BEFORE {verb} ON {name} "
                    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {within}{prefix}append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$body$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $body$"
    )
    for name in names:
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {within}{name} "
            f"FOR EACH ROW EXECUTE FUNCTION {within}{prefix}append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {within}{name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {within}{prefix}append_only()"
        )
