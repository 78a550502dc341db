"""
Mollie's classic calls: they say that something happened and not what, they are not signed, and anybody may make one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import pytest
from attrs import evolve
from sqlalchemy import create_engine

from paybylink import LinkStatus, NotSent, OutcomeUnknown, PayByLink, PaymentLink, ProviderError, Reusable
from paybylink.events import LinkPaid
from paybylink.links import Mode
from paybylink.payments import RefundStatus
from paybylink.providers.base import Bell, ProviderEvent
from paybylink.providers.mollie import MollieProvider
from paybylink.workflows.bells import SETTLING

from .receiver import Call
from .shops import Shop, Street, open_street
from .world import meanwhile

PAYMENTS = "/mollie/v2/payments/"
OF_LINK = "/mollie/v2/payment-links/"
OF_LINKS = "/mollie/v2/payment-links"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture
def shop(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = street.shop("mollie", request.node.name)
    yield made
    street.sandbox.control.clear_faults()
    _ = street.sandbox.control.move_clock(-made.clock.ahead)


def paid_at(link: PaymentLink) -> str:
    assert link.current is not None
    assert link.current.url is not None
    return link.current.url


def take(pay: PayByLink, calls: Sequence[Call]) -> list[object]:
    """Take the calls; what they meant."""
    events: list[object] = []
    for call in calls:
        reply = pay.receive("mollie", headers=call.headers, body=call.body, query=call.query)
        assert reply.status == 200
        events += reply.events
    return events


def inbox(shop: Shop) -> list[tuple[str, str]]:
    """What is kept of the calls: the id and the state of each."""
    with create_engine(shop.store).connect() as connection:
        rows = connection.exec_driver_sql("SELECT event_id, state FROM paybylink_inbox ORDER BY received_at")
        return [(row[0], row[1]) for row in rows]


def bell(payment: str, query: str = "") -> Call:
    """A call as anybody can make it."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return Call(headers, f"id={payment}".encode(), "/webhooks/mollie", query)


def test_the_next_ring_may_mean_the_refund(shop: Shop) -> None:
    """A payment that rang before is asked for again each time, although its id is the same."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("RINGS"))
        payment = shop.paid(pay, paid_at(link))
        refund = pay.refund(payment)
        for row in shop.truth("refunds"):
            if row["payment"] == payment.vendor_id:
                _ = shop.street.sandbox.control.finish(row["id"])
        calls = shop.told()
        assert {call.body for call in calls} == {f"id={payment.vendor_id}".encode()}
        _ = take(pay, calls)

        assert [each.status for each in pay.refunds(payment)] == [RefundStatus.SUCCEEDED]
        assert [each.id for each in pay.refunds(payment)] == [refund.id]
        assert inbox(shop) == [(payment.vendor_id, "processed")]


def test_a_payment_of_another_link_is_not_smuggled_in(shop: Shop) -> None:
    """Who knows the address of one link and the id of another payment moves nothing by them."""
    with shop.open() as pay:
        dear = pay.create_link(shop.order("DEAR", "900.00"))
        cheap = pay.create_link(shop.order("CHEAP", "1.00"))
        _ = shop.customer_pays(paid_at(cheap))
        (call,) = shop.told()
        attempt = dear.provider_links[0].id
        _ = take(pay, [bell(call.body.decode().removeprefix("id="), f"link={dear.id}&attempt={attempt}")])

        assert list(pay.payments()) == []
        found = pay.link("DEAR")
        assert found is not None
        assert found.status is LinkStatus.OPEN


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("", id="no-marks"),
        pytest.param("link=01NOBODY&attempt=01NOTHING", id="marks-of-nobody"),
        pytest.param("link=%00&attempt=%ff", id="odd-marks"),
    ],
)
def test_what_nothing_of_ours_has_rung_is_answered_and_not_kept(shop: Shop, query: str) -> None:
    """Anybody can make any number of such calls; they cost a look at our own rows, and no question to Mollie."""
    with shop.open() as pay:
        _ = pay.create_link(shop.order("QUIET"))
        before = len(shop.street.sandbox.control.requests())
        assert take(pay, [bell("tr_7UhSN1zuXS", query)]) == []

        assert len(shop.street.sandbox.control.requests()) == before
        assert inbox(shop) == []


def test_a_link_of_ours_with_another_attempts_mark_is_foreign(shop: Shop) -> None:
    """The mark names what stands behind the link; without it nothing of ours has rung."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("HALF"))
        assert take(pay, [bell("tr_7UhSN1zuXS", f"link={link.id}&attempt=01NOTHING")]) == []

    assert inbox(shop) == []


