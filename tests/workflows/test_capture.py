"""Reserved money is taken or given up once, whatever is lost on the way and however often it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve

from paybylink import (
    Capture,
    Checkout,
    InvalidInput,
    Money,
    NotFound,
    OutcomeUnknown,
    PayByLink,
    Payment,
    ProviderError,
    UnsupportedCapability,
)
from paybylink.errors import Conflict
from paybylink.payments import PaymentStatus

from .shops import Shop, Street, open_street
from .world import QUICK, meanwhile

PATHS = {"stripe": "/stripe/v1/payment_intents/", "adyen": "/adyen/v72/payments/"}
FORTY = Money.of("40.00", "EUR")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture(params=["stripe", "adyen"])
def shop(street: Street, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = street.shop(request.param, request.node.name)
    made.settings["patience"] = evolve(QUICK, attempts=1)
    yield made
    street.sandbox.control.clear_faults()


def reserved(shop: Shop, pay: PayByLink, reference: str) -> Payment:
    """A payment that waits for its capture."""
    link = pay.create_link(shop.order(reference, checkout=Checkout(capture=Capture.MANUAL)))
    assert link.current is not None
    return shop.paid(pay, link.current.url or "")


def again(pay: PayByLink, payment: Payment) -> Payment:
    (found,) = [each for each in pay.payments() if each.id == payment.id]
    return found


def asked_of(shop: Shop, word: str) -> int:
    """How often the provider was asked to do it."""
    found = shop.street.sandbox.control.requests()
    return sum(each.method == "POST" and word in each.path for each in found)


@pytest.mark.parametrize(
    ("amount", "path"),
    [
        pytest.param(Money.of("50.00", "EUR"), "amount: is 50.00 EUR", id="too-much"),
        pytest.param(Money.of("0.00", "EUR"), "amount: is 0.00 EUR", id="nothing"),
        pytest.param(Money.of("10.00", "USD"), "amount: is in USD", id="other-currency"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_sent(
    shop: Shop, amount: Money, path: str
) -> None:
    """With the amount and the remedy."""
    with shop.open() as pay:
        payment = reserved(shop, pay, "ODD")
        before = asked_of(shop, "capture")
        with pytest.raises(InvalidInput, match=path):
            _ = pay.capture(payment, amount=amount)

        assert asked_of(shop, "capture") == before


def test_what_is_not_reserved_is_neither_taken_nor_given_up(shop: Shop) -> None:
    """What was taken is refunded instead; a payment that is not there is not found."""
    with shop.open() as pay:
        link = pay.create_link(shop.order("TAKEN"))
        assert link.current is not None
        payment = shop.paid(pay, link.current.url or "")
        assert pay.capture(payment) == payment
        with pytest.raises(InvalidInput, match="only reserved money"):
            _ = pay.cancel_payment(payment)
        with pytest.raises(NotFound):
            _ = pay.capture(evolve(payment, id="01NOTHING"))


@pytest.mark.parametrize("act", [PayByLink.capture, PayByLink.cancel_payment], ids=["capture", "cancel"])
def test_a_lost_answer_is_healed_by_calling_again(shop: Shop, act: Callable[..., Payment]) -> None:
    """The same request under the same key; the provider does it once."""
    with shop.open() as pay:
        payment = reserved(shop, pay, f"LOST-{act.__name__}".upper().replace("_", "-"))
        _ = shop.street.sandbox.control.fault("reset_after", PATHS[shop.vendor], method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = act(pay, payment)
        _ = act(pay, again(pay, payment))
        _ = shop.hear(pay)
        ended = again(pay, payment)

        taken = act is PayByLink.capture
        assert ended.status is (PaymentStatus.SUCCEEDED if taken else PaymentStatus.CANCELLED)
        assert act(pay, ended) == ended
        (row,) = [row for row in shop.truth("payments") if row["id"] == payment.vendor_id]
        assert row["status"] == ("paid" if taken else "cancelled")


def test_another_wish_after_a_lost_answer_is_refused(shop: Shop) -> None:
    """Whether the first one was done is not known; the two would contradict each other."""
    with shop.open() as pay:
        payment = reserved(shop, pay, "CONTRADICT")
        _ = shop.street.sandbox.control.fault("reset_before", PATHS[shop.vendor], method="POST")
        with pytest.raises(OutcomeUnknown):
            _ = pay.capture(payment, amount=FORTY)
        with pytest.raises(InvalidInput, match=r"was asked to capture 40\.00 EUR before"):
            _ = pay.capture(payment, amount=Money.of("10.00", "EUR"))
        with pytest.raises(InvalidInput, match=r"was asked to capture 40\.00 EUR before"):
            _ = pay.cancel_payment(payment)


def test_what_was_done_in_the_dashboard_is_read(street: Street) -> None:
    """Stripe says no, and says on asking that it was captured by hand."""
    shop = street.shop("stripe", "by-hand")
    with shop.open() as pay:
        payment = reserved(shop, pay, "BY-HAND")
        _ = street.provider("stripe")
        refusal = '{"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}}'
        _ = street.sandbox.control.fault(
            "status", PATHS["stripe"], method="POST", status=400, text=refusal, work=True
        )

        assert pay.capture(payment).status is PaymentStatus.SUCCEEDED


def test_a_no_is_told(shop: Shop) -> None:
    """The provider refuses and the money is still reserved: calling again later is possible."""
    refusals = {
        "stripe": '{"error": {"type": "invalid_request_error", "code": "parameter_invalid_integer"}}',
        "adyen": '{"status": 422, "errorCode": "167", "message": "x", "errorType": "validation"}',
    }
    with shop.open() as pay:
        payment = reserved(shop, pay, "NO")
        _ = shop.street.sandbox.control.fault(
            "status", PATHS[shop.vendor], method="POST", status=422, text=refusals[shop.vendor], work=False
        )
        with pytest.raises(ProviderError):
            _ = pay.capture(payment)

        assert again(pay, payment).status is PaymentStatus.AUTHORISED
        _ = pay.capture(payment)
        _ = shop.hear(pay)
        assert again(pay, payment).status is PaymentStatus.SUCCEEDED


def test_what_was_received_is_not_asked_again(street: Street) -> None:
    """Adyen tells the outcome later; a second call before that sends nothing."""
    shop = street.shop("adyen", "received")
    with shop.open() as pay:
        payment = reserved(shop, pay, "RECEIVED")
        _ = shop.told()
        assert pay.capture(payment).status is PaymentStatus.AUTHORISED
        before = asked_of(shop, "captures")
        assert pay.capture(payment).status is PaymentStatus.AUTHORISED

        assert asked_of(shop, "captures") == before


def test_the_outcome_may_be_told_before_the_answer(street: Street) -> None:
    """The webhook was quicker; what is certain stays."""
    shop = street.shop("adyen", "quicker")
    with shop.open() as pay, shop.open() as other:
        payment = reserved(shop, pay, "QUICKER")
        _ = meanwhile(pay, "captures", lambda: shop.hear(other), after=True)

        assert pay.capture(payment).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("act", [PayByLink.capture, PayByLink.cancel_payment], ids=["capture", "cancel"])
def test_somebody_else_who_is_first_is_read(shop: Shop, act: Callable[..., Payment]) -> None:
    """A write between our reading and ours is read again; one who is always first ends in a conflict."""

    def conflict() -> None:
        raise Conflict("update_payment")

    with shop.open() as pay:
        payment = reserved(shop, pay, f"RACE-{act.__name__}".upper().replace("_", "-"))
        _ = meanwhile(pay, "fence update_payment", conflict, times=None)
        with pytest.raises(Conflict):
            _ = act(pay, payment)
    with shop.open() as pay:
        _ = meanwhile(pay, "fence update_payment", conflict)
        _ = act(pay, payment)
        _ = shop.hear(pay)

        assert again(pay, payment).status in (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED)


def test_a_provider_that_cannot_is_not_asked(street: Street) -> None:
    """Mollie's links reserve nothing; a payment that waits for its bank is not captured."""
    shop = street.shop("mollie", "cannot")
    with shop.open() as pay:
        link = pay.create_link(shop.order("CANNOT"))
        assert link.current is not None
        payment = shop.paid(pay, link.current.url or "", how="declined")
        with pytest.raises(UnsupportedCapability):
            _ = pay.capture(payment)


