"""
What every provider owes when money comes: the payment is told once, with its amount, and never before it is certain.

A provider that can be asked is asked; of one that tells payments by webhook only, the webhooks are read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from paybylink.payments import PaymentStatus, payment_moved
from paybylink.providers.base import Feature, PaymentNotice

from .provider_bench import Made, ProviderBench
from .provider_hooks import Alteration, How

_PAYMENTS, _NOTICE = "Provider.payments_of", "paybylink.providers.base.PaymentNotice"


class PaymentChecks(ProviderBench):
    """Payments: told, fetched, captured and given up."""

    def test_tells_a_payment_with_what_was_paid(self) -> None:
        """One payment, succeeded, of the amount and currency that were asked for, with our mark and a moment."""
        made = self.make()
        self.pay(made.link, How.CARD)
        payment = self.only_payment(made)

        self.check_none(self._payment_faults(made, payment), _NOTICE)
        self.check(
            payment.status is PaymentStatus.SUCCEEDED,
            f"a payment that was made is {payment.status} ({payment.vendor_status})",
            _NOTICE,
        )

    def test_fetches_a_payment_as_it_was_listed(self) -> None:
        """A payment asked for by its id is the one that the link's list tells."""
        self.needs(Feature.FETCH_PAYMENT)
        made = self.make()
        self.pay(made.link, How.CARD)
        listed = self.only_payment(made)
        fetched = self.carry(self.it.fetch_payment(listed.vendor_id))

        self.check_none(
            [
                f"{name} is {getattr(fetched, name)!s}, listed as {getattr(listed, name)!s}"
                for name in ("vendor_id", "amount", "status", "mode", "link_id", "attempt_id")
                if getattr(fetched, name) != getattr(listed, name)
            ],
            "Provider.fetch_payment",
        )

    def test_tells_no_payment_of_a_link_that_nobody_paid(self) -> None:
        """A new link has no payment, whatever else was paid at the account."""
        self.needs(Feature.PAYMENTS_OF_LINK)
        paid, made = self.make(), self.make()
        self.pay(paid.link, How.CARD)

        self.check(not self.payments(made), "a link that nobody paid has payments", _PAYMENTS)

    def test_does_not_take_delayed_money_for_certain(self) -> None:
        """A payment whose money is under way is not `succeeded` before it came; when it came, it is."""
        made = self.make()
        self.pay(made.link, How.DELAYED)
        before = [one.status for one in self.payments(made)]
        self.settle(made.link)

        self.check(
            PaymentStatus.SUCCEEDED not in before, "money that is under way is told as succeeded", _NOTICE
        )
        self.check(
            self.only_payment(made).status is PaymentStatus.SUCCEEDED,
            "money that came after some days is not told as succeeded",
            _NOTICE,
        )

    def test_tells_that_delayed_money_did_not_come(self) -> None:
        """A delayed payment that fails is never `succeeded`."""
        made = self.make()
        self.pay(made.link, How.DELAYED)
        self.settle(made.link, succeeded=False)

        self._none_succeeded(made, "money that did not come is told as succeeded")

    def test_tells_no_money_of_a_declined_card(self) -> None:
        """An attempt that was declined is no money."""
        made = self.make()
        self.pay(made.link, How.DECLINED)

        self._none_succeeded(made, "a declined card is told as succeeded")

    def test_does_not_take_an_unknown_word_for_money(self) -> None:
        """A status that nobody knows becomes `unknown`, is kept verbatim, and is never `succeeded`."""
        self.needs(Feature.PAYMENTS_OF_LINK)
        made = self.make()
        self.pay(made.link, How.CARD)
        read = self.carry(
            self.tampered(
                self.it.payments_of(made.link.vendor_id),
                lambda content: self.altered(content, Alteration.PAYMENT_STATUS),
            )
        )

        self.check(
            all(one.status is PaymentStatus.UNKNOWN and one.vendor_status for one in read),
            "a status that nobody knows is told as " + ", ".join(one.status for one in read),
            _NOTICE,
        )

    def test_takes_reserved_money_when_told_to(self) -> None:
        """With manual capture the money is reserved only; `capture` takes it, and asking again takes it once."""
        self.needs(Feature.MANUAL_CAPTURE)
        made, payment = self._reserved()
        key, now = self.fresh("key"), self.now()
        for _ in range(2):
            told = self.carry(self.it.capture(payment.vendor_id, payment.amount, key=key, now=now))
            self.check(told.vendor_id == payment.vendor_id, "another payment is captured", "Provider.capture")
        self.settle(made.link)

        after = self.only_payment(made)
        self.check(
            after.status is PaymentStatus.SUCCEEDED,
            f"a captured payment is {after.status}",
            "Provider.capture",
        )

    def test_gives_reserved_money_up_when_told_to(self) -> None:
        """A payment that is cancelled is given up: no money comes of it."""
        self.needs(Feature.MANUAL_CAPTURE)
        made, payment = self._reserved()
        told = self.carry(self.it.cancel_payment(payment.vendor_id, key=self.fresh("key"), now=self.now()))
        self.settle(made.link)

        self.check(
            told.vendor_id == payment.vendor_id, "another payment is given up", "Provider.cancel_payment"
        )
        after = self.only_payment(made)
        self.check(
            after.status is PaymentStatus.CANCELLED,
            f"a payment that was given up is {after.status}",
            "Provider.cancel_payment",
        )

    # What other checks use as well

    def payments(self, made: Made) -> Sequence[PaymentNotice]:
        """What is known of the payments of a link, by asking or else from the webhooks."""
        if self.has(Feature.PAYMENTS_OF_LINK):
            return self.carry(self.it.payments_of(made.link.vendor_id))
        known: dict[str, PaymentNotice] = {}
        for notice in self.told(PaymentNotice):
            before = known.get(notice.vendor_id)
            if before is None and not self._is_of(notice, made):
                continue
            if before is None or payment_moved(before.status, notice.status) is notice.status:
                known[notice.vendor_id] = notice
        return list(known.values())

    def only_payment(self, made: Made) -> PaymentNotice:
        """The payment of a link that was paid once."""
        payments = self.payments(made)
        if len(payments) != 1:
            raise self.miss(f"a link that was paid once has {len(payments)} payments", _PAYMENTS)
        return payments[0]

    @staticmethod
    def _is_of(notice: PaymentNotice, made: Made) -> bool:
        return notice.attempt_id == made.request.attempt_id or notice.link_vendor_id == made.link.vendor_id

    def _reserved(self) -> tuple[Made, PaymentNotice]:
        made = self.make(*self.asking(Feature.MANUAL_CAPTURE))
        self.pay(made.link, How.CARD)
        payment = self.only_payment(made)
        self.check(
            payment.status is PaymentStatus.AUTHORISED,
            f"money that is only reserved is told as {payment.status}",
            _NOTICE,
        )
        return made, payment

    def _none_succeeded(self, made: Made, missing: str) -> None:
        statuses = [one.status for one in self.payments(made)]
        self.check(not {PaymentStatus.SUCCEEDED, PaymentStatus.AUTHORISED} & {*statuses}, missing, _NOTICE)

    def _payment_faults(self, made: Made, payment: PaymentNotice) -> list[str]:
        amount = made.request.order.amount
        faults = []
        if payment.amount != amount:
            faults.append(f"{amount} was paid, and {payment.amount} is told")
        if payment.mode is not self.it.mode:
            faults.append(f"the payment is of mode {payment.mode}")
        if payment.at.utcoffset() != dt.timedelta(0):
            faults.append("the payment's moment is not in UTC")
        if not payment.vendor_id:
            faults.append("the payment has no id")
        if not self._is_of(payment, made):
            faults.append("the payment says neither our mark nor the vendor's link")
        return faults