def test_a_ring_that_cannot_be_asked_for_now_is_answered_by_the_next_pass(shop: Shop) -> None:
    """The provider is away: the call is taken all the same, and nothing is lost."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("AWAY"))
        _ = shop.customer_pays(paid_at(link))
        calls = shop.told()
        _ = shop.street.sandbox.control.fault("status", OF_LINK, status=503, times=None)
        assert take(pay, calls) == []
        assert [state for _, state in inbox(shop)] == ["waiting"]
        assert pay.run_due().failed != ()
        shop.street.sandbox.control.clear_faults()
        assert pay.run_due().told == 1

        found = pay.link("AWAY")
        assert found is not None
        assert found.status is LinkStatus.PAID
        assert [state for _, state in inbox(shop)] == ["processed"]


def test_a_ring_is_merged_with_one_that_waits(shop: Shop) -> None:
    """Two calls about one payment, and one question; the second is no second row."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("TWICE"))
        _ = shop.customer_pays(paid_at(link))
        calls = shop.told()
        _ = shop.street.sandbox.control.fault("status", OF_LINK, status=503, times=None)
        _ = take(pay, calls * 2)

        assert [state for _, state in inbox(shop)] == ["waiting"]


def test_a_ring_during_the_answer_is_not_lost(shop: Shop) -> None:
    """It came after we had asked, so the row waits on, and the next pass asks again."""
    with shop.open() as pay, shop.open() as other:
        link = pay.create_link(shop.order("DURING"))
        _ = shop.customer_pays(paid_at(link))
        (call,) = shop.told()
        _ = shop.street.sandbox.control.fault("status", OF_LINK, status=503, times=None, skip=1)
        _ = meanwhile(pay, "answer_bell", lambda: take(other, [call]))
        events = take(pay, [call])
        shop.street.sandbox.control.clear_faults()

        assert [type(event) for event in events] == [LinkPaid]
        assert [state for _, state in inbox(shop)] == ["processed"]
        assert len(list(pay.payments())) == 1


def test_a_payment_that_is_unknown_for_a_moment_is_asked_for_again(shop: Shop) -> None:
    """A fresh id may be "not found" for a moment; after an hour it is taken for good, and a person looks."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("FRESH"))
        payment = shop.paid(pay, paid_at(link))
        gone = '{"status": 404, "title": "Not Found", "detail": "No payment exists with that token."}'
        _ = shop.street.sandbox.control.fault("status", PAYMENTS, status=404, text=gone, times=None)
        call = bell(payment.vendor_id)
        assert take(pay, [call]) == []
        assert inbox(shop) == [(payment.vendor_id, "waiting")]
        shop.clock.move(seconds=SETTLING.total_seconds() + 1)
        _ = pay.run_due()

        assert inbox(shop) == [(payment.vendor_id, "parked")]
    shop.clock.ahead = dt.timedelta(0)


def test_a_payment_that_is_told_before_its_link_was_answered(shop: Shop) -> None:
    """The answer to the making was lost; the bell names our attempt, the link is found and then the payment."""
    before = len(shop.truth("links"))
    _ = shop.street.sandbox.control.fault("reset_after", "/mollie/v2/payment-links", times=9)
    with shop.open() as pay:
        with pytest.raises(OutcomeUnknown):
            _ = pay.create_link(shop.order("UNANSWERED"))
        shop.street.sandbox.control.clear_faults()
        (made,) = shop.truth("links")[before:]
        _ = shop.customer_pays(made["id"])
        events = take(pay, shop.told())

        assert [type(event) for event in events] == [LinkPaid]
        found = pay.link("UNANSWERED")
        assert found is not None
        assert (found.status, len(shop.truth("links"))) == (LinkStatus.PAID, before + 1)


def test_a_link_that_was_never_made_cannot_have_rung(shop: Shop) -> None:
    """Its address may be called all the same; nothing is believed, and nothing waits for ever."""
    _ = shop.street.sandbox.control.fault("status", "/mollie/v2/payment-links", status=401, times=None)
    with shop.open() as pay:
        with pytest.raises(Exception, match="mollie"):
            _ = pay.create_link(shop.order("NEVER"))
        link = pay.link("NEVER")
        assert link is not None
        attempt = link.provider_links[0].id
        shop.street.sandbox.control.clear_faults()
        assert take(pay, [bell("tr_7UhSN1zuXS", f"link={link.id}&attempt={attempt}")]) == []

        assert [state for _, state in inbox(shop)] == ["processed"]


def test_a_ring_for_a_link_that_is_gone_from_the_database_is_foreign(shop: Shop) -> None:
    """It waited, and somebody has brought an older copy of the database back: nothing of ours has rung."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("GONE"))
        _ = shop.customer_pays(paid_at(link))
        calls = shop.told()
        _ = shop.street.sandbox.control.fault("status", OF_LINK, status=503, times=None)
        _ = take(pay, calls)
        shop.street.sandbox.control.clear_faults()
        with create_engine(shop.store).begin() as connection:
            _ = connection.exec_driver_sql("DELETE FROM paybylink_provider_links")
        _ = pay.run_due()

    assert [state for _, state in inbox(shop)] == ["foreign"]


