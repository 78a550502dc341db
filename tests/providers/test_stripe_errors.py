"""What Stripe's refusals become: one mapping, total, and without Stripe's words."""

from __future__ import annotations

import traceback

import httpx
import pytest

from paybylink.errors import OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.flow import Call
from paybylink.providers.base import VendorLink
from paybylink.providers.codes import CODES
from paybylink.providers.stripe import _errors

from .stripe_given import KEY, NOW, account, answer, asked, finish, recorded


def create_call() -> Call[VendorLink]:
    provider = account()
    return provider.create_link(asked(), written=provider.write_link(asked(), key=KEY, now=NOW))


def refused(body: object, status: int, *, reading: bool = False) -> PaybylinkError:
    """What the answer becomes, after creating a link or reading one."""
    call = account().fetch_link("plink_1") if reading else create_call()
    request = next(call)
    with pytest.raises(PaybylinkError) as caught:
        _ = finish(call, answer(request, body, status=status))
    return caught.value


@pytest.mark.parametrize(
    ("name", "status", "standard", "vendor", "retryable"),
    [
        ("wrong_key", 401, "unauthorised", "invalid_request_error", False),
        ("missing_right", 403, "forbidden", "invalid_request_error", False),
        ("no_such_link", 404, "not_found", "resource_missing", False),
        ("no_such_link", 400, "not_found", "resource_missing", False),
        ("unknown_parameter", 400, "invalid_request", "parameter_unknown", False),
        ("amount_too_small", 400, "amount_too_small", "amount_too_small", False),
        ("key_reused", 400, "idempotency_conflict", "idempotency_error", False),
        ("rate_limit", 429, "rate_limited", "rate_limit", True),
        ("rate_limit", 400, "rate_limited", "rate_limit", True),
        ("lock_timeout", 429, "rate_limited", "lock_timeout", True),
        ("unknown_parameter", 402, "declined", "parameter_unknown", False),
        ("unknown_parameter", 418, "refused", "parameter_unknown", False),
    ],
)
def test_a_no_is_told_in_our_words_with_theirs_beside(
    name: str, status: int, standard: str, vendor: str, retryable: bool
) -> None:
    """Standard code, Stripe's code, request id and whether trying again makes sense."""
    error = refused(recorded(f"error_{name}"), status)

    assert isinstance(error, ProviderError)
    assert (error.who, error.standard_code, error.vendor_code) == ("stripe", standard, vendor)
    assert (error.request_id, error.retryable, error.status) == ("req_PbL", retryable, status)
    assert "Marked" not in str(error)


@pytest.mark.parametrize("status", [408, 409, 424, 500, 502, 503, 504, 599])
def test_what_may_have_been_done_is_unknown(status: int) -> None:
    """A creation answered by a server error, or while its twin is at work, is not called failed."""
    error = refused(recorded("error_api_down"), status)

    assert isinstance(error, OutcomeUnknown)
    assert error.who == "stripe"
    assert f"status {status}, request req_PbL" in str(error)


@pytest.mark.parametrize(
    ("status", "standard"),
    [
        (408, "unavailable"),
        (409, "conflict"),
        (424, "unavailable"),
        (500, "unavailable"),
        (503, "unavailable"),
    ],
)
def test_a_reading_is_never_unknown(status: int, standard: str) -> None:
    """Nothing can have changed, so it is a no for now."""
    error = refused(recorded("error_api_down"), status, reading=True)

    assert isinstance(error, ProviderError)
    assert (error.standard_code, error.retryable) == (standard, True)


