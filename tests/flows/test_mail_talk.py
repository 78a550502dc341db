"""
The talk with a mail server, driven by hand: what is said after each answer, without a server.
"""

from __future__ import annotations

import asyncio
import base64

import pytest

from paybylink.drivers.mail import _AsyncLine, _Line
from paybylink.drivers.mail_talk import Answer, Connect, Content, Dot, Hello, Lost, Say, Secure, talk
from paybylink.flow import Envelope, MailReply, MailServer
from paybylink.messages import Outcome

HERE = MailServer(host="localhost", port=25, security="none")


def mail(server: MailServer, content: bytes = b"Subject: x\r\n\r\n") -> Envelope:
    """A mail for that server."""
    return Envelope(
        who="email", server=server, sender="a@shop.example", recipient="b@home.example", content=content
    )


def told(envelope: Envelope, *answers: Answer | Lost) -> tuple[list[object], MailReply | None]:
    """What is said, in order, and the reply if the answers led to one."""
    conversation = talk(envelope)
    said: list[object] = []
    try:
        said.append(next(conversation))
        for answer in answers:
            said.append(conversation.send(answer))
    except StopIteration as stop:
        return said, stop.value
    return said, None


def test_this_machine_may_be_called_by_its_name() -> None:
    """``localhost`` is as good as 127.0.0.1 for a talk without TLS."""
    assert told(mail(HERE))[0] == [Connect()]


def test_an_unknown_way_of_security_is_refused_before_connecting() -> None:
    """There is no falling back from a word that means nothing."""
    said, reply = told(mail(MailServer(host="mail.example", port=25, security="ssl")))

    assert said == []
    assert reply is not None
    assert (reply.outcome, reply.configuration) == (Outcome.REFUSED, True)


def test_a_server_that_falls_silent_after_tls_is_deferred() -> None:
    """Nothing was handed over yet."""
    server = MailServer(host="mail.example", port=587)
    said, reply = told(
        mail(server), Answer(220), Answer(250, "mail.example\nSTARTTLS"), Answer(220), Lost("cut")
    )

    assert said == [Connect(), Hello(), Secure(), Hello()]
    assert reply is not None
    assert (reply.outcome, reply.phase) == (Outcome.DEFERRED, "tls")


def test_auth_login_stops_at_the_first_refusal() -> None:
    """The password is not said to a server that did not ask for it."""
    server = MailServer(host="localhost", port=25, security="none", username="zoe", password="marked")
    said, reply = told(mail(server), Answer(220), Answer(250, "here\nAUTH LOGIN"), Answer(504, "no"))

    assert said[-1] == Say(b"AUTH LOGIN")
    assert base64.b64encode(b"marked") not in b"".join(each.line for each in said if isinstance(each, Say))
    assert reply is not None
    assert reply.phase == "auth"


def test_auth_login_says_name_and_password_when_asked() -> None:
    """Each on a line of its own, in base64."""
    server = MailServer(host="localhost", port=25, security="none", username="zoe", password="marked")
    said, reply = told(
        mail(server), Answer(220), Answer(250, "here\nAUTH=LOGIN"), Answer(334), Answer(334), Answer(235)
    )

    assert said[2:5] == [
        Say(b"AUTH LOGIN"),
        Say(base64.b64encode(b"zoe")),
        Say(base64.b64encode(b"marked")),
    ]
    assert reply is None


def test_a_mail_in_8_bits_is_announced() -> None:
    """To a server that takes it, with its size, if the server speaks of sizes."""
    content = "Subject: é\r\n\r\n".encode()
    said, _ = told(mail(HERE, content), Answer(220), Answer(250, "here\n8BITMIME\nSIZE 1000"))

    assert said[-1] == Say(b"MAIL FROM:<a@shop.example> SIZE=%d BODY=8BITMIME" % len(content))


def test_a_mail_beyond_ascii_needs_8bitmime() -> None:
    """Its bytes would be cut to seven bits on the way."""
    said, reply = told(mail(HERE, "Subject: é\r\n\r\n".encode()), Answer(220), Answer(250, "here"))

    assert said == [Connect(), Hello()]
    assert reply is not None
    assert "8BITMIME" in reply.detail


@pytest.mark.parametrize("move", [Say(b"NOOP"), Content(b"x"), Dot()], ids=["say", "content", "dot"])
def test_a_line_that_is_gone_says_so(move: Say | Content | Dot) -> None:
    """Both libraries: a move on a closed connection is lost, and never an exception."""

    async def awaited() -> Answer | Lost:
        return await _AsyncLine(HERE, None).perform(move)

    assert _Line(HERE, None).perform(move) == Lost("cut")
    assert asyncio.run(awaited()) == Lost("cut")
