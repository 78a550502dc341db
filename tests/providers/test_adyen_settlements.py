"""Adyen's settlement details reports: read exactly, in constant memory, and downloaded from Adyen only."""

from __future__ import annotations

import base64
import datetime as dt
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from paybylink.errors import InvalidInput, ProviderError
from paybylink.flow import Retry
from paybylink.money import Money
from paybylink.providers.adyen import read_settlement
from paybylink.providers.base import BalanceItem, BalanceKind
from paybylink.testing import script

from .adyen_given import ACCOUNT, account, drive, reply, sending

HEADER = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,"
    "Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),"
    "Payment Method Variant,Modification Merchant Reference,Batch Number,Reserved4"
)
COLUMNS = HEADER.split(",")

SETTLED = {
    "Company Account": "ExampleCompany",
    "Merchant Account": ACCOUNT,
    "Psp Reference": "7914073381342284",
    "Merchant Reference": "pbl-L-A",
    "Payment Method": "visa",
    "Creation Date": "2026-01-02 11:26:49",
    "TimeZone": "CET",
    "Type": "Settled",
    "Modification Reference": "7914073381342285",
    "Gross Currency": "EUR",
    "Gross Credit (GC)": "5.00",
    "Exchange Rate": "1",
    "Net Currency": "EUR",
    "Net Credit (NC)": "4.88",
    "Markup (NC)": "0.04",
    "Scheme Fees (NC)": "0.01",
    "Interchange (NC)": "0.07",
    "Batch Number": "4",
}
OWN = {"Psp Reference": "", "Merchant Reference": "", "Payment Method": "", "Markup (NC)": ""}
BARE = {
    **OWN,
    "Gross Currency": "",
    "Gross Credit (GC)": "",
    "Exchange Rate": "",
    "Scheme Fees (NC)": "",
    "Interchange (NC)": "",
    "Net Credit (NC)": "",
}


def report(*rows: dict[str, str], columns: list[str] = COLUMNS) -> str:
    """A report with `rows`, each told by what differs from a settled payment."""
    lines = [",".join(columns)]
    lines += [",".join({**SETTLED, **row}.get(name, "") for name in columns) for row in rows]
    return "\r\n".join(lines) + "\r\n"


def items(text: str, **settings: Any) -> list[BalanceItem]:
    """What a report says."""
    return list(read_settlement(io.StringIO(text, newline=""), provider="adyen", **settings))


def fault(text: str | bytes) -> str:
    """Why a report cannot be read."""
    given = text if isinstance(text, bytes) else io.StringIO(text, newline="")
    with pytest.raises(InvalidInput) as caught:
        _ = list(read_settlement(given, provider="adyen"))
    return str(caught.value)


def test_a_settled_payment_is_gross_fee_and_net() -> None:
    """The fee is commission, markup, scheme fees and interchange together."""
    assert items(report({})) == [
        BalanceItem(
            provider="adyen",
            vendor_id="4:Settled:7914073381342284:7914073381342285",
            kind=BalanceKind.PAYMENT,
            vendor_kind="Settled",
            gross=Money(500, "EUR"),
            fee=Money(12, "EUR"),
            net=Money(488, "EUR"),
            at=dt.datetime(2026, 1, 2, 10, 26, 49, tzinfo=dt.UTC),
            payment_vendor_id="7914073381342284",
            payout_vendor_id="4",
        )
    ]


@pytest.mark.parametrize(
    ("row", "kind", "gross", "fee", "net"),
    [
        pytest.param(
            {
                "Type": "Refunded",
                "Gross Debit (GC)": "5.00",
                "Gross Credit (GC)": "",
                "Net Debit (NC)": "5.12",
                "Net Credit (NC)": "",
            },
            BalanceKind.REFUND,
            -500,
            12,
            -512,
            id="refund",
        ),
        pytest.param(
            {
                "Type": "Chargeback",
                "Gross Debit (GC)": "349.99",
                "Gross Credit (GC)": "",
                "Net Debit (NC)": "357.49",
                "Net Credit (NC)": "",
                "Commission (NC)": "7.5",
                "Markup (NC)": "",
                "Scheme Fees (NC)": "",
                "Interchange (NC)": "",
            },
            BalanceKind.DISPUTE,
            -34999,
            750,
            -35749,
            id="chargeback",
        ),
        pytest.param(
            {
                **BARE,
                "Type": "Fee",
                "Modification Reference": "Transaction Fees January",
                "Net Debit (NC)": "1.20",
            },
            BalanceKind.FEE,
            -120,
            0,
            -120,
            id="fee",
        ),
        pytest.param(
            {**BARE, "Type": "MerchantPayout", "Modification Reference": "TX1", "Net Debit (NC)": "3.68"},
            BalanceKind.PAYOUT,
            -368,
            0,
            -368,
            id="payout",
        ),
        pytest.param(
            {**BARE, "Type": "DepositCorrection", "Net Credit (NC)": "10"},
            BalanceKind.ADJUSTMENT,
            1000,
            0,
            1000,
            id="correction",
        ),
        pytest.param(
            {**BARE, "Type": "Balancetransfer", "Net Credit (NC)": "10"},
            BalanceKind.UNKNOWN,
            1000,
            0,
            1000,
            id="unknown-type",
        ),
    ],
)
def test_each_type_of_row_has_its_kind_and_the_balances_sign(
    row: dict[str, str], kind: BalanceKind, gross: int, fee: int, net: int
) -> None:
    """A type that nobody knows is handed on, since a sum without it would be wrong."""
    (item,) = items(report(row))

    assert (item.kind, item.vendor_kind) == (kind, row["Type"])
    assert (item.gross.minor, item.fee.minor, item.net.minor) == (gross, fee, net)