@pytest.mark.parametrize("body", [b"<html>Marked</html>", b"", b'{"id": "Marked', b"\xff\xfe", b"NaN,"])
def test_an_answer_that_cannot_be_read_is_unknown_or_unreadable(body: bytes) -> None:
    """200 with something else in it: a link may exist, and a reading may be tried again."""
    created, read = refused(body, 200), refused(body, 200, reading=True)

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
        ({"error": "invalid_client", "error_description": "Marked"}, 401, "unauthorised"),
        ({"error": {"type": 7, "code": ["Marked"]}}, 400, "invalid_request"),
        ({"error": None}, 404, "not_found"),
        (["Marked"], 404, "not_found"),
        ({"error": {"code": "Marked words"}}, 400, "invalid_request"),
    ],
)
def test_a_refusal_of_any_shape_is_a_no(body: object, status: int, standard: str) -> None:
    """A proxy's page, OAuth's shape, nonsense: the status decides, and no word of it is repeated."""
    error = refused(body, status)

    assert isinstance(error, ProviderError)
    assert (error.standard_code, error.vendor_code, error.status) == (standard, None, status)
    assert "Marked" not in f"{error!r} {error.__dict__}"


def test_the_parameter_is_named() -> None:
    """What to correct is told, as it is part of our request and no content."""
    assert "(line_items[0][price_data][unit_amount])" in str(refused(recorded("error_amount_too_small"), 400))


@pytest.mark.parametrize("status", range(200, 600))
def test_the_mapping_is_total(status: int) -> None:
    """Every status with an unreadable body is one of our two errors, for writing and reading."""
    for method in ("GET", "POST"):
        response = httpx.Response(status, content=b"?", request=httpx.Request(method, "https://x.example"))

        error = _errors.refusal(ValueError("Marked"), response, who="psp")

        undecided = status < 300 or status >= 500 or status in (408, 409, 424)
        assert type(error) is (OutcomeUnknown if undecided and method == "POST" else ProviderError)
        assert "Marked" not in str(error)


def test_every_code_is_one_of_ours() -> None:
    """Whatever a table says, there is a meaning and a sentence for it, and no sentence is for nothing."""
    said = {*_errors._BY_CODE.values(), *_errors._BY_STATUS.values(), "unavailable", "unreadable"}

    assert said <= set(CODES)
    assert set(_errors._TOLD) <= set(CODES)


@pytest.mark.parametrize("name", ["req_" + "x" * 200, "req 1", "réq"])
def test_a_request_id_that_is_none_is_not_passed_on(name: str) -> None:
    """A header from elsewhere is not repeated."""
    response = httpx.Response(
        400,
        headers=[(b"request-id", name.encode())],
        request=httpx.Request("GET", "https://x.example"),
    )

    error = _errors.refusal(ValueError(), response, who="psp")

    assert isinstance(error, ProviderError)
    assert error.request_id is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://stripe.com/docs/error-codes/amount-too-small", True),
        ("https://docs.stripe.com/error-codes#amount-too-small", True),
        ("http://docs.stripe.com/error-codes", False),
        ("https://docs.stripe.com.evil.example/x", False),
        ("https://evil.example/docs.stripe.com/", False),
        ("https://docs.stripe.com/?q=Marked", False),
        ("https://docs.stripe.com/Marked words", False),
        ("https://user@docs.stripe.com/x", False),
        (7, False),
    ],
)
def test_where_stripe_explains_it_is_told_if_it_is_stripes_own_page(address: object, told: bool) -> None:
    """A plain https address of its documentation, with nothing of the input in it."""
    reply = recorded("error_amount_too_small")
    reply["error"]["doc_url"] = address

    error = refused(reply, 400)

    assert isinstance(error, ProviderError)
    assert error.documentation == (address if told else None)


@pytest.mark.parametrize("code", [*sorted(_errors._BY_CODE), "parameter_unknown", "never_heard_of"])
def test_every_refusal_has_a_standard_code(code: str) -> None:
    """Every code of Stripe's with every status: a word of our table, with its own meaning."""
    for status in range(400, 600):
        response = httpx.Response(status, content=b"?", request=httpx.Request("GET", "https://x.example"))

        found = _errors.refusal(stripe_error(code), response, who="psp")

        assert isinstance(found, ProviderError)
        assert found.standard_code in CODES, status
        assert found.retryable is CODES[found.standard_code].retryable


def stripe_error(code: str) -> Exception:
    """What the SDK raises, as the port has reduced it."""
    error = ValueError("Marked")
    error.json_body = {"error": {"code": code}}  # type: ignore[attr-defined]  # as the SDK's errors have it
    return error
