"""What was surely not sent is not called unknown: it goes out once the set-up is mended."""

from __future__ import annotations

import asyncio

import pytest

from paybylink.errors import MissingExtra
from paybylink.messages import Outcome

from .world import World


@pytest.mark.anyio
async def test_a_mail_that_could_not_even_be_tried_is_sent_once_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra for mails from async code was missing: told, and not left as "may have been sent"."""

    def missing() -> None:
        raise MissingExtra("messages", "sending mail from async code")

    async with world.async_pay_by_link(world.database("unsent")) as pay:
        link = await pay.create_link(world.order("UNSENT"))
        with monkeypatch.context() as without:
            without.setattr("paybylink.drivers.mail._client", missing)
            with pytest.raises(MissingExtra):
                _ = await pay.send(link, via="email")
        assert [delivery.outcome for delivery in await pay.deliveries(link)] == [Outcome.DEFERRED]

        assert (await pay.send(link, via="email")).outcome is Outcome.ACCEPTED
    assert await asyncio.to_thread(world.mails, "UNSENT") == 1
