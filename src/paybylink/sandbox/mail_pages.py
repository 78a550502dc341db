"""
The mailbox in the browser: `/mailbox`, one mail at `/mailbox/{n}`, and the same as JSON and `.eml`.

A mail's HTML is shown as a mail program shows it, inside a frame that may run nothing and load nothing: images it
brought along are put in place of their ``cid:`` addresses, those on other servers stay empty. Links open in a new
tab, so a payment can be followed from the mail to the hosted page.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from paybylink.sandbox import mailbox
from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.pages import page

_FRAME_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_CID = re.compile(r"""cid:([^"'\s)>]+)""", re.IGNORECASE)
_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)
_HEADERS = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID")


def summary(engine: Engine, mail: Document) -> Document:
    """One mail as JSON: the envelope, the main headers, both bodies and what is attached."""
    found = mailbox.read(engine, mail["id"])
    if found is None:
        return mail
    message = found[1]
    return {
        **mail,
        "headers": {name: str(message[name]) for name in _HEADERS if message[name] is not None},
        "text": mailbox.body(message, "plain"),
        "html": mailbox.body(message, "html"),
        "attachments": [
            {"name": part.name, "type": part.kind, "content_id": part.content_id, "size": len(part.content)}
            for part in mailbox.attachments(message)
        ],
        "url": f"{engine.base_url}/mailbox/{mail['id']}",
    }


def mail_routes(engine: Engine) -> list[Route]:
    """The pages and files of the mailbox."""

    async def index(_: Request) -> Response:
        return page("mailbox.html", title="Mailbox", mails=engine.find("mail", limit=500))

    async def index_json(_: Request) -> Response:
        return JSONResponse([summary(engine, mail) for mail in engine.find("mail", newest_first=False)])

    async def show(request: Request) -> Response:
        found = mailbox.read(engine, request.path_params["number"])
        if found is None:
            return _absent()
        mail, message = found
        return page(
            "mail.html",
            title=mail["subject"] or "Mail",
            frames="'self'",
            mail=mail,
            headers=[(name, str(message[name])) for name in _HEADERS if message[name] is not None],
            text=mailbox.body(message, "plain"),
            html=mailbox.body(message, "html") is not None,
            attachments=mailbox.attachments(message),
        )

    async def raw(request: Request) -> Response:
        content = engine.content("mail", request.path_params["number"])
        if content is None:
            return _absent()
        return _download(content, "message/rfc822", f"mail-{request.path_params['number']}.eml")

    async def html(request: Request) -> Response:
        found = mailbox.read(engine, request.path_params["number"])
        source = None if found is None else mailbox.body(found[1], "html")
        if found is None or source is None:
            return _absent()
        shown = _with_images(source, mailbox.parts(found[1]))
        headers = {"Content-Security-Policy": _FRAME_POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(_opening_tabs(shown), 200, headers, "text/html; charset=utf-8")

    async def part(request: Request) -> Response:
        found = mailbox.read(engine, request.path_params["number"])
        held = [] if found is None else mailbox.parts(found[1])
        place = request.path_params["place"]
        if place >= len(held):
            return _absent()
        return _download(held[place].content, held[place].kind, held[place].name or f"part-{place}")

    return [
        Route("/mailbox", index, name="mailbox"),
        Route("/mailbox.json", index_json, name="mailbox.json"),
        Route("/mailbox/{number}.eml", raw, name="mailbox.raw"),
        Route("/mailbox/{number}", show, name="mailbox.mail"),
        Route("/mailbox/{number}/html", html, name="mailbox.html"),
        Route("/mailbox/{number}/part/{place:int}", part, name="mailbox.part"),
    ]


def _absent() -> Response:
    return page("closed.html", status=404, title="Not found", message="There is no such mail.")


def _download(content: bytes, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, 200, headers, kind)


def _opening_tabs(source: str) -> str:
    base = '<base target="_blank">'
    head = _HEAD.search(source)
    return base + source if head is None else source[: head.end()] + base + source[head.end() :]


def _with_images(source: str, held: list[mailbox.Part]) -> str:
    images = {
        part.content_id: f"data:{part.kind};base64,{base64.b64encode(part.content).decode()}"
        for part in held
        if part.content_id and part.kind.startswith("image/")
    }
    return _CID.sub(lambda found: images.get(found[1], found[0]), source)
