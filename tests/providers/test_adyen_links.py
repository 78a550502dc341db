"""Links at Adyen: what is asked for, and what of the answers is believed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest

from paybylink.errors import (
    IntegrityBreach,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.flow import Retry
from paybylink.kinds import HostedInvoice, Invoice, InvoiceBound, Reusable
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.base import Provider, VendorLinkStatus
from paybylink.testing import script

from .adyen_given import (
    ACCOUNT,
    API_KEY,
    ATTEMPT_ID,
    KEY,
    LINK_ID,
    MARK,
    NOW,
    ORDER,
    VENDOR_LINK,
    account,
    asked,
    body_of,
    create,
    drive,
    echo,
    recorded,
    reply,
    sending,
)


def test_it_is_a_provider() -> None:
    """The adapter has every verb of the interface."""
    provider: Provider = account()

    assert provider.name == "adyen"
    assert provider.mode is Mode.TEST


def test_a_single_use_link_is_one_post_that_names_ours() -> None:
    """Our mark is the reference, the host's goes beside it, and the end is always told."""
    link, (request,) = drive(create(account(), asked()), reply(recorded("link_active"), 201))

    assert (request.method, str(request.url)) == ("POST", "https://checkout-test.adyen.com/v72/paymentLinks")
    assert body_of() == {
        "amount": {"currency": "EUR", "value": 4990},
        "merchantAccount": ACCOUNT,
        "reference": MARK,
        "merchantOrderReference": "INV-2026-031",
        "description": "Logo design",
        "expiresAt": "2026-01-31T00:00:00+00:00",
    }
    assert request.headers["x-api-key"] == API_KEY
    assert request.headers["content-type"] == "application/json"
    assert (link.vendor_id, link.status, link.mode) == (VENDOR_LINK, VendorLinkStatus.OPEN, Mode.TEST)
    assert link.url == f"https://test.adyen.link/{VENDOR_LINK}"
    assert (link.completed, link.link_id, link.attempt_id) == (None, LINK_ID, ATTEMPT_ID)


def test_it_is_keyed_and_repeated_only_where_adyen_says_so() -> None:
    """The key is ours and dies before Adyen forgets it; a repetition needs Adyen's header."""
    _, (request,) = drive(create(account(), asked()), echo())

    how = sending(request)
    assert request.headers["idempotency-key"] == KEY
    assert (how.retry, how.key_until) == (Retry.KEYED, NOW + dt.timedelta(days=7) - dt.timedelta(hours=1))
    assert how.retry_header == "transient-error"
    assert {409, 422, 500, 503} <= how.retry_statuses


def test_a_stored_request_is_carried_as_it_is() -> None:
    """After a lost answer the same bytes go out under the same key, whatever would be written today."""
    provider, request = account(), asked()
    written = provider.write_link(request, key=KEY, now=NOW)

    _, (first,) = drive(provider.create_link(request, written=written), echo())
    _, (second,) = drive(provider.create_link(request, written=written), echo())

    assert first.content == second.content == written.body
    assert written.path == "/v72/paymentLinks"
    assert API_KEY not in repr(written) + written.body.decode()


def test_a_live_account_asks_its_own_host() -> None:
    """The prefix makes the host, with the extra folder; test hosts are no answer to it."""
    provider = account(platform="live", live_prefix="1797a841fbb37ca7-example")
    live = echo(url=f"https://eu.adyen.link/{VENDOR_LINK}")

    link, (request,) = drive(create(provider, asked()), live)

    assert str(request.url) == (
        "https://1797a841fbb37ca7-example-checkout-live.adyenpayments.com/checkout/v72/paymentLinks"
    )
    assert link.mode is Mode.LIVE


def test_a_reusable_link_says_so_and_carries_no_shopper() -> None:
    """Payers differ, so nothing of the customer travels; a maximum is kept by us."""
    customer = Customer(name="Zoé Martin", country="FR", language="fr")
    order = Order(reference="R", amount=Money(500, "EUR"), customer=customer)

    body = body_of(order, kind=Reusable(max_payments=3), locale="fr")

    assert body["reusable"] is True
    assert {"countryCode", "shopperName"} & set(body) == set()


def test_an_invoices_number_is_visible_and_in_the_reports() -> None:
    """It stands in front of the description and behind the host's reference."""
    body = body_of(kind=InvoiceBound(Invoice(number="F2026-0042", open_amount=ORDER.amount)))

    assert body["description"] == "F2026-0042: Logo design"
    assert body["merchantOrderReference"] == "INV-2026-031 / F2026-0042"


