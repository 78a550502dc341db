"""
The world outside: the sandbox, what it told by webhook, and what one order has come to there.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field

from paybylink import AsyncPayByLink, Customer, Money, Order, PayByLink, Payment
from paybylink.channels.smtp import SmtpEmail
from paybylink.drivers import Doors, Patience
from paybylink.events import Event
from paybylink.flow import Batch, Envelope, MailReply, Rows
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox
from paybylink.sandbox.stripe.carriage import signature_header

from .cutting import name_of
from .receiver import Call, Receiver

QUICK = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.05, reply_seconds=2.0)


@define
class Clock:
    """A clock that can be moved; the sandbox's own stays where it is."""

    ahead: dt.timedelta = dt.timedelta(0)

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def move(self, **by: float) -> None:
        """Later by so many days, hours, minutes, …"""
        self.ahead += dt.timedelta(**by)


@define
class Meanwhile:
    """
    Doors at which somebody else acts while a journey passes through.

    Attributes:
        inner: the real doors.
        at: in the name of the effect, as in the transcript of a journey, e.g. ``insert_link``.
        act: what the other one does; may raise what he makes the database or the provider say.
        after: he acts once the effect has happened, before its answer is heard.
        times: how often he acts; None is each time.
        seen: the names of the effects so far.
        mails: the bytes of the mails among them.
    """

    inner: Doors
    at: str
    act: Callable[[], object]
    after: bool = False
    times: int | None = 1
    seen: list[str] = field(factory=list)
    mails: list[bytes] = field(factory=list)

    @property
    def lent(self) -> bool:
        return self.inner.lent

    def deadline(self) -> float:
        return self.inner.deadline()

    def store(self, batch: Batch) -> tuple[Rows, ...]:
        self._act(batch, after=False)
        rows = self.inner.store(batch)
        self._act(batch, after=True)
        return rows

    def send(self, effect: httpx.Request | Envelope, deadline: float) -> httpx.Response | MailReply:
        self._act(effect, after=False)
        reply = self.inner.send(effect, deadline)
        self._act(effect, after=True)
        return reply

    def close(self) -> None:
        self.inner.close()

    def _act(self, effect: Batch | httpx.Request | Envelope, *, after: bool) -> None:
        name = name_of(effect)
        if not after:
            self.seen.append(name)
            if isinstance(effect, Envelope):
                self.mails.append(effect.content)
        if after is self.after and self.at in name and self.times != 0:
            if self.times is not None:
                self.times -= 1
            _ = self.act()


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """A new sandbox, and a receiver of its webhooks, until the block ends."""
    with Receiver() as receiver, Sandbox() as sandbox:
        secret = sandbox.control.register_webhook(receiver.url)
        yield World(sandbox=sandbox, receiver=receiver, secret=secret, folder=folder)


def meanwhile(
    pay: PayByLink, at: str, act: Callable[[], object], *, after: bool = False, times: int | None = 1
) -> Meanwhile:
    """Let somebody act while `pay` is at its next effects called `at`."""
    doors = Meanwhile(pay._doors, at, act, after, times)
    pay._doors_made = doors  # type: ignore[assignment]  # what a driver asks of doors, it has
    return doors


