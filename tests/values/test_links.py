"""Promises about links: every move stands in the table, and money wins."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.errors import IllegalMove, InvalidInput
from paybylink.kinds import Invoice, InvoiceBound, InvoiceType, LinkKind, Reusable, SingleUse, as_kind
from paybylink.lines import LineItem
from paybylink.links import (
    CLOSED,
    LINK_MOVES,
    PAYABLE,
    LinkStatus,
    Mode,
    PaymentLink,
    PendingLink,
    ProviderLink,
    ProviderLinkStatus,
    link_content,
    moved,
)
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.payments import Payment, PaymentFlag, PaymentStatus
from paybylink.standing import after_attempt, after_payment
from paybylink.testing import strategies

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ASKED = 4990
LATE, EXCESS, MISMATCH = PaymentFlag.LATE, PaymentFlag.EXCESS, PaymentFlag.MISMATCH

statuses = st.sampled_from(LinkStatus)


def link_of(
    kind: LinkKind | None = None, status: LinkStatus = LinkStatus.OPEN, *, paid: int = 0, **content: Any
) -> PaymentLink:
    return PaymentLink(
        **{
            "id": "01LINK",
            "token": "token",
            "order": Order(reference="INV-7", amount=Money(ASKED, "EUR")),
            "kind": kind or SingleUse(),
            "status": status,
            "mode": Mode.TEST,
            "provider": "stripe",
            "created_at": NOW,
            "expires_at": NOW + dt.timedelta(days=30),
            "url": "https://pay.example/p/token",
            "paid_amount": Money(paid, "EUR"),
            **content,
        }
    )


def bound(number: str = "INV-7", **content: Any) -> InvoiceBound:
    return InvoiceBound(Invoice(**{"number": number, "open_amount": Money(ASKED, "EUR"), **content}))


def payment_of(minor: int, currency: str = "EUR") -> Payment:
    return Payment(
        id="01PAYMENT",
        provider="stripe",
        vendor_id="pi_1",
        amount=Money.read(minor, currency),
        status=PaymentStatus.SUCCEEDED,
        mode=Mode.TEST,
        at=NOW,
    )


#: Every kind that ends when its amount is covered.
ending_kinds = st.sampled_from([SingleUse(), bound()])


class TestTheTable:
    def test_has_every_state(self) -> None:
        """No state is forgotten, and no move leads to the state it comes from."""
        assert set(LINK_MOVES) == set(LinkStatus)
        assert all(before not in after for before, after in LINK_MOVES.items())

    @pytest.mark.parametrize("before", LinkStatus)
    @pytest.mark.parametrize("after", LinkStatus)
    def test_allows_what_it_says_and_nothing_else(self, before: LinkStatus, after: LinkStatus) -> None:
        """Every pair is tried: a move in the table goes through, staying too, and the rest is refused by name."""
        if after in LINK_MOVES[before] or after is before:
            assert moved(before, after) is after
        else:
            with pytest.raises(IllegalMove, match=f"a link cannot go from '{before}' to '{after}'"):
                _ = moved(before, after)

    def test_leads_to_paid_from_everywhere_and_nowhere_from_there(self) -> None:
        """Rules 1 and 4: money wins, and a refund never re-opens."""
        assert all(LinkStatus.PAID in LINK_MOVES[before] for before in set(LinkStatus) - {LinkStatus.PAID})
        assert not LINK_MOVES[LinkStatus.PAID]

    def test_replaced_links_never_come_back_but_by_money(self) -> None:
        """Nothing re-opens what another link has replaced."""
        assert LINK_MOVES[LinkStatus.REPLACED] == {LinkStatus.PAID}

    def test_states_are_payable_or_closed_or_neither(self) -> None:
        """A closed state cannot be paid."""
        assert not PAYABLE & CLOSED


class TestMoney:
    @given(ending_kinds, statuses, st.integers(0, 2 * ASKED), st.integers(0, 2 * ASKED))
    def test_that_covers_the_amount_wins(
        self, kind: LinkKind, status: LinkStatus, paid: int, more: int
    ) -> None:
        """From any state, a covering payment gives `paid`; what was late or too much is flagged."""
        came = max(ASKED - paid, 1) + more
        standing = after_payment(link_of(kind, status, paid=paid), payment_of(came))

        assert standing.link.status is LinkStatus.PAID
        assert standing.link.paid_amount.minor == paid + came
        assert standing.link.open_amount.minor == 0
        assert (LATE in standing.flags) == (status in CLOSED)
        assert (EXCESS in standing.flags) == (status is LinkStatus.PAID or paid + came > ASKED)

    @given(
        st.one_of(ending_kinds, st.builds(Reusable, max_payments=st.none() | st.integers(1, 3))),
        statuses,
        st.lists(st.tuples(st.integers(1, 2 * ASKED), st.sampled_from(["EUR", "EUR", "USD"])), max_size=5),
    )
    def test_never_lowers_what_was_paid_nor_undoes_paid(
        self, kind: LinkKind, status: LinkStatus, payments: list[tuple[int, str]]
    ) -> None:
        """Any payments in any order: sums and counts only rise, `paid` stays, and every payment has its say."""
        link = link_of(kind, status)
        for minor, currency in payments:
            standing = after_payment(link, payment_of(minor, currency))
            after = standing.link

            assert after.paid_amount >= link.paid_amount
            assert after.payments >= link.payments
            assert after.status is LinkStatus.PAID or link.status is not LinkStatus.PAID
            counts = currency == "EUR"
            assert (after.payments - link.payments, MISMATCH in standing.flags or counts) == (
                int(counts),
                True,
            )
            assert after.status is link.status or after.status in LINK_MOVES[link.status]
            link = after

    @pytest.mark.parametrize("status", LinkStatus)
    @pytest.mark.parametrize("kind", [SingleUse(), Reusable(), bound()], ids=lambda kind: kind.name)
    def test_in_another_currency_is_kept_and_moves_nothing(self, kind: LinkKind, status: LinkStatus) -> None:
        """A payment in a currency nobody expected is flagged and the link stays."""
        link = link_of(kind, status)
        standing = after_payment(link, payment_of(ASKED, "BGN"))

        assert standing.link is link
        assert standing.flags == {MISMATCH} | ({LATE} if status in CLOSED else set())

    @pytest.mark.parametrize(
        ("kind", "before", "paid", "came", "after", "flags"),
        [
            pytest.param(SingleUse(), "open", 0, ASKED, "paid", set(), id="exact"),
            pytest.param(SingleUse(), "pending", 0, ASKED, "paid", set(), id="before the provider's answer"),
            pytest.param(SingleUse(), "processing", 0, ASKED, "paid", set(), id="delayed"),
            pytest.param(SingleUse(), "expired", 0, ASKED, "paid", {LATE}, id="after expiry"),
            pytest.param(SingleUse(), "cancelled", 0, ASKED, "paid", {LATE}, id="after cancellation"),
            pytest.param(SingleUse(), "replaced", 0, ASKED, "paid", {LATE}, id="after replacement"),
            pytest.param(SingleUse(), "paid", ASKED, ASKED, "paid", {EXCESS}, id="a second one"),
            pytest.param(SingleUse(), "open", 0, ASKED + 1, "paid", {EXCESS, MISMATCH}, id="too much"),
            pytest.param(SingleUse(), "open", 0, ASKED - 1, "open", {MISMATCH}, id="too little"),
            pytest.param(SingleUse(), "open", 4000, 990, "paid", {MISMATCH}, id="the rest of too little"),
            pytest.param(bound(), "open", 0, 1000, "part_paid", set(), id="a part of an invoice"),
            pytest.param(bound(), "processing", 0, 1000, "part_paid", set(), id="a delayed part"),
            pytest.param(bound(), "part_paid", 1000, 1000, "part_paid", set(), id="another part"),
            pytest.param(bound(), "part_paid", 1000, 3990, "paid", set(), id="the last part"),
            pytest.param(bound(), "part_paid", 1000, 4000, "paid", {EXCESS}, id="above the open amount"),
            pytest.param(bound(), "expired", 0, 1000, "expired", {LATE}, id="a late part"),
            pytest.param(
                bound(), "cancelled", 0, 1000, "cancelled", {LATE}, id="a part after it was cancelled"
            ),
            pytest.param(bound(), "paid", 0, 1000, "paid", {EXCESS}, id="a part after paid by other means"),
        ],
    )
    def test_has_its_effect_and_its_flags(
        self, kind: LinkKind, before: str, paid: int, came: int, after: str, flags: set[PaymentFlag]
    ) -> None:
        """Late, excess and mismatch say why a person should look."""
        standing = after_payment(link_of(kind, LinkStatus(before), paid=paid), payment_of(came))

        assert (str(standing.link.status), set(standing.flags)) == (after, flags)
        assert standing.link.paid_amount.minor == paid + came

    def test_on_a_reusable_link_is_counted(self) -> None:
        """A reusable link stays open and counts its payers; each is asked for the whole amount."""
        link = link_of(Reusable())
        for count in range(1, 4):
            standing = after_payment(link, payment_of(ASKED))
            link = standing.link

            assert (link.status, link.payments) == (LinkStatus.OPEN, count)
            assert not standing.flags
        assert link.paid_amount.minor == 3 * ASKED
        assert link.open_amount.minor == ASKED

    def test_fills_a_reusable_link_with_a_maximum(self) -> None:
        """With the last payment it is paid; one more is excess and is kept."""
        link = link_of(Reusable(max_payments=2))
        told = []
        for _ in range(3):
            standing = after_payment(link, payment_of(ASKED))
            link = standing.link
            told.append((str(link.status), link.payments, set(standing.flags)))

        assert told == [("open", 1, set()), ("paid", 2, set()), ("paid", 3, {EXCESS})]

    @pytest.mark.parametrize("status", sorted(CLOSED))
    def test_on_a_closed_reusable_link_is_late_and_opens_nothing(self, status: LinkStatus) -> None:
        """It is counted and flagged, also where its amount is another."""
        standing = after_payment(link_of(Reusable(), status), payment_of(1))

        assert (standing.link.status, standing.link.payments) == (status, 1)
        assert standing.flags == {LATE, MISMATCH}


class TestDelayedMethods:
    @pytest.mark.parametrize("kind", [SingleUse(), Reusable(), bound()], ids=lambda kind: kind.name)
    @pytest.mark.parametrize("status", LinkStatus)
    @pytest.mark.parametrize("failed", [False, True], ids=["begun", "failed"])
    def test_move_only_what_waits_for_them(self, kind: LinkKind, status: LinkStatus, failed: bool) -> None:
        """Begun: a payable link is processing. Failed: a processing one can be paid again. Else nothing moves."""
        link = link_of(kind, status)
        expected = status
        if not isinstance(kind, Reusable):
            if not failed and status in PAYABLE:
                expected = LinkStatus.PROCESSING
            elif failed and status is LinkStatus.PROCESSING:
                expected = LinkStatus.OPEN

        assert after_attempt(link, failed=failed) == evolve(link, status=expected)

    @pytest.mark.parametrize(
        ("kind", "back"),
        [(bound(), LinkStatus.PART_PAID), (SingleUse(), LinkStatus.OPEN)],
        ids=["invoice", "single"],
    )
    def test_that_fail_lead_back_to_where_the_link_was(self, kind: LinkKind, back: LinkStatus) -> None:
        """An invoice of which a part was paid is part paid again; a single-use link is never part paid."""
        link = link_of(kind, LinkStatus.PROCESSING, paid=1000)

        assert after_attempt(link, failed=True).status is back


class TestLink:
    @pytest.mark.parametrize("status", LinkStatus)
    def test_is_payable_while_open_and_reachable(self, status: LinkStatus) -> None:
        """Sends and reminders ask one question: can it be paid now."""
        assert link_of(status=status).payable == (status in {LinkStatus.OPEN, LinkStatus.PART_PAID})
        assert not link_of(status=status, url="").payable

    @pytest.mark.parametrize(
        ("kind", "paid", "left"),
        [(SingleUse(), 0, ASKED), (bound(), 990, 4000), (bound(), ASKED + 1, 0), (Reusable(), 990, ASKED)],
        ids=["nothing paid", "a part paid", "too much paid", "reusable"],
    )
    def test_knows_what_is_left_to_pay(self, kind: LinkKind, paid: int, left: int) -> None:
        """The open amount never falls below zero."""
        assert link_of(kind, paid=paid).open_amount == Money(left, "EUR")

    def test_begins_with_nothing_paid_in_the_currency_of_its_order(self) -> None:
        """Nothing is an amount too."""
        link = link_of(order=Order(reference="a", amount=Money(1, "JPY")))
        fresh = PaymentLink(
            id=link.id,
            token=link.token,
            order=link.order,
            kind=link.kind,
            status=link.status,
            mode=link.mode,
            provider=link.provider,
            created_at=link.created_at,
            expires_at=None,
        )

        assert fresh.paid_amount == Money(0, "JPY")

    @pytest.mark.parametrize(
        ("behind", "current"),
        [
            pytest.param("", None, id="none"),
            pytest.param("open", 0, id="one"),
            pytest.param("closed open", 1, id="renewed"),
            pytest.param("open refused", 0, id="the newer one was refused"),
            pytest.param("closed refused", None, id="nothing lives"),
            pytest.param("open asked", 1, id="the newer one may exist"),
            pytest.param("closing", 0, id="not certainly closed"),
        ],
    )
    def test_knows_which_provider_link_may_live(self, behind: str, current: int | None) -> None:
        """The newest one that exists or may exist."""
        links = tuple(
            ProviderLink(id=str(place), provider="stripe", status=ProviderLinkStatus(status), asked_at=NOW)
            for place, status in enumerate(behind.split())
        )

        assert link_of(provider_links=links).current == (None if current is None else links[current])

    def test_reserved_on_a_lent_connection_is_pending(self) -> None:
        """A reserved link is always pending."""
        order = link_of().order

        assert (
            PendingLink(id="01", token="t", order=order, kind=SingleUse(), expires_at=NOW).status == "pending"
        )


class TestKinds:
    @pytest.mark.parametrize(
        ("word", "kind"),
        [
            ("single_use", SingleUse()),
            ("reusable", Reusable()),
            ("invoice", bound("INV-7")),
        ],
    )
    def test_have_short_names(self, word: str, kind: LinkKind) -> None:
        """A word means its kind; an invoice is numbered by the order's reference."""
        order = link_of().order

        assert as_kind(word, order) == kind
        assert as_kind(kind, order) == kind
        assert kind.name == word

    def test_of_an_invoice_take_the_vat_of_the_order(self) -> None:
        """The VAT groups of the lines are those of the invoice."""
        order = Order(
            reference="INV-7",
            lines=[LineItem(description="a", unit_price=Money(120, "EUR"), vat_rate=20)],
        )
        kind = as_kind("invoice", order)

        assert isinstance(kind, InvoiceBound)
        assert kind.invoice.vat_groups == order.vat_groups

    @pytest.mark.parametrize(
        ("given", "path"),
        [
            pytest.param("weekly", "kind", id="unknown word"),
            pytest.param(SingleUse, "kind", id="the class"),
            pytest.param(None, "kind", id="nothing"),
            pytest.param(bound(open_amount=Money(1, "EUR")), "kind.invoice.open_amount", id="other amount"),
        ],
    )
    def test_that_fit_nothing_are_refused(self, given: Any, path: str) -> None:
        """What is no kind, or asks for something else than the order, is named."""
        with pytest.raises(InvalidInput) as caught:
            _ = as_kind(given, link_of().order)
        assert [fault.path for fault in caught.value.faults] == [path]

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "3"])
    def test_with_a_maximum_take_whole_numbers_above_zero(self, wrong: Any) -> None:
        """A maximum below one, or no whole number, is refused; none at all is any number."""
        with pytest.raises(InvalidInput, match=r"kind\.max_payments: is not a whole number above zero"):
            _ = Reusable(max_payments=wrong)
        assert Reusable().max_payments is None

    @given(strategies.orders(currency="EUR"), st.data())
    def test_drawn_for_an_order_fit_it(self, order: Order, data: st.DataObject) -> None:
        """What the shared strategies draw is taken as it is."""
        kind = data.draw(strategies.link_kinds(order.amount))

        assert as_kind(kind, order) is kind


