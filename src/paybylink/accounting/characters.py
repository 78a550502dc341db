"""
Letters that ISO 8859-15 does not have, in letters that it has; nothing is lost.

The FEC is ASCII, ISO 8859-15 or EBCDIC by law (LPF art. A47 A-1). Typographic marks get their plain form, letters
lose an accent that does not fit, and what is left (Greek, Cyrillic, emoji) is written as its code point, such as
``\\u0416``. Whoever sells to such names chooses UTF-8, which the checker of the tax office takes as well.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from .entries import plain

#: The encoding of a FEC unless told otherwise.
LATIN9: Final = "iso8859-15"

# Letters without a decomposition in Unicode, and marks whose decomposition is not what a reader expects.
_PLAIN_FORMS = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-", "⁄": "/", "ﬁ": "fi", "ﬂ": "fl",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ŧ": "t", "Ŧ": "T", "ŋ": "ng", "Ŋ": "NG",
    "ə": "e", "Ə": "E", "ẞ": "SS", "ĸ": "k", "¦": "/", "¼": "1/4", "½": "1/2", "¾": "3/4",
    "´": "'", "¨": '"', "¸": ",",
}  # fmt: skip


# ISO 8859-15 is Latin-1 with eight other characters at A4, A6, A8, B4, B8, BC, BD and BE.
_BEYOND = re.compile("[^\x00-\xa3\xa5\xa7\xa9-\xb3\xb5-\xb7\xb9-\xbb\xbf-\xff€ŠšŽžŒœŸ]")


def latin9(text: str) -> bytes:
    """`text` in ISO 8859-15, each letter that it lacks in letters that it has."""
    try:
        return text.encode(LATIN9)
    except UnicodeEncodeError:
        composed = unicodedata.normalize("NFC", text)
        return _BEYOND.sub(lambda found: _fitting(found[0]), composed).encode(LATIN9)


@lru_cache(maxsize=4096)
def _fitting(char: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    text = plain(_PLAIN_FORMS.get(char, bare))
    if not text.strip() and not char.isspace():
        text = char  # an accent on nothing: a column of it alone would be empty
    return text.encode(LATIN9, "backslashreplace").decode(LATIN9)
