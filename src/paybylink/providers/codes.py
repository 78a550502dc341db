"""
The standard codes: one word for the same refusal at every provider.

Each has a meaning: whether the same request may succeed later, whether money may have moved although the answer was
no, and whose move it is. An adapter maps every refusal of its vendor onto one of these; what it does not know
becomes `refused`, with the vendor's own word kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import frozen

from paybylink.errors import ProviderError


class Whose(StrEnum):
    """Who can do something about it."""

    MERCHANT = "merchant"  #: in the settings, or in the provider's dashboard
    CALLER = "caller"  #: whoever wrote the order or the call
    PAYER = "payer"  #: whoever was asked to pay
    PROVIDER = "provider"  #: nobody here: wait


@frozen
class Meaning:
    """
    What a standard code means.

    Attributes:
        told: a sentence for people: what is wrong, and what to do.
        whose: whose move it is.
        retryable: the same request may succeed later.
        moved: money may have moved all the same; look before asking anew.
    """

    told: str
    whose: Whose
    retryable: bool = False
    moved: bool = False


CODES: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "unauthorised": Meaning(
            "the API key was not accepted; copy it again from the provider's dashboard into the settings",
            Whose.MERCHANT,
        ),
        "forbidden": Meaning(
            "the key lacks a right that this needs; grant it in the provider's dashboard", Whose.MERCHANT
        ),
        "account_restricted": Meaning(
            "the account cannot do this yet; finish its activation in the provider's dashboard",
            Whose.MERCHANT,
        ),
        "wrong_mode": Meaning(
            "the object is of the other mode; use the key of the mode in which it was made", Whose.MERCHANT
        ),
        "misconfigured": Meaning(
            "a setting of the account is missing or wrong; correct it in the provider's dashboard",
            Whose.MERCHANT,
        ),
        "not_found": Meaning(
            "there is no such object; check that the key is of the same account and mode as the link",
            Whose.CALLER,
        ),
        "invalid_request": Meaning(
            "the request was not accepted; correct what it names, or look it up in the provider's logs",
            Whose.CALLER,
        ),
        "amount_too_small": Meaning(
            "the amount is below what the provider takes in this currency; ask for more", Whose.CALLER
        ),
        "amount_too_large": Meaning(
            "the amount is above what the provider takes; split the order in parts", Whose.CALLER
        ),
        "currency_unsupported": Meaning(
            "the account does not take this currency; use another one, or switch it on at the provider",
            Whose.CALLER,
        ),
        "method_unavailable": Meaning(
            "no payment method fits the order, or one that was named is not switched on", Whose.MERCHANT
        ),
        "wrong_state": Meaning(
            "it is not in a state in which this can be done; read it again first", Whose.CALLER
        ),
        "insufficient_funds": Meaning(
            "the balance at the provider does not cover it yet; top it up or call again later",
            Whose.MERCHANT,
            retryable=True,
        ),
        "already_refunded": Meaning(
            "the payment has been sent back before; nothing is left to refund", Whose.CALLER, moved=True
        ),
        "refund_too_large": Meaning(
            "more is asked for than is left to refund; refund the rest", Whose.CALLER
        ),
        "disputed": Meaning(
            "the payer contests the payment; answer the dispute in the provider's dashboard instead",
            Whose.MERCHANT,
            moved=True,
        ),
        "declined": Meaning("the payment was declined", Whose.PAYER),
        "rate_limited": Meaning(
            "too many requests at once; call again in a moment", Whose.PROVIDER, retryable=True
        ),
        "conflict": Meaning(
            "another request works on the same object; call again in a moment",
            Whose.PROVIDER,
            retryable=True,
            moved=True,
        ),
        "idempotency_conflict": Meaning(
            "the same key was used with other content before; look the request up at the provider before anything "
            "is made anew",
            Whose.CALLER,
            moved=True,
        ),
        "unavailable": Meaning(
            "the provider has a problem; call again later", Whose.PROVIDER, retryable=True, moved=True
        ),
        "unreadable": Meaning(
            "the answer could not be read; check that nothing stands between this machine and the provider, then "
            "call again",
            Whose.PROVIDER,
            retryable=True,
            moved=True,
        ),
        "unexpected_answer": Meaning(
            "the answer is none of the provider's; check the base address and any proxy", Whose.MERCHANT
        ),
        "refused": Meaning("the request was refused; look it up in the provider's dashboard", Whose.MERCHANT),
    }
)


def refusal_of(
    standard_code: str,
    *,
    who: str,
    told: str = "",
    about: str = "",
    vendor_code: str | None = None,
    request_id: str | None = None,
    status: int | None = None,
    documentation: str | None = None,
) -> ProviderError:
    """
    The error for one standard code.

    Args:
        who: the provider's name.
        told: a better sentence than the table's, where the vendor allows one.
        about: the field at fault, in the vendor's words.
        vendor_code, request_id, status, documentation: see `ProviderError`.

    Raises:
        KeyError: no such code.
    """
    meaning = CODES[standard_code]
    return ProviderError(
        f"{told or meaning.told}{f' ({about})' if about else ''}",
        who=who,
        standard_code=standard_code,
        vendor_code=vendor_code,
        request_id=request_id,
        retryable=meaning.retryable,
        status=status,
        documentation=documentation,
    )
