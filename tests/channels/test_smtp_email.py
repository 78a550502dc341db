"""The SMTP channel: what a mail consists of, which recipients it takes, and what it hands to the door."""

from __future__ import annotations

import email.utils
import html
import re
from email import policy
from email.headerregistry import Address

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from paybylink.channels.base import Channel
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.errors import InvalidInput, SettingsError
from paybylink.flow import Envelope, MailReply
from paybylink.links import Mode
from paybylink.messages import Delivery, Medium, Outcome, Purpose
from paybylink.orders import Customer, Document

from .mail_given import NOW, SENDER, URL, ZOE, body, channel, link, occasion, order, read_back

PDF = b"%PDF-1.7\n" + b"x" * 100


def test_smtp_email_is_a_channel() -> None:
    """It keeps the interface that journeys know."""
    smtp: Channel = channel(name="post")

    assert (smtp.name, smtp.medium) == ("post", Medium.EMAIL)
    assert smtp.address_of(ZOE) == "zoe@example.com"
    assert smtp.address_of(Customer(name="Nobody")) is None


def test_same_occasion_gives_the_same_bytes() -> None:
    """Composing is pure, so a crash between composing and sending changes nothing."""
    documents = (Document(name="Facture 42.pdf", content=PDF),)

    assert channel().compose(occasion(attach=documents)) == channel().compose(occasion(attach=documents))


def test_mail_has_the_structure_that_mail_programs_expect() -> None:
    """Text first, then HTML with its QR code, then the documents."""
    message = channel().compose(occasion(attach=(Document(name="Facture n° 42 été.pdf", content=PDF),)))
    parts = list(read_back(message.content).walk())

    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    assert (parts[5].get_content_disposition(), parts[6].get_content_disposition()) == (
        "inline",
        "attachment",
    )
    assert parts[6].get_filename() == "Facture n° 42 été.pdf"
    assert parts[6].get_content() == PDF
    assert parts[5].get_content().startswith(b"\x89PNG")
    assert f'src="cid:{parts[5]["Content-ID"].strip("<>")}"' in parts[4].get_content()


def test_headers_say_who_when_and_that_a_machine_wrote() -> None:
    """Message-ID is stable by the delivery's id; vacation notices do not answer."""
    smtp = channel(reply_to="Compta <compta@atelier.example>")
    mail = read_back(smtp.compose(occasion()).content)

    assert mail["From"] == "Atelier <pay@atelier.example>"
    assert mail["To"] == "Zoé Martin <zoe@example.com>"
    assert mail["Reply-To"] == "Compta <compta@atelier.example>"
    assert mail["Message-ID"] == "<01JZD3V7W0000000000000000@atelier.example>"
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "fr"
    assert "List-Unsubscribe" not in mail


def test_mail_is_seven_bit_with_crlf_and_short_lines() -> None:
    """No server on the way has a reason to rewrite it."""
    content = channel().compose(occasion(attach=(Document(name="é" * 110 + ".pdf", content=PDF),))).content

    assert content.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_compat_parser_reads_the_same_mail() -> None:
    """An older parser with another policy finds the same parts and file names."""
    message = channel().compose(occasion(attach=(Document(name="Facture été.pdf", content=PDF),)))
    mail = email.message_from_bytes(message.content, policy=policy.compat32)
    pdf = next(part for part in mail.walk() if part.get_content_type() == "application/pdf")

    name = pdf.get_param("filename", header="content-disposition")
    assert not [part.defects for part in mail.walk() if part.defects]
    assert name is not None
    assert email.utils.collapse_rfc2231_value(name) == ("Facture été.pdf")


def test_url_is_there_byte_for_byte() -> None:
    """In the text on a line of its own; in HTML as the target of the button and as visible text."""
    content = channel().compose(occasion()).content
    page = body(content, "html")

    assert URL in body(content, "plain").split("\n")
    assert [html.unescape(found) for found in re.findall(r'href="([^"]*)"', page)] == [URL, URL]
    assert f">{html.escape(URL).replace('&#x27;', '&#39;')}</a>" in page


