"""Links that take several requests: a price that the payer chooses, and the keys and cuts of such a chain."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest
from attrs import evolve

from paybylink.checkout import Checkout
from paybylink.errors import IntegrityBreach, InvalidInput, OutcomeUnknown, ProviderError
from paybylink.flow import Written, answer_slot
from paybylink.kinds import Reusable
from paybylink.money import Money
from paybylink.orders import Order

from .stripe_given import API_KEY, KEY, NOW, ORDER, account, answer, asked, drive, form, recorded, sending

OPEN = Reusable(payer_chooses=True, minimum=Money(500, "EUR"))
PRICE, LINK = recorded("stripe_price_payer_chooses"), recorded("stripe_payment_link_payer_chooses")


def written(kind: Reusable = OPEN, order: Order = ORDER) -> Written:
    return account().write_link(asked(order, kind), key=KEY, now=NOW)


def made(*answers: object) -> tuple[Any, list[httpx.Request]]:
    """The link that comes of the chain, and what was sent."""
    return drive(account().create_link(asked(kind=OPEN), written=written()), *answers)


def test_an_amount_that_the_payer_chooses_needs_a_price_first() -> None:
    """Our amount is the suggestion; the link then names the price by the id of the first answer."""
    link, (price, last) = made(PRICE, LINK)

    assert (price.url.path, last.url.path) == ("/v1/prices", "/v1/payment_links")
    fields = form(price)
    assert {name: value for name, value in fields.items() if not name.startswith("metadata")} == {
        "currency": "eur",
        "custom_unit_amount[enabled]": "true",
        "custom_unit_amount[preset]": "4990",
        "custom_unit_amount[minimum]": "500",
        "product_data[name]": "Logo design",
    }
    asked_for = form(last)
    assert asked_for["line_items[0][price]"] == "price_1SkPbLopen"
    assert asked_for["line_items[0][quantity]"] == "1"
    assert not [name for name in asked_for if "price_data" in name or "restrictions" in name]
    assert (link.vendor_id, link.completed) == ("plink_1SkPbLopen", None)


def test_a_maximum_number_of_payments_holds_there_too() -> None:
    """And without a minimum Stripe's own is left."""
    first = written(Reusable(payer_chooses=True, max_payments=3))

    assert b"[limit]=3" in first.then[0].body
    assert b"minimum" not in first.body


def test_each_step_has_a_key_of_its_own_and_is_repeated_under_it() -> None:
    """The second key comes from the first, and both die before Stripe forgets them."""
    first = written()
    (second,) = first.then

    assert (first.key, second.key) == (KEY, f"{KEY}-2")
    assert second.key_until == first.key_until == NOW + dt.timedelta(hours=23)
    _, requests = made(PRICE, LINK)
    assert [request.headers["idempotency-key"] for request in requests] == [KEY, f"{KEY}-2"]
    assert [sending(request).key_until for request in requests] == [first.key_until] * 2


def test_a_rerun_after_any_cut_repeats_the_same_bytes_under_the_same_keys() -> None:
    """Whatever was cut, Stripe meets nothing but what it has met before."""
    stored = written()

    def sent(*answers: object) -> list[tuple[str, str, bytes]]:
        """What is sent until the chain is cut after `answers`."""
        call = account().create_link(asked(kind=OPEN), written=stored)
        requests = [next(call)]
        for body in answers:
            try:
                requests.append(call.send(answer(requests[-1], body)))
            except StopIteration:
                break
        call.close()
        return [(one.url.path, one.headers["idempotency-key"], one.content) for one in requests]

    whole = sent(PRICE, LINK)

    assert len(whole) == 2
    assert sent() == whole[:1]
    assert sent(PRICE) == whole
    assert written() == stored


def test_only_the_slot_changes_in_a_stored_step() -> None:
    """The rest of the bytes is sent as it was stored."""
    (second,) = written().then
    slot = answer_slot(0).encode()

    _, (_, last) = made(PRICE, LINK)

    assert second.body.count(slot) == 1
    assert last.content == second.body.replace(slot, b"price_1SkPbLopen")


