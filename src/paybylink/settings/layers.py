"""
The layers of the settings: the file below, variables over it, short forms of variables over the one they mean.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from paybylink.errors import Fault, SettingsError

from .adapters import GROUPS, PREFIX, Tree
from .model import MerchantSettings, Settings

FILE_NAME = "paybylink.toml"


def load(path: str | Path | None = None) -> Settings:
    """
    The settings of the environment and of a file.

    Args:
        path: the file; None takes ``paybylink.toml`` in the working folder, if it is there.

    Raises:
        SettingsError: the file is missing or unreadable, or a setting is wrong; with its path, never its value.
    """
    tree: Tree = _file(Path(FILE_NAME), needed=False) if path is None else _file(Path(path), needed=True)
    merged: Tree = _merged(tree, EnvSettingsSource(Settings)())
    _add_short_forms(merged)
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(_translated(error)) from None


def _file(path: Path, *, needed: bool) -> Tree:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not needed:
            return {}
        raise SettingsError(
            (Fault(path.name, "does not exist", "check the path, or create the file"),)
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError((Fault(path.name, f"cannot be read ({reason})", "check its rights"),)) from None
    except UnicodeDecodeError:
        raise SettingsError((Fault(path.name, "is not UTF-8", "save it as UTF-8"),)) from None
    except tomllib.TOMLDecodeError as error:
        # Only the place: the text of the error may quote a value.
        place = re.search(r"line \d+, column \d+", str(error))
        where = place.group() if place else "the end"
        raise SettingsError((Fault(path.name, f"is not TOML at {where}", "correct that line"),)) from None


def _merged(low: Any, high: Any) -> Any:
    """`low` with what `high` says over it; ``{"0": …}`` speaks of the first entry of a list."""
    if not isinstance(high, dict):
        return high
    if high and all(key.isdigit() for key in high):
        entries = list(low) if isinstance(low, list) else []
        for key in sorted(high, key=int):
            place = int(key)
            if place < len(entries):
                entries[place] = _merged(entries[place], high[key])
            else:
                entries.append(high[key])
        return entries
    merged = dict(low) if isinstance(low, dict) else {}
    for name, value in high.items():
        merged[name] = _merged(merged.get(name), value)
    return merged


def _add_short_forms(tree: Tree) -> None:
    """Add what variables such as PAYBYLINK_STRIPE_API_KEY say to the adapter that they speak of."""
    fields = {name.upper() for name in Settings.model_fields}
    given = {
        name[len(PREFIX) :].upper(): value
        for name, value in os.environ.items()
        if name.upper().startswith(PREFIX) and "__" not in name
    }
    given = {name: value for name, value in given.items() if name not in fields and value}
    if "ZONE" in given:
        merchant = tree.get("merchant") or {}
        tree["merchant"] = {"name": merchant} if isinstance(merchant, str) else dict(merchant)
        tree["merchant"]["zone"] = given.pop("ZONE")
    if not any("_" in name for name in given):
        return
    for section, group in GROUPS.items():
        for point in entry_points(group=group):
            start = point.name.upper().replace("-", "_") + "_"
            options = {
                name[len(start) :].lower(): value for name, value in given.items() if name.startswith(start)
            }
            if options:
                _add_options(tree, section, point.name, options)


def _add_options(tree: Tree, section: str, kind: str, options: Mapping[str, str]) -> None:
    entries = tree.setdefault(section, [])
    if not isinstance(entries, list):
        return  # its fault is named when the whole is checked
    of_kind = [
        place for place, entry in enumerate(entries) if isinstance(entry, dict) and entry.get("type") == kind
    ]
    if len(of_kind) > 1:
        name = next(iter(options)).upper()
        raise SettingsError(
            (
                Fault(
                    section,
                    f"has {len(of_kind)} of type {kind}, so {PREFIX}{kind.upper()}_{name} speaks of none of them",
                    f"use {PREFIX}{section.upper()}__0__{name}",
                ),
            )
        )
    if of_kind:
        entries[of_kind[0]] = {**entries[of_kind[0]], **options}
    else:
        entries.append({"type": kind, **options})


def _translated(error: ValidationError) -> Iterator[Fault]:
    """Our faults for pydantic's, with paths as they are written and without a value."""
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        path = ""
        for step in each["loc"]:
            path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        if each["type"] == "missing":
            yield Fault(path, "is missing", "write it")
        elif each["type"] == "extra_forbidden":
            fields = MerchantSettings if path.startswith("merchant.") else Settings
            yield Fault(path, "is no setting", f"known here: {', '.join(sorted(fields.model_fields))}")
        else:
            told = each["msg"].removeprefix("Value error, ")
            yield Fault(path, "cannot be used", told[:1].lower() + told[1:])
