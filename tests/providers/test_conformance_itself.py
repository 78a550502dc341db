"""Promises about the suite itself: each fault is found by the check that is meant for it, and told to people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest
from attrs import frozen
from hypothesis import Phase, settings

from paybylink.errors import PaybylinkError
from paybylink.links import Mode
from paybylink.providers.base import Feature, Provider, native
from paybylink.testing import Alteration, ProviderConformance, Report, examine
from paybylink.testing.conformance import Outcome, checks_of

from . import (  # noqa: F401  # each keeps its faults in PLANTED
    planted_in_answers,
    planted_in_links,
    planted_in_money,
    planted_in_requests,
    planted_in_webhooks,
)
from .planted import ALSO, PLANTED
from .whole_provider import WholeProvider, WholeSuite, WholeVendor

ANY_ORDER = "test_writes_any_order_or_refuses_it_by_name"
MEMBERS = [name for name in vars(Provider) if not name.startswith("_")]
CHECKS = sorted(checks_of(ProviderConformance))


def suite_of(provider: type[Provider], vendor: type[WholeVendor] = WholeVendor) -> type[ProviderConformance]:
    """The whole provider's suite, over a provider and a vendor of these kinds."""

    class Suite(WholeSuite):
        examples = 12

        def __init__(self) -> None:
            self.__dict__["vendor"] = vendor()

        def provider(self) -> Provider:
            return provider()

        def provider_with(self, secrets: Any) -> Provider:
            made: Any = provider
            return made(secrets=secrets)  # type: ignore[no-any-return]  # its kind is the test's business

    return Suite


def names(report: Report) -> set[str]:
    """The checks whose promise is not kept."""
    return {finding.check for finding in report.missing}


def test_whole_provider_keeps_every_promise() -> None:
    """A provider without a fault passes every check, and none is skipped."""
    report = examine(suite_of(WholeProvider))

    assert not report.missing, str(report)
    assert not report.skipped, str(report)
    assert [finding.check for finding in report.findings] == CHECKS


@pytest.fixture
def _as_found() -> Iterator[None]:
    """What Hypothesis finds is not made smaller, which takes long and shows nothing here."""
    settings.register_profile("as found", phases=(Phase.generate,))
    settings.load_profile("as found")
    yield
    # As in the tests' own conftest.
    settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.mark.usefixtures("_as_found")
@pytest.mark.parametrize("check", sorted(PLANTED))
def test_a_fault_is_found_by_the_check_meant_for_it(check: str) -> None:
    """The planted fault fails its own check, and no other one but those that cannot help it."""
    # Orders are drawn for the one fault that they find.
    wanted = [name for name in CHECKS if name != ANY_ORDER or name == check]
    report = examine(suite_of(*PLANTED[check]), *wanted)

    assert names(report) == {check} | ALSO[check], str(report)


def test_every_check_has_a_fault_that_it_finds() -> None:
    """No check passes whatever happens: each has its planted fault, or a test of its own below."""
    assert set(CHECKS) - set(PLANTED) == {"test_knows_whether_it_is_test_or_live"}


def test_a_mode_that_is_no_mode_is_found() -> None:
    """Test or live is a member of `Mode`, since it is compared with what the vendor says."""

    @frozen(eq=False)
    class Worded(WholeProvider):
        mode: Any = "test"

    (finding,) = examine(suite_of(Worded), "test_knows_whether_it_is_test_or_live").findings

    assert finding.outcome is Outcome.MISSING


def test_what_is_missing_is_said_with_its_promise_and_its_place() -> None:
    """The report names the provider, the promise, what is wrong and where the contract is described."""
    fault, vendor = PLANTED["test_closes_a_link_for_good"]
    told = str(examine(suite_of(fault, vendor), "test_closes_a_link_for_good", "test_prints_no_secret"))

    assert told == (
        "1 kept, 1 missing, 0 skipped\n\n"
        "missing: A closed link is closed, also when it is read again.\n"
        "  tiny: a closed link is open when it is read\n"
        "  the contract: Provider.close_link; https://paybylink.readthedocs.io/contributing/add-a-provider/\n"
        "  (test_closes_a_link_for_good)"
    )


def test_everything_that_is_missing_is_said_at_once() -> None:
    """A beginner gets one list of verbs and one of features, not the first of them."""

    class Beginner:
        name, mode = "beginner", Mode.TEST
        capabilities: ClassVar = {Feature.SINGLE_USE: native()}

    class Suite(ProviderConformance):
        def provider(self) -> Provider:
            made: Any = Beginner()
            found: Provider = made
            return found

    verbs, features = examine(Suite, "test_has_every_verb", "test_has_a_row_for_every_feature").missing

    assert "beginner: acknowledgement is missing\n  cancel_payment is missing\n" in verbs.told
    assert verbs.told.count("is missing") == len(MEMBERS) - 3
    assert features.told.count("has no row") == len(Feature) - 1


def test_a_hook_that_is_not_given_skips_its_checks_and_is_named() -> None:
    """With a provider and a vendor alone, what can be checked is, and the rest says which hook it waits for."""

    class Suite(ProviderConformance):
        vendor = WholeVendor()
        examples = 5

        def provider(self) -> Provider:
            return WholeProvider()

        def answer(self, request: httpx.Request) -> httpx.Response:
            return self.vendor(request)

    report = examine(Suite)

    assert not report.missing, str(report)
    hooks = {finding.told.partition("()")[0] for finding in report.skipped}
    assert hooks == {"altered", "pay", "webhooks", "secrets", "signing", "too_much"}
    assert len(report.skipped) < len(CHECKS) - 25


def test_an_error_in_a_verb_is_told_and_not_thrown() -> None:
    """A verb that is not written yet is a line of the report."""

    class Unwritten(WholeProvider):
        def fetch_link(self, vendor_id: str) -> Any:
            raise NotImplementedError("soon")

    (finding,) = examine(suite_of(Unwritten), "test_reads_a_link_as_it_stands").missing

    assert finding.told == "NotImplementedError: soon"


def test_an_altered_answer_reaches_the_provider_and_errors_pass_through() -> None:
    """The suite's own way of tampering changes the body only, and hands errors of the driver on."""
    suite: Any = suite_of(WholeProvider)()
    made = suite.make()
    call = suite.tampered(suite.it.fetch_link(made.link.vendor_id), lambda _: b"{}")
    _ = next(call)
    with pytest.raises(PaybylinkError):
        call.throw(PaybylinkError("lost"))

    assert suite.altered(b'"test"', Alteration.MODE) == b'"live"'
