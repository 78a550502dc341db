"""Guarded writes: whoever comes second gets a `Conflict`, and nothing of his batch is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from attrs import evolve

from paybylink.drivers.doors import Vault
from paybylink.errors import Conflict, StoreError
from paybylink.flow import Batch, Step, write
from paybylink.links import LinkStatus, ProviderLinkStatus
from paybylink.messages import Outcome
from paybylink.money import Money
from paybylink.payments import DisputeStatus
from paybylink.store import Store

from .store_given import (
    DAY,
    NOW,
    attempt,
    content_of,
    delivery,
    dispute,
    entry,
    link,
    message,
    paid,
    payment,
    refund,
    written,
)

Do: TypeAlias = Callable[[Any], Any]
STORE = Store()

#: What stands there before, and what comes second.
SECOND: dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]] = {
    "same reference and generation": (
        STORE.insert_link(link(), content_of(link())),
        STORE.insert_link(link("L2"), content_of(link("L2"))),
    ),
    "link of another version": (
        STORE.insert_link(link(), content_of(link())),
        (STORE.update_link(link(status=LinkStatus.OPEN), version=2),),
    ),
    "link that is not there": ((), (STORE.update_link(link(), version=1),)),
    "rewritten link of another version": (
        STORE.insert_link(link(), content_of(link())),
        STORE.rewrite_link(link(), content_of(link()), version=7),
    ),
    "provider link that stands elsewhere": (
        (
            *STORE.insert_link(link(), content_of(link())),
            STORE.insert_provider_link("L1", attempt(), written()),
        ),
        (STORE.update_provider_link("L1", attempt(), was=ProviderLinkStatus.OPEN),),
    ),
    "one vendor id behind two links": (
        (
            *STORE.insert_link(link(), content_of(link())),
            STORE.insert_provider_link("L1", attempt(vendor_id="v"), written()),
        ),
        (STORE.insert_provider_link("L1", attempt("P2", vendor_id="v"), written()),),
    ),
    "payment told twice": (
        (STORE.insert_payment(payment(vendor_id="v")),),
        (STORE.insert_payment(payment("PAY2", vendor_id="v")),),
    ),
    "payment of another version": (
        (STORE.insert_payment(payment()),),
        (STORE.update_payment(payment(), version=3),),
    ),
    "refund of the same reference": (
        (STORE.insert_refund(refund(reference="AV"), None),),
        (STORE.insert_refund(refund("R2", reference="AV"), None),),
    ),
    "refund of another version": (
        (STORE.insert_refund(refund(), None),),
        (STORE.update_refund(refund(), version=2),),
    ),
    "refund rewritten from another version": (
        (STORE.insert_refund(refund(), None),),
        (STORE.rewrite_refund(refund(), written(), version=2),),
    ),
    "dispute told twice": (
        (STORE.insert_dispute(dispute()),),
        (STORE.insert_dispute(evolve(dispute(), id="D2")),),
    ),
    "dispute that stands elsewhere": (
        (STORE.insert_dispute(dispute()),),
        (STORE.update_dispute(dispute(), was=DisputeStatus.WON),),
    ),
    "same message to the same person": (
        (STORE.insert_delivery(delivery(), message(), guard_payable=False),),
        (STORE.insert_delivery(delivery("DEL2"), message(), guard_payable=False),),
    ),
    "delivery of another version": (
        (STORE.insert_delivery(delivery(), message(), guard_payable=False),),
        (STORE.update_delivery(delivery(), version=2),),
    ),
    "message that was sent already": (
        (STORE.insert_delivery(delivery(outcome=Outcome.ACCEPTED), message(), guard_payable=False),),
        (STORE.keep_message("DEL1", message()),),
    ),
    "event that came before": (
        (STORE.receive_event("stripe", "e", "k", "processed", NOW, b""),),
        (STORE.receive_event("stripe", "e", "k", "processed", NOW, b""),),
    ),
    "event that was processed meanwhile": (
        (STORE.receive_event("stripe", "e", "k", "processed", NOW, b""),),
        (STORE.settle_event("stripe", "e", "processed", NOW),),
    ),
    "entry of a key that was booked": (
        STORE.book(entry(key="stripe|pi_1|payment")),
        STORE.book(entry("EN2", key="stripe|pi_1|payment")),
    ),
}


@pytest.mark.parametrize("case", SECOND)
def test_second_writer_meets_a_conflict_and_nothing_of_his_batch_is_written(do: Do, case: str) -> None:
    """Steps before and after the one that fails leave nothing behind."""
    before, second = SECOND[case]
    if before:
        _ = do(write(*before))

    with pytest.raises(Conflict) as caught:
        _ = do(
            write(
                STORE.insert_payment(payment("BEFORE")),
                STORE.emit(paid("BEFORE"), now=NOW),
                *second,
                STORE.insert_payment(payment("AFTER")),
            )
        )

    assert caught.value.statement in {step.statement.name for step in second}
    assert do(STORE.payment("BEFORE")) is None
    assert do(STORE.payment("AFTER")) is None
    assert do(STORE.outbox_due(NOW)) == ()


def test_vault_goes_on_after_a_conflict(do: Do) -> None:
    """A conflict breaks neither the connection nor a transaction of the host's."""
    _ = do(write(STORE.insert_payment(payment())))
    for _ in range(3):
        with pytest.raises(Conflict):
            _ = do(write(STORE.insert_payment(payment())))

    _ = do(write(STORE.insert_payment(payment("PAY2"))))

    assert [each.id for each in do(STORE.payments())] == ["PAY1", "PAY2"]


