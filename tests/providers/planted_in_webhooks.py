"""
Deliberate faults in how messages are verified and read.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, evolve, frozen

from paybylink.errors import (
    WebhookRejected,
)
from paybylink.links import Mode
from paybylink.providers import base
from paybylink.testing import Webhook

from .planted import PLANTED, planted
from .tiny_provider import signature
from .whole_provider import WholeProvider, WholeVendor


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
