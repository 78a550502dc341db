"""
What every journey needs to know: whose providers, channels and books these are.

The store comes in as its queries and rows, not as a connection: a journey yields its batches like everything
else that leaves the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from attrs import field, frozen

from paybylink.accounting.accounts import Accounts
from paybylink.channels.base import Channel, channel_named
from paybylink.errors import NotFound
from paybylink.identifiers import Identifiers
from paybylink.providers.base import Provider, provider_named
from paybylink.store import Store


@frozen(kw_only=True)
class Merchant:
    """
    One merchant's set-up.

    Attributes:
        store: queries and rows of this tenant.
        providers: the first is the default.
        channels: in the order of preference for a medium.
        accounts: how money is booked.
        identifiers: where ids, tokens and keys come from.
        language: of messages to customers without one.
        lent: the store's connection belongs to the host, so journeys stop at the reserved row.
    """

    store: Store
    providers: Sequence[Provider] = ()
    channels: Sequence[Channel] = ()
    accounts: Accounts = field(factory=Accounts)
    identifiers: Identifiers = field(factory=Identifiers)
    language: str = "en"
    lent: bool = False

    def provider(self, name: str | None) -> Provider:
        """
        The provider called `name`, or the default one.

        Raises:
            NotFound: there is none.
        """
        return provider_named(self.providers, name)

    def notify_url(self, provider: str, link_id: str, attempt_id: str) -> str | None:
        """
        Where a provider tells news of one very link, for those that are told so by link; None without a public URL.

        The ids in it say which link rang, and nothing more: what is told is asked for and checked.
        """
        store = self.store
        if not store.public_url:
            return None
        name = f"{quote(store.tenant, safe='')}/{provider}" if store.tenant else provider
        return f"{store.public_url}/webhooks/{name}?link={link_id}&attempt={attempt_id}"

    def channel(self, via: str) -> Channel:
        """
        The channel called `via`, or the first of that medium.

        Raises:
            NotFound: there is none.
        """
        channel = channel_named(self.channels, via)
        if channel is None:
            known = ", ".join(channel.name for channel in self.channels) or "none is configured"
            # Not repeated: what was written there by mistake may be an address.
            raise NotFound(f"no channel has that name or medium; known: {known}")
        return channel
