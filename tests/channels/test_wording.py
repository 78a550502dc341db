"""What messages say: whole in every language, exact in amounts and moments, open to the merchant's own words."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from attrs import evolve

from paybylink.channels.wording import LANGUAGES, Wording
from paybylink.errors import SettingsError
from paybylink.kinds import Invoice, InvoiceBound, InvoiceType, Reusable
from paybylink.links import LinkStatus, Mode
from paybylink.messages import Purpose
from paybylink.money import Money
from paybylink.orders import Customer, Document

from .mail_given import URL, ZOE, link, occasion, order

ATELIER = Wording(merchant="Atelier", contact="contact@atelier.example", language="fr")

FRENCH = """\
Bonjour Zoé Martin,

Voici le lien pour régler INV-2026-031 en ligne, de façon sécurisée.

De la part de\u00a0: Atelier
Référence\u00a0: INV-2026-031
Objet\u00a0: Logo
Montant\u00a0: 1\u202f049,90\u00a0€
Lien valable jusqu’au\u00a0: 21 juillet 2026 à 17:00 (heure d’été d’Europe centrale)

Payer 1\u202f049,90\u00a0€ – INV-2026-031\u00a0:

https://buy.stripe.com/test_AbC?utm_source=a&x=a+b%20c#fid='d'

Merci de votre confiance.

Une question\u00a0? contact@atelier.example

--{SPACE}
Message automatique envoyé par Atelier.
""".replace("{SPACE}", " ")

ENGLISH = """\
*** TEST – this is a trial: nothing is charged and nothing is owed. ***

Hello Zoé Martin,

As far as we can see, INV-2026-031 has not been paid yet. You can pay online through the link below.

From: Atelier
Reference: INV-2026-031
For: Logo
Amount: €1,049.90
Link valid until: 21 July 2026 at 17:00 (Central European Summer Time)

Pay €1,049.90 – INV-2026-031:

https://buy.stripe.com/test_AbC?utm_source=a&x=a+b%20c#fid='d'

Attached: Invoice 42.pdf

If you have just paid, please ignore this message.

Questions? contact@atelier.example

--{SPACE}
Automatic message sent by Atelier.
""".replace("{SPACE}", " ")


def test_request_in_french() -> None:
    """The whole text part, with its no-break spaces."""
    words = ATELIER.mail(occasion())

    assert words.subject == "Atelier\u00a0: 1\u202f049,90\u00a0€ à régler – INV-2026-031"
    assert words.text == FRENCH


def test_reminder_in_english_in_test_mode_with_a_document() -> None:
    """The whole text part of another purpose, language and mode."""
    words = ATELIER.mail(
        occasion(
            link(mode=Mode.TEST),
            purpose=Purpose.REMINDER,
            language="en-GB",
            attach=(Document(name="Invoice 42.pdf", content=b"%PDF-1.7"),),
        )
    )

    assert words.subject == "[TEST] Reminder from Atelier: €1,049.90 to pay – INV-2026-031"
    assert words.text == ENGLISH


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_is_whole_in_every_language(purpose: Purpose, language: str) -> None:
    """No string is missing, no word is left unfilled, and each purpose has a subject of its own."""
    words = ATELIER.mail(occasion(purpose=purpose, language=language), qr="qr@atelier.example")
    others = [ATELIER.mail(occasion(purpose=other, language=language)).subject for other in Purpose]

    assert words.language == language
    assert words.warnings == ()
    assert others.count(words.subject) == 1
    for text in (words.subject, words.text, re.sub(r"<style>.*?</style>", "", words.html, flags=re.DOTALL)):
        assert not re.search(r"[{}]|None|undefined", text)
    assert "INV-2026-031" in words.text
    assert "Atelier" in words.text


def test_languages_have_the_same_strings_and_the_same_words() -> None:
    """A translation speaks of the same things as the English original."""
    from paybylink.channels.wording._catalogue import catalogue

    english = catalogue("en", None)
    assert english is not None
    for language in LANGUAGES:
        other = catalogue(language, None)
        assert other is not None
        for section, strings in english.sections.items():
            assert other.sections[section].keys() == strings.keys()
            for name, text in strings.items():
                words = [
                    sorted(re.findall(r"{(\w+)}", said)) for said in (text, other.sections[section][name])
                ]
                assert words[0] == words[1], f"{language}.{section}.{name}"
                assert other.sections[section][name].strip()


@pytest.mark.parametrize(
    ("asked", "default", "written", "warned"),
    [
        ("fr-CA", "en", "fr", False),
        ("FR", "en", "fr", False),
        ("en_US", "fr", "en", False),
        ("nl", "fr", "fr", True),
        ("../../etc/passwd", "fr", "fr", True),
        ("", "en", "en", True),
    ],
)
def test_unknown_language_falls_back_to_the_merchants(
    asked: str, default: str, written: str, warned: bool
) -> None:
    """The region is looked for first, then the language, then the merchant's own; a change is warned of."""
    words = evolve(ATELIER, language=default).mail(occasion(language=asked))

    assert words.language == written
    assert bool(words.warnings) is warned


