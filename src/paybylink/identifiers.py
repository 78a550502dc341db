"""
Where names that nobody may guess, and names that sort by time, come from.

Row ids are 26 characters: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32, so that they
sort by time and an index grows at its end. Tokens of public links are 128 random bits. Idempotency keys are
random as well, because a key that can be computed again could be met by another request.

Nothing below the roof draws randomness: an `Identifiers` comes in as an argument, and a test passes one whose
source of bytes it controls.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@frozen
class Identifiers:
    """
    The source of ids, tokens and keys.

    Attributes:
        entropy: returns that many random bytes; `os.urandom` unless a test says otherwise.
    """

    entropy: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    def row(self, now: datetime) -> str:
        """A 26-character id that sorts by `now`, to the millisecond."""
        value = int(now.timestamp() * 1000) << 80 | int.from_bytes(self.entropy(10))
        return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))

    def token(self) -> str:
        """A 22-character token of 128 random bits, safe in a URL."""
        value = int.from_bytes(self.entropy(16)) << 4
        return "".join(_URL_ALPHABET[value >> shift & 63] for shift in range(126, -1, -6))

    def key(self) -> str:
        """A 32-character idempotency key of 128 random bits."""
        return self.entropy(16).hex()
