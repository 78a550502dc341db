"""
The sandbox's remote control: what a test or a demo does to it, as plain method calls.

Every method is one HTTP request to the control routes, so it works the same on a sandbox in this process and on
one that runs elsewhere on this machine. Objects of a vendor come back as that vendor's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
from attrs import field, frozen

from paybylink.sandbox.engine import Document


class SandboxError(RuntimeError):
    """The sandbox could not do what it was asked; the message says why."""


@frozen(kw_only=True)
class Attempt:
    """
    What became of one attempt to pay.

    Attributes:
        provider: whose page it was.
        payment: the payment's id.
        session: what the provider has between link and payment: at Stripe the checkout session.
        status: ``complete``, or ``open`` after a declined card.
        payment_status: ``paid``, or ``unpaid`` while the money is under way.
        next_url: where the payer is sent; None after a declined card.
    """

    provider: str
    payment: str
    session: str
    status: str
    payment_status: str
    next_url: str | None

    @property
    def payment_intent(self) -> str:
        """The payment's id in Stripe's words."""
        return self.payment


@frozen
class Mail:
    """
    One mail as it arrived.

    Attributes:
        number: its number, from 1 in the order of arrival.
        sender: the envelope's sender.
        recipients: the envelope's recipients, blind copies included.
        subject: as a person reads it.
        message_id: the Message-ID header, with its brackets.
        headers: the main headers, decoded.
        text: the plain body; None without one.
        html: the HTML body; None without one.
        attachments: name, type, content_id and size of all other parts.
        received: the moment by the sandbox's clock.
        url: its page in the mailbox.
    """

    number: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    headers: Mapping[str, str]
    text: str | None = field(repr=False)
    html: str | None = field(repr=False)
    attachments: tuple[Mapping[str, Any], ...]
    received: datetime
    url: str


@frozen
class LoggedRequest:
    """
    One request that reached the sandbox.

    Attributes:
        method: the HTTP method.
        path: without the query.
        query: the query string.
        idempotency_key: the key that it carried; None without one.
        status: the status of the reply; None when none was sent.
        fault: the fault that struck it; None when none did.
    """

    method: str
    path: str
    query: str
    idempotency_key: str | None
    status: int | None
    fault: str | None


class SandboxControl:
    """
    The control of one running sandbox.

    Args:
        url: the sandbox's address, e.g. ``http://127.0.0.1:8025``.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=90, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pay(
        self,
        link_url: str,
        *,
        how: Literal["card", "delayed", "declined"] = "card",
        method: str | None = None,
        amount: str | None = None,
        email: str | None = None,
        name: str | None = None,
        although_closed: bool = False,
    ) -> Attempt:
        """
        What became of paying at `link_url` (a link's or a session's address, or its id).

        Args:
            method: the provider's name of the payment method, such as ``ideal``; else a usual one.
            amount: what the payer types, for links that let the payer choose.
            although_closed: let the money through on a link that is used up or switched off.

        Raises:
            SandboxError: nothing there, or not payable.
        """
        asked = {
            "target": link_url,
            "how": how,
            "method": method,
            "amount": amount,
            "email": email,
            "name": name,
            "although_closed": although_closed,
        }
        return Attempt(**self._post("pay", asked))

    def settle(self, target: str, *, succeeded: bool = True) -> list[str]:
        """The ids of the delayed payments at `target` (link, session or payment) that now came, or did not."""
        return list(self._post("settle", {"target": target, "succeeded": succeeded}))

    def finish(self, identifier: str, *, succeeded: bool = True) -> Document:
        """The refund, capture or cancellation that the fault ``hold`` held, now done (or refused)."""
        return self._document(self._post("finish", {"id": identifier, "succeeded": succeeded}))

    def fail_refund(self, refund: str) -> Document:
        """The refund, now failed."""
        return self._document(self._post(f"refunds/{refund}/fail", {}))

    def dispute(self, payment: str, *, reason: str = "", amount: int | None = None) -> Document:
        """
        The dispute that the payer of a payment now opened, as the provider tells it.

        Args:
            reason: in the provider's words; a usual one when empty.
            amount: in the provider's minor units; the whole payment when None.
        """
        return self._document(
            self._post("disputes", {"payment": payment, "reason": reason, "amount": amount})
        )

    def close_dispute(self, dispute: str, *, won: bool) -> Document:
        """The dispute, now won by the merchant or lost."""
        return self._document(self._post(f"disputes/{dispute}/close", {"won": won}))

    def payout(self, provider: str = "stripe", *, currency: str | None = None) -> Document:
        """A payout of everything on the balance of a provider since the last one, as the provider tells it."""
        return self._document(self._post("payouts", {"provider": provider, "currency": currency}))

    def truth(self) -> Document:
        """
        Links, payments, refunds, disputes and balances of all providers, in words that all of them share.

        Amounts are ISO 4217 minor units. See `paybylink.sandbox.vendor.Vendor.truth`.
        """
        return self._document(self._checked(self._http.get("/sandbox/truth")).json())

    def fault(self, kind: str, match: str = "", **settings: object) -> Document:
        """
        The fault that is now switched on.

        Args:
            kind: see `paybylink.sandbox.faults`.
            match: what it waits for: the beginning of a path, a route's name, a pattern of events or recipients.
            settings: any other field of `paybylink.sandbox.faults.Fault`.
        """
        return self._document(self._post("faults", {"kind": kind, "match": match, **settings}))

    def faults(self) -> list[Document]:
        """All faults, those that are spent included."""
        return self._get("/sandbox/faults")

    def clear_faults(self) -> None:
        """Switch all faults off and forget them."""
        _ = self._checked(self._http.delete("/sandbox/faults"))

    def now(self) -> datetime:
        """The moment by the sandbox's clock."""
        return datetime.fromisoformat(self._checked(self._http.get("/sandbox/clock")).json()["now"])

    def move_clock(self, by: timedelta) -> datetime:
        """The new moment, `by` later; what is due by then is done."""
        return datetime.fromisoformat(self._post("clock", {"seconds": by.total_seconds()})["now"])

    def register_webhook(
        self,
        url: str,
        *,
        provider: str = "stripe",
        events: tuple[str, ...] = ("*",),
        secret: str | None = None,
        user: str = "",
        password: str = "",
        api_version: str | None = None,
    ) -> str:
        """
        The signing secret of a new endpoint at `url`, an address of this machine.

        Args:
            provider: whose events are told there.
            secret: the signing secret, in the provider's form; a new one when None.
            user, password: for HTTP basic auth, where the provider offers it.
        """
        asked = {
            "provider": provider,
            "url": url,
            "events": list(events),
            "secret": secret,
            "user": user,
            "password": password,
            "api_version": api_version,
        }
        return str(self._post("webhooks", asked)["secret"])

    def flush_webhooks(self, *, seconds: float = 30) -> dict[str, int]:
        """How many deliveries are delivered, failed, held and dropped in all, now that the queue is empty."""
        return dict(self._post("flush", {"seconds": seconds}))

    def release(self) -> int:
        """How many deliveries that a fault held are under way again."""
        return int(self._post("release", {})["released"])

    def retry_webhooks(self) -> int:
        """How many deliveries that were given up are under way again."""
        return int(self._post("retry", {})["queued"])

    def deliveries(self) -> list[Document]:
        """Every delivery of a webhook, with its status and attempts."""
        return self._get("/sandbox/webhooks")

    def links(self, provider: str = "stripe") -> list[Document]:
        """All payment links of a provider in its own JSON, oldest first."""
        return self._get(f"/sandbox/links?provider={provider}")

    def payments(self, provider: str = "stripe") -> list[Document]:
        """All payments of a provider in its own JSON, oldest first; Stripe's with their latest charge."""
        return self._get(f"/sandbox/payments?provider={provider}")

    def refunds(self, provider: str = "stripe") -> list[Document]:
        """All refunds of a provider in its own JSON, oldest first."""
        return self._get(f"/sandbox/refunds?provider={provider}")

    def mails(self) -> list[Mail]:
        """All mails, oldest first."""
        return [
            Mail(
                number=mail["number"],
                sender=mail["sender"],
                recipients=tuple(mail["recipients"]),
                subject=mail["subject"],
                message_id=mail["message_id"],
                headers=mail["headers"],
                text=mail["text"],
                html=mail["html"],
                attachments=tuple(mail["attachments"]),
                received=datetime.fromisoformat(mail["received"]),
                url=mail["url"],
            )
            for mail in self._get("/mailbox.json")
        ]

    def mail_bytes(self, number: int) -> bytes:
        """One mail, byte for byte as it was sent."""
        return self._checked(self._http.get(f"/mailbox/{number}.eml")).content

    def requests(self) -> list[LoggedRequest]:
        """Every request to the vendors' APIs and the pages, oldest first; those of this control are left out."""
        names = ("method", "path", "query", "idempotency_key", "status", "fault")
        return [
            LoggedRequest(**{name: entry[name] for name in names}) for entry in self._get("/sandbox/requests")
        ]

    def _post(self, name: str, asked: Mapping[str, object]) -> Any:  # whatever the route answers
        return self._checked(self._http.post(f"/sandbox/{name}", json=asked)).json()

    def _get(self, path: str) -> list[Document]:
        return list(self._checked(self._http.get(path)).json())

    @staticmethod
    def _document(answer: Document) -> Document:
        return answer

    @staticmethod
    def _checked(reply: httpx.Response) -> httpx.Response:
        if reply.is_success:
            return reply
        kind = reply.headers.get("Content-Type", "")
        raise SandboxError(
            reply.json()["error"] if kind.startswith("application/json") else f"{reply.status_code}"
        )
