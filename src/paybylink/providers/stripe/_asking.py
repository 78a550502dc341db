"""
How a Stripe account is asked: one request, one page of a list, or all of it.

Nothing here knows what is asked for. Whatever comes back is an object or a list of objects, with ids that may become
part of a path; anything else is an `IntegrityBreach`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import define, field

from paybylink.errors import IntegrityBreach, InvalidInput, PaybylinkError
from paybylink.flow import Call, Retry, Sending, T, Written
from paybylink.providers.exchange import exchange, write

from ._capabilities import PAGE
from ._errors import refusal
from ._notices import MISSHAPEN

if TYPE_CHECKING:
    import httpx

    from ._sdk import Port

Json: TypeAlias = dict[str, Any]

#: Stripe keeps a key for at least 24 hours; an hour is left for clocks that differ and for the way.
#: Source: docs.stripe.com, "Idempotent requests".
KEY_LIFE: Final = dt.timedelta(hours=23)
#: A guard against a list without end, far above any link's payments or any payment's refunds.
MOST_PAGES: Final = 1000
#: Answers after which the same request may be sent again; 409 says that its twin is still at work.
_AGAIN: Final = frozenset({409, 429, 500, 502, 503, 504})
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}")


def checked(vendor_id: str) -> str:
    """
    An id that may become part of a path.

    Raises:
        InvalidInput: it may not.
    """
    if not isinstance(vendor_id, str) or not _ID.fullmatch(vendor_id):
        raise InvalidInput.single("vendor_id", "is none of Stripe's", "pass the id that Stripe gave")
    return vendor_id


@define(eq=False)
class Asking:
    """
    Requests to one account.

    Attributes:
        who: the provider's name.
        api_key, base_url, api_version, account: as on `StripeProvider`.
    """

    who: str
    api_key: str = field(repr=False)
    base_url: str
    api_version: str | None
    account: str | None
    _made: Port | None = field(default=None, init=False, repr=False)

    @property
    def port(self) -> Port:
        """Where SDK calls are made; the SDK is loaded by the first of them."""
        if self._made is None:
            from ._sdk import Port

            # Two threads may both make one; they are equal and hold nothing.
            self._made = Port(
                api_key=self.api_key,
                base_url=self.base_url,
                api_version=self.api_version,
                account=self.account,
            )
        return self._made

    def write(self, path: str, form: Json, *, key: str, now: dt.datetime) -> Written:
        """The request that posts `form`, ready to be stored."""
        call = self.port.call("post", path, form, key=key)
        return write(call, who=self.who, key=key, key_until=now + KEY_LIFE)

    def carry(self, written: Written) -> Call[Json]:
        """The answer to a stored request."""
        reply = yield from exchange(
            self.port.call("post", written.path, key=written.key, version=written.version),
            sending=self._keyed(written.key_until),
            refused=self._refused,
            key=written.key,
            written=written,
        )
        return self._object(reply)

    def get(self, path: str, **params: Any) -> Call[Json]:
        """What stands at `path`."""
        reply = yield from exchange(
            self.port.call("get", path, params), sending=self._safe(), refused=self._refused
        )
        return self._object(reply)

    def post(self, path: str, form: Json, *, key: str, now: dt.datetime) -> Call[Json]:
        """The answer to a change."""
        reply = yield from exchange(
            self.port.call("post", path, form, key=key),
            sending=self._keyed(now + KEY_LIFE),
            refused=self._refused,
            key=key,
        )
        return self._object(reply)

    def delete(self, path: str) -> Call[Json]:
        """The answer to a deletion, which takes no key: done twice, there is nothing left to delete."""
        reply = yield from exchange(
            self.port.call("delete", path), sending=self._safe(), refused=self._refused
        )
        return self._object(reply)

    def page(self, path: str, params: Json, *, after: str | None) -> Call[Json]:
        """One page of a list, newest first as Stripe gives it."""
        page = yield from self.get(path, **params, limit=PAGE, starting_after=after)
        data = page.get("data")
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            raise IntegrityBreach(self.who, {"data": "is no list of objects"})
        return page

    def all(self, path: str, params: Json) -> Call[list[Json]]:
        """Everything in a list, newest first as Stripe gives it."""
        found: list[Json] = []
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = yield from self.page(path, params, after=after)
            found.extend(page["data"])
            after = self.following(page, after)
            if after is None:
                return found
        raise IntegrityBreach(self.who, {"data": "is a list without end"})

    def following(self, page: Json, after: str | None) -> str | None:
        """After which object the next page begins; None at the end."""
        more = page.get("has_more")
        if more is False:
            return None
        if more is not True or not page["data"]:
            # A list that ended there would say that nothing was made, or hide a payment.
            raise IntegrityBreach(self.who, {"has_more": "is neither the end nor followed by anything"})
        last = self.id(page["data"][-1])
        if last == after:
            raise IntegrityBreach(self.who, {"data": "is the same page again"})
        return last

    def id(self, thing: Json) -> str:
        """The id of an object, which may become part of a path."""
        found = thing.get("id")
        if not isinstance(found, str) or not _ID.fullmatch(found):
            raise IntegrityBreach(self.who, {"id": "is none of Stripe's"})
        return found

    def read(self, reader: Callable[[Json], T], thing: Json) -> T:
        """
        What `reader` makes of an object.

        Raises:
            IntegrityBreach: it cannot be read.
        """
        try:
            return reader(thing)
        except MISSHAPEN as error:
            raise IntegrityBreach(self.who, {"object": f"cannot be read ({type(error).__name__})"}) from None

    def _safe(self) -> Sending:
        return Sending(who=self.who, retry=Retry.SAFE, retry_statuses=_AGAIN)

    def _keyed(self, until: dt.datetime) -> Sending:
        return Sending(who=self.who, retry=Retry.KEYED, key_until=until, retry_statuses=_AGAIN)

    def _refused(self, error: Exception, response: httpx.Response) -> PaybylinkError:
        return refusal(error, response, who=self.who)

    def _object(self, reply: object) -> Json:
        if not isinstance(reply, dict):
            raise IntegrityBreach(self.who, {"object": "is none"})
        return reply
