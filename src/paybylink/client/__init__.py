"""
The roof: `PayByLink` and `AsyncPayByLink`, and what they become on a lent connection.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .awaiting import AsyncPayByLink
    from .blocking import PayByLink
    from .lent import AsyncLentPayByLink, LentPayByLink

_HOME_OF = {
    "AsyncLentPayByLink": "lent",
    "AsyncPayByLink": "awaiting",
    "LentPayByLink": "lent",
    "PayByLink": "blocking",
}

__all__ = ["AsyncLentPayByLink", "AsyncPayByLink", "LentPayByLink", "PayByLink"]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        msg = f"module 'paybylink.client' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value: object = getattr(import_module(f"paybylink.client.{home}"), name)
    globals()[name] = value
    return value
