"""No cell of the matrix of providers that a test does not prove, and no proof that is not there."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from paybylink.providers.base import Feature
from paybylink.testing import ProviderConformance

from . import provider_matrix
from .matrix_proofs import PROOFS
from .pages import ROOT

VENDORS = tuple(provider_matrix.VENDORS)
JOURNEYS = "tests/workflows/test_three_providers.py"
CELLS = [pytest.param(vendor, feature, id=f"{vendor}-{feature}") for feature in Feature for vendor in VENDORS]


@cache
def _tests(path: str) -> dict[str, ast.FunctionDef]:
    """The tests of a file and their code; none where there is no such file."""
    file = ROOT / path
    body = ast.parse(file.read_text("utf-8")).body if file.exists() else []
    return {
        node.name: node
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@cache
def _overridden(vendor: str) -> set[str] | None:
    """What the vendor's conformance suite says itself; None where there is no such suite."""
    file = ROOT / f"tests/providers/test_{vendor}_conformance.py"
    for node in ast.parse(file.read_text("utf-8")).body if file.exists() else []:
        if isinstance(node, ast.ClassDef) and node.name == f"Test{vendor.title()}":
            return {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return None


def _why_not(vendor: str, short: str) -> str:
    """Why a name is no test of that provider's; empty where it is one."""
    room, _, name = short.partition("::")
    if room == "suite":
        if not callable(getattr(ProviderConformance, name, None)):
            return "the conformance suite has no such check"
        own = _overridden(vendor)
        return "there is no suite" if own is None else "the suite replaces it" if name in own else ""
    path = JOURNEYS if room == "journey" else f"tests/providers/test_{vendor}_{room}.py"
    test = _tests(path).get(name)
    if test is None:
        return f"{path} has no such test"
    if any(_skips(decorator) for decorator in test.decorator_list):
        return "it is skipped, or expected to fail"
    if room == "journey":
        given = {argument.arg for argument in test.args.args}
        # Either it visits every shop, or it names this one.
        if "shop" not in given and vendor not in ast.unparse(test):
            return "it does not visit that provider"
    return ""


def _skips(decorator: ast.expr) -> bool:
    return any(word in ast.unparse(decorator) for word in ("mark.skip", "mark.xfail"))


@pytest.mark.parametrize(("vendor", "feature"), CELLS)
def test_every_cell_has_a_test_that_proves_it(vendor: str, feature: Feature) -> None:
    """A new feature, or one whose support has changed, asks for its proof; each test that is named is there."""
    proof = PROOFS[feature][vendor]

    assert proof.support is provider_matrix.cell(vendor, feature).support
    assert proof.tests
    assert {short: why for short in proof.tests if (why := _why_not(vendor, short))} == {}


def test_no_proof_is_of_a_cell_that_is_not_there() -> None:
    """What is left over would be believed by whoever reads the table."""
    assert set(PROOFS) == set(Feature)
    assert all(set(of_vendors) == set(VENDORS) for of_vendors in PROOFS.values())


@pytest.mark.parametrize(
    ("vendor", "short"),
    [
        pytest.param("stripe", "links::test_that_nobody_wrote", id="no such test"),
        pytest.param("stripe", "nowhere::test_many_pay_a_reusable_link", id="no such file"),
        pytest.param("adyen", "suite::test_that_nobody_wrote", id="no such check"),
        pytest.param("paypal", "suite::test_closes_a_link_for_good", id="no such suite"),
        pytest.param(
            "mollie", "journey::test_a_link_that_lives_longer_than_its_providers_links", id="other shop"
        ),
    ],
)
def test_a_proof_that_is_none_is_found_out(vendor: str, short: str) -> None:
    """The check of the proofs can fail."""
    assert _why_not(vendor, short)
