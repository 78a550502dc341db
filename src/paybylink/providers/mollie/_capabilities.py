"""
What a Mollie account can do; the matrix in the documentation is made from it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from paybylink.providers.base import Capabilities, Feature, emulated, native, unsupported

#: `find_link` looks through so many pages of 250 before it says that it does not know.
MOST_FIND_PAGES: Final = 40

CAPABILITIES: Final[Capabilities] = MappingProxyType(
    {
        Feature.SINGLE_USE: native(
            "two payers at the checkout at once may both succeed; the second is an excess"
        ),
        Feature.REUSABLE: native(),
        Feature.MAX_PAYMENTS: emulated(
            "Mollie does not count: the link is closed once the last payment is known, so one that is under way "
            "then may still come"
        ),
        Feature.PAYER_CHOOSES: native(
            "without an amount to suggest; the currency is that of the least amount"
        ),
        Feature.INVOICE_BOUND: emulated(
            "a link for one payment of the whole open amount, with the invoice's number in front of its "
            "description; Mollie's links cannot be paid in parts"
        ),
        Feature.HOSTED_INVOICE: native(
            "a sales invoice, which Mollie numbers and does not send; the customer's email and address, and lines "
            "with VAT rates, are needed; due in 7, 14, 30, 45, 60, 90 or 120 days; it ends only when it is cancelled"
        ),
        Feature.EXPIRY: native(),
        Feature.CANCEL: native(
            "by archiving; whether a payer at the checkout can still finish is not documented"
        ),
        Feature.REOPEN: unsupported("not needed: a failed payment leaves Mollie's link as it was"),
        Feature.LINE_ITEMS: native(
            "left out where they do not add up to the amount, because VAT is rounded per rate and not per line, "
            "and where the payer chooses the amount"
        ),
        Feature.PREFILL: native(
            "name, email, postal address, and a phone number in international form; names that Mollie would "
            "refuse are left out"
        ),
        Feature.LANGUAGE: unsupported(
            "Mollie's page follows the payer's browser, so a customer's language is left to that; leave "
            "checkout.language out"
        ),
        Feature.RETURN_URL: native("of links; a sales invoice has none"),
        Feature.METADATA: emulated("Mollie's links have none, so it stays in our store"),
        Feature.ALLOW_METHODS: native("of links; a sales invoice offers what the account has switched on"),
        Feature.BLOCK_METHODS: unsupported(
            "Mollie takes a list of methods to offer and none to leave out; name those wanted in checkout.methods"
        ),
        Feature.STATEMENT: unsupported(
            "there is no text of its own for it: where the method can, Mollie shows the description"
        ),
        Feature.METHODS_FOR: native(),
        Feature.FIND_LINK: emulated(
            "Mollie has no search: the newest "
            f"{MOST_FIND_PAGES * 250:,} links are read and our mark in their addresses is compared; beyond, and "
            "for a link with neither an address for news nor a return address, the outcome stays unknown"
        ),
        Feature.PAYMENTS_OF_LINK: native(),
        Feature.FETCH_PAYMENT: native(),
        Feature.MANUAL_CAPTURE: unsupported("Mollie's links have no such field"),
        Feature.DELAYED_CAPTURE: unsupported("Mollie's links have no such field"),
        Feature.REFUND: native("not for gift cards and paysafecard"),
        Feature.PARTIAL_REFUND: native(),
        Feature.FIND_REFUND: native(),
        Feature.DISPUTES: native("chargebacks, which take the money at once; they cannot be answered here"),
        Feature.SETTLEMENTS: native(
            "with an organisation's access token (access_…), which has a right to balances"
        ),
        Feature.WEBHOOKS: native(
            "calls to a link's own address are not signed: they only say what to ask for, and nothing of them is "
            "believed; events of a webhook that was made in the dashboard are signed"
        ),
    }
)

#: With an API key, Mollie does not show balances.
OF_A_KEY: Final[Capabilities] = MappingProxyType(
    {
        **CAPABILITIES,
        Feature.SETTLEMENTS: unsupported(
            "Mollie shows balances to access tokens only; use one of the organisation (access_…) with profile_id"
        ),
    }
)
