"""
Our marks on a Mollie link, by which it is found again.

Mollie's payment links have no metadata, so the marks stand in the query of an address that Mollie keeps for us:

* the address for news, which carries ``link`` and ``attempt`` and comes back with every call;
* or, where there is none, the payer's return address, which then carries ``paybylink=<attempt>``.

What is read back is a hint for whoever compares it with our own rows, and never a proof. Pure.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import frozen

_LINK: Final = "link"
_ATTEMPT: Final = "attempt"
_RETURN: Final = "paybylink"
#: What our ids are made of; anything else in their place is not ours.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@frozen
class Marks:
    """
    Which of our links an address belongs to.

    Attributes:
        link_id, attempt_id: ours; empty where it does not say.
    """

    link_id: str = ""
    attempt_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.attempt_id)


def for_news(address: str, *, link_id: str, attempt_id: str) -> str:
    """The address for news of one link."""
    return _with_query(address, {_LINK: link_id, _ATTEMPT: attempt_id})


def for_return(address: str, *, attempt_id: str) -> str:
    """The payer's return address, with the mark of one link."""
    return _with_query(address, {_RETURN: attempt_id})


def of_query(query: str) -> Marks:
    """The marks in the query of an address for news that was called."""
    fields = _fields(query)
    return Marks(fields.get(_LINK, ""), fields.get(_ATTEMPT, ""))


def of_addresses(news: object, back: object) -> Marks:
    """The marks in the two addresses that Mollie tells of a link; the one for news counts first."""
    if isinstance(news, str) and (found := of_query(_query_of(news))):
        return found
    if isinstance(back, str):
        return Marks(attempt_id=_fields(_query_of(back)).get(_RETURN, ""))
    return Marks()


def _with_query(address: str, fields: dict[str, str]) -> str:
    # By hand, so that the host's own part stays as it wrote it, byte for byte.
    before, hash_mark, fragment = address.partition("#")
    joint = "" if before.endswith(("?", "&")) else "&" if "?" in before else "?"
    return f"{before}{joint}{urlencode(fields)}{hash_mark}{fragment}"


def _query_of(address: str) -> str:
    try:
        return urlsplit(address).query
    except ValueError:
        return ""


def _fields(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        return {}
    # The last one counts: ours are appended behind whatever the host has in its address.
    return {name: value for name, value in pairs if _ID.fullmatch(value)}
