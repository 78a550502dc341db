"""
The channel without a sender: a link to be handed over by the merchant's own hand.

A `Share` offers the link as a URL, a QR code, and addresses that open WhatsApp, a text message or a mail with the
words already written. Nothing is sent here, and nobody tells whether the person then pressed *Send*. Everything in
those addresses is percent-encoded as UTF-8 with ``%20`` for a space: ``+`` would arrive as a plus on some phones,
and an ``&`` left bare in the link would cut it short.
"""

from __future__ import annotations

from urllib.parse import quote

from attrs import field, frozen

from paybylink.links import PaymentLink

from .addresses import mail_address, phone_number
from .qr import qr_png, qr_svg, qr_terminal
from .wording import Wording


@frozen(kw_only=True)
class Share:
    """
    Ways to hand one link over.

    Attributes:
        link: the link.
        language: of the words; None takes the customer's, then the merchant's.
        wording: the merchant's name, zone and languages.
    """

    link: PaymentLink
    language: str | None = None
    wording: Wording = field(factory=Wording)

    @property
    def url(self) -> str:
        """What the customer opens, byte for byte."""
        return self.link.url

    def text(self, language: str | None = None) -> str:
        """A short message with the URL on its last line; where a service can, it shows a preview of it."""
        return self._words(language)[1]

    def whatsapp(self, phone: str | None = None, *, language: str | None = None) -> str:
        """
        A ``wa.me`` address that opens WhatsApp with the message; without `phone` the sender picks the contact.

        Raises:
            InvalidInput: `phone` is no number that can exist.
        """
        digits = self._phone(phone).removeprefix("+") if phone is not None else ""
        return f"https://wa.me/{digits}?text={_encoded(self.text(language))}"

    def sms(self, phone: str | None = None, *, language: str | None = None) -> str:
        """
        An ``sms:`` address that opens the phone's messages with the text. Raises as `whatsapp`.

        ``?&`` is read by both mobile systems, one of which wants ``?body`` and the other ``&body``.
        """
        number = self._phone(phone) if phone is not None else ""
        return f"sms:{number}?&body={_encoded(self.text(language))}"

    def mailto(self, address: str | None = None, *, language: str | None = None) -> str:
        """
        A ``mailto:`` address (RFC 6068) that opens a mail with subject and text; without `address` to nobody yet.

        Raises:
            InvalidInput: `address` is no mail address.
        """
        subject, text = self._words(language)
        to = ""
        if address is not None:
            local, _, domain = mail_address(address, path="address", accept_utf8_local_part=True).rpartition(
                "@"
            )
            to = f"{_encoded(local)}@{domain}"
        body = text.replace("\n", "\r\n")
        return f"mailto:{to}?subject={_encoded(subject)}&body={_encoded(body)}"

    def qr_svg(self) -> str:
        """The QR code of the URL as an SVG element, for pages and print."""
        return qr_svg(self.url, title=self.wording.qr_title(self._language(None)))

    def qr_png(self, *, scale: int = 8) -> bytes:
        """The QR code of the URL as PNG, `scale` pixels for each module."""
        return qr_png(self.url, scale=scale)

    def qr_terminal(self) -> str:
        """The QR code of the URL as text for a terminal."""
        return qr_terminal(self.url)

    def as_dict(self) -> dict[str, str]:
        """Every address, for JSON: url, text, whatsapp, sms and mailto, without recipients."""
        return {
            "url": self.url,
            "text": self.text(),
            "whatsapp": self.whatsapp(),
            "sms": self.sms(),
            "mailto": self.mailto(),
        }

    def _language(self, asked: str | None) -> str:
        customer = self.link.order.customer
        return asked or self.language or (customer.language if customer else None) or self.wording.language

    def _words(self, language: str | None) -> tuple[str, str]:
        words = self.wording.share(self.link, language=self._language(language))
        return words.subject, words.text

    def _phone(self, phone: str) -> str:
        customer = self.link.order.customer
        return phone_number(phone, country=customer.country if customer else None)


def _encoded(text: str) -> str:
    return quote(text, safe="")
