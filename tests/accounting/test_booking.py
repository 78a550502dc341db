"""Booking: the worked entries of a French shop, the day, the piece, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.accounting.accounts import NEUTRAL, PCG, Accounts
from paybylink.accounting.booking import (
    Claim,
    book_refund,
    book_refund_failed,
    book_rounding,
    settled_account,
)
from paybylink.accounting.entries import Entry, reversal
from paybylink.accounting.reports import is_balanced, postings, trial_balance
from paybylink.errors import InvalidInput
from paybylink.kinds import Reusable
from paybylink.links import LinkStatus, Mode, PaymentLink
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.payments import Payment, PaymentFlag, PaymentStatus, RefundStatus

from .shop_month import (
    CREATED,
    SINGLE_USE,
    booked,
    claim,
    invoice,
    moment,
    payment,
    refund,
    refunded,
    rows,
    sides,
)

INVOICE = claim(invoice("F2026-0042", "120.00"))


# The worked entries ---------------------------------------------------------------------------------------


def test_a_paid_invoice_settles_the_customer() -> None:
    """Link paid: 51151 D 120,00 | 411/C0042 C 120,00."""
    entry = booked(payment("120.00", reference="INV-42"), INVOICE)

    assert sides(entry) == ["51151 D 12000", "411/C0042 C 12000"]
    assert (entry.journal, entry.piece, entry.key) == ("PL", "F2026-0042", "stripe|pi_1|payment")
    assert entry.label == "Paiement stripe INV-42 C0042"
    assert entry.date == dt.date(2026, 11, 3)
    assert (entry.customer_id, entry.reverses_id, entry.created_at) == ("L42", None, CREATED)


def test_a_refund_goes_back_the_way_its_payment_came() -> None:
    """Refund: 411/C0042 D 30,00 | 51151 C 30,00, under the number of the credit note."""
    paid = payment("120.00", reference="INV-42")
    entry = refunded(refund(paid, "30.00", reference="AV-2026-007"), paid, INVOICE)

    assert sides(entry) == ["411/C0042 D 3000", "51151 C 3000"]
    assert (entry.piece, entry.key) == ("AV-2026-007", "stripe|re_1|refund")
    assert entry.label == "Remboursement stripe INV-42 C0042"
    assert entry.date == dt.date(2026, 11, 9)


def test_a_paid_quote_is_a_deposit_and_not_revenue() -> None:
    """Deposit on a quote: 51151 D 36,00 | 4191/C0042 C 36,00; its refund empties 4191 again."""
    paid = payment("36.00", reference="Q-7", part="deposit")
    to = claim(invoice("D2026-007", "36.00", type="quote"))

    assert sides(booked(paid, to)) == ["51151 D 3600", "4191/C0042 C 3600"]
    assert sides(refunded(refund(paid, "36.00"), paid, to)) == ["4191/C0042 D 3600", "51151 C 3600"]
    assert booked(paid, to).label == "Paiement stripe Q-7 deposit C0042"


def test_a_paid_deposit_invoice_settles_the_customer() -> None:
    """A deposit invoice was booked by the host on 411, so its payment is credited there."""
    to = claim(invoice("A2026-003", "36.00", type="deposit"))

    assert sides(booked(payment("36.00"), to)) == ["51151 D 3600", "411/C0042 C 3600"]


def test_an_overpaid_cent_is_written_off_as_a_gain() -> None:
    """Overpayment 0,01: 411 D 0,01 | 758 C 0,01 in the journal of other entries."""
    entry = rounding(payment("120.01", reference="INV-42"), "0.01", account=PCG.customers)

    assert sides(entry) == ["411/C0042 D 1", "758 C 1"]
    assert (entry.journal, entry.key, entry.piece) == ("OD", "stripe|pi_1|rounding", "F2026-0042")
    assert entry.label == "Écart de règlement stripe INV-42 C0042"


def test_an_underpaid_cent_is_written_off_as_a_loss() -> None:
    """Underpayment 0,01: 658 D 0,01 | 411 C 0,01."""
    assert sides(rounding(payment("119.99"), "-0.01", account=PCG.customers)) == ["658 D 1", "411/C0042 C 1"]


def rounding(of: Payment, difference: str, *, account: str) -> Entry:
    currency = "EUR"
    return book_rounding(
        of,
        Money.of(difference, currency),
        account=account,
        claim=INVOICE,
        accounts=PCG,
        entry_id="E3",
        created_at=CREATED,
    )


# What nobody can allocate yet -----------------------------------------------------------------------------


@pytest.mark.parametrize("flag", list(PaymentFlag))
def test_a_flagged_payment_waits_for_a_person(flag: PaymentFlag) -> None:
    """Late, excess or mismatch: the money is booked, but on the account of what is to be allocated."""
    paid = payment("120.01", flags=frozenset({flag}))

    assert sides(booked(paid, INVOICE)) == ["51151 D 12001", "471 C 12001"]
    assert sides(refunded(refund(paid, "120.01"), paid, INVOICE)) == ["471 D 12001", "51151 C 12001"]


def test_a_payment_without_a_link_is_booked_under_the_providers_id() -> None:
    """Money that no link explains is never lost: 471, and the piece is the vendor's id."""
    entry = booked(payment("5.00", link_id=None, reference="", vendor_id="pi_9"), Claim.of(None))

    assert sides(entry) == ["51151 D 500", "471 C 500"]
    assert (entry.piece, entry.label) == ("pi_9", "Paiement stripe pi_9")