def test_a_number_that_is_the_reference_is_told_once() -> None:
    """Neither the description nor the order reference repeats it."""
    order = Order(reference="F2026-0042", part="deposit", amount=Money(100, "EUR"))

    body = body_of(order, kind=InvoiceBound(Invoice(number="F2026-0042", open_amount=order.amount)))

    assert body["description"] == "F2026-0042"
    assert body["merchantOrderReference"] == "F2026-0042 / deposit"


def test_a_long_description_is_shortened_visibly() -> None:
    """280 characters, the last of which is an ellipsis."""
    order = Order(reference="R", amount=Money(1, "EUR"), description="x" * 250)

    body = body_of(order, kind=InvoiceBound(Invoice(number="N" * 80, open_amount=order.amount)))

    assert len(body["description"]) == 280
    assert body["description"].endswith("x…")


@pytest.mark.parametrize(
    ("kind", "feature"),
    [
        (HostedInvoice(), "hosted invoice"),
        (Reusable(payer_chooses=True), "payer chooses"),
    ],
    ids=["hosted-invoice", "payer-chooses"],
)
def test_a_kind_that_adyen_lacks_is_refused_before_anything_is_written(kind: Any, feature: str) -> None:
    """With the reason, from the same table as the documentation."""
    with pytest.raises(UnsupportedCapability, match=feature):
        _ = account().write_link(asked(kind=kind), key=KEY, now=NOW)


# The end


@pytest.mark.parametrize(
    ("asked_for", "days"),
    [(10, 10), (69, 69), (70, None), (400, None), (None, None)],
    ids=["10", "69", "70", "400", "none"],
)
def test_a_link_ends_as_asked_and_after_70_days_at_the_latest(
    asked_for: int | None, days: int | None
) -> None:
    """What is sent and what `ends_at` says are one; a minute is left for clocks that differ."""
    request = asked(expires_at=None if asked_for is None else NOW + dt.timedelta(days=asked_for))
    latest = NOW + dt.timedelta(days=70) - dt.timedelta(minutes=1)

    ends = account().ends_at(request, now=NOW)

    assert ends == (latest if days is None else NOW + dt.timedelta(days=days))
    assert body_of(expires_at=request.expires_at)["expiresAt"] == ends.isoformat()


@pytest.mark.parametrize(
    ("expires_in", "over_after"), [(30, 30), (400, 70)], ids=["as-asked", "adyens-longest"]
)
def test_a_lost_link_stays_unknown_until_its_time_has_passed(expires_in: int, over_after: int) -> None:
    """Adyen cannot be asked, so only time tells; an hour later no clock can keep it alive."""
    request, provider = asked(expires_at=NOW + dt.timedelta(days=expires_in)), account()
    over = NOW + dt.timedelta(days=over_after)

    with pytest.raises(OutcomeUnknown, match="cannot be asked"):
        _ = drive(provider.find_link(request, since=NOW, now=over + dt.timedelta(minutes=30)))
    found, requests = drive(provider.find_link(request, since=NOW, now=over + dt.timedelta(hours=2)))

    assert (found, requests) == (None, [])


