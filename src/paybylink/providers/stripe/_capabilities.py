"""
What a Stripe account can do, feature by feature; the matrix in the documentation is made from it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from paybylink.providers.base import Capabilities, Feature, emulated, native, unsupported

PAGE: Final = 100
#: `find_link` looks through so many pages of links before it says that it does not know.
MOST_LINK_PAGES: Final = 50

#: Why methods cannot be left out, but on a Checkout Session.
NO_BLOCKING: Final = (
    "a payment link takes only the methods it offers; name those in checkout.methods, or switch the others off in "
    "the Dashboard. Single-use links that end within 24 hours and have a return_url can leave methods out"
)

CAPABILITIES: Final[Capabilities] = MappingProxyType(
    {
        Feature.SINGLE_USE: native(),
        Feature.REUSABLE: native(),
        Feature.MAX_PAYMENTS: native("a delayed payment that fails in the end is counted all the same"),
        Feature.PAYER_CHOOSES: native("the order's lines are not shown"),
        Feature.INVOICE_BOUND: emulated(
            "a link for one payment of the whole open amount, with the invoice's number in what the payer reads and "
            "in its metadata; Stripe links cannot be paid in parts"
        ),
        Feature.HOSTED_INVOICE: native(
            "needs the customer's name and email; Stripe sends no email, and its address is read anew before use, "
            "since it changes"
        ),
        Feature.EXPIRY: emulated(
            "Stripe's links do not end by themselves: run_due closes them once their time has come, so as exactly "
            "as it runs; behind a public URL they end at once; both need a store. A single-use link that ends within "
            "24 hours and has a return_url is a Checkout Session, which ends by itself"
        ),
        Feature.CANCEL: native(),
        Feature.REOPEN: native(
            "not a link that ends within 24 hours, nor an invoice, which stays open anyway"
        ),
        Feature.LINE_ITEMS: native(),
        Feature.PREFILL: native("the email only; on a payment link it stands in the address"),
        Feature.LANGUAGE: native("an invoice is written in it; its page may follow the payer's browser"),
        Feature.RETURN_URL: native("not on an invoice"),
        Feature.METADATA: native(),
        Feature.ALLOW_METHODS: native("a wallet comes with card"),
        Feature.BLOCK_METHODS: native(NO_BLOCKING),
        Feature.STATEMENT: native("as a suffix to the account's own; without < > \\ ' \" and *"),
        Feature.METHODS_FOR: unsupported(
            "Stripe decides on the page, by the payer's country, device and the Dashboard's settings"
        ),
        Feature.FIND_LINK: emulated(
            f"Stripe has no search for links: the newest {MOST_LINK_PAGES * PAGE:,} are read and their metadata is "
            "compared; beyond, the outcome stays unknown"
        ),
        Feature.PAYMENTS_OF_LINK: native(),
        Feature.FETCH_PAYMENT: native(),
        Feature.MANUAL_CAPTURE: native(
            "not on an invoice; cards forget it after 7 days, unless the account has another time"
        ),
        Feature.DELAYED_CAPTURE: unsupported("Stripe takes money at once, or when capture is called"),
        Feature.REFUND: native(),
        Feature.PARTIAL_REFUND: native(),
        Feature.FIND_REFUND: native(),
        Feature.DISPUTES: native(),
        Feature.SETTLEMENTS: native("a movement does not say by which payout it was paid out; a payout does"),
        Feature.WEBHOOKS: native(),
    }
)
