"""
The settings of the SMTP channel: a sender read once, and where mail is handed over.

Only the standard library is loaded here, since every process that knows the channel makes one, also to do
something else.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from paybylink.channels.addresses import mail_address
from paybylink.errors import Faults, InvalidInput

_NAMED = re.compile(r"\s*(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")


@runtime_checkable
class HidesSecret(Protocol):
    """A secret that does not print itself, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str:
        """The secret."""
        ...


Secret: TypeAlias = str | HidesSecret


@frozen
class Mailbox:
    """
    A name and an address.

    Attributes:
        name: as people see it; may be empty.
        address: with its domain as A-label.
    """

    name: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


def revealed(secret: Secret | None) -> str | None:
    """The text of a secret, however it is wrapped."""
    return secret.get_secret_value() if isinstance(secret, HidesSecret) else secret


def mailbox(faults: Faults, path: str, given: str) -> Mailbox | None:
    """The mailbox in ``Atelier <pay@atelier.example>`` or a bare address; None with the reason in `faults`."""
    remedy = 'write "Name <name@example.com>" or the bare address'
    if not isinstance(given, str) or not given.strip():
        faults.add(path, "is empty", remedy)
        return None
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" for char in given):
        faults.add(
            path, "contains control characters", "remove line breaks, tabs and other control characters"
        )
        return None
    named = _NAMED.fullmatch(given)
    name, address = (named["name"], named["address"].strip()) if named else ("", given.strip())
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if "<" in name or len(name) > 140:
        faults.add(path, "has a name that is too long or holds brackets", remedy)
        return None
    if _PLAIN_ADDRESS.fullmatch(address) and ".." not in address:
        local, _, domain = address.rpartition("@")
        return Mailbox(name, f"{local}@{domain.lower()}")
    try:
        return Mailbox(name, mail_address(address, path=path))
    except InvalidInput as error:
        for fault in error.faults:
            faults.add(path, fault.fault, remedy)
        return None


def _is_this_machine(host: str) -> bool:
    """As the driver sees it, which refuses anything else once more before it connects."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_server(faults: Faults, *, host: str, port: int, security: str) -> None:
    """Add the faults of where mail is to be handed over."""
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        faults.add(
            "host", "is no host name", "write the name of your submission server, without scheme or port"
        )
    if type(port) is not int or not 0 < port < 65536:
        faults.add("port", "is no port", "write 587 (STARTTLS) or 465 (TLS)")
    if security not in ("tls", "starttls", "none"):
        faults.add(
            "security", "is unknown", 'write "tls", "starttls", or "none" for a server on this machine'
        )
    elif security == "none" and not _is_this_machine(host):
        faults.add(
            "security", 'is "none" for another machine', 'set "starttls" or "tls"; clear text is never sent'
        )
