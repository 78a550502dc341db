"""
How one Mollie account is asked: requests as calls, lists page by page.

Mollie's lists are newest first and tell the next page by an address, of which only the cursor is used: an address
in an answer never decides where a key is sent.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen

from paybylink.errors import IntegrityBreach, InvalidInput, PaybylinkError
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.links import Mode
from paybylink.providers.exchange import exchange

from ._errors import refusal

if TYPE_CHECKING:
    import datetime as dt

    import httpx

    from ._sdk import Port

Json: TypeAlias = dict[str, Any]

#: The most that Mollie puts on a page.
PAGE: Final = 250
#: A guard against a list without end, far above any link's payments or any payment's refunds.
MOST_PAGES: Final = 400
#: Answers after which the same request may be sent again; 409 says that its twin is still at work.
_AGAIN: Final = frozenset({409, 429, 500, 502, 503, 504})
_CURSOR: Final = re.compile(r"[A-Za-z0-9_]{1,100}")


@frozen(eq=False, kw_only=True)
class Account:
    """
    One Mollie account.

    Attributes:
        who: the provider's name.
        mode: of the key, or as `testmode` says.
        api_key: an API key or an access token.
        base_url: without a slash at its end.
        profile_id: with a token, the profile that is meant; None with an API key.
        hosts: where links may lead to, over https.
        loopback: whether they may lead to this machine; only where the base address does too.
    """

    who: str
    mode: Mode
    api_key: str = field(repr=False)
    base_url: str
    profile_id: str | None
    hosts: frozenset[str]
    loopback: bool
    _port_made: Port | None = field(default=None, init=False, repr=False)

    @property
    def port(self) -> Port:
        """The SDK, imported on first use."""
        if self._port_made is None:
            from ._sdk import Port

            # A key says its mode itself, and Mollie refuses to be told it again.
            testmode = self.profile_id is not None and self.mode is Mode.TEST
            port = Port(api_key=self.api_key, base_url=self.base_url, testmode=testmode)
            # Two threads may both make one; they are equal and hold nothing.
            object.__setattr__(self, "_port_made", port)
            return port
        return self._port_made

    def get(self, path: str, **params: Any) -> Call[Json]:
        """The object at `path`."""
        reply = yield from exchange(
            self.port.call("GET", path, params=params),
            sending=Sending(who=self.who, retry=Retry.SAFE, retry_statuses=_AGAIN),
            refused=self._refused,
        )
        return self._object(reply)

    def patch(self, path: str, data: Json, *, key: str, key_until: dt.datetime) -> Call[Json]:
        """The object at `path` after a change that may be made twice."""
        reply = yield from exchange(
            self.port.call("PATCH", path, data=data, key=key),
            sending=self._keyed(key_until),
            refused=self._refused,
            key=key,
        )
        return self._object(reply)

    def carry(self, written: Written) -> Call[Json]:
        """What Mollie answers to a stored request."""
        reply = yield from exchange(
            self.port.call("POST", written.path, key=written.key),
            sending=self._keyed(written.key_until),
            refused=self._refused,
            key=written.key,
            written=written,
        )
        return self._object(reply)

    def page(self, path: str, name: str, *, after: str = "") -> Call[tuple[list[Json], str]]:
        """One page of the list `name`, newest first, and where the next one begins; empty after the last."""
        more = {"from": after} if after else {}
        reply = yield from self.get(path, limit=PAGE, **more)
        embedded = reply.get("_embedded")
        things = embedded.get(name) if isinstance(embedded, Mapping) else None
        if not isinstance(things, list) or not all(isinstance(one, dict) for one in things):
            raise IntegrityBreach(self.who, {name: "is no list of objects"})
        try:
            following = _cursor(reply)
        except ValueError:
            raise IntegrityBreach(self.who, {"_links.next": "cannot be read"}) from None
        if following == after and after:
            raise IntegrityBreach(self.who, {name: "is the same page again"})
        return things, following

    def pages(self, path: str, name: str) -> Generator[httpx.Request, httpx.Response, list[Json]]:
        """Everything in the list `name`, oldest first."""
        found: list[Json] = []
        after = ""
        for _ in range(MOST_PAGES):
            things, after = yield from self.page(path, name, after=after)
            found.extend(things)
            if not after:
                return found[::-1]
        raise IntegrityBreach(self.who, {name: "is a list without end"})

    def _refused(self, error: Exception, response: httpx.Response) -> PaybylinkError:
        return refusal(error, response, who=self.who)

    def _keyed(self, until: dt.datetime) -> Sending:
        return Sending(who=self.who, retry=Retry.KEYED, key_until=until, retry_statuses=_AGAIN)

    def _object(self, reply: object) -> Json:
        if not isinstance(reply, dict):
            raise IntegrityBreach(self.who, {"resource": "is none"})
        return reply


def _cursor(page: Json) -> str:
    """
    Where the next page begins, by the address that Mollie tells; empty without one.

    Raises:
        ValueError: there is a next page and its address cannot be read; a list that ended there would hide money.
    """
    links = page.get("_links")
    following = links.get("next") if isinstance(links, Mapping) else None
    if following is None:
        return ""
    href = following.get("href") if isinstance(following, Mapping) else None
    found = parse_qs(urlsplit(href).query).get("from", [""])[0] if isinstance(href, str) else ""
    if not _CURSOR.fullmatch(found):
        raise ValueError("next")
    return found


def checked(vendor_id: str, *prefixes: str) -> str:
    """
    An id that may become part of a path.

    Raises:
        InvalidInput: it is none of Mollie's, or of another kind; the SDK would put it into the path unescaped.
    """
    if isinstance(vendor_id, str) and len(vendor_id) <= 100:
        prefix, _, rest = vendor_id.partition("_")
        if f"{prefix}_" in prefixes and rest.isascii() and rest.isalnum():
            return vendor_id
    raise InvalidInput.single(
        "vendor_id",
        f"is none of Mollie's that begin with {' or '.join(prefixes)}",
        "pass the id that Mollie gave",
    )
