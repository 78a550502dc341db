"""
The conformance suite before the running sandbox: the real adapter, over real HTTP, told by real webhooks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from paybylink.providers.base import VendorLink
from paybylink.sandbox import Sandbox, SandboxError
from paybylink.testing import How, ProviderConformance, Webhook
from workflows.receiver import Receiver


class SandboxSuite(ProviderConformance):
    """One sandbox for all checks of a class; each makes links of its own."""

    vendor: ClassVar[str]
    sandbox: ClassVar[Sandbox]
    receiver: ClassVar[Receiver]

    @classmethod
    def setup_class(cls) -> None:
        """Open the sandbox, and the door at which it rings."""
        cls.receiver = Receiver().__enter__()
        cls.sandbox = Sandbox().__enter__()
        cls.register()

    @classmethod
    def teardown_class(cls) -> None:
        """Close both."""
        super().teardown_class()
        cls.sandbox.__exit__(None, None, None)
        cls.receiver.__exit__()

    @classmethod
    def register(cls) -> None:
        """Tell the vendor where its webhooks go."""

    def now(self) -> dt.datetime:
        return self.sandbox.control.now()

    def pay(self, link: VendorLink, how: How) -> None:
        _ = self.sandbox.control.pay(link.url, how=how.value)
        _ = self.sandbox.control.flush_webhooks()

    def settle(self, link: VendorLink, *, succeeded: bool = True) -> None:
        # Where nothing is under way there is nothing to settle.
        with suppress(SandboxError):
            _ = self.sandbox.control.settle(link.vendor_id, succeeded=succeeded)
        _ = self.sandbox.control.flush_webhooks()

    def dispute(self, payment_vendor_id: str) -> None:
        _ = self.sandbox.control.dispute(payment_vendor_id)
        _ = self.sandbox.control.flush_webhooks()

    def pay_out(self) -> None:
        _ = self.sandbox.control.payout(self.vendor)

    def webhooks(self) -> Sequence[Webhook]:
        _ = self.sandbox.control.flush_webhooks()
        return [
            Webhook(headers=call.headers, body=call.body, query=call.query)
            for call in self.receiver.calls
            if call.provider == self.vendor
        ]


def with_words(content: bytes, words: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """JSON in which each object has what `words` says of it besides; anything else as it is."""

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: walk(value) for name, value in (node | words(node)).items()}
        return [walk(value) for value in node] if isinstance(node, list) else node

    try:
        before = json.loads(content)
    except ValueError:
        return content
    after = walk(before)
    return content if after == before else json.dumps(after).encode()
