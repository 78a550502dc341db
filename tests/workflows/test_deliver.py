"""`send` and `resend`: at most one message for each (link, channel, recipient, purpose), over a real mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable

import pytest

from paybylink import (
    Customer,
    Document,
    InvalidInput,
    LinkClosed,
    LinkStatus,
    NotFound,
    Order,
    Outcome,
    PayByLink,
    PaymentLink,
    Purpose,
)
from paybylink.channels.base import Sent
from paybylink.channels.smtp import SmtpEmail
from paybylink.channels.wording import Wording
from paybylink.errors import Conflict
from paybylink.events import DeliveryUpdated, Event
from paybylink.flow import Flow
from paybylink.messages import Delivery
from paybylink.money import Money
from paybylink.workflows.deliver import ATTEMPTS

from .world import Clock, World, meanwhile


def the_one(pay: PayByLink, link: PaymentLink) -> Delivery:
    """The only delivery of a link."""
    (delivery,) = pay.deliveries(link)
    return delivery


def test_a_message_is_sent_once_for_each_recipient_and_purpose(world: World) -> None:
    """The same call again returns the first delivery; another person, or another reason, is another message."""
    with world.shop("once") as pay:
        link = pay.create_link(world.order("ONCE"))
        first = pay.send(link, via="email")
        again = pay.send(link, via="email")
        by_hand = pay.send(link, via="email", to="once@EXAMPLE.com")
        second = pay.send(link, via="email", to="once-office@example.com")
        reminder = pay.send(link, via="email", purpose="reminder")

        assert first.outcome is Outcome.ACCEPTED
        assert again == first == by_hand
        assert [delivery.id for delivery in pay.deliveries(link)] == [first.id, second.id, reminder.id]
        assert (world.mails("ONCE"), world.mails("ONCE-OFFICE")) == (2, 1)


def test_a_resend_with_the_same_key_makes_one_second_message(world: World) -> None:
    """The only way to a second message, and the key keeps it single."""
    with world.shop("resend") as pay:
        link = pay.create_link(world.order("RESEND"))
        first = pay.send(link, via="email")
        second = pay.resend(first, key="ticket 7")
        again = pay.resend(first, key="ticket 7")

        assert again == second != first
        assert world.mails("RESEND") == 2
        with pytest.raises(InvalidInput, match="key: is empty"):
            _ = pay.resend(first, key="")


def test_a_link_that_cannot_be_paid_is_not_sent(world: World) -> None:
    """Nor sent a second time; the error names what to do."""
    with world.shop("closed") as pay:
        link = pay.create_link(world.order("CLOSED"))
        first = pay.send(link, via="email")
        _ = pay.cancel(link)
        with pytest.raises(LinkClosed, match="renew"):
            _ = pay.send(link, via="email", to="other@example.com")
        with pytest.raises(LinkClosed, match="renew"):
            _ = pay.resend(first, key="again")

        assert pay.send(link, via="email") == first
        assert world.mails("CLOSED") == 1


def test_a_receipt_goes_out_after_the_payment_and_a_request_does_not(world: World) -> None:
    """Only what asks for money needs a link that can be paid."""
    with world.shop("receipt") as pay:
        link = pay.create_link(world.order("RECEIPT"))
        _ = world.paid(pay, link.url)
        with pytest.raises(LinkClosed, match="nothing is left to pay"):
            _ = pay.send(link, via="email")

        assert pay.send(link, via="email", purpose=Purpose.RECEIPT).outcome is Outcome.ACCEPTED
        assert world.mails("RECEIPT") == 1


def test_a_payment_that_commits_before_the_reservation_stops_the_message(world: World) -> None:
    """Whether the link can be paid is asked by the very statement that reserves the row."""
    store = world.database("paid-before")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("PAID-BEFORE"))
        _ = meanwhile(pay, "insert_delivery", lambda: world.paid(other, link.url))
        with pytest.raises(LinkClosed) as caught:
            _ = pay.send(link, via="email")

        assert caught.value.link.status is LinkStatus.PAID
        assert world.mails("PAID-BEFORE") == 0
        assert pay.deliveries(link) == ()


def test_a_payment_that_commits_after_the_reservation_can_cross_one_message(world: World) -> None:
    """It is written down as sent all the same."""
    store = world.database("paid-after")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("PAID-AFTER"))
        _ = meanwhile(pay, "insert_delivery", lambda: world.paid(other, link.url), after=True)

        assert pay.send(link, via="email").outcome is Outcome.ACCEPTED
        assert world.mails("PAID-AFTER") == 1


def test_two_who_send_at_once_send_one_message(world: World) -> None:
    """The one who was second finds the first one's row, and leaves it alone."""
    store = world.database("send-two")
    with world.pay_by_link(store) as pay, world.pay_by_link(store) as other:
        link = pay.create_link(world.order("SEND-TWO"))
        _ = meanwhile(pay, "insert_delivery", lambda: other.send(link, via="email"))
        sent = pay.send(link, via="email")

        assert sent.outcome is Outcome.ACCEPTED
        assert sent == the_one(pay, link)
        assert world.mails("SEND-TWO") == 1


