"""
The door of mails, against servers on this machine: a whole one (aiosmtpd) and one that follows a script of faults.

Every case runs by smtplib and by aiosmtplib and expects the same reply from both.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import pytest
from attrs import evolve, field, frozen

from paybylink.drivers.mail import asend_mail, send_mail
from paybylink.errors import MissingExtra
from paybylink.flow import Envelope, MailReply, MailServer
from paybylink.messages import Outcome

from .driving import make_certificate

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
    from aiosmtpd.smtp import Envelope as Taken
    from aiosmtpd.smtp import Session as Talk

HandOver = Callable[[Envelope], MailReply]
CONTENT = b"From: a@b.example\r\nSubject: hello\r\n\r\n.starts with a dot\r\nlast line\r\n"
CUT, SILENT = "cut", "silent"


def awaited(envelope: Envelope) -> MailReply:
    """The reply of the async door, in a loop of its own that leaves nothing open."""
    reply = asyncio.run(asend_mail(envelope))
    _ = gc.collect()
    return reply


@pytest.fixture(params=[pytest.param(send_mail, id="sync"), pytest.param(awaited, id="async")])
def hand_over(request: pytest.FixtureRequest) -> HandOver:
    """The door, in both forms."""
    door: HandOver = request.param
    return door


def envelope(
    port: int, *, content: bytes = CONTENT, also: Mapping[str, Any] | None = None, **server: Any
) -> Envelope:
    """A mail for the server at `port` of this machine, with those settings."""
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "security": "none",
        "timeout_seconds": 5.0,
        "final_timeout_seconds": 5.0,
    }
    return Envelope(
        who="email",
        server=MailServer(port=port, **{**settings, **server, **(also or {})}),
        sender="pay@atelier.example",
        recipient="zoe.martin@example.com",
        content=content,
    )


class Scripted:
    """
    A server that answers each command by its script, accepts any number of connections, and remembers what it heard.

    A reply is a line, `CUT` or `SILENT`; commands without one are answered politely.
    """

    POLITE = MappingProxyType(
        {"EHLO": "250-here\r\n250 SIZE 20000000", "DATA": "354 go on", "QUIT": "221 bye"}
    )

    def __init__(self, **script: str) -> None:
        self.script = script
        self.heard: list[str] = []
        self.fell_silent = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._talk(connection)
            except OSError:
                return

    def _talk(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        with lines:
            if not self._answer(connection, "greeting", "220 ready"):
                return
            for line in lines:
                word = line.split()[0].upper().decode("utf-8", "replace") if line.split() else ""
                self.heard.append(word + line.decode("utf-8", "replace").strip()[len(word) :])
                if not self._answer(connection, word.lower(), self.POLITE.get(word, "250 fine")):
                    return
                if word == "QUIT":
                    return
                if word == "DATA" and self.script.get("data", "354").startswith("354"):
                    if self.script.get("body") == CUT:
                        return
                    for text in lines:
                        if text == b".\r\n":
                            break
                    if not self._answer(connection, "dot", "250 2.0.0 queued as 4XyZ"):
                        return

    def _answer(self, connection: socket.socket, step: str, polite: str) -> bool:
        reply = self.script.get(step, polite)
        if reply == SILENT:
            self.fell_silent.set()
            _ = self._stopped.wait(30)
        if reply in (CUT, SILENT):
            return False
        connection.sendall(reply.encode() + b"\r\n")
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)


@frozen
class Case:
    """A script, and what becomes of the mail."""

    script: dict[str, str]
    outcome: Outcome
    phase: str
    code: int | None = None
    enhanced: str = ""
    configuration: bool = False
    server: dict[str, object] = field(factory=dict)


A, D, R, U = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.UNKNOWN
SHORT: dict[str, object] = {"timeout_seconds": 0.3, "final_timeout_seconds": 0.3}
LOGIN: dict[str, object] = {"username": "merchant", "password": "hunter22"}
AUTH = "250-here\r\n250 AUTH PLAIN LOGIN"
CASES = {
    "taken": Case({}, A, "content", 250, "2.0.0"),
    "taken-though-quit-is-cut": Case({"quit": CUT}, A, "content", 250, "2.0.0"),
    "taken-though-quit-is-refused": Case({"quit": "500 what"}, A, "content", 250, "2.0.0"),
    "forwarded": Case({"rcpt": "251 elsewhere"}, A, "content", 250, "2.0.0"),
    "greeting-554": Case({"greeting": "554 no service"}, R, "connect", 554, configuration=True),
    "greeting-421": Case({"greeting": "421 busy"}, D, "connect", 421),
    "greeting-cut": Case({"greeting": CUT}, D, "connect"),
    "greeting-silent": Case({"greeting": SILENT}, D, "connect", server=SHORT),
    "greeting-is-no-smtp": Case({"greeting": "HTTP/1.1 400 Bad Request"}, D, "connect"),
    "ehlo-refused": Case({"ehlo": "550 not you"}, R, "connect", 550, configuration=True),
    "ehlo-cut": Case({"ehlo": CUT}, D, "connect"),
    "auth-refused": Case(
        {"ehlo": AUTH, "auth": "535 5.7.8 bad credentials"}, R, "auth", 535, "5.7.8", True, LOGIN
    ),
    "auth-too-weak": Case({"ehlo": AUTH, "auth": "534 5.7.9 too weak"}, R, "auth", 534, "5.7.9", True, LOGIN),
    "auth-later": Case({"ehlo": AUTH, "auth": "454 4.7.0 later"}, D, "auth", 454, "4.7.0", server=LOGIN),
    "auth-cut": Case({"ehlo": AUTH, "auth": CUT}, D, "auth", server=LOGIN),
    "auth-not-offered": Case({}, R, "auth", configuration=True, server=LOGIN),
    "mail-451": Case({"mail": "451 4.3.0 later"}, D, "mail", 451, "4.3.0"),
    "mail-452": Case({"mail": "452 disk full"}, D, "mail", 452),
    "mail-530": Case({"mail": "530 5.7.0 authenticate first"}, R, "mail", 530, "5.7.0", True),
    "mail-550": Case({"mail": "550 5.7.1 sender not yours"}, R, "mail", 550, "5.7.1", True),
    "mail-552": Case({"mail": "552 5.3.4 too big"}, R, "mail", 552, "5.3.4"),
    "mail-cut": Case({"mail": CUT}, D, "mail"),
    "mail-silent": Case({"mail": SILENT}, D, "mail", server=SHORT),
    "rcpt-450-greylisted": Case({"rcpt": "450 4.2.0 greylisted"}, D, "rcpt", 450, "4.2.0"),
    "rcpt-421": Case({"rcpt": "421 4.3.2 going down"}, D, "rcpt", 421, "4.3.2"),
    "rcpt-550-unknown": Case({"rcpt": "550 5.1.1 unknown user"}, R, "rcpt", 550, "5.1.1"),
    "rcpt-551": Case({"rcpt": "551 moved"}, R, "rcpt", 551),
    "rcpt-553": Case({"rcpt": "553 5.1.3 bad"}, R, "rcpt", 553, "5.1.3"),
    "rcpt-556-null-mx": Case({"rcpt": "556 5.1.10 null mx"}, R, "rcpt", 556, "5.1.10"),
    "rcpt-552-full": Case({"rcpt": "552 5.2.2 full"}, R, "rcpt", 552, "5.2.2"),
    "rcpt-cut": Case({"rcpt": CUT}, D, "rcpt"),
    "rcpt-unheard-of-4yz": Case({"rcpt": "471 hm"}, D, "rcpt", 471),
    "rcpt-unheard-of-5yz": Case({"rcpt": "571 hm"}, R, "rcpt", 571),
    "rcpt-out-of-place": Case({"rcpt": "354 what"}, D, "rcpt", 354),
    "enhanced-of-another-class-is-not-believed": Case({"rcpt": "450 5.1.1 both"}, D, "rcpt", 450),
    "data-451": Case({"data": "451 4.3.0 later"}, D, "data", 451, "4.3.0"),
    "data-554": Case({"data": "554 5.5.1 no recipients"}, R, "data", 554, "5.5.1"),
    "data-cut": Case({"data": CUT}, D, "data"),
    "data-silent": Case({"data": SILENT}, D, "data", server=SHORT),
    "content-550-policy": Case({"dot": "550 5.7.26 spf"}, R, "content", 550, "5.7.26"),
    "content-554": Case({"dot": "554 spam"}, R, "content", 554),
    "content-452": Case({"dot": "452 4.3.1 full"}, D, "content", 452, "4.3.1"),
    "content-421": Case({"dot": "421 4.3.2 going down"}, D, "content", 421, "4.3.2"),
    "content-multiline": Case({"dot": "550-5.7.1 first\r\n550 5.7.1 second"}, R, "content", 550, "5.7.1"),
    "dot-cut": Case({"dot": CUT}, U, "content"),
    "dot-silent": Case({"dot": SILENT}, U, "content", server=SHORT),
    "dot-is-no-smtp": Case({"dot": "hello?"}, U, "content"),
    "dot-endless-line": Case({"dot": "250 " + "x" * 40_000}, U, "content"),
    "dot-out-of-place": Case({"dot": "354 again"}, U, "content", 354),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_reply_says_whether_the_mail_may_be_sent_again(case: Case, hand_over: HandOver) -> None:
    """Before the final dot trouble is `deferred` or `refused`; after it, silence is `unknown`."""
    with Scripted(**case.script) as server:
        reply = hand_over(envelope(server.port, also=case.server))

    assert (reply.outcome, reply.phase, reply.code, reply.enhanced, reply.configuration) == (
        case.outcome,
        case.phase,
        case.code,
        case.enhanced,
        case.configuration,
    )
    assert reply.detail


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_both_doors_reply_the_same(case: Case) -> None:
    """Sync and async are one door: the whole reply is equal, its sentence included."""
    with Scripted(**case.script) as server:
        replies = [door(envelope(server.port, also=case.server)) for door in (send_mail, awaited)]

    assert replies[0] == replies[1]


def test_both_doors_say_the_same_words(hand_over: HandOver) -> None:
    """One EHLO, MAIL with its size, one RCPT, DATA and QUIT; nothing is said twice."""
    with Scripted() as server:
        _ = hand_over(envelope(server.port, local_name="shop.example"))

    assert server.heard == [
        "EHLO shop.example",
        f"MAIL FROM:<pay@atelier.example> SIZE={len(CONTENT)}",
        "RCPT TO:<zoe.martin@example.com>",
        "DATA",
        "QUIT",
    ]


def test_refused_password_is_tried_once(hand_over: HandOver) -> None:
    """A second and third mechanism after a refusal would lock the account."""
    with Scripted(ehlo=AUTH, auth="535 5.7.8 no") as server:
        _ = hand_over(envelope(server.port, also=LOGIN))

    assert [line.split()[0] for line in server.heard] == ["EHLO", "AUTH", "QUIT"]


def test_connection_lost_amid_a_long_content_is_no_unknown(hand_over: HandOver) -> None:
    """As long as the final dot has not left this process, the mail was surely not taken."""
    with Scripted(body=CUT) as server:
        reply = hand_over(envelope(server.port, content=b"x: y\r\n\r\n" + b"a line\r\n" * 2_000_000))

    assert (reply.outcome, reply.phase) == (Outcome.DEFERRED, "content")


def test_nobody_listening_is_deferred(hand_over: HandOver) -> None:
    """A refused connection sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reply = hand_over(envelope(port))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.DEFERRED, "connect", False)


