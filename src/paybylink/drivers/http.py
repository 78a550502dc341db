"""
One HTTP request, repeated only where repeating is safe.

Three classes of trouble:

1. Surely not sent (no address, no connection, no TLS): any request may be tried again.
2. Sent, no usable answer: a safe request may be tried again; a keyed one only with the same bytes while its key
   lives; any other never. What is left after the last attempt is `OutcomeUnknown`.
3. An answer that asks for patience (429, 5xx): as 2, and `Retry-After` is honoured. The last answer is
   handed to the flow, which knows what the vendor means by it.

Logged are the method, the host, the path, the status and the vendor's request id: no query, header or body.
"""

from __future__ import annotations

import datetime as dt
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime

import httpx
from attrs import frozen

from paybylink.errors import NotSent, OutcomeUnknown, PaybylinkError
from paybylink.flow import Retry, Sending

log = logging.getLogger("paybylink.http")

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
_UNMARKED = Sending(who="http")
_ours: ContextVar[bool] = ContextVar("paybylink_request", default=False)


@contextmanager
def logged_by_us() -> Iterator[None]:
    """Inside, httpx keeps quiet: it logs each request at INFO with its query; ours is logged without."""
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


def _is_theirs(record: logging.LogRecord) -> bool:
    return not _ours.get()


logging.getLogger("httpx").addFilter(_is_theirs)


@frozen(kw_only=True)
class Patience:
    """
    How long a journey waits and how often it tries.

    Attributes:
        attempts: how often one request is tried at most.
        first_wait_seconds, longest_wait_seconds: between attempts; doubled each time, with jitter.
        connect_seconds, reply_seconds: for one attempt.
        journey_seconds: for everything one journey sends, retries and waits included.
    """

    attempts: int = 3
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    connect_seconds: float = 5.0
    reply_seconds: float = 30.0
    journey_seconds: float = 120.0

    def timeout(self) -> httpx.Timeout:
        """The same for httpx."""
        return httpx.Timeout(self.reply_seconds, connect=self.connect_seconds, pool=self.connect_seconds)


def trusted() -> ssl.SSLContext:
    """TLS by the certificates that httpx trusts: certifi's, or those that ``SSL_CERT_FILE`` names."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Attempts:
    """
    The attempts at one request, and whether there may be another.

    `failed` and `answered` return how many seconds to wait before the next attempt. `answered` returns None
    when the answer is to be handed to the flow; `failed` raises when there is no next attempt.
    """

    def __init__(
        self,
        request: httpx.Request,
        *,
        patience: Patience,
        deadline: float,
        clock: Callable[[], dt.datetime],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.request = request
        marked = request.extensions.get("paybylink", _UNMARKED)
        self.sending: Sending = marked if isinstance(marked, Sending) else _UNMARKED
        self._patience, self._deadline = patience, deadline
        self._clock, self._monotonic, self._jitter = clock, monotonic, jitter
        self._made = 0
        self._may_have_happened = False
        self._started = monotonic()

    def begin(self) -> None:
        """
        Count an attempt.

        Raises:
            NotSent, OutcomeUnknown: the journey's time is over.
        """
        if self._monotonic() >= self._deadline:
            raise self._given_up("the time for the whole journey is over")
        self._made += 1
        self._started = self._monotonic()

    def failed(self, error: httpx.RequestError) -> float:
        """Seconds until the next attempt after `error`, or the error of our tree, raised."""
        surely_not_sent = isinstance(error, _NOT_SENT)
        if not surely_not_sent:
            self._may_have_happened = True
        log.info(
            "%s %s%s: %s",
            self.request.method,
            self.request.url.host,
            self.request.url.path,
            type(error).__name__,
        )
        wait = self._next_wait(0)
        if wait is None:
            raise self._given_up(type(error).__name__) from error
        return wait

    def answered(self, response: httpx.Response) -> float | None:
        """
        Seconds until the next attempt, or None if `response` is the answer.

        Raises:
            OutcomeUnknown: no attempt is left, and the 429 says nothing of an earlier one that had no answer.
        """
        # Asked first: taking the address to pieces costs more than a line that nobody reads is worth.
        if log.isEnabledFor(logging.INFO):
            log.info(
                "%s %s%s: %d in %d ms (%s)",
                self.request.method,
                self.request.url.host,
                self.request.url.path,
                response.status_code,
                (self._monotonic() - self._started) * 1000,
                response.headers.get("request-id", "no request id"),
            )
        header = self.sending.retry_header
        if response.status_code not in self.sending.retry_statuses or (
            header and response.headers.get(header, "").lower() != "true"
        ):
            return None
        # A 429 says that nothing was done by this attempt; anything else may have been done half-way.
        undone = response.status_code == 429
        self._may_have_happened = self._may_have_happened or not undone
        wait = self._next_wait(self._asked_wait(response.headers.get("retry-after", "")))
        if wait is None and undone and self._may_have_happened and self.sending.retry is not Retry.SAFE:
            raise self._given_up("429 after an attempt without an answer")
        return wait

    def _repeatable(self, wait: float) -> bool:
        """Whether what may have happened may be sent again in `wait` seconds."""
        if self.sending.retry is Retry.KEYED and self.sending.key_until is not None:
            return self._clock() + dt.timedelta(seconds=wait) < self.sending.key_until
        return self.sending.retry is Retry.SAFE

    def _asked_wait(self, retry_after: str) -> float:
        """Seconds that the other side asks for, told as a number or as a date (RFC 9110 §10.2.3); else 0."""
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        try:
            return (parsedate_to_datetime(retry_after) - self._clock()).total_seconds()
        except (TypeError, ValueError):
            return 0.0

    def _next_wait(self, asked: float) -> float | None:
        if self._made >= self._patience.attempts:
            return None
        wait = min(
            self._patience.first_wait_seconds * 2.0 ** (self._made - 1), self._patience.longest_wait_seconds
        )
        wait = max(wait * (0.5 + self._jitter() / 2), asked)
        if wait > self._patience.longest_wait_seconds or self._monotonic() + wait >= self._deadline:
            return None
        return None if self._may_have_happened and not self._repeatable(wait) else wait

    def _given_up(self, what: str) -> PaybylinkError:
        who = self.sending.who
        if self._may_have_happened and self.sending.retry is not Retry.SAFE:
            return OutcomeUnknown(
                f"{who} gave no usable answer ({what}), so it may or may not have been done; "
                "call the same method again: it asks, and does nothing twice",
                who=who,
            )
        return NotSent(
            f"{who} at {self.request.url.host} could not be asked ({what}); nothing was done. "
            "Check the address, the network and the provider's status page, then call again",
            who=who,
        )
