"""
What every provider owes when it is told something: nothing that is not signed is believed, nothing is read twice as
two things, and no message, however odd, raises anything but `WebhookRejected`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from paybylink.errors import WebhookRejected
from paybylink.providers.base import (
    Bell,
    DisputeNotice,
    ForeignNotice,
    LinkNotice,
    Notice,
    PaymentNotice,
    Provider,
    ProviderEvent,
    RefundNotice,
    UnknownNotice,
)

from .provider_bench import ProviderBench
from .provider_hooks import Alteration, How, Webhook
from .provider_oddities import ODD_BODIES, different, odd_variants

_VERIFY, _READ = "Provider.verify", "Provider.read"
#: Every n-th byte of a body is flipped where it is long.
_MOST_FLIPS: Final = 150


class WebhookChecks(ProviderBench):
    """`verify`, `read` and `acknowledgement`."""

    def test_believes_and_reads_what_the_vendor_sends(self) -> None:
        """A genuine message is verified and read to events with an id, a moment in UTC and the account's mode."""
        missing = []
        for webhook in self._sent():
            self.it.verify(webhook.headers, webhook.body, now=self.now())
            for event in self.it.read(webhook.body, query=webhook.query):
                if not (event.event_id and event.kind):
                    missing.append(f"an event ({event.kind or 'without a word for it'}) has no id or no kind")
                if event.at.utcoffset() != dt.timedelta(0):
                    missing.append(f"the moment of {event.kind} is not in UTC")
                if event.mode is not self.it.mode:
                    missing.append(f"{event.kind} is of mode {event.mode}")
        self.check_none(sorted({*missing}), "paybylink.providers.base.ProviderEvent")

    def test_tells_whose_payment_it_is(self) -> None:
        """After a payment there is news of it that leads to our link: by our mark, the vendor's link, or a bell."""
        made = self.make()
        self.pay(made.link, How.CARD)
        ours = {made.request.link_id, made.request.attempt_id, made.link.vendor_id} - {""}

        self.check(
            any(ours & {*_leads(event.notice)} for event in self.events()),
            "no message about a payment leads to the link that was paid",
            _READ,
        )

    def test_gives_a_repeated_message_the_same_id(self) -> None:
        """Vendors repeat themselves: the same message has the same ids, whoever reads it and however often."""
        other = self.provider()
        for webhook in self._sent():
            first = self.it.read(webhook.body, query=webhook.query)
            again = other.read(webhook.body, query=webhook.query)
            self.check(
                [one.event_id for one in first] == [one.event_id for one in again],
                "a message that is read again has another id",
                "paybylink.providers.base.ProviderEvent.event_id",
            )

    def test_tells_two_messages_apart(self) -> None:
        """Two messages that say different things have different ids, unless the later one only has newer details."""
        seen: dict[str, ProviderEvent] = {}
        made = self.make()
        self.pay(made.link, How.DELAYED)
        self.settle(made.link)
        for event in self.events():
            before = seen.setdefault(event.event_id, event)
            same = before.newest_wins or (before.kind, before.notice) == (event.kind, event.notice)
            self.check(same, f"{before.kind} and {event.kind} have one id", _READ)

    def test_believes_no_message_that_was_changed(self) -> None:
        """With any byte of its body changed, it is rejected, or says nothing else of money."""
        for webhook in self._sent():
            if self._rings(webhook):
                continue
            said = self.it.read(webhook.body, query=webhook.query)
            for place in range(0, len(webhook.body), len(webhook.body) // _MOST_FLIPS + 1):
                body = bytearray(webhook.body)
                body[place] ^= 1
                got = self._believed(
                    self.it, Webhook(headers=webhook.headers, body=bytes(body), query=webhook.query)
                )
                self.check(
                    got is None or (_facts(got) <= _facts(said) and not _only_bells(said)),
                    f"a message with another byte at {place} is believed, and says something else of money",
                    _VERIFY,
                )

    def test_believes_no_message_without_its_signature(self) -> None:
        """Without a signature, nothing is read but a bell."""
        for webhook in self._sent():
            if not self._rings(webhook):
                got = self._believed(self.it, self.unsigned(webhook))
                self.check(got is None, "a message without its signature is believed", _VERIFY)

    def test_believes_no_message_signed_by_another(self) -> None:
        """Signed with another secret, or with none configured here, a message is rejected."""
        _, wrong = self.signing()
        for secrets in ((wrong,), ()):
            stranger = self.provider_with(secrets)
            for webhook in self._sent():
                if not self._rings(webhook):
                    got = self._believed(stranger, webhook)
                    told = "signed with another secret" if secrets else "that nobody can verify"
                    self.check(got is None, f"a message {told} is believed", _VERIFY)

    def test_believes_old_and_new_secret_while_they_are_exchanged(self) -> None:
        """Several secrets are valid at once, in any order, so that one can be replaced without losing a message."""
        right, other = self.signing()
        for secrets in ((right, other), (other, right)):
            provider = self.provider_with(secrets)
            for webhook in self._sent():
                self.check(
                    self._believed(provider, webhook) is not None,
                    "with two secrets at once, a genuine message is rejected",
                    _VERIFY,
                )

    def test_rejects_what_is_no_message(self) -> None:
        """Any bytes at all are rejected by `WebhookRejected` and nothing else, so that a stranger breaks nothing."""
        for body in ODD_BODIES:
            for headers in ({}, {"content-type": "application/json", "x-signature": "é" * 1000}):
                _ = self._believed(self.it, Webhook(headers=headers, body=body))
            _ = self._read(self.it, Webhook(headers={}, body=body, query="a=%00&link=%2F..%2F&&=&%"))

    def test_rejects_a_message_with_odd_parts(self) -> None:
        """A signed message with anything in place of any part is read, or `WebhookRejected`, never another error."""
        for webhook in different(self._sent()):
            for body in odd_variants(webhook.body):
                got = self._read(self.it, Webhook(headers=webhook.headers, body=body, query=webhook.query))
                self.check(
                    all(isinstance(one.event_id, str) and one.event_id for one in got or ()),
                    "an event without an id is read, so that it could not be known again",
                    _READ,
                )

    def test_says_which_mode_a_message_is_of(self) -> None:
        """A live event on a test account says so, and is parked by whoever reads it."""
        altered = 0
        for webhook in self._sent():
            body = self.altered(webhook.body, Alteration.MODE)
            if body == webhook.body or self._rings(webhook):
                continue
            altered += 1
            got = self._read(self.it, Webhook(headers=webhook.headers, body=body, query=webhook.query))
            self.check(
                got is None or all(event.mode is not self.it.mode for event in got),
                "an event of the other mode is told as one of the account's own",
                "paybylink.providers.base.ProviderEvent.mode",
            )
        if not altered:
            raise self.not_given("altered", why="for the mode in a webhook")

    def test_says_how_a_message_is_answered(self) -> None:
        """The acknowledgement is bytes, empty where any answer will do."""
        self.check(
            isinstance(self.it.acknowledgement, bytes),
            "acknowledgement is no bytes",
            "Provider.acknowledgement",
        )

    def _sent(self) -> Sequence[Webhook]:
        """What the vendor tells of a link that is made and paid."""
        before = len(self.webhooks())
        made = self.make()
        self.pay(made.link, How.CARD)
        sent = self.webhooks()[before:]
        self.check(
            bool(sent), "the vendor told nothing of a payment (webhooks() is as long as before)", _READ
        )
        return sent

    def _rings(self, webhook: Webhook) -> bool:
        """Whether it is a mere bell: it says that something happened, and is let in without a signature."""
        said = self.it.read(webhook.body, query=webhook.query)
        return _only_bells(said) and self._believed(self.it, self.unsigned(webhook)) is not None

    def _believed(self, provider: Provider, webhook: Webhook) -> Sequence[ProviderEvent] | None:
        """What is read from a message that was verified; None when it was rejected."""
        try:
            provider.verify(webhook.headers, webhook.body, now=self.now())
        except WebhookRejected:
            return None
        except Exception as error:
            raise self.miss(f"verify raises {type(error).__name__} for an odd message", _VERIFY) from error
        return self._read(provider, webhook)

    def _read(self, provider: Provider, webhook: Webhook) -> Sequence[ProviderEvent] | None:
        try:
            return list(provider.read(webhook.body, query=webhook.query))
        except WebhookRejected:
            return None
        except Exception as error:
            raise self.miss(f"read raises {type(error).__name__} for an odd message", _READ) from error


def _only_bells(events: Sequence[ProviderEvent]) -> bool:
    return all(isinstance(event.notice, Bell) for event in events)


def _leads(notice: Notice) -> Iterator[str]:
    if isinstance(notice, PaymentNotice | Bell):
        yield from (notice.link_id, notice.attempt_id, notice.link_vendor_id)


def _facts(events: Sequence[ProviderEvent]) -> set[tuple[str, ...]]:
    """What events say of money; what is foreign, unknown or a bell says nothing."""
    facts: set[tuple[str, ...]] = set()
    for event in events:
        notice = event.notice
        if isinstance(notice, Bell | ForeignNotice | UnknownNotice):
            continue
        fact: list[str] = [type(notice).__name__, notice.vendor_id, notice.status]
        if isinstance(notice, PaymentNotice | RefundNotice | DisputeNotice):
            fact.append(str(notice.amount))
        if isinstance(notice, PaymentNotice | LinkNotice):
            fact.append(notice.link_id)
        facts.add(tuple(fact))
    return facts
