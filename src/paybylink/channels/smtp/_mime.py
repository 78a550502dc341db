"""
The bytes of a mail (RFC 5322, MIME), the same for the same occasion.

    multipart/mixed
    ├─ multipart/alternative
    │  ├─ text/plain
    │  └─ multipart/related
    │     ├─ text/html
    │     └─ image/png, inline, named by its Content-ID
    └─ application/pdf, for each document

Rule 1: what is pure stays pure: boundaries and ids come from the delivery's id, the date from the occasion.
Rule 2: no header holds a control character. The standard library refuses CR and LF only; NUL and its kin pass.
Rule 3: an address never holds an encoded word (RFC 2047 §5); its domain is an A-label before it comes here.
Rule 4: texts are quoted-printable and 7-bit, so that no server on the way has a reason to rewrite them, and no
        boundary can occur in them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart

from attrs import field, frozen

from ...errors import InvalidInput
from ...orders import Document
from ._settings import Mailbox

_POLICY = policy.SMTP.clone(cte_type="7bit")
_POLICY_UTF8 = policy.SMTPUTF8.clone(cte_type="7bit")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@frozen(kw_only=True)
class Sheet:
    """
    Everything that goes into one mail.

    Attributes:
        delivery_id: names the mail; the local part of its ``Message-ID``.
        at: its date.
        sender, reply_to, recipient: whose it is; `reply_to` may be None.
        subject, text, html: its words.
        language: of the words.
        png: the inline QR code; None for none.
        attach: PDFs.
        needs_utf8: write headers in UTF-8 (RFC 6532), for an address that has no other form.
    """

    delivery_id: str
    at: dt.datetime
    sender: Mailbox
    recipient: Mailbox
    reply_to: Mailbox | None
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    png: bytes | None = field(repr=False)
    attach: Sequence[Document]
    needs_utf8: bool = False


def content_id(delivery_id: str, domain: str) -> str:
    """What the HTML calls the inline QR code, without brackets."""
    return f"qr.{delivery_id}@{domain}"


def written(sheet: Sheet) -> bytes:
    """
    The whole mail, with CRLF line ends.

    Raises:
        InvalidInput: a header would hold a control character.
    """
    if not _ID.fullmatch(sheet.delivery_id):
        raise InvalidInput.single(
            "delivery_id", "cannot be part of a Message-ID", "use letters, digits, . _ -"
        )
    mail = EmailMessage(policy=_POLICY_UTF8 if sheet.needs_utf8 else _POLICY)
    mail["From"] = _address("sender", sheet.sender)
    mail["To"] = _address("to", sheet.recipient)
    if sheet.reply_to is not None:
        mail["Reply-To"] = _address("reply_to", sheet.reply_to)
    mail["Subject"] = _clean("subject", sheet.subject)
    mail["Date"] = sheet.at
    mail["Message-ID"] = f"<{sheet.delivery_id}@{sheet.sender.domain}>"
    # RFC 3834: keeps a vacation notice from answering a machine.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_lines(sheet.text), cte="quoted-printable")
    mail.add_alternative(_lines(sheet.html), subtype="html", cte="quoted-printable")
    if sheet.png is not None:
        html = mail.get_payload(1)
        assert isinstance(html, MIMEPart)
        html.add_related(
            sheet.png,
            maintype="image",
            subtype="png",
            cid=f"<{content_id(sheet.delivery_id, sheet.sender.domain)}>",
            filename="qr.png",
            disposition="inline",
        )
    for document in sheet.attach:
        mail.add_attachment(
            document.content,
            maintype="application",
            subtype="pdf",
            filename=_clean("attach.name", document.name),
        )
    # Last, since EmailMessage moves every Content- header into the first part when it makes a multipart.
    mail["Content-Language"] = _clean("language", sheet.language)
    _set_boundaries(mail, sheet.delivery_id)
    return mail.as_bytes()


def _address(path: str, box: Mailbox) -> Address:
    local, _, domain = box.address.rpartition("@")
    return Address(_clean(path, box.name), username=local, domain=domain)


def _clean(path: str, text: str) -> str:
    """`text`, if it may stand in a header."""
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" for char in text):
        raise InvalidInput.single(
            path, "contains control characters", "remove line breaks, tabs and other control characters"
        )
    return text


def _lines(text: str) -> str:
    """`text` with line feeds as its only line ends, as EmailMessage wants it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _set_boundaries(mail: EmailMessage, delivery_id: str) -> None:
    """Name the boundaries; "=_" can occur neither in quoted-printable nor in base64 (RFC 2045 §6.7)."""
    for place, part in enumerate(mail.walk()):
        if part.is_multipart():
            digest = hashlib.sha256(f"{delivery_id}/{place}".encode()).hexdigest()
            part.set_boundary(f"=_{digest[:32]}")
