"""
Where batches are performed: on connections of our own, or on one that the host has lent.

Each vault gives the same answers and raises the same errors; they differ in who commits. What is common to all is
below: `_compiled` (statements as text), `_perform` (the steps of a batch), `_faults` (a driver's errors in our
words), `_engines` (connections of our own).
"""

from __future__ import annotations

from ._sync import SyncVault

__all__ = ["SyncVault"]