# What is believed


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": ""}, "id"),
        ({"id": "PL/../x"}, "id"),
        ({"merchantAccount": "Another"}, "merchantAccount"),
        ({"url": "http://test.adyen.link/x"}, "url"),
        ({"url": "https://test.adyen.link.evil.example/x"}, "url"),
        ({"url": "https://evil-adyen.link/x"}, "url"),
        ({"url": "https://eu.adyen.link/x"}, "url"),
        ({"url": "https://user@test.adyen.link/x"}, "url"),
        ({"url": None}, "url"),
        ({"reference": MARK + "-m"}, "reference"),
        ({"reference": "pbl-X-Y"}, "reference"),
        ({"reference": 7}, "reference"),
        ({"amount": {"currency": "EUR", "value": 4991}}, "amount.value"),
        ({"amount": {"currency": "EUR", "value": 4990.0}}, "amount.value"),
        ({"amount": {"currency": "USD", "value": 4990}}, "amount.currency"),
        ({"amount": None}, "amount.currency"),
        ({"reusable": True}, "reusable"),
        ({"manualCapture": True}, "manualCapture"),
        ({"captureDelayHours": 24}, "captureDelayHours"),
        ({"expiresAt": "2026-02-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2026-01-02T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "soon"}, "expiresAt"),
        ({"expiresAt": "2026-01-31T00:00:00"}, "expiresAt"),
        ({"expiresAt": 7}, "expiresAt"),
        ({"allowedPaymentMethods": ["ideal"]}, "allowedPaymentMethods"),
        ({"blockedPaymentMethods": "scheme"}, "blockedPaymentMethods"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_answer_that_is_not_what_was_asked_is_not_believed(changes: dict[str, Any], named: str) -> None:
    """Each difference is named; the answer's own words are not repeated."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(create(account(), asked()), echo(**changes))

    assert named in caught.value.differences


@pytest.mark.parametrize(
    "changes", [{"expiresAt": "2026-01-31T00:00:30Z"}, {"expiresAt": "2026-01-31T01:00:00+01:00"}]
)
def test_an_end_in_another_zone_or_seconds_away_is_the_same(changes: dict[str, Any]) -> None:
    """Adyen answers in UTC and with whole seconds."""
    link, _ = drive(create(account(), asked()), echo(**changes))

    assert link.status is VendorLinkStatus.OPEN


def test_an_answer_may_leave_out_what_it_need_not_repeat() -> None:
    """Only id, url, status, amount, reference and account have to be there."""
    whole = recorded("link_active")
    needed = ("amount", "id", "merchantAccount", "reference", "status", "url")

    link, _ = drive(create(account(), asked()), reply({name: whole[name] for name in needed}, 201))

    assert link.vendor_id == VENDOR_LINK


@pytest.mark.parametrize(
    ("platform", "url", "fine"),
    [
        ("live", "https://eu.adyen.link/PL1", True),
        ("live", "https://apse.adyen.link/PL1", True),
        ("live", "https://test.adyen.link/PL1", False),
        ("live", "https://adyen.link/PL1", False),
        ("live", "https://eu.adyen.link.evil.example/PL1", False),
        ("live", "https://[bad/PL1", False),
        ("live", "https://pay.shop.example/PL1", True),
        ("test", "https://pay.shop.example/PL1", True),
        ("test", "https://eu.adyen.link/PL1", False),
    ],
)
def test_a_link_leads_to_a_page_of_its_own_platform(platform: str, url: str, fine: bool) -> None:
    """Adyen's answer does not say test or live; the host does. Own domains are added by name."""
    provider = account(platform=platform, live_prefix="p", allowed_hosts="pay.shop.example")
    call = create(provider, asked())

    if fine:
        link, _ = drive(call, echo(url=url))
        assert link.url == url
    else:
        with pytest.raises(IntegrityBreach):
            _ = drive(call, echo(url=url))


@pytest.mark.parametrize(
    ("name", "status", "completed"),
    [
        ("link_active", VendorLinkStatus.OPEN, None),
        ("link_payment_pending", VendorLinkStatus.OPEN, None),
        ("link_completed", VendorLinkStatus.CLOSED, 1),
        ("link_expired", VendorLinkStatus.CLOSED, None),
    ],
)
def test_the_status_says_whether_it_can_be_paid(
    name: str, status: VendorLinkStatus, completed: int | None
) -> None:
    """A link is read with one GET that may always be repeated."""
    link, (request,) = drive(account().fetch_link(VENDOR_LINK), reply(recorded(name)))

    assert (link.status, link.completed) == (status, completed)
    assert (request.method, request.url.path) == ("GET", f"/v72/paymentLinks/{VENDOR_LINK}")
    assert sending(request).retry is Retry.SAFE
    assert "idempotency-key" not in request.headers


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "paid"}, VendorLinkStatus.CLOSED),
        ({"status": "frozen"}, VendorLinkStatus.UNKNOWN),
        ({"status": None}, VendorLinkStatus.UNKNOWN),
    ],
    ids=["paid", "new-word", "none"],
)
def test_a_status_nobody_knows_is_unknown(changes: dict[str, Any], status: VendorLinkStatus) -> None:
    """And `paid`, which Adyen lists without a word, is completed."""
    link, _ = drive(account().fetch_link(VENDOR_LINK), reply(recorded("link_active", **changes)))

    assert link.status is status


def test_a_completed_reusable_link_does_not_say_how_often() -> None:
    """Payments of a reusable link are counted by their webhooks only."""
    link, _ = drive(account().fetch_link(VENDOR_LINK), reply(recorded("link_reusable", status="completed")))

    assert link.completed is None