# What the mail server says


@pytest.mark.parametrize("phase", ["mail_refuse_rcpt", "mail_refuse_data"])
def test_a_clear_not_now_is_tried_again_with_the_same_bytes(world: World, phase: str) -> None:
    """Greylisting: the next pass sends it once its time has come, and not before."""
    clock = Clock()
    with world.shop(f"deferred-{phase}", clock=clock) as pay:
        doors = meanwhile(pay, "mail", lambda: None)
        told: list[Event] = []
        _ = pay.on(DeliveryUpdated)(told.append)
        reference = f"DEFERRED-{phase.upper().replace('_', '-')}"
        link = pay.create_link(world.order(reference))
        _ = world.sandbox.control.fault(phase, status=451, match=f"{reference.lower()}@example.com")
        deferred = pay.send(link, via="email")
        assert (deferred.outcome, world.mails(reference)) == (Outcome.DEFERRED, 0)
        assert deferred.retry_at is not None
        assert pay.run_due().delivered == 0
        clock.move(minutes=6)
        done = pay.run_due()

        assert (done.delivered, done.failed) == (1, ())
        delivery = the_one(pay, link)
        assert (delivery.id, delivery.outcome, delivery.attempts) == (deferred.id, Outcome.ACCEPTED, 2)
        assert world.mails(reference) == 1
        assert len(doors.mails) == 2
        assert doors.mails[0] == doors.mails[1]
        assert delivery.id in email.message_from_bytes(doors.mails[1], policy=email.policy.SMTP)["Message-ID"]
        assert [event.outcome for event in told if isinstance(event, DeliveryUpdated)] == [
            Outcome.DEFERRED,
            Outcome.ACCEPTED,
        ]


def test_waits_grow_and_after_enough_of_them_a_message_counts_as_refused(world: World) -> None:
    """A server that says "not now" for ever is not asked for ever."""
    clock = Clock()
    with world.shop("for-ever", clock=clock) as pay:
        link = pay.create_link(world.order("FOR-EVER"))
        _ = world.sandbox.control.fault("mail_refuse_rcpt", status=451, times=None)
        waits: list[float] = []
        delivery = pay.send(link, via="email")
        while delivery.retry_at is not None:
            waits.append((delivery.retry_at - clock()).total_seconds())
            clock.ahead += delivery.retry_at - clock()
            _ = pay.run_due()
            delivery = the_one(pay, link)

        assert (delivery.outcome, delivery.attempts) == (Outcome.REFUSED, ATTEMPTS)
        assert [round(wait / 300) for wait in waits] == [1, 2, 4, 8, 16, 32, 64]
        assert pay.run_due().delivered == 0


def test_a_refusal_is_never_tried_again(world: World) -> None:
    """An address that does not exist will not exist at the next pass."""
    with world.shop("refused-mail") as pay:
        link = pay.create_link(world.order("REFUSED-MAIL"))
        _ = world.sandbox.control.fault("mail_refuse_rcpt", status=550)
        refused = pay.send(link, via="email")
        again = pay.send(link, via="email")
        _ = pay.run_due()

        assert refused.outcome is Outcome.REFUSED
        assert again == refused == the_one(pay, link)
        assert "@" not in refused.detail
        assert world.mails("REFUSED-MAIL") == 0


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "lost"])
def test_a_line_cut_after_the_final_dot_is_unknown_and_never_sent_again(world: World, taken: bool) -> None:
    """A mail server cannot be asked, so a person decides, and may resend."""
    reference = f"DOT-{taken}".upper()
    with world.shop(reference) as pay:
        link = pay.create_link(world.order(reference))
        _ = world.sandbox.control.fault("mail_cut", work=taken)
        unknown = pay.send(link, via="email")
        again = pay.send(link, via="email")
        _ = pay.run_due()

        assert unknown.outcome is Outcome.UNKNOWN
        assert again == unknown == the_one(pay, link)
        assert world.mails(reference) == taken
        assert pay.resend(unknown, key="the customer has nothing").outcome is Outcome.ACCEPTED
        assert world.mails(reference) == taken + 1


