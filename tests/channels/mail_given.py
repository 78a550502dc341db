"""What the tests of messages begin with: a link, an occasion, a channel."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from paybylink.channels.base import Occasion
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.kinds import SingleUse
from paybylink.links import LinkStatus, Mode, PaymentLink
from paybylink.messages import Purpose
from paybylink.money import Money
from paybylink.orders import Customer, Order

URL = "https://buy.stripe.com/test_AbC?utm_source=a&x=a+b%20c#fid='d'"
NOW = dt.datetime(2026, 7, 14, 9, 30, tzinfo=dt.UTC)
ZOE = Customer(name="Zoé Martin", email="zoe@example.com", phone="+33612345678", language="fr", country="FR")
SENDER = "Atelier <pay@atelier.example>"


def order(**content: Any) -> Order:
    """An order of 1,049.90 euros by Zoé."""
    given = {
        "reference": "INV-2026-031",
        "amount": Money.of("1049.90", "EUR"),
        "description": "Logo",
        "customer": ZOE,
    }
    return Order(**{**given, **content})


def link(asked: Order | None = None, **content: Any) -> PaymentLink:
    """An open link in live mode that ends on 21 July 2026 at 15:00 UTC."""
    given = {
        "id": "lnk_1",
        "token": "token",
        "order": asked or order(),
        "kind": SingleUse(),
        "status": LinkStatus.OPEN,
        "mode": Mode.LIVE,
        "provider": "stripe",
        "created_at": NOW,
        "expires_at": dt.datetime(2026, 7, 21, 15, tzinfo=dt.UTC),
        "url": URL,
    }
    return PaymentLink(**{**given, **content})


def occasion(handed: PaymentLink | None = None, **content: Any) -> Occasion:
    """The first request for payment, in French."""
    handed = handed or link()
    given = {
        "link": handed,
        "purpose": Purpose.REQUEST,
        "recipient": "zoe@example.com",
        "delivery_id": "01JZD3V7W0000000000000000",
        "at": NOW,
        "customer": handed.order.customer or Customer(),
        "language": "fr",
    }
    return Occasion(**{**given, **content})


def channel(**settings: Any) -> SmtpEmail:
    """A channel of the merchant Atelier."""
    return SmtpEmail("mail.atelier.example", **{"sender": SENDER, "wording": Wording(), **settings})


def read_back(content: bytes) -> EmailMessage:
    """The mail as another program reads it."""
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(content: bytes, form: str) -> str:
    """The text or HTML of a mail, decoded."""
    part = read_back(content).get_body((form,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")
