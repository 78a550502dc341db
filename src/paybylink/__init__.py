"""
Be paid by link: make a payment order, send its link, and see the money arrive in the books.

The names below are loaded when they are first used, so that `import paybylink` costs next to nothing and loads
neither a vendor's SDK nor a database library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .address import Address
    from .checkout import Capture, Checkout
    from .client import AsyncPayByLink, PayByLink
    from .errors import (
        AlreadyPaid,
        ChannelError,
        Fault,
        IntegrityBreach,
        InvalidInput,
        LinkClosed,
        MissingExtra,
        NotFound,
        NotSent,
        OutcomeUnknown,
        PaybylinkError,
        ProviderError,
        ReferenceConflict,
        RefusedByThem,
        RefusedByUs,
        SettingsError,
        StoreError,
        UnsupportedCapability,
        WebhookRejected,
    )
    from .kinds import HostedInvoice, Invoice, InvoiceBound, Reusable, SingleUse
    from .lines import LineItem
    from .links import LinkStatus, Mode, PaymentLink, PendingLink
    from .messages import Delivery, Outcome, Purpose
    from .money import Money
    from .orders import Customer, Document, Order
    from .payments import Dispute, Fee, Payment, Payout, Refund
    from .quick import create_link

_HOMES = {
    "address": ("Address",),
    "checkout": ("Capture", "Checkout"),
    "client": ("AsyncPayByLink", "PayByLink"),
    "errors": (
        "AlreadyPaid",
        "ChannelError",
        "Fault",
        "IntegrityBreach",
        "InvalidInput",
        "LinkClosed",
        "MissingExtra",
        "NotFound",
        "NotSent",
        "OutcomeUnknown",
        "PaybylinkError",
        "ProviderError",
        "ReferenceConflict",
        "RefusedByThem",
        "RefusedByUs",
        "SettingsError",
        "StoreError",
        "UnsupportedCapability",
        "WebhookRejected",
    ),
    "kinds": ("HostedInvoice", "Invoice", "InvoiceBound", "Reusable", "SingleUse"),
    "lines": ("LineItem",),
    "links": ("LinkStatus", "Mode", "PaymentLink", "PendingLink"),
    "messages": ("Delivery", "Outcome", "Purpose"),
    "money": ("Money",),
    "orders": ("Customer", "Document", "Order"),
    "payments": ("Dispute", "Fee", "Payment", "Payout", "Refund"),
    "quick": ("create_link",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Address",
    "AlreadyPaid",
    "AsyncPayByLink",
    "Capture",
    "ChannelError",
    "Checkout",
    "create_link",
    "Customer",
    "Delivery",
    "Dispute",
    "Document",
    "Fault",
    "Fee",
    "HostedInvoice",
    "IntegrityBreach",
    "InvalidInput",
    "Invoice",
    "InvoiceBound",
    "LineItem",
    "LinkClosed",
    "LinkStatus",
    "MissingExtra",
    "Mode",
    "Money",
    "NotFound",
    "NotSent",
    "Order",
    "Outcome",
    "OutcomeUnknown",
    "PayByLink",
    "PaybylinkError",
    "Payment",
    "PaymentLink",
    "Payout",
    "PendingLink",
    "ProviderError",
    "Purpose",
    "ReferenceConflict",
    "Refund",
    "RefusedByThem",
    "RefusedByUs",
    "Reusable",
    "SettingsError",
    "SingleUse",
    "StoreError",
    "UnsupportedCapability",
    "WebhookRejected",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        if name == "__version__":
            from importlib.metadata import version

            return version("paybylink")
        msg = f"module 'paybylink' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value: object = getattr(import_module(f"paybylink.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
