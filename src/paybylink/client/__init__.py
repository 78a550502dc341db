"""
The roof: `PayByLink` and `AsyncPayByLink`, and what they become on a lent connection.
"""

from .awaiting import AsyncPayByLink
from .blocking import PayByLink
from .lent import AsyncLentPayByLink, LentPayByLink

__all__ = ["AsyncLentPayByLink", "AsyncPayByLink", "LentPayByLink", "PayByLink"]
