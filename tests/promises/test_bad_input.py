"""
The promise: bad input gives an error of our tree that names the field, the fault and the remedy; nothing was sent,
nothing was lost, and the corrected call goes through.

Every case goes through a public door: `PayByLink`, `create_link()` or the command line. What reaches the provider
and the mail server is counted at the sandbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paybylink import Customer, Document, InvalidInput, LineItem, Money, Order, PayByLink, create_link
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.errors import Fault, SettingsError
from paybylink.messages import Outcome
from workflows.world import World

from .shop import SENDER, Terminal, quiet

EURO = Money.of("49.90", "EUR")
CONTROL = "contains control characters"
FORBIDDEN = [
    pytest.param("\r\nBcc:thief@example.com", id="crlf"),
    pytest.param("\n", id="lf"),
    pytest.param("\r", id="cr"),
    pytest.param("\t", id="tab"),
    pytest.param("\x00", id="nul"),
    pytest.param("\x7f", id="del"),
    pytest.param("\x85", id="nel"),
    pytest.param("\u2028", id="line-separator"),
]
PDF = b"%PDF-1.7\n"


def told(error: InvalidInput | SettingsError) -> dict[str, str]:
    """What is wrong, by path; each fault stands in the text, with something to do about it."""
    for fault in error.faults:
        assert fault.path
        assert len(fault.remedy) > 5
        assert str(Fault(fault.path, fault.fault, fault.remedy)) in str(error)
    return {fault.path: fault.fault for fault in error.faults}


def goes_through(pay: PayByLink, world: World, reference: str) -> None:
    """Nothing is remembered of the wrong call, and the corrected one makes the one link."""
    assert pay.link(reference) is None
    assert world.links(reference) == []
    assert pay.create_link(EURO, reference=reference).payable
    assert len(world.links(reference)) == 1


TEXTS = [
    pytest.param("49.90 XQQ", "currency", "is not a currency", id="unknown-currency"),
    pytest.param("49.90 ANG", "currency", "was withdrawn", id="withdrawn-currency"),
    pytest.param("0.00 EUR", "amount", "is 0.00 EUR", id="zero"),
    pytest.param("-5.00 EUR", "amount", "is -5.00 EUR", id="negative"),
    pytest.param("10000000000.00 EUR", "amount", "has more than 12 digits", id="13-digits"),
    pytest.param("49.905 EUR", "amount", "decimal", id="too-fine"),
]


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
def test_a_wrong_amount_is_refused_by_pay_by_link(
    pay: PayByLink, world: World, reference: str, text: str, path: str, fault: str
) -> None:
    """An amount that nobody can ask for is refused before anything is written or sent."""
    with quiet(world), pytest.raises(InvalidInput) as caught:
        _ = pay.create_link(text, reference=reference)

    assert fault in told(caught.value)[path]
    goes_through(pay, world, reference)


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
def test_a_wrong_amount_is_refused_without_a_store(
    world: World, reference: str, text: str, path: str, fault: str
) -> None:
    """The same holds where nothing is remembered."""
    with PayByLink(providers=[world.provider()], store=None) as pay:
        with quiet(world), pytest.raises(InvalidInput) as caught:
            _ = pay.create_link(text, reference=reference)

        assert fault in told(caught.value)[path]
        assert pay.create_link(EURO, reference=reference).payable
        assert len(world.links(reference)) == 1


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
def test_a_wrong_amount_is_refused_in_a_script(
    world: World, terminal: Terminal, reference: str, text: str, path: str, fault: str
) -> None:
    """`create_link()` says the same, and the script that is corrected gets its link."""
    with quiet(world), pytest.raises(InvalidInput) as caught:
        _ = create_link(text, reference=reference)

    assert fault in told(caught.value)[path]
    assert create_link("49.90 EUR", reference=reference).payable
    assert len(world.links(reference)) == 1


@pytest.mark.parametrize(("text", "path", "fault"), TEXTS)
def test_a_wrong_amount_is_refused_on_the_command_line(
    world: World, terminal: Terminal, reference: str, text: str, path: str, fault: str
) -> None:
    """The command ends with 2, "nothing was sent", and names what to write."""
    with quiet(world):
        # Two dashes: what follows is no option, also where it begins with a minus.
        typed = terminal.type("create", "--json", "-r", reference, "--", text)

    assert typed.code == 2
    assert [each["path"] for each in typed.error["faults"]] == ["amount"]
    assert fault in typed.error["faults"][0]["fault"]
    assert typed.error["faults"][0]["remedy"]
    assert terminal.type("create", "49.90 EUR", "-r", reference).code == 0
    assert len(world.links(reference)) == 1


#: A wrong call; `Any`, since what is wrong is often the type.
Wrong = Callable[[Any, str], object]

CALLS: list[Any] = [
    pytest.param(lambda pay, r: pay.create_link(49.9, reference=r), {"amount": "is float"}, id="float"),
    pytest.param(
        lambda pay, r: pay.create_link(Order(reference=r, amount=49.9)),  # type: ignore[arg-type]
        {"amount": "is float"},
        id="float-in-an-order",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(Money.of(49.9, "EUR"), reference=r),  # type: ignore[arg-type]
        {"amount": "is a float"},
        id="float-in-money",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(Money(4990.0, "EUR"), reference=r),  # type: ignore[arg-type]
        {"minor": "is float"},
        id="float-of-minor-units",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(
            Order(
                reference=r,
                lines=[LineItem(description="Gold", unit_price=Money.of("9999999999.99", "EUR"), quantity=2)],
            )
        ),
        {"amount.minor": "has more than 12 digits"},
        id="lines-of-13-digits",
    ),
    pytest.param(
        lambda pay, r: pay.create_link("49.90 EUR", reference=""),
        {"reference": "is missing"},
        id="no-reference",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(Order(reference="", amount=EURO)),
        {"reference": "is empty"},
        id="empty-reference",
    ),
    pytest.param(
        lambda pay, r: pay.create_link("49.90 EUR", reference=" \u00a0"),
        {"reference": "is empty"},
        id="blank-reference",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        {"expires_at": "has passed"},
        id="expiry-in-the-past",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_at=dt.datetime(2099, 1, 1)),  # noqa: DTZ001
        {"expires_at": "has no time zone"},
        id="naive-moment",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_at="2099-01-01"),
        {"expires_at": "is str"},
        id="moment-as-text",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_in=dt.timedelta(days=-1)),
        {"expires_in": "is not more than zero"},
        id="negative-span",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_in=dt.timedelta.max),
        {"expires_in": "ends after"},
        id="endless-span",
    ),
    pytest.param(
        lambda pay, r: pay.create_link(EURO, reference=r, expires_in=7),
        {"expires_in": "is int"},
        id="span-as-a-number",
    ),
]


@pytest.mark.parametrize(("wrong", "faults"), CALLS)
def test_a_wrong_call_names_the_field_and_leaves_nothing(
    pay: PayByLink, world: World, reference: str, wrong: Wrong, faults: dict[str, str]
) -> None:
    """Whatever is wrong with an order, it is refused before the first row and the first request."""
    with quiet(world), pytest.raises(InvalidInput) as caught:
        _ = wrong(pay, reference)

    found = told(caught.value)
    assert found.keys() == faults.keys()
    assert all(fault in found[path] for path, fault in faults.items())
    goes_through(pay, world, reference)


def test_a_renewal_to_no_end_at_all_leaves_the_link_open(
    pay: PayByLink, world: World, reference: str
) -> None:
    """A wrong span is refused before the link that is renewed is closed."""
    link = pay.create_link(EURO, reference=reference)
    for span in (dt.timedelta.max, dt.timedelta(days=-1)):
        with quiet(world), pytest.raises(InvalidInput, match="expires_in"):
            _ = pay.renew(link, expires_in=span)

    assert [link["active"] for link in world.links(reference)] == [True]
    assert pay.renew(link, expires_in=dt.timedelta(days=7)).payable


@pytest.mark.parametrize("evil", FORBIDDEN)
def test_control_characters_are_refused_in_every_field_at_once(
    pay: PayByLink, world: World, reference: str, evil: str
) -> None:
    """Whatever may end in a header, a subject line or a CSV row holds no control character; all are named at once."""
    with quiet(world), pytest.raises(InvalidInput) as order:
        _ = pay.create_link(
            Order(
                reference=f"{reference}{evil}x",
                amount=Money.of("-1", "EUR"),
                description=f"Logo{evil}x",
                part=f"deposit{evil}x",
                return_url=f"https://example.com/{evil}x",
                metadata={"colour": f"red{evil}x"},
                tags=[f"spring{evil}x"],
            )
        )
    with pytest.raises(InvalidInput) as customer:
        _ = Customer(
            name=f"Zoé{evil}x",
            email=f"zoe@example.com{evil}x",
            phone=f"+336{evil}1",
            language=f"fr{evil}x",
            code=f"C{evil}1",
        )
    with pytest.raises(InvalidInput) as document:
        _ = Document(name=f"Facture{evil}x.pdf", content=PDF)
    with pytest.raises(InvalidInput) as line:
        _ = LineItem(description=f"Logo{evil}x", unit_price=EURO)

    found = told(order.value)
    assert found.pop("amount") == "is -1.00 EUR"
    assert found.keys() == {
        "reference",
        "description",
        "part",
        "return_url",
        "metadata['colour']",
        "tags[0]",
    }
    assert set(found.values()) == {CONTROL}
    assert told(customer.value) == dict.fromkeys(("name", "code", "email", "phone", "language"), CONTROL)
    assert told(document.value) == {"name": CONTROL} or "separator" in told(document.value)["name"]
    assert told(line.value) == {"description": CONTROL}
    goes_through(pay, world, reference)


@pytest.mark.parametrize("evil", FORBIDDEN)
def test_control_characters_are_refused_in_the_set_up_of_a_mail_channel(evil: str) -> None:
    """Sender, answers and the merchant's name stand in headers; a channel with a forged one cannot be made."""
    with pytest.raises(SettingsError) as channel:
        _ = SmtpEmail(
            "127.0.0.1",
            2525,
            security="none",
            sender=f"Atelier{evil}x <pay@atelier.example>",
            reply_to=f"answers@atelier.example{evil}x",
            name=f"email{evil}x",
        )
    with pytest.raises(SettingsError) as wording:
        _ = Wording(merchant=f"Atelier{evil}x")

    assert told(channel.value) == dict.fromkeys(("name", "sender", "reply_to"), CONTROL)
    assert told(wording.value).keys() == {"wording.merchant"}


