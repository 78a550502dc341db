"""
What the frame asks of a vendor; the values that go between the two are passed on from `paybylink.sandbox.values`.

The frame is everything that is not on a vendor's wire: the engine, the door with its faults, the hosted pages, the
queue of webhooks, the control routes. It names no vendor; it goes through `paybylink.sandbox.vendors.VENDORS` and
asks each for the thing at hand, so a new vendor is a folder with a class of this form and one line in that list.

Identifiers are unique across vendors (each has its own prefixes), so "find" asks one after another and the first
that knows the thing has it. A vendor's documents have kinds of their own in the engine: ``adyen.link``,
``mollie.payment``; Stripe's, which were there first, bear the names of Stripe's objects.

A vendor queues a webhook in the transaction of the change it tells of, by `webhooks.enqueue`, with nothing but its
type, the id of the vendor's own event document and that of its endpoint document. The body, the signature and the
address are made by `Vendor.carriage` at the moment of each attempt.
"""

from __future__ import annotations

from typing import Protocol

from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.values import (
    REMEMBER_INSTEAD,
    Act,
    Attempted,
    Button,
    Carriage,
    Confirmation,
    FalseReply,
    How,
    Line,
    LinkRow,
    Listed,
    Method,
    NotPayable,
    Payable,
    PaymentRow,
    Refused,
    Registration,
    Rows,
)

__all__ = [
    "REMEMBER_INSTEAD",
    "Act",
    "Attempted",
    "Button",
    "Carriage",
    "Confirmation",
    "FalseReply",
    "How",
    "Line",
    "LinkRow",
    "Listed",
    "Method",
    "NotPayable",
    "Payable",
    "PaymentRow",
    "Refused",
    "Registration",
    "Rows",
    "Vendor",
]


class Vendor(Protocol):
    """
    A vendor in the sandbox.

    Attributes:
        name: lower case; its API lies below ``/<name>``, its routes are called ``<name>.…`` and faults find it so.
        title: the name for people.
        key_hint: what opens its API, for the front page and the terminal: ``any sk_test_ key``.
        batches: whether one webhook call can carry several events (see the fault ``batch``).
    """

    name: str
    title: str
    key_hint: str
    batches: bool

    def routes(self, engine: Engine) -> list[Route]:
        """Its API below ``/<name>``, with a last route that answers whatever is not there."""
        ...

    def false_reply(self, engine: Engine, status: int) -> FalseReply:
        """What the fault ``status`` answers in this vendor's name."""
        ...

    def expire_due(self, engine: Engine) -> None:
        """Do what the passing of time does (expire, capture, …) up to the sandbox's present moment."""
        ...

    # the payer

    def find(self, engine: Engine, identifier: str, act: Act) -> Payable | None:
        """
        The hosted page ``/pay/{identifier}``; None when this vendor has nothing of that id. Changes nothing.

        Args:
            act: what the payer has typed so far; only `query`, `email`, `typed` and `session` count.
        """
        ...

    def pay(self, engine: Engine, identifier: str, act: Act) -> Attempted:
        """
        What became of the payer's act on ``/pay/{identifier}``; called only where `find` found something.

        Raises:
            NotPayable: the link is at an end, or the input is wrong; nothing was changed.
        """
        ...

    def confirmation(self, engine: Engine, identifier: str) -> Confirmation | None:
        """The page ``/pay/{identifier}/done``; `identifier` is what the vendor put into `Attempted.next_url`."""
        ...

    # what a test, or a person, decides

    def settle(self, engine: Engine, target: str, *, succeeded: bool) -> list[str]:
        """The ids of the delayed payments at `target` (a link, session or payment) whose money now came, or not."""
        ...

    def finish(self, engine: Engine, identifier: str, *, succeeded: bool) -> Document | None:
        """
        A refund, capture or cancellation that the fault ``hold`` held, now done or refused, in the vendor's form.

        None when this vendor holds nothing of that id.
        """
        ...

    def fail_refund(self, engine: Engine, refund: str) -> Document | None:
        """A refund that had succeeded and now came back; None when this vendor has none such."""
        ...

    def dispute(self, engine: Engine, payment: str, *, reason: str, amount: int | None) -> Document | None:
        """
        The dispute that a payment's payer now opened; None when this vendor has no such paid payment.

        Args:
            payment: its id, as in `Attempted.payment`.
            reason: in the vendor's words; empty takes a usual one.
            amount: in the vendor's minor units; the whole payment when None.

        Raises:
            Refused: the payment cannot be disputed (again).
        """
        ...

    def close_dispute(self, engine: Engine, dispute: str, *, won: bool) -> Document | None:
        """
        The dispute, now won by the merchant or lost; None when this vendor has none of that id.

        Raises:
            Refused: it is closed already.
        """
        ...

    def payout(self, engine: Engine, *, currency: str | None) -> Document:
        """
        A payout of everything on the balance since the last one, in the vendor's form.

        Args:
            currency: which balance; that of the oldest movement that waits when None.

        Raises:
            Refused: nothing waits, or less than nothing.
        """
        ...

    def truth(self, engine: Engine) -> Document:
        """
        Everything in words that all vendors share, for tests that compare; amounts in ISO 4217 minor units.

            {"links": [{"provider", "id", "status", "amount", "currency", "reusable", "payments"}],
             "payments": [{"provider", "id", "link", "amount", "currency", "status"}],
             "refunds": [{"provider", "id", "payment", "amount", "currency", "status"}],
             "disputes": [{"provider", "id", "payment", "amount", "currency", "status"}],
             "balance": {currency: what the merchant has there, fees taken and payouts gone}}

        Link status: open, processing, paid, expired, closed. Payment: open, authorised, processing, paid, failed,
        cancelled; once paid, its `amount` is what was captured. Refund: pending, succeeded, failed. Dispute: open,
        won, lost. `amount` of a link is None where the payer chooses, `link` of a payment where it has none.
        Currencies are upper case; oldest first.
        """
        ...

    # webhooks

    def register(self, engine: Engine, registration: Registration) -> Document:
        """
        The new endpoint: its ``id`` and ``secret``, and whatever else its owner must know.

        Raises:
            Refused: the address is not on this machine, or the secret is not of the vendor's form.
        """
        ...

    def carriage(self, engine: Engine, events: list[str], endpoint: str, /) -> Carriage | None:
        """
        The call that delivers events to an endpoint, signed now; None when one of them is gone (then it is dropped).

        Args:
            events: ids as they were given to `webhooks.enqueue`; more than one only where `batches`.
            endpoint: likewise.
        """
        ...

    def accepts(self, status: int) -> bool:
        """Whether an endpoint that answered so has taken the delivery."""
        ...

    # looking

    def listing(self, engine: Engine, what: Listed) -> list[Document]:
        """All links, payments or refunds in the vendor's own JSON, oldest first."""
        ...

    def rows(self, engine: Engine) -> Rows:
        """What the front page lists, at most 100 of each."""
        ...
