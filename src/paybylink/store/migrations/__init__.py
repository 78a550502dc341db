"""The steps from one shape of the tables to the next, for Alembic; `paybylink.store.upgrade` runs them."""
