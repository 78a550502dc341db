"""What the page about new providers shows works as it is read: its code runs, its reports are what comes out."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from paybylink.testing.provider_hooks import ProviderHooks

from .pages import blocks_of, coded, table_under

PAGE = "docs/contributing/add-a-provider.md"


def test_page_runs_as_it_stands_and_shows_what_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types it from top to bottom gets the reports that are printed on it."""
    names: dict[str, Any] = {}
    shown = []
    for block in blocks_of(PAGE):
        if block.language == "python" and "--8<--" not in block.text:
            exec(compile(block.text, block.place, "exec"), names)  # noqa: S102  # a page of ours
        elif block.language == "text":
            shown.append(block.text)
            assert capsys.readouterr().out == block.text, block.place

    assert len(shown) == 3


def test_page_names_every_hook() -> None:
    """A hook that is not in the table would not be found; one that is gone must not stay there."""
    hooks = [
        name
        for name, _ in inspect.getmembers(ProviderHooks, inspect.isfunction)
        if not name.startswith("_") and name != "not_given"
    ]
    named = [coded(row[0])[0] for row in table_under(PAGE, "## Wake the other checks")]

    assert sorted(named) == sorted(hooks)