def test_unknown_host_is_deferred_and_named_as_such(hand_over: HandOver) -> None:
    """A name that does not resolve sends nothing; the sentence says what is wrong."""
    reply = hand_over(envelope(2525, host="mail.paybylink.invalid", security="starttls"))

    assert (reply.outcome, reply.phase) == (Outcome.DEFERRED, "connect")
    assert "name is not known" in reply.detail


@pytest.mark.parametrize(
    "said", ["<zoe.martin@example.com>", "zoe.martin@example.com:", "mailbox zoe.martin"]
)
def test_detail_repeats_no_address(said: str, hand_over: HandOver) -> None:
    """Servers like to repeat the address; the detail, which is kept and logged, does not."""
    with Scripted(rcpt=f"550 5.1.1 {said} unknown\x07 here") as server:
        reply = hand_over(envelope(server.port))

    assert "zoe" not in reply.detail
    assert "@" not in reply.detail
    assert reply.detail.isprintable()
    assert "unknown" in reply.detail


def test_detail_and_log_repeat_no_password(hand_over: HandOver, caplog: pytest.LogCaptureFixture) -> None:
    """A server that echoes the credentials does not bring them into the reply or the log."""
    caplog.set_level(logging.DEBUG, logger="paybylink")
    echo = "535 5.7.8 no AG1lcmNoYW50AGh1bnRlcjIy for merchant hunter22"
    with Scripted(ehlo=AUTH, auth=echo) as server:
        reply = hand_over(envelope(server.port, also=LOGIN))

    told = reply.detail + caplog.text + repr(reply)
    assert "paybylink.mail" in caplog.text
    assert not [word for word in ("hunter22", "merchant", "AG1lcm", "zoe", "@") if word in told]


