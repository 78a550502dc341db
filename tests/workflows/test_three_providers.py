"""
The same journeys at Stripe, Adyen and Mollie: one meaning, whatever the provider does itself and whatever we emulate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from paybylink import (
    AlreadyPaid,
    Capture,
    Checkout,
    LinkStatus,
    Money,
    NotSent,
    OutcomeUnknown,
    PayByLink,
    PaymentLink,
    Reusable,
    UnsupportedCapability,
)
from paybylink.accounting.reports import is_balanced
from paybylink.events import LinkPaid, PaymentAuthorised
from paybylink.payments import PaymentFlag, PaymentStatus, RefundStatus
from paybylink.sandbox import SandboxError

from .shops import VENDORS, Shop, Street, open_street

TEN = Money.of("10.00", "EUR")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture(params=VENDORS)
def shop(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop at each provider in turn, with nothing left of what others did."""
    yield from opened(street, request.param, request.node.name)


@pytest.fixture
def adyen(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop at Adyen."""
    yield from opened(street, "adyen", request.node.name)


def opened(street: Street, vendor: str, name: str) -> Iterator[Shop]:
    made = street.shop(vendor, name)
    yield made
    street.sandbox.control.clear_faults()
    _ = street.sandbox.control.move_clock(-made.clock.ahead)


def behind(link: PaymentLink) -> str:
    """Where the customer pays."""
    assert link.current is not None
    assert link.current.url is not None
    return link.current.url


def again(pay: PayByLink, link: PaymentLink) -> PaymentLink:
    """The link as it stands now."""
    found = pay.link(link.order.reference, part=link.order.part)
    assert found is not None
    return found


def links_of(shop: Shop, link: PaymentLink) -> list[dict[str, Any]]:
    """What the provider says of everything behind a link."""
    ids = {each.vendor_id for each in link.provider_links}
    return [row for row in shop.truth("links") if row["id"] in ids]


def test_a_link_is_paid_and_booked_once(shop: Shop) -> None:
    """However often the webhooks come, there is one payment and one booking."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("PAID"))
        assert pay.create_link(shop.order("PAID")) == link
        _ = shop.customer_pays(behind(link))
        events = shop.hear(pay, times=3, shuffled=1)
        (payment,) = list(pay.payments())

        assert again(pay, link).status is LinkStatus.PAID
        assert [type(event) for event in events] == [LinkPaid]
        assert (payment.status, payment.amount) == (PaymentStatus.SUCCEEDED, link.order.amount)
        assert (payment.link_id, payment.reference, payment.flags) == (link.id, "PAID", frozenset())
        _ = pay.refresh(link)
        (payment,) = list(pay.payments())
        # Stripe's sessions list every method that was possible; asking tells the one that was used.
        assert payment.method
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 4990, "471": -4990}
        assert len(links_of(shop, link)) == 1


def test_money_goes_back_in_parts_and_once_for_each_reference(shop: Shop) -> None:
    """A part, the same part again, and the rest; the provider has two refunds."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("REFUND"))
        payment = shop.paid(pay, behind(link))
        first = pay.refund(payment, amount=TEN, reference="AV-1", reason="returned")
        assert pay.refund(payment, amount=TEN, reference="AV-1").id == first.id
        _ = pay.refund(payment, reference="AV-2")
        _ = shop.hear(pay)
        shop.later(days=3)
        for refund in shop.truth("refunds"):
            if refund["payment"] == payment.vendor_id and refund["status"] == "pending":
                _ = shop.street.sandbox.control.finish(refund["id"])
        _ = shop.hear(pay, times=2, shuffled=2)
        (payment,) = list(pay.payments())

        assert [(refund.status, refund.amount.minor) for refund in pay.refunds(payment)] == [
            (RefundStatus.SUCCEEDED, 1000),
            (RefundStatus.SUCCEEDED, 3990),
        ]
        assert payment.refundable.is_zero
        assert [row["amount"] for row in shop.truth("refunds") if row["payment"] == payment.vendor_id] == [
            1000,
            3990,
        ]
        assert is_balanced(pay.balance())
        assert {sums.account: sums.minor for sums in pay.balance()} == {"51151": 0, "471": 0}


def test_a_delayed_payment_that_comes(shop: Shop) -> None:
    """The link waits for the money, and is paid when it is there."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("DELAYED"))
        _ = shop.customer_pays(behind(link), how="delayed")
        _ = shop.hear(pay)
        if shop.vendor == "mollie":
            # Nothing is told of a payment that is under way; asking tells it.
            _ = pay.refresh(link)
        waiting = again(pay, link).status
        _ = shop.street.sandbox.control.settle(behind(link))
        _ = shop.hear(pay)

        assert waiting in (LinkStatus.PROCESSING, LinkStatus.OPEN)
        assert waiting is LinkStatus.PROCESSING or shop.vendor == "adyen"
        assert again(pay, link).status is LinkStatus.PAID


