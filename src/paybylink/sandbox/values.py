"""
The values that go between the frame and its vendors: what a payer sees and does, what became of it, and how a
webhook is carried. `paybylink.sandbox.vendor` says who asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import Factory, frozen

from paybylink.sandbox.engine import Document

#: How a payer pays: at once, by something whose money comes later, or by a card that is refused.
How: TypeAlias = Literal["card", "delayed", "declined"]

#: What `Vendor.listing` can be asked for.
Listed: TypeAlias = Literal["links", "payments", "refunds"]

#: The scope key of an ASGI request under which a fault leaves ``(status, reply)``: the reply that is to be
#: remembered under the idempotency key instead of the real one. The real work is done and its answer thrown away.
REMEMBER_INSTEAD = "paybylink.sandbox.remember"


class NotPayable(Exception):
    """
    A payment that cannot be begun.

    Args:
        message: the sentence for the payer.
        closed: whether the link or session itself is at an end, rather than the payer's input at fault.
    """

    def __init__(self, message: str, *, closed: bool) -> None:
        super().__init__(message)
        self.message = message
        self.closed = closed


class Refused(ValueError):
    """What the control asked for cannot be done; the message says why."""


@frozen
class Line:
    """
    One line of what is paid for.

    Attributes:
        text: what it is, with its quantity.
        amount: as it is shown: ``49.90 EUR``.
    """

    text: str
    amount: str


@frozen
class Button:
    """
    One way to end the payer's visit.

    Attributes:
        how: what pressing it does.
        text: what is written on it.
    """

    how: How
    text: str


@frozen
class Method:
    """
    A payment method to choose.

    Attributes:
        name: the vendor's name, such as ``ideal``.
        text: the name for people, such as ``iDEAL``.
    """

    name: str
    text: str


@frozen(kw_only=True)
class Payable:
    """
    What a payer sees of a link, a session or an invoice; texts only, with amounts as they are shown.

    Attributes:
        vendor: the vendor's name for people.
        closed: why it can no longer be paid, in words for the payer; None when it can.
        currency: upper case.
        amount: what is to be paid; None where the payer chooses.
        preset: where the payer chooses: the number in the field, perhaps empty; None where the amount is fixed.
        lines: what is paid for.
        buttons: how the visit can end.
        methods: what to choose from; no choice is shown when there are fewer than two.
        note: a further sentence of the merchant.
        email: the address in the field.
        email_locked: whether the payer cannot change it.
        cancel_url: where "back" leads; None when nowhere.
        session: what an earlier try of this payer began (see `Act.session`); empty when there is none.
    """

    vendor: str
    closed: str | None = None
    currency: str
    amount: str | None
    preset: str | None = None
    lines: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()
    methods: tuple[Method, ...] = ()
    note: str | None = None
    email: str = ""
    email_locked: bool = False
    cancel_url: str | None = None
    session: str = ""


@frozen(kw_only=True)
class Act:
    """
    What a payer does on the hosted page, or a test in a payer's place.

    Attributes:
        how: the button.
        method: the vendor's name of the payment method; empty leaves the choice to the vendor.
        typed: the amount as it was typed, for links that let the payer choose.
        email, name: the payer's; None when not given.
        query: what the address of the page carried.
        session: what an earlier, refused try began (`Attempted.session`); empty at the first try.
        although_closed: let the payment through on a link that is used up, closed or expired, as when the payer
            was already at the bank.
    """

    how: How
    method: str = ""
    typed: str = ""
    email: str | None = None
    name: str | None = None
    query: Mapping[str, str] = Factory(dict)
    session: str = ""
    although_closed: bool = False


@frozen(kw_only=True)
class Attempted:
    """
    What became of one attempt to pay.

    Attributes:
        payment: the payment's id.
        session: what the vendor has between link and payment (Stripe's checkout session); the payment's or link's
            own id where there is nothing between.
        status: ``complete``, or ``open`` when the payer can try again.
        payment_status: ``paid``, or ``unpaid`` while the money is under way, and after a refusal.
        next_url: where the payer is sent; None when the page is shown again.
    """

    payment: str
    session: str
    status: str
    payment_status: str
    next_url: str | None


@frozen(kw_only=True)
class Confirmation:
    """
    The page after a payment.

    Attributes:
        paid: whether the money is certain.
        amount: as it is shown.
        message: the merchant's own sentence; None without one.
        next_url: where a button leads on; None without one.
    """

    paid: bool
    amount: str
    message: str | None = None
    next_url: str | None = None


@frozen(kw_only=True)
class Registration:
    """
    An endpoint that wants to hear of what happens.

    Attributes:
        url: its address, on this machine.
        events: the types that it hears of; ``("*",)`` is everything.
        secret: the signing secret in the vendor's own form; None lets the vendor make one.
        user, password: for HTTP basic auth, where the vendor offers it; empty without.
        place: its place among the endpoints named at start, from 1. The same place means the same endpoint after a
            restart, and what waits for it goes to its new address. None is a new endpoint.
        api_version: the version in which it is told, where the vendor has versions; None is the newest.
    """

    url: str
    events: tuple[str, ...] = ("*",)
    secret: str | None = None
    user: str = ""
    password: str = ""
    place: int | None = None
    api_version: str | None = None


@frozen
class Carriage:
    """
    One attempt to deliver a webhook: POST `content` with `headers` to `url`.

    The frame refuses to call an address that is not of this machine, whatever a vendor says here.
    """

    url: str
    content: bytes
    headers: Mapping[str, str]


@frozen
class FalseReply:
    """
    The body of a fault in the vendor's shape, as JSON, with the headers that go with it.

    ``content-length`` is added by the frame, and ``content-type: application/json`` unless it is here.
    """

    body: Document
    headers: Mapping[str, str]


@frozen(kw_only=True)
class LinkRow:
    """One link on the front page."""

    id: str
    url: str
    text: str
    amount: str
    state: str


@frozen(kw_only=True)
class PaymentRow:
    """One payment on the front page; `waiting` when a person can decide there whether its money came."""

    id: str
    amount: str
    state: str
    waiting: bool


@frozen
class Rows:
    """The newest links and payments of a vendor, newest first."""

    links: tuple[LinkRow, ...]
    payments: tuple[PaymentRow, ...]
