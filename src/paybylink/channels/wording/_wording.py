"""What is the merchant's own in every message, checked when it is set up."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from attrs import frozen

from paybylink.channels.base import Occasion
from paybylink.checks import check_text
from paybylink.errors import Faults, InvalidInput, SettingsError
from paybylink.links import PaymentLink

from ._catalogue import LANGUAGES, strings_for
from ._mail import MailText, mail_text
from ._share import ShareText, share_text
from ._words import chosen_strings

if TYPE_CHECKING:
    from pathlib import Path

#: Settings that need not be looked up, so that a process which sends nothing reads no file.
_SHIPPED = {(None, language) for language in LANGUAGES}


@frozen(kw_only=True)
class Wording:
    """
    What is the merchant's own in every message.

    Attributes:
        merchant: the name that customers know.
        contact: where to ask, in words: an address, a phone number; empty for none.
        zone: the time zone of moments, by its IANA name.
        language: for customers whose own is not known or has no strings here; English where this has none either.
        overrides: a folder with strings and layouts of one's own.
    """

    merchant: str = ""
    contact: str = ""
    zone: str = "Europe/Paris"
    language: str = "en"
    overrides: Path | None = None

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "wording.merchant", self.merchant, limit=70)
        check_text(faults, "wording.contact", self.contact, limit=200)
        if not _is_zone(self.zone):
            faults.add(
                "wording.zone", "is no time zone known here", "write an IANA name such as Europe/Paris"
            )
        if self.overrides is not None and not os.path.isdir(self.overrides):
            faults.add("wording.overrides", "is no folder", "make it, or leave the setting out")
        elif (self.overrides, self.language) not in _SHIPPED and not strings_for(
            self.language, self.overrides
        ):
            where = " nor in the overrides" if self.overrides else ""
            faults.add(
                "wording.language", f"has no strings here{where}", f"choose among {', '.join(LANGUAGES)}"
            )
        try:
            faults.raise_any()
        except InvalidInput as error:
            raise SettingsError(error.faults) from None

    def mail(self, occasion: Occasion, *, qr: str | None = None) -> MailText:
        """
        The words of the mail for `occasion`.

        Args:
            occasion: who is written to, about which link, and why.
            qr: the Content-ID of the inline QR code; None for a mail without it.

        Raises:
            InvalidInput: the link has no URL that may be written to a customer.
            SettingsError: a string or layout in the overrides is wrong.
            MissingExtra: Jinja2 or Babel is not installed.
        """
        return mail_text(self, occasion, qr=qr)

    def share(self, link: PaymentLink, *, language: str | None = None) -> ShareText:
        """
        A short text for a messenger, in GSM letters as far as the order allows, with the URL on its last line.

        Raises:
            InvalidInput: the link has no URL that may be given to a customer.
            MissingExtra: Babel is not installed.
        """
        return share_text(self, link, language=language)

    def qr_title(self, language: str) -> str:
        """What a QR code of the link is called, for those who cannot see it."""
        return chosen_strings(self, language)[0].sections["common"]["qr_alt"]


@functools.lru_cache(maxsize=64)
def _is_zone(name: object) -> bool:
    from zoneinfo import ZoneInfo

    try:
        return isinstance(name, str) and bool(ZoneInfo(name).key)
    except (KeyError, OSError, ValueError):
        return False