@pytest.mark.parametrize("kind", [SINGLE_USE, Reusable()], ids=["single-use", "reusable"])
def test_a_payment_without_an_invoice_is_to_be_allocated(kind: object) -> None:
    """No invoice number, no receivable; a number given for another kind makes it one."""
    paid = payment("5.00")
    to = Claim(link_kind=kind, customer_code="C1")  # type: ignore[arg-type]

    assert settled_account(paid, to, PCG) == "471"
    assert settled_account(paid, evolve(to, invoice_number="F7"), PCG) == "411"


def test_the_account_for_unallocated_money_is_a_setting() -> None:
    """On 4191 it carries the customer's code, as any customer account."""
    entry = booked(payment("5.00"), claim(SINGLE_USE), accounts=Accounts(unallocated="4191"))

    assert sides(entry) == ["51151 D 500", "4191/C0042 C 500"]


# The day, the piece, the classes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Paris", dt.date(2026, 12, 1)),
        ("UTC", dt.date(2026, 11, 30)),
        ("America/New_York", dt.date(2026, 11, 30)),
    ],
)
def test_the_day_is_the_providers_moment_in_the_merchants_zone(zone: str, day: dt.date) -> None:
    """23:30 UTC on the last of November is December in Paris, and the month of the lines goes with it."""
    entry = booked(payment("1.00", at="30 23:30"), INVOICE, accounts=Accounts(zone=zone))

    assert entry.date == day
    assert {line.month for line in entry.lines} == {day.isoformat()[:7]}


def test_a_refunds_day_is_the_providers_where_it_is_told() -> None:
    """Without the provider's moment, the day on which it was asked for."""
    paid = payment("120.00")
    entry = book_refund(
        refund(paid, "30.00"),
        paid,
        claim=INVOICE,
        accounts=PCG,
        entry_id="E2",
        created_at=CREATED,
        at=moment("12 12:00"),
    )

    assert entry.date == dt.date(2026, 11, 12)


def test_lines_carry_what_collections_are_classified_by() -> None:
    """Month, provider, kind and method stand on every line."""
    entry = booked(payment("120.00"), INVOICE)

    assert {(x.month, x.provider, x.kind, x.method) for x in entry.lines} == {
        ("2026-11", "stripe", "invoice", "card")
    }


def test_an_entry_never_holds_a_name() -> None:
    """The link's customer becomes a code and the id of the row that keeps the name."""
    link = PaymentLink(
        id="L42",
        token="t",
        order=Order(
            reference="INV-42",
            amount=Money.of("120.00", "EUR"),
            customer=Customer(name="Zoé Martin", email="zoe@example.com", code="C0042"),
        ),
        kind=SINGLE_USE,
        status=LinkStatus.OPEN,
        mode=Mode.TEST,
        provider="stripe",
        created_at=CREATED,
        expires_at=CREATED,
    )
    entry = booked(payment("120.00", reference="INV-42"), Claim.of(link, invoice_number="F2026-0042"))

    assert sides(entry) == ["51151 D 12000", "411/C0042 C 12000"]
    assert entry.customer_id == "L42"
    assert "Zoé" not in repr(entry)
    assert "zoe@" not in repr(entry)