class TestInvoice:
    def test_names_every_fault_at_once(self) -> None:
        """Number, type, amount and dates are checked together."""
        wrong: Any = {"number": "a\nb", "open_amount": 49.9, "type": "bill"}
        with pytest.raises(InvalidInput) as caught:
            _ = Invoice(**wrong, issued_on=dt.date(2026, 2, 1), due_on=dt.date(2026, 1, 31))
        assert [fault.path for fault in caught.value.faults] == ["number", "type", "open_amount", "due_on"]

    @pytest.mark.parametrize("minor", [0, -1])
    def test_with_nothing_open_is_refused(self, minor: int) -> None:
        """There is nothing to make a link for."""
        with pytest.raises(InvalidInput, match=r"open_amount: is .*; nothing is left to pay"):
            _ = bound(open_amount=Money(minor, "EUR"))

    def test_may_be_due_at_once_and_takes_its_type_as_a_word(self) -> None:
        """Due on the day of issue is fine; ``quote`` means the member."""
        day = dt.date(2026, 1, 1)
        invoice = bound(type="quote", issued_on=day, due_on=day).invoice

        assert invoice.type is InvoiceType.QUOTE


class TestContent:
    @pytest.mark.parametrize(
        ("kind", "span", "differs"),
        [
            pytest.param(
                Reusable(),
                {"expires_in": dt.timedelta(days=7), "expires_at": None},
                {"kind", "kind.max_payments"},
                id="kind",
            ),
            pytest.param(
                SingleUse(), {"expires_in": dt.timedelta(days=8), "expires_at": None}, {"expires"}, id="span"
            ),
            pytest.param(SingleUse(), {"expires_in": None, "expires_at": NOW}, {"expires"}, id="moment"),
            pytest.param(SingleUse(), {"expires_in": None, "expires_at": None}, {"expires"}, id="no expiry"),
        ],
    )
    def test_tells_which_field_differs(self, kind: LinkKind, span: dict[str, Any], differs: set[str]) -> None:
        """Kind and expiry are content beside the order's own."""
        order = link_of().order
        before = link_content(order, SingleUse(), expires_in=dt.timedelta(days=7), expires_at=None)
        after = link_content(order, kind, **span)

        assert {name for name in {**before, **after} if before.get(name) != after.get(name)} == differs

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param(Reusable(max_payments=1), Reusable(max_payments=2), id="maximum"),
            pytest.param(bound("A"), bound("B"), id="number"),
            pytest.param(bound(), bound(due_on=dt.date(2026, 2, 1)), id="due date"),
            pytest.param(bound(), bound(type="quote"), id="type"),
        ],
    )
    def test_sees_inside_a_kind(self, one: LinkKind, other: LinkKind) -> None:
        """Another maximum, number, due date or type is other content."""
        order = link_of().order

        def content(kind: LinkKind) -> dict[str, str]:
            return link_content(order, kind, expires_in=None, expires_at=NOW)

        assert content(one) != content(other)
        assert content(one) == content(evolve(one))
