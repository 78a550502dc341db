"""Links at Mollie: what is asked for, and what of the answers is believed."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
from attrs import evolve

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, ProviderError
from paybylink.flow import Retry
from paybylink.kinds import Invoice, InvoiceBound, Reusable
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.providers.base import VendorLinkStatus

from .mollie_given import (
    ATTEMPT_ID,
    KEY,
    LINK_ID,
    NEWS,
    NOW,
    ORDER,
    PROFILE,
    VENDOR_LINK,
    account,
    asked,
    body_of,
    create,
    drive,
    echo,
    organisation,
    query,
    recorded,
    reply,
    sending,
)

RETURN = "https://shop.example/thanks?id=7#done"


def test_a_single_use_link_is_a_payment_link_that_is_not_reusable() -> None:
    """One POST, the amount as text, the expiry in UTC, our marks in the address for news."""
    link, (request,) = drive(create(account(), asked()), recorded("link_single_use"))

    assert (request.method, str(request.url)) == ("POST", "https://api.mollie.com/v2/payment-links")
    assert body_of() == {
        "description": "Logo design",
        "amount": {"currency": "EUR", "value": "49.90"},
        "reusable": False,
        "expiresAt": "2026-01-31T00:00:00Z",
        "webhookUrl": NEWS,
    }
    assert (link.vendor_id, link.status, link.mode) == (VENDOR_LINK, VendorLinkStatus.OPEN, Mode.TEST)
    assert link.url == "https://payment-links.mollie.com/payment/4PbLSingle"
    assert (link.link_id, link.attempt_id, link.completed) == (LINK_ID, ATTEMPT_ID, None)


def test_it_is_keyed_and_repeated_with_the_same_bytes_only_while_the_key_lives() -> None:
    """The key is ours, and dies for us before Mollie forgets it after an hour."""
    written = account().write_link(asked(), key=KEY, now=NOW)
    _, (request,) = drive(account().create_link(asked(), written=written), recorded("link_single_use"))

    assert request.headers["idempotency-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert request.content == written.body
    how = sending(request)
    assert (how.who, how.retry, how.key_until) == ("mollie", Retry.KEYED, NOW + dt.timedelta(minutes=50))
    assert {409, 429, 500, 503} <= how.retry_statuses


@pytest.mark.parametrize(
    ("money", "value"),
    [
        (Money(1, "EUR"), "0.01"),
        (Money(1000, "JPY"), "1000"),
        (Money(1500, "ISK"), "1500"),
        (Money(123456, "HUF"), "1234.56"),
        (Money(100, "TWD"), "1.00"),
    ],
    ids=str,
)
def test_an_amount_is_text_with_the_currencys_decimals(money: Money, value: str) -> None:
    """ISK and JPY have none; HUF and TWD two."""
    body = body_of(evolve(ORDER, amount=money))

    assert body["amount"] == {"currency": money.currency, "value": value}


def test_an_organisations_token_names_profile_and_mode_in_the_body() -> None:
    """With an API key both would be refused."""
    body = body_of(provider=organisation())

    assert (body["profileId"], body["testmode"]) == (PROFILE, True)
    assert not {"profileId", "testmode"} & body_of().keys()
    live = organisation(testmode=False)
    assert "testmode" not in body_of(provider=live)


def test_an_organisations_token_names_its_mode_in_the_query_of_what_it_reads() -> None:
    """On a GET it belongs into the query."""
    _, (request,) = drive(organisation().fetch_link(VENDOR_LINK), recorded("link_single_use"))

    assert query(request) == {"testmode": "true"}
    assert request.content == b""


def test_a_reusable_link_says_so() -> None:
    """A maximum is not told to Mollie, which does not count; we close the link after the last payment."""
    for kind in (Reusable(), Reusable(max_payments=3)):
        assert body_of(kind=kind)["reusable"] is True
    link, _ = drive(create(account(), asked(kind=Reusable())), echo())
    assert link.status is VendorLinkStatus.OPEN


def test_a_reusable_link_is_never_closed_by_having_been_paid() -> None:
    """What `paidAt` means after the first of many payments is not documented."""
    link, _ = drive(account().fetch_link("pl_4PbLReusable"), recorded("link_reusable_paid_once"))

    assert link.status is VendorLinkStatus.OPEN


@pytest.mark.parametrize(
    ("minimum", "value"), [(Money(500, "EUR"), "5.00"), (None, "0.01")], ids=["a-minimum", "the-least"]
)
def test_where_the_payer_chooses_only_the_least_amount_is_sent(minimum: Money | None, value: str) -> None:
    """The least amount says the currency, so there is always one; never both amounts."""
    kind = Reusable(payer_chooses=True, minimum=minimum)
    body = body_of(kind=kind)

    assert body["minimumAmount"] == {"currency": "EUR", "value": value}
    assert "amount" not in body
    link, _ = drive(create(account(), asked(kind=kind)), echo())
    assert link.status is VendorLinkStatus.OPEN


@pytest.mark.parametrize(
    ("description", "said"),
    [("Logo design", "F2026-0042 · Logo design"), ("", "F2026-0042"), ("F2026-0042", "F2026-0042")],
)
def test_an_invoice_bound_link_shows_the_invoices_number_first(description: str, said: str) -> None:
    """Mollie has no field for it, and the payer reads the description."""
    kind = InvoiceBound(Invoice(number="F2026-0042", open_amount=ORDER.amount))

    body = body_of(evolve(ORDER, description=description), kind=kind)

    assert (body["description"], body["reusable"]) == (said, False)


def test_a_description_is_there_always_and_visibly_shortened() -> None:
    """It is the only field that Mollie requires; 255 characters are shown."""
    assert body_of(evolve(ORDER, description=" "))["description"] == "INV-2026-031"
    kind = InvoiceBound(Invoice(number="N" * 80, open_amount=ORDER.amount))

    shown = body_of(evolve(ORDER, description="x" * 250), kind=kind)["description"]

    assert len(shown) == 255
    assert shown.startswith("N" * 80 + " · x")
    assert shown.endswith("x…")


def test_without_a_store_a_link_may_have_no_end() -> None:
    """Then none is sent and none is compared."""
    assert "expiresAt" not in body_of(expires_at=None)
    link, _ = drive(create(account(), asked(expires_at=None)), echo())
    assert link.vendor_id == VENDOR_LINK


def test_mollie_ends_the_link_itself() -> None:
    """As asked for, to the second and never later."""
    odd = NOW + dt.timedelta(days=1, microseconds=900_000)

    assert account().ends_at(asked(expires_at=odd), now=NOW) == odd
    assert body_of(expires_at=odd)["expiresAt"] == "2026-01-02T00:00:00Z"
    paris = dt.timezone(dt.timedelta(hours=1))
    assert body_of(expires_at=odd.astimezone(paris))["expiresAt"] == "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("settings", "content", "news", "back"),
    [
        pytest.param({}, {}, NEWS, None, id="the-links-own"),
        pytest.param({}, {"return_url": RETURN}, NEWS, RETURN, id="the-links-own-and-a-return"),
        pytest.param(
            {"webhook_url": "https://pay.example/hook"},
            {"notify_url": None},
            f"https://pay.example/hook?link={LINK_ID}&attempt={ATTEMPT_ID}",
            None,
            id="the-accounts",
        ),
        pytest.param(
            {"webhook_url": "https://pay.example/hook?t=1"},
            {"notify_url": "https://127.0.0.1/x?link=a&attempt=b"},
            f"https://pay.example/hook?t=1&link={LINK_ID}&attempt={ATTEMPT_ID}",
            None,
            id="the-accounts-since-mollie-cannot-call-this-machine",
        ),
        pytest.param(
            {},
            {"notify_url": "http://pay.example/x?link=a&attempt=b", "return_url": RETURN},
            None,
            f"https://shop.example/thanks?id=7&paybylink={ATTEMPT_ID}#done",
            id="the-return-address-since-mollie-calls-https-only",
        ),
        pytest.param(
            {},
            {"notify_url": None, "return_url": "https://shop.example/"},
            None,
            f"https://shop.example/?paybylink={ATTEMPT_ID}",
            id="the-return-address",
        ),
        pytest.param({}, {"notify_url": None}, None, None, id="none"),
        pytest.param(
            {"base_url": "http://127.0.0.1:1/mollie"},
            {"notify_url": "http://127.0.0.1:2/x?link=a&attempt=b"},
            "http://127.0.0.1:2/x?link=a&attempt=b",
            None,
            id="a-sandbox-calls-this-machine",
        ),
    ],
)
def test_our_marks_travel_in_an_address(
    settings: dict[str, Any], content: dict[str, Any], news: str | None, back: str | None
) -> None:
    """In the address for news, or without one in the payer's return address; never in one that cannot be called."""
    order = evolve(ORDER, return_url=content.pop("return_url", None))

    body = body_of(order, provider=account(**settings), **content)

    assert (body.get("webhookUrl"), body.get("redirectUrl")) == (news, back)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        pytest.param({"mode": "live"}, "mode", id="mode"),
        pytest.param({"id": "tr_1"}, "id", id="no-link"),
        pytest.param({"id": "pl_../x"}, "id", id="odd-id"),
        pytest.param({"amount": {"currency": "EUR", "value": "4.99"}}, "amount", id="amount"),
        pytest.param({"amount": {"currency": "USD", "value": "49.90"}}, "amount", id="currency"),
        pytest.param({"amount": {"currency": "EUR", "value": 49.9}}, "amount", id="a-number"),
        pytest.param({"amount": None}, "amount", id="open-amount"),
        pytest.param(
            {"minimumAmount": {"currency": "EUR", "value": "1.00"}}, "minimumAmount", id="a-minimum"
        ),
        pytest.param({"reusable": True}, "reusable", id="reusable"),
        pytest.param({"description": "Another"}, "description", id="description"),
        pytest.param({"expiresAt": None}, "expiresAt", id="no-end"),
        pytest.param({"expiresAt": "2026-01-31T00:00:01Z"}, "expiresAt", id="ends-later"),
        pytest.param({"expiresAt": "2026-01-29T23:59:59Z"}, "expiresAt", id="ends-long-before"),
        pytest.param({"expiresAt": "soon"}, "expiresAt", id="no-moment"),
        pytest.param({"webhookUrl": NEWS.replace(ATTEMPT_ID, "OTHER")}, "webhookUrl", id="another-attempt"),
        pytest.param({"webhookUrl": NEWS.replace(LINK_ID, "OTHER")}, "webhookUrl", id="another-link"),
        pytest.param({"_links": {}}, "_links.paymentLink", id="no-address"),
        pytest.param({"_links": {"paymentLink": {"href": 7}}}, "_links.paymentLink", id="no-text"),
        *(
            pytest.param({"_links": {"paymentLink": {"href": href}}}, "_links.paymentLink", id=href)
            for href in (
                "http://payment-links.mollie.com/payment/1",
                "https://mollie.com.example/payment/1",
                "https://notmollie.com/payment/1",
                "https://payment-links.mollie.com:8443/payment/1",
                "https://x@payment-links.mollie.com/payment/1",
                "https://127.0.0.1/payment/1",
                "https://[x/",
            )
        ),
    ],
)
def test_an_answer_that_differs_is_not_believed(changes: dict[str, Any], wrong: str) -> None:
    """Every difference is named, and no link comes of it."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = drive(create(account(), asked()), recorded("link_single_use", **changes))

    assert set(caught.value.differences) == {wrong}


def test_an_expiry_that_was_rounded_down_to_its_day_is_no_breach() -> None:
    """Older notes say that Mollie kept only the day; earlier than asked for is no harm."""
    request = asked(expires_at=NOW + dt.timedelta(days=3, hours=15))

    link, _ = drive(create(account(), request), echo(expiresAt="2026-01-04T00:00:00"))

    assert link.vendor_id == VENDOR_LINK


@pytest.mark.parametrize(
    "host", ["payment-links.mollie.com", "paymentlink.mollie.com", "useplink.com", "www.mollie.com"]
)
def test_all_known_hosts_are_mollies(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """The host has changed at least twice."""
    link, _ = drive(
        create(account(), asked()), echo(_links={"paymentLink": {"href": f"https://{host}/payment/1"}})
    )

    assert link.url == f"https://{host}/payment/1"
    assert caplog.text == ""


def test_an_unknown_host_of_mollies_is_accepted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A new host must not stop a shop; the line in the log has no path in it, by which anybody could pay."""
    links = {"paymentLink": {"href": "https://links.mollie.com/payment/secret"}}

    link, _ = drive(create(account(), asked()), echo(_links=links))

    assert link.url == "https://links.mollie.com/payment/secret"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "links.mollie.com" in caplog.text
    assert "secret" not in caplog.text


