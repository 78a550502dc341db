"""
What the commands of one call share: where the settings are, whether a program is reading, and the client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import define

from paybylink.errors import NotFound

if TYPE_CHECKING:
    from paybylink.client import PayByLink
    from paybylink.links import PaymentLink
    from paybylink.settings import Settings


@define
class Session:
    """
    One call of the command line.

    Attributes:
        file: the settings file; None takes ``paybylink.toml``, if it is there.
        as_json: whether a program is reading.
    """

    file: Path | None = None
    as_json: bool = False

    def settings(self) -> Settings:
        """
        The settings.

        Raises:
            SettingsError: one is missing or wrong.
        """
        from paybylink.settings import load

        return load(self.file)

    @contextmanager
    def client(self) -> Iterator[PayByLink]:
        """
        The client of the settings, closed afterwards.

        Raises:
            SettingsError: a setting is missing or wrong.
        """
        from paybylink.client import PayByLink

        with PayByLink(**self.settings().parts()) as pay:
            yield pay


def session_of(ctx: typer.Context) -> Session:
    """The session of this call."""
    root = ctx.find_root()
    if not isinstance(root.obj, Session):
        root.obj = Session()
    return root.obj


def _remember(ctx: typer.Context, value: bool) -> bool:
    if value:
        session_of(ctx).as_json = True
    return value


#: Every command has it. Eager, so that errors of other options are JSON as well.
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document.", is_eager=True, callback=_remember)
]
Reference = Annotated[str, typer.Argument(help="The order's reference.", show_default=False)]
Part = Annotated[str, typer.Option(help="Which part of the order, e.g. deposit.")]


def known_link(pay: PayByLink, reference: str, part: str) -> PaymentLink:
    """
    The newest link of a reference.

    Raises:
        NotFound: there is none.
    """
    link = pay.link(reference, part=part)
    if link is None:
        beside = f" and part {part!r}" if part else ""
        raise NotFound(f"no link with reference {reference!r}{beside}; `paybylink links` lists them")
    return link
