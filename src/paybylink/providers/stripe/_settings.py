"""
Which settings of a Stripe account are accepted, so that a wrong one is named before anything is sent.

No fault repeats the value: a wrong key in the wrong place is still a key.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from paybylink.errors import Faults
from paybylink.links import Mode
from paybylink.providers.accounts import check_hosts, check_name, is_local_base

DEFAULT_BASE_URL: Final = "https://api.stripe.com"
#: The first version in which a payment link takes inline prices. Source: docs.stripe.com, changelog of basil.
OLDEST_VERSION: Final = "2025-07-30"

_KEY: Final = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{3,250}")
_VERSION: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.[a-z]+)?")
_SECRET: Final = re.compile(r"whsec_[\x21-\x7e]{3,250}")


def mode_of_key(api_key: str) -> Mode | None:
    """The mode that a key's prefix says; None when it is no secret or restricted key."""
    found = _KEY.fullmatch(api_key)
    return Mode(found[1]) if found else None


def check(
    faults: Faults,
    *,
    api_key: str,
    webhook_secrets: tuple[str, ...],
    name: str,
    base_url: str,
    api_version: str | None,
    allowed_hosts: Iterable[str],
    account: str | None,
    tolerance: dt.timedelta,
) -> None:
    """Add a fault for every setting that cannot be used."""
    mode = mode_of_key(api_key)
    if mode is None:
        fault, remedy = _key_fault(api_key)
        faults.add("api_key", fault, remedy)
    for place, secret in enumerate(webhook_secrets):
        if not _SECRET.fullmatch(secret):
            faults.add(
                f"webhook_secrets[{place}]",
                "is no webhook secret",
                "copy the one that begins with whsec_ from the endpoint's page in the Dashboard",
            )
    check_name(faults, name, example="stripe-fr")
    if base_url != DEFAULT_BASE_URL and not (mode is not Mode.LIVE and is_local_base(base_url)):
        faults.add(
            "base_url",
            "is neither Stripe's nor this machine's with a test key",
            f"leave it out for {DEFAULT_BASE_URL}; another one is for the sandbox, on 127.0.0.1 and with a test key",
        )
    if api_version is not None:
        found = _VERSION.fullmatch(api_version)
        if not found or found[1] < OLDEST_VERSION:
            faults.add(
                "api_version",
                "is no version that takes inline prices",
                f"leave it out, or write one from {OLDEST_VERSION}.basil on",
            )
    check_hosts(faults, allowed_hosts)
    if account is not None and not re.fullmatch(r"acct_[A-Za-z0-9]{3,250}", account):
        faults.add(
            "account", "is no connected account", "write its id, which begins with acct_, or leave it out"
        )
    if not isinstance(tolerance, dt.timedelta) or not dt.timedelta(0) < tolerance <= dt.timedelta(hours=24):
        faults.add(
            "tolerance",
            "is not a time between 0 and 24 hours",
            "write timedelta(seconds=300); older webhooks could be played again",
        )


def _key_fault(api_key: str) -> tuple[str, str]:
    """What is wrong with a key, told by its beginning and never by its content."""
    where = "copy the secret key (sk_… or rk_…) from the Dashboard (Developers, API keys)"
    if not api_key:
        return "is empty", where
    if api_key.startswith("pk_"):
        return "is a publishable key, which cannot make links", where
    if api_key.startswith("whsec_"):
        return "is a webhook secret", f"{where}, and put this one into webhook_secrets"
    if api_key.startswith("sk_org_"):
        return "is a key of an organisation", "use the key of one of its accounts"
    if api_key != api_key.strip():
        return "has spaces or line breaks around it", "remove them"
    return "is no key of Stripe's form", where
