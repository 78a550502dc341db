"""The tables of the pages say what the code says: options, exit codes, standard codes and settings."""

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
from paybylink.providers.codes import CODES, Whose
from paybylink.settings import load
from workflows.shops import HMAC_KEY

from .pages import blocks_of, coded, headings, table_under, text_of

COMMAND_LINE = "docs/how-to/command-line.md"
ERROR_CODES, SMTP = "docs/reference/error-codes.md", "docs/channels/smtp.md"

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


def test_standard_codes_are_those_of_the_table() -> None:
    """Each code stands on the page with what the code says of it, in the same order, and no other does."""
    rows = table_under(ERROR_CODES, "## The codes")
    moves = {whose: whose.value for whose in Whose}

    assert [coded(row[0]) for row in rows] == [[code] for code in CODES]
    for row, meaning in zip(rows, CODES.values(), strict=True):
        assert row[2] == moves[meaning.whose], row[0]
        assert row[3] == ("yes" if meaning.retryable else "no"), row[0]
        assert row[4] == ("maybe" if meaning.moved else "no"), row[0]


def test_every_standard_code_has_its_remedy() -> None:
    """A section tells what to do about each kind of move."""
    told = headings(ERROR_CODES)

    assert [heading for heading in told if heading.startswith("When it is ")] == [
        f"When it is the {whose}'s move" for whose in Whose
    ]


def test_smtp_page_has_every_setting() -> None:
    """Every setting of the channel stands on its page, and no other."""
    named = {name for row in table_under(SMTP, "## Settings") for name in coded(row[0])}

    assert named == set(inspect.signature(SmtpEmail).parameters)


@pytest.mark.parametrize("page", ["docs/how-to/settings.md", SMTP])
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
        monkeypatch.setenv(name, value.replace("44782DEF…", HMAC_KEY).replace("…", "reader"))
    path = tmp_path / "paybylink.toml"
    _ = path.write_text(file.text, "utf-8")

    parts = load(path).parts()

    assert len(parts["providers"]) == max(1, file.text.count("[[providers]]"))
    assert len(parts["channels"]) == file.text.count("[[channels]]")