@pytest.mark.parametrize("evil", FORBIDDEN)
def test_control_characters_in_a_recipient_send_nothing(
    pay: PayByLink, world: World, reference: str, evil: str
) -> None:
    """An address with a line break never reaches SMTP; the right one then gets the one mail."""
    link = pay.create_link(EURO, reference=reference)
    with quiet(world), pytest.raises(InvalidInput) as caught:
        _ = pay.send(link, via="email", to=f"zoe@example.com{evil}x")

    assert told(caught.value) == {"to": CONTROL}
    assert pay.deliveries(link) == ()
    assert pay.send(link, via="email", to=f"{reference}@example.com").outcome is Outcome.ACCEPTED
    assert world.mails(reference) == 1


def test_control_characters_on_the_command_line_send_nothing(
    world: World, terminal: Terminal, reference: str, tmp_path: Path
) -> None:
    """The doors of the command line are as tight: order, customer, recipient, attachment."""
    asked = ("create", "49.90 EUR", "--json", "-r")
    with quiet(world):
        order = terminal.type(*asked, reference, "--email", "zoe@example.com\r\nBcc: thief@example.com")
        text = terminal.type(*asked, f"{reference}\n", "-d", "Logo\r\ndesign")

    assert (order.code, text.code) == (2, 2)
    assert [fault["path"] for fault in order.error["faults"]] == ["customer.email"]
    assert [fault["path"] for fault in text.error["faults"]] == ["reference", "description"]
    assert terminal.type(*asked, reference).code == 0
    forged = tmp_path / "Facture\r\nBcc: thief@example.com.pdf"
    _ = forged.write_bytes(PDF)
    with quiet(world):
        to = terminal.type("send", reference, "--json", "--to", "zoe@example.com\nBcc: thief@example.com")
        attached = terminal.type(
            "send", reference, "--json", "--to", "zoe@example.com", "--attach", str(forged)
        )

    assert (to.code, attached.code) == (2, 2)
    assert to.error["faults"][0]["path"] == "to"
    assert CONTROL in attached.error["faults"][0]["fault"]
    assert terminal.type("send", reference, "--to", f"{reference}@example.com").code == 0
    assert world.mails(reference) == 1


