"""The tables of the pages say what the code says: options, exit codes, capabilities, events and settings."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from paybylink.channels.smtp import SmtpEmail
from paybylink.cli.exits import Exit
from paybylink.cli.program import program
from paybylink.providers.stripe import StripeProvider
from paybylink.providers.stripe._provider import CAPABILITIES
from paybylink.providers.stripe._webhook import _READERS
from paybylink.settings import load

from .pages import blocks_of, coded, headings, table_under, text_of

COMMAND_LINE = "docs/how-to/command-line.md"
STRIPE, SMTP = "docs/providers/stripe.md", "docs/channels/smtp.md"

root: Any = typer.main.get_command(program)


def _leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from _leaves(inner, (*words, name))
        else:
            yield " ".join((*words, name)), inner


def test_command_line_page_has_every_command_and_option() -> None:
    """The page is whole, and has nothing that the program has not."""
    shown = re.findall(r"^### `([^`]+)`$", text_of(COMMAND_LINE), re.MULTILINE)
    assert shown == [name for name, _ in _leaves(root)]

    for heading, command in [("## Before the command", root), *((f"### `{n}`", c) for n, c in _leaves(root))]:
        rows = table_under(COMMAND_LINE, heading)
        named = {name for row in rows for name in coded(row[0]) if name.startswith("-")}
        options = {name for p in command.params if p.param_type_name == "option" for name in p.opts}
        assert named == options - {"--help", "-h"}, heading
        arguments = [row for row in rows if not coded(row[0])[0].startswith("-")]
        assert len(arguments) == sum(p.param_type_name == "argument" for p in command.params), heading


def test_exit_codes_are_those_of_the_program() -> None:
    """The table of exit codes is that of the code, meaning and all."""
    rows = table_under(COMMAND_LINE, "## Exit codes")
    meanings = re.findall(r"^    [A-Z_]+ = (\d+)  #: (.+)$", inspect.getsource(Exit), re.MULTILINE)

    assert [(int(row[0]), coded(row[1])) for row in rows] == [(int(code), [code.name]) for code in Exit]
    assert [(row[0], row[2]) for row in rows] == meanings


def test_stripe_page_has_the_capabilities_of_the_code() -> None:
    """What the page says that Stripe can do is what the adapter says."""
    rows = table_under(STRIPE, "## What it supports")

    expected = {str(feature): (str(can.support), can.how) for feature, can in CAPABILITIES.items()}
    assert {coded(row[0])[0]: (row[1], row[2] if len(row) > 2 else "") for row in rows} == expected


def test_stripe_page_has_the_events_that_are_read() -> None:
    """Whoever ticks the events on the page misses none, and none in vain."""
    below = text_of(STRIPE).partition("\n## Webhooks\n")[2].partition("\n\nOthers")[0]

    assert {name for name in coded(below) if "." in name} == set(_READERS)


@pytest.mark.parametrize(
    ("page", "made"), [(STRIPE, StripeProvider), (SMTP, SmtpEmail)], ids=["stripe", "smtp"]
)
def test_adapters_page_has_every_setting(page: str, made: type) -> None:
    """Every setting of an adapter stands on its page, and no other."""
    named = {name for row in table_under(page, "## Settings") for name in coded(row[0])}

    assert named == set(inspect.signature(made).parameters)


def test_adapters_pages_have_equal_headings() -> None:
    """Whoever knows one page finds the same on the next."""
    assert headings(STRIPE) == headings(SMTP)


@pytest.mark.parametrize("page", ["docs/how-to/settings.md", STRIPE, SMTP])
def test_settings_shown_are_taken(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and variables as the page shows them make a whole set of settings."""
    (file,) = blocks_of(page, "toml")
    for name in [name for name in os.environ if name.startswith("PAYBYLINK_")]:
        monkeypatch.delenv(name)
    if page == SMTP:
        monkeypatch.setenv("PAYBYLINK_STRIPE_API_KEY", "sk_test_reader")
    beside = [b for b in blocks_of(page, "console") if b.section == file.section]
    given = re.findall(r"export (\w+)=(\S+)", "".join(block.text for block in beside))
    assert given
    for name, value in given:
        monkeypatch.setenv(name, value.replace("…", "reader"))
    path = tmp_path / "paybylink.toml"
    _ = path.write_text(file.text, "utf-8")

    parts = load(path).parts()

    assert len(parts["providers"]) == max(1, file.text.count("[[providers]]"))
    assert len(parts["channels"]) == file.text.count("[[channels]]")
