"""
Letters that ISO 8859-15 does not have, in letters that it has; nothing is lost.

The FEC is ASCII, ISO 8859-15 or EBCDIC by law (LPF art. A47 A-1). Typographic marks get their plain form, letters
lose an accent that does not fit, and what is left (Greek, Cyrillic, emoji) is written as its code point, such as
``\\u0416``. Whoever sells to such names chooses UTF-8, which the checker of the tax office takes as well.
"""

from __future__ import annotations

import unicodedata

from paybylink.accounting.entries import plain

LATIN9 = "iso8859-15"

# Letters without a decomposition in Unicode, and marks whose decomposition is not what a reader expects.
_PLAIN_FORMS = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-", "⁄": "/", "ﬁ": "fi", "ﬂ": "fl",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ŧ": "t", "Ŧ": "T", "ŋ": "ng", "Ŋ": "NG",
    "ə": "e", "Ə": "E", "ẞ": "SS", "ĸ": "k", "¦": "/", "¼": "1/4", "½": "1/2", "¾": "3/4",
    "´": "'", "¨": '"', "¸": ",", "\u200b": "", "\u200c": "", "\u200d": "", "\u200e": "", "\u200f": "", "\u00ad": "-",
}  # fmt: skip


def _latin9(char: str) -> str:
    try:
        _ = char.encode(LATIN9)
    except UnicodeEncodeError:
        bare = "".join(
            part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part)
        )
        text = plain(_PLAIN_FORMS.get(char, bare))
        return text.encode(LATIN9, "backslashreplace").decode(LATIN9)
    return char


class Transliteration(dict[int, str]):
    """A table for `str.translate` that makes each letter fit ISO 8859-15, and remembers it."""

    def __missing__(self, code: int) -> str:
        text = self[code] = _latin9(chr(code))
        return text