def test_refunds_and_disputes_name_themselves() -> None:
    """By the reference of the modification, beside that of the payment."""
    debit = {
        "Gross Debit (GC)": "5",
        "Gross Credit (GC)": "",
        "Net Debit (NC)": "5.12",
        "Net Credit (NC)": "",
    }

    refund, dispute = items(report({"Type": "Refunded", **debit}, {"Type": "Chargeback", **debit}))

    assert (refund.refund_vendor_id, refund.dispute_vendor_id) == ("7914073381342285", "")
    assert (dispute.refund_vendor_id, dispute.dispute_vendor_id) == ("", "7914073381342285")
    assert refund.payment_vendor_id == dispute.payment_vendor_id == "7914073381342284"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("RefundedReversed", BalanceKind.REFUND_FAILED),
        ("ChargebackReversed", BalanceKind.DISPUTE_REVERSED),
        ("SecondChargeback", BalanceKind.DISPUTE),
    ],
)
def test_what_undoes_a_movement_is_named_after_its_webhook(word: str, kind: BalanceKind) -> None:
    """With the refund or dispute that it undoes."""
    (item,) = items(report({"Type": word}))

    assert item.kind is kind
    assert item.refund_vendor_id + item.dispute_vendor_id == "7914073381342285"


def test_equal_rows_about_no_payment_are_told_apart() -> None:
    """Two fees of one month in one batch are two movements, with the same ids in every download."""
    fee = {**BARE, "Type": "Fee", "Modification Reference": "Fees", "Net Debit (NC)": "1"}

    ids = [item.vendor_id for item in items(report(fee, fee, {}, fee))]

    assert ids == [
        "4:Fee::Fees",
        "4:Fee::Fees:2",
        "4:Settled:7914073381342284:7914073381342285",
        "4:Fee::Fees:3",
    ]


def test_a_converted_payment_keeps_what_was_paid() -> None:
    """Its gross is told in the currency of the balance, as net and fee together."""
    (item,) = items(report({"Gross Currency": "USD", "Gross Credit (GC)": "5.55", "Exchange Rate": "0.9"}))

    assert (item.gross, item.fee, item.net) == (Money(500, "EUR"), Money(12, "EUR"), Money(488, "EUR"))
    assert item.original == Money(555, "USD")


def test_a_converted_refund_is_negative_in_both_currencies() -> None:
    """The sign is the balance's."""
    debit = {
        "Gross Debit (GC)": "600",
        "Gross Credit (GC)": "",
        "Net Debit (NC)": "5.12",
        "Net Credit (NC)": "",
    }

    (item,) = items(report({"Type": "Refunded", "Gross Currency": "JPY", **debit}))

    assert (item.gross, item.original) == (Money(-500, "EUR"), Money(-600, "JPY"))


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("JPY", "500", 500),
        ("JPY", "500.00", 500),
        ("ISK", "500.00", 500),
        ("CVE", "100", 10000),
        ("IDR", "15000.0", 1500000),
        ("CLP", "1000.00", 1000),
        ("KWD", "1.234", 1234),
        ("EUR", "0.1", 10),
        ("BGN", "1.95", 195),
    ],
)
def test_decimals_are_read_exactly_in_adyens_units(currency: str, text: str, minor: int) -> None:
    """Where Adyen counts otherwise than ISO 4217, its table leads."""
    row = {**BARE, "Type": "Fee", "Net Currency": currency, "Net Credit (NC)": text}

    (item,) = items(report(row))

    assert item.net == Money.read(minor, currency)


def test_columns_are_found_by_name() -> None:
    """In any order, with more of them, after a byte order mark and blank lines."""
    columns = [*reversed(COLUMNS), "Booking Date"]

    assert items("\ufeff" + report({}, columns=columns) + "\r\n\r\n") == items(report({}))


