"""Which versions of the vendors' SDKs the tests have run with, and that both ends of what is supported are run."""

from __future__ import annotations

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SDKS = ("stripe", "Adyen", "mollie-api-python")


def supported(sdk: str) -> tuple[str, str]:
    """The first version that is supported, and the major one from which on none is."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [
        each for each in (*extras["stripe"], *extras["adyen"], *extras["mollie"]) if each.startswith(sdk)
    ]
    found = re.fullmatch(rf"{sdk}>=([\d.]+),<(\d+)", wanted[0])
    assert found is not None
    return found[1], found[2]


def asked_for() -> dict[str, str]:
    """The versions that this run was asked to use; none for the newest."""
    pairs = os.environ.get("PAYBYLINK_TEST_SDKS", "").split()
    return dict(pair.split("==") for pair in pairs)


@pytest.mark.parametrize("sdk", SDKS)
def test_the_version_is_the_one_that_was_asked_for(sdk: str) -> None:
    """A run with the oldest SDKs has them, and every run has a supported one."""
    least, below = supported(sdk)

    assert int(least) <= int(version(sdk).partition(".")[0]) < int(below)
    assert asked_for().get(sdk, version(sdk)) == version(sdk)


@pytest.mark.parametrize("sdk", SDKS)
def test_the_oldest_run_is_of_the_oldest_supported_version(sdk: str) -> None:
    """The Makefile and pyproject.toml say the same."""
    makefile = (ROOT / "Makefile").read_text()
    found = re.search(rf"^OLDEST := .*\b{sdk}==([\d.]+)", makefile, re.MULTILINE)
    assert found is not None

    assert found[1].split(".")[0] == supported(sdk)[0]
