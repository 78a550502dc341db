"""
What three providers need: billing addresses, what each link at a provider asks for, and of each message when it
happened and how its address ended.

Columns that may be empty only, so no row is touched; and an index, by which links are found that outlive what stands
behind them, and which is made while writers of that one table wait.
"""

from __future__ import annotations

from alembic import context, op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0002"
down_revision = "0001"

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the index."""
    options = context.get_context().opts
    prefix: str = options["prefix"]
    schema: str | None = options["schema"]
    op.add_column(f"{prefix}customers", Column("address_json", _TEXT, nullable=True), schema=schema)
    for name in ("amount_minor", "max_payments"):
        op.add_column(f"{prefix}provider_links", Column(name, _INTEGER, nullable=True), schema=schema)
    op.add_column(f"{prefix}inbox", Column("at", _INTEGER, nullable=True), schema=schema)
    op.add_column(f"{prefix}inbox", Column("query", _TEXT, nullable=True), schema=schema)
    columns = ["tenant", "status", "expires_at"]
    op.create_index(f"ix_{prefix}provider_links_ending", f"{prefix}provider_links", columns, schema=schema)