def test_a_link_without_a_customer_claims_for_nobody() -> None:
    """A link that anybody may pay has neither code nor name."""
    link = PaymentLink(
        id="L43",
        token="t",
        order=Order(reference="INV-43", amount=Money.of("1.00", "EUR")),
        kind=SINGLE_USE,
        status=LinkStatus.OPEN,
        mode=Mode.TEST,
        provider="stripe",
        created_at=CREATED,
        expires_at=CREATED,
    )

    assert Claim.of(link) == Claim(link_kind=SINGLE_USE)


def test_hostile_text_is_booked_and_not_refused() -> None:
    """A payment is never lost because its reference or code breaks a column."""
    paid = payment("1.00", reference="A|B\u00a0C", vendor_id="pi|1", part="p\u202fq", provider="str|pe")
    entry = booked(paid, claim(SINGLE_USE, code="C\u00a0|1"))

    assert entry.piece == "A/B C"
    assert entry.label == "Paiement str/pe A/B C p q C /1"
    assert entry.key == "str%7Cpe|pi%7C1|payment"
    assert entry.lines[0].provider == "str/pe"


def test_a_piece_of_nothing_but_unfit_characters_falls_back() -> None:
    """A reference of which nothing is left gives way to the provider's id."""
    assert booked(payment("1.00", reference="\u00a0"), claim(SINGLE_USE)).piece == "pi_1"


def test_other_words_and_accounts_come_from_the_chart() -> None:
    """The neutral chart books in English."""
    entry = booked(payment("1.00"), INVOICE, accounts=NEUTRAL)

    assert sides(entry) == ["provider-clearing D 100", "receivables/C0042 C 100"]
    assert entry.label == "Payment stripe INV-1 C0042"


def test_foreign_money_is_booked_in_its_own_currency() -> None:
    """No rate is invented: the entry stands in dollars."""
    entry = booked(payment("100.00", "USD"), claim(invoice("F1", "100.00", "USD")))

    assert (entry.currency, sides(entry)) == ("USD", ["51151 D 10000", "411/C0042 C 10000"])


# A refund that comes back ---------------------------------------------------------------------------------


def test_a_failed_refund_is_reversed() -> None:
    """Booked as succeeded, then failed: the reversal names it and both together are nothing."""
    paid = payment("120.00", reference="INV-42")
    money = refund(paid, "30.00")
    first = refunded(money, paid, INVOICE)
    undone = book_refund_failed(
        first, evolve(money, status=RefundStatus.FAILED), accounts=PCG, entry_id="E3", created_at=CREATED
    )

    assert sides(undone) == ["411/C0042 C 3000", "51151 D 3000"]
    assert (undone.reverses_id, undone.key) == ("E2", "stripe|re_1|refund_failed")
    assert undone.label == "Remboursement échoué stripe INV-42 C0042"
    assert undone.date == dt.date(2026, 11, 30)
    assert all(balance.minor == 0 for balance in trial_balance(postings(rows([first, undone]))))


def test_only_a_failed_refunds_own_entry_is_reversed() -> None:
    """Neither a refund that has not failed nor the entry of something else."""
    paid = payment("120.00")
    money = refund(paid, "30.00")
    first = refunded(money, paid, INVOICE)
    failed = evolve(money, status=RefundStatus.FAILED)

    def undo(entry: Entry, told: object) -> None:
        _ = book_refund_failed(entry, told, accounts=PCG, entry_id="E3", created_at=CREATED)  # type: ignore[arg-type]

    with pytest.raises(InvalidInput, match=r"refund\.status"):
        undo(first, money)
    with pytest.raises(InvalidInput, match="booked"):
        undo(booked(paid, INVOICE), failed)


# What is refused ------------------------------------------------------------------------------------------


PAID = payment("120.00")


