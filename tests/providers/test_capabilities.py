"""Promises about capabilities: what cannot be had is said by name, with the reason, before anything is sent."""

from __future__ import annotations

import pytest

from paybylink.errors import UnsupportedCapability
from paybylink.providers.capabilities import (
    Capabilities,
    Capability,
    Feature,
    Support,
    emulated,
    native,
    need,
    unsupported,
)

WHY = "links of this provider are never read back"
CAPABILITIES: Capabilities = {
    Feature.REFUND: native(),
    Feature.PARTIAL_REFUND: native("of cards only"),
    Feature.EXPIRY: emulated("closed by run_due once its time has come"),
    Feature.FIND_LINK: unsupported(WHY),
}


@pytest.mark.parametrize("feature", [Feature.REFUND, Feature.PARTIAL_REFUND, Feature.EXPIRY])
def test_what_can_be_had_passes(feature: Feature) -> None:
    """Native or emulated is all the same to whoever asks for it."""
    need(CAPABILITIES, feature, who="atelier")


def test_what_cannot_be_had_is_refused_with_its_reason() -> None:
    """The error names who, what and why."""
    with pytest.raises(UnsupportedCapability) as caught:
        need(CAPABILITIES, Feature.FIND_LINK, who="atelier")

    assert (caught.value.who, caught.value.feature, caught.value.reason) == ("atelier", "find link", WHY)
    assert str(caught.value) == f"atelier does not support find link: {WHY}"


def test_a_feature_without_a_row_is_a_mistake_of_the_adapter() -> None:
    """A forgotten row is not taken for a yes."""
    with pytest.raises(KeyError):
        need(CAPABILITIES, Feature.DISPUTES, who="atelier")


def test_short_ways_to_write_them_say_how() -> None:
    """A restriction, a way or a reason is kept beside the support."""
    assert [
        CAPABILITIES[feature] for feature in (Feature.PARTIAL_REFUND, Feature.EXPIRY, Feature.FIND_LINK)
    ] == [
        Capability(Support.NATIVE, "of cards only"),
        Capability(Support.EMULATED, "closed by run_due once its time has come"),
        Capability(Support.UNSUPPORTED, WHY),
    ]