def test_a_domain_beyond_ascii_works_as_its_a_label(pay: PayByLink, world: World, reference: str) -> None:
    """An address at an international domain is a good address: it is written to under its A-label, once."""
    customer = Customer(name="Zoé Martin", email=f"{reference}@Bücher.example")
    link = pay.create_link(Order(reference=reference, amount=EURO, customer=customer))
    first = pay.send(link, via="email")
    second = pay.send(link, via="email", to=f"{reference}@xn--bcher-kva.example")

    (mail,) = [each for each in world.sandbox.control.mails() if reference in each.recipients[0]]
    assert first.outcome is Outcome.ACCEPTED
    assert second.id == first.id
    assert mail.recipients == (f"{reference}@xn--bcher-kva.example",)
    assert f"{reference}@xn--bcher-kva.example" in mail.headers["To"]


def test_a_local_part_beyond_ascii_is_refused_and_named(pay: PayByLink, world: World, reference: str) -> None:
    """Many servers cannot deliver to it: the field that holds it is named, nothing is sent, another address works."""
    customer = Customer(name="Zoé Martin", email="zoé@example.com")
    link = pay.create_link(Order(reference=reference, amount=EURO, customer=customer))
    with quiet(world):
        with pytest.raises(InvalidInput) as theirs:
            _ = pay.send(link, via="email")
        with pytest.raises(InvalidInput) as given:
            _ = pay.send(link, via="email", to="zoé@example.com")

    assert told(theirs.value)["customer.email"].startswith("has letters beyond ASCII before the @")
    assert told(given.value)["to"].startswith("has letters beyond ASCII before the @")
    assert pay.deliveries(link) == ()
    assert pay.send(link, via="email", to=f"{reference}@example.com").outcome is Outcome.ACCEPTED
    assert world.mails(reference) == 1


def test_a_sender_beyond_ascii_is_refused_and_named() -> None:
    """The merchant's own address must be one that every server takes."""
    with pytest.raises(SettingsError) as caught:
        _ = SmtpEmail("127.0.0.1", 2525, security="none", sender="Atelier <zoé@atelier.example>")

    assert told(caught.value)["sender"].startswith("has letters beyond ASCII before the @")
    assert SmtpEmail("127.0.0.1", 2525, security="none", sender=SENDER).sender.name == "Atelier"
