"""The tiny provider with everything else that the interface has, and a vendor that goes with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from attrs import define, evolve, field, frozen

from paybylink.checkout import Capture, Checkout
from paybylink.flow import Call, Written
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import DisputeStatus
from paybylink.providers import base
from paybylink.providers.base import BalanceKind, Feature, LinkRequest, Provider, VendorLink
from paybylink.testing import How

from .test_tiny_provider import TinySuite
from .tiny_provider import CAPABILITIES, DAY, TinyProvider, checked, common, money
from .tiny_vendor import NOW, TinyVendor

MORE = (Feature.REOPEN, Feature.METHODS_FOR, Feature.MANUAL_CAPTURE, Feature.DISPUTES, Feature.SETTLEMENTS)
WHOLE = {**CAPABILITIES, **dict.fromkeys(MORE, base.native())}


@frozen(eq=False)
class WholeProvider(TinyProvider):
    """What the tiny provider cannot do, done."""

    capabilities: base.Capabilities = field(factory=lambda: WHOLE, repr=False)

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        manual = request.order.checkout == Checkout(capture=Capture.MANUAL)
        order = evolve_order(request.order) if manual else request.order
        written = super().write_link(evolve(request, order=order), key=key, now=now)
        if not manual:
            return written
        return evolve(written, body=json.dumps({**json.loads(written.body), "capture": "manual"}).encode())

    def reopen_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        return self._link((yield from self._state("links", vendor_id, "open", key, now)))

    def methods_for(self, order: Order) -> Call[Sequence[base.MethodOffer]]:
        yield from ()
        bound = Money(1, order.amount.currency)
        return [base.MethodOffer(method="card", vendor_method="scheme", name="Cards", minimum=bound)]

    def capture(
        self, vendor_id: str, amount: Money, *, key: str, now: dt.datetime
    ) -> Call[base.PaymentNotice]:
        row = yield from self._state("payments", vendor_id, "succeeded", key, now)
        notice: base.PaymentNotice = self._notice("payments", row)
        return notice

    def cancel_payment(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[base.PaymentNotice]:
        row = yield from self._state("payments", vendor_id, "cancelled", key, now)
        notice: base.PaymentNotice = self._notice("payments", row)
        return notice

    def disputes_of(self, payment_vendor_id: str) -> Call[Sequence[base.DisputeNotice]]:
        found = yield from self._ask("GET", f"/disputes?of={checked(payment_vendor_id)}")
        return [
            base.DisputeNotice(
                **common(row),
                payment_vendor_id=row["of"],
                amount=money(row),
                status=DisputeStatus.OPEN,
                at=NOW,
            )
            for row in found["data"]
        ]

    def settlements(
        self, *, since: dt.datetime, until: dt.datetime, after: str = ""
    ) -> Call[base.BalancePage]:
        found = yield from self._ask("GET", "/moves")
        place = int(after or 0)
        items = [self._item(row) for row in found["data"][place : place + 1]]
        more = place + 1 < len(found["data"])
        return base.BalancePage(items=items, after=str(place + 1) if more else "")

    def _item(self, row: dict[str, Any]) -> base.BalanceItem:
        word = row["why"]
        fee = Money.read(row["fee"], row["currency"])
        return base.BalanceItem(
            provider=self.name,
            vendor_id=checked(row["id"]),
            kind=BalanceKind(word) if word in [*BalanceKind] else BalanceKind.UNKNOWN,
            vendor_kind=word,
            gross=money(row),
            fee=fee,
            net=money(row) - fee,
            at=NOW,
            payment_vendor_id=row.get("of", ""),
        )

    def _state(self, kind: str, vendor_id: str, state: str, key: str, now: dt.datetime) -> Call[Any]:
        body = json.dumps({"state": state}).encode()
        return self._ask("POST", f"/{kind}/{checked(vendor_id)}", body, key, now + DAY)


def evolve_order(order: Order) -> Order:
    """The order without its checkout."""
    return Order(
        reference=order.reference,
        amount=order.amount,
        description=order.description,
        customer=order.customer,
    )


@define
class WholeVendor(TinyVendor):
    """A vendor that reserves money, takes fees and pays out."""

    def pay(self, link_id: str, how: How) -> dict[str, Any]:
        """Paid, or reserved; what is taken moves the balance, and a delayed payment uses the link up."""
        payment = super().pay(link_id, how)
        link = self.rows[f"/links/{link_id}"]
        if how is How.DELAYED:
            link["state"] = "closed"
        elif how is How.CARD and link.get("capture") == "manual":
            _ = self.change(f"/payments/{payment['id']}", state="authorised")
        elif how is How.CARD:
            amount = {"amount": payment["amount"], "currency": payment["currency"]}
            _ = self.put("moves", why="payment", of=payment["id"], fee=25, **amount)
        return payment

    def pay_out(self) -> None:
        """Everything on the balance goes to the bank."""
        moves = [row for path, row in self.rows.items() if path.startswith("/moves/")]
        total = sum(row["amount"] - row["fee"] for row in moves)
        _ = self.put("moves", why="payout", amount=-total, fee=0, currency="EUR")


class WholeSuite(TinySuite):
    """The hooks of the whole provider."""

    @cached_property
    def vendor(self) -> WholeVendor:
        return WholeVendor()

    def provider(self) -> Provider:
        return WholeProvider()

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        return WholeProvider(secrets=secrets)

    def dispute(self, payment_vendor_id: str) -> None:
        payment = self.vendor.rows[f"/payments/{payment_vendor_id}"]
        _ = self.vendor.put(
            "disputes", of=payment_vendor_id, amount=payment["amount"], currency=payment["currency"]
        )

    def pay_out(self) -> None:
        self.vendor.pay_out()
