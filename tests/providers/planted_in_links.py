"""
Deliberate faults in links: made, found, read, closed and opened again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx
from attrs import evolve, field, frozen

from paybylink.flow import Call, Written
from paybylink.kinds import Reusable
from paybylink.orders import Order
from paybylink.providers import base
from paybylink.providers.base import LinkRequest, VendorLink, VendorLinkStatus
from paybylink.providers.codes import refusal_of

from .planted import body_with, planted
from .whole_provider import WholeProvider, WholeVendor


class Relinked(WholeProvider):
    """Links with other content than the vendor told."""

    told: ClassVar[Mapping[str, Any]] = {}

    def _link(self, row: Mapping[str, Any], request: LinkRequest | None = None) -> VendorLink:
        return evolve(super()._link(row, request), **self.told)


@planted("makes_a_link_that_can_be_paid")
class Mixed(Relinked):
    told: ClassVar[Mapping[str, Any]] = {"link_id": "OTHER"}


@planted("makes_two_links_of_two_orders")
class OneAddress(Relinked):
    told: ClassVar[Mapping[str, Any]] = {"url": "https://tiny.example/pay"}


@planted("counts_no_payment_of_a_link_that_was_not_paid")
class Counting(Relinked):
    told: ClassVar[Mapping[str, Any]] = {"completed": 1}


@planted("makes_every_kind_that_it_says_it_can")
class ClosedReusable(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        written = super().write_link(request, key=key, now=now)
        return body_with(written, state="closed") if request.kind == Reusable() else written


class Forgetful(WholeVendor):
    """A vendor that does not remember keys under one path."""

    path = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        if request.url.path == self.path:
            _ = self.replies.pop(request.headers["Idempotency-Key"], None)
        return answer


@planted("makes_one_link_of_one_written_request", "does_the_same_under_both_drivers")
class ForgetfulOfLinks(Forgetful):
    path = "/links"


@planted("finds_the_link_whose_answer_was_lost")
class Blind(WholeProvider):
    def find_link(self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime) -> Call[Any]:
        _ = yield from self._ask("GET", "/links")


@planted("finds_nothing_that_was_never_sent")
class Grabbing(WholeProvider):
    def find_link(self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime) -> Call[Any]:
        found = yield from self._ask("GET", "/links")
        return self._link(found["data"][0])


@planted("reads_a_link_as_it_stands")
class Markless(WholeProvider):
    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        return evolve((yield from super().fetch_link(vendor_id)), link_id="", attempt_id="")


@planted("closes_a_link_for_good")
class Pretending(WholeProvider):
    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        return evolve((yield from self.fetch_link(vendor_id)), status=VendorLinkStatus.CLOSED)


@planted("closes_a_closed_link_without_complaint")
class Complaining(WholeProvider):
    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        if (yield from self.fetch_link(vendor_id)).status is VendorLinkStatus.CLOSED:
            raise refusal_of("wrong_state", who=self.name)
        return (yield from super().close_link(vendor_id, key=key, now=now))


@planted("opens_a_used_up_link_again")
class Shut(WholeProvider):
    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        return self.fetch_link(vendor_id)


@planted("tells_the_methods_that_would_be_offered")
class Doubling(WholeProvider):
    def methods_for(self, order: Order) -> Call[Sequence[base.MethodOffer]]:
        return [*(yield from super().methods_for(order))] * 2


@planted("serves_two_calls_at_once")
@frozen(eq=False)
class Shared(WholeProvider):
    latest: dict[str, LinkRequest] = field(factory=dict)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        self.latest["asked"] = request
        row = yield from self._carry(written)
        return self._link(row, self.latest["asked"])


@planted("does_the_same_under_both_drivers")
class LoopBound(WholeProvider):
    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        try:
            _ = asyncio.get_running_loop()
        except RuntimeError:
            return (yield from super().create_link(request, written=written))
        _ = yield from self._ask("GET", "/links")
        return (yield from super().create_link(request, written=written))
