"""
Which settings of an Adyen account are accepted, so that a wrong one is named before anything is sent.

No fault repeats the value: a wrong key in the wrong place is still a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from paybylink.errors import Faults, InvalidInput, SettingsError
from paybylink.links import Mode
from paybylink.providers.accounts import bare_url, check_hosts, check_name, is_local_base, revealed

if TYPE_CHECKING:
    from ._provider import AdyenProvider

#: The version of the Checkout API that requests are written for; the package's own, too. Source: docs.adyen.com,
#: "Upgrade to Checkout API v72".
API_VERSION: Final = "v72"
TEST_BASE_URL: Final = "https://checkout-test.adyen.com"

_KEY: Final = re.compile(r"[\x21-\x7e]{8,1000}")
_HMAC_KEY: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){16,64}")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PREFIX: Final = re.compile(r"[A-Za-z0-9-]{1,100}")


def as_platform(given: object) -> str:
    """``test`` or ``live`` in small letters; the SDK would send ``TEST`` to the live platform."""
    return given.strip().lower() if isinstance(given, str) else ""


def optional_secret(given: object) -> str | None:
    """The text in a secret, where one is given."""
    return None if given is None else revealed(given)


def optional_url(given: str | None) -> str | None:
    """An address without a slash at its end, where one is given."""
    return None if given is None else bare_url(given)


def base_url_of(mode: Mode, live_prefix: str | None, given: str | None) -> str:
    """Where the API is; the SDK's own rewriting of addresses is not used."""
    if given is not None:
        return given
    if mode is Mode.TEST:
        return TEST_BASE_URL
    return f"https://{live_prefix}-checkout-live.adyenpayments.com/checkout"


def check(account: AdyenProvider) -> None:
    """
    Look at every setting.

    Raises:
        SettingsError: naming each that cannot be used.
    """
    faults = Faults()
    _check_keys(faults, account)
    _check_platform(faults, account)
    for what in ("webhook", "report"):
        user, password = f"{what}_user", f"{what}_password"
        _check_pair(faults, user, getattr(account, user), password, getattr(account, password))
    if not isinstance(account.immediate_capture, bool):
        faults.add("immediate_capture", "is neither True nor False", "write True or False")
    if type(account.report_first_batch) is not int or account.report_first_batch < 1:
        faults.add("report_first_batch", "is no batch number", "write 1, or the first batch of the books")
    check_hosts(faults, account.allowed_hosts)
    check_name(faults, account.name, example="adyen-fr")
    try:
        faults.raise_any()
    except InvalidInput as error:
        raise SettingsError(error.faults) from None


def _check_keys(faults: Faults, account: AdyenProvider) -> None:
    if not _KEY.fullmatch(account.api_key):
        faults.add(
            "api_key",
            "is no API key" if account.api_key else "is empty",
            "copy it from the Customer Area (Developers, API credentials), without spaces around it",
        )
    if not isinstance(account.merchant_account, str) or not _ACCOUNT.fullmatch(account.merchant_account):
        faults.add(
            "merchant_account",
            "is no merchant account",
            "write its name as the Customer Area shows it, e.g. ExampleCompanyECOM",
        )
    for place, key in enumerate(account.hmac_keys):
        if not _HMAC_KEY.fullmatch(key):
            faults.add(
                f"hmac_keys[{place}]",
                "is no HMAC key",
                "copy the hexadecimal key that the Customer Area made for the webhook (Developers, Webhooks)",
            )


def _check_platform(faults: Faults, account: AdyenProvider) -> None:
    platform, prefix, base_url = account.platform, account.live_prefix, account.base_url
    if platform not in ("test", "live"):
        faults.add("platform", "is neither test nor live", 'write "test" or "live"')
    where = "copy it from the live Customer Area (Developers, API URLs): letters, digits and hyphens"
    if prefix is not None and (not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix)):
        faults.add("live_prefix", "cannot be part of a host name", where)
    elif platform == "live" and prefix is None:
        faults.add("live_prefix", "is missing for the live platform", where)
    if base_url is not None and not (platform != "live" and is_local_base(base_url)):
        faults.add(
            "base_url",
            "is not this machine's, or the platform is live",
            "leave it out; one is only for a sandbox, on 127.0.0.1 and with the test platform",
        )


def _check_pair(faults: Faults, first: str, user: str | None, second: str, password: str | None) -> None:
    """Add a fault unless user and password are given together and basic authentication can carry them."""
    if (user is None) is not (password is None):
        missing = first if user is None else second
        faults.add(
            missing, "is missing beside the other one", f"give {first} and {second} together, or neither"
        )
        return
    for path, text in ((first, user), (second, password)):
        if text is not None and (not text or not text.isprintable()):
            faults.add(path, "is empty or has characters that cannot be typed", "copy it again")
    if user and ":" in user:
        faults.add(first, "has a colon, which basic authentication cannot carry", "choose another user name")
