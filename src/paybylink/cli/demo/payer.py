"""
The people who pay: each opens a link's page, presses a button there, and is told by nobody what we know.

What was paid already is asked of the sandbox in Stripe's own words, so nobody pays twice after a restart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import httpx
from attrs import frozen

from paybylink.links import PaymentLink, ProviderLinkStatus

#: What happens to the orders of the demo's own sheet: one word for each attempt.
PLAN: Mapping[str, Sequence[str]] = {
    "CMD-2026-101": ("card",),
    "CMD-2026-102": ("card",),
    "CMD-2026-104": ("delayed",),
    "CMD-2026-105": ("card",),
    "CMD-2026-106": ("card",),
    "CMD-2026-110": ("declined", "card"),
    "FA-2026-0042": ("card",),
    "FA-2026-0044": ("delayed, not settled",),
    "STAGE-LINO": ("card", "card"),
}
_SESSION = re.compile(r'name="session"[^>]*value="(cs_[A-Za-z0-9_]+)"')


@frozen
class Payers:
    """
    Everybody who pays in the demo.

    Attributes:
        http: their browser.
        sandbox_url: where the sandbox is.
        stripe_url, api_key: for asking what was paid.
    """

    http: httpx.Client
    sandbox_url: str
    stripe_url: str
    api_key: str

    def pay(self, link: PaymentLink, attempts: Sequence[str]) -> int:
        """How many payments were begun now; those that an earlier run began are not repeated."""
        behind = link.provider_links[-1]
        if behind.url is None or behind.vendor_id is None:
            return 0
        sessions = self._sessions(behind.vendor_id)
        completed = sum(session["status"] == "complete" for session in sessions)
        tried = any(session["status"] == "open" for session in sessions)
        begun = 0
        wanted = [attempt for attempt in attempts if attempt != "declined"]
        if len(wanted) > completed and behind.status is ProviderLinkStatus.OPEN:
            session = ""
            if "declined" in attempts and not tried and not completed:
                session = self._press(behind.url, "declined")
            for attempt in wanted[completed:]:
                _ = self._press(behind.url, attempt.partition(",")[0], session=session)
                begun += 1
        if "delayed" in attempts:
            self._settle(behind.vendor_id)
        return begun

    def _sessions(self, link_id: str) -> list[dict[str, object]]:
        reply = self.http.get(
            f"{self.stripe_url}/v1/checkout/sessions",
            params={"payment_link": link_id, "limit": 100},
            headers={"Authorization": f"Bearer {self.api_key}"},
        )
        found: list[dict[str, object]] = reply.raise_for_status().json()["data"]
        return found

    def _press(self, url: str, how: str, *, session: str = "") -> str:
        """Press a button on the page; the session that a declined card leaves open."""
        form = {"how": how, "email": "payer@example.com", "name": "Camille Payeur", "session": session}
        reply = self.http.post(url, data=form)
        if reply.status_code == 402:
            found = _SESSION.search(reply.text)
            return found[1] if found else ""
        if reply.status_code != 303:
            _ = reply.raise_for_status()
        return ""

    def _settle(self, link_id: str) -> None:
        """The bank says that the money of a delayed payment has come; a second time it has nothing to say."""
        reply = self.http.post(
            f"{self.sandbox_url}/sandbox/settle", json={"target": link_id, "succeeded": True}
        )
        if reply.status_code != 422:
            _ = reply.raise_for_status()
