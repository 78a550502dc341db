"""
One way to call either client from a web application: awaited, or in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from paybylink.client import AsyncPayByLink, PayByLink

if TYPE_CHECKING:
    from paybylink.links import PaymentLink
    from paybylink.workflows.receive import WebhookReply


async def link_by_token(pay: PayByLink | AsyncPayByLink, token: str) -> PaymentLink | None:
    """The link of a public page; None if there is none."""
    if isinstance(pay, AsyncPayByLink):
        return await pay.link_by_token(token)
    return await to_thread.run_sync(pay.link_by_token, token)


async def receive(
    pay: PayByLink | AsyncPayByLink, name: str, *, headers: Mapping[str, str], body: bytes, query: str = ""
) -> WebhookReply:
    """What to answer a webhook call."""
    if isinstance(pay, AsyncPayByLink):
        return await pay.receive(name, headers=headers, body=body, query=query)
    return await to_thread.run_sync(partial(pay.receive, name, headers=headers, body=body, query=query))
