"""Links at Stripe: what is asked for, and what of the answers is believed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, ProviderError, SettingsError
from paybylink.flow import Retry
from paybylink.kinds import Invoice, InvoiceBound, Reusable
from paybylink.lines import LineItem
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.base import Feature, Provider, Support, VendorLinkStatus
from paybylink.providers.stripe import StripeProvider

from .stripe_given import (
    API_KEY,
    ATTEMPT_ID,
    KEY,
    LINK_ID,
    NOW,
    ORDER,
    SECRET,
    account,
    answer,
    asked,
    create,
    drive,
    finish,
    form,
    order_of,
    query,
    recorded,
    sending,
)


def items(fields: dict[str, str]) -> list[tuple[str, int, int]]:
    """The name, quantity and unit amount of each line item of a form."""
    found: list[tuple[str, int, int]] = []
    while (prefix := f"line_items[{len(found)}]") + "[quantity]" in fields:
        data = f"{prefix}[price_data]"
        found.append(
            (
                fields[f"{data}[product_data][name]"],
                int(fields[f"{prefix}[quantity]"]),
                int(fields[f"{data}[unit_amount]"]),
            )
        )
    return found


def written(order: Order = ORDER, **content: Any) -> dict[str, str]:
    """The form that is sent for an order."""
    _, request = create(account(), asked(order, **content))
    return form(request)


def test_it_is_a_provider() -> None:
    """The adapter has every verb of the interface."""
    provider: Provider = account()

    assert provider.name == "stripe"


def test_a_single_use_link_is_a_payment_link_that_takes_one_payment() -> None:
    """One POST with inline price, limit 1, and our marks on the link and on the payment intent."""
    call, request = create(account(), asked())

    assert (request.method, str(request.url)) == ("POST", "https://api.stripe.com/v1/payment_links")
    marks = {
        "paybylink_link": LINK_ID,
        "paybylink_attempt": ATTEMPT_ID,
        "paybylink_asked": "1767225600",
        "paybylink_reference": "INV-2026-031",
        "paybylink_limit": "1",
    }
    assert form(request) == {
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "4990",
        "line_items[0][price_data][product_data][name]": "Logo design",
        "restrictions[completed_sessions][limit]": "1",
        "inactive_message": "This payment link is no longer active. Please contact the merchant.",
        "payment_intent_data[description]": "Logo design",
        "expand[0]": "line_items",
        **{f"metadata[{name}]": value for name, value in marks.items()},
        **{f"payment_intent_data[metadata][{name}]": value for name, value in marks.items()},
    }
    link = finish(call, answer(request, recorded("payment_link_single_use")))
    assert (link.vendor_id, link.status, link.mode) == (
        "plink_1SkPbLsingle",
        VendorLinkStatus.OPEN,
        Mode.TEST,
    )
    assert link.url == "https://buy.stripe.com/test_1SkPbLsingle"
    assert (link.completed, link.link_id, link.attempt_id) == (0, LINK_ID, ATTEMPT_ID)


def test_it_is_keyed_and_repeated_with_the_same_bytes_only_while_the_key_lives() -> None:
    """The key is ours, and dies before Stripe forgets it after 24 hours."""
    _, request = create(account(), asked())

    assert request.headers["idempotency-key"] == KEY
    how = sending(request)
    assert (how.who, how.retry, how.key_until) == ("stripe", Retry.KEYED, NOW + dt.timedelta(hours=23))
    assert {409, 429, 500, 503} <= how.retry_statuses


def test_a_reusable_link_has_no_limit_or_the_one_asked_for() -> None:
    """Without a maximum there is no restriction at all."""
    free, limited = written(kind=Reusable()), written(kind=Reusable(max_payments=12))

    assert not [name for name in free if name.startswith("restrictions")]
    assert limited["restrictions[completed_sessions][limit]"] == "12"


def test_an_invoice_bound_link_carries_the_invoices_number_and_takes_one_payment() -> None:
    """The number stands in the metadata of link and payment intent."""
    kind = InvoiceBound(Invoice(number="F2026-0042", open_amount=ORDER.amount))

    fields = written(kind=kind)

    assert fields["metadata[paybylink_invoice]"] == "F2026-0042"
    assert fields["payment_intent_data[metadata][paybylink_invoice]"] == "F2026-0042"
    assert fields["restrictions[completed_sessions][limit]"] == "1"


def test_the_orders_part_metadata_and_return_address_travel() -> None:
    """The host's pairs go along with our marks; the payer returns to the host's page."""
    fields = written(
        Order(
            reference="R-1",
            part="deposit",
            amount=Money(4990, "EUR"),
            metadata={"shop": "Nantes", "empty": ""},
            return_url="https://shop.example/thanks?s={CHECKOUT_SESSION_ID}",
        )
    )

    assert fields["metadata[paybylink_part]"] == "deposit"
    assert fields["payment_intent_data[metadata][shop]"] == "Nantes"
    assert "metadata[empty]" not in fields
    assert fields["after_completion[type]"] == "redirect"
    assert fields["after_completion[redirect][url]"] == "https://shop.example/thanks?s={CHECKOUT_SESSION_ID}"
    assert items(fields) == [("R-1", 1, 4990)]


def test_no_payment_method_is_ever_named() -> None:
    """The merchant's Dashboard settings decide; naming methods is refused by newer API versions."""
    assert not [name for name in written() if "payment_method" in name]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"locale": "fr-CA"}, "Ce lien"),
        ({"locale": "xx"}, "This payment link"),
        ({"order": Order(reference="1", amount=Money(1, "EUR"), customer=Customer(language="de"))}, "Dieser"),
    ],
)
def test_a_closed_link_speaks_the_customers_language(content: dict[str, Any], said: str) -> None:
    """The words for a closed link follow the locale, else the customer, else English."""
    assert written(**content)["inactive_message"].startswith(said)


