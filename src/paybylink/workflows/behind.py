"""
What a payment does behind its link: which link at a provider it came by, and what has to be closed there.
"""

from __future__ import annotations

from attrs import evolve

from paybylink.flow import Flow, Step
from paybylink.kinds import Reusable
from paybylink.links import LinkStatus, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.payments import PaymentStatus
from paybylink.providers.base import Feature, PaymentNotice, Support

from .merchant import Merchant


def behind_of(link: PaymentLink, notice: PaymentNotice) -> ProviderLink | None:
    """The open link at the provider by which a payment came; None where that is not told."""
    for behind in link.provider_links:
        named = behind.id == notice.attempt_id or behind.vendor_id == (notice.link_vendor_id or None)
        if behind.status is ProviderLinkStatus.OPEN and named and behind.vendor_id is not None:
            return behind
    return None


def closings(merchant: Merchant, link: PaymentLink, paid_by: ProviderLink | None) -> tuple[Step, ...]:
    """
    Whatever could still be paid behind a link that is paid is to be closed; the next pass does it.

    What took the payment closes by itself, unless its provider cannot count.
    """
    if link.status is not LinkStatus.PAID:
        return ()
    steps: list[Step] = []
    for behind in link.provider_links:
        if behind.status is not ProviderLinkStatus.OPEN:
            continue
        if paid_by is not None and behind.id == paid_by.id and _counts(merchant, link, behind):
            continue
        closing = evolve(behind, status=ProviderLinkStatus.CLOSING)
        steps.append(
            merchant.store.update_provider_link(
                link.id, closing, was=ProviderLinkStatus.OPEN, close_key=merchant.identifiers.key()
            )
        )
    return tuple(steps)


def _counts(merchant: Merchant, link: PaymentLink, behind: ProviderLink) -> bool:
    """Whether the provider itself takes no payment more than was asked for."""
    if not isinstance(link.kind, Reusable):
        return True
    can = merchant.provider(behind.provider).capabilities[Feature.MAX_PAYMENTS]
    return can.support is Support.NATIVE


def named(
    merchant: Merchant, link: PaymentLink, notice: PaymentNotice, *, full: bool
) -> Flow[tuple[Step, ...]]:
    """
    A payment has come by a link whose making was not answered: it exists, and this is its id.

    Args:
        full: whether the payment was the last one; a link whose provider cannot count is then to be closed.
    """
    for behind in link.provider_links:
        unanswered = behind.status is ProviderLinkStatus.ASKED and behind.vendor_id is None
        if unanswered and behind.id == notice.attempt_id and notice.link_vendor_id:
            taken = yield from merchant.store.link_of_vendor(behind.provider, notice.link_vendor_id)
            if taken is not None:
                return ()
            named, key = evolve(behind, vendor_id=notice.link_vendor_id), None
            if full and not _counts(merchant, link, behind):
                named, key = evolve(named, status=ProviderLinkStatus.CLOSING), merchant.identifiers.key()
            return (
                merchant.store.update_provider_link(
                    link.id, named, was=ProviderLinkStatus.ASKED, close_key=key
                ),
            )
    return ()


def money_under_way(merchant: Merchant, link: PaymentLink) -> Flow[bool]:
    """Whether money may come by a payment that has begun."""
    payments = yield from merchant.store.payments(link_id=link.id)
    return any(each.status in (PaymentStatus.PROCESSING, PaymentStatus.AUTHORISED) for each in payments)