def test_cells_may_be_quoted() -> None:
    """A comma or a line break in a reference of the merchant's moves no column."""
    text = report({"Merchant Reference": '"shop, order ""7""\r\nof May"'}, {"Type": "Odd"})

    assert [item.vendor_kind for item in items(text)] == ["Settled", "Odd"]


@pytest.mark.parametrize(
    ("zone", "hour"), [("CEST", 9), ("CET", 10), ("UTC", 11), ("PST", 19), ("BST", 10), ("AEDT", 0)]
)
def test_moments_are_in_the_accounts_zone(zone: str, hour: int) -> None:
    """And become UTC."""
    (item,) = items(report({"TimeZone": zone}))

    assert (item.at.hour, item.at.tzinfo) == (hour, dt.UTC)


def test_a_zone_that_is_not_known_is_given_by_the_reader() -> None:
    """An abbreviation that means several zones is never guessed."""
    text = report({"TimeZone": "IST"})

    assert "line 2, TimeZone" in fault(text)
    (item,) = items(text, zone=ZoneInfo("Asia/Kolkata"))
    assert (item.at.hour, item.at.minute) == (5, 56)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"Gross Credit (GC)": "5,00"}, "line 3"),
        ({"Gross Credit (GC)": "five"}, "line 3, Gross Credit (GC)"),
        ({"Markup (NC)": "0.001"}, "line 3, Markup (NC)"),
        ({"Net Credit (NC)": "4.87"}, "line 3, Net Credit (NC)"),
        ({"Interchange (NC)": "0.08"}, "line 3, Net Credit (NC)"),
        ({"Net Debit (NC)": "1e3"}, "line 3, Net Debit (NC)"),
        ({"Net Debit (NC)": "9" * 19}, "line 3, Net Debit (NC)"),
        ({"Net Debit (NC)": "9" * 18}, "line 3, Net Debit (NC)"),
        ({"Net Currency": "XYZ"}, "line 3, Net Currency"),
        ({"Net Currency": ""}, "line 3, Net Currency"),
        ({"Gross Currency": "AFN"}, "line 3, Gross Currency"),
        ({"Creation Date": "02/01/2026"}, "line 3, Creation Date"),
        ({"Creation Date": "0001-01-01 00:00:00"}, "line 3, Creation Date"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_cell_that_cannot_be_read_is_named(row: dict[str, str], where: str) -> None:
    """By line and column; nothing is guessed, rounded or left out."""
    assert where in fault(report({}, row))


def test_what_came_before_a_bad_row_was_read() -> None:
    """Rows are handed on as they are read."""
    rows = read_settlement(io.StringIO(report({}, {"TimeZone": "?"})), provider="adyen")

    assert next(rows).kind is BalanceKind.PAYMENT
    with pytest.raises(InvalidInput):
        _ = next(rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "report"),
        ("\r\n\r\n", "report"),
        ("Psp Reference;Type\r\n", "line 1"),
        ("Psp Reference,Type\r\nx,y\r\n", "line 1"),
        (report({}) + "short,row\r\n", "line 3"),
        (report({}) + '"' + "x" * 200_000 + "\r\n", "line 3"),
        (b"\xff\xfe\x00", "after line 0"),
        (report({}).encode() + b"\xff\xff\r\n", "after line"),
    ],
    ids=["empty", "blank", "semicolons", "missing", "short", "endless-cell", "utf-16", "bad-byte"],
)
def test_what_is_no_report_is_refused(text: str | bytes, said: str) -> None:
    """With the line, and what to do."""
    assert said in fault(text)


def test_missing_columns_are_all_named() -> None:
    """So that they can be added to the report at once."""
    told = fault(
        report({}, columns=[name for name in COLUMNS if name not in ("Batch Number", "Markup (NC)")])
    )

    assert "Markup (NC), Batch Number" in told


def test_a_report_may_be_bytes_a_file_or_lines(tmp_path: Path) -> None:
    """Whatever is at hand."""
    text = report({}, {})
    path = tmp_path / "report.csv"
    _ = path.write_bytes(text.encode("utf-8-sig"))
    expected = items(text)

    assert list(read_settlement(path.read_bytes(), provider="adyen")) == expected
    assert list(read_settlement(text.splitlines(keepends=True), provider="adyen")) == expected
    with path.open(newline="", encoding="utf-8-sig") as file:
        assert list(read_settlement(file, provider="adyen")) == expected


def test_a_long_report_is_read_in_constant_memory() -> None:
    """Ten times as many rows take no more room."""

    def peak(rows: int) -> int:
        line = report({}).splitlines(keepends=True)

        def lines() -> Iterator[str]:
            yield line[0]
            for _ in range(rows):
                yield line[1]

        tracemalloc.start()
        for _ in read_settlement(lines(), provider="adyen"):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    _ = peak(10)
    assert peak(1000) < peak(100) + 50_000