@pytest.mark.parametrize(
    ("change", "phase", "configuration"),
    [
        pytest.param(
            {"recipient": "a@b.example\r\nRCPT TO:<c@d.example>"}, "rcpt", False, id="recipient-crlf"
        ),
        pytest.param({"recipient": "a@b.example\x00"}, "rcpt", False, id="recipient-nul"),
        pytest.param({"recipient": "a@b.example> BODY=x"}, "rcpt", False, id="recipient-bracket"),
        pytest.param({"recipient": "zoé@b.example"}, "rcpt", False, id="recipient-not-ascii"),
        pytest.param({"recipient": ""}, "rcpt", False, id="recipient-empty"),
        pytest.param({"sender": "a@b.example\nDATA"}, "mail", True, id="sender-lf"),
    ],
)
def test_unfit_address_never_reaches_the_network(
    change: dict[str, Any], phase: str, configuration: bool, hand_over: HandOver
) -> None:
    """Addresses are checked here once more, before a connection is made."""
    with Scripted() as server:
        reply = hand_over(evolve(envelope(server.port), **change))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.REFUSED, phase, configuration)
    assert server.heard == []
    assert "b.example" not in reply.detail


def test_clear_text_goes_to_this_machine_only(hand_over: HandOver) -> None:
    """security="none" to another host is refused without a connection."""
    reply = hand_over(envelope(25, host="192.0.2.1"))

    assert (reply.outcome, reply.configuration, reply.code) == (Outcome.REFUSED, True, None)
    assert "starttls" in reply.detail


