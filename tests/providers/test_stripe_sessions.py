"""Single-use links that end within a day: Checkout Sessions, which end by themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from attrs import evolve

from paybylink.errors import IntegrityBreach, ProviderError, UnsupportedCapability
from paybylink.kinds import Invoice, InvoiceBound, LinkKind, Reusable
from paybylink.money import Money
from paybylink.payments import PaymentStatus
from paybylink.providers.base import LinkRequest, VendorLinkStatus

from .stripe_given import (
    ATTEMPT_ID,
    KEY,
    LINK_ID,
    NOW,
    ORDER,
    account,
    answer,
    asked,
    create,
    drive,
    finish,
    form,
    query,
    recorded,
)

BACK = "https://shop.example/thanks?s={CHECKOUT_SESSION_ID}"
OWN = "cs_test_a1own"
EXPIRE = f"/v1/checkout/sessions/{OWN}/expire"


def short(
    life: dt.timedelta = dt.timedelta(hours=6), kind: LinkKind | None = None, back: str | None = BACK
) -> LinkRequest:
    """A request for a link that ends after `life`."""
    return evolve(asked(evolve(ORDER, return_url=back), kind), expires_at=NOW + life)


def path_of(request: LinkRequest) -> str:
    return account().write_link(request, key=KEY, now=NOW).path


def test_a_link_that_ends_today_is_a_session_that_ends_by_itself() -> None:
    """One POST with our marks on session and payment intent, the way back and the moment of its end."""
    call, request = create(account(), short())

    assert request.url.path == "/v1/checkout/sessions"
    fields = form(request)
    assert (fields["mode"], fields["client_reference_id"]) == ("payment", ATTEMPT_ID)
    assert fields["success_url"] == BACK
    assert fields["expires_at"] == str(int((NOW + dt.timedelta(hours=6)).timestamp()))
    for place in ("metadata", "payment_intent_data[metadata]"):
        assert fields[f"{place}[paybylink_link]"] == LINK_ID
        assert fields[f"{place}[paybylink_attempt]"] == ATTEMPT_ID
    assert fields["line_items[0][price_data][unit_amount]"] == "4990"
    assert not [name for name in fields if "payment_method" in name or name.startswith("restrictions")]

    link = finish(call, answer(request, recorded("stripe_session_alone_open")))
    assert (link.vendor_id, link.status, link.completed) == (OWN, VendorLinkStatus.OPEN, 0)
    assert (link.link_id, link.attempt_id) == (LINK_ID, ATTEMPT_ID)


def test_the_fragment_of_its_address_survives() -> None:
    """Without it the page is empty."""
    call, request = create(account(), short())

    link = finish(call, answer(request, recorded("stripe_session_alone_open")))

    assert link.url == recorded("stripe_session_alone_open")["url"]
    assert "#fid" in link.url


@pytest.mark.parametrize(
    ("life", "ends_after"),
    [
        pytest.param(dt.timedelta(minutes=30, seconds=59), None, id="too-short"),
        pytest.param(dt.timedelta(minutes=31), dt.timedelta(minutes=31), id="shortest"),
        pytest.param(dt.timedelta(hours=6, microseconds=7), dt.timedelta(hours=6), id="never-later"),
        pytest.param(dt.timedelta(hours=24), dt.timedelta(hours=24) - dt.timedelta(minutes=1), id="longest"),
        pytest.param(dt.timedelta(hours=24, seconds=1), None, id="too-long"),
        pytest.param(dt.timedelta(days=-1), None, id="over"),
    ],
)
def test_it_ends_by_itself_between_half_an_hour_and_a_day(
    life: dt.timedelta, ends_after: dt.timedelta | None
) -> None:
    """Within Stripe's bounds with a minute to spare, and never later than asked for; else we close it."""
    request = short(life)

    ends = account().ends_at(request, now=NOW)

    assert ends == (None if ends_after is None else NOW + ends_after)
    assert path_of(request) == ("/v1/payment_links" if ends is None else "/v1/checkout/sessions")
    if ends is not None:
        assert form(create(account(), request)[1])["expires_at"] == str(int(ends.timestamp()))