@pytest.mark.parametrize("purpose", [Purpose.RECEIPT, Purpose.EXPIRED, Purpose.REFUND])
def test_mail_that_asks_for_nothing_has_no_link(purpose: Purpose) -> None:
    """Where nothing is to be paid there is neither a button nor a QR code."""
    content = channel().compose(occasion(purpose=purpose)).content

    assert b"image/png" not in content
    assert "href=" not in body(content, "html")
    assert "https:" not in body(content, "plain")


def test_test_mode_is_said_plainly() -> None:
    """Subject, text and HTML say TEST, and only in test mode."""
    for mode in Mode:
        message = channel().compose(occasion(link(mode=mode)))
        places = [message.subject, message.text, body(message.content, "html")]

        assert ["TEST" in place for place in places] == [mode is Mode.TEST] * 3


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(
        st.sampled_from(
            ["\r\n", "\n", "\r", "\x00", "Bcc: x@y.example", "\u2028", "\x85", ",", '"', "<a@b.c>", "é", "🎉"]
        ),
        max_size=8,
    ).map("".join),
)
FORBIDDEN = [chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x2029)]


@settings(max_examples=200, deadline=None)
@given(name=HOSTILE, description=HOSTILE, reference=HOSTILE, merchant=HOSTILE)
def test_no_text_gets_a_control_character_into_a_header(
    name: str, description: str, reference: str, merchant: str
) -> None:
    """Whatever is written in an order, a mail is refused or has clean headers and one recipient."""
    try:
        asked = order(
            reference=reference,
            description=description,
            customer=Customer(name=name, email="zoe@example.com"),
        )
        smtp = channel(wording=Wording(merchant=merchant))
        message = smtp.compose(occasion(link(asked)))
    except (InvalidInput, SettingsError):
        return
    mail = read_back(message.content)

    assert set(mail.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
        *("Content-Type", "Content-Language"),
    }
    assert not [key for key, value in mail.items() if any(char in value for char in FORBIDDEN)]
    assert [address.addr_spec for address in mail["To"].addresses] == ["zoe@example.com"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["pay@atelier.example"]
    assert URL in body(message.content, "plain").split("\n")
    assert html.escape(URL).replace("&#x27;", "&#39;") in body(message.content, "html")


@pytest.mark.parametrize(
    "name",
    [
        "Doe, Zoé",
        'Jean "Jojo" Petit',
        "O'Brien (Paris)",
        "日本 太郎",
        "Émile 🎉",
        "a@b.example",
        "Name; with: all, of <these>",
        "x" * 140,
        "é, " * 40,
        "back\\slash",
        'Doe, Jane "the long" ' + "and more " * 12,
        "=?utf-8?q?a=0D=0ABcc:_x?=",
    ],
)
def test_name_stays_a_name(name: str) -> None:
    """Commas, quotes and emoji neither split the recipient nor change the name."""
    asked = order(customer=Customer(name=name, email="zoe@example.com"))
    (to,) = read_back(channel().compose(occasion(link(asked))).content)["To"].addresses

    assert to.addr_spec == "zoe@example.com"
    # The standard parser leaves a space between two encoded words of a name, which RFC 2047 §6.2 tells it to drop.
    assert "".join(to.display_name.split()) == "".join(name.split())


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=116))
def test_file_name_arrives_as_it_is(name: str) -> None:
    """Any name that a document may have is read back the same."""
    try:
        document = Document(name=f"{name}.pdf", content=PDF)
    except InvalidInput:
        return
    *_, pdf = read_back(channel().compose(occasion(attach=(document,))).content).walk()

    assert pdf.get_filename() == document.name.strip()


def test_long_domain_of_the_sender_breaks_no_id() -> None:
    """A Message-ID is one word, however long; folding it would make another one."""
    domain = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.example"
    content = channel(sender=f"pay@{domain}").compose(occasion()).content

    assert f"\r\nMessage-ID: <01JZD3V7W0000000000000000@{domain}>\r\n".encode() in content


def test_markup_in_an_order_is_shown_as_text() -> None:
    """What an order says is escaped in HTML."""
    asked = order(description='<img src=x onerror="alert(1)"> & co', reference="<b>1</b>")
    page = body(channel().compose(occasion(link(asked))).content, "html")

    assert "<img src=x" not in page
    assert "<b>" not in page
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; &amp; co" in page