def test_server_without_smtputf8_gets_no_such_mail(hand_over: HandOver) -> None:
    """A lack of SMTPUTF8 is permanent; the remedy is named and MAIL is never said."""
    with Scripted() as server:
        reply = hand_over(evolve(envelope(server.port), recipient="zoé@example.com", needs_utf8=True))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.REFUSED, "mail", True)
    assert "SMTPUTF8" in reply.detail
    assert [line.split()[0] for line in server.heard] == ["EHLO", "QUIT"]


def test_mail_larger_than_the_server_takes_is_not_begun(hand_over: HandOver) -> None:
    """The announced SIZE spares the transfer."""
    with Scripted(ehlo="250-here\r\n250 SIZE 10") as server:
        reply = hand_over(envelope(server.port))

    assert (reply.outcome, reply.phase) == (Outcome.REFUSED, "mail")
    assert "attach less" in reply.detail
    assert not [line for line in server.heard if line.startswith("MAIL")]


def test_server_without_starttls_gets_neither_password_nor_mail(hand_over: HandOver) -> None:
    """There is no falling back to clear text."""
    with Scripted(ehlo=AUTH) as server:
        reply = hand_over(envelope(server.port, security="starttls", also=LOGIN))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.DEFERRED, "tls", True)
    assert [line.split()[0] for line in server.heard] == ["EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [("454 4.7.0 later", D, 454), ("220 go on", D, None), (CUT, D, None)],
    ids=["not-now", "then-no-tls", "cut"],
)
def test_failed_tls_is_deferred(answer: str, outcome: Outcome, code: int | None, hand_over: HandOver) -> None:
    """Trouble while TLS is agreed on sends nothing."""
    with Scripted(ehlo="250-here\r\n250 STARTTLS", starttls=answer) as server:
        reply = hand_over(envelope(server.port, security="starttls", timeout_seconds=1.0))

    assert (reply.outcome, reply.phase, reply.code) == (outcome, "tls", code)
    assert not [line for line in server.heard if line.startswith("MAIL")]


