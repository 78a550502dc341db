"""
The door of mails: one `Envelope` is handed to its SMTP server, and a `MailReply` always comes back.

What is said and what a reply means stands in `mail_talk`; here each move is performed, with smtplib in this thread
or with aiosmtplib in this event loop. A connection serves one mail and is closed on every way out, cancellation
included. Logged are the channel, the server, the phase, the code and the time: no address and no content.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import smtplib
import socket
import ssl
import time
from typing import TYPE_CHECKING, assert_never

from paybylink.errors import MissingExtra
from paybylink.flow import Envelope, MailReply, MailServer

from .mail_talk import Answer, Connect, Content, Dot, Hello, Lost, Move, Say, Secure, talk, unusable

if TYPE_CHECKING:
    import aiosmtplib

log = logging.getLogger("paybylink.mail")

#: How long a server may take to say goodbye; its answer changes nothing.
_GOODBYE_SECONDS = 3.0
_PIECE = 64 * 1024
_LOCAL_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\[[0-9A-Fa-f.:]+\]|localhost")


def send_mail(envelope: Envelope) -> MailReply:
    """
    What became of one mail, handed over in this thread.

    Network trouble, bad certificates and refusals are replies and never raised.
    """
    started = time.monotonic()
    conversation = talk(envelope)
    try:
        context = _trust(envelope.server)
    except (OSError, ssl.SSLError):
        return _logged(envelope, unusable(envelope.server), started)
    line = _Line(envelope.server, context)
    try:
        move = next(conversation)
        while True:
            move = conversation.send(line.perform(move))
    except StopIteration as stop:
        reply: MailReply = stop.value
        line.goodbye()
        return _logged(envelope, reply, started)
    finally:
        line.close()


async def asend_mail(envelope: Envelope) -> MailReply:
    """
    What became of one mail, handed over in this event loop.

    The same replies as `send_mail`. Cancelling closes the connection at once; the mail may have been taken.

    Raises:
        MissingExtra: aiosmtplib is not installed.
    """
    started = time.monotonic()
    conversation = talk(envelope)
    try:
        context = await asyncio.to_thread(_trust, envelope.server)
    except (OSError, ssl.SSLError):
        return _logged(envelope, unusable(envelope.server), started)
    line = _AsyncLine(envelope.server, context)
    try:
        move = next(conversation)
        while True:
            move = conversation.send(await line.perform(move))
    except StopIteration as stop:
        reply: MailReply = stop.value
        await line.goodbye()
        return _logged(envelope, reply, started)
    finally:
        line.close()


class _Line:
    """The moves, by smtplib."""

    def __init__(self, server: MailServer, context: ssl.SSLContext | None) -> None:
        self._server, self._context = server, context
        self._smtp: smtplib.SMTP | None = None

    def perform(self, move: Move) -> Answer | Lost:
        try:
            return self._perform(move)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            self.close()
            return _fallen(error, told=isinstance(move, Connect | Hello | Secure))

    def _perform(self, move: Move) -> Answer | Lost:
        if isinstance(move, Connect):
            self._smtp = self._connect()
            assert self._smtp.sock is not None
            # The dot follows the content at once; held back, it would cost the wait for an acknowledgement.
            self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Answer(220)
        smtp = self._smtp
        if smtp is None or smtp.sock is None:
            return Lost("cut")
        match move:
            case Hello():
                return _answer(*smtp.ehlo())
            case Secure():
                return _answer(*smtp.starttls(context=self._context))
            case Say(line):
                smtp.command_encoding = "utf-8"
                return _answer(*smtp.docmd(line.decode()))
            case Content(stuffed):
                for start in range(0, len(stuffed), _PIECE):
                    smtp.send(stuffed[start : start + _PIECE])
                return Answer(0)
            case Dot():
                smtp.send(b".\r\n")
                smtp.sock.settimeout(self._server.final_timeout_seconds)
                return _answer(*smtp.getreply())
            case _:
                assert_never(move)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            return smtplib.SMTP_SSL(
                server.host,
                server.port,
                local_hostname=_local_name(server),
                timeout=server.timeout_seconds,
                context=self._context,
            )
        return smtplib.SMTP(
            server.host, server.port, local_hostname=_local_name(server), timeout=server.timeout_seconds
        )

    def goodbye(self) -> None:
        """Say QUIT if there is still somebody to say it to."""
        if self._smtp is not None and self._smtp.sock is not None:
            try:
                self._smtp.sock.settimeout(min(_GOODBYE_SECONDS, self._server.timeout_seconds))
                _ = self._smtp.docmd("QUIT")
            except (OSError, smtplib.SMTPException):
                pass

    def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()


@functools.cache
def _client() -> type[aiosmtplib.SMTP]:
    """aiosmtplib's client, which drops its connection when it closes it."""
    try:
        import aiosmtplib
    except ImportError as error:
        raise MissingExtra("messages", "sending mail from async code") from error

    class Client(aiosmtplib.SMTP):
        def close(self) -> None:
            # A TLS goodbye would keep the socket open for half a minute where the server is silent.
            if isinstance(self.transport, asyncio.WriteTransport):
                self.transport.abort()
            super().close()

    return Client