@pytest.mark.parametrize(
    ("money", "language", "expected"),
    [
        (Money.of("49.90", "EUR"), "fr", "49,90\u00a0€"),
        (Money.of("49.90", "EUR"), "en", "€49.90"),
        (Money.of("4990", "JPY"), "fr", "4\u202f990\u00a0JPY"),
        (Money.of("1.234", "KWD"), "fr", "1,234\u00a0KWD"),
        (Money.of("1.250", "IQD"), "en", "IQD1.250"),
        (Money.of("1000.50", "HUF"), "fr", "1\u202f000,50\u00a0HUF"),
    ],
)
def test_amount_shows_the_decimals_that_are_charged(money: Money, language: str, expected: str) -> None:
    """Also where a country's cash habit would hide decimals."""
    assert expected in ATELIER.mail(occasion(link(order(amount=money)), language=language)).text


def test_moment_is_in_the_merchants_zone() -> None:
    """The same moment in Lisbon; a link without expiry says nothing about it."""
    lisbon = evolve(ATELIER, zone="Europe/Lisbon", language="en").mail(occasion(language="en-GB"))
    never = ATELIER.mail(occasion(link(expires_at=None)))

    assert "21 July 2026 at 16:00 (Western European Summer Time)" in lisbon.text
    assert "valable" not in never.text


def test_invoice_shows_its_number_its_due_date_and_what_is_left() -> None:
    """An invoice that was paid in part asks for the rest."""
    invoice = Invoice(
        number="F2026-0042",
        open_amount=Money.of("1049.90", "EUR"),
        due_on=dt.date(2026, 7, 31),
        type=InvoiceType.INVOICE,
    )
    handed = link(
        kind=InvoiceBound(invoice),
        status=LinkStatus.PART_PAID,
        paid_amount=Money.of("1000", "EUR"),
        payments=1,
    )
    text = ATELIER.mail(occasion(handed)).text

    assert "Facture\u00a0: F2026-0042" in text
    assert "Échéance\u00a0: 31 juillet 2026" in text
    assert "Montant\u00a0: 49,90\u00a0€" in text


def test_receipt_names_what_was_paid() -> None:
    """The paid amount for one payer; for a link of many, what each of them pays."""
    paid = link(status=LinkStatus.PAID, paid_amount=Money.of("1050", "EUR"), payments=1)
    many = link(kind=Reusable(), paid_amount=Money.of("9999", "EUR"), payments=9)

    assert "1\u202f050,00" in ATELIER.mail(occasion(paid, purpose=Purpose.RECEIPT)).text
    assert "1\u202f049,90" in ATELIER.mail(occasion(many, purpose=Purpose.RECEIPT)).text