def test_lines_are_sent_with_vat_and_add_up() -> None:
    """Whole quantities that divide stay quantities; all amounts are gross."""
    order = order_of(
        *[
            LineItem(
                description="Chair",
                unit_price=Money(1000, "EUR"),
                quantity=3,
                vat_rate=20,
                vat_included=False,
            ),
            LineItem(description="Table", unit_price=Money(12000, "EUR"), vat_rate=Decimal("5.5")),
            LineItem(description="Hours", unit_price=Money(8001, "EUR"), quantity="1.5"),
        ],
    )

    assert items(written(order)) == [("Chair", 3, 1200), ("Table", 1, 12000), ("1.5 × Hours", 1, 12002)]
    assert order.amount == Money(3600 + 12000 + 12002, "EUR")


def test_a_unit_price_that_does_not_divide_moves_the_quantity_into_the_name() -> None:
    """3 × 0.99 with 5.5 % is 3.13, which is no multiple of three."""
    line = LineItem(
        description="Pen",
        unit_price=Money(99, "EUR"),
        quantity=3,
        vat_rate=Decimal("5.5"),
        vat_included=False,
    )

    assert items(written(order_of(line))) == [("3 × Pen", 1, 313)]


def test_where_vat_per_rate_and_per_line_disagree_one_line_says_the_amount() -> None:
    """Three lines of 0.33 net with 20 % are 1.19 together, but 1.20 when rounded one by one."""
    lines = [
        LineItem(description=f"L{number}", unit_price=Money(33, "EUR"), vat_rate=20, vat_included=False)
        for number in range(3)
    ]
    order = order_of(*lines, description="Three lines")

    assert order.amount == Money(119, "EUR")
    assert items(written(order)) == [("Three lines", 1, 119)]


def test_a_discount_line_makes_one_line_of_all() -> None:
    """Stripe's prices cannot be negative."""
    lines = [
        LineItem(description="Chair", unit_price=Money(1000, "EUR")),
        LineItem(description="Discount", unit_price=Money(-100, "EUR")),
    ]

    assert items(written(order_of(*lines))) == [("R", 1, 900)]


def test_lines_that_stripe_cannot_count_make_one_line_of_all() -> None:
    """Thousandths of a dinar that end in other than 0 are fine in a line that is not sent."""
    lines = [LineItem(description="A", unit_price=Money(1005, "KWD")) for _ in range(2)]

    assert items(written(order_of(*lines))) == [("R", 1, 2010)]


def test_a_step_of_ten_holds_for_the_unit_price_as_well() -> None:
    """2 × 1.005 KWD is sent once, as 2.010."""
    line = LineItem(description="A", unit_price=Money(1005, "KWD"), quantity=2)

    assert items(written(order_of(line))) == [("2 × A", 1, 2010)]


def test_more_than_a_million_pieces_are_written_in_the_name() -> None:
    """Stripe's quantity ends at 999,999."""
    line = LineItem(description="Screw", unit_price=Money(1, "EUR"), quantity=1_000_000)

    assert items(written(order_of(line))) == [("1000000 × Screw", 1, 1_000_000)]