def test_a_delayed_payment_that_fails_leaves_a_link_that_can_be_paid(shop: Shop) -> None:
    """Also where the provider's link was used up by it: it takes one more, at the same address."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("RETURNED"))
        _ = shop.customer_pays(behind(link), how="delayed")
        _ = shop.hear(pay)
        _ = shop.street.sandbox.control.settle(behind(link), succeeded=False)
        _ = shop.hear(pay)
        _ = pay.run_due()
        open_again = again(pay, link)
        assert open_again.payable
        assert behind(open_again) == behind(link)
        _ = shop.customer_pays(behind(open_again))
        _ = shop.hear(pay)

        assert again(pay, link).status is LinkStatus.PAID
        assert (
            sum(
                row["status"] == "paid"
                for row in shop.truth("payments")
                if row["link"] == links_of(shop, link)[0]["id"]
            )
            == 1
        )


def test_what_was_paid_by_another_payer_meanwhile_is_not_opened_again(shop: Shop) -> None:
    """Two were at the page: the transfer of the one has failed, the card of the other has not."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("TWO-PAYERS"))
        transfer = shop.customer_pays(behind(link), how="delayed")
        _ = shop.hear(pay)
        _ = shop.street.sandbox.control.settle(transfer.payment, succeeded=False)
        failed = shop.told()
        _ = shop.customer_pays(behind(link), although_closed=True)
        for call in failed:
            _ = pay.receive(shop.vendor, headers=call.headers, body=call.body, query=call.query)
        _ = shop.hear(pay)
        assert pay.run_due().failed == ()

        assert again(pay, link).status is LinkStatus.PAID
        assert all(row["status"] != "open" for row in links_of(shop, link))


def test_a_declined_card_leaves_the_link_open(shop: Shop) -> None:
    """An attempt is no payment."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("DECLINED"))
        _ = shop.customer_pays(behind(link), how="declined")
        _ = shop.hear(pay)

        assert again(pay, link).payable
        assert not any(payment.status is PaymentStatus.SUCCEEDED for payment in pay.payments())
        assert pay.balance() == ()


def test_many_pay_a_reusable_link(shop: Shop) -> None:
    """It stays open and counts."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("MANY"), kind="reusable")
        for _ in range(3):
            _ = shop.customer_pays(behind(link))
        events = shop.hear(pay, shuffled=3)

        assert (again(pay, link).status, again(pay, link).payments) == (LinkStatus.OPEN, 3)
        assert [type(event) for event in events] == [LinkPaid] * 3
        assert len({payment.vendor_id for payment in pay.payments()}) == 3


def test_a_maximum_of_payments_closes_the_link_at_the_provider(shop: Shop) -> None:
    """Whether the provider counts or we do: after the last one nobody can pay."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("FULL"), kind=Reusable(max_payments=2))
        for _ in range(2):
            _ = shop.customer_pays(behind(link))
            _ = shop.hear(pay)
        assert again(pay, link).status is LinkStatus.PAID
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(behind(link))

        assert pay.run_due().failed == ()
        assert [len(row["payments"]) for row in links_of(shop, link)] == [2]


def test_a_maximum_that_is_under_way_closes_nothing_for_good(shop: Shop) -> None:
    """Looking at such a link says neither that somebody has closed it, nor that its money is late."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("FULL-LATER"), kind=Reusable(max_payments=2))
        both = [shop.customer_pays(behind(link), how="delayed") for _ in range(2)]
        _ = shop.hear(pay)
        assert pay.refresh(link).status is LinkStatus.OPEN
        for each in both:
            _ = shop.street.sandbox.control.settle(each.payment)
        _ = shop.hear(pay)

        assert again(pay, link).status is LinkStatus.PAID
        assert [payment.flags for payment in pay.payments()] == [frozenset()] * 2