@pytest.mark.parametrize(
    ("language", "minimum", "told"),
    [
        pytest.param("fr", None, "Payer un montant de votre choix – ", id="fr-any"),
        pytest.param("fr", "5", "un montant de votre choix à partir de 5,00\u00a0€", id="fr-from"),
        pytest.param("en", "5", "an amount of your choice from €5.00", id="en-from"),
    ],
)
def test_payer_who_chooses_is_told_no_amount(language: str, minimum: str | None, told: str) -> None:
    """The order's amount is a suggestion then, in a mail as in a text to share."""
    least = None if minimum is None else Money.of(minimum, "EUR")
    chosen = link(kind=Reusable(payer_chooses=True, minimum=least))

    mail = ATELIER.mail(occasion(chosen, language=language))
    shared = ATELIER.share(chosen, language=language)

    assert told in mail.text
    for text in (mail.text, mail.subject, mail.html, shared.text):
        assert "49" not in text.replace(chosen.url, "")


def test_refund_names_no_amount() -> None:
    """How much goes back is not known to the message, so it names none rather than a wrong one."""
    words = ATELIER.mail(occasion(purpose=Purpose.REFUND))

    assert "049,90" not in words.text + words.html + words.subject


def test_html_is_accessible_and_safe_in_the_dark() -> None:
    """Language, title, one heading, named rows, a QR code on white with its alternative, no remote content."""
    page = ATELIER.mail(occasion(language="fr-CA"), qr="qr@atelier.example").html

    assert '<html lang="fr-CA" dir="ltr">' in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert page.count("<h1") == 1
    assert re.search(r"<title>[^<]+</title>", page)
    assert page.count('<th scope="row"') == 5
    assert 'bgcolor="#ffffff"' in page
    assert 'alt="QR code du lien de paiement"' in page
    assert re.search(r">Payer 1\u00a0049,90\u00a0€ – INV-2026-031</a>", page)
    assert "max-width:600px" in page
    assert not re.search(r"<script|<link|src=\"http|url\(", page)
    assert len(page.encode()) < 20_000
    for table in re.findall(r"<table[^>]*>", page):
        assert 'role="presentation"' in table or 'class="line"' in table


def test_share_text_ends_with_the_url_and_costs_one_alphabet() -> None:
    """GSM letters only, so that an SMS is not paid twice; TEST is said first."""
    gsm = set("@£$¥èéùìòÇ\nØøÅåÆæßÉ !\"#%&'()*+,-./0123456789:;<=>?ÄÖÑÜ§¿äöñüà€[]_") | {
        chr(code) for code in (*range(65, 91), *range(97, 123))
    }
    asked = order(customer=evolve(ZOE, name="Zoé"))
    for language in LANGUAGES:
        for mode in Mode:
            words = ATELIER.share(link(asked, mode=mode), language=language)
            *said, last = words.text.split("\n")

            assert last == URL
            assert not set("\n".join(said) + words.subject) - gsm
            assert words.text.startswith("[TEST]") is (mode is Mode.TEST)


def test_share_text_in_french() -> None:
    """Who asks for what, until when, and where."""
    assert ATELIER.share(link()).text == (
        "Bonjour Zoé Martin,\n"
        "Atelier : 1 049,90 € à régler - INV-2026-031\n"
        "Lien valable jusqu'au 21 juillet 2026 à 17:00 (UTC+2) :\n" + URL
    )
    assert Wording().share(link(order(customer=None), expires_at=None)).text == (
        "Hello,\n€1,049.90 to pay - INV-2026-031\nPayment link:\n" + URL
    )


def test_merchant_may_change_one_string(tmp_path: Path) -> None:
    """A file with one string changes that one and leaves the rest; words from outside stay escaped."""
    _ = (tmp_path / "fr.toml").write_text('[request]\nclosing = "À bientôt <{merchant}> !"\n', "utf-8")
    words = evolve(ATELIER, overrides=tmp_path, merchant="A & B").mail(occasion())

    assert "À bientôt <A & B> !" in words.text
    assert "À bientôt &lt;A &amp; B&gt; !" in words.html
    assert "Voici le lien" in words.text