def test_a_long_name_is_visibly_shortened() -> None:
    """A product's name ends with an ellipsis rather than the order being refused."""
    line = LineItem(description="x" * 250, unit_price=Money(100, "EUR"), quantity="2.5")

    ((name, _, _),) = items(written(order_of(line)))

    assert (len(name), name[:8], name[-1]) == (250, "2.5 × xx", "…")


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Money(500, "JPY"), 500),
        (Money(500, "ISK"), 50_000),
        (Money(500, "UGX"), 50_000),
        (Money(500, "MGA"), 5),
        (Money(5010, "KWD"), 5010),
        (Money(999_999_999_999, "IDR"), 999_999_999_999),
        (Money(100_000_000, "JPY"), 100_000_000),
    ],
)
def test_amounts_are_counted_as_stripe_counts(amount: Money, sent: int) -> None:
    """Stripe's exponents, not those of ISO 4217."""
    assert items(written(Order(reference="R", amount=amount)))[0][2] == sent


@pytest.mark.parametrize(
    "amount", [Money(100_000_000, "EUR"), Money(1_000_000_000, "INR"), Money(5005, "KWD"), Money(501, "MGA")]
)
def test_amounts_that_stripe_cannot_take_are_refused_before_anything_is_sent(amount: Money) -> None:
    """Too much, or too fine: the fault names the order's amount."""
    with pytest.raises(InvalidInput) as caught:
        _ = account().write_link(asked(Order(reference="R", amount=amount)), key=KEY, now=NOW)

    assert [fault.path for fault in caught.value.faults] == ["order.amount"]


def test_the_smallest_amount_is_left_to_stripe() -> None:
    """The minimum depends on the settlement currency, which we do not know."""
    assert items(written(Order(reference="R", amount=Money(1, "EUR"))))[0][2] == 1


def test_every_broken_limit_is_reported_at_once() -> None:
    """Too many lines and too much money are two faults of one error."""
    lines = [LineItem(description="A", unit_price=Money(10_000_000, "EUR")) for _ in range(21)]

    with pytest.raises(InvalidInput) as caught:
        _ = account().write_link(asked(order_of(*lines)), key=KEY, now=NOW)

    assert [fault.path for fault in caught.value.faults] == ["order.amount", "order.lines"]


def _damaged(**changes: Any) -> dict[str, Any]:
    return {**recorded("payment_link_single_use"), **changes}