def test_payer_types_the_amount(shop: Shop) -> None:
    """Where the provider can; elsewhere it is refused before anything is sent."""
    kind = Reusable(payer_chooses=True, minimum=Money.of("5.00", "EUR"))
    before = shop.truth("links")
    with shop.open() as pay:
        if shop.vendor == "adyen":
            with pytest.raises(UnsupportedCapability, match="always have an amount"):
                _ = pay.create_link(shop.order("CHOOSE"), kind=kind)
            assert shop.truth("links") == before
            return
        link = pay.create_link(shop.order("CHOOSE", "20.00"), kind=kind)
        payment = shop.paid(pay, behind(link), amount="33.50")

        assert (payment.amount, payment.flags) == (Money.of("33.50", "EUR"), frozenset())
        assert again(pay, link).status is LinkStatus.OPEN


def test_a_cancelled_link_cannot_be_paid(shop: Shop) -> None:
    """Neither here nor at the provider."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("CANCEL"))
        assert pay.cancel(link).status is LinkStatus.CANCELLED
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(behind(link))

        assert pay.cancel(link).status is LinkStatus.CANCELLED


def test_money_that_comes_after_the_close_is_kept_and_flagged(shop: Shop) -> None:
    """A payer was at his bank when the merchant closed the link; money wins."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("LATE"))
        url = behind(link)
        _ = pay.cancel(link)
        payment = shop.paid(pay, url, although_closed=True)

        assert again(pay, link).status is LinkStatus.PAID
        assert payment.flags == {PaymentFlag.LATE}
        assert [each.id for each in pay.exceptions()] == [payment.id]


def test_a_link_ends_in_time(shop: Shop) -> None:
    """By the provider's hand or by ours; afterwards nobody can pay there."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("EXPIRE"), expires_in=dt.timedelta(days=7))
        shop.later(days=8)
        _ = pay.run_due()

        assert again(pay, link).status is LinkStatus.EXPIRED
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(behind(link))


def test_a_renewed_link_is_another_one_behind_the_same_address(shop: Shop) -> None:
    """Its id, token and URL stay; the old one at the provider cannot be paid."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("RENEW"), expires_in=dt.timedelta(days=2))
        _ = shop.hear(pay)
        shop.later(days=3)
        _ = pay.run_due()
        renewed = pay.renew(again(pay, link), expires_in=dt.timedelta(days=5))
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(behind(link))
        _ = shop.paid(pay, behind(renewed))

        assert (renewed.id, renewed.url) == (link.id, link.url)
        assert behind(renewed) != behind(link)
        assert again(pay, link).status is LinkStatus.PAID


def test_a_link_that_lives_longer_than_its_providers_links(adyen: Shop) -> None:
    """Adyen's end after 70 days: a new one stands behind the same URL in time, and the old one is closed."""
    shop = adyen
    with shop.open() as pay:
        link = pay.create_link(shop.order("QUARTER"), expires_in=dt.timedelta(days=100))
        first = behind(link)
        shop.later(days=69, hours=12)
        assert pay.run_due().failed == ()
        moved = again(pay, link)
        assert (moved.status, moved.url, moved.expires_at) == (LinkStatus.OPEN, link.url, link.expires_at)
        assert behind(moved) != first
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(first)
        _ = shop.paid(pay, behind(moved))

        assert again(pay, link).status is LinkStatus.PAID


def test_without_a_public_url_a_link_that_long_is_refused(street: Street) -> None:
    """A second address would have to reach the customer; nothing is sent."""
    shop = street.shop("adyen", "short", public_url=None)
    with shop.open() as pay, pytest.raises(UnsupportedCapability, match="public_url"):
        _ = pay.create_link(shop.order("QUARTER"), expires_in=dt.timedelta(days=100))


