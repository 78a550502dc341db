"""Promises about kinds of links: what each asks for is checked by itself, and against the order."""

from __future__ import annotations

from typing import Any

import pytest

from paybylink.errors import InvalidInput
from paybylink.kinds import HostedInvoice, Invoice, InvoiceBound, LinkKind, Reusable, SingleUse, as_kind
from paybylink.links import link_content
from paybylink.money import Money
from paybylink.orders import Order

ORDER = Order(reference="INV-7", amount=Money(4990, "EUR"))


def faults(kind: type[LinkKind], **content: Any) -> list[str]:
    """The paths of what is wrong with a kind."""
    with pytest.raises(InvalidInput) as caught:
        _ = kind(**content)
    return [fault.path for fault in caught.value.faults]


class TestShortNames:
    @pytest.mark.parametrize(
        ("word", "kind"),
        [
            ("single_use", SingleUse()),
            ("reusable", Reusable()),
            ("hosted_invoice", HostedInvoice(due_in_days=30)),
            ("invoice", InvoiceBound(Invoice(number="INV-7", open_amount=ORDER.amount))),
        ],
    )
    def test_mean_their_kind(self, word: str, kind: LinkKind) -> None:
        """A word means the kind of that name; an invoice takes the order's reference as its number."""
        assert as_kind(word, ORDER) == kind
        assert kind.name == word

    def test_are_all_named_when_one_is_unknown(self) -> None:
        """Whoever guesses a word learns the right ones, and the guess is repeated in part only."""
        with pytest.raises(InvalidInput) as caught:
            _ = as_kind("subscription" * 9, ORDER)

        told = str(caught.value)
        assert all(name in told for name in ("single_use", "reusable", "invoice", "hosted_invoice"))
        assert len(told) < 150


class TestReusable:
    def test_lets_the_payer_choose_within_bounds(self) -> None:
        """A least amount, up to the one that is suggested, goes with an amount that the payer types."""
        kind = Reusable(payer_chooses=True, minimum=ORDER.amount, max_payments=3)

        assert as_kind(kind, ORDER) is kind
        assert as_kind(Reusable(payer_chooses=True), ORDER).name == "reusable"

    @pytest.mark.parametrize(
        ("content", "paths"),
        [
            pytest.param({"max_payments": 0}, ["kind.max_payments"], id="no payments"),
            pytest.param({"max_payments": True}, ["kind.max_payments"], id="yes as a number"),
            pytest.param({"payer_chooses": "yes"}, ["kind.payer_chooses"], id="yes as a word"),
            pytest.param({"payer_chooses": True, "minimum": 500}, ["kind.minimum"], id="bare minimum"),
            pytest.param(
                {"payer_chooses": True, "minimum": Money(0, "EUR")}, ["kind.minimum"], id="minimum of nothing"
            ),
            pytest.param({"minimum": Money(500, "EUR")}, ["kind.minimum"], id="minimum of a fixed amount"),
            pytest.param(
                {"max_payments": -1, "payer_chooses": 0, "minimum": Money(-1, "EUR")},
                ["kind.max_payments", "kind.payer_chooses", "kind.minimum", "kind.minimum"],
                id="everything",
            ),
        ],
    )
    def test_refuses_what_makes_no_sense(self, content: dict[str, Any], paths: list[str]) -> None:
        """Every fault of the kind is named at once, below ``kind``."""
        assert faults(Reusable, **content) == paths

    @pytest.mark.parametrize(
        ("minimum", "told"),
        [
            pytest.param(Money(500, "USD"), "is in USD; write it in EUR", id="other currency"),
            pytest.param(Money(4991, "EUR"), "more than the", id="above what is suggested"),
        ],
    )
    def test_with_a_minimum_must_fit_the_order(self, minimum: Money, told: str) -> None:
        """A least amount is in the order's currency and no more than what is suggested."""
        with pytest.raises(InvalidInput, match=rf"kind\.minimum: .*{told}"):
            _ = as_kind(Reusable(payer_chooses=True, minimum=minimum), ORDER)


class TestHostedInvoice:
    @pytest.mark.parametrize("days", [1, 30, 365])
    def test_is_due_within_a_year(self, days: int) -> None:
        """From a day to a year after its issue."""
        kind = HostedInvoice(due_in_days=days)

        assert as_kind(kind, ORDER) is kind

    @pytest.mark.parametrize("days", [0, -1, 366, 1.5, True, "30", None])
    def test_is_refused_with_another_term(self, days: Any) -> None:
        """What is no whole number of days within a year is refused by name."""
        assert faults(HostedInvoice, due_in_days=days) == ["kind.due_in_days"]


class TestContent:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param(Reusable(), Reusable(payer_chooses=True), id="whether the payer chooses"),
            pytest.param(
                Reusable(payer_chooses=True),
                Reusable(payer_chooses=True, minimum=Money(500, "EUR")),
                id="the least amount",
            ),
            pytest.param(HostedInvoice(), HostedInvoice(due_in_days=14), id="when it is due"),
            pytest.param(
                HostedInvoice(),
                InvoiceBound(Invoice(number="INV-7", open_amount=ORDER.amount)),
                id="who makes the invoice",
            ),
        ],
    )
    def test_of_a_link_sees_inside_its_kind(self, one: LinkKind, other: LinkKind) -> None:
        """Asking for something else under the same reference is seen as a difference."""

        def content(kind: LinkKind) -> dict[str, str]:
            return link_content(ORDER, kind, expires_in=None, expires_at=None)

        assert content(one) == content(one)
        assert content(one) != content(other)
