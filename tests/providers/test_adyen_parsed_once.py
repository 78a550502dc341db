"""Promises about parsing a webhook of Adyen once: what is read is what was verified, and nothing of it is kept."""

from __future__ import annotations

from paybylink.providers.adyen import _webhook

from .adyen_given import NOW, account, item, notification, signed


def body_of(name: str) -> bytes:
    """A signed notification of one recorded item."""
    return notification(signed(item(name)))


def test_what_was_verified_is_read_and_then_forgotten() -> None:
    """The parsed body goes from the check to the reading, and is held no longer."""
    body = body_of("authorisation")
    account().verify({}, body, now=NOW)
    assert _webhook._verified.get() is not None

    first = account().read(body)

    assert _webhook._verified.get() is None
    assert account().read(body) == first


def test_another_body_is_read_for_itself() -> None:
    """Also one that looks alike: only the very object that was verified is taken for it."""
    verified, other = body_of("authorisation"), body_of("refund")
    account().verify({}, verified, now=NOW)

    assert [event.kind for event in account().read(other)] == ["REFUND"]
    assert [event.kind for event in account().read(verified)] == ["AUTHORISATION"]