@pytest.mark.parametrize("act", [PayByLink.capture, PayByLink.cancel_payment], ids=["capture", "cancel"])
def test_after_a_certain_no_something_else_may_be_asked(shop: Shop, act: Callable[..., Payment]) -> None:
    """Reserved money that cannot be taken, or not so much of it, can be given up, and the other way round."""
    refusals = {
        "stripe": '{"error": {"type": "invalid_request_error", "code": "parameter_invalid_integer"}}',
        "adyen": '{"status": 422, "errorCode": "167", "message": "x", "errorType": "validation"}',
    }
    other = PayByLink.cancel_payment if act is PayByLink.capture else PayByLink.capture
    with shop.open() as pay:
        payment = reserved(shop, pay, f"INSTEAD-{act.__name__}".upper().replace("_", "-"))
        _ = shop.street.sandbox.control.fault(
            "status", PATHS[shop.vendor], method="POST", status=422, text=refusals[shop.vendor], work=False
        )
        with pytest.raises(ProviderError):
            _ = act(pay, payment)
        _ = other(pay, payment)
        _ = shop.hear(pay)

        wanted = PaymentStatus.CANCELLED if act is PayByLink.capture else PaymentStatus.SUCCEEDED
        assert again(pay, payment).status is wanted


def test_a_no_from_the_door_leaves_the_question_open(shop: Shop) -> None:
    """A revoked key says nothing of an earlier sending, so nothing that contradicts it is asked."""
    refusals = {
        "stripe": '{"error": {"type": "invalid_request_error", "code": "api_key_expired"}}',
        "adyen": '{"status": 401, "errorCode": "000", "message": "x", "errorType": "security"}',
    }
    with shop.open() as pay:
        payment = reserved(shop, pay, "DOOR")
        _ = shop.street.sandbox.control.fault(
            "status", PATHS[shop.vendor], method="POST", status=401, text=refusals[shop.vendor], work=False
        )
        with pytest.raises(ProviderError):
            _ = pay.capture(payment, amount=FORTY)
        with pytest.raises(InvalidInput, match=r"was asked to capture 40\.00 EUR before"):
            _ = pay.cancel_payment(payment)
        assert pay.capture(payment, amount=FORTY).status in (
            PaymentStatus.SUCCEEDED,
            PaymentStatus.AUTHORISED,
        )


