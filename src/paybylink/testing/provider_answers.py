"""
What every provider owes when an answer is not as it should be: it is not believed, and not repeated.

Most answers here are made up: a call that the vendor would answer is met by something else. The amount and the
currency are tried the other way round, so that no word of the vendor is needed: the link that was made for one order
is read as if it had been asked for by another.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import httpx
from attrs import evolve

from paybylink.errors import IntegrityBreach, OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.flow import Written
from paybylink.money import Money
from paybylink.providers.base import Feature, LinkRequest, RefundNotice, RefundRequest, VendorLink
from paybylink.providers.codes import CODES

from .provider_bench import Made, ProviderBench
from .provider_hooks import Alteration

_CREATE, _REFUND = "Provider.create_link", "Provider.refund"
#: Answers after which nobody knows whether it was done: the vendor's own trouble, and what stands in front of it.
_UNKNOWN: Final = (500, 502, 503, 504)
_REFUSED: Final = (400, 401, 403, 404, 422, 429)
#: What is no answer of any vendor, although its status says that all is well.
_UNREADABLE: Final = {
    "an empty body": b"",
    "a page of a proxy": b"<html><body>Bad gateway</body></html>",
    "half an answer": b'{"id": "x',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "bytes that are no text": b"\xff\xfe\x00",
}
#: What a vendor writes in free text may repeat the input.
_FREE_TEXT: Final = "MARKED customer zoe@example.com"


class AnswerChecks(ProviderBench):
    """Answers that are wrong, refused, lost or unreadable."""

    def test_does_not_believe_another_amount(self) -> None:
        """A link over another amount than was asked for is an `IntegrityBreach`."""
        self._not_believed(
            lambda request: evolve(
                request, order=self.order(reference=request.order.reference, amount=Money(5990, "EUR"))
            ),
            "amount",
        )

    def test_does_not_believe_another_currency(self) -> None:
        """A link in another currency than was asked for is an `IntegrityBreach`."""
        self._not_believed(
            lambda request: evolve(
                request, order=self.order(reference=request.order.reference, amount=Money(4990, "USD"))
            ),
            "currency",
        )

    def test_does_not_believe_the_other_mode(self) -> None:
        """A live link for a test key, or the other way round, is an `IntegrityBreach`, whichever way it is read."""
        made = self.make()
        for verb in ("create_link", "fetch_link"):
            self._altered_is_refused(
                verb,
                made,
                lambda content: self.altered(content, Alteration.MODE),
                f"a link of the other mode is believed by {verb}",
            )

    def test_does_not_believe_a_strangers_address(self) -> None:
        """A link that leads to a host which is none of the vendor's is an `IntegrityBreach`."""
        made = self.make()
        for verb in ("create_link", "fetch_link"):
            self._altered_is_refused(
                verb,
                made,
                lambda content: _replaced(content, made.link.url, "https://pay.example.net/stolen"),
                f"a link to a stranger's host is believed by {verb}",
            )

    def test_does_not_take_trouble_for_a_no(self) -> None:
        """After 500, 502, 503 or 504 the link may have been made: `OutcomeUnknown`, never a refusal."""
        for status in _UNKNOWN:
            _ = self.raised(
                OutcomeUnknown,
                partial(self._created_by, status),
                f"a {status} to the request that makes a link is not an OutcomeUnknown",
                _CREATE,
            )

    def test_does_not_take_what_it_cannot_read_for_an_answer(self) -> None:
        """What is no answer of the vendor's is unknown or a breach, never a link and never a stranger's error."""
        for what, content in _UNREADABLE.items():
            _ = self.raised(
                (OutcomeUnknown, IntegrityBreach),
                partial(self._created_by, 200, content),
                f"{what} in place of an answer is neither OutcomeUnknown nor an IntegrityBreach",
                _CREATE,
            )

    def test_gives_every_refusal_a_standard_code(self) -> None:
        """A no is a `ProviderError` with the provider's name, the status, and a code of `CODES` with its meaning."""
        missing = []
        for status in _REFUSED:
            error = self._refused(status)
            if error.standard_code not in CODES:
                missing.append(f"the code {error.standard_code!r} for status {status} is none of CODES")
            elif error.retryable is not CODES[error.standard_code].retryable:
                missing.append(
                    f"status {status} is {error.standard_code}, and not retryable as that code says"
                )
            if error.who != self.it.name or error.status != status:
                missing.append(f"the error for status {status} does not say who and which status")
        if not self._refused(429).retryable:
            missing.append("status 429 (too many requests) is not retryable")
        self.check_none(missing, "paybylink.providers.codes")

    def test_repeats_nothing_that_the_vendor_wrote(self) -> None:
        """Free text of the vendor may hold customers' data or a key: it stands in no error, repr or log."""
        for status in (*_REFUSED, *_UNKNOWN):
            with logged() as lines:
                error = self._error_of(status)
            said = [*_texts(error), *lines]
            self.check(
                not any("MARKED" in text for text in said),
                f"what the vendor wrote with status {status} is repeated in the error or a log",
                "paybylink.errors",
            )

    def test_tells_no_secret_while_it_works(self) -> None:
        """Neither a link that is made nor a request that is refused writes a key or a secret to a log or an error."""
        secrets = self.secrets()
        with logged() as lines:
            made = self.make()
            errors = [self._error_of(status) for status in (401, 500)]
        said = [*lines, repr(made.request), repr(made.written), repr(made.link)]
        for error in errors:
            said += _texts(error)

        self.check(
            not any(secret in text for secret in (*secrets, made.written.key) for text in said),
            "a secret or an idempotency key stands in a log, an error or a repr",
            "paybylink.errors",
        )

    def test_does_not_take_trouble_with_a_refund_for_a_no(self) -> None:
        """After 500, 502, 503 or 504 the money may have gone back: `OutcomeUnknown`, never a refusal."""
        self.needs(Feature.REFUND)
        request = RefundRequest(
            refund_id=self.fresh("refund"), payment_vendor_id=self.some_id(), amount=Money(100, "EUR")
        )
        written = self.it.write_refund(request, key=self.fresh("key"), now=self.now())
        for status in _UNKNOWN:
            _ = self.raised(
                OutcomeUnknown,
                partial(self._refunded_by, request, written, status),
                f"a {status} to the request that sends money back is not an OutcomeUnknown",
                _REFUND,
            )

    def _not_believed(self, other: Callable[[LinkRequest], LinkRequest], what: str) -> None:
        made = self.make()
        _ = self.raised(
            IntegrityBreach,
            lambda: self.carry(self.it.create_link(other(made.request), written=made.written)),
            f"a link with another {what} than was asked for is believed",
            _CREATE,
        )

    def _altered_is_refused(
        self, verb: str, made: Made, change: Callable[[bytes], bytes], missing: str
    ) -> None:
        altered: list[bool] = []

        def on_its_way(content: bytes) -> bytes:
            other = change(content)
            altered.append(other != content)
            return other

        call = (
            self.it.fetch_link(made.link.vendor_id)
            if verb == "fetch_link"
            else self.it.create_link(made.request, written=made.written)
        )
        try:
            _ = self.carry(self.tampered(call, on_its_way))
        except IntegrityBreach:
            return
        # Where the vendor does not say it, there is nothing to believe.
        self.check(not any(altered), missing, "paybylink.providers.base.VendorLink")

    def _created_by(self, status: int, content: bytes = b"") -> VendorLink:
        request = self.asked()
        written = self.it.write_link(request, key=self.fresh("key"), now=self.now())
        return self.met(self.it.create_link(request, written=written), _answer(status, content))

    def _refunded_by(self, request: RefundRequest, written: Written, status: int) -> RefundNotice:
        return self.met(self.it.refund(request, written=written), _answer(status, b""))

    def _error_of(self, status: int) -> PaybylinkError:
        request = self.asked()
        written = self.it.write_link(request, key=self.fresh("key"), now=self.now())
        return self.raised(
            PaybylinkError,
            lambda: self.met(
                self.it.create_link(request, written=written),
                lambda sent: self.refusal(sent, status=status, told=_FREE_TEXT),
            ),
            f"status {status} does not raise an error of PaybylinkError's tree",
            _CREATE,
        )

    def _refused(self, status: int) -> ProviderError:
        error = self._error_of(status)
        if not isinstance(error, ProviderError):
            raise self.miss(f"status {status} is no ProviderError but {type(error).__name__}", _CREATE)
        return error


def _answer(status: int, content: bytes) -> Callable[[httpx.Request], httpx.Response]:
    said = {"content-type": "application/json"}
    return lambda request: httpx.Response(status, content=content, headers=said, request=request)


def _replaced(content: bytes, old: str, new: str) -> bytes:
    """JSON with one text in place of another, wherever it stands whole; unchanged where it does not."""

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: walk(value) for name, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return new if node == old else node

    try:
        before = json.loads(content)
    except ValueError:
        return content
    after = walk(before)
    return content if after == before else json.dumps(after).encode()


def _texts(error: BaseException | None) -> list[str]:
    """Everything that an error, and those behind it, would show in a report."""
    texts: list[str] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        waiting += [one.__cause__, one.__context__]
    return texts


@contextmanager
def logged() -> Iterator[Sequence[str]]:
    """Every line that is logged inside: ours at every level, those of others from INFO on."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, ours, keeper = logging.getLogger(), logging.getLogger("paybylink"), Keeper(logging.DEBUG)
    levels = root.level, ours.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    ours.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(keeper)
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
