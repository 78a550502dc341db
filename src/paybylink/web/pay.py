"""
The public page of a link: ``/p/{token}``.

Reading it changes nothing, since mail scanners and chat previews read it before the customer does. It says plainly
where the link stands, and while it can be paid it leads to the provider by an ordinary link, whose address comes
from our own row and from nothing in the request. The title names neither amount nor person, because previews show
it to whoever looks at the screen.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paybylink.channels.wording import formats
from paybylink.client import AsyncPayByLink, PayByLink
from paybylink.errors import MissingExtra, PaybylinkError
from paybylink.kinds import Reusable
from paybylink.links import LinkStatus, Mode, PaymentLink, ProviderLinkStatus
from paybylink.money import Money

from .calls import link_by_token
from .words import WORDS, language_of

log = logging.getLogger("paybylink.web")

Clock: TypeAlias = Callable[[], dt.datetime]

#: Where the style sheet is served, below wherever the application is mounted.
STYLESHEET = "/static/paybylink/pay.css"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_ENDED = {"expired", "cancelled", "replaced", "unknown", "away"}

HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


@frozen(kw_only=True)
class Shop:
    """
    What the pages say of the merchant.

    Attributes:
        name: above everything else; empty shows none.
        contact: where to ask; empty shows none.
        zone: of the dates.
        language: where neither the customer nor the browser has one of ours.
        clock: returns the moment, aware and in UTC.
    """

    name: str = ""
    contact: str = ""
    zone: str = "Europe/Paris"
    language: str = "en"
    clock: Clock = lambda: dt.datetime.now(dt.UTC)


@frozen
class Button:
    """Where to pay: an address, the text on it and the note below."""

    url: str
    text: str
    note: str


def routes(pay: PayByLink | AsyncPayByLink, shop: Shop) -> list[Route]:
    """The routes of the public pages."""

    async def page(request: Request) -> Response:
        accepted = request.headers.get("accept-language", "")
        stylesheet = request.scope.get("root_path", "") + STYLESHEET
        try:
            link = await link_by_token(pay, request.path_params["token"])
        except PaybylinkError as error:
            log.error("a page was not shown: %s", error.code)
            return _bare("away", 503, language_of(None, accepted, shop.language), shop, stylesheet)
        if link is None:
            return _bare("unknown", 404, language_of(None, accepted, shop.language), shop, stylesheet)
        customer = link.order.customer
        language = language_of(customer.language if customer else None, accepted, shop.language)
        return Response(_page(link, language, shop, stylesheet), headers=HEADERS, media_type="text/html")

    async def stylesheet(request: Request) -> Response:
        del request
        headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(_css(), headers=headers, media_type="text/css")

    return [
        Route("/p/{token}", page, methods=["GET"]),
        Route(STYLESHEET, stylesheet, methods=["GET"]),
    ]


def standing(link: PaymentLink, now: dt.datetime) -> str:
    """The one word that the page says: a status, with `expired` as soon as the time has passed."""
    if link.status in (LinkStatus.OPEN, LinkStatus.PART_PAID, LinkStatus.PENDING):
        if link.expires_at is not None and link.expires_at <= now:
            return "expired"
        return "open" if provider_address(link) else "pending"
    return str(link.status)


def provider_address(link: PaymentLink) -> str | None:
    """Where the provider takes the money: https, or this machine with a test key; None if it cannot be paid."""
    behind = link.current
    if not link.payable or behind is None or behind.status is not ProviderLinkStatus.OPEN or not behind.url:
        return None
    try:
        parts = urlsplit(behind.url)
        host = parts.hostname
    except ValueError:
        return None
    local = parts.scheme == "http" and link.mode is Mode.TEST and host in _LOOPBACK
    return behind.url if host and (parts.scheme == "https" or local) else None


def _page(link: PaymentLink, language: str, shop: Shop, stylesheet: str) -> str:
    words = WORDS[language]
    stands = standing(link, shop.clock())
    test = link.mode is Mode.TEST
    rows = [(words["reference"], link.order.reference)]
    address = provider_address(link)
    if stands != "open" or address is None:
        return _rendered(language, shop, stylesheet, {**_told(stands, language), "test": test, "rows": rows})
    label, amount, button = _asked(link, language)
    rows.insert(0, (label, amount))
    if link.expires_at is not None:
        rows.append((words["until"], day_text(link.expires_at, language, shop.zone)))
    host = urlsplit(address).netloc
    shown: dict[str, object] = {
        "mood": "open",
        "test": test,
        # The heading already names the merchant.
        "merchant": "",
        "heading": words["asked"].format(merchant=shop.name) if shop.name else words["asked_by_nobody"],
        "description": link.order.description,
        "rows": rows,
        "button": Button(address, button, words["leads"].format(host=host)),
    }
    return _rendered(language, shop, stylesheet, shown)


def _asked(link: PaymentLink, language: str) -> tuple[str, str, str]:
    """What is asked for: its label, the amount, and what the button says."""
    words, kind = WORDS[language], link.kind
    if isinstance(kind, Reusable) and kind.payer_chooses:
        least = kind.minimum
        shown = (
            words["chosen_any"]
            if least is None
            else words["chosen_from"].format(minimum=amount_text(least, language))
        )
        return words["chosen"], shown, words["pay_chosen"]
    amount = amount_text(link.open_amount, language)
    label = words["each" if isinstance(kind, Reusable) else "left"]
    return label, amount, words["pay"].format(amount=amount)


def _told(stands: str, language: str) -> dict[str, object]:
    words = WORDS[language]
    mood = "closed" if stands in _ENDED else stands
    return {"mood": mood, "heading": words[stands], "text": words[f"{stands}_text"]}


def _bare(stands: str, status: int, language: str, shop: Shop, stylesheet: str) -> Response:
    body = _rendered(language, shop, stylesheet, _told(stands, language))
    return Response(body, status, HEADERS, media_type="text/html")


def _rendered(language: str, shop: Shop, stylesheet: str, shown: dict[str, object]) -> str:
    words = WORDS[language]
    always: dict[str, object] = {
        "language": language,
        "words": words,
        "stylesheet": stylesheet,
        "merchant": shop.name,
        "contact": words["questions"].format(contact=shop.contact) if shop.contact else "",
        "test": False,
        "text": "",
        "description": "",
        "rows": [],
        "button": None,
    }
    return _templates().get_template("pay.html").render(always | shown)


def amount_text(money: Money, language: str) -> str:
    """An amount as people of that language write it; plainly, where Babel is not installed."""
    try:
        return formats.amount_text(money, formats.locale_of(language, language))
    except MissingExtra:
        return str(money)


def day_text(moment: dt.datetime, language: str, zone: str) -> str:
    """A day and its hour as people of that language write it, in the merchant's zone."""
    try:
        shown = formats.moment_text(moment, zone, formats.locale_of(language, language))
    except MissingExtra:
        return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    return f"{shown.date}, {shown.time} ({shown.offset})"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("paybylink.web", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )


@cache
def _css() -> bytes:
    return files("paybylink.web").joinpath("static", "pay.css").read_bytes()
