"""
What a piece of news changes, before it is written.
"""

from __future__ import annotations

from attrs import field, frozen

from paybylink.events import Event
from paybylink.flow import Flow, Step
from paybylink.providers.base import Provider

from .merchant import Merchant


@frozen(kw_only=True)
class Effects:
    """
    What a notice changes.

    Attributes:
        steps: to be written in one batch.
        events: what they mean to the host; their steps are among `steps`.
        state: what the inbox says afterwards: processed, foreign, parked, or waiting for something that has
            not been told yet.
        reason: why it is parked or waiting.
        behind: the id of a link behind which something is to be closed or opened again now; empty where nothing is.
    """

    steps: tuple[Step, ...] = ()
    events: tuple[Event, ...] = ()
    state: str = "processed"
    reason: str = field(default="")
    behind: str = ""


def of_unknown_payment(
    merchant: Merchant, provider: Provider, payment_event: str, *, waiting_for: str
) -> Flow[Effects]:
    """
    What news of a payment changes that was not told yet: they wait for it, unless it is known to be foreign.

    Args:
        payment_event: the id of the message that tells whose the payment is; empty where it can be asked for.
        waiting_for: why it waits, for a person.
    """
    if payment_event:
        state = yield from merchant.store.inbox_state(provider.name, payment_event)
        if state == "foreign":
            return Effects(state="foreign", reason="it is about a payment that no link of ours has made")
    return Effects(state="waiting", reason=waiting_for)
