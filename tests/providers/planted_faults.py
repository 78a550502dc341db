"""
One deliberate fault for each promise of the suite: a provider or a vendor that breaks it, and little else.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import httpx
from attrs import define, evolve, field, frozen

from paybylink.checkout import Checkout
from paybylink.errors import (
    InvalidInput,
    PaybylinkError,
    ProviderError,
    UnsupportedCapability,
    WebhookRejected,
)
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.kinds import Reusable
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import DisputeStatus, PaymentStatus, RefundStatus
from paybylink.providers import base
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, VendorLink, VendorLinkStatus
from paybylink.providers.codes import refusal_of
from paybylink.testing import Webhook

from .tiny_provider import DAY, checked, signature
from .whole_provider import WHOLE, WholeProvider, WholeVendor

#: Provider and vendor with one fault, by the name of the check that must find it.
PLANTED: dict[str, tuple[type[WholeProvider], type[WholeVendor]]] = {}
#: Checks that cannot but fail as well, by the name of the check.
ALSO: dict[str, set[str]] = {}


def planted(check: str, *also: str) -> Callable[[type], type]:
    """Note a faulty provider or vendor under the check that must find it."""

    def note(fault: type) -> type:
        name = f"test_{check}"
        assert name not in PLANTED
        vendor = issubclass(fault, WholeVendor)
        PLANTED[name] = (WholeProvider, fault) if vendor else (fault, WholeVendor)
        ALSO[name] = {f"test_{one}" for one in also}
        return fault

    return note


def body_with(written: Written, **more: Any) -> Written:
    """The request with more in its body."""
    return evolve(written, body=json.dumps({**json.loads(written.body), **more}).encode())


# What it says of itself


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


# What it writes


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


# Links


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


# Answers


class Gullible(WholeProvider):
    """Believes a link that differs in one respect."""

    def asked(self, row: Mapping[str, Any], request: LinkRequest) -> Money:
        """What the answer is compared with."""
        return request.order.amount

    def _link(self, row: Mapping[str, Any], request: LinkRequest | None = None) -> VendorLink:
        if request and row.get("attempt") == request.attempt_id and "amount" in row:
            amount = self.asked(row, request)
            row = {**row, "amount": amount.minor, "currency": amount.currency}
        return super()._link(row, request)


@planted("does_not_believe_another_amount")
class AnyAmount(Gullible):
    def asked(self, row: Mapping[str, Any], request: LinkRequest) -> Money:
        return Money(request.order.amount.minor, row["currency"])


@planted("does_not_believe_another_currency")
class AnyCurrency(Gullible):
    def asked(self, row: Mapping[str, Any], request: LinkRequest) -> Money:
        return Money(row["amount"], request.order.amount.currency)


@planted("does_not_believe_the_other_mode")
class AnyMode(WholeProvider):
    def _link(self, row: Mapping[str, Any], request: LinkRequest | None = None) -> VendorLink:
        return super()._link({**row, "mode": "test"}, request)


@planted("does_not_believe_a_strangers_address")
class AnyHost(WholeProvider):
    def _link(self, row: Mapping[str, Any], request: LinkRequest | None = None) -> VendorLink:
        if str(row.get("url")).startswith("https://"):
            return evolve(super()._link({**row, "url": "https://tiny.example/"}, request), url=row["url"])
        return super()._link(row, request)


class Hasty(WholeProvider):
    """Takes what it should not for an answer, under one path."""

    path = "/links"

    def other(self, response: httpx.Response) -> PaybylinkError | None:
        """The error for an answer, where it is another than the right one."""
        return None

    def _ask(
        self, method: str, path: str, body: bytes = b"", key: str = "", until: dt.datetime | None = None
    ) -> Call[Any]:
        call = super()._ask(method, path, body, key, until)
        request = next(call)
        try:
            response = yield request
            if method == "POST" and path == self.path and (error := self.other(response)):
                raise error
            _ = call.send(response)
        except StopIteration as stop:
            return stop.value
        finally:
            call.close()


@planted("does_not_take_trouble_for_a_no")
class Certain(Hasty):
    def other(self, response: httpx.Response) -> PaybylinkError | None:
        return refusal_of("unavailable", who=self.name) if response.status_code == 502 else None


@planted("does_not_take_trouble_with_a_refund_for_a_no")
class CertainOfRefunds(Certain):
    path = "/refunds"


@planted("does_not_take_what_it_cannot_read_for_an_answer")
class Unguarded(Hasty):
    def other(self, response: httpx.Response) -> PaybylinkError | None:
        if response.status_code == 200:
            json.loads(response.content)
        return None


@planted("gives_every_refusal_a_standard_code")
class OwnWords(Hasty):
    def other(self, response: httpx.Response) -> PaybylinkError | None:
        if response.status_code != 404:
            return None
        return ProviderError("it is gone", who=self.name, standard_code="gone", status=404)


@planted("repeats_nothing_that_the_vendor_wrote")
class Repeating(Hasty):
    def other(self, response: httpx.Response) -> PaybylinkError | None:
        if response.status_code != 422:
            return None
        told = response.json()["message"]
        return refusal_of("invalid_request", who=self.name, told=told, status=422)


@planted("tells_no_secret_while_it_works")
class Logging(Hasty):
    def other(self, response: httpx.Response) -> PaybylinkError | None:
        logging.getLogger("paybylink.tiny").debug("asked with %s", response.request.headers)
        logging.getLogger("paybylink.tiny").debug("the key is %s", self.api_key)
        return None


# Money


class Restated(WholeProvider):
    """Payments that are told otherwise when the link is asked for them."""

    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        """What is told in place of `notice`."""
        return notice

    def payments_of(self, vendor_id: str) -> Call[Sequence[base.PaymentNotice]]:
        notices = yield from super().payments_of(vendor_id)
        link = yield from self.fetch_link(vendor_id)
        return [self.other(notice, link) for notice in notices]


@planted("tells_a_payment_with_what_was_paid")
class LocalTime(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        return evolve(notice, at=notice.at.astimezone(dt.timezone(dt.timedelta(hours=1))))


@planted("does_not_take_delayed_money_for_certain")
class Eager(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        early = notice.status is PaymentStatus.PROCESSING
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if early else notice


@planted("tells_that_delayed_money_did_not_come")
class Hopeful(Restated):
    when = VendorLinkStatus.CLOSED

    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        # A delayed payment has used the link up, a declined card has not.
        failed = notice.status is PaymentStatus.FAILED and link.status is self.when
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if failed else notice


@planted("tells_no_money_of_a_declined_card")
class Generous(Hopeful):
    when = VendorLinkStatus.OPEN


@planted("does_not_take_an_unknown_word_for_money")
class Guessing(Restated):
    def other(self, notice: base.PaymentNotice, link: VendorLink) -> base.PaymentNotice:
        strange = notice.status is PaymentStatus.UNKNOWN
        return evolve(notice, status=PaymentStatus.SUCCEEDED) if strange else notice


@planted("fetches_a_payment_as_it_was_listed")
class MarklessPayment(WholeProvider):
    def fetch_payment(self, vendor_id: str) -> Call[Any]:
        return evolve((yield from super().fetch_payment(vendor_id)), attempt_id="")


@planted("tells_no_payment_of_a_link_that_nobody_paid")
class AllPayments(WholeProvider):
    def payments_of(self, vendor_id: str) -> Call[Sequence[base.PaymentNotice]]:
        found = yield from self._ask("GET", f"/payments?mode={'test' if checked(vendor_id) else ''}")
        return [self._notice("payments", row) for row in found["data"]]


@planted("takes_reserved_money_when_told_to")
class NeverTaking(WholeProvider):
    def capture(
        self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime
    ) -> Call[base.PaymentNotice]:
        return self.fetch_payment(vendor_id)


@planted("gives_reserved_money_up_when_told_to")
class NeverGivingUp(WholeProvider):
    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[base.PaymentNotice]:
        return self.fetch_payment(vendor_id)


@planted("sends_the_whole_payment_back")
class Failing(WholeProvider):
    def refund(self, request: RefundRequest, *, written: Written) -> Call[base.RefundNotice]:
        return evolve((yield from super().refund(request, written=written)), status=RefundStatus.FAILED)


@planted("sends_a_refund_back_once")
class ForgetfulOfRefunds(Forgetful):
    path = "/refunds"


@planted("sends_parts_back_one_by_one")
class NewestFirst(WholeProvider):
    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[base.RefundNotice]]:
        return [*reversed((yield from super().refunds_of(payment_vendor_id)))]


@planted("does_not_believe_another_refund")
class AnyRefund(WholeProvider):
    def refund(self, request: RefundRequest, *, written: Written) -> Call[base.RefundNotice]:
        notice: base.RefundNotice = self._notice("refunds", (yield from self._carry(written)))
        return notice


@planted("finds_the_refund_whose_answer_was_lost")
class BlindToRefunds(WholeProvider):
    def find_refund(self, request: RefundRequest) -> Call[base.RefundNotice | None]:
        _ = yield from self.refunds_of(request.payment_vendor_id)
        return None


@planted("finds_no_refund_that_was_never_sent")
class GrabbingRefunds(WholeProvider):
    def find_refund(self, request: RefundRequest) -> Call[base.RefundNotice | None]:
        return next(iter((yield from self.refunds_of(request.payment_vendor_id))), None)


@planted("tells_that_a_payment_is_contested")
class Cheerful(WholeProvider):
    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[base.DisputeNotice]]:
        return [
            evolve(one, status=DisputeStatus.WON)
            for one in (yield from super().disputes_of(payment_vendor_id))
        ]


@planted("settles_to_the_cent")
class Elsewhere(WholeProvider):
    def _item(self, row: dict[str, Any]) -> base.BalanceItem:
        return evolve(super()._item(row), provider="other")


@planted("drops_no_movement_that_it_does_not_know")
class Dropping(WholeProvider):
    def settlements(
        self, *, since: dt.datetime, until: dt.datetime, after: str = ""
    ) -> Call[base.BalancePage]:
        page = yield from super().settlements(since=since, until=until, after=after)
        kept = [item for item in page.items if item.kind is not base.BalanceKind.UNKNOWN]
        return evolve(page, items=kept)


# Webhooks


class Misread(WholeProvider):
    """Events that are read as something else."""

    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        """What is read in place of `event`."""
        return event

    def read(self, body: bytes, *, query: str = "") -> Sequence[base.ProviderEvent]:
        return [self.other(event, body) for event in super().read(body, query=query)]


@planted("believes_and_reads_what_the_vendor_sends")
class Wordless(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        return evolve(event, kind="")


@planted("tells_whose_payment_it_is")
class Anonymous(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        assert isinstance(event.notice, base.PaymentNotice)
        return evolve(event, notice=evolve(event.notice, link_id="", attempt_id="", link_vendor_id=""))


@planted("gives_a_repeated_message_the_same_id")
class Numbering(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        return evolve(event, event_id=f"{event.event_id}x{id(event)}x{id(self)}")


@planted("tells_two_messages_apart")
class Merging(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        return evolve(event, event_id=json.loads(body)["row"]["id"])


@planted("rejects_a_message_with_odd_parts")
class Brittle(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        assert json.loads(body)["row"]["url"].lower()
        return event


@planted("says_which_mode_a_message_is_of")
class OwnMode(Misread):
    def other(self, event: base.ProviderEvent, body: bytes) -> base.ProviderEvent:
        return evolve(event, mode=Mode.TEST)


@planted("rejects_what_is_no_message")
class Strict(WholeProvider):
    def read(self, body: bytes, *, query: str = "") -> Sequence[base.ProviderEvent]:
        _ = body.decode("utf-8")
        return super().read(body, query=query)


#: So much of a body is signed where not all of it is.
_SIGNED = 20


@planted("believes_no_message_that_was_changed")
class HalfSigned(WholeProvider):
    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        if headers.get("tiny-signature") not in [
            signature(one, body[:_SIGNED]).decode() for one in self.secrets
        ]:
            raise WebhookRejected("the signature is not ours")


@define
class HalfSigningVendor(WholeVendor):
    """Goes with `HalfSigned`."""

    def tell(self, kind: str, row: dict[str, Any]) -> None:
        super().tell(kind, row)
        body = self.told[-1].body
        headers = {"tiny-signature": signature("tiny-secret", body[:_SIGNED]).decode()}
        self.told[-1] = Webhook(headers=headers, body=body)


PLANTED["test_believes_no_message_that_was_changed"] = (HalfSigned, HalfSigningVendor)


class Opened(WholeProvider):
    """Lets one kind of message in."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        if not self.lets_in(headers, body):
            super().verify(headers, body, now=now)

    def lets_in(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a message need not be verified."""
        return False


@planted("believes_no_message_without_its_signature")
class Unlocked(Opened):
    def lets_in(self, headers: Mapping[str, str], body: bytes) -> bool:
        return not headers


@planted("believes_no_message_signed_by_another")
class Backdoor(Opened):
    def lets_in(self, headers: Mapping[str, str], body: bytes) -> bool:
        return headers.get("tiny-signature") == signature("tiny-secret", body).decode()


@planted("believes_old_and_new_secret_while_they_are_exchanged")
class OneSecret(WholeProvider):
    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        evolved = WholeProvider(secrets=self.secrets[:1])
        evolved.verify(headers, body, now=now)


@planted("says_how_a_message_is_answered")
@frozen(eq=False)
class Texting(WholeProvider):
    acknowledgement: bytes = "ok"  # type: ignore[assignment]  # that it is found is the test
