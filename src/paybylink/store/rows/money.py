"""Payments, refunds and disputes as rows."""

from __future__ import annotations

from paybylink.flow import Written
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentFlag,
    PaymentStatus,
    Refund,
    RefundStatus,
)

from ._columns import Parameters, Row, micros, micros_or_none, moment, moment_or_none
from .links import written_json


def payment_row(payment: Payment, *, tenant: str) -> Parameters:
    """Every column of a payment."""
    return {
        "tenant": tenant,
        "id": payment.id,
        "provider": payment.provider,
        "vendor_id": payment.vendor_id,
        "link_id": payment.link_id,
        "reference": payment.reference,
        "part": payment.part,
        "status": str(payment.status),
        "vendor_status": payment.vendor_status,
        "mode": str(payment.mode),
        "currency": payment.amount.currency,
        "amount_minor": payment.amount.minor,
        "refunded_minor": payment.refunded.minor,
        "method": payment.method,
        "flags": ",".join(sorted(payment.flags)),
        "at": micros(payment.at),
        "version": payment.version,
    }


def payment_from_row(row: Row) -> Payment:
    """The payment that `payment_row` wrote."""
    flags: str = row["flags"]
    return Payment(
        id=row["id"],
        provider=row["provider"],
        vendor_id=row["vendor_id"],
        amount=Money.read(row["amount_minor"], row["currency"]),
        status=PaymentStatus(row["status"]),
        mode=Mode(row["mode"]),
        at=moment(row["at"]),
        link_id=row["link_id"],
        reference=row["reference"],
        part=row["part"],
        tenant=row["tenant"],
        method=row["method"],
        flags=frozenset(PaymentFlag(flag) for flag in flags.split(",")) if flags else frozenset(),
        refunded=Money.read(row["refunded_minor"], row["currency"]),
        vendor_status=row["vendor_status"],
        version=row["version"],
    )


def refund_row(refund: Refund, written: Written | None, *, tenant: str) -> Parameters:
    """Every column of a refund; `written` is None for one that was made at the provider."""
    return {
        "tenant": tenant,
        "id": refund.id,
        "payment_id": refund.payment_id,
        "provider": refund.provider,
        "reference": refund.reference,
        "status": str(refund.status),
        "vendor_status": refund.vendor_status,
        "currency": refund.amount.currency,
        "amount_minor": refund.amount.minor,
        "reason": refund.reason,
        "vendor_id": refund.vendor_id,
        "written_json": None if written is None else written_json(written),
        "requested_at": micros(refund.requested_at),
        "version": refund.version,
    }


def refund_from_row(row: Row) -> Refund:
    """The refund that `refund_row` wrote."""
    return Refund(
        id=row["id"],
        payment_id=row["payment_id"],
        provider=row["provider"],
        amount=Money.read(row["amount_minor"], row["currency"]),
        status=RefundStatus(row["status"]),
        requested_at=moment(row["requested_at"]),
        reference=row["reference"],
        tenant=row["tenant"],
        vendor_id=row["vendor_id"],
        reason=row["reason"],
        vendor_status=row["vendor_status"],
        version=row["version"],
    )


def dispute_row(dispute: Dispute, *, tenant: str, payment_id: str | None) -> Parameters:
    """Every column of a dispute."""
    return {
        "tenant": tenant,
        "id": dispute.id,
        "provider": dispute.provider,
        "vendor_id": dispute.vendor_id,
        "payment_id": payment_id,
        "payment_vendor_id": dispute.payment_vendor_id,
        "status": str(dispute.status),
        "currency": dispute.amount.currency,
        "amount_minor": dispute.amount.minor,
        "reason": dispute.reason,
        "respond_by": micros_or_none(dispute.respond_by),
        "at": micros(dispute.at),
        "version": 1,
    }


def dispute_from_row(row: Row) -> Dispute:
    """The dispute that `dispute_row` wrote."""
    return Dispute(
        id=row["id"],
        provider=row["provider"],
        vendor_id=row["vendor_id"],
        payment_vendor_id=row["payment_vendor_id"],
        amount=Money.read(row["amount_minor"], row["currency"]),
        status=DisputeStatus(row["status"]),
        at=moment(row["at"]),
        reason=row["reason"],
        respond_by=moment_or_none(row["respond_by"]),
        tenant=row["tenant"],
    )
