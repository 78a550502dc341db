"""The seam: an SDK writes and reads, httpx carries, and nothing else leaves."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink.errors import IntegrityBreach, NotSent, OutcomeUnknown, PaybylinkError, ProviderError
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.providers.exchange import Carrier, Outgoing, SdkCall, capture, exchange, write

from .stripe_given import KEY, NOW, finish, sending

KEYED = Sending(who="psp", retry=Retry.KEYED, key_until=NOW + dt.timedelta(hours=1))
SAFE = Sending(who="psp", retry=Retry.SAFE)


def outgoing(body: bytes = b"amount=1", *, key: str = KEY, path: str = "/v1/links") -> Outgoing:
    return Outgoing(
        method="POST",
        base_url="https://psp.example/sandbox",
        path=path,
        headers={"Authorization": "Bearer fresh", "Content-Type": "text/x-form"},
        body=body,
        key=key,
        version="v2",
    )


def one_call(carrier: Carrier) -> str:
    return carrier.carry(outgoing()).text


def refused(error: Exception, response: httpx.Response) -> PaybylinkError:
    return ProviderError(f"{type(error).__name__} of {response.status_code}", who="psp")


def exchanged(call: SdkCall[str], how: Sending = KEYED, *, key: str = KEY) -> Call[str]:
    return exchange(call, sending=how, refused=refused, key=key)


def test_one_sdk_call_is_one_request_that_the_sdk_wrote_and_read() -> None:
    """The flow yields the SDK's very request, marked for the driver, and returns what the SDK made of the reply."""
    flow = exchanged(one_call)

    request = next(flow)

    assert (request.method, str(request.url), request.content) == (
        "POST",
        "https://psp.example/sandbox/v1/links",
        b"amount=1",
    )
    assert request.headers["authorization"] == "Bearer fresh"
    assert sending(request) is KEYED
    assert finish(flow, httpx.Response(200, text="done", request=request)) == "done"


def test_writing_sends_nothing_and_keeps_the_bytes() -> None:
    """`write` returns the path without the host, the body, the key and the version."""
    written = write(
        lambda carrier: carrier.carry(outgoing(path="/v1/links?a=1")),
        who="psp",
        key=KEY,
        key_until=NOW,
    )

    assert written == Written(
        method="POST",
        path="/v1/links?a=1",
        body=b"amount=1",
        content_type="text/x-form",
        key=KEY,
        key_until=NOW,
        version="v2",
    )
    assert KEY not in repr(written)


def test_a_stored_request_is_sent_byte_for_byte_with_fresh_authorisation() -> None:
    """What an older version wrote is what leaves; only the headers of today are added."""
    stored = Written(
        method="POST",
        path="/v1/links",
        body=b"amount=1&from=an+older+version",
        content_type="text/x-older",
        key=KEY,
        key_until=NOW,
        version="v2",
    )
    flow = exchange(
        lambda carrier: carrier.carry(outgoing(b"")).text,
        sending=KEYED,
        refused=refused,
        key=KEY,
        written=stored,
    )

    request = next(flow)

    assert request.content == stored.body
    assert request.headers["content-type"] == "text/x-older"
    assert request.headers["authorization"] == "Bearer fresh"
    assert finish(flow, httpx.Response(200, text="done", request=request)) == "done"


def test_nothing_is_stored_without_a_key() -> None:
    """A request that may be sent twice would otherwise be done twice."""
    with pytest.raises(NotSent, match="needs a key"):
        _ = write(lambda carrier: carrier.carry(outgoing(key="")), who="psp", key="", key_until=NOW)


@pytest.mark.parametrize("field", ["method", "path", "key", "version"])
def test_a_stored_request_for_something_else_is_never_sent(field: str) -> None:
    """A row that does not fit the call is refused before it leaves."""
    fitting = Written(
        method="POST", path="/v1/links", key=KEY, version="v2", body=b"", content_type="", key_until=NOW
    )
    changed: dict[str, Any] = {field: "other"}
    stored = evolve(fitting, **changed)
    flow = exchange(one_call, sending=KEYED, refused=refused, key=KEY, written=stored)

    with pytest.raises(NotSent, match="another path, key or version"):
        _ = next(flow)


def _made_up_key(carrier: Carrier) -> str:
    return carrier.carry(outgoing(key="sdk-made-this")).text


def _nothing_sent(_: Carrier) -> str:
    return "from a cache"


def _broken(_: Carrier) -> str:
    raise TypeError("SDK of another age")


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(_made_up_key, id="a-key-that-is-not-ours"),
        pytest.param(_nothing_sent, id="no-request"),
        pytest.param(_broken, id="an-sdk-that-fails"),
    ],
)
def test_an_sdk_that_writes_otherwise_is_stopped_before_anything_leaves(call: SdkCall[str]) -> None:
    """No request is yielded, and the error says that nothing was sent."""
    with pytest.raises(NotSent, match="nothing was sent"):
        _ = next(exchanged(call))


