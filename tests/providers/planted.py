"""
Where the deliberate faults are kept that the conformance suite must find, each under the check meant for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from paybylink.flow import Written

from .whole_provider import WholeProvider, WholeVendor

#: Provider and vendor with one fault, by the name of the check that must find it.
PLANTED: dict[str, tuple[type[WholeProvider], type[WholeVendor]]] = {}
#: Checks that cannot but fail as well, by the name of the check.
ALSO: dict[str, set[str]] = {}


def planted(check: str, *also: str) -> Callable[[type], type]:
    """Note a faulty provider or vendor under the check that must find it."""

    def note(fault: type) -> type:
        name = f"test_{check}"
        assert name not in PLANTED
        vendor = issubclass(fault, WholeVendor)
        PLANTED[name] = (WholeProvider, fault) if vendor else (fault, WholeVendor)
        ALSO[name] = {f"test_{one}" for one in also}
        return fault

    return note


def body_with(written: Written, **more: Any) -> Written:
    """The request with more in its body."""
    return evolve(written, body=json.dumps({**json.loads(written.body), **more}).encode())
