"""A month of a small shop as values, for the tests of the books; every name in it is made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from paybylink.accounting.accounts import PCG, Accounts
from paybylink.accounting.booking import Claim, book_payment, book_refund
from paybylink.accounting.entries import Entry
from paybylink.accounting.ledger import LedgerLine, ledger_lines
from paybylink.kinds import Invoice, InvoiceBound, InvoiceType, LinkKind, SingleUse
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import Payment, PaymentFlag, PaymentStatus, Refund, RefundStatus

CREATED = dt.datetime(2026, 11, 30, 22, 0, tzinfo=dt.UTC)
#: customer_id → name, as the erasable table would have it.
NAMES = {"L42": "Zoé Martin", "L43": "Łukasz Kœnig"}


def moment(text: str) -> dt.datetime:
    """An aware UTC moment of November 2026 from ``"09 10:30"``."""
    return dt.datetime.strptime(f"2026-11-{text} +0000", "%Y-%m-%d %H:%M %z")


def invoice(number: str, amount: str, currency: str = "EUR", *, type: str = "invoice") -> InvoiceBound:  # noqa: A002
    return InvoiceBound(
        Invoice(number=number, open_amount=Money.of(amount, currency), type=InvoiceType(type))
    )


def payment(
    amount: str,
    currency: str = "EUR",
    *,
    vendor_id: str = "pi_1",
    at: str = "03 10:00",
    reference: str = "INV-1",
    flags: frozenset[PaymentFlag] = frozenset(),
    link_id: str | None = "L42",
    status: PaymentStatus = PaymentStatus.SUCCEEDED,
    provider: str = "stripe",
    part: str = "",
) -> Payment:
    return Payment(
        id=f"row-of-{vendor_id}",
        provider=provider,
        vendor_id=vendor_id,
        amount=Money.of(amount, currency),
        status=status,
        mode=Mode.TEST,
        at=moment(at),
        link_id=link_id,
        reference=reference,
        part=part,
        method="card",
        flags=flags,
    )


def refund(
    of: Payment,
    amount: str,
    *,
    vendor_id: str | None = "re_1",
    at: str = "09 09:00",
    reference: str = "",
    status: RefundStatus = RefundStatus.SUCCEEDED,
) -> Refund:
    return Refund(
        id=f"row-of-{vendor_id}",
        payment_id=of.id,
        provider=of.provider,
        amount=Money.of(amount, of.amount.currency),
        status=status,
        requested_at=moment(at),
        reference=reference,
        vendor_id=vendor_id,
    )


def claim(kind: LinkKind | None = None, *, code: str = "C0042", customer_id: str | None = "L42") -> Claim:
    return Claim(link_kind=kind, customer_code=code, customer_id=customer_id)


def booked(of: Payment, to: Claim, *, entry_id: str = "E1", accounts: Accounts = PCG) -> Entry:
    return book_payment(of, claim=to, accounts=accounts, entry_id=entry_id, created_at=CREATED)


def refunded(
    money: Refund, of: Payment, to: Claim, *, entry_id: str = "E2", accounts: Accounts = PCG
) -> Entry:
    return book_refund(money, of, claim=to, accounts=accounts, entry_id=entry_id, created_at=CREATED)


def rows(entries: Iterable[Entry]) -> Iterator[LedgerLine]:
    """The rows of `entries`, with the names joined as the store does."""
    for entry in entries:
        yield from ledger_lines(entry, aux_label=NAMES.get(entry.customer_id or "", ""))


def sides(entry: Entry) -> list[str]:
    """The lines of an entry as a bookkeeper writes them: ``51151 D 12000``, ``411/C0042 C 12000``."""
    return [
        f"{line.account}{'/' if line.aux else ''}{line.aux} "
        f"{'D' if line.debit_minor else 'C'} {line.debit_minor or line.credit_minor}"
        for line in entry.lines
    ]


SINGLE_USE = SingleUse()