@define
class World:
    """
    Everything that is not ours.

    Attributes:
        sandbox: the provider and the mail server.
        receiver: keeps webhook calls.
        secret: by which they are signed.
        folder: for databases.
    """

    sandbox: Sandbox
    receiver: Receiver
    secret: str
    folder: Path
    _template: Path | None = field(default=None)

    def database(self, name: str) -> str:
        """The address of a fresh database at head."""
        if self._template is None:
            self._template = self.folder / "template.db"
            with PayByLink(providers=[self.provider()], store=f"sqlite:///{self._template}") as pay:
                assert pay.link("nothing") is None
        path = self.folder / f"{name}.db"
        for ending in ("", "-wal"):
            source = Path(f"{self._template}{ending}")
            if source.exists():
                shutil.copy(source, f"{path}{ending}")
        return f"sqlite:///{path}"

    def provider(self, **settings: Any) -> StripeProvider:
        """The sandbox's Stripe, through the real adapter."""
        settings.setdefault("base_url", self.sandbox.stripe_url)
        return StripeProvider("sk_test_world", webhook_secrets=[self.secret], **settings)

    def channel(self) -> SmtpEmail:
        """The sandbox's mail server, through the real channel."""
        return SmtpEmail(
            self.sandbox.smtp_host,
            self.sandbox.smtp_port,
            security="none",
            sender="Atelier Zoé <pay@atelier.example>",
        )

    def pay_by_link(self, store: str, **settings: Any) -> PayByLink:
        """A fresh object, as after a restart."""
        return PayByLink(store=store, **self._usual() | settings)

    def _usual(self) -> dict[str, Any]:
        return {"patience": QUICK, "providers": [self.provider()], "channels": [self.channel()]}

    def shop(self, name: str, **settings: Any) -> PayByLink:
        """The same on a fresh database of that name."""
        return self.pay_by_link(self.database(name), **settings)

    def async_pay_by_link(self, store: str, **settings: Any) -> AsyncPayByLink:
        """The same, awaited."""
        return AsyncPayByLink(store=store, **self._usual() | settings)

    def order(self, reference: str) -> Order:
        """An order of a customer with an address of its own."""
        return Order(
            reference=reference,
            amount=Money.of("49.90", "EUR"),
            description="Logo design",
            customer=Customer(
                name="Zoé Martin", email=f"{reference.lower()}@example.com", language="fr", code="C0042"
            ),
        )

    def customer_pays(self, url: str, reference: str) -> None:
        """The customer pays by card, once; the webhooks have arrived when this returns."""
        if not self.intents(reference):
            _ = self.sandbox.control.pay(url)
        _ = self.sandbox.control.flush_webhooks()

    def told(self, since: int) -> list[Call]:
        """The webhook calls since that many."""
        _ = self.sandbox.control.flush_webhooks()
        return self.receiver.calls[since:]

    def hear(self, pay: PayByLink, since: int) -> list[Event]:
        """Receive every webhook call since that many; what it meant."""
        events: list[Event] = []
        for call in self.told(since):
            reply = pay.receive("stripe", headers=call.headers, body=call.body)
            assert reply.status == 200, reply.reason
            events += reply.events
        return events

    def paid(self, pay: PayByLink, url: str, **how: Any) -> Payment:
        """A customer pays at `url`, and `pay` hears of it; the payment."""
        since = len(self.receiver.calls)
        attempt = self.sandbox.control.pay(url, **how)
        _ = self.hear(pay, since)
        (payment,) = [one for one in pay.payments() if one.vendor_id == attempt.payment_intent]
        return payment

    def event(self, kind: str, thing: object, *, at: dt.datetime | None = None, live: bool = False) -> Call:
        """A webhook call that the sandbox did not make, signed as if it had."""
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": live,
            "data": {"object": thing},
        }
        return self.signed(json.dumps(event).encode(), at=at)

    def signed(self, body: bytes, *, at: dt.datetime | None = None) -> Call:
        """A body with a genuine signature of that moment."""
        moment = int(time.time()) if at is None else int(at.timestamp())
        return Call({"stripe-signature": signature_header(body, secret=self.secret, timestamp=moment)}, body)

    def session(self, link_url: str, reference: str, **changes: Any) -> dict[str, Any]:
        """A completed session of a link, as the sandbox would tell it, with changes."""
        (link,) = [one for one in self.links(reference) if link_url.startswith(one["url"])]
        return {
            "id": f"cs_test_{uuid.uuid4().hex}",
            "object": "checkout.session",
            "amount_total": 4990,
            "currency": "eur",
            "created": int(time.time()),
            "livemode": False,
            "metadata": link["metadata"],
            "payment_intent": f"pi_{uuid.uuid4().hex}",
            "payment_link": link["id"],
            "payment_method_types": ["card"],
            "payment_status": "paid",
            "status": "complete",
        } | changes

    def by_hand(self, path: str, **form: str) -> Any:
        """What somebody does in the provider's dashboard; the object as the provider shows it."""
        reply = httpx.post(
            f"{self.sandbox.stripe_url}/v1/{path}",
            data=form,
            headers={"Authorization": "Bearer sk_test_dashboard"},
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    def requests(self, method: str, path: str, since: int = 0) -> list[Any]:
        """What was asked of the provider by that method under a path that begins so, from the `since`-th request."""
        return [
            request
            for request in self.sandbox.control.requests()[since:]
            if request.method == method and request.path.startswith(path)
        ]

    def links(self, reference: str) -> list[Any]:
        """The links of an order at the provider."""
        return [
            link
            for link in self.sandbox.control.links()
            if link["metadata"].get("paybylink_reference") == reference
        ]

    def intents(self, reference: str) -> list[Any]:
        """The payments of an order at the provider that have succeeded."""
        return [
            intent
            for intent in self.sandbox.control.payments()
            if intent["metadata"].get("paybylink_reference") == reference and intent["status"] == "succeeded"
        ]

    def refunds(self, reference: str) -> list[Any]:
        """The refunds of an order at the provider."""
        intents = {intent["id"] for intent in self.intents(reference)}
        return [refund for refund in self.sandbox.control.refunds() if refund["payment_intent"] in intents]

    def mails(self, reference: str) -> int:
        """How many mails an order's customer got."""
        address = f"{reference.lower()}@example.com"
        return sum(address in mail.recipients for mail in self.sandbox.control.mails())
