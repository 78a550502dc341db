"""
What every channel can be asked: compose a message, then send it.

`compose` is pure and shows exactly what would leave. `send` is a flow with one effect, so that a workflow can
write down the delivery before it. A channel never retries by itself and never decides about an unknown outcome.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from attrs import field, frozen

from paybylink.flow import Flow
from paybylink.links import Mode, PaymentLink
from paybylink.messages import Delivery, Medium, Message, Outcome, Purpose
from paybylink.orders import Customer, Document


@frozen(kw_only=True)
class Occasion:
    """
    Everything a message can speak of.

    Attributes:
        link: what is handed over; its `url` is inserted byte for byte.
        purpose: why.
        recipient: the address or number as given.
        delivery_id: our row, known before the message is composed.
        at: when it is composed; aware UTC.
        customer: who is greeted.
        language: the customer's, or the merchant's default.
        attach: PDFs that go with it.
    """

    link: PaymentLink
    purpose: Purpose
    recipient: str = field(repr=False)
    delivery_id: str
    at: dt.datetime
    customer: Customer = field(factory=Customer)
    language: str = "en"
    attach: tuple[Document, ...] = ()

    @property
    def test(self) -> bool:
        """Whether the message has to say TEST."""
        return self.link.mode is Mode.TEST


@frozen(kw_only=True)
class Sent:
    """
    What became of one handing-over.

    Attributes:
        outcome: accepted, refused, deferred or unknown.
        vendor_id: the message service's id; None where there is none.
        detail: a sentence for the merchant, without addresses.
        configuration: the refusal is about our set-up, not about the recipient.
    """

    outcome: Outcome
    vendor_id: str | None = None
    detail: str = ""
    configuration: bool = False


class Channel(Protocol):
    """A way to hand a link to a person."""

    @property
    def name(self) -> str:
        """Unique among the channels of one `PayByLink`; what ``via=`` takes, beside the medium's name."""
        ...

    @property
    def medium(self) -> Medium:
        """By what its messages travel."""
        ...

    def address_of(self, customer: Customer) -> str | None:
        """Where this channel would reach the customer; None if it cannot."""
        ...

    def normalise(self, recipient: str) -> str:
        """
        The one spelling of a recipient, by which the same person is not written to twice.

        Raises:
            InvalidInput: it is no address or number of this medium.
        """
        ...

    def compose(self, occasion: Occasion) -> Message:
        """
        The exact message. Pure: nothing is sent.

        Raises:
            InvalidInput: the recipient or an attachment cannot be used.
        """
        ...

    def send(self, message: Message, *, delivery_id: str) -> Flow[Sent]:
        """Hand the message over, once."""
        ...

    def find(self, delivery: Delivery) -> Flow[Sent | None]:
        """What became of an earlier, unanswered handing-over; None when this medium cannot be asked."""
        ...


def channel_named(channels: Sequence[Channel], via: str) -> Channel | None:
    """The channel called `via`, or else the first whose medium is `via`; None if there is none."""
    for channel in channels:
        if channel.name == via:
            return channel
    for channel in channels:
        if channel.medium == via:
            return channel
    return None