# Downloads

REPORTS = {"report_user": "report@Company.Example", "report_password": "MARKEDpassword"}
SINCE, UNTIL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 2, 1, tzinfo=dt.UTC)


def test_a_poll_asks_for_one_batch_after_the_other() -> None:
    """From the first batch of the settings on, until there is none yet; with the user for reports."""
    provider = account(**REPORTS, report_first_batch=4)
    text = report({}, {"Creation Date": "2025-12-31 11:00:00"}, {"Creation Date": "2026-02-01 01:00:00"})

    page, (request,) = drive(provider.settlements(since=SINCE, until=UNTIL), reply(text.encode()))
    last, (second,) = drive(provider.settlements(since=SINCE, until=UNTIL, after=page.after), reply(b"", 404))

    assert [item.at.day for item in page.items] == [2]
    assert (page.after, last.items, last.after) == ("5", (), "")
    folder = f"https://ca-test.adyen.com/reports/download/MerchantAccount/{ACCOUNT}"
    assert str(request.url) == f"{folder}/settlement_detail_report_batch_4.csv"
    assert str(second.url) == f"{folder}/settlement_detail_report_batch_5.csv"
    token = base64.b64encode(b"report@Company.Example:MARKEDpassword").decode()
    assert request.headers["authorization"] == f"Basic {token}"
    assert "x-api-key" not in request.headers
    assert sending(request).retry is Retry.SAFE


@pytest.mark.parametrize(
    ("status", "standard"),
    [
        (401, "unauthorised"),
        (403, "forbidden"),
        (418, "refused"),
        (302, "unexpected_answer"),
        (503, "unavailable"),
    ],
)
def test_a_report_that_is_not_given_says_why(status: int, standard: str) -> None:
    """Without the password, and without what was answered."""
    with pytest.raises(ProviderError) as caught:
        _ = script(account(**REPORTS).settlements(since=SINCE, until=UNTIL), [reply(b"Marked", status)])

    assert (caught.value.standard_code, caught.value.status) == (standard, status)
    assert not {"Marked", "MARKED"} & set(str(caught.value).split())


@pytest.mark.parametrize("after", ["x", "-1", "1" * 10, "١"])
def test_a_page_that_no_poll_has_named_is_refused(after: str) -> None:
    """Only a batch number comes back."""
    with pytest.raises(InvalidInput):
        _ = script(account(**REPORTS).settlements(since=SINCE, until=UNTIL, after=after), ())


def test_a_report_is_downloaded_from_the_address_in_a_webhook() -> None:
    """Byte for byte."""
    url = f"https://ca-test.adyen.com/reports/download/MerchantAccount/{ACCOUNT}/x.csv"

    content, (request,) = drive(account(**REPORTS).download_report(url), reply(b"a,b\r\n"))

    assert (content, str(request.url)) == (b"a,b\r\n", url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/reports/download/x.csv",
        "https://ca-live.adyen.com/reports/download/x.csv",
        "http://ca-test.adyen.com/reports/download/x.csv",
        "https://ca-test.adyen.com.evil.example/reports/download/x.csv",
        "https://ca-test.adyen.com@evil.example/reports/download/x.csv",
        "https://ca-test.adyen.com:444/reports/download/x.csv",
        "https://ca-test.adyen.com/other/x.csv",
        "http://127.0.0.1/reports/download/x.csv",
        "https://ca-test.adyen.com/reports/download/é.csv",
        "file:///etc/passwd",
        "",
        None,
    ],
)
def test_the_report_password_goes_to_adyen_only(url: Any) -> None:
    """The address in a webhook is not signed."""
    with pytest.raises(InvalidInput):
        _ = script(account(**REPORTS).download_report(url), ())


def test_a_live_account_downloads_from_the_live_host() -> None:
    """And from no other."""
    provider = account(**REPORTS, platform="live", live_prefix="p")

    _, (request,) = drive(provider.settlements(since=SINCE, until=UNTIL), reply(b"", 404))

    assert request.url.host == "ca-live.adyen.com"


def test_a_sandbox_is_asked_for_its_own_reports() -> None:
    """At its own address, and no other one on this machine."""
    provider = account(**REPORTS, base_url="http://127.0.0.1:8080/adyen")

    _, (request,) = drive(provider.settlements(since=SINCE, until=UNTIL), reply(b"", 404))

    assert str(request.url).startswith("http://127.0.0.1:8080/adyen/reports/download/MerchantAccount/")
    with pytest.raises(InvalidInput):
        _ = script(provider.download_report("http://127.0.0.1:9090/adyen/reports/download/x"), ())
