"""
The mailbox: a real SMTP server whose mails go nowhere but into the sandbox's state.

It speaks SMTP through aiosmtpd, offers AUTH (any user, unless users are named), SMTPUTF8 and, where it is given a
certificate, STARTTLS. Each accepted message is kept as it came, envelope and bytes, in a transaction of its own
before the 250 is said. Two messages with one Message-ID are two mails: whether somebody sent twice is the very
question that the mailbox answers.
Source: RFC 5321 for replies; RFC 3463 for the enhanced codes in them.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import ssl
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from attrs import frozen

from paybylink.sandbox import faults
from paybylink.sandbox.engine import Document, Engine

#: aiosmtpd logs every line it reads at INFO, passwords and mails included.
logging.getLogger("mail.log").setLevel(logging.WARNING)

_SIZE_LIMIT = 40 * 1024 * 1024


@frozen
class Part:
    """
    One part of a mail.

    Attributes:
        place: its number among all parts, from 0.
        kind: its content type.
        name: its file name; None where it has none.
        content_id: what ``cid:`` addresses call it, without brackets; None where it has none.
        content: its bytes.
    """

    place: int
    kind: str
    name: str | None
    content_id: str | None
    content: bytes


class Mailman:
    """
    Takes mails for the sandbox; the handler of aiosmtpd's server.

    Args:
        engine: where they are kept.
        users: names and passwords; when given, nobody sends without one of them.
    """

    def __init__(self, engine: Engine, users: Mapping[str, str] | None = None) -> None:
        self._engine = engine
        self._users = dict(users) if users else None

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Whether a user may send; with no users named, anybody may."""
        if self._users is None:
            return AuthResult(success=True)
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, given = bytes(data.login).decode("utf-8", "replace"), bytes(data.password)
        right = hmac.compare_digest(self._users.get(user, "").encode(), given)
        return AuthResult(success=user in self._users and right, handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The reply to MAIL FROM."""
        if self._users is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The reply to one RCPT TO."""
        fault = faults.take(self._engine, faults.MAIL_RCPT, address)
        if fault is not None:
            return _refusal(fault, "5.1.1 No such mailbox here")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """The reply after the final dot."""
        fault = faults.take(self._engine, faults.MAIL_DATA, *envelope.rcpt_tos)
        if fault is not None and fault["kind"] == "mail_refuse_data":
            return _refusal(fault, "5.7.1 Message refused")
        number = None
        if fault is None or fault["work"] is not False:
            number = keep(self._engine, envelope)
        if fault is not None:
            cast(asyncio.Transport, server.transport).abort()
            # The connection's end cancels this handler, so nothing is said after the cut.
            _ = await asyncio.Event().wait()
        return f"250 2.0.0 OK: kept as mail {number}"


def _refusal(fault: Document, text: str) -> str:
    status = fault["status"] or 550
    return f"{status} {fault['text'] or f'{status // 100}{text[1:]}'}"


def keep(engine: Engine, envelope: Envelope) -> int:
    """The number under which a message is now kept."""
    raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
    message = _parsed(raw)
    with engine.transaction():
        number = engine.next_number("mail")
        _ = engine.put(
            "mail",
            {
                "id": str(number),
                "number": number,
                "sender": envelope.mail_from,
                "recipients": list(envelope.rcpt_tos),
                "subject": str(message.get("Subject", "")),
                "message_id": str(message.get("Message-ID", "")),
                "received": engine.now().isoformat(),
                "size": len(raw),
            },
            content=raw,
        )
    return number


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def read(engine: Engine, number: str) -> tuple[Document, EmailMessage] | None:
    """One mail's envelope and message; None when there is none of that number."""
    mail, raw = engine.get("mail", number), engine.content("mail", number)
    return None if mail is None or raw is None else (mail, _parsed(raw))


def parts(message: EmailMessage) -> list[Part]:
    """All parts of a message that hold something, in order."""
    leaves = [part for part in message.walk() if not part.is_multipart()]
    return [
        Part(
            place,
            leaf.get_content_type(),
            leaf.get_filename(),
            str(leaf.get("Content-ID", "")).strip().strip("<>") or None,
            cast(bytes, leaf.get_payload(decode=True) or b""),
        )
        for place, leaf in enumerate(leaves)
    ]


def body(message: EmailMessage, kind: str) -> str | None:
    """The text of the body in one form (``plain`` or ``html``); None when it has none."""
    found = message.get_body((kind,))
    if found is None or found.get_content_subtype() != kind:
        return None
    return str(found.get_content())


def attachments(message: EmailMessage) -> list[Part]:
    """The parts to be downloaded: neither a body nor an image shown inside one."""
    bodies = {id(part) for part in (message.get_body(("plain",)), message.get_body(("html",)))}
    leaves = [part for part in message.walk() if not part.is_multipart()]
    return [part for part, leaf in zip(parts(message), leaves, strict=True) if id(leaf) not in bodies]


def smtp_protocol(
    mailman: Mailman, loop: asyncio.AbstractEventLoop, *, tls: ssl.SSLContext | None = None
) -> SMTP:
    """One connection's server, for `loop.create_server`."""
    return SMTP(
        mailman,
        loop=loop,
        hostname="sandbox.localhost",
        ident="PayByLink sandbox",
        data_size_limit=_SIZE_LIMIT,
        enable_SMTPUTF8=True,
        tls_context=tls,
        authenticator=mailman.authenticate,
        # Passwords here guard nothing; a client that asks for TLS first is served by `tls`.
        auth_require_tls=False,
    )