class _AsyncLine:
    """The moves, by aiosmtplib."""

    def __init__(self, server: MailServer, context: ssl.SSLContext | None) -> None:
        self._server = server
        self._smtp = _client()(
            hostname=server.host,
            port=server.port,
            local_hostname=_local_name(server),
            timeout=server.timeout_seconds,
            use_tls=server.security == "tls",
            start_tls=False,
            tls_context=context,
        )

    async def perform(self, move: Move) -> Answer | Lost:
        from aiosmtplib import SMTPException

        try:
            return await self._perform(move)
        except (OSError, SMTPException, UnicodeError) as error:
            self.close()
            return _fallen(error, told=isinstance(move, Connect | Hello | Secure))

    async def _perform(self, move: Move) -> Answer | Lost:
        smtp = self._smtp
        match move:
            case Connect():
                return _answer(*await smtp.connect())
            case Hello():
                return _answer(*await smtp.ehlo())
            case Secure():
                return _answer(*await smtp.starttls(server_hostname=self._server.host))
            case Say(line):
                return _answer(*await smtp.execute_command(line))
            case Content(stuffed):
                await self._write(stuffed)
                return Answer(0)
            case Dot():
                protocol = smtp.protocol
                if protocol is None:
                    return Lost("cut")
                protocol.write(b".\r\n")
                return _answer(*await protocol.read_response(timeout=self._server.final_timeout_seconds))
            case _:
                assert_never(move)

    async def _write(self, stuffed: bytes) -> None:
        """
        Write everything but the final dot, and wait until it has left this process.

        asyncio would buffer without end; then nobody could say later whether the dot ever left.
        """
        protocol, transport = self._smtp.protocol, self._smtp.transport
        if protocol is None or not isinstance(transport, asyncio.WriteTransport):
            raise ConnectionResetError
        transport.set_write_buffer_limits(high=0)
        for start in range(0, len(stuffed), _PIECE):
            protocol.write(stuffed[start : start + _PIECE])
            # The name is asyncio's own: StreamWriter.drain() asks it of every protocol.
            await asyncio.wait_for(protocol._drain_helper(), self._server.timeout_seconds)

    async def goodbye(self) -> None:
        """Say QUIT if there is still somebody to say it to."""
        from aiosmtplib import SMTPException

        if self._smtp.is_connected:
            try:
                patience = min(_GOODBYE_SECONDS, self._server.timeout_seconds)
                _ = await self._smtp.execute_command(b"QUIT", timeout=patience)
            except (OSError, SMTPException):
                pass

    def close(self) -> None:
        self._smtp.close()


def _answer(code: int, text: bytes | str) -> Answer | Lost:
    if not 200 <= code <= 599:
        return Lost("unreadable")
    return Answer(code, text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text)


def _fallen(error: BaseException, *, told: bool) -> Answer | Lost:
    """
    What an exception of either library means.

    Args:
        error: what was raised.
        told: an exception with a code is the server's word; elsewhere it is the library's own complaint about an
            unreadable reply.
    """
    code = getattr(error, "smtp_code", getattr(error, "code", None))
    text = getattr(error, "smtp_error", getattr(error, "message", ""))
    if isinstance(code, int):
        return _answer(code, text) if told else Lost("unreadable")
    seen: BaseException | None = error
    kinds: set[str] = set()
    while seen is not None:
        kinds.add(_kind(seen))
        seen = seen.__cause__ or seen.__context__
    for why in ("name", "certificate", "tls", "timeout"):
        if why in kinds:
            return Lost(why)
    return Lost("cut")


def _kind(error: BaseException) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "name"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "timeout" if isinstance(error, TimeoutError) else "cut"


def _trust(server: MailServer) -> ssl.SSLContext | None:
    return None if server.security == "none" else _context(server.ca_file)


@functools.lru_cache(maxsize=16)
def _context(ca_file: str | None) -> ssl.SSLContext:
    """A context that checks certificate and host name; kept, since reading the system's certificates takes 20 ms."""
    return ssl.create_default_context(cafile=ca_file)


def _local_name(server: MailServer) -> str:
    """What we call ourselves: as set, or this machine's full name; never asked of DNS, which may hang."""
    for name in (server.local_name, socket.gethostname()):
        if name and _LOCAL_NAME.fullmatch(name):
            return name
    return "[127.0.0.1]"


def _logged(envelope: Envelope, reply: MailReply, started: float) -> MailReply:
    log.info(
        "%s: mail to %s:%d %s at %s (%s) in %d ms",
        envelope.who,
        envelope.server.host,
        envelope.server.port,
        reply.outcome,
        reply.phase,
        reply.code or "no code",
        (time.monotonic() - started) * 1000,
    )
    return reply