def test_the_stored_steps_hold_no_secret() -> None:
    """What goes into the database has neither the API key nor a header."""
    for step in (written(), *written().then):
        assert API_KEY not in f"{step.path} {step.body!r} {step.content_type} {step.version}"


@pytest.mark.parametrize("bad", ["", "price_1/../x", "price 1", "price_1&active=false", None, 7])
def test_an_id_that_is_none_is_never_put_into_a_request(bad: object) -> None:
    """It would become a part of the next request."""
    call = account().create_link(asked(kind=OPEN), written=written())
    request = next(call)

    with pytest.raises(IntegrityBreach):
        _ = call.send(answer(request, {**PRICE, "id": bad}))


def test_a_refusal_in_the_middle_is_a_refusal() -> None:
    """A price without a link can be paid by nobody."""
    with pytest.raises(ProviderError, match="minimum"):
        _ = made(PRICE, (recorded("error_amount_too_small"), 400))
    with pytest.raises(OutcomeUnknown):
        _ = made(PRICE, (recorded("error_api_down"), 500))


def _item(**changes: Any) -> dict[str, Any]:
    reply = recorded("stripe_payment_link_payer_chooses")
    line = reply["line_items"]["data"][0]
    for name, value in changes.items():
        if name in ("minimum", "preset"):
            line["price"]["custom_unit_amount"][name] = value
        else:
            line[name] = value
    return dict(reply)


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        pytest.param(_item(currency="usd"), "line_items.currency", id="currency"),
        pytest.param(_item(preset=5000), "line_items.price.preset", id="suggestion"),
        pytest.param(_item(minimum=None), "line_items.price.minimum", id="minimum"),
        pytest.param(_item(price={"custom_unit_amount": None}), "line_items", id="a-fixed-price"),
        pytest.param({**LINK, "line_items": {"data": []}}, "line_items", id="no-items"),
        pytest.param({**LINK, "currency": "usd"}, "currency", id="the-links-currency"),
    ],
)
def test_a_choice_that_is_not_the_one_asked_for_is_not_believed(reply: dict[str, Any], named: str) -> None:
    """Currency, suggestion and minimum are compared; the total is the payer's."""
    with pytest.raises(IntegrityBreach) as caught:
        _ = made(PRICE, reply)
    assert named in caught.value.differences


def test_a_total_that_the_payer_has_not_chosen_yet_is_not_compared() -> None:
    """And items that are not shown cannot be."""
    assert made(PRICE, _item(amount_total=0))[0].vendor_id == "plink_1SkPbLopen"
    assert made(PRICE, {**LINK, "line_items": None})[0].vendor_id == "plink_1SkPbLopen"


def test_a_lost_one_is_found_by_its_attempt() -> None:
    """As any payment link is."""
    page = {"object": "list", "data": [LINK], "has_more": False}

    found, requests = drive(account().find_link(asked(kind=OPEN), since=NOW, now=NOW), page, LINK)

    assert found is not None
    assert requests[1].url.path == "/v1/payment_links/plink_1SkPbLopen"


def test_a_minimum_that_stripe_cannot_say_is_refused() -> None:
    """At its own path."""
    order = Order(reference="R", amount=Money(5010, "KWD"))
    kind = Reusable(payer_chooses=True, minimum=Money(1005, "KWD"))

    with pytest.raises(InvalidInput) as caught:
        _ = written(kind, order)
    assert [fault.path for fault in caught.value.faults] == ["kind.minimum"]


def test_raw_fields_go_to_the_link_and_not_to_its_price() -> None:
    """They are the link's."""
    checkout = Checkout(extra={"stripe": {"submit_type": "donate"}})

    first = written(order=evolve(ORDER, checkout=checkout))

    assert b"submit_type" not in first.body
    assert b"submit_type=donate" in first.then[0].body
