"""Charts: the defaults, what is refused, and how an account is named."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from paybylink.accounting.accounts import NEUTRAL, PCG, Accounts
from paybylink.errors import InvalidInput


def test_the_french_chart_is_the_default() -> None:
    """Without settings, money is booked as a French bookkeeper expects it."""
    assert Accounts() == PCG
    assert (PCG.customers, PCG.deposits, PCG.disputes, PCG.bank, PCG.fees) == (
        "411",
        "4191",
        "416",
        "512",
        "6278",
    )
    assert (PCG.journal, PCG.bank_journal, PCG.other_journal) == ("PL", "BQ", "OD")
    assert str(PCG.tzinfo) == "Europe/Paris"


def test_each_provider_may_have_its_own_clearing_account() -> None:
    """A provider that is not named uses the default one."""
    accounts = Accounts(clearing={"stripe-be": "51152"})

    assert accounts.clearing_for("stripe-be") == "51152"
    assert accounts.clearing_for("stripe-fr") == "51151"


@pytest.mark.parametrize(
    ("account", "label"),
    [
        pytest.param("411", "Clients", id="exact"),
        pytest.param("4191", "Clients - Avances et acomptes reçus sur commandes", id="longest"),
        pytest.param("41100042", "Clients", id="beginning"),
        pytest.param("999", "999", id="unknown"),
    ],
)
def test_an_account_is_named_by_its_longest_known_beginning(account: str, label: str) -> None:
    """CompteLib is never empty."""
    assert PCG.label_of(account) == label


def test_a_journal_without_a_label_is_named_by_its_code() -> None:
    """JournalLib is never empty, also for a journal of another program."""
    assert PCG.journal_label("PL") == "Encaissements par lien de paiement"
    assert PCG.journal_label("ZZ") == "ZZ"


def test_only_customer_accounts_carry_the_customers_code() -> None:
    """The code stands beside 411, 4191 and 416 and their sub-accounts, and nowhere else."""
    assert PCG.aux_for("411", "C1") == "C1"
    assert PCG.aux_for("41190000", "C1") == "C1"
    assert PCG.aux_for("51151", "C1") == ""
    assert PCG.aux_for("471", "C1") == ""


def test_the_neutral_chart_needs_no_french_numbers() -> None:
    """Outside France, accounts may be words."""
    assert NEUTRAL.aux_for(NEUTRAL.customers, "C1") == "C1"
    assert NEUTRAL.label_of("provider-clearing") == "Payment provider clearing"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"chart": "skr"}, "chart", id="unknown-chart"),
        pytest.param({"customers": "41"}, "customers", id="two-digits"),
        pytest.param({"fees": "fees"}, "fees", id="words-in-pcg"),
        pytest.param({"bank": ""}, "bank", id="empty"),
        pytest.param({"bank": "512 1"}, "bank", id="space"),
        pytest.param({"bank": "512|1"}, "bank", id="pipe"),
        pytest.param({"bank": "5" * 41}, "bank", id="long"),
        pytest.param({"clearing": {"stripe": "5x"}}, "clearing['stripe']", id="clearing"),
        pytest.param({"auxiliary": ("4-1",)}, "auxiliary", id="auxiliary"),
        pytest.param({"currency": "eur"}, "currency", id="currency"),
        pytest.param({"zone": "Europe/Lutetia"}, "zone", id="unknown-zone"),
        pytest.param({"zone": "../etc/passwd"}, "zone", id="a-path"),
        pytest.param({"journal": "P L"}, "journal", id="journal-with-space"),
        pytest.param({"journal": "P/L"}, "journal", id="journal-with-slash"),
        pytest.param({"journal": "XY"}, "journal_labels['XY']", id="journal-without-label"),
        pytest.param({"words": {}}, "words['payment']", id="no-words"),
        pytest.param({"account_labels": {"411": "Clients|"}}, "account_labels['411']", id="label-with-pipe"),
        pytest.param({"account_labels": {"411": "x" * 101}}, "account_labels['411']", id="long-label"),
    ],
)
def test_a_faulty_chart_names_its_field(change: dict[str, Any], path: str) -> None:
    """A wrong setting is refused with its path and a remedy."""
    with pytest.raises(InvalidInput) as caught:
        _ = evolve(PCG, **change)

    assert caught.value.faults[0].path == path
    assert caught.value.faults[0].remedy


def test_a_chart_keeps_its_own_copy_of_what_it_was_given() -> None:
    """Changing the settings' dict later does not move money to another account."""
    clearing = {"stripe": "51152"}
    accounts = Accounts(clearing=clearing)
    clearing["stripe"] = "51153"

    assert accounts.clearing_for("stripe") == "51152"
