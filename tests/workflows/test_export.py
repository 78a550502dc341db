"""`export`: the bookings of some days as a file, whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import paybylink.client
from paybylink import InvalidInput, Money, NotFound, PayByLink
from paybylink.accounting.exports.base import FileName, Period, Tally
from paybylink.accounting.ledger import LedgerLine
from paybylink.errors import IntegrityBreach
from paybylink.workflows import merchant

from .world import World

TODAY = dt.datetime.now(dt.UTC).date()
BEFORE, AFTER = TODAY - dt.timedelta(days=2), TODAY + dt.timedelta(days=2)


def booked(world: World, name: str) -> PayByLink:
    """A shop with a payment and a refund in its books."""
    pay = world.shop(name)
    payment = world.paid(pay, pay.create_link(world.order(name)).url)
    _ = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-1")
    return pay


def test_a_period_becomes_a_file_that_balances(world: World, tmp_path: Path) -> None:
    """Into a folder under its own name, or to the file that was named; nothing else is left there."""
    with booked(world, "FILE") as pay:
        own = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path)
        named = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "mine.txt")

        assert own.path.parent == tmp_path
        assert named.path == tmp_path / "mine.txt"
        assert own.path.read_bytes() == named.path.read_bytes()
        assert (own.tally.entries, own.tally.lines) == (2, 4)
        assert own.tally.debit_minor == own.tally.credit_minor == 5990
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted({own.path.name, "mine.txt"})


def test_a_long_ledger_is_read_page_by_page(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file, however many pages it took."""
    with booked(world, "LONG") as pay:
        whole = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "whole.txt")
        monkeypatch.setattr("paybylink.journeys.LEDGER_PAGE", 1)
        paged = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "paged.txt")

        assert paged.path.read_bytes() == whole.path.read_bytes()


def test_what_a_file_cannot_carry_is_said(world: World, tmp_path: Path) -> None:
    """An entry in another currency, for which no rate was given."""
    with world.shop("currency") as pay:
        _ = world.paid(pay, pay.create_link("49.90 USD", reference="CURRENCY").url)
        made = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path)

        assert made.tally.left_out["USD"].entries == 1
        assert any("USD" in warning for warning in made.warnings)


def test_a_ledger_that_does_not_balance_leaves_no_file(world: World, tmp_path: Path) -> None:
    """It is found on the way, and what was there before stays."""

    class Broken:
        """Finds the fault at the end."""

        def file_name(self, period: Period) -> FileName:
            return FileName("broken.txt")

        def write(self, lines: Iterable[LedgerLine], *, period: Period, tally: Tally) -> Iterator[bytes]:
            for line in lines:
                yield line.account.encode()
            raise IntegrityBreach("ledger", {"sum": "is not zero"})

    kept = tmp_path / "broken.txt"
    _ = kept.write_bytes(b"last month")
    with booked(world, "BROKEN") as pay, pytest.raises(IntegrityBreach):
        _ = pay.export(Broken(), since=BEFORE, until=AFTER, to=kept)  # type: ignore[arg-type]

    assert [path.name for path in tmp_path.iterdir()] == ["broken.txt"]
    assert kept.read_bytes() == b"last month"


def test_what_cannot_be_exported_is_refused(world: World, tmp_path: Path) -> None:
    """An unknown format, a moment instead of a day, days in the wrong order."""
    with world.shop("wrong") as pay:
        with pytest.raises(NotFound, match=r"known: .*fec"):
            _ = pay.export("sage", since=BEFORE, until=AFTER, to=tmp_path)
        with pytest.raises(InvalidInput, match="until: is a moment"):
            _ = pay.export("fec", since=BEFORE, until=dt.datetime.now(dt.UTC), to=tmp_path)
        with pytest.raises(InvalidInput, match="exchange the two days"):
            _ = pay.export("fec", since=AFTER, until=BEFORE, to=tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_an_export_can_be_awaited(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, while the loop goes on."""
    with booked(world, "AWAIT-EXPORT") as pay:
        expected = pay.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "sync.txt").path.read_bytes()
    async with world.async_pay_by_link(f"sqlite:///{world.folder}/AWAIT-EXPORT.db") as twin:
        whole = await twin.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "whole.txt")
        monkeypatch.setattr("paybylink.journeys.LEDGER_PAGE", 1)
        paged = await twin.export("fec", since=BEFORE, until=AFTER, to=tmp_path / "paged.txt")

    assert whole.path.read_bytes() == paged.path.read_bytes() == expected


def test_the_rooms_names_are_loaded_on_first_use() -> None:
    """And only those that are there."""
    assert {paybylink.client.AsyncPayByLink.__name__, paybylink.client.AsyncLentPayByLink.__name__} == {
        "AsyncPayByLink",
        "AsyncLentPayByLink",
    }
    assert merchant.Merchant.__name__ == "Merchant"
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        _ = paybylink.client.Nobody