@pytest.mark.parametrize("act", [PayByLink.capture, PayByLink.cancel_payment], ids=["capture", "cancel"])
def test_a_no_that_is_told_later_frees_the_payment(street: Street, act: Callable[..., Payment]) -> None:
    """Adyen takes the request and refuses it by webhook: asked again, it is another request; so is something else."""
    shop = street.shop("adyen", f"later-{act.__name__}")
    word = "adyen.captures" if act is PayByLink.capture else "adyen.cancels"
    with shop.open() as pay:
        payment = reserved(shop, pay, f"LATER-{act.__name__}".upper().replace("_", "-"))
        _ = street.sandbox.control.fault("refuse", word, times=2)
        for _ in range(2):
            assert act(pay, payment).status is PaymentStatus.AUTHORISED
            assert shop.hear(pay, times=2) == []
            assert again(pay, payment).vendor_status.startswith("refused: ")
        _ = act(pay, payment)
        _ = shop.hear(pay)

        wanted = PaymentStatus.SUCCEEDED if act is PayByLink.capture else PaymentStatus.CANCELLED
        assert again(pay, payment).status is wanted


def test_an_outcome_that_is_told_during_a_no_counts(street: Street) -> None:
    """Somebody takes the money in the Customer Area while our own request is refused."""
    shop = street.shop("adyen", "during-a-no")
    refusal = '{"status": 422, "errorCode": "167", "message": "x", "errorType": "validation"}'

    def conflict() -> None:
        raise Conflict("update_payment")

    with shop.open() as pay:
        payment = reserved(shop, pay, "DURING-A-NO")
        _ = street.sandbox.control.fault(
            "status", PATHS["adyen"], method="POST", status=422, text=refusal, work=False
        )
        _ = meanwhile(pay, "batch update_payment", conflict)
        with pytest.raises(ProviderError):
            _ = pay.capture(payment)
