"""
The strings of one language, from a TOML file beside the package, with a merchant's own laid over it.

A string is plain text with words in braces. The text of a mail, its HTML and a shared message are all made from the
same strings, so nothing is said in two places; for HTML both the string and the words are escaped.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from paybylink.errors import Fault, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

#: The languages that come with the package, whole.
LANGUAGES = ("en", "fr")
#: What every string may speak of. A word that has no value on an occasion is empty.
WORDS = (
    "amount",
    "contact",
    "date",
    "expires",
    "files",
    "merchant",
    "name",
    "reference",
    "subject",
    "time",
    "zone",
)
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@frozen(eq=False)
class Catalogue:
    """
    One language.

    Attributes:
        language: its tag, as its file is named.
        sections: section → name → string; ``common``, ``share`` and one for each purpose.
    """

    language: str
    sections: Mapping[str, Mapping[str, str]] = field(repr=False)


def strings_for(asked: str, overrides: Path | None) -> Catalogue | None:
    """The strings for a language tag, the regional ones first; None if there are none."""
    for tag in _candidates(asked):
        if (found := catalogue(tag, overrides)) is not None:
            return found
    return None


def _candidates(tag: str) -> tuple[str, ...]:
    """``fr-CA``, then ``fr``; nothing for text that is no language tag, so that it never names a file."""
    if not _TAG.fullmatch(tag):
        return ()
    tag = tag.replace("_", "-")
    base = tag.partition("-")[0].lower()
    return (tag, base) if base != tag else (tag,)


@functools.lru_cache(maxsize=64)
def catalogue(language: str, overrides: Path | None) -> Catalogue | None:
    """
    The strings of `language`, or None if nobody has any.

    Args:
        language: as a file is named, e.g. ``fr`` or ``fr-CA``.
        overrides: a folder with ``<language>.toml`` files: some strings of ours, or a whole language of one's own.

    Raises:
        SettingsError: a merchant's file cannot be read, or has a string that we never use or cannot fill in.
    """
    own = _own(language, overrides)
    expected = _packaged("en")
    if own is None and language not in LANGUAGES:
        return None
    _refuse(_unused(language, own or {}, expected))
    # A regional file leans on the language that it belongs to, but never on another one.
    base = language if language in LANGUAGES else language.partition("-")[0]
    ours = _packaged(base) if base in LANGUAGES else {}
    merged = {name: {**ours.get(name, {}), **(own or {}).get(name, {})} for name in expected}
    _refuse(
        [
            Fault(f"wording.{language}.{section}.{name}", *fault)
            for section, strings in expected.items()
            for name in strings
            if (fault := _fault(merged[section].get(name))) is not None
        ]
    )
    return Catalogue(language, merged)


@functools.cache
def _packaged(language: str) -> dict[str, dict[str, str]]:
    import tomllib
    from importlib import resources

    home = resources.files(__name__.rpartition(".")[0])
    return tomllib.loads(home.joinpath("strings", f"{language}.toml").read_text("utf-8"))


def _own(language: str, overrides: Path | None) -> dict[str, dict[str, str]] | None:
    if overrides is None:
        return None
    import tomllib

    path = overrides / f"{language}.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            [Fault(f"wording.{language}", f"{path.name} cannot be read ({error})", "write UTF-8 TOML")]
        ) from error


def _unused(
    language: str, own: Mapping[str, object], expected: Mapping[str, Mapping[str, str]]
) -> list[Fault]:
    """A fault for each string that we never say, which is most often a slip of the pen."""
    found: list[Fault] = []
    for section, strings in own.items():
        for name in strings if isinstance(strings, Mapping) else ("",):
            if name not in expected.get(section, {}):
                known = ", ".join(expected.get(section, expected))
                path = f"wording.{language}.{section}.{name}".rstrip(".")
                found.append(Fault(path, "is a string that is never used", f"choose among {known}"))
    return found


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise SettingsError(faults)


def _fault(text: object) -> tuple[str, str] | None:
    if text is None:
        return "is missing", "translate it; the English file shows every string"
    if not isinstance(text, str) or any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):
        return "is no text on one line", "write a string without control characters"
    import string

    try:
        words = [word for _, word, style, _ in string.Formatter().parse(text) if word is not None or style]
    except ValueError:
        return "has a brace without its partner", "double a brace that is meant as such: {{"
    # Only bare words: "{name.attribute}" would reach into our objects.
    if unknown := [word for word in words if word not in WORDS]:
        return f"speaks of {{{unknown[0]}}}", f"use only {', '.join(WORDS)}"
    return None
