"""What Adyen's refusals become: one mapping, total, and without Adyen's words."""

from __future__ import annotations

import json
import traceback
from typing import Any

import httpx
import pytest

from paybylink.errors import OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.providers.adyen import _errors
from paybylink.providers.codes import CODES
from paybylink.testing import script

from .adyen_given import KEY, NOW, ORDER, VENDOR_LINK, account, asked, create, recorded, refund_asked, reply


def refused(body: object, status: int, *, reading: bool = False) -> PaybylinkError:
    """What the answer becomes, after creating a link or reading one."""
    provider = account()
    call = provider.fetch_link(VENDOR_LINK) if reading else create(provider, asked())
    with pytest.raises(PaybylinkError) as caught:
        _ = script(call, [reply(body, status)])
    return caught.value


@pytest.mark.parametrize(
    ("name", "status", "standard", "vendor", "retryable"),
    [
        ("unauthorised", 401, "unauthorised", "000", False),
        ("missing_role", 403, "forbidden", "010", False),
        ("merchant_account", 403, "forbidden", "901", False),
        ("unexpected_input", 400, "invalid_request", "702", False),
        ("return_url", 422, "invalid_request", "14_030", False),
        ("too_much_metadata", 422, "invalid_request", "177", False),
        ("metadata_key", 422, "invalid_request", "178", False),
        ("currency", 422, "currency_unsupported", "138", False),
        ("no_such_payment", 422, "not_found", "167", False),
        ("payment_details", 500, "misconfigured", "905", False),
        ("problem", 422, "invalid_request", "33_999", False),
        ("unauthorised", 404, "not_found", "000", False),
        ("unexpected_input", 418, "invalid_request", "702", False),
        ("return_url", 429, "invalid_request", "14_030", False),
    ],
)
def test_a_no_is_told_in_our_words_with_theirs_beside(
    name: str, status: int, standard: str, vendor: str, retryable: bool
) -> None:
    """Standard code, Adyen's code, and whether trying again makes sense."""
    error = refused(recorded(f"error_{name}"), status)

    assert isinstance(error, ProviderError)
    assert (error.who, error.standard_code, error.vendor_code) == ("adyen", standard, vendor)
    assert (error.retryable, error.status) == (retryable, status)
    assert "Marked" not in f"{error!r}{error.__dict__}"


def test_the_reference_of_the_request_is_kept() -> None:
    """It is in the body, not in a header."""
    error = refused(recorded("error_merchant_account"), 403)

    assert isinstance(error, ProviderError)
    assert error.request_id == "RF7WCWRG6JPHR8HG"
    assert "merchant_account in the settings" in str(error)


def test_a_problem_document_tells_its_page_and_its_fields() -> None:
    """RFC 7807, as Adyen's newer interfaces answer; its sentences are not repeated."""
    error = refused(recorded("error_problem"), 422)

    assert isinstance(error, ProviderError)
    assert error.documentation == "https://docs.adyen.com/errors/validation"
    assert error.request_id == "QFQTPCQ8HXSKGK82"
    assert "(amount.value)" in str(error)


def test_a_page_that_is_not_adyens_is_not_named() -> None:
    """Whoever answers in Adyen's place does not send people anywhere."""
    error = refused(recorded("error_problem", type="https://evil.example/errors"), 422)

    assert isinstance(error, ProviderError)
    assert error.documentation is None


