"""
What the checks of a provider share: the ways to drive a call, and to say what is missing.
"""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import ClassVar, TypeVar

import httpx
from attrs import frozen

from paybylink.drivers import AsyncDoors, Doors, arun, run
from paybylink.errors import PaybylinkError
from paybylink.flow import Call, Written
from paybylink.kinds import LinkKind, SingleUse
from paybylink.orders import Order
from paybylink.providers.base import Feature, LinkRequest, Provider, ProviderEvent, Support, VendorLink

from .provider_hooks import DAY, GUIDE, ProviderHooks

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


@frozen(kw_only=True)
class Made:
    """A link that a check has made, with what was asked for."""

    request: LinkRequest
    written: Written
    link: VendorLink


class ProviderBench(ProviderHooks):
    """The hooks, with what the checks do with them; nothing here is to be replaced but `carry` and `acarry`."""

    def carry(self, call: Call[T]) -> T:
        """What a call returns, after its requests were carried."""
        return run(call, self._doors)

    def acarry(self, call: Call[T]) -> T:
        """The same, by the asynchronous driver."""
        return asyncio.run(self._arun(call))

    doors: ClassVar[Doors | None] = None

    @classmethod
    def teardown_class(cls) -> None:
        """Close the connections."""
        if cls.doors is not None:
            cls.doors.close()
            cls.doors = None

    @cached_property
    def it(self) -> Provider:
        """The provider that one check talks to."""
        return self.provider()

    @property
    def _recorded(self) -> bool:
        return type(self).answer is not ProviderHooks.answer

    @property
    def _doors(self) -> Doors:
        if self._recorded:
            return Doors(vault=None, http=httpx.Client(transport=httpx.MockTransport(self.answer)))
        made = type(self).doors
        if made is None:
            made = type(self).doors = Doors(vault=None)
        return made

    async def _arun(self, call: Call[T]) -> T:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) if self._recorded else None
        doors = AsyncDoors(vault=None, http=client)
        try:
            return await arun(call, doors)
        finally:
            await doors.aclose()

    def has(self, feature: Feature) -> bool:
        """Whether the provider says that it can."""
        row = self.it.capabilities.get(feature)
        return row is not None and row.support is not Support.UNSUPPORTED

    def needs(self, feature: Feature) -> None:
        """Skip the check where the provider says that it cannot."""
        if not self.has(feature):
            row = self.it.capabilities.get(feature)
            raise unittest.SkipTest(f"{feature} cannot be had here: {row.how if row else 'no row for it'}")

    def miss(self, missing: str, see: str) -> AssertionError:
        """What fails a check: what is missing, and where the contract describes it."""
        return AssertionError(f"{self.it.name}: {missing}\n  the contract: {see}; {GUIDE}")

    def check(self, kept: bool, missing: str, see: str) -> None:
        """Fail the check unless the promise was kept."""
        if not kept:
            raise self.miss(missing, see)

    def check_none(self, missing: Sequence[str], see: str) -> None:
        """Fail the check if anything is missing, and say all of it at once."""
        if missing:
            raise self.miss("\n  ".join(missing), see)

    def raised(
        self, kind: type[E] | tuple[type[E], ...], act: Callable[[], object], missing: str, see: str
    ) -> E:
        """The error of `kind` that `act` must raise."""
        try:
            _ = act()
        except kind as error:
            return error
        except AssertionError:
            raise
        except Exception as error:
            # Only the class: the text of a stranger's error may hold anything.
            raise self.miss(f"{missing}; it raised {type(error).__name__}", see) from error
        raise self.miss(missing, see)

    def unsent(
        self, kind: type[E] | tuple[type[E], ...], make: Callable[[], Call[object]], missing: str, see: str
    ) -> E:
        """The error of `kind` that a call must raise before it sends anything."""
        return self.raised(kind, lambda: self.met(make(), self.nothing_is_sent(missing, see)), missing, see)

    def nothing_is_sent(self, missing: str, see: str) -> Callable[[httpx.Request], httpx.Response]:
        """A reply for `met` that fails the check, where there should be no request to reply to."""

        def refuse(request: httpx.Request) -> httpx.Response:
            raise self.miss(f"{missing}; it sent {request.method} {request.url.path}", see)

        return refuse

    def met(self, call: Call[T], reply: Callable[[httpx.Request], httpx.Response], *, most: int = 200) -> T:
        """What a call returns when each of its requests is met by `reply`; nothing leaves the process."""
        try:
            request = next(call)
            for _ in range(most):
                request = call.send(_to(request, reply(request)))
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            call.close()
        raise self.miss(f"a call has sent {most} requests and would send more", "Provider")

    def send(self, request: httpx.Request) -> httpx.Response:
        """The vendor's answer to one request."""
        return self.carry(_alone(request))

    def rest(self, call: Call[T], response: httpx.Response) -> T:
        """What a call returns that has sent its first request, after the answer to it."""
        return self.carry(_continued(call, response))

    def tampered(self, call: Call[T], change: Callable[[bytes], bytes]) -> Call[T]:
        """The call, with every answer's body changed on its way."""
        return _watched(call, lambda _: None, change)

    def noted(self, call: Call[T], sent: list[httpx.Request]) -> Call[T]:
        """The call, with every request noted."""
        return _watched(call, sent.append, lambda content: content)

    def asked(self, order: Order | None = None, kind: LinkKind | None = None) -> LinkRequest:
        """A new request for a link that lives for a week."""
        link_id, attempt_id = self.fresh("link"), self.fresh("attempt")
        return LinkRequest(
            link_id=link_id,
            attempt_id=attempt_id,
            notify_url=self.notify_url(link_id, attempt_id),
            order=order or self.order(),
            kind=kind or SingleUse(),
            expires_at=(self.now() + 7 * DAY).replace(microsecond=0),
        )

    def make(self, order: Order | None = None, kind: LinkKind | None = None) -> Made:
        """A new link."""
        request = self.asked(order, kind)
        written = self.it.write_link(request, key=self.fresh("key"), now=self.now())
        return Made(
            request=request,
            written=written,
            link=self.carry(self.it.create_link(request, written=written)),
        )

    def events(self) -> list[ProviderEvent]:
        """Everything that the vendor has told by webhook, read."""
        return [
            event for webhook in self.webhooks() for event in self.it.read(webhook.body, query=webhook.query)
        ]

    def told(self, kind: type[T]) -> list[T]:
        """The notices of a kind among them, oldest first."""
        return [event.notice for event in self.events() if isinstance(event.notice, kind)]


def _alone(request: httpx.Request) -> Call[httpx.Response]:
    response = yield request
    return response


def _to(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    response.request = request
    return response


def _continued(call: Call[T], response: httpx.Response) -> Call[T]:
    try:
        request = call.send(response)
        while True:
            request = call.send((yield request))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        call.close()


def _watched(
    call: Call[T], note: Callable[[httpx.Request], None], change: Callable[[bytes], bytes]
) -> Call[T]:
    try:
        request = next(call)
        while True:
            note(request)
            try:
                response = yield request
            except PaybylinkError as error:
                request = call.throw(error)
                continue
            request = call.send(_changed(response, change))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        call.close()


def _changed(response: httpx.Response, change: Callable[[bytes], bytes]) -> httpx.Response:
    content = change(response.content)
    if content == response.content:
        return response
    # What was said of the old content (its length, its encoding) is not true of the new one.
    kept = {
        name: value
        for name, value in response.headers.items()
        if name.lower() not in ("content-length", "content-encoding", "transfer-encoding")
    }
    return httpx.Response(response.status_code, headers=kept, content=content, request=response.request)
