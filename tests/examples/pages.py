"""
The pages that a reader reads, taken apart: which block stands where, in which language, under which heading and tab.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"(?P<indent> *)```(?P<language>\w*)")
_TAB = re.compile(r'=== "(?P<name>[^"]+)"')
_COMMAND = re.compile(r"(?:\$ )?(?:\.venv/bin/)?paybylink (?P<words>.+)")


@frozen
class Block:
    """
    One fenced block.

    Attributes:
        page: its path from the root of the repository.
        line: where its text begins, from 1.
        language: as the fence says.
        section: the heading above it, without its marks.
        tab: the name of its tab; empty outside of tabs.
        text: what stands in it.
    """

    page: str
    line: int
    language: str
    section: str
    tab: str
    text: str

    @property
    def place(self) -> str:
        """Page and line, for a test's name."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page, and the README."""
    return ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]


def text_of(page: str) -> str:
    """A page as it is written."""
    return (ROOT / page).read_text("utf-8")


def blocks_of(page: str, language: str = "") -> list[Block]:
    """The fenced blocks of a page, or those of one language."""
    found: list[Block] = []
    section = tab = ""
    lines = text_of(page).splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line and not line.startswith(" "):
            tab = tabbed["name"] if (tabbed := _TAB.match(line)) else ""
        if line.startswith("#"):
            section = line.lstrip("# ")
        if (fence := _FENCE.match(line)) is None:
            continue
        begin = number
        while lines[number] != f"{fence['indent']}```":
            number += 1
        text = textwrap.dedent("\n".join(lines[begin:number])) + "\n"
        number += 1
        if not language or fence["language"] == language:
            found.append(Block(page, begin + 1, fence["language"], section, tab, text))
    return found


def every_block(language: str) -> list[Block]:
    """The blocks of one language on all pages."""
    return [block for page in pages() for block in blocks_of(page, language)]


def commands() -> list[tuple[str, str]]:
    """Every `paybylink` command that is shown, with its place."""
    shown = []
    for block in [*every_block("console"), *every_block("bash")]:
        for offset, line in enumerate(block.text.splitlines()):
            if (found := _COMMAND.fullmatch(line)) is not None:
                shown.append((f"{block.page}:{block.line + offset}", found["words"]))
    return shown


def table_under(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its first two rows."""
    below = text_of(page).partition(f"\n{heading}\n")[2]
    assert below, f"{page} has no {heading!r}"
    rows: list[list[str]] = []
    for line in below.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
        elif rows or line.startswith("#"):
            break
    return rows[2:]


def headings(page: str) -> list[str]:
    """The headings of the second level."""
    return [line[3:] for line in text_of(page).splitlines() if line.startswith("## ")]


def coded(cell: str) -> list[str]:
    """What is marked as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)
