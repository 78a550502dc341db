"""
A link that is a Checkout Session at Stripe: found, read and closed, and its payment.

A session ends by itself at the moment that it was made with, takes one payment, and cannot be opened again. Unlike a
payment link it tells when it was made, so `find` reads those made since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from attrs import frozen

from paybylink.errors import IntegrityBreach, ProviderError, UnsupportedCapability
from paybylink.flow import Call
from paybylink.providers.base import LinkRequest, PaymentNotice, VendorLink, VendorLinkStatus

from ._asking import Asking
from ._links import Expected, read_asked_session, read_session
from ._mapping import SESSIONS
from ._marks import ATTEMPT
from ._notices import mark, session_notice

Json: TypeAlias = dict[str, Any]

#: For clocks that differ, when things are listed by the time at which they were made.
CLOCKS: Final = dt.timedelta(minutes=10)


@frozen
class AsSession:
    """Checkout Sessions of one account that are links by themselves; see `AsLink`."""

    ask: Asking
    expected: Expected

    def asked(self, reply: Json, request: LinkRequest) -> VendorLink:
        """The link in an answer, compared with `request`."""
        return read_asked_session(reply, self.expected, request=request)

    def find(self, request: LinkRequest, *, since: dt.datetime) -> Call[VendorLink | None]:
        """The session that carries the attempt's mark; None if there is none, or it has ended unpaid."""
        made = {"created": {"gte": int((since - CLOCKS).timestamp())}}
        for session in (yield from self.ask.all(SESSIONS, made)):
            if mark(session, ATTEMPT) == request.attempt_id and session.get("payment_link") is None:
                link = self.asked(session, request)
                return None if session.get("status") == "expired" else link
        return None

    def fetch(self, vendor_id: str) -> Call[VendorLink]:
        """The session as it stands now."""
        reply = yield from self.ask.get(f"{SESSIONS}/{vendor_id}")
        return read_session(reply, self.expected)

    def close(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """End the session; one that has ended, or was completed, is left as it is."""
        try:
            reply = yield from self.ask.post(f"{SESSIONS}/{vendor_id}/expire", {}, key=key, now=now)
        except ProviderError as error:
            # Stripe ends only what is open.
            if error.status != 400:
                raise
            reply = None
        # Asked for apart from the handling above, since a flow does not yield there.
        link = read_session(reply, self.expected) if reply is not None else (yield from self.fetch(vendor_id))
        if link.vendor_id != vendor_id or link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(self.ask.who, {"status": "is still open after closing"})
        return link

    def reopen(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Refused: a session that is over stays so.

        Raises:
            UnsupportedCapability: always.
        """
        raise UnsupportedCapability(
            self.ask.who, "reopen", "a link that ends within 24 hours stays closed; renew it instead"
        )

    def payments(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """The one payment of the session, if it has begun or succeeded."""
        reply = yield from self.ask.get(f"{SESSIONS}/{vendor_id}", expand=["payment_intent.latest_charge"])
        if reply.get("status") != "complete":
            return []
        return [self.ask.read(session_notice, reply)]
