"""
The words that strings may speak of, and the URL, for one link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from paybylink.errors import InvalidInput
from paybylink.kinds import Reusable
from paybylink.links import Mode, PaymentLink

from ._catalogue import WORDS, Catalogue, strings_for
from .formats import amount_text, moment_text

if TYPE_CHECKING:
    from pathlib import Path

    from babel import Locale

    from paybylink.money import Money

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


class Settings(Protocol):
    """What is asked of a `Wording`, which stands above the modules that write."""

    @property
    def merchant(self) -> str: ...

    @property
    def contact(self) -> str: ...

    @property
    def zone(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def overrides(self) -> Path | None: ...


def chosen_strings(settings: Settings, asked: str) -> tuple[Catalogue, bool]:
    """The strings for a customer's language, and whether they had to be in another one."""
    if (found := strings_for(asked, settings.overrides)) is not None:
        return found, False
    found = strings_for(settings.language, settings.overrides) or strings_for("en", None)
    assert found is not None
    return found, True


def words_of(
    settings: Settings, link: PaymentLink, locale: Locale, strings: Catalogue, *, amount: Money, brief: bool
) -> dict[str, str]:
    """Every word of `WORDS`; `brief` names the zone by its offset. What has no value is empty."""
    words = dict.fromkeys(map(str, WORDS), "")
    words["merchant"], words["contact"] = settings.merchant, settings.contact
    words["reference"] = link.order.reference
    words["amount"] = _asked(link, amount, locale, strings)
    if link.expires_at is not None:
        ends = moment_text(link.expires_at, settings.zone, locale)
        words["date"], words["time"] = ends.date, ends.time
        words["zone"] = ends.offset if brief else ends.zone
        words["expires"] = strings.sections["common"]["moment"].format(**words)
    return words


def _asked(link: PaymentLink, amount: Money, locale: Locale, strings: Catalogue) -> str:
    """The amount, or that the payer chooses it."""
    kind, common = link.kind, strings.sections["common"]
    if not isinstance(kind, Reusable) or not kind.payer_chooses:
        return amount_text(amount, locale)
    if kind.minimum is None:
        return common["amount_chosen"]
    return common["amount_from"].format(amount=amount_text(kind.minimum, locale))


def safe_url(link: PaymentLink) -> str:
    """
    The link's URL, unchanged.

    Raises:
        InvalidInput: it is missing, or no https address; http is for this machine in test mode.
    """
    url = link.url
    if not url:
        raise InvalidInput.single("link.url", "is empty", "wait until the link is open, or set a public_url")
    plain = link.mode is Mode.TEST and _LOOPBACK.match(url)
    # Beyond these characters a URL would leave its attribute or its line (RFC 3986 §2).
    if (
        not (url.startswith("https://") or plain)
        or not url.isascii()
        or not url.isprintable()
        or set(url) & set(' "<>')
    ):
        raise InvalidInput.single(
            "link.url", "is no https address", "check the provider's answer or public_url; nothing was sent"
        )
    return url