class Mailroom:
    """An aiosmtpd handler that keeps what it was given."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: SMTP, _: Talk, envelope: Taken) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(envelope)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 2.0.0 kept"


def knows_merchant(_: SMTP, __: Talk, ___: Taken, ____: str, credentials: LoginPassword) -> AuthResult:
    """Whether the password is the right one."""
    return AuthResult(success=credentials.password == "pässwörd".encode(), handled=False)


class Server(Controller):
    """A whole server on a free port of this machine, with TLS and AUTH as asked for."""

    def __init__(
        self, handler: Mailroom, certificate: Path | None, *, implicit: bool = False, **options: object
    ) -> None:
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._options = options
        super().__init__(
            handler, hostname="127.0.0.1", port=0, ssl_context=self._context if implicit else None
        )

    def factory(self) -> SMTP:
        starttls = self._context if self.ssl_context is None else None
        return SMTP(self.handler, hostname="here", tls_context=starttls, **self._options)  # type: ignore[arg-type]

    def _trigger_server(self) -> None:
        """aiosmtpd connects to the port that it was given, which is 0 for a free one; use the real one."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, made for this run."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def mailroom() -> Mailroom:
    """What a server has taken."""
    return Mailroom()


def started(server: Server) -> Iterator[Server]:
    """The server, until the test ends."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def plain(mailroom: Mailroom) -> Iterator[Server]:
    """A server in clear text that offers SMTPUTF8."""
    yield from started(Server(mailroom, None, enable_SMTPUTF8=True))


@pytest.fixture
def starttls(mailroom: Mailroom, certificate: Path) -> Iterator[Server]:
    """A server that wants STARTTLS and AUTH."""
    yield from started(
        Server(
            mailroom,
            certificate,
            require_starttls=True,
            auth_required=True,
            authenticator=knows_merchant,
        )
    )


@pytest.fixture
def implicit(mailroom: Mailroom, certificate: Path) -> Iterator[Server]:
    """A server with TLS from the first byte."""
    yield from started(Server(mailroom, certificate, implicit=True))


def test_real_server_gets_the_same_bytes(plain: Server, mailroom: Mailroom, hand_over: HandOver) -> None:
    """Dots at the start of a line are doubled for the journey and single again on arrival."""
    reply = hand_over(envelope(plain.port))

    assert reply.outcome is Outcome.ACCEPTED
    (mail,) = mailroom.taken
    assert mail.content == CONTENT
    assert (mail.mail_from, mail.rcpt_tos) == ("pay@atelier.example", ["zoe.martin@example.com"])


def test_bare_line_feeds_become_crlf(plain: Server, mailroom: Mailroom, hand_over: HandOver) -> None:
    """Hardened servers refuse bare line feeds; a line of a single dot does not end the mail."""
    reply = hand_over(envelope(plain.port, content=b"a: b\n\none\r.\ntwo"))

    assert reply.outcome is Outcome.ACCEPTED
    assert mailroom.taken[0].content == b"a: b\r\n\r\none\r\n.\r\ntwo\r\n"


def test_mail_in_utf8_goes_to_a_server_that_offers_it(
    plain: Server, mailroom: Mailroom, hand_over: HandOver
) -> None:
    """SMTPUTF8 and 8BITMIME are asked for, and the address arrives as it is."""
    content = "To: zoé@example.com\r\n\r\nhello\r\n".encode()
    reply = hand_over(
        evolve(envelope(plain.port, content=content), recipient="zoé@example.com", needs_utf8=True)
    )

    assert reply.outcome is Outcome.ACCEPTED
    assert mailroom.taken[0].rcpt_tos == ["zoé@example.com"]
    assert mailroom.taken[0].smtp_utf8


def test_starttls_and_password(
    starttls: Server, mailroom: Mailroom, certificate: Path, hand_over: HandOver
) -> None:
    """STARTTLS, then AUTH with a password beyond ASCII, then the mail."""
    reply = hand_over(
        envelope(
            starttls.port,
            host="localhost",
            security="starttls",
            username="merchant",
            password="pässwörd",
            ca_file=str(certificate),
        )
    )

    assert reply.outcome is Outcome.ACCEPTED, reply
    assert mailroom.encrypted == [True]


def test_wrong_password_is_about_us(
    starttls: Server, mailroom: Mailroom, certificate: Path, hand_over: HandOver
) -> None:
    """A refused password is permanent and is not the recipient's fault."""
    reply = hand_over(
        envelope(
            starttls.port,
            host="localhost",
            security="starttls",
            username="merchant",
            password="wrong",
            ca_file=str(certificate),
        )
    )

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.REFUSED, "auth", True)
    assert mailroom.taken == []


