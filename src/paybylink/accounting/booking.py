"""
Booking: what happened → the entry that says so. Pure; ids and times come in, nothing is read or written.

Rule 1: gross. What the payer paid is debited to the provider's clearing account, which mirrors the balance that
        the provider keeps for the merchant; fees and payouts are entries of their own.
Rule 2: collections only. The sale and its VAT are booked by the invoicing software; we settle the claim.
Rule 3: what is credited says what is known:

        an invoice, or a deposit invoice            `customers`    (411, with the customer's code)
        a quote                                     `deposits`     (4191: a claim, and not revenue)
        no invoice; no link of ours; a payment      `unallocated`  (471: to be allocated by a person)
        flagged late, excess or mismatch

Rule 4: a refund goes the way its payment came, with the same accounts on the other sides. A refund that comes
        back is reversed, and not deleted.
Rule 5: the booking day is the provider's moment in the merchant's time zone.
Rule 6: an entry is in the currency of its payment. While no rate is known there is no honest amount in the
        book currency, so none is invented: the entry stands and balances in its own currency. An export into
        the book currency takes it with a rate that the merchant supplies, or lists it as left out.
"""

from __future__ import annotations

import datetime as dt

from attrs import frozen

from paybylink.errors import InvalidInput
from paybylink.kinds import InvoiceBound, InvoiceType, LinkKind
from paybylink.links import PaymentLink
from paybylink.money import Money
from paybylink.payments import Payment, PaymentStatus, Refund, RefundStatus

from .accounts import Accounts
from .entries import LABEL_LIMIT, PIECE_LIMIT, Entry, Line, entry_key, plain, reversal

_CODE_LIMIT = 40


@frozen(kw_only=True)
class Claim:
    """
    What a payment was for, as far as the books must know.

    Attributes:
        link_kind: of the link it came by; None if no link of ours explains it.
        invoice_number: of the host's invoice; empty without one. An `InvoiceBound` kind brings its own.
        customer_code: the auxiliary account; empty if there is none. Never a name.
        customer_id: the row that keeps the name, i.e. the link's id; None if nobody was named.
    """

    link_kind: LinkKind | None = None
    invoice_number: str = ""
    customer_code: str = ""
    customer_id: str | None = None

    @classmethod
    def of(cls, link: PaymentLink | None, *, invoice_number: str = "") -> Claim:
        """The claim behind `link`, whose id leads to the customer; `invoice_number` if its kind has none."""
        if link is None:
            return cls()
        customer = link.order.customer
        return cls(
            link_kind=link.kind,
            invoice_number=invoice_number,
            customer_code="" if customer is None else customer.code,
            customer_id=None if customer is None else link.id,
        )

    @property
    def number(self) -> str:
        """The invoice's number; empty without an invoice."""
        return (
            self.link_kind.invoice.number if isinstance(self.link_kind, InvoiceBound) else self.invoice_number
        )


def book_payment(
    payment: Payment, *, claim: Claim, accounts: Accounts, entry_id: str, created_at: dt.datetime
) -> Entry:
    """
    The entry of a payment that succeeded: from what it settles to the clearing account.

    Args:
        payment: the key is ``provider|vendor id|payment``.
        claim: what it was for; its invoice's number is the piece, else the order's reference.
        accounts: the merchant's chart.
        entry_id: of the new row.
        created_at: when the entry is written; aware UTC.

    Raises:
        InvalidInput: the payment has not succeeded, is of no money, or its moment has no zone.
    """
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise InvalidInput.single("payment.status", f"is {payment.status}", "book it once it has succeeded")
    return _entry(
        payment,
        "payment",
        payment.amount,
        accounts.clearing_for(payment.provider),
        settled_account(payment, claim, accounts),
        key=entry_key(payment.provider, payment.vendor_id, "payment"),
        journal=accounts.journal,
        at=payment.at,
        piece="",
        claim=claim,
        accounts=accounts,
        entry_id=entry_id,
        created_at=created_at,
    )


def book_refund(
    refund: Refund,
    payment: Payment,
    *,
    claim: Claim,
    accounts: Accounts,
    entry_id: str,
    created_at: dt.datetime,
    at: dt.datetime | None = None,
) -> Entry:
    """
    The entry of a refund that succeeded: from the clearing account to what its payment had settled.

    Args:
        refund: the key is ``provider|vendor id|refund``; its own reference (the credit note) is the piece, else
            the piece is the payment's.
        payment: what it gives back.
        claim, accounts, entry_id, created_at: as for `book_payment`.
        at: the provider's moment; when the refund was asked for if left out. Aware.

    Raises:
        InvalidInput: the refund has not succeeded, has no vendor id, is of no money, or is not of this payment.
    """
    if refund.status is not RefundStatus.SUCCEEDED:
        raise InvalidInput.single("refund.status", f"is {refund.status}", "book it once it has succeeded")
    if refund.payment_id != payment.id or refund.amount.currency != payment.amount.currency:
        raise InvalidInput.single("refund.payment_id", "is of another payment", "give the payment it refunds")
    return _entry(
        payment,
        "refund",
        refund.amount,
        settled_account(payment, claim, accounts),
        accounts.clearing_for(payment.provider),
        key=_refund_key(refund, "refund"),
        journal=accounts.journal,
        at=at or refund.requested_at,
        piece=refund.reference,
        claim=claim,
        accounts=accounts,
        entry_id=entry_id,
        created_at=created_at,
    )