def test_a_domain_of_the_merchants_own_is_added() -> None:
    """With it, Mollie's hosts that are not named still count as hosts of Mollie."""
    links = {"paymentLink": {"href": "https://pay.shop.example/payment/1"}}

    link, _ = drive(create(account(allowed_hosts=["pay.shop.example"]), asked()), echo(_links=links))

    assert link.url == "https://pay.shop.example/payment/1"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, VendorLinkStatus.OPEN, id="open"),
        pytest.param({"paidAt": "2026-01-02T10:00:00Z"}, VendorLinkStatus.CLOSED, id="paid"),
        pytest.param({"archived": True}, VendorLinkStatus.CLOSED, id="archived"),
        pytest.param({"archived": None}, VendorLinkStatus.UNKNOWN, id="not-told"),
        pytest.param({"expiresAt": "2025-01-01T00:00:00Z"}, VendorLinkStatus.OPEN, id="expiry-is-our-rows"),
    ],
)
def test_a_links_status_follows_from_what_is_told(changes: dict[str, Any], status: VendorLinkStatus) -> None:
    """Mollie's links have no status of their own."""
    link, (request,) = drive(account().fetch_link(VENDOR_LINK), recorded("link_single_use", **changes))

    assert link.status is status
    assert (request.method, request.url.path) == ("GET", f"/v2/payment-links/{VENDOR_LINK}")
    assert sending(request).retry is Retry.SAFE