@pytest.mark.parametrize(
    ("attempt", "path"),
    [
        pytest.param(
            lambda: booked(payment("1.00", status=PaymentStatus.PROCESSING), INVOICE),
            "payment.status",
            id="not-paid",
        ),
        pytest.param(lambda: booked(payment("0.00"), INVOICE), "payment.amount", id="no-money"),
        pytest.param(
            lambda: booked(evolve(PAID, at=dt.datetime(2026, 11, 3)), INVOICE),  # noqa: DTZ001
            "payment.at",
            id="naive-moment",
        ),
        pytest.param(
            lambda: refunded(refund(PAID, "1.00", status=RefundStatus.PENDING), PAID, INVOICE),
            "refund.status",
            id="refund-pending",
        ),
        pytest.param(
            lambda: refunded(refund(PAID, "1.00", vendor_id=None), PAID, INVOICE),
            "refund.vendor_id",
            id="no-vendor-id",
        ),
        pytest.param(
            lambda: refunded(refund(PAID, "1.00"), payment("1.00", vendor_id="pi_2"), INVOICE),
            "refund.payment_id",
            id="another-payment",
        ),
        pytest.param(
            lambda: refunded(refund(PAID, "1.00"), payment("1.00", "USD"), INVOICE),
            "refund.payment_id",
            id="another-currency",
        ),
        pytest.param(
            lambda: refunded(refund(PAID, "0.00"), PAID, INVOICE), "refund.amount", id="refund-of-nothing"
        ),
        pytest.param(lambda: rounding(PAID, "0.00", account="411"), "difference", id="no-difference"),
        pytest.param(
            lambda: rounding(payment("1.00", "USD"), "0.01", account="411"),
            "difference",
            id="difference-in-other-currency",
        ),
    ],
)
def test_what_did_not_happen_is_not_booked(attempt: Callable[[], Entry], path: str) -> None:
    """An event that is not certain, or of no money, is refused with the field."""
    with pytest.raises(InvalidInput) as caught:
        _ = attempt()

    assert caught.value.faults[0].path == path


# Properties -----------------------------------------------------------------------------------------------


CLAIMS = st.sampled_from(
    [
        INVOICE,
        claim(invoice("D1", "36.00", type="quote"), code=""),
        claim(SINGLE_USE),
        claim(Reusable()),
        Claim(),
        claim(invoice("F\u00a0|1", "1.00")),
    ]
)
PAYMENTS = st.builds(
    lambda minor, currency, flags, link_id, reference: evolve(
        payment("1.00", flags=frozenset(flags), link_id=link_id, reference=reference),
        amount=Money(minor, currency),
        refunded=Money(0, currency),
    ),
    st.integers(1, 10**12 - 1),
    st.sampled_from(["EUR", "USD", "JPY", "KWD"]),
    st.sets(st.sampled_from(list(PaymentFlag))),
    st.sampled_from([None, "L42"]),
    st.text(max_size=80),
)


@given(st.lists(st.tuples(PAYMENTS, CLAIMS, st.integers(1, 100)), max_size=8))
def test_any_month_balances_and_reverses_to_zero(events: list[tuple[Payment, Claim, int]]) -> None:
    """Whatever comes and goes back, debits equal credits per currency; all undone, every account is at zero."""
    books: list[Entry] = []
    for place, (came, to, percent) in enumerate(events):
        paid = evolve(came, vendor_id=f"pi_{place}", id=f"row-{place}")
        part = Money(max(1, paid.amount.minor * percent // 100), paid.amount.currency)
        back = evolve(refund(paid, "1", vendor_id=f"re_{place}"), amount=part)
        books += [booked(paid, to, entry_id=f"P{place}"), refunded(back, paid, to, entry_id=f"R{place}")]

        assert is_balanced(trial_balance(postings(rows(books))))

    undone = [
        reversal(
            entry, entry_id=f"X{entry.id}", key=f"{entry.key}_undone", date=entry.date, created_at=CREATED
        )
        for entry in books
    ]

    assert all(balance.minor == 0 for balance in trial_balance(postings(rows([*books, *undone]))))


@given(PAYMENTS, CLAIMS)
def test_a_full_refund_leaves_nothing(paid: Payment, to: Claim) -> None:
    """After a full refund every account is at zero, the clearing account first of all."""
    back = evolve(refund(paid, "1"), amount=paid.amount)

    balances = trial_balance(postings(rows([booked(paid, to), refunded(back, paid, to)])))

    assert all(balance.minor == 0 for balance in balances)
