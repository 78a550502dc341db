"""
The application to mount: public link pages and webhooks in one ASGI app.

    from paybylink.web.app import app
    application = app(pay, merchant="Atelier", contact="atelier@example.com")

It is served by `paybylink serve`, by any ASGI server, or mounted below a path of a host's own application.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import Fault, MissingExtra, SettingsError

try:
    from starlette.applications import Starlette

    from . import pay as pages
    from . import webhooks
except ImportError as error:  # pragma: no cover - the tests have every extra
    raise MissingExtra("web", "serving pages and webhooks") from error


def app(
    pay: PayByLink | AsyncPayByLink,
    *,
    merchant: str = "",
    contact: str = "",
    zone: str = "Europe/Paris",
    language: str = "en",
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Starlette:
    """
    The application with ``/p/{token}``, ``/webhooks/{name}`` and the pages' style sheet.

    Args:
        pay: either client; the blocking one is called in threads. It is not closed here.
        merchant, contact, zone: what the pages say of the merchant.
        language: of pages for people without a language of ours.
        clock: returns the moment, aware and in UTC.

    Raises:
        SettingsError: `pay` has no store, so there is nothing to show and nowhere to keep events.
    """
    if pay.journeys.stateless:
        raise SettingsError(
            (Fault("store", "is none", "pages and webhooks need a store such as sqlite:///shop.db"),)
        )
    shop = pages.Shop(name=merchant, contact=contact, zone=zone, language=language, clock=clock)
    return Starlette(routes=[*pages.routes(pay, shop), *webhooks.routes(pay)])