def test_another_link_than_was_asked_for_is_not_believed() -> None:
    """By its id."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().fetch_link("pl_4PbLOther"), recorded("link_single_use"))


def test_a_link_is_closed_by_archiving_it() -> None:
    """A PATCH with our key; closing a closed one is the same."""
    for _ in range(2):
        link, (request,) = drive(
            account().close_link(VENDOR_LINK, key=KEY, now=NOW), recorded("link_archived")
        )

        assert (request.method, request.content) == ("PATCH", b'{"archived": true}')
        assert request.url.path == f"/v2/payment-links/{VENDOR_LINK}"
        assert link.status is VendorLinkStatus.CLOSED


def test_a_token_says_its_mode_in_the_body_of_a_change() -> None:
    """As a query parameter it is refused there."""
    _, (request,) = drive(organisation().close_link(VENDOR_LINK, key=KEY, now=NOW), recorded("link_archived"))

    assert request.content == b'{"archived": true, "testmode": true}'
    assert request.url.query == b""


def test_a_link_that_stays_open_is_not_called_closed() -> None:
    """What Mollie answers counts, and not that it answered."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().close_link(VENDOR_LINK, key=KEY, now=NOW), recorded("link_single_use"))


def test_a_link_that_may_not_be_archived_because_it_was_paid_is_closed() -> None:
    """Whether Mollie archives a paid link is not documented; it cannot be paid again either way."""
    link, _ = drive(
        account().close_link(VENDOR_LINK, key=KEY, now=NOW),
        reply(recorded("error_suspended"), 422),
        recorded("link_paid"),
    )

    assert link.status is VendorLinkStatus.CLOSED


