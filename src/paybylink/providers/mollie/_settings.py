"""
Which settings of a Mollie account are accepted, so that a wrong one is named before anything is sent.

No fault repeats the value: a wrong key in the wrong place is still a key. The key is checked here and never by the
SDK, whose error for a wrong one prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from paybylink.errors import Faults
from paybylink.links import Mode
from paybylink.providers.accounts import check_hosts, check_name, is_local_base, is_loopback

DEFAULT_BASE_URL: Final = "https://api.mollie.com"

_KEY: Final = re.compile(r"(test|live)_[A-Za-z0-9_]{3,250}")
_TOKEN: Final = re.compile(r"access_[A-Za-z0-9_]{3,250}")
_PROFILE: Final = re.compile(r"pfl_[A-Za-z0-9]{3,100}")
_SECRET: Final = re.compile(r"[\x21-\x7e]{8,256}")
#: With our marks behind it, it has to stay within what an address may be.
_LONGEST_WEBHOOK: Final = 1500


def is_token(api_key: str) -> bool:
    """Whether a key is an organisation's access token, which opens several profiles in both modes."""
    return bool(_TOKEN.fullmatch(api_key))


def mode_of(api_key: str, testmode: bool | None) -> Mode | None:
    """The mode that a key's prefix says, or with a token `testmode`; None when neither does."""
    found = _KEY.fullmatch(api_key)
    if found:
        return Mode(found[1])
    if is_token(api_key) and isinstance(testmode, bool):
        return Mode.TEST if testmode else Mode.LIVE
    return None


def reaches_out(url: str) -> bool:
    """Whether Mollie itself could call an address: over https, and not on this machine."""
    return url.startswith("https://") and not is_loopback(url)


def check(
    faults: Faults,
    *,
    api_key: str,
    webhook_secrets: tuple[str, ...],
    webhook_url: str | None,
    name: str,
    base_url: str,
    profile_id: str | None,
    testmode: bool | None,
    allowed_hosts: Iterable[str],
) -> None:
    """Add a fault for every setting that cannot be used."""
    if not _KEY.fullmatch(api_key) and not is_token(api_key):
        fault, remedy = _key_fault(api_key)
        faults.add("api_key", fault, remedy)
    _check_scope(faults, api_key, profile_id, testmode)
    for place, secret in enumerate(webhook_secrets):
        if not _SECRET.fullmatch(secret):
            faults.add(
                f"webhook_secrets[{place}]",
                "is no webhook secret",
                "copy the one that Mollie showed when the webhook was made (Developers, Webhooks)",
            )
    check_name(faults, name, example="mollie-nl")
    local = is_local_base(base_url)
    if base_url != DEFAULT_BASE_URL and not (local and mode_of(api_key, testmode) is not Mode.LIVE):
        faults.add(
            "base_url",
            "is neither Mollie's nor this machine's with a test key",
            f"leave it out for {DEFAULT_BASE_URL}; another one is for the sandbox, on 127.0.0.1 and with a test key",
        )
    if webhook_url is not None and not _is_webhook_url(webhook_url, local=local):
        faults.add(
            "webhook_url",
            "is no address that Mollie can call",
            "write https://…/webhooks/mollie, reachable from outside and without a # in it",
        )
    check_hosts(faults, allowed_hosts)


def _check_scope(faults: Faults, api_key: str, profile_id: str | None, testmode: bool | None) -> None:
    if is_token(api_key):
        if not isinstance(profile_id, str) or not _PROFILE.fullmatch(profile_id):
            faults.add(
                "profile_id",
                "is needed with an access token, and is missing or none",
                "write the profile's id, which begins with pfl_",
            )
        if not isinstance(testmode, bool):
            faults.add(
                "testmode",
                "is needed with an access token, and is missing or none",
                "write True for test money and False for real money",
            )
    elif _KEY.fullmatch(api_key):
        # An API key knows both, and Mollie refuses a request that says either again.
        if profile_id is not None:
            faults.add("profile_id", "is given with an API key, which has its own", "leave it out")
        if testmode is not None:
            faults.add("testmode", "is given with an API key, whose prefix says it", "leave it out")


def _is_webhook_url(given: object, *, local: bool) -> bool:
    if not isinstance(given, str) or len(given) > _LONGEST_WEBHOOK or "#" in given:
        return False
    if not given.isascii() or not given.isprintable() or " " in given:
        return False
    try:
        host = urlsplit(given).hostname
    except ValueError:
        return False
    if not host:
        return False
    return reaches_out(given) or (local and given.startswith(("http://", "https://")))


def _key_fault(api_key: str) -> tuple[str, str]:
    """What is wrong with a key, told by its beginning and never by its content."""
    where = "copy the key (test_… or live_…) from the dashboard (Developers, API keys)"
    if not api_key:
        return "is empty", where
    if api_key.startswith("pfl_"):
        return "is a profile's id", where
    if api_key != api_key.strip():
        return "has spaces or line breaks around it", "remove them"
    return "is neither an API key (test_…, live_…) nor an access token (access_…)", where
