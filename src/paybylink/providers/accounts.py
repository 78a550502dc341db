"""
What the settings of all accounts share: secrets, a name, addresses, and where links may lead.

Each adapter checks its own settings beside these, adds a fault for every one that cannot be used, and repeats the
value of none: a wrong key in the wrong place is still a key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from paybylink.errors import Faults

#: This machine, by every name it may be written with.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
#: More than any payment page's address needs; a session at Stripe has long ones.
LONGEST_URL: Final = 5000

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def revealed(given: object) -> str:
    """The text in a secret: itself, or what its `get_secret_value` returns, as pydantic's `SecretStr` has it."""
    reveal = getattr(given, "get_secret_value", None)
    text = reveal() if callable(reveal) else given
    # Anything else becomes a fault of the adapter's check, without being shown.
    return text if isinstance(text, str) else ""


def revealed_all(given: object) -> tuple[str, ...]:
    """The texts in one secret or several."""
    if isinstance(given, str) or hasattr(given, "get_secret_value"):
        return (revealed(given),)
    return tuple(revealed(one) for one in given) if isinstance(given, Iterable) else ("",)


def bare_url(given: str) -> str:
    """An address without a slash at its end."""
    return str(given).rstrip("/")


def as_hosts(given: str | Iterable[str]) -> tuple[str, ...]:
    """One host or several."""
    return (given,) if isinstance(given, str) else tuple(given)


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    return host in LOOPBACK and "@" not in parts.netloc and port != 0


def is_local_base(base_url: str) -> bool:
    """Whether an address of an API is this machine's, as a sandbox's is."""
    return base_url.startswith(("http://", "https://")) and is_loopback(base_url)


def check_name(faults: Faults, name: object, *, example: str) -> None:
    """Add a fault when `name` cannot be part of a webhook's address."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        faults.add(
            "name", "cannot be part of an address", f"use up to 40 of a-z, 0-9, - and _, such as {example}"
        )


def check_hosts(faults: Faults, hosts: Iterable[object]) -> None:
    """Add a fault for everything in `allowed_hosts` that is no bare host name."""
    for place, host in enumerate(hosts):
        if not isinstance(host, str) or not _HOST.fullmatch(host):
            faults.add(
                f"allowed_hosts[{place}]", "is no host name", "write it bare and small, e.g. pay.example.com"
            )


def leads_to(url: str, hosts: Collection[str], *, loopback: bool) -> bool:
    """
    Whether an address leads to one of `hosts` over https, with no port and no user in it.

    Args:
        loopback: whether it may lead to this machine instead; only where the base address does too.
    """
    # urlsplit drops tabs and line breaks without a word, so they are refused before.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > LONGEST_URL:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or host is None:
        return False
    if loopback and host in LOOPBACK and parts.scheme in ("http", "https"):
        return True
    return parts.scheme == "https" and host in hosts and port is None