def _with_items(**changes: Any) -> dict[str, Any]:
    reply = recorded("payment_link_single_use")
    reply["line_items"]["data"][0].update(changes)
    return dict(reply)


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        pytest.param(_damaged(livemode=True), "livemode", id="other-mode"),
        pytest.param(_damaged(livemode=None), "livemode", id="no-mode"),
        pytest.param(_damaged(currency="usd"), "currency", id="other-currency"),
        pytest.param(_damaged(metadata={}), "metadata.paybylink_attempt", id="no-metadata"),
        pytest.param(_damaged(metadata=None), "metadata.paybylink_link", id="null-metadata"),
        pytest.param(_damaged(restrictions=None), "restrictions", id="no-limit"),
        pytest.param(_damaged(object="product"), "object", id="another-object"),
        pytest.param(_damaged(id=""), "object", id="no-id"),
        pytest.param(_damaged(line_items={}), "line_items", id="unreadable-items"),
        pytest.param(_with_items(amount_total=4991), "line_items.amount_total", id="other-amount"),
        pytest.param(_with_items(currency="gbp"), "line_items.currency", id="other-item-currency"),
        pytest.param(_damaged(url="http://buy.stripe.com/test_1"), "url", id="plain-http"),
        pytest.param(_damaged(url="https://buy.stripe.com.evil.example/1"), "url", id="lookalike-host"),
        pytest.param(_damaged(url="https://buy.stripe.com@evil.example/1"), "url", id="userinfo"),
        pytest.param(_damaged(url="https://someone@buy.stripe.com/1"), "url", id="userinfo-before-our-host"),
        pytest.param(_damaged(url="https://buy.stripe.com:8443/1"), "url", id="port"),
        pytest.param(_damaged(url="https://buy.stripe.com:x/1"), "url", id="broken-port"),
        pytest.param(_damaged(url="https://buy.stripe.com/\n1"), "url", id="line-break"),
        pytest.param(_damaged(url="https:///1"), "url", id="no-host"),
        pytest.param(_damaged(url="http://127.0.0.1:8000/1"), "url", id="loopback-from-stripe"),
        pytest.param(_damaged(url=None), "url", id="no-url"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_not_believed(reply: dict[str, Any], named: str) -> None:
    """Each difference is named, and no link comes of it."""
    call, request = create(account(), asked())

    with pytest.raises(IntegrityBreach) as caught:
        _ = finish(call, answer(request, reply))
    assert named in caught.value.differences


def test_an_answer_that_is_no_object_is_not_believed() -> None:
    """JSON of another shape is no link."""
    call, request = create(account(), asked())

    with pytest.raises(IntegrityBreach):
        _ = finish(call, answer(request, ["plink_1"]))


def test_items_that_are_not_shown_are_compared_as_far_as_possible() -> None:
    """Without line items, or with more of them than are shown, the rest is taken as asked."""
    for reply in (_damaged(line_items=None), _with_items(amount_total=1000)):
        if reply["line_items"]:
            reply["line_items"]["has_more"] = True
        call, request = create(account(), asked())

        assert finish(call, answer(request, reply)).vendor_id == "plink_1SkPbLsingle"


def test_more_items_than_shown_cannot_exceed_the_amount() -> None:
    """The shown part alone already is too much."""
    reply = _with_items(amount_total=5000)
    reply["line_items"]["has_more"] = True
    call, request = create(account(), asked())

    with pytest.raises(IntegrityBreach):
        _ = finish(call, answer(request, reply))


def test_a_host_of_ones_own_can_be_allowed() -> None:
    """A custom domain at Stripe is added to the allowed hosts."""
    call, request = create(account(allowed_hosts="pay.example.com"), asked())

    link = finish(call, answer(request, _damaged(url="https://pay.example.com/b/1")))

    assert link.url == "https://pay.example.com/b/1"


def test_the_sandbox_on_this_machine_may_lead_to_this_machine() -> None:
    """A loopback base address, which may have a path, allows loopback links, and is where requests go."""
    call, request = create(account(base_url="http://127.0.0.1:8123/stripe/"), asked())

    assert str(request.url) == "http://127.0.0.1:8123/stripe/v1/payment_links"
    link = finish(call, answer(request, _damaged(url="http://127.0.0.1:8123/pay/1")))
    assert link.url == "http://127.0.0.1:8123/pay/1"


def test_a_stored_request_of_another_version_is_sent_as_it_was() -> None:
    """After an update of library or SDK the stored body and API version are repeated, not rewritten."""
    before = account(api_version="2025-09-30.clover").write_link(asked(), key=KEY, now=NOW)

    request = next(account().create_link(asked(), written=before))

    assert request.content == before.body
    assert request.headers["stripe-version"] == "2025-09-30.clover"
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert sending(request).key_until == before.key_until


def test_a_stored_request_follows_the_settings_to_another_address() -> None:
    """What is stored has no host and nothing of the base address, so a sandbox may move to another port."""
    before = account(base_url="http://127.0.0.1:1/a").write_link(asked(), key=KEY, now=NOW)

    request = next(account(base_url="http://127.0.0.1:2/b").create_link(asked(), written=before))

    assert before.path == "/v1/payment_links"
    assert str(request.url) == "http://127.0.0.1:2/b/v1/payment_links"


def test_a_connected_account_is_named_in_every_request() -> None:
    """A platform's link belongs to the connected account."""
    _, request = create(account(account="acct_1Abc"), asked())

    assert request.headers["stripe-account"] == "acct_1Abc"


def test_a_link_is_fetched_with_its_status_and_count() -> None:
    """Inactive is closed, used up is closed, a word we do not know is unknown."""
    for reply, status in (
        (recorded("payment_link_single_use"), VendorLinkStatus.OPEN),
        (recorded("payment_link_deactivated"), VendorLinkStatus.CLOSED),
        (recorded("payment_link_used_up"), VendorLinkStatus.CLOSED),
        (_damaged(active="resting", restrictions={}), VendorLinkStatus.UNKNOWN),
    ):
        link, (request,) = drive(account().fetch_link("plink_1SkPbLsingle"), reply)

        assert link.status is status
        assert (request.method, request.url.path) == ("GET", "/v1/payment_links/plink_1SkPbLsingle")
        assert sending(request).retry is Retry.SAFE
        assert "idempotency-key" not in request.headers


@pytest.mark.parametrize("vendor_id", ["", "plink_1/../../x", "plink_1?a", "plink 1", None])
def test_an_id_that_is_none_never_becomes_part_of_a_path(vendor_id: Any) -> None:
    """Nothing is sent for an id that is not one."""
    with pytest.raises(InvalidInput):
        _ = next(account().fetch_link(vendor_id))


def test_closing_deactivates_and_ends_the_open_sessions() -> None:
    """A session that completes in between is left to be told as a payment."""
    link, requests = drive(
        account().close_link("plink_1SkPbLsingle", key=KEY, now=NOW),
        recorded("payment_link_deactivated"),
        recorded("sessions_open"),
        recorded("session_expired"),
        (recorded("error_session_not_open"), 400),
    )

    assert link.status is VendorLinkStatus.CLOSED
    assert [(request.method, request.url.path) for request in requests] == [
        ("POST", "/v1/payment_links/plink_1SkPbLsingle"),
        ("GET", "/v1/checkout/sessions"),
        ("POST", "/v1/checkout/sessions/cs_test_a1open/expire"),
        ("POST", "/v1/checkout/sessions/cs_test_a1late/expire"),
    ]
    assert form(requests[0]) == {"active": "false"}
    assert query(requests[1]) == {"payment_link": "plink_1SkPbLsingle", "status": "open", "limit": "100"}
    keys = [request.headers.get("idempotency-key") for request in requests]
    assert keys == [KEY, None, f"{KEY}-cs_test_a1open", f"{KEY}-cs_test_a1late"]


def test_closing_is_not_certain_when_a_session_could_not_be_ended() -> None:
    """An answer of 500 to the end of a session is an unknown outcome, not a closed link."""
    with pytest.raises(OutcomeUnknown):
        _ = drive(
            account().close_link("plink_1SkPbLsingle", key=KEY, now=NOW),
            recorded("payment_link_deactivated"),
            recorded("sessions_open"),
            (recorded("error_api_down"), 500),
        )
    with pytest.raises(ProviderError, match="lacks a right"):
        _ = drive(
            account().close_link("plink_1SkPbLsingle", key=KEY, now=NOW),
            recorded("payment_link_deactivated"),
            recorded("sessions_open"),
            (recorded("error_missing_right"), 403),
        )


def test_a_link_that_stays_open_was_not_closed() -> None:
    """An answer that still says active is not believed."""
    with pytest.raises(IntegrityBreach):
        _ = drive(
            account().close_link("plink_1SkPbLsingle", key=KEY, now=NOW), recorded("payment_link_single_use")
        )


def test_a_lost_link_is_found_by_its_attempt() -> None:
    """The list is compared by metadata, then the link is read alone and compared in full."""
    found, requests = drive(
        account().find_link(asked(), since=NOW, now=NOW),
        recorded("payment_links_page"),
        recorded("payment_link_single_use"),
    )

    assert found is not None
    assert found.vendor_id == "plink_1SkPbLsingle"
    assert query(requests[0]) == {"limit": "100"}
    assert requests[1].url.path == "/v1/payment_links/plink_1SkPbLsingle"
    assert query(requests[1]) == {"expand[0]": "line_items"}


def _page(*links: tuple[str, dict[str, str]], more: bool) -> dict[str, Any]:
    listed = [_damaged(id=name, metadata=metadata) for name, metadata in links]
    return {"object": "list", "data": listed, "has_more": more, "url": "/v1/payment_links"}


def test_a_link_is_surely_not_there_when_the_list_ends() -> None:
    """Pages are followed by the last id, until there is no more."""
    found, requests = drive(
        account().find_link(asked(), since=NOW, now=NOW),
        _page(("plink_a", {}), ("plink_b", {}), more=True),
        _page(("plink_c", {}), more=False),
    )

    assert found is None
    assert query(requests[1]) == {"limit": "100", "starting_after": "plink_b"}


def test_a_link_is_surely_not_there_when_the_rest_is_older() -> None:
    """A link of ours that was asked for a day before ends the search: all that follow are older."""
    day_before, hour_before = (str(int(NOW.timestamp()) - seconds) for seconds in (86_401, 3600))

    found, requests = drive(
        account().find_link(asked(), since=NOW, now=NOW),
        _page(("plink_a", {"paybylink_asked": hour_before}), more=True),
        _page(("plink_b", {"paybylink_asked": day_before}), more=True),
    )

    assert (found, len(requests)) == (None, 2)


def test_too_many_links_leave_it_unknown() -> None:
    """After 5,000 links it is not said that there is none."""
    pages = [_page((f"plink_{number}", {}), more=True) for number in range(50)]

    with pytest.raises(OutcomeUnknown, match="5,000"):
        _ = drive(account().find_link(asked(), since=NOW, now=NOW), *pages)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([_page(("plink_a", {}), more=True)] * 2, id="the-same-page-again"),
        pytest.param([{"object": "list"}], id="no-data"),
        pytest.param([{"data": ["plink_1"]}], id="no-objects"),
        pytest.param([_page(("plink/a", {}), more=True)], id="an-id-that-is-none"),
    ],
)
def test_a_list_that_makes_no_sense_is_not_believed(pages: list[Any]) -> None:
    """It neither goes on for ever nor says that there is no link."""
    with pytest.raises(IntegrityBreach):
        _ = drive(account().find_link(asked(), since=NOW, now=NOW), *pages)


