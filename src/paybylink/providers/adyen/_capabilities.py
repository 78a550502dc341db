"""
What an Adyen account can do, feature by feature; the matrix in the documentation is made from it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from paybylink.providers.base import Capabilities, Feature, emulated, native, unsupported

_NOT_ASKED: Final = (
    "Adyen has no way to ask for it; it is told by webhook only, so a webhook has to be set up"
)

CAPABILITIES: Final[Capabilities] = MappingProxyType(
    {
        Feature.SINGLE_USE: native("one success; whoever has the address can pay"),
        Feature.REUSABLE: native("ends after 70 days at the latest"),
        Feature.MAX_PAYMENTS: emulated(
            "Adyen's reusable links count nothing: the link is closed once a webhook has told the last payment, so "
            "payments that come in between are kept and flagged"
        ),
        Feature.PAYER_CHOOSES: unsupported("Adyen's links always have an amount"),
        Feature.INVOICE_BOUND: emulated(
            "a single-use link for the whole open amount, with the invoice's number in its description and in "
            "merchantOrderReference; Adyen's links cannot be paid in parts"
        ),
        Feature.HOSTED_INVOICE: unsupported("Adyen makes no invoices; use an invoice of your own"),
        Feature.EXPIRY: native(
            "up to 70 days; a later end needs a store, run_due and a public URL, behind which the link is renewed"
        ),
        Feature.CANCEL: native(),
        Feature.REOPEN: unsupported(
            "an expired link stays so; renew makes a new one behind the same public URL. A failed attempt uses no "
            "link up"
        ),
        Feature.LINE_ITEMS: native(
            "handed to methods that bill the payer later; the page shows the description"
        ),
        Feature.PREFILL: native("not on reusable links; a name of one word is left out"),
        Feature.LANGUAGE: native("a language without a country gets the most usual one"),
        Feature.RETURN_URL: native("behind a button; the payer is not sent there by itself"),
        Feature.METADATA: native("not with the name checkout.linkId"),
        Feature.ALLOW_METHODS: native(),
        Feature.BLOCK_METHODS: native(),
        Feature.STATEMENT: native("a-z, A-Z, 0-9, spaces and . , ' _ - ? + * / only"),
        Feature.METHODS_FOR: native(),
        Feature.FIND_LINK: unsupported(
            "Adyen lists no links: the outcome stays unknown until a payment names the link, its time has passed, "
            "or a person decides"
        ),
        Feature.PAYMENTS_OF_LINK: unsupported(_NOT_ASKED),
        Feature.FETCH_PAYMENT: unsupported(_NOT_ASKED),
        Feature.MANUAL_CAPTURE: native(
            "methods that reserve nothing, such as ideal, take the money at once all the same; the outcome of a "
            "capture is told by webhook"
        ),
        Feature.DELAYED_CAPTURE: native(
            "whole hours, up to 28 days; switch the CAPTURE event on for the webhook, which tells that it was taken"
        ),
        Feature.REFUND: native("the outcome is told by webhook"),
        Feature.PARTIAL_REFUND: native(),
        Feature.FIND_REFUND: unsupported(_NOT_ASKED),
        Feature.DISPUTES: native("told by webhook only"),
        Feature.SETTLEMENTS: unsupported(
            "Adyen lists no balance: set report_user and report_password, by which the settlement details reports "
            "are read batch by batch, or give a downloaded one to paybylink.providers.adyen.read_settlement"
        ),
        Feature.WEBHOOKS: native(),
    }
)

#: With a user for reports.
WITH_REPORTS: Final[Capabilities] = MappingProxyType(
    {
        **CAPABILITIES,
        Feature.SETTLEMENTS: emulated(
            "the settlement details reports are downloaded, one for each payout, from report_first_batch on"
        ),
    }
)
