"""
`create_link()` for scripts: one call, settings from the environment or `paybylink.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from .kinds import LinkKind
    from .links import PaymentLink
    from .money import Money
    from .orders import Order


def create_link(
    order: Order | Money | str,
    *,
    reference: str | None = None,
    description: str = "",
    kind: LinkKind | str = "single_use",
    provider: str | None = None,
    expires_in: dt.timedelta | None = None,
    expires_at: dt.datetime | None = None,
    replace: bool = False,
) -> PaymentLink:
    """
    The one link of an order; a script that runs again finds the link that its first run made.

    See `PayByLink.create_link` for the arguments and errors. Without a store setting the links are remembered in
    ``paybylink.db`` in the working folder.

    Raises:
        SettingsError: no provider is configured, or a setting is wrong.

    Example:
        ```python
        from paybylink import create_link

        link = create_link("49.90 EUR", reference="INV-2026-031", description="Logo design")
        print(link.url)
        ```
    """
    from .client import PayByLink

    with PayByLink.from_env() as pay:
        return pay.create_link(
            order,
            reference=reference,
            description=description,
            kind=kind,
            provider=provider,
            expires_in=expires_in,
            expires_at=expires_at,
            replace=replace,
        )
