"""
A link that is an invoice which Stripe makes: found, read and closed, and its payments.

The address of an invoice changes with time, so it is read anew whenever the link is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import frozen

from paybylink.errors import IntegrityBreach, ProviderError, UnsupportedCapability
from paybylink.flow import Call
from paybylink.providers.base import LinkRequest, PaymentNotice, VendorLink, VendorLinkStatus

from ._as_session import CLOCKS
from ._asking import Asking
from ._invoices import INVOICES, invoice_payment, read_asked_invoice, read_invoice
from ._links import Expected
from ._marks import ATTEMPT
from ._notices import mark

Json: TypeAlias = dict[str, Any]


@frozen
class AsInvoice:
    """Invoices of one account; see `AsLink`."""

    ask: Asking
    expected: Expected

    def asked(self, reply: Json, request: LinkRequest) -> VendorLink:
        """The link in an answer, compared with `request`."""
        return read_asked_invoice(reply, self.expected, request=request)

    def find(self, request: LinkRequest, *, since: dt.datetime) -> Call[VendorLink | None]:
        """
        The invoice that carries the attempt's mark; None if there is none that can be paid.

        A draft was cut off before its end: nobody can pay it, and it is left in the Dashboard.
        """
        made = {"created": {"gte": int((since - CLOCKS).timestamp())}}
        for invoice in (yield from self.ask.all(INVOICES, made)):
            if mark(invoice, ATTEMPT) == request.attempt_id:
                return None if invoice.get("status") == "draft" else self.asked(invoice, request)
        return None

    def fetch(self, vendor_id: str) -> Call[VendorLink]:
        """The invoice as it stands now, with an address that is good for some days."""
        reply = yield from self.ask.get(f"{INVOICES}/{vendor_id}")
        return read_invoice(reply, self.expected)

    def close(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Void the invoice, or delete it while it is a draft; one that is paid or void is left as it is.

        Its number stays taken, as the law wants it.
        """
        path = f"{INVOICES}/{vendor_id}"
        reply = yield from self.ask.get(path)
        link = read_invoice(reply, self.expected)
        if reply.get("status") == "draft":
            return (yield from self._deleted(path, link))
        if link.status is VendorLinkStatus.CLOSED:
            return link
        link = read_invoice((yield from self.ask.post(f"{path}/void", {}, key=key, now=now)), self.expected)
        if link.vendor_id != vendor_id or link.status is not VendorLinkStatus.CLOSED:
            raise IntegrityBreach(self.ask.who, {"status": "is not void after voiding"})
        return link

    def _deleted(self, path: str, draft: VendorLink) -> Call[VendorLink]:
        try:
            reply = yield from self.ask.delete(path)
        except ProviderError as error:
            # Deleted before: by an attempt whose answer was lost, or by hand.
            if error.status != 404:
                raise
            return draft
        if reply.get("id") != draft.vendor_id or reply.get("deleted") is not True:
            raise IntegrityBreach(self.ask.who, {"deleted": "is not true after deleting"})
        return draft

    def reopen(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        """
        Refused: a payment that fails uses no invoice up, and a void one stays so.

        Raises:
            UnsupportedCapability: always.
        """
        raise UnsupportedCapability(
            self.ask.who, "reopen", "an invoice stays open until it is paid or void; make a new one"
        )

    def payments(self, vendor_id: str) -> Call[Sequence[PaymentNotice]]:
        """Every payment of the invoice that came, or is on its way, through Stripe; oldest first."""
        invoice = yield from self.ask.get(f"{INVOICES}/{vendor_id}")
        payments = yield from self.ask.all(
            "/v1/invoice_payments",
            {"invoice": vendor_id, "expand": ["data.payment.payment_intent.latest_charge"]},
        )
        told = (
            self.ask.read(lambda payment: invoice_payment(invoice, payment), payment)
            for payment in reversed(payments)
        )
        return [notice for notice in told if notice is not None]