def test_what_cannot_be_had_says_why() -> None:
    """Every feature is declared; whatever is not native says how or why."""
    capabilities = account().capabilities

    assert set(capabilities) == set(Feature)
    for feature, capability in capabilities.items():
        assert capability.support is Support.NATIVE or capability.how, feature
    assert capabilities[Feature.EXPIRY].support is Support.EMULATED


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": "pk_test_MARKED"}, "api_key"),
        ({"api_key": "whsec_MARKED"}, "api_key"),
        ({"api_key": "sk_org_live_MARKED"}, "api_key"),
        ({"api_key": " sk_test_MARKED"}, "api_key"),
        ({"api_key": "sk_test_MARKED\n"}, "api_key"),
        ({"api_key": "sk_test_MARKEDé"}, "api_key"),
        ({"api_key": b"sk_test_MARKED"}, "api_key"),
        ({"api_key": "MARKED"}, "api_key"),
        ({"webhook_secrets": ["whsec_ok1", "MARKED"]}, "webhook_secrets[1]"),
        ({"webhook_secrets": 7}, "webhook_secrets[0]"),
        ({"name": "Stripe FR"}, "name"),
        ({"base_url": "https://stripe.example"}, "base_url"),
        ({"base_url": "https://127.0.0.1@stripe.example"}, "base_url"),
        ({"base_url": "http://[::1"}, "base_url"),
        ({"base_url": "http://api.stripe.com"}, "base_url"),
        ({"base_url": "http://127.0.0.1:80", "api_key": "sk_live_MARKED"}, "base_url"),
        ({"api_version": "2024-06-20"}, "api_version"),
        ({"api_version": "latest"}, "api_version"),
        ({"allowed_hosts": ["https://buy.stripe.com"]}, "allowed_hosts[0]"),
        ({"account": "MARKED"}, "account"),
        ({"tolerance": dt.timedelta(0)}, "tolerance"),
        ({"tolerance": 300}, "tolerance"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(settings: dict[str, Any], path: str) -> None:
    """The error has the setting's path and a remedy, and nothing of its value."""
    given = {"api_key": API_KEY, **settings}

    with pytest.raises(SettingsError) as caught:
        _ = StripeProvider(given.pop("api_key"), **given)

    assert [fault.path for fault in caught.value.faults] == [path]
    assert caught.value.faults[0].remedy
    assert "MARKED" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_mode_is_the_keys() -> None:
    """Secret and restricted keys of both modes are taken."""
    modes = [StripeProvider(f"{kind}_{mode}_abc").mode for kind in ("sk", "rk") for mode in ("test", "live")]

    assert modes == [Mode.TEST, Mode.LIVE, Mode.TEST, Mode.LIVE]


class Sealed:
    """What pydantic's SecretStr looks like from outside."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value


def test_sealed_secrets_are_taken_and_none_is_shown() -> None:
    """Secrets come as text or sealed, one or several, and are in no repr."""
    provider = StripeProvider(Sealed(API_KEY), webhook_secrets=Sealed(SECRET), account="acct_1Abc")

    assert provider.webhook_secrets == (SECRET,)
    assert StripeProvider(API_KEY, webhook_secrets=SECRET).webhook_secrets == (SECRET,)
    assert "MARKED" not in repr(provider)
    assert "whsec" not in repr(provider)