def test_our_own_errors_pass_through_the_first_pass() -> None:
    """An error of our tree, such as a missing extra, is not renamed."""

    def missing(_: Carrier) -> str:
        raise IntegrityBreach("psp", {"a": "b"})

    with pytest.raises(IntegrityBreach):
        _ = capture(missing, who="psp")


@pytest.mark.parametrize(
    ("how", "key"), [pytest.param(KEYED, "", id="no-key"), pytest.param(SAFE, KEY, id="needless-key")]
)
def test_a_request_is_keyed_exactly_when_it_may_be_repeated_by_key(how: Sending, key: str) -> None:
    """A creation without a key, or a reading with one, is a mistake that never leaves."""
    with pytest.raises(NotSent, match="do not belong together"):
        _ = next(exchanged(lambda carrier: carrier.carry(outgoing(key=key)).text, how, key=key))


def _changing() -> SdkCall[str]:
    bodies = iter([b"first", b"second"])
    return lambda carrier: carrier.carry(outgoing(next(bodies))).text


def _twice(carrier: Carrier) -> str:
    _ = carrier.carry(outgoing())
    return carrier.carry(outgoing()).text


def _retrying(carrier: Carrier) -> str:
    try:
        return carrier.carry(outgoing(b"other")).text
    except Exception:  # what an SDK's own retry would catch
        return carrier.carry(outgoing()).text


def _forgetful() -> SdkCall[str]:
    passes = iter([True, False])
    return lambda carrier: carrier.carry(outgoing()).text if next(passes) else "made up"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(_changing, "another body", id="another-body-the-second-time"),
        pytest.param(lambda: _twice, "more than one request", id="two-requests"),
        pytest.param(_forgetful, "did not read the reply", id="a-result-without-the-reply"),
    ],
)
def test_a_reply_is_given_only_to_the_request_it_answers(make: Callable[[], SdkCall[str]], told: str) -> None:
    """After sending, a broken seam is an unknown outcome, as the request may have been obeyed."""
    flow = exchanged(make())
    request = next(flow)

    with pytest.raises(OutcomeUnknown, match=told):
        _ = flow.send(httpx.Response(200, text="done", request=request))


def test_a_broken_seam_of_a_reading_is_no_unknown_outcome() -> None:
    """Where nothing can have changed, the answer is merely not believed."""
    bodies = iter([b"first", b"second"])
    flow = exchanged(
        lambda carrier: carrier.carry(outgoing(next(bodies), key="")).text,
        SAFE,
        key="",
    )
    request = next(flow)

    with pytest.raises(IntegrityBreach, match="another body"):
        _ = flow.send(httpx.Response(200, text="done", request=request))


def test_an_sdks_own_retry_cannot_catch_the_carrier() -> None:
    """Leaving an SDK is no `Exception`, so that its retry loop does not begin."""
    assert capture(_retrying, who="psp", key=KEY).body == b"other"


def test_what_the_sdk_raises_is_translated_without_a_trace_of_it() -> None:
    """The SDK's error may hold the whole reply, so it is neither cause nor context of ours."""

    def raising(carrier: Carrier) -> str:
        raise ValueError(f"MARKED {carrier.carry(outgoing()).text}")

    flow = exchanged(raising)
    request = next(flow)

    with pytest.raises(ProviderError, match="ValueError of 400") as caught:
        _ = flow.send(httpx.Response(400, text="MARKED", request=request))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_our_own_error_from_the_second_pass_is_kept() -> None:
    """An error of our tree raised while reading is not translated again."""

    def reading(carrier: Carrier) -> str:
        _ = carrier.carry(outgoing())
        raise IntegrityBreach("psp", {"a": "b"})

    flow = exchanged(reading)
    request = next(flow)

    with pytest.raises(IntegrityBreach):
        _ = flow.send(httpx.Response(200, request=request))


def test_the_drivers_error_passes_by_untouched() -> None:
    """What the driver throws in at the yield reaches the caller as it is."""
    flow = exchanged(one_call)
    _ = next(flow)
    thrown = OutcomeUnknown("no answer", who="psp")

    with pytest.raises(OutcomeUnknown) as caught:
        _ = flow.throw(thrown)
    assert caught.value is thrown


def test_calls_share_nothing_between_threads_nor_inside_each_other() -> None:
    """Many calls that wait at once each get their own reply."""
    failures: list[str] = []

    def journey(name: str) -> None:
        def call(carrier: Carrier) -> str:
            return carrier.carry(outgoing(name.encode())).text

        for _ in range(50):
            outer, inner = exchanged(call), exchanged(call)
            first, second = next(outer), next(inner)
            answers = [
                finish(inner, httpx.Response(200, text=f"{name} in", request=second)),
                finish(outer, httpx.Response(200, text=f"{name} out", request=first)),
            ]
            if answers != [f"{name} in", f"{name} out"] or first.content != name.encode():
                failures.append(name)

    threads = [threading.Thread(target=journey, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_no_header_or_key_is_shown() -> None:
    """The authorisation in a captured request is not in its repr."""
    shown = repr(outgoing())

    assert "Bearer" not in shown
    assert KEY not in shown
    assert "amount" not in shown
