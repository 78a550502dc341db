"""
What a row of shops must agree on: with each other, and each with its provider.

At every moment: no order has two links that can be paid, the books balance, and what a link counts is what was told.
In the end, when all was told: the same at each shop, and what the provider itself says. Where providers differ in
what they tell, the difference is named here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paybylink import LinkStatus, PayByLink, Payment, PaymentLink
from paybylink.accounting.reports import is_balanced
from paybylink.payments import PaymentFlag, PaymentStatus, RefundStatus

from .deals import Deal
from .row import Row

#: How a provider's truth is called by us.
_STANDS = {
    "paid": PaymentStatus.SUCCEEDED,
    "authorised": PaymentStatus.AUTHORISED,
    "processing": PaymentStatus.PROCESSING,
    "failed": PaymentStatus.FAILED,
    "cancelled": PaymentStatus.CANCELLED,
}
#: What an attempt has come to that came to nothing; a session with one that failed ends at Stripe by being cancelled.
_NO_MONEY = (PaymentStatus.FAILED, PaymentStatus.CANCELLED)


def check_moment(row: Row) -> None:
    """Nothing that must never be is now."""
    open_pages = row.open_pages()
    for deal in row.deals:
        for vendor, pages in deal.pages.items():
            payable = open_pages & {*pages}
            assert len(payable) <= 1, f"{vendor} has two links of {deal.order.reference} that can be paid"
        numbers = {len(pages) for pages in deal.pages.values()}
        assert len(numbers) == 1 or deal.rebuilt, f"{deal.order.reference} was made differently often"
    for vendor, pay in row.pays.items():
        _check_counted(vendor, pay)
    assert len({*row.events}) == len(row.events), "a host was told twice"


def _check_counted(vendor: str, pay: PayByLink) -> None:
    payments = list(pay.payments())
    assert len({payment.vendor_id for payment in payments}) == len(payments), vendor
    for link in pay.links():
        came = [each for each in payments if each.link_id == link.id and _succeeded(each)]
        assert link.payments == len(came), f"{vendor} counts {link.payments}, not {len(came)}"
        assert link.paid_amount.minor == sum(each.amount.minor for each in came), vendor
    balance = pay.balance()
    assert is_balanced(balance), vendor
    taken = sum(each.amount.minor for each in payments if _succeeded(each))
    back = sum(
        refund.amount.minor
        for each in payments
        for refund in pay.refunds(each)
        if refund.status is RefundStatus.SUCCEEDED
    )
    assert _cleared(pay) == taken - back, f"{vendor}: {_cleared(pay)} is booked of {taken} less {back}"


def _succeeded(payment: Payment) -> bool:
    return payment.status is PaymentStatus.SUCCEEDED


def _nothing(row: Row, payment: Payment) -> bool:
    """Whether it was an attempt, and no more."""
    return payment.vendor_id in row.failures(payment.provider) and payment.status in _NO_MONEY


def _cleared(pay: PayByLink) -> int:
    return sum(each.minor for each in pay.balance() if each.account == "51151")


def check_end(row: Row) -> None:
    """All shops have come to the same, and each to what its provider says."""
    check_moment(row)
    truth = {kind: row.truth(kind) for kind in ("links", "payments", "refunds", "disputes")}
    for deal in row.deals:
        standing = {vendor: _standing(row, deal, vendor) for vendor in deal.vendors}
        first, *others = standing
        for other in others:
            differs = _difference(standing[first], standing[other])
            assert not differs, f"{deal.order.reference} is at {first}, and at {other}: {differs}"
    for vendor, pay in row.pays.items():
        mine = {kind: [one for one in rows if one["provider"] == vendor] for kind, rows in truth.items()}
        _check_money(row, vendor, pay, mine)
        _check_pages(vendor, pay, mine["links"])


def _standing(row: Row, deal: Deal, vendor: str) -> dict[str, Any]:
    """Where a deal stands at a shop, in words that are the same at all."""
    pay = row.pays[vendor]
    links = row.links(deal, vendor)
    payments = [payment for link in links for payment in pay.payments(link=link)]
    flags = [payment.flags for payment in payments]
    if deal.blind:
        # It was closed while money was on its way of which Adyen tells nothing before it has come: what others were
        # told, and do not call late, is late there.
        flags = [each - {PaymentFlag.LATE} for each in flags]
    ids = {payment.vendor_id for payment in payments}
    return {
        "links": [(link.status, link.paid_amount, link.payments, link.renewals) for link in links],
        # An attempt that failed is no payment: Stripe's session takes it up again under the same id.
        "payments": sorted(
            (payment.amount.minor, payment.status, payment.refunded.minor)
            for payment in payments
            if not _nothing(row, payment)
        ),
        # Of two that pay for the same, the one that is heard of first fits.
        "flags": sorted(sorted(each) for each in flags if each),
        "refunds": sorted(
            (refund.reference, refund.status, refund.amount.minor)
            for payment in payments
            for refund in pay.refunds(payment)
        ),
        # Mollie does not tell that a chargeback stays.
        "disputes": sorted(
            (amount, status.replace("lost", "open"))
            for payment, amount, status in row.disputes(vendor).values()
            if payment in ids
        ),
    }


def _check_money(row: Row, vendor: str, pay: PayByLink, truth: dict[str, list[dict[str, Any]]]) -> None:
    payments = list(pay.payments())
    told = {each.vendor_id: (each.status, each.amount.minor) for each in payments if not _nothing(row, each)}
    nothing = {each.vendor_id for each in payments if _nothing(row, each)}
    real = {one["id"]: (_STANDS[one["status"]], one["amount"]) for one in truth["payments"]}
    # Who tells of an attempt that came to nothing differs; but nobody calls so what was paid.
    none = {
        name for name, (status, _) in real.items() if name in row.failures(vendor) and status in _NO_MONEY
    }
    assert nothing <= none, f"{vendor} has {nothing - none}"
    real = {name: one for name, one in real.items() if name not in none}
    assert told == real, f"{vendor} has told {_difference(real, told)}"
    refunds = {
        refund.vendor_id or "": (str(refund.status), refund.amount.minor)
        for payment in payments
        for refund in pay.refunds(payment)
    }
    sent_back = {one["id"]: (one["status"], one["amount"]) for one in truth["refunds"]}
    assert refunds == sent_back, f"{vendor} has told {_difference(sent_back, refunds)}"
    untold = {"lost": "open"} if vendor == "mollie" else {}
    contested = {
        one["id"]: (one["payment"], one["amount"], untold.get(one["status"], one["status"]))
        for one in truth["disputes"]
    }
    disputes = row.disputes(vendor)
    assert disputes == contested, f"{vendor} has told {_difference(contested, disputes)}"
    taken = sum(one["amount"] for one in truth["payments"] if one["status"] == "paid")
    back = sum(one["amount"] for one in truth["refunds"] if one["status"] == "succeeded")
    assert _cleared(pay) == taken - back, vendor


def _check_pages(vendor: str, pay: PayByLink, pages: Sequence[dict[str, Any]]) -> None:
    """What we call payable can be paid, and nothing else can."""
    links = list(pay.links())
    assert all(link.status is not LinkStatus.PENDING for link in links), vendor
    payable = {_current(link) for link in links if link.payable}
    really = {one["id"] for one in pages if one["status"] == "open"}
    # Of an invoice for which a part of what was reserved was taken, the rest is asked for by a renewal.
    payable -= {_current(link) for link in links if link.status is LinkStatus.PART_PAID} - really
    assert payable == really, f"{vendor}: {payable - really} cannot be paid, {really - payable} can"


def _current(link: PaymentLink) -> str | None:
    return link.current.vendor_id if link.current else None


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What differs: by name, what is in the one and what in the other."""
    return {
        name: (one.get(name), other.get(name))
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    }