@pytest.mark.parametrize("seconds", [31 * 60 - 0.5, 31 * 60, 31 * 60 + 0.5, 3600.25, 86_399.75, 86_400])
@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.999999])
def test_asked_again_with_its_end_it_ends_then(seconds: float, fraction: float) -> None:
    """A link that was given the end which Stripe will keep is not another kind of link for it."""
    now = NOW + dt.timedelta(seconds=fraction)
    request = evolve(short(), expires_at=now + dt.timedelta(seconds=seconds))
    ends = account().ends_at(request, now=now)

    again = request if ends is None else evolve(request, expires_at=ends)

    assert account().ends_at(again, now=now) == ends


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(short(back=None), id="nowhere-to-return-to"),
        pytest.param(short(kind=Reusable()), id="reusable"),
        pytest.param(
            short(kind=InvoiceBound(Invoice(number="F1", open_amount=ORDER.amount))), id="invoice-bound"
        ),
        pytest.param(evolve(short(), expires_at=None), id="without-an-end"),
    ],
)
def test_any_other_link_stays_a_payment_link(request_: LinkRequest) -> None:
    """A session needs an address to return to, and takes one payment."""
    assert path_of(request_) == "/v1/payment_links"
    assert account().ends_at(request_, now=NOW) is None


def _damaged(**changes: Any) -> dict[str, Any]:
    return dict(recorded("stripe_session_alone_open", **changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"object": "payment_link"}, "object"),
        ({"id": ""}, "object"),
        ({"livemode": True}, "livemode"),
        ({"url": None}, "url"),
        ({"url": "https://checkout.stripe.com.evil.example/c"}, "url"),
        ({"currency": "usd"}, "currency"),
        ({"amount_total": 4991}, "amount_total"),
        ({"mode": "subscription"}, "mode"),
        ({"client_reference_id": None}, "client_reference_id"),
        ({"expires_at": int((NOW + dt.timedelta(hours=6)).timestamp()) + 1}, "expires_at"),
        ({"expires_at": None}, "expires_at"),
        ({"metadata": {}}, "metadata.paybylink_link"),
        ({"metadata": None}, "metadata.paybylink_attempt"),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given),
)
def test_a_session_that_is_not_what_was_asked_for_is_not_believed(
    changes: dict[str, Any], named: str
) -> None:
    """Amount, currency, mode, marks, host and end are compared."""
    call, request = create(account(), short())

    with pytest.raises(IntegrityBreach) as caught:
        _ = finish(call, answer(request, _damaged(**changes)))
    assert named in caught.value.differences


@pytest.mark.parametrize(
    ("name", "status", "completed"),
    [
        ("open", VendorLinkStatus.OPEN, 0),
        ("expired", VendorLinkStatus.CLOSED, 0),
        ("complete", VendorLinkStatus.CLOSED, 1),
    ],
)
def test_a_session_is_fetched_with_its_status(name: str, status: VendorLinkStatus, completed: int) -> None:
    """Once it is over Stripe takes its address away."""
    link, (request,) = drive(account().fetch_link(OWN), recorded(f"stripe_session_alone_{name}"))

    assert request.url.path == f"/v1/checkout/sessions/{OWN}"
    assert (link.status, link.completed) == (status, completed)
    assert bool(link.url) is (status is VendorLinkStatus.OPEN)


def test_a_word_that_we_do_not_know_is_neither_open_nor_closed() -> None:
    """It keeps its address, which has to be one of ours."""
    link, _ = drive(account().fetch_link(OWN), _damaged(status="resting"))

    assert link.status is VendorLinkStatus.UNKNOWN


def test_closing_expires_it() -> None:
    """With the caller's key."""
    link, (request,) = drive(
        account().close_link(OWN, key=KEY, now=NOW), recorded("stripe_session_alone_expired")
    )

    assert (request.method, request.url.path) == ("POST", EXPIRE)
    assert request.headers["idempotency-key"] == KEY
    assert link.status is VendorLinkStatus.CLOSED


