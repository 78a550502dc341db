"""A payment link that a failed payment has used up takes one more; once, however often it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from paybylink.errors import IntegrityBreach, OutcomeUnknown
from paybylink.flow import Retry
from paybylink.providers.base import VendorLinkStatus

from .stripe_given import KEY, NOW, account, drive, form, recorded, sending

LINK = "plink_1SkPbLsingle"


def link(*, active: bool, count: int | None = 1, limit: int | None = 1) -> dict[str, Any]:
    """The link as it stands."""
    restrictions = None if limit is None else {"completed_sessions": {"count": count, "limit": limit}}
    return dict(recorded("payment_link_single_use", active=active, restrictions=restrictions))


def reopened(*answers: object) -> Any:
    return drive(account().reopen_link(LINK, key=KEY, now=NOW), *answers)


def test_the_limit_is_raised_and_the_link_made_active_together() -> None:
    """The counter is read first; whether raising the limit alone reopens a link is not documented."""
    found, (before, request) = reopened(link(active=False), link(active=True, limit=2))

    assert (before.method, before.url.path) == ("GET", f"/v1/payment_links/{LINK}")
    assert (request.method, request.url.path) == ("POST", f"/v1/payment_links/{LINK}")
    assert form(request) == {"active": "true", "restrictions[completed_sessions][limit]": "2"}
    assert request.headers["idempotency-key"] == KEY
    assert sending(request).retry is Retry.KEYED
    assert (found.status, found.completed) == (VendorLinkStatus.OPEN, 1)


def test_doing_it_twice_raises_it_once() -> None:
    """What is open is left as it is."""
    found, requests = reopened(link(active=True, limit=2))

    assert (found.status, len(requests)) == (VendorLinkStatus.OPEN, 1)


@pytest.mark.parametrize(
    ("before", "sent"),
    [
        pytest.param(link(active=True), "2", id="used-up-and-still-active"),
        pytest.param(link(active=False, count=3, limit=3), "4", id="for-several"),
        pytest.param(link(active=False, count=1, limit=5), "5", id="never-lowered"),
        pytest.param(link(active=False, limit=None), None, id="without-a-limit"),
    ],
)
def test_the_limit_follows_the_counter_and_is_never_lowered(before: dict[str, Any], sent: str | None) -> None:
    """One more than the link has counted, or what it was."""
    _, (_, request) = reopened(before, link(active=True, count=1, limit=9))

    assert form(request).get("restrictions[completed_sessions][limit]") == sent


@pytest.mark.parametrize(
    "after", [link(active=False, limit=2), link(active=True), {**link(active=True, limit=2), "id": "plink_x"}]
)
def test_a_link_that_is_not_open_was_not_opened(after: dict[str, Any]) -> None:
    """An answer that does not say so is not believed."""
    with pytest.raises(IntegrityBreach):
        _ = reopened(link(active=False), after)


def test_without_an_answer_it_is_unknown() -> None:
    """Asking again finds it open, or repeats the same bytes under the same key."""
    with pytest.raises(OutcomeUnknown):
        _ = reopened(link(active=False), (recorded("error_api_down"), 503))