def test_somebody_elses_address_does_not_get_the_customers_name() -> None:
    """A link sent to an assistant does not greet the assistant by the customer's name."""
    message = channel().compose(occasion(recipient="assistant@example.com"))

    assert read_back(message.content)["To"] == "assistant@example.com"
    assert "Zoé" not in message.text


@pytest.mark.parametrize(
    "url",
    [
        "http://buy.stripe.com/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a b",
        'https://a"b',
        "https://a/\nb",
        "https://exämple.fr/",
        "http://localhost.example.com/",
        "",
    ],
)
def test_address_that_is_no_https_is_never_written_to_a_customer(url: str) -> None:
    """Anything else in a href would be an open door."""
    with pytest.raises(InvalidInput) as caught:
        _ = channel().compose(occasion(link(url=url, mode=Mode.TEST)))

    assert caught.value.faults[0].path == "link.url"


def test_plain_http_is_for_this_machine_in_test_mode() -> None:
    """The sandbox's address is taken, but never with real money."""
    url = "http://127.0.0.1:8080/p/abc"

    assert url in channel().compose(occasion(link(url=url, mode=Mode.TEST))).text
    with pytest.raises(InvalidInput):
        _ = channel().compose(occasion(link(url=url, mode=Mode.LIVE)))


def test_attachments_are_limited_and_checked() -> None:
    """Every fault is named at once, before anything is sent."""
    forged = Document(name="a.pdf", content=PDF)
    object.__setattr__(forged, "content", b"MZ" + b"x" * 2000)
    with pytest.raises(InvalidInput) as caught:
        _ = channel(attach_limit_bytes=1000).compose(occasion(attach=(forged,)))

    assert [fault.path for fault in caught.value.faults] == ["attach[0].content", "attach"]


def test_large_mail_is_warned_of() -> None:
    """What some servers refuse is said before it is sent."""
    big = Document(name="big.pdf", content=b"%PDF-" + bytes(8_000_000))

    assert "MB" in channel(attach_limit_bytes=9_000_000).compose(occasion(attach=(big,))).warnings[0]


def test_international_domain_is_written_as_its_a_label() -> None:
    """A header cannot carry the other form, which would be undeliverable without an error."""
    smtp = channel()
    recipient = smtp.normalise("Zoe@EXÄMPLE.fr")
    customer = evolve(ZOE, email="Zoe@EXÄMPLE.fr")
    message = smtp.compose(occasion(link(order(customer=customer)), recipient=recipient))

    assert message.recipient == recipient == "Zoe@xn--exmple-cua.fr"
    assert not message.needs_utf8
    assert read_back(message.content)["To"].addresses[0] == Address("Zoé Martin", addr_spec=recipient)


def test_local_part_beyond_ascii_is_refused_or_sent_as_utf8() -> None:
    """It has no ASCII form, so it is refused early unless the merchant says that the server can do it."""
    with pytest.raises(InvalidInput, match="accept_utf8_local_part"):
        _ = channel().normalise("zoé@example.com")

    smtp = channel(accept_utf8_local_part=True)
    message = smtp.compose(occasion(recipient=smtp.normalise("zoé@Example.com")))

    assert (message.recipient, message.needs_utf8) == ("zoé@example.com", True)
    assert "zoé@example.com".encode() in message.content
    assert b"?=@" not in message.content


def test_bad_address_of_the_customer_is_named_by_its_path() -> None:
    """The fault says which field to correct and does not repeat the address."""
    customer = evolve(ZOE, email="zoe@nowhere")
    with pytest.raises(InvalidInput) as caught:
        _ = channel().compose(occasion(link(order(customer=customer)), recipient="zoe@nowhere"))

    assert caught.value.faults[0].path == "customer.email"
    assert "nowhere" not in str(caught.value)


def test_send_is_one_envelope() -> None:
    """The flow yields the mail once and turns the reply into what became of it."""
    smtp = SmtpEmail("mail.example", 465, sender=SENDER, username="u", password="p")
    message = smtp.compose(occasion())
    flow = smtp.send(message, delivery_id="d")
    envelope = next(flow)

    assert isinstance(envelope, Envelope)
    assert (envelope.sender, envelope.recipient) == ("pay@atelier.example", "zoe@example.com")
    assert envelope.content == message.content
    assert envelope.server.security == "tls"
    with pytest.raises(StopIteration) as stopped:
        flow.send(MailReply(outcome=Outcome.REFUSED, phase="auth", detail="no", configuration=True))
    sent = stopped.value.value
    assert (sent.outcome, sent.detail, sent.configuration, sent.vendor_id) == (
        Outcome.REFUSED,
        "no",
        True,
        None,
    )


