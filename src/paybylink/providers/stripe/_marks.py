"""
Our marks at Stripe: the metadata by which its objects lead back to our rows. Pure.

Metadata goes on the link, from where Stripe copies it to its sessions, and on the payment intent, where it does not.

Source: docs.stripe.com, "Metadata".
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from paybylink.checkout import Capture
from paybylink.kinds import HostedInvoice, InvoiceBound, Reusable
from paybylink.providers.base import LinkRequest

#: Names of our metadata. Their values are ids, the host's reference and part, and an invoice's number.
LINK: Final = "paybylink_link"
ATTEMPT: Final = "paybylink_attempt"
REFERENCE: Final = "paybylink_reference"
PART: Final = "paybylink_part"
INVOICE: Final = "paybylink_invoice"
ASKED: Final = "paybylink_asked"
#: How many payments the link takes: only by this does a session tell that a failed one has used its link up.
LIMIT: Final = "paybylink_limit"
#: That money is reserved first: what a session of such a link calls paid may only be that.
LATER: Final = "paybylink_later"
REFUND: Final = "paybylink_refund"
REASON: Final = "paybylink_reason"


def marks(request: LinkRequest, *, now: dt.datetime) -> dict[str, str]:
    """The metadata of whatever is made for `request`."""
    # Orders keep within Stripe's limits (50 keys of 40 characters, values of 500), so nothing is checked again.
    order, limit = request.order, completed_limit(request)
    ours = {
        LINK: request.link_id,
        ATTEMPT: request.attempt_id,
        ASKED: str(int(now.timestamp())),
        REFERENCE: order.reference,
        PART: order.part,
        LIMIT: "" if limit is None else str(limit),
    }
    if order.checkout.capture is Capture.MANUAL:
        ours[LATER] = "1"
    if isinstance(request.kind, InvoiceBound):
        ours[INVOICE] = request.kind.invoice.number
    # An empty value means "remove this key" to Stripe.
    return {name: value for name, value in (*order.metadata.items(), *ours.items()) if value}


def completed_limit(request: LinkRequest) -> int | None:
    """How many payments the link takes; None for any number, and for an invoice, which counts money instead."""
    if isinstance(request.kind, HostedInvoice):
        return None
    return request.kind.max_payments if isinstance(request.kind, Reusable) else 1
