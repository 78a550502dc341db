"""What the sandbox's frame does for every vendor alike: ids of all, amounts side by side, false answers, control."""

from __future__ import annotations

import httpx
import pytest

from paybylink.sandbox import Sandbox, SandboxError
from paybylink.sandbox.iso import iso_units
from paybylink.sandbox.vendors import VENDORS


def test_each_vendor_has_its_own_address(sandbox: Sandbox) -> None:
    """Nobody gets in without a key, and each says so in its own shape."""
    answers = {vendor.name: httpx.get(f"{sandbox.url}/{vendor.name}/nothing") for vendor in VENDORS}

    assert {name: reply.is_error for name, reply in answers.items()} == {
        "stripe": True,
        "adyen": True,
        "mollie": True,
    }
    assert "error" in answers["stripe"].json()
    assert "errorCode" in answers["adyen"].json()
    assert "title" in answers["mollie"].json()


@pytest.mark.parametrize(
    ("minor", "currency", "decimals", "iso"),
    [(4990, "EUR", 2, 4990), (100_000, "CLP", 2, 1000), (100, "CVE", 0, 10_000), (1000, "KWD", 3, 1000)],
)
def test_amounts_of_all_vendors_compare(minor: int, currency: str, decimals: int, iso: int) -> None:
    """Minor units of a vendor become ISO's; one that is finer than the coin is an error, not a rounding."""
    assert iso_units(minor, currency, decimals=decimals) == iso
    with pytest.raises(ValueError, match="no whole amount"):
        _ = iso_units(1, "JPY", decimals=2)


def test_the_control_names_what_is_wrong(sandbox: Sandbox) -> None:
    """An unknown provider, payment page or way to pay, and a dispute over nothing."""
    control = sandbox.control
    for what in (control.links, control.payments, control.refunds):
        with pytest.raises(SandboxError, match="no provider 'paypal'"):
            _ = what("paypal")
    with pytest.raises(SandboxError, match="no payment link"):
        _ = control.pay("none")
    with pytest.raises(SandboxError, match="how is"):
        _ = control.pay("none", how="cash")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(SandboxError, match="whole number"):
        _ = control.dispute("none", amount=0)
    with pytest.raises(SandboxError, match="No delayed payment"):
        _ = control.settle("none")


def test_pages_fail_in_nobodys_shape(sandbox: Sandbox) -> None:
    """A fault on a page that belongs to no vendor's API has a shape of its own, and text is the caller's."""
    _ = sandbox.control.fault("status", "/pay", status=502)
    first, second = (httpx.get(f"{sandbox.url}/pay/none") for _ in range(2))

    assert (first.status_code, first.json()["error"]["status"], second.status_code) == (502, 502, 404)


def test_a_page_that_nobody_can_pay_says_so(sandbox: Sandbox) -> None:
    """A form without a button is asked again; a confirmation of nothing is not found."""
    headers = {"X-API-Key": "AQEsandboxkey"}
    body = {"amount": {"currency": "EUR", "value": 100}, "merchantAccount": "Shop", "reference": "r"}
    link = httpx.post(f"{sandbox.adyen_url}/v72/paymentLinks", json=body, headers=headers).json()

    asked = httpx.post(link["url"], data={"email": "zoe@example.com"})
    done = httpx.get(f"{sandbox.url}/pay/none/done")

    assert (asked.status_code, done.status_code) == (422, 404)
    assert "Choose how to pay" in asked.text