def test_a_mail_server_cannot_be_asked() -> None:
    """`find` yields nothing and knows nothing."""
    delivery = Delivery(
        id="d",
        link_id="l",
        channel="email",
        medium=Medium.EMAIL,
        purpose=Purpose.REQUEST,
        recipient="zoe@example.com",
        outcome=Outcome.UNKNOWN,
        reserved_at=NOW,
    )
    with pytest.raises(StopIteration) as stopped:
        _ = next(channel().find(delivery))

    assert stopped.value.value is None


class Hidden:
    """A secret that does not print itself."""

    def get_secret_value(self) -> str:
        """The secret."""
        return "hunter22"


def test_secrets_are_unwrapped_for_the_server_and_never_printed() -> None:
    """Wrapped or plain, a password is in no repr."""
    for password in ("hunter22", Hidden()):
        smtp = SmtpEmail("mail.example", sender=SENDER, username="merchant7", password=password)

        assert smtp.server.password == "hunter22"
        assert not [word for word in ("hunter22", "merchant7") if word in repr(smtp) + repr(smtp.server)]


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("pay@atelier.example", "", "pay@atelier.example"),
        ("Atelier <pay@Atelier.Example>", "Atelier", "pay@atelier.example"),
        (
            '"Atelier, Müller \\"&\\" Fils" <pay@atelier.example>',
            'Atelier, Müller "&" Fils',
            "pay@atelier.example",
        ),
        ("Atelier, Müller <pay@müller.example>", "Atelier, Müller", "pay@xn--mller-kva.example"),
    ],
)
def test_sender_is_read_once(sender: str, name: str, address: str) -> None:
    """A name, quoted or not, and an address, or the bare address."""
    smtp = SmtpEmail("mail.example", sender=sender)

    assert (smtp.sender.name, smtp.sender.address) == (name, address)
    assert read_back(smtp.compose(occasion()).content)["From"].addresses[0].addr_spec == address


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        pytest.param({"sender": "Atelier"}, ["sender"], id="sender-without-address"),
        pytest.param({"sender": "Atelier <pay@>"}, ["sender"], id="sender-without-domain"),
        pytest.param({"sender": "A <a@b.example>\r\nBcc: x@y.example"}, ["sender"], id="sender-crlf"),
        pytest.param({"sender": "A\x00 <a@b.example>"}, ["sender"], id="sender-nul"),
        pytest.param({"sender": "A <a@b.example> <c@d.example>"}, ["sender"], id="sender-twice"),
        pytest.param({"sender": "zoé@b.example"}, ["sender"], id="sender-not-ascii"),
        pytest.param({"sender": ""}, ["sender"], id="sender-empty"),
        pytest.param({"reply_to": "nobody"}, ["reply_to"], id="reply-to"),
        pytest.param({"host": "smtp://mail.example"}, ["host"], id="host-is-a-url"),
        pytest.param({"host": ""}, ["host"], id="host-empty"),
        pytest.param({"port": 0, "security": "ssl"}, ["port", "security"], id="port-and-security"),
        pytest.param({"security": "none"}, ["security"], id="clear-text-to-another-machine"),
        pytest.param({"password": "p"}, ["username"], id="password-without-user"),
        pytest.param({"timeout_seconds": 0}, ["timeout_seconds"], id="no-time"),
        pytest.param({"attach_limit_bytes": -1}, ["attach_limit_bytes"], id="negative-limit"),
    ],
)
def test_wrong_setting_is_named(wrong: dict[str, object], paths: list[str]) -> None:
    """Every setting that cannot be used is named with its remedy, and none is repeated."""
    given = {"host": "mail.example", "sender": SENDER, **wrong}
    with pytest.raises(SettingsError) as caught:
        _ = SmtpEmail(**given)  # type: ignore[arg-type]

    assert [fault.path for fault in caught.value.faults] == paths


def test_clear_text_is_for_this_machine() -> None:
    """The sandbox's server needs no TLS."""
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        assert SmtpEmail(host, 8025, sender=SENDER, security="none").server.security == "none"