def test_a_link_that_is_gone_is_a_refusal() -> None:
    """It was deleted in the dashboard, or the key is of the other mode: Mollie answers the same to both."""
    with pytest.raises(ProviderError) as caught:
        _ = drive(
            account().close_link(VENDOR_LINK, key=KEY, now=NOW), reply(recorded("error_no_such_link"), 404)
        )

    assert caught.value.standard_code == "not_found"


def find(
    *replies: Any, now: dt.datetime = NOW, settings: dict[str, Any] | None = None, **content: Any
) -> Any:
    """What `find_link` says, and what it asked."""
    request = asked(**content)
    return drive(account(**(settings or {})).find_link(request, since=NOW, now=now), *replies)


def test_a_link_is_found_by_its_mark_page_by_page() -> None:
    """Newest first; the cursor is taken from Mollie's address, and nothing else of it."""
    link, requests = find(recorded("links_page"), recorded("links_page_with_ours"))

    assert link.vendor_id == VENDOR_LINK
    assert [query(request) for request in requests] == [
        {"limit": "250"},
        {"limit": "250", "from": VENDOR_LINK},
    ]
    assert {request.url.host for request in requests} == {"api.mollie.com"}


def test_a_link_is_found_by_its_return_address() -> None:
    """Where there was no address for news."""
    page = recorded("links_page_with_ours")
    page["_embedded"]["payment_links"][0] |= {
        "webhookUrl": None,
        "redirectUrl": f"https://shop.example/?paybylink={ATTEMPT_ID}",
    }

    link, _ = find(page, notify_url=None, order=evolve(ORDER, return_url="https://shop.example/"))

    assert (link.vendor_id, link.link_id, link.attempt_id) == (VENDOR_LINK, "", ATTEMPT_ID)


