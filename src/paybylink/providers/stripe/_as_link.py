"""
A link that is a payment link at Stripe: found, read, closed, opened again, and its payments.

Two limits of Stripe show here:

* a payment link has no time of creation, no expiry and no search. The moment of asking stands in its metadata, and
  `find` pages the newest links until it meets ours, or one that proves the rest to be older;
* deactivating a link does not say what becomes of a payer who has the page open, so `close` also ends the open
  sessions. A payment that was quicker is kept: money wins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import frozen

from paybylink.errors import IntegrityBreach, OutcomeUnknown, ProviderError
from paybylink.flow import Call
from paybylink.providers.base import LinkRequest, PaymentNotice, VendorLink, VendorLinkStatus

from ._asking import Asking
from ._capabilities import MOST_LINK_PAGES, PAGE
from ._links import Expected, completed, read_asked_link, read_link
from ._mapping import LINKS, SESSIONS
from ._marks import ASKED, ATTEMPT
from ._notices import mark, session_notice

Json: TypeAlias = dict[str, Any]


@frozen
class AsLink:
    """
    Payment links of one account.

    Attributes:
        ask: how it is asked.
        expected: what every answer has to be.
    """

    ask: Asking
    expected: Expected

    def asked(self, reply: Json, request: LinkRequest) -> VendorLink:
        """The link in an answer, compared with `request`."""
        return read_asked_link(reply, self.expected, request=request)

    def find(self, request: LinkRequest, *, since: dt.datetime) -> Call[VendorLink | None]:
        """
        The link that carries the attempt's mark; None if there surely is none.

        A link of ours carries the moment it was asked for, and was made less than a day later, since no request
        outlives its key; if that lies before `since`, so do all that follow it.

        Raises:
            OutcomeUnknown: too many links were made since; look for the reference in the Dashboard.
        """
        before = since.timestamp() - 86_400
        after: str | None = None
        for _ in range(MOST_LINK_PAGES):
            page = yield from self.ask.page(LINKS, {}, after=after)
            for listed in page["data"]:
                if mark(listed, ATTEMPT) == request.attempt_id:
                    # Asked for alone, it shows its line items, by which the amount is compared.
                    reply = yield from self.ask.get(f"{LINKS}/{self.ask.id(listed)}", expand=["line_items"])
                    return self.asked(reply, request)
                asked = mark(listed, ASKED)
                if asked.isdecimal() and int(asked[:12]) < before:
                    return None
            after = self.ask.following(page, after)
            if after is None:
                return None
        raise OutcomeUnknown(
            f"{self.ask.who}: the link is not among the newest {MOST_LINK_PAGES * PAGE:,}; look for the order's "
            "reference in the Dashboard (Payment Links)",
            who=self.ask.who,
        )

    def fetch(self, vendor_id: str) -> Call[VendorLink]:
        """The link as it stands now."""
        reply = yield from self.ask.get(f"{LINKS}/{vendor_id}")
        return read_link(reply, self.expected)

    def close(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Deactivate the link and end its open sessions.

        The page keeps the words for a closed link that it was made with, in the customer's language. A session that
        completes meanwhile is a payment, and comes as such.
        """
        reply = yield from self.ask.post(f"{LINKS}/{vendor_id}", {"active": False}, key=key, now=now)
        link = read_link(reply, self.expected)
        if link.vendor_id != vendor_id or link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(self.ask.who, {"active": "is not false after closing"})
        sessions = yield from self.ask.all(SESSIONS, {"payment_link": vendor_id, "status": "open"})
        for session in sessions:
            name = self.ask.id(session)
            try:
                _ = yield from self.ask.post(
                    f"{SESSIONS}/{name}/expire", {}, key=f"{key}-{name}"[:255], now=now
                )
            except ProviderError as error:
                # No longer open: completed or expired in between.
                if error.status not in (400, 404):
                    raise
        return link

    def reopen(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Let a link that is used up take one more payment.

        The limit is raised above what the link has counted, so doing it twice raises it once; and the link is made
        active together with that, since it is not documented that raising alone does so.
        """
        path = f"{LINKS}/{vendor_id}"
        reply = yield from self.ask.get(path)
        link = read_link(reply, self.expected)
        if link.status is VendorLinkStatus.OPEN:
            return link
        count, limit = completed(reply)
        change: Json = {"active": True}
        if count is not None and limit is not None:
            change["restrictions"] = {"completed_sessions": {"limit": max(limit, count + 1)}}
        reply = yield from self.ask.post(path, change, key=key, now=now)
        link = read_link(reply, self.expected)
        if link.vendor_id != vendor_id or link.status is not VendorLinkStatus.OPEN:
            raise IntegrityBreach(self.ask.who, {"active": "is not true after opening again"})
        return link

    def payments(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of the link that has begun or succeeded, oldest first."""
        sessions = yield from self.ask.all(
            SESSIONS,
            {
                "payment_link": vendor_id,
                "status": "complete",
                "expand": ["data.payment_intent.latest_charge"],
            },
        )
        return [self.ask.read(session_notice, session) for session in reversed(sessions)]
