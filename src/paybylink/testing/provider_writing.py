"""
What every provider owes while a request is only written: purity, our key, limits that are named all at once.
"""

from __future__ import annotations

import datetime as dt
import socket
import threading
import unittest
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import mock

from attrs import evolve

from paybylink.errors import InvalidInput, UnsupportedCapability
from paybylink.flow import Retry, Sending, Written
from paybylink.kinds import LinkKind
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, Support

from .provider_bench import ProviderBench
from .provider_hooks import DAY

_WRITE, _REFUND, _ENDS = "Provider.write_link", "Provider.write_refund", "Provider.ends_at"


class WritingChecks(ProviderBench):
    """
    `write_link`, `write_refund` and `ends_at`: what is decided before anything is sent.

    Attributes:
        examples: how many orders are drawn; more find more.
    """

    examples: ClassVar[int] = 40

    def test_writes_the_same_request_for_the_same_order(self) -> None:
        """Request, key and moment decide every byte: what is written twice is equal, and nothing is sent."""
        request, key, now = self.asked(), self.fresh("key"), self.now()
        with offline():
            first = self._write(request, key=key, now=now)
            second = self.provider().write_link(request, key=key, now=now)

        self.check(first == second, "the same order is not written the same way twice", _WRITE)

    def test_writes_each_order_apart(self) -> None:
        """Another amount is another request; nothing of the order before is left in it."""
        request, key, now = self.asked(), self.fresh("key"), self.now()
        dearer = evolve(
            request, order=self.order(reference=request.order.reference, amount=Money(5990, "EUR"))
        )
        first, second = self._write(request, key=key, now=now), self._write(dearer, key=key, now=now)

        self.check(_bytes(first) != _bytes(second), "another amount is written in the same bytes", _WRITE)

    def test_uses_the_key_that_it_is_given(self) -> None:
        """The key is the caller's, random and stored; it has not died when the request is written."""
        now = self.now()
        for key in (self.fresh("key"), f"{self.fresh('key')[:-1]}x"):
            written = self._write(self.asked(), key=key, now=now)
            missing = [] if written.key == key else ["the stored request has not the key that was given"]
            if not now < written.key_until <= now + 366 * DAY:
                missing.append("key_until does not say when the key dies at the vendor")
            self.check_none(missing, "paybylink.flow.Written")

    def test_writes_what_can_be_stored(self) -> None:
        """A stored request names a method, a path without a host, and the exact bytes: hosts are settings."""
        written = self._write(self.asked(), key=self.fresh("key"), now=self.now())

        missing = []
        if not (written.method.isupper() and written.path.startswith("/") and "://" not in written.path):
            missing.append(f"{written.method} {written.path} is no method in capitals and no path")
        if not isinstance(written.body, bytes):
            missing.append("the body is no bytes")
        for secret in self._known_secrets():
            if secret.encode() in written.body or secret in written.path:
                missing.append(
                    "a secret stands in the stored request; authorisation is added when it is sent"
                )
        self.check_none(missing, "paybylink.flow.Written")

    def test_sends_exactly_what_was_written(self) -> None:
        """`create_link` carries the stored bytes under the stored key, and says how they may be repeated."""
        request = self.asked()
        written = self._write(request, key=self.fresh("key"), now=self.now())
        call = self.it.create_link(request, written=written)
        sent = next(call)
        call.close()
        sending = sent.extensions.get("paybylink")

        missing = []
        if (sent.method, sent.content) != (written.method, written.body):
            missing.append("the method or the bytes are not those that were written")
        if not sent.url.raw_path.decode().endswith(written.path):
            missing.append("the path is not the one that was written")
        if not isinstance(sending, Sending) or sending.who != self.it.name:
            missing.append('no Sending with the name of the provider rides in extensions["paybylink"]')
        elif sending.retry is Retry.SAFE:
            missing.append("it says that it changes nothing (Retry.SAFE), and it makes a link")
        elif sending.retry is Retry.KEYED and (
            sending.key_until != written.key_until
            or not any(written.key in value for value in sent.headers.values())
        ):
            missing.append("it may be repeated, and not under the stored key for as long as that lives")
        self.check_none(missing, "Provider.create_link")

    def test_names_every_limit_that_an_order_breaks(self) -> None:
        """What the vendor would refuse is refused by us: every fault at once, by its path in the order."""
        order, paths = self.too_much()
        error = self.raised(
            InvalidInput,
            lambda: self.it.write_link(self.asked(order), key=self.fresh("key"), now=self.now()),
            "an order that breaks its limits is not refused with InvalidInput",
            _WRITE,
        )
        named = {fault.path for fault in error.faults}

        self.check_none(
            [f"{path} is not named among the faults" for path in paths if path not in named]
            + _foreign_paths(error),
            _WRITE,
        )

    def test_writes_any_order_or_refuses_it_by_name(self) -> None:
        """Whatever our values take, of any script and size, is written or refused with paths of the order."""
        try:
            from hypothesis import HealthCheck, given, settings
            from hypothesis import strategies as st
        except ImportError as error:
            raise unittest.SkipTest('needs Hypothesis: pip install "paybylink[test]"') from error
        from . import strategies

        # Speed is no property of an adapter.
        slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

        @settings(max_examples=self.examples, deadline=None, database=None, suppress_health_check=slow)
        @given(strategies.orders(), st.data())
        def every(order: Order, data: st.DataObject) -> None:
            self._written_or_refused(order, data.draw(strategies.link_kinds(order.amount)))

        every()

    def test_says_when_its_link_ends(self) -> None:
        """The end is after now and never later than asked; unknown only where links do not end by themselves."""
        now, missing = self.now().replace(microsecond=0), []
        row = self.it.capabilities.get(Feature.EXPIRY)
        for days in (1, 7, 30, 400):
            request = evolve(self.asked(), expires_at=now + days * DAY)
            ends = self.it.ends_at(request, now=now)
            if ends is None:
                if row is not None and row.support is Support.NATIVE:
                    missing.append(f"expiry is native, and the end of a link for {days} days is unknown")
            elif ends.utcoffset() is None or not now < ends <= now + days * DAY:
                missing.append(
                    f"a link for {days} days ends at {ends.isoformat()}, asked at {now.isoformat()}"
                )
        self.check_none(missing, _ENDS)

    def test_writes_the_same_refund_for_the_same_request(self) -> None:
        """A refund is written as a link is: purely, under our key, the same way twice."""
        self.needs(Feature.REFUND)
        request = RefundRequest(
            refund_id=self.fresh("refund"), payment_vendor_id=self.some_id(), amount=Money(100, "EUR")
        )
        key, now = self.fresh("key"), self.now()
        with offline():
            first = self.it.write_refund(request, key=key, now=now)
            second = self.provider().write_refund(request, key=key, now=now)

        self.check(first == second, "the same refund is not written the same way twice", _REFUND)
        self.check(first.key == key, "the stored refund has not the key that was given", _REFUND)
        self.check(now < first.key_until, "key_until does not say when the key dies at the vendor", _REFUND)

    def _write(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        return self.it.write_link(request, key=key, now=now)

    def _known_secrets(self) -> Sequence[str]:
        try:
            return self.secrets()
        except unittest.SkipTest:
            return ()

    def _written_or_refused(self, order: Order, kind: LinkKind) -> None:
        request = self.asked(order, kind)
        try:
            with offline():
                _ = self._write(request, key=self.fresh("key"), now=self.now())
        except UnsupportedCapability:
            return
        except InvalidInput as error:
            self.check_none(_foreign_paths(error), _WRITE)
        except Exception as error:
            raise self.miss(
                f"a legal order is neither written nor refused by name: {type(error).__name__} from write_link",
                _WRITE,
            ) from error


def _bytes(written: Written) -> tuple[str, bytes, tuple[Any, ...]]:
    return written.path, written.body, tuple(_bytes(one) for one in written.then)


def _foreign_paths(error: InvalidInput) -> list[str]:
    return [
        f"the fault at {fault.path!r} does not stand in the caller's order or kind"
        for fault in error.faults
        if fault.path.split(".")[0].split("[")[0] not in ("order", "kind")
    ]


@contextmanager
def offline() -> Iterator[None]:
    """Inside, nothing of this thread reaches a network: whoever tries fails the check."""
    here, connect = threading.get_ident(), socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if threading.get_ident() == here:
            raise AssertionError("what is only to be written opens a connection")
        connect(self, address)

    with mock.patch.object(socket.socket, "connect", refuse):
        yield
