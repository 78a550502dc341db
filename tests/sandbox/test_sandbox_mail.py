"""The mailbox: real SMTP in, pages and JSON out."""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path
from shutil import which

import httpx
import pytest

from paybylink.sandbox import Sandbox

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def letter(recipient: str = "zoe@example.com") -> EmailMessage:
    """A mail with text, HTML, an inline image and a PDF."""
    message = EmailMessage()
    message["From"] = "Atelier <pay@atelier.example>"
    message["To"] = recipient
    message["Subject"] = "Votre facture — 49,90 €"
    message["Message-ID"] = "<one@atelier.example>"
    message.set_content("Payer : http://127.0.0.1/pay/x\n")
    message.add_alternative('<p>Payer<img src="cid:qr"><script>alert(1)</script></p>', subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(PIXEL, "image", "png", cid="<qr>")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="facture é.pdf")
    return message


def test_mails_are_kept_byte_for_byte_and_counted(sandbox: Sandbox) -> None:
    """Two mails with one Message-ID are two mails, blind copies included."""
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
        for _ in range(2):
            _ = server.send_message(letter(), to_addrs=["zoe@example.com", "hidden@example.com"])

    mails = sandbox.control.mails()
    assert [mail.number for mail in mails] == [1, 2]
    assert mails[0].message_id == mails[1].message_id == "<one@atelier.example>"
    assert mails[0].recipients == ("zoe@example.com", "hidden@example.com")
    assert mails[0].subject == "Votre facture — 49,90 €"
    assert mails[0].text is not None
    assert "http://127.0.0.1/pay/x" in mails[0].text
    assert [part["name"] for part in mails[0].attachments] == [None, "facture é.pdf"]
    assert b"Message-ID: <one@atelier.example>" in sandbox.control.mail_bytes(2)


def test_the_mailbox_shows_a_mail_safely(sandbox: Sandbox) -> None:
    """HTML in a frame that runs nothing, inline images in place, attachments to download."""
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
        _ = server.send_message(letter())

    with httpx.Client(base_url=sandbox.url) as browser:
        index = browser.get("/mailbox")
        shown = browser.get("/mailbox/1")
        frame = browser.get("/mailbox/1/html")
        pdf = browser.get("/mailbox/1/part/3")
        absent = browser.get("/mailbox/9")

    assert "Votre facture" in index.text
    assert 'sandbox="allow-popups' in shown.text
    assert "facture é.pdf" in shown.text
    assert 'src="data:image/png;base64,' in frame.text
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "allow-scripts" not in frame.headers["Content-Security-Policy"]
    assert pdf.content == b"%PDF-1.7"
    assert pdf.headers["Content-Disposition"].startswith("attachment")
    assert absent.status_code == 404


def test_a_refused_recipient(sandbox: Sandbox) -> None:
    """A fault refuses one recipient with the code asked for; the next try goes through."""
    _ = sandbox.control.fault("mail_refuse_rcpt", "zoe@*", status=451)

    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            _ = server.send_message(letter())
        _ = server.send_message(letter())

    assert refused.value.recipients["zoe@example.com"][0] == 451
    assert len(sandbox.control.mails()) == 1


def test_a_refused_message(sandbox: Sandbox) -> None:
    """A fault refuses the message after its final dot, and nothing is kept."""
    _ = sandbox.control.fault("mail_refuse_data", status=552, text="5.3.4 Too big")

    with (
        smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server,
        pytest.raises(smtplib.SMTPDataError) as refused,
    ):
        _ = server.send_message(letter())

    assert (refused.value.smtp_code, refused.value.smtp_error) == (552, b"5.3.4 Too big")
    assert sandbox.control.mails() == []


@pytest.mark.parametrize(("work", "kept"), [(True, 1), (False, 0)])
def test_the_line_is_cut_before_the_answer(sandbox: Sandbox, work: bool, kept: int) -> None:
    """After the final dot nothing comes; whether the mail was taken is for the fault to say."""
    _ = sandbox.control.fault("mail_cut", work=work)

    with (
        smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server,
        pytest.raises(smtplib.SMTPServerDisconnected),
    ):
        _ = server.send_message(letter())

    assert len(sandbox.control.mails()) == kept


def test_named_users_must_say_who_they_are() -> None:
    """With users named, a sender without the password is refused."""
    with Sandbox(smtp_users={"atelier": "s3cret"}) as sandbox:
        with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
            with pytest.raises(smtplib.SMTPSenderRefused):
                _ = server.send_message(letter())
            _ = server.rset()
            with pytest.raises(smtplib.SMTPAuthenticationError):
                _ = server.login("atelier", "wrong")
            _ = server.login("atelier", "s3cret")
            _ = server.send_message(letter())

        assert len(sandbox.control.mails()) == 1


def test_anybody_may_log_in_where_no_users_are_named(sandbox: Sandbox) -> None:
    """AUTH is offered and takes any password, so that a host's settings need no change."""
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
        code, _ = server.login("anybody", "anything")

    assert code == 235


def test_starttls_is_offered_with_a_certificate(tmp_path: Path) -> None:
    """With a TLS context the mail goes over TLS."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    _ = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    with Sandbox(smtp_tls=server_side) as sandbox:
        with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as server:
            _ = server.starttls(context=ssl.create_default_context(cafile=str(certificate)))
            _ = server.send_message(letter())

        assert len(sandbox.control.mails()) == 1