def test_a_process_that_died_while_sending_leaves_an_unknown(world: World) -> None:
    """The row said so before anything left."""

    def power_fails() -> None:
        raise KeyboardInterrupt

    store = world.database("died")
    with world.pay_by_link(store) as pay:
        link = pay.create_link(world.order("DIED"))
        _ = meanwhile(pay, "mail", power_fails)
        with pytest.raises(KeyboardInterrupt):
            _ = pay.send(link, via="email")
    with world.pay_by_link(store) as pay:
        assert pay.send(link, via="email").outcome is Outcome.UNKNOWN
        assert world.mails("DIED") == 0


def test_an_unknown_is_resolved_by_asking_where_the_medium_can_be_asked(world: World) -> None:
    """And never by sending again."""

    class Askable(SmtpEmail):
        """A mail server that remembers what it has taken."""

        def find(self, delivery: Delivery) -> Flow[Sent | None]:
            yield from ()
            return Sent(outcome=Outcome.DELIVERED, vendor_id="queue-1")

    channel = Askable(
        world.sandbox.smtp_host, world.sandbox.smtp_port, security="none", sender="pay@atelier.example"
    )
    with world.shop("ask", channels=[channel]) as pay:
        link = pay.create_link(world.order("ASK"))
        _ = world.sandbox.control.fault("mail_cut")
        assert pay.send(link, via="email").outcome is Outcome.UNKNOWN
        found = pay.send(link, via="email")

        assert (found.outcome, found.vendor_id) == (Outcome.DELIVERED, "queue-1")
        assert found == the_one(pay, link)
        assert world.mails("ASK") == 1


def test_a_deferred_message_of_a_link_that_was_paid_is_not_sent(world: World) -> None:
    """Nobody is asked for what he has paid."""
    clock = Clock()
    with world.shop("deferred-paid", clock=clock) as pay:
        link = pay.create_link(world.order("DEFERRED-PAID"))
        _ = world.sandbox.control.fault("mail_refuse_rcpt", status=451)
        _ = pay.send(link, via="email")
        _ = world.paid(pay, link.url)
        clock.move(minutes=6)
        _ = pay.run_due()

        assert world.mails("DEFERRED-PAID") == 0
        assert the_one(pay, link).outcome is Outcome.DEFERRED


def test_two_passes_send_a_deferred_message_once(world: World) -> None:
    """The one who was second finds it taken."""
    clock = Clock()
    store = world.database("deferred-two")
    with world.pay_by_link(store, clock=clock) as pay, world.pay_by_link(store, clock=clock) as other:
        link = pay.create_link(world.order("DEFERRED-TWO"))
        _ = world.sandbox.control.fault("mail_refuse_rcpt", status=451)
        _ = pay.send(link, via="email")
        clock.move(minutes=6)
        _ = meanwhile(pay, "fence update_delivery", lambda: other.run_due())
        assert pay.run_due().failed == ()

        assert the_one(pay, link).outcome is Outcome.ACCEPTED
        assert world.mails("DEFERRED-TWO") == 1


def test_news_that_were_quicker_than_the_servers_own_answer_stay(world: World) -> None:
    """The answer finds another version of the row, and does not write over it."""

    def a_report_came() -> None:
        raise Conflict("update_delivery")

    with world.shop("report") as pay:
        link = pay.create_link(world.order("REPORT"))
        _ = meanwhile(pay, "update_delivery", a_report_came)

        assert pay.send(link, via="email") == the_one(pay, link)
        assert world.mails("REPORT") == 1


# To whom, by what, with what