@pytest.mark.parametrize("status", LinkStatus)
def test_message_is_reserved_only_while_its_link_can_be_paid(do: Do, status: LinkStatus) -> None:
    """The row comes with the look at the link, in one statement."""
    given_link = link(status=status)
    _ = do(write(*STORE.insert_link(given_link, content_of(given_link))))
    step = STORE.insert_delivery(delivery(), message(), guard_payable=True)

    if status in (LinkStatus.OPEN, LinkStatus.PART_PAID):
        _ = do(write(step))
    else:
        with pytest.raises(Conflict):
            _ = do(write(step))

    assert (do(STORE.delivery("DEL1")) is not None) == (status in (LinkStatus.OPEN, LinkStatus.PART_PAID))


def test_message_for_a_link_of_another_tenant_is_not_reserved(do: Do) -> None:
    """The guard looks at the tenant's own links only."""
    given_link = link(status=LinkStatus.OPEN)
    _ = do(write(*STORE.insert_link(given_link, content_of(given_link))))

    with pytest.raises(Conflict):
        _ = do(write(Store(tenant="b").insert_delivery(delivery(), message(), guard_payable=True)))


def test_equal_steps_are_told_apart_when_one_of_them_misses(do: Do) -> None:
    """Steps that go to the driver in one call are still each held to what they expect."""
    first, second = payment("A"), payment("B")
    _ = do(write(STORE.insert_payment(first), STORE.insert_payment(second)))

    with pytest.raises(Conflict):
        _ = do(write(STORE.update_payment(first, version=1), STORE.update_payment(second, version=9)))

    assert [each.version for each in do(STORE.payments())] == [1, 1]


def test_event_with_a_known_id_is_dropped_and_not_a_conflict(do: Do) -> None:
    """A change that is told twice emits once."""
    _ = do(write(STORE.emit(paid(), now=NOW)))
    _ = do(write(STORE.emit(paid(), now=NOW + DAY)))

    assert [row.event.id for row in do(STORE.outbox_due(NOW + DAY))] == ["E1"]


def test_rule_of_a_table_is_an_error_that_shows_no_value(do: Do) -> None:
    """What a CHECK refuses is no conflict; the message names the remedy and repeats nothing of the row."""
    broken = evolve(payment(), refunded=Money.of("50.00", "EUR"), vendor_id="pi_secret")

    with pytest.raises(StoreError) as caught:
        _ = do(write(STORE.insert_payment(broken)))

    assert not isinstance(caught.value, Conflict)
    assert "insert_payment" in str(caught.value)
    assert "rules" in str(caught.value)
    assert "pi_secret" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert do(STORE.payments()) == ()


def test_each_step_is_answered_in_its_place(vault: Vault) -> None:
    """A batch of mixed steps answers each: counts of changes, rows of queries."""
    steps = (
        STORE.insert_payment(payment("A")),
        STORE.insert_payment(payment("B")),
        *_read(STORE.payments()),
        STORE.update_payment(payment("A"), version=1),
        *_read(STORE.payment("none")),
    )

    answers = vault.perform(Batch(steps))

    assert [answer.count for answer in answers] == [1, 1, 2, 1, 0]
    assert [row["id"] for row in answers[2].rows] == ["A", "B"]
    assert answers[4].rows == [] == list(answers[0].rows)


def _read(flow: Any) -> tuple[Step, ...]:
    batch = next(flow)
    assert isinstance(batch, Batch)
    return batch.steps
