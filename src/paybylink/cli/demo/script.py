"""
What is played: links, mails, payments, a refund, and the wait until the books know of all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import httpx
from attrs import frozen
from rich.progress import Progress

from paybylink.cli.order_sheet import OrderSheet, SheetOrder
from paybylink.client import PayByLink
from paybylink.links import PaymentLink
from paybylink.messages import Delivery, Outcome
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus, Refund, RefundStatus
from paybylink.sandbox import SandboxError

from .payer import PLAN, Payers
from .stage import API_KEY, Stage

log = logging.getLogger("paybylink.demo")

#: Which order gets a part of its money back, how much, and under which number of the credit note.
REFUND_OF, REFUND_AMOUNT, CREDIT_NOTE = "CMD-2026-102", Money(4800, "EUR"), "AV-2026-001"
#: How long webhooks may take before the provider is asked instead.
_PATIENCE_SECONDS = 8.0


@frozen(kw_only=True)
class Played:
    """
    What became of one order.

    Attributes:
        link: as it stands at the end.
        delivery: its mail; None for a link that anybody may pay.
        payments, refunds: its money.
    """

    link: PaymentLink
    delivery: Delivery | None
    payments: Sequence[Payment]
    refunds: Sequence[Refund]


def play(stage: Stage, sheet: OrderSheet, progress: Progress) -> list[Played]:
    """The whole journey of every order of the sheet."""
    pay = stage.pay
    # Whatever a killed run had begun comes first.
    _ = pay.run_due()
    links = _hand_out(stage, sheet.orders, progress)
    _collect(stage, links, progress)
    _refund(stage, links)
    return [_played(pay, reference) for reference in links]


def _hand_out(stage: Stage, orders: Sequence[SheetOrder], progress: Progress) -> dict[str, PaymentLink]:
    pay = stage.pay
    links: dict[str, PaymentLink] = {}
    for each in progress.track(orders, description="links and mails"):
        link = pay.create_link(each.order, kind=each.kind)
        if link.payable and each.order.customer is not None and each.order.customer.email:
            delivery = pay.send(link, via="email")
            if delivery.outcome is Outcome.UNKNOWN:
                _look_after(stage, link, delivery)
        links[each.order.reference] = link
    return links


def _look_after(stage: Stage, link: PaymentLink, first: Delivery) -> None:
    """
    What a merchant does about a mail of which nobody knows whether it left, because a run was killed meanwhile.

    It is never sent again by itself; but whoever can look into the mailbox may decide to.
    """
    every = stage.pay.deliveries(link)
    arrived = any(first.recipient in mail.recipients for mail in stage.sandbox.control.mails())
    if every[-1].outcome is Outcome.UNKNOWN and not arrived:
        _ = stage.pay.resend(first, key=f"nothing-arrived-{len(every)}")


def _collect(stage: Stage, links: dict[str, PaymentLink], progress: Progress) -> None:
    pay = stage.pay
    planned = {reference: PLAN[reference] for reference in links if reference in PLAN}
    with httpx.Client(timeout=10, trust_env=False) as http:
        payers = Payers(http, stage.sandbox.url, stage.sandbox.stripe_url, API_KEY)
        for reference in progress.track(planned, description="people pay"):
            _ = payers.pay(links[reference], planned[reference])
    _hear(stage)
    for reference in progress.track(planned, description="money arrives"):
        if not _told(pay, reference, planned[reference]):
            # Its webhook is lost or late: ask the provider.
            _ = pay.refresh(links[reference])


def _hear(stage: Stage) -> None:
    """Wait until every webhook was taken, but not for ever."""
    try:
        _ = stage.sandbox.control.flush_webhooks(seconds=_PATIENCE_SECONDS)
    except SandboxError:
        log.warning("some webhooks did not arrive in time; the provider is asked instead")
    # What came before the news that it builds on is taken up now.
    _ = stage.pay.run_due()


def _told(pay: PayByLink, reference: str, attempts: Sequence[str]) -> bool:
    """Whether we know of every payment that was made."""
    link = pay.link(reference)
    assert link is not None
    found = list(pay.payments(link=link))
    money = sum(payment.status is PaymentStatus.SUCCEEDED for payment in found)
    waiting = sum(payment.status is PaymentStatus.PROCESSING for payment in found)
    unsettled = sum(attempt.endswith("not settled") for attempt in attempts)
    certain = sum(attempt != "declined" for attempt in attempts) - unsettled
    return money >= certain and money + waiting >= certain + unsettled


def _refund(stage: Stage, links: dict[str, PaymentLink]) -> None:
    pay, link = stage.pay, links.get(REFUND_OF)
    paid = [] if link is None else [p for p in pay.payments(link=link) if p.status is PaymentStatus.SUCCEEDED]
    if link is None or not paid:
        return
    _ = pay.refund(paid[0], amount=REFUND_AMOUNT, reference=CREDIT_NOTE, reason="Vingt faire-part abîmés")
    _hear(stage)
    if any(refund.status is RefundStatus.PENDING for refund in pay.refunds(paid[0])):
        _ = pay.refresh(link)


def _played(pay: PayByLink, reference: str) -> Played:
    link = pay.link(reference)
    assert link is not None
    deliveries = pay.deliveries(link)
    payments = list(pay.payments(link=link))
    refunds = [refund for payment in payments for refund in pay.refunds(payment)]
    return Played(
        link=link, delivery=deliveries[-1] if deliveries else None, payments=payments, refunds=refunds
    )
