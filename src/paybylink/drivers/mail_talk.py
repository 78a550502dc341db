"""
The talk with a mail server: what is said in which order, and what each reply means.

The talk is a generator. It yields *moves* (connect, EHLO, STARTTLS, a line, the content, the final dot), is sent an
`Answer` or `Lost`, and returns the `MailReply`. `mail.py` performs the moves twice, with smtplib and with
aiosmtplib, so both say the same words and draw the same conclusions.

Rule 1: before the final dot nothing was taken, so a lost connection or a missing reply is `deferred`. After it a
        missing or unreadable reply is `unknown`, and nobody may send the mail again without looking.
Rule 2: a reply counts by its first digit (RFC 5321 §4.2.1): 4 is `deferred`, 5 is `refused`.
Rule 3: a refusal before RCPT, and 530, 534, 535, 538 anywhere, is about our set-up and not about the recipient.
Rule 4: no clear text but to this machine, and one attempt at AUTH: accounts get locked by a second and a third.
Rule 5: servers like to repeat addresses; `detail` holds none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Generator, Mapping
from ipaddress import ip_address
from typing import TypeAlias

from attrs import field, frozen

from paybylink.flow import Envelope, MailReply, MailServer
from paybylink.messages import Outcome


@frozen
class Connect:
    """Open the connection, with TLS from the first byte where the server is set so, and read the greeting."""


@frozen
class Hello:
    """Say EHLO."""


@frozen
class Secure:
    """Say STARTTLS and agree on TLS."""


@frozen
class Say:
    """Say one line, without its CRLF."""

    line: bytes = field(repr=False)


@frozen
class Content:
    """Write the content, without its final dot; nothing is answered."""

    stuffed: bytes = field(repr=False)


@frozen
class Dot:
    """Write the final dot and read the reply, with the long timeout."""


Move: TypeAlias = Connect | Hello | Secure | Say | Content | Dot


@frozen
class Answer:
    """A reply: its code, and its text with lines joined by a line feed."""

    code: int
    text: str = ""


@frozen
class Lost:
    """
    No usable reply.

    Attributes:
        why: `name` (no such host), `certificate`, `tls`, `timeout`, `cut` or `unreadable`.
    """

    why: str


Talk: TypeAlias = Generator[Move, Answer | Lost, MailReply]

#: Replies that speak of our account or of missing TLS (RFC 4954 §6, RFC 3207 §4).
_ABOUT_US = frozenset({530, 534, 535, 538})
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?![.\d])")
_ADDRESS = re.compile(r"<[^<>]*>|\S*@\S*")
_CREDENTIAL = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_DETAIL_LIMIT = 300

_LOST = {
    "name": "the mail server's name is not known",
    "certificate": "the mail server's certificate cannot be trusted; correct the host name or set ca_file",
    "tls": "TLS with the mail server failed",
    "timeout": "the mail server did not answer in time",
    "cut": "the connection to the mail server was refused or lost",
    "unreadable": "the mail server answered something that is no SMTP",
}


def is_this_machine(host: str) -> bool:
    """Whether `host` names this machine by a loopback address or as ``localhost``."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def talk(envelope: Envelope) -> Talk:
    """The talk that hands `envelope` over and returns what became of it."""
    server = envelope.server
    if (fault := _unfit(envelope)) is not None:
        return fault
    answer = yield Connect()
    if (end := _ended(envelope, "connect", answer, 220)) is not None:
        return end
    answer = yield Hello()
    if (end := _ended(envelope, "connect", answer, 250)) is not None:
        return end
    if server.security == "starttls":
        if "starttls" not in _features(answer):
            return _ours(
                "tls", "the mail server offers no STARTTLS; use its TLS port, usually 465", Outcome.DEFERRED
            )
        answer = yield Secure()
        if (end := _ended(envelope, "tls", answer, 220)) is not None:
            return end
        answer = yield Hello()
        if (end := _ended(envelope, "tls", answer, 250)) is not None:
            return end
    features = _features(answer)
    if server.username is not None and (end := (yield from _authenticate(envelope, features))) is not None:
        return end
    if (fault := _beyond(envelope, features)) is not None:
        return fault
    answer = yield Say(_mail_line(envelope, features))
    if (end := _ended(envelope, "mail", answer, 250)) is not None:
        return end
    answer = yield Say(b"RCPT TO:<" + envelope.recipient.encode() + b">")
    if (end := _ended(envelope, "rcpt", answer, 250, 251, 252)) is not None:
        return end
    answer = yield Say(b"DATA")
    if (end := _ended(envelope, "data", answer, 354)) is not None:
        return end
    answer = yield Content(_stuffed(envelope.content))
    if isinstance(answer, Lost):
        return _lost("content", answer, Outcome.DEFERRED)
    answer = yield Dot()
    if isinstance(answer, Lost):
        return _lost("content", answer, Outcome.UNKNOWN)
    if (end := _ended(envelope, "content", answer, 250)) is not None:
        return end
    return MailReply(
        outcome=Outcome.ACCEPTED,
        phase="content",
        code=answer.code,
        enhanced=_enhanced(answer),
        detail=_told("the mail server took the mail", answer, envelope),
    )