def test_another_links_answer_is_not_believed() -> None:
    """The id has to be the one that was asked about."""
    with pytest.raises(IntegrityBreach, match="another link"):
        _ = drive(account().fetch_link("PL61C53A8B97E6915A"), reply(recorded("link_active")))


# Closing


def test_closing_expires_the_link_with_one_request() -> None:
    """PATCH takes no key at Adyen, so it is sent once."""
    link, (request,) = drive(
        account().close_link(VENDOR_LINK, key=KEY, now=NOW), reply(recorded("link_expired"))
    )

    assert link.status is VendorLinkStatus.CLOSED
    assert (request.method, request.content) == ("PATCH", b'{"status":"expired"}')
    assert "idempotency-key" not in request.headers
    assert sending(request).retry is Retry.NEVER


@pytest.mark.parametrize("name", ["link_completed", "link_expired"])
@pytest.mark.parametrize(
    "first",
    [reply(recorded("error_unexpected_input"), 422), reply(b"", 500), OutcomeUnknown("lost", who="adyen")],
    ids=["refused", "server-error", "lost"],
)
def test_closing_a_closed_link_is_no_error(first: Any, name: str) -> None:
    """After a no, or an answer that was lost, the link itself is asked."""
    link, requests = drive(account().close_link(VENDOR_LINK, key=KEY, now=NOW), first, reply(recorded(name)))

    assert link.status is VendorLinkStatus.CLOSED
    assert [request.method for request in requests] == ["PATCH", "GET"]


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (reply(recorded("error_unexpected_input"), 422), ProviderError),
        (OutcomeUnknown("lost", who="adyen"), OutcomeUnknown),
    ],
    ids=["refused", "lost"],
)
@pytest.mark.parametrize(
    "second",
    [
        reply(recorded("link_active")),
        reply(recorded("error_unauthorised"), 401),
        NotSent("away", who="adyen"),
    ],
    ids=["still-open", "unauthorised", "away"],
)
def test_a_link_that_is_not_found_closed_tells_what_became_of_the_closing(
    first: Any, error: type[Exception], second: Any
) -> None:
    """The first answer is raised, whatever the second question came to."""
    with pytest.raises(error) as caught:
        _ = drive(account().close_link(VENDOR_LINK, key=KEY, now=NOW), first, second)
    assert "401" not in str(caught.value)


def test_a_wrong_key_does_not_ask_further() -> None:
    """Only a no that may mean "closed already" is looked into."""
    with pytest.raises(ProviderError):
        _ = drive(
            account().close_link(VENDOR_LINK, key=KEY, now=NOW), reply(recorded("error_unauthorised"), 401)
        )


def test_an_answer_that_leaves_it_open_is_not_believed() -> None:
    """200 with an active link closes nothing."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().close_link(VENDOR_LINK, key=KEY, now=NOW), reply(recorded("link_active")))


@pytest.mark.parametrize("vendor_id", ["", "PL/..", "PL?x", "PL#", "PL é", "x" * 65, 7])
def test_an_id_that_is_none_of_adyens_never_enters_a_path(vendor_id: Any) -> None:
    """Adyen's package does not encode it, so it is refused."""
    provider = account()
    for call in (
        lambda: script(provider.fetch_link(vendor_id), ()),
        lambda: script(provider.close_link(vendor_id, key=KEY, now=NOW), ()),
        lambda: script(provider.capture(vendor_id, Money(1, "EUR"), key=KEY, now=NOW), ()),
        lambda: script(provider.cancel_payment(vendor_id, key=KEY, now=NOW), ()),
    ):
        with pytest.raises(InvalidInput):
            _ = call()


@pytest.mark.parametrize("content", [{"link_id": "a:b"}, {"attempt_id": "x" * 33}, {"link_id": ""}])
def test_an_id_of_ours_that_does_not_fit_the_mark_is_refused(content: dict[str, Any]) -> None:
    """A colon would end its field in what Adyen signs."""
    with pytest.raises(InvalidInput, match="reference"):
        _ = body_of(**content)


def test_any_2xx_that_adyens_package_knows_is_read() -> None:
    """202 as well as 200 and 201."""
    link, _ = drive(
        account().fetch_link(VENDOR_LINK),
        lambda request: httpx.Response(202, json=recorded("link_active"), request=request),
    )

    assert link.vendor_id == VENDOR_LINK
