"""
The suite that every provider passes: what its author inherits from, and a report for people.

    class TestAtelier(ProviderConformance):
        def provider(self) -> Provider:
            return AtelierProvider("key_test_…")

pytest runs each check as a test; its docstring is the promise, and a failure says what is missing and where the
contract describes it. With `provider` alone, the checks run that need no vendor. Every further hook wakes more of
them: `answer` for recorded replies or a vendor in memory (else requests go out over HTTP), `pay` for payments and
refunds, `webhooks` for what the vendor tells. A check whose hook is not given is skipped, and says which.

`examine` runs the suite without pytest and returns what is missing as a list.
"""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Iterator
from enum import StrEnum

from attrs import frozen

from .provider_answers import AnswerChecks
from .provider_basics import BasicChecks
from .provider_links import LinkChecks
from .provider_refunds import RefundChecks
from .provider_webhooks import WebhookChecks
from .provider_writing import WritingChecks


class ProviderConformance(BasicChecks, WritingChecks, LinkChecks, AnswerChecks, RefundChecks, WebhookChecks):
    """
    The checks of a provider; its author subclasses it and fills the hooks in.

    The hooks are those of `paybylink.testing.provider_hooks.ProviderHooks`, and `carry` and `acarry`, which by
    default drive a call with `paybylink.drivers`.
    """


class Outcome(StrEnum):
    """What became of one check."""

    KEPT = "kept"  #: the promise is kept
    MISSING = "missing"  #: it is not
    SKIPPED = "skipped"  #: it could not be checked


@frozen(kw_only=True)
class Finding:
    """
    One check.

    Attributes:
        check: the name of the test.
        promise: what it checks, in a sentence.
        outcome: what became of it.
        told: what is missing, or why it was skipped.
    """

    check: str
    promise: str
    outcome: Outcome
    told: str = ""


@frozen
class Report:
    """
    What the suite found; as text, a list for people.

    Attributes:
        findings: one for each check, by name.
    """

    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[Finding, ...]:
        """The promises that are not kept."""
        return tuple(one for one in self.findings if one.outcome is Outcome.MISSING)

    @property
    def skipped(self) -> tuple[Finding, ...]:
        """What could not be checked."""
        return tuple(one for one in self.findings if one.outcome is Outcome.SKIPPED)

    def __str__(self) -> str:
        kept = len(self.findings) - len(self.missing) - len(self.skipped)
        lines = [f"{kept} kept, {len(self.missing)} missing, {len(self.skipped)} skipped"]
        for one in (*self.missing, *self.skipped):
            lines += ["", f"{one.outcome}: {one.promise}", f"  {one.told}", f"  ({one.check})"]
        return "\n".join(lines)


def checks_of(suite: type[ProviderConformance]) -> Iterator[str]:
    """The names of the checks of a suite."""
    return (name for name, _ in inspect.getmembers(suite, inspect.isfunction) if name.startswith("test_"))


def examine(suite: type[ProviderConformance], *only: str) -> Report:
    """
    What a suite finds, without pytest; its fixtures are not run.

    Args:
        only: names of checks; all when none is given.
    """
    try:
        return Report(tuple(_finding(suite, name) for name in only or tuple(checks_of(suite))))
    finally:
        suite.teardown_class()


def _finding(suite: type[ProviderConformance], name: str) -> Finding:
    outcome, told = Outcome.KEPT, ""
    try:
        getattr(suite(), name)()
    except unittest.SkipTest as reason:
        outcome, told = Outcome.SKIPPED, str(reason)
    except AssertionError as missing:
        outcome, told = Outcome.MISSING, str(missing)
    except Exception as error:
        outcome, told = Outcome.MISSING, f"{type(error).__name__}: {error}"
    promise = inspect.getdoc(getattr(suite, name)) or name
    return Finding(check=name, promise=promise.splitlines()[0], outcome=outcome, told=told)
