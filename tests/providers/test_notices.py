"""Promises about what a provider tells: who paid and where he pays are not printed."""

from __future__ import annotations

import datetime as dt

from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import PaymentStatus
from paybylink.providers.notices import Payer, PaymentNotice, ProviderEvent, VendorLink, VendorLinkStatus

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_payers_are_not_printed() -> None:
    """Name and address of whoever paid stand in no repr, not even inside an event's; his country may."""
    notice = PaymentNotice(
        vendor_id="pay_1",
        amount=Money(4990, "EUR"),
        status=PaymentStatus.SUCCEEDED,
        at=NOW,
        mode=Mode.TEST,
        payer=Payer(name="MARKED", email="MARKED@example.com", country="FR"),
    )
    event = ProviderEvent(event_id="evt_1", kind="paid", at=NOW, mode=Mode.TEST, notice=notice)

    assert "MARKED" not in repr(event)
    assert "country='FR'" in repr(event)


def test_addresses_of_links_are_not_printed() -> None:
    """Whoever has the address can open the page, so it stands in no repr."""
    link = VendorLink(
        vendor_id="link_1",
        url="https://pay.vendor.example/MARKED",
        status=VendorLinkStatus.OPEN,
        mode=Mode.TEST,
    )

    assert "MARKED" not in repr(link)
