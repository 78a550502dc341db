"""
The layouts of mails: Jinja2 templates, compiled once.

A merchant's own layout is looked for first, the most particular one at the front: ``fr/reminder.html.j2``, then
``reminder.html.j2``, then ``email.html.j2``; ours is the last. HTML is autoescaped, and a word that does not exist
is an error and never an empty place in a customer's mail.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from paybylink.errors import Fault, MissingExtra, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

Page: TypeAlias = Callable[[Mapping[str, object]], str]


@functools.lru_cache(maxsize=256)
def layout(overrides: Path | None, language: str, purpose: str, form: Literal["txt", "html"]) -> Page:
    """
    The layout for one purpose, language and form, as a function of the facts.

    Raises:
        SettingsError: a merchant's own layout cannot be read, now or when it is filled.
        MissingExtra: Jinja2 is not installed.
    """
    environment = _environment(overrides, form)
    import jinja2

    names = (f"{language}/{purpose}.{form}.j2", f"{purpose}.{form}.j2", f"email.{form}.j2")
    try:
        template = environment.select_template(names)
    except jinja2.TemplateSyntaxError as error:
        raise _wrong(error.name or names[-1], f"line {error.lineno}: {error.message}") from error

    def page(facts: Mapping[str, object]) -> str:
        try:
            return template.render(facts)
        except jinja2.UndefinedError as error:
            raise _wrong(template.name or names[-1], str(error)) from error

    return page


def _wrong(name: str, fault: str) -> SettingsError:
    return SettingsError(
        [Fault(f"wording.overrides/{name}", fault, "compare it with the layout that we ship")]
    )


@functools.lru_cache(maxsize=64)
def _environment(overrides: Path | None, form: str) -> Environment:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra("messages", "composing mails") from error
    ours = jinja2.PackageLoader(__name__.rpartition(".")[0], "templates")
    own = [jinja2.FileSystemLoader(overrides)] if overrides is not None else []
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([*own, ours]),
        autoescape=form == "html",  # noqa: S701 - the other form is plain text
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