@pytest.mark.parametrize("name", ["expired", "complete"])
def test_closing_one_that_is_over_is_no_error(name: str) -> None:
    """Stripe refuses to expire what is not open; then it is read."""
    link, requests = drive(
        account().close_link(OWN, key=KEY, now=NOW),
        (recorded("error_session_not_open"), 400),
        recorded(f"stripe_session_alone_{name}"),
    )

    assert [request.method for request in requests] == ["POST", "GET"]
    assert link.status is VendorLinkStatus.CLOSED


def test_a_session_that_stays_open_was_not_closed() -> None:
    """Neither when Stripe says yes nor when it says no."""
    still = recorded("stripe_session_alone_open")
    for answers in ((still,), ((recorded("error_session_not_open"), 400), still)):
        with pytest.raises(IntegrityBreach):
            _ = drive(account().close_link(OWN, key=KEY, now=NOW), *answers)
    with pytest.raises(ProviderError, match="lacks a right"):
        _ = drive(account().close_link(OWN, key=KEY, now=NOW), (recorded("error_missing_right"), 403))


def test_a_session_cannot_be_opened_again() -> None:
    """And nothing is sent to try."""
    with pytest.raises(UnsupportedCapability, match="renew"):
        _ = next(account().reopen_link(OWN, key=KEY, now=NOW))


def test_a_lost_session_is_found_among_those_made_since() -> None:
    """By its mark, with some minutes for clocks that differ; one that a payment link made is not it."""
    of_link = recorded("sessions_open")["data"][0]
    page = {"object": "list", "data": [of_link, recorded("stripe_session_alone_open")], "has_more": False}

    found, (request,) = drive(account().find_link(short(), since=NOW, now=NOW), page)

    assert found is not None
    assert found.vendor_id == OWN
    assert request.url.path == "/v1/checkout/sessions"
    since = int((NOW - dt.timedelta(minutes=10)).timestamp())
    assert query(request) == {"created[gte]": str(since), "limit": "100"}


@pytest.mark.parametrize("data", [[], ["stripe_session_alone_expired"]], ids=["none", "expired"])
def test_a_session_that_cannot_be_paid_any_more_is_none(data: list[str]) -> None:
    """So that a new one may be made."""
    page = {"object": "list", "data": [recorded(name) for name in data], "has_more": False}

    assert drive(account().find_link(short(), since=NOW, now=NOW), page)[0] is None


def test_a_completed_session_is_found() -> None:
    """It was paid meanwhile: no second one may be made."""
    page = {"object": "list", "data": [recorded("stripe_session_alone_complete")], "has_more": False}

    found, _ = drive(account().find_link(short(), since=NOW, now=NOW), page)

    assert found is not None
    assert found.completed == 1


def test_its_payment_is_its_own() -> None:
    """The payment names the session as its link; one that is not complete has none."""
    (payment,), (request,) = drive(account().payments_of(OWN), recorded("stripe_session_alone_complete"))

    assert query(request) == {"expand[0]": "payment_intent.latest_charge"}
    assert (payment.vendor_id, payment.status) == ("pi_3SkPbLcard", PaymentStatus.SUCCEEDED)
    assert (payment.amount, payment.link_vendor_id) == (Money(4990, "EUR"), OWN)
    for name in ("open", "expired"):
        assert drive(account().payments_of(OWN), recorded(f"stripe_session_alone_{name}"))[0] == []


def test_a_failed_payment_leaves_nothing_to_reopen() -> None:
    """The session's time is over before a delayed payment can fail."""
    reply = recorded("stripe_session_alone_complete", payment_status="unpaid")
    reply["payment_intent"]["status"] = "requires_payment_method"

    (payment,), _ = drive(account().payments_of(OWN), reply)

    assert (payment.status, payment.uses_up) == (PaymentStatus.FAILED, False)