def test_reserved_money_is_taken_or_given_up(shop: Shop) -> None:
    """Where the provider can; elsewhere it is refused before anything is sent."""
    manual = Checkout(capture=Capture.MANUAL)
    with shop.open() as pay:
        if shop.vendor == "mollie":
            with pytest.raises(UnsupportedCapability):
                _ = pay.create_link(shop.order("RESERVED", checkout=manual))
            return
        link = pay.create_link(shop.order("RESERVED", checkout=manual))
        other = pay.create_link(shop.order("GIVEN-UP", checkout=manual))
        _ = shop.customer_pays(behind(link))
        _ = shop.customer_pays(behind(other))
        events = shop.hear(pay, shuffled=4)
        assert [type(event) for event in events].count(PaymentAuthorised) == 2
        assert again(pay, link).status is LinkStatus.PROCESSING
        taken, given_up = [
            next(iter(pay.payments(link=each))) for each in (again(pay, link), again(pay, other))
        ]
        assert (taken.status, pay.balance()) == (PaymentStatus.AUTHORISED, ())
        _ = pay.capture(taken, amount=Money.of("40.00", "EUR"))
        _ = pay.capture(taken, amount=Money.of("40.00", "EUR"))
        _ = pay.cancel_payment(given_up)
        _ = shop.hear(pay, times=2)
        taken, given_up = [
            next(iter(pay.payments(link=each))) for each in (again(pay, link), again(pay, other))
        ]

        assert (taken.status, taken.amount) == (PaymentStatus.SUCCEEDED, Money.of("40.00", "EUR"))
        assert given_up.status is PaymentStatus.CANCELLED
        assert again(pay, other).status is LinkStatus.EXPIRED
        assert {sums.account: sums.minor for sums in pay.balance()}["51151"] == 4000


def test_a_contested_payment_is_told_with_its_end(shop: Shop) -> None:
    """Opened and won; the payment stays what it was."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("DISPUTE"))
        payment = shop.paid(pay, behind(link))
        dispute = shop.street.sandbox.control.dispute(payment.vendor_id)
        opened = shop.hear(pay)
        _ = shop.street.sandbox.control.close_dispute(str(dispute["id"]), won=True)
        closed = shop.hear(pay, times=2)

        assert [type(event).__name__ for event in (*opened, *closed)] == ["DisputeOpened", "DisputeClosed"]
        assert again(pay, link).status is LinkStatus.PAID


def test_asking_heals_what_lost_webhooks_hid(shop: Shop) -> None:
    """At Stripe and Mollie; Adyen cannot be asked, and tells again."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("UNTOLD"))
        _ = shop.customer_pays(behind(link))
        told = shop.told()
        if shop.vendor == "adyen":
            assert pay.refresh(link).status is not LinkStatus.PAID
            for call in told:
                _ = pay.receive("adyen", headers=call.headers, body=call.body)
        else:
            _ = pay.refresh(link)

        assert again(pay, link).status is LinkStatus.PAID
        assert len(list(pay.payments())) == 1


@pytest.mark.parametrize("act", ["refresh", "cancel", "renew", "replace", "expire"])
def test_a_payment_that_is_told_last_is_neither_late_nor_made_twice(shop: Shop, act: str) -> None:
    """Who paid before the merchant closed the link has paid it, also where that cannot be asked (Adyen)."""
    reference = f"TOLD-LAST-{act}".upper()
    with shop.open() as pay:
        link = pay.create_link(shop.order(reference), expires_in=dt.timedelta(days=7))
        _ = shop.customer_pays(behind(link))
        told = shop.told()
        if act == "refresh":
            _ = pay.refresh(link)
        elif act == "expire":
            shop.later(days=8)
            assert pay.run_due().failed == ()
            shop.later(days=-8)
        else:
            closing = {
                "cancel": lambda: pay.cancel(link),
                "renew": lambda: pay.renew(link),
                "replace": lambda: pay.create_link(shop.order(reference, "59.90"), replace=True),
            }
            with pytest.raises(AlreadyPaid):
                _ = closing[act]()
        assert again(pay, link).status in (LinkStatus.PAID, LinkStatus.OPEN)
        for call in told:
            reply = pay.receive(shop.vendor, headers=call.headers, body=call.body, query=call.query)
            assert reply.status == 200
        assert pay.run_due().failed == ()
        (payment,) = list(pay.payments())

        found = again(pay, link)
        assert (found.status, found.generation, found.renewals) == (LinkStatus.PAID, 1, 0)
        assert len(found.provider_links) == 1
        assert payment.flags == frozenset()


CREATE_PATHS = {
    "stripe": "/stripe/v1/payment_links",
    "adyen": "/adyen/v72/paymentLinks",
    "mollie": "/mollie/v2/payment-links",
}


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "reset_before"])
def test_a_lost_answer_makes_no_second_link(shop: Shop, kind: str) -> None:
    """The same bytes go out under the same key."""
    reference = f"LOST-{kind}".upper().replace("_", "-")
    order = shop.order(reference)
    _ = shop.street.sandbox.control.fault(kind, CREATE_PATHS[shop.vendor], times=4, seconds=3)
    with shop.open() as pay:
        for _ in range(6):
            try:
                link = pay.create_link(order)
            except (OutcomeUnknown, NotSent):
                continue
            break
        else:
            pytest.fail("it did not heal")

        assert link.payable
        assert len([row for row in shop.truth("links") if row["id"] == link.provider_links[0].vendor_id]) == 1


