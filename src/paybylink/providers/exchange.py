"""
One call of a vendor's SDK: the SDK writes and reads, httpx carries.

An SDK knows its vendor's paths, encodings, headers and error classes. What it must not decide is how a request
leaves the process: that is one driver's business, for sync and async alike. So an SDK call is made twice, each
time through a `Carrier` that stands where the SDK's own HTTP client would:

* in the first pass the carrier takes the request that the SDK wrote and unwinds the SDK; nothing has left;
* httpx carries the request, as an effect of the flow;
* in the second pass the carrier gives the SDK the reply, which it parses, or raises its own error from.

Rule 1: both passes write the same method, address, body and key. A reply is given only to the request it answers.
Rule 2: one SDK call is one HTTP call. A second one, by a retry or a follow-up of the SDK, is refused.
Rule 3: the idempotency key is ours, never one that the SDK made up.
Rule 4: a stored request (`Written`) is sent as it was stored, byte for byte. The passes then only supply fresh
        authorisation and parse the reply.
Rule 5: nothing is shared between two calls, so calls may run in any number of threads and inside each other.

What breaks these rules before anything was sent is `NotSent`; afterwards it is `OutcomeUnknown`, or
`IntegrityBreach` where nothing can have changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol, TypeAlias, TypeVar

import httpx
from attrs import field, frozen

from paybylink.errors import IntegrityBreach, NotSent, OutcomeUnknown, PaybylinkError
from paybylink.flow import Call, Retry, Sending, Written

R = TypeVar("R")
C = TypeVar("C")

#: Taking an address to pieces costs as much as a pass of an SDK, and most requests go to a few addresses.
_address = lru_cache(maxsize=256)(httpx.URL)


@frozen(kw_only=True)
class Outgoing:
    """
    One request as an SDK wrote it.

    Attributes:
        method: in capitals.
        base_url: the address from settings, without a slash at its end; it may have a path of its own.
        path: what the SDK put after it, with the query.
        headers: with authorisation, so a secret.
        body: the exact bytes; empty for a request without one.
        key: the idempotency key; empty without one.
        version: the vendor's API version it was written for; empty where vendors have none.
    """

    method: str
    base_url: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    key: str = field(default="", repr=False)
    version: str = ""


def twin(model: C) -> C:
    """
    A copy of an SDK's client that shares what it holds, for one call.

    As `copy.copy` makes one, in a fifth of the time: each link takes three.
    """
    made: C = object.__new__(type(model))
    vars(made).update(vars(model))
    return made


class Carrier(Protocol):
    """What stands where an SDK's own HTTP client would; each vendor's port adapts it to its SDK."""

    def carry(self, outgoing: Outgoing) -> httpx.Response:
        """The reply to `outgoing`; in the first pass it does not return."""
        ...


#: One SDK call, made through the carrier it is given, as often as it is called.
SdkCall: TypeAlias = Callable[[Carrier], R]


class _Unwind(BaseException):
    """Leaves an SDK from the inside. No `Exception`, because SDKs catch those and try again."""


class _Capture:
    """The carrier of the first pass."""

    def __init__(self) -> None:
        self.outgoing: Outgoing | None = None

    def carry(self, outgoing: Outgoing) -> httpx.Response:
        self.outgoing = outgoing
        raise _Unwind


class _Replay:
    """The carrier of the second pass."""

    def __init__(self, expected: Outgoing, response: httpx.Response) -> None:
        self._expected, self._response = expected, response
        self.carried = 0
        self.fault = ""

    def carry(self, outgoing: Outgoing) -> httpx.Response:
        self.carried += 1
        expected = self._expected
        differing = [
            name
            for name in ("method", "base_url", "path", "body", "key")
            if getattr(outgoing, name) != getattr(expected, name)
        ]
        if self.carried > 1:
            self.fault = "it sends more than one request in one call"
        elif differing:
            self.fault = f"it wrote another {' and '.join(differing)} the second time"
        else:
            return self._response
        raise _Unwind


def capture(call: SdkCall[R], *, who: str, key: str = "") -> Outgoing:
    """
    The request that `call` would send; nothing is sent.

    Raises:
        NotSent: the SDK wrote none, or one that does not carry `key`.
    """
    carrier = _Capture()
    try:
        _ = call(carrier)
    except _Unwind:
        pass
    except PaybylinkError:
        raise
    except Exception as error:
        raise _not_written(who, f"it failed with {type(error).__name__}") from error
    if carrier.outgoing is None:
        raise _not_written(who, "it sent nothing through our carrier")
    if carrier.outgoing.key != key:
        raise _not_written(who, "it did not take our idempotency key")
    return carrier.outgoing


def write(call: SdkCall[R], *, who: str, key: str, key_until: dt.datetime) -> Written:
    """
    The request that `call` would send, ready to be stored and to be sent more than once. Pure.

    Raises:
        NotSent: as `capture`, or there is no key.
    """
    if not key:
        raise _not_written(who, "a request that is sent more than once needs a key")
    outgoing = capture(call, who=who, key=key)
    return Written(
        method=outgoing.method,
        path=outgoing.path,
        body=outgoing.body,
        content_type=outgoing.headers.get("Content-Type", ""),
        key=key,
        key_until=key_until,
        version=outgoing.version,
    )


def exchange(
    call: SdkCall[R],
    *,
    sending: Sending,
    refused: Callable[[Exception, httpx.Response], PaybylinkError],
    key: str = "",
    written: Written | None = None,
) -> Call[R]:
    """
    What the SDK makes of the reply to its own request.

    Args:
        call: one SDK call, for the same path and key (and version) as `written` where that is given. Its body is
            then of no account.
        sending: how the driver may repeat the request.
        refused: the error of our tree for what the SDK raises in the second pass, and the reply.
        key: our idempotency key; empty for a request that changes nothing.
        written: a stored request, sent as it is in place of what the SDK would write today.

    Raises:
        NotSent, OutcomeUnknown: from the driver, or when a rule of this module is broken.
        PaybylinkError: what `refused` returns.
    """
    first = capture(call, who=sending.who, key=key)
    if (sending.retry is Retry.KEYED) != bool(key):
        raise _not_written(sending.who, "a key and its way of repeating do not belong together")
    body = first.body
    headers = {"Accept-Encoding": "gzip, deflate", **first.headers}
    if written is not None:
        if (written.method, written.path, written.key, written.version) != (
            first.method,
            first.path,
            first.key,
            first.version,
        ):
            raise _not_written(sending.who, "the stored request is for another path, key or version")
        body = written.body
        headers["Content-Type"] = written.content_type
    response = yield httpx.Request(
        first.method,
        _address(first.base_url + first.path),
        headers=headers,
        content=body or None,
        extensions={"paybylink": sending},
    )
    replay = _Replay(first, response)
    failure: Exception | None = None
    try:
        result = call(replay)
        if replay.carried == 1:
            return result
        replay.fault = replay.fault or "it did not read the reply"
    except _Unwind:
        pass
    except PaybylinkError:
        raise
    except Exception as error:
        failure = error
    # Raised out here, without cause or context: an SDK's error may hold the whole reply, with customers' data.
    if failure is not None and not replay.fault:
        raise refused(failure, response)
    raise _torn(sending, replay.fault)


def _not_written(who: str, fault: str) -> NotSent:
    return NotSent(
        f"{who}: the vendor's SDK does not write requests as this version expects ({fault}); nothing was sent. "
        "Install a supported version of it, see the extras of paybylink",
        who=who,
    )


def _torn(sending: Sending, fault: str) -> PaybylinkError:
    if sending.retry is Retry.SAFE:
        return IntegrityBreach(sending.who, {"sdk": fault})
    return OutcomeUnknown(
        f"{sending.who} answered, but the vendor's SDK cannot read it as this version expects ({fault}); "
        "install a supported version of it and call again: nothing is done twice",
        who=sending.who,
    )