def test_implicit_tls(implicit: Server, mailroom: Mailroom, certificate: Path, hand_over: HandOver) -> None:
    """TLS from the first byte."""
    reply = hand_over(envelope(implicit.port, host="localhost", security="tls", ca_file=str(certificate)))

    assert reply.outcome is Outcome.ACCEPTED, reply
    assert mailroom.encrypted == [True]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_of_a_stranger_is_not_trusted(
    security: str, request: pytest.FixtureRequest, mailroom: Mailroom, hand_over: HandOver
) -> None:
    """Without ca_file a self-made certificate is refused; nothing is sent and the setting is named."""
    server: Server = request.getfixturevalue("implicit" if security == "tls" else "starttls")
    reply = hand_over(envelope(server.port, host="localhost", security=security))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.DEFERRED, "tls", True)
    assert "certificate" in reply.detail
    assert mailroom.taken == []


def test_certificate_of_another_host_is_not_trusted(
    implicit: Server, mailroom: Mailroom, certificate: Path, hand_over: HandOver
) -> None:
    """The name in the certificate is compared with the host's."""
    reply = hand_over(envelope(implicit.port, security="tls", ca_file=str(certificate)))

    assert (reply.outcome, reply.configuration) == (Outcome.DEFERRED, True)
    assert mailroom.taken == []


def test_missing_certificates_file_is_about_us(tmp_path: Path, hand_over: HandOver) -> None:
    """A ca_file that cannot be read is a setting to correct, not an exception."""
    reply = hand_over(envelope(465, security="tls", ca_file=str(tmp_path / "none.pem")))

    assert (reply.outcome, reply.phase, reply.configuration) == (Outcome.REFUSED, "tls", True)
    assert "ca_file" in reply.detail


@pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "rcpt", "data", "dot", "quit"])
@pytest.mark.anyio
async def test_cancelled_send_leaves_no_socket_open(step: str) -> None:
    """Cancelling at any step closes the connection; an open socket would warn, and warnings are errors."""
    with Scripted(**{step: SILENT}) as server:
        task = asyncio.create_task(asend_mail(envelope(server.port)))
        assert await asyncio.to_thread(server.fell_silent.wait, 10)
        while not task.done():
            # Before Python 3.12, wait_for swallows a cancellation in the very turn in which the connection is made.
            _ = task.cancel()
            _ = await asyncio.wait({task}, timeout=1)
        assert task.cancelled()
    _ = gc.collect()


@pytest.mark.anyio
async def test_cancelled_tls_send_leaves_no_socket_open(implicit: Server, certificate: Path) -> None:
    """A TLS connection is dropped at once, without waiting for the server's goodbye."""
    reached = threading.Event()

    async def stuck(*_: object) -> str:
        reached.set()
        await asyncio.sleep(3600)
        return "250 never"

    implicit.handler.handle_DATA = stuck
    mail = envelope(implicit.port, host="localhost", security="tls", ca_file=str(certificate))
    task = asyncio.create_task(asend_mail(mail))
    assert await asyncio.to_thread(reached.wait, 10)
    _ = task.cancel()
    with pytest.raises(asyncio.CancelledError):
        _ = await task
    _ = gc.collect()


@pytest.mark.anyio
async def test_missing_aiosmtplib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install."""
    from paybylink.drivers import mail

    mail._client.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "aiosmtplib", None)
    with pytest.raises(MissingExtra, match=r"paybylink\[messages\]"):
        _ = await asend_mail(envelope(2525))


@pytest.fixture
def anyio_backend() -> str:
    """Cancellation is asked of asyncio, which is what the door runs on."""
    return "asyncio"
