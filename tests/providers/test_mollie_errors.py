"""What Mollie's refusals become: one mapping, total, and without Mollie's sentences."""

from __future__ import annotations

import traceback

import pytest

from paybylink.errors import IntegrityBreach, OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.flow import Call
from paybylink.providers.codes import CODES
from paybylink.providers.mollie import _errors

from .mollie_given import KEY, NOW, VENDOR_LINK, account, asked, create, drive, recorded, refund_asked, reply


def waiting(doing: str) -> Call[object]:
    """A call that waits for its answer: a link is made or read, or a refund is made."""
    provider = account()
    if doing == "read":
        return provider.fetch_link(VENDOR_LINK)
    if doing == "refund":
        return provider.refund(
            refund_asked(), written=provider.write_refund(refund_asked(), key=KEY, now=NOW)
        )
    return create(provider, asked())


def refused(body: object, status: int, *, doing: str = "create") -> PaybylinkError:
    """What the answer becomes."""
    with pytest.raises(PaybylinkError) as caught:
        _ = drive(waiting(doing), reply(body, status))
    return caught.value


@pytest.mark.parametrize(
    ("name", "standard", "title", "retryable"),
    [
        ("wrong_key", "unauthorised", "Unauthorized Request", False),
        ("missing_scope", "forbidden", "Forbidden", False),
        ("no_such_link", "not_found", "Not Found", False),
        ("link_deleted", "not_found", "Gone", False),
        ("key_reused", "invalid_request", "Bad Request", False),
        ("bad_cursor", "invalid_request", "Bad Request", False),
        ("amount_too_high", "amount_too_large", "Unprocessable Entity", False),
        ("webhook_unreachable", "misconfigured", "Unprocessable Entity", False),
        ("method_unknown", "method_unavailable", "Unprocessable Entity", False),
        ("suspended", "invalid_request", "Unprocessable Entity", False),
        ("rate_limit", "rate_limited", "Too Many Requests", True),
    ],
)
def test_a_no_is_told_in_our_words_with_theirs_beside(
    name: str, standard: str, title: str, retryable: bool
) -> None:
    """Standard code, Mollie's title, its page about it, the field, and whether trying again makes sense."""
    said = recorded(f"error_{name}")

    error = refused(said, said["status"])

    assert isinstance(error, ProviderError)
    assert (error.who, error.standard_code, error.vendor_code) == ("mollie", standard, title)
    assert (error.status, error.retryable, error.request_id) == (said["status"], retryable, None)
    assert error.documentation == "https://docs.mollie.com/overview/handling-errors"
    assert ("field" not in said) or f"({said['field']})" in str(error)


def test_more_than_is_left_to_refund_has_a_word_of_its_own() -> None:
    """At Mollie it is the amount's fault both times."""
    error = refused(recorded("error_amount_too_high"), 422, doing="refund")

    assert isinstance(error, ProviderError)
    assert error.standard_code == "refund_too_large"


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b'{"status":503}'], ids=["empty", "html", "json"])
def test_what_may_have_been_done_is_unknown(status: int, body: bytes) -> None:
    """A creation answered by a server error, or while its twin is at work, is not called failed."""
    error = refused(body, status)

    assert isinstance(error, OutcomeUnknown)
    assert f"status {status}" in str(error)


@pytest.mark.parametrize(
    ("status", "standard"),
    [
        (408, "unavailable"),
        (409, "conflict"),
        (500, "unavailable"),
        (503, "unavailable"),
        (429, "rate_limited"),
    ],
)
def test_nothing_is_unknown_after_reading(status: int, standard: str) -> None:
    """A question that was not answered may be asked again."""
    error = refused(recorded("error_api_down", status=status), status, doing="read")

    assert isinstance(error, ProviderError)
    assert (error.standard_code, error.retryable) == (standard, True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{"], ids=["empty", "html", "torn"])
def test_a_success_that_cannot_be_read_is_unknown_or_unreadable(body: bytes) -> None:
    """The link may be there; a question may be asked again."""
    created, read = refused(body, 201), refused(body, 200, doing="read")

    assert isinstance(created, OutcomeUnknown)
    assert isinstance(read, ProviderError)
    assert (read.standard_code, read.retryable) == ("unreadable", True)


@pytest.mark.parametrize("body", [b"[]", b"7", b"null"], ids=["list", "number", "null"])
def test_a_success_that_is_no_object_is_not_believed(body: bytes) -> None:
    """Whoever answers so is not Mollie."""
    for doing in ("create", "refund", "read"):
        assert isinstance(refused(body, 200, doing=doing), IntegrityBreach)


def test_an_answer_that_is_none_of_mollies_has_no_vendors_word() -> None:
    """A proxy's page is no word of Mollie's, so the refusal is not certain."""
    for body in (
        b"<html>403</html>",
        b'{"status":404,"title":"Forbidden"}',
        b'{"title":"Forbidden"}',
        b"[" * 9999,
    ):
        error = refused(body, 403)

        assert isinstance(error, ProviderError)
        assert (error.standard_code, error.vendor_code, error.certain) == ("forbidden", None, False)


def test_a_no_of_mollies_about_the_order_is_certain() -> None:
    """Then the row may say that nothing exists."""
    error = refused(recorded("error_amount_too_high"), 422)

    assert isinstance(error, ProviderError)
    assert error.certain


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "test_MARKEDsecretMARKED"},
        {"title": 7},
        {"field": "MARKED' field"},
        {"_links": {"documentation": {"href": "https://evil.example/MARKED"}}},
        {"_links": {"documentation": {"href": "https://docs.mollie.com.evil.example/MARKED"}}},
        {"_links": {"documentation": "MARKED"}},
        {"_links": None},
    ],
    ids=str,
)
def test_what_is_no_vocabulary_is_not_passed_on(changes: dict[str, object]) -> None:
    """Neither in a sentence nor as a page to open."""
    error = refused(recorded("error_suspended", **changes), 422)

    assert "MARKED" not in str(error) + repr(vars(error))


def test_every_status_and_field_has_a_standard_code() -> None:
    """The mapping is total, and each code has a meaning."""
    fields = ["", "anything.else", *_errors._BY_FIELD]
    for status in [200, 204, 301, 302, *range(400, 600)]:
        for field in fields:
            for refunding in (False, True):
                assert _errors.standard_code(status, field, refunding=refunding) in CODES
    assert {*_errors._BY_STATUS.values(), *_errors._BY_FIELD.values(), *_errors._TOLD} <= CODES.keys()
    assert _errors._TOLD_OF_FIELD.keys() <= _errors._BY_FIELD.keys()


def test_every_status_of_mollies_is_a_refusal_or_unknown() -> None:
    """No status leaves something else behind, whatever the body holds."""
    for status in range(400, 600):
        for doing in ("create", "read"):
            error = refused(
                {"status": status, "title": "Some Title", "detail": "Marked"}, status, doing=doing
            )
            assert isinstance(error, ProviderError | OutcomeUnknown)


def test_neither_the_key_nor_mollies_sentences_are_in_an_error() -> None:
    """Not in its text, its attributes, its cause or its traceback."""
    for name in ("wrong_key", "key_reused", "twin_at_work", "api_down", "no_such_link"):
        said = recorded(f"error_{name}")
        error = refused(said, said["status"])

        shown = "".join(traceback.format_exception(error)) + repr(vars(error))
        assert "MARKED" not in shown
        assert "Marked" not in shown
        assert KEY not in shown
        assert error.__cause__ is None
        assert error.__context__ is None
