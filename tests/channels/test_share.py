"""Sharing by hand: every address opens the right application with exactly the words and the URL."""

from __future__ import annotations

import json
import struct
import zlib
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.channels import qr
from paybylink.channels.share import Share
from paybylink.channels.wording import Wording
from paybylink.errors import InvalidInput

from .mail_given import URL, ZOE, link, order

SHARE = Share(link=link(), wording=Wording(merchant="Atelier"))


def test_whatsapp_with_and_without_a_number() -> None:
    """Digits only for a number as typed; without one the sender picks the contact."""
    assert SHARE.whatsapp("+33 (0)6 12 34 56 78").startswith(
        "https://wa.me/33612345678?text=Bonjour%20Zo%C3%A9"
    )
    assert SHARE.whatsapp("06 12 34 56 78").startswith("https://wa.me/33612345678?text=")
    assert SHARE.whatsapp().startswith("https://wa.me/?text=Bonjour%20")


def test_vector_of_the_encoding() -> None:
    """Spaces, line breaks, the euro sign, a plus and an ampersand, exactly."""
    asked = order(reference="1042", customer=evolve(ZOE, name="Zoé"))
    handed = link(asked, url="https://buy.stripe.com/test_abc?utm_source=wa&x=a+b", expires_at=None)

    assert Share(link=handed).whatsapp("+33612345678") == (
        "https://wa.me/33612345678?text=Bonjour%20Zo%C3%A9%2C%0A1%20049%2C90%20%E2%82%AC%20%C3%A0%20r%C3%A9gler%20-%201042%0A"
        "Lien%20de%20paiement%20%3A%0Ahttps%3A%2F%2Fbuy.stripe.com%2Ftest_abc%3Futm_source%3Dwa%26x%3Da%2Bb"
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=40))
def test_every_address_decodes_to_the_text(name: str) -> None:
    """Whatever is in the text, each address carries exactly it, in characters that every application takes."""
    share = Share(link=link(order(description=name, reference="R-1", customer=evolve(ZOE, name=name))))
    text = share.text()
    whatsapp, sms, mail = share.whatsapp(), share.sms("+33612345678"), share.mailto("a+b@example.com")

    assert unquote(whatsapp.removeprefix("https://wa.me/?text=")) == text
    assert unquote(sms.removeprefix("sms:+33612345678?&body=")) == text
    assert parse_qs(urlsplit(mail).query, keep_blank_values=True)["body"] == [text.replace("\n", "\r\n")]
    for address in (whatsapp, sms, mail):
        assert address.isascii()
        assert not set(address) & set(" +<>\"'\n") - {"+" if address is sms else ""}


def test_mailto_names_the_recipient_and_the_subject() -> None:
    """RFC 6068: the address is encoded but for its @, lines end with CRLF."""
    assert SHARE.mailto("a+b&c@EXÄMPLE.fr").startswith(
        "mailto:a%2Bb%26c@xn--exmple-cua.fr?subject=Atelier%20%3A%20"
    )
    assert "%0D%0A" in SHARE.mailto()
    assert SHARE.mailto().startswith("mailto:?subject=")


def test_sms_without_a_number() -> None:
    """The sender picks the recipient."""
    assert SHARE.sms().startswith("sms:?&body=Bonjour")


def test_wrong_recipient_is_refused() -> None:
    """A number that cannot exist and an address that is none are named."""
    with pytest.raises(InvalidInput, match="phone"):
        _ = SHARE.whatsapp("12")
    with pytest.raises(InvalidInput, match="phone"):
        _ = SHARE.sms("call")
    with pytest.raises(InvalidInput, match="address"):
        _ = SHARE.mailto("zoe")


def test_language_is_asked_for_chosen_or_the_customers() -> None:
    """The call wins over the share, the share over the customer, the customer over the merchant."""
    plain = link(order(customer=None))

    assert SHARE.text().startswith("Bonjour")
    assert SHARE.text("en").startswith("Hello")
    assert Share(link=link(), language="en").text().startswith("Hello")
    assert Share(link=plain).text().startswith("Hello")
    assert Share(link=plain, wording=Wording(language="fr")).text().startswith("Bonjour")


def test_dictionary_is_json() -> None:
    """Every way in one answer of an API; the URL is byte for byte the link's."""
    ways = json.loads(json.dumps(SHARE.as_dict()))

    assert list(ways) == ["url", "text", "whatsapp", "sms", "mailto"]
    assert ways["url"] == SHARE.url == URL
    assert ways["text"].endswith("\n" + URL)


def test_share_does_not_print_the_link() -> None:
    """Whoever holds the URL can pay, so it is in no repr."""
    assert "stripe.com" not in repr(SHARE)


def modules(png: bytes, scale: int) -> list[str]:
    """The code in a PNG of one bit for each pixel, a letter for each module."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, data, width = 8, b"", 0
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, chunk = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            assert (depth, width) == (1, height)
            assert colour in (0, 3)
        data += chunk if kind == b"IDAT" else b""
        place += 12 + length
    rows, raw = [], zlib.decompress(data)
    size = 1 + (width + 7) // 8
    for top in range(0, len(raw), size * scale):
        bits = "".join(f"{byte:08b}" for byte in raw[top + 1 : top + size])
        rows.append(bits[:width:scale])
    return rows


def test_png_is_dark_on_light_with_a_quiet_zone() -> None:
    """Four light modules on each side, at the scale that was asked for, the finder pattern dark."""
    rows = modules(SHARE.qr_png(scale=3), 3)
    light = rows[0][0]

    assert set(rows[0] + rows[3]) == {light}
    assert all(set(row[:4] + row[-4:]) == {light} for row in rows)
    assert light not in rows[4][4:11]
    assert len(rows) == len(rows[0]) == qr._code(URL).symbol_size()[0]


def test_svg_is_an_element_with_a_name() -> None:
    """For pages: no XML declaration, no fixed size, light written out, the language's title."""
    svg = SHARE.qr_svg()

    assert svg.startswith("<svg ")
    assert "viewBox" in svg
    assert "width=" not in svg.partition(">")[0]
    assert "<title>QR code du lien de paiement</title>" in svg
    assert 'fill="#fff"' in svg


def test_terminal_shows_the_code() -> None:
    """Lines of one width, of blocks and spaces only."""
    lines = SHARE.qr_terminal().rstrip("\n").split("\n")

    assert len(lines) > 15
    assert set("".join(lines)) <= set("█▀▄ \u00a0")


def test_short_url_is_no_micro_code() -> None:
    """Phones cannot read Micro QR codes."""
    assert not qr._code("https://a.b").is_micro


def test_code_is_drawn_once_for_each_url_and_few_are_kept() -> None:
    """The same URL costs once; the memory for codes is bounded."""
    qr.qr_png.cache_clear()
    for _ in range(3):
        _ = qr.qr_png(URL)
    info = qr.qr_png.cache_info()

    assert (info.misses, info.hits) == (1, 2)
    assert info.maxsize is not None


def test_url_too_long_to_scan_is_refused() -> None:
    """The remedy is a shorter URL, not a code that no phone reads."""
    for url in ("", "https://a.example/" + "x" * 2000):
        with pytest.raises(InvalidInput, match="public_url"):
            _ = qr.qr_png(url)
