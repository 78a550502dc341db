"""
Where Alembic learns which database to change.

The connection and the names come in through the configuration's attributes (see `schema.upgrade`), and the caller
commits. The version row has a table of its own, so that a host's own migrations and ours never meet.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from paybylink.store.tables import make_tables

_given = context.config.attributes
_connection: Connection = _given["connection"]
_tables = make_tables(_given["prefix"], _given["schema"])

context.configure(
    connection=_connection,
    target_metadata=_tables.metadata,
    version_table=_tables.version.name,
    version_table_schema=_tables.schema,
    # SQLite can undo DDL as well, once BEGIN is ours.
    transactional_ddl=True,
    prefix=_tables.prefix,
    schema=_tables.schema,
)
with context.begin_transaction():
    context.run_migrations()
