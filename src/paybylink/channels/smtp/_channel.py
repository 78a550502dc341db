"""The SMTP channel: what is said to whom, as one mail for one recipient, handed to one submission server."""

from __future__ import annotations

from attrs import evolve, field, frozen

from paybylink.channels.addresses import mail_address
from paybylink.channels.base import Occasion, Sent
from paybylink.channels.qr import qr_png
from paybylink.channels.wording import ASKING, Wording
from paybylink.checks import check_text
from paybylink.errors import Faults, InvalidInput, SettingsError
from paybylink.flow import Envelope, Flow, MailServer, post
from paybylink.messages import Delivery, Medium, Message
from paybylink.orders import Customer

from ._settings import Mailbox, Secret, check_server, mailbox, revealed

#: Many servers refuse more than this after base64, and some say so only after everything was sent.
_LARGE = 10_000_000


@frozen(init=False)
class SmtpEmail:
    """
    Mails through a submission server.

    Attributes:
        name: what ``via=`` takes, beside ``email``.
        server: where mail is handed over.
        sender: whom the mails come from.
        reply_to: where answers go; None for the sender.
        wording: what the mails say.
        attach_limit_bytes: how much may be attached to one mail.
        accept_utf8_local_part: whether addresses with letters beyond ASCII before the @ are taken.
        qr: whether the QR code is shown in the mail.
    """

    server: MailServer
    sender: Mailbox
    name: str
    wording: Wording
    reply_to: Mailbox | None
    attach_limit_bytes: int
    accept_utf8_local_part: bool
    qr: bool
    medium: Medium = field(default=Medium.EMAIL, init=False)

    def __init__(
        self,
        host: str,
        port: int = 587,
        *,
        sender: str,
        username: Secret | None = None,
        password: Secret | None = None,
        security: str | None = None,
        name: str = "email",
        wording: Wording | None = None,
        reply_to: str | None = None,
        attach_limit_bytes: int = 7_000_000,
        accept_utf8_local_part: bool = False,
        qr: bool = True,
        timeout_seconds: float = 20.0,
        final_timeout_seconds: float = 90.0,
        local_name: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """
        A channel; nothing is connected yet.

        Args:
            host, port: of the submission service: 587 for STARTTLS, 465 for TLS.
            sender: ``Atelier <pay@atelier.example>``; its domain also names the mails.
            username, password: for AUTH, sent only after TLS; text or an object with `get_secret_value`.
            security: ``tls``, ``starttls`` or ``none`` (this machine only); left out, ``tls`` on port 465 and
                else ``starttls``. There is no falling back from one to the other.
            name: unique among the channels.
            wording: the merchant's name, contact, zone and languages; left out, the sender's name and defaults.
            reply_to: where answers go.
            attach_limit_bytes: how much may be attached to one mail, before base64.
            accept_utf8_local_part: take ``zoé@…``, which every server on the way must support (RFC 6531).
            qr: show the QR code in the mail.
            timeout_seconds, final_timeout_seconds, local_name, ca_file: as on `MailServer`.

        Raises:
            SettingsError: every setting that cannot be used, with its name.
        """
        security = security or ("tls" if port == 465 else "starttls")
        faults = Faults()
        check_text(faults, "name", name, limit=40, required=True)
        check_server(faults, host=host, port=port, security=security)
        if password is not None and username is None:
            faults.add("username", "is missing beside a password", "write it, or leave out both")
        for setting, seconds in (
            ("timeout_seconds", timeout_seconds),
            ("final_timeout_seconds", final_timeout_seconds),
        ):
            if not seconds > 0:
                faults.add(setting, "is not more than zero", "give seconds")
        if attach_limit_bytes < 0:
            faults.add("attach_limit_bytes", "is negative", "give bytes, or 0 for no attachments")
        box = mailbox(faults, "sender", sender)
        answers = mailbox(faults, "reply_to", reply_to) if reply_to is not None else None
        try:
            faults.raise_any()
        except InvalidInput as error:
            raise SettingsError(error.faults) from None
        assert box is not None
        wording = wording or Wording()
        if not wording.merchant:
            wording = evolve(wording, merchant=(box.name or box.domain)[:70])
        server = MailServer(
            host=host,
            port=port,
            security=security,
            username=revealed(username),
            password=revealed(password),
            local_name=local_name,
            timeout_seconds=timeout_seconds,
            final_timeout_seconds=final_timeout_seconds,
            ca_file=ca_file,
        )
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]  # made by attrs
            server, box, name, wording, answers, attach_limit_bytes, accept_utf8_local_part, qr
        )

    def address_of(self, customer: Customer) -> str | None:
        """The customer's mail address, as given."""
        return customer.email

    def normalise(self, recipient: str) -> str:
        """The address with its domain in lower case and as A-label; see `paybylink.channels.addresses`."""
        return mail_address(recipient, accept_utf8_local_part=self.accept_utf8_local_part)

    def compose(self, occasion: Occasion) -> Message:
        """
        The exact mail: text and HTML, the QR code, the documents. The same occasion gives the same bytes.

        Raises:
            InvalidInput: the recipient, the link's URL or a document cannot be used.
            SettingsError: a string or layout of the merchant's own is wrong.
            MissingExtra: the extra ``messages`` is not installed.
        """
        from ._mime import Sheet, content_id, written

        customer, recipient = self._addressee(occasion)
        self._check_attachments(occasion)
        occasion = evolve(occasion, customer=customer)
        drawn = self.qr and occasion.purpose in ASKING
        words = self.wording.mail(occasion, qr=content_id(occasion.delivery_id) if drawn else None)
        needs_utf8 = not recipient.isascii()
        content = written(
            Sheet(
                delivery_id=occasion.delivery_id,
                at=occasion.at,
                sender=self.sender,
                recipient=Mailbox(customer.name, recipient),
                reply_to=self.reply_to,
                subject=words.subject,
                text=words.text,
                html=words.html,
                language=words.language,
                png=qr_png(occasion.link.url) if drawn else None,
                attach=occasion.attach,
            )
        )
        warnings = words.warnings
        if len(content) > _LARGE:
            warnings += (f"the mail has {len(content) // 1_000_000} MB; some servers refuse that much",)
        return Message(
            medium=self.medium,
            recipient=recipient,
            content=content,
            language=words.language,
            subject=words.subject,
            text=words.text,
            warnings=warnings,
            needs_utf8=needs_utf8,
        )

    def send(self, message: Message, *, delivery_id: str) -> Flow[Sent]:
        """Hand the mail over, once. SMTP gives no id; the mail's own ``Message-ID`` holds the delivery's."""
        reply = yield from post(
            Envelope(
                who=self.name,
                server=self.server,
                sender=self.sender.address,
                recipient=message.recipient,
                content=message.content,
                needs_utf8=message.needs_utf8,
            )
        )
        return Sent(outcome=reply.outcome, detail=reply.detail, configuration=reply.configuration)

    def find(self, delivery: Delivery) -> Flow[Sent | None]:
        """None: a mail server cannot be asked what became of a mail."""
        yield from ()
        return None

    def _addressee(self, occasion: Occasion) -> tuple[Customer, str]:
        """Who is written to, without the customer's name where the address is somebody else's, and the address."""
        theirs = occasion.customer.email
        path = "customer.email" if theirs == occasion.recipient else "to"
        accept = self.accept_utf8_local_part
        recipient = mail_address(occasion.recipient, path=path, accept_utf8_local_part=accept)
        if theirs is None or theirs == occasion.recipient:
            return occasion.customer, recipient
        try:
            same = mail_address(theirs, accept_utf8_local_part=accept) == recipient
        except InvalidInput:
            same = False
        return (occasion.customer if same else evolve(occasion.customer, name="")), recipient

    def _check_attachments(self, occasion: Occasion) -> None:
        faults = Faults()
        for place, document in enumerate(occasion.attach):
            if not document.content.startswith(b"%PDF-"):
                faults.add(f"attach[{place}].content", "is not a PDF", "give bytes that begin with %PDF-")
        total = sum(len(document.content) for document in occasion.attach)
        if total > self.attach_limit_bytes:
            faults.add(
                "attach",
                f"has {total} bytes, more than the {self.attach_limit_bytes} that may be attached",
                "attach less, or raise attach_limit_bytes as far as your mail server allows",
            )
        faults.raise_any()