def _authenticate(
    envelope: Envelope, features: Mapping[str, str]
) -> Generator[Move, Answer | Lost, MailReply | None]:
    """AUTH, once; None when it is done."""
    username, password = (envelope.server.username or "").encode(), (envelope.server.password or "").encode()
    offered = features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        answer = yield Say(b"AUTH PLAIN " + base64.b64encode(b"\0" + username + b"\0" + password))
    elif "LOGIN" in offered:
        for line in (b"AUTH LOGIN", base64.b64encode(username)):
            answer = yield Say(line)
            if (end := _ended(envelope, "auth", answer, 334)) is not None:
                return end
        answer = yield Say(base64.b64encode(password))
    else:
        return _ours(
            "auth",
            "the mail server offers neither AUTH PLAIN nor LOGIN; remove the user name or ask its admin",
        )
    return _ended(envelope, "auth", answer, 235)


def _features(answer: Answer | Lost) -> dict[str, str]:
    """What an EHLO reply announces, by keyword in small letters."""
    assert isinstance(answer, Answer)  # a lost one has ended the talk
    found: dict[str, str] = {}
    for line in answer.text.splitlines()[1:]:
        # Some servers still write "AUTH=LOGIN PLAIN", the form before RFC 2554.
        keyword, _, values = line.strip().replace("=", " ", 1).partition(" ")
        found[keyword.lower()] = f"{found.get(keyword.lower(), '')} {values}".strip()
    return found


def _unfit(envelope: Envelope) -> MailReply | None:
    """The refusal of an envelope that may not even be tried; None for a good one."""
    server = envelope.server
    if server.security not in ("tls", "starttls", "none"):
        return _ours("connect", 'the security of the mail server is none of "tls", "starttls", "none"')
    if server.security == "none" and not is_this_machine(server.host):
        return _ours(
            "connect", 'no mail in clear text but to this machine; set security to "tls" or "starttls"'
        )
    for phase, who, address in (
        ("mail", "sender", envelope.sender),
        ("rcpt", "recipient", envelope.recipient),
    ):
        if _UNFIT.search(address) or "@" not in address:
            fault = f"the {who}'s address is empty or holds spaces, brackets or control characters"
        elif not (address.isascii() or envelope.needs_utf8):
            fault = f"the {who}'s address is not ASCII and the mail was not written for SMTPUTF8"
        else:
            continue
        return MailReply(outcome=Outcome.REFUSED, phase=phase, detail=fault, configuration=phase == "mail")
    return None


def _beyond(envelope: Envelope, features: Mapping[str, str]) -> MailReply | None:
    """The refusal of a mail that this server cannot take; None when it can."""
    if envelope.needs_utf8 and "smtputf8" not in features:
        return _ours(
            "mail",
            "the address has letters beyond ASCII before the @ and the mail server does not offer SMTPUTF8; "
            "use another address, or a mail server that offers it",
        )
    if not envelope.content.isascii() and "8bitmime" not in features:
        return _ours("mail", "the mail is not 7-bit and the mail server does not offer 8BITMIME")
    limit = features.get("size", "")
    if limit.isascii() and limit.isdigit() and 0 < int(limit) < len(envelope.content):
        fault = f"the mail has {len(envelope.content)} bytes and the mail server takes {limit}; attach less"
        return MailReply(outcome=Outcome.REFUSED, phase="mail", detail=fault)
    return None


def _mail_line(envelope: Envelope, features: Mapping[str, str]) -> bytes:
    line = f"MAIL FROM:<{envelope.sender}>"
    if "size" in features:
        line += f" SIZE={len(envelope.content)}"
    if not envelope.content.isascii():
        line += " BODY=8BITMIME"
    if envelope.needs_utf8:
        line += " SMTPUTF8"
    return line.encode()


