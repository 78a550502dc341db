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
Rule 5: the head is written here, line by line, and only the body by EmailMessage. When EmailMessage folds a long
        name with a comma it loses the quotes, so that one recipient becomes two (CPython 3.11), and text that looks
        like an encoded word would be decoded by the reader.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime

from attrs import field, frozen

from paybylink.errors import InvalidInput
from paybylink.orders import Document

from ._settings import Mailbox

_POLICY = policy.SMTP.clone(cte_type="7bit")
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


def content_id(delivery_id: str) -> str:
    """What the HTML calls the inline QR code, without brackets."""
    return f"qr@{delivery_id}"


def written(sheet: Sheet) -> bytes:
    """
    The whole mail, with CRLF line ends; not ASCII only where an address is not (RFC 6532).

    Raises:
        InvalidInput: a header would hold a control character.
    """
    if not _ID.fullmatch(sheet.delivery_id):
        raise InvalidInput.single(
            "delivery_id", "cannot be part of a Message-ID", "use letters, digits, . _ -"
        )
    body = EmailMessage(policy=_POLICY)
    body.set_content(_lines(sheet.text), cte="quoted-printable")
    body.add_alternative(_lines(sheet.html), subtype="html", cte="quoted-printable")
    if sheet.png is not None:
        html = body.get_payload(1)
        assert isinstance(html, MIMEPart)
        html.add_related(
            sheet.png,
            maintype="image",
            subtype="png",
            cid=f"<{content_id(sheet.delivery_id)}>",
            filename="qr.png",
            disposition="inline",
        )
    for document in sheet.attach:
        body.add_attachment(
            document.content,
            maintype="application",
            subtype="pdf",
            filename=_clean("attach.name", document.name.strip()),
        )
    _set_boundaries(body, sheet.delivery_id)
    return _head(sheet).encode() + body.as_bytes()


def _head(sheet: Sheet) -> str:
    lines = [_whose("From", sheet.sender), _whose("To", sheet.recipient)]
    if sheet.reply_to is not None:
        lines.append(_whose("Reply-To", sheet.reply_to))
    lines += [
        f"Subject: {_encoded('Subject', sheet.subject)}",
        f"Date: {format_datetime(sheet.at)}",
        f"Message-ID: <{sheet.delivery_id}@{sheet.sender.domain}>",
        # RFC 3834: keeps a vacation notice from answering a machine.
        "Auto-Submitted: auto-generated",
        f"Content-Language: {_clean('language', sheet.language)}",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _whose(header: str, box: Mailbox) -> str:
    """A header of one mailbox, its name quoted or encoded, its address as it is."""
    local, _, domain = box.address.rpartition("@")
    if box.name.isascii() and "=?" not in box.name:
        quoted = str(Address(_clean(header, box.name), username=local, domain=domain))
        return f"{header}: {quoted}"
    return f"{header}: {_encoded(header, box.name)}\r\n <{box.address}>"


def _encoded(header: str, text: str) -> str:
    """`text` folded, and as encoded words (RFC 2047) unless it is ASCII that cannot be mistaken for them."""
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(_clean(header, text), charset, header_name=header).encode(linesep="\r\n")


def _clean(path: str, text: str) -> str:
    """`text`, if it may stand in a header."""
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" for char in text):
        raise InvalidInput.single(
            path.lower(),
            "contains control characters",
            "remove line breaks, tabs and other control characters",
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
