"""
What a provider can do, feature by feature.

A feature is native, emulated (then `how` says how, and the meaning is the same) or unsupported (then `how` says why).
The matrix in the documentation is made from these, and `UnsupportedCapability` is raised from them before anything
is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from paybylink.errors import UnsupportedCapability


class Support(StrEnum):
    """How far a provider supports a feature."""

    NATIVE = "native"  #: the provider does it itself
    EMULATED = "emulated"  #: we do it, with the same meaning
    UNSUPPORTED = "unsupported"  #: it cannot be had; asking raises `UnsupportedCapability`


class Feature(StrEnum):
    """What a provider may or may not be able to do."""

    SINGLE_USE = "single_use"  #: a link that takes one payment
    REUSABLE = "reusable"  #: a link that takes many
    MAX_PAYMENTS = "max_payments"  #: a reusable link that takes at most so many
    PAYER_CHOOSES = "payer_chooses"  #: a reusable link on which the payer types the amount
    INVOICE_BOUND = "invoice_bound"  #: a link that carries an invoice's number
    HOSTED_INVOICE = "hosted_invoice"  #: an invoice that the provider itself makes
    EXPIRY = "expiry"  #: a link that ends by itself
    CANCEL = "cancel"  #: closing a link
    REOPEN = "reopen"  #: opening a link again that a failed payment has used up
    LINE_ITEMS = "line_items"  #: showing what is sold, line by line
    PREFILL = "prefill"  #: filling in the customer's email and address
    LANGUAGE = "language"  #: the language of the payment page
    RETURN_URL = "return_url"  #: where the payer may go afterwards
    METADATA = "metadata"  #: the host's own words on the payment
    ALLOW_METHODS = "allow_methods"  #: offering some payment methods only
    BLOCK_METHODS = "block_methods"  #: not offering some
    STATEMENT = "statement"  #: a text on the payer's bank statement
    METHODS_FOR = "methods_for"  #: telling which methods would be offered
    FIND_LINK = "find_link"  #: asking whether a link was made, after an answer was lost
    PAYMENTS_OF_LINK = "payments_of_link"  #: asking for the payments of a link
    FETCH_PAYMENT = "fetch_payment"  #: asking for one payment
    MANUAL_CAPTURE = "manual_capture"  #: reserving money and taking it later
    DELAYED_CAPTURE = "delayed_capture"  #: reserving money that is taken by itself after a while
    REFUND = "refund"  #: sending money back
    PARTIAL_REFUND = "partial_refund"  #: sending a part of it back
    FIND_REFUND = "find_refund"  #: asking whether a refund was made, after an answer was lost
    DISPUTES = "disputes"  #: telling that a payer contests a payment
    SETTLEMENTS = "settlements"  #: telling fees and payouts
    WEBHOOKS = "webhooks"  #: being told, in a way that can be trusted


@frozen
class Capability:
    """
    How one feature is supported.

    Attributes:
        support: native, emulated or not at all.
        how: how it is emulated, or why it cannot be had; a restriction where a native feature has one.
    """

    support: Support
    how: str = ""


Capabilities: TypeAlias = Mapping[Feature, Capability]


def native(restriction: str = "") -> Capability:
    """A feature that the provider has itself."""
    return Capability(Support.NATIVE, restriction)


def emulated(how: str) -> Capability:
    """A feature that we make of others, with the same meaning."""
    return Capability(Support.EMULATED, how)


def unsupported(why: str) -> Capability:
    """A feature that cannot be had."""
    return Capability(Support.UNSUPPORTED, why)


def need(capabilities: Capabilities, feature: Feature, *, who: str) -> None:
    """
    Return if the provider called `who` has the feature.

    Raises:
        UnsupportedCapability: it has not, with the reason.
    """
    capability = capabilities[feature]
    if capability.support is Support.UNSUPPORTED:
        raise UnsupportedCapability(who, feature.replace("_", " "), capability.how)