def test_merchant_may_change_a_layout(tmp_path: Path) -> None:
    """The most particular layout wins."""
    _ = (tmp_path / "email.txt.j2").write_text("all: {{ say.title }}\n", "utf-8")
    _ = (tmp_path / "receipt.txt.j2").write_text("thanks\n", "utf-8")
    (tmp_path / "fr").mkdir()
    _ = (tmp_path / "fr" / "receipt.txt.j2").write_text("merci {{ say.footer }}\n", "utf-8")
    own = evolve(ATELIER, overrides=tmp_path)

    assert own.mail(occasion()).text == "all: Votre paiement\u00a0: 1\u202f049,90\u00a0€\n"
    assert own.mail(occasion(purpose=Purpose.RECEIPT)).text.startswith("merci Message automatique")
    assert own.mail(occasion(purpose=Purpose.RECEIPT, language="en")).text == "thanks\n"


def test_merchant_may_add_a_language(tmp_path: Path) -> None:
    """A whole file is a language; a part of one names what is missing."""
    import paybylink.channels.wording as home

    english = (Path(home.__file__).parent / "strings" / "en.toml").read_text("utf-8")
    _ = (tmp_path / "de.toml").write_text(english.replace("Hello", "Guten Tag"), "utf-8")
    _ = (tmp_path / "nl.toml").write_text('[common]\ngreeting = "Dag,"\n', "utf-8")
    own = evolve(ATELIER, overrides=tmp_path)
    words = own.mail(occasion(language="de-AT"))

    assert (words.language, words.warnings) == ("de", ())
    assert "Guten Tag Zoé Martin" in words.text
    assert "€ 1.049,90" in words.text.replace("\u00a0", " ")
    with pytest.raises(SettingsError, match=r"wording\.nl\.common\.greeting_named: is missing"):
        _ = own.mail(occasion(language="nl"))


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "fr.toml",
            "[request]\nsubjet = 'x'",
            r"wording\.fr\.request\.subjet: is a string that is never used",
        ),
        (
            "fr.toml",
            "[requests]\ntitle = 'x'",
            r"wording\.fr\.requests\.title: is a string that is never used",
        ),
        ("fr.toml", "request = 'x'", r"wording\.fr\.request: is a string that is never used"),
        ("fr.toml", "[request]\nsubject = '{montant}'", r"speaks of \{montant\}"),
        ("fr.toml", "[request]\nsubject = '{name.__class__}'", r"speaks of \{name\.__class__\}"),
        ("fr.toml", "[request]\nsubject = '{'", "brace without its partner"),
        ("fr.toml", '[request]\nsubject = "a\\nBcc: x"', "no text on one line"),
        ("fr.toml", "[request]\nsubject = 3", "no text on one line"),
        ("fr.toml", "[request", r"fr\.toml cannot be read"),
        ("email.html.j2", "{% if %}", r"email\.html\.j2: line 1"),
        ("email.txt.j2", "{{ nothing }}", r"email\.txt\.j2: 'nothing' is undefined"),
    ],
)
def test_wrong_override_is_named(file: str, text: str, told: str, tmp_path: Path) -> None:
    """A slip in the merchant's own files is an error with its place, never a broken mail."""
    _ = (tmp_path / file).write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=told):
        _ = Wording(merchant="Atelier", overrides=tmp_path, language="fr").mail(occasion())


def test_wrong_setting_is_named() -> None:
    """Every fault of the merchant's own settings at once."""
    with pytest.raises(SettingsError) as caught:
        _ = Wording(merchant="a\nb", contact="\x00", zone="Mars/Olympus", overrides=Path("/nowhere/at/all"))

    assert [fault.path for fault in caught.value.faults] == [
        "wording.merchant",
        "wording.contact",
        "wording.zone",
        "wording.overrides",
    ]
    with pytest.raises(SettingsError, match=r"wording\.language: has no strings here"):
        _ = Wording(language="tlh")


def test_nobody_is_greeted_without_a_name() -> None:
    """An order without a customer is greeted plainly."""
    assert ATELIER.mail(occasion(link(order(customer=Customer())))).text.startswith("Bonjour,\n")