def test_a_link_that_was_found_is_compared_as_well() -> None:
    """A mark alone is no proof."""
    page = recorded("links_page_with_ours")
    page["_embedded"]["payment_links"][0]["amount"]["value"] = "4.99"

    with pytest.raises(IntegrityBreach):
        _ = find(page)


def test_a_link_that_was_found_and_has_expired_is_closed() -> None:
    """Here the moment is told."""
    link, _ = find(recorded("links_page_with_ours"), now=NOW + dt.timedelta(days=30))

    assert link.status is VendorLinkStatus.CLOSED


@pytest.mark.parametrize("page", ["links_page_older", "links_page_end"])
def test_a_link_is_surely_not_there(page: str) -> None:
    """The list ends, or reaches links that were made a day before ours was asked for."""
    found = recorded("links_page")
    if page == "links_page_end":
        found["_links"]["next"] = None
        assert find(found)[0] is None
    else:
        assert find(found, recorded("links_page_older"))[0] is None


@pytest.mark.parametrize("last", [True, False], ids=["at-the-end", "before-older-ones"])
def test_a_link_like_ours_without_a_mark_is_no_reason_for_a_second_one(last: bool) -> None:
    """It was made before `public_url` was set, or Mollie shows an address of its own: nobody can tell."""
    page = recorded("links_page_with_ours")
    page["_embedded"]["payment_links"][0] |= {"webhookUrl": None, "redirectUrl": None}
    page["_links"]["next"] = None if last else {"href": "https://api.mollie.com/v2/payment-links?from=pl_1"}

    with pytest.raises(OutcomeUnknown, match="carries no mark of ours"):
        _ = find(page, *([] if last else [recorded("links_page_older")]))


