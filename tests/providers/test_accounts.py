"""What the settings of all accounts share."""

from __future__ import annotations

from typing import Any

import pytest

from paybylink.errors import Faults, InvalidInput
from paybylink.providers.accounts import (
    as_hosts,
    bare_url,
    check_hosts,
    check_name,
    is_local_base,
    is_loopback,
    leads_to,
    revealed,
    revealed_all,
)


class Secret:
    """As pydantic's `SecretStr` shows itself."""

    def __init__(self, text: object) -> None:
        self._text = text

    def get_secret_value(self) -> object:
        return self._text


@pytest.mark.parametrize(
    ("given", "text"),
    [("sk_1", "sk_1"), (Secret("sk_1"), "sk_1"), (Secret(7), ""), (None, ""), (b"sk_1", "")],
)
def test_a_secret_is_text_or_an_object_that_reveals_it(given: object, text: str) -> None:
    """Anything else is empty, which the adapter's own check names without showing it."""
    assert revealed(given) == text


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("a", ("a",)),
        (Secret("a"), ("a",)),
        (["a", Secret("b"), 7], ("a", "b", "")),
        ((), ()),
        (7, ("",)),
    ],
)
def test_one_secret_or_several(given: object, texts: tuple[str, ...]) -> None:
    """A single one is not taken for its letters."""
    assert revealed_all(given) == texts


def test_addresses_and_hosts_are_tidied() -> None:
    """A slash at the end of an address is dropped; one host is one host."""
    assert bare_url("https://api.example/v1//") == "https://api.example/v1"
    assert as_hosts("pay.example.com") == ("pay.example.com",)
    assert as_hosts(["a.example", "b.example"]) == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("url", "loopback", "base"),
    [
        ("http://127.0.0.1:8000/stripe", True, True),
        ("https://localhost", True, True),
        ("http://[::1]:8000", True, True),
        ("ftp://127.0.0.1", True, False),
        ("http://127.0.0.1:0", False, False),
        ("http://127.0.0.1@evil.example", False, False),
        ("http://user@127.0.0.1", False, False),
        ("http://127.0.0.1.evil.example", False, False),
        ("http://[::1", False, False),
        ("http://127.0.0.1:x", False, False),
    ],
)
def test_this_machine_is_known_by_its_names_only(url: str, loopback: bool, base: bool) -> None:
    """A look-alike, a user in the address or a broken port is somewhere else."""
    assert is_loopback(url) is loopback
    assert is_local_base(url) is base


@pytest.mark.parametrize(
    "name", ["", "Stripe", "stripe fr", "-stripe", "a" * 41, "stripe/fr", "é", None, "stripe\n"]
)
def test_a_name_has_to_fit_into_an_address(name: Any) -> None:
    """It is part of the webhook's path."""
    faults = Faults()

    check_name(faults, name, example="psp-fr")

    with pytest.raises(InvalidInput, match="such as psp-fr") as caught:
        faults.raise_any()
    assert [fault.path for fault in caught.value.faults] == ["name"]


def test_usual_names_and_hosts_are_taken() -> None:
    """Small letters, digits, hyphens, underscores; bare host names."""
    faults = Faults()

    check_name(faults, "stripe-fr_2", example="psp-fr")
    check_hosts(faults, ("pay.example.com", "xn--bcher-kva.example"))

    assert not faults


def test_every_odd_host_is_named() -> None:
    """All of them at once, by their places."""
    faults = Faults()

    check_hosts(faults, ("pay.example.com", "https://pay.example.com", "Pay.Example.com", "localhost", 7))

    with pytest.raises(InvalidInput) as caught:
        faults.raise_any()
    assert [fault.path for fault in caught.value.faults] == [
        f"allowed_hosts[{place}]" for place in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.example.com/p/1?x=%C3%A9#fid",
        "https://PAY.example.com/p/1",
        pytest.param("https://pay.example.com/" + "x" * 1500 + "#" + "y" * 3000, id="long-with-a-fragment"),
    ],
)
def test_an_https_address_on_an_allowed_host_is_believed(url: str) -> None:
    """With a query, a fragment, and long ones as sessions have them."""
    assert leads_to(url, {"pay.example.com"}, loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.example.com/p",
        "https://pay.example.com:8443/p",
        "https://someone@pay.example.com/p",
        "https://pay.example.com.evil.example/p",
        "https://evil.example/pay.example.com",
        "https://pay.example.com\\@evil.example/p",
        "https://pay.example.com/\tp",
        "https://pay.example.com/ p",
        "https://pay.example.com/é",
        "https://pay.example.com:x/p",
        "https:///p",
        "javascript:alert(1)",
        "http://127.0.0.1:8000/p",
        pytest.param("https://pay.example.com/" + "x" * 6000, id="endless"),
    ],
)
def test_any_other_address_is_not(url: str) -> None:
    """Another host, scheme, port or user, characters that parsers drop, or this machine where it is not allowed."""
    assert not leads_to(url, {"pay.example.com"}, loopback=False)


def test_this_machine_is_allowed_only_where_it_is_said() -> None:
    """The sandbox's pages, over http and with a port."""
    assert leads_to("http://127.0.0.1:8000/p", (), loopback=True)
    assert not leads_to("http://someone@127.0.0.1:8000/p", (), loopback=True)