def test_after_the_keys_life_the_provider_is_asked_or_waited_for(shop: Shop) -> None:
    """Stripe and Mollie find the link; at Adyen a payment that names it does."""
    before = len(shop.truth("links"))
    order = shop.order("OLD-KEY")
    _ = shop.street.sandbox.control.fault("reset_after", CREATE_PATHS[shop.vendor], times=9)
    with shop.open() as pay:
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(order)
        shop.street.sandbox.control.clear_faults()
        shop.later(days=8)
        (made,) = shop.truth("links")[before:]
        if shop.vendor != "adyen":
            link = pay.create_link(order)
            assert [each.vendor_id for each in link.provider_links] == [made["id"]]
        else:
            with pytest.raises(OutcomeUnknown):
                _ = pay.create_link(order)
            _ = shop.customer_pays(made["id"])
            _ = shop.hear(pay)
            found = pay.link("OLD-KEY")
            assert found is not None
            assert found.status is LinkStatus.PAID

        assert len(shop.truth("links")) == before + 1


def test_a_reusable_link_that_a_payment_names_can_be_paid_on(adyen: Shop) -> None:
    """At Adyen, whose answer was lost and who cannot be asked for links: the payment tells its id, and it is read."""
    shop = adyen
    before = len(shop.truth("links"))
    _ = shop.street.sandbox.control.fault("reset_after", CREATE_PATHS["adyen"], times=9)
    with shop.open() as pay:
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(shop.order("NAMED"), kind="reusable")
        shop.street.sandbox.control.clear_faults()
        (made,) = shop.truth("links")[before:]
        _ = shop.customer_pays(made["id"])
        _ = shop.hear(pay)
        shop.later(days=8)
        link = pay.create_link(shop.order("NAMED"), kind="reusable")

        assert (link.status, link.payments) == (LinkStatus.OPEN, 1)
        assert behind(link).endswith(made["id"])


@pytest.mark.parametrize("shuffled", [None, 1, 2, 3])
@pytest.mark.parametrize("kind", ["single_use", "reusable"])
def test_a_link_that_was_paid_before_it_was_answered_waits_for_the_money(
    shop: Shop, kind: str, shuffled: int | None
) -> None:
    """What reserves money, or has it under way, is not open to a second payer; a reusable link is."""
    if shop.vendor == "mollie":
        # It tells nothing of money that is under way, and no link of it reserves any.
        return
    before = len(shop.truth("links"))
    order = shop.order(
        f"EARLY-{kind}-{shuffled}".upper().replace("_", "-"), checkout=Checkout(capture=Capture.MANUAL)
    )
    _ = shop.street.sandbox.control.fault("reset_after", CREATE_PATHS[shop.vendor], times=9)
    with shop.open() as pay:
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(order, kind=kind)
        shop.street.sandbox.control.clear_faults()
        (made,) = shop.truth("links")[before:]
        _ = shop.customer_pays(made["id"])
        _ = shop.hear(pay, shuffled=shuffled)
        link = pay.link(order.reference) if shuffled is None else pay.create_link(order, kind=kind)

        # Nobody had to ask: once it is named, its making is finished.
        assert link is not None
        assert link.status is (LinkStatus.OPEN if kind == "reusable" else LinkStatus.PROCESSING)
        assert pay.create_link(order, kind=kind) == link
        _ = pay.cancel_payment(next(iter(pay.payments())))
        _ = shop.hear(pay)
        assert again(pay, link).status is (LinkStatus.OPEN if kind == "reusable" else LinkStatus.EXPIRED)


def test_what_is_cancelled_and_made_anew_is_never_the_old_one(shop: Shop) -> None:
    """A key belongs to one link: a replacement never brings the closed one back."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("AGAIN"))
        _ = pay.cancel(link)
        replaced = pay.create_link(shop.order("AGAIN", "59.90"), replace=True)

        assert behind(replaced) != behind(link)
        assert replaced.payable
        with pytest.raises(SandboxError):
            _ = shop.customer_pays(behind(link))
