"""
Deliberate faults in what a provider says of itself, and in what it writes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from attrs import evolve, field, frozen

from paybylink.checkout import Checkout
from paybylink.errors import (
    InvalidInput,
    UnsupportedCapability,
)
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.orders import Order
from paybylink.providers import base
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, VendorLink

from .planted import body_with, planted
from .tiny_provider import DAY
from .whole_provider import WHOLE, WholeProvider


@planted("has_every_verb")
class Renamed(WholeProvider):
    def ends_at(self, order: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        return super().ends_at(order, now=now)


@planted("has_a_name_that_can_be_part_of_an_address")
@frozen(eq=False)
class Capital(WholeProvider):
    name: str = "Tiny Shop"


@planted("has_a_row_for_every_feature")
@frozen(eq=False)
class Rowless(WholeProvider):
    capabilities: base.Capabilities = field(
        factory=lambda: {**WHOLE, Feature.METADATA: base.emulated("")}, repr=False
    )


@planted("refuses_what_it_cannot_do_before_anything_is_sent")
@frozen(eq=False)
class Boastful(WholeProvider):
    capabilities: base.Capabilities = field(
        factory=lambda: {**WHOLE, Feature.METHODS_FOR: base.unsupported("it does all the same")}, repr=False
    )


@planted("refuses_orders_that_ask_for_what_it_cannot_do")
class Silent(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        if request.order.checkout == Checkout(language="fr"):
            request = evolve(request, order=Order(reference="R", amount=request.order.amount))
        return super().write_link(request, key=key, now=now)


@planted("takes_everything_else_of_an_order")
class Picky(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        if request.order.metadata:
            raise UnsupportedCapability(self.name, "metadata", "there is no place for it")
        return super().write_link(request, key=key, now=now)


@planted("never_lets_an_id_lead_a_path_astray")
class Trusting(WholeProvider):
    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[base.RefundNotice]]:
        found = yield from self._ask("GET", f"/refunds?of={payment_vendor_id}")
        return [self._notice("refunds", row) for row in found["data"]]


@planted("prints_no_secret")
class Talkative(WholeProvider):
    def __repr__(self) -> str:
        return f"TinyProvider({self.api_key!r})"


@planted("writes_the_same_request_for_the_same_order")
class Random(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        return body_with(super().write_link(request, key=key, now=now), nonce=id(self), n=id(object()))


@planted("writes_each_order_apart")
@frozen(eq=False)
class Caching(WholeProvider):
    cache: dict[str, Written] = field(factory=dict)

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        written = super().write_link(request, key=key, now=now)
        return self.cache.setdefault(request.order.reference, written)


@planted("uses_the_key_that_it_is_given")
class OwnKey(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        return super().write_link(request, key=f"own-{key}", now=now)


@planted("writes_what_can_be_stored")
class KeyInside(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        return body_with(super().write_link(request, key=key, now=now), account=self.api_key)


@planted("sends_exactly_what_was_written")
class Harmless(WholeProvider):
    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        call = super().create_link(request, written=written)
        sent = next(call)
        sent.extensions["paybylink"] = Sending(who=self.name, retry=Retry.SAFE)
        try:
            _ = call.send((yield sent))
        except StopIteration as stop:
            link: VendorLink = stop.value
            return link
        raise AssertionError


@planted("names_every_limit_that_an_order_breaks")
class OneByOne(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        try:
            return super().write_link(request, key=key, now=now)
        except InvalidInput as error:
            raise InvalidInput(error.faults[:1]) from None


@planted("writes_any_order_or_refuses_it_by_name")
class Crashing(WholeProvider):
    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        order = request.order
        if order.tags or order.part or (order.lines and len(order.lines) != 1):
            raise KeyError("tags")
        return super().write_link(request, key=key, now=now)


@planted("says_when_its_link_ends")
class Everlasting(WholeProvider):
    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        return now + 90 * DAY


@planted("writes_the_same_refund_for_the_same_request")
class RandomRefund(WholeProvider):
    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        return body_with(super().write_refund(request, key=key, now=now), nonce=id(self), n=id(object()))
