"""Addresses have one spelling, and a fault never repeats what was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paybylink.channels.addresses import mail_address, phone_number
from paybylink.errors import InvalidInput


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        ("zoe@example.com", "zoe@example.com"),
        (" zoe@example.com ", "zoe@example.com"),
        ("Zoe.M+tag@EXAMPLE.COM", "Zoe.M+tag@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("zoe@BÜCHER.example", "zoe@xn--bcher-kva.example"),
        ("zoe@xn--bcher-kva.example", "zoe@xn--bcher-kva.example"),
    ],
)
def test_mail_address_has_one_spelling(given_address: str, expected: str) -> None:
    """The domain in lower case and as A-label, the local part as it is; once spelled it stays."""
    assert mail_address(given_address) == expected
    assert mail_address(expected) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "zoe",
        "zoe@",
        "@example.com",
        "zoe@localhost",
        "zoe@example.com\n",
        "zoe@example.com\r\nBcc: x@y.example",
        "zo\x00e@example.com",
        "zoe@exa mple.com",
        "Zoe <zoe@example.com>",
        '"zoe m"@example.com',
        "zoe@example.com, max@example.com",
        "z..e@example.com",
        "z" * 65 + "@example.com",
        "zoe@" + "a." * 130 + "com",
        "zoé@example.com",
        "zoe@[127.0.0.1]",
    ],
)
def test_wrong_mail_address_is_refused_without_being_repeated(wrong: str) -> None:
    """The fault has the path, a remedy, and neither the address nor an exception that holds it."""
    with pytest.raises(InvalidInput) as caught:
        _ = mail_address(wrong, path="customer.email")

    (fault,) = caught.value.faults
    assert fault.path == "customer.email"
    assert "zoe" not in str(fault).lower()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_typed_refusal(text: str) -> None:
    """Nothing else comes out, and an address that is taken holds nothing that could break a header or a command."""
    try:
        address = mail_address(text, accept_utf8_local_part=True)
    except InvalidInput:
        return

    assert mail_address(address, accept_utf8_local_part=True) == address
    assert not [char for char in address if char in ' <>,;\r\n"' or ord(char) < 33 or ord(char) == 127]


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("+33 6 12 34 56 78", None),
        ("06 12 34 56 78", "FR"),
        ("+33 (0)6.12.34.56.78", None),
        ("0033612345678", "FR"),
    ],
)
def test_phone_number_has_one_spelling(typed: str, country: str | None) -> None:
    """However it was typed, it becomes E.164."""
    assert phone_number(typed, country=country) == "+33612345678"


@pytest.mark.parametrize("wrong", ["", "06 12 34 56 78", "+33 1", "call me", "+33612345678 OR 1=1" * 5])
def test_wrong_phone_number_is_refused(wrong: str) -> None:
    """A number without its country, or that cannot exist, is named and not repeated."""
    with pytest.raises(InvalidInput) as caught:
        _ = phone_number(wrong)

    assert caught.value.faults[0].path == "phone"
    assert "612345678" not in str(caught.value).replace("+33612345678", "")
