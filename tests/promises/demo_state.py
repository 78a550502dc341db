"""
What a demo has come to: by its own books, and by what the sandbox, which shares nothing with them, has seen.

Both are read from copies of their files, so that looking heals nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from paybylink import LinkStatus, Outcome, PayByLink
from paybylink.payments import PaymentStatus, RefundStatus
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox.engine import Engine

CLEARING = "51151"


@frozen(kw_only=True)
class OrderState:
    """
    What became of one order.

    Attributes:
        status: of its link.
        payments, refunds: by our books: amount, status, flags.
        links: at the provider; whether each is open.
        money: that the provider took: amount and status; attempts that failed are left out.
        returned: what the provider sent back.
        mails: how many its customer got.
        certain: whether we know what became of every mail; False where a run was killed between the two.
    """

    status: LinkStatus
    payments: tuple[tuple[str, str, tuple[str, ...]], ...]
    refunds: tuple[tuple[str, str], ...]
    links: tuple[bool, ...]
    money: tuple[tuple[int, str, str], ...]
    returned: tuple[int, ...]
    mails: int
    certain: bool


@frozen(kw_only=True)
class DemoState:
    """
    Everything that two runs are compared by.

    Attributes:
        orders: by reference.
        books: what each account stands at, by account and currency.
        taken: what the provider holds for the merchant, by currency: payments that succeeded without refunds.
    """

    orders: Mapping[str, OrderState]
    books: Mapping[tuple[str, str], int]
    taken: Mapping[str, int]


@contextmanager
def looked_at(folder: Path) -> Iterator[tuple[PayByLink, Engine]]:
    """The books and the sandbox of a demo that does not run, as copies."""
    with tempfile.TemporaryDirectory() as copies:
        for name in ("demo.db", "demo.db-wal", "sandbox.db", "sandbox.db-wal"):
            if (folder / name).exists():
                _ = shutil.copy(folder / name, copies)
        # Nobody is asked: reading the books needs no provider that answers.
        provider = StripeProvider("sk_test_nobody", base_url="http://127.0.0.1:9/stripe")
        pay = PayByLink(providers=[provider], store=f"sqlite:///{copies}/demo.db")
        with pay, Engine(f"{copies}/sandbox.db") as sandbox:
            yield pay, sandbox


def state_of(folder: Path) -> DemoState:
    """The state of the demo in `folder`."""
    with looked_at(folder) as (pay, sandbox):
        mails = Counter(address for mail in sandbox.find("mail") for address in mail["recipients"])
        intents = {intent["id"]: intent for intent in sandbox.find("payment_intent")}
        refunds = [refund for refund in sandbox.find("refund") if refund["status"] == "succeeded"]
        links = sandbox.find("payment_link")
        orders: dict[str, OrderState] = {}
        for link in pay.links():
            reference = link.order.reference
            payments = list(pay.payments(link=link))
            deliveries = pay.deliveries(link)
            theirs = {
                intent["id"]: intent
                for intent in intents.values()
                if intent["metadata"].get("paybylink_reference") == reference
            }
            orders[reference] = OrderState(
                status=link.status,
                payments=tuple(
                    sorted(
                        (str(each.amount), str(each.status), tuple(sorted(map(str, each.flags))))
                        for each in payments
                    )
                ),
                refunds=tuple(
                    (str(refund.amount), str(refund.status))
                    for payment in payments
                    for refund in pay.refunds(payment)
                ),
                links=tuple(
                    each["active"]
                    for each in links
                    if each["metadata"].get("paybylink_reference") == reference
                ),
                money=tuple(
                    sorted(
                        (intent["amount"], intent["currency"], intent["status"])
                        for intent in theirs.values()
                        if intent["status"] in ("succeeded", "processing")
                    )
                ),
                returned=tuple(refund["amount"] for refund in refunds if refund["payment_intent"] in theirs),
                mails=mails[deliveries[0].recipient] if deliveries else 0,
                certain=all(delivery.outcome is not Outcome.UNKNOWN for delivery in deliveries),
            )
        taken = Counter[str]()
        for intent in intents.values():
            if intent["status"] == "succeeded":
                taken[intent["currency"].upper()] += intent["amount"]
        for refund in refunds:
            taken[refund["currency"].upper()] -= refund["amount"]
        books = {(line.account, line.currency): line.minor for line in pay.balance()}
        return DemoState(orders=orders, books=books, taken=taken)


def phase_of(folder: Path, whole: DemoState) -> str:
    """How far a demo that was killed had come, measured against one that was not."""
    if not ((folder / "demo.db").exists() and (folder / "sandbox.db").exists()):
        return "before anything"
    with looked_at(folder) as (pay, sandbox):
        links = list(pay.links())
        payments = [each for each in pay.payments() if each.status is PaymentStatus.SUCCEEDED]
        back = [refund for each in payments for refund in pay.refunds(each)]
        mails = len(sandbox.find("mail"))
        intents = sum(intent["status"] == "succeeded" for intent in sandbox.find("payment_intent"))
    known = sum(status == "succeeded" for order in whole.orders.values() for _, status, _ in order.payments)
    taken = sum(status == "succeeded" for order in whole.orders.values() for _, _, status in order.money)
    if not links:
        return "before the first link"
    if len(links) < len(whole.orders) or mails < sum(order.mails for order in whole.orders.values()):
        return "links and mails"
    if intents < taken:
        return "people pay"
    if len(payments) < known:
        return "money arrives"
    if not any(refund.status is RefundStatus.SUCCEEDED for refund in back):
        return "refund"
    return "all done"