def test_a_ring_for_an_attempt_that_came_to_nothing_is_foreign(shop: Shop) -> None:
    """The request never arrived; its link is made now, and what rang was nothing of it."""
    _ = shop.street.sandbox.control.fault("reset_before", "/mollie/v2/payment-links", times=9)
    with shop.open() as pay:
        with pytest.raises((OutcomeUnknown, NotSent)):
            _ = pay.create_link(shop.order("NOTHING"))
        shop.street.sandbox.control.clear_faults()
        pending = pay.link("NOTHING")
        assert pending is not None
        attempt = pending.provider_links[0].id
        shop.later(hours=2)
        assert take(pay, [bell("tr_7UhSN1zuXS", f"link={pending.id}&attempt={attempt}")]) == []
        found = pay.link("NOTHING")

        assert found is not None
        assert (found.status, len(found.provider_links)) == (LinkStatus.OPEN, 2)
    assert [state for _, state in inbox(shop)] == ["foreign"]


def test_on_a_lent_connection_the_ring_is_kept_and_answered_after_the_commit(shop: Shop) -> None:
    """Nothing is asked while the host's transaction is open; rolled back, the provider rings again."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("LENT"))
        _ = shop.customer_pays(paid_at(link))
        (call,) = shop.told()
        before = len(shop.street.sandbox.control.requests())
        engine = create_engine(shop.store)
        with engine.begin() as connection:
            reply = pay.using(connection).receive(
                "mollie", headers=call.headers, body=call.body, query=call.query
            )
        engine.dispose()
        assert (reply.status, reply.events) == (200, ())
        assert len(shop.street.sandbox.control.requests()) == before
        assert pay.run_due().told == 1

        found = pay.link("LENT")
        assert found is not None
        assert found.status is LinkStatus.PAID


def test_a_bell_of_the_other_mode_is_parked(shop: Shop) -> None:
    """Test and live never mix, whatever rings."""

    class Other(MollieProvider):
        """Hears live bells with a test key."""

        def read(self, body: bytes, *, query: str = "") -> Sequence[ProviderEvent]:
            (event,) = super().read(body, query=query)
            assert isinstance(event.notice, Bell)
            return (evolve(event, notice=evolve(event.notice, mode=Mode.LIVE)),)

    with shop.open() as pay:
        link = pay.create_link(shop.order("OTHER-MODE"))
        _ = shop.customer_pays(paid_at(link))
        calls = shop.told()
    other = Other("test_streetstreetstreetstreetstreet", base_url=shop.street.sandbox.mollie_url)
    shop.settings["providers"] = [other]
    with shop.open() as pay:
        assert take(pay, calls) == []

    assert [state for _, state in inbox(shop)] == ["parked"]


def test_a_ring_for_a_link_costs_one_question_however_often_it_was_paid(shop: Shop) -> None:
    """Whoever knows the address of a public link may ring for it; only news are asked for further."""
    control = shop.street.sandbox.control
    with shop.open() as pay:
        link = pay.create_link(shop.order("PUBLIC"), kind=Reusable())
        assert link.current is not None
        for _ in range(3):
            _ = shop.customer_pays(paid_at(link))
        _ = shop.hear(pay)
        _ = shop.customer_pays(paid_at(link))
        untold = shop.truth("payments")[-1]["id"]
        _ = shop.told()
        call, asked = bell(link.current.vendor_id or ""), len(control.requests())
        assert len(take(pay, [call])) == 1
        assert len(control.requests()) == asked + 3
        assert take(pay, [call]) == []
        assert len(control.requests()) == asked + 4

        assert untold in {payment.vendor_id for payment in pay.payments()}
        assert len(list(pay.payments())) == 4


def taken_for_refused(shop: Shop, pay: PayByLink, reference: str) -> str:
    """A link that was made, and that Mollie first does not list; its id. A second request was refused."""
    control = shop.street.sandbox.control
    _ = control.fault("reset_after", OF_LINKS, method="POST", times=9)
    with pytest.raises(OutcomeUnknown):
        _ = pay.create_link(shop.order(reference))
    control.clear_faults()
    shop.clock.move(hours=2)
    none = '{"count": 0, "_embedded": {"payment_links": []}, "_links": {"next": null, "previous": null}}'
    no = '{"status": 422, "title": "Unprocessable Entity", "detail": "x", "field": "amount"}'
    _ = control.fault("status", OF_LINKS, method="GET", status=200, text=none)
    _ = control.fault("status", OF_LINKS, method="POST", status=422, text=no, work=False)
    with pytest.raises(ProviderError):
        _ = pay.create_link(shop.order(reference))
    control.clear_faults()
    return str(shop.truth("links")[-1]["id"])


def of_this(shop: Shop, *made: str) -> list[str]:
    return [row["status"] for row in shop.truth("links") if row["id"] in made]


def test_a_link_that_was_taken_for_refused_and_rings_is_found(shop: Shop) -> None:
    """No second one is made beside it, and its payment counts."""
    before = len(shop.truth("links"))
    with shop.open() as pay:
        made = taken_for_refused(shop, pay, "AFTER-ALL")
        _ = shop.customer_pays(made)
        assert [type(event) for event in take(pay, shop.told())] == [LinkPaid]

        found = pay.link("AFTER-ALL")
        assert found is not None
        assert (found.status, len(shop.truth("links"))) == (LinkStatus.PAID, before + 1)


def test_a_link_that_was_taken_for_refused_is_closed_where_another_one_took_its_place(shop: Shop) -> None:
    """Its payment counts all the same, and nothing is left that could be paid."""
    with shop.open() as pay:
        made = taken_for_refused(shop, pay, "INSTEAD")
        link = pay.create_link(shop.order("INSTEAD"))
        assert link.current is not None
        _ = shop.customer_pays(made)
        _ = take(pay, shop.told())
        assert pay.run_due().failed == ()

        found = pay.link("INSTEAD")
        assert found is not None
        assert (found.status, found.payments) == (LinkStatus.PAID, 1)
        assert "open" not in of_this(shop, made, link.current.vendor_id or "")


def test_a_refused_link_that_rings_is_not_made(shop: Shop) -> None:
    """Anybody may ring; a request that was refused stays so until the merchant asks again."""
    before = len(shop.truth("links"))
    with shop.open() as pay:
        no = '{"status": 422, "title": "Unprocessable Entity", "detail": "x", "field": "amount"}'
        _ = shop.street.sandbox.control.fault(
            "status", OF_LINKS, method="POST", status=422, text=no, work=False
        )
        with pytest.raises(ProviderError):
            _ = pay.create_link(shop.order("REFUSED"))
        link = pay.link("REFUSED")
        assert link is not None
        attempt = link.provider_links[0].id
        assert take(pay, [bell("tr_7UhSN1zuXS", f"link={link.id}&attempt={attempt}")]) == []

        assert len(shop.truth("links")) == before
        assert pay.link("REFUSED") == link
        assert [state for _, state in inbox(shop)] == ["processed"]


def test_a_signed_event_of_a_link_is_answered_by_asking(shop: Shop) -> None:
    """Mollie's newer events name the link by its own id; the payment is found with or without the classic call."""
    control = shop.street.sandbox.control
    secret = control.register_webhook(
        f"{shop.street.receiver.base}/webhooks/mollie", provider="mollie", events=("payment-link.paid",)
    )
    shop.settings["providers"] = [shop.street.provider("mollie", webhook_secrets=[secret])]
    with shop.open() as pay:
        link = pay.create_link(shop.order("SIGNED"))
        _ = shop.customer_pays(paid_at(link))
        signed = [call for call in shop.told() if "x-mollie-signature" in call.headers]
        assert len(signed) == 1
        assert [type(event) for event in take(pay, signed)] == [LinkPaid]
        assert take(pay, signed) == []
        forged = evolve(signed[0], body=signed[0].body.replace(b"pl_", b"pl_x"))
        reply = pay.receive("mollie", headers=forged.headers, body=forged.body)

        assert reply.status == 400
        found = pay.link("SIGNED")
        assert found is not None
        assert found.payments == 1
