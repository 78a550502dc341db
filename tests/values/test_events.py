"""Promises about events: they survive JSON, and hold amounts and ids only."""

from __future__ import annotations

import datetime as dt
import json
from typing import get_args

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from paybylink import events
from paybylink.events import EVENT_TYPES, Event, LinkOpened, event_from_json, event_to_json
from paybylink.money import Money
from paybylink.payments import PaymentFlag
from paybylink.testing import strategies

moments = st.datetimes(timezones=st.just(dt.UTC))
flags = st.frozensets(st.sampled_from(PaymentFlag))
#: How to draw each field by its annotation.
BY_TYPE: dict[str, st.SearchStrategy[object]] = {
    "str": strategies.texts(),
    "bool": st.booleans(),
    "dt.datetime": moments,
    "Money": st.one_of(strategies.money(), st.just(Money.read(10**17, "BGN"))),
    "frozenset[PaymentFlag]": flags,
}


def drawn(kind: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(kind, **{attribute.name: BY_TYPE[str(attribute.type)] for attribute in fields(kind)})


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
@given(data=st.data())
def test_survive_json(kind: type[Event], data: st.DataObject) -> None:
    """What the outbox writes is read back to an equal event, of every kind and with every field."""
    event = data.draw(drawn(kind))

    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_hold_amounts_and_ids_only(kind: type[Event]) -> None:
    """No field is named for what a person is called or where he can be reached."""
    personal = {"name", "email", "phone", "address", "recipient", "customer", "url", "token", "description"}

    assert not personal & {attribute.name for attribute in fields(kind)}
    assert {"id", "at", "tenant"} <= {attribute.name for attribute in fields(kind)}


def test_the_registry_has_every_kind() -> None:
    """The union, the registry and the module name the same kinds."""
    defined = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and kind.__module__ == "paybylink.events"
    }

    assert set(EVENT_TYPES.values()) == set(get_args(Event)) == defined


def test_of_a_newer_or_older_version_are_read() -> None:
    """A field that this version does not know is ignored; one that was not written has its default."""
    opened = LinkOpened(id="1", at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), link_id="01", reference="INV-7")
    written = event_to_json(opened)
    del written["part"]

    assert event_from_json({**written, "colour": "blue"}) == opened
