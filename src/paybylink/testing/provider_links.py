"""
What every provider owes when it makes a link: what was asked for, once, and never anything else.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import httpx

from paybylink.errors import OutcomeUnknown, UnsupportedCapability
from paybylink.kinds import Reusable
from paybylink.providers.base import Feature, VendorLink, VendorLinkStatus
from paybylink.testing.script import name_of

from .provider_bench import ProviderBench
from .provider_hooks import DAY, How

_CREATE, _FIND, _CLOSE = "Provider.create_link", "Provider.find_link", "Provider.close_link"
_HERE: Final = ("127.0.0.1", "localhost", "::1")
_KINDS: Final = (
    Feature.SINGLE_USE,
    Feature.REUSABLE,
    Feature.MAX_PAYMENTS,
    Feature.PAYER_CHOOSES,
    Feature.INVOICE_BOUND,
    Feature.HOSTED_INVOICE,
)


class LinkChecks(ProviderBench):
    """Links at the vendor: made, found, read, closed and opened again."""

    def test_makes_a_link_that_can_be_paid(self) -> None:
        """A new link is open, of the account's mode, at an https address, and carries our marks or none."""
        made = self.make()

        self.check_none(self.link_faults(made.link, VendorLinkStatus.OPEN), _CREATE)
        for name in ("link_id", "attempt_id"):
            self.check(
                getattr(made.link, name) in ("", getattr(made.request, name)),
                f"{name} is another link's",
                "paybylink.providers.base.VendorLink",
            )

    def test_makes_every_kind_that_it_says_it_can(self) -> None:
        """Each kind that is native or emulated can be made, and is open."""
        missing = []
        for feature in _KINDS:
            if self.has(feature):
                faults = self.link_faults(self.make(*self.asking(feature)).link, VendorLinkStatus.OPEN)
                missing += [f"{feature}: {fault}" for fault in faults]
        self.check_none(missing, _CREATE)

    def test_makes_one_link_of_one_written_request(self) -> None:
        """The same bytes under the same key, sent again after a lost answer, make no second link."""
        made = self.make()
        again = self.carry(self.it.create_link(made.request, written=made.written))

        self.check(
            again.vendor_id == made.link.vendor_id,
            "the same request, sent twice, has made two links",
            _CREATE,
        )

    def test_makes_two_links_of_two_orders(self) -> None:
        """Links are not mixed up: two orders have two addresses."""
        one, other = self.make().link, self.make().link

        self.check(one.vendor_id != other.vendor_id, "two orders have one link", _CREATE)
        self.check(one.url != other.url, "two links have one address", _CREATE)

    def test_finds_the_link_whose_answer_was_lost(self) -> None:
        """After a lost answer the link that was made is found by our marks, and compared as when it was made."""
        self.needs(Feature.FIND_LINK)
        made, now = self.make(), self.now()
        found = self.carry(self.it.find_link(made.request, since=now - DAY, now=now))

        if found is None:
            raise self.miss("a link that was made is not found again", _FIND)
        self.check(found.vendor_id == made.link.vendor_id, "another link than ours is found", _FIND)
        self.check(found.url == made.link.url, "the link that is found has another address", _FIND)

    def test_finds_nothing_that_was_never_sent(self) -> None:
        """What was never made is None, or an unknown outcome; other links are never taken for it."""
        _ = self.make()
        now = self.now()
        try:
            found = self.carry(self.it.find_link(self.asked(), since=now - DAY, now=now))
        except (OutcomeUnknown, UnsupportedCapability):
            return
        self.check(found is None, "a link is found that was never asked for", _FIND)

    def test_reads_a_link_as_it_stands(self) -> None:
        """`fetch_link` gives the same id, address, mode and marks as the link had when it was made."""
        link = self.make().link
        read = self.carry(self.it.fetch_link(link.vendor_id))

        self.check_none(
            [f"{name} is another one" for name in _TOLD if getattr(read, name) != getattr(link, name)],
            "Provider.fetch_link",
        )

    def test_closes_a_link_for_good(self) -> None:
        """A closed link is closed, also when it is read again."""
        self.needs(Feature.CANCEL)
        link = self.make().link
        closed = self.carry(self.it.close_link(link.vendor_id, key=self.fresh("key"), now=self.now()))
        read = self.carry(self.it.fetch_link(link.vendor_id))

        self.check_none(self.link_faults(closed, VendorLinkStatus.CLOSED), _CLOSE)
        self.check(closed.vendor_id == link.vendor_id, "another link is closed than was asked", _CLOSE)
        self.check(read.status is VendorLinkStatus.CLOSED, "a closed link is open when it is read", _CLOSE)

    def test_closes_a_closed_link_without_complaint(self) -> None:
        """Closing twice is no error, under the same key and under another one."""
        self.needs(Feature.CANCEL)
        link, key = self.make().link, self.fresh("key")
        for again in (key, key, self.fresh("key")):
            closed = self.carry(self.it.close_link(link.vendor_id, key=again, now=self.now()))
            self.check(closed.status is VendorLinkStatus.CLOSED, "a link closed twice is open", _CLOSE)

    def test_opens_a_used_up_link_again(self) -> None:
        """After a payment that used the link up has failed, it takes one more; asking twice is no error."""
        self.needs(Feature.REOPEN)
        link = self.make().link
        self.pay(link, How.DELAYED)
        self.settle(link, succeeded=False)
        for _ in range(2):
            opened = self.carry(self.it.reopen_link(link.vendor_id, key=self.fresh("key"), now=self.now()))
            self.check(
                opened.status is VendorLinkStatus.OPEN,
                "a link opened again is closed",
                "Provider.reopen_link",
            )

    def test_counts_no_payment_of_a_link_that_was_not_paid(self) -> None:
        """A new link has been paid nought times, where the vendor counts."""
        completed = self.make(kind=Reusable() if self.has(Feature.REUSABLE) else None).link.completed

        self.check(completed in (None, 0), f"a new link was paid {completed} times", "VendorLink.completed")

    def test_tells_the_methods_that_would_be_offered(self) -> None:
        """Each method is told once, under our word or the vendor's, with bounds in the order's currency."""
        self.needs(Feature.METHODS_FOR)
        order = self.order()
        offers = self.carry(self.it.methods_for(order))

        missing = [] if offers else ["no method would be offered for a usual order"]
        words = [offer.vendor_method for offer in offers]
        missing += [f"{word} is offered twice" for word in sorted(set(words)) if words.count(word) > 1]
        for offer in offers:
            if not (offer.method and offer.vendor_method):
                missing.append("a method has no word")
            for bound in (offer.minimum, offer.maximum):
                if bound is not None and bound.currency != order.amount.currency:
                    missing.append(f"a bound of {offer.method} is in {bound.currency}")
        self.check_none(missing, "Provider.methods_for")

    def test_serves_two_calls_at_once(self) -> None:
        """Two calls whose requests and answers cross each other do not disturb each other."""
        requests = [self.asked(), self.asked()]
        calls = [
            self.it.create_link(
                request, written=self.it.write_link(request, key=self.fresh("key"), now=self.now())
            )
            for request in requests
        ]
        sent = [next(call) for call in calls]
        answers = [self.send(one) for one in reversed(sent)]
        links = [self.rest(call, answer) for call, answer in zip(calls, reversed(answers), strict=True)]

        for request, link in zip(requests, links, strict=True):
            self.check(
                link.attempt_id in ("", request.attempt_id),
                "two calls at once have exchanged their links",
                "Provider",
            )
        self.check(
            links[0].vendor_id != links[1].vendor_id, "two calls at once have made one link", "Provider"
        )

    def test_does_the_same_under_both_drivers(self) -> None:
        """Synchronous and asynchronous callers send the same requests and read the same answers."""
        made = self.make()
        told = []
        for carry in (self.carry, self.acarry):
            sent: list[httpx.Request] = []
            link = carry(self.noted(self.it.create_link(made.request, written=made.written), sent))
            told.append(([(name_of(one), one.content) for one in sent], link))

        self.check(told[0] == told[1], "the two drivers do not send and read the same", "paybylink.flow.Call")

    def link_faults(self, link: VendorLink, status: VendorLinkStatus) -> list[str]:
        """What is wrong with a link that the vendor has just told."""
        faults = []
        if link.status is not status:
            faults.append(f"the link is {link.status}, and should be {status}")
        if link.mode is not self.it.mode:
            faults.append(f"the link is of mode {link.mode}, and the account of {self.it.mode}")
        if not link.vendor_id:
            faults.append("the link has no id")
        parts = urlsplit(link.url)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            faults.append("the link's address is neither https nor on this machine")
        return faults


_TOLD: Final = ("vendor_id", "url", "mode", "link_id", "attempt_id", "status")