def test_without_an_address_nothing_is_sent(world: World) -> None:
    """Every fault names the field, and what to do."""
    with world.shop("nobody") as pay:
        link = pay.create_link("49.90 EUR", reference="NOBODY")
        order = Order(
            reference="PHONE", amount=Money.of("1.00", "EUR"), customer=Customer(phone="+33612345678")
        )
        phone = pay.create_link(order)
        order = Order(
            reference="ODD", amount=Money.of("1.00", "EUR"), customer=Customer(email="zoe@@example.com")
        )
        odd = pay.create_link(order)
        faults: list[tuple[Callable[[], object], str]] = [
            (lambda: pay.send(odd, via="email"), r"customer\.email: "),
            (lambda: pay.send(link, via="email"), "to: is missing"),
            (lambda: pay.send(phone, via="email"), "pass to="),
            (lambda: pay.send(link, via="email", to="zoé example.com"), "to"),
            (lambda: pay.send(link, via="email", to="zoe@example.com\r\nBcc: all@example.com"), "to"),
        ]
        for call, told in faults:
            with pytest.raises(InvalidInput, match=told):
                _ = call()

        assert pay.deliveries(link) == pay.deliveries(phone) == pay.deliveries(odd) == ()


def test_a_channel_is_found_by_its_name_or_its_medium(world: World) -> None:
    """One that is not there is named, with those that are."""
    channel = SmtpEmail(
        world.sandbox.smtp_host,
        world.sandbox.smtp_port,
        name="office",
        security="none",
        sender="office@atelier.example",
    )
    with (
        world.shop("channels", channels=[world.channel(), channel]) as pay,
        world.shop("mute", channels=[]) as mute,
    ):
        link = pay.create_link(world.order("CHANNELS"))

        assert pay.send(link, via="office").channel == "office"
        assert pay.send(link, via="email").channel == "email"
        with pytest.raises(NotFound, match="no channel has that name or medium; known: email, office"):
            _ = pay.send(link, via="sms")
        with pytest.raises(NotFound, match="none is configured"):
            _ = mute.send(mute.create_link(world.order("MUTE")), via="email")


def test_documents_travel_with_the_message(world: World) -> None:
    """The invoice as a PDF, byte for byte, in the first message and in the second."""
    invoice = Document(
        name="Facture F2026-0042.pdf", content=b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\ninvoice\n%%EOF\n"
    )
    with world.shop("attach") as pay:
        link = pay.create_link(world.order("ATTACH"))
        first = pay.send(link, via="email", attach=[invoice])
        _ = pay.resend(first, key="again", attach=[invoice])
        mails = [mail for mail in world.sandbox.control.mails() if "attach@example.com" in mail.recipients]

        assert len(mails) == 2
        for mail in mails:
            written = email.message_from_bytes(
                world.sandbox.control.mail_bytes(mail.number), policy=email.policy.SMTP
            )
            (pdf,) = [part for part in written.walk() if part.get_content_type() == "application/pdf"]
            assert (pdf.get_filename(), pdf.get_payload(decode=True)) == (invoice.name, invoice.content)


def test_a_delivery_of_another_store_is_not_found(world: World) -> None:
    """Nor one of another tenant."""
    with world.shop("here") as pay, world.shop("there") as other:
        delivery = pay.send(pay.create_link(world.order("HERE")), via="email")
        with pytest.raises(NotFound, match="no delivery"):
            _ = other.resend(delivery, key="again")


def test_sharing_sends_nothing(world: World) -> None:
    """The link in every form that a person can hand over, in the customer's language or the merchant's."""
    words = Wording(merchant="Chez Zoé")
    with world.shop("share", language="fr", wording=words) as pay, world.shop("share-plain") as other:
        link = pay.create_link(world.order("SHARE"))
        plain = pay.create_link("5.00 EUR", reference="SHARE-PLAIN")

        bare = other.create_link("5.00 EUR", reference="SHARE-BARE")

        assert link.url in pay.share(link).text()
        assert "Chez Zoé" in pay.share(link).text()
        assert (other.share(bare).language, other.share(bare).url) == ("en", bare.url)
        assert pay.share(link).language == pay.share(plain).language == "fr"
        assert world.mails("SHARE") == 0


@pytest.mark.anyio
async def test_sending_awaited_sends_one_message(world: World) -> None:
    """Twenty tasks at once, and the twin's `resend` and `deliveries`."""
    async with world.async_pay_by_link(world.database("send-async")) as pay:
        link = await pay.create_link(world.order("SEND-ASYNC"))
        sent = await asyncio.gather(*(pay.send(link, via="email") for _ in range(20)))
        second = await pay.resend(sent[0], key="again")

        assert {delivery.id for delivery in sent} == {sent[0].id}
        assert [delivery.id for delivery in await pay.deliveries(link)] == [sent[0].id, second.id]
        assert pay.share(link).language == "fr"
    assert await asyncio.to_thread(world.mails, "SEND-ASYNC") == 2