@pytest.mark.parametrize("status", [408, 409, 424, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("name", ["store_away", "unexpected_input"])
def test_what_may_have_been_done_is_unknown(status: int, name: str) -> None:
    """A creation answered by a server error, or while its twin is at work, is not called failed."""
    error = refused(recorded(f"error_{name}"), status)

    assert isinstance(error, OutcomeUnknown)
    assert f"status {status}, request RF7WCWRG6JPHR8HG" in str(error)


@pytest.mark.parametrize("status", [409, 422])
def test_a_twin_at_work_leaves_the_outcome_unknown(status: int) -> None:
    """Code 704 is no refusal: the other request may make the link."""
    assert isinstance(refused(recorded("error_twin_at_work"), status), OutcomeUnknown)


def test_a_wrong_setting_is_a_no_although_its_status_is_500() -> None:
    """Code 905 is cured by no repetition, so the order may be corrected and asked for again."""
    error = refused(recorded("error_payment_details"), 500)

    assert isinstance(error, ProviderError)
    assert error.certain
    # A body that only looks like it decides nothing.
    assert isinstance(refused({"errorCode": "905"}, 500), OutcomeUnknown)


@pytest.mark.parametrize(
    ("status", "standard"),
    [(408, "unavailable"), (409, "conflict"), (500, "unavailable"), (503, "unavailable")],
)
def test_a_reading_is_never_unknown(status: int, standard: str) -> None:
    """Nothing can have changed, so it is a no for now; asking for the methods is a reading too."""
    body = {"status": status, "errorType": "internal"}

    for call in (account().fetch_link(VENDOR_LINK), account().methods_for(ORDER)):
        with pytest.raises(ProviderError) as caught:
            _ = script(call, [reply(body, status)])
        assert (caught.value.standard_code, caught.value.retryable) == (standard, True)


@pytest.mark.parametrize(
    "body",
    [b"<html>Marked</html>", b"", b"{}", b'["Marked"]', b'"Marked"', b"null", b"\xff\xfe", b'{"id": "Marked'],
)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_that_cannot_be_read_is_unknown_or_unreadable(body: bytes, status: int) -> None:
    """A link may exist; a reading may be tried again. Adyen's package makes an empty object of no JSON."""
    created, read = refused(body, status), refused(body, status, reading=True)

    assert isinstance(created, OutcomeUnknown)
    assert isinstance(read, ProviderError)
    assert (read.standard_code, read.retryable) == ("unreadable", True)
    for error in (created, read):
        assert "Marked" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("body", "status", "standard"),
    [
        (b"<html>Marked</html>", 403, "forbidden"),
        (b"moved", 302, "unexpected_answer"),
        (["Marked"], 404, "not_found"),
        ("Marked", 413, "invalid_request"),
        ({"errorCode": 7, "errorType": ["Marked"]}, 400, "invalid_request"),
        ({"errorCode": "Marked words"}, 422, "invalid_request"),
        ({"invalidFields": [{"value": "Marked"}, "x"]}, 422, "invalid_request"),
        ({"invalidFields": "Marked"}, 422, "invalid_request"),
        (b"[" * 50_000, 429, "rate_limited"),
        (b"", 206, "unreadable"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_refusal_of_any_shape_is_a_no(body: object, status: int, standard: str) -> None:
    """A proxy's page, another shape, nonsense: the status decides, and no word of it is repeated."""
    error = refused(body, status, reading=True)

    assert isinstance(error, ProviderError)
    assert (error.standard_code, error.vendor_code, error.status) == (standard, None, status)
    assert "Marked" not in f"{error!r} {error.__dict__}"


@pytest.mark.parametrize(
    ("kind", "standard"),
    [
        ("security", "forbidden"),
        ("validation", "invalid_request"),
        ("configuration", "misconfigured"),
        ("x", "refused"),
    ],
)
def test_the_kind_of_error_decides_where_nothing_else_does(kind: str, standard: str) -> None:
    """With a code and a status that nobody knows."""
    error = refused({"errorCode": "99_999", "errorType": kind}, 418)

    assert isinstance(error, ProviderError)
    assert error.standard_code == standard


CODES_OF_ADYEN = [
    "",
    "000",
    "010",
    "137",
    "138",
    "14_030",
    "167",
    "177",
    "178",
    "702",
    "703",
    "704",
    "901",
    "905",
]


@pytest.mark.parametrize("status", range(200, 600))
def test_the_mapping_is_total(status: int) -> None:
    """Every status with every code is one of our two errors, with a code of the table."""
    for code in CODES_OF_ADYEN:
        for method in ("GET", "POST", "PATCH"):
            said = type("Said", (Exception,), {"message": {"errorCode": code, "errorType": "validation"}})
            response = httpx.Response(
                status, content=b"?", request=httpx.Request(method, "https://x.example/v72/paymentLinks")
            )

            error = _errors.refusal(said("Marked"), response, who="adyen")

            undecided = status < 300 or status >= 500 or status in (408, 409, 424) or code == "704"
            assert type(error) is (OutcomeUnknown if undecided and method != "GET" else ProviderError)
            assert "Marked" not in str(error)
            if isinstance(error, ProviderError):
                assert error.standard_code in CODES


def test_every_error_has_a_code_of_the_table() -> None:
    """And so has every code that is mapped."""
    for table in (_errors._BY_CODE, _errors._BY_STATUS, _errors._BY_TYPE):
        values: Any = table.values()
        assert set(values) <= set(CODES)


def test_an_error_that_is_not_the_packages_is_mapped_by_its_status() -> None:
    """Adyen's package lets some errors of Python through."""
    response = httpx.Response(403, request=httpx.Request("GET", "https://x.example/"))

    error = _errors.refusal(AttributeError("Marked"), response, who="adyen")

    assert isinstance(error, ProviderError)
    assert (error.standard_code, error.vendor_code) == ("forbidden", None)


def test_refunds_and_captures_are_mapped_alike() -> None:
    """One mapping for every verb."""
    provider, request = account(), refund_asked()
    for call in (
        provider.refund(request, written=provider.write_refund(request, key=KEY, now=NOW)),
        provider.cancel_payment("7914073381342284", key=KEY, now=NOW),
    ):
        with pytest.raises(ProviderError) as caught:
            _ = script(call, [reply(recorded("error_no_such_payment"), 422)])
        assert caught.value.standard_code == "not_found"
        assert json.dumps(caught.value.args)
