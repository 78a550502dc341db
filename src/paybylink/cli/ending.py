"""How a command that runs until it is stopped learns that it is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, or by the signal with which a service is stopped."""
    over = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield over
    finally:
        for number, handler in before.items():
            _ = signal.signal(number, handler)