def book_refund_failed(
    booked: Entry,
    refund: Refund,
    *,
    accounts: Accounts,
    entry_id: str,
    created_at: dt.datetime,
    at: dt.datetime | None = None,
) -> Entry:
    """
    The reversal of a refund's entry, for money that came back after the provider had said that it went.

    Args:
        booked: the entry that `book_refund` made.
        refund: the refund, now failed; the key is ``provider|vendor id|refund_failed``.
        accounts, entry_id, created_at: as for `book_payment`.
        at: the provider's moment; `created_at` if left out. Aware.

    Raises:
        InvalidInput: the refund has not failed, or the entry is not of this refund.
    """
    if refund.status is not RefundStatus.FAILED:
        raise InvalidInput.single("refund.status", f"is {refund.status}", "undo it once it has failed")
    if booked.key != _refund_key(refund, "refund"):
        raise InvalidInput.single("booked", "is the entry of something else", "give the entry of this refund")
    told = booked.label.removeprefix(accounts.words["refund"]).strip()
    return reversal(
        booked,
        entry_id=entry_id,
        key=_refund_key(refund, "refund_failed"),
        date=_day("at", at or created_at, accounts),
        created_at=created_at,
        label=plain(f"{accounts.words['refund_failed']} {told}", limit=LABEL_LIMIT),
    )


def book_rounding(
    payment: Payment,
    difference: Money,
    *,
    account: str,
    claim: Claim,
    accounts: Accounts,
    entry_id: str,
    created_at: dt.datetime,
) -> Entry:
    """
    The entry that writes off a small difference of one payment, because a person or a rule of theirs said so.

    Args:
        payment: whose difference it is; the key is ``provider|vendor id|rounding``, so there is one per payment.
        difference: more than zero if too much came, less if too little.
        account: where it stands: `Accounts.customers`, or what `settled_account` says of a flagged payment.
        claim, accounts, entry_id, created_at: as for `book_payment`; the day is that of `created_at`.

    Raises:
        InvalidInput: the difference is zero or in another currency than the payment.
    """
    currency = payment.amount.currency
    if difference.is_zero or difference.currency != currency:
        raise InvalidInput.single("difference", f"is {difference}", f"give what is too much, in {currency}")
    sides = (account, accounts.rounding_gain)
    if difference.minor < 0:
        difference, sides = -difference, (accounts.rounding_loss, account)
    return _entry(
        payment,
        "rounding",
        difference,
        *sides,
        key=entry_key(payment.provider, payment.vendor_id, "rounding"),
        journal=accounts.other_journal,
        at=created_at,
        piece="",
        claim=claim,
        accounts=accounts,
        entry_id=entry_id,
        created_at=created_at,
    )


def settled_account(payment: Payment, claim: Claim, accounts: Accounts) -> str:
    """The account that `payment` credits (rule 3); a refund of it debits the same."""
    if payment.flags or payment.link_id is None or not claim.number:
        return accounts.unallocated
    if isinstance(claim.link_kind, InvoiceBound) and claim.link_kind.invoice.type is InvoiceType.QUOTE:
        return accounts.deposits
    return accounts.customers


def _entry(
    payment: Payment,
    event: str,
    amount: Money,
    debit: str,
    credit: str,
    *,
    key: str,
    journal: str,
    at: dt.datetime,
    piece: str,
    claim: Claim,
    accounts: Accounts,
    entry_id: str,
    created_at: dt.datetime,
) -> Entry:
    """An entry of two lines about `payment`, with its classes."""
    if amount.minor <= 0:
        raise InvalidInput.single(f"{event}.amount", f"is {amount}", "book nothing where no money moved")
    code = plain(claim.customer_code, limit=_CODE_LIMIT)
    day = _day(f"{event}.at", at, accounts)
    told = (
        accounts.words[event],
        payment.provider,
        payment.reference or payment.vendor_id,
        payment.part,
        code,
    )
    pieces = (plain(text, limit=PIECE_LIMIT) for text in (piece, claim.number, payment.reference))
    lines = tuple(
        Line(
            account=account,
            aux=accounts.aux_for(account, code),
            debit_minor=debit_minor,
            credit_minor=amount.minor - debit_minor,
            month=day.isoformat()[:7],
            provider=plain(payment.provider, limit=_CODE_LIMIT),
            kind="" if claim.link_kind is None else claim.link_kind.name,
            method=plain(payment.method, limit=_CODE_LIMIT),
        )
        for account, debit_minor in ((debit, amount.minor), (credit, 0))
    )
    return Entry(
        id=entry_id,
        key=key,
        journal=journal,
        date=day,
        piece=next(filter(str.strip, pieces), plain(payment.vendor_id, limit=PIECE_LIMIT)),
        label=plain(" ".join(part for part in told if part), limit=LABEL_LIMIT),
        currency=amount.currency,
        created_at=created_at,
        customer_id=claim.customer_id,
        lines=lines,
        tenant=payment.tenant,
    )


def _refund_key(refund: Refund, what: str) -> str:
    if not refund.vendor_id:
        raise InvalidInput.single("refund.vendor_id", "is missing", "book it once the provider has answered")
    return entry_key(refund.provider, refund.vendor_id, what)


def _day(path: str, moment: dt.datetime, accounts: Accounts) -> dt.date:
    if moment.tzinfo is None:
        raise InvalidInput.single(path, "has no time zone", "use an aware datetime")
    return moment.astimezone(accounts.tzinfo).date()
