"""
What is remembered: tables, statements, the values they hold, and where they are performed.

Journeys use `Store`, whose reads are flows and whose writes are steps. `open_vault` and `open_async_vault` give what
performs them: on an address, or on a connection that the host lends and commits himself. Everything is loaded on
first use, since a database is not always wanted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import (
        Balance,
        ClassSum,
        ExportBatch,
        InboxRow,
        LedgerPage,
        OutboxRow,
        Place,
        Store,
        StoredDelivery,
        StoredLink,
        StoredRefund,
    )
    from .schema import create, current, head, include_object, upgrade
    from .tables import TABLES, Tables, make_tables
    from .vaults import (
        AsyncLentVault,
        AsyncVault,
        CursorVault,
        LentVault,
        SyncVault,
        open_async_vault,
        open_vault,
        shown_url,
    )

_HOMES = {
    ".records": (
        *("Balance", "ClassSum", "ExportBatch", "InboxRow", "LedgerPage", "OutboxRow", "Place"),
        *("Store", "StoredDelivery", "StoredLink", "StoredRefund"),
    ),
    ".schema": ("create", "current", "head", "include_object", "upgrade"),
    ".tables": ("TABLES", "Tables", "make_tables"),
    ".vaults": (
        *("AsyncLentVault", "AsyncVault", "CursorVault", "LentVault", "SyncVault"),
        *("open_async_vault", "open_vault", "shown_url"),
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AsyncLentVault",
    "AsyncVault",
    "Balance",
    "ClassSum",
    "create",
    "current",
    "CursorVault",
    "ExportBatch",
    "head",
    "InboxRow",
    "include_object",
    "LedgerPage",
    "LentVault",
    "make_tables",
    "open_async_vault",
    "open_vault",
    "OutboxRow",
    "Place",
    "shown_url",
    "Store",
    "StoredDelivery",
    "StoredLink",
    "StoredRefund",
    "SyncVault",
    "Tables",
    "TABLES",
    "upgrade",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name], __name__), name)
    globals()[name] = value
    return value
