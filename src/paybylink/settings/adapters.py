"""
From a type and its options to an adapter: found by entry point, checked against its own signature.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, distribution, entry_points
from typing import Any, TypeAlias

from paybylink.errors import Fault, Faults, MissingExtra, SettingsError

Tree: TypeAlias = dict[str, Any]

#: What every variable begins with.
PREFIX = "PAYBYLINK_"
#: The sections of the settings that hold adapters, and where these are found.
GROUPS = {"providers": "paybylink.providers", "channels": "paybylink.channels"}


def adapter(group: str, name: str) -> Callable[..., Any]:
    """
    The class behind an entry point.

    Raises:
        SettingsError: none has that name; those that exist are named.
        MissingExtra: it is there, but a package that it needs is not.
    """
    # Our own adapters stand in our own distribution; looking through all that are installed takes its time.
    ours = distribution("paybylink").entry_points.select(group=group, name=name)
    if ours:
        return _loaded(next(iter(ours)))
    found = {point.name: point for point in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError((Fault("type", "is not known here", f"use one of: {known}"),))
    return _loaded(found[name])


def _loaded(point: EntryPoint) -> Callable[..., Any]:
    try:
        loaded: Callable[..., Any] = point.load()
    except MissingExtra:
        raise
    except ImportError as error:
        raise MissingExtra(point.name, f"the adapter {point.name!r}") from error
    return loaded


def fitted(options: Tree, factory: Callable[..., object], section: str, kind: str = "") -> Tree:
    """
    `options` in the types that `factory` takes, since a variable is always text.

    Raises:
        InvalidInput: an option is not known, is missing, or is of another type.
    """
    faults = Faults()
    takes = inspect.signature(factory).parameters
    taken: Tree = {}
    for name, value in options.items():
        if name not in takes:
            known = sorted(set(takes) - {"wording"})
            faults.add(name, "is no setting", f"known here: {', '.join(known)}")
            continue
        try:
            taken[name] = _as_taken(value, takes[name])
        except ValueError as error:
            faults.add(name, "cannot be used", str(error))
    for name, parameter in takes.items():
        if (
            parameter.default is parameter.empty
            and parameter.kind is not parameter.VAR_KEYWORD
            and name not in options
        ):
            variable = f"{PREFIX}{kind.upper().replace('-', '_')}_{name.upper()}"
            faults.add(name, "is missing", f"write it under [[{section}]], or set {variable}")
    faults.raise_any()
    return taken


def _as_taken(value: Any, parameter: inspect.Parameter) -> Any:
    """`value` in the type of the parameter, as far as its default and its annotation tell."""
    kind, default = str(parameter.annotation), parameter.default
    if isinstance(default, tuple | list) and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if "timedelta" in kind and isinstance(value, int | str) and not isinstance(value, bool):
        return dt.timedelta(seconds=_whole(value))
    if isinstance(default, bool) and isinstance(value, str):
        if value.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise ValueError("write true or false")
        return value.lower() in ("true", "yes", "1")
    if re.search(r"\bint\b", kind) and isinstance(value, str):
        return _whole(value)
    return value


def _whole(value: int | str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("write a whole number") from None