def _stuffed(content: bytes) -> bytes:
    """`content` with CRLF line ends and doubled leading dots (RFC 5321 §4.5.2), ending with CRLF."""
    lines = _LEADING_DOT.sub(b"..", _LINE_END.sub(b"\r\n", content))
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _ended(envelope: Envelope, phase: str, answer: Answer | Lost, *expected: int) -> MailReply | None:
    """What became of the mail if the talk ends with `answer`; None when it goes on."""
    if isinstance(answer, Lost):
        return _lost(phase, answer, Outcome.DEFERRED)
    if answer.code in expected:
        return None
    outcome = Outcome.DEFERRED
    if 500 <= answer.code <= 599:
        outcome = Outcome.REFUSED
    elif phase == "content" and not 400 <= answer.code <= 499:
        outcome = Outcome.UNKNOWN
    early = phase not in ("rcpt", "data", "content") and answer.code != 552
    configuration = answer.code in _ABOUT_US or (outcome is Outcome.REFUSED and early)
    return MailReply(
        outcome=outcome,
        phase=phase,
        code=answer.code,
        enhanced=_enhanced(answer),
        detail=_told(_meaning(phase, answer, outcome), answer, envelope),
        configuration=configuration,
    )


def _meaning(phase: str, answer: Answer, outcome: Outcome) -> str:
    if outcome is Outcome.DEFERRED:
        return "the mail server does not take the mail now"
    if outcome is Outcome.UNKNOWN:
        return "the mail server's last reply has no meaning, so the mail may have been taken"
    if phase == "auth":
        return "the mail server refused the user name or password; correct them before another attempt"
    if answer.code in _ABOUT_US:
        return "the mail server wants to know who we are; check user name, password and TLS"
    if answer.code == 552 or _enhanced(answer) == "5.2.2":
        return "the mailbox is full or the mail too large"
    if _enhanced(answer).startswith("5.7."):
        return "refused by policy; check SPF, DKIM and DMARC of the sender's domain with its admin"
    return {
        "connect": "the mail server refused us",
        "tls": "the mail server refused TLS",
        "mail": "the mail server refused the sender",
        "rcpt": "the recipient was refused",
    }.get(phase, "the mail was refused")


def _lost(phase: str, lost: Lost, outcome: Outcome) -> MailReply:
    if outcome is Outcome.UNKNOWN:
        told = f"{_LOST[lost.why]} after the whole mail was written, so it may have been taken"
    else:
        told = f"{_LOST[lost.why]}; the mail was not taken"
    where = "tls" if phase == "connect" and lost.why in ("tls", "certificate") else phase
    return MailReply(outcome=outcome, phase=where, detail=told, configuration=lost.why == "certificate")


def _ours(phase: str, told: str, outcome: Outcome = Outcome.REFUSED) -> MailReply:
    """A reply about our set-up."""
    return MailReply(outcome=outcome, phase=phase, detail=told, configuration=True)


def _enhanced(answer: Answer) -> str:
    """The enhanced status of a reply (RFC 3463), if it has one of its own class."""
    found = _ENHANCED.match(answer.text.strip())
    return found.group() if found and found.group(1) == str(answer.code)[:1] else ""


def _told(meaning: str, answer: Answer, envelope: Envelope) -> str:
    """`meaning` and what the server said, without control characters, addresses or credentials."""
    said = _CONTROL.sub(" ", answer.text.encode("utf-8", "replace").decode())
    said = _ADDRESS.sub("…", said)
    personal = [envelope.sender.rpartition("@")[0], envelope.recipient.rpartition("@")[0]]
    personal += [envelope.server.username or "", envelope.server.password or ""]
    for word in sorted({word for word in personal if len(word) > 2}, key=len, reverse=True):
        said = re.sub(re.escape(word), "…", said, flags=re.IGNORECASE)
    if not 200 <= answer.code <= 299:
        said = _CREDENTIAL.sub("…", said)
    told = f"{meaning} ({answer.code} {' '.join(said.split())}".rstrip()
    return f"{told[:_DETAIL_LIMIT]})"


def unusable(server: MailServer) -> MailReply:
    """The reply when `server`'s own certificates cannot be read."""
    return _ours(
        "tls", f"the file {server.ca_file!r} of trusted certificates cannot be read; correct ca_file"
    )
