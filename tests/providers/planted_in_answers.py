"""
Deliberate faults in how answers are taken: believed, refused, repeated.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import Any

import httpx
from attrs import evolve

from paybylink.errors import (
    PaybylinkError,
    ProviderError,
)
from paybylink.flow import Call
from paybylink.money import Money
from paybylink.providers.base import LinkRequest, VendorLink
from paybylink.providers.codes import refusal_of

from .planted import planted
from .whole_provider import WholeProvider


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
