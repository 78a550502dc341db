"""
How a journey is written down, and the three things that may leave the process.

A journey is a generator that *yields* what should leave the process and is sent what came back. It does no I/O
itself, so the same code runs synchronously and asynchronously, and a test drives it with `send()` alone.

The effects, all of them values:

* an `httpx.Request`, answered by an `httpx.Response`; how it may be repeated is a `Sending` in its extensions;
* an `Envelope`, a mail for an SMTP server, answered by a `MailReply`;
* a `Batch`, SQL statements that succeed or fail together, answered by one `Rows` for each step.

Rule 1: a `Batch` that guards something leaving the process is a *fence*: nothing is sent before it is committed.
Rule 2: a flow never yields in `finally`, nor after catching `BaseException`. The row that was reserved before the
        send already says *unknown*, so nothing needs to be written on the way out.
Rule 3: errors of our tree are thrown into a flow; cancellation closes it.
Rule 4: compose with `yield from`. A flow that is called and not yielded from does nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from attrs import field, frozen

from .messages import Outcome

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class Retry(StrEnum):
    """When a request may be repeated after it left and no usable answer came."""

    SAFE = "safe"  #: always: it changes nothing
    KEYED = "keyed"  #: with the same bytes, while its idempotency key lives
    NEVER = "never"  #: only if it surely never left


@frozen(kw_only=True)
class Sending:
    """
    How the driver treats one HTTP request; rides in ``request.extensions["paybylink"]``.

    Attributes:
        who: the provider's or channel's name, for errors and logs.
        retry: when it may be repeated.
        key_until: when the idempotency key dies at the vendor; None with `SAFE` and `NEVER`.
        fresh: use a new connection, so that a stale one does not make an unknown outcome.
        retry_statuses: answers after which the vendor wants the same request again.
        retry_header: a header of the answer that has to say ``true`` for it; empty where the status is enough.
    """

    who: str
    retry: Retry = Retry.NEVER
    key_until: dt.datetime | None = None
    fresh: bool = False
    retry_statuses: frozenset[int] = frozenset({429, 500, 502, 503, 504})
    retry_header: str = ""


@frozen(kw_only=True)
class Written:
    """
    A request that a vendor's SDK wrote, ready to be stored and to be sent more than once.

    Attributes:
        method, path: ``POST`` and the path with its query; never the host, which settings may change.
        body: the exact bytes.
        content_type: of the body.
        key: the idempotency key; empty for requests without one.
        key_until: when the key dies at the vendor.
        version: the vendor's API version that the body was written for.
        then: further requests of the same journey, each with a key of its own. Where one needs the id that the n-th
            answer holds, its path and body have `answer_slot` of n, and nothing else may change.
    """

    method: str
    path: str
    body: bytes = field(repr=False)
    content_type: str
    key: str = field(repr=False)
    key_until: dt.datetime
    version: str = ""
    then: tuple[Written, ...] = ()


def answer_slot(place: int) -> str:
    """What stands in a stored request for the id in the answer to the request at `place`, counted from 0."""
    # Unreserved characters only (RFC 3986 §2.3), so that no encoding changes them.
    return f"paybylink-answer-{place}-"


@frozen(kw_only=True)
class MailServer:
    """
    Where and how a mail is handed over.

    Attributes:
        host, port: of the submission service.
        security: ``tls`` (implicit, usual on 465), ``starttls`` (usual on 587) or ``none``, which is accepted
            only for this machine. There is no falling back from one to the other.
        username, password: for AUTH, which is never sent before TLS (but to this machine); None for no AUTH.
        local_name: what we call ourselves in EHLO; None for this machine's name.
        timeout_seconds: for connecting and for each reply.
        final_timeout_seconds: for the reply after the final dot. A short one manufactures unknown outcomes
            (RFC 5321 §4.5.3.2.6 asks for ten minutes).
        ca_file: a PEM file of certificates to trust instead of the system's, for a server with its own authority.
    """

    host: str
    port: int
    security: str = "starttls"
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    local_name: str | None = None
    timeout_seconds: float = 20.0
    final_timeout_seconds: float = 90.0
    ca_file: str | None = None


@frozen(kw_only=True)
class Envelope:
    """
    One mail for one recipient.

    Attributes:
        who: the channel's name, for logs.
        server: where it is handed over.
        sender, recipient: the addresses of MAIL FROM and RCPT TO.
        content: the mail, with CRLF line ends.
        needs_utf8: refuse unless the server announces SMTPUTF8 (RFC 6531).
    """

    who: str
    server: MailServer
    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    needs_utf8: bool = False


@frozen(kw_only=True)
class MailReply:
    """
    What became of an `Envelope`.

    Attributes:
        outcome: `accepted`, `refused` (permanent), `deferred` (surely not taken, may be tried again) or
            `unknown` (the final dot was written and no answer came).
        phase: how far the talk went: connect, tls, auth, mail, rcpt, data, content.
        code: the server's three digits; None when none came.
        enhanced: its enhanced status such as ``5.1.1`` (RFC 3463); empty when not told.
        detail: a sentence for the merchant, without addresses.
        configuration: the refusal is about us (password, TLS, SMTPUTF8), not about this recipient.
    """

    outcome: Outcome
    phase: str
    code: int | None = None
    enhanced: str = ""
    detail: str = ""
    configuration: bool = False


@frozen
class Statement:
    """
    One SQL statement with a name.

    Attributes:
        name: for logs, errors and grouping.
        sql: a SQLAlchemy Core statement, built once; its values come as parameters.
        writes: whether it changes anything.
    """

    name: str
    sql: object = field(repr=False)
    writes: bool = True


@frozen
class Step:
    """
    One statement with its parameters.

    Attributes:
        statement: a constant of `paybylink.store.queries`.
        parameters: by name; integers, text and bytes only.
        expect: how many rows it must touch, else the whole batch is undone and `Conflict` is thrown.
    """

    statement: Statement
    parameters: Mapping[str, Any] = field(repr=False)
    expect: int | None = None


@frozen
class Batch:
    """
    Statements that succeed or fail together.

    Attributes:
        steps: in order.
        fence: something leaves the process next and relies on this batch being committed.
    """

    steps: tuple[Step, ...]
    fence: bool = False

    @property
    def writes(self) -> bool:
        """Whether any step changes anything."""
        return any(step.statement.writes for step in self.steps)


@frozen
class Rows:
    """
    What one step answered.

    Attributes:
        rows: of a query, by column name; empty otherwise.
        count: how many rows were touched or returned.
    """

    rows: Sequence[Mapping[str, Any]]
    count: int


Effect: TypeAlias = "httpx.Request | Envelope | Batch"
#: A flow that can yield nothing but HTTP requests: what an adapter's verbs return.
Call: TypeAlias = Generator["httpx.Request", "httpx.Response", T]
#: Any journey: it yields effects and returns a `T`.
Flow: TypeAlias = Generator[Effect, Any, T]


def write(*steps: Step, fence: bool = False) -> Flow[tuple[Rows, ...]]:
    """Perform `steps` in one batch and return what each answered."""
    rows: tuple[Rows, ...] = yield Batch(steps, fence)
    return rows


def read(step: Step) -> Flow[Sequence[Mapping[str, Any]]]:
    """Perform one query and return its rows."""
    rows: tuple[Rows, ...] = yield Batch((step,))
    return rows[0].rows


def post(envelope: Envelope) -> Flow[MailReply]:
    """Hand one mail over and return what became of it."""
    reply: MailReply = yield envelope
    return reply