def test_a_link_over_something_else_without_a_mark_is_somebody_elses() -> None:
    """Links that were made in the dashboard carry no mark of ours either."""
    page = recorded("links_page_with_ours")
    page["_embedded"]["payment_links"][0] |= {"webhookUrl": None, "redirectUrl": None, "description": "Tea"}
    page["_links"]["next"] = None

    assert find(page)[0] is None


def test_a_link_without_any_mark_cannot_be_told() -> None:
    """Then nothing is asked, and nobody says that it does not exist."""
    with pytest.raises(OutcomeUnknown) as caught:
        _ = find(notify_url=None)

    assert "neither an address for news" in str(caught.value)


def test_a_link_without_any_mark_is_no_longer_payable_once_it_has_ended() -> None:
    """A day after its end it is the same as not there."""
    ended = NOW + dt.timedelta(days=31)

    assert find(notify_url=None, now=ended)[0] is None
    with pytest.raises(OutcomeUnknown):
        _ = find(notify_url=None, now=ended - dt.timedelta(seconds=1))
    with pytest.raises(OutcomeUnknown):
        _ = find(notify_url=None, expires_at=None, now=ended)


def test_too_many_links_leave_the_outcome_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are bounded."""
    monkeypatch.setattr("paybylink.providers.mollie._link_calls.MOST_FIND_PAGES", 2)
    pages = [recorded("links_page"), recorded("links_page")]
    pages[1]["_links"]["next"]["href"] = "https://api.mollie.com/v2/payment-links?from=pl_4PbLThird"

    with pytest.raises(OutcomeUnknown):
        _ = find(*pages)


@pytest.mark.parametrize(
    "changes",
    [
        {"_embedded": {}},
        {"_embedded": {"payment_links": [7]}},
        {"_embedded": None},
    ],
    ids=["no-list", "no-objects", "nothing"],
)
def test_a_list_that_is_none_is_not_believed(changes: dict[str, Any]) -> None:
    """An empty page by mistake would mean that no link was made."""
    with pytest.raises(IntegrityBreach):
        _ = find(recorded("links_page", **changes))


def test_a_listed_link_without_a_moment_proves_nothing() -> None:
    """It is neither ours nor older than ours."""
    page = recorded("links_page")
    page["_embedded"]["payment_links"][0]["createdAt"] = None
    page["_embedded"]["payment_links"][1] |= {"webhookUrl": "https://[x", "redirectUrl": 7}

    assert find(page, recorded("links_page_with_ours"))[0].vendor_id == VENDOR_LINK


def test_a_found_link_whose_end_cannot_be_read_is_not_believed() -> None:
    """Nor called open."""
    page = recorded("links_page_with_ours")
    page["_embedded"]["payment_links"][0]["expiresAt"] = "soon"

    with pytest.raises(IntegrityBreach):
        _ = find(page)


def test_a_list_without_end_is_not_read_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are bounded there as well."""
    monkeypatch.setattr("paybylink.providers.mollie._account.MOST_PAGES", 2)
    pages = [recorded("payments_of_link"), recorded("payments_of_link")]
    for number, page in enumerate(pages):
        page["_links"]["next"] = {"href": f"https://api.mollie.com/v2/x?from=tr_{number}"}

    with pytest.raises(IntegrityBreach):
        _ = drive(account().payments_of(VENDOR_LINK), *pages)


def test_the_same_page_again_is_no_progress() -> None:
    """A list that turns in a circle ends here."""
    circle = recorded("links_page")

    with pytest.raises(IntegrityBreach):
        _ = find(circle, circle)


@pytest.mark.parametrize("vendor_id", ["", "tr_1", "pl_", "pl_1/../payments", "pl_ä", "pl_" + "x" * 200])
def test_an_id_that_is_none_of_mollies_enters_no_path(vendor_id: str) -> None:
    """The SDK would put it there unescaped."""
    for call in (
        account().fetch_link(vendor_id),
        account().payments_of(vendor_id),
        account().close_link(vendor_id, key=KEY, now=NOW),
    ):
        with pytest.raises(InvalidInput):
            _ = next(call)
